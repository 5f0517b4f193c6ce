#!/usr/bin/python3
# Makes io-cases.json: small files as nibabel writes them (NIfTI), or as the format's text says (NRRD,
# MetaImage; data by numpy), and what is in them. Made with nibabel 5.0.0 and numpy 1.24.2 (Debian 12).
import base64
import gzip
import io
import json
import zlib

import nibabel as nib
import numpy as np

rng = np.random.default_rng(2)
cases = []
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])
OBLIQUE = np.array([[-1.5, 0.2, 0.1, 12.5], [0.3, 1.9, -0.4, -30.25], [0.1, 0.35, 2.75, 8.0], [0, 0, 0, 1]])


def add(name, files, array, affine_lps, datatype, **more):
    """array: [x,y,z] or [x,y,z,t]; the values that are to be read, in double."""
    a = np.asarray(array)
    frames = [a] if a.ndim == 3 else [a[..., t] for t in range(a.shape[3])]
    flat = [np.asarray(f, dtype=np.float64).flatten(order="F").tolist() for f in frames]
    cases.append(dict(name=name, files={k: base64.b64encode(v).decode() for k, v in files.items()},
                      dims=list(a.shape[:3]), frames=flat, datatype=datatype,
                      affine=[round(float(v), 9) for v in np.asarray(affine_lps)[:3].flatten()], **more))


def nifti(name, data, values, datatype, cls=nib.Nifti1Image, endian="<", suffix=".nii", edit=None, affine=OBLIQUE, **more):
    header = cls.header_class(endianness=endian)
    header.set_data_dtype(data.dtype)
    image = cls(data, affine, header)
    header = image.header
    if edit:
        edit(header)
    out = io.BytesIO()
    image.to_stream(out) if not edit else write_raw(image, header, data, out, endian)
    raw = out.getvalue()
    packed = gzip.compress(raw, mtime=0) if suffix.endswith(".gz") else raw
    add(name, {name + suffix: packed}, values, FLIP @ affine, datatype, **more)


def write_raw(image, header, data, out, endian):
    """The stored numbers as they are, with whatever scale the header says."""
    header["vox_offset"] = 352 if len(header.binaryblock) == 348 else 544
    out.write(header.binaryblock)
    out.write(b"\0" * 4)
    out.write(data.astype(data.dtype.newbyteorder(endian)).tobytes(order="F"))


shape = (3, 2, 2)
n = 12
whole = {
    "uint8": [0, 255], "int8": [-128, 127], "int16": [-32768, 32767], "uint16": [0, 65535],
    "int32": [-2147483648, 2147483520], "uint32": [0, 4294967040], "int64": [-2**53, 2**62], "uint64": [0, 2**63],
}
for cls, version in ((nib.Nifti1Image, 1), (nib.Nifti2Image, 2)):
    for endian, order in (("<", "le"), (">", "be")):
        for kind, ends in whole.items():
            data = np.array(ends + list(range(1, n - 1)), dtype=kind).reshape(shape, order="F")
            nifti(f"n{version}-{order}-{kind}", data, data.astype(np.float64), kind, cls, endian)
        for kind in ("float32", "float64"):
            data = (rng.normal(size=shape) * 1000).astype(kind)
            data[0, 0, 0] = 3.0e38 if kind == "float32" else 1e-30
            nifti(f"n{version}-{order}-{kind}", data, data.astype(np.float64), kind, cls, endian)
        for kind in ("complex64", "complex128"):
            data = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(kind)
            nifti(f"n{version}-{order}-{kind}", data, np.abs(data), kind, cls, endian)
            nifti(f"n{version}-{order}-{kind}-im", data, np.imag(data), kind, cls, endian, component=1)
rgb = rng.integers(0, 256, size=shape + (3,)).astype(np.uint8)
rgba = rng.integers(0, 256, size=shape + (4,)).astype(np.uint8)
for channels, kind in ((rgb, "rgb24"), (rgba, "rgba32")):
    t = np.dtype([(c, "u1") for c in "RGBA"[: channels.shape[3]]])
    data = np.ascontiguousarray(channels).view(t).reshape(shape)
    grey = channels[..., 0] * 0.2126 + channels[..., 1] * 0.7152 + channels[..., 2] * 0.0722
    nifti("n1-" + kind, data, grey, kind)
    nifti("n1-" + kind + "-green", data, channels[..., 1], kind, component=1, suffix=".nii.gz")
small = np.arange(n, dtype=np.int16).reshape(shape, order="F")


