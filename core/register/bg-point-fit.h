// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/bg-landmarks.h"
#include "core/model/bg-transform.h"

G_BEGIN_DECLS

/**
 * BgPointPair:
 * @name: NUL-terminated
 * @fixed, @moving: the same place in both frames of reference
 * @weight: above 0; the fit minimises the sum of weight * distance^2, so 1 / (localisation error)^2
 *   is the right one where the points differ, and 1 where they do not
 * @use: fitted, only measured (check), or neither
 */
typedef struct {
    char name[64];
    BgVec3 fixed, moving;
    double weight;
    BgLandmarkUse use;
} BgPointPair;

/**
 * bg_point_pairs_new:
 * @unpaired: (out) (optional) (transfer full): GPtrArray of char *: names of only one list, or
 *   without a place in one
 *
 * Pairs points by name, in the order of @fixed. A point that either list skips is skipped, one
 * that either checks is checked.
 *
 * Returns: (transfer full): GArray of BgPointPair; or %NULL with %BG_ERROR_MISMATCH when one list
 *   is of a picture and one of a patient
 */
GArray *bg_point_pairs_new(const BgLandmarks *fixed, const BgLandmarks *moving,
                           GPtrArray **unpaired, GError **error);

/**
 * BgMirror:
 * @BG_MIRROR_NO: the sets have one handedness
 * @BG_MIRROR_YES: one set is the mirror image of the other
 * @BG_MIRROR_UNKNOWN: it cannot be told from these points: they lie in one plane (in pictures on
 *   one line), or fit too badly for their thickness
 */
typedef enum {
    BG_MIRROR_NO,
    BG_MIRROR_YES,
    BG_MIRROR_UNKNOWN,
} BgMirror;

/** bg_mirror_name: "no", "yes", "unknown" */
const char *bg_mirror_name(BgMirror mirror);

/**
 * BgPointFitParams:
 * @n_axes: 3: patient; 2: pictures
 * @allow_mirror: fit a mirrored set by a reflection instead of refusing it: for the photograph of a
 *   mirror, or a thermal camera that mirrors
 * @smoothing: of a spline, at least 0: 0 goes through the points; larger bends less. It is
 *   added to the kernel's diagonal over the weight, in units of the kernel at the points' rms radius
 */
typedef struct {
    BgTransformModel model;
    int n_axes;
    gboolean allow_mirror;
    double smoothing;
} BgPointFitParams;

/** bg_point_fit_params: Returns: 3 axes, no mirror, no smoothing */
BgPointFitParams bg_point_fit_params(BgTransformModel model);

/** bg_point_fit_needed: how many points @model needs at least; one more than its freedom for tps */
guint bg_point_fit_needed(BgTransformModel model, int n_axes);

/**
 * BgPointFit:
 * @transform: owned
 * @scale: of similarities; of affine ones and splines the cube (square) root of |det|
 * @n_pairs: as many as were given
 * @errors: owned, per pair: the distance of the mapped moving point to the fixed one
 * @left_out: owned, per pair: the same when the fit is made without that point; NaN where it is not
 *   in the fit, or the rest would be too few. Of a spline through its points, the only
 *   meaningful one
 * @fre: rms error of the fitted points: a hint at outliers, never called accuracy
 * @rms_check: rms error of the check points; NaN without any
 * @condition: ratio of the layout's largest to its smallest extent that the model needs; the
 *   larger of the two frames. 1 is best; above 20 the fit hangs on little
 * @warnings: owned: char *, translated
 */
typedef struct {
    BgTransform *transform;
    BgMirror mirror;
    double scale;
    gsize n_pairs;
    double *errors;
    double *left_out;
    guint n_fit, n_check;
    double fre;
    double rms_check;
    double condition;
    GPtrArray *warnings;
} BgPointFit;

/**
 * bg_point_fit:
 * @pairs: of any use; only those of BG_LANDMARK_FIT are fitted
 *
 * Rigid by Horn's unit quaternion (J. Opt. Soc. Am. A 4(4), 1987), in two dimensions in closed
 * form; similarity with Umeyama's scale (IEEE PAMI 13(4), 1991); affine by least squares; spline
 * as BgTransform.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID: fewer points than the model needs, a
 *   weight not above 0; points that coincide, lie on one line or in one plane where the model needs
 *   more; %BG_ERROR_MISMATCH: a mirrored set, unless it is allowed
 */
BgPointFit *bg_point_fit(const BgPointPair *pairs, gsize n_pairs, const BgPointFitParams *params,
                         GError **error);

void bg_point_fit_free(BgPointFit *fit);

/**
 * bg_point_fit_rigid:
 * @model: rigid or similarity
 * @weights: (nullable): all 1
 * @fixed_from_moving: (out)
 *
 * The bare fit in three dimensions, for inner loops: nothing is checked, a layout without a
 * unique answer gets some rotation.
 */
void bg_point_fit_rigid(BgTransformModel model, const BgVec3 *fixed, const BgVec3 *moving,
                        const double *weights, gsize n, BgAffine *fixed_from_moving);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgPointFit, bg_point_fit_free)

G_END_DECLS
