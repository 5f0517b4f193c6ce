#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bregma-cli from outside: keys of its JSON, exit codes, refusals, interrupts, files left behind."""
import json
import math
import os
import resource
import signal
import struct
import shutil
import subprocess
import sys
import tempfile
import time

import cli_files

CLI = sys.argv[1]
COMMANDS = ("info convert slice filter render mesh mesh-check mesh-compare phantom provenance again bench "
            "self-test register landmarks calibrate evaluate fuse models anonymize train segment").split()


def run(*args, status=0, **options):
    done = subprocess.run([CLI, *map(str, args)], capture_output=True, text=True, check=False, **options)
    assert done.returncode == status, f"{args}: status {done.returncode}, not {status}: {done.stderr}"
    if status:
        lines = done.stderr.splitlines()
        assert lines and lines[0].startswith("bregma-cli: "), done.stderr
        assert lines[0].count(": ") >= 2 or status == 130, f"what, which, what to do: {lines[0]}"
        assert len(lines) == (2 if status == 2 else 1), done.stderr
        assert status != 2 or lines[1].startswith("usage: bregma-cli"), done.stderr
        assert done.stdout == "", done.stdout
    else:
        assert done.stderr == "", done.stderr
    return done.stdout


def run_json(*args):
    def no_constant(name):
        raise AssertionError(f"{name} in JSON")
    result = json.loads(run("--json", *args), parse_constant=no_constant)
    assert result["schema"] == 1
    return result


def need(result, keys):
    missing = [key for key in keys.split() if key not in result]
    assert not missing, f"missing: {missing}"


def close(a, b, tolerance):
    assert abs(a - b) <= tolerance, f"{a} is not {b}"


class Case:
    """A folder with a volume, a label map and a made-up case."""

    def __init__(self, folder):
        self.folder = folder
        columns = cli_files.columns_of("LPS", (1.0, 1.0, 2.0))
        self.dims = (16, 18, 12)
        origin = cli_files.centred_origin(columns, self.dims)
        ball = lambda x, y, z: 200 if x * x + y * y + z * z < 36 else 20
        self.volume = self.at("volume.nii")
        cli_files.write_nifti(self.volume, columns, origin, self.dims,
                              cli_files.voxels(columns, origin, self.dims, ball))
        label = lambda x, y, z: (1 if z > 0 else 2) if x * x + y * y + z * z < 36 else 0
        self.labels = self.at("seg.nii")
        cli_files.write_nifti(self.labels, columns, origin, self.dims,
                              cli_files.voxels(columns, origin, self.dims, label))
        self.origin = origin

    def at(self, name):
        return os.path.join(self.folder, name)


def test_info(case):
    r = run_json("info", case.volume)
    need(r, "format kind dims n_frames n_components datatype spacing_mm origin_mm direction affine "
            "axis_code modality unit value_min value_max value_mean value_sum warnings series n_nan")
    assert r["format"] == "nifti1" and r["kind"] == "volume" and r["datatype"] == "uint8"
    assert r["dims"] == list(case.dims) and r["axis_code"] == "LPS"
    assert r["spacing_mm"] == [1, 1, 2] and r["origin_mm"] == case.origin
    assert r["affine"][3] == case.origin[0] and r["affine"][12:] == [0, 0, 0, 1]
    assert len(r["direction"]) == 9 and (r["value_min"], r["value_max"]) == (20, 200)
    ras = run_json("--space=ras", "info", case.volume)
    assert ras["origin_mm"] == [-case.origin[0], -case.origin[1], case.origin[2]]
    assert run_json("info", case.labels)["kind"] == "labels"
    run("info", case.at("nothing.nii"), status=1)
    run("info", case.folder, status=1)
    run("info", case.volume, "--frame=1", status=1)


def test_convert(case):
    before = run_json("info", case.volume)
    for suffix in ("nii", "nii.gz", "nrrd", "mha"):
        out = case.at("converted." + suffix)
        r = run_json("convert", case.volume, out, "--reorient=RIA")
        need(r, "dims spacing_mm value_sum")
        again = run_json("info", out)
        assert again["axis_code"] == "RIA" and again["value_sum"] == before["value_sum"]
        assert again["dims"] == [16, 12, 18], again["dims"]
    r = run_json("convert", case.volume, case.at("coarse.nii"), "--spacing=2,2,2")
    assert r["spacing_mm"] == [2, 2, 2] and r["dims"] == [8, 9, 12]
    r = run_json("convert", case.at("coarse.nii"), case.at("like.nii"), f"--like={case.volume}")
    assert r["dims"] == list(case.dims)
    r = run_json("convert", case.labels, case.at("labels.nrrd"), "--spacing=1,1,1")
    assert r["datatype"] == "uint8" and r["value_max"] == 2
    run("convert", case.volume, case.at("x.nii"), "--reorient=LLL", status=1)
    run("convert", case.volume, case.at("x.unknown"), status=1)


