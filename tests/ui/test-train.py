#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A network is trained in the window: curves, cancel, continued exactly, chosen for a segmentation.

usage: test-train.py BREGMA BREGMA_CLI
"""
import csv
import os
import re
import subprocess
import sys
import tempfile

import desk
from desk import key, wait, Window

SETTINGS = (("Made-up heads", "phantoms", 3), ("Their voxels a side", "phantom-size", 40),
            ("Grid in mm", "spacing", 6), ("Sample in pixels", "crop", 32),
            ("Samples of a case", "per-case", 8), ("Epochs", "epochs", 45), ("Batch", "batch", 4))
SEED = 7


class Tests:
    def __init__(self, program, cli, folder):
        self.folder, self.program, self.cli = folder, program, cli
        self.models = os.path.join(folder, "models")
        self.model = os.path.join(self.models, "my-tumour.h5")
        self.window = None

    def button(self, name):
        """The dialog's; the main window has a “Cancel”, too."""
        role = desk.Atspi.Role.PUSH_BUTTON
        return wait("“%s”" % name, lambda: [
            node for node in self.window.walk(self.window.named("Train a network"))
            if node.get_role() == role and (node.get_name() or "").startswith(name)])[0]

    def ready(self, name):
        return self.button(name).get_state_set().contains(desk.Atspi.StateType.SENSITIVE)

    def press(self, name):
        wait("“%s” to be ready" % name, lambda: self.ready(name))
        self.button(name).get_action_iface().do_action(0)

    def words(self, part, seconds=desk.WAIT_S):
        return wait("words with “%s”" % part, lambda: [
            node.get_name() for node in self.window.walk() if part in (node.get_name() or "")],
            seconds)[0]

    def curve(self):
        return self.window.named("Losses over the epochs").get_description()

    def rows(self):
        with open(self.model + ".training/log.csv", encoding="utf-8") as log:
            return list(csv.DictReader(log))

    def test_starts(self):
        os.mkdir(self.models)
        self.window = Window(self.program, [], os.path.join(self.folder, "state"),
                             G_DEBUG="fatal-warnings", BREGMA_MODEL_DIR=self.models)
        self.window.action("train")
        self.words("The curves of the losses will be here")
        assert not self.window.unnamed(), "\n".join(self.window.unnamed())
        for name, _, value in SETTINGS + (("Seed", None, SEED),):
            node = self.window.named(name, desk.Atspi.Role.SPIN_BUTTON)
            node.get_value_iface().set_current_value(value)
        output = self.window.named("Output file", desk.Atspi.Role.TEXT)
        text = output.get_text_iface()
        path = text.get_text(0, text.get_character_count())
        assert path == self.model, path
        assert not self.ready("Continue") and not self.ready("Cancel")
        self.press("Start")

    def test_cancels(self):
        """Soon: a fast machine is through with all epochs in seconds."""
        wait("two epochs", lambda: re.match("Epoch ([2-9]|[1-9][0-9])", self.curve()), 120)
        assert not self.ready("Start") and not self.ready("Continue")
        self.press("Cancel")
        self.words("Cancelled: the best and the last whole epoch are kept")
        self.words("epochs are done. Continue")
        n_epochs = len(self.rows())
        assert 2 <= n_epochs < 45, n_epochs
        assert not os.path.exists(self.model)
        assert os.path.exists(self.model + ".training/best.h5")
        assert not self.ready("Start")  # would replace what is there

    def test_curve_has_the_logs_numbers(self):
        found = re.match(r"Epoch (\d+): training loss (\S+), validation loss (\S+), "
                         r"learning rate (\S+)\. ", self.curve())
        row = self.rows()[int(found[1]) - 1]
        for text, column in ((found[2], "loss"), (found[3], "val_loss"), (found[4], "lr")):
            assert text == "%.5g" % float(row[column]), (found[0], row)
        self.window.named("The network after epoch")
        self.window.named("Truth")
        self.words("the patient's right on the left")
        self.words("left")

    def test_continues_exactly(self):
        n_before = len(self.rows())
        self.press("Continue")
        first = wait("an epoch", lambda: re.match(r"Epoch (\d+)", self.curve()), 120)
        assert int(first[1]) >= n_before, (first[1], n_before)  # and not anew from the first
        self.words("Done: the best epoch is in", 140)
        assert os.path.exists(self.model)
        other = os.path.join(self.folder, "other.h5")
        subprocess.run([self.cli, "--quiet", "--seed=%d" % SEED, "train", "unet", "-o", other] +
                       ["--%s=%g" % (option, value) for _, option, value in SETTINGS],
                       check=True, stdout=subprocess.DEVNULL)
        with open(other + ".training/log.csv", encoding="utf-8") as log:
            whole = list(csv.DictReader(log))
        assert len(whole) == 45 and self.rows() == whole
        assert self.curve().startswith("Epoch 45: training loss %.5g," % float(whole[-1]["loss"]))

    def test_saves_the_curves(self):
        path = os.path.join(self.folder, "curves.png")
        self.press("Save Curves")
        self.window.answer_file(path)
        wait("a picture", lambda: desk.whole_png(path))
        with open(path, "rb") as file:
            data = file.read()
        assert b'"command":"train"' in data and b'"unet-tumour"' in data and b'"epochs":45' in data
        picture = desk.Picture(path)
        assert (picture.width, picture.height) == (1200, 800)
        blue, red = picture.places((0, 114, 178)), picture.places((213, 94, 0))
        assert len(blue) > 200 and len(red) > 200, (len(blue), len(red))
        # 45 epochs reach from one end of the axis to the other.
        assert max(x for x, _ in blue) - min(x for x, _ in blue) > 1000

    def test_is_there_to_choose(self):
        key(0xFF1B)
        wait("no dialog", lambda: not self.window.find("Losses over the epochs"))
        head = os.path.join(self.folder, "head")
        subprocess.run([self.cli, "--quiet", "phantom", head, "--kind=head", "--size=40",
                        "--tumour", "--photo-size=0x0"], check=True, stdout=subprocess.DEVNULL)
        self.window.action("open-path", desk.GLib.Variant("s", os.path.join(head, "t1.nii.gz")))
        self.window.select("t1")
        for heading in ("Display", "Transfer function", "Tumour segmentation"):
            self.window.do(heading)
        self.words("not for diagnosis")
        self.words("Trained on made-up heads: 72")  # that which is shipped
        self.window.choose("Network to segment with", 0)  # by name: my-tumour, tumour
        self.words("Trained on made-up heads: 3\n")
        self.window.action("train")  # what was trained is still shown
        self.words("Done: the best epoch is in")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with desk.Desk(), tempfile.TemporaryDirectory() as folder:
        return desk.run(Tests(sys.argv[1], sys.argv[2], folder))


sys.exit(main())
