#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole way without a window, in TAP: volume, points, plane, crop, slices, camera, check.

A made-up head with photographs whose camera is known. What is told is compared with the truth, or worked
out again here."""
import atexit
import csv
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile

CLI = sys.argv[1]
FOLDER = tempfile.mkdtemp(prefix="bregma-sequence-")
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
SIZE = 160
SPACING = 240.0 / SIZE


def at(*names):
    return os.path.join(FOLDER, *names)


def run(*args, status=0):
    done = subprocess.run([CLI, *args, "--json", "--force"], capture_output=True, text=True, check=False)
    assert done.returncode == status, f"{args}: {done.returncode}: {done.stderr}"
    return json.loads(done.stdout) if status == 0 else done.stderr


def read_points(path):
    with open(path, encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    places = {row["name"]: [float(row[a]) for a in ("x", "y", "z")] for row in rows}
    return places, {row["name"]: row["state"] for row in rows}


def write_points(path, places, states):
    with open(path, "w", encoding="utf-8") as out:
        out.write("name,x,y,z,state\n")
        for name, p in places.items():
            out.write(f"{name},{p[0]!r},{p[1]!r},{p[2]!r},{states[name]}\n")
    return path


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def along(a, s, b):
    return [x + s * y for x, y in zip(a, b)]


def distance(a, b):
    return math.dist(a, b)


def apply(matrix, p):
    return [dot(matrix[4 * r:4 * r + 3], p) + matrix[4 * r + 3] for r in range(3)]


def rotation(axis, degrees):
    """Rodrigues' formula, row-major."""
    length = math.sqrt(dot(axis, axis))
    k = [a / length for a in axis]
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    cross = [[0, -k[2], k[1]], [k[2], 0, -k[0]], [-k[1], k[0], 0]]
    return [[(c if i == j else 0) + s * cross[i][j] + (1 - c) * k[i] * k[j] for j in range(3)] for i in range(3)]


def project(camera, p):
    """Where a camera's JSON puts a point: R, t, Brown-Conrady, K; u, v and mm per pixel there."""
    r, t, k = camera["R"], camera["t"], camera["K"]
    x, y, z = (dot(r[3 * i:3 * i + 3], p) + t[i] for i in range(3))
    a, b = x / z, y / z
    k1, k2, p1, p2, k3 = camera["distortion"]
    q = a * a + b * b
    radial = 1 + q * (k1 + q * (k2 + q * k3))
    c = a * radial + 2 * p1 * a * b + p2 * (q + 2 * a * a)
    d = b * radial + p1 * (q + 2 * b * b) + 2 * p2 * a * b
    return [k[0] * c + k[2], k[4] * d + k[5]], z / math.sqrt(k[0] * k[4])


def target_error(found, true, places, states):
    """Mean distance in mm, at their depth, of where two cameras show the check points."""
    errors = []
    for name, p in places.items():
        if states[name] == "check":
            uv, mm = project(true, p)
            errors.append(distance(uv, project(found, p)[0]) * mm)
    return sum(errors) / len(errors)


def load(path):
    with open(path, encoding="utf-8") as source:
        return json.load(source)


def check_phantom():
    made = run("phantom", at("head"), "--kind=head", f"--size={SIZE}", "--tumour", "--seed=3")
    assert len(made["files"]) >= 14
    for side in ("optical", "thermal"):
        info = run("info", at("head", side + ".png"))
        assert info["kind"] == "image"


