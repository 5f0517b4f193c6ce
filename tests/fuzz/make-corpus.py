#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The small good files that the fuzzers begin with: usage: make-corpus.py FOLDER

Made by other people's programs: pydicom, DCMTK's tools, Pillow, h5py, nibabel, numpy, tar and zip; and
what tests/reference/*-cases.json holds.
"""
import base64
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib

import h5py
import nibabel
import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from scipy.io import netcdf_file

OUT = sys.argv[1]
RAMP = (np.arange(8 * 6, dtype=np.int32).reshape(6, 8) * 37) % 256

REFERENCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reference")
# The header is what the harness is given; pairs miss their voxels there.
FORMAT_CASES = {
    "afni": ["afni"], "analyze": ["Spm2AnalyzeImage-<", "AnalyzeImage->"], "interfile": ["interfile-int16"], "mgh": ["mgh-int32", "mgz-frames"],
    "minc1": ["minc1-uint8", "minc1-time", "minc1-order"], "npy": ["npy-<i2-C", "npy-complex", "npy-frames"], "parrec": ["par-1"],
}
PICTURE_CASES = {
    "bmp": ["grey.bmp", "palette.bmp", "rle.bmp", "sixteen.bmp", "top.bmp"], "heic": ["upright.heic"], "gif": ["palette-1.gif", "hole.gif"],
    "pnm": ["wide.pgm", "text.ppm", "text.pbm", "real.pfm"], "jpeg-file": ["grey.jpg", "inks.jpg", "rgb-p.jpg", "orientation-6.jpg"],
    "tiff": ["tiles.tif", "u2-tiff_lzw.tif", "f4-tiff_adobe_deflate.tif", "planes.tif", "palette.tif"],
}


def put(harness, name, data):
    os.makedirs(os.path.join(OUT, harness), exist_ok=True)
    with open(os.path.join(OUT, harness, name), "wb") as file:
        file.write(data)


def picture(mode="RGB"):
    rgb = np.stack([RAMP, 255 - RAMP, RAMP // 2], axis=2).astype(np.uint8)
    return Image.fromarray(rgb).convert(mode)


def saved(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


def pictures():
    for mode in ("L", "RGB", "CMYK"):
        put("jpeg-file", mode.lower() + ".jpg", saved(picture(mode), format="JPEG"))
    put("jpeg-file", "progressive.jpg", saved(picture(), format="JPEG", progressive=True))
    exif = Image.Exif()
    exif[0x0112] = 6
    put("jpeg-file", "exif.jpg", saved(picture(), format="JPEG", exif=exif))
    for mode in ("L", "RGB", "RGBA", "P", "1"):
        put("png", mode.lower() + ".png", saved(picture(mode), format="PNG"))
    put("png", "i16.png", saved(Image.fromarray(RAMP.astype(np.uint16) * 257), format="PNG"))
    for mode in ("L", "RGB", "P", "1"):
        put("bmp", mode.lower() + ".bmp", saved(picture(mode), format="BMP"))
    frames = [picture("P"), picture("L").convert("P")]
    put("gif", "two.gif", saved(frames[0], format="GIF", save_all=True, append_images=frames[1:]))
    put("pnm", "grey.pgm", saved(picture("L"), format="PPM"))
    put("pnm", "colour.ppm", saved(picture("RGB"), format="PPM"))
    put("pnm", "text.pgm", b"P2\n# text\n3 2\n65535\n0 1 2\n300 4000 65535\n")
    for name in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        put("tiff", name + ".tif", saved(picture(), format="TIFF", compression=name))
    put("tiff", "float.tif", saved(Image.fromarray(RAMP.astype(np.float32)), format="TIFF"))
    put("tiff", "pages.tif", saved(picture("L"), format="TIFF", save_all=True, append_images=[picture("L")] * 2))


def data_set(pixels, **more):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    meta.MediaStorageSOPInstanceUID = "1.2.3.4.5"
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    ds.is_little_endian, ds.is_implicit_VR = True, False
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "1.2.3", "1.2.3.4", "1.2.9"
    ds.Modality, ds.PatientName, ds.PatientID, ds.SeriesNumber = "CT", "Fuzz^One", "1", 3
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [1, 2, 3], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness = [0.5, 0.75], 2
    ds.Rows, ds.Columns = pixels.shape[:2]
    ds.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    ds.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated = ds.BitsStored = pixels.dtype.itemsize * 8
    ds.HighBit, ds.PixelRepresentation = ds.BitsStored - 1, int(pixels.dtype.kind == "i")
    ds.RescaleSlope, ds.RescaleIntercept, ds.WindowCenter, ds.WindowWidth = 1, -1024, 40, 400
    for name, value in more.items():
        setattr(ds, name, value)
    ds.PixelData = pixels.tobytes()
    return ds


def written(ds):
    buffer = io.BytesIO()
    ds.save_as(buffer, write_like_original=False)
    return buffer.getvalue()


def converted(data, *command):
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "a.dcm"), os.path.join(folder, "b.dcm")
        with open(source, "wb") as file:
            file.write(data)
        subprocess.run([*command, source, target], check=True)
        with open(target, "rb") as file:
            return file.read()


def encapsulated(data, syntax, stream):
    ds = pydicom.dcmread(io.BytesIO(data))
    ds.file_meta.TransferSyntaxUID = syntax
    ds.PixelData = pydicom.encaps.encapsulate([stream])
    ds["PixelData"].is_undefined_length = True
    return written(ds)


def dicom():
    grey = written(data_set((RAMP * 16).astype(np.int16)))
    byte = written(data_set(RAMP.astype(np.uint8)))
    colour = written(data_set(np.asarray(picture())))
    put("dicom", "grey.dcm", grey)
    put("dicom", "colour.dcm", colour)
    item = pydicom.Dataset()
    item.ReferencedSOPInstanceUID, item.ReferencedSOPClassUID = "1.2.3.4.6", "1.2.840.10008.5.1.4.1.1.2"
    put("dicom", "sequence.dcm", written(data_set(RAMP.astype(np.uint16), ReferencedImageSequence=Sequence([item]))))
    frames = np.stack([RAMP, RAMP + 1]).astype(np.uint8)
    ds = data_set(RAMP.astype(np.uint8), NumberOfFrames=2)
    ds.PixelData = frames.tobytes()
    put("dicom", "frames.dcm", written(ds))
    put("dicom", "implicit.dcm", converted(grey, "dcmconv", "+ti"))
    put("dicom", "big.dcm", converted(grey, "dcmconv", "+tb"))
    put("dicom", "deflated.dcm", converted(grey, "dcmconv", "+td"))
    put("dicom", "rle-grey.dcm", converted(grey, "dcmcrle"))
    put("dicom", "rle-colour.dcm", converted(colour, "dcmcrle"))
    put("dicom", "jpeg-baseline.dcm", converted(byte, "dcmcjpeg", "+eb"))
    put("dicom", "jpeg-colour.dcm", converted(colour, "dcmcjpeg", "+eb"))
    put("dicom", "jpeg-extended.dcm", converted(byte, "dcmcjpeg", "+ee"))
    put("dicom", "jpeg-lossless-grey.dcm", converted(grey, "dcmcjpeg", "+e1"))
    put("dicom", "jpeg-lossless-byte.dcm", converted(byte, "dcmcjpeg", "+el", "+sv", "7"))
    put("dicom", "jpegls-grey.dcm", converted(grey, "dcmcjpls"))
    put("dicom", "jpegls-colour.dcm", converted(colour, "dcmcjpls"))
    stream = saved(Image.fromarray(RAMP.astype(np.uint8)), format="JPEG2000", irreversible=False, no_jp2=True)
    put("jpeg-2000", "grey", bytes([7, 5, 0, 0]) + stream)  # width and height less one, flags
    put("dicom", "jpeg2000-byte.dcm", encapsulated(byte, "1.2.840.10008.1.2.4.90", stream))
    stream = saved(picture(), format="JPEG2000", irreversible=True, no_jp2=True)
    put("jpeg-2000", "colour", bytes([7, 5, 1, 0]) + stream)
    put("dicom", "jpeg2000-colour.dcm", encapsulated(colour, "1.2.840.10008.1.2.4.91", stream))
    return grey


def archives(grey):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("DICOM/1", grey)
        archive.writestr("../../readme.txt", "nothing")
    put("archive", "deflated.zip", buffer.getvalue())
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("a/b")
        entry.size = len(grey)
        archive.addfile(entry, io.BytesIO(grey))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    put("archive", "one.tar", buffer.getvalue())


def volumes():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.h5")
        with h5py.File(path, "w") as file:
            volume = file.create_dataset("volume", data=np.arange(60, dtype=np.int16).reshape(3, 4, 5), chunks=(1, 4, 5), compression="gzip")
            volume.attrs["patient_from_voxel"] = np.eye(4)
            volume.attrs["modality"] = "CT"
        with open(path, "rb") as file:
            put("hdf5", "volume.h5", file.read())
        with h5py.File(path, "w", libver="latest") as file:
            slices = file.create_dataset("slices", data=np.zeros((2, 3, 4), np.float32))
            for name, value in (("origin_mm", [0, 0, 0]), ("normal", [0, 0, 1]), ("u", [1, 0, 0]), ("v", [0, 1, 0]), ("spacing_mm", [1, 1, 2])):
                slices.attrs[name] = np.array(value, float)
        with open(path, "rb") as file:
            put("hdf5", "slices.h5", file.read())
        with h5py.File(path, "w") as file:  # a chunk that unpacks to 64 times its array
            bomb = file.create_dataset("volume", shape=(64, 64, 64), dtype=np.uint8, chunks=(64, 64, 64), compression="gzip")
            bomb.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(16 << 20), 9))
        with open(path, "rb") as file:
            put("hdf5", "bomb.h5", file.read())
        with h5py.File(path, "w") as file:
            file["volume"] = file["/"]
            file["slices"] = h5py.SoftLink("/slices")
        with open(path, "rb") as file:
            put("hdf5", "ring.h5", file.read())
        with h5py.File(path, "w") as file:
            file["volume"] = h5py.ExternalLink("volume.h5", "/volume")
        with open(path, "rb") as file:
            put("hdf5", "elsewhere.h5", file.read())
        image = nibabel.Nifti1Image(np.arange(60, dtype=np.int16).reshape(5, 4, 3), np.eye(4))
        data = np.asarray(image.dataobj)
        for kind, name in ((nibabel.MGHImage, "a.mgh"),):
            target = os.path.join(folder, name)
            nibabel.save(kind(data.astype(np.int16), np.eye(4)), target)
            with open(target, "rb") as file:
                put("mgh", name, file.read())
        target = os.path.join(folder, "a.hdr")
        nibabel.save(nibabel.AnalyzeImage(data, np.eye(4)), target)
        with open(target, "rb") as file:
            put("analyze", "a.hdr", file.read())
    buffer = io.BytesIO()
    np.save(buffer, np.arange(60, dtype=np.float32).reshape(3, 4, 5))
    put("npy", "a.npy", buffer.getvalue())


def minc():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.mnc")
        with netcdf_file(path, "w") as file:
            for name, n in (("zspace", 3), ("yspace", 4), ("xspace", 5)):
                file.createDimension(name, n)
                axis = file.createVariable(name, "i", ())
                axis.start, axis.step, axis.spacetype = 1.5, 2.0, b"native____"
            image = file.createVariable("image", "h", ("zspace", "yspace", "xspace"))
            image.signtype, image.valid_range = b"signed__", np.array([0.0, 100.0])
            image[:] = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
            for name, value in (("image-min", 0.0), ("image-max", 10.0)):
                file.createVariable(name, "d", ("zspace",))[:] = value
        with open(path, "rb") as file:
            put("minc1", "a.mnc", file.read())
        with h5py.File(path, "w") as file:
            for name, n in (("zspace", 3), ("yspace", 4), ("xspace", 5)):
                axis = file.create_dataset("minc-2.0/dimensions/" + name, data=np.int32(0))
                for key, value in (("start", 1.5), ("step", 2.0)):
                    axis.attrs[key] = value
                axis.attrs["length"] = np.int32(n)
            image = file.create_dataset("minc-2.0/image/0/image", data=np.arange(60, dtype=np.int16).reshape(3, 4, 5))
            image.attrs["dimorder"] = np.bytes_(b"zspace,yspace,xspace")
            image.attrs["valid_range"] = np.array([0.0, 100.0])
            file.create_dataset("minc-2.0/image/0/image-min", data=np.zeros(3))
            file.create_dataset("minc-2.0/image/0/image-max", data=np.ones(3))
        with open(path, "rb") as file:
            put("minc2", "a.mnc", file.read())


def texts():
    put("interfile", "a.hv", b"!INTERFILE :=\n!imaging modality := nucmed\n!GENERAL DATA :=\n!data offset in bytes := 0\n!name of data file := a.v\n!number format := signed integer\n!number of bytes per pixel := 2\nimagedata byte order := LITTLEENDIAN\nnumber of dimensions := 3\n!matrix size [1] := 4\n!matrix size [2] := 3\n!matrix size [3] := 2\nscaling factor (mm/pixel) [1] := 2\nscaling factor (mm/pixel) [2] := 2\nscaling factor (mm/pixel) [3] := 3\n!END OF INTERFILE :=\n")
    put("afni", "a.HEAD", b"type = string-attribute\nname = TYPESTRING\ncount = 15\n'3DIM_HEAD_ANAT~\n\ntype = integer-attribute\nname = DATASET_DIMENSIONS\ncount = 5\n 4 3 2 0 0\n\ntype = float-attribute\nname = DELTA\ncount = 3\n 1 2 3\n\ntype = float-attribute\nname = ORIGIN\ncount = 3\n 0 0 0\n\ntype = integer-attribute\nname = ORIENT_SPECIFIC\ncount = 3\n 0 3 4\n\ntype = integer-attribute\nname = BRICK_TYPES\ncount = 1\n 1\n")
    put("landmarks", "a.fcsv", b"# Markups fiducial file version = 4.11\n# CoordinateSystem = LPS\n# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n1,1.5,-2,3e1,0,0,0,1,1,1,0,Nose,,\n")
    put("landmarks", "a.csv", b"name,x,y,z\nA,1,2,3\nB,-4,5.5,6e-1\n")
    put("landmarks", "a.mrk.json", b'{"@schema":"https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.0.json#","markups":[{"type":"Fiducial","coordinateSystem":"LPS","controlPoints":[{"id":"1","label":"N","position":[1,2,3]}]}]}')
    put("mesh", "a.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nvn 0 0 1\nf 1//1 2//1 3//1\n")
    put("mesh", "a.ply", b"ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n")
    put("mesh", "b.ply", b"ply\nformat binary_little_endian 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n" + np.array([0, 0, 0, 1, 0, 0, 0, 1, 0], "<f4").tobytes() + b"\3" + np.array([0, 1, 2], "<i4").tobytes())
    put("mesh", "a.stl", b"solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid a\n")
    put("mesh", "b.stl", b"\0" * 80 + b"\1\0\0\0" + np.array([0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0], "<f4").tobytes() + b"\0\0")
    put("raw", "a.raw.json", b'{"bregma": {"schema": 1, "dims": [3, 4, 2], "n_frames": 1, "datatype": "int16", "byte_order": "little", "header_bytes": 0, "patient_from_voxel": [1,0,0,1, 0,1,0,2, 0,0,1,3, 0,0,0,1], "slope": 1, "intercept": 0, "kind": "volume"}}\n')
    for name, kind, datatype, order in (("b", "labels", "int16", "big"), ("c", "volume", "float32", "little")):
        own = {"schema": 1, "dims": [3, 4, 2], "n_frames": 2, "datatype": datatype, "byte_order": order,
               "header_bytes": 4, "slope": 0.5, "intercept": -1, "kind": kind}
        put("raw", name, json.dumps({"bregma": own}).encode() + b"\0" + bytes(4) + bytes(range(192)))


def read_cases(name):
    with open(os.path.join(REFERENCE, name), encoding="utf-8") as file:
        return {case["name"]: case for case in json.load(file)}


def cases():
    found = read_cases("format-cases.json")
    for harness, names in FORMAT_CASES.items():
        for name in names:
            first, data = next(iter(found[name]["files"].items()))
            file = name.replace("<", "le").replace(">", "be") + "." + first.split(".", 1)[1]
            put(harness, file, base64.b64decode(data))
    found = read_cases("picture-cases.json")
    for harness, names in PICTURE_CASES.items():
        for name in names:
            put(harness, name, base64.b64decode(found[name]["file"]))


pictures()
archives(dicom())
volumes()
minc()
texts()
cases()
