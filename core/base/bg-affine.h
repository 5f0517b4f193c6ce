// SPDX-License-Identifier: Apache-2.0
// Double-precision points and affine maps. Patient space is LPS millimetres everywhere.
#pragma once

#include <glib.h>
#include <math.h>

G_BEGIN_DECLS

/**
 * BgVec3:
 *
 * A point or a direction, in whatever space the variable's name says. A plain value.
 */
typedef struct {
    double x, y, z;
} BgVec3;

/**
 * BgAffine:
 * @m: row-major 3x4; the last row (0 0 0 1) is not stored
 *
 * Maps column vectors: p' = M p. Named target_from_source, so that neighbours in a product match.
 * A plain value.
 */
typedef struct {
    double m[3][4];
} BgAffine;

static inline BgVec3
bg_vec3(double x, double y, double z)
{
    return (BgVec3){ x, y, z };
}

static inline BgVec3
bg_vec3_add(BgVec3 a, BgVec3 b)
{
    return bg_vec3(a.x + b.x, a.y + b.y, a.z + b.z);
}

static inline BgVec3
bg_vec3_sub(BgVec3 a, BgVec3 b)
{
    return bg_vec3(a.x - b.x, a.y - b.y, a.z - b.z);
}

static inline BgVec3
bg_vec3_scale(BgVec3 a, double s)
{
    return bg_vec3(a.x * s, a.y * s, a.z * s);
}

/** bg_vec3_along: Returns: a + s * b */
static inline BgVec3
bg_vec3_along(BgVec3 a, double s, BgVec3 b)
{
    return bg_vec3(a.x + s * b.x, a.y + s * b.y, a.z + s * b.z);
}

static inline double
bg_vec3_dot(BgVec3 a, BgVec3 b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline BgVec3
bg_vec3_cross(BgVec3 a, BgVec3 b)
{
    return bg_vec3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}

static inline double
bg_vec3_length(BgVec3 a)
{
    return sqrt(bg_vec3_dot(a, a));
}

static inline double
bg_vec3_distance(BgVec3 a, BgVec3 b)
{
    return bg_vec3_length(bg_vec3_sub(a, b));
}

/** bg_vec3_normalize: Returns: @a over its length; zeros stay zeros */
static inline BgVec3
bg_vec3_normalize(BgVec3 a)
{
    double length = bg_vec3_length(a);

    return length > 0.0 ? bg_vec3_scale(a, 1.0 / length) : a;
}

static inline gboolean
bg_vec3_is_finite(BgVec3 a)
{
    return isfinite(a.x) && isfinite(a.y) && isfinite(a.z);
}

/** bg_vec3_get: @axis: 0, 1 or 2 */
static inline double
bg_vec3_get(BgVec3 a, int axis)
{
    return axis == 0 ? a.x : axis == 1 ? a.y : a.z;
}

static inline void
bg_vec3_set(BgVec3 *a, int axis, double value)
{
    *(axis == 0 ? &a->x : axis == 1 ? &a->y : &a->z) = value;
}

/** bg_affine_apply: of a point: the translation counts */
static inline BgVec3
bg_affine_apply(const BgAffine *a, BgVec3 p)
{
    return bg_vec3(a->m[0][0] * p.x + a->m[0][1] * p.y + a->m[0][2] * p.z + a->m[0][3],
                   a->m[1][0] * p.x + a->m[1][1] * p.y + a->m[1][2] * p.z + a->m[1][3],
                   a->m[2][0] * p.x + a->m[2][1] * p.y + a->m[2][2] * p.z + a->m[2][3]);
}

/** bg_affine_apply_vector: of a direction: the translation does not count */
static inline BgVec3
bg_affine_apply_vector(const BgAffine *a, BgVec3 v)
{
    return bg_vec3(a->m[0][0] * v.x + a->m[0][1] * v.y + a->m[0][2] * v.z,
                   a->m[1][0] * v.x + a->m[1][1] * v.y + a->m[1][2] * v.z,
                   a->m[2][0] * v.x + a->m[2][1] * v.y + a->m[2][2] * v.z);
}

/** bg_affine_column: @axis: 0..2 the image of that unit vector, 3 the translation */
static inline BgVec3
bg_affine_column(const BgAffine *a, int axis)
{
    return bg_vec3(a->m[0][axis], a->m[1][axis], a->m[2][axis]);
}

BgAffine bg_affine_identity(void);

/** bg_affine_from_columns: the images of the three unit vectors, and the translation */
BgAffine bg_affine_from_columns(BgVec3 i, BgVec3 j, BgVec3 k, BgVec3 origin);

/** bg_affine_multiply: Returns: a * b: @b is applied first */
BgAffine bg_affine_multiply(const BgAffine *a, const BgAffine *b);

/** bg_affine_determinant: of the 3x3 part */
double bg_affine_determinant(const BgAffine *a);

/**
 * bg_affine_invert:
 * @inverse: (out): untouched on failure
 *
 * Returns: %FALSE when |det| <= 1e-12, or it is not a number
 */
gboolean bg_affine_invert(const BgAffine *a, BgAffine *inverse);

gboolean bg_affine_is_finite(const BgAffine *a);

/** bg_affine_max_difference: Returns: the largest absolute difference of two elements */
double bg_affine_max_difference(const BgAffine *a, const BgAffine *b);

/**
 * bg_affine_lps_ras_flip:
 *
 * diag(-1, -1, 1): what turns RAS into LPS and back. The one place where that is written.
 */
BgAffine bg_affine_lps_ras_flip(void);

G_END_DECLS
