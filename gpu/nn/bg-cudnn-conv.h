// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/nn/bg-nn-cpu.h"
#include "gpu/kernel/bg-cuda-nn.h"

#include <cudnn.h>

/**
 * BgCudnnConv:
 *
 * A convolution, or the transposed one, made ready for one shape: descriptors, the algorithm that
 * cuDNN's heuristics put first, the size of its workspace. Borders are of zeros and the same before and
 * after.
 */
typedef struct _BgCudnnConv BgCudnnConv;

/**
 * BgCudnnConvSpec:
 * @g: the layer's, with before = after = what cuDNN pads
 * @space: 2 or 3: dimensions of space that count
 * @transposed: in and out change places
 * @precision: float32 keeps to float32 products; TF32 lets tensor cores round the factors to 10 bits
 * @weight: on the device, borrowed: of the layer's layout, which is cuDNN's filter either way
 * @bias: (nullable): on the device, borrowed; of the reals between layers
 * @rectify: zero for what is below; only with @bias, not @transposed
 */
typedef struct {
    BgNnGeometry g;
    int space;
    gboolean transposed, rectify;
    BgNnPrecision precision;
    const void *weight, *bias;
} BgCudnnConvSpec;

/** bg_cudnn_conv_fits: whether cuDNN's formula of sizes gives the layer's with @before on both sides */
gboolean bg_cudnn_conv_fits(const BgNnGeometry *g, gboolean transposed);

/** bg_cudnn_conv_new: Returns: (transfer full): or %NULL as bg_cudnn_check() */
BgCudnnConv *bg_cudnn_conv_new(cudnnHandle_t handle, const BgCudnnConvSpec *spec, GError **error);
void bg_cudnn_conv_free(BgCudnnConv *conv);
gsize bg_cudnn_conv_get_workspace(const BgCudnnConv *conv);

/**
 * bg_cudnn_conv_run:
 * @workspace: on the device: bg_cudnn_conv_get_workspace() bytes
 * @finished: (out): whether bias and rectifier are done too; else they are the caller's
 *
 * Queues it. Returns: %FALSE as bg_cudnn_check()
 */
gboolean bg_cudnn_conv_run(BgCudnnConv *conv, cudnnHandle_t handle, const void *in, void *out,
                           void *workspace, gboolean *finished, GError **error);
