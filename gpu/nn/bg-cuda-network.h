// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/compute/bg-backend-ops.h"
#include "gpu/cuda/bg-cuda-pool.h"

/**
 * BgCudaPlace:
 *
 * Where a network lives.
 */
typedef struct {
    int device;
    cudaStream_t stream; // borrowed
    BgCudaPool *pool;    // borrowed
} BgCudaPlace;

/**
 * bg_cuda_network_new:
 *
 * Returns: (transfer full): or %NULL as bg_nn_graph_infer(); %BG_ERROR_MISMATCH when @params do not
 *   fit; %BG_ERROR_UNSUPPORTED: cuDNN does not do one of its layers; %BG_ERROR_NO_MEMORY;
 *   %BG_ERROR_DEVICE
 */
BgBackendNetwork *bg_cuda_network_new(const BgCudaPlace *place, BgNnGraph *graph,
                                      BgNnParams *params, const BgBackendNetworkSpec *spec,
                                      GError **error);
