#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What leaves the window on paper and in tables, with the command line's numbers; and the slices
that are counted: those of the volume that covers the others.

usage: test-report.py BREGMA BREGMA_CLI
"""
import csv
import json
import os
import re
import subprocess
import sys
import tempfile

import desk
from desk import key, pointer, wait, Window

class Tests:
    def __init__(self, program, cli, folder):
        self.folder, self.program, self.cli = folder, program, cli
        self.phantom = os.path.join(folder, "phantom")
        self.make(self.phantom, 72)
        self.labels = os.path.join(self.phantom, "labels.nii.gz")
        self.window = None

    def make(self, folder, size):
        subprocess.run([self.cli, "--quiet", "phantom", folder, "--kind=head", "--size=%d" % size,
                        "--tumour", "--photo-size=0x0"], check=True, stdout=subprocess.DEVNULL)

    def read(self, name):
        """A text file, once it is written: it comes whole."""
        path = os.path.join(self.folder, name)
        wait(name, lambda: os.path.exists(path))
        with open(path, encoding="utf-8") as file:
            return file.read()

    def volumes(self):
        with open(os.path.join(self.phantom, "truth.json"), encoding="utf-8") as file:
            return json.load(file)["tumour"]["volumes_ml"]

    def test_saves_the_sizes(self):
        scans = [os.path.join(self.phantom, name + ".nii.gz") for name in ("t1", "flair")]
        self.window = Window(self.program, scans + [self.labels],
                             os.path.join(self.folder, "state"), G_DEBUG="fatal-warnings")
        self.window.select("labels")
        wait("the sizes", lambda: self.window.find("WT"))
        self.window.press("Save sizes as CSV")
        self.window.answer_file(os.path.join(self.folder, "sizes.csv"))
        rows = {row[0]: row for row in csv.reader(self.read("sizes.csv").splitlines())}
        truth = self.volumes()
        found = [float(rows[name][3]) for name in ("Necrotic core", "Oedema", "Enhancing tumour")]
        for value, label in zip(found, ("1", "2", "4")):
            assert abs(value - truth[label]) < 0.01, (rows, truth)
        assert abs(float(rows["WT"][3]) - sum(found)) < 0.01, rows

    def test_writes_the_tumour_report(self):
        self.window.press("Report…")
        self.window.answer_file(os.path.join(self.folder, "tumour.html"))
        text = self.read("tumour.html")
        assert text.count("data:image/png;base64,") == 6, text.count("data:image/png;base64,")
        row = re.search(r"<tr><td>Oedema</td><td>([0-9.]+)</td>", text)
        assert row and abs(float(row[1]) - self.volumes()["2"]) < 0.01, text[:3000]
        assert "not for diagnosis" in text

    def test_reports_the_case(self):
        for name in ("case.html", "case.pdf"):
            self.window.action("save-report")
            self.window.answer_file(os.path.join(self.folder, name))
            wait(name, lambda name=name: os.path.exists(os.path.join(self.folder, name)))
        text = self.read("case.html")
        other = os.path.join(self.folder, "cli.html")
        subprocess.run([self.cli, "--quiet", "report", "-o", other, "--label", self.labels] +
                       [os.path.join(self.phantom, name + ".nii.gz") for name in ("t1", "flair")],
                       check=True, stdout=subprocess.DEVNULL)

        def rows(page):
            return [re.findall(r"<t[dh]>([^<]*)", row) for row in
                    re.findall(r"<tr>(.*?)</tr>", page, re.S)]
        # Files come in as they are read: the order of rows is by chance.
        assert sorted(rows(text)) == sorted(rows(self.read("cli.html"))), rows(text)
        assert "Volumes and diameters: labels" in text and "Not for diagnosis" in text
        with open(os.path.join(self.folder, "case.pdf"), "rb") as file:
            assert file.read(5) == b"%PDF-"

    def report_rows(self, name):
        self.window.action("save-report")
        self.window.answer_file(os.path.join(self.folder, name))
        return [re.findall(r"<t[dh]>([^<]*)", row) for row in
                re.findall(r"<tr>(.*?)</tr>", self.read(name), re.S)]

    def kept(self, start):
        """The row of a plan, and its values once they are measured."""
        row = self.window.named(start, desk.Atspi.Role.LIST_ITEM)
        texts = wait("its values", lambda: [
            node.get_name() for node in self.window.walk(row) if ": " in (node.get_name() or "") and
            "mm" in node.get_name()])
        return texts[-1]

    def test_keeps_a_path(self):
        """A ruler across the pane, its distance to a label: in the list, in the report, undone."""
        x, y = self.window.centre(self.window.named("Axial slice"))
        pointer(x - 60, y)
        pointer(x - 60, y, "b1c")
        key(ord("l"))
        desk.drag(x - 60, y - 7, 120, 20)
        key(0xFF1B)
        self.window.named("Keep the path’s distance", desk.Atspi.Role.PUSH_BUTTON)
        self.window.press("Keep the path’s distance")
        values = self.kept("Path 1: Ruler 1 to Necrotic core in labels")
        rows = dict(row for row in self.report_rows("path.html") if len(row) == 2)
        for what in ("Length of the path", "Nearest to it", "Enters it", "Runs inside it"):
            assert "%s: %s" % (what, rows[what]) in values, (what, rows, values)
        ruler = [row for row in self.report_rows("again.html") if len(row) == 4 and
                 row[1].endswith(" mm")]
        assert rows["Length of the path"] == ruler[0][1], (rows, ruler)
        self.window.action("undo")
        wait("no plan", lambda: not self.window.find("Path 1: ", desk.Atspi.Role.LIST_ITEM))
        self.window.action("redo")
        self.kept("Path 1: ")

    def test_keeps_distances_through_a_case(self):
        case = os.path.join(self.folder, "plans.bregma")
        self.window.select("labels")
        self.window.choose("Structure that distances are measured to", 3)
        self.window.press("Keep the distances")
        values = self.kept("Distance 1: ")
        assert "Enhancing tumour: 0.0 mm" in values and "Oedema: " in values, values
        before = self.report_rows("before.html")
        self.window.action("save-as")
        self.window.answer_file(case)
        wait("the case", lambda: os.path.exists(case))
        self.window.close()
        self.window = Window(self.program, [case], os.path.join(self.folder, "state-2"),
                             G_DEBUG="fatal-warnings")
        assert self.kept("Distance 1: ") == values
        self.window.named("labels", desk.Atspi.Role.LIST_ITEM)

        def plans(rows):
            return [row for row in rows if len(row) == 2 and "mm" in row[1]]
        assert plans(self.report_rows("after.html")) == plans(before)
        self.window.close()
        self.window = Window(self.program, [os.path.join(self.phantom, "t1.nii.gz"), self.labels],
                             os.path.join(self.folder, "state-3"), G_DEBUG="fatal-warnings")
        self.window.named("labels", desk.Atspi.Role.LIST_ITEM)

    def slices(self):
        """Which of how many axial slices."""
        name = self.window.named("Axial slice, ").get_name()
        return [int(n) for n in re.findall(r"\d+", name.split(",")[1])[:2]]

    def test_counter_and_wheel_follow_the_covering_volume(self):
        fine = os.path.join(self.folder, "fine")
        self.make(fine, 108)
        before = self.slices()
        path = os.path.join(self.folder, "fine.nii.gz")
        os.rename(os.path.join(fine, "t2.nii.gz"), path)
        self.window.action("open-path", desk.GLib.Variant("s", path))
        self.window.named("fine", desk.Atspi.Role.LIST_ITEM)
        wait("its slices to be counted", lambda: self.slices()[1] == 108)
        assert before[1] == 72, before
        at = self.slices()[0]
        x, y = self.window.centre(self.window.named("Axial slice"))
        pointer(x + 30, y + 30)
        for _ in range(3):
            pointer(x + 30, y + 30, "b4c")
        wait("three of its slices up", lambda: self.slices()[0] == at + 3)
        eye = self.window.named("Show fine")
        for n_slices in (72, 108):  # hidden, and shown again
            eye.get_action_iface().do_action(0)
            wait("%d slices" % n_slices, lambda: self.slices()[1] == n_slices)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with desk.Desk(), tempfile.TemporaryDirectory() as folder:
        return desk.run(Tests(sys.argv[1], sys.argv[2], folder))


sys.exit(main())
