// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cast/bg-cast.h"
#include "gpu/cuda/bg-cuda-pool.h"

/**
 * bg_cuda_cast_image:
 *
 * Returns: (transfer full): or %NULL as bg_cast_plan_new() and bg_cuda_check()
 */
BgCastImage *bg_cuda_cast_image(BgCudaPool *pool, cudaStream_t stream, BgVolume *volume,
                                const BgCastParams *params, GCancellable *cancellable,
                                GError **error);
