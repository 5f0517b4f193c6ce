// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-resample-plan.h"

G_BEGIN_DECLS

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