def test_slice(case):
    out = case.at("slice.png")
    r = run_json("slice", case.volume, out, "--plane=coronal", "--index=9", "--window=110,180",
                 f"--label={case.labels}")
    need(r, "origin_mm normal u v spacing_mm dims")
    assert r["u"] == [1, 0, 0] and r["v"] == [0, 0, -1] and r["spacing_mm"][0] == 1
    assert r["dims"] == [16, 24, 1], r["dims"]
    width, height, channels, rows, texts = cli_files.read_png(out)
    assert (width, height, channels) == (16, 24, 1)
    assert rows[12][8] == 255 and rows[0][0] == 0
    assert json.loads(texts["provenance"])["command"] == "slice"
    assert json.loads(texts["facts"])["plane"] == "coronal"
    _, _, _, labels, _ = cli_files.read_png(case.at("slice-label.png"))
    assert labels[9][8] == 1 and labels[14][8] == 2 and labels[0][0] == 0
    r = run_json("slice", case.volume, case.at("oblique.png"), "--origin=0,0,0", "--normal=1,2,3",
                 "--size=40x30", "--spacing=0.5", "--slab=4", "--mode=mip")
    assert r["dims"] == [40, 30, 1]
    close(math.hypot(*r["u"]), 1, 1e-9)
    close(sum(a * b for a, b in zip(r["u"], r["normal"])), 0, 1e-9)
    close(sum(a * b for a, b in zip(r["normal"], (1, 2, 3))), math.sqrt(14), 1e-9)
    centre = [r["origin_mm"][i] + 0.5 * (19.5 * r["u"][i] + 14.5 * r["v"][i]) for i in range(3)]
    close(math.hypot(*centre), 0, 1e-9)
    run_json("slice", case.volume, case.at("stack.h5"), "--origin=0,0,0", "--normal=0,0,1",
             "--depth=4", "--count=3")
    run("slice", case.volume, case.at("x.png"), "--plane=axial", "--index=12", status=1)
    run("slice", case.volume, case.at("x.png"), "--plane=axial", status=2)
    run("slice", case.volume, case.at("x.png"), "--plane=up", "--index=1", status=2)
    run("slice", case.volume, case.at("x.xyz"), "--plane=axial", "--index=1", status=2)
    run("slice", case.volume, case.at("x.png"), "--plane=axial", "--index=1", "--window=1,-5", status=2)


def test_filter(case):
    out = case.at("filtered.nii.gz")
    r = run_json("filter", "gaussian", case.volume, out, "--sigma=2")
    close(r["value_mean"], run_json("info", case.volume)["value_mean"], 0.5)
    run_json("filter", "median", case.volume, out, "--radius=1", "--force")
    r = run_json("filter", "resample", case.volume, out, "--spacing=2,2,4", "--force")
    assert r["dims"] == [8, 9, 6]
    r = run_json("filter", "crop", case.volume, out, "--box=2,5,3,9,0,11", "--force")
    assert r["dims"] == [4, 7, 12]
    assert r["origin_mm"] == [case.origin[0] + 2, case.origin[1] + 3, case.origin[2]]
    r = run_json("filter", "crop", case.volume, out, f"--label={case.labels}", "--margin=2", "--force")
    assert r["dims"] == [16, 16, 8], r["dims"]
    run("filter", "sharpen", case.volume, out, status=2)
    run("filter", "crop", case.volume, case.at("x.nii"), "--box=2,5,3,9,0,12", status=1)
    run("filter", "gaussian", case.volume, case.at("x.nii"), "--sigma=-1", status=1)
    run("filter", "gaussian", case.volume, case.at("x.nii"), "--sigma=wide", status=2)


def test_mesh(case):
    stl = case.at("ball.stl")
    r = run_json("mesh", case.volume, stl, "--iso=110")
    need(r, "n_vertices n_triangles closed n_components volume_ml area_cm2 bounds_mm seconds")
    assert r["closed"] is True and r["n_components"] == 1
    close(r["volume_ml"], 4 / 3 * math.pi * 6 ** 3 / 1000, 0.08)
    with open(stl, "rb") as source:
        data = source.read()
    assert struct.unpack_from("<I", data, 80)[0] == r["n_triangles"]
    assert len(data) == 84 + 50 * r["n_triangles"]
    info = run_json("info", stl)
    assert info["kind"] == "mesh" and info["n_triangles"] == r["n_triangles"]
    smooth = run_json("mesh", case.volume, case.at("smooth.ply"), "--iso=110", "--smooth=10",
                      "--decimate=0.5", "--largest")
    assert smooth["closed"] is True and smooth["n_triangles"] <= 0.6 * r["n_triangles"]
    r = run_json("mesh-compare", stl, case.at("smooth.ply"))
    need(r, "mean_mm rms_mm p95_mm max_mm")
    assert 0 < r["mean_mm"] <= r["rms_mm"] <= r["max_mm"] < 1.5
    r = run_json("mesh", case.labels, case.at("labels.stl"), "--label=1,2")
    assert os.path.exists(case.at("labels-1.stl")) and os.path.exists(case.at("labels-2.stl"))
    assert [group["label"] for group in r["groups"]] == [1, 2]
    lps = run_json("mesh", case.at("like.nii"), case.at("lps.ply"), "--iso=110")
    ras = run_json("mesh", case.at("like.nii"), case.at("ras.ply"), "--iso=110", "--space=ras")
    close(lps["bounds_mm"][0], -ras["bounds_mm"][1], 1e-9)
    run("mesh", case.volume, case.at("x.stl"), "--iso=500", status=1)
    run("mesh", case.volume, case.at("x.stl"), status=2)
    run("mesh", case.labels, case.at("x.stl"), "--label=9", status=1)
    run("mesh", case.volume, case.at("x.stl"), "--iso=110", "--decimate=2", status=2)


