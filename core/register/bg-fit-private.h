// SPDX-License-Identifier: Apache-2.0
// The fits themselves, on bare arrays.
#pragma once

#include "core/register/bg-point-fit.h"

G_BEGIN_DECLS

/**
 * BgFitSet:
 * @fixed, @moving, @weights: borrowed; @n of each. With 2 axes z is 0
 * @fixed_centre, @moving_centre: weighted means
 * @fixed_extent, @moving_extent: rms extents along their principal axes, largest first
 */
typedef struct {
    int n_axes;
    gsize n;
    const BgVec3 *fixed;
    const BgVec3 *moving;
    const double *weights;
    BgVec3 fixed_centre, moving_centre;
    double fixed_extent[3], moving_extent[3];
} BgFitSet;

/** bg_fit_set_init: centres and extents */
void bg_fit_set_init(BgFitSet *set, int n_axes, const BgVec3 *fixed, const BgVec3 *moving,
                     const double *weights, gsize n);

/**
 * bg_fit_rotation:
 * @mirrored: of all improper rotations instead
 *
 * Rigid or similarity. Returns: the rms error of the fit
 */
double bg_fit_rotation(const BgFitSet *set, BgTransformModel model, gboolean mirrored,
                       BgAffine *fixed_from_moving);

/** bg_fit_affine: Returns: %FALSE when the moving points do not span the space */
gboolean bg_fit_affine(const BgFitSet *set, BgAffine *fixed_from_moving);

/**
 * bg_fit_tps:
 * @left_out: (out) (nullable): n errors when that point is left out
 *
 * Returns: (transfer full): or %NULL without an error where the system has no one solution
 */
BgTransform *bg_fit_tps(const BgFitSet *set, double smoothing, double *left_out);

/**
 * bg_fit_tps_inverse:
 * @radius: (out): the rms radius about the moving centre: coordinates are in units of it
 *
 * Returns: (transfer full) (nullable): the inverse of the spline's system, of side
 *   n + axes + 1: its first n columns are what each fixed point counts in each coefficient
 */
double *bg_fit_tps_inverse(const BgFitSet *set, double smoothing, double *radius);

/** bg_fit_rms: weighted rms distance of the mapped moving points to the fixed */
double bg_fit_rms(const BgFitSet *set, const BgAffine *fixed_from_moving);

G_END_DECLS
