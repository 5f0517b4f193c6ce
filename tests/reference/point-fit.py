#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Numbers for tests/unit/test-point-fit.c: paired-point fits by numpy, scipy and skimage.

Writes point-fit-numbers.h. Run: python3 point-fit.py > point-fit-numbers.h"""
import numpy as np
import scipy
import skimage
from scipy.interpolate import RBFInterpolator
from scipy.spatial.transform import Rotation
from skimage.transform import estimate_transform

rng = np.random.default_rng(20)


def rows(name, a):
    a = np.atleast_2d(np.asarray(a, float))
    body = ",\n".join("    { " + ", ".join(f"{v + 0.0:.12g}" for v in row) + " }" for row in a)
    print(f"static const double {name}[{a.shape[0]}][{a.shape[1]}] = {{\n{body},\n}};\n")


print("// SPDX-License-Identifier: Apache-2.0")
print(f"// Made by point-fit.py: numpy {np.__version__}, scipy {scipy.__version__} and skimage "
      f"{skimage.__version__}.\n// clang-format off\n#pragma once\n")

moving = rng.uniform(-60, 60, (9, 3)).round(3)
fixed = (moving @ Rotation.from_euler("xyz", [20, -35, 50], degrees=True).as_matrix().T * 1.07 + [12, -7, 30]
         + rng.normal(0, 1.5, moving.shape)).round(3)
weights = rng.uniform(0.2, 3, 9).round(3)
rows("fit_moving", moving)
rows("fit_fixed", fixed)
rows("fit_weights", weights)

# Rigid: scipy's Wahba solution on centred vectors, weighted.
for name, w in (("rigid", np.ones(9)), ("rigid_weighted", weights)):
    fc, mc = np.average(fixed, 0, w), np.average(moving, 0, w)
    r, _ = Rotation.align_vectors(fixed - fc, moving - mc, weights=w)
    r = r.as_matrix()
    rows("fit_" + name, np.c_[r, fc - r @ mc])
rows("fit_similarity", estimate_transform("similarity", moving, fixed).params[:3])
design = np.c_[moving, np.ones(9)]
rows("fit_affine", np.linalg.lstsq(design, fixed, rcond=None)[0].T)
w = np.sqrt(weights)[:, None]
rows("fit_affine_weighted", np.linalg.lstsq(design * w, fixed * w, rcond=None)[0].T)

# Splines: scipy's RBF interpolators, kernel r in 3D and r^2 log r in 2D, linear polynomial.
targets = rng.uniform(-70, 70, (4, 3)).round(3)
rows("fit_targets", targets)
rows("fit_tps", RBFInterpolator(moving, fixed, kernel="linear", degree=1)(targets))
rows("fit_tps_left_out", [[np.linalg.norm(
    RBFInterpolator(np.delete(moving, i, 0), np.delete(fixed, i, 0), kernel="linear", degree=1)(moving[i:i + 1])
    - fixed[i]) for i in range(9)]])

flat_m = rng.uniform(0, 600, (8, 2)).round(3)
angle = np.radians(-25)
turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
flat_f = (flat_m @ turn.T * 0.8 + [80, 200] + rng.normal(0, 3, flat_m.shape)).round(3)
flat_targets = rng.uniform(0, 600, (4, 2)).round(3)
rows("flat_moving", flat_m)
rows("flat_fixed", flat_f)
rows("flat_targets", flat_targets)
rows("flat_rigid", estimate_transform("euclidean", flat_m, flat_f).params[:2])
rows("flat_similarity", estimate_transform("similarity", flat_m, flat_f).params[:2])
rows("flat_affine", np.linalg.lstsq(np.c_[flat_m, np.ones(8)], flat_f, rcond=None)[0].T)
rows("flat_tps", RBFInterpolator(flat_m, flat_f, kernel="thin_plate_spline", degree=1)(flat_targets))
rows("flat_tps_left_out", [[np.linalg.norm(
    RBFInterpolator(np.delete(flat_m, i, 0), np.delete(flat_f, i, 0), kernel="thin_plate_spline", degree=1)(
        flat_m[i:i + 1]) - flat_f[i]) for i in range(8)]])
