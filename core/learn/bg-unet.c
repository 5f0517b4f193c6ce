// SPDX-License-Identifier: Apache-2.0
#include "bg-layers.h"
#include "bg-networks.h"

#define MAX_LEVELS 8

static int
rectified(BgNnGraph *graph, const char *name, int input, int channels, int kernel)
{
    g_autofree char *relu = bg_layer_name(name, "relu");
    int x = bg_nn_graph_conv(graph, name, input, channels, kernel);

    return bg_nn_graph_unary(graph, BG_NN_RELU, relu, x);
}

static int
two_convs(BgNnGraph *graph, const char *prefix, int input, int channels)
{
    g_autofree char *first = bg_layer_name(prefix, "conv1"),
                    *second = bg_layer_name(prefix, "conv2");

    return rectified(graph, second, rectified(graph, first, input, channels, 3), channels, 3);
}

static int
go_up(BgNnGraph *graph, const BgUnet *unet, const char *prefix, int input, int channels)
{
    g_autofree char *up = bg_layer_name(prefix, "up"), *conv = bg_layer_name(prefix, "upconv");

    if (unet->transposed)
        return bg_layer_double(graph, up, input, channels);
    return rectified(graph, conv, bg_layer_nearest(graph, up, input), channels, 2);
}

BgNnGraph *
bg_unet_graph(const BgUnet *unet)
{
    BgNnGraph *graph = bg_nn_graph_new("unet");
    int x = bg_nn_graph_input(graph, "image", unet->n_in, 2), skips[MAX_LEVELS];

    g_assert(unet->n_levels >= 1 && unet->n_levels <= MAX_LEVELS);
    for (int level = 0; level < unet->n_levels; level++) {
        g_autofree char *prefix = g_strdup_printf("down%d", level);
        g_autofree char *pool = bg_layer_name(prefix, "pool");
        skips[level] = two_convs(graph, prefix, x, unet->width << level);
        x = bg_layer_halve(graph, pool, skips[level]);
    }
    x = two_convs(graph, "bottom", x, unet->width << unet->n_levels);
    if (unet->dropout > 0)
        x = bg_layer_drop(graph, "bottom_drop", x, unet->dropout, FALSE);
    for (int level = unet->n_levels - 1; level >= 0; level--) {
        g_autofree char *prefix = g_strdup_printf("up%d", level);
        g_autofree char *join = bg_layer_name(prefix, "join");
        x = go_up(graph, unet, prefix, x, unet->width << level);
        x = bg_nn_graph_binary(graph, BG_NN_CONCAT, join, skips[level], x);
        x = two_convs(graph, prefix, x, unet->width << level);
    }
    x = bg_nn_graph_conv(graph, "classes", x, unet->n_out, 1);
    bg_nn_graph_add_output(graph, bg_nn_graph_unary(graph, BG_NN_SOFTMAX, "softmax", x));
    return graph;
}

BgNnGraph *
bg_unet_brats_graph(void)
{
    return bg_unet_graph(
        &(BgUnet){ .n_in = 2, .n_out = 4, .width = 32, .n_levels = 4, .dropout = 0.2 });
}
