// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/filter/bg-median.h"

G_BEGIN_DECLS

#define BG_MEDIAN_LANES 16 // medians found side by side
#define BG_MEDIAN_CUBE3 27
#define BG_MEDIAN_KEPT3 15 // of 27: one more than half, so that neither end can be the median

/**
 * bg_median_row_avx2:
 * @rows: (2 * radius + 1)^2 rows of keys, from x = -radius, that reach radius beyond the last lane
 * @low, @high: of all keys in them
 * @medians: (out): @n, rounded up to whole lanes
 *
 * Only with AVX2.
 */
void bg_median_row_avx2(const gint32 *const *rows, int radius, int n, gint32 low, gint32 high,
                        gint32 *medians);

G_END_DECLS
