// SPDX-License-Identifier: Apache-2.0
// Grids of double and their sums over windows: what the metrics of fused pictures are made of.
#pragma once

#include "core/image/bg-channel.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/** BgField: values: owned; (u, v) at u + width * v */
typedef struct {
    int width, height;
    double *values;
} BgField;

BgField *bg_field_new(int width, int height, GError **error);
void bg_field_free(BgField *field);
BgField *bg_field_from_channel(const BgChannel *plane, double scale, GError **error);

/** bg_field_product: a * b, pixel by pixel, or a alone when @b is %NULL */
BgField *bg_field_product(const BgField *a, const BgField *b, GError **error);

/**
 * bg_field_filter:
 * @taps: @n of them, the same along u and v, symmetric
 *
 * Returns: (transfer full): the weighted sums of the windows that lie inside: smaller by n - 1
 */
BgField *bg_field_filter(const BgField *field, const double *taps, int n, GError **error);

/** bg_field_thin: every second pixel along u and v, from the first */
BgField *bg_field_thin(const BgField *field, GError **error);

/** bg_taps_gaussian: @taps: (out): @n, of sum 1, centred */
void bg_taps_gaussian(double *taps, int n, double sigma);

/**
 * BgWindowMoments: of two grids over each window
 * @mean_a...@cov: owned; variances not below 0
 */
typedef struct {
    BgField *mean_a, *mean_b;
    BgField *var_a, *var_b;
    BgField *cov;
} BgWindowMoments;

gboolean bg_window_moments(const BgField *a, const BgField *b, const double *taps, int n,
                           BgWindowMoments *moments, GError **error);
void bg_window_moments_clear(BgWindowMoments *moments);

/** bg_field_sobel: the gradient's parts by Sobel's 3 x 3, the edge repeated; @gu, @gv: (out) */
gboolean bg_field_sobel(const BgField *field, BgField **gu, BgField **gv, GError **error);

static inline gsize
bg_field_count(const BgField *field)
{
    return (gsize) field->width * (gsize) field->height;
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgField, bg_field_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BgWindowMoments, bg_window_moments_clear)

G_END_DECLS
