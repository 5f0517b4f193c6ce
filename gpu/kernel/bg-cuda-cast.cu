// SPDX-License-Identifier: Apache-2.0
// The ray caster on the device: a thread a pixel, tiles of 16 x 16 pixels a block, so that neighbours'
// samples come from the same lines of memory. Empty bricks are leapt over, each ray for itself.
#include "gpu/kernel/bg-cuda-cast.h"
#include "gpu/kernel/bg-launch.cuh"

#define TILE 16

template <typename T>
BG_HOSTDEV float
row_at(const T *p, size_t index, int next, float u)
{
    return bg_cast_op_mix((float) p[index], (float) p[index + next], u);
}

// @rows: interpolated along i at j k, j+1 k, j k+1, j+1 k+1
template <typename T>
BG_HOSTDEV float
value_at(const BgCastOp &op, const T *p, const BgCastOpCell &c, float rows[4])
{
    int next = op.dims[0] > 1 ? 1 : 0;

    rows[0] = row_at(p, c.index, next, c.f[0]);
    rows[1] = row_at(p, c.index + op.stride_y, next, c.f[0]);
    rows[2] = row_at(p, c.index + op.stride_z, next, c.f[0]);
    rows[3] = row_at(p, c.index + op.stride_y + op.stride_z, next, c.f[0]);
    return bg_cast_op_mix(bg_cast_op_mix(rows[0], rows[1], c.f[1]),
                          bg_cast_op_mix(rows[2], rows[3], c.f[1]), c.f[2]);
}

// The trilinear value at the cell moved by one voxel along an axis; beyond the edge its voxel goes on.
template <typename T>
BG_HOSTDEV float
moved(const BgCastOp &op, const T *p, const BgCastOpCell &c, int axis, int by)
{
    size_t offset[2][3];

    for (int k = 0; k < 3; k++)
        for (int end = 0; end < 2; end++) {
            int i = c.i[k] + end + (k == axis ? by : 0);
            int most = op.dims[k] - 1;
            i = i < 0 ? 0 : i > most ? most : i;
            offset[end][k] = (size_t) i;
        }
    size_t nx = (size_t) op.dims[0], ny = (size_t) op.dims[1];
    float rows[4];
    for (int r = 0; r < 4; r++) {
        size_t base = nx * (offset[r & 1][1] + ny * offset[r >> 1][2]);
        rows[r] =
            bg_cast_op_mix((float) p[base + offset[0][0]], (float) p[base + offset[1][0]], c.f[0]);
    }
    return bg_cast_op_mix(bg_cast_op_mix(rows[0], rows[1], c.f[1]),
                          bg_cast_op_mix(rows[2], rows[3], c.f[1]), c.f[2]);
}

// Central differences a voxel of the trilinear field.
template <typename T>
BG_HOSTDEV void
gradient_at(const BgCastOp &op, const T *p, const BgCastOpCell &c, float g[3])
{
    for (int axis = 0; axis < 3; axis++)
        g[axis] = 0.5f * (moved(op, p, c, axis, 1) - moved(op, p, c, axis, -1));
}

BG_HOSTDEV int
leap(const BgCastOpRay &ray, int distance)
{
    int n = (int) ((float) (distance - 1) * ray.leap);

    return n > 1 ? n : 1;
}

