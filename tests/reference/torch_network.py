# SPDX-License-Identifier: Apache-2.0
"""Runs a network that dump-networks wrote with PyTorch: each layer by PyTorch's own function of that name."""
import functools
import math

import numpy as np
import torch
import torch.nn.functional as F


def fixed_number(count, seed):
    """The numbers of tests/support/bg-fixed-numbers.h."""
    i = np.arange(count, dtype=np.uint64)
    x = (i * 2654435761 + seed * 40503) & 0xffffffff
    x ^= x >> np.uint64(15)
    x = (x * 2246822519) & 0xffffffff
    x ^= x >> np.uint64(13)
    return 0.02 + 0.96 * (x >> np.uint64(8)).astype(np.float64) / 16777216.0


def fixed_params(network):
    params = {}
    for index, param in enumerate(network["params"]):
        shape, role = param["shape"], param["name"].rsplit("/", 1)[1]
        u = fixed_number(math.prod(shape), index + 1)
        if role == "weight":
            u = 2 * (u - 0.5) * math.sqrt(6 / math.prod(shape[1:])) if len(shape) > 1 else 0.75 + 0.5 * u
        elif role == "variance":
            u = 0.5 + u
        elif role == "slope":
            u = 0.1 + 0.3 * u
        else:
            u = (u - 0.5) * (1 if role == "singular" else 0.2)
        params[param["name"]] = torch.from_numpy(u.astype(np.float32).reshape(shape))
    return params


def fixed_input(shape, index):
    u = 2 * fixed_number(math.prod(shape), 1000 + index) - 1
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


def tumour_loss(p, t):
    """Cross-entropy of probabilities, kept from 0 as Keras does."""
    return -(t * p.clamp(min=1e-7).log()).sum(1).mean()


def dice_loss(p, t):
    over = [0] + list(range(2, p.dim()))
    return 1 - ((2 * (p * t).sum(over) + 1) / (p.sum(over) + t.sum(over) + 1)).mean()


def ssim(a, b):
    """Mean over windows that lie inside; Gaussian of 11 x 11, sigma 1.5; values of range 1."""
    x = torch.arange(11, dtype=a.dtype) - 5
    g = torch.exp(-x * x / 4.5)
    g = (g / g.sum())[None, None]
    mean = lambda v: F.conv2d(F.conv2d(v, g[..., None]), g[:, :, None, :])
    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    return ((2 * ma * mb + 1e-4) * (2 * cov + 9e-4) / ((ma * ma + mb * mb + 1e-4) * (va + vb + 9e-4))).mean()


def fusion_loss(p, sources, weight=0.8):
    """FunFuseAn's."""
    return sum(weight * (1 - ssim(p, s)) + (1 - weight) * F.mse_loss(p, s) for s in sources)


PADS = ["constant", "reflect", "replicate"]