def scale(slope, inter):
    def edit(header):
        header["scl_slope"], header["scl_inter"] = slope, inter
    return edit


nifti("scale", small, small * 0.5 - 10.0, "int16", edit=scale(0.5, -10))
nifti("scale-zero", small, small * 1.0, "int16", edit=scale(0, 7))
nifti("scale-nan", small, small * 1.0, "int16", edit=scale(np.nan, 7))
nifti("scale-inf", small, small * 1.0, "int16", edit=scale(np.inf, 7))
nifti("scale-nan-inter", small, small * 2.0, "int16", edit=scale(2, np.nan))
many = np.arange(48, dtype=np.int16).reshape((3, 2, 2, 4), order="F")
nifti("frames", many, many, "int16", suffix=".nii.gz")
nifti("five", many.reshape((3, 2, 2, 2, 2), order="F"), many, "int16")

# Two members in one gzip stream, and zeros behind it.
single = io.BytesIO()
nib.Nifti1Image(small, OBLIQUE).to_stream(single)
raw = single.getvalue()
add("members", {"members.nii.gz": gzip.compress(raw[:100]) + gzip.compress(raw[100:365]) + gzip.compress(raw[365:])},
    small, FLIP @ OBLIQUE, "int16")
add("padded", {"padded.nii.gz": gzip.compress(raw) + b"\0" * 100}, small, FLIP @ OBLIQUE, "int16")
pair = nib.Nifti1Pair(small, OBLIQUE)
hdr, img = io.BytesIO(), io.BytesIO()
pair.file_map["header"].fileobj, pair.file_map["image"].fileobj = hdr, img
pair.to_file_map()
add("pair", {"pair.hdr": hdr.getvalue(), "pair.img": img.getvalue()}, small, FLIP @ OBLIQUE, "int16")
add("pair-packed", {"pp.hdr.gz": gzip.compress(hdr.getvalue()), "pp.img.gz": gzip.compress(img.getvalue())}, small,
    FLIP @ OBLIQUE, "int16")
micron = nib.Nifti1Image(small, np.diag([100.0, 200, 300, 1]))
micron.header.set_xyzt_units("micron")
out = io.BytesIO()
micron.to_stream(out)
add("micron", {"micron.nii": out.getvalue()}, small, FLIP @ np.diag([0.1, 0.2, 0.3, 1]), "int16", warns="mm")
both = nib.Nifti1Image(small, OBLIQUE)
both.set_sform(OBLIQUE, 2)
both.set_qform(np.diag([-2.0, 2, 2, 1]), 1)
out = io.BytesIO()
both.to_stream(out)
add("forms", {"forms.nii": out.getvalue()}, small, FLIP @ OBLIQUE, "int16", warns="differ",
    alternative=(FLIP @ np.diag([-2.0, 2, 2, 1]))[:3].flatten().tolist())
both.set_sform(None, 0)
out = io.BytesIO()
both.to_stream(out)
add("qform", {"qform.nii": out.getvalue()}, small, FLIP @ np.diag([-2.0, 2, 2, 1]), "int16")


def nrrd(name, fields, data, values, affine, datatype, packed=None, files=None, **more):
    body = data if isinstance(data, bytes) else np.asarray(data).tobytes(order="F")
    text = ("NRRD0005\n" + fields).encode()
    if files is None:
        add(name, {name + ".nrrd": text + b"\n" + (packed(body) if packed else body)}, values, affine, datatype, **more)
    else:
        add(name, {name + ".nhdr": text, **files}, values, affine, datatype, **more)


three = "dimension: 3\nsizes: 3 2 2\n"
little = "endian: little\nencoding: raw\n"
lps = "space: left-posterior-superior\nspace directions: (-1.5,0.25,0) (0,2,0.5) (0.125,0,3)\nspace origin: (7,-8,9)\n"
A = np.array([[-1.5, 0, 0.125, 7], [0.25, 2, 0, -8], [0, 0.5, 3, 9], [0, 0, 0, 1]])
nrrd("lps", "type: short\n" + three + little + lps, small, small, A, "int16")
nrrd("ras", "type: int16\n" + three + little + lps.replace("left-posterior-superior", "RAS"), small, small,
     np.diag([-1, -1, 1, 1]) @ A, "int16")
nrrd("las", "type: int16\n" + three + little + lps.replace("left-posterior-superior", "left-anterior-superior"), small, small,
     np.diag([1, -1, 1, 1]) @ A, "int16")
