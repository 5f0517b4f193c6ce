// SPDX-License-Identifier: Apache-2.0
// Launchers of the network layers that cuDNN is not asked for: for gpu/nn, in C. All pointers in a
// call are to device memory.
#pragma once

#include "core/nn/bg-nn-op.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BG_CUDA_NN_MAX_INPUTS 8

// What the numbers between layers are; sums are float32 always.
typedef enum {
    BG_CUDA_NN_FLOAT32,
    BG_CUDA_NN_BFLOAT16,
} BgCudaNnReal;

typedef enum {
    BG_CUDA_NN_NARROW,  // float32 in, reals out
    BG_CUDA_NN_WIDEN,   // reals in, float32 out
    BG_CUDA_NN_FINISH,  // out = rectified (out + shift of the channel), in place; shift may be NULL
    BG_CUDA_NN_AFFINE,  // in * scale + shift, each of the channel
    BG_CUDA_NN_RECTIFY, // by slope, or where slopes is there by the channel's
    BG_CUDA_NN_SIGMOID,
    BG_CUDA_NN_TANH,
    BG_CUDA_NN_SOFTMAX, // over the channels
    BG_CUDA_NN_MAX_POOL,
    BG_CUDA_NN_AVG_POOL, // flag: what lies outside counts
    BG_CUDA_NN_NEAREST,  // upsampling by g.stride
    BG_CUDA_NN_LINEAR,
    BG_CUDA_NN_TILE,
    BG_CUDA_NN_CROP,
    BG_CUDA_NN_PAD,           // by pad_mode
    BG_CUDA_NN_COPY_CHANNELS, // the input is channels first.. of out
    BG_CUDA_NN_ADD,           // times scale_all
    BG_CUDA_NN_MULTIPLY,
    BG_CUDA_NN_MAXIMUM,
    BG_CUDA_NN_DIVIDE, // first / (second + eps)
} BgCudaNnKind;

// @g: sizes of input and output, N x C x z x y x x without gaps.
typedef struct {
    BgCudaNnReal real;
    BgNnGeometry g;
    const void *in[BG_CUDA_NN_MAX_INPUTS];
    int n_inputs;
    void *out;
    const float *scale, *shift, *slopes; // on the device; one a channel
    float slope, scale_all, eps;
    size_t first; // channel
    BgNnPadMode pad_mode;
    bool flag;
} BgCudaNnCall;

// Returns a cudaError_t of the launch. @stream: a cudaStream_t.
int bg_cuda_nn_run(BgCudaNnKind kind, const BgCudaNnCall *call, void *stream);

#ifdef __cplusplus
}
#endif
