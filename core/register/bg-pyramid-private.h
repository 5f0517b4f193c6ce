// SPDX-License-Identifier: Apache-2.0
// Volumes at coarser and coarser spacings, in float32.
#pragma once

#include "core/base/bg-progress.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

#define BG_PYRAMID_MAX_LEVELS 8

/**
 * BgPyramidLevel:
 * @geometry: voxel centres of blocks lie in the middle of what they are the mean of
 * @values: owned: x fastest; not-a-number became the volume's least value
 */
typedef struct {
    BgGeometry geometry;
    float *values;
} BgPyramidLevel;

/**
 * BgPyramid:
 * @levels: the finest first
 * @low, @high: the 0.1 and 99.9 percentiles of the finest level
 */
typedef struct {
    int n_levels;
    BgPyramidLevel levels[BG_PYRAMID_MAX_LEVELS];
    float low, high;
} BgPyramid;

/**
 * bg_pyramid_new:
 * @finest_mm: blocks of the finest level are about that large; 0: the volume's own voxels
 * @coarsest_mm: each level is twice as coarse until the next would be beyond this
 *
 * Means of whole blocks of voxels: what lies beyond the last whole block is left out.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgPyramid *bg_pyramid_new(BgVolume *volume, double finest_mm, double coarsest_mm,
                          GCancellable *cancellable, GError **error);
void bg_pyramid_free(BgPyramid *pyramid);

/** bg_pyramid_level_spacing_mm: the geometric mean of the three */
double bg_pyramid_level_spacing_mm(const BgPyramidLevel *level);

/** bg_pyramid_level_sample: trilinear at voxel coordinates; %FALSE outside of the outer centres */
gboolean bg_pyramid_level_sample(const BgPyramidLevel *level, BgVec3 voxel, float *value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgPyramid, bg_pyramid_free)

G_END_DECLS
