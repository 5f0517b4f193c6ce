// SPDX-License-Identifier: Apache-2.0
#include "bg-layers.h"
#include "bg-networks.h"

#define MAX_LEVELS 8
#define NORM_EPS 1e-5
#define NORM_MOMENTUM 0.1

static int
rectified(BgNnGraph *graph, const BgUnet *unet, const char *name, int input, int channels,
          int kernel)
{
    g_autofree char *relu = bg_layer_name(name, "relu"), *norm = bg_layer_name(name, "norm");
    int x = unet->unpadded ? bg_layer_conv(graph, name, input, channels, kernel, 1, 0, FALSE)
                           : bg_nn_graph_conv(graph, name, input, channels, kernel);

    if (unet->norm)
        x = bg_layer_norm(graph, norm, x, NORM_EPS, NORM_MOMENTUM, BG_NN_NORM_USUAL);
    return bg_nn_graph_unary(graph, BG_NN_RELU, relu, x);
}

static int
two_convs(BgNnGraph *graph, const BgUnet *unet, const char *prefix, int input, int channels)
{
    g_autofree char *first = bg_layer_name(prefix, "conv1"),
                    *second = bg_layer_name(prefix, "conv2");

    return rectified(graph, unet, second, rectified(graph, unet, first, input, channels, 3),
                     channels, 3);
}

static int
go_up(BgNnGraph *graph, const BgUnet *unet, const char *prefix, int input, int channels)
{
    g_autofree char *up = bg_layer_name(prefix, "up"), *conv = bg_layer_name(prefix, "upconv");

    if (unet->transposed)
        return bg_layer_double(graph, up, input, channels);
    return rectified(graph, unet, conv, bg_layer_nearest(graph, up, input), channels, 2);
}

// An unpadded network loses four pixels with each two convolutions: what goes across is wider by a
// number of pixels that does not depend on the picture: 4 at the lowest, 2 c + 8 above c.
static int
crop_skip(BgNnGraph *graph, const BgUnet *unet, const char *prefix, int skip, int level)
{
    g_autofree char *name = bg_layer_name(prefix, "crop");
    int wide = 4;

    if (!unet->unpadded)
        return skip;
    for (int l = unet->n_levels - 1; l > level; l--)
        wide = 2 * wide + 8;
    return bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_CROP,
                                                .name = name,
                                                .inputs = { skip },
                                                .n_inputs = 1,
                                                .before = BG_NN_ALL(wide),
                                                .after = BG_NN_ALL(wide) });
}

static int
channels_at(const BgUnet *unet, int level)
{
    return unet->most > 0 ? MIN(unet->width << level, unet->most) : unet->width << level;
}

BgNnGraph *
bg_unet_graph(const BgUnet *unet)
{
    BgNnGraph *graph = bg_nn_graph_new(unet->name != NULL ? unet->name : "unet");
    int x = bg_nn_graph_input(graph, "image", unet->n_in, 2), skips[MAX_LEVELS];

    g_assert(unet->n_levels >= 1 && unet->n_levels <= MAX_LEVELS);
    for (int level = 0; level < unet->n_levels; level++) {
        g_autofree char *prefix = g_strdup_printf("down%d", level);
        g_autofree char *pool = bg_layer_name(prefix, "pool");
        skips[level] = two_convs(graph, unet, prefix, x, channels_at(unet, level));
        x = bg_layer_halve(graph, pool, skips[level]);
    }
    x = two_convs(graph, unet, "bottom", x, channels_at(unet, unet->n_levels));
    if (unet->dropout > 0)
        x = bg_layer_drop(graph, "bottom_drop", x, unet->dropout, FALSE);
    for (int level = unet->n_levels - 1; level >= 0; level--) {
        g_autofree char *prefix = g_strdup_printf("up%d", level);
        g_autofree char *join = bg_layer_name(prefix, "join");
        x = go_up(graph, unet, prefix, x, channels_at(unet, level));
        int skip = crop_skip(graph, unet, prefix, skips[level], level);
        x = bg_nn_graph_binary(graph, BG_NN_CONCAT, join, skip, x);
        x = two_convs(graph, unet, prefix, x, channels_at(unet, level));
    }
    x = bg_nn_graph_conv(graph, "classes", x, unet->n_out, 1);
    bg_nn_graph_add_output(graph, bg_nn_graph_unary(graph, BG_NN_SOFTMAX, "softmax", x));
    return graph;
}

BgNnGraph *
bg_unet_tumour_graph(void)
{
    return bg_unet_graph(&(BgUnet){ .n_in = 4,
                                    .n_out = 4,
                                    .width = 16,
                                    .n_levels = 4,
                                    .name = "unet-tumour",
                                    .most = 96,
                                    .norm = TRUE });
}

BgNnGraph *
bg_unet_brats_graph(void)
{
    return bg_unet_graph(
        &(BgUnet){ .n_in = 2, .n_out = 4, .width = 32, .n_levels = 4, .dropout = 0.2 });
}

BgNnGraph *
bg_unet_classic_graph(void)
{
    return bg_unet_graph(&(BgUnet){ .n_in = 2,
                                    .n_out = 4,
                                    .width = 64,
                                    .n_levels = 4,
                                    .transposed = TRUE,
                                    .name = "unet-classic",
                                    .unpadded = TRUE });
}
