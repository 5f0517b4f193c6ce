// SPDX-License-Identifier: Apache-2.0
// A device in host memory, under the names of the CUDA runtime: found before the real header, it
// lets gpu/ be built by the host's compilers and tested where there is no card. Only what gpu/ uses;
// what cannot be done here does not compile.
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorNoDevice = 100,
} cudaError_t;

typedef enum cudaMemcpyKind {
    cudaMemcpyHostToDevice = 1,
    cudaMemcpyDeviceToHost = 2,
} cudaMemcpyKind;

typedef struct BgHostStream *cudaStream_t;

// The part of it that is shown to people.
struct cudaDeviceProp {
    char name[256];
    size_t totalGlobalMem;
};

cudaError_t cudaGetDeviceCount(int *n_devices);
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *properties, int device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaMemGetInfo(size_t *n_free, size_t *n_total);
cudaError_t cudaMalloc(void **address, size_t n_bytes);
cudaError_t cudaFree(void *address);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t n_bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaStreamCreate(cudaStream_t *stream);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaGetLastError(void);
const char *cudaGetErrorString(cudaError_t error);

// What a test sets and reads; of the whole process.
typedef struct {
    int n_devices;       // as cudaGetDeviceCount() says
    size_t memory_bytes; // what cudaMalloc() can hand out in all
    size_t used_bytes;
    size_t n_allocations; // that live
    size_t n_uploads;     // since the start
} BgHostDevice;

extern BgHostDevice bg_host_device;

#ifdef __cplusplus
}

struct BgHostDim {
    unsigned x, y, z;
};

// Set by BG_LAUNCH, of the calling thread.
static thread_local BgHostDim blockIdx, blockDim, gridDim, threadIdx;

#define __global__
#define __device__
#define __host__

#endif
