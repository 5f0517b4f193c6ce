#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The other trainings in the window: pictures fused, blocks of volumes, a folder of cases; folders
that no network can learn from; and the start page stays meanwhile.

usage: test-train-more.py BREGMA BREGMA_CLI
"""
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile

import desk
from desk import key, pointer, wait, Window

NETWORKS = ("unet-tumour", "unet3-tumour", "funfuse")
CHOSEN = {"unet-tumour": "Tumour, slice by slice", "unet3-tumour": "Tumour, in volumes",
          "funfuse": "Fusion of two pictures"}
# Network, settings, the caption of what is to be found.
SMALL = {
    "funfuse": (("Made-up heads", 2), ("Their voxels a side", 40), ("Sample in pixels", 32),
                ("Samples of a case", 8), ("Epochs", 3), ("Batch", 4)),
    "unet3-tumour": (("Made-up heads", 2), ("Their voxels a side", 40), ("Grid in mm", 6),
                     ("Sample in pixels", 32), ("Samples of a case", 2), ("Epochs", 2), ("Batch", 1)),
    "unet-tumour": (("Made-up heads", 0), ("Grid in mm", 6), ("Sample in pixels", 32),
                    ("Samples of a case", 4), ("Epochs", 2), ("Batch", 4)),
}


class Tests:
    def __init__(self, program, cli, folder):
        self.folder, self.program, self.cli = folder, program, cli
        self.models = os.path.join(folder, "models")
        os.mkdir(self.models)
        self.window = None
        self.cases = self.at("cases")
        for n in (1, 2, 3):
            subprocess.run([self.cli, "--quiet", "--seed=%d" % n, "phantom",
                            os.path.join(self.cases, "p%d" % n), "--kind=head", "--size=40",
                            "--tumour", "--photo-size=0x0"], check=True, stdout=subprocess.DEVNULL)

    def at(self, name):
        return os.path.join(self.folder, name)

    def copy(self, name, patients, *removed):
        """A folder of some of the cases, without some of their files."""
        for patient in patients:
            shutil.copytree(os.path.join(self.cases, patient), os.path.join(self.at(name), patient))
        for path in removed:
            os.unlink(os.path.join(self.at(name), path))
        return self.at(name)

    def dialog(self):
        return self.window.named("Train a network")

    def button(self, name):
        """The dialog's; the main window has a “Cancel”, too."""
        role = desk.Atspi.Role.PUSH_BUTTON
        return wait("“%s”" % name, lambda: [
            node for node in self.window.walk(self.dialog())
            if node.get_role() == role and (node.get_name() or "").startswith(name)])[0]

    def press(self, name):
        wait("“%s” to be ready" % name, lambda: self.button(name).get_state_set().contains(
            desk.Atspi.StateType.SENSITIVE))
        self.button(name).get_action_iface().do_action(0)

    def words(self, part, seconds=desk.WAIT_S):
        """Of the dialog; each comes to an end by itself."""
        return wait("words with “%s”" % part, lambda: [
            node.get_name() for node in self.window.walk(self.dialog())
            if part in (node.get_name() or "")], seconds)[0]

    def type(self, name, text):
        node = self.window.named(name, desk.Atspi.Role.TEXT)
        node.get_editable_text_iface().set_text_contents(text)

    def value(self, name):
        return self.window.named(name, desk.Atspi.Role.SPIN_BUTTON).get_value_iface()

    def begin(self, network, name, data=""):
        """With small settings; into a file of that name."""
        box = [node for node in self.window.walk(self.dialog())
               if node.get_name() == "Which network is trained"][0]
        x, y = self.window.centre(box)  # the dialog lies in the corner: nothing manages windows
        pointer(x, y)
        pointer(x, y, "b1c")
        key(0xFF50)
        for _ in range(NETWORKS.index(network)):
            key(0xFF54)
        key(0xFF0D)
        self.words(CHOSEN[network])
        for setting, value in SMALL[network]:
            self.value(setting).set_current_value(value)
        self.type("Folder of cases", data)
        self.type("Output file", os.path.join(self.models, name))
        self.press("Start")

    def rows(self, name):
        with open(os.path.join(self.models, name + ".training/log.csv"), encoding="utf-8") as log:
            return list(csv.DictReader(log))

    def card(self, name):
        done = subprocess.run([self.cli, "--json", "models", "info", os.path.join(self.models, name)],
                              check=True, capture_output=True, text=True)
        return json.loads(done.stdout)["card"]

    def test_fuses(self):
        self.window = Window(self.program, [], self.at("state"), G_DEBUG="fatal-warnings",
                             BREGMA_MODEL_DIR=self.models)
        self.window.action("train")
        self.words("The curves of the losses will be here")
        self.begin("funfuse", "a.h5")
        self.words("Learning")
        start = self.window.named("Open the demonstration case")
        assert self.window.shown(start)  # the start page: nothing of a training is seen in panes
        self.words("Done: the best epoch is in", 120)
        assert len(self.rows("a.h5")) == 3
        self.words("A training lies there whose 3 epochs are all done")
        state = self.button("Continue").get_state_set()
        assert not state.contains(desk.Atspi.StateType.SENSITIVE)
        self.words("What is fused")
        self.words("The network after epoch")
        assert not self.window.unnamed(), "\n".join(self.window.unnamed())

    def test_learns_volumes(self):
        self.begin("unet3-tumour", "b.h5")
        self.words("Done: the best epoch is in %s" % os.path.join(self.models, "b.h5"), 200)
        assert len(self.rows("b.h5")) == 2
        self.words("Truth")
        self.words("the patient's right on the left")

    def test_learns_from_a_folder(self):
        self.begin("unet-tumour", "c.h5", self.copy("some", ("p1", "p2", "p3"), "p2/flair.nii.gz"))
        self.words("Done: the best epoch is in %s" % os.path.join(self.models, "c.h5"), 120)
        self.words("p2 has no flair: it is learned from without")
        assert len(self.rows("c.h5")) == 2

    def test_folders_without_a_lesson(self):
        cases = (("nowhere", self.at("nowhere"), "The folder of cases cannot be opened"),
                 ("empty", self.copy("none", ("p1",), "p1/labels.nii.gz"), "There is no case in"),
                 ("one", self.copy("one", ("p1",)), "less than two patients"),
                 ("broken", self.copy("broken", ("p1", "p2")), "p2"))
        with open(os.path.join(self.at("broken"), "p2", "t1.nii.gz"), "r+b") as file:
            file.truncate(400)
        for name, folder, said in cases:
            self.begin("unet-tumour", name + ".h5", folder)
            whole = self.words("The network is not trained: ")
            wait(said, lambda said=said: said in self.words("The network is not trained: "))
            assert not os.path.exists(os.path.join(self.models, name + ".h5")), whole
        self.window.named("The network is not trained")  # in the main window, too


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with desk.Desk(), tempfile.TemporaryDirectory() as folder:
        return desk.run(Tests(sys.argv[1], sys.argv[2], folder))


sys.exit(main())
