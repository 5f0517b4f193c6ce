// SPDX-License-Identifier: Apache-2.0
// Resampling on the device. The arithmetic is core/volume/bg-resample-op.h; only what is about the
// device is here: the types, the grid, the launch.
#include "gpu/kernel/bg-cuda-ops.h"
#include "gpu/kernel/bg-launch.cuh"

// One name for all types, for the templates.
#define DEFINE_LINEAR(TYPE, name, ctype)                                                         \
    BG_HOSTDEV float linear(const ctype *samples, const int *dims, double x, double y, double z) \
    {                                                                                            \
        return bg_resample_linear_##name(samples, dims, x, y, z);                                \
    }

BG_FOR_SAMPLE_TYPES(DEFINE_LINEAR)

template <typename T>
BG_HOSTDEV float
nearest(const T *samples, const int *dims, double x, double y, double z)
{
    size_t i = (size_t) bg_resample_nearest_index(x, dims[0]);
    size_t j = (size_t) bg_resample_nearest_index(y, dims[1]);
    size_t k = (size_t) bg_resample_nearest_index(z, dims[2]);

    return (float) samples[i + (size_t) dims[0] * (j + (size_t) dims[1] * k)];
}

template <typename T>
BG_HOSTDEV void
store(float value, const BgCudaResample &params, T *to)
{
    *to = (T) bg_resample_round(value, params.lowest, params.highest);
}

BG_HOSTDEV void
store(float value, const BgCudaResample &params, float *to)
{
    *to = params.scales ? (float) ((double) value * params.slope + params.intercept) : value;
}

// Grid-stride: right for any n, whatever the grid. size_t, for a volume of 1300^3 voxels does not
// fit an int.
template <typename From, typename To>
static __global__ void
resample_kernel(const From *source, BgCudaResample params, To *result, size_t n)
{
    const BgResampleMap *map = &params.map;
    size_t stride = (size_t) blockDim.x * gridDim.x;
    size_t nx = (size_t) map->target_dims[0], ny = (size_t) map->target_dims[1];

    for (size_t at = (size_t) blockIdx.x * blockDim.x + threadIdx.x; at < n; at += stride) {
        int i = (int) (at % nx), j = (int) (at / nx % ny), k = (int) (at / nx / ny);
        double x = bg_resample_coordinate(map, 0, i, j, k);
        double y = bg_resample_coordinate(map, 1, i, j, k);
        double z = bg_resample_coordinate(map, 2, i, j, k);

        if (!bg_resample_is_inside(x, map->source_dims[0]) ||
            !bg_resample_is_inside(y, map->source_dims[1]) ||
            !bg_resample_is_inside(z, map->source_dims[2])) {
            result[at] = (To) params.fill;
            continue;
        }
        float value = params.nearest ? nearest(source, map->source_dims, x, y, z)
                                     : linear(source, map->source_dims, x, y, z);
        store(value, params, &result[at]);
    }
}

template <typename From, typename To>
static void
launch(const void *source, const BgCudaResample &params, void *result, cudaStream_t stream)
{
    const int *dims = params.map.target_dims;
    size_t n = (size_t) dims[0] * (size_t) dims[1] * (size_t) dims[2];

    BG_LAUNCH((resample_kernel<From, To>), bg_launch_blocks(n), BG_BLOCK_SIZE, stream,
              (const From *) source, params, (To *) result, n);
}

extern "C" int
bg_cuda_resample(BgCudaSpan source, const BgCudaResample *params, void *result, void *stream)
{
    cudaStream_t queue = (cudaStream_t) stream;

#define CASE(TYPE, name, ctype)                                           \
    case TYPE:                                                            \
        if (params->to == TYPE)                                           \
            launch<ctype, ctype>(source.samples, *params, result, queue); \
        else                                                              \
            launch<ctype, float>(source.samples, *params, result, queue); \
        break;
    switch (source.type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE

    return (int) cudaGetLastError();
}
