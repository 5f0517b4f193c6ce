// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/surface/bg-isosurface.h"
#include "gpu/cuda/bg-cuda-pool.h"

/**
 * bg_cuda_isosurface:
 *
 * Returns: (transfer full): or %NULL as bg_isosurface() and bg_cuda_check()
 */
BgMesh *bg_cuda_isosurface(BgCudaPool *pool, cudaStream_t stream, BgVolume *volume,
                           const BgIsoParams *params, GCancellable *cancellable, GError **error);
