#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The window as a person uses it: found by AT-SPI, moved by real pointer and key events.

usage: test-window.py BREGMA BREGMA_CLI
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import desk
from desk import drag, hold, key, Picture, png_pixels, pointer, undo, wait, whole_png, Window


class Tests:
    def __init__(self, program, cli, folder):
        self.folder = folder
        phantom = os.path.join(folder, "phantom")
        subprocess.run([cli, "--quiet", "phantom", phantom, "--kind=head", "--size=64", "--tumour"],
                       check=True, stdout=subprocess.DEVNULL)
        self.volume = os.path.join(phantom, "t1ce.nii.gz")
        self.labels = os.path.join(phantom, "labels.nii.gz")
        self.program, self.cli = program, cli
        self.case = os.path.join(folder, "case.bregma")
        self.window = None

    def slice_number(self):
        name = self.window.named("Axial slice, ").get_name()
        return int(name.split(",")[1].split()[0])

    def width(self):
        def value():
            for node in self.window.walk():
                if node.get_name() in ("Window width", "Width") and node.get_value_iface():
                    return node.get_value_iface().get_current_value()
                if node.get_name() in ("Window width", "Width") and node.get_text_iface():
                    text = node.get_text_iface()
                    shown = desk.Atspi.Text.get_text(text, 0, -1)
                    if shown:
                        return float(shown)
            return None
        return wait("the window's width", value)

    def pane(self, name):
        return self.window.centre(self.window.named(name))

    def test_opens_a_volume(self):
        self.window = Window(self.program, [self.volume], os.path.join(self.folder, "state"))
        wait("a slice", lambda: self.window.find("Axial slice, ") and
             "empty" not in self.window.find("Axial slice").get_name())
        self.window.named("3D picture, azimuth 0")

    def test_names_every_control(self):
        bad = self.window.unnamed()
        assert not bad, "\n".join(bad)

    def test_scrolls_by_the_wheel(self):
        before = self.slice_number()
        x, y = self.pane("Axial slice")
        pointer(x + 30, y + 30)
        for _ in range(3):
            pointer(x + 30, y + 30, "b4c")
        wait("three slices up", lambda: self.slice_number() == before + 3)
        key(0xFF56)  # Page Down
        wait("ten slices down", lambda: self.slice_number() == before - 7)

    def test_sets_the_crosshair_by_a_click(self):
        sagittal = self.window.named("Sagittal slice").get_name()
        x, y = self.pane("Axial slice")
        drag(x + 30, y + 10, 20, 0)
        wait("another sagittal slice",
             lambda: self.window.named("Sagittal slice").get_name() != sagittal)

    def test_sets_the_window_and_undoes(self):
        before = self.width()
        x, y = self.pane("Coronal slice")
        hold(50, True)
        drag(x, y + 40, 60, 0, button=3)
        hold(50, False)
        wait("a wider window", lambda: self.width() > before * 1.1)
        undo()
        wait("the old window", lambda: abs(self.width() - before) < 1e-6 * abs(before) + 1.0)

    def test_turns_the_volume(self):
        x, y = self.pane("3D picture")
        drag(x, y, 60, 0)
        wait("a turned picture", lambda: "azimuth 0," not in
             self.window.named("3D picture").get_name())

    def test_overlays_labels(self):
        self.window.action("open-path", desk.GLib.Variant("s", self.labels))
        self.window.named("labels", desk.Atspi.Role.LIST_ITEM)

    def save_scan(self, kind, name):
        path = os.path.join(self.folder, name)
        self.window.action("save-scan", desk.GLib.Variant("s", kind))
        self.window.answer_file(path)
        wait("the file", lambda: os.path.exists(path))
        with open(path, "rb") as file:
            assert b'"command"' in file.read(), "no provenance"
        return path

    def coloured(self, picture, column, row):
        """Where a panel's outlines are: all that is not grey, letters and scan are."""
        return [x for y in range(64) for x in range(64)
                if max(picture.at(64 * column + x, 64 * row + y)) -
                min(picture.at(64 * column + x, 64 * row + y)) > 60]

    def test_saves_slices_side_by_side(self):
        wait("the labels", lambda: not [n for n in self.window.walk()
                                        if n.get_name() == "READING"])
        done = subprocess.run([self.cli, "--json", "evaluate", "shape", self.labels], check=True,
                              stdout=subprocess.PIPE)
        centre = json.loads(done.stdout)["regions"]["WT"]["centroid_mm"]
        assert abs(centre[0]) > 8.0, centre
        picture = Picture(self.save_scan("montage", "montage.png"))
        assert picture.width == 6 * 64 and picture.height % 64 == 0, picture.width
        xs = self.coloured(picture, 2, 1)
        # Axial: the patient's right is on the left, so what lies left (+x) is on the right.
        assert xs and (sum(xs) / len(xs) > 32) == (centre[0] > 0.0), (xs[:5], centre)

    def test_saves_a_sheet(self):
        picture = Picture(self.save_scan("sheet", "case.png"))
        assert (picture.width, picture.height) == (3 * 64, 2 * 64)
        assert not self.coloured(picture, 0, 0) and self.coloured(picture, 2, 1)
        assert max(max(row[3 * 64:6 * 64]) for row in picture.rows[:64]) == 0, "no second volume"

    def test_saves_a_film(self):
        with open(self.save_scan("film", "scan.gif"), "rb") as file:
            gif = file.read()
        assert gif[:6] == b"GIF89a" and struct.unpack("<HH", gif[6:10]) == (64, 64)
        assert gif.count(b"\x21\xf9\x04") > 10, "each picture has its delay"

    def test_measures_and_undoes(self):
        x, y = self.pane("Axial slice")
        pointer(x, y)
        key(ord("l"))
        drag(x - 50, y - 40, 100, 0)
        key(0xFF1B)  # Escape: the tool is put down
        wait("a measurement", lambda: any(" mm" in (n.get_name() or "") and n.get_role() in (
            desk.Atspi.Role.LABEL, desk.Atspi.Role.LIST_ITEM, desk.Atspi.Role.TABLE_CELL)
            for n in self.window.walk()))

    def test_makes_a_mesh(self):
        button = self.window.named("Make mesh", desk.Atspi.Role.PUSH_BUTTON)
        button.get_action_iface().do_action(0)
        wait("a mesh", lambda: [n for n in self.window.walk() if n.get_role() ==
                                desk.Atspi.Role.LABEL and n.get_name() == "MESH"])

    def test_saves_pictures_and_the_case(self):
        self.first = os.path.join(self.folder, "first.png")
        self.window.action("save-picture", desk.GLib.Variant("(ss)", ("all", self.first)))
        wait("the picture", lambda: whole_png(self.first))
        assert b'"command"' in open(self.first, "rb").read(), "no provenance in the picture"
        self.window.action("save-to", desk.GLib.Variant("s", self.case))
        wait("the case", lambda: os.path.exists(self.case))
        time.sleep(0.5)
        self.window.close()

    def test_reopens_to_equal_pixels(self):
        self.window = Window(self.program, [self.case], os.path.join(self.folder, "state2"))
        wait("a slice", lambda: self.window.find("Axial slice, ") and
             "empty" not in self.window.find("Axial slice").get_name())
        wait("no layer that is being read",
             lambda: not [n for n in self.window.walk() if n.get_name() == "READING"])
        time.sleep(1.0)
        second = os.path.join(self.folder, "second.png")
        self.window.action("save-picture", desk.GLib.Variant("(ss)", ("all", second)))
        wait("the picture", lambda: whole_png(second))
        if png_pixels(self.first) != png_pixels(second):
            keep = os.environ.get("BREGMA_TEST_KEEP")
            if keep:
                shutil.copy(self.first, keep)
                shutil.copy(second, keep)
            raise AssertionError("the reopened case looks different")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with desk.Desk(), tempfile.TemporaryDirectory() as folder:
        return desk.run(Tests(sys.argv[1], sys.argv[2], folder))


sys.exit(main())
