// SPDX-License-Identifier: Apache-2.0
// A kernel's launch. With a C++ compiler and gpu/host/ found first, it is a loop over the grid: for
// kernels without shared memory, warp intrinsics and __syncthreads.
#pragma once

#include <cuda_runtime_api.h>

#ifdef __CUDACC__

#include <cuda_runtime.h>

#define BG_LAUNCH(kernel, blocks, threads, stream, ...) \
    kernel<<<(blocks), (threads), 0, (stream)>>>(__VA_ARGS__)

#else

#define BG_LAUNCH(kernel, blocks, threads, stream, ...)                                 \
    for ((void) (stream), blockDim.x = (threads), gridDim.x = (blocks), blockIdx.x = 0; \
         blockIdx.x < gridDim.x; blockIdx.x++)                                          \
        for (threadIdx.x = 0; threadIdx.x < blockDim.x; threadIdx.x++)                  \
    kernel(__VA_ARGS__)

#endif

#define BG_BLOCK_SIZE 256 // for passes over memory any multiple of 32 does
#define BG_MAX_BLOCKS 65535u

// Of a grid-stride loop over @n.
static inline unsigned
bg_launch_blocks(size_t n)
{
    size_t blocks = (n + BG_BLOCK_SIZE - 1) / BG_BLOCK_SIZE;

    return blocks < BG_MAX_BLOCKS ? (unsigned) blocks : BG_MAX_BLOCKS;
}
