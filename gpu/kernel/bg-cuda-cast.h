// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cast/bg-cast-op.h"

#ifdef __cplusplus
extern "C" {
#endif

// @colour: RGBA8, @depth: mm, one a pixel; both and @arrays on the device. @stream: a cudaStream_t.
// Returns a cudaError_t of the launch.
int bg_cuda_cast(const BgCastOp *op, const BgCastOpArrays *arrays, unsigned char *colour,
                 float *depth, void *stream);

#ifdef __cplusplus
}
#endif
