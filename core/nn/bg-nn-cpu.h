// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-nn-params.h"
#include "core/base/bg-progress.h"

G_BEGIN_DECLS

/**
 * BgNnPrecision:
 * @BG_NN_FLOAT32: float32 throughout
 * @BG_NN_BFLOAT16: convolutions round their factors to bfloat16 (8 bits of mantissa) and add in float32.
 *   On the processor those of stride one with channels by eights; others, among them a network's first
 *   and last, stay float32. With AMX much faster than float32, without slower, with the same result up to
 *   the rounding of sums. Only by name, or after a test of the network
 * @BG_NN_TF32: graphics cards round the factors of products to 11 bits; elsewhere as BG_NN_FLOAT32
 */
typedef enum {
    BG_NN_FLOAT32,
    BG_NN_BFLOAT16,
    BG_NN_TF32,
} BgNnPrecision;

/**
 * BgNnCpuOptions:
 * @precision: of products
 * @direct: oneDNN's float32 convolutions only, none of our own (Winograd's rounds a little more)
 */
typedef struct {
    BgNnPrecision precision;
    gboolean direct;
} BgNnCpuOptions;

/**
 * BgNnCpu:
 *
 * A network made ready to run, for one set of input shapes, on the processor: float32, oneDNN's
 * blocked layouts kept between layers, batch norms folded into the convolutions before them,
 * rectifiers done in the same pass, memory planned and shared. Holds copies of the parameters.
 * Any thread, one at a time.
 */
typedef struct _BgNnCpu BgNnCpu;

/**
 * bg_nn_cpu_new:
 * @inputs: one shape per input
 * @options: (nullable)
 *
 * Returns: (transfer full): or %NULL as bg_nn_graph_infer(); %BG_ERROR_MISMATCH when @params do not
 *   fit; %BG_ERROR_NO_MEMORY
 */
BgNnCpu *bg_nn_cpu_new(BgNnGraph *graph, BgNnParams *params, const BgNnShape *inputs, int n_inputs,
                       const BgNnCpuOptions *options, GError **error);
void bg_nn_cpu_free(BgNnCpu *cpu);

/**
 * bg_nn_cpu_run:
 * @inputs: one per input, of the shapes given to bg_nn_cpu_new()
 * @outputs: (out caller-allocates) (transfer full): one per output; untouched on failure
 *
 * Returns: %FALSE with %BG_ERROR_MISMATCH: another shape; %BG_ERROR_NO_MEMORY;
 *   %G_IO_ERROR_CANCELLED
 */
gboolean bg_nn_cpu_run(BgNnCpu *cpu, BgNnTensor *const *inputs, BgNnTensor **outputs,
                       const BgProgress *progress, GCancellable *cancellable, GError **error);

/** bg_nn_cpu_get_output_shape: of output @index */
const BgNnShape *bg_nn_cpu_get_output_shape(const BgNnCpu *cpu, int index);

/** bg_nn_cpu_has_bfloat: whether BG_NN_BFLOAT16 is faster here than BG_NN_FLOAT32: AMX */
gboolean bg_nn_cpu_has_bfloat(void);

/** bg_nn_cpu_get_flop: as bg_nn_graph_count_flop() */
double bg_nn_cpu_get_flop(const BgNnCpu *cpu);

/** bg_nn_cpu_get_bytes: of weights and of the memory shared by the results */
gsize bg_nn_cpu_get_bytes(const BgNnCpu *cpu);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgNnCpu, bg_nn_cpu_free)

G_END_DECLS
