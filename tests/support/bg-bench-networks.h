// SPDX-License-Identifier: Apache-2.0
// Networks of others' sizes that bregma does not have by name, to be timed against PyTorch.
#pragma once

#include "core/learn/bg-layers.h"
#include "core/learn/bg-networks.h"

// Convolution with a border of its own mirror, instance norm; rectified where `relu`.
static inline int
add_normed(BgNnGraph *graph, const char *name, int input, int channels, int kernel, gboolean relu)
{
    g_autofree char *norm = bg_layer_name(name, "norm"), *relu_name = bg_layer_name(name, "relu");
    int border = kernel / 2, x;

    x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_CONV,
                                             .name = name,
                                             .inputs = { input },
                                             .n_inputs = 1,
                                             .channels = channels,
                                             .kernel = BG_NN_ALL(kernel),
                                             .before = BG_NN_ALL(border),
                                             .after = BG_NN_ALL(border),
                                             .pad_mode = BG_NN_PAD_REFLECT });
    x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_INSTANCE_NORM,
                                             .name = norm,
                                             .inputs = { x },
                                             .n_inputs = 1,
                                             .eps = 1e-5 });
    return relu ? bg_nn_graph_unary(graph, BG_NN_RELU, relu_name, x) : x;
}

// Half or twice the size, instance norm, rectified.
static inline int
add_scaled(BgNnGraph *graph, const char *name, int input, int channels, BgNnKind kind)
{
    g_autofree char *norm = bg_layer_name(name, "norm"), *relu = bg_layer_name(name, "relu");
    int out_pad = kind == BG_NN_DECONV ? 1 : 0, x;

    x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = kind,
                                             .name = name,
                                             .inputs = { input },
                                             .n_inputs = 1,
                                             .channels = channels,
                                             .kernel = BG_NN_ALL(3),
                                             .stride = BG_NN_ALL(2),
                                             .before = BG_NN_ALL(1),
                                             .after = BG_NN_ALL(1),
                                             .out_pad = BG_NN_ALL(out_pad) });
    x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_INSTANCE_NORM,
                                             .name = norm,
                                             .inputs = { x },
                                             .n_inputs = 1,
                                             .eps = 1e-5 });
    return bg_nn_graph_unary(graph, BG_NN_RELU, relu, x);
}

// The generator of nine residual blocks (Johnson et al. 2016; Zhu et al. 2017, of one channel).
static inline BgNnGraph *
resnet9_graph(void)
{
    BgNnGraph *graph = bg_nn_graph_new("resnet9");
    int x = add_normed(graph, "first", bg_nn_graph_input(graph, "image", 1, 2), 64, 7, TRUE);

    x = add_scaled(graph, "half1", x, 128, BG_NN_CONV);
    x = add_scaled(graph, "half2", x, 256, BG_NN_CONV);
    for (int k = 0; k < 9; k++) {
        g_autofree char *a = g_strdup_printf("block%d_conv1", k);
        g_autofree char *b = g_strdup_printf("block%d_conv2", k);
        g_autofree char *add = g_strdup_printf("block%d_add", k);
        int inner = add_normed(graph, b, add_normed(graph, a, x, 256, 3, TRUE), 256, 3, FALSE);
        x = bg_nn_graph_binary(graph, BG_NN_ADD, add, x, inner);
    }
    x = add_scaled(graph, "twice1", x, 128, BG_NN_DECONV);
    x = add_scaled(graph, "twice2", x, 64, BG_NN_DECONV);
    x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_CONV,
                                             .name = "last",
                                             .inputs = { x },
                                             .n_inputs = 1,
                                             .channels = 1,
                                             .kernel = BG_NN_ALL(7),
                                             .before = BG_NN_ALL(3),
                                             .after = BG_NN_ALL(3),
                                             .pad_mode = BG_NN_PAD_REFLECT });
    bg_nn_graph_add_output(graph, bg_nn_graph_unary(graph, BG_NN_TANH, "tanh", x));
    return graph;
}

// The U-Net of 64 to 1024 channels for four contrasts.
static inline BgNnGraph *
unet64_graph(void)
{
    return bg_unet_graph(
        &(BgUnet){ .n_in = 4, .n_out = 4, .width = 64, .n_levels = 4, .transposed = TRUE });
}

static const BgNetwork bench_networks[] = {
    { .name = "resnet9",
      .graph = resnet9_graph,
      .n_inputs = 1,
      .inputs = { { 4, { 1, 1, 256, 256 } } } },
    { .name = "unet64",
      .graph = unet64_graph,
      .n_inputs = 1,
      .inputs = { { 4, { 1, 4, 240, 240 } } } },
};
