#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Points and registration, by pointer and keys: the numbers are read back from the saved file.

usage: test-points.py BREGMA BREGMA_CLI
"""
import json
import os
import re
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
        for n, (dx, dy) in enumerate(((60, -50), (-60, -40), (10, 70), (-5, 20))):
            self.place(dx, dy)
            wait("a point", lambda n=n: len(self.rows()) == n + 1)
        self.first = self.save("fixed.csv")
        assert sorted(self.first) == ["P1", "P2", "P3", "P4"], self.first
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
        n = iter(range(100))
        wait("the point where it was", lambda: all(
            abs(a - b) < 1e-6 for a, b in zip(self.save("back%d.csv" % next(n))["P1"],
                                              self.first["P1"])))

    def test_registers_by_points(self):
        shifted = self.moving_csv = os.path.join(self.folder, "moving.csv")
        self.fixed_csv = os.path.join(self.folder, "fixed.csv")
        with open(shifted, "w", encoding="utf-8") as file:
            file.write("name,x,y,z\n")
            for name, (x, y, z) in self.first.items():
                if name == "P4":
                    x, y = x + 4.0, y - 3.0  # put where it does not belong
                file.write("%s,%.9f,%.9f,%.9f\n" % (name, x - 7.0, y + 3.0, z + 2.0))
        self.window.action("open-path", desk.GLib.Variant("s", self.moving))
        self.window.named("t2", desk.Atspi.Role.LIST_ITEM)
        wait("the moving volume", lambda: not [n for n in self.window.walk()
                                               if n.get_name() == "READING"])
        self.window.action("load-points", desk.GLib.Variant("s", shifted))
        wait("its points", lambda: len(self.rows()) == 4)
        self.window.press("By points")
        label = wait("the result", lambda: self.window.find("Registered to t1 by landmarks"))
        assert "not an accuracy" in label.get_name(), label.get_name()
        assert "Not approved" in label.get_name(), label.get_name()

    def cli_points(self, *arguments):
        """What the command line makes of the same points."""
        out = subprocess.run([self.cli, "--json", "register", "points", "--fixed=" + self.fixed_csv,
                              "--moving=" + self.moving_csv, *arguments], check=True,
                             stdout=subprocess.PIPE).stdout
        return json.loads(out)

    def set_number(self, name, value):
        self.window.named(name, desk.Atspi.Role.SPIN_BUTTON).get_value_iface().set_current_value(
            value)

    def test_says_what_error_to_expect(self):
        self.window.named("Say how exactly the points were placed")
        self.set_number("Error of placing a point in mm", 1.5)
        words = self.window.named("Expected at the cursor").get_name()
        found = float(re.search(r"cursor: ([0-9.]+) mm", words)[1])
        x, y, z = self.cursor()
        said = self.cli_points("--fle=1.5,1.5", "--target=%.3f,%.3f,%.3f" % (x, y, z))
        assert abs(said["expected_tre_mm"][-1] - found) < 0.02, (words, said)
        assert "1.5 mm stated" in words, words
        # Twice the error of placing, twice the error expected; none stated, none expected.
        self.set_number("Error of placing a point in mm", 3.0)
        wait("twice the error", lambda: abs(float(re.search(
            r"cursor: ([0-9.]+) mm", self.window.find("Expected at the cursor").get_name())[1]) -
            2.0 * found) < 0.02)
        self.set_number("Error of placing a point in mm", 0.0)
        self.window.named("Say how exactly the points were placed")

    def cursor(self):
        """LPS of the crosshair, from what a slice is called."""
        words = self.window.named("Axial slice, ").get_name()
        side, x, front, y, up, z = re.search(
            r"([RL]) ([0-9.]+)  ([AP]) ([0-9.]+)  ([SI]) ([0-9.]+)", words).groups()
        return (float(x) * (1 if side == "L" else -1), float(y) * (1 if front == "P" else -1),
                float(z) * (1 if up == "S" else -1))

    def test_a_point_is_left_out_and_taken_back(self):
        said = self.cli_points("--skip=P4")
        tick = self.window.named("Fit with P4", desk.Atspi.Role.CHECK_BOX)
        residuals = self.residuals()
        assert residuals["P4"] == max(residuals.values()) > 0.5, residuals
        box = tick.get_component_iface().get_extents(desk.Atspi.CoordType.WINDOW)
        pointer(box.x + 8, box.y + box.height // 2)
        pointer(box.x + 8, box.y + box.height // 2, "b1c")
        wait("a fit of three points", lambda: self.window.find(
            "Registered to t1 by landmarks. Residual of 3 fitted points"))
        left_out = {r["name"]: r["error"] for r in said["residuals"]}
        now = self.residuals()
        for name in ("P1", "P2", "P3"):
            assert abs(now[name] - left_out[name]) < 0.06, (now, left_out)
        undo()
        wait("four points again", lambda: self.residuals() == residuals)

    def residuals(self):
        """Of each row, in mm."""
        found = {}
        for row in self.window.walk(self.window.find("Points", desk.Atspi.Role.LIST)):
            if row.get_role() != desk.Atspi.Role.LIST_ITEM:
                continue
            for node in self.window.walk(row):
                if re.fullmatch(r"[0-9.]+ mm", node.get_name() or ""):
                    found[row.get_name().split()[-1]] = float(node.get_name().split()[0])
        return found

    def test_refines_a_point(self):
        x, y = self.window.centre(self.window.named("4  P4", desk.Atspi.Role.LIST_ITEM))
        pointer(x - 100, y)
        pointer(x - 100, y, "b1c")
        transform, out = (os.path.join(self.folder, name) for name in ("t.json", "refined.csv"))
        self.cli_points("--output=" + transform)
        said = json.loads(subprocess.run(
            [self.cli, "--json", "landmarks", "refine", self.fixed_csv, out, "--fixed=" +
             self.fixed, "--moving=" + self.moving, "--partners=" + self.moving_csv, "--from=" +
             transform, "--name=P4"], check=True, stdout=subprocess.PIPE).stdout)
        row = next(r for r in said["points"] if r["name"] == "P4")
        # Both volumes lie in one place, so its partner's place is the true one.
        assert row["refined"] and max(abs(a - b) for a, b in zip(
            row["position_mm"], self.first["P4"])) < 0.5, row
        before = self.save("unrefined.csv")
        self.window.press("Refine the selected point")
        n = iter(range(1000))
        wait("a moved point", lambda: max(abs(a - b) for a, b in zip(
            self.save("refined%d.csv" % next(n))["P4"], row["position_mm"])) < 1e-3)
        undo()
        wait("the point where it was", lambda: max(abs(a - b) for a, b in zip(
            self.save("back%d.csv" % next(n))["P4"], before["P4"])) < 1e-9)

    def by_values(self, *arguments):
        """The same by the window and by the command line."""
        said = json.loads(subprocess.run(
            [self.cli, "--json", "register", "volumes", self.fixed, self.moving, *arguments],
            check=True, stdout=subprocess.PIPE).stdout)
        self.window.press("By values")
        label = wait("a fit by values", lambda: self.window.find(
            "Registered to t1 by mutual-information. Mutual information %.3f before, %.3f after" % (
                said["metric_before"], said["metric_after"])), 60.0)
        assert label is not None
        undo()
        self.window.named("Registered to t1 by landmarks")

    def test_registers_by_values_as_it_is_told(self):
        """From where it lies, from anywhere, affine, and where labels are: numbers of the command line."""
        here = os.path.join(self.folder, "here.json")
        self.cli_points("--output=" + here)
        self.by_values("--from=" + here)
        self.window.tick("Values: from where it lies now")
        assert not self.window.ticked("Values: from where it lies now")
        self.by_values()
        self.window.choose("Model of the registration", 2)
        self.by_values("--model=affine")
        labels = os.path.join(os.path.dirname(self.fixed), "brain.nii.gz")
        self.window.action("open-path", desk.GLib.Variant("s", labels))
        self.window.named("brain", desk.Atspi.Role.LIST_ITEM)
        wait("the labels", lambda: not [n for n in self.window.walk()
                                        if n.get_name() == "READING"])
        self.window.select("t2")
        self.window.choose("Where values count", 1)
        self.by_values("--model=affine", "--mask=" + labels)

    def test_moves_the_volume_by_hand(self):
        self.do("Registration by hand")
        left = self.window.named("To the left (mm)", desk.Atspi.Role.SPIN_BUTTON).get_value_iface()
        start = left.get_current_value()
        left.set_current_value(start + 3.0)
        wait("a registration by hand", lambda: self.window.find("Registered to t1 by manual"))
        # By keys: ten times 0.1 mm to the right of an axial slice is the patient's left.
        x, y = self.window.centre(self.window.named("Axial slice"))
        pointer(x, y)
        key(ord("m"))
        pointer(x, y)
        pointer(x, y, "b1c")
        desk.hold(37, True)
        desk.hold(50, True)
        key(0xFF53)
        desk.hold(50, False)
        desk.hold(37, False)
        wait("1 mm more", lambda: abs(left.get_current_value() - start - 4.0) < 1e-6)
        now = left.get_current_value()
        drag(x, y, 40, 0)
        wait("a dragged volume", lambda: left.get_current_value() > now + 5.0)
        for place in (now, start + 3.0, start):
            undo()
            wait("one step back", lambda place=place: abs(
                left.get_current_value() - place) < 1e-6)
        self.window.named("Registered to t1 by landmarks")
        key(0xFF1B)

    def do(self, name):
        """The action of that heading."""
        nodes = [node for node in self.window.walk() if node.get_name() == name and
                 node.get_action_iface() is not None and
                 node.get_action_iface().get_n_actions() > 0]
        nodes[0].get_action_iface().do_action(0)

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

    def test_nothing_is_moved_without_a_volume(self):
        self.window.close()  # which may ask nothing: the case is saved
        labels = os.path.join(os.path.dirname(self.fixed), "labels.nii.gz")
        self.window = Window(self.program, [labels], os.path.join(self.folder, "state3"))
        self.window.named("labels", desk.Atspi.Role.LIST_ITEM)
        wait("a slice", lambda: self.window.find("Axial slice, "))
        x, y = self.window.centre(self.window.named("Axial slice"))
        pointer(x, y)
        key(ord("m"))
        drag(x, y, 40, 0)
        wait("the reason", lambda: any("There is no volume to move" in (n.get_name() or "")
                                       for n in self.window.walk()))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with desk.Desk(), tempfile.TemporaryDirectory() as folder:
        return desk.run(Tests(sys.argv[1], sys.argv[2], folder))


sys.exit(main())
