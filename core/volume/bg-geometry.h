// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-affine.h"

G_BEGIN_DECLS

#define BG_VOLUME_MAX_DIM 65535

/**
 * BgGeometry:
 * @dims: voxels along i, j, k; each in 1..BG_VOLUME_MAX_DIM
 * @patient_from_voxel: voxel coordinates (of voxel centres: 0, 0, 0 is the centre of the first
 *   voxel) to LPS millimetres. May be oblique and sheared
 *
 * Where a grid lies in the patient. A plain value: copy it freely.
 */
typedef struct {
    int dims[3];
    BgAffine patient_from_voxel;
} BgGeometry;

/** bg_geometry_new_regular: an axis-aligned grid (i to the left, j posterior, k superior), centred on 0 */
BgGeometry bg_geometry_new_regular(const int dims[3], BgVec3 spacing_mm);

/**
 * bg_geometry_check:
 *
 * Returns: %FALSE with %BG_ERROR_CORRUPT when a dimension is out of range, or the affine is
 *   singular (|det| <= 1e-12 mm^3) or not finite, or voxels are less than 1e-9 or more than 1e6 mm
 *   apart, or 1e9 mm away; the message names the value
 */
gboolean bg_geometry_check(const BgGeometry *geometry, GError **error);

/** bg_geometry_count_voxels: Returns: nx*ny*nz, or 0 if that is not 1..G_MAXSIZE */
gsize bg_geometry_count_voxels(const BgGeometry *geometry);

/** bg_geometry_spacing_mm: the lengths of the affine's columns */
BgVec3 bg_geometry_spacing_mm(const BgGeometry *geometry);

/** bg_geometry_direction: @axis: 0..2; Returns: the unit vector, LPS, along which that index grows */
BgVec3 bg_geometry_direction(const BgGeometry *geometry, int axis);

/** bg_geometry_origin_mm: the centre of voxel 0, 0, 0, LPS */
BgVec3 bg_geometry_origin_mm(const BgGeometry *geometry);

/** bg_geometry_centre_mm: the middle of the grid, LPS */
BgVec3 bg_geometry_centre_mm(const BgGeometry *geometry);

/** bg_geometry_voxel_from_patient: the inverse; @geometry has passed bg_geometry_check() */
BgAffine bg_geometry_voxel_from_patient(const BgGeometry *geometry);

/**
 * bg_geometry_axes:
 * @patient_axis: (out): for each voxel axis the patient axis (0 = L/R, 1 = P/A, 2 = S/I) that it
 *   is assigned to, each once: the assignment with the largest sum of |cosines|
 * @sign: (out): +1 where the index grows to L, P, S, -1 where it grows to R, A, I
 */
void bg_geometry_axes(const BgGeometry *geometry, int patient_axis[3], int sign[3]);

/**
 * bg_geometry_axis_code:
 * @code: (out): three letters and a NUL: the patient direction in which i, j, k grow, nibabel's
 *   convention ("LPS" is DICOM axial); the closest axes when oblique
 */
void bg_geometry_axis_code(const BgGeometry *geometry, char code[4]);

/** bg_geometry_voxel_volume_mm3: |det|, right for sheared grids too */
double bg_geometry_voxel_volume_mm3(const BgGeometry *geometry);

/**
 * bg_geometry_bounds_mm:
 * @low, @high: (out): the LPS box around the eight outer corners (-0.5 .. n-0.5)
 */
void bg_geometry_bounds_mm(const BgGeometry *geometry, BgVec3 *low, BgVec3 *high);

/** bg_geometry_shear_deg: Returns: the largest deviation of two axes from 90 degrees */
double bg_geometry_shear_deg(const BgGeometry *geometry);

/** bg_geometry_obliquity_deg: Returns: the largest angle of an axis to its patient axis */
double bg_geometry_obliquity_deg(const BgGeometry *geometry);

/**
 * bg_geometry_share_within:
 *
 * How much of @geometry lies in @other, by a lattice of at most 32 x 32 x 32 points, outer halves of
 * voxels included.
 *
 * Returns: 0..1; exactly 0 only where the two surely have nothing in common
 */
double bg_geometry_share_within(const BgGeometry *geometry, const BgGeometry *other);

/** bg_geometry_equal: same dims, and no corner voxel further apart than @tolerance_mm */
gboolean bg_geometry_equal(const BgGeometry *a, const BgGeometry *b, double tolerance_mm);

G_END_DECLS
