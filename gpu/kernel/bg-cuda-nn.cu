// SPDX-License-Identifier: Apache-2.0
// Layers that only pass over memory, one thread an element of the result. The arithmetic is
// core/nn/bg-nn-op.h. What they read lies in order for neighbouring threads, but for softmax,
// whose channels are `space` apart: those are in order from thread to thread too.
#include "gpu/kernel/bg-cuda-nn.h"
#include "gpu/kernel/bg-launch.cuh"

BG_HOSTDEV float
get(const float *data, size_t at)
{
    return data[at];
}

BG_HOSTDEV float
get(const BgNnBf16 *data, size_t at)
{
    return bg_nn_from_bf16(data[at]);
}

BG_HOSTDEV void
put(float *data, size_t at, float value)
{
    data[at] = value;
}

BG_HOSTDEV void
put(BgNnBf16 *data, size_t at, float value)
{
    data[at] = bg_nn_to_bf16(value);
}

#define FOR_ELEMENTS(at, n)                                          \
    for (size_t at = (size_t) blockIdx.x * blockDim.x + threadIdx.x, \
                stride_ = (size_t) blockDim.x * gridDim.x;           \
         at < (n); at += stride_)

template <typename From, typename To>
static __global__ void
convert_kernel(const From *in, To *out, size_t n)
{
    FOR_ELEMENTS(at, n)
    put(out, at, get(in, at));
}

template <typename T>
static __global__ void
finish_kernel(BgCudaNnCall call, size_t n)
{
    T *out = (T *) call.out;

    FOR_ELEMENTS(at, n)
    {
        float value = get(out, at);
        if (call.shift != NULL)
            value += call.shift[at / call.g.out_space % call.g.out_channels];
        put(out, at, bg_nn_rectify(value, call.slope));
    }
}

template <typename T>
static __global__ void
by_channel_kernel(BgCudaNnKind kind, BgCudaNnCall call, size_t n)
{
    const T *in = (const T *) call.in[0];
    T *out = (T *) call.out;

    FOR_ELEMENTS(at, n)
    {
        size_t c = at / call.g.out_space % call.g.out_channels;
        float x = get(in, at);
        if (kind == BG_CUDA_NN_AFFINE)
            x = x * call.scale[c] + call.shift[c];
        else if (kind == BG_CUDA_NN_RECTIFY)
            x = bg_nn_rectify(x, call.slopes != NULL ? call.slopes[c] : call.slope);
        else if (kind == BG_CUDA_NN_SIGMOID)
            x = bg_nn_sigmoid(x);
        else
            x = tanhf(x);
        put(out, at, x);
    }
}

template <typename T>
static __global__ void
softmax_kernel(BgCudaNnCall call, size_t n)
{
    const T *in = (const T *) call.in[0];
    T *out = (T *) call.out;
    size_t space = call.g.in_space, channels = call.g.in_channels;

    FOR_ELEMENTS(item, n)
    {
        size_t at = item / space * channels * space + item % space;
        float most = get(in, at), sum = 0.0f;
        for (size_t c = 1; c < channels; c++)
            most = fmaxf(most, get(in, at + c * space));
        for (size_t c = 0; c < channels; c++)
            sum += expf(get(in, at + c * space) - most);
        for (size_t c = 0; c < channels; c++)
            put(out, at + c * space, expf(get(in, at + c * space) - most) / sum);
    }
}

template <typename T>
static __global__ void
pool_kernel(bool most, BgCudaNnCall call, size_t n)
{
    const BgNnGeometry *g = &call.g;

    FOR_ELEMENTS(at, n)
    {
        const T *in = (const T *) call.in[0] + at / g->out_space * g->in_space;
        size_t o = at % g->out_space, inside = 0;
        size_t pos[3] = { o / (g->out[1] * g->out[2]), o / g->out[2] % g->out[1], o % g->out[2] };
        int first[3], last[3];
        ptrdiff_t start[3];
        float best = -INFINITY, sum = 0.0f;

        for (int k = 0; k < 3; k++)
            bg_nn_window(g, k, pos[k], &first[k], &last[k], &start[k]);
        for (int kz = first[0]; kz < last[0]; kz++)
            for (int ky = first[1]; ky < last[1]; ky++)
                for (int kx = first[2]; kx < last[2]; kx++) {
                    size_t z = (size_t) (start[0] + (ptrdiff_t) kz * g->dilation[0]);
                    size_t y = (size_t) (start[1] + (ptrdiff_t) ky * g->dilation[1]);
                    size_t x = (size_t) (start[2] + (ptrdiff_t) kx * g->dilation[2]);
                    float value = get(in, (z * g->in[1] + y) * g->in[2] + x);
                    inside++;
                    sum += value;
                    best = value > best ? value : best;
                }
        size_t count = call.flag ? g->taps : inside;
        put((T *) call.out, at, most ? best : sum / (float) (count > 0 ? count : 1));
    }
}

