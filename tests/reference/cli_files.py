# SPDX-License-Identifier: Apache-2.0
"""Small volumes written, and pictures read, without bregma: what test-cli*.py compare with."""
import itertools
import struct
import zlib

# The patient direction of a letter, LPS.
LPS = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}


def axis_codes():
    """All 48 three-letter codes: where i, j, k grow to."""
    for order in itertools.permutations(("LR", "PA", "SI")):
        for letters in itertools.product(*order):
            yield "".join(letters)


def columns_of(code, spacing):
    return [[c * s for c in LPS[letter]] for letter, s in zip(code, spacing)]


def centred_origin(columns, dims):
    return [-sum(columns[a][r] * (dims[a] - 1) / 2 for a in range(3)) for r in range(3)]


def voxels(columns, origin, dims, value):
    """uint8 samples, i fastest: value(x, y, z) at the LPS place of each voxel."""
    out = bytearray()
    for k in range(dims[2]):
        for j in range(dims[1]):
            for i in range(dims[0]):
                p = [origin[r] + columns[0][r] * i + columns[1][r] * j + columns[2][r] * k for r in range(3)]
                out.append(value(*p))
    return bytes(out)


def write_nifti(path, columns, origin, dims, samples):
    rows = [[columns[a][r] for a in range(3)] + [origin[r]] for r in range(3)]
    rows[0] = [-v for v in rows[0]]  # RAS
    rows[1] = [-v for v in rows[1]]
    spacing = [sum(c * c for c in column) ** 0.5 for column in columns]
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *dims, 1, 1, 1, 1)
    struct.pack_into("<hh", header, 70, 2, 8)
    struct.pack_into("<8f", header, 76, 1.0, *spacing, 0, 0, 0, 0)
    struct.pack_into("<f", header, 108, 352.0)
    struct.pack_into("<ff", header, 112, 1.0, 0.0)
    header[123] = 2  # mm
    struct.pack_into("<hh", header, 252, 0, 1)
    for r in range(3):
        struct.pack_into("<4f", header, 280 + 16 * r, *rows[r])
    header[344:348] = b"n+1\0"
    with open(path, "wb") as out:
        out.write(bytes(header) + samples)


def vector(v):
    return "(" + ",".join(repr(float(c)) for c in v) + ")"


def write_nrrd(path, columns, origin, dims, samples):
    head = ("NRRD0004\ntype: uint8\ndimension: 3\nspace: left-posterior-superior\n"
            f"sizes: {dims[0]} {dims[1]} {dims[2]}\n"
            f"space directions: {' '.join(vector(c) for c in columns)}\n"
            f"kinds: domain domain domain\nencoding: raw\nspace origin: {vector(origin)}\n\n")
    with open(path, "wb") as out:
        out.write(head.encode() + samples)


def write_metaimage(path, columns, origin, dims, samples):
    spacing = [sum(c * c for c in column) ** 0.5 for column in columns]
    unit = [c / s for column, s in zip(columns, spacing) for c in column]
    head = ("ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
            f"CompressedData = False\nTransformMatrix = {' '.join(map(repr, unit))}\n"
            f"Offset = {' '.join(repr(float(c)) for c in origin)}\nCenterOfRotation = 0 0 0\n"
            f"ElementSpacing = {' '.join(map(repr, spacing))}\n"
            f"DimSize = {dims[0]} {dims[1]} {dims[2]}\nElementType = MET_UCHAR\n"
            "ElementDataFile = LOCAL\n")
    with open(path, "wb") as out:
        out.write(head.encode() + samples)


WRITERS = {".nii": write_nifti, ".nrrd": write_nrrd, ".mha": write_metaimage}


def read_png(path):
    """(width, height, channels, rows of bytes) of an 8-bit PNG without interlacing, and its texts."""
    with open(path, "rb") as source:
        data = source.read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", path
    at, packed, texts = 8, b"", {}
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
            assert depth == 8 and interlace == 0, path
        elif kind == b"IDAT":
            packed += body
        elif kind == b"tEXt":
            key, text = body.split(b"\0", 1)
            texts[key.decode()] = text.decode("latin-1")
        elif kind == b"iTXt":
            key, rest = body.split(b"\0", 1)
            is_packed, rest = rest[0], rest[2:]
            rest = rest.split(b"\0", 2)[2]
            texts[key.decode()] = (zlib.decompress(rest) if is_packed else rest).decode()
        elif kind == b"zTXt":
            key, rest = body.split(b"\0", 1)
            texts[key.decode()] = zlib.decompress(rest[1:]).decode("latin-1")
        at += 12 + size
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    return width, height, channels, unfilter(zlib.decompress(packed), width * channels, channels, height), texts


def unfilter(raw, stride, step, height):
    rows, before = [], bytearray(stride)
    for y in range(height):
        kind, row = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for x in range(stride):
            a = row[x - step] if x >= step else 0
            b = before[x]
            c = before[x - step] if x >= step else 0
            if kind == 1:
                row[x] = (row[x] + a) & 255
            elif kind == 2:
                row[x] = (row[x] + b) & 255
            elif kind == 3:
                row[x] = (row[x] + (a + b) // 2) & 255
            elif kind == 4:
                p = a + b - c
                pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
                row[x] = (row[x] + (a if pa <= pb and pa <= pc else b if pb <= pc else c)) & 255
        rows.append(bytes(row))
        before = row
    return rows
