#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes curve-numbers.h: the losses of the first steps of two trainings as PyTorch 1.13 makes them in float64, from
the start and with the pictures that tests/unit/test-nn-curve.c makes, too.
usage: dump-networks | make-curve-numbers.py"""
import json
import sys

import torch
from torch_network import Network, fixed_number, fixed_params, fusion_loss, tumour_loss

N_STEPS = 10
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


def curve(network, names, rate, inputs, loss, dtype):
    params = {key: value.to(dtype) for key, value in fixed_params(network).items()}
    for key in params:
        params[key].requires_grad_(key.rsplit("/", 1)[1] in ("weight", "bias", "slope"))
    net = Network(network, params).to(dtype).train()
    net.moves_norms = True
    inputs = [x.to(dtype) for x in inputs]
    adam = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=rate)
    found = []
    for _ in range(N_STEPS):
        adam.zero_grad()
        value = loss(net(*inputs)[0])
        value.backward()
        adam.step()
        found.append(float(value))
    print(names, [f"{v:.6f}" for v in found], file=sys.stderr)
    return found


networks = {n["name"]: n for n in json.load(sys.stdin)}
image, classes = cases(16, 32)
pictures = [0.5 * image[:4, :1], 0.5 * image[:4, 1:]]
rows = []
for name, rate, inputs, loss in [
        ("unet-brats", 0.0003, [image], lambda p: tumour_loss(p, classes.to(p.dtype))),
        ("funfuse", 0.001, pictures, lambda p: fusion_loss(p, [x.to(p.dtype) for x in pictures]))]:
    curve(networks[name], name + " in float32", rate, inputs, loss, torch.float32)
    values = curve(networks[name], name, rate, inputs, loss, torch.float64)
    rows.append(f'    {{ "{name}", {{ ' + ", ".join(f"{v:.9g}" for v in values) + " } },\n")
with open("curve-numbers.h", "w", encoding="utf-8") as out:
    out.write("// SPDX-License-Identifier: Apache-2.0\n// Written by make-curve-numbers.py.\n// clang-format off\n")
    out.write("static const CurveNumbers curve_numbers[] = {\n" + "".join(rows) + "};\n// clang-format on\n")
