// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/image/bg-channel.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define BG_SSIM_WINDOW 11       // pixels, both ways
#define BG_MS_SSIM_SCALES 5     // Wang 2003
#define BG_MS_SSIM_SMALLEST 161 // pixels: so that the fifth scale still holds a window

/**
 * bg_ssim:
 * @a, @b: of equal size, each side at least BG_SSIM_WINDOW; values of 0..@range
 * @range: L of the definition, over 0: 1 for pictures of 0..1
 * @ssim: (out)
 * @map: (out) (optional) (transfer full): the index at each pixel whose window lies inside: of
 *   width - 10 by height - 10
 *
 * Structural similarity, Wang et al., IEEE Trans. Image Processing 13(4), 2004: Gaussian window of
 * 11 x 11, sigma 1.5, K1 0.01, K2 0.03, population variances, mean over the windows that lie
 * inside. Symmetric in @a and @b. A value that is not a number makes the result not a number.
 *
 * Returns: %FALSE with %BG_ERROR_INVALID (sizes differ, or smaller than the window),
 *   %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
gboolean bg_ssim(const BgChannel *a, const BgChannel *b, double range, double *ssim,
                 BgChannel **map, GCancellable *cancellable, GError **error);

/**
 * bg_ms_ssim:
 * @a, @b: each side at least BG_MS_SSIM_SMALLEST
 * @ms_ssim: (out)
 *
 * Multi-scale SSIM, Wang, Simoncelli and Bovik, Asilomar 2003: five scales, exponents 0.0448,
 * 0.2856, 0.3001, 0.2363, 0.1333, each next scale by the mean of 2 x 2 pixels (mirrored at the
 * last row or column of an odd size) and every second pixel. A scale whose mean is negative counts
 * as 0. Errors as bg_ssim().
 */
gboolean bg_ms_ssim(const BgChannel *a, const BgChannel *b, double range, double *ms_ssim,
                    GCancellable *cancellable, GError **error);

G_END_DECLS