template <typename T>
static __global__ void
nearest_kernel(BgCudaNnCall call, size_t n)
{
    const BgNnGeometry *g = &call.g;

    FOR_ELEMENTS(at, n)
    {
        size_t o = at % g->out_space;
        size_t z = o / (g->out[1] * g->out[2]) / (size_t) g->stride[0];
        size_t y = o / g->out[2] % g->out[1] / (size_t) g->stride[1];
        size_t x = o % g->out[2] / (size_t) g->stride[2];
        ((T *) call.out)[at] =
            ((const T *)
                 call.in[0])[at / g->out_space * g->in_space + (z * g->in[1] + y) * g->in[2] + x];
    }
}

template <typename T>
static __global__ void
linear_kernel(BgCudaNnCall call, size_t n)
{
    const BgNnGeometry *g = &call.g;

    FOR_ELEMENTS(at, n)
    {
        const T *in = (const T *) call.in[0] + at / g->out_space * g->in_space;
        size_t o = at % g->out_space;
        BgNnBetween z = bg_nn_between(o / (g->out[1] * g->out[2]), g->stride[0], g->in[0]);
        BgNnBetween y = bg_nn_between(o / g->out[2] % g->out[1], g->stride[1], g->in[1]);
        BgNnBetween x = bg_nn_between(o % g->out[2], g->stride[2], g->in[2]);
        float sum = 0.0f;
        for (int corner = 0; corner < 8; corner++) {
            float weight = (corner & 4 ? z.t : 1.0f - z.t) * (corner & 2 ? y.t : 1.0f - y.t) *
                           (corner & 1 ? x.t : 1.0f - x.t);
            size_t from =
                ((corner & 4 ? z.b : z.a) * g->in[1] + (corner & 2 ? y.b : y.a)) * g->in[2] +
                (corner & 1 ? x.b : x.a);
            if (weight != 0.0f) // else not-a-number would come through
                sum += weight * get(in, from);
        }
        put((T *) call.out, at, sum);
    }
}

// Where an element of a tiled, cropped or padded array comes from, or -1.
BG_HOSTDEV ptrdiff_t
source_of(BgCudaNnKind kind, const BgCudaNnCall *call, size_t at)
{
    const BgNnGeometry *g = &call->g;
    size_t plane = at / g->out_space, o = at % g->out_space;
    size_t batch = plane / g->out_channels, c = plane % g->out_channels % g->in_channels;
    ptrdiff_t pos[3] = { (ptrdiff_t) (o / (g->out[1] * g->out[2])),
                         (ptrdiff_t) (o / g->out[2] % g->out[1]), (ptrdiff_t) (o % g->out[2]) };

    for (int k = 0; k < 3; k++) {
        ptrdiff_t size = (ptrdiff_t) g->in[k];
        if (kind == BG_CUDA_NN_TILE)
            pos[k] %= size;
        else if (kind == BG_CUDA_NN_CROP)
            pos[k] += g->before[k];
        else
            pos[k] = bg_nn_pad_index(pos[k] - g->before[k], size, call->pad_mode);
        if (pos[k] < 0)
            return -1;
    }
    return (ptrdiff_t) ((batch * g->in_channels + c) * g->in_space) +
           (pos[0] * (ptrdiff_t) g->in[1] + pos[1]) * (ptrdiff_t) g->in[2] + pos[2];
}

template <typename T>
static __global__ void
move_kernel(BgCudaNnKind kind, BgCudaNnCall call, size_t n)
{
    FOR_ELEMENTS(at, n)
    {
        ptrdiff_t from = source_of(kind, &call, at);
        if (from < 0)
            put((T *) call.out, at, 0.0f);
        else
            ((T *) call.out)[at] = ((const T *) call.in[0])[from];
    }
}

