#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Files that write-files.c makes, read by VTK, Pillow, OpenCV and h5py: TAP on stdout.

check-files.py WRITER"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import cv2
    import h5py
    import numpy as np
    import vtkmodules.all as vtk
    from PIL import Image
    from vtkmodules.util.numpy_support import vtk_to_numpy
except ImportError as missing:
    print(f"1..0 # SKIP {missing}")
    sys.exit(0)

tests = []
PROVENANCE = {"command": "mesh", "note": "Größe"}
RINGS, SIDES = 31, 48


def check(name, ok, detail=""):
    tests.append(ok)
    print(f"{'ok' if ok else 'not ok'} {len(tests)} {name} {detail}")


def ellipsoid():
    """The same formula as new_ellipsoid(), in float64: triangles as (n, 3, 3)."""
    ring, side = np.meshgrid(np.arange(RINGS), np.arange(SIDES), indexing="ij")
    lift = np.pi * (0.5 - (1 + ring) / (RINGS + 1))
    turn = 2 * np.pi * side / SIDES
    n = np.stack([np.cos(lift) * np.cos(turn), np.cos(lift) * np.sin(turn), np.sin(lift)], -1)
    n = np.concatenate([n.reshape(-1, 3), [[0, 0, 1], [0, 0, -1]]])
    return n * [10, 5, 2.5] + [21, -30, 7]


points = ellipsoid()


def hull_volume_area():
    """Of the same polyhedron, as a stack of frusta made of its own rings."""
    rings = points[:-2].reshape(RINGS, SIDES, 3)
    stack = [np.repeat(points[-2:-1], SIDES, 0), *rings, np.repeat(points[-1:], SIDES, 0)]
    volume = area = 0.0
    for upper, lower in zip(stack, stack[1:]):
        for s in range(SIDES):
            a, b, c, d = upper[s], lower[s], lower[(s + 1) % SIDES], upper[(s + 1) % SIDES]
            for t in ((a, b, c), (a, c, d)):
                volume += np.dot(t[0] - points.mean(0), np.cross(t[1] - points.mean(0), t[2] - points.mean(0))) / 6
                area += np.linalg.norm(np.cross(t[1] - t[0], t[2] - t[0])) / 2
    return volume, area


VOLUME, AREA = hull_volume_area()


