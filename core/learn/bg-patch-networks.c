// SPDX-License-Identifier: Apache-2.0
// The patch networks of BraTS 2015: a plain one, one with a narrow and a wide look at once (Havaei et al. 2017), and
// one that has the very centre beside the patch. Each comes in a second form that slides over a whole picture: the
// linear layers at its end are convolutions there as large as what they see, so that what neighbouring patches have in
// common is computed once (Long, Shelhamer and Darrell 2015).
#include "bg-layers.h"
#include "bg-networks.h"

#include <string.h>

#define N_CONTRASTS 4
#define N_CLASSES 5
#define N_PIECES 5 // of a maxout
#define LAST 14    // pixels a side that are left of a patch of 33
#define CENTRE 5

typedef struct {
    int channels, kernel;
} Step;

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
add_softmax(BgNnGraph *graph, int input)
{
    bg_nn_graph_add_output(graph, bg_nn_graph_unary(graph, BG_NN_SOFTMAX, "softmax", input));
}

// Of what is @side pixels a side for one patch.
static int
linear(BgNnGraph *graph, const char *name, int input, int channels, int side, gboolean spread)
{
    g_autofree char *flat = bg_layer_name(name, "flat");

    if (spread)
        return bg_layer_conv(graph, name, input, channels, side, 1, 0, FALSE);
    return bg_layer_linear(graph, name, bg_layer_flatten(graph, flat, input), channels);
}

// Valid convolutions, pools of two with stride one. Norms without an eps of their own: the old files
// hold deviations, see bg_nn_weights_load().
static int
add_steps(BgNnGraph *graph, int input, const Step steps[3])
{
    int x = input;

    for (int i = 0; i < 3; i++) {
        g_autofree char *conv = g_strdup_printf("conv%d", i + 1);
        g_autofree char *norm = bg_layer_name(conv, "norm"), *pools = bg_layer_name(conv, "pool");
        g_autofree char *drop = bg_layer_name(conv, "drop");
        x = rectified(graph, conv, x, steps[i].channels, steps[i].kernel);
        x = bg_layer_norm(graph, norm, x, 0, 0.1, BG_NN_NORM_USUAL);
        x = bg_layer_drop(graph, drop, pool(graph, pools, x, 2), 0.5, FALSE);
    }
    return bg_layer_drop(graph, "conv4_drop", rectified(graph, "conv4", x, 128, 3), 0.25, FALSE);
}

static BgNnGraph *
cnn(gboolean spread)
{
    static const Step steps[] = { { 64, 7 }, { 128, 5 }, { 128, 5 } };
    BgNnGraph *graph = bg_nn_graph_new("patch-cnn");
    int x = add_steps(graph, bg_nn_graph_input(graph, "patch", N_CONTRASTS, 2), steps);

    add_softmax(graph, linear(graph, "classes", x, N_CLASSES, LAST, spread));
    return graph;
}

static BgNnGraph *
two_path(gboolean spread)
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
    add_softmax(graph, linear(graph, "classes", x, N_CLASSES, 1, spread));
    return graph;
}

static int
maxout(BgNnGraph *graph, int centre, gboolean spread)
{
    BgNnLayer most = { .kind = BG_NN_MAXIMUM, .name = "centre_maxout", .n_inputs = N_PIECES };

    for (int i = 0; i < N_PIECES; i++) {
        g_autofree char *name = g_strdup_printf("centre%d", i + 1);
        most.inputs[i] = linear(graph, name, centre, 128, CENTRE, spread);
    }
    return bg_layer_drop(graph, "centre_drop", bg_nn_graph_add(graph, &most), 0.5, FALSE);
}

static BgNnGraph *
dual(gboolean spread)
{
    static const Step steps[] = { { 64, 7 }, { 128, 5 }, { 256, 5 } };
    BgNnGraph *graph = bg_nn_graph_new("patch-dual");
    int patch = bg_nn_graph_input(graph, "patch", N_CONTRASTS, 2);
    int centre = bg_nn_graph_input(graph, "centre", N_CONTRASTS, 2);
    int x = add_steps(graph, patch, steps), near = maxout(graph, centre, spread);

    if (spread) { // one linear layer of both is the sum of one of each
        x = linear(graph, "classes", x, N_CLASSES, LAST, TRUE);
        near = bg_layer_conv(graph, "classes_centre", near, N_CLASSES, 1, 1, 0, TRUE);
        add_softmax(graph, bg_nn_graph_binary(graph, BG_NN_ADD, "both", x, near));
        return graph;
    }
    x = bg_nn_graph_binary(graph, BG_NN_CONCAT, "join", bg_layer_flatten(graph, "flat", x), near);
    add_softmax(graph, bg_layer_linear(graph, "classes", x, N_CLASSES));
    return graph;
}

BgNnGraph *
bg_patch_cnn_graph(void)
{
    return cnn(FALSE);
}

BgNnGraph *
bg_patch_two_path_graph(void)
{
    return two_path(FALSE);
}

BgNnGraph *
bg_patch_dual_graph(void)
{
    return dual(FALSE);
}

// Rows of a linear layer's matrix, from column @first on, become a convolution's kernels: both go by
// channel, row and column.
static void
copy_columns(BgNnTensor *to, const BgNnTensor *from, gsize first)
{
    gsize n_rows = bg_nn_tensor_get_shape(to)->dims[0];
    gsize n_to = bg_nn_tensor_count(to) / n_rows, n_from = bg_nn_tensor_count(from) / n_rows;

    for (gsize row = 0; row < n_rows; row++)
        memcpy(bg_nn_tensor_data(to) + row * n_to, bg_nn_tensor_peek(from) + row * n_from + first,
               n_to * sizeof(float));
}

static BgNnParams *
spread_params(const BgNnGraph *graph, const BgNetwork *network, const BgNnParams *params,
              GError **error)
{
    BgNnParams *made =
        bg_nn_params_new(graph, network->inputs, network->n_inputs, BG_NN_INIT_GLOROT, 0, 0, error);

    for (int i = 0; made != NULL && i < bg_nn_params_count(made); i++) {
        const char *name = bg_nn_params_get_name(made, i);
        gboolean near = g_str_has_prefix(name, "classes_centre/");
        int from = bg_nn_params_find(params, near ? "classes/weight" : name);
        gsize first = near ? (gsize) LAST * LAST * 128 : 0;
        copy_columns(bg_nn_params_get(made, i), bg_nn_params_get(params, from), first);
    }
    return made;
}

BgNnGraph *
bg_patch_network_spread(const BgNetwork *network, const BgNnParams *params, BgNnParams **spread,
                        GError **error)
{
    g_autoptr(BgNnGraph) graph = g_str_equal(network->name, "patch-cnn")        ? cnn(TRUE)
                                 : g_str_equal(network->name, "patch-two-path") ? two_path(TRUE)
                                                                                : dual(TRUE);

    *spread = spread_params(graph, network, params, error);
    return *spread != NULL ? g_steal_pointer(&graph) : NULL;
}
