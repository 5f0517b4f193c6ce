#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The window as a person uses it: found by AT-SPI, moved by real pointer and key events.

usage: test-window.py BREGMA BREGMA_CLI

Starts its own virtual display and session bus; skips (77) where they or AT-SPI are missing.
Prints TAP.
"""
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib

APP = "org.bregma.Bregma"
WAIT_S = 60.0


def skip(reason):
    print("1..0 # SKIP " + reason)
    sys.exit(0)


def enter_display():
    """Runs this script again inside Xvfb and a session bus of its own."""
    for tool in ("xvfb-run", "dbus-run-session"):
        if shutil.which(tool) is None:
            skip(tool + " is missing")
    env = dict(os.environ, BREGMA_IN_DISPLAY="1", GSETTINGS_BACKEND="memory", GTK_A11Y="atspi",
               GDK_BACKEND="x11")
    sys.exit(subprocess.call(["xvfb-run", "-a", "-s", "-screen 0 1440x900x24", "dbus-run-session",
                              "--", sys.executable, __file__] + sys.argv[1:], env=env))


if len(sys.argv) != 3:
    sys.exit(__doc__)
try:
    import gi
    gi.require_version("Atspi", "2.0")
    from gi.repository import Atspi, Gio, GLib
except (ImportError, ValueError):
    skip("the introspection of AT-SPI is missing")
if os.environ.get("BREGMA_IN_DISPLAY") != "1":
    enter_display()


def wait(what, condition, seconds=WAIT_S):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            value = condition()
        except GLib.Error:
            value = None
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("waited in vain for " + what)


class Window:
    """One run of the program."""

    def __init__(self, program, files, state):
        env = dict(os.environ, XDG_STATE_HOME=state, XDG_CACHE_HOME=state)
        self.process = subprocess.Popen([program] + files, env=env)
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
        self.root = wait("the window", self.find_root)

    def find_root(self):
        desktop = Atspi.get_desktop(0)
        for i in range(desktop.get_child_count()):
            child = desktop.get_child_at_index(i)
            if child is not None and child.get_process_id() == self.process.pid:
                return child
        return None

    def walk(self, node=None):
        node = node or self.root
        yield node
        for i in range(node.get_child_count()):
            child = node.get_child_at_index(i)
            if child is not None:
                yield from self.walk(child)

    def find(self, start, role=None):
        for node in self.walk():
            if (node.get_name() or "").startswith(start) and (
                    role is None or node.get_role() == role):
                return node
        return None

    def named(self, start, role=None):
        return wait("“%s”" % start, lambda: self.find(start, role))

    def action(self, name, *parameters):
        """An action of the window, over the bus, as a script would."""
        self.bus.call_sync(APP, "/org/bregma/Bregma/window/1", "org.gtk.Actions", "Activate",
                           GLib.Variant("(sava{sv})", (name, list(parameters), {})), None, 0, -1,
                           None)

    def centre(self, node):
        box = node.get_component_iface().get_extents(Atspi.CoordType.WINDOW)
        return box.x + box.width // 2, box.y + box.height // 2

    def close(self):
        self.process.terminate()
        self.process.wait()


def pointer(x, y, event="abs"):
    Atspi.generate_mouse_event(int(x), int(y), event)
    time.sleep(0.03)


def drag(x, y, dx, dy, button=1):
    pointer(x, y)
    pointer(x, y, "b%dp" % button)
    for i in range(1, 11):
        pointer(x + dx * i / 10, y + dy * i / 10)
    pointer(x + dx, y + dy, "b%dr" % button)


def key(code, event=Atspi.KeySynthType.SYM):
    Atspi.generate_keyboard_event(code, None, event)
    time.sleep(0.05)


def hold(code, pressed):
    # Key codes of a PC keyboard: 37 Ctrl, 50 Shift.
    key(code, Atspi.KeySynthType.PRESS if pressed else Atspi.KeySynthType.RELEASE)


def undo():
    hold(37, True)
    key(ord("z"))
    hold(37, False)


def png_pixels(path):
    """The decoded bytes of a PNG's image data, without its texts."""
    with open(path, "rb") as file:
        data = file.read()
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += length + 12
    return zlib.decompress(packed)


def whole_png(path):
    try:
        return open(path, "rb").read().endswith(b"IEND\xaeB`\x82")
    except OSError:
        return False


