// SPDX-License-Identifier: Apache-2.0
#include "bg-cast-private.h"

#include <math.h>

// Narrows @from..@to to where the ray is inside a box.
static void
cut_by_box(const double origin[3], const double inverse[3], const double low[3],
           const double high[3], double *from, double *to)
{
    for (int axis = 0; axis < 3; axis++) {
        double a = low[axis] - origin[axis], b = high[axis] - origin[axis];
        if (isinf(inverse[axis])) {
            if (a > 0.0 || b < 0.0)
                *to = -INFINITY;
            continue;
        }
        a *= inverse[axis];
        b *= inverse[axis];
        *from = MAX(*from, MIN(a, b));
        *to = MIN(*to, MAX(a, b));
    }
}

gboolean
bg_cast_ray_init(const BgCastScene *scene, BgVec3 origin_mm, BgVec3 direction, double start_mm,
                 BgCastRay *ray)
{
    const double half[3] = { -0.5, -0.5, -0.5 };
    const double ends[3] = { scene->dims[0] - 0.5, scene->dims[1] - 0.5, scene->dims[2] - 0.5 };
    const double low[3] = { scene->active_low.x, scene->active_low.y, scene->active_low.z };
    const double high[3] = { scene->active_high.x, scene->active_high.y, scene->active_high.z };
    BgVec3 o = bg_affine_apply(&scene->voxel_from_patient, origin_mm);
    BgVec3 d = bg_affine_apply_vector(&scene->voxel_from_patient, direction);

    *ray = (BgCastRay){ .direction_mm = direction,
                        .origin = { o.x, o.y, o.z },
                        .direction = { d.x, d.y, d.z },
                        .from = start_mm,
                        .to = INFINITY };
    for (int axis = 0; axis < 3; axis++)
        ray->inverse[axis] = 1.0 / ray->direction[axis];
    cut_by_box(ray->origin, ray->inverse, half, ends, &ray->from, &ray->to);
    if (ray->from >= ray->to)
        return FALSE;
    if (scene->clip_box || scene->n_planes > 0)
        bg_cast_scene_cut(scene, origin_mm, direction, &ray->from, &ray->to, NULL);
    ray->first = ray->from;
    ray->last = ray->to;
    cut_by_box(ray->origin, ray->inverse, low, high, &ray->first, &ray->last);
    return ray->first < ray->last;
}
