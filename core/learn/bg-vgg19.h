// SPDX-License-Identifier: Apache-2.0
// VGG-19 (Simonyan and Zisserman 2014, configuration E) to conv4_2, as a graph.
#pragma once

#include "core/nn/bg-nn-graph.h"
#include "core/nn/bg-nn-weights.h"

G_BEGIN_DECLS

#define BG_VGG19_N_LEVELS 4

/**
 * bg_vgg19_graph:
 *
 * Input "image": 3 channels, red first, of a size at least 8 x 8. Layers are called as in Keras
 * ("block4_conv2") and PyTorch-like rectifiers "block4_relu2". Eight outputs: the second
 * convolution of each block, before and after its rectifier: conv1_2, relu1_2, conv2_2, ...,
 * relu4_2; of 64, 128, 256 and 512 channels and 1, 1/2, 1/4, 1/8 of the size.
 *
 * Returns: (transfer full)
 */
BgNnGraph *bg_vgg19_graph(void);

#define BG_VGG_SMALL "vgg-small"
#define BG_VGG_SMALL_PATCH 5

/**
 * bg_vgg_small_graph:
 *
 * Our own stack of that shape, "vgg-small": one grey channel in, levels of 16, 32, 48 and 64 channels; layers and
 * outputs are called and ordered as in bg_vgg19_graph().
 *
 * Returns: (transfer full)
 */
BgNnGraph *bg_vgg_small_graph(void);

/**
 * bg_vgg_small_task_graph:
 *
 * What it is trained as: behind the eight outputs four more, of BG_VGG_SMALL_PATCH^2 channels each: what a level tells
 * of the clean picture around each of its pixels.
 *
 * Returns: (transfer full)
 */
BgNnGraph *bg_vgg_small_task_graph(void);

/** bg_vgg19_output: the index of level @level's (0..3) output, after the rectifier or before */
int bg_vgg19_output(int level, gboolean after_relu);

/**
 * BgVgg19Input:
 * @BG_VGG19_PLAIN: red, green, blue in 0..1 as they are (the released notebook of the fusion)
 * @BG_VGG19_IMAGENET: minus (0.485, 0.456, 0.406), by (0.229, 0.224, 0.225): PyTorch's weights
 * @BG_VGG19_CAFFE: times 255, minus (123.68, 116.779, 103.939); with weights of Keras
 */
typedef enum {
    BG_VGG19_PLAIN,
    BG_VGG19_IMAGENET,
    BG_VGG19_CAFFE,
} BgVgg19Input;

/** bg_vgg19_normalise: @planes: three planes of @n_pixels, red, green, blue, 0..1; changed in place */
void bg_vgg19_normalise(float *planes, gsize n_pixels, BgVgg19Input input);

/** bg_vgg19_params: (transfer full): to be filled by bg_nn_weights_load(); of small random numbers */
BgNnParams *bg_vgg19_params(const BgNnGraph *graph, GError **error);

/**
 * bg_vgg19_load:
 *
 * From Keras' or PyTorch's (torchvision's names, "features.0.weight") file. Keras' weights want
 * blue first: they are turned round, so that the graph takes red first either way.
 *
 * Returns: (transfer full): or %NULL, errors as bg_nn_weights_load()
 */
BgNnParams *bg_vgg19_load(const BgNnGraph *graph, const char *path, BgNnWeightsInfo *info,
                          const BgProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
