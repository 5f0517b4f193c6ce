// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"
#include "core/volume/bg-label-map.h"

G_BEGIN_DECLS

typedef enum {
    BG_NORMALIZE_MINMAX,     // (v - min) / (max - min)
    BG_NORMALIZE_ZSCORE,     // (v - mean) / standard deviation of the population
    BG_NORMALIZE_PERCENTILE, // values beyond two percentiles are set to these, then as ZSCORE
    BG_NORMALIZE_MAX,        // v / max
} BgNormalizeMethod;

/**
 * BgNormalizeParams:
 * @mask: (nullable): of the volume's grid: the numbers are those of its voxels that are not 0; the
 *   others become 0
 * @per_slice: each slice along k for itself; else the volume as a whole
 * @low_percent, @high_percent: 0..100, the first smaller; linear between ranks, as numpy's
 */
typedef struct {
    BgNormalizeMethod method;
    BgLabelMap *mask;
    gboolean per_slice;
    double low_percent, high_percent;
} BgNormalizeParams;

/** bg_normalize_params: no mask, the volume as a whole, 0.5 and 99.5 percent */
static inline BgNormalizeParams
bg_normalize_params(BgNormalizeMethod method)
{
    return (BgNormalizeParams){ .method = method, .low_percent = 0.5, .high_percent = 99.5 };
}

/**
 * bg_normalize:
 *
 * Values that are not finite are left out of the numbers and become 0. Where all values are equal
 * there is nothing to divide by: they are only shifted (MINMAX, ZSCORE: to 0).
 *
 * Returns: (transfer full): float32; or %NULL with %BG_ERROR_INVALID (percentages out of order, a
 *   volume or mask without a value), %BG_ERROR_MISMATCH (the mask's grid), %BG_ERROR_NO_MEMORY,
 *   %G_IO_ERROR_CANCELLED
 */
BgVolume *bg_normalize(BgVolume *volume, const BgNormalizeParams *params,
                       const BgProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
