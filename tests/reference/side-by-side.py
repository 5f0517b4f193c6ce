#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bregma-cli beside pydicom, nibabel and dcm2niix: what each makes of the same files.

usage: side-by-side.py BREGMA_CLI DATA_FOLDER [-v]

Prints a table of agreements and differences, a line each file or series and other program (with -v;
without it the agreements are counted only), and ends with status 1 when a difference is not one of
those that docs/side-by-side.md explains. Needs python3-pydicom, python3-nibabel, python3-gdcm,
python3-opencv, dcm2niix.

Values are compared voxel by voxel: with pydicom in the file's own order (modality LUT and rescaling
applied), with nibabel by index and affine, with dcm2niix at the same place in the patient.
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings

import cv2
import nibabel
import numpy as np
import pydicom
from pydicom.pixel_data_handlers.util import apply_modality_lut, convert_color_space

warnings.simplefilter("ignore")
CLI, DATA = sys.argv[1], os.path.abspath(sys.argv[2])
VERBOSE = "-v" in sys.argv
RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])

# Files, and words of the difference -> the row of docs/side-by-side.md that explains it.
EXPLAINED = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                        "side-by-side.json"), encoding="utf-8"))


class Unreadable(Exception):
    pass


def cli(*args):
    done = subprocess.run([CLI, "--json", *args], capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0:
        raise Unreadable(done.stderr.strip().split(": ", 2)[-1])
    return json.loads(done.stdout)


def ours(path, folder, series=None, as_is=False):
    """Facts, and values [frame, k, j, i] or a picture [v, u, channel]."""
    which = [f"--series={series}"] if series else []
    info = cli("info", path, *which)
    if info["kind"] == "image":
        out = os.path.join(folder, "ours.png")
        made = cli("convert", path, out, "--force", *which)
        pictures = [cv2.imread(name, cv2.IMREAD_UNCHANGED) for name in made["files"]]
        return info, np.stack([p[..., ::-1] if p.ndim == 3 else p for p in pictures])
    out = os.path.join(folder, "ours.npy")
    cli("convert", path, out, "--force", *which)
    values = np.load(out)
    return info, values if values.ndim == 4 else values[None]


def by_frame(data, pixels):
    """Slope and intercept of each frame (C.7.6.16.2.9), in the order of their places."""
    pixels = pixels.reshape((-1,) + pixels.shape[-2:]).astype(float)
    places = []
    for number, item in enumerate(data.PerFrameFunctionalGroupsSequence):
        for group in (item, data.get("SharedFunctionalGroupsSequence", [{}])[0]):
            if "PixelValueTransformationSequence" in group:
                scale = group.PixelValueTransformationSequence[0]
                pixels[number] = pixels[number] * float(scale.RescaleSlope) + float(scale.RescaleIntercept)
                break
        if "PlanePositionSequence" in item:
            places.append(np.array(item.PlanePositionSequence[0].ImagePositionPatient, float))
    if len(places) == len(pixels) > 1:
        group = next(g for g in (data.PerFrameFunctionalGroupsSequence[0],
                                 data.get("SharedFunctionalGroupsSequence", [{}])[0])
                     if "PlaneOrientationSequence" in g)
        along = np.array(group.PlaneOrientationSequence[0].ImageOrientationPatient, float)
        pixels = pixels[np.argsort(np.array(places) @ np.cross(along[:3], along[3:]), kind="stable")]
    return pixels


def untile(data, pixels, n):
    """Siemens' mosaic: its @n tiles one behind the other; bits that are not stored are none."""
    if "MOSAIC" not in data.get("ImageType", []) or pixels.ndim != 2:
        return None
    unused = 64 - data.BitsStored
    pixels = pixels.astype(np.uint64) << np.uint64(unused)
    pixels = pixels.view(np.int64) if data.PixelRepresentation else pixels
    pixels = pixels >> pixels.dtype.type(unused)
    side = int(np.ceil(np.sqrt(n)))
    rows, columns = (size // side for size in pixels.shape)
    tiles = pixels.reshape(side, rows, side, columns).swapaxes(1, 2).reshape(-1, rows, columns)
    return tiles[:n]


def theirs_dicom(path):
    """pydicom's pixels, rescaled; colour as RGB."""
    data = pydicom.dcmread(path, force=True)
    if "FloatPixelData" in data or "DoubleFloatPixelData" in data or "PixelData" in data:
        pixels = data.pixel_array
    else:
        raise Unreadable("no pixels")
    if data.get("SamplesPerPixel", 1) > 1:
        # JPEG 2000 undoes RCT and ICT itself.
        if data.PhotometricInterpretation in ("YBR_FULL", "YBR_FULL_422"):
            pixels = convert_color_space(pixels, data.PhotometricInterpretation, "RGB")
        return data, pixels
    if data.PhotometricInterpretation == "PALETTE COLOR":
        return data, pydicom.pixel_data_handlers.util.apply_color_lut(pixels, data)
    if data.get("Modality") == "SEG":
        return data, pixels
    if "DoseGridScaling" in data:
        return data, pixels * float(data.DoseGridScaling)
    if "PerFrameFunctionalGroupsSequence" in data:
        return data, by_frame(data, pixels)
    if "ModalityLUTSequence" in data or "RescaleSlope" in data:
        return data, apply_modality_lut(pixels, data)
    return data, pixels


def compare(a, b, step=0.0):
    """@step: what decoders may differ by"""
    if a.shape != b.shape:
        return f"shape: {a.shape} beside {b.shape}"
    a, b = a.astype(np.float64), b.astype(np.float64)
    apart = np.abs(a - b)
    limit = step + 2e-6 * (float(np.nanmax(np.abs(b))) if b.size else 1.0)
    if np.array_equal(np.isnan(a), np.isnan(b)) and (b.size == 0 or not np.nanmax(apart) > limit):
        return ""
    return f"values: {100.0 * np.mean(apart > limit):.3g} % differ, by {np.nanmax(apart):.4g} at most"


def beside_pydicom(path, folder):
    try:
        data, expected = theirs_dicom(path)
        their_reason = ""
    except Exception as reason:  # pydicom raises many kinds
        expected, their_reason = None, str(reason).split("\n", maxsplit=1)[0][:80] or type(reason).__name__
    try:
        info, got = ours(path, folder)
    except Unreadable as reason:
        return "" if expected is None else f"only pydicom reads it: {str(reason)[-110:]}"
    if expected is None:
        return f"only bregma reads it: pydicom: {their_reason}"
    tiles = untile(data, expected, got.shape[-3])
    if tiles is not None:
        # Tiles go along the normal or against it: our slices lie in its sense.
        return min((compare(got[0], order) for order in (tiles, tiles[::-1])), key=len)
    if info["kind"] == "labels":
        got = (got > 0).astype(np.uint8)
    expected = expected.reshape((-1,) + expected.shape[-3:] if info["kind"] == "image"
                                else (-1,) + expected.shape[-2:]) if expected.ndim > 1 else expected
    got = got if info["kind"] == "image" else got.reshape((-1,) + got.shape[-2:])
    if info["kind"] == "image" and got.dtype != expected.dtype:
        expected = expected >> (8 * (expected.dtype.itemsize - got.dtype.itemsize))
    if info["kind"] == "image" and any("ossy" in word for word in info["warnings"]):
        return compare(got, expected, step=3)
    if info["kind"] != "image" and expected.ndim == 4:
        return f"shape: luminance {got.shape} beside colour {expected.shape}"
    return compare(got, expected)


def place_of(data):
    row, column = (np.array(data.ImageOrientationPatient[s:s + 3], float) for s in (0, 3))
    return np.array(data.ImagePositionPatient, float), row * data.PixelSpacing[1], \
        column * data.PixelSpacing[0]


def beside_sheared(files, info, values):
    """A tilted gantry's slices, each moved along its columns: linear between two rows of pydicom's."""
    affine = np.array(info["affine"]).reshape(4, 4)
    n_same = 0
    for path in files:
        data, pixels = theirs_dicom(path)
        origin, along_i, along_j = place_of(data)
        k = int(round((np.linalg.inv(affine) @ np.append(origin, 1.0))[2]))
        ours_origin = affine[:3, 3] + k * affine[:3, 2]
        from_origin = np.linalg.lstsq(np.stack([along_i, along_j], 1), ours_origin - origin, rcond=None)[0]
        off = np.abs(origin + from_origin[0] * along_i + from_origin[1] * along_j - ours_origin).max()
        if off > 0.08 and is_resampled(info):
            continue
        if off > 0.08 or abs(from_origin[0]) > 1e-3:
            return f"place: {os.path.basename(path)} is {off:.3g} mm off slice {k}"
        rows = np.arange(values.shape[2]) + from_origin[1]
        below = np.floor(rows + 1e-9).astype(int)
        share = (rows - below)[:, None]
        inside = (below >= 0) & (below < data.Rows - 1)
        below = np.where(inside, below, 0)
        expected = pixels[below] * (1.0 - share) + pixels[below + 1] * share
        apart = np.abs(values[0, k] - expected)[inside].max()
        if apart > 0.51:  # whole numbers
            return f"values: {os.path.basename(path)} differs by {apart:.4g}"
        n_same += 1
    return "" if 2 * n_same >= len(files) else f"place: {n_same} of {len(files)} slices are on the grid"


def is_resampled(info):
    return any("missing" in word or "uneven" in word for word in info["warnings"])


def beside_pydicom_series(files, info, values):
    """Each file's slice, found by its place, in our volume."""
    if any("antry" in word for word in info["warnings"]):
        return beside_sheared(files, info, values)
    inverse = np.linalg.inv(np.array(info["affine"]).reshape(4, 4))
    n_same = 0
    for path in files:
        data, pixels = theirs_dicom(path)
        origin, along_i, along_j = place_of(data)
        corners = [origin, origin + along_i * (data.Columns - 1), origin + along_j * (data.Rows - 1)]
        index = [(inverse @ np.append(corner, 1.0))[:3] for corner in corners]
        wanted = [(0, 0), (data.Columns - 1, 0), (0, data.Rows - 1)]
        k = int(round(index[0][2]))
        if is_resampled(info) and abs(index[0][2] - k) > 0.02:
            continue
        if max(np.abs(np.append(found[:2], found[2]) - np.append(want, k)).max()
               for found, want in zip(index, wanted)) > 0.01:
            return f"place: {os.path.basename(path)} is {np.round(index[0], 3)} voxels off the grid"
        limit = 0.0
        if pixels.ndim == 3:
            pixels, limit = pixels @ np.array([0.2126, 0.7152, 0.0722]), 0.51
        if not any(compare(frame[k], pixels, limit) == "" for frame in values if 0 <= k < frame.shape[0]):
            return f"values: {os.path.basename(path)} is not slice {k}"
        n_same += 1
    return "" if n_same else "nothing to compare"


def world_values(image, points_lps):
    """A NIfTI's values at places of the patient, where they are voxel centres; else NaN."""
    inverse = np.linalg.inv(RAS_FROM_LPS @ image.affine)
    index = points_lps @ inverse[:3, :3].T + inverse[:3, 3]
    near = np.rint(index)
    data = np.asanyarray(image.dataobj)
    while data.ndim < 3:
        data = data[..., None]
    inside = (np.abs(index - near).max(-1) < 0.02) & (near >= 0).all(-1) & \
        (near < np.array(data.shape[:3])).all(-1)
    near = np.where(inside[..., None], near, 0).astype(int)
    found = data[near[..., 0], near[..., 1], near[..., 2]]
    if found.dtype.names:
        found = sum(found[name].astype(float) * weight for name, weight in
                    zip(found.dtype.names, (0.2126, 0.7152, 0.0722)))
    found = found.astype(float)
    found[~inside] = np.nan
    return found


def beside_dcm2niix(path, info, values, folder):
    out = os.path.join(folder, "dcm2niix")
    subprocess.run(["rm", "-rf", out], check=True)
    os.makedirs(out)
    told = subprocess.run(["dcm2niix", "-b", "n", "-z", "n", "-f", "%s_%q_%t_%e", "-o", out, path],
                          capture_output=True, text=True, check=False, timeout=300)
    made = sorted(glob.glob(os.path.join(out, "*.nii")))
    if not made:
        said = [line for line in told.stdout.splitlines() if re.search("warn|error|unsupp|skip", line, re.I)]
        return "only bregma reads it: dcm2niix: " + (said[0] if said else "no volume")[:90]
    shape = values.shape[1:]
    affine = np.array(info["affine"]).reshape(4, 4)
    k, j, i = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    points = np.stack([i, j, k], -1) @ affine[:3, :3].T + affine[:3, 3]
    reasons = []
    for name in made:
        image = nibabel.load(name)
        found = world_values(image, points)
        n_frames = found.shape[3] if found.ndim == 4 else 1
        found = found[..., None] if found.ndim == 3 else found
        if np.isnan(found).mean() > 0.01:
            reasons.append(f"place: {100.0 * np.isnan(found).mean():.3g} % of the voxels are not in "
                           f"{os.path.basename(name)}")
            continue
        if n_frames != values.shape[0]:
            reasons.append(f"frames: {values.shape[0]} beside {n_frames}")
        scale = max(1.0, np.nanmax(np.abs(found)))
        limit = 0.51 if image.get_data_dtype().names else 1e-4 * scale  # luminance in whole numbers
        apart = [np.nanmax(np.abs(values[f] - found[..., f])) for f in range(min(n_frames, len(values)))]
        if max(apart) <= limit:
            return "" if n_frames == values.shape[0] else reasons[-1]
        if n_frames == values.shape[0] and n_frames < 20 and all(
                any(np.nanmax(np.abs(one - found[..., f])) <= limit for f in range(n_frames)) for one in values):
            return "order: the same frames, in another order"
        slopes = [np.nanmax(values[0]) / max(1e-9, np.nanmax(found[..., 0]))]
        reasons.append(f"values: differ by {max(apart):.4g} of {scale:.4g} (ratio {slopes[0]:.5g})")
    return min(reasons, key=len)


def beside_nibabel(path, folder):
    try:
        image = nibabel.load(path)
        expected = np.asanyarray(image.dataobj)
    except Exception as reason:
        expected, their_reason = None, str(reason).split("\n", maxsplit=1)[0][:80]
    try:
        info, got = ours(path, folder)
    except Unreadable as reason:
        return "" if expected is None else f"only nibabel reads it: {str(reason)[-110:]}"
    if expected is None:
        return f"only bregma reads it: nibabel: {their_reason}"
    while expected.ndim < 3:
        expected = expected[..., None]
    if expected.dtype.names:
        colours = [expected[name].astype(float) for name in expected.dtype.names[:3]]
        expected = 0.2126 * colours[0] + 0.7152 * colours[1] + 0.0722 * colours[2]
    if np.iscomplexobj(expected):
        expected = np.abs(expected)
    expected = expected.reshape(expected.shape[:3] + (-1,), order="F")
    affine = RAS_FROM_LPS @ image.affine
    mine = np.array(info["affine"]).reshape(4, 4)
    if isinstance(image, (nibabel.minc1.Minc1Image, nibabel.minc2.Minc2Image)):
        # Time first, then from the slowest axis to the fastest: the other way round.
        values = np.asanyarray(image.dataobj)
        expected = (values if values.ndim == 4 else values[None]).transpose(3, 2, 1, 0)
        affine = affine[:, [2, 1, 0, 3]]
    apart = np.abs(mine - affine).max()
    difference = compare(got, expected.transpose(3, 2, 1, 0))
    if difference:
        return difference
    return f"place: the affines differ by {apart:.4g} mm" if apart > 1e-3 else ""


def is_dicom(path):
    with open(path, "rb") as file:
        head = file.read(132)
    return head[128:] == b"DICM" or path.endswith(".dcm")


class Table:
    def __init__(self):
        self.counts, self.unexplained = {}, 0

    def add(self, path, other, difference):
        name = os.path.relpath(path, DATA)
        count = self.counts.setdefault(other, {"same": 0, "explained": 0, "not explained": 0})
        row = next((row["id"] for row in EXPLAINED if row["with"] == other and
                    re.search(row["file"], name) and re.search(row["difference"], difference)), None)
        kind = "same" if not difference else "explained" if row else "not explained"
        count[kind] += 1
        self.unexplained += kind == "not explained"
        if difference or VERBOSE:
            print(f"{name[-58:]:58} {other:9} {'same' if not difference else row or 'NOT EXPLAINED':14} "
                  f"{difference}", flush=True)

    def end(self):
        print(f"\n{'beside':10} {'same':>6} {'explained':>10} {'not explained':>14}")
        for other, count in self.counts.items():
            print(f"{other:10} {count['same']:6} {count['explained']:10} {count['not explained']:14}")
        return 1 if self.unexplained else 0


def series_folders(top):
    for folder, _, names in sorted(os.walk(top)):
        files = sorted(os.path.join(folder, n) for n in names)
        files = [f for f in files if is_dicom(f)]
        if len(files) > 0 and os.path.basename(folder) not in ("dicom_misc", "dicom_ts", "qa_ts",
                                                               "qa_12bit", "ct_all_ts", "dicomdirtests"):
            yield folder, files


def compare_series(table, folder, files, scratch):
    listed = cli("info", folder)["series"]
    for one in listed:
        if one["kind"] != "volume" or not one["loadable"]:
            continue
        try:
            info, values = ours(folder, scratch, series=one["key"])
        except Unreadable as reason:
            table.add(folder, "dcm2niix", f"bregma cannot read it: {reason}")
            continue
        first = pydicom.dcmread(files[0], stop_before_pixels=True)
        if len(listed) == 1 and "PixelSpacing" in first and "MOSAIC" not in first.get("ImageType", []):
            table.add(folder, "pydicom", beside_pydicom_series(files, info, values))
        table.add(folder, "dcm2niix", beside_dcm2niix(folder, info, values, scratch))


def main():
    table = Table()
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("dicom_misc", "dicom_ts"):
            for path in sorted(glob.glob(os.path.join(DATA, name, "**"), recursive=True)):
                if os.path.isfile(path) and is_dicom(path) and "DICOMDIR" not in path:
                    table.add(path, "pydicom", beside_pydicom(path, scratch))
        for top in ("dicom_series", "ct", "dicom_misc/dicomdirtests"):
            for folder, files in series_folders(os.path.join(DATA, top)):
                compare_series(table, folder, files, scratch)
        for path in sorted(glob.glob(os.path.join(DATA, "**"), recursive=True)):
            if re.search(r"(\.nii|\.nii\.gz|\.hdr|\.hdr\.gz|\.mgz|\.mgh|\.mnc|\.par|\.PAR|\.HEAD)$", path):
                table.add(path, "nibabel", beside_nibabel(path, scratch))
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
