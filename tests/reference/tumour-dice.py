#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How well a model finds the tumours of made-up heads that it has not seen: Dice by region, of each head and on
average. Every second head is without its skull, as in BraTS. Fails below WT 0.90, TC 0.85, ET 0.80.
Usage: tumour-dice.py BREGMA_CLI [--model=FILE] [--heads=20] [--seed=1] [--size=128] [--varied] [segment's options]"""
import json
import os
import subprocess
import sys
import tempfile

LEAST = {"WT": 0.90, "TC": 0.85, "ET": 0.80}
CONTRASTS = ("t1", "t1ce", "t2", "flair")


def main():
    cli = sys.argv[1]
    wanted = {"heads": 20, "seed": 1, "size": 128}
    passed, kind = [], []
    for option in sys.argv[2:]:
        name, _, value = option.lstrip("-").partition("=")
        if name == "varied":  # heads whose tumours differ as patients' do
            kind.append(option)
        elif name in wanted:
            wanted[name] = int(value)
        else:
            passed.append(option)

    def run(*args):
        done = subprocess.run([cli, "--json", *args], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        return json.loads(done.stdout)
    sums = {name: 0.0 for name in LEAST}
    seconds = 0.0
    for head in range(wanted["heads"]):
        with tempfile.TemporaryDirectory() as folder:
            at = lambda name: os.path.join(folder, name + ".nii.gz")
            seed = wanted["seed"] + head
            run(f"--seed={seed}", "phantom", folder, "--kind=head", "--tumour", "--photo-size=0x0",
                f"--size={wanted['size']}", "--force", *kind)
            inputs = {c: at(c) for c in CONTRASTS}
            for contrast in CONTRASTS if head % 2 else ():
                inputs[contrast] = at(contrast + "-brain")
                run("filter", "mask", at(contrast), inputs[contrast], f"--mask={at('brain')}")
            made = run("segment", *(f"--{c}={path}" for c, path in inputs.items()), "-o", at("seg"), *passed)
            found = run("evaluate", "labels", at("seg"), at("labels"), "--regions=brats")["regions"]
            dice = {name: found[name]["dice"] for name in LEAST}
            seconds += made["seconds"]
            print(f"head {seed}:", "  ".join(f"{name} {value:.4f}" for name, value in dice.items()),
                  f" {made['seconds']:.1f} s", flush=True)
            for name, value in dice.items():
                sums[name] += value
    n = wanted["heads"]
    means = {name: value / n for name, value in sums.items()}
    print(f"mean of {n}:", "  ".join(f"{name} {value:.4f}" for name, value in means.items()),
          f" {seconds / n:.1f} s a head")
    sys.exit(any(means[name] < LEAST[name] for name in LEAST))


main()
