#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each shader is valid GLSL 330 in every combination of its features. usage: check-shaders.py DIR VALIDATOR"""
import itertools
import os
import subprocess
import sys
import tempfile

FOLDER, VALIDATOR = sys.argv[1:3]
TECHNIQUES = ["COMPOSITE", "MIP", "MINIP", "MEAN", "ISO", "NO_VOLUME"]
SWITCHES = ["SHADE", "GRADIENT_OPACITY", "PACKED", "PARALLEL"]


def read(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as source:
        return source.read()


def combinations():
    yield "vert", "", read("common/fullscreen.vert")
    for defines in ("", "#define DISTANCE\n"):
        yield "vert", defines, read("mesh/mesh.vert")
    light = read("common/light.glsl")
    for switches in itertools.product([False, True], repeat=3):
        defines = "".join(f"#define {name}\n" for name, on in
                          zip(["CLIP", "PARALLEL", "DISTANCE"], switches) if on)
        yield "frag", defines, light + read("mesh/mesh.frag")
    raycast = light + read("raycast/raycast.frag")
    for technique in TECHNIQUES:
        for switches in itertools.product([False, True], repeat=len(SWITCHES)):
            for layers in (0, 1, 8):
                defines = f"#define {technique}\n"
                defines += "".join(f"#define {name}\n" for name, on in zip(SWITCHES, switches) if on)
                defines += f"#define MESH_LAYERS {layers}\n" if layers else ""
                yield "frag", defines, raycast


def main():
    n_bad = n_all = 0
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for stage, defines, source in combinations():
            n_all += 1
            name = os.path.join(folder, f"{n_all}.{stage}")
            with open(name, "w", encoding="utf-8") as out:
                out.write("#version 330 core\n" + defines + source)
            names.append((name, defines))
        # Many in one call: starting the validator takes longer than its work.
        for first in range(0, n_all, 50):
            part = names[first:first + 50]
            done = subprocess.run([VALIDATOR] + [name for name, _ in part], capture_output=True, text=True,
                                  check=False)
            if done.returncode:
                n_bad += 1
                print(done.stdout)
    print(f"{n_all} combinations, {n_bad} batches with errors")
    return 1 if n_bad or n_all < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
