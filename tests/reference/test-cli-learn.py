#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bregma-cli train, segment, fuse --method=learned and meshes of probabilities, from outside: with networks
that have hardly learnt anything, whose results are yet to be in their place. Usage: test-cli-learn.py BREGMA_CLI"""
import gzip
import json
import os
import struct
import subprocess
import sys
import tempfile

CLI = sys.argv[1]
os.environ["BREGMA_MODEL_DIR"] = "/nowhere"
CONTRASTS = ("t1", "t1ce", "t2", "flair")


def run(*args, status=0):
    done = subprocess.run([CLI, *map(str, args)], capture_output=True, text=True, check=False)
    assert done.returncode == status, f"{args}: status {done.returncode}, not {status}: {done.stderr}"
    if status:
        assert "bregma-cli: " in done.stderr and done.stdout == "", (done.stderr, done.stdout)
        return done.stderr
    return done.stdout


def run_json(*args):
    result = json.loads(run("--json", "--quiet", *args))
    assert result["schema"] == 1
    return result


class Case:
    def __init__(self, folder):
        self.folder = folder
        self.head = os.path.join(folder, "head")
        run("--quiet", "--seed=3", "phantom", self.head, "--kind=head", "--size=40", "--tumour", "--photo-size=0x0")
        self.model = self.at("tumour.h5")
        self.trained = run_json("--seed=50", "train", "unet", "--phantoms=3", "--phantom-size=40", "--spacing=6", "--crop=32",
                                "--per-case=4", "--batch=4", "--epochs=2", "-o", self.model)

    def at(self, name):
        return os.path.join(self.folder, name)

    def contrast(self, name):
        return os.path.join(self.head, name + ".nii.gz")

    def contrasts(self, **other):
        return [f"--{c}={other.get(c, self.contrast(c))}" for c in CONTRASTS if other.get(c, "") is not None]


def test_train_unet(case):
    r = case.trained
    assert r["epochs"] == 2 and len(r["history"]) == 2 and r["card"]["spacing_mm"] == 6 and r["card"]["cases"] == 3
    folder = case.model + ".training"
    assert sorted(os.listdir(folder)) == ["best.h5", "last.h5", "log.csv", "recipe.json"], os.listdir(folder)
    with open(os.path.join(folder, "log.csv"), encoding="utf-8") as log:
        lines = [line.split(",") for line in log.read().splitlines()]
    names = ["accuracy", "dice_coef", "loss", "lr", "mean_io_u", "precision", "sensitivity", "specificity"]
    others = ["val_" + name for name in names if name != "lr"]
    assert lines[0] == ["epoch", *names, *others, "gradient_norm"] and len(lines) == 3
    for line in lines[1:]:
        row = dict(zip(lines[0], map(float, line)))
        assert all(0 <= row[n] <= 1 for n in names + others if not n.endswith("loss")), row
    assert r["card"]["epochs"] == 2 and r["card"]["validation_loss"] == min(float(line[11]) for line in lines[1:])
    two = run_json("train", "unet", "--network=unet-brats", "--phantoms=2", "--phantom-size=40", "--spacing=6", "--crop=32",
                   "--per-case=1", "--batch=1", "--epochs=1", "-o", case.at("brats.h5"))
    assert two["card"]["planes"] == "flair, t1ce"
    run("segment", *case.contrasts(), f"--model={case.at('brats.h5')}", "-o", case.at("none.nii.gz"), status=1)
    run("train", "unet", "--network=resnet", "--phantoms=2", "-o", case.at("none.h5"), status=2)
    run("train", "unet", "--phantoms=2", "-o", case.model, status=1)
    run("train", "unet", "-o", case.at("none.h5"), status=2)
    run("train", "unet", "--phantoms=2", "--crop=33", "-o", case.at("none.h5"), status=2)
    run("train", "unet", f"--data={case.folder}/nowhere", "-o", case.at("none.h5"), status=1)


def test_train_volumes(case):
    """The network of volumes learns, and its model is run block by block."""
    model, out = case.at("blocks.h5"), case.at("blocks.nii.gz")
    r = run_json("train", "unet", "--network=unet3-tumour", "--phantoms=2", "--phantom-size=40", "--spacing=6", "--crop=32",
                 "--per-case=2", "--batch=1", "--epochs=2", "-o", model)
    assert r["epochs"] == 2 and r["card"]["crop"] == 32 and r["history"][1]["loss"] < r["history"][0]["loss"], r
    found = run_json("segment", *case.contrasts(), f"--model={model}", "-o", out)
    assert found["tflop"] > 0 and os.path.exists(out)


def test_train_patches(case):
    """The patch networks learn from patches of all classes alike, and tell each pixel's class of a case."""
    for name, more in (("patch-cnn", ["--entropy"]), ("patch-dual", [])):
        r = run_json("train", "unet", f"--network={name}", "--phantoms=3", "--phantom-size=64", "--spacing=4",
                     "--per-case=16", "--batch=8", "--epochs=2", "--rate=0.001", *more, "-o", case.at(name + ".h5"))
        assert r["epochs"] == 2 and r["card"]["planes"] == "flair, t1, t1ce, t2" and r["card"]["loss"] == "cross-entropy", r
        with open(case.at(name + ".h5.training/log.csv"), encoding="utf-8") as log:
            assert 0 <= float(log.read().splitlines()[1].split(",")[1]) <= 1
        found = run_json("segment", *case.contrasts(), f"--model={case.at(name + '.h5')}", "-o", case.at(name + ".nii.gz"),
                         f"--confidence={case.at(name + '-c.nii.gz')}", "--no-mirror")
        assert found["tflop"] > 0 and found["seconds"] > 0 and [one["value"] for one in found["labels"]] == [1, 2, 4], found
        like = run_json("info", case.contrast("t1ce"))
        assert run_json("info", case.at(name + ".nii.gz"))["dims"] == like["dims"]
        assert 0.2 <= run_json("info", case.at(name + "-c.nii.gz"))["value_min"] <= 1


