// SPDX-License-Identifier: Apache-2.0
// One picture from several of the same place.
#pragma once

#include "core/base/bg-progress.h"
#include "core/compute/bg-backend.h"
#include "core/image/bg-channel.h"
#include "core/image/bg-fusion-metrics.h"
#include "core/learn/bg-vgg19.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

#define BG_FUSION_N_LEVELS BG_VGG19_N_LEVELS

/**
 * BgFusionMethod:
 * @BG_FUSION_AVERAGE: the mean
 * @BG_FUSION_TWO_SCALE: Lahoud and Suesstrunk 2019: means over 45 x 45 weighed by histogram saliency
 *   and a guided filter, what is left weighed by the first layer of VGG-19
 * @BG_FUSION_VGG19_SSIM: weight maps of one level of VGG-19 for each source, the levels chosen by
 *   structural similarity
 * @BG_FUSION_VGG19_MAX: weight maps of all four levels; pixel by pixel the largest of the four results
 * @BG_FUSION_NSST_PAPCNN: Yin et al. 2019: a shearlet transform, pulse-coupled networks choose
 * @BG_FUSION_LEARNED: FunFuseAn's network (Kumar et al. 2019), the joining layer the larger of both;
 *   a third source is fused with the result of the first two, and so on
 */
typedef enum {
    BG_FUSION_AVERAGE,
    BG_FUSION_TWO_SCALE,
    BG_FUSION_VGG19_SSIM,
    BG_FUSION_VGG19_MAX,
    BG_FUSION_NSST_PAPCNN,
    BG_FUSION_LEARNED,
    BG_FUSION_N_METHODS,
} BgFusionMethod;

/** bg_fusion_method_name: "average", "two-scale", ... */
const char *bg_fusion_method_name(BgFusionMethod method);

/** bg_fusion_method_find: Returns: FALSE when there is none called so */
gboolean bg_fusion_method_find(const char *name, BgFusionMethod *method);

/** bg_fusion_method_wants_model: whether it needs weights */
gboolean bg_fusion_method_wants_model(BgFusionMethod method);

/**
 * BgFusionModel: the weights of a method. Immutable, reference counted; one run at a time is made
 * with it, others wait.
 */
typedef struct _BgFusionModel BgFusionModel;

/**
 * bg_fusion_model_load:
 * @method: one that wants weights: for TWO_SCALE (the first layer alone), VGG19_SSIM and VGG19_MAX those
 *   of VGG-19, or our file of "vgg-small", told by what is in it; for LEARNED our file of "funfuse"
 *
 * Returns: (transfer full): or %NULL, errors as bg_nn_weights_load()
 */
BgFusionModel *bg_fusion_model_load(BgFusionMethod method, const char *path,
                                    const BgProgress *progress, GCancellable *cancellable,
                                    GError **error);

/**
 * bg_fusion_model_find: the file of a method's weights
 * @given: (nullable): its path, or its name among the models; %NULL: what the method usually takes
 * @stand_in: (out): whether it is BG_VGG_SMALL's because nobody has imported VGG-19
 *
 * Returns: (transfer full): or %NULL as bg_model_store_find()
 */
char *bg_fusion_model_find(BgFusionMethod method, const char *given, gboolean *stand_in,
                           GError **error);

BgFusionModel *bg_fusion_model_ref(BgFusionModel *model);
void bg_fusion_model_unref(BgFusionModel *model);

/** bg_fusion_model_get_name: of the network: "vgg19", "vgg-small", "funfuse" */
const char *bg_fusion_model_get_name(const BgFusionModel *model);

/** bg_fusion_model_set_engine: what runs the network from now on: the CPU in float32 until then; @engine's backend outlives the model */
void bg_fusion_model_set_engine(BgFusionModel *model, const BgEngine *engine);

/** bg_fusion_model_get_backend: which one really ran the last network: "cpu", "cuda"; "cpu" before the first */
const char *bg_fusion_model_get_backend(BgFusionModel *model);

/** bg_fusion_model_get_sha256: of the file of weights */
const char *bg_fusion_model_get_sha256(const BgFusionModel *model);

/**
 * BgFusionParams:
 * @levels: VGG19_SSIM: of each source 1..4, or 0: chosen
 * @renormalise: VGG19_SSIM: weights of different levels are divided by their sum
 * @combinations: VGG19_SSIM: the levels are chosen among all combinations, with the weights as they
 *   are used; else each source's alone, which is the same unless @renormalise. Two sources
 * @after_relu: VGG19_*: maps after the rectifier; else before, their absolute value
 * @input: VGG19_*: how the network's input is scaled; vgg-small takes BG_VGG19_PLAIN alone
 * @bilinear: VGG19_*: weight maps are enlarged so; else each value fills its block
 * @full_range: the fused values are stretched to go from the least to the greatest of the sources:
 *   means and networks lose contrast. Of pictures; slices of one volume would each be stretched
 *   otherwise
 */
