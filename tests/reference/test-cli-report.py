#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bregma-cli report from outside: the identity and the numbers are read back from the page and, by
pdftotext where that is installed, from the PDF. Usage: test-cli-report.py BREGMA_CLI"""
import hashlib
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import dicom_files as dicom

CLI = sys.argv[1]
CONTRASTS = ("t1", "t1ce", "t2", "flair")


def run(*args, status=0):
    done = subprocess.run([CLI, *map(str, args)], capture_output=True, text=True, check=False)
    assert done.returncode == status, f"{args}: status {done.returncode}, not {status}: {done.stderr}"
    return done.stderr if status else done.stdout


def run_json(*args):
    return json.loads(run("--json", "--quiet", *args))


class Page(html.parser.HTMLParser):
    """Cells of all rows, the words, and where pictures are from."""

    def __init__(self, path):
        super().__init__()
        self.rows, self.words, self.sources, self.inside = [], "", [], False
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        self.feed(self.text)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        self.inside = tag in ("td", "th")
        self.sources += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        self.words += data
        if self.inside:
            self.rows[-1].append(data)

    def row(self, name, n):
        """The one with so many cells."""
        return [row for row in self.rows if row and row[0] == name and len(row) == n][0]


class Case:
    def __init__(self, folder):
        self.folder = folder
        self.head, self.other = os.path.join(folder, "head"), os.path.join(folder, "other")
        for where, seed in ((self.head, 3), (self.other, 4)):
            run("--quiet", f"--seed={seed}", "phantom", where, "--kind=head", "--size=56", "--tumour", "--photo-size=0x0")
        self.scans = [os.path.join(self.head, name + ".nii.gz") for name in CONTRASTS]
        self.truth, self.label = os.path.join(self.head, "labels.nii.gz"), os.path.join(self.other, "labels.nii.gz")

    def at(self, name):
        return os.path.join(self.folder, name)


def test_page(case):
    out = case.at("r.html")
    run("report", *case.scans, f"--label={case.label}", f"--truth={case.truth}", "-o", out)
    page = Page(out)
    numbers = run_json("evaluate", "labels", case.label, case.truth, "--regions=brats")["regions"]
    for region in ("WT", "TC", "ET"):
        compared, size = page.row(region, 8), page.row(region, 6)
        assert compared[1] == f"{numbers[region]['dice']:.4f}", (region, compared, numbers[region])
        assert compared[4] == f"{numbers[region]['hd95_mm']:.2f}", (region, compared, numbers[region])
        assert compared[6] == size[1], (compared, size)
        longest, across = map(float, size[3].split(" × "))
        assert longest >= across > 0 and abs(longest * across - float(size[4])) < 0.06 * (longest + across), size
    truth = json.load(open(os.path.join(case.other, "truth.json"), encoding="utf-8"))["tumour"]["volumes_ml"]
    assert page.row("Oedema", 6)[1] == f"{truth['2']:.2f}", (page.row("Oedema", 6), truth)
    assert "Not for diagnosis" in page.words and "do not say whose scans" in page.words
    assert len(page.sources) == 4 and all(s.startswith("data:image/png;base64,") for s in page.sources)
    assert '"command":"report"' in page.words and case.scans[0] in page.words
    with open(case.scans[0], "rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() in page.words
    assert run("report", *case.scans, "-o", out, status=1)  # is there
    assert run("report", *case.scans, "-o", case.at("r.txt"), status=2)
    assert run("report", *case.scans, f"--truth={case.truth}", "-o", case.at("x.html"), status=2)


def test_pdf_has_the_same(case):
    if shutil.which("pdftotext") is None:
        return "SKIP pdftotext is missing"
    out = case.at("r.pdf")
    run("report", *case.scans, f"--label={case.label}", f"--truth={case.truth}", "-o", out)
    page = Page(case.at("r.html"))
    text = subprocess.run(["pdftotext", "-layout", out, "-"], capture_output=True, text=True, check=True).stdout
    info = subprocess.run(["pdfinfo", out], capture_output=True, text=True, check=True).stdout
    n_pages = int(re.search(r"Pages:\s+(\d+)", info)[1])
    assert "(A4)" in info and n_pages >= 2, info
    for region in ("WT", "TC", "ET"):
        for row in (page.row(region, 8), page.row(region, 6)):
            assert re.search(r"\s+".join(map(re.escape, row)), text), (row, text)
    leaves = text.split("\f")[:n_pages]
    for number, leaf in enumerate(leaves, 1):  # what no page may lose
        assert re.search(r"Not for diagnosis · written by bregma.*\s%d\s*$" % number, leaf), leaf
    images = subprocess.run(["pdfimages", "-list", out], capture_output=True, text=True, check=True).stdout
    assert len([line for line in images.split("\n") if " image " in line]) == 4, images
    return None


def test_says_who(case):
    folder = case.at("jane")
    os.mkdir(folder)
    for n in range(5):
        rows = dicom.identity("1.2.3.4", f"1.2.3.4.{n}", number=n + 1, modality="MR")
        rows += dicom.place((-10, -20, 30 + 3 * n)) + dicom.picture(8, 6, dicom.ramp(8, 6, 100 * n))
        dicom.write(os.path.join(folder, str(n)), rows)
    out = case.at("jane.html")
    run("report", folder, "-o", out)
    page = Page(out)
    assert page.row("Name", 2)[1] == "Doe^Jane" and page.row("Number", 2)[1] == "ID-42"
    assert page.row("Born", 2)[1] == "1950-06-07" and page.row("Sex", 2)[1] == "F"
    assert page.row("Its date", 2)[1] == "2026-01-02", page.rows[:8]
    assert "Head of Jane Doe" in page.row("First scan’s study", 2)[1]
    assert "do not say whose" not in page.words
    footer = page.text.split("<footer>")[1]
    assert "Doe" in footer and "ID-42" in footer and "Not for diagnosis" in footer, footer


def test_side_that_nobody_knows(case):
    """Of a file that does not say what is left."""
    out = case.at("side.html")
    run("convert", case.scans[0], case.at("t.nrrd"))
    with open(case.at("t.nrrd"), "rb") as file:
        data = file.read()
    head, voxels = data.split(b"\n\n", 1)
    lines = [line for line in head.split(b"\n") if not line.startswith(b"space")] + [b"spacings: 4 4 4"]
    with open(case.at("t.nrrd"), "wb") as file:
        file.write(b"\n".join(lines) + b"\n\n" + voxels)
    run("report", case.at("t.nrrd"), "-o", out)
    assert "does not say where left and right are" in Page(out).words


def main():
    tests = [(name, test) for name, test in sorted(globals().items()) if name.startswith("test_")]
    tests.sort(key=lambda one: one[1].__code__.co_firstlineno)
    failed = 0
    print(f"1..{len(tests)}")
    with tempfile.TemporaryDirectory() as folder:
        case = Case(folder)
        for number, (name, test) in enumerate(tests, 1):
            try:
                said = test(case)
                print(f"ok {number} {name}" + (f" # {said}" if said else ""))
            except Exception as error:  # the next tests still tell something
                failed = 1
                print(f"not ok {number} {name}")
                print("\n".join("# " + line for line in f"{type(error).__name__}: {error}"[:3000].split("\n")))
    return failed


sys.exit(main())
