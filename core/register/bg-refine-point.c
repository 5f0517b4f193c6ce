// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/register/bg-climb-private.h"
#include "core/register/bg-volume-register.h"
#include "core/volume/bg-crop.h"

#define N_SAMPLES 20000
#define MARGIN_VOXELS 2
#define MIN_COVERED 0.9 // of the ball's samples that must lie in the moving volume

// The voxels about a ball; outside of the grid nothing is made up.
static BgVolume *
cut_ball(BgVolume *volume, BgVec3 centre, double radius_mm, GError **error)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    BgAffine voxel = bg_geometry_voxel_from_patient(geometry);
    BgVec3 c = bg_affine_apply(&voxel, centre);
    BgVoxelBox box;

    for (int axis = 0; axis < 3; axis++) {
        // How far the ball reaches along a voxel axis: the length of that row of the inverse.
        double reach =
            radius_mm * hypot(hypot(voxel.m[axis][0], voxel.m[axis][1]), voxel.m[axis][2]) +
            MARGIN_VOXELS;
        double at = bg_vec3_get(c, axis), last = geometry->dims[axis] - 1;
        box.first[axis] = (int) CLAMP(floor(at - reach), 0.0, last);
        box.last[axis] = (int) CLAMP(ceil(at + reach), 0.0, last);
        if (!(at >= 0.0 && at <= last) || box.last[axis] - box.first[axis] < 3) {
            g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                                _("The point cannot be refined: it lies outside of a volume, or at "
                                  "its edge. Place it by hand"));
            return NULL;
        }
    }
    return bg_volume_crop(volume, &box, error);
}

static gboolean
climb_levels(const BgPyramid *fixed, const BgPyramid *moving, const BgMiRegion *region,
             guint64 seed, BgAffine *map, BgPointRefinement *out, GCancellable *cancellable,
             GError **error)
{
    int n = MIN(fixed->n_levels, moving->n_levels);
    BgAffine start = *map;

    for (int level = n - 1; level >= 0; level--) {
        g_autoptr(BgMiSamples) samples =
            bg_mi_samples_new(fixed, level, region, N_SAMPLES, seed + (guint64) level);
        BgMiResult result = { .value = -1.0 };
        if (samples != NULL) {
            g_autoptr(BgMi) mi = bg_mi_new(BG_MI_MATTES, samples, moving, level);
            double spacing = bg_pyramid_level_spacing_mm(&fixed->levels[level]);
            BgClimb climb = { .n_params = 3,
                              .max_step_mm = spacing,
                              .tolerance_mm = 0.005 * spacing,
                              .max_steps = 40 };
            bg_mi_evaluate(mi, &start, FALSE, &result);
            out->metric_before = result.value;
            bg_climb(mi, samples, &climb, map, &result, cancellable);
        }
        if (g_cancellable_set_error_if_cancelled(cancellable, error))
            return FALSE;
        if (result.value < 0.0 || result.overlap < MIN_COVERED) {
            g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                                _("The point cannot be refined: too little around it lies in both "
                                  "volumes. Place it by hand"));
            return FALSE;
        }
        out->metric_after = result.value;
    }
    return TRUE;
}

gboolean
bg_volume_refine_point(BgVolume *fixed, BgVolume *moving, BgVec3 fixed_mm,
                       const BgAffine *moving_from_fixed, double radius_mm, guint64 seed,
                       BgPointRefinement *refinement, GCancellable *cancellable, GError **error)
{
    BgVec3 believed = bg_affine_apply(moving_from_fixed, fixed_mm);
    double stretch = cbrt(fabs(bg_affine_determinant(moving_from_fixed)));
    BgMiRegion region = { .is_ball = TRUE, .centre = fixed_mm, .radius_mm = radius_mm };
    BgAffine map = *moving_from_fixed;
    BgPointRefinement out;

    g_return_val_if_fail(radius_mm > 0.0, FALSE);
    g_autoptr(BgVolume) a = cut_ball(fixed, fixed_mm, radius_mm, error);
    g_autoptr(BgVolume) b =
        a != NULL ? cut_ball(moving, believed, 1.6 * stretch * radius_mm, error) : NULL;
    if (b == NULL)
        return FALSE;
    g_autoptr(BgPyramid) p = bg_pyramid_new(a, 0.0, radius_mm / 4.0, cancellable, error);
    g_autoptr(BgPyramid) q =
        p != NULL ? bg_pyramid_new(b, 0.0, radius_mm / 4.0, cancellable, error) : NULL;
    if (q == NULL)
        return FALSE;
    if (!(p->high > p->low) || !(q->high > q->low)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The point cannot be refined: all around it has one value. Place it "
                              "by hand, or look further around it"));
        return FALSE;
    }
    if (!climb_levels(p, q, &region, seed, &map, &out, cancellable, error))
        return FALSE;
    out.moving_mm = bg_affine_apply(&map, fixed_mm);
    out.moved_mm = bg_vec3_distance(out.moving_mm, believed);
    if (out.moved_mm > 0.5 * radius_mm * stretch) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    // Translators: a length in millimetres
                    _("The point cannot be refined: the best agreement lies %.1f mm away, too far "
                      "to be the same place. Place it by hand, or look further around it"),
                    out.moved_mm);
        return FALSE;
    }
    *refinement = out;
    return TRUE;
}
