// SPDX-License-Identifier: Apache-2.0
// The plan that the CUDA executor makes of a graph: values (results in device memory) and steps.
#pragma once

#include "core/nn/bg-nn-fuse.h"
#include "gpu/nn/bg-cuda-network.h"
#include "gpu/nn/bg-cudnn-conv.h"

/** BgCudaValue: a result, and from which step to which it is needed */
typedef struct {
    gsize count;
    int first, last; // steps; last G_MAXINT: to the end
    int same_as;     // -1, or the value whose memory this is
    int slot;        // -1 before it has a place
} BgCudaValue;

/** BgCudaSlot: memory that values share one after the other */
typedef struct {
    gsize n_bytes;
    void *address; // owned, on the device
    gboolean is_free;
} BgCudaSlot;

typedef enum {
    BG_CUDA_STEP_KERNEL, // call, of kind
    BG_CUDA_STEP_CONV,   // conv, then call (finish) where cuDNN did not do that
    BG_CUDA_STEP_NORM,   // by the batch's statistics, by cuDNN
} BgCudaStepKind;

typedef struct {
    BgCudaStepKind what;
    BgCudaNnKind kind;
    BgCudaNnCall call; // in and out are filled in when it runs
    int in[BG_CUDA_NN_MAX_INPUTS], n_in, out;
    gboolean finishes;                   // a convolution with bias or rectifier
    BgCudnnConv *conv;                   // owned
    cudnnTensorDescriptor_t data, param; // owned; of a norm
    double eps;
} BgCudaStep;

typedef struct {
    BgBackendNetwork parent;
    BgCudaPlace place;
    BgNnGraph *graph;   // owned
    BgNnParams *params; // owned copy
    BgNnShape *shapes;  // owned, one a layer
    BgNnPrecision precision;
    BgNnFuser fuser;
    cudnnHandle_t handle; // owned
    GArray *values;       // of BgCudaValue
    GArray *slots;        // of BgCudaSlot
    GArray *steps;        // of BgCudaStep
    GArray *constants;    // of void *: on the device, owned
    int *result;          // owned; each layer's value, or -1
    int n_inputs, n_outputs;
    gsize workspace_bytes, staging_count;
    void *workspace;
    float *staging; // inputs and outputs in float32, where the network has other reals
} BgCudaNetwork;

// bg-cuda-network-layers.c

/** bg_cuda_plan_layer: any layer but an input */
gboolean bg_cuda_plan_layer(BgCudaNetwork *self, int layer, GError **error);

// bg-cuda-network-memory.c

gsize bg_cuda_real_size(const BgCudaNetwork *self);
BgCudaNnReal bg_cuda_real(const BgCudaNetwork *self);

/** bg_cuda_plan_value: that the next step makes; its number */
int bg_cuda_plan_value(BgCudaNetwork *self, gsize count);
BgCudaValue *bg_cuda_value(const BgCudaNetwork *self, int value);

/** bg_cuda_plan_view: another name of @value */
int bg_cuda_plan_view(BgCudaNetwork *self, int value);

/** bg_cuda_plan_step: appends; marks the values it reads */
void bg_cuda_plan_step(BgCudaNetwork *self, const BgCudaStep *step);

/** bg_cuda_constant: (transfer none): @data on the device for good, as reals or as float32; or %NULL */
void *bg_cuda_constant(BgCudaNetwork *self, const float *data, gsize count, BgCudaNnReal real,
                       GError **error);

/** bg_cuda_plan_memory: gives every value its place, and allocates */
gboolean bg_cuda_plan_memory(BgCudaNetwork *self, GError **error);

/** bg_cuda_address: of a value, on the device */
void *bg_cuda_address(const BgCudaNetwork *self, int value);
