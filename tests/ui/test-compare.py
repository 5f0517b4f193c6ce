#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two segmentations side by side: numbers, charts, and surfaces coloured by their distance, whose colours
are read back from pixels.

usage: test-compare.py BREGMA BREGMA_CLI
"""
import os
import struct
import subprocess
import sys
import tempfile

import desk
from desk import key, Picture, pointer, undo, wait, whole_png, Window

SIZE = 64          # voxels of 1 mm
RADIUS = 16.0      # mm
SHIFT = 5          # mm, towards the patient's left
RED, BLUE = (0xB2, 0x18, 0x2B), (0x21, 0x66, 0xAC)  # the ends of the colour bar


def write_ball(path, x_left, specks=()):
    """Label 1 in a ball around (x_left, 0, 0), in mm towards the patient's left, and in the voxels @specks:
    NIfTI, axes L, P, S."""
    half, data = SIZE // 2, bytearray(SIZE ** 3)
    for k in range(SIZE):
        for j in range(SIZE):
            for i in range(SIZE):
                if inside(i, j, k, x_left):
                    data[i + SIZE * (j + SIZE * k)] = 1
    for i, j, k in specks:
        data[i + SIZE * (j + SIZE * k)] = 1
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, SIZE, SIZE, SIZE, 1, 1, 1, 1)
    struct.pack_into("<h", header, 68, 1002)  # intent: labels
    struct.pack_into("<hh", header, 70, 2, 8)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", header, 108, 352)
    struct.pack_into("<ff", header, 112, 1, 0)
    header[123] = 2  # mm
    struct.pack_into("<hh", header, 252, 0, 1)
    struct.pack_into("<12f", header, 280, -1, 0, 0, half, 0, -1, 0, half, 0, 0, 1, -half)
    header[344:348] = b"n+1\0"
    with open(path, "wb") as file:
        file.write(header + data)


def inside(i, j, k, x_left):
    half = SIZE // 2
    return (i - half - x_left) ** 2 + (j - half) ** 2 + (k - half) ** 2 <= RADIUS ** 2


def slice_dices():
    """Of both balls, slice by slice; None where neither is."""
    dices = []
    for k in range(SIZE):
        both = each = 0
        for j in range(SIZE):
            for i in range(SIZE):
                a, b = inside(i, j, k, 0), inside(i, j, k, SHIFT)
                both, each = both + (a and b), each + a + b
        dices.append(2.0 * both / each if each else None)
    return dices


def quantile(values, share):
    values = sorted(values)
    at = share * (len(values) - 1)
    low = int(at)
    return values[low] + (at - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def mean_x(picture, wanted):
    """The mean column of the pixels that @wanted accepts, and how many there are; the bar left out."""
    xs = [x for y in range(0, picture.height, 3) for x in range(40, picture.width, 3)
          if wanted(*picture.at(x, y))]
    return (sum(xs) / len(xs) if xs else None), len(xs)


class Tests:
    def __init__(self, program, cli, folder):
        self.folder, self.program, self.cli = folder, program, cli
        self.state = os.path.join(folder, "state")
        write_ball(self.file("truth.nii"), 0)
        write_ball(self.file("rater.nii"), SHIFT)
        self.window, self.n_pictures = None, 0

    def file(self, name):
        return os.path.join(self.folder, name)

    def layer(self, name):
        return self.window.find(name, desk.Atspi.Role.LIST_ITEM)

    def words(self, part):
        return wait("words with “%s”" % part, lambda: [
            node.get_name() for node in self.window.walk() if part in (node.get_name() or "")])[0]

    def shown(self, button):
        node = self.window.find(button, desk.Atspi.Role.PUSH_BUTTON)
        return node is not None and self.window.shown(node)

    def picture(self, name, pane="3d"):
        self.n_pictures += 1
        path = self.file("%d-%s" % (self.n_pictures, name))
        self.window.action("save-picture", desk.GLib.Variant("(ss)", (pane, path)))
        wait("the picture", lambda: whole_png(path))
        return Picture(path)

    def test_opens_both(self):
        self.window = Window(self.program, [self.file("truth.nii"), self.file("rater.nii")],
                             self.state, G_DEBUG="fatal-warnings")
        for name in ("truth", "rater"):
            self.window.named(name, desk.Atspi.Role.LIST_ITEM)
        wait("both", lambda: not [n for n in self.window.walk() if n.get_name() == "READING"])

    def save_by(self, button, path):
        """Presses a button that asks for a file, and answers."""
        self.window.press(button)
        self.window.answer_file(path)
        wait("the file", lambda: os.path.exists(path) and os.path.getsize(path) > 0)
        with open(path, encoding="utf-8") as file:
            return file.read()

    def test_charts_and_files_tell_the_numbers(self):
        self.window.select("rater")
        self.window.do("Labels")  # folded, so that what is below comes into sight
        self.window.do("Sizes")
        self.window.do("Compare")
        self.window.choose("Labels that are taken for true", 1)
        self.window.press("Compare labels")
        dices = slice_dices()
        known = [d for d in dices if d is not None]
        words = self.words("Box plot of the Dice of slices:").split("\n")
        label = [w for w in words if w.startswith("Label 1") or w.startswith("WT")][0]
        numbers = label.split(": ", 1)[1].replace("median ", "").split(", ")
        wanted = [quantile(known, share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
        for found, want in zip(numbers, wanted):
            assert abs(float(found) - want) < 6e-4, (label, wanted)
        assert ("of %d slices" % len(known)) in label, label

        csv = self.save_by("Save comparison as CSV", self.file("comparison.csv"))
        rows, slices = csv.split("\nslice,dice\n")
        row = dict(zip(rows.split("\n")[0].split(","), rows.split("\n")[1].split(",")))
        n_each = sum(inside(i, j, k, 0) for i in range(SIZE) for j in range(SIZE)
                     for k in range(SIZE))
        assert abs(float(row["volume_true_ml"]) - n_each / 1000.0) < 1e-4, row
        assert abs(float(row["hausdorff_mm"]) - SHIFT) < 1e-6, row
        for line, want in zip(slices.split("\n"), dices):
            found = line.split(",")[1]
            assert (found == "") == (want is None), line
            assert want is None or abs(float(found) - want) < 1e-5, (line, want)

        page = self.save_by("Save comparison with charts", self.file("comparison.html"))
        assert page.count("<svg") == 2 and "“rater” judged by “truth”" in page
        assert ("<td>%.2f</td>" % SHIFT) in page and '"command"' in page.replace("&quot;", '"')

    def test_surfaces_show_their_distance(self):
        self.window.press("Surfaces in 3D by distance")
        self.window.named("rater, distance to truth", desk.Atspi.Role.LIST_ITEM)
        self.window.named("Surface of truth", desk.Atspi.Role.LIST_ITEM)
        self.window.do("Distance to another mesh")
        words = self.words("To truth: ")
        low, high = float(words.split()[2]), float(words.split()[4])
        # Two balls of one size: SHIFT at either pole, negative inside of the truth.
        assert abs(low + SHIFT) < 0.5 and abs(high - SHIFT) < 0.5, words

    def test_colours_are_on_their_sides(self):
        seen = self.picture("distance.png")
        top, bottom = seen.places(RED), seen.places(BLUE)
        assert len(top) > 8 and len(bottom) > 8, (len(top), len(bottom))
        assert max(x for x, _ in top) < 60 > max(x for x, _ in bottom)  # of the bar, at the left edge
        assert max(y for _, y in top) < min(y for _, y in bottom), "outside is at the top"
        # From in front the patient's left is on the right: the shifted ball is outside there.
        red, n_red = mean_x(seen, lambda r, g, b: r > b + 60)
        blue, n_blue = mean_x(seen, lambda r, g, b: b > r + 60)
        assert n_red > 50 and n_blue > 50, (n_red, n_blue)
        assert red > blue + 0.1 * seen.width, (red, blue)

    def test_range_changes_colours_and_undoes(self):
        before = mean_x(self.picture("range1.png"), lambda r, g, b: r > b + 60)[1]
        node = self.window.named("Distance in mm at which the colours end")
        node = [n for n in self.window.walk() if n.get_name() == node.get_name() and
                n.get_value_iface()][0]
        node.get_value_iface().set_current_value(50.0)
        wait("paler", lambda: mean_x(self.picture("range2.png"),
                                     lambda r, g, b: r > b + 60)[1] < before / 4)
        undo()
        wait("as before", lambda: mean_x(self.picture("range3.png"),
                                         lambda r, g, b: r > b + 60)[1] == before)

    def test_is_one_step(self):
        undo()
        wait("no surfaces", lambda: not self.layer("rater, distance to truth") and
             not self.layer("Surface of truth"))
        self.window.action("redo")
        row = self.window.named("rater, distance to truth", desk.Atspi.Role.LIST_ITEM)
        wait("it to be selected again", lambda: row.get_state_set().contains(
            desk.Atspi.StateType.SELECTED))

    def test_saved_and_opened_to_the_same(self):
        case = self.file("case.bregma")
        first = self.picture("first.png")
        self.window.action("save-to", desk.GLib.Variant("s", case))
        wait("the case", lambda: os.path.exists(case))
        self.window.close()
        self.window = Window(self.program, [case], self.state + "2", G_DEBUG="fatal-warnings")
        self.window.named("rater, distance to truth", desk.Atspi.Role.LIST_ITEM)
        wait("all read", lambda: not [n for n in self.window.walk() if n.get_name() == "READING"])
        row = self.window.named("rater, distance to truth", desk.Atspi.Role.LIST_ITEM)
        wait("it to be selected as it was", lambda: row.get_state_set().contains(
            desk.Atspi.StateType.SELECTED))
        wait("the same picture", lambda: self.picture("second.png").rows == first.rows)

    def cut(self):
        """Turns the clip box on or off, by its key over the 3D pane."""
        x, y = self.window.centre(self.window.named("3D picture"))
        pointer(x, y)
        key(ord("c"))

    def test_is_seen_inside_a_volume(self):
        """An opaque head around both gives way, says so, and is there where the clip box opens it."""
        head = self.file("head")
        subprocess.run([self.cli, "--quiet", "phantom", head, "--kind=head", "--size=64",
                        "--photo-size=0x0"], check=True, stdout=subprocess.DEVNULL)
        self.window.action("open-path", desk.GLib.Variant("s", os.path.join(head, "t1.nii.gz")))
        self.window.select("t1")
        wait("it to be read", lambda: not [n for n in self.window.walk()
                                           if n.get_name() == "READING"])

        def coloured(picture):
            return [mean_x(picture, sign)[1] for sign in (lambda r, g, b: r > b + 60,
                                                          lambda r, g, b: b > r + 60)]
        wait("both colours", lambda: min(coloured(self.picture("both.png"))) > 20)
        both = self.picture("both.png")
        bare = sum(row[3 * (both.width // 2)] for row in both.rows)  # the column in the middle
        self.cut()
        wait("the head around it", lambda: abs(sum(
            row[3 * (both.width // 2)] for row in self.picture("cut.png").rows) - bare) > 2000)
        self.cut()
        wait("as before", lambda: self.picture("again.png").rows == both.rows)

    def test_a_mesh_is_checked_and_repaired_for_printing(self):
        """A ball and a speck of 27 mm³ at either side: they are told, and Repair leaves them out."""
        path = self.file("speckled.nii")
        write_ball(path, 0, [(x + n % 3, 30 + n // 3 % 3, 30 + n // 9) for x in (4, 57)
                             for n in range(27)])
        self.window.action("open-path", desk.GLib.Variant("s", path))
        self.window.select("speckled")
        self.window.press("Make mesh")
        surface, mended = "Surface of speckled", "Surface of speckled for printing"
        self.window.named(surface, desk.Atspi.Role.LIST_ITEM)
        self.window.select(surface)
        assert not self.shown("Repair")
        self.window.press("Check for printing")
        words = self.words("2 islands of less than ")
        assert "0.05 ml" in words and "holes" not in words, words
        wait("what mends it", lambda: self.shown("Repair"))
        measured = self.words(" parts\n")
        assert ", 3 parts" in measured, measured

        self.window.press("Repair")
        row = self.window.named(mended, desk.Atspi.Role.LIST_ITEM)
        wait("it to be selected", lambda: row.get_state_set().contains(
            desk.Atspi.StateType.SELECTED))
        self.words("Ready to print")
        wait("one part", lambda: ", 1 parts" in self.words(" parts\n"))
        assert not self.shown("Repair")
        self.window.do("Source")
        said = self.words("Computed by print-repair")
        assert '"islands_removed":2' in said.replace(" ", "") and path in said, said
        undo()
        wait("no repaired mesh", lambda: not self.layer(mended))
        self.window.select(surface)
        wait("three parts", lambda: ", 3 parts" in self.words(" parts\n"))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with desk.Desk(), tempfile.TemporaryDirectory() as folder:
        return desk.run(Tests(sys.argv[1], sys.argv[2], folder))


sys.exit(main())
