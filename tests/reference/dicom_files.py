# SPDX-License-Identifier: Apache-2.0
"""DICOM files written without bregma and without a library: what test-cli-dicom.py reads back."""
import struct

LONG = ("OB", "OW", "OF", "SQ", "UN", "UT")
EXPLICIT = "1.2.840.10008.1.2.1"
CT, MR, PT = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("2", "4", "128"))


def value_bytes(vr, value):
    if isinstance(value, bytes):
        data = value
    elif vr in ("US", "SS", "UL", "FL", "FD", "SL"):
        code = {"US": "H", "SS": "h", "UL": "I", "FL": "f", "FD": "d", "SL": "i"}[vr]
        values = value if isinstance(value, (list, tuple)) else [value]
        data = struct.pack(f"<{len(values)}{code}", *values)
    elif isinstance(value, (list, tuple)):
        data = "\\".join(repr(v) if isinstance(v, float) else str(v) for v in value).encode()
    else:
        data = str(value).encode()
    return data + (b"\0" if vr in ("UI", "OB", "OW", "UN") else b" ") * (len(data) % 2)


def element(tag, vr, value):
    """@value of a sequence: a list of items, each a list of (tag, vr, value)"""
    if vr == "SQ":
        data = b"".join(struct.pack("<HHI", 0xfffe, 0xe000, len(body)) + body
                        for body in (elements(item) for item in value))
    else:
        data = value_bytes(vr, value)
    head = struct.pack("<HH", tag >> 16, tag & 0xffff) + vr.encode()
    if vr in LONG:
        return head + struct.pack("<HI", 0, len(data)) + data
    return head + struct.pack("<H", len(data)) + data


def elements(rows):
    return b"".join(element(*row) for row in sorted(rows, key=lambda row: row[0]))


def write(path, rows, preamble=b"", syntax=EXPLICIT):
    """@rows: of (tag, vr, value); later ones replace earlier ones of the same tag, None takes them out"""
    last = {row[0]: row for row in rows}
    rows = [row for row in last.values() if row[2] is not None]
    with open(path, "wb") as out:
        out.write(preamble.ljust(128, b"\0") + b"DICM" + element(0x00020010, "UI", syntax) + elements(rows))


def picture(columns, rows, pixels, bits=16, signed=False, samples=1, photometric="MONOCHROME2", frames=0):
    out = [(0x00280002, "US", samples), (0x00280004, "CS", photometric), (0x00280010, "US", rows),
           (0x00280011, "US", columns), (0x00280100, "US", bits), (0x00280101, "US", bits),
           (0x00280102, "US", bits - 1), (0x00280103, "US", int(signed)),
           (0x7fe00010, "OW" if bits > 8 else "OB", pixels)]
    if samples > 1:
        out.append((0x00280006, "US", 0))
    if frames:
        out.append((0x00280008, "IS", frames))
    return out


def identity(series, sop, modality="CT", sop_class=CT, patient="Doe^Jane", number=1):
    return [(0x00080016, "UI", sop_class), (0x00080018, "UI", sop), (0x00080020, "DA", "20260102"),
            (0x00080021, "DA", "20260102"), (0x00080022, "DA", "20260102"), (0x00080030, "TM", "101010"),
            (0x00080060, "CS", modality), (0x00080070, "LO", "Maker"), (0x00080080, "LO", "St. Elsewhere"),
            (0x00081030, "LO", "Head of Jane Doe"), (0x00100010, "PN", patient), (0x00100020, "LO", "ID-42"),
            (0x00100030, "DA", "19500607"), (0x00100040, "CS", "F"), (0x0020000d, "UI", "1.2.3.100"),
            (0x0020000e, "UI", series), (0x00200013, "IS", number), (0x00200052, "UI", "1.2.3.200")]


def place(position, orientation=(1, 0, 0, 0, 1, 0), spacing=(0.5, 0.25), thickness=2):
    """@spacing: of rows, then of columns"""
    return [(0x00180050, "DS", thickness), (0x00200032, "DS", list(position)),
            (0x00200037, "DS", list(orientation)), (0x00280030, "DS", list(spacing))]


def ramp(columns, rows, start, code="<H"):
    return b"".join(struct.pack(code, start + i + 10 * j) for j in range(rows) for i in range(columns))


def csa(tags):
    """Siemens' CSA header of the second kind: {name: [text, ...]}"""
    out = b"SV10\4\3\2\1" + struct.pack("<II", len(tags), 77)
    for name, texts in tags.items():
        out += name.encode().ljust(64, b"\0") + struct.pack("<i4siII", len(texts), b"DS\0\0", 3, len(texts), 77)
        for text in texts:
            data = text.encode() + b"\0"
            out += struct.pack("<4I", len(data), len(data), 77, len(data)) + data.ljust((len(data) + 3) & ~3, b"\0")
    return out
