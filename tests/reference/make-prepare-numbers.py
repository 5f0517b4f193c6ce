#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes prepare-numbers.h: normalisation, non-local means, parts and holes as numpy and scipy.ndimage compute
them of the small volume that test-prepare.c makes by the same formula. Usage: make-prepare-numbers.py > prepare-numbers.h"""
import numpy as np
import scipy
from scipy import ndimage as ndi

NX, NY, NZ = 19, 17, 11
PATCH, SEARCH, SIGMA, STRENGTH = 1, 2, 9.0, 0.8


def volume():
    k, j, i = np.mgrid[0:NZ, 0:NY, 0:NX].astype(np.int64)
    noise = (i * 7919 + j * 104729 + k * 1299709 + i * j * k * 31) % 41
    return (noise + np.where((i - 9) ** 2 + (j - 8) ** 2 < 30, 200, 0) + 3 * k).astype(np.float64)


def mask():
    k, j, i = np.mgrid[0:NZ, 0:NY, 0:NX].astype(np.int64)
    speck = (i * 37 + j * 101 + k * 53 + i * j * 7 + j * k * 11) % 10
    return (speck < 4) | ((np.abs(i - 9) + np.abs(j - 8) + np.abs(k - 5) < 7) & (speck < 8))


def show(name, a):
    flat = np.asarray(a, np.float64).ravel()
    at = [(n * 7919) % flat.size for n in range(32)]
    print("static const double %s[32] = { %s };" % (name, ", ".join("%.12g" % flat[x] for x in at)))
    print("static const double %s_sum = %.12g;" % (name, flat.sum()))


def zscore(v, among):
    return (v - among.mean()) / among.std()


def clipped(v, among):
    low, high = np.percentile(among, (2.0, 97.0))
    return zscore(np.clip(v, low, high), np.clip(among, low, high))


def nlm(v):
    pad = PATCH + SEARCH
    p = np.pad(v, pad, mode="symmetric")
    total, weights = np.zeros_like(v), np.zeros_like(v)
    size = 2 * PATCH + 1

    def at(dk, dj, di):
        return p[pad + dk - PATCH:pad + dk + NZ + PATCH, pad + dj - PATCH:pad + dj + NY + PATCH, pad + di - PATCH:pad + di + NX + PATCH]
    here = at(0, 0, 0)
    for dk in range(-SEARCH, SEARCH + 1):
        for dj in range(-SEARCH, SEARCH + 1):
            for di in range(-SEARCH, SEARCH + 1):
                there = at(dk, dj, di)
                w = np.lib.stride_tricks.sliding_window_view((here - there) ** 2, (size,) * 3)
                d2 = w.mean(axis=(3, 4, 5))
                f = np.exp(-np.maximum(d2 - 2 * SIGMA ** 2, 0) / (STRENGTH * SIGMA) ** 2)
                total += f * there[PATCH:-PATCH, PATCH:-PATCH, PATCH:-PATCH]
                weights += f
    return total / weights


def main():
    v, m = volume(), mask()
    print("// SPDX-License-Identifier: Apache-2.0")
    print("// Made by make-prepare-numbers.py with numpy %s, scipy %s." % (np.__version__, scipy.__version__))
    print("// clang-format off")
    show("reference_minmax", (v - v.min()) / (v.max() - v.min()))
    show("reference_zscore", zscore(v, v))
    show("reference_clipped", clipped(v, v))
    show("reference_masked", np.where(m, clipped(v, v[m]), 0))
    show("reference_slices", np.stack([clipped(s, s) for s in v]))
    show("reference_nlm", nlm(v))
    for connectivity, rank in ((6, 1), (18, 2), (26, 3)):
        labels, n = ndi.label(m, ndi.generate_binary_structure(3, rank))
        sizes = np.bincount(labels.ravel())[1:]
        print("static const int reference_parts_%d[3] = { %d, %d, %d }; // parts, largest, of under 3 voxels" % (connectivity, n, sizes.max(), (sizes < 3).sum()))
    print("static const int reference_filled = %d;" % ndi.binary_fill_holes(m).sum())
    ball = np.sqrt(sum((np.arange(-3, 4).reshape(s) * w) ** 2 for s, w in (((-1, 1, 1), 2.0), ((1, -1, 1), 1.0), ((1, 1, -1), 1.5)))) <= 3.0
    print("static const int reference_dilated = %d;" % ndi.binary_dilation(m[:, ::-1] & (v > 180), ball).sum())
    print("static const int reference_eroded = %d;" % ndi.binary_erosion(~(m & (v > 215)), ball, border_value=1).sum())
    print("// clang-format on")


main()
