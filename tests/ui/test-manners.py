#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What must not be lost, mixed up or forgotten, and that GTK has nothing to say about any of it.

usage: test-manners.py BREGMA BREGMA_CLI

Every run of the program here ends at the first warning (G_DEBUG=fatal-warnings).
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import desk
from desk import drag, key, pointer, undo, wait, Window

ESCAPE, TAB, DELETE, RIGHT, UP, INSERT = 0xFF1B, 0xFF09, 0xFFFF, 0xFF53, 0xFF52, 0xFF63


class Tests:
    def __init__(self, program, cli, folder):
        self.folder = folder
        self.program = program
        phantom = os.path.join(folder, "phantom")
        subprocess.run([cli, "--quiet", "phantom", phantom, "--kind=head", "--size=64", "--tumour"],
                       check=True, stdout=subprocess.DEVNULL)
        self.volume = os.path.join(phantom, "t1ce.nii.gz")
        self.labels = os.path.join(phantom, "labels.nii.gz")
        self.window = None

    def open(self, files, state, **environment):
        """Ends what ran before. @state: a name; the same one finds what the last run left."""
        if self.window is not None:
            self.kill()
        home = os.path.join(self.folder, state)
        self.window = Window(self.program, files, home, G_DEBUG="fatal-warnings",
                             XDG_CONFIG_HOME=home, **environment)
        if files:
            self.wait_for_slices()

    def kill(self):
        self.window.process.kill()
        self.window.process.wait()

    def wait_for_slices(self):
        wait("a slice", lambda: self.window.find("Axial slice, ") and
             "empty" not in self.window.find("Axial slice").get_name())

    def alive(self):
        assert self.window.process.poll() is None, "the program has ended"

    def pane(self, name):
        return self.window.centre(self.window.named(name))

    def value(self, name):
        node = self.window.named(name, desk.Atspi.Role.SPIN_BUTTON)
        return node.get_value_iface().get_current_value()

    def texts(self):
        return [node.get_name() or "" for node in self.window.walk()]

    def showing(self, start, role=None):
        for node in self.window.walk():
            if (node.get_name() or "").startswith(start) and (
                    role is None or node.get_role() == role) and self.window.shown(node):
                return node
        return None

    def wait_for(self, start, role=None):
        return wait("“%s” on the screen" % start, lambda: self.showing(start, role))

    def do(self, node):
        node.get_action_iface().do_action(0)

    def answer(self, word):
        """Presses a button of a dialog: GTK calls them "_Cancel Cancel"."""
        def find():
            for node in self.window.walk():
                if word in (node.get_name() or "").split() and self.window.shown(
                        node) and node.get_role() == desk.Atspi.Role.PUSH_BUTTON:
                    return node
            return None
        self.do(wait("the answer “%s”" % word, find))

    def measured(self):
        return any(" mm" in text and text[0].isdigit() for text in self.texts() if text)

    def measure(self):
        """A length in the axial pane, by the ruler."""
        x, y = self.pane("Axial slice")
        pointer(x, y)
        key(ord("l"))
        drag(x - 40, y - 30, 80, 0)
        wait("a measurement", self.measured)
        key(ESCAPE)

    def test_tells_all_that_cannot_be_opened(self):
        paths = []
        for name in ("one.nii", "two.nrrd", "three.mha"):
            paths.append(os.path.join(self.folder, name))
            with open(paths[-1], "w", encoding="ascii") as file:
                file.write("nothing of the kind")
        self.open([self.volume] + paths, "errors")
        self.wait_for("3 messages")
        details = [node for node in self.window.walk() if node.get_name() == "Details" and
                   node.get_action_iface() is not None and
                   node.get_action_iface().get_n_actions() > 0 and self.window.shown(node)]
        self.do(details[0])
        wait("the list", lambda: any(paths[0] in text for text in self.texts()))
        whole = "\n".join(self.texts())
        for path in paths:
            assert path in whole, path + " is not told"

    def test_shows_dialogs_without_warnings_and_with_names(self):
        self.open([self.volume, self.labels], "dialogs")
        bad = []
        for name in ("shortcuts", "preferences", "about", "save-as", "screenshot", "open"):
            self.window.action(name)
            time.sleep(1.0)
            self.alive()
            if name == "preferences":  # the others are GTK's own
                bad += [name + ": " + text for text in self.window.unnamed()]
            key(ESCAPE)
            time.sleep(0.3)
        for layer in ("labels", "t1ce"):
            self.window.find(layer, desk.Atspi.Role.LIST_ITEM)
            bad += [layer + ": " + text for text in self.window.unnamed()]
        self.alive()
        assert not bad, "\n".join(bad)

    def test_keeps_the_width_of_the_panes(self):
        self.open([self.volume, self.labels], "widths")
        widths = set()
        for row in ("labels", "t1ce"):
            pointer(*self.window.centre(self.window.named(row, desk.Atspi.Role.LIST_ITEM)))
            x, y = self.window.centre(self.window.named(row, desk.Atspi.Role.LIST_ITEM))
            pointer(x, y, "b1c")
            time.sleep(0.5)
            box = self.window.named("Axial slice").get_component_iface().get_extents(
                desk.Atspi.CoordType.WINDOW)
            widths.add(box.width)
        assert len(widths) == 1, "panes are %s wide" % sorted(widths)

    def test_edits_the_transfer_function_by_keys(self):
        editor = self.window.named("Transfer function, no point selected")
        box = editor.get_component_iface().get_extents(desk.Atspi.CoordType.WINDOW)
        pointer(box.x + box.width // 2, box.y + 20)
        pointer(box.x + box.width // 2, box.y + 20, "b1c")  # adds a point there
        added = self.window.named("Opacity point at ").get_name()
        key(UP)
        key(RIGHT)
        moved = wait("a moved point", lambda: self.window.find("Opacity point at ") and
                     self.window.find("Opacity point at ").get_name() != added and
                     self.window.find("Opacity point at ").get_name())
        key(TAB)
        wait("the next point", lambda: not self.window.find(moved))
        key(DELETE)
        self.window.named("Transfer function, no point selected")
        undo()
        self.alive()

    def test_drags_a_handle_of_the_clip_box(self):
        x, y = self.pane("3D picture")
        box = self.window.named("3D picture").get_component_iface().get_extents(
            desk.Atspi.CoordType.WINDOW)
        pointer(x, y)
        key(ord("c"))
        section = [node for node in self.window.walk() if node.get_name() == "Clip box" and
                   node.get_action_iface() is not None]
        self.do(section[0])
        before = self.value("Left face of the clip box")
        for away in range(40, box.width // 2, 8):  # the patient's left is on the picture's right
            drag(x + away, y, -20, 0)
            time.sleep(0.2)
            if self.value("Left face of the clip box") < before - 1.0:
                break
            self.window.action("undo-view")
            time.sleep(0.1)
        else:
            raise AssertionError("no handle right of the middle moves the left face")
        moved = self.value("Left face of the clip box")
        right = self.value("Right face of the clip box")
        undo()
        wait("the old box", lambda: abs(self.value("Left face of the clip box") - before) < 0.01)
        assert moved > right, "the box is inside out"
        pointer(x, y)
        key(ord("c"))

    def test_copies_a_picture_to_the_clipboard(self):
        if shutil.which("xclip") is None:
            return
        self.window.action("copy-picture")

        def copied():
            out = subprocess.run(["xclip", "-selection", "clipboard", "-t", "image/png", "-o"],
                                 capture_output=True, timeout=20, check=False)
            return out.stdout.startswith(b"\x89PNG") and len(out.stdout) > 10000
        wait("a picture in the clipboard", copied, 20)

    def test_asks_before_work_is_lost(self):
        self.measure()
        self.window.action("new")
        self.wait_for("Save the case before it is closed")
        assert not self.window.unnamed(), "\n".join(self.window.unnamed())
        self.window.action("new")  # a second time: there is one question all the same
        time.sleep(0.5)
        questions = [text for text in self.texts() if text.startswith("Save the case before")]
        assert len(questions) == 1, questions
        self.answer("Cancel")
        # A button that is pressed by its accessible action answers a quarter of a second later.
        wait("no question", lambda: not self.showing("Save the case before it is closed"))
        wait("the case that was there", lambda: self.window.find("t1ce"))
        self.window.action("new")
        self.wait_for("Save the case before it is closed")
        self.answer("Discard")
        wait("an empty case", lambda: not self.window.find("t1ce", desk.Atspi.Role.LIST_ITEM))
        self.wait_for("t1ce.nii.gz", desk.Atspi.Role.TABLE_CELL)  # among the recent ones
        self.alive()

    def test_offers_what_a_crash_left(self):
        self.open([self.volume], "crash")
        self.measure()
        time.sleep(2.5)  # the journal is written within two seconds
        self.window.process.send_signal(signal.SIGKILL)
        self.window.process.wait()
        self.open([], "crash")
        self.wait_for("bregma ended unexpectedly")
        self.answer("Review")
        self.wait_for("Restored after a crash")
        self.wait_for_slices()
        wait("the measurement", self.measured)
        self.answer("Checked")
        wait("no banner", lambda: not self.showing("Restored after a crash"))
        self.alive()

    def test_asks_before_another_case_takes_its_place(self):
        self.open([self.volume], "replaced")
        self.measure()
        time.sleep(2.5)  # the journal is written within two seconds
        self.window.process.send_signal(signal.SIGKILL)
        self.window.process.wait()
        case = os.path.join(self.folder, "replaced.bregma")
        self.open([self.labels.replace("labels", "flair")], "replaced")
        banner = self.wait_for("bregma ended unexpectedly").get_name()
        assert "t1ce" in banner and "patient not in the files" in banner, banner
        self.window.action("save-to", desk.GLib.Variant("s", case))
        wait("the case in a file", lambda: os.path.exists(case))
        self.measure()
        for want in ("review", "open"):
            if want == "review":
                self.answer("Review")
            else:
                self.window.action("open-path", desk.GLib.Variant("s", case))
            self.wait_for("Save the case before it is closed")
            self.answer("Cancel")
            wait("no question", lambda: not self.showing("Save the case before it is closed"))
            assert self.measured() and self.window.find("flair", desk.Atspi.Role.LIST_ITEM)
        self.window.action("open-path", desk.GLib.Variant("s", case))
        self.wait_for("Save the case before it is closed")
        self.answer("Discard")
        wait("the case of the file", lambda: not self.measured())
        wait("its layer", lambda: self.window.find("flair", desk.Atspi.Role.LIST_ITEM))
        self.alive()

    def test_keeps_preferences_and_follows_the_radiology_map(self):
        self.open([self.volume], "prefs", GSETTINGS_BACKEND="keyfile")
        x, y = self.pane("Axial slice")
        sagittal = self.window.named("Sagittal slice").get_name()
        width = self.value("Window width")
        drag(x + 20, y + 10, 40, 0)
        wait("the crosshair to follow", lambda: self.window.named("Sagittal slice").get_name() !=
             sagittal)
        assert abs(self.value("Window width") - width) < 1e-6
        self.answer("Understood")
        self.window.action("show-left")
        time.sleep(1.0)
        home = os.path.join(self.folder, "prefs")
        self.kill()
        with open(os.path.join(home, "glib-2.0", "settings", "keyfile"), "a",
                  encoding="ascii") as file:
            file.write("\n[org/bregma/Bregma]\nmouse-map='radiology'\ntheme='light'\nscale=150\n")
        self.open([self.volume], "prefs", GSETTINGS_BACKEND="keyfile")
        x, y = self.pane("Axial slice")
        width = self.value("Window width")
        drag(x + 20, y + 10, 60, 0)
        wait("a wider window by the left button", lambda: self.value("Window width") > width * 1.1)
        assert not self.showing("bregma is for research"), "the notice was confirmed before"
        assert not self.showing("LAYERS"), "the list of layers was hidden before"
        self.alive()

    def test_opens_both_demonstrations(self):
        for demo, meshes in (("head", "Surface of aal"), ("phantom", "Surface of labels")):
            if demo == "head" and not os.path.exists("/usr/share/mricron/templates/ch2.nii.gz"):
                continue
            self.open([], "demo-" + demo)
            self.window.action("demo", desk.GLib.Variant("s", demo))
            self.window.named(meshes, desk.Atspi.Role.LIST_ITEM)
            self.wait_for_slices()
            self.alive()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with desk.Desk(), tempfile.TemporaryDirectory() as folder:
        return desk.run(Tests(sys.argv[1], sys.argv[2], folder))


sys.exit(main())
