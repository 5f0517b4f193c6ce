// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-resample-op.h"
#include "core/volume/bg-resample.h"

G_BEGIN_DECLS

/**
 * bg_resample_map:
 *
 * Entries within rounding of a whole number become it, so that a grid resampled onto itself, or
 * onto one that is shifted, flipped or permuted by whole voxels, is copied exactly.
 *
 * Returns: %FALSE with the errors of bg_resample()
 */
gboolean bg_resample_map(const BgGeometry *source, const BgResampleParams *params,
                         BgResampleMap *map, GError **error);

/** bg_resample_fill: Returns: @value as a stored sample of @format, rounded and clamped */
float bg_resample_fill(double value, BgSampleFormat format);

/**
 * bg_resample_linear_row_avx2:
 * @first, @last: target voxels of the row, all of whose eight source voxels exist; for 8-bit
 *   types two more beyond them along x
 * @row: (out): samples first..last-1 are written at their place
 *
 * As bg_resample_linear_*() for each, to rounding. Only with AVX2 and FMA, and for fewer than
 * 2^31 source voxels.
 */
void bg_resample_linear_row_avx2(const BgResampleMap *map, BgSampleType type, gconstpointer samples,
                                 int j, int k, int first, int last, float *row);

G_END_DECLS
