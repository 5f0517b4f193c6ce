// SPDX-License-Identifier: Apache-2.0
// Convolutions to a few channels, as at the end of most networks: lanes are channels of the input, so that
// none of the products is with nothing.
#pragma once

#include "bg-nn-geometry.h"

#include <glib.h>

G_BEGIN_DECLS

#define BG_NN_NARROW_MOST 4 // output channels

/** BgNnNarrow: weights made ready; immutable */
typedef struct _BgNnNarrow BgNnNarrow;

/** bg_nn_narrow_can: whether this processor can, and the convolution is one of these: of stride one, with zeros outside */
gboolean bg_nn_narrow_can(const BgNnGeometry *g);

/**
 * bg_nn_narrow_new:
 * @weight: [out_channels, in_channels, kernel]
 * @bias: (nullable): out_channels
 * @slope: of what is below zero: 1: not rectified
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_NO_MEMORY
 */
BgNnNarrow *bg_nn_narrow_new(const BgNnGeometry *g, const float *weight, const float *bias,
                             float slope, GError **error);
void bg_nn_narrow_free(BgNnNarrow *narrow);
gsize bg_nn_narrow_get_bytes(const BgNnNarrow *narrow);

/**
 * bg_nn_narrow_run:
 * @in: blocks of eight channels: [n, in_channels / 8, z, y, x, 8]
 * @out: dense: [n, out_channels, z, y, x]
 */
void bg_nn_narrow_run(const BgNnNarrow *narrow, const float *in, float *out);

G_END_DECLS
