// SPDX-License-Identifier: Apache-2.0
// What the executors share.
#pragma once

#include "bg-nn-graph.h"
#include "bg-nn-params.h"

G_BEGIN_DECLS

/**
 * BgNnGeometry:
 *
 * A layer's sizes with space made three-dimensional: z, y, x; sizes that are not there are 1.
 * 0 in stride, dilation and groups has become 1.
 */
typedef struct {
    gsize n, in_channels, out_channels, groups;
    gsize in[3], out[3];
    gsize in_space, out_space; // products of the above
    gsize taps;                // of the kernel
    int kernel[3], stride[3], dilation[3], before[3], after[3];
} BgNnGeometry;

BgNnGeometry bg_nn_geometry(const BgNnLayer *layer, const BgNnShape *in, const BgNnShape *out);

G_END_DECLS
