// SPDX-License-Identifier: Apache-2.0
#include "bg-networks.h"
#include "bg-vgg19.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define FLAT(n)  \
    {            \
        2,       \
        {        \
            1, n \
        }        \
    }
#define LINE(c, x)  \
    {               \
        3,          \
        {           \
            1, c, x \
        }           \
    }
#define PICTURE(c, y, x) \
    {                    \
        4,               \
        {                \
            1, c, y, x   \
        }                \
    }
#define VOLUME(c, z, y, x) \
    {                      \
        5,                 \
        {                  \
            1, c, z, y, x  \
        }                  \
    }

// Keras 0 numbers all layers through: these have weights.
static const BgNnWeightsMap patch_map[] = {
    { "conv1", "layer_0" },      { "conv1_norm", "layer_2" }, { "conv2", "layer_5" },
    { "conv2_norm", "layer_6" }, { "conv3", "layer_9" },      { "conv3_norm", "layer_10" },
    { "conv4", "layer_13" },     { "classes", "layer_16" },   { NULL, NULL },
};

// Keras numbers the convolutions of a model in the order in which they are made.
static const BgNnWeightsMap lesion_map[] = {
    { "down0_conv1", "conv2d_1" },  { "down0_conv2", "conv2d_2" },
    { "down1_conv1", "conv2d_3" },  { "down1_conv2", "conv2d_4" },
    { "down2_conv1", "conv2d_5" },  { "down2_conv2", "conv2d_6" },
    { "down3_conv1", "conv2d_7" },  { "down3_conv2", "conv2d_8" },
    { "bottom_conv1", "conv2d_9" }, { "bottom_conv2", "conv2d_10" },
    { "up3_conv1", "conv2d_11" },   { "up3_conv2", "conv2d_12" },
    { "up2_conv1", "conv2d_13" },   { "up2_conv2", "conv2d_14" },
    { "up1_conv1", "conv2d_15" },   { "up1_conv2", "conv2d_16" },
    { "up0_conv1", "conv2d_17" },   { "up0_conv2", "conv2d_18" },
    { "lesion", "conv2d_19" },      { NULL, NULL },
};

static const BgNetwork networks[] = {
    { "vgg19",
      "VGG-19 to conv4_2",
      bg_vgg19_graph,
      1,
      { PICTURE(3, 64, 64) },
      FALSE,
      5865536,
      NULL,
      NULL },
    { BG_VGG_SMALL,
      "VGG's shape, small, of one grey picture",
      bg_vgg_small_graph,
      1,
      { PICTURE(1, 64, 64) },
      FALSE,
      157232,
      NULL,
      NULL },
    { "unet-brats",
      "U-Net of the BraTS 2020 slices",
      bg_unet_brats_graph,
      1,
      { PICTURE(2, 128, 128) },
      FALSE,
      7759908,
      NULL,
      NULL },
    { "unet-tumour",
      "U-Net of four contrasts of brain tumours",
      bg_unet_tumour_graph,
      1,
      { PICTURE(4, 64, 64) },
      FALSE,
      845556,
      NULL,
      NULL },
    { "vnet",
      "V-Net for materials in CT",
      bg_vnet_graph,
      1,
      { VOLUME(4, 32, 32, 32) },
      FALSE,
      45613944,
      NULL,
      NULL },
    { "tfgan-generator",
      "Generator of rendered pictures",
      bg_tfgan_generator_graph,
      4,
      { FLAT(5), LINE(1, 256), LINE(3, 256), PICTURE(1, 64, 64) },
      TRUE,
      15172099,
      NULL,
      NULL },
    { "tfgan-discriminator",
      "Discriminator of rendered pictures",
      bg_tfgan_discriminator_graph,
      4,
      { FLAT(5), LINE(1, 256), LINE(3, 256), PICTURE(3, 256, 256) },
      TRUE,
      12961025,
      NULL,
      NULL },
    { "funfusean",
      "FunFuseAn, as published",
      bg_funfusean_graph,
      2,
      { PICTURE(1, 64, 64), PICTURE(1, 64, 64) },
      FALSE,
      154977,
      NULL,
      NULL },
    { "funfuse",
      "Learned fusion of two pictures",
      bg_funfuse_graph,
      2,
      { PICTURE(1, 64, 64), PICTURE(1, 64, 64) },
      FALSE,
      154977,
      NULL,
      NULL },
    { "patch-cnn",
      "Patch network of BraTS 2015",
      bg_patch_cnn_graph,
      1,
      { PICTURE(4, 33, 33) },
      TRUE,
      900933,
      patch_map,
      NULL },
    { "unet3-tumour",
      "U-Net of volumes of four contrasts of brain tumours",
      bg_unet3_tumour_graph,
      1,
      { VOLUME(4, 32, 32, 32) },
      FALSE,
      3748284,
      NULL,
      NULL },
    { "unet-classic",
      "U-Net as first published, for two contrasts",
      bg_unet_classic_graph,
      1,
      { PICTURE(2, 188, 188) },
      FALSE,
      31031364,
      NULL,
      NULL },
    { "patch-two-path",
      "Patch network of two paths",
      bg_patch_two_path_graph,
      1,
      { PICTURE(4, 33, 33) },
      TRUE,
      651811,
      NULL,
      NULL },
    { "patch-dual",
      "Patch network with the centre beside it",
      bg_patch_dual_graph,
      2,
      { PICTURE(4, 33, 33), PICTURE(4, 5, 5) },
      TRUE,
      1523653,
      NULL,
      NULL },
    { "lesion-unet",
      "U-Net of skin lesions",
      bg_lesion_unet_graph,
      1,
      { PICTURE(1, 48, 64) },
      FALSE,
      7846081,
      lesion_map,
      NULL },
    { "lesion-classifier",
      "VGG-16 for skin lesions",
      bg_lesion_classifier_graph,
      1,
      { PICTURE(3, 224, 224) },
      TRUE,
      21137729,
      NULL,
      NULL },
    { "scatter",
      "Scatter of X-rays",
      bg_scatter_graph,
      1,
      { PICTURE(1, 64, 64) },
      FALSE,
      71177,
      NULL,
      NULL },
};