nrrd("lps-time", "type: short\ndimension: 4\nsizes: 3 2 2 4\nspace: left-posterior-superior-time\n" + little +
     "space directions: (-1.5,0.25,0,0) (0,2,0.5,0) (0.125,0,3,0) (0,0,0,1)\nspace origin: (7,-8,9,0)\n", many, many, A, "int16")
nrrd("handed", "type: short\n" + three + little + lps.replace("left-posterior-superior", "3D-right-handed"), small, small, A,
     "int16", warns="Side unknown")
nrrd("centimetre", "type: short\n" + three + little + lps + 'space units: "cm" "cm" "cm"\n', small, small,
     np.diag([10, 10, 10, 1]) @ A, "int16")
nrrd("spacings", "type: short\n" + three + little + "spacings: 2 3 4\naxis mins: 5 6 7\n", small, small,
     np.array([[2, 0, 0, 5], [0, 3, 0, 6], [0, 0, 4, 7], [0, 0, 0, 1]]), "int16", warns="Side unknown")
nrrd("big", "type: unsigned short\n" + three + lps + "endian: big\nencoding: raw\n", small.astype(">u2"), small, A, "uint16")
nrrd("double", "type: double\n" + three + lps + "endian: big\nencoding: gzip\n", small.astype(">f8"), small, A, "float64",
     packed=gzip.compress)
nrrd("skip", "type: short\n" + three + lps + "endian: little\nencoding: gz\nbyte skip: 5\n", b"12345" + small.tobytes(order="F"),
     small, A, "int16", packed=gzip.compress)
nrrd("lines", "type: short\n" + three + lps + little + "line skip: 2\nbyte skip: 3\n",
     b"one\ntwo\nabc" + small.tobytes(order="F"), small, A, "int16")
nrrd("hex", "type: short\n" + three + lps + "endian: little\nencoding: hex\n", small.tobytes(order="F").hex(" ").encode(), small, A,
     "int16")
nrrd("ascii", "type: float\n" + three + lps + "encoding: text\n",
     " ".join(str(v / 8 - 1) for v in range(n)).encode(), small / 8 - 1, A, "float32")
vector = rng.normal(size=(3,) + shape).astype("<f4")
length = np.sqrt((vector.astype(np.float64) ** 2).sum(axis=0))
four = "dimension: 4\nsizes: 3 3 2 2\n"
first = lps.replace("directions: ", "directions: none ")
nrrd("vector-first", "type: float\n" + four + "kinds: vector domain domain domain\n" + little + first, vector, length, A, "float32")
nrrd("vector-first-2", "type: float\n" + four + "kinds: vector domain domain domain\n" + little + first, vector, vector[2], A,
     "float32", component=2)
last = np.moveaxis(vector, 0, 3)
behind = lps.replace("(0.125,0,3)", "(0.125,0,3) none")
nrrd("vector-last", "type: float\ndimension: 4\nsizes: 3 2 2 3\nkinds: domain domain domain 3-vector\n" + little + behind, last,
     length, A, "float32")
nrrd("vector-last-1", "type: float\ndimension: 4\nsizes: 3 2 2 3\nkinds: domain domain domain 3-vector\n" + little + behind, last,
     last[..., 1], A, "float32", component=1)
nrrd("colour", "type: uchar\n" + four + "kinds: RGB-color domain domain domain\nencoding: raw\n" + first,
     np.moveaxis(rgb, 3, 0), rgb[..., 0] * 0.2126 + rgb[..., 1] * 0.7152 + rgb[..., 2] * 0.0722, A, "rgb24")
nrrd("list-last", "type: short\ndimension: 4\nsizes: 3 2 2 4\nkinds: domain domain domain list\n" + little + behind, many, many, A,
     "int16")
nrrd("list-first", "type: short\ndimension: 4\nsizes: 4 3 2 2\nkinds: list domain domain domain\n" + little + first,
     np.moveaxis(many, 3, 0), many, A, "int16")
nrrd("complex", "type: float\ndimension: 4\nsizes: 2 3 2 2\nkinds: complex domain domain domain\n" + little + first,
     np.stack([small, small * 2]).astype("<f4"), small * np.sqrt(5.0), A, "complex64")
slices = {f"s{k:02d}.raw": small[:, :, k].tobytes(order="F") for k in range(2)}
nrrd("list-files", "type: short\n" + three + lps + little + "data file: LIST\ns00.raw\ns01.raw\n", b"", small, A, "int16", files=slices)
nrrd("pattern", "type: short\n" + three + lps + little + "data file: s%02d.raw 0 1 1\n", b"", small, A, "int16", files=slices)
nrrd("detached", "type: short\n" + three + lps + "endian: little\nencoding: gzip\ndata file: d.raw.gz\n", b"", small, A, "int16",
     files={"d.raw.gz": gzip.compress(small.tobytes(order="F"))})
