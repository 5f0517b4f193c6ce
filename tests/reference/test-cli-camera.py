#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bregma-cli calibrate and register camera against OpenCV, in TAP. Skips without OpenCV's Python."""
import glob
import json
import math
import os
import struct
import subprocess
import sys
import tempfile

CLI = sys.argv[1]
FOLDER = tempfile.mkdtemp(prefix="bregma-camera-")
SHARED = os.environ.get("BREGMA_TEST_SHARED", "")


class Skip(Exception):
    pass


def run(*args, status=0):
    done = subprocess.run([CLI, *args, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == status, f"{args}: {done.returncode}: {done.stderr}"
    return json.loads(done.stdout) if status == 0 else done.stderr


def path(name):
    return os.path.join(FOLDER, name)


def write_points(name, header, rows):
    with open(path(name), "w", encoding="utf-8") as out:
        out.write(header + "\n")
        for i, row in enumerate(rows):
            out.write(f"p{i}," + ",".join(f"{value:.12g}" for value in row) + "\n")
    return path(name)


def check_chessboards():
    """The photographs of two cameras: rms within 0.02 px of OpenCV's, K within 0.5 %."""
    folder = os.path.join(SHARED, "calibration")
    if not os.path.exists(os.path.join(folder, "expected.json")):
        raise Skip("no photographs")
    with open(os.path.join(folder, "expected.json"), encoding="utf-8") as source:
        series = json.load(source)["_series"]
    for name, expected in series.items():
        pictures = []
        for photo in sorted(glob.glob(os.path.join(folder, name + "[0-9][0-9].jpg"))):
            pictures.append(path(os.path.basename(photo)[:-4] + ".png"))
            cv2.imwrite(pictures[-1], cv2.imread(photo))
        columns, rows = expected["board_inner_corners"]
        out = path(os.path.basename(name) + ".json")
        result = run("calibrate", *pictures, f"--board={columns}x{rows}", "--square=1", "-o", out)
        assert result["n_found"] == len(expected["found_in"]) == 14, result["n_found"]
        assert abs(result["rms_px"] - expected["rms_px"]) < 0.02, result["rms_px"]
        for i in range(9):
            there = expected["K"][i // 3][i % 3]
            assert abs(result["K"][i] - there) <= 0.005 * abs(there), (i, result["K"][i], there)
        first_last = result["views"][0]["first_last"]
        theirs = np.array(expected["first_view_corners_first_last"])
        ours = np.array(first_last).reshape(2, 2)
        assert min(np.abs(ours - theirs).max(), np.abs(ours - theirs[::-1]).max()) < 0.15, ours
        with open(out, encoding="utf-8") as source:
            camera = json.load(source)
        assert camera["K"] == result["K"] and camera["size"] == expected["image_size"]
        assert camera["provenance"]["inputs"][0]["path"] == pictures[0]
    message = run("calibrate", *pictures[:3], "--board=6x5", "--square=1", status=1)
    assert "none of the 3" in message and "7 x 7" in message and "inner corners" in message, message


def check_points_of_two_spaces():
    patient = write_points("patient.csv", "name,x,y,z", [(1, 2, 3), (4, 5, 7), (7, 8, 1), (1, 8, 2)])
    picture = write_points("picture.csv", "name,u,v", [(1, 2), (4, 5), (7, 8), (1, 3)])
    message = run("register", "points", "--fixed=" + patient, "--moving=" + picture, status=1)
    assert patient in message and picture in message and "pixels" in message, message


def make_scene(seed):
    random = np.random.default_rng(seed)
    rvec, tvec = random.normal(size=3), np.array([10.0, -8.0, 420.0])
    k = np.array([[1900.0, 0, 655.0], [0, 1880.0, 470.0], [0, 0, 1]])
    d = np.array([-0.2, 0.1, 0.001, -0.002, 0.03])
    points = random.uniform(-40.0, 40.0, size=(14, 3))
    pixels = cv2.projectPoints(points, rvec, tvec, k, d)[0].reshape(-1, 2)
    return points, pixels, k, d, cv2.Rodrigues(rvec)[0], tvec


def write_scene(scene):
    points, pixels, k, d = scene[:4]
    with open(path("K.json"), "w", encoding="utf-8") as out:
        json.dump({"schema": 1, "K": k.ravel().tolist(), "distortion": d.tolist(),
                   "size": [1280, 960]}, out)
    return ["--points3d=" + write_points("a.csv", "name,x,y,z", points),
            "--points2d=" + write_points("b.csv", "name,u,v", pixels)]


def check_pose():
    """R, t and P of OpenCV's projectPoints, to the last digits; check points; RAS; outliers."""
    scene = make_scene(1)
    points, pixels, k, d, r, t = scene
    args = write_scene(scene) + ["--camera=" + path("K.json")]
    result = run("register", "camera", *args, "--check=p3,p5", "--skip=p6", "-o", path("cam.json"))
    assert np.abs(np.array(result["R"]).reshape(3, 3) - r).max() < 1e-6
    assert np.abs(np.array(result["t"]) - t).max() < 1e-4
    p = k @ np.hstack([r, t.reshape(3, 1)])
    assert np.abs(np.array(result["P"]).reshape(3, 4) - p).max() < 1e-3 * np.abs(p).max()
    assert result["reprojection_rms_px"] < 1e-4 and result["n_used"] == 11
    states = {row["name"]: (row["state"], row["used"]) for row in result["residuals"]}
    assert len(states) == 13 and states["p3"] == ("check", False) and states["p4"] == ("fit", True)
    with open(path("cam.json"), encoding="utf-8") as source:
        camera = json.load(source)
    assert camera["R"] == result["R"] and camera["distortion"] == d.tolist()

    ras = run("register", "camera", *args, "--space=ras")
    right = np.array(ras["R"]).reshape(3, 3)
    seen = cv2.projectPoints(points, cv2.Rodrigues(right)[0], np.array(ras["t"]), k, d)[0]
    assert np.abs(seen.reshape(-1, 2) - pixels).max() < 1e-3, "RAS points through a RAS pose"
    assert np.linalg.det(right) > 0

    pixels[2] += 80.0
    write_scene(scene)
    result = run("register", "camera", *args)
    assert [row["name"] for row in result["residuals"] if not row["used"]] == ["p2"]
    assert any("p2" in text for text in result["warnings"])


def check_focal():
    scene = make_scene(2)
    scene[3][:] = 0.0
    points, _, k, d, r, t = scene
    k[:] = np.array([[1500.0, 0, 639.5], [0, 1500.0, 479.5], [0, 0, 1]])
    pixels = cv2.projectPoints(points, cv2.Rodrigues(r)[0], t, k, d)[0].reshape(-1, 2)
    args = write_scene((points, pixels, k, d))
    result = run("register", "camera", *args, "--size=1280x960", "--estimate=focal")
    assert abs(result["K"][0] - 1500.0) < 0.01, result["K"]
    result = run("register", "camera", *args, "--size=1280x960", "--focal=30", "--sensor=25.6x19.2")
    assert abs(result["K"][0] - 1500.0) < 1e-9 and result["reprojection_rms_px"] < 1e-3


def write_photo(name, tags):
    """A JPEG whose EXIF directory has those (tag, type, value): 3 a short, 5 a rational."""
    jpeg = cv2.imencode(".jpg", np.zeros((960, 1280, 3), np.uint8))[1].tobytes()
    at, entries, far = 8 + 2 + 12 + 4, b"", b""
    end = at + 2 + 12 * len(tags) + 4
    for tag, kind, value in tags:
        if kind == 3:
            entries += struct.pack("<HHIHH", tag, 3, 1, value, 0)
        else:
            entries += struct.pack("<HHII", tag, 5, 1, end + len(far))
            far += struct.pack("<II", round(value * 1000), 1000)
    tiff = b"II*\0" + struct.pack("<I", 8) + struct.pack("<HHHIII", 1, 0x8769, 4, 1, at, 0)
    tiff += struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0) + far
    exif = b"Exif\0\0" + tiff
    with open(path(name), "wb") as out:
        out.write(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    return "--photograph=" + path(name)


def check_exif():
    """Focal length and sensor out of the photograph: a camera to begin with, and a warning."""
    scene = make_scene(5)
    points, _, k, d, r, t = scene
    d[:] = 0.0
    k[:] = np.array([[1600.0, 0, 639.5], [0, 1600.0, 479.5], [0, 0, 1]])
    pixels = cv2.projectPoints(points, cv2.Rodrigues(r)[0], t, k, d)[0].reshape(-1, 2)
    args = write_scene((points, pixels, k, d))
    film = 1600.0 * math.hypot(36, 24) / 1600.0  # the picture's diagonal has 1600 px
    found = run("register", "camera", *args, write_photo("film.jpg", [(0xA405, 3, round(film))]))
    assert abs(found["K"][0] - 1600.0 * round(film) / film) < 1e-6, found["K"]
    assert any("EXIF" in text for text in found["warnings"])
    photo = write_photo("focal.jpg", [(0x920A, 5, 40.0)])
    assert "sensor" in run("register", "camera", *args, photo, status=2)
    found = run("register", "camera", *args, photo, "--sensor=32x24")
    assert abs(found["K"][0] - 1600.0) < 1e-6 and found["reprojection_rms_px"] < 1e-3
    found = run("register", "camera", *args, photo, "--estimate=focal")
    assert abs(found["K"][0] - 1600.0) < 0.01, found["K"]


def check_mirrored():
    scene = make_scene(3)
    scene[1][:, 0] = 1279.0 - scene[1][:, 0]
    args = write_scene(scene) + ["--camera=" + path("K.json")]
    message = run("register", "camera", *args, status=1)
    assert "mirrored" in message, message
    result = run("register", "camera", *args, "--mirrored")
    # The camera's own middle is turned round with its picture; the true one was of the unmirrored.
    assert result["mirrored"] is True and result["n_used"] >= 10


def check_refuses():
    scene = make_scene(4)
    scene[0][:, 1:] = 0.0
    args = write_scene(scene) + ["--camera=" + path("K.json")]
    assert "line" in run("register", "camera", *args, status=1)
    assert "--points3d" in run("register", "camera", status=2)
    assert "zoom" in run("register", "camera", *args, "--estimate=zoom", status=2)


def main():
    checks = [check_chessboards, check_pose, check_focal, check_exif, check_mirrored, check_refuses,
              check_points_of_two_spaces]
    print(f"1..{len(checks)}")
    for n, check in enumerate(checks, 1):
        name = check.__name__[6:]
        try:
            check()
            print(f"ok {n} /camera/{name}")
        except Skip as reason:
            print(f"ok {n} /camera/{name} # SKIP {reason}")
        except Exception as error:  # pylint: disable=broad-except
            print(f"not ok {n} /camera/{name}")
            print(f"# {type(error).__name__}: {error}")


try:
    import cv2
    import numpy as np
except ImportError:
    print("1..0 # SKIP OpenCV's Python is not installed")
    sys.exit(0)
main()
