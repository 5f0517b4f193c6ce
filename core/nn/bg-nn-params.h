// SPDX-License-Identifier: Apache-2.0
// The numbers of a network: tensors by name.
#pragma once

#include "bg-nn-graph.h"
#include "core/base/bg-progress.h"

G_BEGIN_DECLS

/**
 * BgNnParams:
 *
 * The parameters of one graph, by "layer/role", in the order of its layers. Executors copy what
 * they need when they are made, so that a change here shows in those made after.
 */
typedef struct _BgNnParams BgNnParams;

/**
 * BgNnInit:
 * @BG_NN_INIT_HE: N(0, sqrt(2 / fan in)), Keras' he_normal without its cut
 * @BG_NN_INIT_GLOROT: U(+-sqrt(6 / (fan in + fan out)))
 * @BG_NN_INIT_NORMAL: N(0, @spread); weights of batch norms N(1, @spread)
 * @BG_NN_INIT_TRUNCATED: N(0, @spread), those beyond two of it drawn again
 *
 * Biases and means are 0, weights of norms and variances 1, slopes of PReLU 0.25.
 */
typedef enum {
    BG_NN_INIT_HE,
    BG_NN_INIT_GLOROT,
    BG_NN_INIT_NORMAL,
    BG_NN_INIT_TRUNCATED,
} BgNnInit;

/**
 * bg_nn_params_new:
 * @inputs: one shape per input of @graph: the sizes of space matter only to networks with
 *   BG_NN_LINEAR behind BG_NN_RESHAPE
 * @seed: equal seeds give equal numbers
 *
 * Returns: (transfer full): or %NULL as bg_nn_graph_infer(), or %BG_ERROR_NO_MEMORY
 */
BgNnParams *bg_nn_params_new(const BgNnGraph *graph, const BgNnShape *inputs, int n_inputs,
                             BgNnInit init, double spread, guint64 seed, GError **error);
BgNnParams *bg_nn_params_ref(BgNnParams *params);
void bg_nn_params_unref(BgNnParams *params);

/** bg_nn_params_copy: (transfer full): with tensors of its own; or %NULL with %BG_ERROR_NO_MEMORY */
BgNnParams *bg_nn_params_copy(const BgNnParams *params, GError **error);

int bg_nn_params_count(const BgNnParams *params);

/** bg_nn_params_count_values: numbers that training moves; with @all, running means and variances too */
gsize bg_nn_params_count_values(const BgNnParams *params, gboolean all);
const char *bg_nn_params_get_name(const BgNnParams *params, int index);
BgNnRole bg_nn_params_get_role(const BgNnParams *params, int index);
BgNnTensor *bg_nn_params_get(const BgNnParams *params, int index);

/** bg_nn_params_find: by "layer/role"; Returns: the index, or -1 */
int bg_nn_params_find(const BgNnParams *params, const char *name);

/** bg_nn_params_find_role: of the layer called @layer */
int bg_nn_params_find_role(const BgNnParams *params, const char *layer, BgNnRole role);

/**
 * bg_nn_params_require:
 * @layer: a layer's name
 *
 * Returns: the index of the parameter that @info asks for; or -1 with %BG_ERROR_MISMATCH when it
 *   is not there, or of another shape
 */
int bg_nn_params_require(const BgNnParams *params, const char *layer, const BgNnParamInfo *info,
                         GError **error);

/**
 * bg_nn_params_fill:
 * @from: has all that @params has, and maybe more
 *
 * Returns: %FALSE with %BG_ERROR_MISMATCH: one is not there, or of another shape
 */
gboolean bg_nn_params_fill(BgNnParams *params, const BgNnParams *from, GError **error);

/** bg_nn_params_hash: (transfer full): SHA-256 of names, shapes and numbers, as 64 hex digits */
char *bg_nn_params_hash(const BgNnParams *params);

/** bg_nn_params_check: Returns: %FALSE with %BG_ERROR_CORRUPT when a number is not finite */
gboolean bg_nn_params_check(const BgNnParams *params, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgNnParams, bg_nn_params_unref)

G_END_DECLS