def test_train_on_files(case):
    """The same as from phantoms, from a folder a patient; resumed."""
    cases, out = case.at("cases"), case.at("files.h5")
    for patient in ("a", "b"):
        os.makedirs(os.path.join(cases, patient))
        for name in (*CONTRASTS, "labels"):
            os.link(case.contrast(name), os.path.join(cases, patient, name + ".nii.gz"))
    fixed = ("train", "unet", f"--data={cases}", "--spacing=6", "--crop=32", "--per-case=4", "--batch=4", "-o", out)
    r = run_json(*fixed, "--epochs=1")
    assert r["card"]["cases"] == 2 and r["epochs"] == 1
    os.link(case.contrast("t1"), os.path.join(cases, "a", "other_t1.nii.gz"))
    assert "two files" in run(*fixed, "--force", status=1)


def test_segment(case):
    seg, prob, page = case.at("seg.nii.gz"), case.at("p.nii.gz"), case.at("page.html")
    r = run_json("segment", *case.contrasts(), f"--model={case.model}", "-o", seg, f"--probabilities={prob}",
                 f"--report={page}", f"--confidence={case.at('c.nii.gz')}")
    assert [one["value"] for one in r["labels"]] == [1, 2, 4] and r["reference"] == "t1ce" and r["seconds"] > 0
    info, like = run_json("info", seg), run_json("info", case.contrast("t1ce"))
    assert info["dims"] == like["dims"] and info["affine"] == like["affine"] and info["kind"] == "labels"
    assert run_json("info", prob)["n_frames"] == 4
    confidence = run_json("info", case.at("c.nii.gz"))
    assert 0.25 <= confidence["value_min"] <= confidence["value_max"] <= 1.000001
    with open(page, encoding="utf-8") as html:
        text = html.read()
    assert text.count("data:image/png") == 12 and "sha256" in text and "http" not in text.split("<pre>")[0]
    plain = case.at("plain.nii.gz")
    run_json("segment", *case.contrasts(), f"--model={case.model}", "-o", plain)
    again = run_json("again", plain, "-o", case.at("again.nii.gz"))
    assert again["equal"] is True
    run("segment", *case.contrasts(), f"--model={case.model}", "-o", seg, status=1)
    run("segment", f"--model={case.model}", "-o", seg, "--force", status=2)
    run("segment", *case.contrasts(), f"--model={case.contrast('t1')}", "-o", seg, "--force", status=1)
    # A mesh of one class's probability.
    means = [run_json("info", prob, f"--frame={n}") for n in range(4)]
    iso = (means[2]["value_min"] + means[2]["value_max"]) / 2
    mesh = run_json("mesh", prob, case.at("p.stl"), f"--iso={iso}", "--frame=2", "--smooth=10")
    assert mesh["closed"] and mesh["voxel_distance"]["p95_mm"] < 3


