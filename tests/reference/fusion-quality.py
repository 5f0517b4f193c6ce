#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Means of the measures of fused pictures over pairs NAME_MRI.png and NAME_(CT|PET|SPECT).png, a line a method,
beside what FunFuseAn's poster states for it (another hundred pairs of the same atlas).
A METHOD that ends with "+" is stretched to its sources' range.
Usage: fusion-quality.py BREGMA_CLI FOLDER [METHOD[+][=WEIGHTS] ...]"""
import glob
import json
import os
import subprocess
import sys
import tempfile

KEYS = ("q_ssim", "q_g", "viff", "fmi", "q_ie", "scd")
PUBLISHED = {"q_ssim": 0.8610, "q_g": 0.5707, "viff": 0.6005, "fmi": 0.8885, "q_ie": 0.8104}


def main():
    cli, folder = sys.argv[1:3]
    pairs = []
    for mri in sorted(glob.glob(os.path.join(folder, "*", "*_MRI.png"))):
        others = [p for p in glob.glob(mri.replace("_MRI.png", "_*.png")) if p != mri]
        pairs += [(mri, other) for other in others]
    line = lambda name, values: print(f"{name:24}" + "".join(f"{values[k]:9.4f}" if k in values else " " * 9 for k in KEYS), flush=True)
    print(f"{len(pairs)} pairs".ljust(24) + "".join(k.rjust(9) for k in KEYS))
    line("FunFuseAn, as published", PUBLISHED)
    with tempfile.TemporaryDirectory() as out:
        for word in sys.argv[3:] or ["average", "learned"]:
            method, _, weights = word.partition("=")
            sums = dict.fromkeys(KEYS, 0.0)
            for mri, other in pairs:
                args = [cli, "--json", "fuse", mri, other, "-o", os.path.join(out, "f.png"), f"--method={method.rstrip('+')}", "--force"]
                args += ["--full-range"] if method.endswith("+") else []
                args += [f"--weights={weights}"] if weights else []
                done = subprocess.run(args, capture_output=True, text=True, check=True)
                found = json.loads(done.stdout)
                for key in KEYS:
                    sums[key] += found[key] / len(pairs)
            line(word if len(word) < 24 else method, sums)


main()
