#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The import page: what is dropped is looked at, named, confirmed; two patients never meet unasked.

usage: test-import.py BREGMA BREGMA_CLI
"""
import os
import subprocess
import sys
import tempfile
import time

import desk
from desk import wait, Window

try:
    import numpy
    import pydicom
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid
except ImportError:
    pydicom = None


def write_series(folder, patient, number, description, n_slices):
    """A small MR series, as a scanner writes it."""
    series, study, frame = generate_uid(), generate_uid(), generate_uid()
    os.makedirs(folder, exist_ok=True)
    for k in range(n_slices):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = os.path.join(folder, "s%d-%03d.dcm" % (number, k))
        data = FileDataset(path, Dataset(), file_meta=meta, preamble=b"\0" * 128)
        data.SOPClassUID = meta.MediaStorageSOPClassUID
        data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
        data.PatientName, data.PatientID = patient
        data.PatientBirthDate, data.PatientSex = "19610302", "F"
        data.StudyInstanceUID, data.SeriesInstanceUID = study, series
        data.FrameOfReferenceUID = frame
        data.StudyDate = data.SeriesDate = "20260102"
        data.Modality, data.SeriesNumber, data.InstanceNumber = "MR", number, k + 1
        data.SeriesDescription = description
        data.Rows = data.Columns = 32
        data.PixelSpacing, data.SliceThickness = [2.0, 2.0], 3.0
        data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        data.ImagePositionPatient = [-32.0, -32.0, 3.0 * k]
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
        y, x = numpy.mgrid[0:32, 0:32]
        data.PixelData = ((x * 40 + y * 20 + k * 10) % 4000).astype("<u2").tobytes()
        data.is_little_endian, data.is_implicit_VR = True, False
        data.save_as(path, write_like_original=False)


class Tests:
    def __init__(self, program, cli, folder):
        self.folder = folder
        self.program = program
        self.cli = cli
        self.phantom = os.path.join(folder, "phantom")
        subprocess.run([cli, "--quiet", "phantom", self.phantom, "--kind=head", "--size=48",
                        "--tumour"], check=True, stdout=subprocess.DEVNULL)
        self.window = None
        if pydicom is not None:
            self.jane = os.path.join(folder, "jane")
            self.john = os.path.join(folder, "john")
            write_series(os.path.join(self.jane, "a"), ("Doe^Jane", "4711"), 1, "t1_mprage", 12)
            write_series(os.path.join(self.jane, "b"), ("Doe^Jane", "4711"), 2, "flair tra", 8)
            write_series(self.john, ("Roe^John", "0815"), 1, "t2 tse", 10)

    def start(self, state, **environment):
        if self.window is not None:
            self.window.process.kill()
            self.window.process.wait()
        self.window = Window(self.program, [], os.path.join(self.folder, state),
                             G_DEBUG="fatal-warnings", **environment)

    def alive(self):
        assert self.window.process.poll() is None, "the program has ended"

    def rows(self):
        return [node.get_name() for node in self.window.walk()
                if node.get_role() == desk.Atspi.Role.LIST_ITEM and self.window.shown(node)]

    def press(self, start):
        def find():
            for node in self.window.walk():
                name = node.get_name() or ""
                if node.get_role() == desk.Atspi.Role.PUSH_BUTTON and self.window.shown(
                        node) and (name.startswith(start) or name.endswith(" " + start)):
                    return node
            return None
        wait("the button “%s”" % start, find).get_action_iface().do_action(0)

    def open_paths(self, paths):
        self.window.action("open-paths", desk.GLib.Variant("as", paths))

    def test_names_files_that_belong_together(self):
        self.start("names")
        names = ("t1", "t1ce", "t2", "flair", "labels")
        self.open_paths([os.path.join(self.phantom, name + ".nii.gz") for name in names])
        wanted = {"T1", "T1 contrast", "T2", "FLAIR", "Labels"}
        wait("five rows with names", lambda: wanted <= set(self.rows()))
        assert not self.window.unnamed(), "\n".join(self.window.unnamed())
        self.press("Open 5")
        wait("five layers", lambda: self.window.find("Axial slice, ") and
             wanted <= set(self.rows()))
        self.alive()

    def test_tells_what_is_broken_and_opens_the_rest(self):
        bad = os.path.join(self.folder, "bad.nii")
        with open(bad, "w", encoding="ascii") as file:
            file.write("no scan at all")
        self.start("broken")
        self.open_paths([os.path.join(self.phantom, "t2.nii.gz"), bad])
        self.window.named("Open 1", desk.Atspi.Role.PUSH_BUTTON)
        wait("the reason", lambda: any("bad.nii" in (node.get_name() or "") and
                                       "cannot be read" in (node.get_name() or "")
                                       for node in self.window.walk()))
        self.press("Open 1")
        wait("one layer", lambda: self.window.find("Axial slice, ") and self.rows() == ["T2"])

    def test_lists_patients_and_series_of_a_folder(self):
        if pydicom is None:
            return
        self.start("folder")
        self.open_paths([self.jane])
        wait("two series", lambda: {"T1", "FLAIR"} <= set(self.rows()))
        self.window.named("Doe^Jane")
        self.press("Open 1")  # the larger one, by itself
        wait("a layer", lambda: self.window.find("Axial slice, ") and "T1" in self.rows())
        wait("the patient's banner", lambda: self.window.find("Doe^Jane"))
        self.alive()

    def test_stops_before_two_patients_meet(self):
        if pydicom is None:
            return
        self.open_paths([self.john])
        self.press("Open 1")
        self.window.named("This file is of another patient")
        assert not self.window.unnamed(), "\n".join(self.window.unnamed())
        self.press("Do Not Open")
        time.sleep(1.0)
        assert "T2" not in self.rows(), "a second patient came in unasked"
        self.open_paths([self.john])
        self.press("Open 1")
        reason = self.window.named("Reason for opening")
        anyway = [node for node in self.window.walk() if (node.get_name() or "").endswith(
            "Anyway") and node.get_role() == desk.Atspi.Role.PUSH_BUTTON][0]
        assert not anyway.get_state_set().contains(desk.Atspi.StateType.SENSITIVE), \
            "opens without a reason"
        reason.get_editable_text_iface().set_text_contents("planned together")
        wait("a way on", lambda: anyway.get_state_set().contains(desk.Atspi.StateType.SENSITIVE))
        anyway.get_action_iface().do_action(0)
        wait("the second patient's row", lambda: "T2" in self.rows())
        self.window.named("OTHER PATIENT")
        self.alive()


    def spin(self, name, value):
        wait("the number “%s”" % name, lambda: self.window.find(
            name, desk.Atspi.Role.SPIN_BUTTON)).get_value_iface().set_current_value(value)

    def click(self, name, role):
        """What toggles has no action in GTK 4.8."""
        node = self.window.named(name, role)
        wait("the place of “%s”" % name, lambda: self.window.shown(node))
        x, y = self.window.centre(node)
        desk.pointer(x, y)
        desk.pointer(x, y, "b1c")

    def can_open(self):
        nodes = [node for node in self.window.walk() if node.get_role() ==
                 desk.Atspi.Role.PUSH_BUTTON and (node.get_name() or "").startswith("Open 1")]
        return bool(nodes) and nodes[0].get_state_set().contains(desk.Atspi.StateType.SENSITIVE)

    def says(self, text):
        return any(text in (node.get_name() or "") and self.window.shown(node)
                   for node in self.window.walk())

    def test_offers_to_thin_out_what_does_not_fit(self):
        self.start("thin", BREGMA_MEMORY_LIMIT="100000")
        self.open_paths([os.path.join(self.phantom, "t1.nii.gz")])
        wait("that it does not fit", lambda: self.says("This does not fit"))
        assert not self.can_open(), "what does not fit can be opened"
        assert not self.window.unnamed(), "\n".join(self.window.unnamed())
        self.press("Take Fewer Voxels")
        wait("a way to open", self.can_open)
        wait("what it is of", lambda: self.says(" of 48 × 48 × 48"))
        wait("the cost", lambda: self.says("Memory: "))
        self.press("Open 1")
        wait("fewer slices", lambda: self.window.find("Axial slice, ") and
             "of 24" in self.window.find("Axial slice, ").get_name())
        wait("a word on it", lambda: self.says("Only a part was read"))
        self.alive()

    def test_cuts_out_a_box(self):
        self.start("box")
        self.open_paths([os.path.join(self.phantom, name) for name in ("t2.nii.gz", "t1.nii.gz")])
        self.click("Open a part", desk.Atspi.Role.PUSH_BUTTON)
        for name, value in (("First slice", 11), ("Last slice", 30), ("Last column", 40)):
            self.spin(name, value)
        wait("the box", lambda: self.says("40 × 48 × 20 of 48 × 48 × 48"))
        self.click("Open T1", desk.Atspi.Role.CHECK_BOX)
        self.press("Open 1")
        wait("twenty slices", lambda: self.window.find("Axial slice, ") and
             "of 20" in self.window.find("Axial slice, ").get_name())
        self.alive()

    def child(self, how):
        """A child that dies or hangs, as of a hostile file, until it is told to do well."""
        state = os.path.join(self.folder, "child-state")
        program = os.path.join(self.folder, "child.sh")
        real = os.path.join(os.path.dirname(os.path.abspath(self.cli)), os.pardir, "decode",
                            "bregma-decode")
        with open(program, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\nread -r how <'%s'\n[ $how = die ] && exit 3\n"
                       "[ $how = hang ] && exec sleep 600\nexec '%s' \"$@\"\n" % (state, real))
        os.chmod(program, 0o755)
        with open(state, "w", encoding="ascii") as file:
            file.write(how + "\n")
        return program

    def picture(self):
        """A file that only the child reads."""
        path = os.path.join(self.folder, "photo.h5")
        if not os.path.exists(path):
            subprocess.run([self.cli, "--quiet", "convert", os.path.join(
                self.phantom, "flair.nii.gz"), path], check=True, stdout=subprocess.DEVNULL)
        return path

    def test_a_dead_child_leaves_a_red_row_that_tries_again(self):
        path = self.picture()
        self.start("dead", BREGMA_DECODE=self.child("die"))
        self.window.action("open-path",
                           desk.GLib.Variant("s", os.path.join(self.phantom, "t1.nii.gz")))
        wait("the first layer", lambda: self.window.find("Axial slice, ") and "t1" in self.rows())
        self.window.action("open-path", desk.GLib.Variant("s", path))
        wait("the red row", lambda: any("photo" in row for row in self.rows()))
        wait("the reason", lambda: self.says("could not be opened"))
        wait("the first layer lives", lambda: "t1" in self.rows() and
             self.window.find("Axial slice, "))
        retry = wait("Retry", lambda: self.window.find("Retry", desk.Atspi.Role.PUSH_BUTTON))
        self.child("well")
        retry.get_action_iface().do_action(0)
        wait("no red row", lambda: not self.window.find("Retry", desk.Atspi.Role.PUSH_BUTTON))
        wait("both layers", lambda: len(self.rows()) == 2)
        self.alive()

    def test_can_be_cancelled_while_the_child_hangs(self):
        path = self.picture()
        self.start("hangs", BREGMA_DECODE=self.child("hang"))
        self.open_paths([path])
        self.window.named("What to open")
        self.press("Cancel")
        wait("the page to go", lambda: not self.says("What to open"))
        self.window.action("open-path", desk.GLib.Variant("s", path))
        wait("the job", lambda: self.says("Reading photo.h5"))
        self.press("Cancel")
        wait("no job", lambda: not self.says("Reading photo.h5"))
        assert not self.rows(), "what was cancelled came in"
        self.alive()

    def test_guesses_and_shows_voxels_without_a_header(self):
        if pydicom is None:
            return
        path = os.path.join(self.folder, "head_40x48x32.raw")
        k, j, i = numpy.mgrid[0:32, 0:48, 0:40]
        values = 3000 * numpy.exp(-((i - 20) ** 2 + (j - 24) ** 2 + (k - 16) ** 2) / 200.0)
        values.astype(">u2").tofile(path)
        self.start("raw")
        self.window.action("open-path", desk.GLib.Variant("s", path))
        self.press("Open as voxels")
        self.window.named("Voxels without a header")

        def number(name):
            node = self.window.find(name, desk.Atspi.Role.SPIN_BUTTON)
            return node and node.get_value_iface().get_current_value()
        wait("the guess", lambda: (number("Columns"), number("Rows"), number("Slices")) ==
             (40, 48, 32))
        self.window.named("All bytes of the file are used")
        assert not self.window.unnamed(), "\n".join(self.window.unnamed())
        self.window.find("Slices", desk.Atspi.Role.SPIN_BUTTON).get_value_iface(
            ).set_current_value(33)
        opens = [node for node in self.window.walk() if node.get_name() == "Open" and
                 node.get_role() == desk.Atspi.Role.PUSH_BUTTON][-1]
        wait("no way to open what is not there", lambda: not opens.get_state_set().contains(
            desk.Atspi.StateType.SENSITIVE))
        self.window.find("Slices", desk.Atspi.Role.SPIN_BUTTON).get_value_iface(
            ).set_current_value(32)
        wait("a way to open", lambda: opens.get_state_set().contains(
            desk.Atspi.StateType.SENSITIVE))
        opens.get_action_iface().do_action(0)
        wait("the volume", lambda: self.window.find("Axial slice, ") and
             "of 32" in self.window.find("Axial slice, ").get_name())
        self.answers_what_the_file_does_not_say()
        self.alive()

    def answers_what_the_file_does_not_say(self):
        self.window.named("Where left and right are is unknown")
        self.window.named("How far voxels are apart is unknown")
        for text in ("left", "px"):
            assert any(text in (node.get_name() or "") for node in self.window.walk())
        # Lengths are in px until somebody says how long a px is.
        x, y = self.window.centre(self.window.named("Axial slice, "))
        desk.pointer(x, y)
        desk.key(ord("l"))
        desk.drag(x - 40, y, 80, 0)
        desk.key(0xFF1B)

        def length(unit):
            for node in self.window.walk():
                words = (node.get_name() or "").split()
                if len(words) == 2 and words[1] == unit and words[0][0].isdigit():
                    return float(words[0])
            return None
        in_px = wait("a length in px", lambda: length("px"))
        self.window.press("Set the spacing")
        wait("a refusal", lambda: any("One of the three distances" in (node.get_name() or "")
                                      for node in self.window.walk()))
        for what in ("columns", "rows", "slices"):
            self.window.find("Distance of %s in mm" % what, desk.Atspi.Role.SPIN_BUTTON
                             ).get_value_iface().set_current_value(2.0)
        self.window.press("Set the spacing")
        wait("a length in mm", lambda: length("mm") and abs(length("mm") - 2.0 * in_px) < 0.2)
        wait("no question", lambda: not self.shown("How far voxels are apart is unknown"))
        self.window.press("Mirrored")
        wait("no question", lambda: not self.shown("Where left and right are is unknown"))
        desk.undo()
        wait("the question", lambda: self.shown("Where left and right are is unknown"))

    def shown(self, start):
        node = self.window.find(start)
        return node is not None and self.window.shown(node)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with desk.Desk(), tempfile.TemporaryDirectory() as folder:
        return desk.run(Tests(sys.argv[1], sys.argv[2], folder))


sys.exit(main())
