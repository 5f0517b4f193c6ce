// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-nn-weights.h"
#include "core/io/bg-h5.h"

G_BEGIN_DECLS

/** BgNnWeightsLoad: one load under way */
typedef struct {
    const char *path;
    const BgNnGraph *graph;
    const BgNnWeightsMap *map; // nullable
    BgNnParams *params;        // what is filled
    BgNnWeightsInfo *info;
    const BgProgress *progress;
    GCancellable *cancellable;
} BgNnWeightsLoad;

/** bg_nn_weights_file_name: of a layer of the graph, through the map */
const char *bg_nn_weights_file_name(const BgNnWeightsLoad *load, const char *layer);

/** bg_nn_weights_fail_shape: %BG_ERROR_MISMATCH; Returns: %FALSE */
gboolean bg_nn_weights_fail_shape(const BgNnWeightsLoad *load, const char *param,
                                  const BgNnShape *wanted, const BgNnShape *found, GError **error);
gboolean bg_nn_weights_fail_missing(const BgNnWeightsLoad *load, const char *param, GError **error);

/** bg_nn_weights_write: what a file of ours has, into one that is being made */
gboolean bg_nn_weights_write(BgH5 *h5, const BgNnGraph *graph, const BgNnParams *params,
                             const BgJson *card, GCancellable *cancellable, GError **error);

gboolean bg_nn_weights_load_keras(BgNnWeightsLoad *load, GError **error);
gboolean bg_nn_weights_load_safetensors(BgNnWeightsLoad *load, GError **error);

G_END_DECLS
