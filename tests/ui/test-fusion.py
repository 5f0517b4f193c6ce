#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From the scan to the photograph: points in both, the camera from them, one over the other.

usage: test-fusion.py BREGMA BREGMA_CLI
"""
import json
import os
import re
import subprocess
import sys
import tempfile

import desk
from desk import drag, hold, key, pointer, undo, wait, Window

UP = 0xFF52


class Tests:
    def __init__(self, program, cli, folder):
        self.folder, self.program, self.cli = folder, program, cli
        self.phantom = os.path.join(folder, "phantom")
        subprocess.run([cli, "--quiet", "phantom", self.phantom, "--kind=head", "--size=64",
                        "--photo-size=480x360"], check=True, stdout=subprocess.DEVNULL)
        home = os.path.join(folder, "state")
        self.window = Window(program, [self.file("t1.nii.gz"), self.file("optical.png")], home,
                             G_DEBUG="fatal-warnings", XDG_CONFIG_HOME=home)
        for layer in ("t1", "optical"):
            self.window.named(layer, desk.Atspi.Role.LIST_ITEM)
        self.window.action("layout", desk.GLib.Variant("s", "fusion"))

    def file(self, name):
        return os.path.join(self.phantom, name)

    def text(self, start):
        node = self.window.find(start)
        return node.get_name() if node else ""

    def alive(self):
        assert self.window.process.poll() is None, "the program has ended"

    def rows(self):
        """Rows of the points, as they stand."""
        table = self.window.named("Points", desk.Atspi.Role.LIST)
        return [table.get_child_at_index(i) for i in range(table.get_child_count())]

    def residuals(self):
        found = []
        for row in self.rows():
            found += [float(node.get_name().split()[0]) for node in self.window.walk(row)
                      if re.fullmatch(r"[0-9.]+ px", node.get_name() or "")]
        return found

    def test_says_that_no_camera_is_known(self):
        self.window.named("PHOTOGRAPH, optical")
        self.window.named("VOLUME FROM THE CAMERA, optical")
        self.window.named("OVERLAY, optical, opacity 50 %")
        self.window.named("Axial slice, ")
        self.window.select("optical")
        self.window.named("It is not known from where this was taken")
        for step in ("1 Volume: t1, done", "2 Photograph: optical, done",
                     "3 Points: 0 of at least 4 in both, to do", "6 Camera: from the points, to do",
                     "8 Approve: with your name, to do"):
            self.window.named(step)
        self.window.press("4 Plane: three points in the volume")
        self.window.named("Level")  # the volume is selected
        self.window.press("6 Camera")
        self.window.named("It is not known from where this was taken")
        self.window.press("From points")
        wait("a reason", lambda: any("place at least four points" in (node.get_name() or "")
                                     for node in self.window.walk()))
        self.window.press("Close this message")

    def test_finds_the_camera_from_points(self):
        self.window.select("t1")
        self.window.named("Level")
        self.window.action("load-points", desk.GLib.Variant("s", self.file("landmarks.csv")))
        self.window.named("1  L1", desk.Atspi.Role.LIST_ITEM)
        self.window.select("optical")
        self.window.named("It is not known from where this was taken")
        # A list of the wrong kind is refused.
        self.window.action("load-points", desk.GLib.Variant("s", self.file("landmarks.csv")))
        wait("a refusal", lambda: any("points of a volume" in (node.get_name() or "")
                                      for node in self.window.walk()))
        self.window.press("Close this message")
        self.window.action("load-points",
                           desk.GLib.Variant("s", self.file("landmarks-optical.csv")))
        self.window.named("1  L1", desk.Atspi.Role.LIST_ITEM)
        # Of these few points the focal length cannot be found; the truth is 1680 px of 480.
        for name, value in (("Focal length in mm", 126.0), ("Width of the sensor in mm", 36.0)):
            self.window.named(name, desk.Atspi.Role.SPIN_BUTTON).get_value_iface(
                ).set_current_value(value)
        self.window.press("From points")
        words = self.window.named("Camera by landmarks").get_name()
        fit = re.search(r"Residual ([0-9.]+) px", words)
        check = re.search(r"check-only points ([0-9.]+) px, ([0-9.]+) mm", words)
        assert fit and float(fit[1]) < 6.0, words
        assert check and 0.0 < float(check[2]) < 1.5, words  # of noise of 2 px
        assert "Not approved" in words, words
        wait("residuals", lambda: len(self.residuals()) == len(self.rows()))
        found = self.residuals()
        assert found == sorted(found, reverse=True) and found[0] > found[-1], found
        assert not self.window.unnamed(), "\n".join(self.window.unnamed())
        self.alive()

    def test_crops_what_lies_below_the_points(self):
        self.window.select("t1")
        self.window.named("Level")
        self.window.do("Plane and crop")
        words = self.window.named("From R").get_name()
        self.window.find("Depth in mm", desk.Atspi.Role.SLIDER).get_value_iface(
            ).set_current_value(40.0)
        wait("a deeper plane", lambda: self.window.find("From R") and
             self.window.find("From R").get_name() != words)
        box = self.window.find("Show it in 3D", desk.Atspi.Role.CHECK_BOX)
        folded = ("From the scan to the photograph", "Display", "Points and registration")
        for name in folded:  # so that the box is in sight
            self.window.do(name)
        wait("a box in sight", lambda: self.window.centre(box)[1] < 700)
        pointer(*self.window.centre(box))
        x, y = self.window.centre(box)
        pointer(x, y, "b1c")
        wait("the preview", lambda: box.get_state_set().contains(desk.Atspi.StateType.CHECKED))
        for name in folded:
            self.window.do(name)
        self.window.press("Crop the volume")
        self.window.named("Crop of t1", desk.Atspi.Role.LIST_ITEM)
        undo()
        wait("no crop", lambda: not self.window.find("Crop of t1", desk.Atspi.Role.LIST_ITEM))
        self.window.select("optical")
        self.window.named("Camera by landmarks")
        self.alive()

    def cli_run(self, *arguments):
        out = subprocess.run([self.cli, "--json", *arguments], check=True,
                             stdout=subprocess.PIPE).stdout
        return json.loads(out)

    def test_says_what_error_to_expect_in_the_photograph(self):
        self.window.named("Say how exactly the points were placed")
        spin = self.window.named("Error of placing a point in px", desk.Atspi.Role.SPIN_BUTTON)
        spin.get_value_iface().set_current_value(2.0)
        words = self.window.named("Expected at the cursor").get_name()
        found = re.search(r"cursor: ([0-9.]+) mm across the line of sight, ([0-9.]+) px", words)
        assert found and 0.05 < float(found[1]) < 10.0 and float(found[2]) > 0.2, words
        spin.get_value_iface().set_current_value(4.0)
        wait("twice that", lambda: abs(float(re.search(
            r"cursor: ([0-9.]+) mm", self.text("Expected at the cursor"))[1]) -
            2.0 * float(found[1])) < 0.02)

    def test_starts_on_the_surface_and_saves_its_slices(self):
        mesh = os.path.join(self.folder, "cortex.ply")
        self.cli_run("mesh", self.file("brain.nii.gz"), mesh, "--label=1", "--smooth=20",
                     "--largest")
        self.window.select("t1")
        self.window.named("Level")
        before = self.window.named("From R").get_name()
        self.window.action("open-path", desk.GLib.Variant("s", mesh))
        self.window.named("cortex", desk.Atspi.Role.LIST_ITEM)
        self.window.select("t1")
        wait("another top", lambda: self.text("From R") not in ("", before))
        wait("its contours", lambda: re.search(r"deep, \d+ contours?, values", self.text(
            "Oblique slice")))
        out = os.path.join(self.folder, "window.h5")
        self.window.action("save-slices", desk.GLib.Variant("(sd)", (out, 20.0)))
        wait("the slices", lambda: os.path.exists(out))
        plane = self.cli_run("landmarks", "plane", self.file("landmarks.csv"), "--depth=20",
                             "--volume=" + self.file("t1.nii.gz"), "--onto=" + mesh)
        top = ",".join(repr(x) for x in plane["origin_top_mm"])
        normal = ",".join(repr(x) for x in plane["normal"])
        said = self.text("From R").split()
        assert abs(float(said[2]) + plane["origin_top_mm"][0]) < 0.06, (said, plane)
        again = os.path.join(self.folder, "cli.h5")
        self.cli_run("slice", self.file("t1.nii.gz"), again, "--origin=" + top,
                     "--normal=" + normal, "--depth=20", "--count=7")
        try:
            import h5py
        except ImportError:
            return
        with h5py.File(out) as a, h5py.File(again) as b:
            a, b = a["/slices"], b["/slices"]
            inside = a[...] == a[...]  # outside of the volume there is no value
            assert a.shape == b.shape and (inside == (b[...] == b[...])).all(), (a.shape, b.shape)
            assert abs(a[...] - b[...])[inside].max() < 1e-3, abs(a[...] - b[...])[inside].max()
            for name in ("origin_mm", "normal", "u", "v", "spacing_mm"):
                assert abs(a.attrs[name] - b.attrs[name]).max() < 1e-9, name
            assert a.attrs["source_sha256"] == b.attrs["source_sha256"]

    def test_refines_the_camera_by_what_is_seen(self):
        self.window.select("optical")
        self.window.named("Camera by landmarks")
        residuals = self.residuals()
        self.window.press("Refine")
        words = wait("what came of it", lambda: next((
            node.get_name() for node in self.window.walk()
            if re.search("Refined: |Not refined", node.get_name() or "")), None), 120.0)
        said = subprocess.run(
            [self.cli, "--json", "register", "camera", "--points3d=" + self.file("landmarks.csv"),
             "--points2d=" + self.file("landmarks-optical.csv"), "--focal=126", "--sensor=36x27", "--size=480x360",
             "--photograph=" + self.file("optical.png"), "--inside=0,0,26", "--volume=" +
             self.file("t1.nii.gz"), "--surface=" + os.path.join(self.folder, "cortex.ply")],
            check=True, stdout=subprocess.PIPE).stdout
        refined = json.loads(said)["refined"]
        if not refined["trusted"]:
            assert refined["doubt"] in words, (words, refined["doubt"])
            assert words.startswith("Camera by landmarks."), words
            assert self.residuals() == residuals
            return
        numbers = re.search(r"moved by ([0-9.]+) px, ([0-9.]+) mm; mutual information ([0-9.]+) "
                            r"before, ([0-9.]+) after", words)
        for number, name in zip(numbers.groups(), ("moved_px", "moved_mm", "metric_before",
                                                  "metric_after")):
            assert abs(float(number) - refined[name]) < 0.06, (words, refined)
        assert self.text("Camera by mutual-information"), words
        undo()
        self.window.named("Camera by landmarks")
        wait("the residuals of before", lambda: self.residuals() == residuals)

    def test_lays_the_volume_over_the_photograph(self):
        x, y = self.window.centre(self.window.named("OVERLAY"))
        pointer(x, y)
        key(ord("]"))
        self.window.named("OVERLAY, optical, opacity 55 %")
        key(ord("o"))
        self.window.named("OVERLAY, optical, swipe 55 %")
        box = self.window.named("OVERLAY").get_component_iface().get_extents(
            desk.Atspi.CoordType.WINDOW)
        drag(x, y, -box.width // 4, 0)
        wait("a moved line", lambda: 20 <= float(self.text("OVERLAY").split()[-2]) <= 30)
        for name in ("checkerboard", "spyglass", "opacity"):
            key(ord("o"))
            self.window.named("OVERLAY, optical, " + name)
        self.alive()

    def test_goes_to_what_a_click_shows(self):
        x, y = self.window.centre(self.window.named("VOLUME FROM THE CAMERA"))
        before = self.text("Axial slice")
        pointer(x, y)
        pointer(x, y, "b1c")
        wait("the axial slice to follow", lambda: self.text("Axial slice") != before)

    def measures(self):
        """Likeness of the fused picture to the volume and to the photograph; None before there is one."""
        found = re.search(r"SSIM of the volume ([0-9.]+)  of the photograph ([0-9.]+)",
                          self.text("SSIM of the volume"))
        return found and (float(found[1]), float(found[2]))

    def test_fuses_what_both_show(self):
        self.window.select("optical")
        folded = ("From the scan to the photograph", "Camera")
        for name in folded:
            self.window.do(name)
        self.window.choose("Method of fusion", 1)
        self.window.named("FUSED, optical, Mean, opacity 100 %")
        wait("measures", self.measures)
        assert min(self.measures()) > 0.3, self.measures()
        self.window.choose("Method of fusion", 6)
        self.window.named("FUSED, optical, Learned, opacity 100 %")
        self.window.named("Learned, weights of funfuse")
        self.window.named("Synthetic: a network made these pixels")
        out = os.path.join(self.folder, "fused.png")
        self.window.press("Save the fused picture")
        self.window.answer_file(out)
        wait("the picture", lambda: desk.whole_png(out))
        said = self.cli_run("provenance", out)
        assert said["command"] == "fuse" and said["parameters"]["method"] == "learned", said
        assert said["parameters"]["synthetic"] and not said["parameters"]["full_range"], said
        assert said["parameters"]["precision"] == "float32" and said["backend"] == "cpu", said
        assert len(said["parameters"]["weights_sha256"]) == 64, said
        names = [os.path.basename(item["path"]) for item in said["inputs"]]
        assert "optical.png" in names and "t1.nii.gz" in names, said
        self.window.choose("Method of fusion", 4)
        self.window.named("FUSED, optical, Features, largest of all layers")
        self.window.named("VGG-19 has not been imported")
        wait("maps of both", lambda: len([node for node in self.window.walk() if (
            node.get_name() or "").startswith("Weights of the ")]) == 8)
        self.window.choose("Method of fusion", 0)
        self.window.named("OVERLAY, optical, opacity 50 %")
        wait("no measures", lambda: not self.measures())
        for name in folded:
            self.window.do(name)
        self.alive()

    def test_places_and_moves_points_in_the_photograph(self):
        n = len(self.rows())
        x, y = self.window.centre(self.window.named("PHOTOGRAPH"))
        pointer(x, y)
        key(ord("p"))
        drag(x + 15, y - 60, 10, 5)
        wait("a new point", lambda: len(self.rows()) == n + 1)
        node = self.window.find("%d  P%d" % (n + 1, n + 1), desk.Atspi.Role.LIST_ITEM)
        assert node is not None, [row.get_name() for row in self.rows()]
        hold(37, True)
        key(UP)
        hold(37, False)
        undo()  # of the nudge
        undo()  # of placing and its drag, one step
        wait("no new point", lambda: len(self.rows()) == n)
        key(0xFF1B)
        self.alive()

    def test_is_approved_by_name(self):
        entry = self.window.named("Name of who approves the camera")
        while entry.get_editable_text_iface() is None:
            entry = entry.get_child_at_index(0)
        entry.get_editable_text_iface().set_text_contents("A. Surgeon")
        self.window.press("Approve the camera")
        self.window.named("8 Approved by A. Surgeon")
        self.window.named("3 Points: 8 of at least 4 in both, done")
        self.window.named("7 Check: 7 check-only points, done")
        wait("the name", lambda: "Approved by A. Surgeon, 20" in self.text("Camera by landmarks"))
        undo()
        wait("no approval", lambda: "Not approved" in self.text("Camera by landmarks"))
        self.window.press("Remove the camera")
        self.window.named("It is not known from where this was taken")
        undo()
        self.window.named("Camera by landmarks")
        self.alive()

    def test_what_is_put_onto_it_is_seen_by_its_camera(self):
        self.window.action("open-path", desk.GLib.Variant("s", self.file("thermal.png")))
        self.window.named("thermal", desk.Atspi.Role.LIST_ITEM)
        self.window.select("thermal")
        wait("no points", lambda: not self.window.find("1  L1", desk.Atspi.Role.LIST_ITEM))
        self.window.action("load-points",
                           desk.GLib.Variant("s", self.file("landmarks-thermal.csv")))
        self.window.named("1  L1", desk.Atspi.Role.LIST_ITEM)
        self.window.press("By points")
        self.window.named("Registered to optical by landmarks. Shown as “thermal on optical”.")
        self.window.named("OVERLAY, thermal on optical, ")
        self.window.select("thermal on optical")
        self.window.named("This photograph was put onto another one")
        for step in ("1 Volume: t1, done", "2 Photograph: thermal on optical, done",
                     "3 Points: 8 of at least 4 in both, done", "6 Camera: by landmarks, done",
                     "7 Check: 7 check-only points, done"):
            self.window.named(step)
        self.window.press("8 Approve")
        self.window.named("Camera by landmarks")
        self.alive()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with desk.Desk(), tempfile.TemporaryDirectory() as folder:
        return desk.run(Tests(sys.argv[1], sys.argv[2], folder))


sys.exit(main())
