// SPDX-License-Identifier: Apache-2.0
// The arithmetic of layers without weights, element by element. Compiled as C by the CPU's executors, as
// CUDA by nvcc, and as C++ by the host build of the same kernels. So: no GLib, no state.
#pragma once

#include "core/base/bg-hostdev.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum {
    BG_NN_PAD_ZERO,
    BG_NN_PAD_REFLECT, // about the outermost element, which is not repeated
    BG_NN_PAD_EDGE,    // the outermost element repeated
} BgNnPadMode;

/**
 * BgNnGeometry:
 *
 * A layer's sizes with space made three-dimensional: z, y, x; sizes that are not there are 1.
 * 0 in stride, dilation and groups has become 1.
 */
typedef struct {
    size_t n, in_channels, out_channels, groups;
    size_t in[3], out[3];
    size_t in_space, out_space; // products of the above
    size_t taps;                // of the kernel
    int kernel[3], stride[3], dilation[3], before[3], after[3];
} BgNnGeometry;

/** BgNnBf16: the upper half of a float32 */
typedef struct {
    unsigned short bits;
} BgNnBf16;

BG_HOSTDEV float
bg_nn_from_bf16(BgNnBf16 x)
{
    union {
        unsigned bits;
        float value;
    } u;

    u.bits = (unsigned) x.bits << 16;
    return u.value;
}

/** bg_nn_to_bf16: to the nearest, the even one of two; not-a-number stays one */
BG_HOSTDEV BgNnBf16
bg_nn_to_bf16(float x)
{
    union {
        float value;
        unsigned bits;
    } u;
    BgNnBf16 result;

    u.value = x;
    if (x != x)
        result.bits = (unsigned short) ((u.bits >> 16) | 0x40);
    else
        result.bits = (unsigned short) ((u.bits + 0x7fff + ((u.bits >> 16) & 1)) >> 16);
    return result;
}

/** bg_nn_pad_index: what element of 0..n-1 stands at @i, or -1: zero */
BG_HOSTDEV ptrdiff_t
bg_nn_pad_index(ptrdiff_t i, ptrdiff_t n, BgNnPadMode mode)
{
    if (i >= 0 && i < n)
        return i;
    if (mode == BG_NN_PAD_EDGE)
        return i < 0 ? 0 : n - 1;
    if (mode == BG_NN_PAD_REFLECT)
        return i < 0 ? -i : 2 * (n - 1) - i;
    return -1;
}

/** bg_nn_window: of output position @o in dimension @k: taps @first..@last - 1 lie inside, tap 0 at @start */
BG_HOSTDEV void
bg_nn_window(const BgNnGeometry *g, int k, size_t o, int *first, int *last, ptrdiff_t *start)
{
    *start = (ptrdiff_t) o * g->stride[k] - g->before[k];
    *first = 0;
    *last = g->kernel[k];
    while (*first < *last && *start + (ptrdiff_t) *first * g->dilation[k] < 0)
        (*first)++;
    while (*last > *first &&
           *start + (ptrdiff_t) (*last - 1) * g->dilation[k] >= (ptrdiff_t) g->in[k])
        (*last)--;
}

/** BgNnBetween: an output pixel of an upsampling: @t of the way from @a to @b */
typedef struct {
    size_t a, b;
    float t;
} BgNnBetween;

/** bg_nn_between: pixel centres at half integers, for linear upsampling by @stride of @n */
BG_HOSTDEV BgNnBetween
bg_nn_between(size_t o, int stride, size_t n)
{
    BgNnBetween between;
    float x = ((float) o + 0.5f) / (float) stride - 0.5f;

    x = x > 0.0f ? x : 0.0f;
    between.a = (size_t) x;
    between.b = between.a + 1 < n ? between.a + 1 : n - 1;
    between.t = x - (float) between.a;
    return between;
}

BG_HOSTDEV float
bg_nn_rectify(float x, float slope)
{
    return x > 0.0f ? x : slope * x;
}

BG_HOSTDEV float
bg_nn_sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}
