// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/surface/bg-iso-op.h"

#ifdef __cplusplus
extern "C" {
#endif

// All on the device. @bits: n_rows * n_slices * n_words, and one more; @starts: one a row, and one more;
// @positions: 3 a vertex, @triangles: 3 a triangle; both for the last pass only.
typedef struct {
    const void *samples;
    const BgIsoOpCase *table;
    uint64_t *bits;
    BgIsoOpStart *starts;
    float *positions;
    uint32_t *triangles;
} BgCudaIso;

// The passes: voxels to bits; what each row makes; and, with starts summed, the surface. Each returns a
// cudaError_t of the launch. @stream: a cudaStream_t.
int bg_cuda_iso_classify(const BgIsoOp *op, const BgCudaIso *iso, void *stream);
int bg_cuda_iso_count(const BgIsoOp *op, const BgCudaIso *iso, void *stream);
int bg_cuda_iso_write(const BgIsoOp *op, const BgCudaIso *iso, void *stream);

#ifdef __cplusplus
}
#endif
