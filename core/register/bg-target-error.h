// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/register/bg-point-fit.h"

G_BEGIN_DECLS

/**
 * BgLocalisationError:
 * @fixed, @moving: covariances of placing a point: xx, xy, xz, yy, yz, zz, in mm^2 (px^2)
 *
 * Stated by whoever knows how the points were placed. It is never taken from the fit.
 */
typedef struct {
    double fixed[6];
    double moving[6];
} BgLocalisationError;

/**
 * bg_localisation_error:
 * @fixed_rms, @moving_rms: rms distance of a placed point from the true place
 *
 * The same in all directions: a third (half, with 2 axes) of the square along each.
 */
BgLocalisationError bg_localisation_error(int n_axes, double fixed_rms, double moving_rms);

/**
 * BgTargetErrors:
 *
 * What errors of placing do to a registration, anywhere: the first-order theory of Danilchenko and
 * Fitzpatrick (IEEE Trans. Med. Imaging 30(3), 2011), of which Fitzpatrick and West's formula (ibid. 17(5),
 * 1998) is the case of equal errors in all directions, here for all models, weights and errors that
 * differ from point to point. Immutable; any thread.
 */
typedef struct _BgTargetErrors BgTargetErrors;

/**
 * bg_target_errors_new:
 * @pairs, @n_pairs, @params, @fit: what was fitted, and how
 * @errors: one for all, or one a pair
 * @n_errors: 1 or @n_pairs
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID when a covariance is negative or not finite
 */
BgTargetErrors *bg_target_errors_new(const BgPointPair *pairs, gsize n_pairs,
                                     const BgPointFitParams *params, const BgPointFit *fit,
                                     const BgLocalisationError *errors, gsize n_errors,
                                     GError **error);
void bg_target_errors_free(BgTargetErrors *errors);

/**
 * BgTargetError:
 * @covariance: in the fixed frame, mm^2 (px^2)
 * @rms: root of the expected square of the error: what papers call the expected TRE
 * @mean: the expected error: a little less
 * @axes: of the ellipsoid, longest first, unit vectors in the fixed frame
 * @sigma: standard deviations along them
 */
typedef struct {
    double covariance[3][3];
    double rms, mean;
    BgVec3 axes[3];
    double sigma[3];
} BgTargetError;

/** bg_target_errors_at: @moving: a point of the moving frame */
void bg_target_errors_at(const BgTargetErrors *errors, BgVec3 moving, BgTargetError *at);

/** bg_target_errors_rms_at: its @rms alone: for maps of many points */
double bg_target_errors_rms_at(const BgTargetErrors *errors, BgVec3 moving);

/** bg_target_errors_rms_at_fixed: the same at a point of the fixed frame; negative where no moving one maps to it */
double bg_target_errors_rms_at_fixed(const BgTargetErrors *errors, BgVec3 fixed);

/** bg_target_errors_at_fixed: %FALSE where no moving point maps to @fixed */
gboolean bg_target_errors_at_fixed(const BgTargetErrors *errors, BgVec3 fixed, BgTargetError *at);

/**
 * BgErrorEllipse:
 * @major_mm, @minor_mm: half axes that hold 95 % of the error's part in the plane
 * @angle_rad: of the major axis from @u towards @v
 */
typedef struct {
    double major_mm, minor_mm, angle_rad;
} BgErrorEllipse;

/** bg_target_error_ellipse: @u, @v: unit vectors at a right angle: the plane of a picture */
BgErrorEllipse bg_target_error_ellipse(const BgTargetError *at, BgVec3 u, BgVec3 v);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgTargetErrors, bg_target_errors_free)

G_END_DECLS
