// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime_api.h>
#include <stdlib.h>
#include <string.h>

#define HEADER 64 // before each allocation: its size; keeps it aligned as a card's memory is

BgHostDevice bg_host_device = { .n_devices = 1, .memory_bytes = (size_t) 256 << 20 };

struct BgHostStream {
    int unused;
};

static cudaError_t last_error;

cudaError_t
cudaGetDeviceCount(int *n_devices)
{
    *n_devices = bg_host_device.n_devices;
    return bg_host_device.n_devices > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t
cudaGetDeviceProperties(struct cudaDeviceProp *properties, int device)
{
    if (device >= bg_host_device.n_devices)
        return cudaErrorInvalidValue;
    strcpy(properties->name, "device in host memory");
    properties->totalGlobalMem = bg_host_device.memory_bytes;
    return cudaSuccess;
}

cudaError_t
cudaSetDevice(int device)
{
    return device < bg_host_device.n_devices ? cudaSuccess : cudaErrorInvalidValue;
}

cudaError_t
cudaMemGetInfo(size_t *n_free, size_t *n_total)
{
    *n_free = bg_host_device.memory_bytes - bg_host_device.used_bytes;
    *n_total = bg_host_device.memory_bytes;
    return cudaSuccess;
}

cudaError_t
cudaMalloc(void **address, size_t n_bytes)
{
    *address = NULL;
    if (n_bytes > bg_host_device.memory_bytes - bg_host_device.used_bytes) {
        last_error = cudaErrorMemoryAllocation; // the real one keeps it as well
        return cudaErrorMemoryAllocation;
    }

    char *block = aligned_alloc(HEADER, (n_bytes + 2 * HEADER - 1) / HEADER * HEADER);
    if (block == NULL)
        return cudaErrorMemoryAllocation;
    memcpy(block, &n_bytes, sizeof n_bytes);
    memset(block + HEADER, 0xa5, n_bytes); // nobody may count on zeros
    bg_host_device.used_bytes += n_bytes;
    bg_host_device.n_allocations++;
    *address = block + HEADER;
    return cudaSuccess;
}

cudaError_t
cudaFree(void *address)
{
    size_t n_bytes;

    if (address == NULL)
        return cudaSuccess;
    memcpy(&n_bytes, (char *) address - HEADER, sizeof n_bytes);
    bg_host_device.used_bytes -= n_bytes;
    bg_host_device.n_allocations--;
    free((char *) address - HEADER);
    return cudaSuccess;
}

cudaError_t
cudaMemcpyAsync(void *to, const void *from, size_t n_bytes, cudaMemcpyKind kind,
                cudaStream_t stream)
{
    (void) stream;
    if (kind == cudaMemcpyHostToDevice)
        bg_host_device.n_uploads++;
    memcpy(to, from, n_bytes);
    return cudaSuccess;
}

cudaError_t
cudaStreamCreate(cudaStream_t *stream)
{
    *stream = calloc(1, sizeof **stream);
    return *stream != NULL ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t
cudaStreamDestroy(cudaStream_t stream)
{
    free(stream);
    return cudaSuccess;
}

cudaError_t
cudaStreamSynchronize(cudaStream_t stream)
{
    (void) stream;
    return cudaSuccess;
}

cudaError_t
cudaGetLastError(void)
{
    cudaError_t error = last_error;

    last_error = cudaSuccess;
    return error;
}

const char *
cudaGetErrorString(cudaError_t error)
{
    switch (error) {
    case cudaSuccess:
        return "no error";
    case cudaErrorInvalidValue:
        return "invalid argument";
    case cudaErrorMemoryAllocation:
        return "out of memory";
    case cudaErrorNoDevice:
        return "no CUDA-capable device is detected";
    }
    return "unknown error";
}
