// SPDX-License-Identifier: Apache-2.0
// A three-dimensional U-Net as nnU-Net builds them (Isensee et al. 2021): strided convolutions down, transposed ones
// up, instance norms with leaky rectifiers, a result at each of the larger sizes for the loss.
#include "bg-layers.h"
#include "bg-networks.h"

#define N_LEVELS 4 // how often it is halved
#define WIDTH 16
#define MOST 128
#define EPS 1e-5
#define SLOPE 0.01

static int
normed(BgNnGraph *graph, const char *name, int input, int channels, int stride)
{
    g_autofree char *norm = bg_layer_name(name, "norm"), *leaky = bg_layer_name(name, "lrelu");
    int x = bg_layer_conv(graph, name, input, channels, 3, stride, 1, FALSE);

    x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_INSTANCE_NORM,
                                             .name = norm,
                                             .inputs = { x },
                                             .n_inputs = 1,
                                             .eps = EPS,
                                             .affine = TRUE });
    return bg_layer_leaky(graph, leaky, x, SLOPE);
}

static int
two_convs(BgNnGraph *graph, const char *prefix, int input, int channels, int stride)
{
    g_autofree char *first = bg_layer_name(prefix, "conv1");
    g_autofree char *second = bg_layer_name(prefix, "conv2");

    return normed(graph, second, normed(graph, first, input, channels, stride), channels, 1);
}

BgNnGraph *
bg_unet3_tumour_graph(void)
{
    BgNnGraph *graph = bg_nn_graph_new("unet3-tumour");
    int x = bg_nn_graph_input(graph, "image", 4, 3), skips[N_LEVELS], results[N_LEVELS];

    for (int level = 0; level <= N_LEVELS; level++) {
        g_autofree char *prefix = g_strdup_printf("down%d", level);
        x = two_convs(graph, prefix, x, MIN(WIDTH << level, MOST), level == 0 ? 1 : 2);
        if (level < N_LEVELS)
            skips[level] = x;
    }
    for (int level = N_LEVELS - 1; level >= 0; level--) {
        g_autofree char *prefix = g_strdup_printf("up%d", level);
        g_autofree char *up = bg_layer_name(prefix, "double");
        g_autofree char *join = bg_layer_name(prefix, "join");
        int channels = MIN(WIDTH << level, MOST);
        x = bg_layer_double(graph, up, x, channels);
        x = bg_nn_graph_binary(graph, BG_NN_CONCAT, join, x, skips[level]);
        x = results[level] = two_convs(graph, prefix, x, channels, 1);
    }
    for (int level = 0; level < BG_UNET3_N_RESULTS; level++) {
        g_autofree char *classes = g_strdup_printf("classes%d", level);
        g_autofree char *softmax = g_strdup_printf("softmax%d", level);
        int result = bg_nn_graph_conv(graph, classes, results[level], 4, 1);
        bg_nn_graph_add_output(graph, bg_nn_graph_unary(graph, BG_NN_SOFTMAX, softmax, result));
    }
    return graph;
}
