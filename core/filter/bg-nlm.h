// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

#define BG_NLM_MAX_PATCH 3
#define BG_NLM_MAX_SEARCH 10

/**
 * BgNlmParams:
 * @patch_radius: voxels, 0..BG_NLM_MAX_PATCH
 * @search_radius: voxels, 1..BG_NLM_MAX_SEARCH
 * @sigma: of the noise, in the volume's unit; 0: estimated
 * @strength: h is this many sigma, over 0
 */
typedef struct {
    int patch_radius, search_radius;
    double sigma;
    double strength;
} BgNlmParams;

/** bg_nlm_params_default: patches of 3^3, search 7^3, sigma estimated, h 0.8 sigma */
BgNlmParams bg_nlm_params_default(void);

/**
 * bg_nlm:
 * @sigma: (out) (optional): what was used
 *
 * Non-local means (Buades, Coll and Morel 2005): each voxel becomes the mean of those in its search
 * cube, weighed by exp(-max(d2 - 2 sigma^2, 0) / h^2), where d2 is the mean squared difference of the
 * patches around both. Beyond a face the volume goes on mirrored. The noise is estimated as Coupé et
 * al. 2008 do: from the differences to the mean of six neighbours, by their median. A single slice is
 * filtered in two dimensions. Values that are not finite count as 0.
 *
 * Returns: (transfer full): float32; or %NULL with %BG_ERROR_INVALID (a parameter out of range),
 *   %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgVolume *bg_nlm(BgVolume *volume, const BgNlmParams *params, double *sigma,
                 const BgProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