def test_render(case):
    out = case.at("view.png")
    r = run_json("render", case.volume, out, "--view=10,20,0,1", "--size=120x90", "--plain")
    need(r, "engine backend seconds size")
    assert r["size"] == [120, 90] and r["backend"] == "cpu" and r["engine"] == "cast"
    width, height, _, rows, texts = cli_files.read_png(out)
    assert (width, height) == (120, 90) and max(rows[45]) > 60
    assert json.loads(texts["provenance"])["inputs"][0]["path"] == case.volume
    presets = run_json("render", "--list-presets")["presets"]
    assert len(presets) >= 12 and all("id" in preset for preset in presets)
    function = run_json("render", case.volume, "--print-tf")
    need(function, "technique opacity colour shade ambient diffuse specular power interpolation "
                   "unit_distance_mm")
    with open(case.at("tf.json"), "w", encoding="utf-8") as target:
        json.dump(function, target)
    with open(case.at("camera.json"), "w", encoding="utf-8") as target:
        json.dump(r["camera"], target)
    run_json("render", case.volume, case.at("same.png"), f"--tf={case.at('tf.json')}",
             f"--camera={case.at('camera.json')}", "--plain")
    assert cli_files.read_png(case.at("same.png"))[3] == rows
    run_json("render", case.volume, case.at("mesh.png"), f"--mesh={case.at('ball.stl')}",
             "--clip=-90,0,-90,90,-90,90", "--mode=mip", "--size=64x64")
    r = run_json("render", case.volume, case.at("turn.gif"), "--turntable=3", "--size=32x32")
    assert open(case.at("turn.gif"), "rb").read(6) == b"GIF89a"
    assert run_json("again", case.at("turn.gif"), "-o", case.at("turn2.gif"))["identical"]
    for lighting in ("ao", "path"):
        out = case.at(f"{lighting}.png")
        r = run_json("render", case.volume, out, f"--lighting={lighting}", "--size=32x32")
        assert r["lighting"] == lighting
        assert run_json("again", out, "-o", case.at(f"{lighting}2.png"))["identical"]
    run("render", case.volume, case.at("no.png"), "--lighting=ao", "--mode=mip", status=1)
    r = run_json("render", case.volume, case.at("turn.webm"), "--turntable=3", "--size=33x31")
    assert open(case.at("turn.webm"), "rb").read(4) == b"\x1a\x45\xdf\xa3"
    assert run_json("again", case.at("turn.webm"), "-o", case.at("turn2.webm"))["identical"]
    r = run_json("render", case.volume, case.at("turn.png"), "--turntable=3", "--size=32x32")
    assert [os.path.exists(path) for path in r["files"]] == [True] * 3
    gl = subprocess.run([CLI, "--json", "render", case.volume, case.at("gl.png"), "--engine=gl",
                         "--size=64x64"], capture_output=True, text=True, check=False)
    if gl.returncode == 0:  # where there is an OpenGL, software or not
        assert json.loads(gl.stdout)["engine"] == "gl"
    else:
        assert gl.returncode == 1 and "--engine=gl" in gl.stderr, gl.stderr
    run("render", case.volume, case.at("x.png"), "--engine=gan", status=2)
    run("render", case.volume, case.at("x.png"), "--preset=no-such", status=1)
    run("render", case.volume, case.at("x.png"), "--view=1,2", status=2)
    run("render", case.volume, case.at("x.bmp"), status=2)
    run("render", case.volume, status=2)


def middle_of_light(path):
    """Where the light of a picture is, as shares of its width and height."""
    width, height, channels, rows, _ = cli_files.read_png(path)
    weights = [(row[x * channels], x, y) for y, row in enumerate(rows) for x in range(width)]
    total = sum(w for w, _, _ in weights)
    assert total > 0, "a black picture"
    return (sum(w * x for w, x, _ in weights) / total / (width - 1),
            sum(w * y for w, _, y in weights) / total / (height - 1))


