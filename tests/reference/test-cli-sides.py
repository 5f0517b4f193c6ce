#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sides read back from bregma-cli's pixels: 48 axis codes x 3 formats x 3 planes x 2 conventions.

Without BREGMA_TEST_LONG each code has one of the formats, in turn: 288 pictures instead of 864.
The volumes are written and the pictures read by this script's own code. A block is bright at the
patient's left (100), anterior (60) and superior (30); the values add up.
"""
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import cli_files

CLI = sys.argv[1]
DIMS = (8, 10, 6)
SPACING = (2.0, 2.0, 3.0)

# What lies at the picture's left, right, top and bottom, seen radiologically.
EDGES = {"axial": "RLAP", "coronal": "RLSI", "sagittal": "APSI"}
BRIGHT = {"L": 100, "A": 60, "S": 30}


def value(x, y, z):
    return (100 if x > 3.5 else 0) + (60 if y < -3.5 else 0) + (30 if z > 3.5 else 0)


def check_picture(path, frame, edges):
    width, height, channels, rows, _ = cli_files.read_png(path)
    assert (width, height) == (frame["dims"][0], frame["dims"][1]), "size"
    middle_x, middle_y = width // 2, height // 2
    pixels = [rows[middle_y][0], rows[middle_y][(width - 1) * channels],
              rows[0][middle_x * channels], rows[height - 1][middle_x * channels]]
    wanted = [BRIGHT.get(letter, 0) for letter in edges]
    assert pixels == wanted, f"{edges}: pixels {pixels}, wanted {wanted}"


def check_volume(folder, code, suffix):
    columns = cli_files.columns_of(code, SPACING)
    origin = cli_files.centred_origin(columns, DIMS)
    path = os.path.join(folder, code + suffix)
    cli_files.WRITERS[suffix](path, columns, origin, DIMS, cli_files.voxels(columns, origin, DIMS, value))
    faults, n = [], 0
    for plane, edges in EDGES.items():
        letters = {"axial": "SI", "coronal": "PA", "sagittal": "LR"}[plane]
        axis = [a for a in range(3) if code[a] in letters][0]
        for convention in ("radiological", "neurological"):
            out = os.path.join(folder, f"{code}{suffix}-{plane}-{convention}.png")
            run = subprocess.run(
                [CLI, "--json", "--threads=1", "slice", path, out, f"--plane={plane}",
                 f"--index={DIMS[axis] // 2}", "--window=127.5,255", f"--convention={convention}"],
                capture_output=True, text=True, check=False)
            n += 1
            mirrored = convention == "neurological" and plane != "sagittal"
            wanted = edges[1] + edges[0] + edges[2:] if mirrored else edges
            try:
                assert run.returncode == 0, run.stderr
                check_picture(out, json.loads(run.stdout), wanted)
            except AssertionError as fault:
                faults.append(f"{code}{suffix} {plane} {convention}: {fault}")
    return n, faults


def jobs_to_do():
    suffixes = list(cli_files.WRITERS)
    for number, code in enumerate(cli_files.axis_codes()):
        # Not in step with the order of the codes, which has three pairs of letters.
        one = suffixes[(number + number // 3 + number // 8) % 3]
        for suffix in suffixes if os.environ.get("BREGMA_TEST_LONG") else [one]:
            yield code, suffix


def main():
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(check_volume, folder, code, suffix) for code, suffix in jobs_to_do()]
        done = [job.result() for job in jobs]
    n = sum(result[0] for result in done)
    n_wanted = 864 if os.environ.get("BREGMA_TEST_LONG") else 288
    faults = [fault for result in done for fault in result[1]]
    print("1..1")
    for fault in faults[:20]:
        print("#", fault)
    print(f"{'not ok' if faults or n != n_wanted else 'ok'} 1 sides in {n} pictures, {len(faults)} wrong")
    return 1 if faults or n != n_wanted else 0


sys.exit(main())
