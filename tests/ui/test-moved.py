#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two photographs onto each other, by points and by what they show, mirrored or not; volumes by a
spline. The numbers are those of the command line; every step is undone; the case keeps them.

usage: test-moved.py BREGMA BREGMA_CLI
"""
import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib

import desk
from desk import pointer, undo, wait, Window


def flip_png(source, target):
    """Left and right swapped. Of any PNG without interlacing whose pixels are whole bytes."""
    with open(source, "rb") as file:
        data = file.read()
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    bpp = depth // 8 * {0: 1, 2: 3, 4: 2, 6: 4}[kind]
    packed, rows, last = desk.png_pixels(source), [], bytes(width * bpp)
    for y in range(height):
        at = y * (width * bpp + 1)
        filtered, line = packed[at], bytearray(packed[at + 1:at + 1 + width * bpp])
        for x, value in enumerate(line):
            a = line[x - bpp] if x >= bpp else 0
            b, c = last[x], last[x - bpp] if x >= bpp else 0
            if filtered == 4:
                p = a + b - c
                pick = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            else:
                pick = (0, a, b, (a + b) // 2)[filtered]
            line[x] = (value + pick) & 255
        last = bytes(line)
        rows.append(b"\0" + b"".join(last[i:i + bpp] for i in range(
            (width - 1) * bpp, -1, -bpp)))

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(
            ">I", zlib.crc32(name + body))

    with open(target, "wb") as file:
        file.write(data[:8] + chunk(b"IHDR", data[16:29]) +
                   chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b""))
    return width


class Tests:
    def __init__(self, program, cli, folder):
        self.folder, self.program, self.cli = folder, program, cli
        self.phantom = os.path.join(folder, "phantom")
        subprocess.run([cli, "--quiet", "phantom", self.phantom, "--kind=head", "--size=64",
                        "--photo-size=480x360"], check=True, stdout=subprocess.DEVNULL)
        self.mirror = os.path.join(folder, "mirror.png")
        width = flip_png(self.file("thermal.png"), self.mirror)
        self.mirror_csv = os.path.join(folder, "mirror.csv")
        with open(self.file("landmarks-thermal.csv"), encoding="utf-8") as file, open(
                self.mirror_csv, "w", encoding="utf-8") as out:
            for line in file.read().splitlines():
                fields = line.split(",")
                if fields[0] != "name":
                    fields[1] = repr(width - 1 - float(fields[1]))
                out.write(",".join(fields) + "\n")
        self.open_window([self.file("optical.png"), self.file("thermal.png"), self.mirror], "state")
        for layer in ("optical", "thermal", "mirror"):
            self.window.named(layer, desk.Atspi.Role.LIST_ITEM)
        self.window.action("layout", desk.GLib.Variant("s", "fusion"))

    def open_window(self, files, state):
        home = os.path.join(self.folder, state)
        self.window = Window(self.program, files, home, G_DEBUG="fatal-warnings",
                             XDG_CONFIG_HOME=home)

    def file(self, name):
        return os.path.join(self.phantom, name)

    def run(self, *arguments):
        out = subprocess.run([self.cli, "--json", *arguments], check=True,
                             stdout=subprocess.PIPE).stdout
        return json.loads(out)

    def by_points(self, moving, *more, fixed=None):
        return self.run("register", "points", "--moving=" + moving, "--fixed=" + (
            fixed or self.file("landmarks-optical.csv")), *more)

    def words(self):
        node = self.window.find("Registered to ")
        return node.get_name() if node else ""

    def says(self, text):
        return wait("“%s” in “%s”" % (text, self.words()),
                    lambda: text in self.words() and self.words(), 20.0)

    def complains(self, text):
        wait("the reason", lambda: any(text in (node.get_name() or "")
                                       for node in self.window.walk()))
        self.window.press("Close this message")

    def load_points(self, layer, path, first="L1"):
        self.window.select(layer)
        wait("no points yet", lambda: not self.window.find("1  ", desk.Atspi.Role.LIST_ITEM))
        self.window.action("load-points", desk.GLib.Variant("s", path))
        self.window.named("1  " + first, desk.Atspi.Role.LIST_ITEM)

    def choose(self, name, position):
        node = [n for n in self.window.walk() if n.get_name() == name][0]
        self.in_sight(node)
        self.window.choose(name, position)

    def has(self, layer):
        return self.window.find(layer, desk.Atspi.Role.LIST_ITEM) is not None

    def test_registers_photographs_by_points(self):
        self.load_points("optical", self.file("landmarks-optical.csv"))
        self.load_points("thermal", self.file("landmarks-thermal.csv"))
        self.window.press("By points")
        said = self.by_points(self.file("landmarks-thermal.csv"), "--model=affine")
        words = self.says("Registered to optical by landmarks.")
        assert "Shown as “thermal on optical”" in words, words
        assert "Residual of %d fitted points %.2f px" % (said["n_fit"], said["fre"]) in words, words
        assert "At %d check-only points %.2f px" % (said["n_check"], said["rms_check"]) in words
        assert "Not approved" in words, words
        self.window.named("OVERLAY, thermal on optical, opacity 50 %")
        residuals = self.residuals()
        for row in said["residuals"]:
            assert abs(residuals[row["name"]] - row["error"]) < 0.06, (row, residuals)
        assert not self.window.unnamed(), "\n".join(self.window.unnamed())

    def residuals(self):
        found = {}
        table = self.window.named("Points", desk.Atspi.Role.LIST)
        for row in [table.get_child_at_index(i) for i in range(table.get_child_count())]:
            for node in self.window.walk(row):
                if re.fullmatch(r"[0-9.]+ (px|mm)", node.get_name() or ""):
                    found[row.get_name().split()[-1]] = float(node.get_name().split()[0])
        return found

    def test_is_undone_in_one_step(self):
        undo()
        wait("no photograph more", lambda: not self.has("thermal on optical") and
             self.words() == "")
        self.window.action("redo")
        self.says("Registered to optical by landmarks.")

    def test_a_point_that_is_left_out_makes_it_again(self):
        before = self.words()
        tick = self.window.named("Fit with L8", desk.Atspi.Role.CHECK_BOX)
        self.in_sight(tick)
        box = tick.get_component_iface().get_extents(desk.Atspi.CoordType.WINDOW)
        pointer(box.x + 8, box.y + box.height // 2)
        pointer(box.x + 8, box.y + box.height // 2, "b1c")
        said = self.by_points(self.file("landmarks-thermal.csv"), "--model=affine", "--skip=L8")
        self.says("Residual of %d fitted points %.2f px" % (said["n_fit"], said["fre"]))
        undo()  # of what was made again
        undo()  # of the tick
        self.says(before)

    def in_sight(self, node):
        """Turns the wheel over the inspector until the node is in the window."""
        def turned():
            y = self.window.centre(node)[1]
            if 130 < y < 820:
                return True
            pointer(1102, 500)  # its edge, where no slider takes the wheel
            pointer(1102, 500, "b5c" if y >= 820 else "b4c")
            return False

        wait("“%s” in sight" % node.get_name(), turned)

    def test_registers_photographs_by_what_they_show(self):
        here = self.window.find("Values: from where it lies now", desk.Atspi.Role.CHECK_BOX)
        self.window.press("By values")
        words = self.says("Registered to optical by mutual-information.")
        assert here is not None
        points = os.path.join(self.folder, "points.json")
        self.by_points(self.file("landmarks-thermal.csv"), "--model=affine", "-o", points)
        said = self.run("register", "pictures", self.file("optical.png"), self.file("thermal.png"),
                        "--from=" + points)
        assert "Mutual information %.3f before, %.3f after" % (
            said["metric_before"], said["metric_after"]) in words, (words, said)
        undo()
        self.says("Registered to optical by landmarks.")

    def test_a_mirrored_photograph_is_refused_and_said(self):
        self.load_points("mirror", self.mirror_csv)
        self.window.press("By points")
        self.complains("the moving ones are the mirror image of the fixed")
        self.window.press("By values")
        self.complains("the moving one shows left and right swapped")
        assert self.words() == "" and not self.has("mirror on optical")
        meant = self.window.named("One of the two is mirrored", desk.Atspi.Role.CHECK_BOX)
        self.in_sight(meant)
        self.window.tick("One of the two is mirrored")
        assert self.window.ticked("One of the two is mirrored")
        self.window.press("By values")
        words = self.says("by mutual-information.")
        assert "shows left and right swapped" in words, words
        said = self.run("register", "pictures", self.file("optical.png"), self.mirror,
                        "--allow-mirror")
        assert said["mirrored"] == "yes" and "%.3f after" % said["metric_after"] in words, (
            words, said)
        self.window.press("By points")
        words = self.says("by landmarks.")
        said = self.by_points(self.mirror_csv, "--model=affine", "--allow-mirror")
        assert "%.2f px (root mean square" % said["fre"] in words, (words, said)
        assert "mirror" in words, words
        self.window.press("Remove the registration")
        wait("nothing registered", lambda: not self.has("mirror on optical"))
        undo()
        self.says("by landmarks.")

    def test_a_spline_of_photographs(self):
        self.window.select("thermal")
        self.choose("Model of the registration", 3)
        wait("no values for a spline", lambda: not self.window.find(
            "By values", desk.Atspi.Role.PUSH_BUTTON).get_state_set().contains(
                desk.Atspi.StateType.SENSITIVE))
        self.window.press("By points")
        said = self.by_points(self.file("landmarks-thermal.csv"), "--model=tps")
        left_out = [r["left_out"] for r in said["residuals"] if r["used"]]
        rms = math.sqrt(sum(v * v for v in left_out) / len(left_out))
        words = self.says("The spline goes through all %d points" % said["n_fit"])
        assert "misses that one by %.2f px" % rms in words, (words, rms)
        assert "check-only points %.2f px" % said["rms_check"] in words, (words, said)
        residuals = self.residuals()
        for row in said["residuals"]:
            there = row["left_out"] if row["used"] else row["error"]
            assert abs(residuals[row["name"]] - there) < 0.06, (row, residuals)

    def test_a_spline_of_volumes(self):
        fixed_csv, moving_csv = (os.path.join(self.folder, name) for name in ("f.csv", "m.csv"))
        with open(fixed_csv, "w", encoding="utf-8") as f, open(
                moving_csv, "w", encoding="utf-8") as m:
            for out in (f, m):
                out.write("name,x,y,z\n")
            for n in range(8):
                x, y, z = 60 * math.sin(n * 5.0), 55 * math.cos(n * 3.0), 50 * math.sin(n * 7 + 2.0)
                f.write("Q%d,%.6f,%.6f,%.6f\n" % (n, x, y, z))
                m.write("Q%d,%.6f,%.6f,%.6f\n" % (n, x + 3 * math.sin(2.0 * n) - 4.0, y + 2.0,
                                                  z + 3 * math.cos(3.0 * n)))
        for name in ("t1", "t2"):
            self.window.action("open-path", desk.GLib.Variant("s", self.file(name + ".nii.gz")))
            self.window.named(name, desk.Atspi.Role.LIST_ITEM)
            wait("its voxels", lambda: not [n for n in self.window.walk()
                                            if n.get_name() == "READING"])
        self.load_points("t1", fixed_csv, "Q0")
        self.load_points("t2", moving_csv, "Q0")
        self.choose("Model of the registration", 3)
        self.window.press("By points")
        said = self.by_points(moving_csv, "--model=tps", fixed=fixed_csv)
        left_out = [r["left_out"] for r in said["residuals"]]
        rms = math.sqrt(sum(v * v for v in left_out) / len(left_out))
        words = self.says("Registered to t1 by landmarks. Shown as “t2 on t1”.")
        assert "misses that one by %.2f mm" % rms in words, (words, rms)
        undo()
        wait("no layer more", lambda: not self.has("t2 on t1"))
        self.window.action("redo")
        self.says("Shown as “t2 on t1”.")

    def test_the_case_keeps_them(self):
        case = os.path.join(self.folder, "moved.bregma")
        self.window.select("thermal")
        thermal = self.says("The spline goes through")
        residuals = self.residuals()
        self.window.action("save-to", desk.GLib.Variant("s", case))
        wait("the case", lambda: os.path.exists(case))
        self.window.close()
        self.open_window([case], "state2")
        self.window.named("t2 on t1", desk.Atspi.Role.LIST_ITEM)
        wait("the volumes", lambda: not [n for n in self.window.walk()
                                         if n.get_name() == "READING"])
        self.window.select("thermal")
        self.says(thermal)
        wait("the residuals", lambda: self.residuals() == residuals)
        self.window.named("OVERLAY, thermal on optical")
        self.window.select("t2")
        self.says("Shown as “t2 on t1”.")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with desk.Desk(), tempfile.TemporaryDirectory() as folder:
        return desk.run(Tests(sys.argv[1], sys.argv[2], folder))


sys.exit(main())
