// SPDX-License-Identifier: Apache-2.0
#include "bg-layers.h"
#include "bg-networks.h"

#define EPS 1e-5 // PyTorch's
#define MOMENTUM 0.1
#define N_LEVELS 4

static int
prelu(BgNnGraph *graph, const char *name, int input)
{
    return bg_nn_graph_unary(graph, BG_NN_PRELU, name, input);
}

// Batch norm by the batch's own statistics, then PReLU.
static int
norm_prelu(BgNnGraph *graph, const char *prefix, int input)
{
    g_autofree char *norm = bg_layer_name(prefix, "norm"), *relu = bg_layer_name(prefix, "prelu");

    return prelu(graph, relu, bg_layer_norm(graph, norm, input, EPS, MOMENTUM, BG_NN_NORM_BATCH));
}

static int
conv5(BgNnGraph *graph, const char *prefix, int input, int channels)
{
    g_autofree char *conv = bg_layer_name(prefix, "conv");

    return norm_prelu(graph, prefix, bg_nn_graph_conv(graph, conv, input, channels, 5));
}

// `n` convolutions of `input`, plus `input`, rectified.
static int
residual(BgNnGraph *graph, const char *prefix, int input, int start, int channels, int n)
{
    g_autofree char *add = bg_layer_name(prefix, "add"), *relu = bg_layer_name(prefix, "out");
    int x = start;

    for (int i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("%s_%d", prefix, i);
        x = conv5(graph, name, x, channels);
    }
    return prelu(graph, relu, bg_nn_graph_binary(graph, BG_NN_ADD, add, x, input));
}

static int
go_down(BgNnGraph *graph, int level, int input, int channels, int n, gboolean drop)
{
    g_autofree char *prefix = g_strdup_printf("down%d", level);
    g_autofree char *down = bg_layer_name(prefix, "halve"), *drops = bg_layer_name(prefix, "drop");
    g_autofree char *conv = bg_layer_name(down, "conv");
    int x = bg_layer_conv(graph, conv, input, channels, 2, 2, 0, FALSE);

    x = norm_prelu(graph, down, x);
    int start = drop ? bg_layer_drop(graph, drops, x, 0.5, TRUE) : x;
    return residual(graph, prefix, x, start, channels, n);
}

static int
go_up(BgNnGraph *graph, int level, int input, int skip, int channels, int n, gboolean drop)
{
    g_autofree char *prefix = g_strdup_printf("up%d", level);
    g_autofree char *up = bg_layer_name(prefix, "double"), *join = bg_layer_name(prefix, "join");
    g_autofree char *deconv = bg_layer_name(up, "conv"), *drop1 = bg_layer_name(prefix, "drop");
    g_autofree char *drop2 = bg_layer_name(prefix, "skip");
    int x = drop ? bg_layer_drop(graph, drop1, input, 0.5, TRUE) : input;

    x = norm_prelu(graph, up, bg_layer_double(graph, deconv, x, channels / 2));
    x = bg_nn_graph_binary(graph, BG_NN_CONCAT, join, x,
                           bg_layer_drop(graph, drop2, skip, 0.5, TRUE));
    return residual(graph, prefix, x, x, channels, n);
}

BgNnGraph *
bg_vnet_graph(void)
{
    static const int n_down[N_LEVELS] = { 1, 2, 3, 2 }, n_up[N_LEVELS] = { 1, 1, 2, 2 };
    static const int up_channels[N_LEVELS] = { 32, 64, 128, 256 };
    BgNnGraph *graph = bg_nn_graph_new("vnet");
    int skips[N_LEVELS + 1], image = bg_nn_graph_input(graph, "image", 4, 3);
    int tiled = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_TILE,
                                                     .name = "in_tile",
                                                     .inputs = { image },
                                                     .n_inputs = 1,
                                                     .channels = 4 });
    int x = bg_nn_graph_conv(graph, "in_conv", image, 16, 5);

    x = bg_layer_norm(graph, "in_norm", x, EPS, MOMENTUM, BG_NN_NORM_BATCH);
    x = skips[0] =
        prelu(graph, "in_prelu", bg_nn_graph_binary(graph, BG_NN_ADD, "in_add", x, tiled));
    for (int level = 0; level < N_LEVELS; level++)
        x = skips[level + 1] = go_down(graph, level, x, 32 << level, n_down[level], level >= 2);
    for (int level = N_LEVELS - 1; level >= 0; level--)
        x = go_up(graph, level, x, skips[level], up_channels[level], n_up[level], level >= 2);
    x = conv5(graph, "classes1", x, 3);
    x = bg_nn_graph_conv(graph, "classes2", x, 3, 1);
    bg_nn_graph_add_output(graph, bg_nn_graph_unary(graph, BG_NN_SOFTMAX, "softmax", x));
    return graph;
}