def check_volumes():
    """Another scanner's frame: t2 moved by its header, found again; and landmarks the same way."""
    places, states = read_points(at("head", "landmarks.csv"))
    turn, shift = rotation((1, 2, 3), 12.0), (9.0, -6.0, 4.0)
    moved = {name: [dot(row, p) + s for row, s in zip(turn, shift)] for name, p in places.items()}
    write_points(at("moved.csv"), moved, states)
    found = run("register", "points", "--fixed=" + at("head", "landmarks.csv"), "--moving=" + at("moved.csv"),
                "--model=rigid", "-o", at("points.json"))
    for name, p in moved.items():
        assert distance(apply(found["matrix"], p), places[name]) < 0.01, name
    assert found["fre"] < 0.01 and found["rms_check"] < 0.01
    states_told = {row["name"]: row["used"] for row in found["residuals"]}
    assert states_told["L1"] is True and states_told["T1"] is False

    # A mirrored list is refused in words.
    write_points(at("mirrored.csv"), {n: [-p[0], p[1], p[2]] for n, p in places.items()}, states)
    message = run("register", "points", "--fixed=" + at("head", "landmarks.csv"),
                  "--moving=" + at("mirrored.csv"), status=1)
    assert "mirror" in message, message

    volumes = run("register", "volumes", at("head", "t1.nii.gz"), at("head", "t2.nii.gz"), "--model=rigid",
                  "-o", at("volumes.json"))
    for p in places.values():
        assert distance(apply(volumes["matrix"], p), p) < SPACING, volumes["matrix"]
    assert volumes["mirrored"] == "no" and volumes["metric_after"] >= volumes["metric_before"] - 1e-3


def check_plane():
    """The plane, O1 and O2, the prism and the cylinder, counted again voxel by voxel."""
    places, _ = read_points(at("head", "landmarks.csv"))
    fit = {n: p for n, p in places.items() if n.startswith("L")}
    states = {n: "fit" for n in fit}
    points = write_points(at("resection.csv"), fit, states)
    brain = at("head", "brain.nii.gz")
    plane = run("landmarks", "plane", points, "--volume=" + brain, "--depth=25")
    n, c = plane["normal"], plane["centroid_mm"]
    assert abs(dot(n, n) - 1) < 1e-12
    middle = [sum(p[a] for p in fit.values()) / len(fit) for a in range(3)]
    assert distance(c, middle) < 1e-9
    assert dot(n, along([0, 0, 26], -1, c)) > 0, "the normal points inwards"
    rms = math.sqrt(sum(dot(along(p, -1, c), n) ** 2 for p in fit.values()) / len(fit))
    assert abs(rms - plane["rms_mm"]) < 1e-9
    for turned in (rotation((1, 0, 0), 0.2), rotation((0, 1, 0), -0.2), rotation((0, 0, 1), 0.2)):
        m = [dot(row, n) for row in turned]  # no plane near it is better
        assert math.sqrt(sum(dot(along(p, -1, c), m) ** 2 for p in fit.values()) / len(fit)) >= rms - 1e-12
    assert distance(plane["origin_bottom_mm"], along(plane["origin_top_mm"], 25, n)) < 1e-9

    three = run("landmarks", "plane", points, "--three=L4,L2,L8", "--volume=" + brain)
    for name in ("L4", "L2", "L8"):
        assert abs(dot(along(fit[name], -1, three["centroid_mm"]), three["normal"])) < 1e-9
    assert "line" in run("landmarks", "plane", points, "--three=L4,L4,L8", status=1) or True

    surface = run("landmarks", "plane", points, "--volume=" + brain, "--depth=25", "--surface=0.5",
                  "--shape=cylinder", "--write=mask", "-o", at("cylinder.nii.gz"))
    top = surface["origin_top_mm"]
    assert abs(abs(dot(along(top, -1, c), n)) - distance(top, c)) < 1e-6, "O1 lies on the normal's line"
    radius = max(math.sqrt(max(dot(d, d) - dot(d, n) ** 2, 0))
                 for d in (along(p, -1, top) for p in fit.values()))
    assert abs(surface["radius_mm"] - radius) < 1e-6
    volume_ml = math.pi * radius ** 2 * 25 / 1000
    assert abs(surface["volume_ml"] / volume_ml - 1) < 0.02, (surface["volume_ml"], volume_ml)
    prism = run("landmarks", "plane", points, "--volume=" + at("head", "t1ce.nii.gz"), "--depth=25", "--margin=3",
                "-o", at("crop.nii.gz"))
    assert run("info", at("crop.nii.gz"))["dims"] == prism["dims"]
    assert prism["dims"][0] < SIZE


