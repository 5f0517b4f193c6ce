// SPDX-License-Identifier: Apache-2.0
// The networks that bregma knows by name: what can be trained, imported and run.
#pragma once

#include "core/nn/bg-nn-weights.h"

G_BEGIN_DECLS

#define BG_NETWORK_MAX_INPUTS 4

/**
 * BgNetwork:
 * @name: "vgg19", "unet-brats", ...: on the command line and in model cards
 * @graph: makes it; (transfer full)
 * @inputs: shapes to try it with, n_inputs of them; sizes of space may be others unless @fixed_size
 * @n_values: how many numbers training moves: checked by the tests
 * @map_keras, @map_torch: (nullable): what files of others call the layers
 */
typedef struct {
    const char *name;
    const char *title; // untranslated
    BgNnGraph *(*graph)(void);
    int n_inputs;
    BgNnShape inputs[BG_NETWORK_MAX_INPUTS];
    gboolean fixed_size;
    gsize n_values;
    const BgNnWeightsMap *map_keras, *map_torch;
} BgNetwork;

const BgNetwork *bg_network_at(int index); // NULL beyond the last

/** bg_network_find: Returns: (transfer none): or %NULL with %BG_ERROR_INVALID, which lists the names */
const BgNetwork *bg_network_find(const char *name, GError **error);

/** bg_network_params: (transfer full): random ones, as the network's authors begin with; errors as bg_nn_params_new() */
BgNnParams *bg_network_params(const BgNetwork *network, guint64 seed, GError **error);

/**
 * bg_network_load:
 *
 * bg_nn_weights_load() with the names of this network.
 */
BgNnParams *bg_network_load(const BgNetwork *network, const BgNnGraph *graph, const char *path,
                            BgNnWeightsInfo *info, const BgProgress *progress,
                            GCancellable *cancellable, GError **error);

/**
 * BgUnet:
 * @n_in, @n_out: channels; the result is a softmax over @n_out
 * @width: channels of the first level; each next has twice as many
 * @n_levels: how often the picture is halved: its sides must be multiples of 2^n_levels
 * @transposed: up by transposed convolutions (Ronneberger et al. 2015); else by the nearest pixel
 *   and a convolution of 2 x 2
 * @dropout: at the bottom; 0: none
 * @name: (nullable): the graph's; "unet" without
 * @most: no level has more channels than that; 0: any
 * @norm: a batch norm behind each convolution but the last
 * @unpadded: convolutions only where they lie inside; what goes across is cropped to the middle
 */
typedef struct {
    int n_in, n_out, width, n_levels;
    gboolean transposed;
    double dropout;
    const char *name;
    int most;
    gboolean norm, unpadded;
} BgUnet;

/** bg_unet_graph: (transfer full): a two-dimensional U-Net; input "image", output "softmax" */
BgNnGraph *bg_unet_graph(const BgUnet *unet);

/** bg_unet_brats_graph: (transfer full): FLAIR and T1ce in, four classes out (algorithm of the BraTS 2020 U-Net) */
BgNnGraph *bg_unet_brats_graph(void);

/** bg_unet_tumour_graph: (transfer full): what bregma trains itself: T1, T1 with contrast, T2 and FLAIR in; background, core, oedema and enhancing tumour out; sides are multiples of 16 */
BgNnGraph *bg_unet_tumour_graph(void);

#define BG_UNET3_N_RESULTS 3

/** bg_unet3_tumour_graph: (transfer full): as that of volumes, in the manner of nnU-Net; results of the whole, half and quarter size, of which the smaller are for the loss only. A voxel of a smaller one lies at a multiple of 2 and 4 of the whole's */
BgNnGraph *bg_unet3_tumour_graph(void);

/** bg_unet_classic_graph: (transfer full): FLAIR and T1ce in, four classes out, unpadded as published (Ronneberger et al. 2015): the result is 184 pixels smaller, sides are 16 n + 124 */
BgNnGraph *bg_unet_classic_graph(void);

/** bg_vnet_graph: (transfer full): V-Net (Milletari et al. 2016) of four channels in and three materials out, batch norms by the batch's statistics always; sides are multiples of 16 */
BgNnGraph *bg_vnet_graph(void);

/** bg_tfgan_generator_graph: (transfer full): inputs "view" [5], "opacity" [1 x 256], "colour" [3 x 256], "opacity_image" [1 x 64 x 64]; output [3 x 256 x 256] in -1..1 */
BgNnGraph *bg_tfgan_generator_graph(void);

/** bg_tfgan_discriminator_graph: (transfer full): inputs "view", "opacity", "colour", "image" [3 x 256 x 256]; output: how likely it is real */
BgNnGraph *bg_tfgan_discriminator_graph(void);

/** bg_funfusean_graph: (transfer full): inputs "mri", "pet" [1 channel]; output the fused picture in -1..1. The published join max(a, b) / (a + b) */
BgNnGraph *bg_funfusean_graph(void);

/** bg_funfuse_graph: (transfer full): the same with the join max(a, b), which cannot divide by nothing */
BgNnGraph *bg_funfuse_graph(void);

/** bg_patch_cnn_graph: (transfer full): patches of 4 x 33 x 33 in, five classes out (2015 BraTS patch network) */
BgNnGraph *bg_patch_cnn_graph(void);

/** bg_patch_two_path_graph: (transfer full): as that, a narrow and a wide path (Havaei et al. 2017) */
BgNnGraph *bg_patch_two_path_graph(void);

/** bg_patch_dual_graph: (transfer full): "patch" [4 x 33 x 33] and "centre" [4 x 5 x 5] in; the centre through a maxout of five */
BgNnGraph *bg_patch_dual_graph(void);

/**
 * bg_patch_network_spread:
 * @network: one of the three patch networks, @params: its own
 * @spread: (out) (transfer full): the same numbers, for what is returned
 *
 * The network for all pixels of a picture at once: inputs 32 (and the centre's 4) pixels larger than the picture; the
 * output has five classes at each of its pixels: what the patch around it gives alone.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_NO_MEMORY
 */
BgNnGraph *bg_patch_network_spread(const BgNetwork *network, const BgNnParams *params,
                                   BgNnParams **spread, GError **error);

/** bg_lesion_unet_graph: (transfer full): a grey picture of skin in, scored by all pictures' mean and deviation (192 x 240 in the original; sides are multiples of 16), how likely each pixel is of the lesion out */
BgNnGraph *bg_lesion_unet_graph(void);

/** bg_lesion_classifier_graph: (transfer full): a picture of skin of 3 x 224 x 224 in, how likely it is malignant out: VGG-16 and two linear layers */
BgNnGraph *bg_lesion_classifier_graph(void);

/** bg_scatter_graph: (transfer full): X-ray picture in, scatter out (DeepDRR 2018) */
BgNnGraph *bg_scatter_graph(void);

G_END_DECLS
