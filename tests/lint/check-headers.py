#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each header compiles alone, as C. Takes the flags of a source beside it from compile_commands.json.

A `*-plain.h` is a template that a source includes once for each scalar type, after naming the type: it is compiled there.
"""
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys

ROOT, BUILD = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
SKIPPED = {"-o", "-MF", "-MQ", "-c"}


def flags_by_folder():
    flags = {}
    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as commands:
        for entry in json.load(commands):
            path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), ROOT)
            if not path.endswith(".c"):
                continue
            words = shlex.split(entry["command"])
            kept, skip = [], False
            for word in words:
                if skip:
                    skip = False
                elif word in SKIPPED:
                    skip = True
                elif word not in ("-MD", entry["file"]):
                    kept.append(word)
            flags.setdefault(os.path.dirname(path) + "/", (kept, entry["directory"]))
            flags.setdefault(path.split("/")[0], (kept, entry["directory"]))
    return flags


def compile_alone(header, flags):
    folder, layer = os.path.dirname(header) + "/", header.split("/")[0]
    if layer not in flags:
        return header, "no source of its layer is built"
    words, directory = flags.get(folder, flags[layer])
    done = subprocess.run(words + ["-fsyntax-only", "-O0", "-x", "c", "-"], cwd=directory, text=True,
                          input=f'#include "{header}"\nint bg_nothing;\n', capture_output=True, check=False)
    return header, done.stderr if done.returncode else ""


def main():
    flags = flags_by_folder()
    headers = []
    for top in ("core", "media", "render", "ui", "app"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            headers += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names
                        if name.endswith(".h") and not name.endswith("-plain.h")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda header: compile_alone(header, flags), sorted(headers)))
    bad = [(header, text) for header, text in results if text]
    for header, text in bad:
        print(f"{header}:\n{text}")
    print(f"{len(headers)} headers, {len(bad)} do not compile alone")
    return 1 if bad or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