nrrd("old", "type: short\n" + three.replace("dimension", "Dimension") + little + lps + "# a comment\nkey:=a: b\n", small, small, A, "int16")


def meta(name, fields, data, values, affine, datatype, files=None, local="LOCAL", head=3, **more):
    body = data if isinstance(data, bytes) else np.asarray(data).tobytes(order="F")
    text = (f"ObjectType = Image\nNDims = {head}\n" + fields + f"ElementDataFile = {local}\n").encode()
    if files is None:
        add(name, {name + ".mha": text + body}, values, affine, datatype, **more)
    else:
        add(name, {name + ".mhd": text, **files}, values, affine, datatype, **more)


# The rows of the text are the directions of i, j and k.
R = np.array([[0.8, 0.6, 0], [0, 0, -1], [-0.6, 0.8, 0]])
M = np.eye(4)
M[:3, :3] = R.T * np.array([1.5, 2, 3])
M[:3, 3] = [7, -8, 9]
place = ("TransformMatrix = " + " ".join(str(v) for v in R.flatten()) + "\nOffset = 7 -8 9\nElementSpacing = 1.5 2 3\n"
         "AnatomicalOrientation = RAI\nDimSize = 3 2 2\n")
meta("meta", place + "ElementType = MET_SHORT\n", small, small, M, "int16")
meta("meta-big", "BinaryData = True\nBinaryDataByteOrderMSB = True\n" + place + "ElementType = MET_LONG\n", small.astype(">i4"), small,
     M, "int32")
meta("meta-zlib", "CompressedData = True\n" + place + "ElementType = MET_DOUBLE\n", zlib.compress(small.astype("<f8").tobytes(order="F")),
     small, M, "float64")
meta("meta-rgb", place + "ElementNumberOfChannels = 3\nElementType = MET_UCHAR\n", np.moveaxis(rgb, 3, 0),
     rgb[..., 2], M, "rgb24", component=2)
meta("meta-vector", place + "ElementNumberOfChannels = 3\nElementType = MET_FLOAT\n", vector, length, M, "float32")
meta("meta-ascii", "BinaryData = False\n" + place + "ElementType = MET_USHORT\n", " ".join(str(v) for v in range(n)).encode(), small, M,
     "uint16")
meta("meta-zraw", "CompressedData = True\n" + place + "ElementType = MET_SHORT\n", b"", small, M, "int16", local="z.zraw",
     files={"z.zraw": zlib.compress(small.tobytes(order="F"))})
meta("meta-tail", "HeaderSize = -1\n" + place + "ElementType = MET_SHORT\n", b"", small, M, "int16", local="t.raw",
     files={"t.raw": b"anything" + small.tobytes(order="F")})
meta("meta-head", "HeaderSize = 8\n" + place + "ElementType = MET_SHORT\n", b"", small, M, "int16", local="t.raw",
     files={"t.raw": b"anything" + small.tobytes(order="F")})
meta("meta-list", place + "ElementType = MET_SHORT\n", b"", small, M, "int16", local="LIST\ns00.raw\ns01.raw", files=slices)
meta("meta-pattern", place + "ElementType = MET_SHORT\n", b"", small, M, "int16", local="s%02d.raw 0 1 1", files=slices)
T = np.eye(4)
T[:3, :3] = R
meta("meta-4d", "TransformMatrix = " + " ".join(str(v) for v in T.flatten()) + "\nOffset = 7 -8 9 0\nElementSpacing = 1.5 2 3 4\n"
     "DimSize = 3 2 2 4\nElementType = MET_SHORT\n", many, many, M, "int16", head=4)
meta("meta-bare", "DimSize = 3 2 2\nElementSpacing = 1 2 3\nElementType = MET_SHORT\n", small, small, np.diag([1, 2, 3, 1]), "int16",
     warns="Side unknown")
meta("meta-slope", "ElementToIntensityFunctionSlope = 2\nElementToIntensityFunctionOffset = -5\n" + place + "ElementType = MET_SHORT\n",
     small, small * 2.0 - 5, M, "int16", warns="scales")

for c in cases:
    c["frames"] = [[None if v != v else v for v in f] for f in c["frames"]]
with open("io-cases.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
print(len(cases), "cases")