template <typename T>
BG_HOSTDEV BgCastOpColour
composite(const BgCastOp &op, const BgCastOpArrays &arrays, const T *p, const BgCastOpRay &ray)
{
    BgCastOpColour sum = { 0.0f, 0.0f, 0.0f, 0.0f, INFINITY };
    float step = (float) op.step_mm, clear = 1.0f;
    float enough = 1.0f - op.early_alpha, deep = 1.0f - op.depth_alpha;

    for (int n = 0; n < ray.last && clear > enough;) {
        float start = fmaxf((float) n * step, ray.from),
              end = fminf((float) (n + 1) * step, ray.to);
        if (!(ray.to > (float) n * step))
            break;
        BgCastOpCell c = bg_cast_op_cell(&op, &ray, (start + end) * 0.5f);
        int distance = arrays.distance[bg_cast_op_brick(&op, &c)];
        if (!(end > start) || distance > 0) {
            n += end > start ? leap(ray, distance) : 1;
            continue;
        }
        n++;
        float rows[4], g[3] = { 0.0f, 0.0f, 0.0f }, diffuse = 1.0f, specular = 0.0f;
        float value = value_at(op, p, c, rows);
        const float *entry =
            arrays.lut + 4 * bg_cast_op_entry(value, op.lut_low, op.lut_scale, op.lut_last);
        float rgba[4] = { entry[0], entry[1], entry[2], entry[3] };
        if (!(rgba[3] > 0.0f) || value != value)
            continue;
        if (op.shade || op.by_gradient)
            gradient_at(op, p, c, g);
        if (op.shade)
            bg_cast_op_shade(&op, &ray, g, &diffuse, &specular);
        if (op.by_gradient) {
            float size = sqrtf(bg_cast_op_length2(&op, g));
            rgba[3] *= arrays.gradient_lut[bg_cast_op_entry(size, 0.0f, op.gradient_scale,
                                                            op.gradient_last)];
            rgba[3] = 1.0f - powf(1.0f - rgba[3], op.exponent);
        }
        float after =
            bg_cast_op_add(&op, rgba, (end - start) / step, diffuse, specular, clear, &sum);
        if (clear > deep && after <= deep)
            sum.seen = start + (end - start) * (clear - deep) / (clear - after);
        clear = after;
    }
    sum.a = 1.0f - clear;
    return sum;
}

template <typename T>
BG_HOSTDEV BgCastOpColour
project(const BgCastOp &op, const BgCastOpArrays &arrays, const T *p, const BgCastOpRay &ray)
{
    BgCastOpColour sum = { 0.0f, 0.0f, 0.0f, 0.0f, INFINITY };
    bool mean = op.way == BG_CAST_OP_MEAN;
    float step = (float) op.step_mm, best = mean ? 0.0f : -INFINITY, length = 0.0f, rows[4];

    for (int n = 0; n < ray.last; n++) {
        float start = fmaxf((float) n * step, ray.from),
              end = fminf((float) (n + 1) * step, ray.to);
        if (!(end > start))
            continue;
        float t = (start + end) * 0.5f;
        BgCastOpCell c = bg_cast_op_cell(&op, &ray, t);
        float value = value_at(op, p, c, rows);
        if (mean && value == value) {
            best += value * (end - start);
            length += end - start;
        } else if (!mean && value * op.sign > best) {
            best = value * op.sign;
            sum.seen = t;
        }
    }
    if (mean ? !(length > 0.0f) : !(best > -INFINITY)) {
        sum.seen = INFINITY;
        return sum;
    }
    float value = mean ? best / length : best * op.sign;
    const float *rgba =
        arrays.lut + 4 * bg_cast_op_entry(value, op.lut_low, op.lut_scale, op.lut_last);
    sum.r = rgba[0] * rgba[3];
    sum.g = rgba[1] * rgba[3];
    sum.b = rgba[2] * rgba[3];
    sum.a = rgba[3];
    if (mean || !(sum.a >= op.depth_alpha)) // a mean is nowhere in particular
        sum.seen = INFINITY;
    return sum;
}

template <typename T>
BG_HOSTDEV float
narrow(const BgCastOp &op, const T *p, const BgCastOpRay &ray, float low, float high)
{
    float rows[4];

    for (int round = 0; round < 18; round++) {
        float middle = (low + high) * 0.5f;
        BgCastOpCell c = bg_cast_op_cell(&op, &ray, middle);
        if (value_at(op, p, c, rows) * op.sign >= op.iso)
            high = middle;
        else
            low = middle;
    }
    return high;
}

template <typename T>
BG_HOSTDEV BgCastOpColour
find_iso(const BgCastOp &op, const BgCastOpArrays &arrays, const T *p, const BgCastOpRay &ray)
{
    BgCastOpColour sum = { 0.0f, 0.0f, 0.0f, 0.0f, INFINITY };
    float step = (float) op.step_mm, rows[4];

    for (int n = 0; n < ray.last && ray.to > (float) n * step;) {
        float start = fmaxf((float) n * step, ray.from),
              end = fminf((float) (n + 1) * step, ray.to);
        float t = (start + end) * 0.5f;
        BgCastOpCell c = bg_cast_op_cell(&op, &ray, t);
        int distance = arrays.distance[bg_cast_op_brick(&op, &c)];
        if (!(end > start) || distance > 0) {
            n += end > start ? leap(ray, distance) : 1;
            continue;
        }
        n++;
        if (!(value_at(op, p, c, rows) * op.sign >= op.iso))
            continue;
        float diffuse = 1.0f, specular = 0.0f, g[3];
        sum.seen = narrow(op, p, ray, fmaxf(t - step, ray.from), t);
        c = bg_cast_op_cell(&op, &ray, sum.seen);
        if (op.shade) {
            gradient_at(op, p, c, g);
            bg_cast_op_shade(&op, &ray, g, &diffuse, &specular);
        }
        const float *rgba = arrays.lut + 4 * bg_cast_op_entry(op.iso * op.sign, op.lut_low,
                                                              op.lut_scale, op.lut_last);
        sum.r = rgba[0] * diffuse + specular;
        sum.g = rgba[1] * diffuse + specular;
        sum.b = rgba[2] * diffuse + specular;
        sum.a = 1.0f;
        break;
    }
    return sum;
}

