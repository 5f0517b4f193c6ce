#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Labels painted, erased, filled, measured and compared, by pointer and keys; and after a kill.

usage: test-correct.py BREGMA BREGMA_CLI
"""
import os
import signal
import subprocess
import sys
import tempfile
import time

import desk
from desk import drag, key, pointer, undo, wait, Window

ESCAPE = 0xFF1B


class Tests:
    def __init__(self, program, cli, folder):
        self.folder, self.program = folder, program
        self.phantom = os.path.join(folder, "phantom")
        subprocess.run([cli, "--quiet", "phantom", self.phantom, "--kind=head", "--size=64",
                        "--tumour", "--photo-size=0x0"], check=True, stdout=subprocess.DEVNULL)
        self.files = [os.path.join(self.phantom, name) for name in ("t1ce.nii.gz",
                                                                    "labels.nii.gz")]
        self.state = os.path.join(folder, "state")
        self.window = None

    def layer(self, name):
        return self.window.find(name, desk.Atspi.Role.LIST_ITEM)

    def ml(self, region):
        """What the table says of a region, once it has been measured; None before."""
        node = self.window.find(region + ", ml: ")
        return float(node.get_name().rsplit(" ", 1)[1]) if node else None

    def pane(self):
        return self.window.centre(self.window.named("Axial slice"))

    def test_measures_labels(self):
        self.window = Window(self.program, self.files, self.state, G_DEBUG="fatal-warnings")
        for name in ("t1ce", "labels"):
            self.window.named(name, desk.Atspi.Role.LIST_ITEM)
        wait("all files", lambda: not [n for n in self.window.walk()
                                       if n.get_name() == "READING"])
        self.window.select("labels")
        self.before = {r: wait(r, lambda r=r: self.ml(r)) for r in ("WT", "TC", "ET")}
        assert self.before["WT"] > self.before["TC"] > self.before["ET"] > 0, self.before
        self.window.named("WT, 3D mm: ")
        self.window.named("WT, RANO mm: ")

    def test_paints_a_copy_by_pointer(self):
        x, y = self.pane()
        pointer(x, y)
        key(ord("b"))
        drag(x - 60, y - 60, 60, 0)
        self.window.named("labels, corrected", desk.Atspi.Role.LIST_ITEM)
        self.painted = wait("a larger tumour", lambda: (self.ml("WT") or 0) >
                            self.before["WT"] and self.ml("WT"))
        assert self.ml("ET") == self.before["ET"]

    def test_a_stroke_is_one_step(self):
        x, y = self.pane()
        drag(x - 60, y + 40, 60, 10)
        wait("more", lambda: (self.ml("WT") or 0) > self.painted)
        undo()
        wait("as before", lambda: self.ml("WT") == self.painted)
        undo()  # with the copy
        wait("no copy", lambda: not self.layer("labels, corrected"))
        wait("the file's", lambda: self.ml("WT") == self.before["WT"])
        self.window.action("redo")
        self.window.select("labels, corrected")
        wait("the copy again", lambda: self.ml("WT") == self.painted)

    def test_paints_and_erases_by_keys(self):
        x, y = self.pane()
        pointer(x, y)
        key(ord("+"))
        key(ord(" "))
        more = wait("a dab", lambda: (self.ml("WT") or 0) > self.painted and self.ml("WT"))
        key(ord("e"))
        key(ord(" "))
        wait("no dab", lambda: self.ml("WT") is not None and self.ml("WT") < more)
        assert abs(self.ml("WT") - self.painted) < 0.05, (self.ml("WT"), self.painted)
        key(ESCAPE)

    def test_compares_with_the_truth(self):
        self.window.do("Labels")
        self.window.do("Sizes")
        self.window.do("Compare")
        self.window.choose("Labels that are taken for true", 1)
        self.window.press("Compare labels")
        node = self.window.named("WT, Dice: ")
        dice = float(node.get_name().rsplit(" ", 1)[1])
        assert 0.5 < dice < 1.0, dice
        self.window.named("WT, HD95 mm: ")
        self.window.named("Dice in ")  # the chart
        assert not self.window.unnamed(), "\n".join(self.window.unnamed())
        for name in ("Labels", "Sizes", "Compare"):
            self.window.do(name)

    def findings(self, kind):
        return [n.get_name() for n in self.window.walk() if kind in (n.get_name() or "")]

    def repairs_for_printing(self):
        """Of the surface that is selected: islands go; thin walls stay and are told. Its new name."""
        name = "Surface of labels, corrected for printing"
        self.window.select("Surface of labels, corrected")
        self.window.press("Check for printing")
        wait("islands", lambda: self.findings("islands of less than"))
        assert self.findings("thinner than 1 mm")
        self.window.press("Repair")
        self.window.named(name, desk.Atspi.Role.LIST_ITEM)
        wait("no islands", lambda: not self.findings("islands of less than"))
        wait("thin walls", lambda: self.findings("thinner than 1 mm"))
        assert not self.findings("Ready to print")
        return name

    def test_a_mesh_knows_that_its_labels_changed(self):
        self.window.select("labels, corrected")
        self.window.press("Make mesh")
        self.window.named("Surface of labels, corrected", desk.Atspi.Role.LIST_ITEM)
        self.window.named("Export mesh")
        printed = self.repairs_for_printing()
        x, y = self.pane()
        pointer(x, y)
        key(ord("b"))
        drag(x - 60, y + 60, 40, 0)
        key(ord("b"))  # away with it
        self.window.select(printed)  # which knows what it was made of, too
        wait("a caution", lambda: [n for n in self.window.walk()
                                   if "was corrected since" in (n.get_name() or "")])
        self.window.press("Make this mesh again")
        wait("a fresh mesh", lambda: not [n for n in self.window.walk()
                                          if "was corrected since" in (n.get_name() or "")
                                          and self.window.shown(n)])
        wait("it to be away", lambda: not self.layer(printed))

        def undone():  # the new mesh, the stroke, the repaired and the first mesh
            if not self.layer("Surface of labels, corrected"):
                return True
            self.window.action("undo")
            time.sleep(0.5)
            return False
        wait("no mesh", undone)
        self.window.select("labels, corrected")

    def test_escape_takes_a_stroke_back(self):
        x, y = self.pane()
        pointer(x, y)
        key(ord("b"))
        now = self.ml("WT")
        pointer(x - 50, y + 50)
        pointer(x - 50, y + 50, "b1p")
        pointer(x, y + 50)
        key(ESCAPE)
        pointer(x, y + 50, "b1r")
        wait("as before", lambda: self.ml("WT") == now)
        key(ESCAPE)  # the tool

    def test_islands_of_all_labels(self):
        box = "Islands and holes of all labels together"
        self.window.do("Labels")
        self.window.do("Sizes")
        self.window.do("Correct")
        self.window.named("Keep the largest island of Necrotic core")
        self.window.named("Fill holes in Necrotic core")
        self.window.tick(box)
        self.window.named("Fill holes in all labels")
        self.window.press("Keep the largest island of all labels")
        self.window.do("Correct")
        self.window.do("Sizes")
        wait("fewer", lambda: (self.ml("WT") or 1e9) < self.painted)
        wait("one part", lambda: "parts" not in self.window.find("WT, 3D mm: ").get_name())
        undo()
        wait("as painted", lambda: self.ml("WT") == self.painted)
        self.window.do("Sizes")
        self.window.do("Correct")
        self.window.tick(box)
        self.window.named("Fill holes in Necrotic core")

    def test_removes_islands(self):
        assert not self.window.unnamed(), "\n".join(self.window.unnamed())
        self.window.press("Keep the largest island")
        self.window.do("Sizes")
        wait("fewer", lambda: (self.ml("Necrotic core") or 1e9) < self.painted -
             self.before["WT"] + self.before["TC"] - self.before["ET"])
        self.kept = self.ml("WT")

    def test_prepares_a_volume(self):
        self.window.select("t1ce")
        self.window.do("Prepare")
        for button, made in (("Find the brain", "t1ce, brain"), ("Normalise", "t1ce, normalised"),
                             ("Take noise away", "t1ce, denoised"),
                             ("Take the shading away", "t1ce, without shading"),
                             ("New empty labels", "Labels of t1ce")):
            self.window.select("t1ce")
            self.window.press(button)
            self.window.named(made, desk.Atspi.Role.LIST_ITEM)
            undo()
            wait("no “%s”" % made, lambda made=made: not self.layer(made))
        self.window.select("labels, corrected")

    def test_survives_a_kill(self):
        self.window.process.send_signal(signal.SIGKILL)
        self.window.process.wait()
        self.window = Window(self.program, [], self.state, G_DEBUG="fatal-warnings")
        self.window.press("Review")
        self.window.named("labels, corrected", desk.Atspi.Role.LIST_ITEM)
        self.window.select("labels, corrected")
        wait("the corrected labels", lambda: self.ml("WT") == self.kept)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with desk.Desk(), tempfile.TemporaryDirectory() as folder:
        return desk.run(Tests(sys.argv[1], sys.argv[2], folder))


sys.exit(main())
