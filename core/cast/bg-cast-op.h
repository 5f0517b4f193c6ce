// SPDX-License-Identifier: Apache-2.0
// The ray caster for one ray: the arithmetic of bg-cast-kernel.h, which does eight at once, for devices
// that do thousands. Compiled as CUDA by nvcc and as C++ by the host build of the same kernel. So: no
// GLib, no state.
#pragma once

#include "core/base/bg-hostdev.h"
#include "core/base/bg-sample.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#define BG_CAST_OP_CUTS 14 // the clip box's six sides and eight planes
#define BG_CAST_OP_BRICK_SHIFT 2

typedef enum {
    BG_CAST_OP_COMPOSITE,
    BG_CAST_OP_EXTREME, // the largest of sign times the sample
    BG_CAST_OP_MEAN,
    BG_CAST_OP_ISO,
} BgCastOpWay;

// One picture's constants: BgCastScene's, under the same names, less what only the CPU does.
typedef struct {
    BgCastOpWay way;
    BgSampleType type;
    int dims[3], n_bricks[3];
    size_t stride_y, stride_z; // 0 along an axis of one voxel
    bool linear, empty, shade, by_gradient, parallel, transparent;
    double active_low[3], active_high[3];
    float lut_low, lut_scale;
    int lut_last, gradient_last;
    float gradient_scale, exponent;
    float ambient, diffuse, specular, power, light[3], metric[6], flat;
    double light_mm[3], step_mm;
    float early_alpha, depth_alpha, iso, sign;
    double origin_mm[3], origin_u_mm[3], origin_v_mm[3], ray[3], ray_u[3], ray_v[3];
    double voxel_from_patient[3][4];
    int n_cuts;
    double cut_point[BG_CAST_OP_CUTS][3],
        cut_normal[BG_CAST_OP_CUTS][3]; // the normal's side is kept
    int width, height;
    float top[3], bottom[3];
} BgCastOp;

// On the device. @lut: red, green, blue, opacity an entry; @gradient_lut only where by_gradient.
typedef struct {
    const void *samples;
    const unsigned char *distance;
    const float *lut, *gradient_lut;
} BgCastOpArrays;

// A ray: voxels at t = 0, voxels a mm; marched from @from to @to mm after @t_mm.
typedef struct {
    float at[3], step[3], from, to, light_view, leap;
    double t_mm;
    int last; // samples
} BgCastOpRay;

typedef struct {
    int i[3];
    size_t index;
    float f[3]; // 0..1 inside
} BgCastOpCell;

// Premultiplied; @seen: mm after t_mm, infinite where nothing is.
typedef struct {
    float r, g, b, a, seen;
} BgCastOpColour;

BG_HOSTDEV double
bg_cast_op_dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

BG_HOSTDEV void
bg_cast_op_box(const double origin[3], const double direction[3], const double low[3],
               const double high[3], double *from, double *to)
{
    for (int k = 0; k < 3; k++) {
        double a = low[k] - origin[k], b = high[k] - origin[k];
        if (direction[k] == 0.0) {
            if (a > 0.0 || b < 0.0)
                *to = -INFINITY;
            continue;
        }
        a /= direction[k];
        b /= direction[k];
        *from = fmax(*from, fmin(a, b));
        *to = fmin(*to, fmax(a, b));
    }
}

BG_HOSTDEV void
bg_cast_op_cut(const BgCastOp *op, const double origin[3], const double direction[3], double *from,
               double *to)
{
    for (int c = 0; c < op->n_cuts; c++) {
        double apart[3] = { origin[0] - op->cut_point[c][0], origin[1] - op->cut_point[c][1],
                            origin[2] - op->cut_point[c][2] };
        double height = bg_cast_op_dot(apart, op->cut_normal[c]);
        double rise = bg_cast_op_dot(direction, op->cut_normal[c]);
        if (rise > 0.0)
            *from = fmax(*from, -height / rise);
        else if (rise < 0.0)
            *to = fmin(*to, -height / rise);
        else if (height < 0.0)
            *to = -INFINITY;
    }
}

// Of a pixel, in patient space. @direction: unit length.
BG_HOSTDEV void
bg_cast_op_pixel(const BgCastOp *op, int u, int v, double origin[3], double direction[3])
{
    double length = 0.0;

    for (int k = 0; k < 3; k++) {
        origin[k] = op->origin_mm[k];
        direction[k] = op->ray[k];
        if (op->parallel)
            origin[k] += u * op->origin_u_mm[k] + v * op->origin_v_mm[k];
        else
            direction[k] += u * op->ray_u[k] + v * op->ray_v[k];
        length += direction[k] * direction[k];
    }
    for (int k = 0; k < 3; k++)
        direction[k] /= sqrt(length);
}

