// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/volume/bg-volume.h"
#include "gpu/kernel/bg-cuda-ops.h"

#include <cuda_runtime_api.h>

/**
 * BgCudaPool:
 *
 * Copies of volumes on the device, found by serial number: volumes are immutable, so a copy is
 * never stale. Dropped least recently used when they exceed the budget or the card is full, and when
 * their volume is freed. Used by one thread at a time.
 */
typedef struct _BgCudaPool BgCudaPool;

/** bg_cuda_pool_new: @stream: borrowed: where uploads are queued */
BgCudaPool *bg_cuda_pool_new(gsize budget_bytes, cudaStream_t stream);
void bg_cuda_pool_free(BgCudaPool *pool);

/**
 * bg_cuda_pool_get:
 * @span: (out): valid until the next call
 *
 * Uploads what is not there yet.
 *
 * Returns: %FALSE as bg_cuda_check()
 */
gboolean bg_cuda_pool_get(BgCudaPool *pool, BgVolume *volume, BgCudaSpan *span, GError **error);

/**
 * bg_cuda_pool_alloc:
 * @address: (out): scratch memory on the device, to be freed by cudaFree()
 *
 * Drops copies that are not @keep when the card is full.
 *
 * Returns: %FALSE as bg_cuda_check()
 */
gboolean bg_cuda_pool_alloc(BgCudaPool *pool, gsize n_bytes, const void *keep, void **address,
                            GError **error);
