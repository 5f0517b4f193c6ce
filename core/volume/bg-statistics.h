// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/volume/bg-volume.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BgStatistics:
 * @n: how many voxels are finite; all numbers below are of these alone
 * @n_nan: how many are not a number
 * @n_infinite: how many are plus or minus infinity
 * @min, @max, @mean, @sum: of the values (slope and intercept applied), in double; integer samples
 *   are summed exactly. Not a number (sum: 0) when @n is 0
 * @standard_deviation: of the population (divided by @n)
 *
 * A plain value.
 */
typedef struct {
    gsize n;
    gsize n_nan;
    gsize n_infinite;
    double min, max;
    double mean, sum;
    double standard_deviation;
} BgStatistics;

/**
 * bg_volume_statistics:
 * @statistics: (out caller-allocates): untouched on failure
 *
 * The same bits whatever the number of threads.
 *
 * Returns: %FALSE with %G_IO_ERROR_CANCELLED, or %BG_ERROR_NO_MEMORY
 */
gboolean bg_volume_statistics(BgVolume *volume, BgStatistics *statistics, GCancellable *cancellable,
                              GError **error);

/**
 * BgPercentileOf:
 * @BG_PERCENTILE_OF_ALL: all finite voxels
 * @BG_PERCENTILE_OF_NONZERO: those whose value is not exactly 0: leaves out the background of a
 *   masked MRI
 */
typedef enum {
    BG_PERCENTILE_OF_ALL,
    BG_PERCENTILE_OF_NONZERO,
} BgPercentileOf;

/**
 * bg_volume_percentiles:
 * @percents: @n numbers in 0..100, in any order
 * @n: 1..16
 * @values: (out caller-allocates): @n values, linear between the two nearest ranks (numpy's
 *   default); exact, not from bins. All not a number when no voxel takes part
 *
 * Returns: %FALSE with %G_IO_ERROR_CANCELLED, %BG_ERROR_NO_MEMORY, or %BG_ERROR_INVALID when a
 *   percent is outside of 0..100
 */
gboolean bg_volume_percentiles(BgVolume *volume, BgPercentileOf of, const double *percents, guint n,
                               double *values, GCancellable *cancellable, GError **error);

/**
 * BgWindow:
 * @centre, @width: in the volume's unit; black at centre - width / 2, white at centre + width / 2;
 *   @width > 0
 */
typedef struct {
    double centre;
    double width;
} BgWindow;

/**
 * bg_volume_looks_like_ct: whether the values are those of a CT in Hounsfield units, by rows spread
 * over the volume: a peak of air near -1000, tissue around 0 in a noticeable share, something denser,
 * and none that no scanner gives. A guess for files that do not say their modality (NIfTI, NRRD):
 * where the modality is known, it counts
 */
gboolean bg_volume_looks_like_ct(const BgVolume *volume);

/**
 * bg_volume_default_window:
 * @window: (out): what a volume without a stored window is shown with first: for what looks like
 *   CT the soft-tissue window, centre 40, width 400; else the 0.1 to 99.9 percentile of the
 *   values that are not 0. A volume of one value gets a width of 1 around it, one without finite
 *   voxels 0.5, 1
 *
 * Returns: %FALSE with %G_IO_ERROR_CANCELLED or %BG_ERROR_NO_MEMORY
 */
gboolean bg_volume_default_window(BgVolume *volume, BgWindow *window, GCancellable *cancellable,
                                  GError **error);

G_END_DECLS