def measure(polydata):
    triangles = vtk.vtkTriangleFilter()
    triangles.SetInputData(polydata)
    triangles.Update()
    out = triangles.GetOutput()
    mass = vtk.vtkMassProperties()
    mass.SetInputData(out)
    p = vtk_to_numpy(out.GetPoints().GetData()).astype(float)
    t = vtk_to_numpy(out.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    c = p[t] - p.mean(0)
    signed = np.einsum("ij,ij->i", c[:, 0], np.cross(c[:, 1], c[:, 2])).sum() / 6
    return mass.GetVolume(), mass.GetSurfaceArea(), signed, p.min(0), p.max(0), out.GetNumberOfCells()


def check_surface(name, polydata, ras=False, scale=1.0):
    volume, area, signed, low, high, n = measure(polydata)
    want_low, want_high = points.min(0), points.max(0)
    if ras:
        want_low, want_high = (np.array([-want_high[0], -want_high[1], want_low[2]]),
                               np.array([-want_low[0], -want_low[1], want_high[2]]))
    close = lambda a, b: abs(a - b) <= 1e-4 * abs(b)
    check(f"{name}: volume", close(volume, VOLUME * scale**3), f"{volume} {VOLUME}")
    check(f"{name}: outwards", close(signed, VOLUME * scale**3), f"{signed}")
    check(f"{name}: area", close(area, AREA * scale**2), f"{area} {AREA}")
    check(f"{name}: place", np.allclose(low, want_low * scale, atol=1e-3 * scale) and
          np.allclose(high, want_high * scale, atol=1e-3 * scale), f"{low} {high}")
    check(f"{name}: triangles", n == 2 * SIDES * RINGS, f"{n}")


def read(reader, path):
    reader.SetFileName(str(path))
    reader.Update()
    return reader.GetOutput()


def check_glb(path, ras):
    reader = vtk.vtkGLTFReader()
    reader.SetFileName(str(path))
    reader.Update()
    flat = vtk.vtkCompositeDataGeometryFilter()
    flat.SetInputData(reader.GetOutput())
    flat.Update()
    # In metres; left, superior, anterior are x, y, z, whichever space the file is in.
    turn = vtk.vtkTransform()
    turn.SetMatrix([1, 0, 0, 0, 0, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1])
    back = vtk.vtkTransformPolyDataFilter()
    back.SetInputData(flat.GetOutput())
    back.SetTransform(turn)
    back.Update()
    check_surface(path.name, back.GetOutput(), scale=1e-3)
    data = path.read_bytes()
    n = int.from_bytes(data[12:16], "little")
    tree = json.loads(data[20:20 + n])
    check(f"{path.name}: length", int.from_bytes(data[8:12], "little") == len(data))
    check(f"{path.name}: frame", tree["asset"]["extras"]["frame"] ==
          ("SPACE=RAS UNIT=mm" if ras else "SPACE=LPS UNIT=mm"))
    check(f"{path.name}: provenance", json.loads(tree["asset"]["extras"]["provenance"]) == PROVENANCE)
    want = points.min(0) if not ras else [-points.max(0)[0], -points.max(0)[1], points.min(0)[2]]
    check(f"{path.name}: bounds", np.allclose(tree["accessors"][0]["min"], want, atol=1e-4))


def labels_of(array):
    values, counts = np.unique(vtk_to_numpy(array), return_counts=True)
    half = SIDES + 2 * SIDES * (RINGS // 2)
    return dict(zip(values.tolist(), counts.tolist())) == {3: half, 7: 2 * SIDES * RINGS - half}


def check_meshes(folder):
    check_surface("binary.stl", read(vtk.vtkSTLReader(), folder / "binary.stl"))
    check_surface("text.stl", read(vtk.vtkSTLReader(), folder / "text.stl"))
    check_surface("ras.stl", read(vtk.vtkSTLReader(), folder / "ras.stl"), ras=True)
    header = (folder / "binary.stl").read_bytes()[:80]
    check("binary.stl: header", not header.startswith(b"solid") and b"SPACE=LPS UNIT=mm" in header)
    parts = [read(vtk.vtkSTLReader(), folder / f"split-{n}.stl").GetNumberOfCells() for n in (3, 7)]
    check("split.stl: two files", sum(parts) == 2 * SIDES * RINGS and min(parts) > 1000, f"{parts}")
    check_surface("binary.ply", read(vtk.vtkPLYReader(), folder / "binary.ply"))
    check_surface("text.ply", read(vtk.vtkPLYReader(), folder / "text.ply"))
    check_surface("plain.ply", read(vtk.vtkPLYReader(), folder / "plain.ply"), ras=True)
    check_surface("groups.obj", read(vtk.vtkOBJReader(), folder / "groups.obj"))
    check_surface("ras.obj", read(vtk.vtkOBJReader(), folder / "ras.obj"), ras=True)
    check_glb(folder / "groups.glb", False)
    check_glb(folder / "ras.glb", True)
    out = read(vtk.vtkPolyDataReader(), folder / "groups.vtk")
    check_surface("groups.vtk", out)
    check("groups.vtk: labels", labels_of(out.GetCellData().GetArray("label")))
    names = out.GetFieldData().GetAbstractArray("label_names")
    check("groups.vtk: names", [names.GetValue(i) for i in range(4)] == ["3", "upper half", "7", "lower"])
    text = out.GetFieldData().GetAbstractArray("provenance").GetValue(0)
    check("groups.vtk: provenance", json.loads(text) == PROVENANCE)
    n, p = (vtk_to_numpy(a).astype(float) for a in (out.GetPointData().GetNormals(), out.GetPoints().GetData()))
    q = (p - [21, -30, 7]) / [100, 25, 6.25]
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    check("groups.vtk: normals", np.abs(n - q).max() < 1e-4)
    away = out.GetPointData().GetArray("distance_mm")
    check("groups.vtk: distances", away is not None and np.abs(vtk_to_numpy(away) - (p[:, 0] - 21)).max() < 1e-5)
    head, body = (folder / "text.ply").read_text(encoding="utf-8").split("end_header\n")
    columns = [line.split()[2] for line in head.split("\n") if line.startswith("property float")]
    rows = np.array([line.split() for line in body.split("\n")[:len(p)]], float)
    check("text.ply: distances", columns[-1] == "distance_mm" and rows.shape[1] == len(columns) and
          np.abs(rows[:, -1] - (rows[:, 0] - 21)).max() < 1e-5)
    check_surface("ras.vtk", read(vtk.vtkPolyDataReader(), folder / "ras.vtk"), ras=True)


def check_pictures(folder):
    v, u, c = np.meshgrid(np.arange(23), np.arange(37), np.arange(4), indexing="ij")
    eight = ((7 * u + 13 * v + 50 * c) % 256).astype(np.uint8)
    deep = ((eight.astype(int) * 257 + u) & 0xFFFF).astype(np.uint16)
    for channels in range(1, 5):
        image = Image.open(folder / f"{channels}-8.png")
        check(f"{channels}-8.png: pixels",
              np.array_equal(np.array(image).reshape(23, 37, -1), eight[..., :channels]), image.mode)
        text = image.text
        check(f"{channels}-8.png: texts", json.loads(text["provenance"]) == PROVENANCE and
              text["Software"] == "bregma" and text["note"] == "Größe")
        check(f"{channels}-8.png: sRGB and dpi", "srgb" in image.info and
              abs(image.info["dpi"][0] - 300) < 0.1)
        if channels == 2:
            continue  # neither program reads grey + alpha of 16 bits
        pixels = cv2.imread(str(folder / f"{channels}-16.png"), cv2.IMREAD_UNCHANGED).reshape(23, 37, -1)
        if channels >= 3:
            pixels = pixels[..., [2, 1, 0, 3][:channels]]
        check(f"{channels}-16.png: pixels", np.array_equal(pixels, deep[..., :channels]))


def check_volume(folder):
    with h5py.File(folder / "volume.h5") as f:
        k, j, i = np.meshgrid(np.arange(103), np.arange(101), np.arange(97), indexing="ij")
        data = f["/volume"]
        check("volume.h5: values", data.dtype == np.float32 and
              np.array_equal(data[...], (i + 100 * j + 3000 * k).astype(np.float32)))
        check("volume.h5: packed", data.compression == "gzip" and data.chunks[0] < 103)
        check("volume.h5: matrix", np.array_equal(data.attrs["patient_from_voxel"], [
            [-0.9, 0.3, 0.25, 10.5], [0.1, 1.4, 0.1, -20.25], [0.2, -0.2, 3.1, 1e-3], [0, 0, 0, 1]]))
        check("volume.h5: facts", data.attrs["modality"] == "MR" and
              json.loads(f.attrs["provenance"]) == PROVENANCE)


with tempfile.TemporaryDirectory() as name:
    written = subprocess.run([sys.argv[1], name], check=False)
    check("written", written.returncode == 0)
    if written.returncode == 0:
        check_meshes(Path(name))
        check_pictures(Path(name))
        check_volume(Path(name))
print(f"1..{len(tests)}")
