// SPDX-License-Identifier: Apache-2.0
// One place of a volume at a time: for light, whose rays go everywhere.
#pragma once

#include "bg-cast-private.h"

#include <math.h>

G_BEGIN_DECLS

// Where a position lies: the lower voxel of its cell, and how far it is beyond that.
typedef struct {
    gsize index;
    gsize step[3]; // to the next voxel; 0 at the end
    float share[3];
    int voxel[3];
} BgCastPoint;

/** bg_cast_point: of a position in voxel coordinates, clamped to the outer voxels' centres */
static inline BgCastPoint
bg_cast_point(const BgCastScene *scene, const float at[3])
{
    const gsize strides[3] = { 1, (gsize) scene->dims[0],
                               (gsize) scene->dims[0] * (gsize) scene->dims[1] };
    BgCastPoint point = { 0 };

    for (int axis = 0; axis < 3; axis++) {
        int last = scene->dims[axis] - 1;
        float x = at[axis] > 0.0f ? MIN(at[axis], (float) last) : 0.0f;
        int i = MIN((int) x, MAX(last - 1, 0));
        float share = x - (float) i;
        point.voxel[axis] = i;
        point.share[axis] = scene->linear ? share : share >= 0.5f ? 1.0f : 0.0f;
        point.step[axis] = i < last ? strides[axis] : 0;
        point.index += (gsize) i * strides[axis];
    }
    return point;
}

/** bg_cast_point_value: the sample there, as stored; not a number beside one that is none */
static inline float
bg_cast_point_value(const BgCastScene *scene, const BgCastPoint *p)
{
    float corners[8];

#define CASE(TYPE, name, ctype)                                                                    \
    case TYPE: {                                                                                   \
        const ctype *v = (const ctype *) scene->samples + p->index;                                \
        for (int n = 0; n < 8; n++)                                                                \
            corners[n] = (float)                                                                   \
                v[(n & 1 ? p->step[0] : 0) + (n & 2 ? p->step[1] : 0) + (n & 4 ? p->step[2] : 0)]; \
        break;                                                                                     \
    }
    switch (scene->type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    default:
        return NAN;
    }
#undef CASE
    for (int axis = 0, n = 4; axis < 3; axis++, n /= 2) {
        for (int i = 0; i < n; i++)
            corners[i] = corners[2 * i] + p->share[axis] * (corners[2 * i + 1] - corners[2 * i]);
    }
    return corners[0];
}

static inline float
bg_cast_value_at(const BgCastScene *scene, const float at[3])
{
    BgCastPoint point = bg_cast_point(scene, at);

    return bg_cast_point_value(scene, &point);
}

/** bg_cast_gradient_at: central differences over two voxels, samples a voxel */
static inline void
bg_cast_gradient_at(const BgCastScene *scene, const float at[3], float gradient[3])
{
    for (int axis = 0; axis < 3; axis++) {
        float before[3] = { at[0], at[1], at[2] }, after[3] = { at[0], at[1], at[2] };
        before[axis] -= 1.0f;
        after[axis] += 1.0f;
        gradient[axis] = 0.5f * (bg_cast_value_at(scene, after) - bg_cast_value_at(scene, before));
    }
}

/** bg_cast_squared_mm: the squared length per mm of a gradient in voxels */
static inline float
bg_cast_squared_mm(const BgCastScene *scene, const float g[3])
{
    const float *m = scene->metric;

    return m[0] * g[0] * g[0] + m[1] * g[1] * g[1] + m[2] * g[2] * g[2] + m[3] * g[0] * g[1] +
           m[4] * g[0] * g[2] + m[5] * g[1] * g[2];
}

/**
 * bg_cast_opacity_at:
 * @rgb: (out) (nullable): sRGB
 *
 * Returns: the opacity of one whole step there, of composite
 */
static inline float
bg_cast_opacity_at(const BgCastScene *scene, const float at[3], float rgb[3])
{
    float value = bg_cast_value_at(scene, at), rgba[4], gradient[3];

    if (!(value == value))
        return 0.0f;
    bg_cast_scene_classify(scene, value, rgba);
    if (rgb != NULL) {
        for (int c = 0; c < 3; c++)
            rgb[c] = rgba[c];
    }
    if (scene->gradient_lut == NULL || !(rgba[3] > 0.0f))
        return rgba[3];
    bg_cast_gradient_at(scene, at, gradient);
    float e = sqrtf(bg_cast_squared_mm(scene, gradient)) * scene->gradient_scale + 0.5f;
    int entry = e > 0.0f ? (int) MIN(e, (float) scene->gradient_last) : 0;
    return 1.0f - powf(1.0f - rgba[3] * scene->gradient_lut[entry], scene->exponent);
}

/** bg_cast_brick_at: bricks to the nearest that counts; 0: this one does */
static inline int
bg_cast_brick_at(const BgCastScene *scene, const float at[3])
{
    gsize index = 0;

    for (int axis = 2; axis >= 0; axis--) {
        float x = at[axis] > 0.0f ? MIN(at[axis], (float) (scene->dims[axis] - 1)) : 0.0f;
        int i = MIN((int) x, MAX(scene->dims[axis] - 2, 0)) >> BG_CAST_BRICK_SHIFT;
        index = index * (gsize) scene->n_bricks[axis] + (gsize) i;
    }
    return scene->distance[index];
}

/** bg_cast_is_cut: whether the clip box or a plane has taken that place away */
static inline gboolean
bg_cast_is_cut(const BgCastScene *scene, BgVec3 mm)
{
    const BgVec3 *low = &scene->clip_low, *high = &scene->clip_high;

    if (scene->clip_box && (mm.x < low->x || mm.y < low->y || mm.z < low->z || mm.x > high->x ||
                            mm.y > high->y || mm.z > high->z))
        return TRUE;
    for (int p = 0; p < scene->n_planes; p++) {
        if (bg_vec3_dot(bg_vec3_sub(mm, scene->planes[p].point_mm), scene->planes[p].normal) < 0.0)
            return TRUE;
    }
    return FALSE;
}

G_END_DECLS
