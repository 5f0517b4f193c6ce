#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes filter-numbers.h: what scipy.ndimage and numpy compute from a small volume that
test-filter.c makes by the same formula. Each result as 64 voxels and the sums of all voxels and of
their squares. Usage: make-filter-numbers.py > filter-numbers.h"""
import numpy as np
import scipy
from scipy import ndimage as ndi

DIMS = (23, 19, 17)  # x, y, z
TARGET = (29, 18, 21)
# Voxels of the source from voxels of the target: turned, sheared, scaled, partly outside.
MAP = np.array([[0.81, 0.23, -0.11, -2.30003], [-0.17, 1.12, 0.07, 1.40007], [0.09, -0.05, 0.77, 0.60011]])
SIGMA = (2.0, 1.3, 3.1)  # voxels along x, y, z
PERCENTS = (0.0, 0.1, 12.5, 50.0, 77.7, 99.9, 100.0)


def volume():
    k, j, i = np.mgrid[0:DIMS[2], 0:DIMS[1], 0:DIMS[0]].astype(np.int64)
    return (((i * 7919 + j * 104729 + k * 1299709 + i * j * k * 31) % 1009) - 300 + 12 * i).astype(np.int16)


def show(name, a):
    a = np.asarray(a, np.float64)
    flat = a.ravel()
    at = [(n * 7919) % flat.size for n in range(64)]
    print("static const double %s[64] = {" % name)
    for n in range(0, 64, 4):
        print("    " + " ".join("%.17g," % flat[x] for x in at[n:n + 4]))
    print("};")
    print("static const double %s_sum = %.17g;" % (name, flat.sum()))
    print("static const double %s_squares = %.17g;" % (name, (flat * flat).sum()))


def numbers(name, values):
    print("static const double %s[] = { %s };" % (name, ", ".join("%.17g" % x for x in values)))


def main():
    v = volume()
    f = v.astype(np.float64)
    print("// SPDX-License-Identifier: Apache-2.0")
    print("// Made by make-filter-numbers.py with scipy %s, numpy %s." % (scipy.__version__, np.__version__))
    print("// clang-format off")
    numbers("reference_map", MAP.ravel())
    numbers("reference_sigma", SIGMA)
    numbers("reference_percents", PERCENTS)
    numbers("reference_percentiles", np.percentile(f, PERCENTS))
    numbers("reference_percentiles_nonzero", np.percentile(f[f != 0], PERCENTS))
    numbers("reference_statistics", (f.min(), f.max(), f.mean(), f.sum(), f.std()))
    numbers("reference_histogram", np.histogram(f, 13, (-250.3, 700.9))[0])
    show("reference_gaussian", ndi.gaussian_filter(f, SIGMA[::-1], mode="reflect", truncate=4.0))
    show("reference_median1", ndi.median_filter(v, 3, mode="reflect"))
    show("reference_median2", ndi.median_filter(v, 5, mode="reflect"))

    k, j, i = np.mgrid[0:TARGET[2], 0:TARGET[1], 0:TARGET[0]]
    at = [MAP[r, 0] * i + MAP[r, 1] * j + MAP[r, 2] * k + MAP[r, 3] for r in range(3)]
    inside = np.ones(i.shape, bool)
    for r in range(3):
        inside &= (at[r] >= -0.5) & (at[r] <= DIMS[r] - 0.5)
    # No position lies on a face or half-way between voxels, where rounding would decide.
    for r in range(3):
        assert np.abs(at[r] - np.floor(at[r]) - 0.5).min() > 1e-9
    near = [np.clip(np.floor(a + 0.5).astype(int), 0, n - 1) for a, n in zip(at, DIMS)]
    show("reference_nearest", np.where(inside, v[near[2], near[1], near[0]], -5.0))
    for name, order, mode in (("linear", 1, "nearest"), ("cubic", 3, "mirror")):
        r = ndi.map_coordinates(f, at[::-1], order=order, mode=mode)
        show("reference_" + name, np.where(inside, r, -5.0))
    print("// clang-format on")


main()
