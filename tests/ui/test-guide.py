#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The guided sequence, whole: volume, photograph, points, plane, crop, camera, check, approval. It is
left and entered again in the middle, undone step by step and done again, saved and opened.

usage: test-guide.py BREGMA BREGMA_CLI
"""
import os
import re
import subprocess
import sys
import tempfile

import desk
from desk import key, pointer, undo, wait, Window

TO_DO = ["1 Volume: open one, to do", "2 Photograph: open one, to do",
         "3 Points: 0 of at least 4 in both, to do", "4 Plane: three points in the volume, to do",
         "5 Crop: below the plane, if wanted, to do", "6 Camera: from the points, to do",
         "7 Check: 0 check-only points, to do", "8 Approve: with your name, to do"]


class Tests:
    def __init__(self, program, cli, folder):
        self.folder, self.program, self.cli = folder, program, cli
        self.phantom = os.path.join(folder, "phantom")
        subprocess.run([cli, "--quiet", "phantom", self.phantom, "--kind=head", "--size=64",
                        "--photo-size=480x360"], check=True, stdout=subprocess.DEVNULL)
        self.states = []  # after each step: what the list of steps says
        self.open_window([self.file("t2.nii.gz")], "state")
        self.window.named("t2", desk.Atspi.Role.LIST_ITEM)
        self.window.action("layout", desk.GLib.Variant("s", "fusion"))

    def open_window(self, files, state):
        home = os.path.join(self.folder, state)
        self.window = Window(self.program, files, home, G_DEBUG="fatal-warnings",
                             XDG_CONFIG_HOME=home)

    def file(self, name):
        return os.path.join(self.phantom, name)

    def steps(self):
        """What the eight buttons say, in order."""
        names = [node.get_name() or "" for node in self.window.walk()
                 if node.get_role() == desk.Atspi.Role.PUSH_BUTTON]
        return [name for name in names if re.match(r"[1-8] .*, (done|to do)$", name)]

    def step(self, text):
        """Waits until that step says so, and that no other has changed on the way back."""
        wait("“%s” among %s" % (text, self.steps()), lambda: text in self.steps())

    def words(self):
        node = self.window.find("Camera by")
        return node.get_name() if node else ""

    def remember(self):
        self.states.append(self.steps())

    def rows(self):
        table = self.window.named("Points", desk.Atspi.Role.LIST)
        return [table.get_child_at_index(i) for i in range(table.get_child_count())]

    def load_points(self, name):
        self.window.action("load-points", desk.GLib.Variant("s", self.file(name)))
        self.window.named("1  L1", desk.Atspi.Role.LIST_ITEM)

    def set_value(self, name, value):
        self.window.named(name, desk.Atspi.Role.SPIN_BUTTON).get_value_iface().set_current_value(
            value)

    def test_begins_with_a_volume_and_a_photograph(self):
        self.step("1 Volume: t2, done")
        assert self.steps()[1:] == TO_DO[1:], self.steps()
        self.remember()
        self.window.action("open-path", desk.GLib.Variant("s", self.file("t1.nii.gz")))
        self.window.named("t1", desk.Atspi.Role.LIST_ITEM)
        self.window.action("open-path", desk.GLib.Variant("s", self.file("optical.png")))
        self.step("2 Photograph: optical, done")
        self.window.select("t1")
        self.step("1 Volume: t1, done")

    def test_takes_points_in_both(self):
        self.window.press("1 Volume: t1")
        self.window.named("Level")
        self.load_points("landmarks.csv")
        self.step("4 Plane: through the volume’s points, done")
        assert "3 Points: 0 of at least 4 in both, to do" in self.steps(), self.steps()
        self.remember()
        self.window.press("3 Points")  # which takes the tool, and shows the photograph
        self.window.named("It is not known from where this was taken")
        self.load_points("landmarks-optical.csv")
        self.step("3 Points: 8 of at least 4 in both, done")
        # One more by the pointer, in the photograph alone: no pair, so the step says the same.
        n = len(self.rows())
        x, y = self.window.centre(self.window.named("PHOTOGRAPH"))
        pointer(x + 20, y - 60)
        pointer(x + 20, y - 60, "b1c")
        wait("one point more", lambda: len(self.rows()) == n + 1)
        assert "3 Points: 8 of at least 4 in both, done" in self.steps(), self.steps()
        undo()
        wait("no point more", lambda: len(self.rows()) == n)
        key(0xFF1B)
        self.remember()

    def test_crops_below_the_plane(self):
        self.window.press("4 Plane")
        self.window.named("Level")
        self.window.press("5 Crop")
        self.window.do("Plane and crop")
        self.window.named("From R")
        self.window.press("Crop the volume")
        self.window.named("Crop of t1", desk.Atspi.Role.LIST_ITEM)
        self.step("5 Crop: made, done")
        self.remember()

    def test_is_left_and_entered_again(self):
        before = self.steps()
        self.window.action("layout", desk.GLib.Variant("s", "planning"))
        wait("no list of steps", lambda: not self.steps())
        self.window.select("t2")
        self.window.action("layout", desk.GLib.Variant("s", "fusion"))
        wait("the list of steps", lambda: len(self.steps()) == 8)
        # t2 is looked at now, but the points are of t1.
        self.step("1 Volume: t1, done")
        assert self.steps() == before, (before, self.steps())

    def test_finds_the_camera(self):
        self.window.press("6 Camera")
        self.window.named("It is not known from where this was taken")
        self.set_value("Focal length in mm", 126.0)
        self.set_value("Width of the sensor in mm", 36.0)
        self.window.press("From points")
        self.step("6 Camera: by landmarks, done")
        self.step("7 Check: 7 check-only points, done")
        words = self.words()
        assert re.search(r"Residual [0-9.]+ px .* at 8 fitted points; not an accuracy", words), words
        assert re.search(r"At 7 check-only points [0-9.]+ px, [0-9.]+ mm at depth", words), words
        self.camera_words = words
        self.remember()
        # The steps speak of the volume that the camera was made on, whichever is selected.
        self.window.select("t2")
        self.window.named("Level")
        assert self.steps() == self.states[-1], self.steps()

    def test_is_approved(self):
        self.window.press("7 Check")
        wait("the camera’s words", lambda: self.words() == self.camera_words)
        self.window.press("8 Approve")
        entry = self.window.named("Name of who approves the camera")
        while entry.get_editable_text_iface() is None:
            entry = entry.get_child_at_index(0)
        entry.get_editable_text_iface().set_text_contents("A. Surgeon")
        self.window.press("Approve the camera")
        wait("the approval", lambda: re.search(r"8 Approved by A. Surgeon, 20\S+Z, done",
                                               "\n".join(self.steps())))
        wait("its words", lambda: "Approved by A. Surgeon, 20" in self.words())
        self.remember()
        assert not [step for step in self.steps() if step.endswith("to do")], self.steps()

    def expect(self, state):
        wait("the steps %s, not %s" % (state, self.steps()), lambda: self.steps() == state)

    def test_each_step_is_undone_and_done_again(self):
        last = self.states[-1]
        self.window.action("undo")
        self.expect(self.states[-2])  # not approved
        wait("the words of before", lambda: self.words() == self.camera_words)
        self.window.action("undo")
        self.expect(self.states[-3])  # no camera
        self.undo_until(self.states[-4])  # no crop
        self.undo_until(self.states[1])  # no points in the photograph
        self.undo_until(None)
        for _ in range(40):
            if self.steps() == last:
                break
            self.window.action("redo")
        self.expect(last)
        self.window.select("optical")
        wait("the words again", lambda: "Approved by A. Surgeon, 20" in self.words() and
             self.words().startswith(self.camera_words.split(" Not approved")[0]))

    def undo_until(self, state):
        """Steps between, as of layouts, are undone with it; %None: no points anywhere."""
        for _ in range(20):
            now = self.steps()
            if now == state or (state is None and
                                "4 Plane: three points in the volume, to do" in now):
                return
            self.window.action("undo")
            try:
                wait("a change", lambda now=now: self.steps() != now, 1.0)
            except AssertionError:
                pass
        raise AssertionError("not undone: %s, %s" % (state, self.steps()))

    def test_opens_with_the_same_states_and_words(self):
        case = os.path.join(self.folder, "guided.bregma")
        self.window.select("optical")
        wait("the camera’s words", lambda: self.words() != "")
        steps, words = self.steps(), self.words()
        self.window.action("save-to", desk.GLib.Variant("s", case))
        wait("the case", lambda: os.path.exists(case))
        self.window.close()
        self.open_window([case], "state2")
        self.window.named("optical", desk.Atspi.Role.LIST_ITEM)
        wait("the volumes", lambda: not [n for n in self.window.walk()
                                         if n.get_name() == "READING"])
        self.window.select("optical")
        self.expect(steps)
        wait("“%s”, not “%s”" % (words, self.words()), lambda: self.words() == words)
        assert not self.window.unnamed(), "\n".join(self.window.unnamed())


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with desk.Desk(), tempfile.TemporaryDirectory() as folder:
        return desk.run(Tests(sys.argv[1], sys.argv[2], folder))


sys.exit(main())
