// SPDX-License-Identifier: Apache-2.0
#include "bg-vgg19.h"

#include "bg-layers.h"

#include <string.h>

typedef struct {
    int channels, n_convs;
} Block;

static const Block blocks[BG_VGG19_N_LEVELS] = { { 64, 2 }, { 128, 2 }, { 256, 4 }, { 512, 2 } };
static const Block small_blocks[BG_VGG19_N_LEVELS] = { { 16, 2 }, { 32, 2 }, { 48, 4 }, { 64, 2 } };

// torchvision numbers convolutions, rectifiers and pools through: these are the convolutions.
static const BgNnWeightsMap torch_map[] = {
    { "block1_conv1", "features.0" },
    { "block1_conv2", "features.2" },
    { "block2_conv1", "features.5" },
    { "block2_conv2", "features.7" },
    { "block3_conv1", "features.10" },
    { "block3_conv2", "features.12" },
    { "block3_conv3", "features.14" },
    { "block3_conv4", "features.16" },
    { "block4_conv1", "features.19" },
    { "block4_conv2", "features.21" },
    { NULL, NULL },
};

static BgNnGraph *
stack(const char *name, int n_in, const Block *stacked)
{
    BgNnGraph *graph = bg_nn_graph_new(name);
    int x = bg_nn_graph_input(graph, "image", n_in, 2);

    for (int level = 0; level < BG_VGG19_N_LEVELS; level++) {
        for (int i = 1; i <= stacked[level].n_convs; i++) {
            g_autofree char *conv = g_strdup_printf("block%d_conv%d", level + 1, i);
            g_autofree char *relu = g_strdup_printf("block%d_relu%d", level + 1, i);
            x = bg_nn_graph_conv(graph, conv, x, stacked[level].channels, 3);
            if (i == 2)
                bg_nn_graph_add_output(graph, x);
            x = bg_nn_graph_unary(graph, BG_NN_RELU, relu, x);
            if (i == 2)
                bg_nn_graph_add_output(graph, x);
        }
        if (level + 1 < BG_VGG19_N_LEVELS) {
            g_autofree char *pool = g_strdup_printf("block%d_pool", level + 1);
            x = bg_layer_halve(graph, pool, x);
        }
    }
    return graph;
}

BgNnGraph *
bg_vgg19_graph(void)
{
    return stack("vgg19", 3, blocks);
}

BgNnGraph *
bg_vgg_small_graph(void)
{
    return stack(BG_VGG_SMALL, 1, small_blocks);
}

BgNnGraph *
bg_vgg_small_task_graph(void)
{
    BgNnGraph *graph = stack(BG_VGG_SMALL "-task", 1, small_blocks);
    int told = BG_VGG_SMALL_PATCH * BG_VGG_SMALL_PATCH;

    for (int level = 0; level < BG_VGG19_N_LEVELS; level++) {
        g_autofree char *name = g_strdup_printf("patch%d", level + 1);
        int features = bg_nn_graph_get_output(graph, bg_vgg19_output(level, TRUE));
        bg_nn_graph_add_output(graph, bg_nn_graph_conv(graph, name, features, told, 1));
    }
    return graph;
}

int
bg_vgg19_output(int level, gboolean after_relu)
{
    g_return_val_if_fail(level >= 0 && level < BG_VGG19_N_LEVELS, -1);

    return 2 * level + (after_relu ? 1 : 0);
}

void
bg_vgg19_normalise(float *planes, gsize n_pixels, BgVgg19Input input)
{
    static const float means[3][3] = { [BG_VGG19_IMAGENET] = { 0.485f, 0.456f, 0.406f },
                                       [BG_VGG19_CAFFE] = { 123.68f, 116.779f, 103.939f } };
    static const float deviations[3] = { 0.229f, 0.224f, 0.225f };

    for (int c = 0; c < 3 && input != BG_VGG19_PLAIN; c++) {
        float *plane = planes + (gsize) c * n_pixels, mean = means[input][c];
        float scale = input == BG_VGG19_CAFFE ? 255.0f : 1.0f;
        float by = input == BG_VGG19_CAFFE ? 1.0f : deviations[c];
        for (gsize i = 0; i < n_pixels; i++)
            plane[i] = (plane[i] * scale - mean) / by;
    }
}

BgNnParams *
bg_vgg19_params(const BgNnGraph *graph, GError **error)
{
    BgNnShape shape = bg_nn_shape(1, 3, 2, 1, 8, 8);

    return bg_nn_params_new(graph, &shape, 1, BG_NN_INIT_HE, 0, 0, error);
}

// Red and blue change places in what the first convolution multiplies.
static void
turn_colours(BgNnParams *params)
{
    int index = bg_nn_params_find_role(params, "block1_conv1", BG_NN_ROLE_WEIGHT);
    BgNnTensor *weight = bg_nn_params_get(params, index);
    float *data = bg_nn_tensor_data(weight), kept[9];

    for (gsize out = 0; out < bg_nn_tensor_get_shape(weight)->dims[0]; out++) {
        float *first = data + out * 27, *third = first + 18;
        memcpy(kept, first, sizeof kept);
        memcpy(first, third, sizeof kept);
        memcpy(third, kept, sizeof kept);
    }
}

BgNnParams *
bg_vgg19_load(const BgNnGraph *graph, const char *path, BgNnWeightsInfo *info,
              const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgNnWeightsKind kind = bg_nn_weights_sniff(path, error);
    if (kind == BG_NN_WEIGHTS_UNKNOWN)
        return NULL;
    g_autoptr(BgNnParams) like = bg_vgg19_params(graph, error);
    if (like == NULL)
        return NULL;
    BgNnWeightsInfo own = { 0 };
    BgNnParams *params = bg_nn_weights_load(
        path, graph, like,
        kind == BG_NN_WEIGHTS_SAFETENSORS || kind == BG_NN_WEIGHTS_ONNX ? torch_map : NULL, &own,
        progress, cancellable, error);
    if (params != NULL && own.kind == BG_NN_WEIGHTS_KERAS)
        turn_colours(params);
    if (info != NULL && params != NULL)
        *info = own;
    else
        bg_nn_weights_info_clear(&own);
    return params;
}
