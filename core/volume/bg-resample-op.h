// SPDX-License-Identifier: Apache-2.0
// The per-voxel arithmetic of resampling. Compiled three times: as C by bg-resample.c, as CUDA by
// nvcc, and as C++ by the host build of the same kernel. So: no GLib, no libc but math.h, no state.
#pragma once

#include "core/base/bg-hostdev.h"
#include "core/base/bg-sample.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

// How far beyond half a voxel still counts as inside: rounding of the matrices.
#define BG_RESAMPLE_TOLERANCE 1e-6

// Voxel coordinates of the source from voxel indices of the target: column 3 is where 0, 0, 0 goes.
typedef struct {
    double source_from_target[3][4];
    int source_dims[3];
    int target_dims[3];
} BgResampleMap;

// Along one axis: between voxel index and next, fraction of the way. At a voxel's centre the
// fraction is exactly 0.
typedef struct {
    int index, next;
    float fraction;
} BgResampleStep;

BG_HOSTDEV double
bg_resample_coordinate(const BgResampleMap *map, int axis, int i, int j, int k)
{
    const double *row = map->source_from_target[axis];

    return row[3] + row[2] * k + row[1] * j + row[0] * i;
}

// Not a number is outside.
BG_HOSTDEV bool
bg_resample_is_inside(double coordinate, int dim)
{
    return coordinate >= -0.5 - BG_RESAMPLE_TOLERANCE &&
           coordinate <= dim - 0.5 + BG_RESAMPLE_TOLERANCE;
}

// Of a coordinate that is inside: then cutting off is floor(), but for what is clamped anyway.
BG_HOSTDEV int
bg_resample_nearest_index(double coordinate, int dim)
{
    int index = (int) (coordinate + 0.5);

    return index < 0 ? 0 : index > dim - 1 ? dim - 1 : index;
}

BG_HOSTDEV BgResampleStep
bg_resample_step(double coordinate, int dim)
{
    double clamped = coordinate < 0.0 ? 0.0 : coordinate > dim - 1 ? dim - 1 : coordinate;
    BgResampleStep step;

    step.index = (int) clamped; // not negative: the same as floor()
    step.next = step.index < dim - 1 ? step.index + 1 : step.index;
    step.fraction = (float) (clamped - step.index);
    return step;
}

// What has no weight does not count, not even when it is not a number.
BG_HOSTDEV float
bg_resample_mix(float a, float b, float fraction)
{
    return fraction == 0.0f ? a : a + fraction * (b - a);
}

// Of the eight around, in the source's samples. The order of the axes is part of the contract: x
// first, so that all backends round alike.
#define BG_DEFINE_RESAMPLE_LINEAR(TYPE, name, ctype)                                            \
    BG_HOSTDEV float bg_resample_linear_##name(const ctype *samples, const int *dims, double x, \
                                               double y, double z)                              \
    {                                                                                           \
        BgResampleStep sx = bg_resample_step(x, dims[0]);                                       \
        BgResampleStep sy = bg_resample_step(y, dims[1]);                                       \
        BgResampleStep sz = bg_resample_step(z, dims[2]);                                       \
        size_t nx = (size_t) dims[0], ny = (size_t) dims[1];                                    \
        const ctype *r00 = samples + nx * ((size_t) sy.index + ny * (size_t) sz.index);         \
        const ctype *r10 = samples + nx * ((size_t) sy.next + ny * (size_t) sz.index);          \
        const ctype *r01 = samples + nx * ((size_t) sy.index + ny * (size_t) sz.next);          \
        const ctype *r11 = samples + nx * ((size_t) sy.next + ny * (size_t) sz.next);           \
        float a = bg_resample_mix((float) r00[sx.index], (float) r00[sx.next], sx.fraction);    \
        float b = bg_resample_mix((float) r10[sx.index], (float) r10[sx.next], sx.fraction);    \
        float c = bg_resample_mix((float) r01[sx.index], (float) r01[sx.next], sx.fraction);    \
        float d = bg_resample_mix((float) r11[sx.index], (float) r11[sx.next], sx.fraction);    \
        return bg_resample_mix(bg_resample_mix(a, b, sy.fraction),                              \
                               bg_resample_mix(c, d, sy.fraction), sz.fraction);                \
    }

BG_FOR_SAMPLE_TYPES(BG_DEFINE_RESAMPLE_LINEAR)

// To a whole sample, halves away from zero, within the type's range. @sample: finite and below 2^30,
// as all that is between 16-bit samples. The float below a half is right for halves and for what
// lies just below them; and no comparison of floats, which compilers will not turn into vectors.
BG_HOSTDEV int
bg_resample_round(float sample, int lowest, int highest)
{
    int whole = (int) (sample + copysignf(0.49999997f, sample));

    return whole < lowest ? lowest : whole > highest ? highest : whole;
}

// The range of an integer type. Not for float32, which needs none.
BG_HOSTDEV void
bg_resample_range(BgSampleType type, int *lowest, int *highest)
{
    *lowest = type == BG_SAMPLE_INT8 ? -128 : type == BG_SAMPLE_INT16 ? -32768 : 0;
    *highest = type == BG_SAMPLE_UINT8   ? 255
               : type == BG_SAMPLE_INT8  ? 127
               : type == BG_SAMPLE_INT16 ? 32767
                                         : 65535;
}