// Returns: false when there is nothing to see along it.
BG_HOSTDEV bool
bg_cast_op_ray(const BgCastOp *op, int u, int v, BgCastOpRay *ray)
{
    const double low[3] = { -0.5, -0.5, -0.5 };
    const double high[3] = { op->dims[0] - 0.5, op->dims[1] - 0.5, op->dims[2] - 0.5 };
    double o_mm[3], d_mm[3], o[3], d[3], fastest = 0.0;
    double from = op->parallel ? -HUGE_VAL : 0.0, to = INFINITY;

    bg_cast_op_pixel(op, u, v, o_mm, d_mm);
    for (int k = 0; k < 3; k++) {
        o[k] = bg_cast_op_dot(op->voxel_from_patient[k], o_mm) + op->voxel_from_patient[k][3];
        d[k] = bg_cast_op_dot(op->voxel_from_patient[k], d_mm);
        fastest = fmax(fastest, fabs(d[k]));
    }
    bg_cast_op_box(o, d, low, high, &from, &to);
    if (from >= to)
        return false;
    bg_cast_op_cut(op, o_mm, d_mm, &from, &to);
    double first = from, last = to;
    bg_cast_op_box(o, d, op->active_low, op->active_high, &first, &last);
    if (!(first < last))
        return false;
    // Near the volume, where a float has digits to spare; one sample more at both ends.
    ray->t_mm = (floor(first / op->step_mm) - 1.0) * op->step_mm;
    ray->last = (int) (ceil((last - ray->t_mm) / op->step_mm) + 1.0);
    ray->leap = (float) ((1 << BG_CAST_OP_BRICK_SHIFT) / (fastest * op->step_mm));
    for (int k = 0; k < 3; k++) {
        ray->at[k] = (float) (o[k] + ray->t_mm * d[k]);
        ray->step[k] = (float) d[k];
    }
    ray->from = (float) (from - ray->t_mm);
    ray->to = (float) (to - ray->t_mm);
    ray->light_view = (float) -bg_cast_op_dot(op->light_mm, d_mm);
    return true;
}

// The cell of a position, which is clamped to the outer voxel centres.
BG_HOSTDEV BgCastOpCell
bg_cast_op_cell(const BgCastOp *op, const BgCastOpRay *ray, float t)
{
    BgCastOpCell c;

    for (int k = 0; k < 3; k++) {
        float x = ray->at[k] + t * ray->step[k];
        int most = op->dims[k] > 2 ? op->dims[k] - 2 : 0;
        x = fminf(fmaxf(x, 0.0f), (float) (op->dims[k] - 1));
        c.i[k] = (int) x < most ? (int) x : most;
        c.f[k] = x - (float) c.i[k];
        if (!op->linear)
            c.f[k] = c.f[k] >= 0.5f ? 1.0f : 0.0f;
    }
    c.index = (size_t) c.i[0] +
              (size_t) op->dims[0] * ((size_t) c.i[1] + (size_t) op->dims[1] * (size_t) c.i[2]);
    return c;
}

BG_HOSTDEV size_t
bg_cast_op_brick(const BgCastOp *op, const BgCastOpCell *c)
{
    return (size_t) (c->i[0] >> BG_CAST_OP_BRICK_SHIFT) +
           (size_t) op->n_bricks[0] *
               ((size_t) (c->i[1] >> BG_CAST_OP_BRICK_SHIFT) +
                (size_t) op->n_bricks[1] * (size_t) (c->i[2] >> BG_CAST_OP_BRICK_SHIFT));
}

BG_HOSTDEV float
bg_cast_op_mix(float a, float b, float t)
{
    return a + t * (b - a);
}

BG_HOSTDEV int
bg_cast_op_entry(float value, float low, float scale, int last)
{
    return (int) fminf(fmaxf((value - low) * scale + 0.5f, 0.0f), (float) last);
}

BG_HOSTDEV float
bg_cast_op_length2(const BgCastOp *op, const float g[3])
{
    const float *m = op->metric;

    return g[0] * (m[0] * g[0] + m[3] * g[1] + m[4] * g[2]) + g[1] * (m[1] * g[1] + m[5] * g[2]) +
           m[2] * g[2] * g[2];
}

// Phong's factors: colour * diffuse + specular.
BG_HOSTDEV void
bg_cast_op_shade(const BgCastOp *op, const BgCastOpRay *ray, const float g[3], float *diffuse,
                 float *specular)
{
    float q = bg_cast_op_length2(op, g);

    if (q <= op->flat) {
        *diffuse = op->ambient + op->diffuse;
        *specular = 0.0f;
        return;
    }
    float inverse = 1.0f / sqrtf(q);
    float nl = (g[0] * op->light[0] + g[1] * op->light[1] + g[2] * op->light[2]) * inverse;
    float nv = -(g[0] * ray->step[0] + g[1] * ray->step[1] + g[2] * ray->step[2]) * inverse;
    float rv = fminf(2.0f * nl * nv - ray->light_view, 1.0f);
    *diffuse = op->ambient + op->diffuse * fminf(fabsf(nl), 1.0f);
    *specular = rv > 0.0f ? op->specular * powf(rv, op->power) : 0.0f;
}

// What a sample of @part of a step adds. @clear: what is not covered yet; Returns: what is not after it
BG_HOSTDEV float
bg_cast_op_add(const BgCastOp *op, const float rgba[4], float part, float diffuse, float specular,
               float clear, BgCastOpColour *sum)
{
    float alpha = rgba[3];

    if (part < 0.9995f)
        alpha = 1.0f - powf(1.0f - alpha, fmaxf(part, 0.0f));
    alpha = fminf(alpha, 1.0f);
    float weight = alpha * clear, shine = specular * weight;
    if (op->shade)
        weight *= diffuse;
    sum->r += rgba[0] * weight + shine;
    sum->g += rgba[1] * weight + shine;
    sum->b += rgba[2] * weight + shine;
    return clear * (1.0f - alpha);
}
