#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes layer-numbers.h: what each layer of tests/support/bg-nn-rows.h gives, and its input's gradient, as PyTorch
1.13 computes them in float64. usage: dump-networks rows | make-layer-numbers.py"""
import json
import sys

import torch
from torch_network import Network, fixed_input, fixed_number, fixed_params

N_SAMPLES = 4


def samples(tensor, seed):
    flat = tensor.detach().flatten()
    at = [int(u * len(flat)) for u in fixed_number(N_SAMPLES, seed)]
    return "{ " + ", ".join(f"{v:.12g}" for v in [float((flat ** 2).mean().sqrt())] + [float(flat[i]) for i in at]) + " }"


rows = []
for network in json.load(sys.stdin):
    params = {key: value.double() for key, value in fixed_params(network).items()}
    inputs = [fixed_input(shape, k).double().requires_grad_(True) for k, shape in enumerate(network["inputs"])]
    out = Network(network, params).double()(*inputs)[0]
    (out * torch.from_numpy(fixed_number(out.numel(), 70) - 0.5).reshape(out.shape)).sum().backward()
    rows.append(f'    {{ "{network["name"]}", {samples(out, 50)}, {samples(inputs[0].grad, 90)} }},\n')
with open("layer-numbers.h", "w", encoding="utf-8") as file:
    file.write("// SPDX-License-Identifier: Apache-2.0\n// Written by make-layer-numbers.py.\n// clang-format off\n")
    file.write("static const LayerNumbers layer_numbers[] = {\n" + "".join(rows) + "};\n// clang-format on\n")