typedef struct {
    BgFusionMethod method;
    int levels[BG_FUSION_MAX_SOURCES];
    gboolean renormalise;
    gboolean combinations;
    gboolean after_relu;
    BgVgg19Input input;
    gboolean bilinear;
    gboolean full_range;
} BgFusionParams;

/** bg_fusion_params: as published: SSIM after rectifiers, renormalised, bilinear; MAX before, in blocks */
BgFusionParams bg_fusion_params(BgFusionMethod method);

/**
 * BgFusionResult:
 * @fused: owned
 * @levels: of each source: 1..4 where a method chose; else 0
 * @scores: SSIM(W X, X) of each source and level where they were measured; else NaN
 * @maps: (element-type BgChannel) (nullable): weight maps: of source s and level l at s * 4 + l
 */
typedef struct {
    BgChannel *fused;
    int levels[BG_FUSION_MAX_SOURCES];
    double scores[BG_FUSION_MAX_SOURCES][BG_FUSION_N_LEVELS];
    GPtrArray *maps;
} BgFusionResult;

void bg_fusion_result_clear(BgFusionResult *result);

/**
 * bg_fuse:
 * @sources: @n_sources of 2..BG_FUSION_MAX_SOURCES, of one size, values of 0..1
 * @model: (nullable): of the method
 * @result: (out caller-allocates): untouched on failure
 *
 * Returns: %FALSE with %BG_ERROR_INVALID (sizes differ, too small, a method that does not take so
 *   many sources, levels out of range, no model, a scaling that is not the model's), %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
gboolean bg_fuse(const BgChannel *const *sources, gsize n_sources, const BgFusionParams *params,
                 BgFusionModel *model, BgFusionResult *result, const BgProgress *progress,
                 GCancellable *cancellable, GError **error);

/**
 * bg_fusion_contributions:
 * @model: of BG_FUSION_LEARNED
 * @share: how much of the second source's colour is laid on: 0..1; 0.6 as published
 *
 * What each of two sources brought to the learned picture, pixel by pixel: how the sum of the fused
 * picture moves with each source's pixel (Kumar et al. 2019). The first source's map is the brightness,
 * the second one's (from blue to red) the hue and saturation.
 *
 * Returns: (transfer full): uint8 RGB; errors as bg_fuse()
 */
BgImage *bg_fusion_contributions(const BgChannel *first, const BgChannel *second, double share,
                                 BgFusionModel *model, GCancellable *cancellable, GError **error);

/**
 * BgFusionColour:
 * @BG_FUSION_YUV: brightness (BT.601) is fused; U and V of the last colour source stay
 * @BG_FUSION_HSV: the value (largest channel) is fused; hue and saturation of the last stay
 * @BG_FUSION_GREY: colours are left out
 */
typedef enum {
    BG_FUSION_YUV,
    BG_FUSION_HSV,
    BG_FUSION_GREY,
} BgFusionColour;

/**
 * bg_fuse_images:
 * @images: uint8, uint16, or float32 of 0..1; transparent pixels are laid on white
 * @sources: (out) (optional) (transfer full): the planes that were fused
 *
 * Returns: (transfer full): uint8, or uint16 when a source is; grey or RGB. Errors as bg_fuse()
 */
BgImage *bg_fuse_images(BgImage *const *images, gsize n_images, const BgFusionParams *params,
                        BgFusionColour colour, BgFusionModel *model, BgFusionResult *result,
                        GPtrArray **sources, const BgProgress *progress, GCancellable *cancellable,
                        GError **error);

/**
 * bg_fuse_volumes:
 * @volumes: on one grid. Each is scaled to 0..1 by its least and largest finite value
 *
 * Slice by slice along k. Returns: (transfer full): float32, 0..1; errors as bg_fuse(), and
 *   %BG_ERROR_MISMATCH (grids differ), %BG_ERROR_INVALID (all of one value)
 */
BgVolume *bg_fuse_volumes(BgVolume *const *volumes, gsize n_volumes, const BgFusionParams *params,
                          BgFusionModel *model, const BgProgress *progress,
                          GCancellable *cancellable, GError **error);

/**
 * bg_fuse_slices:
 *
 * A volume to one picture: its slices along k, scaled to 0..1 together, are fused by pairs, the
 * results again, until one is left. Slices without any value over the least are left out.
 *
 * Returns: (transfer full): errors as bg_fuse_volumes()
 */
BgChannel *bg_fuse_slices(BgVolume *volume, const BgFusionParams *params, BgFusionModel *model,
                          const BgProgress *progress, GCancellable *cancellable, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgFusionModel, bg_fusion_model_unref)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BgFusionResult, bg_fusion_result_clear)

G_END_DECLS
