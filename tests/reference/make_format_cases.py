#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes format-cases.json: small files of MGH and Analyze as nibabel 5.0 writes them, .npy by numpy 1.24,
netCDF by scipy 1.10 (MINC 1), and Interfile, PAR/REC and AFNI by hand; and what nibabel (or the header's
text) says is in them. usage: make_format_cases.py OUT.json"""
import base64
import gzip
import io
import itertools
import json
import os
import sys
import tempfile

import nibabel as nib
import numpy as np
from scipy.io import netcdf_file

rng = np.random.default_rng(5)
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])
cases = []
OBLIQUE = np.array([[-1.5, 0.2, 0.1, 12.5], [0.3, 1.9, -0.4, -30.25], [0.1, 0.35, 2.75, 8.0], [0, 0, 0, 1]])


def add(name, files, array, affine_lps, datatype, **more):
    """array: [x,y,z] or [x,y,z,t]; the values that are to be read, in double."""
    a = np.asarray(array, dtype=np.float64)
    frames = [a] if a.ndim == 3 else [a[..., t] for t in range(a.shape[3])]
    cases.append(dict(name=name, files={k: base64.b64encode(v).decode() for k, v in files.items()},
                      dims=list(a.shape[:3]), frames=[f.flatten(order="F").tolist() for f in frames], datatype=datatype,
                      affine=[round(float(v), 9) for v in np.asarray(affine_lps)[:3].flatten()], **more))


def regular(shape, spacing):
    m = np.diag([*spacing, 1.0])
    m[:3, 3] = [-0.5 * (n - 1) * s for n, s in zip(shape, spacing)]
    return m


shape = (3, 4, 2)
ramp = np.arange(24).reshape(shape, order="F")

# MGH: all types, frames, packed, and the 48 orientations
for kind, name in (("u1", "uint8"), ("i2", "int16"), ("i4", "int32"), ("f4", "float32")):
    data = (ramp * 3).astype(kind)
    image = nib.MGHImage(data, OBLIQUE)
    add(f"mgh-{name}", {f"{name}.mgh": image.to_bytes()}, data, FLIP @ image.affine, name)
four = np.stack([ramp, ramp + 100], -1).astype("i2")
image = nib.MGHImage(four, OBLIQUE)
add("mgz-frames", {"frames.mgz": gzip.compress(image.to_bytes(), mtime=0)}, four, FLIP @ image.affine, "int16")
for order in itertools.permutations(range(3)):
    for signs in itertools.product((1, -1), repeat=3):
        m = np.zeros((4, 4))
        for voxel, axis in enumerate(order):
            m[axis, voxel] = signs[voxel] * (1.0 + 0.5 * voxel)
        m[:, 3] = [5, -7, 11, 1]
        image = nib.MGHImage(ramp.astype("u1"), m)
        add("mgh-" + "".join(nib.aff2axcodes(m)), {"o.mgh": image.to_bytes()}, ramp, FLIP @ image.affine, "uint8",
            code="".join(nib.aff2axcodes(m)))

# Analyze, as SPM keeps it; both byte orders
for cls, endian in itertools.product((nib.Spm2AnalyzeImage, nib.AnalyzeImage), "<>"):
    header = cls.header_class(endianness=endian)
    header.set_data_dtype(np.int16)
    image = cls(ramp.astype("i2"), None, header)
    image.header.set_zooms((1.5, 2.0, 2.5))
    hdr, img = io.BytesIO(), io.BytesIO()
    image.file_map["header"].fileobj, image.file_map["image"].fileobj = hdr, img
    image.to_file_map()
    first = "a.hdr"
    add(f"{cls.__name__}-{endian}", {first: hdr.getvalue(), "a.img": img.getvalue()}, ramp,
        FLIP @ image.header.get_best_affine(), "int16", warns="Side unknown")

# .npy: C and Fortran order, other byte order, 2 to 4 dimensions, complex
for kind, name in (("u1", "uint8"), ("<i2", "int16"), (">i2", "int16"), ("<u4", "uint32"), (">f4", "float32"), ("<f8", "float64"), ("?", "uint8")):
    for order in "CF":
        data = np.array(ramp % 2 if kind == "?" else ramp, dtype=kind, order=order)
        out = io.BytesIO()
        np.save(out, data)
        values = data.astype(float) if order == "F" else np.transpose(data, (2, 1, 0)).astype(float)
        add(f"npy-{kind}-{order}", {"a.npy": out.getvalue()}, values, regular(values.shape, (1, 1, 1)), name, warns="Side unknown")
out = io.BytesIO()
np.save(out, np.arange(120, dtype="i2").reshape(5, 2, 4, 3))
add("npy-frames", {"a.npy": out.getvalue()}, np.arange(120).reshape(5, 2, 4, 3).transpose(3, 2, 1, 0), regular((3, 4, 2), (1, 1, 1)), "int16", warns="Side unknown")
out = io.BytesIO()
z = (rng.normal(size=(2, 4, 3)) + 1j * rng.normal(size=(2, 4, 3))).astype("c8")
np.save(out, z)
add("npy-complex", {"a.npy": out.getvalue()}, np.abs(z).transpose(2, 1, 0), regular((3, 4, 2), (1, 1, 1)), "complex64", warns="Side unknown")


def minc1(dims, data, low, high, kind, valid=None, sign=None, cosines=None, scaled=1):
    """A MINC 1 file: dims = [(name, start, step)], slowest first; low and high of the first @scaled dimensions."""
    path = tempfile.mktemp(".mnc")
    with netcdf_file(path, "w", version=1) as f:
        for (name, start, step), n in zip(dims, data.shape):
            f.createDimension(name, n)
            v = f.createVariable(name, "i4", ())
            v.step, v.start = float(step), float(start)
            v.spacing = "regular__"
            if cosines and name in cosines:
                v.direction_cosines = np.array(cosines[name], dtype="f8")
        names = [d[0] for d in dims]
        image = f.createVariable("image", kind, names)
        image[:] = data
        if sign:
            image.signtype = sign
        if valid:
            image.valid_range = np.array(valid, dtype="f8")
        for name, values in (("image-max", high), ("image-min", low)):
            v = f.createVariable(name, "f8", names[:scaled])
            if scaled:
                v[:] = values
            else:
                v.assignValue(values)
    with open(path, "rb") as f:
        raw = f.read()
    loaded = nib.load(path)
    values, affine = np.asarray(loaded.dataobj), loaded.affine
    os.unlink(path)
    return raw, values, affine


def add_minc(name, raw, values, affine, datatype, packed=False):
    """nibabel has the slowest axis first, we the fastest."""
    order = list(range(values.ndim))[::-1]
    m = affine[:, [2, 1, 0, 3]]
    add(name, {"a.mnc.gz" if packed else "a.mnc": gzip.compress(raw, mtime=0) if packed else raw}, values.transpose(order), FLIP @ m, datatype)


space = [("zspace", -10, 2), ("yspace", -20, 1.5), ("xspace", 30, -1)]
tilted = {"xspace": (0.995004165, 0.099833417, 0), "yspace": (-0.099833417, 0.995004165, 0), "zspace": (0, 0, 1)}
block = rng.integers(0, 250, (2, 4, 3))
for kind, sign, name in (("b", "unsigned", "uint8"), ("h", "signed__", "int16"), ("i", "signed__", "int32")):
    data = block.astype({"b": "i1", "h": "i2", "i": "i4"}[kind]) if kind != "b" else block.astype("u1").view("i1")
    raw, values, affine = minc1(space, data, [0, 5], [100, 80], kind, (0, 255), sign, tilted)
    add_minc(f"minc1-{name}", raw, values, affine, name)
    add_minc(f"minc1-{name}-gz", raw, values, affine, name, packed=True)
raw, values, affine = minc1(space, block.astype("i2"), -3.0, 9.0, "h", (10, 200), "signed__", scaled=0)
add_minc("minc1-clipped", raw, values, affine, "int16")
raw, values, affine = minc1([("xspace", 1, 2), ("zspace", 3, 4), ("yspace", 5, -6)], block.astype("f4"), [0, 0], [1, 1], "f")
add_minc("minc1-order", raw, values, affine, "float32")
raw, values, affine = minc1([("time", 0, 1)] + space, np.stack([block, block + 3]).astype("i2"), [[0, 1], [2, 3]], [[10, 20], [30, 40]], "h", (0, 300), "signed__", scaled=2)
add_minc("minc1-time", raw, values, affine, "int16")

# Interfile
HEAD = """!INTERFILE :=
!imaging modality := PT
!name of data file := a.v
patient ID := 17
imagedata byte order := {order}
!PET STUDY (General) :=
number format := {format}
!number of bytes per pixel := {bytes}
number of dimensions := 3
matrix axis label [1] := x
!matrix size [1] := 3
scaling factor (mm/pixel) [1] := 1.5
!matrix size [2] := 4
scaling factor (mm/pixel) [2] := 2
!matrix size [3] := 2
scaling factor (mm/pixel) [3] := 2.5
{more}!END OF INTERFILE :=
"""
for order, format, kind, name in (("LITTLEENDIAN", "float", "<f4", "float32"), ("BIGENDIAN", "signed integer", ">i2", "int16"), ("LITTLEENDIAN", "unsigned integer", "u1", "uint8")):
    head = HEAD.format(order=order, format=format, bytes=np.dtype(kind).itemsize, more="data offset in bytes[1] := 5\nquantification units := 2\n")
    add(f"interfile-{name}", {"a.hv": head.encode(), "a.v": b"12345" + ramp.astype(kind).tobytes(order="F")}, ramp * 2, regular(shape, (1.5, 2, 2.5)), name, warns="Side unknown")

# AFNI: two sub-bricks, each with its factor
afni = """
type = integer-attribute
name = DATASET_DIMENSIONS
count = 5
 3 4 2 0 0