template <typename T>
static __global__ void
copy_channels_kernel(BgCudaNnCall call, size_t n)
{
    const BgNnGeometry *g = &call.g;
    size_t one = g->in_channels * g->in_space;

    FOR_ELEMENTS(at, n)
    {
        size_t to = (at / one * g->out_channels + call.first) * g->in_space + at % one;
        ((T *) call.out)[to] = ((const T *) call.in[0])[at];
    }
}

template <typename T>
static __global__ void
join_kernel(BgCudaNnKind kind, BgCudaNnCall call, size_t n)
{
    FOR_ELEMENTS(at, n)
    {
        float value = get((const T *) call.in[0], at);
        for (int k = 1; k < call.n_inputs; k++) {
            float other = get((const T *) call.in[k], at);
            if (kind == BG_CUDA_NN_ADD)
                value += other;
            else if (kind == BG_CUDA_NN_MULTIPLY)
                value *= other;
            else if (kind == BG_CUDA_NN_MAXIMUM)
                value = value > other ? value : other;
            else
                value /= other + call.eps;
        }
        put((T *) call.out, at, kind == BG_CUDA_NN_ADD ? value * call.scale_all : value);
    }
}

#define LAUNCH(kernel, n, ...) \
    BG_LAUNCH((kernel), bg_launch_blocks(n), BG_BLOCK_SIZE, stream, __VA_ARGS__)

template <typename T>
static void
launch(BgCudaNnKind kind, const BgCudaNnCall &call, cudaStream_t stream)
{
    const BgNnGeometry *g = &call.g;
    size_t n_in = g->n * g->in_channels * g->in_space;
    size_t n_out = g->n * g->out_channels * g->out_space, n_items = g->n * g->in_space;

    switch (kind) {
    case BG_CUDA_NN_NARROW:
        LAUNCH((convert_kernel<float, T>), n_in, (const float *) call.in[0], (T *) call.out, n_in);
        break;
    case BG_CUDA_NN_WIDEN:
        LAUNCH((convert_kernel<T, float>), n_in, (const T *) call.in[0], (float *) call.out, n_in);
        break;
    case BG_CUDA_NN_FINISH:
        LAUNCH(finish_kernel<T>, n_out, call, n_out);
        break;
    case BG_CUDA_NN_AFFINE:
    case BG_CUDA_NN_RECTIFY:
    case BG_CUDA_NN_SIGMOID:
    case BG_CUDA_NN_TANH:
        LAUNCH(by_channel_kernel<T>, n_out, kind, call, n_out);
        break;
    case BG_CUDA_NN_SOFTMAX:
        LAUNCH(softmax_kernel<T>, n_items, call, n_items);
        break;
    case BG_CUDA_NN_MAX_POOL:
    case BG_CUDA_NN_AVG_POOL:
        LAUNCH(pool_kernel<T>, n_out, kind == BG_CUDA_NN_MAX_POOL, call, n_out);
        break;
    case BG_CUDA_NN_NEAREST:
        LAUNCH(nearest_kernel<T>, n_out, call, n_out);
        break;
    case BG_CUDA_NN_LINEAR:
        LAUNCH(linear_kernel<T>, n_out, call, n_out);
        break;
    case BG_CUDA_NN_TILE:
    case BG_CUDA_NN_CROP:
    case BG_CUDA_NN_PAD:
        LAUNCH(move_kernel<T>, n_out, kind, call, n_out);
        break;
    case BG_CUDA_NN_COPY_CHANNELS:
        LAUNCH(copy_channels_kernel<T>, n_in, call, n_in);
        break;
    case BG_CUDA_NN_ADD:
    case BG_CUDA_NN_MULTIPLY:
    case BG_CUDA_NN_MAXIMUM:
    case BG_CUDA_NN_DIVIDE:
        LAUNCH(join_kernel<T>, n_out, kind, call, n_out);
        break;
    }
}

extern "C" int
bg_cuda_nn_run(BgCudaNnKind kind, const BgCudaNnCall *call, void *stream)
{
    if (call->real == BG_CUDA_NN_BFLOAT16)
        launch<BgNnBf16>(kind, *call, (cudaStream_t) stream);
    else
        launch<float>(kind, *call, (cudaStream_t) stream);
    return (int) cudaGetLastError();
}
