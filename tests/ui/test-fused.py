#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A thermal picture and the scan in one: degrees, outlines, whose network, and the saved picture.

usage: test-fused.py BREGMA BREGMA_CLI
"""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

import desk
from desk import wait, Window

WIDTH, HEIGHT = 240, 180
LOW, HIGH = 26.0, 38.0


def write_thermal(path):
    """Degrees Celsius as float32, LOW on the left to HIGH on the right, in a TIFF as bregma's own."""
    text = json.dumps({"bregma": {"unit": "°C", "modality": "thermal"}}).encode() + b"\0"
    text += b"\0" * (len(text) % 2)
    row = struct.pack("<%df" % WIDTH,
                      *(LOW + (HIGH - LOW) * x / (WIDTH - 1) for x in range(WIDTH)))
    pixels = row * HEIGHT
    tags = ((256, 3, 1, WIDTH), (257, 3, 1, HEIGHT), (258, 3, 1, 32), (259, 3, 1, 1),
            (262, 3, 1, 1), (270, 2, len(text), 8 + len(pixels)), (273, 4, 1, 8), (277, 3, 1, 1),
            (278, 3, 1, HEIGHT), (279, 4, 1, len(pixels)), (339, 3, 1, 3))
    with open(path, "wb") as file:
        file.write(b"II*\0" + struct.pack("<I", 8 + len(pixels) + len(text)) + pixels + text)
        file.write(struct.pack("<H", len(tags)))
        for tag in tags:
            file.write(struct.pack("<HHII", *tag))
        file.write(struct.pack("<I", 0))


