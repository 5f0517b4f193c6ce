// SPDX-License-Identifier: Apache-2.0
// A shearlet transform without subsampling: a picture is the sum of its bands.
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define BG_SHEARLET_LEVELS 4
#define BG_SHEARLET_BANDS (8 + 8 + 16 + 16)
#define BG_SHEARLET_SMALLEST 32 // pixels a side

/**
 * BgShearlets:
 * @low: what the coarsest level leaves; @bands: all levels' directions, coarse to fine. Each of
 *   width * height double, rows from the top; from bg_buffer_alloc()
 *
 * Easley, Labate and Lim, "Sparse directional image representations using the discrete shearlet
 * transform", 2008, with 8, 8, 16, 16 directions and windows of 8, 8, 16, 16 pixels.
 *
 * Levels: the low-pass is the maximally flat half-band filter (-1 0 9 16 9 0 -1) / 32 along rows and
 * columns, its taps 2^j apart at level j = 0 (finest) to 3; a level is what it takes away. Directions:
 * on the DFT's grid of the window, the share of direction l of D at the angle theta of the frequency is
 * cos^2(pi / 2 v(x)), x = D |theta - l pi / D| / pi (angles by pi), 0 for x >= 1, Meyer's
 * v(x) = x^4 (35 - 84 x + 70 x^2 - 20 x^3); 1 / D for frequency 0. Its inverse transform's real part,
 * moved to the middle, is the filter. Shares add to 1, so all bands and @low add to the picture. Beyond
 * its edges a picture goes on mirrored (b a | a b).
 */
typedef struct {
    int width, height;
    double *low;
    double *bands[BG_SHEARLET_BANDS];
} BgShearlets;

/** bg_shearlets_new: Returns: (transfer full): or %NULL with %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED */
BgShearlets *bg_shearlets_new(const float *values, int width, int height, GCancellable *cancellable,
                              GError **error);
void bg_shearlets_free(BgShearlets *shearlets);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgShearlets, bg_shearlets_free)

G_END_DECLS