def test_montage(case):
    labels = os.path.join(case.head, "labels.nii.gz")
    r = run_json("montage", case.contrast("flair"), case.at("m.png"), "--count=6", "--columns=4")
    info = run_json("info", case.at("m.png"))
    assert r["n_slices"] == 6 and info["dims"][:2] == [160, 80]
    for plane in ("axial", "coronal", "sagittal"):
        run("montage", case.contrast("flair"), case.at(plane + ".gif"), f"--plane={plane}", f"--label={labels}", "--count=5")
        assert run_json("info", case.at(plane + ".gif"))["n_frames"] in (1, 5)
    run("montage", case.contrast("flair"), case.at("m.jpg"), status=2)
    run("montage", case.contrast("flair"), case.at("m.png"), "--plane=oblique", "--force", status=2)


def test_shipped_model(case):
    """It finds the tumour of a head that it has not seen; what a call without --model takes."""
    head = case.at("unseen")
    run("--quiet", "--seed=4", "phantom", head, "--kind=head", "--size=96", "--tumour", "--photo-size=0x0")
    at = lambda name: os.path.join(head, name + ".nii.gz")
    r = run_json("segment", *(f"--{c}={at(c)}" for c in CONTRASTS), "-o", at("seg"))
    found = run_json("evaluate", "labels", at("seg"), at("labels"), "--regions=brats")["regions"]
    for region, least in (("WT", 0.90), ("TC", 0.85), ("ET", 0.80)):
        assert found[region]["dice"] > least, (region, found[region]["dice"])
    assert r["tflop"] < 5
    run("--quiet", "--seed=4", "phantom", case.at("well"), "--kind=head", "--size=64", "--photo-size=0x0")
    r = run_json("segment", *(f"--{c}={os.path.join(case.at('well'), c + '.nii.gz')}" for c in CONTRASTS), "-o", case.at("w.nii.gz"))
    assert r["regions"]["WT"]["volume_ml"] < 1, r["regions"]


def test_segment_says(case):
    """What is missing, in the wrong place or not to be known is said, or refused; nothing is guessed in silence. Two
    patients: test-cli-dicom.py, as only such files say whose they are."""
    seg, model = case.at("other.nii.gz"), f"--model={case.model}"
    r = run_json("segment", *case.contrasts(t1=None, t2=None), model, "-o", seg)
    assert "t1, t2 missing" in " ".join(r["warnings"])
    swapped = case.contrasts(t1=case.contrast("t2"), t2=case.contrast("t1"))
    said = run("segment", *swapped, model, "-o", seg, "--force", status=1)
    assert "t1 looks like t2" in said and "t2 looks like t1" in said
    run_json("segment", *swapped, "--as-given", model, "-o", seg, "--force")
    twice = case.contrasts(t2=case.contrast("flair"))
    assert "one file twice" in run("segment", *twice, "--as-given", model, "-o", seg, "--force", status=2)
    # Whose they are: no NIfTI tells, but what it was made of does, and these are of one head.
    assert not any("identity unknown" in one for one in r["warnings"]), r["warnings"]
    # Another grid: the contrast is registered, hardly moved, and the result is on the reference's grid.
    finer, far = case.at("finer.nii.gz"), case.at("far.nii.gz")
    run("filter", "resample", case.contrast("flair"), finer, "--spacing=5,4,7")
    r = run_json("segment", *case.contrasts(flair=finer), model, "-o", seg, "--force")
    assert list(r["registered"]) == ["flair"], r["registered"]
    moved = r["registered"]["flair"]
    assert all(abs(moved[5 * i] - 1) < 0.02 and abs(moved[4 * i + 3]) < 4 for i in range(3)), moved
    assert run_json("info", seg)["dims"] == run_json("info", case.contrast("t1ce"))["dims"]
    r = run_json("segment", *case.contrasts(flair=finer), "--align=never", model, "-o", seg, "--force")
    assert r["registered"] == {}
    # Grids that have no place in common.
    run("filter", "crop", case.contrast("t1ce"), case.at("left.nii.gz"), "--box=0,14,0,39,0,39")
    run("filter", "crop", case.contrast("flair"), far, "--box=26,39,0,39,0,39")
    apart = (f"--t1ce={case.at('left.nii.gz')}", f"--flair={far}", "--align=never", "--as-given", model, "-o", seg, "--force")
    assert "no place in common" in run("segment", *apart, status=1)
    run("filter", "crop", case.contrast("flair"), far, "--box=0,39,0,39,0,21", "--force")
    r = run_json("segment", *case.contrasts(flair=far), "--align=never", "--as-given", model, "-o", seg, "--force")
    assert any("flair covers" in one for one in r["warnings"]), r["warnings"]
    # No tumour: all that was found is too small.
    r = run_json("segment", *case.contrasts(), "--least-ml=100000", model, "-o", seg, "--force")
    assert any("no tumour was found" in one for one in r["warnings"]), r["warnings"]
    assert all(one["volume_ml"] == 0 for one in r["labels"]) and r["regions"]["WT"]["n_parts"] == 0
    assert run_json("info", seg)["value_max"] == 0


