#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include whom: reads every #include of the tree against the floors of docs/architecture.md."""
import os
import re
import sys

ROOT = sys.argv[1] if len(sys.argv) > 1 else "."
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')

# Layer -> the layers whose headers it may include.
LAYERS = {
    "core": {"core"},
    "media": {"core", "media"},
    "gpu": {"core", "gpu"},
    "render": {"core", "render"},
    "ui": {"core", "render", "ui"},
    "app": {"core", "render", "ui", "app"},
    "app/cli": {"core", "render", "app/cli"},
    "app/decode": {"core", "media", "app/decode"},
    "tests": {"core", "media", "render", "ui", "app", "app/cli", "app/decode", "gpu", "tests"},
}

# Floors of core, from the ground up; a floor includes those below it and itself, never its neighbours.
FLOORS = {
    "ground": {"base", "volume", "image", "model"},
    "algorithms": {"decode", "io", "filter", "cast", "surface", "xray", "nn", "annotate", "phantom"},
    "compute": {"compute"},
    "pipelines": {"register", "fusion", "learn", "segment", "radiograph"},
    "roof": {"case"},
}
ORDER = ["ground", "algorithms", "compute", "pipelines", "roof"]
# Neighbours that may meet: volume, image and model share base; a label table or camera is a value.
NEIGHBOURS = {
    ("volume", "base"), ("image", "base"), ("model", "base"), ("model", "volume"), ("model", "image"),
    ("volume", "image"),
    ("nn", "io"),  # weights are HDF5, which core/io owns
    ("segment", "learn"), ("fusion", "learn"), ("radiograph", "learn"), ("segment", "register"),
    ("io", "decode"),  # readers ask the child, which knows no reader
}

# Library header prefix -> folders that own it.
OWNERS = [
    (r"gtk/|gdk/|gsk/", {"ui", "app", "tests"}),
    (r"epoxy/|GL/|EGL/", {"render", "tests"}),
    (r"cglm/", {"render", "tests"}),
    (r"cuda|cudnn", {"gpu", "tests"}),
    (r"hdf5", {"core/io"}),
    (r"png\.h", {"core/io", "tests"}),
    (r"nifti", {"core/io"}),
    (r"gif_lib|vpx/", {"core/io", "tests"}),
    (r"isa-l|igzip|libdeflate|zlib", {"core/io", "media", "tests"}),
    (r"json-glib/", {"core/base"}),
    (r"openssl/", {"core/base"}),
    (r"meshoptimizer", {"core/surface"}),
    (r"oneapi/|omp\.h", {"core/nn"}),
    (r"pango/", {"core/annotate"}),
    (r"cairo", {"core/annotate", "app/cli", "ui", "app", "tests"}),
    (r"dcmtk/", {"media/dicom"}),
    (r"charls/", {"media/dicom"}),
    (r"openjpeg", {"media"}),
    (r"jpeglib|turbojpeg", {"media"}),
    (r"tiff|archive|minc|libheif", {"media", "tests"}),
]


def floor_of(folder):
    for name, folders in FLOORS.items():
        if folder in folders:
            return ORDER.index(name)
    return None


def layer_of(path):
    for layer in ("app/cli", "app/decode"):
        if path.startswith(layer + "/"):
            return layer
    return path.split("/")[0]


def check_project(path, target, faults):
    layer, other = layer_of(path), layer_of(target)
    if layer not in LAYERS or other not in LAYERS:
        return
    if other not in LAYERS[layer]:
        faults.append(f"{path}: {layer} must not include {target}")
        return
    if layer == other == "core":
        here, there = path.split("/")[1], target.split("/")[1]
        a, b = floor_of(here), floor_of(there)
        if a is None or b is None:
            faults.append(f"{path}: {target}: a folder of core without a floor")
        elif b > a or (a == b and here != there and (here, there) not in NEIGHBOURS):
            faults.append(f"{path}: core/{here} must not include core/{there} ({target})")


def owner_allows(path, owners):
    return any(path.startswith(owner + "/") for owner in owners)


def main():
    faults, n_files = [], 0
    for top in ("core", "media", "gpu", "render", "ui", "app", "tests"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                if not name.endswith((".c", ".h", ".cu", ".cuh", ".cc", ".cpp")):
                    continue
                full = os.path.join(folder, name)
                path = os.path.relpath(full, ROOT)
                n_files += 1
                with open(full, encoding="utf-8") as source:
                    for line in source:
                        match = INCLUDE.match(line)
                        if not match:
                            continue
                        kind, target = match.groups()
                        if kind == '"' and "/" in target and target.split("/")[0] in (
                                "core", "media", "gpu", "render", "ui", "app", "tests"):
                            if not os.path.exists(os.path.join(ROOT, target)):
                                faults.append(f"{path}: {target} is not there")
                            check_project(path, target, faults)
                            continue
                        for pattern, owners in OWNERS:
                            if re.match(pattern, target) and not owner_allows(path, owners):
                                faults.append(f"{path}: <{target}> belongs to {', '.join(sorted(owners))}")
                                break
    for fault in sorted(set(faults)):
        print(fault)
    print(f"{n_files} files, {len(set(faults))} wrong includes")
    return 1 if faults or n_files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
