#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bregma-cli evaluate, fuse and the filters of pre-processing, from outside: keys, exit status, and numbers
that are known without them. Usage: test-cli-measures.py BREGMA_CLI"""
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import zlib

CLI = sys.argv[1]
os.environ["BREGMA_MODEL_DIR"] = "/nowhere"


def run(*args, status=0):
    done = subprocess.run([CLI, *map(str, args)], capture_output=True, text=True, check=False)
    assert done.returncode == status, f"{args}: status {done.returncode}, not {status}: {done.stderr}"
    if status:
        assert done.stderr.startswith("bregma-cli: ") and done.stderr.count(": ") >= 2, done.stderr
        assert done.stdout == "", done.stdout
    return done.stdout


def run_json(*args):
    result = json.loads(run("--json", *args))
    assert result["schema"] == 1
    return result


def need(result, keys):
    missing = [key for key in keys.split() if key not in result]
    assert not missing, f"missing: {missing}"


def close(a, b, tolerance):
    assert abs(a - b) <= tolerance, f"{a} is not {b}"


def write_png(path, rows):
    """Rows of tuples (grey: 1, RGB: 3, RGBA: 4 values of 0..255)."""
    n = len(rows[0][0])
    raw = b"".join(b"\0" + bytes(v for pixel in row for v in pixel) for row in rows)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, {1: 0, 3: 2, 4: 6}[n], 0, 0, 0)
    with open(path, "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


class Case:
    def __init__(self, folder):
        self.folder = folder
        wave = lambda u, v, k: int(127 + 60 * math.sin(u * k / 9) + 60 * math.cos(v / (5 + k)))
        size = range(170)
        self.a, self.b, self.colour, self.half = (self.at(n) for n in ("a.png", "b.png", "c.png", "half.png"))
        write_png(self.a, [[(wave(u, v, 1),) for u in size] for v in size])
        write_png(self.b, [[(wave(u, v, 3),) for u in size] for v in size])
        write_png(self.colour, [[(wave(u, v, 2), 200, v, 255 if u < 50 else 0) for u in size] for v in size])
        write_png(self.half, [[(255 if u < 85 else 0,) for u in size] for v in size])

    def at(self, name):
        return os.path.join(self.folder, name)


def test_evaluate_images(case):
    r = run_json("evaluate", "images", case.a, case.b)
    need(r, "rmse relative ssim ms_ssim psnr emd mae")
    close(r["psnr"], -20 * math.log10(r["rmse"]), 1e-9)
    assert -1 < r["ssim"] < 1 and 0 < r["emd"] < 1
    same = run_json("evaluate", "images", case.a, case.a)
    assert same["rmse"] == 0 and same["psnr"] is None and same["emd"] == 0
    close(same["ssim"], 1, 1e-6)
    close(same["ms_ssim"], 1, 1e-6)
    half = run_json("evaluate", "images", case.a, case.b, f"--mask={case.half}")
    assert half["n_pixels"] == 85 * 170 and half["ms_ssim"] is None
    alpha = run_json("evaluate", "images", case.colour, case.colour)
    assert alpha["foreground"]["n_pixels"] == 50 * 170
    run("evaluate", "images", case.a, case.colour, status=1)
    run("evaluate", "images", case.a, case.at("none.png"), status=1)
    run("evaluate", "sounds", case.a, case.b, status=2)


def test_evaluate_fusion(case):
    r = run_json("evaluate", "fusion", case.a, case.a, case.b)
    need(r, "q_g q_ie fmi piella piella_weighted piella_edge q_ssim viff scd entropy")
    assert r["scd"] is None and 0.2 < r["q_g"] <= 1
    run("evaluate", "fusion", case.a, case.b, status=2)


def write_labels(path, dims, spacing, voxels):
    """A .mha of uint8; voxels: (i, j, k) -> label."""
    data = bytearray(dims[0] * dims[1] * dims[2])
    for (i, j, k), label in voxels.items():
        data[i + dims[0] * (j + dims[1] * k)] = label
    text = lambda v: " ".join(str(x) for x in v)
    with open(path, "wb") as out:
        out.write(f"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
                  f"CompressedData = False\nTransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 0 0 0\n"
                  f"ElementSpacing = {text(spacing)}\nDimSize = {text(dims)}\nElementType = MET_UCHAR\n"
                  f"ElementDataFile = LOCAL\n".encode() + bytes(data))


def test_evaluate_labels(case):
    box = lambda low, high: [(i, j, k) for i in range(low, high) for j in range(4, 8) for k in range(4, 8)]
    pred, truth, other = case.at("pred.mha"), case.at("truth.mha"), case.at("other.mha")
    write_labels(pred, (20, 12, 12), (1, 2, 3), {v: 4 if v[0] < 8 else 2 for v in box(4, 12)})
    write_labels(truth, (20, 12, 12), (1, 2, 3), {v: 2 for v in box(6, 14)})
    write_labels(other, (20, 12, 12), (1, 2, 2), {v: 3 for v in box(6, 14)})
    r = run_json("evaluate", "labels", pred, truth)
    assert list(r["regions"]) == ["WT", "TC", "ET"] and r["regions_of"] == "brats"
    wt = r["regions"]["WT"]
    need(wt, "dice jaccard sensitivity specificity precision hausdorff_mm hd95_mm mean_surface_mm "
             "volume_pred_ml volume_true_ml")
    close(wt["dice"], 0.75, 1e-12)
    close(wt["jaccard"], 0.6, 1e-12)
    close(wt["hausdorff_mm"], 2, 1e-9)
    close(wt["volume_pred_ml"], 8 * 4 * 4 * 6 / 1000, 1e-9)
    et = r["regions"]["ET"]
    assert et["dice"] == 0 and et["hd95_mm"] is None and et["hd95_brats_mm"] == 373.13
    assert et["sensitivity"] is None
    r = run_json("evaluate", "labels", pred, truth, "--regions=labels", "--surface=surfels")
    assert sorted(r["regions"]) == ["2", "4"] and r["surface"] == "surfels"
    run("evaluate", "labels", pred, other, status=1)
    run("evaluate", "labels", pred, truth, "--regions=all", status=2)


def test_cohort(case):
    ball = lambda r: {(i, j, k): 4 if (i - 6) ** 2 < 4 else 2 for i in range(14) for j in range(14) for k in range(14)
                      if (i - 6) ** 2 + (j - 6) ** 2 + (k - 6) ** 2 < r}
    for n, r in enumerate((9, 16, 20, 30)):
        write_labels(case.at(f"c{n}.mha"), (14, 14, 14), (1, 1, 1), ball(r))
    with open(case.at("list.csv"), "w", encoding="utf-8") as out:
        out.write("".join(f"c{n}.mha,c3.mha,case {n}\n" for n in range(4)))
    r = run_json("evaluate", "cohort", case.at("list.csv"), f"--plot={case.at('box.svg')}", f"--csv={case.at('all.csv')}")
    each = [run_json("evaluate", "labels", case.at(f"c{n}.mha"), case.at("c3.mha"), "--regions=brats") for n in range(4)]
    dice = sorted(one["regions"]["WT"]["dice"] for one in each)
    wt = r["summary"]["WT"]["dice"]
    close(wt["mean"], sum(dice) / 4, 1e-12)
    close(wt["median"], (dice[1] + dice[2]) / 2, 1e-12)
    close(wt["q1"], dice[0] + 0.75 * (dice[1] - dice[0]), 1e-12)
    assert wt["max"] == 1 and [one["name"] for one in r["cases"]] == [f"case {n}" for n in range(4)]
    with open(case.at("all.csv"), encoding="utf-8") as table:
        assert len(table.read().splitlines()) == 1 + 4 * 3
    with open(case.at("box.svg"), encoding="utf-8") as plot:
        assert plot.read().count("<rect") == 1 + 3
    run_json("evaluate", "labels", case.at("c0.mha"), case.at("c3.mha"), "--regions=brats", f"--plot={case.at('slices.svg')}")
    with open(case.at("slices.svg"), encoding="utf-8") as plot:
        assert plot.read().count("<path") == 3
    done = run_json("evaluate", "labels", case.at("c0.mha"), case.at("c3.mha"), f"--report={case.at('page.html')}")
    with open(case.at("page.html"), encoding="utf-8") as file:
        page = file.read()
    assert page.count("<svg") == 2 and page.count("<script") == 0
    for name, region in done["regions"].items():
        assert f"<tr><td>{name}</td><td>{region['dice']:.4f}</td><td>{region['jaccard']:.4f}</td>" in page, name
    run("evaluate", "cohort", case.at("none.csv"), status=1)
    with open(case.at("bad.csv"), "w", encoding="utf-8") as out:
        out.write("c0.mha\n")
    run("evaluate", "cohort", case.at("bad.csv"), status=1)


def test_shape_and_clean(case):
    seg, out = case.at("seg.mha"), case.at("clean.nii.gz")
    voxels = {(i, j, k): 1 for i in range(4, 14) for j in range(4, 7) for k in range(5, 6)}
    write_labels(seg, (20, 12, 12), (1, 2, 3), {**voxels, (18, 10, 10): 1})
    r = run_json("filter", "clean", seg, out, "--largest=1")
    assert r["n_removed"] == 1 and r["value_sum"] == 30
    r = run_json("evaluate", "shape", out, "--regions=labels")["regions"]["1"]
    close(r["diameter_mm"], math.hypot(9, 6), 1e-6)
    assert r["rano_slice"] == 5 and r["n_voxels"] == 30
    run("evaluate", "shape", seg, seg, status=2)


def test_filters(case):
    ball = {(i, j, k): 40 + (i * 7 + j * 3 + k) % 9 + 4 * i for i in range(24) for j in range(24) for k in range(24)
            if (i - 12) ** 2 + (j - 12) ** 2 + (k - 12) ** 2 < 90}
    picture, mask, out = case.at("ball.mha"), case.at("balls.mha"), case.at("out.nii.gz")
    write_labels(picture, (24, 24, 24), (1, 1, 1), ball)
    write_labels(mask, (24, 24, 24), (1, 1, 1), {v: 3 for v in ball})
    r = run_json("filter", "n4", picture, out, "--shrink=1", f"--field={case.at('field.nii.gz')}", "--iterations=20,10")
    assert len(r["iterations"]) == 2 and r["mask"] == "otsu" and os.path.exists(case.at("field.nii.gz"))
    run("filter", "n4", picture, out, status=1)
    run("filter", "n4", picture, out, "--iterations=a", "--force", status=2)
    r = run_json("filter", "normalize", picture, out, "--method=minmax", "--force")
    close(r["value_max"], 1, 1e-6)
    r = run_json("filter", "normalize", picture, out, "--method=zscore", f"--mask={mask}", "--force")
    close(r["value_sum"], 0, 0.05)
    run("filter", "normalize", picture, out, "--force", status=2)
    r = run_json("filter", "nlm", picture, out, "--noise=3", "--force")
    assert r["noise"] == 3
    r = run_json("filter", "pad", picture, out, "--multiple=16", "--force")
    assert r["dims"] == [32, 32, 32] and r["value_sum"] == sum(ball.values())
    run("filter", "pad", picture, out, "--size=10,10,10", "--force", status=1)
    r = run_json("filter", "mask", picture, out, f"--mask={mask}", "--keep=4", "--fill=7", "--force")
    assert r["value_min"] == r["value_max"] == 7
    r = run_json("filter", "morphology", mask, out, "--operation=dilate", "--radius=1", "--value=3", "--force")
    grown = {(i + a, j + b, k + c) for i, j, k in ball for a, b, c in
             ((0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))}
    assert r["value_sum"] == len(grown), (r["value_sum"], len(grown))
    run("filter", "morphology", mask, out, "--operation=melt", "--force", status=2)
    r = run_json("filter", "brain-mask", picture, out, "--radius=2", "--force")
    assert 0.8 * len(ball) < r["value_sum"] < 1.2 * len(ball)
    r = run_json("filter", "distance", mask, out, "--signed", "--force")
    assert r["value_min"] < -8 and r["value_max"] > 8


def test_fuse(case):
    out = case.at("fused.png")
    r = run_json("fuse", case.a, case.b, "-o", out, "--method=average")
    need(r, "method layers ssim ms_ssim mse q_g q_ie fmi piella viff seconds weights_sha256")
    assert r["method"] == "average" and r["layers"] is None and len(r["ssim"]) == 2 and r["weights_sha256"] is None
    d = run_json("evaluate", "images", case.a, case.b)["rmse"]
    close(r["mse"][0], d * d / 4, 1e-6)
    again = run_json("again", out, "-o", case.at("again.png"))
    assert again["equal"] is True
    run("fuse", case.a, case.b, "-o", out, "--method=average", status=1)
    run("fuse", case.a, case.b, "-o", out, "--method=magic", "--force", status=2)
    for method in ("vgg19-ssim", "vgg19-max", "two-scale"):
        r = run_json("fuse", case.a, case.b, "-o", out, f"--method={method}", "--force")
        assert r["network"] == "vgg-small" and "VGG-19 has not been imported" in " ".join(r["warnings"]), r
        told = run_json("provenance", out)["inputs"]
        assert r["weights_sha256"] in [one["sha256"] for one in told], told
        named = run_json("fuse", case.a, case.b, "-o", out, f"--method={method}", "--weights=vgg-small", "--force")
        assert named["ssim"] == r["ssim"] and not named.get("warnings"), named
    run("fuse", case.a, case.b, "-o", out, "--method=vgg19-ssim", "--normalise=caffe", "--force", status=1)
    run("fuse", case.a, case.b, "-o", out, "--method=vgg19-ssim", "--weights=vgg19", "--force", status=1)
    run("fuse", case.a, case.b, "-o", out, "--method=learned", "--weights=vgg-small", "--force", status=1)
    run("fuse", case.a, case.b, "-o", out, "--method=vgg19-ssim", f"--weights={case.a}", "--force", status=1)
    run("fuse", case.a, "-o", out, "--method=average", "--force", status=2)
    run("fuse", case.a, case.b, "--method=average", status=2)
    r = run_json("fuse", case.a, case.colour, case.b, "-o", out, "--method=average", "--colour=hsv", "--force")
    assert len(r["mse"]) == 3 and r["scd"] is None
    vgg = os.path.join(os.environ.get("BREGMA_TEST_SHARED", "/nowhere"), "weights", "vgg19_notop_8bit_gz.h5")
    if os.path.exists(vgg):
        r = run_json("fuse", case.a, case.b, "-o", out, "--method=vgg19-ssim", f"--weights={vgg}", "--layers=2,3", "--force")
        assert r["layers"] == [2, 3] and len(r["weights_sha256"]) == 64 and r["network"] == "vgg19"
    first, second, volume = case.at("first.mha"), case.at("second.mha"), case.at("fused.nii.gz")
    write_labels(first, (5, 4, 3), (1, 1, 1), {(i, 1, k): 10 * i for i in range(5) for k in range(3)})
    write_labels(second, (5, 4, 3), (1, 1, 1), {(i, 2, k): 20 * i for i in range(5) for k in range(3)})
    r = run_json("fuse", first, second, "-o", volume, "--method=average")
    assert r["dims"] == [5, 4, 3] and r["value_max"] == 0.5
    run_json("fuse", first, "-o", out, "--method=average", "--flatten", "--force")
    mask = case.at("parts.mha")
    write_labels(mask, (5, 4, 3), (1, 1, 1), {(i, j, k): 1 if i < 4 else 2 for i in range(5) for j in range(4) for k in range(3)})
    r = run_json("fuse", first, second, "-o", volume, "--method=average", f"--mask={mask}", "--keep=1", "--force")
    # Without i = 4 the brightest are 30 and 60, alone in their rows of each picture.
    close(r["value_sum"], 3 * sum(i / 3 / 2 for i in range(4)) * 2, 1e-6)
    run("fuse", first, second, "-o", volume, "--method=average", "--keep=1", "--force", status=2)


TESTS = [value for name, value in sorted(globals().items()) if name.startswith("test_")]


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
