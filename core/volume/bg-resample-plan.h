// SPDX-License-Identifier: Apache-2.0
// What every implementation of resampling starts from: the CPU's, and the backends'.
#pragma once

#include "core/volume/bg-resample-op.h"
#include "core/volume/bg-resample.h"

G_BEGIN_DECLS

/**
 * BgResamplePlan:
 * @map: where each target voxel lies in the source
 * @to: the format of the result
 * @scales: the result is samples * slope + intercept of the source; else samples as they are
 * @fill: a sample of the result, for voxels outside of the source
 */
typedef struct {
    BgResampleMap map;
    BgSampleFormat to;
    gboolean scales;
    float fill;
} BgResamplePlan;

/**
 * bg_resample_plan_init:
 *
 * Entries of the map within rounding of a whole number become it, so that a grid resampled onto
 * itself, or onto one that is shifted, flipped or permuted by whole voxels, is copied exactly.
 *
 * Returns: %FALSE with the errors of bg_resample()
 */
gboolean bg_resample_plan_init(BgResamplePlan *plan, BgVolume *source,
                               const BgResampleParams *params, GError **error);

/** bg_resample_fill: Returns: @value as a stored sample of @format, rounded and clamped */
float bg_resample_fill(double value, BgSampleFormat format);

G_END_DECLS
