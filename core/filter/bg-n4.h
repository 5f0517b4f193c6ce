// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"
#include "core/volume/bg-label-map.h"

G_BEGIN_DECLS

#define BG_N4_MAX_LEVELS 8

/**
 * BgN4Params:
 * @mask: (nullable): of the volume's grid: voxels that are not 0 are looked at; else those over
 *   Otsu's threshold. Values of 0 and below never are
 * @shrink: of every that many voxels along an axis one is looked at, 1..16; less along axes with
 *   thick slices or few
 * @n_levels: 1..BG_N4_MAX_LEVELS: the B-spline mesh is 1 cell an axis, then doubled
 * @iterations: at most so many at each level, each 0..1000
 * @threshold: a level ends when the coefficient of variation of the field's change is at most that
 * @fwhm: of the field's distribution, in logarithms
 * @noise: of the Wiener filter
 * @n_bins: of the histogram, 16..4096
 */
typedef struct {
    BgLabelMap *mask;
    int shrink;
    int n_levels;
    int iterations[BG_N4_MAX_LEVELS];
    double threshold;
    double fwhm;
    double noise;
    int n_bins;
} BgN4Params;

/** bg_n4_params_default: shrink 4, four levels of 50, 0.001, 0.15, 0.01, 200: as published */
BgN4Params bg_n4_params_default(void);

/**
 * BgN4Report: of each level: how many iterations, and the last change's coefficient of variation
 */
typedef struct {
    int iterations[BG_N4_MAX_LEVELS];
    double change[BG_N4_MAX_LEVELS];
    gsize n_points;
} BgN4Report;

/**
 * bg_n4:
 * @field: (out) (optional) (transfer full): float32: what the values were divided by
 * @report: (out) (optional)
 *
 * Takes the smooth shading of an MR picture away: N4, Tustison et al., IEEE Trans. Medical Imaging
 * 29(6), 2010. The histogram of logarithms is sharpened (Sled et al. 1998), what that takes away is
 * fitted by cubic B-splines over the whole grid (Lee, Wolberg and Shin 1997), and so on.
 *
 * Returns: (transfer full): float32 values over the field; or %NULL with %BG_ERROR_INVALID (a
 *   parameter out of range, fewer than 16 points, all of one value), %BG_ERROR_MISMATCH (the mask's
 *   grid), %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgVolume *bg_n4(BgVolume *volume, const BgN4Params *params, BgVolume **field, BgN4Report *report,
                const BgProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