def test_sides_in_3d(case):
    # Bright at the patient's left, anterior and superior; stored in an unusual order.
    dims, columns = (20, 24, 16), cli_files.columns_of("AIR", (2.0, 2.0, 2.0))
    origin = cli_files.centred_origin(columns, dims)
    block = lambda x, y, z: 255 if x > 8 and y < -8 and z > 8 else 0
    path = case.at("block.nii")
    cli_files.write_nifti(path, columns, origin, dims, cli_files.voxels(columns, origin, dims, block))
    with open(case.at("white.json"), "w", encoding="utf-8") as target:
        json.dump({"schema": 1, "technique": "mip", "opacity": [[0, 0], [255, 1]],
                   "colour": [[0, 1, 1, 1]]}, target)
    # From the front, the patient's left, the back, the right: is it on the picture's right?
    for azimuth, on_the_right in ((0, True), (90, False), (180, False), (270, True)):
        for extra in ([], ["--parallel"]):
            out = case.at("block.png")
            run_json("render", path, out, f"--tf={case.at('white.json')}", f"--view=0,{azimuth},0,1",
                     "--size=60x60", "--plain", "--force", *extra)
            x, y = middle_of_light(out)
            assert y < 0.45, f"azimuth {azimuth}: not above: {y}"
            assert (x > 0.55) if on_the_right else (x < 0.45), f"azimuth {azimuth}: {x}"


def test_phantom(case):
    heads = case.at("heads")
    r = run_json("phantom", heads, "--kind=head", "--size=32", "--tumour", "--seed=5")
    need(r, "files truth")
    for name in "t1 t1ce t2 flair labels".split():
        assert os.path.exists(os.path.join(heads, name + ".nii.gz")), name
    labels = run_json("info", os.path.join(heads, "labels.nii.gz"))
    assert labels["kind"] == "labels" and {item["value"] for item in labels["labels"]} <= {1, 2, 4}
    with open(os.path.join(heads, "truth.json"), encoding="utf-8") as source:
        assert json.load(source)["seed"] == 5
    run_json("phantom", heads, "--kind=head", "--size=32", "--tumour", "--seed=5")  # its own folder
    spheres = run_json("phantom", case.at("spheres"), "--kind=spheres", "--size=64")["truth"]
    need(spheres["spheres"][0], "centre_mm radius_mm volume_ml area_cm2")
    need(run_json("phantom", case.at("slab"), "--kind=slab", "--size=32")["truth"], "thickness_mm normal")
    run("phantom", case.at("x"), "--kind=foot", status=2)
    run("phantom", case.at("x"), "--kind=head", "--size=3", status=2)


def test_again(case):
    for name in ("view.png", "ball.stl", "smooth.ply", "slice.png", "stack.h5", "filtered.nii.gz",
                 "slice-label.png", "converted.nrrd", "converted.mha", "labels-2.stl", "turn-001.png"):
        path = case.at(name)
        p = run_json("provenance", path)
        need(p, "inputs command parameters version backend seed")
        assert len(p["inputs"][0]["sha256"]) == 64, name
        r = run_json("again", path, "-o", case.at("again-" + name))
        assert r["equal"] is True, f"{name} is not equal"
    r = run_json("again", os.path.join(case.at("heads"), "t1.nii.gz"), "-o", case.at("t1.nii.gz"))
    assert r["equal"] is True and r["seed"] == 5
    with open(case.volume, "ab") as target:
        target.write(b"!")
    run("again", case.at("view.png"), "-o", case.at("x.png"), status=1)
    run("provenance", case.volume, status=1)
    run("again", case.at("view.png"), status=2)
    leftovers = [name for name in os.listdir(case.folder) if name.startswith(".")]
    assert not leftovers, leftovers


