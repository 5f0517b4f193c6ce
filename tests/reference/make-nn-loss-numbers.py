#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes nn-loss-numbers.h: losses and optimisers as PyTorch 1.13 and scikit-image 0.19 compute them."""
import numpy as np
import torch
import torch.nn.functional as F
from skimage.metrics import structural_similarity


def value_at(i, seed):
    x = (i.astype(np.uint64) * 2654435761 + seed * 40503) & 0xffffffff
    x ^= x >> np.uint64(15)
    x = (x * 2246822519) & 0xffffffff
    x ^= x >> np.uint64(13)
    return (0.02 + 0.96 * (x >> np.uint64(8)).astype(np.float64) / 16777216.0).astype(np.float32)


shape = (2, 3, 13, 17)
i = np.arange(int(np.prod(shape)))
p = torch.from_numpy(value_at(i, 1).reshape(shape)).double()
t = torch.from_numpy(value_at(i, 2).reshape(shape)).double()
dims = (0, 2, 3)
both, ps, ts = (p * t).sum(dims), p.sum(dims), t.sum(dims)
w = 1 / (ts + 1) ** 2
ssim = np.mean([structural_similarity(p[n, c].numpy(), t[n, c].numpy(), data_range=1, gaussian_weights=True,
                                      sigma=1.5, truncate=3.5, use_sample_covariance=False, full=True)[1][5:-5, 5:-5].mean()
                for n in range(2) for c in range(3)])
numbers = [
    (-(t * p.log()).sum(1)).mean(),
    F.cross_entropy(p, t),
    F.binary_cross_entropy(p, t),
    F.binary_cross_entropy_with_logits(p, t),
    1 - ((2 * both + 1) / (ps + ts + 1)).mean(),
    1 - 2 * (w * both).sum() / (w * (ps + ts)).sum(),
    F.l1_loss(p, t),
    F.mse_loss(p, t),
    1 - ssim,
]


def optimise(make, clip=0):
    x = torch.tensor([0.25 * k - 0.5 for k in range(6)], requires_grad=True)
    o = make([x])
    for s in range(20):
        x.grad = 2 * x.detach() + 0.1 * torch.tensor([float((s * 7 + k * 3) % 5) for k in range(6)]) - 0.2
        if clip:
            torch.nn.utils.clip_grad_norm_([x], clip)
        o.step()
    return x.detach().tolist()


runs = [
    optimise(lambda x: torch.optim.SGD(x, 0.05)),
    optimise(lambda x: torch.optim.SGD(x, 0.05, momentum=0.9, weight_decay=0.01)),
    optimise(lambda x: torch.optim.Adam(x, 0.02, betas=(0.5, 0.999))),
    optimise(lambda x: torch.optim.Adam(x, 0.02, betas=(0.9, 0.99)), 0.5),
]
with open("nn-loss-numbers.h", "w", encoding="utf-8") as out:
    out.write("// SPDX-License-Identifier: Apache-2.0\n// Written by make-nn-loss-numbers.py.\n// clang-format off\n")
    out.write("static const double loss_numbers[] = {\n" + "".join(f"    {float(x):.10g},\n" for x in numbers) + "};\n\n")
    out.write("static const double optimiser_numbers[][6] = {\n")
    out.write("".join("    { " + ", ".join(f"{x:.9g}" for x in run) + " },\n" for run in runs) + "};\n// clang-format on\n")