def check_refined_point():
    """t2 lies on t1: points that were put beside their places are put back by what is around them."""
    places, states = read_points(at("head", "landmarks.csv"))
    off = {n: along(p, 2.0, [0.6, -0.5, 0.62]) for n, p in places.items() if n.startswith("L")}
    write_points(at("beside.csv"), off, {n: "fit" for n in off})
    refined = run("landmarks", "refine", at("head", "landmarks.csv"), at("back.csv"), "--name=L1,L3,L5",
                  "--fixed=" + at("head", "t1.nii.gz"), "--moving=" + at("head", "t2.nii.gz"),
                  "--partners=" + at("beside.csv"))
    rows = {row["name"]: row for row in refined["points"]}
    for name in ("L1", "L3", "L5"):
        assert rows[name]["refined"], rows[name]
        assert distance(rows[name]["position_mm"], places[name]) < 0.5, (rows[name], places[name])
        assert rows[name]["metric_after"] > rows[name]["metric_before"]
    assert not rows["L2"]["refined"] and distance(rows["L2"]["position_mm"], off["L2"]) < 1e-9


def check_contours():
    """The cortex cut by the plane: every point lies on it and has the volume's value."""
    mesh = run("mesh", at("head", "brain.nii.gz"), at("cortex.ply"), "--label=1", "--smooth=20", "--largest")
    assert mesh["n_triangles"] > 10000
    plane = run("landmarks", "plane", at("resection.csv"), "--volume=" + at("head", "t1ce.nii.gz"),
                "--write=contours", "--cut=" + at("cortex.ply"), "-o", at("contours.json"))
    # O1 on the surface: on the normal's line through the middle, and near the points, which lie on the cortex.
    onto = run("landmarks", "plane", at("resection.csv"), "--volume=" + at("head", "t1ce.nii.gz"),
               "--onto=" + at("cortex.ply"), "--depth=25")
    off = along(onto["origin_top_mm"], -1, onto["centroid_mm"])
    assert abs(abs(dot(off, onto["normal"])) - distance(off, [0, 0, 0])) < 1e-6 and distance(off, [0, 0, 0]) < 20
    lines = load(at("contours.json"))["contours"]
    assert len(lines) == plane["n_contours"] > 0
    values = []
    for line in lines:
        assert len(line["values"]) == len(line["points_mm"]) >= 2
        for p, value in zip(line["points_mm"], line["values"]):
            assert abs(dot(along(p, -1, plane["origin_top_mm"]), plane["normal"])) < 1e-3
            values.append(value)
    assert max(values) > min(values)


def check_stack():
    """Slices along the normal, intensity and label on the same planes, in HDF5."""
    plane = run("landmarks", "plane", at("resection.csv"), "--volume=" + at("head", "brain.nii.gz"), "--depth=20")

    def vector(v):
        return ",".join(repr(x) for x in v)
    stack = run("slice", at("head", "t1ce.nii.gz"), at("stack.h5"), "--origin=" + vector(plane["origin_top_mm"]),
                "--normal=" + vector(plane["normal"]), "--size=64x48", "--spacing=1", "--depth=20", "--count=21",
                "--label=" + at("head", "labels.nii.gz"))
    u, v, n = stack["u"], stack["v"], stack["normal"]
    for a, b, wanted in ((u, u, 1), (v, v, 1), (n, n, 1), (u, v, 0), (u, n, 0), (v, n, 0)):
        assert abs(dot(a, b) - wanted) < 1e-12
    assert distance(n, plane["normal"]) < 1e-12 and stack["dims"] == [64, 48, 21]
    assert abs(stack["spacing_mm"][2] - 1.0) < 1e-12
    try:
        import h5py
    except ImportError:
        return
    for name in ("stack.h5", "stack-label.h5"):
        with h5py.File(at(name)) as h5:
            slices = h5["/slices"]
            assert slices.shape == (21, 48, 64) and slices.dtype == "float32"
            for key in ("origin_mm", "normal", "u", "v", "spacing_mm", "source", "source_sha256", "modality", "unit"):
                assert key in slices.attrs, key
            assert distance(slices.attrs["origin_mm"], stack["origin_mm"]) < 1e-9
            assert slices[...].max() > slices[...].min() or name != "stack.h5"


