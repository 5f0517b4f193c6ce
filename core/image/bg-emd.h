// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/image/bg-channel.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * bg_emd:
 * @supply: @n_supply masses, each over 0
 * @demand: @n_demand masses, each over 0, of the same sum
 * @cost: of a unit from i to j, at i * n_demand + j; finite, 0..1
 * @result: (out): the least cost over the sum of masses
 *
 * Earth mover's distance (Rubner, Tomasi and Guibas 2000), exactly, by the network simplex.
 *
 * Returns: %FALSE with %G_IO_ERROR_CANCELLED
 */
gboolean bg_emd(const gint64 *supply, gsize n_supply, const gint64 *demand, gsize n_demand,
                const double *cost, double *result, GCancellable *cancellable, GError **error);

/**
 * bg_emd_colours:
 * @a, @b: 1 grey or 3 RGB planes of 0..1, sRGB; all of one size
 * @mask: (nullable): pixels over 0.5 count
 *
 * Of the histograms in CIE L*a*b* (D65): 8 x 12 x 12 bins over L 0..100, a -86.185..98.254,
 * b -107.863..94.482; ground distance: Euclidean between bin indices, over its largest value.
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
gboolean bg_emd_colours(const BgChannel *const *a, const BgChannel *const *b, int n_planes,
                        const BgChannel *mask, double *result, GCancellable *cancellable,
                        GError **error);

G_END_DECLS
