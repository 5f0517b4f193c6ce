// SPDX-License-Identifier: Apache-2.0
// The networks that imitate a volume renderer (Berger, Li, Levine 2019), with the changes of its
// fork: the opacity's encoder is learnt along, the discriminator has no batch norms.
#include "bg-layers.h"
#include "bg-networks.h"

#define SLOPE 0.2
#define EPS 1e-5
#define MOMENTUM 0.1
#define N_CODE 256 // numbers in the code of a view or transfer function

static int
leaky_linear(BgNnGraph *graph, const char *name, int input, int channels)
{
    g_autofree char *relu = bg_layer_name(name, "lrelu");

    return bg_layer_leaky(graph, relu, bg_layer_linear(graph, name, input, channels), SLOPE);
}

static int
norm(BgNnGraph *graph, const char *prefix, int input)
{
    g_autofree char *name = bg_layer_name(prefix, "norm");

    return bg_layer_norm(graph, name, input, EPS, MOMENTUM, BG_NN_NORM_USUAL);
}

static int
encode_view(BgNnGraph *graph)
{
    int x = leaky_linear(graph, "view_fc1", bg_nn_graph_input(graph, "view", 5, 0), N_CODE);

    return leaky_linear(graph, "view_fc2", x, N_CODE);
}

// A transfer function of 256 samples as N_CODE numbers.
static int
encode_function(BgNnGraph *graph, const char *name, int channels, gboolean no_bias)
{
    static const int widths[] = { 16, 32, 64, 128, 128 };
    g_autofree char *last = bg_layer_name(name, "conv6"), *relu = bg_layer_name(name, "lrelu6");
    g_autofree char *flat = bg_layer_name(name, "flat");
    int x = bg_nn_graph_input(graph, name, channels, 1);

    for (gsize i = 0; i < G_N_ELEMENTS(widths); i++) {
        g_autofree char *conv = g_strdup_printf("%s_conv%d", name, (int) i + 1);
        g_autofree char *leaky = g_strdup_printf("%s_lrelu%d", name, (int) i + 1);
        x = bg_layer_conv(graph, conv, x, widths[i], 5, 2, 2, no_bias);
        x = bg_layer_leaky(graph, leaky, x, SLOPE);
    }
    x = bg_layer_leaky(graph, relu, bg_layer_conv(graph, last, x, N_CODE, 8, 1, 0, no_bias), SLOPE);
    return bg_layer_flatten(graph, flat, x);
}

static int
squeeze(BgNnGraph *graph, const char *name, int input)
{
    g_autofree char *fc1 = bg_layer_name(name, "fc1"), *fc2 = bg_layer_name(name, "fc2");

    return leaky_linear(graph, fc2, leaky_linear(graph, fc1, input, 32), N_CODE);
}

// Convolution without bias and its norm; rectified where `relu`.
static int
conv_norm(BgNnGraph *graph, const char *name, int input, int channels, int kernel, gboolean relu)
{
    g_autofree char *rectifier = bg_layer_name(name, "relu");
    int x = bg_layer_conv(graph, name, input, channels, kernel, 1, kernel / 2, TRUE);

    x = norm(graph, name, x);
    return relu ? bg_nn_graph_unary(graph, BG_NN_RELU, rectifier, x) : x;
}

static int
join(BgNnGraph *graph, const char *name, int x, int input, int channels, gboolean same)
{
    g_autofree char *shortcut = bg_layer_name(name, "shortcut"), *add = bg_layer_name(name, "add");
    g_autofree char *relu = bg_layer_name(name, "relu");

    if (!same)
        input = conv_norm(graph, shortcut, input, channels, 1, FALSE);
    return bg_nn_graph_unary(graph, BG_NN_RELU, relu,
                             bg_nn_graph_binary(graph, BG_NN_ADD, add, x, input));
}

static int
bottleneck(BgNnGraph *graph, const char *name, int input, int n_in, int n_out)
{
    g_autofree char *a = bg_layer_name(name, "conv1"), *b = bg_layer_name(name, "conv2");
    g_autofree char *c = bg_layer_name(name, "conv3");
    int x = conv_norm(graph, a, input, n_in / 2, 1, TRUE);

    x = conv_norm(graph, c, conv_norm(graph, b, x, n_out / 2, 3, TRUE), n_out, 1, FALSE);
    return join(graph, name, x, input, n_out, n_in == n_out);
}

// Nearest pixel by two, then a residual block.
static int
up_block(BgNnGraph *graph, const char *name, int input, int n_in, int n_out)
{
    g_autofree char *up = bg_layer_name(name, "up"), *a = bg_layer_name(name, "conv1");
    g_autofree char *b = bg_layer_name(name, "conv2");
    int wide = bg_layer_nearest(graph, up, input);
    int x = conv_norm(graph, a, wide, n_in, 3, TRUE);

    x = conv_norm(graph, b, x, n_out, 3, FALSE);
    return join(graph, name, x, wide, n_out, n_in == n_out);
}

