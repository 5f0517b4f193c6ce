#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Numbers for tests/unit/test-landmark-plane.c: plane by numpy's SVD, hull and prism by scipy.

Run: python3 landmark-plane.py > landmark-plane-numbers.h"""
import numpy as np
import scipy
from scipy.spatial import ConvexHull, Delaunay

rng = np.random.default_rng(7)
n = np.array([0.48, -0.36, 0.8])
u = np.cross(n, [0, 0, 1.0])
u /= np.linalg.norm(u)
v = np.cross(n, u)
points = np.array([u * x + v * y + n * z + [20, -10, 35] for x, y, z in
                   zip(rng.uniform(-30, 30, 9), rng.uniform(-18, 18, 9), rng.normal(0, 1, 9))]).round(4)
centre = points.mean(0)
_, s, vt = np.linalg.svd(points - centre)
normal = vt[2] * np.sign(vt[2] @ (-centre))  # towards the origin
flat = points - np.outer((points - centre) @ normal, normal)
a, b = vt[0], vt[1]
hull = ConvexHull(np.c_[(flat - centre) @ a, (flat - centre) @ b])
depth = 15.0
corners = flat[hull.vertices]
solid = Delaunay(np.vstack([corners, corners + depth * normal]))
# Voxels of 1 mm, centred on 0, 120 a side.
axis = np.arange(120) - 59.5
z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
inside = solid.find_simplex(np.c_[x.ravel(), y.ravel(), z.ravel()]) >= 0

print(f"// SPDX-License-Identifier: Apache-2.0\n// Made by landmark-plane.py: numpy {np.__version__}, "
      f"scipy {scipy.__version__}.\n// clang-format off\n#pragma once\n")
print(f"static const double plane_points[9][3] = {{")
for p in points:
    print("    { " + ", ".join(f"{c:.4f}" for c in p) + " },")
print("};")
print("static const double plane_centroid[3] = { " + ", ".join(f"{c:.12g}" for c in centre) + " };")
print("static const double plane_normal[3] = { " + ", ".join(f"{c:.12g}" for c in normal) + " };")
print(f"static const double plane_rms = {s[2] / 3:.12g};")
print(f"static const double plane_condition = {s[0] / s[1]:.12g};")
print(f"static const double hull_area = {hull.volume:.12g};")
print(f"static const int hull_corners = {len(hull.vertices)};")
print(f"static const int prism_voxels = {inside.sum()};")
