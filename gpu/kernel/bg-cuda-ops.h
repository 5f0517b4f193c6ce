// SPDX-License-Identifier: Apache-2.0
// The kernels' launchers: for gpu/cuda, in C. All pointers are to device memory. They return a
// cudaError_t of the launch; a fault inside shows when the caller synchronises.
#pragma once

#include "core/volume/bg-resample-op.h"

#ifdef __cplusplus
extern "C" {
#endif

// A volume on the device: @n_voxels samples of @type.
typedef struct {
    BgSampleType type;
    const void *samples;
    size_t n_voxels;
} BgCudaSpan;

// @to: the source's type, or float32. Where @scales is set results are samples * slope + intercept.
typedef struct {
    BgResampleMap map;
    bool nearest; // else linear
    bool scales;
    double slope, intercept;
    BgSampleType to;
    float fill;          // a sample of the result
    int lowest, highest; // of integer results
} BgCudaResample;

// @result: target_dims[0] * [1] * [2] of params->to. @stream: a cudaStream_t.
int bg_cuda_resample(BgCudaSpan source, const BgCudaResample *params, void *result, void *stream);

#ifdef __cplusplus
}
#endif
