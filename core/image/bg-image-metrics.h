// SPDX-License-Identifier: Apache-2.0
// How far two pictures of one size lie apart.
#pragma once

#include "core/image/bg-channel.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BgImageMetrics:
 * @rmse: root of the mean squared difference over all colour channels and pixels
 * @relative: norm of the difference over the norm of the second picture; NaN when that is black
 * @mae: mean absolute difference
 * @psnr: 20 log10(range / rmse) in dB; infinite for equal pictures
 * @ssim: of the grey pictures (bg_ssim()); NaN for pictures smaller than its window
 * @ssim_channels: mean of the channels' indices
 * @ms_ssim: of the grey pictures (bg_ms_ssim()); NaN for pictures too small for it, and with a mask
 * @emd: earth mover's distance of the colours (bg_emd_colours()); NaN for float pictures
 * @n_pixels: that were compared
 */
typedef struct {
    double rmse, relative, mae, psnr;
    double ssim, ssim_channels, ms_ssim, emd;
    gsize n_pixels;
} BgImageMetrics;

/**
 * bg_image_metrics:
 * @a: what is judged; @b: the truth: as many colour channels (alpha apart) and pixels
 * @mask: (nullable): of that size: pixels over 0.5 count; SSIM is that of windows centred on them
 * @range: of the values, over 0: 1 for integer pictures, which are compared as 0..1
 *
 * Returns: %FALSE with %BG_ERROR_INVALID (sizes or channels differ, an empty mask, a value that is
 *   not finite), %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
gboolean bg_image_metrics(BgImage *a, BgImage *b, const BgChannel *mask, double range,
                          BgImageMetrics *metrics, GCancellable *cancellable, GError **error);

/** bg_image_count_colours: 1 or 3: channels without alpha */
int bg_image_count_colours(BgImage *image);

G_END_DECLS