const BgNetwork *
bg_network_at(int index)
{
    return index >= 0 && index < (int) G_N_ELEMENTS(networks) ? &networks[index] : NULL;
}

const BgNetwork *
bg_network_find(const char *name, GError **error)
{
    g_autoptr(GString) all = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(networks); i++) {
        if (g_str_equal(networks[i].name, name))
            return &networks[i];
        g_string_append_printf(all, "%s%s", i == 0 ? "" : ", ", networks[i].name);
    }
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                _("There is no network \"%s\". Choose one of: %s"), name, all->str);
    return NULL;
}

BgNnParams *
bg_network_params(const BgNetwork *network, guint64 seed, GError **error)
{
    g_autoptr(BgNnGraph) graph = network->graph();
    BgNnInit init = BG_NN_INIT_HE;
    double spread = 0;

    if (g_str_has_prefix(network->name, "tfgan")) {
        init = BG_NN_INIT_NORMAL;
        spread = 0.02;
    } else if (g_str_has_prefix(network->name, "funfuse")) {
        init = BG_NN_INIT_TRUNCATED;
        spread = 0.01;
    } else if (g_str_has_prefix(network->name, "patch") ||
               g_str_has_prefix(network->name, "lesion")) {
        init = BG_NN_INIT_GLOROT;
    }
    return bg_nn_params_new(graph, network->inputs, network->n_inputs, init, spread, seed, error);
}

BgNnParams *
bg_network_load(const BgNetwork *network, const BgNnGraph *graph, const char *path,
                BgNnWeightsInfo *info, const BgProgress *progress, GCancellable *cancellable,
                GError **error)
{
    BgNnWeightsKind kind = bg_nn_weights_sniff(path, error);
    const BgNnWeightsMap *map = kind == BG_NN_WEIGHTS_SAFETENSORS || kind == BG_NN_WEIGHTS_ONNX
                                    ? network->map_torch
                                    : network->map_keras;

    if (kind == BG_NN_WEIGHTS_UNKNOWN)
        return NULL;
    if (g_str_equal(network->name, "vgg19"))
        return bg_vgg19_load(graph, path, info, progress, cancellable, error);
    g_autoptr(BgNnParams) like = bg_network_params(network, 0, error);
    if (like == NULL)
        return NULL;
    return bg_nn_weights_load(path, graph, like, map, info, progress, cancellable, error);
}