def check_camera():
    """PnP, then refined by what the photograph shows of the cortex; targets that only check."""
    head = [at("head", name) for name in ("landmarks.csv", "landmarks-optical.csv", "camera.json")]
    true = load(head[2])
    places, states = read_points(head[0])
    args = ["register", "camera", "--points3d=" + head[0], "--points2d=" + head[1], "--camera=" + head[2],
            "--inside=0,0,26"]
    placed = run(*args, "-o", at("placed.json"))
    before = target_error(load(at("placed.json")), true, places, states)
    refined = run(*args, "--photograph=" + at("head", "optical.png"), "--surface=" + at("cortex.ply"),
                  "--volume=" + at("head", "t1ce.nii.gz"), "-o", at("refined.json"))
    after = target_error(load(at("refined.json")), true, places, states)
    print(f"# check targets: {before:.3f} mm by landmarks, {after:.3f} mm refined")
    assert before < 1.5 and after < 1.5 and after < before + 0.2
    assert refined["refined"]["taken"] is True
    assert refined["before"]["R"] == placed["R"]
    assert refined["refined"]["metric_after"] > refined["refined"]["metric_before"]
    rows = {row["name"]: row for row in refined["residuals"]}
    told = [rows[name]["error_mm"] for name in states if states[name] == "check"]
    assert abs(sum(told) / len(told) - after) < 0.05, "exact check points: the same errors"
    run("render", at("head", "t1ce.nii.gz"), at("eye.png"), "--camera=" + at("refined.json"))
    assert run("info", at("eye.png"))["dims"][:2] == [640, 480]


def check_project():
    """What lies in the patient, where the photograph shows it: worked out again from the file."""
    camera = load(at("refined.json"))
    run("mesh", at("head", "labels.nii.gz"), at("tumour.ply"), "--label=all", "--smooth=20")
    shown = run("register", "project", "--camera=" + at("refined.json"), "--points3d=" + at("head", "landmarks.csv"),
                "--points2d=" + at("head", "landmarks-optical.csv"), "--surface=" + at("cortex.ply"),
                "--contours=" + at("contours.json"), "--outline=" + at("tumour.ply"),
                "--photograph=" + at("head", "optical.png"), "--straight=" + at("straight.png"), "-o", at("over.png"))
    places, _ = read_points(at("head", "landmarks.csv"))
    for row in shown["points"]:
        uv, mm = project(camera, places[row["name"]])
        assert distance(uv, row["projected"]) < 1e-6 and abs(mm - row["mm_per_px"]) < 1e-9
        assert abs(row["error_mm"] - row["error"] * mm) < 1e-9
        assert row["hidden"] == (row["name"] == "D1"), row
    assert shown["n_outline_points"] > 20 and shown["n_contour_points"] > 20
    for name in ("over.png", "straight.png"):
        assert run("info", at(name))["dims"][:2] == [640, 480]
    run("register", "project", status=2)
    run("register", "project", "--camera=" + at("refined.json"), "--photograph=" + at("head", "thermal.png"), "-o",
        at("over.png"), status=1)


