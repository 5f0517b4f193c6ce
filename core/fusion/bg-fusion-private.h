// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-fusion.h"
#include "core/nn/bg-nn-cpu.h"

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
gboolean bg_fuse_vgg19(const BgFusionJob *job, GError **error);

/**
 * bg_fusion_model_run:
 * @planes: one picture of three planes of width x height each
 * @outputs: (out) (transfer full): one tensor an output of the graph
 */
gboolean bg_fusion_model_run(BgFusionModel *model, const float *planes, int width, int height,
                             BgNnTensor **outputs, GCancellable *cancellable, GError **error);

/** bg_fusion_model_count_outputs: of its graph */
int bg_fusion_model_count_outputs(const BgFusionModel *model);

G_END_DECLS
