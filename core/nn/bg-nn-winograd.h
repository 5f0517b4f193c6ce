// SPDX-License-Identifier: Apache-2.0
// Convolutions of 3 x 3 by Winograd's F(4 x 4, 3 x 3) (Lavin and Gray 2016): a quarter of the products.
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** BgNnWinograd: weights made ready; immutable */
typedef struct _BgNnWinograd BgNnWinograd;

/** bg_nn_winograd_can: whether this processor and these channels can */
gboolean bg_nn_winograd_can(gsize in_channels, gsize out_channels);

/**
 * bg_nn_winograd_new:
 * @weight: [out_channels, in_channels, 3, 3]
 * @bias: (nullable): out_channels
 * @slope: of what is below zero: 1: not rectified
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_NO_MEMORY
 */
BgNnWinograd *bg_nn_winograd_new(gsize in_channels, gsize out_channels, const float *weight,
                                 const float *bias, float slope, GError **error);
void bg_nn_winograd_free(BgNnWinograd *winograd);
gsize bg_nn_winograd_get_bytes(const BgNnWinograd *winograd);

/** BgNnWinogradSize: @before: zeros above and at the left; what is below and at the right follows */
typedef struct {
    gsize n;
    gsize in[2], out[2]; // y, x
    int before[2];
} BgNnWinogradSize;

/**
 * bg_nn_winograd_run:
 * @in, @out: blocks of eight channels: [n, channels / 8, y, x, 8]
 * @scratch: of bg_nn_winograd_get_scratch() bytes
 */
void bg_nn_winograd_run(const BgNnWinograd *winograd, const BgNnWinogradSize *size, const float *in,
                        float *out, float *scratch);
gsize bg_nn_winograd_get_scratch(const BgNnWinograd *winograd);

G_END_DECLS