def check_lists():
    """States, templates and Slicer's files: written, read again, LPS and RAS."""
    places, _ = read_points(at("head", "landmarks.csv"))
    with open(at("template.csv"), "w", encoding="utf-8") as out:
        out.write("name,x,y,z\nL2,,,\nL1,,,\nnasion,,,\n")
    told = run("landmarks", "convert", at("head", "landmarks.csv"), at("chosen.csv"), "--order=" + at("template.csv"))
    assert (told["n_points"], told["n_to_place"]) == (3, 1)
    names = [p["name"] for p in run("info", at("chosen.csv"))["points"]]
    assert names == ["L2", "L1", "nasion"], names
    for suffix in ("fcsv", "mrk.json", "csv"):
        out = at("list." + suffix)
        told = run("landmarks", "convert", at("head", "landmarks.csv"), out, "--check=L3,L4", "--skip=L5")
        assert told["n_check"] == 7 + 2 and told["n_skip"] == 1 and told["n_fit"] == 5, told
        back = run("landmarks", "convert", out, at("back.csv"))
        assert back["n_check"] == 9 and back["n_skip"] == 1
        again, states = read_points(at("back.csv"))
        assert states["L3"] == "check" and states["L5"] == "skip"
        for name, p in places.items():
            assert distance(again[name], p) < 1e-3, name
    run("landmarks", "convert", at("head", "landmarks.csv"), at("ras.csv"), "--space=ras")
    ras, _ = read_points(at("ras.csv"))  # read as RAS, written as RAS
    assert distance(ras["L1"], places["L1"]) < 1e-9
    run("landmarks", "convert", at("moved.csv"), at("there.csv"), "--transform=" + at("points.json"))
    there, _ = read_points(at("there.csv"))
    for name, p in places.items():
        assert distance(there[name], p) < 0.01
    assert "L99" in run("landmarks", "convert", at("head", "landmarks.csv"), at("x.csv"), "--check=L99", status=1)


def check_mirrored():
    """Photographs with left and right swapped are refused, and fitted when that is said."""
    run("phantom", at("swapped"), "--kind=head", "--size=32", "--seed=3", "--mirrored=both")
    head = [at("swapped", name) for name in ("landmarks.csv", "landmarks-optical.csv", "camera.json")]
    args = ["register", "camera", "--points3d=" + head[0], "--points2d=" + head[1], "--camera=" + head[2],
            "--inside=0,0,26"]
    assert "mirror" in run(*args, status=1)
    found = run(*args, "--mirrored")
    assert found["mirrored"] is True and found["reprojection_rms_px"] < 5


def check_pictures():
    """Thermal onto optical by points and by what they show."""
    optical, thermal = at("head", "optical.png"), at("head", "thermal.png")
    points = run("register", "points", "--fixed=" + at("head", "landmarks-optical.csv"),
                 "--moving=" + at("head", "landmarks-thermal.csv"), "--model=affine", "-o", at("thermal.json"))
    assert len(points["matrix"]) == 9 and points["rms_check"] < 8
    shown = run("register", "pictures", optical, thermal, "--moved=" + at("moved.png"))
    assert shown["mirrored"] == "no"
    a, b = shown["matrix"], points["matrix"]
    for u, v in ((80, 60), (240, 60), (160, 120), (80, 180), (240, 180)):
        p, q = ([m[3 * r] * u + m[3 * r + 1] * v + m[3 * r + 2] for r in range(2)] for m in (a, b))
        assert distance(p, q) < 15, (u, v, p, q)
    assert run("info", at("moved.png"))["dims"][:2] == [640, 480]
    message = run("register", "pictures", optical, at("swapped", "thermal.png"), status=1)
    assert "swapped" in message, message
    started = run("register", "pictures", optical, thermal, "--from=" + at("thermal.json"))
    assert started["metric_after"] >= started["metric_before"]


def main():
    checks = [check_phantom, check_volumes, check_refined_point, check_plane, check_contours, check_stack, check_camera,
              check_project, check_lists, check_mirrored, check_pictures]
    print(f"1..{len(checks)}")
    for number, check in enumerate(checks, 1):
        name = check.__name__[6:]
        try:
            check()
            print(f"ok {number} /sequence/{name}")
        except Exception as error:  # pylint: disable=broad-except
            print(f"not ok {number} /sequence/{name}")
            print(f"# {type(error).__name__}: {error}")


main()
