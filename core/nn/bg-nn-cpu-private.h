// SPDX-License-Identifier: Apache-2.0
// The plan that the CPU executor makes of a graph: values (results in memory) and steps.
#pragma once

#include "bg-nn-cpu.h"
#include "bg-nn-fuse.h"
#include "bg-nn-layers-private.h"

#include <oneapi/dnnl/dnnl.h>

G_BEGIN_DECLS

#define BG_NN_STEP_ARGS 12

/** BgNnValue: a result: its layout, and from which step to which it is needed */
typedef struct {
    dnnl_memory_desc_t desc;
    dnnl_memory_t memory; // owned
    gsize bytes, offset;  // in the arena
    int first, last;      // steps
    int external;         // -1; an input's index; or the number of inputs + an output's index
    int same_as;          // -1, or the value whose memory this is (a flat view of it)
} BgNnValue;

typedef struct _BgNnStep BgNnStep;

/** BgNnStep: one primitive of oneDNN, or a function of ours */
struct _BgNnStep {
    dnnl_primitive_t primitive; // owned; NULL: run() is called
    gboolean (*run)(BgNnCpu *cpu, BgNnStep *step, GError **error);
    int n_args;
    int kinds[BG_NN_STEP_ARGS];               // DNNL_ARG_...
    int values[BG_NN_STEP_ARGS];              // -1: constant
    dnnl_memory_t constants[BG_NN_STEP_ARGS]; // borrowed
    int layer;
    int n_in, in[BG_NN_MAX_INPUTS], out; // of run(): values
    gpointer data;                       // owned, freed by free_data
    GDestroyNotify free_data;
};

struct _BgNnCpu {
    BgNnGraph *graph;   // owned
    BgNnParams *params; // owned
    BgNnCpuOptions options;
    BgNnShape *shapes; // owned, one a layer
    int n_inputs, n_outputs;
    dnnl_engine_t engine; // borrowed: one a process
    dnnl_stream_t stream; // owned
    GArray *values;       // of BgNnValue
    GArray *steps;        // of BgNnStep
    GPtrArray *constants; // of dnnl_memory_t
    GPtrArray *buffers;   // of bg_buffer: what the constants hold
    gsize constant_bytes, arena_bytes;
    char *arena;    // owned
    float *scratch; // owned; of the steps that run one after the other; grows only
    gsize scratch_bytes;
    BgNnTensor **kept; // owned, nullable ones: the last results, written again when nobody has them
    int *native;       // owned; each layer's value as it was made
    int *dense;        // owned; the same without blocks, or -1
    BgNnFuser fuser;   // owned
};

// bg-nn-cpu-memory.c

/** bg_nn_desc_dense: of @shape, without gaps */
dnnl_memory_desc_t bg_nn_desc_dense(const BgNnShape *shape);
gboolean bg_nn_desc_is_dense(const dnnl_memory_desc_t *desc, const BgNnShape *shape);

/** bg_nn_plan_value: a new value that the next step makes; its number */
int bg_nn_plan_value(BgNnCpu *cpu, const dnnl_memory_desc_t *desc);
BgNnValue *bg_nn_value(const BgNnCpu *cpu, int value);

/** bg_nn_plan_constant: (transfer none): memory for good; %NULL with @error */
dnnl_memory_t bg_nn_plan_constant(BgNnCpu *cpu, const dnnl_memory_desc_t *desc, GError **error);

/** bg_nn_plan_weights: @data, of layout @from, as a constant of layout @to */
dnnl_memory_t bg_nn_plan_weights(BgNnCpu *cpu, const float *data, const dnnl_memory_desc_t *from,
                                 const dnnl_memory_desc_t *to, GError **error);
float *bg_nn_memory_data(dnnl_memory_t memory);

/** bg_nn_plan_arena: gives every value its place */
gboolean bg_nn_plan_arena(BgNnCpu *cpu, GError **error);

/** bg_nn_step_add: appends; marks the values it reads */
void bg_nn_step_add(BgNnCpu *cpu, BgNnStep *step);
void bg_nn_step_arg(BgNnStep *step, int kind, int value, dnnl_memory_t constant);

/** bg_nn_plan_dense: layer @layer's result without blocks, reordered once */
int bg_nn_plan_dense(BgNnCpu *cpu, int layer);

/** bg_nn_plan_reorder: @value in layout @desc; itself when it has it */
int bg_nn_plan_reorder(BgNnCpu *cpu, int value, const dnnl_memory_desc_t *desc);

/** bg_nn_scratch: what a step may write while it runs; %NULL with @error */
float *bg_nn_scratch(BgNnCpu *cpu, gsize n_bytes, GError **error);

gboolean bg_nn_fail_dnnl(dnnl_status_t status, GError **error);

// bg-nn-cpu-conv.c

/** bg_nn_plan_weighted: convolution, deconvolution or linear layer with what is fused into it */
gboolean bg_nn_plan_weighted(BgNnCpu *cpu, int layer, GError **error);

// bg-nn-cpu-layers.c

/** bg_nn_plan_layer: any other; falls back on the plain loops */
gboolean bg_nn_plan_layer(BgNnCpu *cpu, int layer, GError **error);
gboolean bg_nn_plan_plain(BgNnCpu *cpu, int layer, GError **error);

G_END_DECLS
