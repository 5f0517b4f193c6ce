#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the volume, the longest diameter, the longest diameter within one axial slice and the longest
across it (within 5 degrees), as test-label-clean.c states them, of label 1 of an axial .nrrd.
Brute force over the convex hull (the longest) and over all pairs (the one across).
Usage: label-diameters.py brain1_label.nrrd"""
import gzip
import sys

import numpy as np
from scipy.spatial import ConvexHull
from scipy.spatial.distance import cdist, pdist


def read_nrrd(path):
    head, body = open(path, "rb").read().split(b"\n\n", 1)
    fields = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line and line[0] != "#")
    sizes = [int(x) for x in fields["sizes"].split()]
    axes = np.array([[float(x) for x in row.strip("()").split(",")] for row in fields["space directions"].split()])
    voxels = np.frombuffer(gzip.decompress(body), {"int": "<i4", "short": "<i2", "uchar": "u1"}[fields["type"]])
    return voxels.reshape(sizes[::-1]).transpose(2, 1, 0), axes


def half_ways(mask, axes, along):
    """In mm: half-way between a voxel inside and its neighbour outside, along the axes named."""
    padded = np.pad(mask, 1)
    points = []
    for a in along:
        step = np.zeros(3)
        step[a] = 0.5
        for side in (1, -1):
            edge = padded & ~np.roll(padded, -side, a)
            points.append(np.argwhere(edge) - 1.0 + side * step)
    return np.concatenate(points) @ axes


def main():
    labels, axes = read_nrrd(sys.argv[1])
    mask = labels == 1
    points = half_ways(mask, axes, (0, 1, 2))
    hull = points[ConvexHull(points).vertices]
    print("volume_ml   %.12f" % (mask.sum() * abs(np.linalg.det(axes)) / 1000.0))
    print("diameter_mm %.12f" % pdist(hull).max())
    best = (0.0, 0, None)
    for k in range(mask.shape[2]):
        if mask[:, :, k].any():
            p = half_ways(mask[:, :, k:k + 1], axes, (0, 1))
            d = cdist(p, p)
            if d.max() > best[0]:
                best = (d.max(), k, (p, d))
    longest, k, (p, d) = best
    a, b = np.unravel_index(d.argmax(), d.shape)
    along = (p[b] - p[a]) / longest
    vectors = p[None, :, :] - p[:, None, :]
    across = np.abs(vectors @ along) <= np.sin(np.radians(5.0)) * d
    print("rano_slice  %d\nrano_long_mm  %.12f\nrano_short_mm %.12f" % (k, longest, d[across].max()))


if __name__ == "__main__":
    main()
