#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The numbers in tests/unit/test-mesh-tools.c: VTK's windowed sinc on a bumpy torus.

Made with VTK 9.1 (Debian python3-vtk9). Prints positions of some vertices after 20 passes."""
import numpy as np
import vtkmodules.all as vtk
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

NU, NV = 48, 24


def torus():
    """Vertex u * NV + v; the same formula as make_torus() in the test."""
    u, v = np.meshgrid(np.arange(NU), np.arange(NV), indexing="ij")
    a, b = 2 * np.pi * u / NU, 2 * np.pi * v / NV
    n = (u * NV + v).astype(np.float64)
    r = 8 + 0.5 * np.sin(37.0 * n)
    p = np.stack([(20 + r * np.cos(b)) * np.cos(a), (20 + r * np.cos(b)) * np.sin(a), r * np.sin(b)], -1)
    u1, v1 = (u + 1) % NU, (v + 1) % NV
    a, b, c, d = u * NV + v, u1 * NV + v, u1 * NV + v1, u * NV + v1
    t = np.stack([a, b, c, a, c, d], -1).reshape(-1, 3)
    return p.reshape(-1, 3).astype(np.float32), t


def polydata(p, t):
    pd, points, cells = vtk.vtkPolyData(), vtk.vtkPoints(), vtk.vtkCellArray()
    points.SetData(numpy_to_vtk(p, deep=1))
    cells.SetData(numpy_to_vtkIdTypeArray(np.arange(0, 3 * len(t) + 1, 3, dtype=np.int64), deep=1),
                  numpy_to_vtkIdTypeArray(t.ravel().astype(np.int64), deep=1))
    pd.SetPoints(points)
    pd.SetPolys(cells)
    return pd


def measures(pd):
    m = vtk.vtkMassProperties()
    m.SetInputData(pd)
    return m.GetVolume(), m.GetSurfaceArea()


pd = polydata(*torus())
print("before: volume %.9g area %.9g" % measures(pd))
f = vtk.vtkWindowedSincPolyDataFilter()
f.SetInputData(pd)
f.SetNumberOfIterations(20)
f.SetPassBand(0.1)
f.NormalizeCoordinatesOn()
f.FeatureEdgeSmoothingOff()
f.BoundarySmoothingOff()
f.Update()
print("after:  volume %.9g area %.9g" % measures(f.GetOutput()))
p = vtk_to_numpy(f.GetOutput().GetPoints().GetData())
for i in range(0, len(p), 97):
    print("    { %d, { %.6f, %.6f, %.6f } }," % (i, *p[i]))


def at_zero(n_passes, pass_band):
    """What VTK's filter does to a constant: Hamming window, widened until the pass band is let through."""
    theta, n = np.arccos(1 - pass_band / 2), np.arange(1, n_passes + 1)
    for wide in np.arange(theta, np.pi, 1e-4):
        c = (0.54 + 0.46 * np.cos(n * np.pi / (n_passes + 1))) * 2 * np.sin(n * wide) / (n * np.pi)
        if wide / np.pi + (c * np.cos(n * theta)).sum() >= 1:
            return wide / np.pi + c.sum()


print("f(0) = %.7f" % at_zero(20, 0.1))
