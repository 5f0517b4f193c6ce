#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for the DICOM harnesses, made up: small files in each transfer syntax, and bare frames of each
codec behind the four bytes that fuzz-codec.c reads. usage: make-dicom-corpus.py CORPUS-FOLDER"""
import os
import struct
import subprocess
import sys
import tempfile

import cv2
import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

OUT = sys.argv[1]


def base(bits=16, samples=1, frames=1, side=8):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    d = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    d.is_little_endian, d.is_implicit_VR = True, False
    d.SOPClassUID, d.SOPInstanceUID, d.Modality = meta.MediaStorageSOPClassUID, "1.2.3", "CT"
    d.SpecificCharacterSet = "ISO_IR 100"
    d.PatientName, d.PatientID = "A^B", "1"
    d.SeriesInstanceUID, d.StudyInstanceUID = "1.2.4", "1.2.5"
    d.ImagePositionPatient, d.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    d.PixelSpacing, d.SliceThickness = [1, 1], 2
    d.Rows = d.Columns = side
    d.SamplesPerPixel = samples
    d.PhotometricInterpretation = "RGB" if samples == 3 else "MONOCHROME2"
    if samples == 3:
        d.PlanarConfiguration = 0
    d.BitsAllocated = d.BitsStored = bits
    d.HighBit, d.PixelRepresentation = bits - 1, 0
    if frames > 1:
        d.NumberOfFrames = frames
    rng = np.random.default_rng(1)
    values = (np.arange(side * side * samples * frames) * 3 + rng.integers(0, 9, side * side * samples * frames))
    d.PixelData = values.astype("<u2" if bits == 16 else "u1").tobytes()
    return d


def put(folder, name, data):
    os.makedirs(os.path.join(OUT, folder), exist_ok=True)
    with open(os.path.join(OUT, folder, name), "wb") as f:
        f.write(data)


def save(d, name, folders=("dicom", "dicom-parser")):
    with tempfile.NamedTemporaryFile(suffix=".dcm") as f:
        d.save_as(f.name, write_like_original=False)
        data = open(f.name, "rb").read()
    for folder in folders:
        put(folder, name, data)
    return data


def first_fragment(path):
    frames = pydicom.encaps.decode_data_sequence(pydicom.dcmread(path).PixelData)
    return b"".join(frames)


plain = base()
save(plain, "explicit")
implicit = base()
implicit.is_implicit_VR = True
implicit.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
save(implicit, "implicit")
deflated = base()
deflated.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
save(deflated, "deflated")
big = base()
big.is_little_endian = False
big.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
save(big, "big-endian")
enhanced = base(frames=2)
item = pydicom.Dataset()
item.PlaneOrientationSequence = Sequence([pydicom.Dataset()])
item.PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
enhanced.SharedFunctionalGroupsSequence = Sequence([item])
enhanced.PerFrameFunctionalGroupsSequence = Sequence([])
for z in range(2):
    frame = pydicom.Dataset()
    frame.PlanePositionSequence = Sequence([pydicom.Dataset()])
    frame.PlanePositionSequence[0].ImagePositionPatient = [0, 0, z]
    enhanced.PerFrameFunctionalGroupsSequence.append(frame)
save(enhanced, "enhanced")
palette = base(bits=8)
palette.PhotometricInterpretation = "PALETTE COLOR"
for name in ("Red", "Green", "Blue"):
    setattr(palette, name + "PaletteColorLookupTableDescriptor", [256, 0, 8])
    setattr(palette, name + "PaletteColorLookupTableData", bytes(range(256)))
save(palette, "palette")
rt = base()
del rt.PixelData
rt.SOPClassUID = rt.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
roi = pydicom.Dataset()
roi.ReferencedROINumber = 1
contour = pydicom.Dataset()
contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", 3
contour.ContourData = [0, 0, 0, 2, 0, 0, 0, 2, 0]
roi.ContourSequence = Sequence([contour])
rt.ROIContourSequence = Sequence([roi])
save(rt, "rtstruct")

with tempfile.TemporaryDirectory() as folder:
    for name, bits, samples, head in (("grey8", 8, 1, 0), ("grey16", 16, 1, 2), ("rgb8", 8, 3, 1)):
        source = os.path.join(folder, "in.dcm")
        base(bits, samples).save_as(source, write_like_original=False)
        jobs = [("rle", ["dcmcrle"]), ("jpeg-lossless", ["dcmcjpeg", "+e1"]), ("jpeg-ls", ["dcmcjpls", "+el"])]
        jobs += [("jpeg", ["dcmcjpeg", "+eb"])] if bits == 8 else [("jpeg", ["dcmcjpeg", "+ee", "+b1"])]
        for codec, command in jobs:
            out = os.path.join(folder, codec + ".dcm")
            if subprocess.run(command + [source, out], capture_output=True, check=False).returncode:
                continue
            put("dicom", f"{codec}-{name}", open(out, "rb").read())
            put(codec, name, struct.pack("4B", 7, 7, head, 0) + first_fragment(out))
        d = base(bits, samples)
        pixels = np.frombuffer(d.PixelData, "<u2" if bits == 16 else "u1").reshape((8, 8, samples) if samples > 1 else (8, 8))
        coded = cv2.imencode(".jp2", pixels)[1].tobytes()
        put("jpeg-2000", name, struct.pack("4B", 7, 7, head, 0) + coded)
        d.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.90"
        d.PixelData = pydicom.encaps.encapsulate([coded])
        d["PixelData"].is_undefined_length = True
        d["PixelData"].VR = "OB"
        save(d, f"jpeg-2000-{name}", ("dicom",))
