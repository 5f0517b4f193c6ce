#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A training with PyTorch on the samples, and from the start, of train-curve's: losses of each epoch beside ours,
steps a second. usage: compare-curve.py BUILD unet|fusion [CURVES.svg]"""
import json
import os
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as ours
import numpy as np  # noqa: E402
import torch  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../reference"))
from torch_network import Network, fixed_params, fusion_loss, tumour_loss  # noqa: E402


def read(path, kind, side):
    planes = 2 + 4 if kind == "unet" else 2 + 2
    data = torch.from_numpy(np.fromfile(path, np.float32)).reshape(-1, planes, side, side)
    inputs = [data[:, :2]] if kind == "unet" else [data[:, :1], data[:, 1:2]]
    targets = [data[:, 2:]] if kind == "unet" else [data[:, 2:3], data[:, 3:4]]
    return inputs, targets


def train(kind, network, ours, folder):
    params = fixed_params(network)
    for key in params:
        params[key].requires_grad_(key.rsplit("/", 1)[1] in ("weight", "bias", "slope"))
    net = Network(network, params)
    loss = (lambda p, t: tumour_loss(p, t[0])) if kind == "unet" else fusion_loss
    adam = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=ours["rate"])
    batch, side, epochs = ours["batch"], ours["side"], []
    inputs, targets = read(os.path.join(folder, "train.f32"), kind, side)
    check = read(os.path.join(folder, "check.f32"), kind, side)
    n_steps = len(inputs[0]) // batch // len(ours["epochs"])
    n_check = len(check[0][0]) // len(ours["epochs"])
    start, busy = time.perf_counter(), time.process_time()
    for epoch in range(len(ours["epochs"])):
        net.moves_norms = True
        sum_train = sum_check = 0.0
        for step in range(epoch * n_steps, (epoch + 1) * n_steps):
            part = slice(step * batch, (step + 1) * batch)
            adam.zero_grad(set_to_none=True)
            value = loss(net(*[x[part] for x in inputs])[0], [t[part] for t in targets])
            value.backward()
            adam.step()
            sum_train += value.item()
        net.moves_norms = False
        with torch.no_grad():
            for k in range(n_check):
                sum_check += loss(net(*[x[k:k + 1] for x in check[0]])[0], [t[k:k + 1] for t in check[1]]).item()
        epochs.append([sum_train / n_steps, sum_check / n_check])
    return epochs, time.perf_counter() - start, time.process_time() - busy, n_steps * len(epochs)


def draw(path, ours, theirs):
    top = max(max(e) for e in ours + theirs) * 1.05
    at = lambda e, v: f"{60 + 620 * e / max(1, len(ours) - 1):.1f},{380 - 340 * v / top:.1f}"
    lines = ""
    for epochs, colour in ((ours, "#c33"), (theirs, "#36c")):
        for k, dash in ((0, ""), (1, ' stroke-dasharray="5 3"')):
            points = " ".join(at(e, v[k]) for e, v in enumerate(epochs))
            lines += f'<polyline points="{points}" fill="none" stroke="{colour}"{dash}/>\n'
    with open(path, "w", encoding="utf-8") as out:
        out.write('<svg xmlns="http://www.w3.org/2000/svg" width="720" height="420" font-family="sans-serif" font-size="12">\n'
                  '<rect width="720" height="420" fill="white"/><path d="M60 40V380H680" fill="none" stroke="black"/>\n'
                  f'<text x="20" y="44">{top:.2f}</text><text x="30" y="384">0</text><text x="620" y="400">epoch {len(ours)}</text>\n'
                  '<text x="300" y="24">red: bregma, blue: PyTorch; dashed: validation</text>\n' + lines + "</svg>\n")


build, kind = sys.argv[1:3]
torch.set_num_threads(len(os.sched_getaffinity(0)))
networks = {n["name"]: n for n in json.loads(subprocess.check_output([os.path.join(build, "tests/support/dump-networks")]))}
with tempfile.TemporaryDirectory() as folder:
    ours = json.loads(subprocess.check_output([os.path.join(build, "tests/bench/train-curve"), kind, folder]))
    theirs, seconds, busy, n_steps = train(kind, networks[ours["network"]], ours, folder)
print("epoch      ours   PyTorch   val ours  val PyTorch")
for e, (a, b) in enumerate(zip(ours["epochs"], theirs)):
    print(f"{e + 1:5} {a[0]:9.5f} {b[0]:9.5f}  {a[1]:9.5f}    {b[1]:9.5f}")
print(f"steps a second: ours {n_steps / ours['seconds']:.2f} (samples made and written meanwhile), PyTorch {n_steps / seconds:.2f} "
      f"(samples ready), ratio {seconds / ours['seconds']:.2f}; of processors' time {busy / ours['busy']:.2f}")
if len(sys.argv) > 3:
    draw(sys.argv[3], ours["epochs"], theirs)
