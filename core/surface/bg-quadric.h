// SPDX-License-Identifier: Apache-2.0
// For the files of this folder. Quadrics of Garland and Heckbert (Surface simplification using quadric error
// metrics, SIGGRAPH 1997), weighted by area.
#pragma once

#include "core/base/bg-affine.h"

G_BEGIN_DECLS

/**
 * BgQuadric:
 *
 * The sum over planes of area * (squared distance): x' A x + 2 b x + c, in mm^4. The trace of A is the area.
 */
typedef struct {
    double xx, xy, xz, yy, yz, zz;
    double bx, by, bz;
    double c;
} BgQuadric;

/** bg_quadric_add_plane: through @p, of unit normal @n */
static inline void
bg_quadric_add_plane(BgQuadric *q, BgVec3 n, BgVec3 p, double area)
{
    double d = -bg_vec3_dot(n, p);

    q->xx += area * n.x * n.x;
    q->xy += area * n.x * n.y;
    q->xz += area * n.x * n.z;
    q->yy += area * n.y * n.y;
    q->yz += area * n.y * n.z;
    q->zz += area * n.z * n.z;
    q->bx += area * n.x * d;
    q->by += area * n.y * d;
    q->bz += area * n.z * d;
    q->c += area * d * d;
}

static inline BgQuadric
bg_quadric_sum(const BgQuadric *p, const BgQuadric *q)
{
    return (BgQuadric){ p->xx + q->xx, p->xy + q->xy, p->xz + q->xz, p->yy + q->yy, p->yz + q->yz,
                        p->zz + q->zz, p->bx + q->bx, p->by + q->by, p->bz + q->bz, p->c + q->c };
}

/** bg_quadric_gradient: half of it */
static inline BgVec3
bg_quadric_gradient(const BgQuadric *q, BgVec3 p)
{
    return bg_vec3(q->xx * p.x + q->xy * p.y + q->xz * p.z + q->bx,
                   q->xy * p.x + q->yy * p.y + q->yz * p.z + q->by,
                   q->xz * p.x + q->yz * p.y + q->zz * p.z + q->bz);
}

/** bg_quadric_at: never below 0, which rounding could make */
static inline double
bg_quadric_at(const BgQuadric *q, BgVec3 p)
{
    BgVec3 g = bg_quadric_gradient(q, p);
    double value = bg_vec3_dot(g, p) + q->bx * p.x + q->by * p.y + q->bz * p.z + q->c;

    return MAX(value, 0.0);
}

static inline double
bg_quadric_area(const BgQuadric *q)
{
    return q->xx + q->yy + q->zz;
}

/**
 * bg_quadric_best:
 *
 * Returns: the place of the least value, held near @about by a spring of 1e-4 of the area: on a plane or a
 *   straight edge, where that place is not one point, it is the nearest to @about
 */
static inline BgVec3
bg_quadric_best(const BgQuadric *q, BgVec3 about)
{
    BgVec3 g = bg_quadric_gradient(q, about);
    double spring = 1e-4 * bg_quadric_area(q);
    double xx = q->xx + spring, yy = q->yy + spring, zz = q->zz + spring;
    double ax = yy * zz - q->yz * q->yz, ay = q->xz * q->yz - q->xy * zz,
           az = q->xy * q->yz - yy * q->xz;
    double det = xx * ax + q->xy * ay + q->xz * az;

    if (!(det > 0.0))
        return about;
    double by = xx * zz - q->xz * q->xz, bz = q->xy * q->xz - xx * q->yz;
    double cz = xx * yy - q->xy * q->xy;
    return bg_vec3(about.x - (ax * g.x + ay * g.y + az * g.z) / det,
                   about.y - (ay * g.x + by * g.y + bz * g.z) / det,
                   about.z - (az * g.x + bz * g.y + cz * g.z) / det);
}

G_END_DECLS