static int
halve(BgNnGraph *graph, const char *name, int input, int channels, gboolean with_norm)
{
    g_autofree char *leaky = bg_layer_name(name, "lrelu");
    int x = bg_layer_conv(graph, name, input, channels, 4, 2, 1, FALSE);

    return bg_layer_leaky(graph, leaky, with_norm ? norm(graph, name, x) : x, SLOPE);
}

// View, opacity and colour as one picture of 8 x 8.
static int
tile_codes(BgNnGraph *graph, int view, int opacity, int colour)
{
    int x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_CONCAT,
                                                 .name = "codes",
                                                 .inputs = { view, opacity, colour },
                                                 .n_inputs = 3 });
    x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_RESHAPE,
                                             .name = "codes_pixel",
                                             .inputs = { x },
                                             .n_inputs = 1,
                                             .channels = 3 * N_CODE,
                                             .n_space = 2,
                                             .size = { 1, 1 } });
    return bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_TILE,
                                                .name = "codes_tiled",
                                                .inputs = { x },
                                                .n_inputs = 1,
                                                .stride = { 8, 8 } });
}

BgNnGraph *
bg_tfgan_generator_graph(void)
{
    BgNnGraph *graph = bg_nn_graph_new("tfgan-generator");
    int view = encode_view(graph);
    int opacity = squeeze(graph, "opacity", encode_function(graph, "opacity", 1, TRUE));
    int colour = squeeze(graph, "colour", encode_function(graph, "colour", 3, TRUE));
    int image = bg_nn_graph_input(graph, "opacity_image", 1, 2);
    int at32 = halve(graph, "encode32", image, 64, FALSE);
    int at16 = halve(graph, "encode16", at32, 128, TRUE);
    int at8 = halve(graph, "encode8", at16, 256, TRUE);
    int tiled = tile_codes(graph, view, opacity, colour);
    int x = bg_nn_graph_binary(graph, BG_NN_CONCAT, "code", tiled, at8);

    x = bottleneck(graph, "bottleneck1", x, 1024, 1024);
    x = bottleneck(graph, "bottleneck2", x, 1024, 1024);
    x = bottleneck(graph, "bottleneck3", x, 1024, 1024);
    x = bottleneck(graph, "bottleneck4", x, 1024, 256);
    x = up_block(graph, "decode16", x, 256, 128);
    x = bg_nn_graph_binary(graph, BG_NN_CONCAT, "join16", x, at16);
    x = up_block(graph, "decode32", x, 256, 64);
    x = bg_nn_graph_binary(graph, BG_NN_CONCAT, "join32", x, at32);
    x = up_block(graph, "decode64", x, 128, 64);
    x = up_block(graph, "decode128", x, 64, 32);
    x = bg_layer_nearest(graph, "decode256_up", x);
    x = norm(graph, "decode256", bg_nn_graph_conv(graph, "decode256", x, 32, 3));
    x = bg_nn_graph_unary(graph, BG_NN_RELU, "decode256_relu", x);
    x = bg_nn_graph_conv(graph, "picture", x, 3, 3);
    bg_nn_graph_add_output(graph, bg_nn_graph_unary(graph, BG_NN_TANH, "tanh", x));
    return graph;
}

BgNnGraph *
bg_tfgan_discriminator_graph(void)
{
    static const struct {
        const char *name;
        int channels;
    } steps[] = { { "image128", 32 }, { "image64", 64 }, { "image32", 128 },
                  { "image16", 256 }, { "image8", 512 }, { "image4", 512 } };
    BgNnGraph *graph = bg_nn_graph_new("tfgan-discriminator");
    int view = encode_view(graph);
    int opacity = encode_function(graph, "opacity", 1, FALSE);
    int colour = encode_function(graph, "colour", 3, FALSE);
    int x = bg_nn_graph_input(graph, "image", 3, 2);

    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++)
        x = halve(graph, steps[i].name, x, steps[i].channels, FALSE);
    x = bg_layer_conv(graph, "image1", x, 512, 4, 1, 0, FALSE);
    x = bg_layer_flatten(graph, "image_flat", bg_layer_leaky(graph, "image1_lrelu", x, SLOPE));
    x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_CONCAT,
                                             .name = "codes",
                                             .inputs = { view, opacity, colour, x },
                                             .n_inputs = 4 });
    x = leaky_linear(graph, "fc2", leaky_linear(graph, "fc1", x, 512), 512);
    x = bg_layer_linear(graph, "fc3", x, 1);
    bg_nn_graph_add_output(graph, bg_nn_graph_unary(graph, BG_NN_SIGMOID, "real", x));
    return graph;
}
