#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes curve-numbers.h: the losses of the first steps of two trainings, and after each that of pictures that are not
learnt from, as PyTorch 1.13 makes them in float64, from the start and with the pictures that
tests/unit/test-nn-curve.c makes, too.
usage: dump-networks | make-curve-numbers.py"""
import json
import sys

import torch
from torch_network import Network, fixed_number, fixed_params, fusion_loss, tumour_loss

MOST_STEPS = 60
SHADES = [[0.1, 0.2], [0.5, 0.9], [0.9, 0.4], [0.6, 1.4]]  # of FLAIR and T1ce: of each class


def cases(count, side):
    """Discs in discs, noisy: images [count, 2, side, side], classes [count, 4, side, side]."""
    at = torch.from_numpy(fixed_number(3 * count, 500)).reshape(count, 3)
    y, x = torch.meshgrid(torch.arange(side).double(), torch.arange(side).double(), indexing="ij")
    far = ((x - at[:, 0, None, None] * side) ** 2 + (y - at[:, 1, None, None] * side) ** 2).sqrt()
    part = far / ((0.2 + 0.3 * at[:, 2]) * side)[:, None, None]
    label = torch.where(part < 0.35, 3, torch.where(part < 0.6, 1, torch.where(part < 1.0, 2, 0)))
    noise = torch.from_numpy(fixed_number(count * 2 * side * side, 501)).reshape(count, 2, side, side)
    image = torch.tensor(SHADES, dtype=torch.float64)[label].permute(0, 3, 1, 2) + 0.3 * (noise - 0.5)
    return image.float(), torch.nn.functional.one_hot(label, 4).permute(0, 3, 1, 2).float()


def curve(network, names, rate, n_steps, parts, loss, dtype):
    params = {key: value.to(dtype) for key, value in fixed_params(network).items()}
    for key in params:
        params[key].requires_grad_(key.rsplit("/", 1)[1] in ("weight", "bias", "slope"))
    net = Network(network, params).to(dtype).train()
    learnt, check = [([x.to(dtype) for x in inputs], [x.to(dtype) for x in targets]) for inputs, targets in parts]
    adam = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=rate)
    found = []
    for _ in range(n_steps):
        net.moves_norms = True
        adam.zero_grad()
        value = loss(net(*learnt[0])[0], learnt[1])
        value.backward()
        adam.step()
        net.moves_norms = False
        with torch.no_grad():
            found.append([float(value), float(loss(net(*check[0])[0], check[1]))])
    print(names, [f"{v:.6f} {c:.6f}" for v, c in found], file=sys.stderr)
    return found


networks = {n["name"]: n for n in json.load(sys.stdin)}
image, classes = cases(20, 32)
grey = [0.5 * image[:, :1], 0.5 * image[:, 1:]]
some = lambda arrays, first, last: [x[first:last] for x in arrays]
rows = []
for name, rate, n_steps, parts, loss in [
        ("unet-brats", 0.0003, 10, [([image[:16]], [classes[:16]]), ([image[16:]], [classes[16:]])],
         lambda p, t: tumour_loss(p, t[0])),
        ("funfuse", 0.001, MOST_STEPS, [(some(grey, 0, 4),) * 2, (some(grey, 4, 6),) * 2], fusion_loss)]:
    curve(networks[name], name + " in float32", rate, n_steps, parts, loss, torch.float32)
    values = curve(networks[name], name, rate, n_steps, parts, loss, torch.float64)
    rows.append(f'    {{ "{name}", {n_steps}, {{ ' + ", ".join(f"{{ {v:.9g}, {c:.9g} }}" for v, c in values) + " } },\n")
with open("curve-numbers.h", "w", encoding="utf-8") as out:
    out.write("// SPDX-License-Identifier: Apache-2.0\n// Written by make-curve-numbers.py.\n// clang-format off\n")
    out.write("static const CurveNumbers curve_numbers[] = {\n" + "".join(rows) + "};\n// clang-format on\n")