class Tests:
    def __init__(self, program, cli, folder):
        self.folder, self.cli = folder, cli
        self.phantom = os.path.join(folder, "phantom")
        subprocess.run([cli, "--quiet", "phantom", self.phantom, "--kind=head", "--tumour",
                        "--size=64", "--photo-size=480x360"], check=True,
                       stdout=subprocess.DEVNULL)
        write_thermal(self.file("warm.tif"))
        home = os.path.join(folder, "state")
        self.window = Window(program, [self.file("t1.nii.gz"), self.file("labels.nii.gz"),
                                       self.file("warm.tif")], home,
                             G_DEBUG="fatal-warnings", XDG_CONFIG_HOME=home,
                             BREGMA_MODEL_DIR=os.path.join(folder, "models"))
        for layer in ("t1", "labels", "warm.tif"):
            self.window.named(layer, desk.Atspi.Role.LIST_ITEM)
        self.window.action("layout", desk.GLib.Variant("s", "fusion"))

    def file(self, name):
        return os.path.join(self.phantom, name)

    def pane(self):
        node = self.window.find("FUSED")
        return node.get_name() if node else ""

    def save(self, name):
        path = os.path.join(self.folder, name)
        self.window.press("Save the fused picture")
        self.window.answer_file(path)
        wait("the picture", lambda: desk.whole_png(path))
        said = subprocess.run([self.cli, "--json", "provenance", path], check=True,
                              stdout=subprocess.PIPE).stdout
        return desk.Picture(path), json.loads(said)

    def test_shows_degrees(self):
        self.window.select("warm.tif")
        self.window.named("PHOTOGRAPH, warm.tif, zoom 1.00, colours from 26.0 °C to 38.0 °C")

    def test_finds_the_camera(self):
        self.window.select("t1")
        self.window.named("Level")
        self.window.action("load-points", desk.GLib.Variant("s", self.file("landmarks.csv")))
        self.window.named("1  L1", desk.Atspi.Role.LIST_ITEM)
        self.window.select("warm.tif")
        self.window.named("It is not known from where this was taken")
        self.window.action("load-points",
                           desk.GLib.Variant("s", self.file("landmarks-thermal.csv")))
        self.window.named("1  L1", desk.Atspi.Role.LIST_ITEM)
        for name, value in (("Focal length in mm", 124.0), ("Width of the sensor in mm", 36.0)):
            self.window.named(name, desk.Atspi.Role.SPIN_BUTTON).get_value_iface(
                ).set_current_value(value)
        self.window.press("From points")
        self.window.named("Camera by landmarks")
        for name in ("From the scan to the photograph", "Camera", "Points and registration"):
            self.window.do(name)

    def test_keeps_degrees_and_outlines(self):
        self.window.choose("Method of fusion", 1)
        wait("its words", lambda: all(words in self.pane() for words in (
            "FUSED, warm.tif, Mean, ", "colours from 26.0 °C to 38.0 °C",
            "outlined: Necrotic core, Oedema, Enhancing tumour")))
        assert not self.window.unnamed(), "\n".join(self.window.unnamed())

    def see_tumour(self):
        """Where the made-up camera sees the tumour's middle, but for its lens: a pixel here."""
        with open(self.file("truth.json"), encoding="utf-8") as file:
            truth = json.load(file)
        camera, at = truth["thermal"]["camera"], truth["tumour"]["centre_mm"]
        x, y, z = (sum(camera["R"][3 * r + c] * at[c] for c in range(3)) + camera["t"][r]
                   for r in range(3))
        return camera["K"][0] * x / z + camera["K"][2], camera["K"][4] * y / z + camera["K"][5]

    def test_saves_bar_and_outlines(self):
        with_lines, said = self.save("outlined.png")
        assert said["parameters"]["colours_from_to"] == [LOW, HIGH], said
        assert said["parameters"]["unit"] == "°C", said
        self.window.tick("Outline the labels")
        wait("no outlines", lambda: self.pane() and "outlined" not in self.pane())
        without, _ = self.save("plain.png")
        assert (with_lines.width, with_lines.height) == (without.width, without.height)
        # What the switch draws lies round the tumour, where the made-up camera saw it.
        lines = [(x, y) for y in range(without.height) for x in range(without.width)
                 if with_lines.at(x, y) != without.at(x, y)]
        u, v = self.see_tumour()
        u, v = ((x + 0.5) * without.width / WIDTH for x in (u, v))
        assert len(lines) > 300, len(lines)
        mean = [sum(p[a] for p in lines) / len(lines) for a in (0, 1)]
        assert abs(mean[0] - u) < 40 and abs(mean[1] - v) < 40, (mean, u, v)
        for inner in (lambda p: p[0] < u, lambda p: p[0] > u, lambda p: p[1] < v,
                      lambda p: p[1] > v):
            assert sum(map(inner, lines)) > len(lines) * 0.15, (u, v)
        # The bar: viridis' yellow above its violet; colours of the picture go the same way, to the right.
        column = [without.at(10, y) for y in range(without.height // 2, without.height)]
        yellow = min(range(len(column)), key=lambda y: sum(
            abs(a - b) for a, b in zip(column[y], (253, 231, 37))))
        violet = min(range(len(column)), key=lambda y: sum(
            abs(a - b) for a, b in zip(column[y], (68, 1, 84))))
        assert sum(abs(a - b) for a, b in zip(column[yellow], (253, 231, 37))) < 20, column[yellow]
        assert sum(abs(a - b) for a, b in zip(column[violet], (68, 1, 84))) < 20, column[violet]
        assert yellow + 30 < violet, (yellow, violet)
        left, right = without.at(3, 20), without.at(without.width - 4, 20)
        assert left[2] > left[1] and right[2] < right[1] - 60, (left, right)
        self.window.tick("Outline the labels")
        wait("outlines", lambda: "outlined" in self.pane())

    def test_blends_with_both_sources(self):
        slider = self.window.named("Blend with the photograph or the volume",
                                   desk.Atspi.Role.SLIDER)
        slider.get_value_iface().set_current_value(-40.0)
        wait("less of it", lambda: "opacity 60 %" in self.pane())
        slider.get_value_iface().set_current_value(50.0)
        wait("all of it", lambda: "opacity 100 %" in self.pane())
        slider.get_value_iface().set_current_value(0.0)

    def test_tells_whose_network_made_it(self):
        self.window.choose("Method of fusion", 6)
        self.window.named("Learned, weights of funfuse")
        self.window.named("154977 numbers, SHA-256 ")
        self.window.named("Synthetic: a network made these pixels")
        wait("what ran", lambda: any("Computed by the processor in float32" in (
            node.get_name() or "") for node in self.window.walk()))
        _, said = self.save("learned.png")
        assert re.fullmatch("[0-9a-f]{64}", said["parameters"]["weights_sha256"]), said
        assert said["parameters"]["synthetic"] and said["parameters"]["precision"] == "float32"

    def test_ends_well(self):
        self.window.choose("Method of fusion", 0)
        wait("no fusion", lambda: not self.pane())
        assert self.window.process.poll() is None


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with desk.Desk(), tempfile.TemporaryDirectory() as folder:
        return desk.run(Tests(sys.argv[1], sys.argv[2], folder))


sys.exit(main())
