#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes network-numbers.h: outputs and gradients of our networks as PyTorch 1.13 computes them in float64.
Only of those that are named, where any is; the rows of the others stay.
usage: dump-networks | make-network-numbers.py [NAME...]"""
import json
import sys

import torch
from torch_network import Network, fixed_input, fixed_number, fixed_params

N_SAMPLES = 8


def samples(tensor, seed):
    flat = tensor.detach().flatten()
    at = [int(u * len(flat)) for u in fixed_number(N_SAMPLES, seed)]
    return float((flat ** 2).mean().sqrt()), [float(flat[i]) for i in at]


def row(network, what, index, tensor, seed):
    rms, values = samples(tensor, seed)
    return f'    {{ "{network}", "{what}", {index}, {rms:.9g}, {{ ' + ", ".join(f"{v:.9g}" for v in values) + " } },\n"


def kept(names):
    if not names:
        return []
    with open("network-numbers.h", encoding="utf-8") as old:
        return [line for line in old if line.startswith('    { "') and line.split('"')[1] not in names]


rows = kept(sys.argv[1:])
for network in json.load(sys.stdin):
    name = network["name"]
    if sys.argv[1:] and name not in sys.argv[1:]:
        continue
    params = {key: value.double() for key, value in fixed_params(network).items()}
    trained = [key for key in params if key.rsplit("/", 1)[1] in ("weight", "bias", "slope")]
    for key in trained:
        params[key].requires_grad_(True)
    net = Network(network, params).double()
    inputs = [fixed_input(shape, k).double().requires_grad_(True) for k, shape in enumerate(network["inputs"])]
    outputs = net(*inputs)
    for k, out in enumerate(outputs):
        rows.append(row(name, "output", k, out, 50 + k))
    loss = 0
    for k, out in enumerate(outputs):
        factors = torch.from_numpy(fixed_number(out.numel(), 70 + k) - 0.5).reshape(out.shape)
        loss = loss + (out * factors).sum()
    loss.backward()
    rows.append(row(name, "input", 0, inputs[0].grad, 90))
    names = list(params)
    weights = [key for key in trained if params[key].dim() > 1]
    for key in sorted({weights[0], weights[len(weights) // 3], weights[len(weights) // 2], weights[-1]}):
        rows.append(row(name, "gradient", names.index(key), getattr(net, net.names[key]).grad, 91))
    print(name, file=sys.stderr)
with open("network-numbers.h", "w", encoding="utf-8") as out:
    out.write("// SPDX-License-Identifier: Apache-2.0\n// Written by make-network-numbers.py.\n// clang-format off\n")
    out.write("static const NetworkNumbers network_numbers[] = {\n" + "".join(rows) + "};\n// clang-format on\n")
