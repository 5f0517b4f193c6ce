// SPDX-License-Identifier: Apache-2.0
// How several segmentations do together, and slice by slice: numbers and drawings.
#pragma once

#include "bg-label-metrics.h"

G_BEGIN_DECLS

/**
 * BgSummary: of the finite of some numbers; quartiles linear between ranks (numpy's)
 * @n: how many were finite; all others NaN when that is 0
 */
typedef struct {
    gsize n;
    double mean, least, q1, median, q3, most;
} BgSummary;

BgSummary bg_summary(const double *values, gsize n);

/**
 * bg_slice_dice:
 * @pred, @truth: on one grid
 * @dice: (out caller-allocates): one number a slice along k: NaN where both are empty
 *
 * Returns: %FALSE with %BG_ERROR_MISMATCH
 */
gboolean bg_slice_dice(BgLabelMap *pred, BgLabelMap *truth, const BgLabelRegion *region,
                       double *dice, GError **error);

/**
 * bg_plot_boxes:
 * @names: of @n boxes
 * @unit: below the axis
 *
 * A box from quartile to quartile, the median's line, whiskers to the least and the largest.
 *
 * Returns: (transfer full): SVG, the axis from 0 to @top
 */
char *bg_plot_boxes(const char *const *names, const BgSummary *boxes, gsize n, const char *unit,
                    double top);

/**
 * bg_plot_slices:
 * @series: @n_series arrays of @n numbers of 0..1; gaps where not a number
 *
 * Returns: (transfer full): SVG: one line a series over the slices
 */
char *bg_plot_slices(const char *const *names, const double *const *series, gsize n_series,
                     gsize n);

G_END_DECLS
