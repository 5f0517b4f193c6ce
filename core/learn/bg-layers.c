// SPDX-License-Identifier: Apache-2.0
#include "bg-layers.h"

int
bg_layer_norm(BgNnGraph *graph, const char *name, int input, double eps, double momentum,
              BgNnNorm norm)
{
    return bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_BATCH_NORM,
                                                .name = name,
                                                .inputs = { input },
                                                .n_inputs = 1,
                                                .eps = eps,
                                                .momentum = momentum,
                                                .norm = norm });
}

int
bg_layer_leaky(BgNnGraph *graph, const char *name, int input, double slope)
{
    return bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_LEAKY_RELU,
                                                .name = name,
                                                .inputs = { input },
                                                .n_inputs = 1,
                                                .slope = slope });
}

int
bg_layer_linear(BgNnGraph *graph, const char *name, int input, int channels)
{
    return bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_LINEAR,
                                                .name = name,
                                                .inputs = { input },
                                                .n_inputs = 1,
                                                .channels = channels });
}

int
bg_layer_nearest(BgNnGraph *graph, const char *name, int input)
{
    return bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_UPSAMPLE,
                                                .name = name,
                                                .inputs = { input },
                                                .n_inputs = 1,
                                                .stride = BG_NN_ALL(2) });
}

int
bg_layer_halve(BgNnGraph *graph, const char *name, int input)
{
    return bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_MAX_POOL,
                                                .name = name,
                                                .inputs = { input },
                                                .n_inputs = 1,
                                                .kernel = BG_NN_ALL(2),
                                                .stride = BG_NN_ALL(2) });
}

int
bg_layer_drop(BgNnGraph *graph, const char *name, int input, double rate, gboolean channels)
{
    return bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_DROPOUT,
                                                .name = name,
                                                .inputs = { input },
                                                .n_inputs = 1,
                                                .rate = rate,
                                                .shared = channels });
}

int
bg_layer_flatten(BgNnGraph *graph, const char *name, int input)
{
    return bg_nn_graph_unary(graph, BG_NN_RESHAPE, name, input);
}

int
bg_layer_conv(BgNnGraph *graph, const char *name, int input, int channels, int kernel, int stride,
              int border, gboolean no_bias)
{
    return bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_CONV,
                                                .name = name,
                                                .inputs = { input },
                                                .n_inputs = 1,
                                                .channels = channels,
                                                .kernel = BG_NN_ALL(kernel),
                                                .stride = BG_NN_ALL(stride),
                                                .before = BG_NN_ALL(border),
                                                .after = BG_NN_ALL(border),
                                                .no_bias = no_bias });
}

int
bg_layer_double(BgNnGraph *graph, const char *name, int input, int channels)
{
    return bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_DECONV,
                                                .name = name,
                                                .inputs = { input },
                                                .n_inputs = 1,
                                                .channels = channels,
                                                .kernel = BG_NN_ALL(2),
                                                .stride = BG_NN_ALL(2) });
}

char *
bg_layer_name(const char *prefix, const char *suffix)
{
    return g_strdup_printf("%s_%s", prefix, suffix);
}