type = integer-attribute
name = DATASET_RANK
count = 8
 3 2 0 0 0
 0 0 0

type = float-attribute
name = IJK_TO_DICOM_REAL
count = 12
 1.5 0 0 -20 0
 -2 0 30 0 0
 2.5 7

type = integer-attribute
name = BRICK_TYPES
count = 2
 1 1

type = float-attribute
name = BRICK_FLOAT_FACS
count = 2
 0 0.5

type = string-attribute
name = BYTEORDER_STRING
count = 10
'MSB_FIRST~
"""
add("afni", {"a+orig.HEAD": afni.encode(), "a+orig.BRIK": four.astype(">i2").tobytes(order="F")}, np.stack([ramp, (ramp + 100) * 0.5], -1),
    np.array([[1.5, 0, 0, -20], [0, -2, 0, 30], [0, 0, 2.5, 7], [0, 0, 0, 1]]), "int16")

# PAR/REC of version 4.2: nibabel reads the files, too. Slices of two dynamics interlaced, with scales of their own.
PAR_HEAD = """# === DATA DESCRIPTION FILE ======================================================
#
# CLINICAL TRYOUT             Research image export tool     V4.2
#
# === GENERAL INFORMATION ========================================================
#
.    Patient name                       :   x
.    Examination name                   :   x
.    Protocol name                      :   x
.    Examination date/time              :   2014.02.14 / 09:00:57
.    Series Type                        :   Image   MRSERIES
.    Acquisition nr                     :   2
.    Reconstruction nr                  :   1
.    Scan Duration [sec]                :   14
.    Max. number of cardiac phases      :   1
.    Max. number of echoes              :   1
.    Max. number of slices/locations    :   2
.    Max. number of dynamics            :   2
.    Max. number of mixes               :   1
.    Patient position                   :   Head First Supine
.    Preparation direction              :   Anterior-Posterior
.    Technique                          :   FEEPI
.    Scan resolution  (x, y)            :   3  4
.    Scan mode                          :   MS
.    Repetition time [ms]               :   2000.000
.    FOV (ap,fh,rl) [mm]                :   6.000  5.000  6.000
.    Water Fat shift [pixels]           :   11.050
.    Angulation midslice(ap,fh,rl)[degr]:   {angles}
.    Off Centre midslice(ap,fh,rl) [mm] :   2.508  30.339  -16.032
.    Flow compensation <0=no 1=yes> ?   :   0
.    Presaturation     <0=no 1=yes> ?   :   0
.    Phase encoding velocity [cm/sec]   :   0.000000  0.000000  0.000000
.    MTC               <0=no 1=yes> ?   :   0
.    SPIR              <0=no 1=yes> ?   :   1
.    EPI factor        <0,1=no EPI>     :   39
.    Dynamic scan      <0=no 1=yes> ?   :   1
.    Diffusion         <0=no 1=yes> ?   :   0
.    Diffusion echo time [ms]           :   0.0000
.    Max. number of diffusion values    :   1
.    Max. number of gradient orients    :   1
.    Number of label types   <0=no ASL> :   0
#
# === IMAGE INFORMATION DEFINITION =============================================
"""
PAR_COLUMNS = [("slice number", "integer"), ("echo number", "integer"), ("dynamic scan number", "integer"), ("cardiac phase number", "integer"),
               ("image_type_mr", "integer"), ("scanning sequence", "integer"), ("index in REC file (in images)", "integer"),
               ("image pixel size (in bits)", "integer"), ("scan percentage", "integer"), ("recon resolution (x y)", "2*integer"),
               ("rescale intercept", "float"), ("rescale slope", "float"), ("scale slope", "float"), ("window center", "integer"),
               ("window width", "integer"), ("image angulation (ap,fh,rl in degrees )", "3*float"), ("image offcentre (ap,fh,rl in mm )", "3*float"),
               ("slice thickness (in mm )", "float"), ("slice gap (in mm )", "float"), ("image_display_orientation", "integer"),
               ("slice orientation ( TRA/SAG/COR )", "integer"), ("fmri_status_indication", "integer"), ("image_type_ed_es  (end diast/end syst)", "integer"),
               ("pixel spacing (x,y) (in mm)", "2*float"), ("echo_time", "float"), ("dyn_scan_begin_time", "float"), ("trigger_time", "float"),
               ("diffusion_b_factor", "float"), ("number of averages", "integer"), ("image_flip_angle (in degrees)", "float"),
               ("cardiac frequency   (bpm)", "integer"), ("minimum RR-interval (in ms)", "integer"), ("maximum RR-interval (in ms)", "integer"),
               ("TURBO factor  <0=no turbo>", "integer"), ("Inversion delay (in ms)", "float"), ("diffusion b value number    (imagekey!)", "integer"),
               ("gradient orientation number (imagekey!)", "integer"), ("contrast type", "string"), ("diffusion anisotropy type", "string"),
               ("diffusion (ap, fh, rl)", "3*float"), ("label type (ASL)            (imagekey!)", "integer")]
for orientation, angles in ((1, "-13.265  5.000  2.500"), (2, "3.0  -7.5  11.0"), (3, "0.5  20.0  -4.0")):
    text = PAR_HEAD.format(angles=angles)
    text += "".join(f"#  {name:40} ({kind})\n" for name, kind in PAR_COLUMNS) + "#\n# === IMAGE INFORMATION ====\n\n"
    for k, t, index in ((1, 1, 0), (1, 2, 1), (2, 1, 2), (2, 2, 3)):
        text += (f"  {k}   1    {t}  1 0 2     {index}  16    62    3    4     {k}.5   {t}.25 4.28404e-003  1070  1860 0 0 0 0 0 0"
                 f"  2.000  0.500 0 {orientation} 0 2  1.500  2.000  30.00 0.00 0.00 0.00 0 90.00 0 0 0 39 0.0 1 1 8 0 0.000 0.000 0.000 1\n")
    text += "\n# === END OF DATA DESCRIPTION FILE ===\n"
    rec = rng.integers(0, 4000, (4, 4, 3)).astype("<u2").tobytes()
    folder = tempfile.mkdtemp()
    for name, content in (("a.PAR", text.encode()), ("a.REC", rec)):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(content)
    image = nib.parrec.load(os.path.join(folder, "a.PAR"), strict_sort=True)
    add(f"par-{orientation}", {"a.PAR": text.encode(), "a.REC": rec}, np.asarray(image.dataobj), FLIP @ image.affine, "uint16")

with open(sys.argv[1], "w") as out:
    json.dump(cases, out, separators=(",", ":"))
    out.write("\n")