def test_segment_sources(case):
    """Contrasts that were made of those of two heads are refused, however often they were worked on since; where
    nothing tells whose they are, that their sources lie in two folders is said."""
    seg, model = case.at("sources.nii.gz"), f"--model={case.model}"
    stranger, once, twice = case.at("stranger"), case.at("once.nii.gz"), case.at("twice.nii.gz")
    run("--quiet", "--seed=77", "phantom", stranger, "--kind=head", "--size=40", "--photo-size=0x0", "--tumour")
    run("filter", "gaussian", os.path.join(stranger, "flair.nii.gz"), once, "--sigma=1")
    run("filter", "crop", once, twice, "--box=1,38,0,39,0,39")
    for other in (os.path.join(stranger, "flair.nii.gz"), once, twice):
        said = run("segment", *case.contrasts(flair=other), model, "-o", seg, status=1)
        assert "seed 77" in said and "made by way of" in said and "--override-patient" in said, said
        assert not os.path.exists(seg)
    r = run_json("segment", *case.contrasts(flair=twice), "--align=never", "--as-given",
                 "--override-patient=a test of both", model, "-o", seg)
    assert any("a test of both" in one for one in r["warnings"]), r["warnings"]
    # A source that is another file now, or is gone, tells nothing.
    os.remove(once)
    plain = {}
    for name in ("t1ce", "flair"):
        folder = case.at("of-" + name)
        os.makedirs(folder)
        bare, plain[name] = os.path.join(folder, "bare.npy"), case.at("bare-" + name + ".nii.gz")
        run("convert", case.contrast(name), bare)
        run("convert", bare, plain[name])
    some = (f"--t1ce={plain['t1ce']}", f"--flair={plain['flair']}", "--align=never", "--as-given", model, "-o", seg, "--force")
    r = run_json("segment", *some)
    assert any("made from files of two folders" in one for one in r["warnings"]), r["warnings"]
    assert any("identity unknown" in one for one in r["warnings"]), r["warnings"]
    r = run_json("segment", *case.contrasts(flair=twice), "--align=never", "--as-given", model, "-o", seg, "--force")
    assert any("identity unknown" in one for one in r["warnings"]), r["warnings"]


def test_unknown_labels(case):
    """Label numbers that BraTS does not have are said in a comparison, and refused in training."""
    labels, odd = os.path.join(case.head, "labels.nii.gz"), case.at("odd.nii.gz")
    with gzip.open(labels, "rb") as file:
        data = bytearray(file.read())
    start = int(struct.unpack_from("<f", data, 108)[0])
    assert struct.unpack_from("<h", data, 72)[0] == 8, "labels are bytes"
    data[start:] = bytes(7 if value == 2 else value for value in data[start:])
    with gzip.open(odd, "wb") as file:
        file.write(data)
    r = run_json("evaluate", "labels", odd, labels, "--regions=brats")
    assert any("labels other than 1, 2 and 4" in one for one in r["warnings"]), r["warnings"]
    assert run_json("evaluate", "labels", odd, labels)["regions_of"] == "labels"
    patient = case.at(os.path.join("odd", "a"))
    os.makedirs(patient)
    for name in CONTRASTS:
        os.link(case.contrast(name), os.path.join(patient, name + ".nii.gz"))
    os.link(odd, os.path.join(patient, "seg.nii.gz"))
    said = run("train", "unet", f"--data={case.at('odd')}", "--spacing=6", "--crop=32", "-o", case.at("odd.h5"), status=1)
    assert "7" in said and not os.path.exists(case.at("odd.h5")), said


