// SPDX-License-Identifier: Apache-2.0
// Every kind of layer at odd sizes: what each executor is tested with.
#pragma once

#include "core/nn/bg-nn-graph.h"

/** Row: a layer, and the sizes it is tried at: the last n_space of each; zeros: no case */
typedef struct {
    const char *name;
    gsize n, channels;
    int n_space;
    gsize sizes[3][3];
    int n_inputs; // 0 counts as 1
    BgNnLayer layer;
} Row;

// clang-format off
#define SIZES_1D { { 0, 0, 7 }, { 0, 0, 16 }, { 0, 0, 33 } }
#define SIZES_2D { { 0, 7, 9 }, { 0, 16, 11 }, { 0, 13, 33 } }
#define SIZES_3D { { 5, 6, 7 }, { 8, 7, 9 }, { 6, 11, 5 } }
#define ALL BG_NN_ALL
static const Row rows[] = {
    { "conv1d-k5-s2", 2, 3, 1, SIZES_1D, 1, { BG_NN_CONV, .channels = 16, .kernel = { 5 }, .stride = { 2 }, .before = { 2 }, .after = { 2 } } },
    { "conv1d-k8", 1, 13, 1, { { 0, 0, 9 }, { 0, 0, 16 }, { 0, 0, 31 } }, 1, { BG_NN_CONV, .channels = 5, .kernel = { 8 } } },
    { "conv-1x1", 2, 5, 2, SIZES_2D, 1, { BG_NN_CONV, .channels = 7, .kernel = { 1, 1 } } },
    { "conv-3x3", 1, 3, 2, SIZES_2D, 1, { BG_NN_CONV, .channels = 8, .kernel = { 3, 3 }, .before = { 1, 1 }, .after = { 1, 1 } } },
    { "conv-3x3-wide", 1, 32, 2, SIZES_2D, 1, { BG_NN_CONV, .channels = 64, .kernel = { 3, 3 }, .before = { 1, 1 }, .after = { 1, 1 } } },
    { "conv-3x3-odd-channels", 2, 17, 2, SIZES_2D, 1, { BG_NN_CONV, .channels = 19, .kernel = { 3, 3 }, .before = { 1, 1 }, .after = { 1, 1 } } },
    { "conv-3x3-no-bias", 1, 9, 2, SIZES_2D, 1, { BG_NN_CONV, .channels = 8, .kernel = { 3, 3 }, .before = { 1, 1 }, .after = { 1, 1 }, .no_bias = TRUE } },
    { "conv-3x3-winograd", 2, 40, 2, { { 0, 17, 19 }, { 0, 16, 32 }, { 0, 33, 21 } }, 1, { BG_NN_CONV, .channels = 48, .kernel = { 3, 3 }, .before = { 1, 1 }, .after = { 1, 1 } } },
    { "conv-3x3-winograd-valid", 1, 264, 2, { { 0, 18, 19 }, { 0 }, { 0 } }, 1, { BG_NN_CONV, .channels = 16, .kernel = { 3, 3 }, .before = { 0, 1 }, .no_bias = TRUE } },
    { "conv-3x3-winograd-reflect", 1, 32, 2, { { 0, 16, 17 }, { 0, 21, 19 }, { 0 } }, 1, { BG_NN_CONV, .channels = 32, .kernel = { 3, 3 }, .before = { 1, 1 }, .after = { 1, 1 }, .pad_mode = BG_NN_PAD_REFLECT } },
    { "conv-narrow-1", 2, 16, 2, { { 0, 9, 21 }, { 0, 5, 3 }, { 0, 1, 8 } }, 1, { BG_NN_CONV, .channels = 1, .kernel = { 5, 5 }, .before = { 2, 2 }, .after = { 2, 2 } } },
    { "conv-narrow-2", 1, 8, 2, { { 0, 7, 15 }, { 0, 8, 2 }, { 0 } }, 1, { BG_NN_CONV, .channels = 2, .kernel = { 3, 7 }, .before = { 0, 5 }, .after = { 2, 1 }, .no_bias = TRUE } },
    { "conv-narrow-3", 2, 24, 3, { { 3, 5, 11 }, { 6, 2, 4 }, { 1, 1, 1 } }, 1, { BG_NN_CONV, .channels = 3, .kernel = { 5, 5, 5 }, .before = { 2, 2, 2 }, .after = { 2, 2, 2 } } },
    { "conv-narrow-4", 1, 8, 3, { { 4, 4, 9 }, { 3, 3, 3 }, { 0 } }, 1, { BG_NN_CONV, .channels = 4, .kernel = { 3, 2, 3 } } },
    { "conv-valid", 1, 16, 2, SIZES_2D, 1, { BG_NN_CONV, .channels = 24, .kernel = { 3, 3 } } },
    { "conv-2x2-after", 1, 8, 2, SIZES_2D, 1, { BG_NN_CONV, .channels = 8, .kernel = { 2, 2 }, .after = { 1, 1 } } },
    { "conv-4x4-s2", 1, 6, 2, SIZES_2D, 1, { BG_NN_CONV, .channels = 16, .kernel = { 4, 4 }, .stride = { 2, 2 }, .before = { 1, 1 }, .after = { 1, 1 } } },
    { "conv-5x3-s1x2", 1, 4, 2, SIZES_2D, 1, { BG_NN_CONV, .channels = 6, .kernel = { 5, 3 }, .stride = { 1, 2 }, .before = { 2, 0 }, .after = { 1, 2 } } },
    { "conv-7x7", 1, 4, 2, SIZES_2D, 1, { BG_NN_CONV, .channels = 16, .kernel = { 7, 7 }, .before = { 3, 3 }, .after = { 3, 3 } } },
    { "conv-9x9", 1, 1, 2, { { 0, 9, 9 }, { 0, 12, 17 }, { 0, 31, 10 } }, 1, { BG_NN_CONV, .channels = 16, .kernel = { 9, 9 }, .before = { 4, 4 }, .after = { 4, 4 } } },
    { "conv-dilated", 1, 8, 2, SIZES_2D, 1, { BG_NN_CONV, .channels = 8, .kernel = { 3, 3 }, .dilation = { 2, 3 }, .before = { 2, 3 }, .after = { 2, 3 } } },
    { "conv-groups", 2, 12, 2, SIZES_2D, 1, { BG_NN_CONV, .channels = 8, .kernel = { 3, 3 }, .before = { 1, 1 }, .after = { 1, 1 }, .groups = 4 } },
    { "conv-depthwise", 1, 16, 2, SIZES_2D, 1, { BG_NN_CONV, .channels = 16, .kernel = { 3, 3 }, .before = { 1, 1 }, .after = { 1, 1 }, .groups = 16 } },
    { "conv-reflect", 1, 3, 2, SIZES_2D, 1, { BG_NN_CONV, .channels = 8, .kernel = { 7, 7 }, .before = { 3, 3 }, .after = { 3, 3 }, .pad_mode = BG_NN_PAD_REFLECT } },
    { "conv-edge", 2, 8, 2, SIZES_2D, 1, { BG_NN_CONV, .channels = 3, .kernel = { 3, 3 }, .before = { 1, 1 }, .after = { 1, 1 }, .pad_mode = BG_NN_PAD_EDGE } },
    { "conv-spectral", 1, 5, 2, SIZES_2D, 1, { BG_NN_CONV, .channels = 8, .kernel = { 3, 3 }, .before = { 1, 1 }, .after = { 1, 1 }, .spectral_norm = TRUE } },
    { "conv3d-3", 1, 4, 3, SIZES_3D, 1, { BG_NN_CONV, .channels = 8, .kernel = ALL(3), .before = ALL(1), .after = ALL(1) } },
    { "conv3d-5", 1, 8, 3, SIZES_3D, 1, { BG_NN_CONV, .channels = 16, .kernel = ALL(5), .before = ALL(2), .after = ALL(2) } },
    { "conv3d-2-s2", 2, 3, 3, SIZES_3D, 1, { BG_NN_CONV, .channels = 6, .kernel = ALL(2), .stride = ALL(2) } },
    { "conv3d-dilated", 1, 5, 3, { { 9, 9, 10 }, { 11, 9, 9 }, { 0 } }, 1, { BG_NN_CONV, .channels = 5, .kernel = ALL(3), .dilation = ALL(4), .before = ALL(4), .after = ALL(4) } },
    { "conv3d-wide", 2, 40, 3, { { 3, 5, 11 }, { 2, 4, 70 }, { 2, 3, 1 } }, 1, { BG_NN_CONV, .channels = 72, .kernel = { 2, 3, 4 }, .dilation = { 1, 2, 1 }, .before = { 0, 2, 1 }, .after = { 1, 1, 3 } } },
    { "deconv1d", 1, 4, 1, SIZES_1D, 1, { BG_NN_DECONV, .channels = 6, .kernel = { 4 }, .stride = { 2 }, .before = { 1 }, .after = { 1 } } },
    { "deconv-2-s2", 1, 16, 2, SIZES_2D, 1, { BG_NN_DECONV, .channels = 8, .kernel = { 2, 2 }, .stride = { 2, 2 } } },
    { "deconv-3-s2-out", 2, 8, 2, SIZES_2D, 1, { BG_NN_DECONV, .channels = 5, .kernel = { 3, 3 }, .stride = { 2, 2 }, .before = { 1, 1 }, .after = { 1, 1 }, .out_pad = { 1, 1 } } },
    { "deconv-groups", 1, 8, 2, SIZES_2D, 1, { BG_NN_DECONV, .channels = 12, .kernel = { 3, 3 }, .groups = 4, .no_bias = TRUE } },
    { "deconv3d-2-s2", 1, 8, 3, SIZES_3D, 1, { BG_NN_DECONV, .channels = 16, .kernel = ALL(2), .stride = ALL(2) } },
    { "deconv-spectral", 1, 4, 2, SIZES_2D, 1, { BG_NN_DECONV, .channels = 6, .kernel = { 4, 4 }, .stride = { 2, 2 }, .before = { 1, 1 }, .after = { 1, 1 }, .spectral_norm = TRUE } },
    { "linear", 3, 11, 0, { { 0, 0, 1 }, { 0 }, { 0 } }, 1, { BG_NN_LINEAR, .channels = 17 } },
    { "linear-wide", 1, 256, 0, { { 0, 0, 1 }, { 0 }, { 0 } }, 1, { BG_NN_LINEAR, .channels = 512, .no_bias = TRUE } },
    { "linear-spectral", 4, 9, 0, { { 0, 0, 1 }, { 0 }, { 0 } }, 1, { BG_NN_LINEAR, .channels = 6, .spectral_norm = TRUE } },
    { "batch-norm", 3, 5, 2, SIZES_2D, 1, { BG_NN_BATCH_NORM, .eps = 1e-5, .momentum = 0.1 } },
    { "batch-norm-16", 1, 16, 2, SIZES_2D, 1, { BG_NN_BATCH_NORM, .eps = 1e-3, .momentum = 0.01 } },
    { "batch-norm-frozen", 2, 8, 2, SIZES_2D, 1, { BG_NN_BATCH_NORM, .eps = 1e-5, .norm = BG_NN_NORM_FROZEN } },
    { "batch-norm-always", 1, 8, 3, SIZES_3D, 1, { BG_NN_BATCH_NORM, .eps = 1e-5, .norm = BG_NN_NORM_BATCH } },
    { "batch-norm-flat", 7, 6, 0, { { 0, 0, 1 }, { 0 }, { 0 } }, 1, { BG_NN_BATCH_NORM, .eps = 1e-5, .momentum = 0.1 } },
    { "instance-norm", 2, 8, 2, SIZES_2D, 1, { BG_NN_INSTANCE_NORM, .eps = 1e-5 } },
    { "instance-norm-affine", 3, 5, 2, SIZES_2D, 1, { BG_NN_INSTANCE_NORM, .eps = 1e-5, .affine = TRUE } },
    { "relu", 2, 5, 2, SIZES_2D, 1, { BG_NN_RELU } },
    { "leaky-relu", 1, 8, 3, SIZES_3D, 1, { BG_NN_LEAKY_RELU, .slope = 0.2 } },
    { "prelu", 2, 8, 3, SIZES_3D, 1, { BG_NN_PRELU } },
    { "prelu-shared", 2, 3, 2, SIZES_2D, 1, { BG_NN_PRELU, .shared = TRUE } },
    { "sigmoid", 1, 3, 2, SIZES_2D, 1, { BG_NN_SIGMOID } },
    { "tanh", 1, 9, 2, SIZES_2D, 1, { BG_NN_TANH } },
    { "softmax", 2, 4, 2, SIZES_2D, 1, { BG_NN_SOFTMAX } },
    { "softmax-3d", 1, 3, 3, SIZES_3D, 1, { BG_NN_SOFTMAX } },
    { "softmax-flat", 3, 5, 0, { { 0, 0, 1 }, { 0 }, { 0 } }, 1, { BG_NN_SOFTMAX } },
    { "max-pool-2", 2, 8, 2, SIZES_2D, 1, { BG_NN_MAX_POOL, .kernel = { 2, 2 }, .stride = { 2, 2 } } },
    { "max-pool-4-s1", 1, 3, 2, SIZES_2D, 1, { BG_NN_MAX_POOL, .kernel = { 4, 4 } } },
    { "max-pool-3-s2-pad", 1, 5, 2, SIZES_2D, 1, { BG_NN_MAX_POOL, .kernel = { 3, 3 }, .stride = { 2, 2 }, .before = { 1, 1 }, .after = { 1, 1 } } },
    { "max-pool-dilated", 1, 5, 2, SIZES_2D, 1, { BG_NN_MAX_POOL, .kernel = { 3, 3 }, .dilation = { 2, 2 } } },
    { "max-pool-3d", 1, 4, 3, SIZES_3D, 1, { BG_NN_MAX_POOL, .kernel = ALL(2), .stride = ALL(2) } },
    { "max-pool-1d", 2, 4, 1, SIZES_1D, 1, { BG_NN_MAX_POOL, .kernel = { 3 }, .stride = { 2 } } },
    { "avg-pool-2", 2, 8, 2, SIZES_2D, 1, { BG_NN_AVG_POOL, .kernel = { 2, 2 }, .stride = { 2, 2 } } },
    { "avg-pool-pad", 1, 3, 2, SIZES_2D, 1, { BG_NN_AVG_POOL, .kernel = { 3, 3 }, .stride = { 2, 1 }, .before = { 1, 1 }, .after = { 1, 1 } } },
    { "avg-pool-pad-counted", 1, 3, 2, SIZES_2D, 1, { BG_NN_AVG_POOL, .kernel = { 3, 3 }, .before = { 1, 1 }, .after = { 1, 1 }, .count_outside = TRUE } },
    { "nearest-2", 1, 5, 2, SIZES_2D, 1, { BG_NN_UPSAMPLE, .stride = { 2, 2 } } },
    { "nearest-3d", 1, 8, 3, SIZES_3D, 1, { BG_NN_UPSAMPLE, .stride = { 2, 2, 2 } } },
    { "nearest-3x4", 1, 2, 2, SIZES_2D, 1, { BG_NN_UPSAMPLE, .stride = { 3, 4 } } },
    { "bilinear-2", 2, 5, 2, SIZES_2D, 1, { BG_NN_UPSAMPLE, .stride = { 2, 2 }, .bilinear = TRUE } },
    { "bilinear-3x8", 1, 8, 2, SIZES_2D, 1, { BG_NN_UPSAMPLE, .stride = { 3, 8 }, .bilinear = TRUE } },
    { "linear-1d", 1, 3, 1, SIZES_1D, 1, { BG_NN_UPSAMPLE, .stride = { 4 }, .bilinear = TRUE } },
    { "trilinear", 1, 3, 3, SIZES_3D, 1, { BG_NN_UPSAMPLE, .stride = ALL(2), .bilinear = TRUE } },
    { "concat", 2, 5, 2, SIZES_2D, 2, { BG_NN_CONCAT } },
    { "concat-3", 1, 8, 3, SIZES_3D, 3, { BG_NN_CONCAT } },
    { "add", 1, 8, 2, SIZES_2D, 2, { BG_NN_ADD } },
    { "add-third", 2, 3, 2, SIZES_2D, 3, { BG_NN_ADD, .scale = 1.0 / 3.0 } },
    { "multiply", 1, 3, 2, SIZES_2D, 2, { BG_NN_MULTIPLY } },
    { "maximum", 1, 3, 2, SIZES_2D, 2, { BG_NN_MAXIMUM } },
    { "divide", 1, 3, 2, SIZES_2D, 2, { BG_NN_DIVIDE, .eps = 8 } },
    { "tile", 2, 3, 2, SIZES_2D, 1, { BG_NN_TILE, .channels = 4, .stride = { 2, 3 } } },
    { "tile-channels", 1, 4, 3, SIZES_3D, 1, { BG_NN_TILE, .channels = 4 } },
    { "crop", 1, 3, 2, SIZES_2D, 1, { BG_NN_CROP, .before = { 1, 2 }, .after = { 3, 0 } } },
    { "pad", 2, 3, 2, SIZES_2D, 1, { BG_NN_PAD, .before = { 1, 2 }, .after = { 3, 0 } } },
    { "pad-reflect", 1, 3, 2, SIZES_2D, 1, { BG_NN_PAD, .before = { 1, 2 }, .after = { 3, 4 }, .pad_mode = BG_NN_PAD_REFLECT } },
    { "pad-edge-3d", 1, 2, 3, SIZES_3D, 1, { BG_NN_PAD, .before = { 1, 2, 0 }, .after = { 3, 0, 1 }, .pad_mode = BG_NN_PAD_EDGE } },
    { "dropout", 2, 3, 2, SIZES_2D, 1, { BG_NN_DROPOUT, .rate = 0.3 } },
    { "dropout-channels", 2, 16, 2, SIZES_2D, 1, { BG_NN_DROPOUT, .rate = 0.5, .shared = TRUE } },
    { "flatten", 2, 3, 2, SIZES_2D, 1, { BG_NN_RESHAPE } },
    { "reshape", 1, 6, 2, { { 0, 7, 9 }, { 0 }, { 0 } }, 1, { BG_NN_RESHAPE, .channels = 14, .n_space = 1, .size = { 27 } } },
};
// clang-format on

/** row_graph: @layer of @row at its size @size, with as many inputs as it takes, as a network */
static inline BgNnGraph *
row_graph(const Row *row, int size, BgNnShape *shapes, int *n_inputs, int *number)
{
    BgNnGraph *graph = bg_nn_graph_new(row->name);
    BgNnLayer layer = row->layer;

    layer.name = "it";
    *n_inputs = layer.n_inputs = MAX(row->n_inputs, 1);
    for (int i = 0; i < layer.n_inputs; i++) {
        gsize channels = row->channels + (layer.kind == BG_NN_CONCAT ? (gsize) i : 0);
        g_autofree char *name = g_strdup_printf("in%d", i);
        shapes[i] = bg_nn_shape(row->n, channels, row->n_space, row->sizes[size][0],
                                row->sizes[size][1], row->sizes[size][2]);
        layer.inputs[i] = bg_nn_graph_input(graph, name, (int) channels, row->n_space);
    }
    *number = bg_nn_graph_add(graph, &layer);
    bg_nn_graph_add_output(graph, *number);
    return graph;
}
