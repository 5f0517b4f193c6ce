// SPDX-License-Identifier: Apache-2.0
#include "bg-layers.h"
#include "bg-networks.h"

// ------------------------------------------------------------------------------------------------
// FunFuseAn (Kumar, Hoffmann, Oelschlaegel, Keller, Kirsch, Gumhold 2019)

static int
fuse_conv(BgNnGraph *graph, const char *name, int input, int channels, int kernel)
{
    g_autofree char *norm = bg_layer_name(name, "norm"), *leaky = bg_layer_name(name, "lrelu");
    int x = bg_nn_graph_conv(graph, name, input, channels, kernel);

    x = bg_layer_norm(graph, norm, x, 1e-5, 0.1, BG_NN_NORM_USUAL);
    return bg_layer_leaky(graph, leaky, x, 0.2);
}

static int
fuse_high(BgNnGraph *graph, const char *prefix, int input, int kernel)
{
    int x = input;

    for (int i = 0; i < 3; i++) {
        g_autofree char *name = g_strdup_printf("%s_high%d", prefix, i + 1);
        x = fuse_conv(graph, name, x, 16 << i, kernel);
    }
    return x;
}

static BgNnGraph *
fuse_graph(const char *name, gboolean published)
{
    BgNnGraph *graph = bg_nn_graph_new(name);
    int mri = bg_nn_graph_input(graph, "mri", 1, 2), pet = bg_nn_graph_input(graph, "pet", 1, 2);
    int mri_low = fuse_conv(graph, "mri_low", mri, 16, 9);
    int pet_low = fuse_conv(graph, "pet_low", pet, 16, 7);
    int mri_high = fuse_high(graph, "mri", mri, 3), pet_high = fuse_high(graph, "pet", pet, 5);
    int x = bg_nn_graph_binary(graph, BG_NN_MAXIMUM, "high", mri_high, pet_high);

    if (published) {
        int sum = bg_nn_graph_binary(graph, BG_NN_ADD, "high_sum", mri_high, pet_high);
        x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_DIVIDE,
                                                 .name = "high_share",
                                                 .inputs = { x, sum },
                                                 .n_inputs = 2,
                                                 .eps = 1e-8 });
    }
    x = fuse_conv(graph, "recon1", x, 32, 5);
    x = fuse_conv(graph, "recon2", x, 16, 5);
    x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_ADD,
                                             .name = "low",
                                             .inputs = { mri_low, pet_low, x },
                                             .n_inputs = 3,
                                             .scale = 1.0 / 3.0 });
    x = bg_nn_graph_conv(graph, "recon3", x, 1, 5);
    bg_nn_graph_add_output(graph, bg_nn_graph_unary(graph, BG_NN_TANH, "fused", x));
    return graph;
}

BgNnGraph *
bg_funfusean_graph(void)
{
    return fuse_graph("funfusean", TRUE);
}

BgNnGraph *
bg_funfuse_graph(void)
{
    return fuse_graph("funfuse", FALSE);
}

// ------------------------------------------------------------------------------------------------
// The scatter network: reflected borders; the sixth convolution goes on as it is.

BgNnGraph *
bg_scatter_graph(void)
{
    static const int channels[] = { 4, 8, 16, 16, 8, 1, 1, 1, 1, 1 };
    BgNnGraph *graph = bg_nn_graph_new("scatter");
    int x = bg_nn_graph_input(graph, "image", 1, 2), n = (int) G_N_ELEMENTS(channels);

    for (int i = 0; i < n; i++) {
        g_autofree char *conv = g_strdup_printf("conv%d", i + 1);
        g_autofree char *relu = bg_layer_name(conv, "relu");
        int kernel = i < 6 ? 11 : 31;
        x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_CONV,
                                                 .name = conv,
                                                 .inputs = { x },
                                                 .n_inputs = 1,
                                                 .channels = channels[i],
                                                 .kernel = BG_NN_ALL(kernel),
                                                 .before = BG_NN_ALL(kernel / 2),
                                                 .after = BG_NN_ALL(kernel / 2),
                                                 .pad_mode = BG_NN_PAD_REFLECT });
        if (i != 5 && i != n - 1)
            x = bg_nn_graph_unary(graph, BG_NN_RELU, relu, x);
    }
    bg_nn_graph_add_output(graph, x);
    return graph;
}