def write_points(path, rows, header="name,x,y,z"):
    with open(path, "w", encoding="utf-8") as out:
        out.write(header + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    return path


# Corners of a box that is longer one way than another, and its middle.
POINTS = [("a", 40, 0, 0), ("b", -40, 5, 0), ("c", 0, 30, 10), ("d", 0, -30, -10), ("e", 10, 0, 25), ("f", 0, 7, -25)]


def test_register_points(case):
    # A quarter turn about z, and a shift: fixed = (-y, x, z) + (5, 6, 7).
    turned = [(n, -y + 5, x + 6, z + 7) for n, x, y, z in POINTS]
    fixed, moving = write_points(case.at("fixed.csv"), turned), write_points(case.at("moving.csv"), POINTS)
    for model in ("rigid", "similarity", "affine", "tps"):
        out = case.at(f"{model}.json")
        r = run_json("register", "points", f"--fixed={fixed}", f"--moving={moving}", f"--model={model}",
                     "--check=f", "-o", out)
        need(r, "matrix fre rms_check residuals expected_tre_mm mirrored condition")
        for found, wanted in zip(r["matrix"], [0, -1, 0, 5, 1, 0, 0, 6, 0, 0, 1, 7, 0, 0, 0, 1]):
            close(found, wanted, 1e-9)
        assert [p["name"] for p in r["residuals"]] == list("abcdef")
        assert [p["used"] for p in r["residuals"]] == [True] * 5 + [False]
        assert len(r["expected_tre_mm"]) == 6 and r["rms_check"] < 1e-9 and r["mirrored"] == "no"
        with open(out, encoding="utf-8") as source:
            assert json.load(source)["model"] == model
        if model != "tps":
            again = run_json("again", out, "-o", case.at("again.json"), "--force")
            assert again["equal"] and again["identical"]
    # The same in RAS, where x and y change sign.
    r = run_json("--space=ras", "register", "points", f"--fixed={fixed}", f"--moving={moving}")
    close(r["matrix"][3], 5, 1e-9)
    mirrored = write_points(case.at("mirrored.csv"), [(n, -x, y, z) for n, x, y, z in POINTS])
    run("register", "points", f"--fixed={mirrored}", f"--moving={moving}", status=1)
    assert run_json("register", "points", f"--fixed={mirrored}", f"--moving={moving}",
                    "--allow-mirror")["mirrored"] == "yes"
    few = write_points(case.at("few.csv"), POINTS[:2])
    run("register", "points", f"--fixed={fixed}", f"--moving={few}", status=1)
    run("register", "points", f"--fixed={fixed}", f"--moving={moving}", "--model=elastic", status=2)
    run("register", "points", f"--fixed={fixed}", f"--moving={moving}", "--check=nobody", status=1)
    run("register", "points", status=2)
    run("register", status=2)
    run("register", "by-magic", status=2)
    flat = [(n, x, y) for n, x, y, _ in POINTS]
    picture = write_points(case.at("picture.csv"), flat, "name,u,v")
    other = write_points(case.at("other.csv"), [(n, 2 * x + 3, 2 * y - 4) for n, x, y in flat], "name,u,v")
    r = run_json("register", "points", f"--fixed={other}", f"--moving={picture}", "--model=similarity")
    for found, wanted in zip(r["matrix"], [2, 0, 3, 0, 2, -4, 0, 0, 1]):
        close(found, wanted, 1e-9)
    run("register", "points", f"--fixed={other}", f"--moving={moving}", status=1)



def read_bytes(path):
    """LPS place and value of each voxel of an 8-bit NIfTI file."""
    with open(path, "rb") as source:
        data = source.read()
    dims, at = struct.unpack_from("<3h", data, 42), int(struct.unpack_from("<f", data, 108)[0])
    assert struct.unpack_from("<h", data, 70)[0] == 2, "not uint8"
    rows = [struct.unpack_from("<4f", data, 280 + 16 * r) for r in range(3)]
    for n in range(dims[0] * dims[1] * dims[2]):
        v = (n % dims[0], n // dims[0] % dims[1], n // (dims[0] * dims[1]))
        x, y, z = (sum(row[a] * v[a] for a in range(3)) + row[3] for row in rows)
        yield (-x, -y, z), data[at + n]


def test_register_apply(case):
    # The quarter turn of test_register_points(): what lay at p is found at (-y, x, z) + (5, 6, 7).
    ramp = lambda x, y, z: min(255, max(0, round(128 + 2 * x + y + 0.5 * z)))
    columns = ((2, 0, 0), (0, 2, 0), (0, 0, 2))
    volume, labels = case.at("ramp.nii"), case.at("half.nii")
    grid = (columns, (-30, -30, -30), (31, 31, 31))
    cli_files.write_nifti(volume, *grid, cli_files.voxels(*grid, ramp))
    cli_files.write_nifti(labels, *grid, cli_files.voxels(*grid, lambda x, y, z: int(x > 9)))
    with open(labels, "r+b") as source:
        source.seek(68)
        source.write(struct.pack("<h", 1002))  # NIFTI_INTENT_LABEL
    fixed = case.at("there.nii")
    cli_files.write_nifti(fixed, ((0, 3, 0), (3, 0, 0), (0, 0, 3)), (-22, -21, -20), (15, 15, 15), bytes(15 ** 3))
    turned = [(n, -y + 5, x + 6, z + 7) for n, x, y, z in POINTS]
    a, b = write_points(case.at("a.csv"), turned), write_points(case.at("b.csv"), POINTS)
    for model in ("rigid", "affine", "tps"):
        transform, out = case.at(f"{model}-t.json"), case.at(f"{model}-there.nii")
        run_json("register", "points", f"--fixed={a}", f"--moving={b}", f"--model={model}", "-o", transform)
        r = run_json("register", "apply", volume, out, f"--transform={transform}", f"--like={fixed}")
        need(r, "dims spacing_mm value_sum model direction frames")
        assert r["model"] == model and r["dims"] == [15, 15, 15]
        seen = 0
        for (x, y, z), value in read_bytes(out):
            p = (y - 6, 5 - x, z - 7)
            if max(map(abs, p)) < 29:
                seen += 1
                assert abs(value - ramp(*p)) <= 1, (model, (x, y, z), value, ramp(*p))
        assert seen > 1000, seen
        half = case.at(f"{model}-half.nii")
        args = ("register", "apply", labels, half, f"--transform={transform}", f"--like={fixed}")
        if model == "tps":
            run(*args, status=1)
            continue
        run_json(*args)
        for (x, y, z), value in read_bytes(half):
            p = (y - 6, 5 - x, z - 7)
            if max(map(abs, p)) < 29 and abs(p[0] - 9) > 1:
                assert value == int(p[0] > 9), (model, (x, y, z), value)
    run("register", "apply", volume, case.at("x.nii"), f"--transform={transform}", status=2)
    flat = write_points(case.at("flat.csv"), [(n, x, y) for n, x, y, _ in POINTS], "name,u,v")
    run_json("register", "points", f"--fixed={flat}", f"--moving={flat}", "-o", case.at("flat.json"))
    run("register", "apply", volume, case.at("x.nii"), f"--transform={case.at('flat.json')}", f"--like={fixed}",
        status=1)
    far = case.at("far.nii")
    cli_files.write_nifti(far, columns, (900, 0, 0), (5, 5, 5), bytes(125))
    run("register", "apply", volume, case.at("x.nii"), f"--transform={case.at('rigid-t.json')}", f"--like={far}",
        status=1)
    assert not os.path.exists(case.at("x.nii"))

def test_register_volumes(case):
    head = case.at("register-head")
    run("phantom", head, "--kind=head", "--size=64")
    t1, t2, out = (os.path.join(head, name) for name in ("t1.nii.gz", "t2.nii.gz", "t.json"))
    r = run_json("--seed=3", "register", "volumes", t1, t2, "-o", out)
    need(r, "matrix metric_before metric_after mirrored overlap")
    for n, found in enumerate(r["matrix"]):
        close(found, 1 if n % 5 == 0 else 0, 0.5 if n % 4 == 3 else 0.01)
    assert r["metric_after"] >= r["metric_before"] - 1e-3
    again = run_json("again", out, "-o", os.path.join(head, "again.json"))
    assert again["equal"] and again["identical"]
    # A start that is given, and ITK's files.
    tfm = os.path.join(head, "t.tfm")
    run("register", "volumes", t1, t2, f"--from={out}", "--model=affine", "--metric=nmi", "-o", tfm)
    with open(tfm, encoding="utf-8") as source:
        assert source.readline() == "#Insight Transform File V1.0\n"
    run("register", "volumes", t1, t2, f"--from={tfm}")
    run("register", "volumes", t1, t2, "--model=tps", status=2)
    run("register", "volumes", t1, case.at("no-such.nii"), status=1)
    run("register", "volumes", t1, t2, "-o", case.at("no-such-format.xyz"), status=1)


def test_landmarks_plane(case):
    rows = [("a", 5, 0, 4), ("b", 0, 5, 4), ("c", -5, 0, 4), ("d", 0, -5, 4)]
    points = write_points(case.at("plane.csv"), rows)
    r = run_json("landmarks", "plane", points, f"--volume={case.volume}", "--depth=6")
    need(r, "normal centroid_mm rms_mm origin_top_mm origin_bottom_mm")
    for found, wanted in zip(r["normal"] + r["origin_top_mm"] + r["origin_bottom_mm"],
                             [0, 0, -1, 0, 0, 4, 0, 0, -2]):
        close(found, wanted, 1e-9)
    close(r["rms_mm"], 0, 1e-9)
    r = run_json("--space=ras", "landmarks", "plane", points, "--three=a,b,c")
    close(abs(r["normal"][2]), 1, 1e-9)
    crop, mask, mesh = case.at("prism.nii.gz"), case.at("prism-mask.nii.gz"), case.at("prism.stl")
    for what, out in (("crop", crop), ("mask", mask), ("mesh", mesh)):
        r = run_json("landmarks", "plane", points, f"--volume={case.volume}", "--depth=6", f"--write={what}",
                     "--shape=cylinder", "-o", out)
        assert run_json("again", out, "-o", case.at("again-" + os.path.basename(out)))["equal"]
    # Voxels of 1 x 1 x 2 mm whose centres lie in a cylinder of 5 mm radius, z from -2 to 4.
    ox, oy, oz = case.origin
    expected = sum(math.hypot(ox + i, oy + j) <= 5 and -2 <= oz + 2 * k <= 4
                   for i in range(16) for j in range(18) for k in range(12))
    assert run_json("info", mask)["labels"][0]["n_voxels"] == expected > 100
    line = write_points(case.at("line.csv"), [("a", 0, 0, 0), ("b", 1, 1, 1), ("c", 2, 2, 2)])
    run("landmarks", "plane", line, status=1)
    run("landmarks", "plane", points, "--write=song", status=2)
    run("landmarks", "plane", points, "-o", case.at("x.nii"), status=2)


def test_command_line(case):
    run("frobnicate", status=2)
    run(status=2)
    run("info", status=2)
    run("info", case.volume, "extra", status=2)
    run("info", case.volume, "--no-such-option", status=2)
    run("--threads=many", "info", case.volume, status=2)
    run("--space=xyz", "info", case.volume, status=2)
    run("--backend=abacus", "info", case.volume, status=2)
    text = run("--help")
    for command in COMMANDS:
        assert f"\n  {command} " in text, command
        assert run(command, "--help").startswith(f"usage: bregma-cli {command} ")
    assert "pacs" not in text and "xray" not in text
    assert run("--version").startswith("bregma-cli ")
    linked = subprocess.run(["ldd", CLI], capture_output=True, text=True, check=False).stdout
    assert "gtk" not in linked, "bregma-cli links GTK"


def test_outputs(case):
    out = case.at("kept.png")
    with open(out, "wb") as target:
        target.write(b"mine")
    run("slice", case.volume, out, "--plane=axial", "--index=3", status=1)
    with open(out, "rb") as source:
        assert source.read() == b"mine"
    run("slice", case.volume, out, "--plane=axial", "--index=3", "--force")
    run("slice", case.volume, case.at("no/such/folder/x.png"), "--plane=axial", "--index=3", status=1)
    assert not [name for name in os.listdir(case.folder) if name.startswith("x.")]
    # What is read is not written, by whatever name and whatever is allowed.
    own, link = case.at("own.nii.gz"), case.at("link.nii.gz")
    shutil.copyfile(case.volume, own)
    os.symlink(own, link)
    with open(own, "rb") as source:
        before = source.read()
    for out in (own, os.path.join(os.path.dirname(own), ".", "own.nii.gz"), link):
        run("filter", "gaussian", own, out, "--sigma=2", "--force", status=1)
        run("filter", "resample", case.volume, out, f"--like={own}", "--force", status=1)
    with open(own, "rb") as source:
        assert source.read() == before


def run_doubtful(*args):
    """A result, and the same warnings on stderr."""
    done = subprocess.run([CLI, "--json", *map(str, args)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    told = [line[len("bregma-cli: warning: "):] for line in done.stderr.splitlines()]
    assert told and all(line in result["warnings"] for line in told), (done.stderr, result.get("warnings"))
    return result, " | ".join(told)


def test_places(case):
    """What has nothing in common with what it is computed of is refused, what has little is said."""
    columns = cli_files.columns_of("LPS", (1.0, 1.0, 2.0))
    far, near = case.at("far.nii"), case.at("near.nii")
    for path, shift in ((far, 500), (near, 15.6)):
        origin = [case.origin[0] + shift, *case.origin[1:]]
        cli_files.write_nifti(path, columns, origin, case.dims, bytes([1]) * math.prod(case.dims))
    out = case.at("placed.nii")
    for command in (("convert",), ("filter", "resample")):
        run(*command, case.volume, out, f"--like={far}", status=1)
        assert not os.path.exists(out)
        _, told = run_doubtful(*command, case.volume, out, f"--like={near}", "--force")
        assert "lies within" in told, told
        os.remove(out)
        r = run_json(*command, case.volume, out, f"--like={case.labels}")
        assert not any("lies within" in w for w in r.get("warnings", [])), r["warnings"]
        os.remove(out)
    plane = ["--plane=axial", "--index=5"]
    picture = case.at("placed.png")
    run("slice", case.volume, picture, "--origin=0,0,300", "--normal=0,0,1", status=1)
    run("slice", case.volume, picture, *plane, f"--label={far}", status=1)
    assert not os.path.exists(picture)
    r, told = run_doubtful("slice", case.volume, picture, "--origin=0,0,0", "--normal=0,0,1", "--depth=40",
                           "--count=5")
    assert "3 of 5" in told, told
    run("slice", case.volume, case.at("placed-too.png"), *plane, f"--label={case.labels}")
    run("montage", case.volume, case.at("m.png"), f"--label={far}", status=1)


def test_idle_options(case):
    """An option that would make no difference is refused, or said to make none."""
    volume, out = case.volume, case.at("idle.nii")
    for args in (["gaussian", "--sigma=1", "--radius=2"], ["median", "--radius=1", "--sigma=2"],
                 ["n4", "--method=minmax"], ["crop", "--box=0,3,0,3,0,3", "--spacing=1,1,1"]):
        run("filter", args[0], volume, out, *args[1:], status=2)
    plane, oblique = ["--plane=axial", "--index=3"], ["--origin=0,0,0", "--normal=0,1,1"]
    picture = case.at("idle.png")
    for args in (plane + ["--mode=mip"], plane + ["--size=9x9"], plane + ["--up=0,0,1"], oblique + ["--index=2"],
                 plane + ["--depth=9"], oblique + ["--convention=neurological"]):
        run("slice", volume, picture, *args, status=2)
    run("slice", volume, case.at("idle.tiff"), *plane, "--annotate", status=2)
    assert not os.path.exists(out) and not os.path.exists(picture)
    for args in (["convert", volume, out, "--interpolation=cubic"], ["convert", volume, out, "--reference=x.dcm"],
                 ["mesh", volume, case.at("idle.obj"), "--iso=100", "--ascii"],
                 ["filter", "crop", volume, out, "--box=0,3,0,3,0,3", "--margin=5"]):
        _, told = run_doubtful(*args, "--force")
        assert args[-1].split("=")[0] in told and "no difference" in told, told


def test_no_labels(case):
    """A scan is no label map: its values are many, and neighbours unlike."""
    dims = (24, 24, 24)
    columns = cli_files.columns_of("LPS", (1.0, 1.0, 1.0))
    origin = cli_files.centred_origin(columns, dims)
    scan = case.at("scan.nii")
    cli_files.write_nifti(scan, columns, origin, dims, bytes((i * i * 7 + i) % 251 for i in range(24 ** 3)))
    few = case.at("few.nii")  # unlike neighbours alone are no reason
    cli_files.write_nifti(few, columns, origin, dims, bytes((i * i * 7 + i) % 5 for i in range(24 ** 3)))
    for path, status in ((scan, 1), (few, 0)):
        run("--quiet", "mesh", path, case.at("n.stl"), "--label=3", "--force", status=status)
        run("filter", "morphology", path, case.at("n.nii"), "--operation=dilate", "--radius=1", "--force",
            status=status)
        run("slice", path, case.at("n.png"), "--plane=axial", "--index=3", f"--label={path}", "--force",
            status=status)


def test_written_type(case):
    """datatype is that of the file: one that has no place for a scale holds floats."""
    scaled = case.at("scaled.nii")
    with open(case.volume, "rb") as source:
        data = bytearray(source.read())
    struct.pack_into("<ff", data, 112, 0.3, 3.0)
    with open(scaled, "wb") as target:
        target.write(data)
    for suffix, want in (("nii", "uint8"), ("nrrd", "float32"), ("mha", "float32"), ("npy", "float32"),
                         ("h5", "float32"), ("tif", "float32")):
        out = case.at("typed." + suffix)
        r, there = run_json("convert", scaled, out), run_json("info", out)
        assert r["datatype"] == there["datatype"] == want, (suffix, r["datatype"], there["datatype"])
        close(r["value_sum"], there["value_sum"], 1e-2)


def test_full_disk(case):
    """Where no more can be written, HDF5's own words are not shown, and nothing is left."""
    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    dims = (32, 32, 32)
    columns = cli_files.columns_of("LPS", (1.0, 1.0, 1.0))
    noise = case.at("noise.nii")
    cli_files.write_nifti(noise, columns, cli_files.centred_origin(columns, dims), dims,
                          bytes((i * i * i % 65521) * 37 % 251 for i in range(32 ** 3)))
    before = sorted(os.listdir(case.folder))
    for suffix in ("h5", "mnc", "nii.gz"):
        done = subprocess.run([CLI, "convert", noise, case.at("full." + suffix)], capture_output=True, text=True,
                              check=False, preexec_fn=small_files)
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, (suffix, done)
        assert "arge" in done.stderr and "errno" not in done.stderr and "0x" not in done.stderr, done.stderr
        assert sorted(os.listdir(case.folder)) == before


def test_interrupt(case):
    big = case.at("big")
    run("phantom", big, "--kind=spheres", "--size=160")
    volume = os.path.join(big, "spheres.nii.gz")
    out = os.path.join(big, "out.nii.gz")
    n_stopped = 0
    for delay in (0.02, 0.1, 0.2, 0.4, 0.6):
        process = subprocess.Popen([CLI, "filter", "median", volume, out, "--radius=6"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        # Before main() has begun the system ends it itself; a shell calls that 130 too.
        assert process.returncode in (130, -signal.SIGINT), process.returncode
        n_stopped += process.returncode == 130
        assert sorted(os.listdir(big)) == ["spheres.nii.gz", "truth.json"], os.listdir(big)
    assert n_stopped >= 2


def test_numbers(case):
    r = run_json("self-test")
    need(r, "passed failed checks")
    assert r["failed"] == 0 and r["passed"] >= 15, r
    r = run_json("bench", "slices", "--size=32", "--repeats=3")
    need(r["results"][0], "name size median_ms spread_ms throughput")
    run("bench", "no-such-job", status=2)


TESTS = [test_info, test_convert, test_slice, test_filter, test_mesh, test_render,
         test_sides_in_3d, test_phantom,
         test_register_points, test_register_apply, test_register_volumes, test_landmarks_plane,
         test_again, test_command_line, test_outputs, test_places, test_idle_options, test_no_labels,
         test_written_type, test_full_disk, test_interrupt, test_numbers]


def main():
    n_failed = 0
    print(f"1..{len(TESTS)}")
    with tempfile.TemporaryDirectory() as folder:
        case = Case(folder)
        for number, test in enumerate(TESTS, 1):
            try:
                test(case)
                print(f"ok {number} {test.__name__}")
            except (AssertionError, KeyError, IndexError, OSError, ValueError) as fault:
                n_failed += 1
                print(f"not ok {number} {test.__name__}\n# {type(fault).__name__}: {fault}")
    return 1 if n_failed else 0


sys.exit(main())
