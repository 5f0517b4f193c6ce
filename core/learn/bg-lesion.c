// SPDX-License-Identifier: Apache-2.0
// Two networks for pictures of skin: a U-Net that outlines a lesion, and VGG-16 with a small head that tells
// malignant ones from others (ISBI 2016).
#include "bg-layers.h"
#include "bg-networks.h"

#define N_LEVELS 4
#define WIDTH 32

static int
rectified(BgNnGraph *graph, const char *name, int input, int channels)
{
    g_autofree char *relu = bg_layer_name(name, "relu");

    return bg_nn_graph_unary(graph, BG_NN_RELU, relu,
                             bg_nn_graph_conv(graph, name, input, channels, 3));
}

static int
two_convs(BgNnGraph *graph, const char *prefix, int input, int channels)
{
    g_autofree char *first = bg_layer_name(prefix, "conv1");
    g_autofree char *second = bg_layer_name(prefix, "conv2");

    return rectified(graph, second, rectified(graph, first, input, channels), channels);
}

BgNnGraph *
bg_lesion_unet_graph(void)
{
    BgNnGraph *graph = bg_nn_graph_new("lesion-unet");
    int x = bg_nn_graph_input(graph, "image", 1, 2), skips[N_LEVELS];

    for (int level = 0; level < N_LEVELS; level++) {
        g_autofree char *prefix = g_strdup_printf("down%d", level);
        g_autofree char *pool = bg_layer_name(prefix, "pool");
        skips[level] = two_convs(graph, prefix, x, WIDTH << level);
        x = bg_layer_halve(graph, pool, skips[level]);
    }
    x = two_convs(graph, "bottom", x, WIDTH << N_LEVELS);
    for (int level = N_LEVELS - 1; level >= 0; level--) {
        g_autofree char *prefix = g_strdup_printf("up%d", level);
        g_autofree char *nearest = bg_layer_name(prefix, "nearest");
        g_autofree char *join = bg_layer_name(prefix, "join");
        x = bg_layer_nearest(graph, nearest, x);
        x = bg_nn_graph_binary(graph, BG_NN_CONCAT, join, x, skips[level]);
        x = two_convs(graph, prefix, x, WIDTH << level);
    }
    x = bg_nn_graph_conv(graph, "lesion", x, 1, 1);
    bg_nn_graph_add_output(graph, bg_nn_graph_unary(graph, BG_NN_SIGMOID, "sigmoid", x));
    return graph;
}

// Named as Keras names the layers of VGG16 and of the head.
BgNnGraph *
bg_lesion_classifier_graph(void)
{
    static const struct {
        int channels, n_convs;
    } blocks[] = { { 64, 2 }, { 128, 2 }, { 256, 3 }, { 512, 3 }, { 512, 3 } };
    BgNnGraph *graph = bg_nn_graph_new("lesion-classifier");
    int x = bg_nn_graph_input(graph, "image", 3, 2);

    for (int b = 0; b < (int) G_N_ELEMENTS(blocks); b++) {
        g_autofree char *pool = g_strdup_printf("block%d_pool", b + 1);
        for (int i = 1; i <= blocks[b].n_convs; i++) {
            g_autofree char *conv = g_strdup_printf("block%d_conv%d", b + 1, i);
            x = rectified(graph, conv, x, blocks[b].channels);
        }
        x = bg_layer_halve(graph, pool, x);
    }
    x = bg_layer_linear(graph, "dense_1", bg_layer_flatten(graph, "flatten_1", x), 256);
    x = bg_nn_graph_unary(graph, BG_NN_RELU, "dense_1_relu", x);
    x = bg_layer_linear(graph, "dense_2", bg_layer_drop(graph, "dropout_1", x, 0.5, FALSE), 1);
    bg_nn_graph_add_output(graph, bg_nn_graph_unary(graph, BG_NN_SIGMOID, "malignant", x));
    return graph;
}
