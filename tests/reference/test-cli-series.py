#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bregma-cli on a folder, a CD with a DICOMDIR, and archives: the series are listed, one is chosen, and
all commands read the same voxels from each. The DICOM files are written here, tag by tag."""
import io
import json
import os
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import cli_files

CLI = sys.argv[1]
CT, MEDIA = b"1.2.840.10008.5.1.4.1.1.2", b"1.2.840.10008.1.3.10"
UIDS = {"head": "1.2.826.0.1.99.1", "hip": "1.2.826.0.1.99.2"}
DIMS = (8, 6)


def run(*args, status=0):
    done = subprocess.run([CLI, *map(str, args)], capture_output=True, text=True, check=False)
    assert done.returncode == status, f"{args}: status {done.returncode}, not {status}: {done.stderr}"
    if status:
        assert done.stderr.startswith("bregma-cli: ") and done.stdout == "", done.stderr
        assert len(done.stderr.splitlines()) == (2 if status == 2 else 1), done.stderr
    return done


def run_json(*args):
    return json.loads(run("--json", *args).stdout)


# DICOM, explicit VR little endian

def element(group, number, vr, value):
    if isinstance(value, str):
        value = value.encode()
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB") else b" "
    head = struct.pack("<HH", group, number) + vr.encode()
    if vr in ("OB", "OW", "SQ"):
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def whole(sop_class, uid, data):
    meta = (element(2, 1, "OB", b"\0\1") + element(2, 2, "UI", sop_class) + element(2, 3, "UI", uid) +
            element(2, 0x10, "UI", "1.2.840.10008.1.2.1") + element(2, 0x12, "UI", "1.2.826.0.1.99"))
    return b"\0" * 128 + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(meta))) + meta + data


def value_at(name, i, j, k):
    return (100 if name == "head" else -300) + 7 * i + 11 * j + 50 * k


def ct_slice(name, k, n):
    """Slice k of n, 2.5 mm apart along the patient's feet-to-head axis; numbered the other way round."""
    uid, number = UIDS[name], "3" if name == "head" else "12"
    us = lambda v: struct.pack("<H", v)
    pixels = [value_at(name, i, j, k) + 1024 for j in range(DIMS[1]) for i in range(DIMS[0])]
    data = [
        element(8, 0x16, "UI", CT), element(8, 0x18, "UI", f"{uid}.{k + 1}"), element(8, 0x20, "DA", "20260102"),
        element(8, 0x60, "CS", "CT"), element(8, 0x103E, "LO", name + " axial"),
        element(0x10, 0x10, "PN", "Bell^Ann"), element(0x10, 0x20, "LO", "77"), element(0x18, 0x50, "DS", "2.5"),
        element(0x20, 0x0D, "UI", "1.2.826.0.1.99.0"), element(0x20, 0x0E, "UI", uid),
        element(0x20, 0x11, "IS", number), element(0x20, 0x13, "IS", str(n - k)),
        element(0x20, 0x32, "DS", f"-10\\20\\{-30 + 2.5 * k}"), element(0x20, 0x37, "DS", "1\\0\\0\\0\\1\\0"),
        element(0x20, 0x52, "UI", "1.2.826.0.1.99.9"),
        element(0x28, 2, "US", us(1)), element(0x28, 4, "CS", "MONOCHROME2"), element(0x28, 0x10, "US", us(DIMS[1])),
        element(0x28, 0x11, "US", us(DIMS[0])), element(0x28, 0x30, "DS", "0.75\\0.5"), element(0x28, 0x100, "US", us(16)),
        element(0x28, 0x101, "US", us(16)), element(0x28, 0x102, "US", us(15)), element(0x28, 0x103, "US", us(1)),
        element(0x28, 0x1052, "DS", "-1024"), element(0x28, 0x1053, "DS", "1"),
        element(0x7FE0, 0x10, "OW", struct.pack(f"<{len(pixels)}h", *pixels))]
    return whole(CT, f"{uid}.{k + 1}", b"".join(data))


def directory(files):
    """A DICOMDIR whose offsets are all nought, as bad burners write them: the files it names count."""
    records = b""
    for kind, names in [("PATIENT", None), ("STUDY", None), ("SERIES", None)] + [("IMAGE", f) for f in files]:
        record = (element(4, 0x1400, "UL", bytes(4)) + element(4, 0x1410, "US", b"\xff\xff") +
                  element(4, 0x1420, "UL", bytes(4)) + element(4, 0x1430, "CS", kind))
        if names is not None:
            record += element(4, 0x1500, "CS", "\\".join(names))
        records += b"\xfe\xff\x00\xe0" + struct.pack("<I", len(record)) + record
    data = (element(4, 0x1130, "CS", "DISC") + element(4, 0x1200, "UL", bytes(4)) + element(4, 0x1202, "UL", bytes(4)) +
            element(4, 0x1212, "US", bytes(2)) + element(4, 0x1220, "SQ", records))
    return whole(MEDIA, "1.2.826.0.1.99.7", data)


