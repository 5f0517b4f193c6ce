#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Points and registration, by pointer and keys: the numbers are read back from the saved file.

usage: test-points.py BREGMA BREGMA_CLI
"""
import os
import subprocess
import sys
import tempfile

import desk
from desk import drag, key, pointer, undo, wait, Window


class Tests:
    def __init__(self, program, cli, folder):
        self.folder = folder
        self.program, self.cli = program, cli
        phantom = os.path.join(folder, "phantom")
        subprocess.run([cli, "--quiet", "phantom", phantom, "--kind=head", "--size=64"],
                       check=True, stdout=subprocess.DEVNULL)
        self.fixed = os.path.join(phantom, "t1.nii.gz")
        self.moving = os.path.join(phantom, "t2.nii.gz")
        self.window = None

    def rows(self):
        points = self.window.find("Points", desk.Atspi.Role.LIST)
        return [n.get_name() for n in self.window.walk(points)
                if n.get_role() == desk.Atspi.Role.LIST_ITEM] if points else []

    def place(self, dx, dy):
        x, y = self.window.centre(self.window.named("Axial slice"))
        pointer(x + dx, y + dy)
        pointer(x + dx, y + dy, "b1c")

    def save(self, name):
        path = os.path.join(self.folder, name)
        self.window.action("save-points", desk.GLib.Variant("s", path))
        wait("the points' file", lambda: os.path.exists(path))
        with open(path, encoding="utf-8") as file:
            return {r.split(",")[0]: [float(v) for v in r.split(",")[1:4]]
                    for r in file.read().splitlines() if r[:1] == "P"}

    def test_places_points(self):
        self.window = Window(self.program, [self.fixed], os.path.join(self.folder, "state"))
        wait("a slice", lambda: self.window.find("Axial slice, ") and
             "empty" not in self.window.find("Axial slice").get_name())
        x, y = self.window.centre(self.window.named("Axial slice"))
        pointer(x, y)
        key(ord("p"))
        for n, (dx, dy) in enumerate(((60, -50), (-60, -40), (10, 70))):
            self.place(dx, dy)
            wait("a point", lambda n=n: len(self.rows()) == n + 1)
        self.first = self.save("fixed.csv")
        assert sorted(self.first) == ["P1", "P2", "P3"], self.first
        # Radiological: what is right in the picture is the patient's left, LPS +x; down is posterior.
        assert self.first["P1"][0] > self.first["P2"][0] + 5.0, self.first
        assert self.first["P3"][1] > self.first["P1"][1] + 5.0, self.first

    def test_drags_a_point_and_undoes(self):
        x, y = self.window.centre(self.window.named("Axial slice"))
        drag(x + 60, y - 50, 30, 0)
        moved = self.save("moved.csv")
        assert moved["P1"][0] > self.first["P1"][0] + 1.0, moved
        assert abs(moved["P1"][1] - self.first["P1"][1]) < 1.0, moved
        undo()
        back = self.save("back.csv")
        assert all(abs(a - b) < 1e-6 for a, b in zip(back["P1"], self.first["P1"])), back

    def test_registers_by_points(self):
        shifted = os.path.join(self.folder, "moving.csv")
        with open(shifted, "w", encoding="utf-8") as file:
            file.write("name,x,y,z\n")
            for name, (x, y, z) in self.first.items():
                file.write("%s,%.9f,%.9f,%.9f\n" % (name, x - 7.0, y + 3.0, z + 2.0))
        self.window.action("open-path", desk.GLib.Variant("s", self.moving))
        self.window.named("t2", desk.Atspi.Role.LIST_ITEM)
        wait("the moving volume", lambda: not [n for n in self.window.walk()
                                               if n.get_name() == "READING"])
        self.window.action("load-points", desk.GLib.Variant("s", shifted))
        wait("its points", lambda: len(self.rows()) == 3)
        self.window.press("By points")
        label = wait("the result", lambda: self.window.find("Registered to t1 by landmarks"))
        assert "not an accuracy" in label.get_name(), label.get_name()
        assert "Not approved" in label.get_name(), label.get_name()

    def test_the_registration_is_saved_and_moves_the_volume(self):
        case = os.path.join(self.folder, "case.bregma")
        self.window.action("save-to", desk.GLib.Variant("s", case))
        wait("the case", lambda: os.path.exists(case))
        self.window.close()
        self.window = Window(self.program, [case], os.path.join(self.folder, "state2"))
        wait("the registration", lambda: self.window.find("Registered to t1 by landmarks"))

    def test_undoes_the_registration(self):
        self.window.press("Remove the registration")
        wait("no registration", lambda: not self.window.find("Registered to t1 by landmarks"))
        undo()
        wait("the registration again", lambda: self.window.find("Registered to t1 by landmarks"))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with desk.Desk(), tempfile.TemporaryDirectory() as folder:
        return desk.run(Tests(sys.argv[1], sys.argv[2], folder))


sys.exit(main())
