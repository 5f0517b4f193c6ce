// SPDX-License-Identifier: Apache-2.0
// The walk of a picture's rows through a grid, for the sources beside this one.
#pragma once

#include "core/cast/bg-slice.h"

/** BgSliceWalk: a frame in voxel coordinates: origin, and steps a pixel and a millimetre of normal */
typedef struct {
    int dims[3];
    int width;
    double origin[3], step_u[3], step_v[3], step_normal[3];
} BgSliceWalk;

/** BgSliceRow: pixel x of the row is at @at + x * @step; first <= x < last lie inside of the grid */
typedef struct {
    int dims[3];
    double at[3], step[3];
    int first, last;
} BgSliceRow;

void bg_slice_walk_init(BgSliceWalk *walk, const BgGeometry *geometry, const BgSliceFrame *frame);
BgSliceRow bg_slice_walk_row(const BgSliceWalk *walk, double y, double off_mm);

static inline int
bg_slice_nearest(const BgSliceRow *row, int axis, int x)
{
    // The bit more sends a position half way between two voxels the same way in every row.
    int index = (int) (row->at[axis] + x * row->step[axis] + (0.5 + 1e-6));

    return index < 0 ? 0 : index >= row->dims[axis] ? row->dims[axis] - 1 : index;
}

/** BgSliceSampler: what a volume's rows are read with */
typedef struct {
    BgVolume *volume; // borrowed
    BgSliceWalk walk;
    BgSliceSampling sampling;
    double slab_step_mm;
    int n_side; // planes on either side of the middle one
} BgSliceSampler;

void bg_slice_sampler_init(BgSliceSampler *sampler, BgVolume *volume, const BgSliceFrame *frame,
                           const BgSliceSampling *sampling);

/** bg_slice_sampler_row: @scratch: 2 * width */
void bg_slice_sampler_row(const BgSliceSampler *sampler, int y, float *out, float *scratch);
