// SPDX-License-Identifier: Apache-2.0
// Convolutions of stride one whose factors are rounded to bfloat16 (8 bits of mantissa) and whose sums are
// float32.
#pragma once

#include "bg-nn-geometry.h"

#include <glib.h>

G_BEGIN_DECLS

/** BgNnBfloat: weights made ready; immutable */
typedef struct _BgNnBfloat BgNnBfloat;

/** bg_nn_bfloat_can: whether the convolution is one of these: of stride one, with zeros outside, channels by eights */
gboolean bg_nn_bfloat_can(const BgNnGeometry *g);

/**
 * bg_nn_bfloat_new:
 * @weight: [out_channels, in_channels, kernel]
 * @bias: (nullable): out_channels
 * @slope: of what is below zero: 1: not rectified
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_NO_MEMORY
 */
BgNnBfloat *bg_nn_bfloat_new(const BgNnGeometry *g, const float *weight, const float *bias,
                             float slope, GError **error);
void bg_nn_bfloat_free(BgNnBfloat *bfloat);
gsize bg_nn_bfloat_get_bytes(const BgNnBfloat *bfloat);

/**
 * bg_nn_bfloat_run:
 * @in, @out: blocks of eight channels: [n, channels / 8, z, y, x, 8]
 * @scratch: of bg_nn_bfloat_get_scratch() bytes
 */
void bg_nn_bfloat_run(const BgNnBfloat *bfloat, const float *in, float *out, gpointer scratch);
gsize bg_nn_bfloat_get_scratch(const BgNnBfloat *bfloat);

G_END_DECLS