class Network(torch.nn.Module):
    def __init__(self, network, params):
        super().__init__()
        self.layers = network["graph"]["layers"]
        self.outputs = network["graph"]["outputs"]
        self.moves_norms = False  # training: the batch's own statistics, and the running ones move
        self.names = {name: f"p{i}" for i, name in enumerate(params)}
        for name, value in params.items():
            self.register_parameter(self.names[name], torch.nn.Parameter(value, requires_grad=value.requires_grad))

    def param(self, layer, role):
        name = self.names.get(f"{layer['name']}/{role}")
        return getattr(self, name) if name else None

    def weight(self, layer):
        """Divided by its largest singular value, as far as the vector that is kept of it tells."""
        weight = self.param(layer, "weight")
        if not layer.get("spectral_norm"):
            return weight
        matrix = weight.flatten(1)
        u = F.normalize(self.param(layer, "singular").detach(), dim=0)
        v = F.normalize(matrix.detach().t() @ u, dim=0)
        return weight / (u @ matrix @ v)

    def forward(self, *inputs):
        values, given = {}, list(inputs)
        for layer in self.layers:
            ins = [values[name] for name in layer["inputs"]]
            values[layer["name"]] = given.pop(0) if layer["kind"] == "input" else self.run(layer, ins)
        return tuple(values[name] for name in self.outputs)

    def run(self, layer, ins):
        x, kind = ins[0], layer["kind"]
        n = x.dim() - 2
        of = lambda name, default: [int(v) or default for v in layer.get(name, [0, 0, 0])[:n]]
        before, after = of("before", 0), of("after", 0)
        weight = self.weight(layer) if kind in ("conv", "deconv", "linear") else None
        if kind in ("conv", "deconv"):
            f = getattr(F, f"conv{'_transpose' if kind == 'deconv' else ''}{n}d")
            args = dict(bias=self.param(layer, "bias"), stride=of("stride", 1), dilation=of("dilation", 1),
                        groups=int(layer.get("groups", 1)) or 1)
            if kind == "deconv":
                return f(x, weight, padding=before, output_padding=of("out_pad", 0), **args)
            if layer.get("pad_mode", 0) or before != after:
                pads = [p for k in range(n - 1, -1, -1) for p in (before[k], after[k])]
                x = F.pad(x, pads, mode=PADS[layer.get("pad_mode", 0)])
                before = [0] * n
            return f(x, weight, padding=before, **args)
        if kind == "linear":
            return F.linear(x, weight, self.param(layer, "bias"))
        if kind == "batch-norm":
            norm = layer.get("norm", 0)
            moves = norm == 0 and self.moves_norms
            return F.batch_norm(x, self.param(layer, "mean").detach(), self.param(layer, "variance").detach(),
                                self.param(layer, "weight"), self.param(layer, "bias"), training=norm == 2 or moves,
                                momentum=layer.get("momentum", 0.0) if moves else 0, eps=layer.get("eps", 0.0))
        if kind == "instance-norm":
            return F.instance_norm(x, weight=self.param(layer, "weight"), bias=self.param(layer, "bias"),
                                   eps=layer.get("eps", 0.0))
        if kind == "prelu":
            return F.prelu(x, self.param(layer, "slope"))
        if kind == "leaky-relu":
            return F.leaky_relu(x, layer["slope"])
        if kind in ("relu", "sigmoid", "tanh"):
            return getattr(torch, kind)(x)
        if kind == "softmax":
            return F.softmax(x, 1)
        if kind == "max-pool":
            return getattr(F, f"max_pool{n}d")(x, of("kernel", 1), of("stride", 1), before, of("dilation", 1))
        if kind == "avg-pool":
            return getattr(F, f"avg_pool{n}d")(x, of("kernel", 1), of("stride", 1), before,
                                               count_include_pad=bool(layer.get("count_outside")))
        if kind == "upsample":
            factors = tuple(float(s) for s in of("stride", 1))
            if layer.get("bilinear"):
                mode = ["linear", "bilinear", "trilinear"][n - 1]
                return F.interpolate(x, scale_factor=factors, mode=mode, align_corners=False)
            return F.interpolate(x, scale_factor=factors, mode="nearest")
        if kind == "concat":
            return torch.cat(ins, 1)
        if kind == "add":
            return sum(ins[1:], ins[0]) * (layer.get("scale", 0) or 1)
        if kind == "multiply":
            return functools.reduce(torch.mul, ins)
        if kind == "pad":
            return F.pad(x, [p for k in range(n - 1, -1, -1) for p in (before[k], after[k])], mode=PADS[layer.get("pad_mode", 0)])
        if kind == "maximum":
            return functools.reduce(torch.maximum, ins)
        if kind == "crop":
            return x[(..., *(slice(b, x.shape[2 + k] - a) for k, (b, a) in enumerate(zip(before, after))))]
        if kind == "divide":
            return ins[0] / (ins[1] + layer.get("eps", 0))
        if kind == "tile":
            return x.repeat([1, int(layer.get("channels", 1)) or 1] + of("stride", 1))
        if kind == "dropout":
            return x
        if kind == "reshape":
            channels = int(layer.get("channels", 0))
            return x.flatten(1) if channels == 0 else x.reshape([x.shape[0], channels] +
                                                                [int(s) for s in layer["size"][:int(layer["space"])]])
        raise ValueError(kind)
