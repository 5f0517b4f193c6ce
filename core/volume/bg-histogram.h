// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/volume/bg-volume.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define BG_HISTOGRAM_MAX_BINS 65536

/**
 * BgHistogram:
 * @low, @high: in the volume's unit, low < high. Bin b counts values from
 *   low + b * (high - low) / n_bins up to, but without, the next bin's; the last one also
 *   counts @high itself
 * @counts: (owned): @n_bins numbers
 * @n_below, @n_above: finite and infinite values outside
 *
 * Immutable once built, owned by who has it.
 */
typedef struct {
    double low, high;
    guint n_bins;
    guint64 *counts;
    guint64 n_below, n_above;
    guint64 n_nan;
} BgHistogram;

/**
 * bg_histogram_new:
 * @n_bins: 1..BG_HISTOGRAM_MAX_BINS
 *
 * Counts are exact: the same whatever the number of threads.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID when the range is empty or not finite
 *   or @n_bins is out of range, %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgHistogram *bg_histogram_new(BgVolume *volume, guint n_bins, double low, double high,
                              GCancellable *cancellable, GError **error);
void bg_histogram_free(BgHistogram *histogram);

/**
 * BgHistogram2d:
 * @low, @high: of the values, as in BgHistogram, over @n_values bins
 * @high_gradient: of the gradient's magnitude in the volume's unit a millimetre, over
 *   @n_gradients bins from 0; what is above is counted in the last
 * @counts: (owned): of value bin v and gradient bin g at v + n_values * g
 *
 * Where boundaries between materials show as arches: the background of the editor for
 * transfer functions.
 */
typedef struct {
    double low, high, high_gradient;
    guint n_values, n_gradients;
    guint64 *counts;
} BgHistogram2d;

/**
 * bg_histogram2d_new:
 * @n_values, @n_gradients: 1..1024
 *
 * The gradient is by central differences (one-sided at the faces), in millimetres along the
 * grid's own axes. Values outside of the range and voxels whose gradient is not finite are left
 * out. @high_gradient is set to the largest gradient found.
 *
 * Returns: (transfer full): or %NULL, errors as bg_histogram_new()
 */
BgHistogram2d *bg_histogram2d_new(BgVolume *volume, guint n_values, guint n_gradients, double low,
                                  double high, GCancellable *cancellable, GError **error);
void bg_histogram2d_free(BgHistogram2d *histogram);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgHistogram, bg_histogram_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgHistogram2d, bg_histogram2d_free)

G_END_DECLS