def test_fuse_learned(case):
    model, out, parts = case.at("fusion.h5"), case.at("fused.png"), case.at("parts.png")
    r = run_json("--seed=5", "train", "fusion", "--phantoms=2", "--phantom-size=64", "--crop=16", "--per-pair=1", "--epochs=1",
                 "-o", model)
    assert r["epochs"] == 1 and r["card"]["phantoms"] == 2
    pictures = []
    for name in ("t1", "t2"):
        pictures.append(case.at(name + ".png"))
        run("slice", case.contrast(name), pictures[-1], "--plane=axial", "--index=22")
    r = run_json("fuse", *pictures, "-o", out, "--method=learned", f"--weights={model}", f"--contributions={parts}")
    assert r["method"] == "learned" and r["synthetic"] is True and len(r["weights_sha256"]) == 64
    assert run_json("info", parts)["dims"][:2] == run_json("info", out)["dims"][:2]
    shipped = run_json("fuse", *pictures, "-o", out, "--method=learned", "--force")
    assert shipped["weights_sha256"] != r["weights_sha256"] and min(shipped["ssim"]) > 0.1
    run("fuse", *pictures, "-o", out, "--method=average", f"--contributions={parts}", "--force", status=2)
    assert shipped["precision"] == "float32" and shipped["backend"] in ("cpu", "cuda")
    coarse = run_json("fuse", *pictures, "-o", out, "--method=learned", "--precision=bf16", "--force")
    assert coarse["precision"] == "bf16" and coarse["ssim"] != shipped["ssim"]
    assert max(abs(a - b) for a, b in zip(coarse["ssim"], shipped["ssim"])) < 0.01, (coarse, shipped)
    exact = run_json("fuse", *pictures, "-o", out, "--method=learned", "--precision=tf32", "--backend=cpu", "--force")
    assert exact["precision"] == "float32" and exact["ssim"] == shipped["ssim"] and exact["warnings"]
    run("fuse", *pictures, "-o", out, "--method=learned", "--precision=half", "--force", status=2)


def test_train_vgg_small(case):
    """What is written is the stack alone, and the methods by weight maps take it by what is in it."""
    model, out = case.at("features.h5"), case.at("features.png")
    wanted = ["train", "vgg-small", "--phantoms=2", "--leaves=4", "--phantom-size=64", "--crop=32", "--per-pair=1", "--epochs=2"]
    r = run_json("--seed=5", *wanted, "-o", model)
    assert r["epochs"] == 2 and r["card"]["phantoms"] == 2 and r["card"]["leaves"] == 4
    assert r["history"][1]["loss"] < r["history"][0]["loss"], r["history"]
    pictures = [case.at(f"features-{name}.png") for name in ("t1", "t2")]
    for name, picture in zip(("t1", "t2"), pictures):
        run("slice", case.contrast(name), picture, "--plane=axial", "--index=20")
    for method in ("vgg19-ssim", "vgg19-max", "two-scale"):
        f = run_json("fuse", *pictures, "-o", out, f"--method={method}", f"--weights={model}", "--force")
        assert f["network"] == "vgg-small" and min(f["ssim"]) > 0.1 and f["synthetic"] is False, f
    run("fuse", *pictures, "-o", out, "--method=vgg19-max", f"--weights={case.model}", "--force", status=1)
    run(*wanted, "--crop=20", "-o", case.at("none.h5"), status=2)
    run(*wanted, "--crop=72", "-o", case.at("none.h5"), status=2)
    run(*wanted, "--sparsity=-1", "-o", case.at("none.h5"), status=2)
    run("train", "vgg-small", "-o", case.at("none.h5"), status=2)
    run("train", "fusion", "--phantoms=2", "--structure=1.5", "-o", case.at("none.h5"), status=2)
    assert not os.path.exists(case.at("none.h5"))


def test_lesion_says(case):
    """No weights of the networks for skin ship: what is missing or wrong is said."""
    picture = case.at("skin.png")
    run("slice", case.contrast("t1"), picture, "--plane=axial", "--index=20")
    assert "none ship" in run("lesion", picture, status=2)
    run("lesion", picture, "--classifier=nothing", status=1)
    run("lesion", picture, f"--outline={case.model}", "-o", case.at("mask.png"), status=1)
    run("lesion", picture, f"--outline={case.model}", "--mean=120", status=2)
    run("lesion", picture, "--classifier=nothing", "-o", case.at("mask.png"), status=2)
    run("lesion", picture, f"--outline={case.model}", "--threshold=2", status=2)
    assert not os.path.exists(case.at("mask.png"))


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
