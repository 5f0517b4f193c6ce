// SPDX-License-Identifier: Apache-2.0
// Files of weights: our own HDF5, Keras' HDF5, safetensors, ONNX. Pickles are refused: they run code.
#pragma once

#include "bg-nn-params.h"
#include "core/base/bg-json.h"

G_BEGIN_DECLS

#define BG_NN_WEIGHTS_FORMAT "bregma-weights" // the root's attribute "format" in our files

typedef enum {
    BG_NN_WEIGHTS_UNKNOWN,
    BG_NN_WEIGHTS_BREGMA,
    BG_NN_WEIGHTS_KERAS, // or any other HDF5
    BG_NN_WEIGHTS_SAFETENSORS,
    BG_NN_WEIGHTS_ONNX,   // its initialisers, by PyTorch's names
    BG_NN_WEIGHTS_PICKLE, // PyTorch's .pt and .pth, old and zipped
    BG_NN_WEIGHTS_ZIP,    // .keras, .npz
} BgNnWeightsKind;

/** bg_nn_weights_sniff: by content; %BG_NN_WEIGHTS_UNKNOWN with @error %G_IO_ERROR when it cannot be read */
BgNnWeightsKind bg_nn_weights_sniff(const char *path, GError **error);

/**
 * BgNnWeightsMap:
 * @layer: in the graph
 * @in_file: what the file calls it
 *
 * A list of them ends with a %NULL @layer. Layers that are not in it keep their name.
 */
typedef struct {
    const char *layer;
    const char *in_file;
} BgNnWeightsMap;

/** BgNnWeightsInfo: what bg_nn_weights_load() found; to be cleared with bg_nn_weights_info_clear() */
typedef struct {
    BgNnWeightsKind kind;
    char *sha256; // of the file, 64 hex digits
    int n_used;   // arrays that became parameters
    int n_unused; // arrays of layers that the graph does not have (VGG's block5 in a prefix)
    BgJson *card; // our files: the model card; else NULL
} BgNnWeightsInfo;

void bg_nn_weights_info_clear(BgNnWeightsInfo *info);

/** bg_nn_weights_kind_name: for people and JSON: "keras", ... */
const char *bg_nn_weights_kind_name(BgNnWeightsKind kind);

/**
 * bg_nn_weights_load:
 * @graph: the network they are for
 * @like: parameters of @graph: their names and shapes are what must be in the file
 * @map: (nullable)
 * @info: (out caller-allocates) (nullable)
 *
 * Reads every parameter of @like. Channels-last kernels (Keras 1 to 3) are turned round, also
 * those of a linear layer behind a flattened picture; kernels of Keras 0 (Theano) are flipped, and
 * the deviations of its batch norms become variances. Nothing is taken over unless all is right.
 *
 * Returns: (transfer full): new parameters; or %NULL with %BG_ERROR_MISMATCH: a parameter is
 *   missing, or of another shape; %BG_ERROR_CORRUPT: damaged, or numbers that are not finite;
 *   %BG_ERROR_UNSUPPORTED: a pickle or an unknown kind, with how to convert it; %G_IO_ERROR
 */
BgNnParams *bg_nn_weights_load(const char *path, const BgNnGraph *graph, const BgNnParams *like,
                               const BgNnWeightsMap *map, BgNnWeightsInfo *info,
                               const BgProgress *progress, GCancellable *cancellable,
                               GError **error);

/**
 * bg_nn_weights_save:
 * @card: (nullable): the model card: data, steps, metrics, limits
 * @force: replace a file that is there
 *
 * One file with the graph, the parameters by name, their hash and the card, sealed.
 */
gboolean bg_nn_weights_save(const char *path, const BgNnGraph *graph, const BgNnParams *params,
                            const BgJson *card, gboolean force, GCancellable *cancellable,
                            GError **error);

/** bg_nn_weights_read_graph: (transfer full): of one of our files; errors as bg_nn_weights_load() */
BgNnGraph *bg_nn_weights_read_graph(const char *path, GCancellable *cancellable, GError **error);

/** bg_nn_weights_read_card: (transfer full): of one of our files: an object, perhaps empty; errors likewise */
BgJson *bg_nn_weights_read_card(const char *path, GCancellable *cancellable, GError **error);

G_END_DECLS