class Case:
    """A folder, a CD, archives of both; the two series as NIfTI, written without bregma."""

    def __init__(self, folder):
        self.folder = folder
        self.slices = {"head": [ct_slice("head", k, 5) for k in range(5)], "hip": [ct_slice("hip", k, 4) for k in range(4)]}
        for name, slices in self.slices.items():
            for k, data in enumerate(slices):
                # Neither the names nor the folders follow the patient.
                self.write(f"study/{name}{(k * 3) % 7}/IM{9 - k}", data)
                self.write(f"cd/DICOM/{name.upper()}/I{9 - k}", data)
        self.write("study/readme.txt", b"nothing of interest\n")
        self.write("study/head0/thumbs.db", b"\0\1\2\3" * 64)
        self.write("cd/AUTORUN.INF", b"[autorun]\nopen=viewer.exe\n")
        self.write("cd/VIEWER/viewer.exe", b"MZ" + bytes(500))
        self.write("cd/DICOMDIR", directory([("DICOM", n.upper(), f"I{9 - k}") for n, s in self.slices.items() for k in range(len(s))]))
        with zipfile.ZipFile(self.at("portal.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
            for root, _, files in os.walk(self.at("study")):
                for name in files:
                    archive.write(os.path.join(root, name), os.path.relpath(os.path.join(root, name), self.at("study")))
        with tarfile.open(self.at("cd.tar.gz"), "w:gz") as archive:
            archive.add(self.at("cd"), "cd")

    def at(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        os.makedirs(os.path.dirname(self.at(name)), exist_ok=True)
        with open(self.at(name), "wb") as out:
            out.write(data)

    def places(self):
        return [self.at(p) for p in ("study", "cd", "cd/DICOMDIR", "portal.zip", "cd.tar.gz")]


def total(name, n):
    return sum(value_at(name, i, j, k) for i in range(DIMS[0]) for j in range(DIMS[1]) for k in range(n))


def test_listed(case):
    for place in case.places():
        r = run_json("info", place)
        found = {s["uid"]: s for s in r["series"]}
        assert len(r["series"]) == 2 and set(found) == set(UIDS.values()), (place, r["series"])
        assert [s["number"] for s in r["series"]] == [3, 12], place
        head = found[UIDS["head"]]
        assert head["description"] == "head axial" and head["n_slices"] == 5 and head["n_files"] == 5, head
        assert head["dims"] == [8, 6, 5] and head["spacing_mm"] == [0.5, 0.75, 2.5], head
        assert head["patient"]["name"] == "Bell^Ann" and head["loadable"] and head["badges"] == [], head


def test_chosen(case):
    for place in case.places():
        for name, n, place_in_list in (("head", 5, 0), ("hip", 4, 1)):
            for wanted in (UIDS[name], str(place_in_list)):
                r = run_json("info", place, f"--series={wanted}")
                assert r["value_sum"] == total(name, n), (place, wanted, r["value_sum"])
                assert r["dims"] == [8, 6, n] and r["modality"] == "CT" and r["unit"] == "HU"
                assert r["affine"] == [0.5, 0, 0, -10, 0, 0.75, 0, 20, 0, 0, 2.5, -30, 0, 0, 0, 1], r["affine"]
        assert run_json("info", place)["value_sum"] == total("head", 5)  # the first


def read_nifti(path):
    with open(path, "rb") as file:
        data = file.read()
    n = struct.unpack_from("<8h", data, 40)
    kind, = struct.unpack_from("<h", data, 70)
    offset, slope, inter = struct.unpack_from("<3f", data, 108)
    form = {2: "B", 4: "h", 16: "f", 256: "b", 512: "H"}[kind]
    values = struct.unpack_from(f"<{n[1] * n[2] * n[3]}{form}", data, int(offset))
    rows = [struct.unpack_from("<4f", data, 280 + 16 * r) for r in range(3)]
    return n[1:4], [v * (slope or 1) + (inter if slope else 0) for v in values], rows


def test_convert(case):
    for n, place in enumerate(case.places()):
        run("convert", place, case.at("x.nii"), status=2)  # which?
        out = case.at(f"hip-{n}.nii")
        run("convert", place, out, "--series=" + UIDS["hip"])
        dims, values, rows = read_nifti(out)
        assert dims == (8, 6, 4), dims
        wanted = [value_at("hip", i, j, k) for k in range(4) for j in range(6) for i in range(8)]
        assert values == wanted, (place, values[:8], wanted[:8])
        # RAS: x and y change signs.
        assert rows == [(-0.5, 0, 0, 10), (0, -0.75, 0, -20), (0, 0, 2.5, -30)], rows
    assert not os.path.exists(case.at("x.nii"))


def test_commands(case):
    """What is read from the folder and from the converted file is one picture, one mesh, one filter."""
    run("convert", case.at("study"), case.at("one.nii"), "--series=0")
    for n, place in enumerate(case.places() + [case.at("one.nii")]):
        args = [] if place.endswith(".nii") else ["--series=0"]
        run("slice", place, case.at(f"slice-{n}.png"), "--plane=coronal", "--index=2", "--window=250,400", *args)
        run("filter", "median", place, case.at(f"median-{n}.nii"), "--radius=1", *args)
        run("mesh", place, case.at(f"mesh-{n}.stl"), "--iso=250", *args)
        run("render", place, case.at(f"render-{n}.png"), "--preset=ct-bone", "--size=64x48", *args)
    picture = cli_files.read_png(case.at("slice-0.png"))[3]
    for n in range(1, len(case.places()) + 1):
        assert cli_files.read_png(case.at(f"slice-{n}.png"))[3] == picture, n
        assert cli_files.read_png(case.at(f"render-{n}.png"))[3] == cli_files.read_png(case.at("render-0.png"))[3], n
        assert read_nifti(case.at(f"median-{n}.nii")) == read_nifti(case.at("median-0.nii")), n
        with open(case.at("mesh-0.stl"), "rb") as a, open(case.at(f"mesh-{n}.stl"), "rb") as b:
            assert a.read()[80:] == b.read()[80:], n


def test_one_file(case):
    """One slice is one slice: what lies beside it is another matter."""
    r = run_json("info", case.at("study/head0/IM9"))
    assert r["dims"] == [8, 6, 1] and r["value_sum"] == total("head", 1), r


def test_again(case):
    out = case.at("again.nii")
    run("convert", case.at("portal.zip"), out, "--series=" + UIDS["head"])
    made = run_json("provenance", out)
    assert made["command"] == "convert" and made["parameters"]["options"] == ["--series=" + UIDS["head"]], made
    r = run_json("again", out, "-o", case.at("again-2.nii"))
    assert r["equal"] is True, r


def test_refused(case):
    run("info", case.at("study"), "--series=1.2.3.4", status=1)
    run("info", case.at("study"), "--series=2", status=1)
    run("info", case.at("study"), "--series=-1", status=1)
    os.makedirs(case.at("empty/inner"), exist_ok=True)
    for name in ("empty", "nowhere", "cd/VIEWER"):
        done = run("info", case.at(name), status=1)
        assert done.stderr.count("cannot read") == 1, done.stderr
    case.write("text/report.dcm", whole("1.2.840.10008.5.1.4.1.1.88.11", "1.2.826.0.1.99.5", element(8, 0x60, "CS", "SR")))
    done = run("info", case.at("text/report.dcm"), status=1)
    assert done.stderr.count("cannot read") == 1, done.stderr
    case.write("broken/DICOMDIR", directory([("DICOM", "MISSING", "I1")]))
    run("info", case.at("broken/DICOMDIR"), status=1)
    # A directory that leads out of its own folder leads nowhere.
    case.write("liar/DICOMDIR", directory([("..", "study", "head0", "IM9")]))
    run("info", case.at("liar/DICOMDIR"), status=1)


def test_partly(case):
    """A damaged file among good ones is said, and the rest is shown."""
    for k, data in enumerate(case.slices["head"]):
        case.write(f"partly/{k}.dcm", data if k != 2 else data[:len(data) - 40])
    r = run_json("info", case.at("partly"))
    words = " ".join(r["warnings"] + [w for s in r["series"] for w in s["warnings"]])
    assert r["dims"][:2] == [8, 6] and words != "", r
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for k, data in enumerate(case.slices["head"]):
            archive.writestr(f"../../../{k}.dcm", data)
    case.write("rude.zip", buffer.getvalue())
    r = run_json("info", case.at("rude.zip"))
    assert r["dims"] == [8, 6, 5] and r["value_sum"] == total("head", 5), r
    assert not os.path.exists(os.path.join(case.folder, "..", "0.dcm"))


TESTS = [test_listed, test_chosen, test_convert, test_commands, test_one_file, test_again, test_refused, test_partly]


def main():
    n_failed = 0
    print(f"1..{len(TESTS)}")
    with tempfile.TemporaryDirectory() as folder:
        case = Case(folder)
        for number, test in enumerate(TESTS, 1):
            try:
                test(case)
                print(f"ok {number} {test.__name__}")
            except (AssertionError, KeyError, IndexError, OSError, ValueError, struct.error) as fault:
                n_failed += 1
                print(f"not ok {number} {test.__name__}\n# {type(fault).__name__}: {fault}")
    return 1 if n_failed else 0


sys.exit(main())
