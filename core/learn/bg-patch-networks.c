// SPDX-License-Identifier: Apache-2.0
// The larger two of the patch networks of BraTS 2015: a narrow and a wide look at once (Havaei et al. 2017), and
// the whole patch beside its very centre.
#include "bg-layers.h"
#include "bg-networks.h"

#define N_CONTRASTS 4
#define N_CLASSES 5
#define N_PIECES 5 // of a maxout

static int
rectified(BgNnGraph *graph, const char *name, int input, int channels, int kernel)
{
    g_autofree char *relu = bg_layer_name(name, "relu");

    return bg_nn_graph_unary(graph, BG_NN_RELU, relu,
                             bg_layer_conv(graph, name, input, channels, kernel, 1, 0, FALSE));
}

static int
pool(BgNnGraph *graph, const char *name, int input, int kernel)
{
    return bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_MAX_POOL,
                                                .name = name,
                                                .inputs = { input },
                                                .n_inputs = 1,
                                                .kernel = BG_NN_ALL(kernel) });
}

static void
add_classes(BgNnGraph *graph, int input)
{
    int x = bg_layer_linear(graph, "classes", input, N_CLASSES);

    bg_nn_graph_add_output(graph, bg_nn_graph_unary(graph, BG_NN_SOFTMAX, "softmax", x));
}

BgNnGraph *
bg_patch_two_path_graph(void)
{
    BgNnGraph *graph = bg_nn_graph_new("patch-two-path");
    int patch = bg_nn_graph_input(graph, "patch", N_CONTRASTS, 2);
    int x = pool(graph, "local1_pool", rectified(graph, "local1", patch, 64, 7), 4);

    x = bg_layer_drop(graph, "local1_drop", x, 0.5, FALSE);
    x = pool(graph, "local2_pool", rectified(graph, "local2", x, 64, 3), 2);
    x = bg_layer_drop(graph, "local2_drop", x, 0.5, FALSE);
    int wide =
        bg_layer_drop(graph, "global_drop", rectified(graph, "global", patch, 160, 13), 0.5, FALSE);
    x = bg_nn_graph_binary(graph, BG_NN_CONCAT, "join", x, wide);
    x = rectified(graph, "last", x, N_CLASSES, 21);
    add_classes(graph, bg_layer_flatten(graph, "flat", x));
    return graph;
}

BgNnGraph *
bg_patch_dual_graph(void)
{
    static const struct {
        int channels, kernel;
    } convs[] = { { 64, 7 }, { 128, 5 }, { 256, 5 } };
    BgNnGraph *graph = bg_nn_graph_new("patch-dual");
    int x = bg_nn_graph_input(graph, "patch", N_CONTRASTS, 2);
    int centre = bg_nn_graph_input(graph, "centre", N_CONTRASTS, 2);
    BgNnLayer most = { .kind = BG_NN_MAXIMUM, .name = "centre_maxout", .n_inputs = N_PIECES };

    for (int i = 0; i < (int) G_N_ELEMENTS(convs); i++) {
        g_autofree char *conv = g_strdup_printf("conv%d", i + 1);
        g_autofree char *norm = bg_layer_name(conv, "norm"), *pools = bg_layer_name(conv, "pool");
        g_autofree char *drop = bg_layer_name(conv, "drop");
        x = rectified(graph, conv, x, convs[i].channels, convs[i].kernel);
        x = bg_layer_norm(graph, norm, x, 0, 0.1, BG_NN_NORM_USUAL);
        x = bg_layer_drop(graph, drop, pool(graph, pools, x, 2), 0.5, FALSE);
    }
    x = bg_layer_drop(graph, "conv4_drop", rectified(graph, "conv4", x, 128, 3), 0.25, FALSE);
    x = bg_layer_flatten(graph, "flat", x);
    centre = bg_layer_flatten(graph, "centre_flat", centre);
    for (int i = 0; i < N_PIECES; i++) {
        g_autofree char *name = g_strdup_printf("centre%d", i + 1);
        most.inputs[i] = bg_layer_linear(graph, name, centre, 128);
    }
    int maxout = bg_layer_drop(graph, "centre_drop", bg_nn_graph_add(graph, &most), 0.5, FALSE);
    add_classes(graph, bg_nn_graph_binary(graph, BG_NN_CONCAT, "join", x, maxout));
    return graph;
}
