#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes fusion-numbers.h: fused pictures by numpy alone, from the formulas, of pictures that test-fusion.c makes
by the same formula and of parts of a pair of PNG files; with VGG-19 in Keras' file, and with the small stack of its
shape filled with the numbers of tests/support/bg-fixed-numbers.h.
Usage: make-fusion-numbers.py VGG19.h5 FUSION2D > fusion-numbers.h"""
import os
import sys

import h5py
import numpy as np
from scipy import ndimage as ndi
from skimage.metrics import structural_similarity
from torch_network import fixed_params

LAYERS = ["block1_conv1", "block1_conv2", "P", "block2_conv1", "block2_conv2", "P", "block3_conv1", "block3_conv2",
          "block3_conv3", "block3_conv4", "P", "block4_conv1", "block4_conv2"]
TAKEN = ("block1_conv2", "block2_conv2", "block3_conv2", "block4_conv2")


def made(width, height, seed):
    v, u = np.mgrid[0:height, 0:width].astype(np.int64)
    h = (u * 7919 + v * 104729 + u * v * 31 + seed * 1299709) % 61
    w = ((u * (3 + seed)) % 64 - 32) ** 2 // 8 + ((v * 5 + 11 * seed) % 80 - 40) ** 2 // 16
    a = (h + w) % 256
    inside = (u >= 5) & (v >= 5) & (u < width - 5) & (v < height - 5)
    return np.where(inside, a, 0) / 255.0


def weights(path):
    out = {}
    with h5py.File(path, "r") as f:
        def visit(name, item):
            if isinstance(item, h5py.Dataset):
                layer = [p for p in name.split("/") if p.startswith("block")][-1].split("_W")[0].split("_b_")[0]
                layer = "_".join(layer.split("_")[:2])
                out.setdefault(layer, {})["w" if item.ndim == 4 else "b"] = np.asarray(item, np.float64)
        f.visititems(visit)
    out["block1_conv1"]["w"] = out["block1_conv1"]["w"][:, :, ::-1]  # blue first -> red first
    return out


def small():
    """The stack of one grey plane with fixed numbers: as weights()."""
    channels, n_in, params = {"1": 16, "2": 32, "3": 48, "4": 64}, 1, []
    for layer in LAYERS:
        if layer != "P":
            n_out = channels[layer[5]]
            params += [{"name": layer + "/weight", "shape": [n_out, n_in, 3, 3]}, {"name": layer + "/bias", "shape": [n_out]}]
            n_in = n_out
    made = {name: value.numpy().astype(np.float64) for name, value in fixed_params({"params": params}).items()}
    return {layer: {"w": made[layer + "/weight"].transpose(2, 3, 1, 0), "b": made[layer + "/bias"]} for layer in LAYERS if layer != "P"}


def planes(net, grey):
    return np.repeat(grey[..., None], net["block1_conv1"]["w"].shape[2], 2)


def conv(x, w, b):
    """x [h, w, c]; 3 x 3, zeros beyond."""
    p = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    y = sum(p[i:i + x.shape[0], j:j + x.shape[1]] @ w[i, j] for i in range(3) for j in range(3))
    return y + b


def features(net, grey, normalise=None):
    x = planes(net, grey)
    if normalise == "imagenet":
        x = (x - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    out = {}
    for layer in LAYERS:
        if layer == "P":
            h, w = x.shape[0] // 2, x.shape[1] // 2
            x = x[:2 * h, :2 * w].reshape(h, 2, w, 2, -1).max((1, 3))
        else:
            before = conv(x, net[layer]["w"], net[layer]["b"])
            x = np.maximum(before, 0)
            out[layer] = (before, x)
    return [out[name] for name in TAKEN]


def enlarge(small, shape, unit, bilinear):
    h, w = shape
    if not bilinear:
        return small[np.minimum(np.arange(h) // unit, small.shape[0] - 1)[:, None], np.minimum(np.arange(w) // unit, small.shape[1] - 1)]
    y = np.clip((np.arange(h) + 0.5) / unit - 0.5, 0, small.shape[0] - 1)
    x = np.clip((np.arange(w) + 0.5) / unit - 0.5, 0, small.shape[1] - 1)
    return ndi.map_coordinates(small, np.meshgrid(y, x, indexing="ij"), order=1, mode="nearest")


def maps(net, sources, after, bilinear, normalise=None):
    f = [features(net, s, normalise) for s in sources]
    result = []
    for level in range(4):
        a = [np.abs(one[level][1 if after else 0].max(2)) for one in f]
        total = sum(a)
        share = [np.where(total > 1e-12, x / np.where(total > 1e-12, total, 1), 1 / len(a)) for x in a]
        result.append([enlarge(s, sources[0].shape, 2 ** level, bilinear) for s in share])
    return result  # [level][source]


def ssim(a, b):
    return structural_similarity(a, b, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)


def fuse_chosen(w, sources, levels, renormalise):
    ws = [w[level][s] for s, level in enumerate(levels)]
    total = sum(ws) if renormalise else 1
    return [x * s / total for x, s in zip(ws, sources)]


def vgg_ssim(w, sources, renormalise, combinations=False):
    scores = [[ssim(w[level][s] * x, x) for level in range(4)] for s, x in enumerate(sources)]
    levels = [int(np.argmax(s)) for s in scores]
    if combinations:
        best = {}
        for r in range(4):
            for s in range(4):
                parts = fuse_chosen(w, sources, (r, s), renormalise)
                best[(r, s)] = ssim(parts[0], sources[0]) + ssim(parts[1], sources[1])
        levels = list(max(best, key=best.get))
    return sum(fuse_chosen(w, sources, levels, renormalise)), levels


def box(a, radius):
    return ndi.uniform_filter(a, 2 * radius + 1, mode="reflect")


def guided(guide, p, radius, eps):
    mi, mp = box(guide, radius), box(p, radius)
    a = (box(guide * p, radius) - mi * mp) / (box(guide * guide, radius) - mi * mi + eps)
    return box(a, radius) * guide + box(mp - a * mi, radius)


def two_scale(net, sources):
    base = [box(s, 22) for s in sources]
    detail = [s - b for s, b in zip(sources, base)]
    sal = []
    for s in sources:
        v = np.floor(s * 255 + 0.5).astype(int)
        h = np.bincount(v.ravel(), minlength=256) / v.size
        sal.append((h[None, :] * np.abs(np.arange(256)[:, None] - np.arange(256)[None])).sum(1)[v] + 1e-12)
    wb = [guided(s, x / sum(sal), 45, 0.01) for s, x in zip(sources, sal)]
    wb = [x / sum(wb) for x in wb]
    f = []
    for d in detail:
        y = np.maximum(conv(planes(net, d), net["block1_conv1"]["w"], net["block1_conv1"]["b"]), 0).sum(2)
        f.append(np.exp((y - y.min()) / (y.max() - y.min())))
    total = sum(f) + 1e-5
    return np.clip(sum(w * b for w, b in zip(wb, base)) + sum(x / total * d for x, d in zip(f, detail)), 0, 1)


def shearlets(x):
    """Low band and list of directional bands, coarse to fine; window and directions by level."""
    taps = np.array([-1, 0, 9, 16, 9, 0, -1]) / 32
    v = lambda t: t ** 4 * (35 - 84 * t + 70 * t ** 2 - 20 * t ** 3)
    low, bands = x, []
    for j, (n, size) in enumerate([(16, 16), (16, 16), (8, 8), (8, 8)]):
        spread = np.zeros(6 * 2 ** j + 1)
        spread[::2 ** j] = taps
        coarser = ndi.correlate1d(ndi.correlate1d(low, spread, 1, mode="reflect"), spread, 0, mode="reflect")
        level, low = low - coarser, coarser
        f = np.fft.fftfreq(size, 1 / size)
        theta = np.arctan2(f[:, None], f[None, :])
        wide = np.pad(level, size, mode="symmetric")
        made = []
        for k in range(n):
            apart = np.abs(theta - k * np.pi / n) % np.pi
            t = np.minimum(apart, np.pi - apart) * n / np.pi
            share = np.where(t < 1, np.cos(np.pi / 2 * v(np.minimum(t, 1))) ** 2, 0)
            share[0, 0] = 1 / n
            h = np.fft.fftshift(np.fft.ifft2(share).real)
            # h's middle is at size / 2: true convolution by shifted sums
            out = np.zeros_like(level)
            for q in range(size):
                for p in range(size):
                    dy, dx = size - (q - size // 2), size - (p - size // 2)
                    out += h[q, p] * wide[dy:dy + level.shape[0], dx:dx + level.shape[1]]
            made.append(out)
        bands = made + bands
    return low, bands


def low_activity(x):
    p = np.pad(x, 1, mode="symmetric")
    at = lambda dy, dx: p[1 + dy:1 + dy + x.shape[0], 1 + dx:1 + dx + x.shape[1]]
    eml = sum(w * np.abs(2 * x - at(-a, -b) - at(a, b)) for a, b, w in
              [(0, 1, 1), (1, 0, 1), (1, 1, 2 ** -.5), (-1, 1, 2 ** -.5)])
    b = np.outer([1, 2, 1], [1, 2, 1]) / 16
    return ndi.correlate(x * x, b, mode="reflect") * ndi.correlate(eml, b, mode="reflect")


def otsu(a, most):
    counts = np.bincount(np.minimum(a / most * 256, 255).astype(int).ravel(), minlength=256).astype(float)
    best, at = -1, []
    for t in range(255):
        w0, w1 = counts[:t + 1].sum(), counts[t + 1:].sum()
        if w0 and w1:
            d = (counts[:t + 1] * np.arange(t + 1)).sum() / w0 - (counts[t + 1:] * np.arange(t + 1, 256)).sum() / w1
            between = w0 * w1 * d * d
            if between > best * (1 + 1e-12):
                best, at = between, [t]
            elif between >= best * (1 - 1e-12):
                at.append(t)
    return most * (at[len(at) // 2 if len(at) % 2 else (len(at) - 1) // 2] + 1) / 256


def pulses(x):
    s = np.abs(x)
    most, spread = s.max(), s.std()
    if most < 1e-9 or spread < 1e-9:
        return np.zeros(x.shape)
    threshold = otsu(s, most)
    af = np.log10(1 / spread)
    linking, pulse = (most / threshold - 1) / 6, np.exp(-af) + most / threshold
    m = (1 - np.exp(-3 * af)) / (1 - np.exp(-af)) + (most / threshold - 1) * np.exp(-af)
    ae = np.log(pulse / (threshold * m))
    w = np.array([[.5, 1, .5], [1, 0, 1], [.5, 1, .5]])
    u, y, e, t = np.zeros(x.shape), np.zeros(x.shape), np.ones(x.shape), np.zeros(x.shape)
    for _ in range(110):
        u = np.exp(-af) * u + s * (1 + linking * ndi.correlate(y, w, mode="constant"))
        y = (u > e).astype(float)
        e = np.exp(-ae) * e + pulse * y
        t += y
    return t


def papcnn(sources):
    made = [shearlets(s) for s in sources]
    pick = lambda planes, scores: np.choose(np.argmax(scores, 0), planes)
    low = pick([m[0] for m in made], [low_activity(m[0]) for m in made])
    high = [pick([m[1][b] for m in made], [pulses(m[1][b]) for m in made]) for b in range(48)]
    return np.clip(low + sum(high), 0, 1)


def largest(w, sources):
    return np.max([sum(a * b for a, b in zip(w[level], sources)) for level in range(4)], axis=0)


def row(name, method, fused, levels=()):
    flat = fused.ravel()
    numbers = [flat[(n * 7919) % flat.size] for n in range(24)] + [flat.mean()]
    code = sum((level + 1) * 10 ** n for n, level in enumerate(reversed(levels)))
    print('    { "%s", "%s", %d, { %s } },' % (name, method, code, ", ".join("%.9g" % x for x in numbers)))


def main():
    from skimage.io import imread
    net = weights(sys.argv[1])
    part = lambda name: imread(os.path.join(sys.argv[2], name + ".png"))[80:168, 60:156] / 255.0
    groups = {"made": [made(61, 53, 1), made(61, 53, 2)], "three": [made(40, 44, s) for s in (1, 2, 3)],
              "CT-MRI/16009_MRI CT-MRI/16009_CT": [part("CT-MRI/16009_MRI"), part("CT-MRI/16009_CT")]}
    print("// SPDX-License-Identifier: Apache-2.0")
    print("// Made by make-fusion-numbers.py. 24 pixels and the mean; levels as digits.")
    print("// clang-format off")
    print("static const struct { const char *pair, *method; int levels; double numbers[25]; } fused_numbers[] = {")
    for name, sources in groups.items():
        row(name, "average", sum(sources) / len(sources))
        row(name, "nsst-papcnn", papcnn(sources))
        row(name, "two-scale", two_scale(net, sources))
        after = maps(net, sources, True, True)
        row(name, "vgg19-ssim", *vgg_ssim(after, sources, True))
        row(name, "vgg19-ssim raw", *vgg_ssim(after, sources, False))
        if len(sources) == 2:
            row(name, "vgg19-ssim pairs", *vgg_ssim(after, sources, True, True))
        row(name, "vgg19-ssim imagenet", *vgg_ssim(maps(net, sources, False, True, "imagenet"), sources, True))
        w = maps(net, sources, False, False)
        row(name, "vgg19-max", largest(w, sources))
        stack = small()
        row(name, "small two-scale", two_scale(stack, sources))
        row(name, "small vgg19-ssim", *vgg_ssim(maps(stack, sources, True, True), sources, True))
        row(name, "small vgg19-max", largest(maps(stack, sources, False, False), sources))
    print("};")
    print("// clang-format on")


main()
