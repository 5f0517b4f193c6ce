// SPDX-License-Identifier: Apache-2.0
// A part of a grid: what of a volume that does not fit into memory is read.
#pragma once

#include "core/volume/bg-label-map.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/**
 * BgLoadPart:
 * @first, @last: voxel indices i, j, k of the whole grid, both inside the part
 * @step: every how manyth voxel from @first on is taken, along each axis: 1 for all of them; 0 along
 *   i: the whole grid, whatever the rest says
 *
 * Voxels are picked, not averaged: each is one of the file's own, at its own place.
 */
typedef struct {
    int first[3], last[3];
    int step[3];
} BgLoadPart;

/** bg_load_part_is_whole: whether nothing is left out of @dims */
gboolean bg_load_part_is_whole(const BgLoadPart *part, const int dims[3]);

/** bg_load_part_all: Returns: all of @dims, in steps of 1 */
BgLoadPart bg_load_part_all(const int dims[3]);

/** bg_load_part_check: Returns: %FALSE with %BG_ERROR_INVALID when it is empty or reaches outside */
gboolean bg_load_part_check(const BgLoadPart *part, const int dims[3], GError **error);

/**
 * bg_load_part_dims:
 * @part: a good one of @dims
 * @part_dims: (out): how many voxels it has along each axis; may be @dims itself
 */
void bg_load_part_dims(const BgLoadPart *part, const int dims[3], int part_dims[3]);

/** bg_load_part_geometry: the grid of @part of @whole: each voxel stays where it is in the patient */
BgGeometry bg_load_part_geometry(const BgLoadPart *part, const BgGeometry *whole);

/**
 * bg_load_part_pick:
 * @slice: columns x rows of the whole grid's slice, x fastest
 * @size: bytes of a voxel
 * @out: the part's columns and rows of it
 */
void bg_load_part_pick(const BgLoadPart *part, const int dims[3], gconstpointer slice, gsize size,
                       gpointer out);

/**
 * bg_load_part_cut:
 * @part: a good one of their grid
 * @volume, @labels: (inout) (nullable): each is let go and replaced
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY
 */
gboolean bg_load_part_cut(const BgLoadPart *part, BgVolume **volume, BgLabelMap **labels,
                          GError **error);

G_END_DECLS
