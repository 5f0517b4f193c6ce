#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes picture-cases.json: small pictures as PIL 9.4 and its libraries write them (Debian 12), and the
pixels that PIL reads back. usage: make_picture_cases.py OUT.json"""
import base64
import io
import json
import struct
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image, TiffImagePlugin

rng = np.random.default_rng(3)
cases = []


def add(name, data, pixels, datatype, tolerance=0, **more):
    a = np.asarray(pixels)
    if a.ndim == 2:
        a = a[..., None]
    small = np.issubdtype(a.dtype, np.integer) and a.min() >= 0 and a.max() <= 255
    packed = base64.b64encode(a.astype("u1" if small else "<f4").tobytes()).decode()
    cases.append(dict(name=name, file=base64.b64encode(data).decode(), width=a.shape[1], height=a.shape[0],
                      channels=a.shape[2], datatype=datatype, pixels=packed, bytes=int(small),
                      tolerance=tolerance, **more))


def saved(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


rgb = rng.integers(0, 256, (7, 11, 3)).astype("u1")
rgba = rng.integers(0, 256, (7, 11, 4)).astype("u1")
grey = rng.integers(0, 256, (7, 11)).astype("u1")
wide = rng.integers(0, 65536, (7, 11)).astype("u2")
real = (rng.normal(size=(7, 11)) * 100).astype("f4")
few = Image.fromarray(rgb).quantize(13)
two = grey > 127

for name, image, want, kind in [
        ("grey", Image.fromarray(grey), grey, "uint8"), ("rgb", Image.fromarray(rgb), rgb, "rgb24"),
        ("rgba", Image.fromarray(rgba), rgba, "rgba32"), ("palette", few, np.asarray(few.convert("RGB")), "rgb24")]:
    add(f"{name}.png", saved(image, "PNG"), want, kind)
    if name != "rgba":
        add(f"{name}.bmp", saved(image, "BMP"), want, kind)
add("wide.png", saved(Image.fromarray(wide), "PNG"), wide, "uint16")
add("two.bmp", saved(Image.fromarray(two), "BMP"), two * np.int64(255), "uint8")
for interlace in (0, 1):
    add(f"palette-{interlace}.gif", saved(few, "GIF", interlace=interlace), np.asarray(few.convert("RGB")), "rgb24")
large = np.tile(rgb, (9, 7, 1))
many = Image.fromarray(large).quantize(250)
add("large.gif", saved(many, "GIF"), np.asarray(many.convert("RGB")), "rgb24")
hole = few.copy()
hole.info["transparency"] = 3
add("hole.gif", saved(hole, "GIF", transparency=3), np.asarray(Image.open(io.BytesIO(saved(hole, "GIF", transparency=3))).convert("RGBA")), "rgba32", alpha=1)

# Netpbm by hand, as its pages say.
add("grey.pgm", b"P5\n# a comment\n11 7\n255\n" + grey.tobytes(), grey, "uint8")
add("wide.pgm", b"P5 11 7 65535\n" + wide.astype(">u2").tobytes(), wide, "uint16")
add("twelve.pgm", b"P5 11 7 4095\n" + (wide >> 4).astype(">u2").tobytes(), wide >> 4, "uint16")
add("text.pgm", b"P2 11 7\n#x\n255\n" + b" ".join(b"%d" % v for v in grey.flatten()), grey, "uint8")
add("text.ppm", b"P3 11 7 255\n" + b"\n".join(b"%d" % v for v in rgb.flatten()), rgb, "rgb24")
add("rgb.ppm", saved(Image.fromarray(rgb), "PPM"), rgb, "rgb24")
add("two.pbm", saved(Image.fromarray(two), "PPM"), two * np.int64(255), "uint8")
add("text.pbm", b"P1 11 7\n" + b"".join(b"0" if v else b"1" for v in two.flatten()), two * np.int64(255), "uint8")
add("real.pfm", b"Pf\n11 7\n-1.0\n" + real[::-1].astype("<f4").tobytes(), real, "float32")
add("real-big.pfm", b"Pf\n11 7\n1.0\n" + real[::-1].astype(">f4").tobytes(), real, "float32")


def bitmap(bits, packing, rows, width, height, colours=b""):
    """A BMP by hand: what PIL does not write."""
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, packing, len(rows), 0, 0, len(colours) // 4, 0)
    first = 14 + 40 + len(colours)
    return b"BM" + struct.pack("<IHHI", first + len(rows), 0, 0, first) + head + colours + rows


# RLE8: a run, single pixels, a jump over one row, the end; indices of the rows from below
colours = bytes([0, 0, 0, 0, 10, 20, 30, 0, 40, 50, 60, 0])
packed = bytes([3, 1, 0, 3, 2, 1, 2, 0, 0, 0, 0, 2, 1, 1, 2, 2, 0, 0, 6, 2, 0, 1])
index = np.zeros((4, 6), int)
index[3] = [1, 1, 1, 2, 1, 2]
index[1, 1:3] = 2
index[0] = 2
table = np.array([[0, 0, 0], [30, 20, 10], [60, 50, 40]])
add("rle.bmp", bitmap(8, 1, packed, 6, 4, colours), table[index], "rgb24")
add("top.bmp", bitmap(24, 0, b"".join(r[:, ::-1].tobytes().ljust(36, b"\0") for r in rgb), 11, -7), rgb, "rgb24")
add("sixteen.bmp", bitmap(16, 0, struct.pack("<HH", 0x7C1F, 0x03E0), 2, 1), [[[255, 0, 255], [0, 255, 0]]], "rgb24")

# TIFF of all types
for kind in ("u1", "u2", "f4"):
    a = {"u1": grey, "u2": wide, "f4": real}[kind]
    for pack in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
        add(f"{kind}-{pack}.tif", saved(Image.fromarray(a), "TIFF", compression=pack), a,
            {"u1": "uint8", "u2": "uint16", "f4": "float32"}[kind], media=1)
add("rgb.tif", saved(Image.fromarray(rgb), "TIFF", compression="tiff_lzw"), rgb, "rgb24", media=1)
add("palette.tif", saved(few, "TIFF"), np.dstack([np.asarray(few.convert("RGB")), np.full((7, 11), 255)]), "rgba32", media=1)


def tiff(array, bits, form, photometric=1, big=False, tile=None, planar=False):
    """A TIFF by hand: types and layouts that PIL does not write."""
    e = ">" if big else "<"
    a = array if array.ndim == 3 else array[..., None]
    n = a.shape[2]
    blocks, extra = [], []
    parts = [a[..., c:c + 1] for c in range(n)] if planar else [a]
    for part in parts:
        if tile:
            for y in range(0, a.shape[0], tile):
                for x in range(0, a.shape[1], tile):
                    block = np.zeros((tile, tile, part.shape[2]), part.dtype)
                    piece = part[y:y + tile, x:x + tile]
                    block[:piece.shape[0], :piece.shape[1]] = piece
                    blocks.append(block.astype(part.dtype.newbyteorder(e)).tobytes())
        else:
            blocks.append(part.astype(part.dtype.newbyteorder(e)).tobytes())
    tags = {256: a.shape[1], 257: a.shape[0], 259: 1, 262: photometric, 277: n, 284: 2 if planar else 1}
    at = 8
    offsets = []
    for block in blocks:
        offsets.append(at)
        at += len(block) + len(block) % 2
    lists = {258: ("H", [bits] * n), 339: ("H", [form] * n), 324 if tile else 273: ("I", offsets),
             325 if tile else 279: ("I", [len(b) for b in blocks])}
    if tile:
        tags[322] = tags[323] = tile
    else:
        tags[278] = a.shape[0]
    entries = []
    for tag, value in tags.items():
        entries.append((tag, struct.pack(e + "HHI", tag, 4, 1) + struct.pack(e + "I", value)))
    for tag, (code, values) in lists.items():
        raw = struct.pack(e + code * len(values), *values)
        if len(raw) <= 4:
            entries.append((tag, struct.pack(e + "HHI", tag, 3 if code == "H" else 4, len(values)) + raw.ljust(4, b"\0")))
        else:
            entries.append((tag, struct.pack(e + "HHI", tag, 3 if code == "H" else 4, len(values)) + struct.pack(e + "I", at)))
            extra.append(raw)
            at += len(raw)
    body = b"".join(b + b"\0" * (len(b) % 2) for b in blocks) + b"".join(extra)
    body += b"\0" * (len(body) % 2)
    return ((b"MM\0*" if big else b"II*\0") + struct.pack(e + "I", 8 + len(body)) + body +
            struct.pack(e + "H", len(entries)) + b"".join(x for _, x in sorted(entries)) + struct.pack(e + "I", 0))


for kind, form, bits in (("i1", 2, 8), ("i2", 2, 16), ("i4", 2, 32), ("u4", 1, 32), ("f8", 3, 64)):
    a = (rng.normal(size=(7, 11)) * 50).astype(kind) if kind != "u4" else rng.integers(0, 1 << 20, (7, 11)).astype("u4")
    names = {"i1": "int8", "i2": "int16", "i4": "int32", "u4": "uint32", "f8": "float64"}
    for big in (False, True):
        add(f"{kind}-{'be' if big else 'le'}.tif", tiff(a, bits, form, big=big), a, names[kind],
            tolerance=1e-4 if kind == "f8" else 0, media=1)
add("white.tif", tiff(grey, 8, 1, photometric=0), 255 - grey.astype(int), "uint8", media=1)
add("tiles.tif", tiff(np.tile(wide, (5, 4)), 16, 1, tile=16), np.tile(wide, (5, 4)), "uint16", media=1)
add("planes.tif", tiff(rgb, 8, 1, photometric=2, planar=True), rgb, "rgb24", media=1)
add("plane-tiles.tif", tiff(np.tile(rgb, (3, 3, 1)), 8, 1, photometric=2, planar=True, tile=16, big=True), np.tile(rgb, (3, 3, 1)), "rgb24", media=1)

# JPEG, and a photograph of four colours that each of the eight orientations must show in one way
smooth = np.asarray(Image.fromarray(rgb).resize((44, 28), Image.BICUBIC))
for name, image in (("grey", Image.fromarray(smooth[..., 0])), ("rgb", Image.fromarray(smooth)), ("inks", Image.fromarray(smooth).convert("CMYK"))):
    for progressive in (False, True):
        data = saved(image, "JPEG", quality=92, progressive=progressive)
        want = np.asarray(Image.open(io.BytesIO(data)).convert("L" if name == "grey" else "RGB"))
        add(f"{name}{'-p' if progressive else ''}.jpg", data, want, "uint8" if name == "grey" else "rgb24", tolerance=2, media=1)
upright = np.zeros((32, 48, 3), "u1")
upright[:16, :24] = (220, 30, 30)
upright[:16, 24:] = (30, 220, 30)
upright[16:, :24] = (30, 30, 220)
upright[16:, 24:] = (220, 220, 220)
# What PIL does to show orientation n; its inverse is how such a picture is stored.
inverse = {1: None, 2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM, 5: Image.TRANSPOSE,
           6: Image.ROTATE_90, 7: Image.TRANSVERSE, 8: Image.ROTATE_270}
for n, method in inverse.items():
    stored = Image.fromarray(upright) if method is None else Image.fromarray(upright).transpose(method)
    exif = Image.Exif()
    exif[0x0112] = n
    exif[0x010F], exif[0x0110] = "Maker", "Model 1"
    exif[0x8769] = {0x920A: TiffImagePlugin.IFDRational(35, 2), 0xA405: 26, 0xA002: 48, 0xA003: 32,
                                 0xA20E: TiffImagePlugin.IFDRational(20), 0xA20F: TiffImagePlugin.IFDRational(20), 0xA210: 3}
    data = saved(stored, "JPEG", quality=95, subsampling=0, exif=exif)
    from PIL import ImageOps
    shown = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    assert np.abs(shown.astype(int) - upright).max() < 30
    add(f"orientation-{n}.jpg", data, upright, "rgb24", tolerance=30, media=1, orientation=n)
    out = io.BytesIO()
    stored.save(out, "TIFF", tiffinfo={274: n})
    add(f"orientation-{n}.tif", out.getvalue(), upright, "rgb24", media=1, orientation=n)

# HEIC without loss, by libheif's own tool
with tempfile.TemporaryDirectory() as folder:
    Image.fromarray(upright).save(folder + "/up.png")
    subprocess.run(["heif-enc", "-L", "-p", "chroma=444", "--matrix_coefficients=0", folder + "/up.png", "-o", folder + "/up.heic"],
                   check=True, stdout=subprocess.DEVNULL)
    with open(folder + "/up.heic", "rb") as file:
        heic = file.read()
    add("upright.heic", heic, upright, "rgb24", tolerance=1, media=1)


def boxes(data, start, end):
    """(type, first byte, first byte of the content, end)"""
    while start < end:
        size, kind = struct.unpack_from(">I4s", data, start)
        yield kind, start, start + 8, start + size
        start += size


def find(data, kind, start, end):
    return next(box for box in boxes(data, start, end) if box[0] == kind)


def turned(data, angle, mode):
    """The file with transformative properties of its primary item: irot (ISO/IEC 23008-12, 6.5.10: a quarter
    turn against the clock, @angle times), then imir (6.5.12: mode 0 exchanges top and bottom, 1 left and right)"""
    data = bytearray(data)
    _, meta, inside, meta_end = find(data, b"meta", 0, len(data))
    _, _, pitm, _ = find(data, b"pitm", inside + 4, meta_end)
    primary = struct.unpack_from(">H", data, pitm + 4)[0]
    _, iprp, iprp_in, iprp_end = find(data, b"iprp", inside + 4, meta_end)
    _, ipco, ipco_in, ipco_end = find(data, b"ipco", iprp_in, iprp_end)
    _, ipma, ipma_in, _ = find(data, b"ipma", iprp_in, iprp_end)
    n_known = len(list(boxes(data, ipco_in, ipco_end)))
    new, numbers = b"", []
    if angle:
        new += struct.pack(">I4sB", 9, b"irot", angle)
        numbers.append(n_known + len(numbers) + 1)
    if mode is not None:
        new += struct.pack(">I4sB", 9, b"imir", mode)
        numbers.append(n_known + len(numbers) + 1)
    # The associations of the primary item, essential ones, after those that are there.
    at = ipma_in + 8
    for _ in range(struct.unpack_from(">I", data, ipma_in + 4)[0]):
        item, count = struct.unpack_from(">HB", data, at)
        if item == primary:
            data[at + 2] = count + len(numbers)
            data[at + 3 + count:at + 3 + count] = bytes(0x80 | n for n in numbers)
            break
        at += 3 + count
    data[ipco_end:ipco_end] = new
    grown = len(new) + len(numbers)
    for box, more in ((meta, grown), (iprp, grown), (ipco, len(new)), (ipma + len(new), len(numbers))):
        struct.pack_into(">I", data, box, struct.unpack_from(">I", data, box)[0] + more)
    # Where the media data lie: items of construction method 0 count from the file's beginning.
    _, _, iloc, _ = find(data, b"iloc", inside + 4, meta_end + grown)
    version, sizes, n_items = data[iloc], struct.unpack_from(">H", data, iloc + 4)[0], struct.unpack_from(">H", data, iloc + 6)[0]
    assert version == 1 and sizes == 0x4440, hex(sizes)
    at = iloc + 8
    for _ in range(n_items):
        method, n_extents = struct.unpack_from(">H", data, at + 2)[0], struct.unpack_from(">H", data, at + 6 + (4 if sizes & 0xf0 else 0))[0]
        at += 8 + (4 if sizes & 0xf0 else 0)
        for _ in range(n_extents):
            if method == 0:
                struct.pack_into(">I", data, at, struct.unpack_from(">I", data, at)[0] + grown)
            at += 8
    return bytes(data)


for angle in range(4):
    for mode in (None, 0, 1):
        if angle or mode is not None:
            want = np.rot90(upright, angle)
            want = want if mode is None else want[::-1] if mode == 0 else want[:, ::-1]
            add(f"turned-{angle}-{mode}.heic", turned(heic, angle, mode), want, "rgb24", tolerance=1, media=1)

with open(sys.argv[1], "w") as out:
    json.dump(cases, out, separators=(",", ":"))
    out.write("\n")
