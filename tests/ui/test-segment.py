#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A tumour from four contrasts: chosen, confirmed, segmented, undone, refused with words.

usage: test-segment.py BREGMA BREGMA_CLI
"""
import os
import subprocess
import sys
import tempfile

import desk
from desk import key, undo, wait, Window

CONTRASTS = ("t1", "t1ce", "t2", "flair")


class Tests:
    def __init__(self, program, cli, folder):
        self.folder, self.program = folder, program
        self.phantom = os.path.join(folder, "phantom")
        subprocess.run([cli, "--quiet", "phantom", self.phantom, "--kind=head", "--size=72",
                        "--tumour", "--photo-size=0x0"], check=True, stdout=subprocess.DEVNULL)
        self.window = None

    def sensitive(self, name):
        node = self.window.named(name, desk.Atspi.Role.PUSH_BUTTON)
        return node.get_state_set().contains(desk.Atspi.StateType.SENSITIVE)

    def words(self, part):
        return wait("words with “%s”" % part, lambda: [
            node.get_name() for node in self.window.walk() if part in (node.get_name() or "")])[0]

    def layer(self, name):
        return self.window.find(name, desk.Atspi.Role.LIST_ITEM)

    def test_asks_for_a_confirmation(self):
        files = [os.path.join(self.phantom, name + ".nii.gz") for name in CONTRASTS]
        self.window = Window(self.program, files, os.path.join(self.folder, "state"),
                             G_DEBUG="fatal-warnings")
        for name in CONTRASTS:
            self.window.named(name, desk.Atspi.Role.LIST_ITEM)
        wait("all volumes", lambda: not [n for n in self.window.walk()
                                         if n.get_name() == "READING"])
        self.window.select("t1ce")
        for heading in ("Display", "Transfer function", "Tumour segmentation"):
            self.window.do(heading)
        self.words("not for diagnosis")
        self.words("Trained on made-up heads: 72")  # the card
        self.words("Names only propose")
        assert not self.sensitive("Segment the tumour")
        assert not self.window.unnamed(), "\n".join(self.window.unnamed())

    def test_segments_and_undoes(self):
        self.window.tick("Confidence as a layer")
        self.window.tick("I have checked which contrast is which")
        wait("a button to press", lambda: self.sensitive("Segment the tumour"))
        self.window.press("Segment the tumour")
        wait("the labels", lambda: self.layer("Tumour in t1ce"), 120)
        assert self.layer("Confidence of the network")
        for name in ("Necrotic core", "Oedema", "Enhancing tumour"):
            self.window.named("Show " + name)
        self.window.do("Source")
        self.words("Computed by segment")
        undo()
        wait("no labels", lambda: not self.layer("Tumour in t1ce"))
        assert not self.layer("Confidence of the network")

    def choose(self, name, volume):
        """In a drop-down, by keys: Home, then down: the list begins with "None"."""
        layers = self.window.named("t1ce", desk.Atspi.Role.LIST_ITEM).get_parent()
        rows = [n.get_name() for n in self.window.walk(layers)
                if n.get_role() == desk.Atspi.Role.LIST_ITEM]
        order = [c for row in reversed(rows) for c in CONTRASTS if row.split(",")[0] == c]
        assert sorted(order) == sorted(CONTRASTS), rows
        self.window.click([n for n in self.window.walk() if n.get_name() == name][0])
        key(0xFF50)
        for _ in range(order.index(volume) + 1):
            key(0xFF54)
        key(0xFF0D)

    def test_refuses_a_wrong_order(self):
        self.window.select("t1ce")
        self.words("Names only propose")
        self.choose("Which volume is FLAIR", "t1")
        self.choose("Which volume is T1", "flair")
        self.window.tick("I have checked which contrast is which")
        wait("a button to press", lambda: self.sensitive("Segment the tumour"))
        self.window.press("Segment the tumour")
        self.words("another order than said")  # and nothing is added
        self.window.press("Close this message")
        assert not self.layer("Tumour in t1ce")

    def test_refuses_one_volume_for_two_contrasts(self):
        self.choose("Which volume is T2", "t1ce")
        self.words("is chosen for two contrasts")
        assert not self.sensitive("Segment the tumour")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with desk.Desk(), tempfile.TemporaryDirectory() as folder:
        return desk.run(Tests(sys.argv[1], sys.argv[2], folder))


sys.exit(main())
