#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""DICOM by bregma-cli from outside: series and what is wrong with them, what values mean, what is
written and read back (by pydicom too, where it is installed), anonymising, files that mean harm."""
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import time

import dicom_files as dicom

try:
    import pydicom
except ImportError:
    pydicom = None

CLI = sys.argv[1]


def run(*args, status=0):
    done = subprocess.run([CLI, "--json", *map(str, args)], capture_output=True, text=True, check=False)
    assert done.returncode == status, f"{args}: status {done.returncode}: {done.stderr}"
    if status:
        assert done.stderr.startswith("bregma-cli: ") and done.stdout == "", done.stderr
        assert len(done.stderr.splitlines()) == (2 if status == 2 else 1), done.stderr
        return done.stderr
    result = json.loads(done.stdout)
    assert result["schema"] == 1
    return result


def words(result):
    return " | ".join(result["warnings"]).lower()


def close(a, b, tolerance=1e-5):
    a, b = (x if isinstance(x, list) else [x] for x in (a, b))
    assert len(a) == len(b) and all(abs(x - y) <= tolerance for x, y in zip(a, b)), f"{a} is not {b}"


def raw_values(folder, path, *args):
    """Every value, frame by frame, i fastest."""
    out = os.path.join(folder, "values.npy")
    run("convert", path, out, "--force", *args)
    with open(out, "rb") as file:
        data = file.read()
    size = struct.unpack_from("<H", data, 8)[0]
    header = eval(data[10:10 + size])  # our own file: a Python dictionary by NumPy's definition
    code = {"u1": "B", "i1": "b", "i2": "h", "u2": "H", "f4": "f"}[header["descr"][1:]]
    return header["shape"], list(struct.unpack(f"<{(len(data) - 10 - size) // struct.calcsize(code)}{code}",
                                               data[10 + size:]))


def new_folder(scratch, name):
    path = os.path.join(scratch, name)
    os.makedirs(path)
    return path


def slices(folder, positions, extra=lambda n: [], series="1.2.3.4", **how):
    """Files whose names run against their places; slice n begins with the value 100 * n."""
    for n, position in enumerate(positions):
        rows = dicom.identity(series, f"{series}.{n}", number=len(positions) - n, **how)
        rows += dicom.place(position) + dicom.picture(8, 6, dicom.ramp(8, 6, 100 * n)) + extra(n)
        dicom.write(os.path.join(folder, f"{(n * 5 + 3) % 7}-{n}.bin"), rows)


def test_series(scratch):
    folder = new_folder(scratch, "series")
    slices(folder, [(-10, -20, 30 + 3 * n) for n in range(5)])
    r = run("info", folder)
    assert r["format"] == "dicom" and r["kind"] == "volume" and r["dims"] == [8, 6, 5]
    assert r["axis_code"] == "LPS" and r["unit"] == "HU" and r["warnings"] == [], r["warnings"]
    close(r["spacing_mm"], [0.25, 0.5, 3])
    close(r["origin_mm"], [-10, -20, 30])
    shape, values = raw_values(scratch, folder)
    assert shape == (1, 5, 6, 8)[-len(shape):], shape
    for k in range(5):
        assert values[48 * k:48 * k + 10] == [100 * k + i for i in range(8)] + [100 * k + 10, 100 * k + 11]
    assert len(r["series"]) == 1 and r["series"][0]["patient"]["name"] == "Doe^Jane"


def test_planes(scratch):
    """Which plane a series lies in is said by its orientation, whatever its description."""
    def of(name, row, column):
        folder = new_folder(scratch, name)
        normal = [row[1] * column[2] - row[2] * column[1], row[2] * column[0] - row[0] * column[2],
                  row[0] * column[1] - row[1] * column[0]]
        for n in range(3):
            rows = dicom.identity("1.2.3.40", f"1.2.3.40.{n}", number=n + 1)
            rows += dicom.place([3.0 * n * x for x in normal], (*row, *column))
            dicom.write(os.path.join(folder, str(n)), rows + dicom.picture(8, 6, dicom.ramp(8, 6, n)))
        r = run("info", folder)
        assert r["plane"] == r["series"][0]["plane"], (name, r["plane"], r["series"])
        return r["plane"]

    def turned(angle):
        return (1, 0, 0), (0, math.cos(math.radians(angle)), math.sin(math.radians(angle)))

    assert of("feet", (1, 0, 0), (0, 1, 0)) == "axial" and of("prone", (-1, 0, 0), (0, -1, 0)) == "axial"
    assert of("front", (1, 0, 0), (0, 0, -1)) == "coronal"
    assert of("left", (0, 1, 0), (0, 0, -1)) == "sagittal" and of("right", (0, -1, 0), (0, 0, -1)) == "sagittal"
    assert [of(f"turned{n}", *turned(n)) for n in (30, 45, 60)] == ["axial", "oblique", "coronal"]
    unplaced = os.path.join(scratch, "unplaced")
    dicom.write(unplaced, dicom.identity("1.2.3.41", "1.2.3.41.1") + dicom.picture(8, 6, dicom.ramp(8, 6, 0)))
    r = run("info", unplaced)
    assert "plane" not in r and "plane" not in r["series"][0], r


def test_faults(scratch):
    def of(name, positions, extra=lambda n: []):
        folder = new_folder(scratch, name)
        slices(folder, positions, extra)
        return folder

    r = run("info", of("missing", [(0, 0, 2 * n) for n in (0, 1, 2, 4, 5)]))
    assert r["dims"][2] == 6 and "missing" in words(r) and "missing slices" in r["series"][0]["badges"]
    _, values = raw_values(scratch, os.path.join(scratch, "missing"))
    assert values[3 * 48] == 250, "filled in between 200 and 300"
    r = run("info", of("uneven", [(0, 0, z) for z in (0, 2, 4, 7.1, 9)]))
    assert "uneven" in words(r)
    doubled = of("doubled", [(0, 0, 2 * n) for n in range(4)])
    with open(os.path.join(doubled, "3-0.bin"), "rb") as source:
        data = source.read()
    with open(os.path.join(doubled, "copy"), "wb") as copy:
        copy.write(data)
    r = run("info", doubled)
    assert r["dims"][2] == 4 and "twice" in words(r) or "doubled" in words(r), r["warnings"]
    # A tilted gantry: the slices' line of origins leans against their normal by 20 degrees.
    lean = math.tan(math.radians(20))
    r = run("info", of("tilt", [(0, -lean * 3 * n, 3 * n) for n in range(4)]))
    assert "20.0 degrees" in words(r), r["warnings"]
    m = r["affine"]
    assert abs(sum(m[4 * a] * m[4 * a + 2] for a in range(3))) < 1e-9, "right angles"
    assert abs(sum(m[4 * a + 1] * m[4 * a + 2] for a in range(3))) < 1e-9, "right angles"
    # Each value lies where it lay: linear in j, so interpolation changes nothing.
    shape, values = raw_values(scratch, os.path.join(scratch, "tilt"))
    n_j, n_i = shape[-2:]
    for k in range(4):
        for j in range(n_j):
            y = m[7] + m[5] * j + m[6] * k
            row = (y + lean * 3 * k) / 0.5
            if 0 <= row <= 5:
                close(values[(k * n_j + j) * n_i + 2], 100 * k + 2 + 10 * row, 0.51)


def test_convert_warns(scratch):
    """What info warns of, convert says too; and that colours or complex values became one value."""
    sound, tilted = new_folder(scratch, "sound"), new_folder(scratch, "tilted")
    lean = math.tan(math.radians(20))
    slices(sound, [(0, 0, 3 * n) for n in range(4)])
    slices(tilted, [(0, -lean * 3 * n, 3 * n) for n in range(4)])
    r = run("convert", sound, os.path.join(scratch, "sound.nii"))
    assert r.get("warnings", []) == [], r
    r = run("convert", tilted, os.path.join(scratch, "tilted.nii"))
    assert "20.0 degrees" in words(r) and r["warnings"] == run("info", tilted)["warnings"], r
    # NRRD keeps the parts of a voxel on an axis of their own; npy names complex values.
    colours = os.path.join(scratch, "colours.nrrd")
    with open(colours, "wb") as file:
        file.write(b"NRRD0004\ntype: uint8\ndimension: 4\nsizes: 3 2 2 2\nkinds: RGB-color domain domain domain\n"
                   b"encoding: raw\n\n" + bytes(range(24)))
    waves = os.path.join(scratch, "waves.npy")
    with open(waves, "wb") as file:
        header = b"{'descr': '<c8', 'fortran_order': True, 'shape': (2, 2, 2), }"
        header += b" " * (117 - len(header)) + b"\n"
        file.write(b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + struct.pack("<16f", *range(16)))
    for path, n in ((colours, 3), (waves, 2)):
        r = run("convert", path, path + ".nii")
        assert f"each voxel held {n} values" in words(r), (path, r)


def test_frames(scratch):
    folder = new_folder(scratch, "frames")
    for t in range(3):
        for n in range(4):
            rows = dicom.identity("1.2.3.5", f"1.2.3.5.{t}.{n}", "MR", dicom.MR, number=n + 1)
            rows += dicom.place((0, 0, 2 * n)) + dicom.picture(8, 6, dicom.ramp(8, 6, 1000 * t + 100 * n))
            rows += [(0x00180081, "DS", 10 * (t + 1)), (0x00180086, "IS", t + 1)]
            dicom.write(os.path.join(folder, f"{n}{t}"), rows)
    r = run("info", folder)
    assert r["dims"] == [8, 6, 4] and r["n_frames"] == 3 and r["unit"] == "", r
    _, values = raw_values(scratch, folder, "--frame=2")
    assert values[0] == 2000 and values[3 * 48] == 2300


def test_diffusion(scratch):
    """b-values where the standard has them, and where each maker has put them."""
    def siemens(b):
        return [(0x00190010, "LO", "SIEMENS MR HEADER"), (0x0019100c, "IS", b)]

    def siemens_csa(b):
        return [(0x00290010, "LO", "SIEMENS CSA HEADER"), (0x00291010, "OB", dicom.csa({"B_value": [str(b)]}))]

    def ge(b):  # the maker adds 10^9 to tell what kind of sequence it was
        return [(0x00430010, "LO", "GEMS_PARM_01"), (0x00431039, "IS", [10 ** 9 + b if b else 0, 8, 0, 0])]

    def philips(b):  # in a block that is not the first
        return [(0x20010010, "LO", "Somebody else"), (0x20010011, "LO", "Philips Imaging DD 001"),
                (0x20011003, "FL", 77.0), (0x20011103, "FL", float(b))]

    def standard(b):
        return [(0x00189087, "FD", float(b))]
    for number, maker in enumerate((standard, siemens, siemens_csa, ge, philips)):
        folder = new_folder(scratch, maker.__name__)
        for t, b in enumerate((0, 500, 1000)):
            for n in range(3):
                rows = dicom.identity(f"1.2.3.6.{number}", f"1.2.3.6.{number}.{t}.{n}", "MR", dicom.MR, number=3 * t + n)
                rows += dicom.place((0, 0, 2 * n)) + dicom.picture(8, 6, dicom.ramp(8, 6, 1000 * t + 100 * n))
                dicom.write(os.path.join(folder, f"{n}{t}"), rows + maker(b))
        r = run("info", folder)
        assert r["n_frames"] == 3 and r["b_values"] == [0, 500, 1000], (maker.__name__, r.get("b_values"))
        assert r["series"][0]["b_values"] == [0, 500, 1000]
        _, values = raw_values(scratch, folder, "--frame=2")
        assert values[0] == 2000, maker.__name__
    plain = new_folder(scratch, "plain")
    slices(plain, [(0, 0, 3 * n) for n in range(3)])
    assert "b_values" not in run("info", plain)


def test_values(scratch):
    def one(name, rows, modality="MR", sop_class=dicom.MR):
        path = os.path.join(scratch, name)
        dicom.write(path, dicom.identity("1.2.3.6", "1.2.3.6.1", modality, sop_class)
                    + dicom.place((0, 0, 0)) + rows)
        return path

    signed = dicom.picture(8, 6, dicom.ramp(8, 6, -60, "<h"), signed=True)
    scaled = [(0x00281052, "DS", -5), (0x00281053, "DS", 2.5)]
    r = run("info", one("scaled", signed + scaled, "CT", dicom.CT))
    close(r["value_min"], -60 * 2.5 - 5)
    close(r["value_max"], -3 * 2.5 - 5)
    # The file's window is one of its own values, whatever they are turned into.
    window = [(0x00281050, "DS", [40, 600]), (0x00281051, "DS", [400, 2000])]
    close(run("info", one("window", signed + scaled + window, "CT", dicom.CT))["window"], [40, 400])
    bright = dicom.picture(8, 6, dicom.ramp(8, 6, 0), photometric="MONOCHROME1")
    r = run("info", one("bright", bright))
    assert r["low_is_bright"] and r["value_min"] == 0 and r["value_max"] == 57  # values stay
    # Unused bits above the 12 stored ones are not part of the value.
    pixels = b"".join(struct.pack("<H", 0xa000 | n) for n in range(48))
    twelve = dicom.picture(8, 6, pixels) + [(0x00280101, "US", 12), (0x00280102, "US", 11)]
    r = run("info", one("twelve", twelve))
    assert r["value_min"] == 0 and r["value_max"] == 47
    pixels = b"".join(struct.pack("<I", 70000 * n) for n in range(48))
    assert run("info", one("wide", dicom.picture(8, 6, pixels, bits=32)))["value_max"] == 70000 * 47
    # Philips: (stored * RS + RI) / (RS * SS).
    philips = [(0x00080070, "LO", "Philips Medical Systems"), (0x20050010, "LO", "Philips MR Imaging DD 001"),
               (0x2005100e, "FL", 0.5)]
    r = run("info", one("philips", dicom.picture(8, 6, dicom.ramp(8, 6, 0)) + scaled + philips + window))
    close(r["window"], [40 / (2.5 * 0.5), 400 / (2.5 * 0.5)], 1e-6)
    close(r["value_max"], (57 * 2.5 - 5) / (2.5 * 0.5), 1e-3)
    assert "philips" in words(r)
    # An unsigned modality LUT.
    lut = [(0x00283000, "SQ", [[(0x00283002, "US", [58, 0, 16]), (0x00283004, "LO", "US"),
                                (0x00283006, "US", [60000 + n for n in range(58)])]])]
    r = run("info", one("lut", dicom.picture(8, 6, dicom.ramp(8, 6, 0)) + lut))
    assert r["value_min"] == 60000 and r["value_max"] == 60057
    # The unit of CT is HU unless the file says that there is none.
    assert run("info", one("hu", signed, "CT", dicom.CT))["unit"] == "HU"
    nothing = signed + [(0x00281054, "LO", "US"), (0x00281052, "DS", 0), (0x00281053, "DS", 1)]
    assert run("info", one("no-unit", nothing, "CT", dicom.CT))["unit"] == ""


def test_suv(scratch):
    def pet(name, rows):
        path = os.path.join(scratch, name)
        tracer = [(0x00181072, "TM", "091000"), (0x00181074, "DS", 3.7e8), (0x00181075, "DS", 6586.2)]
        dicom.write(path, dicom.identity("1.2.3.7", "1.2.3.7.1", "PT", dicom.PT) + dicom.place((0, 0, 0))
                    + dicom.picture(8, 6, dicom.ramp(8, 6, 100))
                    + [(0x00080031, "TM", "101000"), (0x00080032, "TM", "101000"), (0x00101030, "DS", 70),
                       (0x00541001, "CS", "BQML"), (0x00541102, "CS", "START"),
                       (0x00281052, "DS", 0), (0x00281053, "DS", 12), (0x00540016, "SQ", [tracer])] + rows)
        return path

    r = run("info", pet("start", []))
    dose = 3.7e8 * 2 ** (-3600 / 6586.2)  # an hour from the injection to the scan
    close(r["value_max"], 157 * 12 * 70 * 1000 / dose, 1e-6)
    assert r["unit"] == "SUVbw" and "decayed over 3600 s" in words(r)
    r = run("info", pet("admin", [(0x00541102, "CS", "ADMIN")]))
    close(r["value_max"], 157 * 12 * 70 * 1000 / 3.7e8, 1e-6)
    for name, row in (("no-weight", (0x00101030, "DS", None)), ("no-dose", (0x00540016, "SQ", None)),
                      ("no-correction", (0x00541102, "CS", "NONE"))):
        r = run("info", pet(name, [row]))
        assert r["unit"] == "BQML" and "no suv" in words(r), (name, r["unit"], r["warnings"])
        assert r["value_max"] == 157 * 12
    r = run("info", pet("philips-suv", [(0x00541001, "CS", "CNTS"), (0x70531000, "DS", 0.01)]))
    close(r["value_max"], 157 * 12 * 0.01, 1e-6)


def test_enhanced(scratch):
    path = os.path.join(scratch, "enhanced")
    order = [2, 0, 3, 1]  # frames lie in another order than their places
    groups = [[(0x00209113, "SQ", [[(0x00200032, "DS", [1, 2, 3 + 1.5 * k])]]),
               (0x00289145, "SQ", [[(0x00281052, "DS", k), (0x00281053, "DS", 1), (0x00281054, "LO", "HU")]])]
              for k in order]
    shared = [[(0x00209116, "SQ", [[(0x00200037, "DS", [1, 0, 0, 0, 1, 0])]]),
               (0x00289110, "SQ", [[(0x00180050, "DS", 1.5), (0x00280030, "DS", [0.5, 0.25])]])]]
    pixels = b"".join(dicom.ramp(8, 6, 100 * k) for k in order)
    dicom.write(path, dicom.identity("1.2.3.8", "1.2.3.8.1", "CT", "1.2.840.10008.5.1.4.1.1.2.1")
                + dicom.picture(8, 6, pixels, frames=4)
                + [(0x52009229, "SQ", shared), (0x52009230, "SQ", groups)])
    r = run("info", path)
    assert r["dims"] == [8, 6, 4], r
    close(r["origin_mm"], [1, 2, 3])
    close(r["spacing_mm"], [0.25, 0.5, 1.5])
    _, values = raw_values(scratch, path)
    close([values[48 * k] for k in range(4)], [101 * k for k in range(4)])


def test_multi_frame(scratch):
    """Frames along the normal: RT dose by its offsets, NM by its detector and spacing; else runs."""
    def three(name, modality, sop_class, rows, located=True):
        path = os.path.join(scratch, name)
        pixels = b"".join(dicom.ramp(8, 6, 100 * t) for t in range(3))
        where = dicom.place((1, 2, 3)) if located else [(0x00280030, "DS", [0.5, 0.25])]
        dicom.write(path, dicom.identity("1.2.3.14", "1.2.3.14.1", modality, sop_class) + where
                    + dicom.picture(8, 6, pixels, frames=3) + rows)
        return path

    dose = three("dose", "RTDOSE", "1.2.840.10008.5.1.4.1.1.481.2",
                 [(0x30040002, "CS", "GY"), (0x3004000c, "DS", [0, 4, 8]), (0x3004000e, "DS", 0.5)])
    r = run("info", dose)
    assert r["dims"] == [8, 6, 3] and r["unit"] == "Gy", r
    close(r["origin_mm"], [1, 2, 3])
    close(r["spacing_mm"], [0.25, 0.5, 4])
    close(r["value_max"], 257 / 2)
    detector = [(0x00540022, "SQ", [[(0x00200032, "DS", [5, 6, 7]), (0x00200037, "DS", [1, 0, 0, 0, 1, 0])]])]
    for step in (2.5, -2.5):
        nm = three(f"nm{step}", "NM", "1.2.840.10008.5.1.4.1.1.20",
                   detector + [(0x00180088, "DS", step), (0x00180050, "DS", abs(step))], located=False)
        r = run("info", nm)
        assert r["dims"] == [8, 6, 3] and r["side_known"], r
        close(r["origin_mm"], [5, 6, 7 if step > 0 else 2])
        _, values = raw_values(scratch, nm)
        assert [values[48 * k] for k in range(3)] == ([0, 100, 200] if step > 0 else [200, 100, 0])
    r = run("info", three("run", "XA", "1.2.840.10008.5.1.4.1.1.12.1", [(0x00181164, "DS", [0.3, 0.3])],
                          located=False))
    assert r["dims"] == [8, 6, 1] and r["n_frames"] == 3 and not r["side_known"], r


def test_mosaic(scratch):
    """Three tiles of 4 x 4 in a picture of 8 x 8; the file's place is that of a slice of 8 x 8."""
    pixels = bytearray(128)
    for t in range(3):
        for j in range(4):
            for i in range(4):
                u, v = 4 * (t % 2) + i, 4 * (t // 2) + j
                struct.pack_into("<H", pixels, 2 * (8 * v + u), 100 * t + i + 10 * j)
    for along in (1, -1):
        path = os.path.join(scratch, f"mosaic{along}")
        header = dicom.csa({"EchoLinePosition": [], "NumberOfImagesInMosaic": ["3"],
                            "SliceNormalVector": ["0.0", "0.0", f"{along}.0"]})
        dicom.write(path, dicom.identity("1.2.3.13", "1.2.3.13.1", "MR", dicom.MR)
                    + dicom.place((-10, -20, 30), spacing=(3, 2)) + dicom.picture(8, 8, bytes(pixels))
                    + [(0x00080008, "CS", "ORIGINAL\\PRIMARY\\M\\MOSAIC"), (0x00180088, "DS", 2.5),
                       (0x00290010, "LO", "SIEMENS CSA HEADER"), (0x00291010, "OB", header)])
        r = run("info", path)
        assert r["dims"] == [4, 4, 3], r
        close(r["spacing_mm"], [2, 3, 2.5])
        # Half of what 8 columns and rows have more than 4: 2 columns of 2 mm, 2 rows of 3 mm.
        _, values = raw_values(scratch, path)
        m = r["affine"]
        for t in range(3):
            z = 30 + along * 2.5 * t
            k = round((z - m[11]) / m[10])
            close([m[3], m[7], m[11] + m[10] * k], [-10 + 4, -20 + 6, z])
            assert values[16 * k:16 * k + 5] == [100 * t, 100 * t + 1, 100 * t + 2, 100 * t + 3, 100 * t + 10]


def test_mosaic_protocol(scratch):
    """Without the header's normal, the protocol tells which way the tiles go: its places of the first
    and the last slice, else the flag for the main axis; with neither, a warning. Places by hand: the
    first tile's corner is (-10 + 4, -20 + 6, 30), its centre 2 columns and 2 rows further."""
    pixels = bytearray(128)
    for t in range(3):
        for j in range(4):
            for i in range(4):
                struct.pack_into("<H", pixels, 2 * (8 * (4 * (t // 2) + j) + 4 * (t % 2) + i), 100 * t + i + 10 * j)

    def places(*tra):
        return "".join(f"sSliceArray.asSlice[{n}].sPosition.d{axis}\t = \t{value}\n" for n, z in enumerate(tra)
                       for axis, value in (("Sag", -2), ("Cor", -8), ("Tra", z)) if value != 0)

    def flag(axis):
        return f"sSliceArray.ucImageNumb{axis}               = 0x1\n"

    count = "sSliceArray.lSize                        = 3\n"
    cases = (("up", count + places(30, 32.5, 35), 1), ("down", count + places(25, 27.5, 30) + flag("Tra"), -1),
             ("down-listed", count + places(30, 27.5, 25), -1), ("flag", count + flag("Tra"), -1),
             ("other-flag", count + flag("Sag") + flag("Cor"), 1), ("no-flag", count, 1),
             ("elsewhere", count + places(125, 127.5, 130) + flag("Tra"), -1), ("none", None, 1))
    for name, text, along in cases:
        path = os.path.join(scratch, name)
        protocol = [] if text is None else [(0x00290010, "LO", "SIEMENS CSA HEADER"),
                                            (0x00291020, "OB", ("### ASCCONV BEGIN ###\n" + text).encode() + b"\0" * 8)]
        dicom.write(path, dicom.identity("1.2.3.14", "1.2.3.14.1", "MR", dicom.MR)
                    + dicom.place((-10, -20, 30), spacing=(3, 2)) + dicom.picture(8, 8, bytes(pixels))
                    + [(0x00080008, "CS", "ORIGINAL\\PRIMARY\\M\\MOSAIC"), (0x00180088, "DS", 2.5),
                       (0x0019100A, "US", 3)] + protocol)
        r = run("info", path)
        assert r["dims"] == [4, 4, 3], (name, r)
        assert ("assumed" in words(r)) == (text is None), (name, r["warnings"])
        _, values = raw_values(scratch, path)
        m = r["affine"]
        for t in range(3):
            k = round((30 + along * 2.5 * t - m[11]) / m[10])
            assert 0 <= k < 3, (name, t, k)
            close([m[3], m[7], m[11] + m[10] * k], [-6, -14, 30 + along * 2.5 * t])
            assert values[16 * k:16 * k + 5] == [100 * t, 100 * t + 1, 100 * t + 2, 100 * t + 3, 100 * t + 10], (name, t)


def test_contours(scratch):
    """A rectangle with a hole on two of five slices: voxel centres inside it, by the even-odd rule."""
    folder = new_folder(scratch, "contours")
    slices(folder, [(-10, -20, 30 + 3 * n) for n in range(5)])

    def contour(z, x0, x1, y0, y1):
        points = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
        return [(0x30060042, "CS", "CLOSED_PLANAR"), (0x30060046, "IS", 4),
                (0x30060050, "DS", [v for x, y in points for v in (x, y, z)])]

    # Columns at -10 + 0.25 i, rows at -20 + 0.5 j.
    outer, inner = (-9.9, -8.4, -19.6, -17.9), (-9.3, -8.9, -19.1, -18.4)
    drawn = [contour(z, *box) for z in (33, 36) for box in (outer, inner)]
    rows = dicom.identity("1.2.3.15", "1.2.3.15.1", "RTSTRUCT", "1.2.840.10008.5.1.4.1.1.481.3")
    rows += [(0x30060010, "SQ", [[(0x00200052, "UI", "1.2.3.200"), (0x30060012, "SQ", [[
        (0x30060014, "SQ", [[(0x0020000e, "UI", "1.2.3.4")]])]])]]),
             (0x30060020, "SQ", [[(0x30060022, "IS", 7), (0x30060026, "LO", "tumour")]]),
             (0x30060039, "SQ", [[(0x30060040, "SQ", drawn), (0x30060084, "IS", 7)]])]
    dicom.write(os.path.join(folder, "structures"), rows)
    listed = run("info", folder)["series"]
    key = next(one["key"] for one in listed if one["modality"] == "RTSTRUCT")
    _, values = raw_values(scratch, folder, f"--series={key}")
    assert len(values) == 8 * 6 * 5

    def inside(box, x, y):
        return box[0] < x < box[1] and box[2] < y < box[3]
    for k in range(5):
        for j in range(6):
            for i in range(8):
                x, y = -10 + 0.25 * i, -20 + 0.5 * j
                want = 7 if k in (1, 2) and inside(outer, x, y) != inside(inner, x, y) else 0
                assert values[(k * 6 + j) * 8 + i] == want, (i, j, k)
    # Alone they have no grid.
    alone = new_folder(scratch, "alone")
    os.rename(os.path.join(folder, "structures"), os.path.join(alone, "structures"))
    assert "1.2.3.4" in run("info", alone, status=1)


def test_spacing(scratch):
    def projection(name, rows, modality="DX"):
        path = os.path.join(scratch, name)
        base = dicom.identity("1.2.3.9", "1.2.3.9.1", modality, "1.2.840.10008.5.1.4.1.1.1.1")
        dicom.write(path, base + dicom.picture(8, 6, dicom.ramp(8, 6, 0)) + rows)
        return run("info", path)

    detector, pixel = (0x00181164, "DS", [0.2, 0.2]), (0x00280030, "DS", [0.15, 0.15])
    r = projection("detector", [detector])
    assert "detector" in words(r) and "uncalibrated" in r["series"][0]["badges"]
    close(r["spacing_mm"][:2], [0.2, 0.2])
    r = projection("equal", [detector, (0x00280030, "DS", [0.2, 0.2])])
    assert "uncalibrated" in r["series"][0]["badges"]
    r = projection("calibrated", [detector, pixel, (0x00280a02, "CS", "FIDUCIAL")])
    assert "uncalibrated" not in r["series"][0]["badges"], r["series"]
    close(r["spacing_mm"][:2], [0.15, 0.15])
    r = projection("nothing", [], "CR")
    assert r["spacing_mm"] is None and "spacing" in words(r)
    r = projection("region", [(0x00186011, "SQ", [[
        (0x00186018, "UL", 0), (0x0018601a, "UL", 0), (0x0018601c, "UL", 7), (0x0018601e, "UL", 5),
        (0x00186024, "US", 3), (0x00186026, "US", 3), (0x0018602c, "FD", 0.03), (0x0018602e, "FD", 0.04)]])], "US")
    close(r["spacing_mm"][:2], [0.3, 0.4])


def test_names(scratch):
    for charset, raw, name in (("ISO_IR 100", "Müller^Jörg".encode("latin-1"), "Müller^Jörg"),
                               ("ISO_IR 192", "Ünal^Şule".encode(), "Ünal^Şule"),
                               ("ISO_IR 144", "Иванов^Пётр".encode("iso8859-5"), "Иванов^Пётр"),
                               ("GB18030", "王^小东".encode("gb18030"), "王^小东"),
                               ("\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B",
                                "Yamada^Tarou=山田^太郎")):
        path = os.path.join(scratch, "name")
        dicom.write(path, dicom.identity("1.2.3.10", "1.2.3.10.1") + dicom.place((0, 0, 0))
                    + dicom.picture(8, 6, dicom.ramp(8, 6, 0))
                    + [(0x00080005, "CS", charset), (0x00100010, "PN", raw)])
        assert run("info", path)["series"][0]["patient"]["name"] == name, charset


def check_written(path, modality):
    with open(path, "rb") as file:
        data = file.read()
    assert data[:128] == bytes(128) and data[128:132] == b"DICM", "a preamble of zeros"
    p = run("provenance", path)
    assert p["inputs"][0]["sha256"] and p["command"] and p["version"], p
    if pydicom is None:
        return None
    d = pydicom.dcmread(path)
    assert d.Modality == modality and d.file_meta.TransferSyntaxUID == dicom.EXPLICIT
    for value in d.iterall():
        assert value.VR != "UI" or not value.value or pydicom.uid.UID(str(value.value)).is_valid or \
            value.VM != 1, value
    return d


def test_out(scratch):
    folder = new_folder(scratch, "reference")
    slices(folder, [(-10, -20, 30 + 3 * n) for n in range(5)])
    # Labels, filed under the series that they were drawn on.
    seg = os.path.join(scratch, "seg.dcm")
    case = new_folder(scratch, "case")
    run("phantom", case, "--kind=head", "--size=32", "--tumour")
    labels = os.path.join(case, "labels.nii.gz")
    r = run("convert", labels, seg, f"--reference={folder}")
    again = run("info", seg)
    assert again["kind"] == "labels" and again["modality"] == "SEG"
    close(again["value_sum"], run("info", labels)["value_sum"])
    back = os.path.join(scratch, "back.nii.gz")
    run("convert", seg, back, f"--like={labels}", "--interpolation=nearest")
    same = run("evaluate", "labels", back, labels)
    assert all(abs(v["dice"] - 1) < 1e-12 for v in same["regions"].values() if v["dice"] is not None), same
    d = check_written(seg, "SEG")
    if d is not None:
        assert str(d.PatientName) == "Doe^Jane" and d.StudyInstanceUID == "1.2.3.100"
        assert d.FrameOfReferenceUID == "1.2.3.200" and d.SeriesInstanceUID != "1.2.3.4"
        assert d.ReferencedSeriesSequence[0].SeriesInstanceUID == "1.2.3.4"
        assert d.pixel_array.shape[1:] == (again["dims"][1], again["dims"][0])
        assert len(d.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == 5
    # Labels on the grid of the series: each frame names the slice that it was drawn on.
    on_grid, seg_on_grid = os.path.join(scratch, "on-grid.nii.gz"), os.path.join(scratch, "on-grid.dcm")
    run("convert", labels, on_grid, f"--like={folder}", "--interpolation=nearest")
    run("convert", on_grid, seg_on_grid, f"--reference={folder}")
    d = check_written(seg_on_grid, "SEG")
    if d is not None:
        assert d.NumberOfFrames >= 2, d.NumberOfFrames
        for group in d.PerFrameFunctionalGroupsSequence:
            source = group.DerivationImageSequence[0].SourceImageSequence[0]
            z = float(group.PlanePositionSequence[0].ImagePositionPatient[2])
            assert source.ReferencedSOPInstanceUID == f"1.2.3.4.{round((z - 30) / 3)}", (z, source)
            assert source.ReferencedSOPClassUID == dicom.CT
    # A surface.
    mesh = os.path.join(scratch, "mesh.dcm")
    made = run("mesh", labels, mesh, "--label=all", f"--reference={folder}")
    read = run("info", mesh)
    assert read["kind"] == "mesh", read
    d = check_written(mesh, "M3D")
    if d is not None:
        assert d.MIMETypeOfEncapsulatedDocument == "model/stl"
        n = struct.unpack_from("<I", d.EncapsulatedDocument, 80)[0]
        assert n == made["n_triangles"] and len(d.EncapsulatedDocument) >= 84 + 50 * n
    # A slice, a picture of one, and a turntable.
    cut, png = os.path.join(scratch, "cut.dcm"), os.path.join(scratch, "cut.png")
    run("slice", folder, cut, "--plane=axial", "--index=2", "--window=200,200")
    run("slice", folder, png, "--plane=axial", "--index=2", "--window=200,200")
    d = check_written(cut, "OT")
    if d is not None:
        assert str(d.PatientID) == "ID-42" and d.BurnedInAnnotation == "YES"
        assert d.pixel_array.size == run("info", png)["dims"][0] * run("info", png)["dims"][1]
    photo = os.path.join(scratch, "photo.dcm")
    r = run("convert", png, photo)  # a picture of nobody
    assert any("identity" in w for w in r["warnings"]), r
    check_written(photo, "OT")
    turn = os.path.join(scratch, "turn.dcm")
    run("render", os.path.join(case, "t1.nii.gz"), turn, "--turntable=3", "--size=32x32")
    d = check_written(turn, "OT")
    assert run("info", turn)["n_frames"] == 3
    if d is not None:
        assert d.NumberOfFrames == 3 and d.pixel_array.shape == (3, 32, 32, 3)
        assert d.SOPClassUID == "1.2.840.10008.5.1.4.1.1.7.4"
    # Volumes are not written, two patients do not meet, what is there stays.
    assert "volume" in run("convert", folder, os.path.join(scratch, "volume.dcm"), status=1)
    assert "--force" in run("convert", labels, seg, f"--reference={folder}", status=1)
    other = new_folder(scratch, "other")
    slices(other, [(0, 0, 3 * n) for n in range(3)], lambda n: [(0x00100020, "LO", "ID-43")], patient="Roe^Rob")
    refused = run("mesh", folder, os.path.join(scratch, "x.dcm"), "--iso=200", f"--reference={other}", status=1)
    assert "patient" in refused.lower(), refused
    assert not os.path.exists(os.path.join(scratch, "x.dcm"))


def test_patients(scratch):
    """Contrasts of two people never become one picture, whichever of them lies between."""
    first, second = new_folder(scratch, "first-patient"), new_folder(scratch, "second-patient")
    slices(first, [(0, 0, 3 * n) for n in range(3)])
    slices(second, [(0, 0, 3 * n) for n in range(3)], lambda n: [(0x00100020, "LO", "ID-43")], patient="Roe^Rob")
    nobody, out = os.path.join(scratch, "nobody.npy"), os.path.join(scratch, "tumour.nii.gz")
    run("convert", first, nobody)
    for contrasts in ((first, second), (first, nobody, second), (nobody, first, second)):
        given = [f"--{name}={path}" for name, path in zip(("t1", "t1ce", "t2"), contrasts)]
        refused = run("segment", *given, "-o", out, status=1)
        assert "Doe" in refused and "Roe" in refused and "--override-patient" in refused, refused
    refused = run("register", "volumes", first, second, status=1)
    assert "Doe" in refused and "Roe" in refused, refused
    assert not os.path.exists(out)


def all_bytes(folder):
    out = b""
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            out += file.read()
    return out


def test_anonymize(scratch):
    folder, clean = new_folder(scratch, "named"), os.path.join(scratch, "clean")
    slices(folder, [(0, 0, 3 * n) for n in range(3)],
           lambda n: [(0x00091001, "LO", "Jane Doe's private"), (0x00090010, "LO", "MAKER"),
                      (0x00324000, "LT", "seen by Dr Who"), (0x00081140, "SQ", [[
                          (0x00081155, "UI", "1.2.3.4.0")]])])
    table = os.path.join(scratch, "map.csv")
    r = run("anonymize", folder, clean, f"--uid-map={table}")
    assert r["n_files"] == 3 and r["removed"] and any("burned" in w.lower() for w in r["warnings"]) is False
    data = all_bytes(clean)
    for secret in (b"Doe", b"Jane", b"ID-42", b"19500607", b"Elsewhere", b"Dr Who", b"1.2.3.4", b"1.2.3.100",
                   b"20260102"):
        assert secret not in data, secret
    assert b"Anonymous" in data
    info = run("info", clean)
    assert info["dims"] == [8, 6, 3] and info["value_sum"] == run("info", folder)["value_sum"]
    with open(table, encoding="utf-8") as file:
        rows = dict(line.rstrip("\n").rsplit(",", 1) for line in file)
    assert rows['"1.2.3.4"'] == info["series"][0]["uid"], rows
    if pydicom is not None:
        names = sorted(os.listdir(clean))
        read = [pydicom.dcmread(os.path.join(clean, name)) for name in names]
        assert all(d.PatientIdentityRemoved == "YES" and d.DeidentificationMethodCodeSequence for d in read)
        first = next(d for d in read if d.ImagePositionPatient[2] == 0)
        for d in read:  # a reference within the set still holds
            if "ReferencedImageSequence" in d:
                assert d.ReferencedImageSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID
    # Options, and text that may be burned in.
    kept = os.path.join(scratch, "kept")
    run("anonymize", folder, kept, "--keep=dates,uids", "--name=Case^Seven", "--id=7")
    data = all_bytes(kept)
    assert b"20260102" in data and b"1.2.3.100" in data and b"Case^Seven" in data and b"Doe" not in data
    burned = new_folder(scratch, "burned")
    dicom.write(os.path.join(burned, "a"), dicom.identity("1.2.3.11", "1.2.3.11.1", "US", "1.2.840.10008.5.1.4.1.1.6.1")
                + dicom.picture(8, 6, dicom.ramp(8, 6, 0)) + [(0x00280301, "CS", "YES")])
    r = run("anonymize", burned, os.path.join(scratch, "burned-out"))
    assert any("burned" in w.lower() for w in r["warnings"]), r["warnings"]
    assert "--force" in run("anonymize", burned, os.path.join(scratch, "burned-out"), status=1)
    run("anonymize", burned, os.path.join(scratch, "z"), "--keep=everything", status=2)


def test_harm(scratch):
    def refused(name, data):
        path = os.path.join(scratch, name)
        with open(path, "wb") as file:
            file.write(data)
        start = time.monotonic()
        text = run("info", path, status=1)
        assert time.monotonic() - start < 20 and name in text, text
        return text

    good = os.path.join(scratch, "good")
    rows = dicom.identity("1.2.3.12", "1.2.3.12.1") + dicom.place((0, 0, 0)) + \
        dicom.picture(8, 6, dicom.ramp(8, 6, 0))
    dicom.write(good, rows, preamble=b"MZ\x90\0")
    r = run("info", good)
    assert "program" in words(r) and "odd preamble" in r["series"][0]["badges"]
    with open(good, "rb") as file:
        data = file.read()
    refused("cut", data[:-50])
    huge = os.path.join(scratch, "huge")
    dicom.write(huge, rows + [(0x00280010, "US", 65535), (0x00280011, "US", 65535)])
    assert "cut short" in run("info", huge, status=1)
    level = bytes.fromhex("08001511") + b"SQ\0\0\xff\xff\xff\xff" + bytes.fromhex("feff00e0ffffffff")
    head = bytes(128) + b"DICM" + dicom.element(0x00020010, "UI", dicom.EXPLICIT)
    refused("deep", head + level * 100000)
    refused("syntax", bytes(128) + b"DICM" + dicom.element(0x00020010, "UI", "1.2.3.4.5.6")
            + dicom.elements(rows))


def main():
    tests = [test_series, test_planes, test_faults, test_convert_warns, test_frames, test_diffusion, test_values, test_suv, test_enhanced, test_multi_frame, test_mosaic, test_mosaic_protocol, test_contours, test_spacing,
             test_names, test_out, test_patients, test_anonymize, test_harm]
    print(f"1..{len(tests)}")
    failed = 0
    for number, test in enumerate(tests, 1):
        with tempfile.TemporaryDirectory() as scratch:
            try:
                test(scratch)
                print(f"ok {number} {test.__name__}", flush=True)
            except Exception as problem:  # the next test still tells something
                failed += 1
                line = problem.__traceback__
                while line.tb_next:
                    line = line.tb_next
                print(f"not ok {number} {test.__name__}: line {line.tb_lineno}: {problem!r}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
