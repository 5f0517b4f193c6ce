#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes image-metrics.h: what numpy, scipy and scikit-image compute, by their own ways, of the pictures
that test-image-metrics.c makes by the same formula, and of pairs of PNG files in a folder of test data
(fusion2d). Usage: make-image-metrics.py [DATA] > image-metrics.h"""
import os
import sys

import numpy as np
import scipy
import skimage
from scipy import ndimage as ndi
from scipy.optimize import linprog
from scipy.signal import convolve2d
from skimage.color import rgb2lab
from skimage.metrics import structural_similarity

PAIRS = ("CT-MRI/16009_MRI CT-MRI/16009_CT", "CT-MRI/2004_MRI CT-MRI/2004_CT",
         "PET-MRI/25015_MRI PET-MRI/25015_PET", "SPECT-MRI/11010_MRI SPECT-MRI/11010_SPECT")


def made(width, height, seed, channels):
    """uint8 [h, w, c]; smooth waves and a hash, with a black frame of 5 pixels."""
    c, v, u = np.mgrid[0:channels, 0:height, 0:width].astype(np.int64)
    h = (u * 7919 + v * 104729 + c * 15485863 + u * v * 31 + seed * 1299709) % 101
    w = ((u * (3 + seed)) % 64 - 32) ** 2 // 16 + ((v * 5 + 11 * c * seed) % 80 - 40) ** 2 // 16
    a = (h + 40 * c + w) % 256
    inside = (u >= 5) & (v >= 5) & (u < width - 5) & (v < height - 5)
    return np.where(inside, a, 0).astype(np.uint8).transpose(1, 2, 0)


def mixed(a, b):
    return ((3 * a.astype(int) + b) // 4).astype(np.uint8)


def grey(a):
    a = a.astype(np.float64) / 255
    return a[..., 0] if a.shape[2] < 3 else a[..., :3] @ np.array([0.299, 0.587, 0.114])


def ssim(a, b):
    return structural_similarity(a, b, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)


def gaussian_window(n, sigma):
    x = np.arange(n) - (n - 1) / 2
    g = np.exp(-(x[:, None] ** 2 + x[None, :] ** 2) / (2 * sigma * sigma))
    return g / g.sum()


def local(a, w):
    return convolve2d(a, w, mode="valid")


def moments(a, b, w):
    ma, mb = local(a, w), local(b, w)
    return ma, mb, np.maximum(local(a * a, w) - ma * ma, 0), np.maximum(local(b * b, w) - mb * mb, 0), local(a * b, w) - ma * mb


def ms_ssim(a, b):
    weights = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    r = 1.0
    for i, k in enumerate(weights):
        ma, mb, va, vb, c = moments(a, b, gaussian_window(11, 1.5))
        cs = (2 * c + 9e-4) / (va + vb + 9e-4)
        s = cs * (2 * ma * mb + 1e-4) / (ma * ma + mb * mb + 1e-4)
        r *= max(s.mean() if i == 4 else cs.mean(), 0) ** k
        a, b = (np.pad(x, ((0, x.shape[0] % 2), (0, x.shape[1] % 2)), mode="symmetric") for x in (a, b))
        a, b = ((x[0::2, 0::2] + x[1::2, 0::2] + x[0::2, 1::2] + x[1::2, 1::2]) / 4 for x in (a, b))
    return r


def histogram(a):
    rgb = np.repeat(a, 3, 2) if a.shape[2] == 1 else a[..., :3]
    lab = rgb2lab(rgb).reshape(-1, 3)
    return np.histogramdd(lab, (8, 12, 12), ((0, 100), (-86.185, 98.254), (-107.863, 94.482)))[0]


def emd(a, b):
    ha, hb = histogram(a), histogram(b)
    pa, pb = np.argwhere(ha > 0), np.argwhere(hb > 0)
    wa, wb = ha[ha > 0] / ha.sum(), hb[hb > 0] / hb.sum()
    cost = np.sqrt(((pa[:, None] - pb[None]) ** 2).sum(2)) / np.sqrt(49 + 121 + 121)
    n, m = len(pa), len(pb)
    rows = scipy.sparse.kron(scipy.sparse.eye(n), np.ones((1, m)))
    columns = scipy.sparse.kron(np.ones((1, n)), scipy.sparse.eye(m))
    r = linprog(cost.ravel(), A_eq=scipy.sparse.vstack([rows, columns]), b_eq=np.concatenate([wa, wb]), method="highs")
    assert r.status == 0, r.message
    return r.fun


def pair_numbers(a, b):
    fa, fb = a.astype(np.float64) / 255, b.astype(np.float64) / 255
    d = fa - fb
    rmse = np.sqrt((d * d).mean())
    small = min(a.shape[:2]) < 161
    per = np.mean([ssim(fa[..., c], fb[..., c]) for c in range(a.shape[2])])
    return [rmse, np.linalg.norm(d) / np.linalg.norm(fb), np.abs(d).mean(), -20 * np.log10(rmse), ssim(grey(a), grey(b)), per,
            -1 if small else ms_ssim(grey(a), grey(b)), emd(a, b)]


# Fused pictures: levels 0..255.

def levels(g):
    return np.floor(np.clip(g, 0, 1) * 255 + 0.5)


def entropy(*pictures):
    n = np.unique(np.stack([p.ravel() for p in pictures]), axis=1, return_counts=True)[1]
    p = n / n.sum()
    return -(p * np.log2(p)).sum()


def sobel(a):
    k = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], float)
    return ndi.correlate(a, k, mode="nearest"), ndi.correlate(a, k.T, mode="nearest")


def q_g(sources, f):
    fu, fv = sobel(f)
    gf, af = np.hypot(fu, fv), np.where(fu == 0, np.pi / 2, np.arctan(fv / np.where(fu == 0, 1, fu)))
    top = low = 0
    for s in sources:
        su, sv = sobel(s)
        gs, angle = np.hypot(su, sv), np.where(su == 0, np.pi / 2, np.arctan(sv / np.where(su == 0, 1, su)))
        strength = np.minimum(gs, gf) / np.where(np.maximum(gs, gf) == 0, 1, np.maximum(gs, gf))
        turn = np.abs(np.abs(angle - af) - np.pi / 2) / (np.pi / 2)
        q = 0.9994 / (1 + np.exp(-15 * (strength - 0.5))) * 0.9879 / (1 + np.exp(-22 * (turn - 0.8)))
        top, low = top + (q * gs).sum(), low + gs.sum()
    return top / low


def information(a, b):
    return entropy(a) + entropy(b) - entropy(a, b)


def q_ie(pictures):
    n = len(pictures)
    r = np.eye(n)
    for p in range(n):
        for q in range(p):
            r[p, q] = r[q, p] = information(pictures[p], pictures[q]) / 8
    share = np.linalg.eigvalsh(r) / n
    return 1 + (share * np.log2(share) / 8).sum()


def fmi(sources, f):
    total = []
    views = lambda a: np.lib.stride_tricks.sliding_window_view(a, (3, 3)).transpose(0, 1, 3, 2).reshape(-1, 9)

    def describe(w):
        low, high = w.min(1, keepdims=True), w.max(1, keepdims=True)
        p = np.where(high > low, (w - low) / np.where(high > low, high - low, 1), 1.0)
        p /= p.sum(1, keepdims=True)
        i = np.arange(1, 10)
        sd = np.sqrt(np.maximum((p * i * i).sum(1) - (p * i).sum(1) ** 2, 0))
        bits = -(p * np.log2(np.where(p > 0, p, 1))).sum(1)
        return p, np.cumsum(p, 1), sd, bits, (high <= low)[:, 0]
    wf = views(f)
    pf, cf, sf, bf, flat_f = describe(wf)
    for s in sources:
        wa = views(s)
        pa, ca, sa, ba, flat_a = describe(wa)
        da, df = pa - pa.mean(1, keepdims=True), pf - pf.mean(1, keepdims=True)
        den = np.sqrt((da * da).sum(1) * (df * df).sum(1))
        usable = ~flat_a & ~flat_f
        c = np.where(usable, (da * df).sum(1) / np.where(den > 0, den, 1), 0)
        c = np.where(np.abs(c) < 1e-300, 0, c)
        upper = np.minimum(cf[:, :, None], ca[:, None, :])
        lower = np.maximum(cf[:, :, None] + ca[:, None, :] - 1, 0)
        b = np.where((c >= 0)[:, None, None], upper, lower)
        cov = (b - cf[:, :, None] * ca[:, None, :]).sum((1, 2))
        ok = (c != 0) & (sa > 0) & (sf > 0)
        share = np.where(ok, c * sa * sf / np.where(ok, cov, 1), 0)
        joint = np.diff(np.diff(np.pad(b, ((0, 0), (1, 0), (1, 0))), axis=1), axis=2)
        joint = share[:, None, None] * joint + (1 - share)[:, None, None] * pf[:, :, None] * pa[:, None, :]
        bits = -(joint * np.log2(np.where(joint != 0, np.abs(joint), 1))).sum((1, 2))
        mi = ba + bf - bits
        value = np.where(mi == 0, 0, 2 * mi / np.where(ba + bf > 0, ba + bf, 1))
        total.append(np.where((wa == wf).all(1), 1, value).mean())
    return np.mean(total)


def piella(sources, f, index, w):
    m = [moments(s, f, w) for s in sources]
    v = np.stack([x[2] for x in m])
    total = v.sum(0)
    share = np.where(total > 1e-9, v / np.where(total > 1e-9, total, 1), 1 / len(sources))
    q = (share * np.stack([index(*x) for x in m])).sum(0)
    return q.mean(), (q * v.max(0)).sum() / v.max(0).sum()


def universal(ma, mb, va, vb, c):
    means, vars_ = ma * ma + mb * mb, va + vb
    plain = np.where(means > 0, 2 * ma * mb / np.where(means > 0, means, 1), 1)
    return np.where(vars_ > 1e-9, 4 * c * ma * mb / np.where(vars_ > 1e-9, vars_ * means, 1), plain)


def ssim_index(ma, mb, va, vb, c):
    c1, c2 = 2.55 ** 2, 7.65 ** 2
    return (2 * ma * mb + c1) * (2 * c + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))


def viff(sources, f):
    noise, weights, result = 0.005 * 255 * 255, np.array([1, 0, 0.15, 1]) / 2.15, 0
    sources = list(sources)
    for scale in range(4):
        n = 2 ** (4 - scale) + 1
        w = gaussian_window(n, n / 5)
        if scale:
            sources = [local(s, w)[::2, ::2] for s in sources]
            f = local(f, w)[::2, ::2]
        g, kept, every = [], [], []
        for s in sources:
            _, _, vs, vf, c = moments(s, f, w)
            gain = c / (vs + 1e-10)
            rest = vf - gain * c
            flat = vs < 1e-8
            gain, rest, vs = np.where(flat, 0, gain), np.where(flat, vf, rest), np.where(flat, 0, vs)
            gain, rest = np.where(vf < 1e-8, 0, gain), np.where(vf < 1e-8, 0, rest)
            rest, gain = np.where(gain < 0, vf, rest), np.maximum(gain, 0)
            rest = np.maximum(rest, 1e-10)
            g.append(gain)
            kept.append(np.log10(1 + gain ** 2 * vs / (rest + noise)))
            every.append(np.log10(1 + vs / noise))
        first = g[0] < g[1]
        result += weights[scale] * (np.where(first, kept[0], kept[1]) + 1e-7).sum() / (np.where(first, every[0], every[1]) + 1e-7).sum()
    return result


def fusion_numbers(a, b):
    a, b = levels(grey(a).astype(np.float32).astype(np.float64)), levels(grey(b).astype(np.float32).astype(np.float64))
    f = np.floor((a + b) / 2)
    box = np.full((8, 8), 1 / 64)
    q, q_w = piella((a, b), f, universal, box)
    edges = [np.hypot(*sobel(x)) for x in (a, b, f)]
    q_e = q_w * piella(edges[:2], edges[2], universal, box)[1]
    q_s = piella((a, b), f, ssim_index, gaussian_window(11, 1.5))[0]
    r = lambda x, y: np.corrcoef(x.ravel(), y.ravel())[0, 1]
    return [q_g((a, b), f), q_ie((a, b, f)), fmi((a, b), f), q, q_w, q_e, q_s, viff((a, b), f), r(f - b, a) + r(f - a, b),
            entropy(f), information(a, f) + information(b, f)]


def row(name, numbers):
    print("    { \"%s\", { %s } }," % (name, ", ".join("%.12g" % x for x in numbers)))


def main():
    from skimage.io import imread
    print("// SPDX-License-Identifier: Apache-2.0")
    print("// Made by make-image-metrics.py with numpy %s, scipy %s, scikit-image %s." % (np.__version__, scipy.__version__, skimage.__version__))
    print("// clang-format off")
    sizes = ((183, 171, 1), (64, 47, 3))
    print("// rmse relative mae psnr ssim ssim_channels ms_ssim emd; -1: not defined")
    print("static const struct { const char *name; double numbers[8]; } pair_numbers[] = {")
    for w, h, c in sizes:
        a, b = made(w, h, 1, c), made(w, h, 2, c)
        row("%dx%dx%d" % (w, h, c), pair_numbers(a, b))
        row("%dx%dx%d mixed" % (w, h, c), pair_numbers(mixed(a, b), a))
    pairs = []
    if len(sys.argv) > 1:
        for pair in PAIRS:
            files = [imread(os.path.join(sys.argv[1], p + ".png")) for p in pair.split()]
            pairs.append((pair, [x[..., None] if x.ndim == 2 else x for x in files]))
    for name, (a, b) in pairs:
        if a.shape == b.shape:
            row(name, pair_numbers(a, b))
            row(name + " mixed", pair_numbers(mixed(a, b), a))
    print("};")
    print("// q_g q_ie fmi piella piella_weighted piella_edge q_ssim viff scd entropy mutual_information, fused: the mean")
    print("static const struct { const char *name; double numbers[11]; } fusion_numbers[] = {")
    for w, h, c in sizes:
        row("%dx%dx%d" % (w, h, c), fusion_numbers(made(w, h, 1, c), made(w, h, 2, c)))
    for name, (a, b) in pairs:
        row(name, fusion_numbers(a, b))
    print("};")
    print("// clang-format on")


main()