class Tests:
    def __init__(self, program, cli, folder):
        self.folder = folder
        phantom = os.path.join(folder, "phantom")
        subprocess.run([cli, "--quiet", "phantom", phantom, "--kind=head", "--size=64", "--tumour"],
                       check=True)
        self.volume = os.path.join(phantom, "t1ce.nii.gz")
        self.labels = os.path.join(phantom, "labels.nii.gz")
        self.program = program
        self.case = os.path.join(folder, "case.bregma")
        self.window = None

    def slice_number(self):
        name = self.window.named("Axial slice, ").get_name()
        return int(name.split(",")[1].split()[0])

    def width(self):
        def value():
            for node in self.window.walk():
                if node.get_name() in ("Window width", "Width") and node.get_value_iface():
                    return node.get_value_iface().get_current_value()
                if node.get_name() in ("Window width", "Width") and node.get_text_iface():
                    text = node.get_text_iface()
                    shown = Atspi.Text.get_text(text, 0, -1)
                    if shown:
                        return float(shown)
            return None
        return wait("the window's width", value)

    def pane(self, name):
        return self.window.centre(self.window.named(name))

    def test_opens_a_volume(self):
        self.window = Window(self.program, [self.volume], os.path.join(self.folder, "state"))
        wait("a slice", lambda: self.window.find("Axial slice, ") and
             "empty" not in self.window.find("Axial slice").get_name())
        self.window.named("3D picture, azimuth 0")

    def test_names_every_control(self):
        bad = []
        controls = (Atspi.Role.PUSH_BUTTON, Atspi.Role.TOGGLE_BUTTON, Atspi.Role.SPIN_BUTTON,
                    Atspi.Role.SLIDER, Atspi.Role.CHECK_BOX, Atspi.Role.COMBO_BOX, Atspi.Role.IMAGE)
        for node in self.window.walk():
            name = node.get_name() or ""
            if node.get_role() in controls and node.get_state_set().contains(
                    Atspi.StateType.SHOWING) and (not name or name.startswith(("Gtk", "Bg"))):
                parent = node.get_parent()
                bad.append("%s “%s” in “%s”" % (node.get_role_name(), name,
                                                parent.get_name() if parent else ""))
        assert not bad, "\n".join(bad)

    def test_scrolls_by_the_wheel(self):
        before = self.slice_number()
        x, y = self.pane("Axial slice")
        pointer(x + 30, y + 30)
        for _ in range(3):
            pointer(x + 30, y + 30, "b4c")
        wait("three slices up", lambda: self.slice_number() == before + 3)
        key(0xFF56)  # Page Down
        wait("ten slices down", lambda: self.slice_number() == before - 7)

    def test_sets_the_crosshair_by_a_click(self):
        sagittal = self.window.named("Sagittal slice").get_name()
        x, y = self.pane("Axial slice")
        drag(x + 30, y + 10, 20, 0)
        wait("another sagittal slice",
             lambda: self.window.named("Sagittal slice").get_name() != sagittal)

    def test_sets_the_window_and_undoes(self):
        before = self.width()
        x, y = self.pane("Coronal slice")
        hold(50, True)
        drag(x, y + 40, 60, 0, button=3)
        hold(50, False)
        wait("a wider window", lambda: self.width() > before * 1.1)
        undo()
        wait("the old window", lambda: abs(self.width() - before) < 1e-6 * abs(before) + 1.0)

    def test_turns_the_volume(self):
        x, y = self.pane("3D picture")
        drag(x, y, 60, 0)
        wait("a turned picture", lambda: "azimuth 0," not in
             self.window.named("3D picture").get_name())

    def test_overlays_labels(self):
        self.window.action("open-path", GLib.Variant("s", self.labels))
        self.window.named("labels", Atspi.Role.LIST_ITEM)

    def test_measures_and_undoes(self):
        x, y = self.pane("Axial slice")
        pointer(x, y)
        key(ord("l"))
        drag(x - 50, y - 40, 100, 0)
        key(0xFF1B)  # Escape: the tool is put down
        wait("a measurement", lambda: any(" mm" in (n.get_name() or "") and n.get_role() in (
            Atspi.Role.LABEL, Atspi.Role.LIST_ITEM, Atspi.Role.TABLE_CELL)
            for n in self.window.walk()))

    def test_makes_a_mesh(self):
        button = self.window.named("Make mesh", Atspi.Role.PUSH_BUTTON)
        button.get_action_iface().do_action(0)
        wait("a mesh", lambda: [n for n in self.window.walk() if n.get_role() ==
                                Atspi.Role.LABEL and n.get_name() == "MESH"])

    def test_saves_pictures_and_the_case(self):
        self.first = os.path.join(self.folder, "first.png")
        self.window.action("save-picture", GLib.Variant("(ss)", ("all", self.first)))
        wait("the picture", lambda: whole_png(self.first))
        assert b'"command"' in open(self.first, "rb").read(), "no provenance in the picture"
        self.window.action("save-to", GLib.Variant("s", self.case))
        wait("the case", lambda: os.path.exists(self.case))
        time.sleep(0.5)
        self.window.close()

    def test_reopens_to_equal_pixels(self):
        self.window = Window(self.program, [self.case], os.path.join(self.folder, "state2"))
        wait("a slice", lambda: self.window.find("Axial slice, ") and
             "empty" not in self.window.find("Axial slice").get_name())
        wait("no layer that is being read",
             lambda: not [n for n in self.window.walk() if n.get_name() == "READING"])
        time.sleep(1.0)
        second = os.path.join(self.folder, "second.png")
        self.window.action("save-picture", GLib.Variant("(ss)", ("all", second)))
        wait("the picture", lambda: whole_png(second))
        if png_pixels(self.first) != png_pixels(second):
            keep = os.environ.get("BREGMA_TEST_KEEP")
            if keep:
                shutil.copy(self.first, keep)
                shutil.copy(second, keep)
            raise AssertionError("the reopened case looks different")


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        tests = Tests(sys.argv[1], sys.argv[2], folder)
        names = [name for name in Tests.__dict__ if name.startswith("test_")]
        print("1..%d" % len(names))
        for number, name in enumerate(names, 1):
            try:
                getattr(tests, name)()
                print("ok %d %s" % (number, name[5:]), flush=True)
            except Exception as error:  # the next tests still tell something
                failed += 1
                print("not ok %d %s" % (number, name[5:]))
                print("\n".join("# " + line for line in str(error).split("\n")), flush=True)
        if tests.window is not None:
            tests.window.close()
    return 1 if failed else 0


sys.exit(main())
