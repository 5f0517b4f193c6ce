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
gboolean bg_nn_weights_load_onnx(BgNnWeightsLoad *load, GError **error);

/** bg_nn_weights_fail: %BG_ERROR_CORRUPT; Returns: %FALSE */
gboolean bg_nn_weights_fail(const char *path, const char *reason, GError **error);

/** bg_nn_weights_read_at: all of it, or %FALSE with %BG_ERROR_CORRUPT */
gboolean bg_nn_weights_read_at(int fd, const char *path, guint64 offset, gpointer data,
                               gsize n_bytes, GError **error);

/** bg_nn_weights_type_size: of "F32", "F64", "F16", "BF16" in bytes; 0 for others */
gsize bg_nn_weights_type_size(const char *type);

/** bg_nn_weights_widen: of any of those but "F32", little-endian */
void bg_nn_weights_widen(const guint8 *from, const char *type, gsize count, float *to);

/** bg_nn_weights_torch_name: (transfer full): PyTorch's name of a parameter; @way: 0 or 1: what else it may be */
char *bg_nn_weights_torch_name(const BgNnWeightsLoad *load, const char *layer, BgNnRole role,
                               int way);

G_END_DECLS
