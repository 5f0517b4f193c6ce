// SPDX-License-Identifier: Apache-2.0
// From the contrasts of an examination to a label map of the tumour.
#pragma once

#include "bg-label-clean.h"
#include "bg-tumour-case.h"
#include "core/compute/bg-backend.h"

G_BEGIN_DECLS

/**
 * BgTumourModel: weights of the network "unet-tumour", of "unet3-tumour" of volumes, or of a patch network
 * ("patch-cnn", "patch-two-path", "patch-dual"), with their card. Immutable, reference counted; any thread.
 */
typedef struct _BgTumourModel BgTumourModel;

/** bg_tumour_model_load: Returns: (transfer full): or %NULL, errors as bg_nn_weights_load() */
BgTumourModel *bg_tumour_model_load(const char *path, const BgProgress *progress,
                                    GCancellable *cancellable, GError **error);
BgTumourModel *bg_tumour_model_ref(BgTumourModel *model);
void bg_tumour_model_unref(BgTumourModel *model);
const char *bg_tumour_model_get_sha256(const BgTumourModel *model);

/** bg_tumour_model_get_spacing: mm of the grid that it works on, as its card says; 1 when it says nothing */
double bg_tumour_model_get_spacing(const BgTumourModel *model);

/** bg_tumour_model_get_block: voxels along a side of what it is given at once; 0: whole slices */
int bg_tumour_model_get_block(const BgTumourModel *model);
const BgJson *bg_tumour_model_get_card(const BgTumourModel *model); // (nullable)

/**
 * BgTumourOptions:
 * @engine: what runs the network
 * @mirror: run each slice a second time, left and right swapped, and take the mean
 * @cleaning: what is taken out of the labels; all zeros: nothing
 */
typedef struct {
    BgEngine engine;
    gboolean mirror;
    BgLabelCleaning cleaning;
} BgTumourOptions;

/** bg_tumour_options: float32, mirrored, parts below 0.05 ml out, holes filled */
BgTumourOptions bg_tumour_options(void);

/**
 * BgTumourResult: all on one grid
 * @labels: by the numbers of BraTS: 0, 1 core, 2 oedema, 4 enhancing
 * @probabilities: of background, core, oedema and enhancing, float32 of 0..1
 * @confidence: the largest of them
 * @cleaned: what the cleaning took away and added
 * @flop: of the network, for the whole case
 * @backend: which one really ran it: "cpu", "cuda"
 */
typedef struct {
    BgLabelMap *labels;
    BgVolume *probabilities[4];
    BgVolume *confidence;
    BgLabelCleaned cleaned;
    double flop;
    const char *backend;
} BgTumourResult;

void bg_tumour_result_clear(BgTumourResult *result);

/**
 * bg_tumour_segment:
 * @target: the grid of the result: usually the reference contrast's own
 * @result: (out caller-allocates): untouched on failure
 *
 * Slice by slice on the case's grid, or block by block: of the size that the network was trained with, each
 * overlapping the next by half, those near a block's middle counting most. Patch networks tell the class of
 * each pixel's patch, of all of a slice at once; outside of the brain is background there. Outside of it all is background. Probabilities are brought to
 * @target by trilinear sampling, and labels are those of the most probable there.
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY, %BG_ERROR_INVALID, %G_IO_ERROR_CANCELLED
 */
gboolean bg_tumour_segment(BgTumourModel *model, const BgTumourCase *tumour_case,
                           const BgGeometry *target, const BgTumourOptions *options,
                           BgTumourResult *result, const BgProgress *progress,
                           GCancellable *cancellable, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgTumourModel, bg_tumour_model_unref)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BgTumourResult, bg_tumour_result_clear)

G_END_DECLS
