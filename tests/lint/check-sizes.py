#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No source file over 1,000 lines, no function over 120 (tables and class_init excepted)."""
import os
import re
import sys

ROOT = sys.argv[1] if len(sys.argv) > 1 else "."
MAX_FILE, MAX_FUNCTION = 1000, 120
NAME = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*)\(")


def functions(lines):
    """(name, first line, length): the house puts the name in column 0 and closes with } in column 0."""
    name, start, depth_open = None, 0, False
    for number, line in enumerate(lines, 1):
        match = NAME.match(line)
        if match and not depth_open:
            name, start = match.group(1), number
        elif line.startswith("{") and name:
            depth_open = True
        elif line.startswith("}") and depth_open:
            yield name, start, number - start + 1
            name, depth_open = None, False


def main():
    faults, n_files, n_functions = [], 0, 0
    for top in ("core", "media", "gpu", "render", "ui", "app", "tests", "shaders"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in sorted(names):
                if not name.endswith((".c", ".h", ".cu", ".cuh", ".cc", ".cpp", ".frag", ".vert", ".glsl", ".py")):
                    continue
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as source:
                    lines = source.read().splitlines()
                n_files += 1
                if len(lines) > MAX_FILE:
                    faults.append(f"{os.path.relpath(path, ROOT)}: {len(lines)} lines")
                if not name.endswith((".c", ".cu", ".cc", ".cpp")):
                    continue
                for function, start, length in functions(lines):
                    n_functions += 1
                    if length > MAX_FUNCTION and not function.endswith("class_init"):
                        faults.append(f"{os.path.relpath(path, ROOT)}:{start}: {function} has {length} lines")
    for fault in faults:
        print(fault)
    print(f"{n_files} files, {n_functions} functions, {len(faults)} too long")
    return 1 if faults or n_functions == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