BG_HOSTDEV unsigned char
to_byte(float x)
{
    return (unsigned char) (fminf(fmaxf(x, 0.0f), 1.0f) * 255.0f + 0.5f);
}

// On the background, or with alpha.
BG_HOSTDEV void
write_pixel(const BgCastOp &op, int v, BgCastOpColour sum, unsigned char *out)
{
    float rgba[4] = { sum.r, sum.g, sum.b, sum.a };
    float down = op.height > 1 ? (float) v / (float) (op.height - 1) : 0.0f;
    // A ray that ended early is all covered: the rest is taken to be more of the same.
    float scale = sum.a >= op.early_alpha ? 1.0f / sum.a : 1.0f;

    for (int c = 0; c < 4; c++)
        rgba[c] *= scale;
    for (int c = 0; c < 3; c++) {
        float x = rgba[c];
        if (op.transparent)
            x = rgba[3] > 0.0f ? x / rgba[3] : 0.0f;
        else
            x += (1.0f - rgba[3]) * (op.top[c] + down * (op.bottom[c] - op.top[c]));
        out[c] = to_byte(x);
    }
    out[3] = op.transparent ? to_byte(rgba[3]) : 255;
}

template <typename T>
static __global__ void
cast_kernel(BgCastOp op, BgCastOpArrays arrays, unsigned char *colour, float *depth, size_t n)
{
    size_t stride = (size_t) blockDim.x * gridDim.x;
    size_t across = ((size_t) op.width + TILE - 1) / TILE;
    const T *p = (const T *) arrays.samples;

    for (size_t at = (size_t) blockIdx.x * blockDim.x + threadIdx.x; at < n; at += stride) {
        size_t tile = at / (TILE * TILE), in = at % (TILE * TILE);
        int u = (int) (tile % across * TILE + in % TILE);
        int v = (int) (tile / across * TILE + in / TILE);
        if (u >= op.width || v >= op.height)
            continue;
        BgCastOpColour sum = { 0.0f, 0.0f, 0.0f, 0.0f, INFINITY };
        BgCastOpRay ray;
        ray.t_mm = 0.0;
        if (!op.empty && bg_cast_op_ray(&op, u, v, &ray)) {
            if (op.way == BG_CAST_OP_COMPOSITE)
                sum = composite(op, arrays, p, ray);
            else if (op.way == BG_CAST_OP_ISO)
                sum = find_iso(op, arrays, p, ray);
            else
                sum = project(op, arrays, p, ray);
        }
        size_t pixel = (size_t) u + (size_t) op.width * (size_t) v;
        write_pixel(op, v, sum, colour + 4 * pixel);
        depth[pixel] = (float) (ray.t_mm + (double) sum.seen);
    }
}

extern "C" int
bg_cuda_cast(const BgCastOp *op, const BgCastOpArrays *arrays, unsigned char *colour, float *depth,
             void *stream)
{
    size_t tiles =
        (((size_t) op->width + TILE - 1) / TILE) * (((size_t) op->height + TILE - 1) / TILE);
    size_t n = tiles * TILE * TILE;
    cudaStream_t queue = (cudaStream_t) stream;

#define CASE(TYPE, name, ctype)                                                                  \
    case TYPE:                                                                                   \
        BG_LAUNCH((cast_kernel<ctype>), bg_launch_blocks(n), BG_BLOCK_SIZE, queue, *op, *arrays, \
                  colour, depth, n);                                                             \
        break;
    switch (op->type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
    return (int) cudaGetLastError();
}
