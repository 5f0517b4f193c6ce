// SPDX-License-Identifier: Apache-2.0
// Networks forward and backward, every result kept: in float64 the reference that the other
// executors are tested against, in float32 what trains.
#pragma once

#include "bg-nn-params.h"

G_BEGIN_DECLS

/**
 * BgNnTape64:
 *
 * A graph made ready for one set of input shapes. Plain loops in float64, parameters copied. Any
 * thread, one at a time; the arithmetic is done on the network worker.
 */
typedef struct _BgNnTape64 BgNnTape64;

/**
 * BgNnTape32:
 *
 * The same in float32 with oneDNN's convolutions. Works on @params themselves (a reference is
 * held): an optimiser's step shows in the next run, and batch norms move their running statistics
 * there in training.
 */
typedef struct _BgNnTape32 BgNnTape32;

/**
 * bg_nn_tape64_new:
 * @inputs: one shape per input
 *
 * Returns: (transfer full): or %NULL as bg_nn_graph_infer(); %BG_ERROR_MISMATCH when @params are
 *   another graph's; %BG_ERROR_NO_MEMORY
 */
BgNnTape64 *bg_nn_tape64_new(BgNnGraph *graph, BgNnParams *params, const BgNnShape *inputs,
                             int n_inputs, GError **error);
void bg_nn_tape64_free(BgNnTape64 *tape);

/**
 * bg_nn_tape64_forward:
 * @inputs: one array per input, dense; kept by reference until the backward run is done
 * @training: whether dropout drops and batch norms use and move their statistics
 * @seed: of dropout
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY, or %G_IO_ERROR_CANCELLED
 */
gboolean bg_nn_tape64_forward(BgNnTape64 *tape, const double *const *inputs, gboolean training,
                              guint64 seed, GCancellable *cancellable, GError **error);

/** bg_nn_tape64_get: (transfer none): what layer @layer gave, until the next run */
const double *bg_nn_tape64_get(const BgNnTape64 *tape, int layer);
const BgNnShape *bg_nn_tape64_get_shape(const BgNnTape64 *tape, int layer);

/** bg_nn_tape64_get_param: (transfer none): writable; @index: as in the parameters */
double *bg_nn_tape64_get_param(BgNnTape64 *tape, int index);

/**
 * bg_nn_tape64_backward:
 * @d_outputs: one array per output: the loss by the output's elements; a %NULL counts as zeros
 *
 * After bg_nn_tape64_forward(). Gradients of parameters are added to what is there: so that a
 * batch larger than memory can be done in parts; see bg_nn_tape64_clear_gradients().
 */
gboolean bg_nn_tape64_backward(BgNnTape64 *tape, const double *const *d_outputs,
                               GCancellable *cancellable, GError **error);

/** bg_nn_tape64_get_gradient: (nullable): of parameter @index, %NULL for what is not trained */
double *bg_nn_tape64_get_gradient(BgNnTape64 *tape, int index);

/** bg_nn_tape64_get_input_gradient: by input @index, of the last backward run only */
const double *bg_nn_tape64_get_input_gradient(const BgNnTape64 *tape, int index);

/** bg_nn_tape64_leave_inputs: no gradients of inputs from now on: bg_nn_tape64_get_input_gradient() gives %NULL */
void bg_nn_tape64_leave_inputs(BgNnTape64 *tape);
void bg_nn_tape64_clear_gradients(BgNnTape64 *tape);

// As those.

BgNnTape32 *bg_nn_tape32_new(BgNnGraph *graph, BgNnParams *params, const BgNnShape *inputs,
                             int n_inputs, GError **error);
void bg_nn_tape32_free(BgNnTape32 *tape);
gboolean bg_nn_tape32_forward(BgNnTape32 *tape, const float *const *inputs, gboolean training,
                              guint64 seed, GCancellable *cancellable, GError **error);
const float *bg_nn_tape32_get(const BgNnTape32 *tape, int layer);
const BgNnShape *bg_nn_tape32_get_shape(const BgNnTape32 *tape, int layer);
float *bg_nn_tape32_get_param(BgNnTape32 *tape, int index);
gboolean bg_nn_tape32_backward(BgNnTape32 *tape, const float *const *d_outputs,
                               GCancellable *cancellable, GError **error);
float *bg_nn_tape32_get_gradient(BgNnTape32 *tape, int index);
const float *bg_nn_tape32_get_input_gradient(const BgNnTape32 *tape, int index);
void bg_nn_tape32_leave_inputs(BgNnTape32 *tape);
void bg_nn_tape32_clear_gradients(BgNnTape32 *tape);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgNnTape64, bg_nn_tape64_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgNnTape32, bg_nn_tape32_free)

G_END_DECLS
