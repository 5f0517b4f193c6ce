// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-fusion.h"
#include "core/nn/bg-nn-tape.h"

G_BEGIN_DECLS

/** BgFusionJob: what a method is handed; all borrowed. Sizes are checked, result is zero */
typedef struct {
    const BgChannel *const *sources;
    gsize n;
    int width, height;
    const BgFusionParams *params;
    BgFusionModel *model;
    BgFusionResult *result;
    const BgProgress *progress;
    GCancellable *cancellable;
} BgFusionJob;

gboolean bg_fuse_two_scale(const BgFusionJob *job, GError **error);
gboolean bg_fuse_learned(const BgFusionJob *job, GError **error);
gboolean bg_fuse_papcnn(const BgFusionJob *job, GError **error);
gboolean bg_fuse_vgg19(const BgFusionJob *job, GError **error);

/**
 * bg_fusion_model_run:
 * @grey: one picture of width x height; a network of colours gets it thrice, scaled as @input says
 * @wanted: bit k: the graph's k-th output
 * @outputs: (out) (transfer full): one tensor a wanted output
 */
gboolean bg_fusion_model_run(BgFusionModel *model, const float *grey, BgVgg19Input input,
                             guint wanted, int width, int height, BgNnTensor **outputs,
                             GCancellable *cancellable, GError **error);

/** bg_fusion_model_run_pair: of the learned fusion: @a, @b: width x height each; @output: (out) (transfer full) */
gboolean bg_fusion_model_run_pair(BgFusionModel *model, const float *a, const float *b, int width,
                                  int height, BgNnTensor **output, GCancellable *cancellable,
                                  GError **error);

/** bg_fusion_model_tape: (transfer full): of the learned fusion, to go backward through it */
BgNnTape32 *bg_fusion_model_tape(BgFusionModel *model, int width, int height, GError **error);

G_END_DECLS
