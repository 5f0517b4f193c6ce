# SPDX-License-Identifier: Apache-2.0
"""A display, a session bus and an accessibility bus for one test of the window, and the hands of a
person at it: widgets found by AT-SPI, real pointer and key events.

    import desk
    with desk.Desk() as d:
        window = desk.Window(program, files, state_folder)

Nothing of the user's session is touched. desk.run(Tests(...)) prints TAP.
"""
import os
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

APP = "org.bregma.Bregma"
WAIT_S = 60.0
TEST_S = 240.0  # a single test; longer than any wait in it

Atspi = Gio = GLib = None


def skip(reason):
    print("1..0 # SKIP " + reason)
    sys.exit(0)


def first_line(stream, seconds):
    """The first line that a child prints, or None when it does not in time."""
    text = b""
    end = time.monotonic() + seconds
    while not text.endswith(b"\n"):
        ready, _, _ = select.select([stream], [], [], max(0.0, end - time.monotonic()))
        piece = os.read(stream, 1) if ready else b""
        if not piece:
            return None
        text += piece
    return text.decode().strip()


class Desk:
    """A virtual display of 1440 x 900 and the buses; the environment of this process says so."""

    def __init__(self, size="1440x900x24"):
        for tool in ("Xvfb", "dbus-daemon"):
            if shutil.which(tool) is None:
                skip(tool + " is missing")
        self.folder = tempfile.TemporaryDirectory(prefix="bregma-desk-")
        self.children = []
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS",
                     "AT_SPI_BUS_ADDRESS", "SESSION_MANAGER"):
            os.environ.pop(name, None)
        runtime = os.path.join(self.folder.name, "run")
        os.mkdir(runtime, 0o700)
        os.environ.update(XDG_RUNTIME_DIR=runtime, GSETTINGS_BACKEND="memory", GTK_A11Y="atspi",
                          GDK_BACKEND="x11", NO_AT_BRIDGE="0")
        os.environ["DISPLAY"] = ":" + self.start_display(size)
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = self.start_bus()
        self.import_introspection()

    def start(self, command, passed=()):
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, pass_fds=passed,
                                 start_new_session=True)
        self.children.append(child)
        return child

    def start_display(self, size):
        """The server picks its own number and says it when it is ready."""
        for _ in range(3):
            read_end, write_end = os.pipe()
            child = self.start(["Xvfb", "-displayfd", str(write_end), "-screen", "0", size,
                                "-nolisten", "tcp", "-noreset"], (write_end,))
            os.close(write_end)
            number = first_line(read_end, 30.0)
            os.close(read_end)
            if number:
                return number
            child.kill()
        skip("Xvfb does not start")

    def start_bus(self):
        child = self.start(["dbus-daemon", "--session", "--nofork", "--print-address=1"])
        address = first_line(child.stdout.fileno(), 30.0)
        return address or skip("dbus-daemon does not start")

    def import_introspection(self):
        """After the environment is set, because the libraries read it when they are loaded."""
        global Atspi, Gio, GLib
        try:
            import gi
            gi.require_version("Atspi", "2.0")
            from gi.repository import Atspi as atspi, Gio as gio, GLib as glib
        except (ImportError, ValueError):
            skip("the introspection of AT-SPI is missing")
        Atspi, Gio, GLib = atspi, gio, glib
        Atspi.set_timeout(4000, 15000)

    def close(self):
        for child in reversed(self.children):
            try:
                os.killpg(child.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
            try:
                child.wait(5.0)
            except subprocess.TimeoutExpired:
                child.kill()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


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

    running = []

    def __init__(self, program, files, state, **environment):
        env = dict(os.environ, XDG_STATE_HOME=state, XDG_CACHE_HOME=state, **environment)
        self.process = subprocess.Popen([program] + files, env=env, stdin=subprocess.DEVNULL,
                                        stdout=sys.stderr)
        Window.running.append(self.process)
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
        self.root = wait("the window", self.find_root)

    def find_root(self):
        if self.process.poll() is not None:
            raise AssertionError("the program ended with %d" % self.process.returncode)
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
        """Once more where the tree changed under the walk, or a busy program answered too late."""
        for _ in range(4):
            try:
                return self.find_once(start, role)
            except GLib.Error:
                if self.process.poll() is not None:
                    raise AssertionError("the program ended with %d" %
                                         self.process.returncode) from None
                time.sleep(0.5)
        return self.find_once(start, role)

    def find_once(self, start, role):
        """The first one; of rows the one that is called just so, if there is one."""
        first = None
        for node in self.walk():
            name = node.get_name() or ""
            if not name.startswith(start) or (role is not None and node.get_role() != role):
                continue
            if role != Atspi.Role.LIST_ITEM or name == start:
                return node
            first = first or node
        return first

    def named(self, start, role=None):
        return wait("“%s”" % start, lambda: self.find(start, role))

    def shown(self, node):
        """Whether it has a place in the window. GTK 4.8 says SHOWING of windows alone."""
        component = node.get_component_iface()
        if component is None or not node.get_state_set().contains(Atspi.StateType.VISIBLE):
            return False
        box = component.get_extents(Atspi.CoordType.WINDOW)
        return box.width > 0 and box.height > 0

    def unnamed(self):
        """Controls that a screen reader would call nothing, or by the name of a class. Images that
        GTK puts into a control of its own are not among them."""
        roles = Atspi.Role
        controls = (roles.PUSH_BUTTON, roles.TOGGLE_BUTTON, roles.SPIN_BUTTON, roles.SLIDER,
                    roles.CHECK_BOX, roles.RADIO_BUTTON, roles.COMBO_BOX, roles.TEXT, roles.ENTRY,
                    roles.LIST, roles.LIST_ITEM, roles.TABLE, roles.TABLE_CELL,
                    roles.PROGRESS_BAR)
        bad = []
        for node in self.walk():
            name, role = node.get_name() or "", node.get_role()
            if role in controls and (not name or name.startswith(("Gtk", "Bg"))) or (
                    role == roles.IMAGE and (not name or name.startswith("Bg"))):
                if self.shown(node):
                    parent = node.get_parent()
                    bad.append("%s “%s” in %s “%s”" % (
                        node.get_role_name(), name, parent.get_role_name() if parent else "",
                        parent.get_name() if parent else ""))
        return bad

    def press(self, start):
        """Presses a button by its name, once it takes it."""
        def ready():
            node = self.find(start, Atspi.Role.PUSH_BUTTON)
            return node and node.get_state_set().contains(Atspi.StateType.SENSITIVE) and node

        wait("“%s” to be ready" % start, ready).get_action_iface().do_action(0)

    def click(self, node):
        """Once it is in sight: sections above are folded first."""
        wait("“%s” in sight" % node.get_name(), lambda: 130 < self.centre(node)[1] < 850)
        x, y = self.centre(node)
        pointer(x, y)
        pointer(x, y, "b1c")

    def ticked(self, name):
        return self.named(name, Atspi.Role.CHECK_BOX).get_state_set().contains(
            Atspi.StateType.CHECKED)

    def tick(self, name):
        """Clicks a box until it turns (it has no action in GTK 4.8): what stands above may still come or go."""
        before, clicked = self.ticked(name), [0.0]

        def turned():
            if self.ticked(name) != before:
                return True
            if time.monotonic() - clicked[0] > 3.0:
                self.click(self.named(name, Atspi.Role.CHECK_BOX))
                clicked[0] = time.monotonic()
            return False

        wait("a change of “%s”" % name, turned)

    def choose(self, name, position):
        """In a drop-down, by keys: Home, then down."""
        self.click([node for node in self.walk() if node.get_name() == name][0])
        key(0xFF50)
        for _ in range(position):
            key(0xFF54)
        key(0xFF0D)

    def do(self, name):
        """The action of that name's node which has one: of a heading, of a box to tick."""
        nodes = wait("“%s”" % name, lambda: [
            node for node in self.walk() if node.get_name() == name and
            node.get_action_iface() is not None and node.get_action_iface().get_n_actions() > 0])
        nodes[0].get_action_iface().do_action(0)

    def select(self, row):
        """Clicks a row until it is the selected one: what stands above it may still come or go."""
        clicked = [0.0]

        def selected():
            node = self.find(row, Atspi.Role.LIST_ITEM)
            if node is None:
                return False
            if node.get_state_set().contains(Atspi.StateType.SELECTED):
                return True
            if time.monotonic() - clicked[0] > 2.0:
                x, y = self.centre(node)
                pointer(x, y)
                pointer(x, y, "b1c")
                clicked[0] = time.monotonic()
            return False

        wait("“%s” to be selected" % row, selected)

    def action(self, name, *parameters):
        """An action of the window, over the bus, as a script would."""
        self.bus.call_sync(APP, "/org/bregma/Bregma/window/1", "org.gtk.Actions", "Activate",
                           GLib.Variant("(sava{sv})", (name, list(parameters), {})), None, 0, -1,
                           None)

    def centre(self, node):
        box = node.get_component_iface().get_extents(Atspi.CoordType.WINDOW)
        return box.x + box.width // 2, box.y + box.height // 2

    def answer_file(self, path):
        """Types the path into the dialog that asks for a file to write, and waits until it is gone."""
        name = self.named("Name:", Atspi.Role.TEXT)
        wait("a place for it", lambda: self.shown(name))
        hold(37, True)
        key(ord("a"))
        hold(37, False)
        Atspi.generate_keyboard_event(0, path, Atspi.KeySynthType.STRING)
        key(0xFF0D)
        wait("no dialog", lambda: not self.find("Name:", Atspi.Role.TEXT))

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the program does not end when it is asked to") from None


def pointer(x, y, event="abs"):
    Atspi.generate_mouse_event(int(x), int(y), event)
    time.sleep(0.03)


def drag(x, y, dx, dy, button=1):
    pointer(x, y)
    pointer(x, y, "b%dp" % button)
    for i in range(1, 11):
        pointer(x + dx * i / 10, y + dy * i / 10)
    pointer(x + dx, y + dy, "b%dr" % button)


def key(code, event=None):
    Atspi.generate_keyboard_event(code, None, Atspi.KeySynthType.SYM if event is None else event)
    time.sleep(0.05)


def hold(code, pressed):
    """Key codes of a PC keyboard: 37 Ctrl, 50 Shift."""
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


class Picture:
    """The pixels of a PNG of 8-bit RGB or RGBA."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        self.width, self.height, depth, kind = struct.unpack(">IIBB", data[16:26])
        assert depth == 8 and kind in (2, 6), (depth, kind)
        self.n = 3 if kind == 2 else 4
        stride, raw = self.width * self.n, png_pixels(path)
        self.rows, last = [], bytes(stride)
        for y in range(self.height):
            line = bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
            self.unfilter(raw[y * (stride + 1)], line, last)
            self.rows.append(line)
            last = line

    def unfilter(self, how, line, last):
        for x in range(len(line)):
            a = line[x - self.n] if x >= self.n else 0
            b, c = last[x], last[x - self.n] if x >= self.n else 0
            if how == 1:
                line[x] = (line[x] + a) & 255
            elif how == 2:
                line[x] = (line[x] + b) & 255
            elif how == 3:
                line[x] = (line[x] + (a + b) // 2) & 255
            elif how == 4:
                p = a + b - c
                near = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))
                line[x] = (line[x] + near[2]) & 255

    def at(self, x, y):
        return tuple(self.rows[y][x * self.n:x * self.n + 3])

    def places(self, rgb):
        """Where that very colour is."""
        return [(x, y) for y in range(self.height) for x in range(self.width)
                if self.at(x, y) == rgb]


def whole_png(path):
    try:
        with open(path, "rb") as file:
            return file.read().endswith(b"IEND\xaeB`\x82")
    except OSError:
        return False


def give_up(name):
    """For a call that never comes back: kills the program, then this test."""
    print("Bail out! %s took longer than %d s" % (name, TEST_S), flush=True)
    for process in Window.running:
        process.kill()
    os._exit(1)


def run(tests):
    """All methods called test_*, in the order in which they are written; prints TAP."""
    failed = 0
    names = [name for name in type(tests).__dict__ if name.startswith("test_")]
    print("1..%d" % len(names), flush=True)
    for number, name in enumerate(names, 1):
        watch = threading.Timer(TEST_S, give_up, [name])
        watch.daemon = True
        watch.start()
        try:
            getattr(tests, name)()
            print("ok %d %s" % (number, name[5:]), flush=True)
        except Exception as error:  # the next tests still tell something
            failed += 1
            print("not ok %d %s" % (number, name[5:]))
            print("\n".join("# " + line for line in str(error).split("\n")), flush=True)
        finally:
            watch.cancel()
    for process in Window.running:
        process.kill()
    return 1 if failed else 0
