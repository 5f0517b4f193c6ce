// SPDX-License-Identifier: Apache-2.0
// Two photographs of one place, registered by what they show: thermal with optical.
#pragma once

#include "core/base/bg-progress.h"
#include "core/image/bg-image.h"
#include "core/model/bg-transform.h"
#include "core/register/bg-point-fit.h"

G_BEGIN_DECLS

#define BG_PICTURE_MIN_SIDE 32

/**
 * BgPictureRegisterParams:
 * @model: rigid, similarity or affine
 * @has_start, @fixed_from_moving: from landmarks or by hand, pixels: there is no search around it,
 *   and it alone says whether a mirror is meant
 * @allow_mirror: take a mirrored photograph's reflection instead of refusing it
 *
 * A plain value.
 */
typedef struct {
    BgTransformModel model;
    gboolean has_start;
    BgAffine fixed_from_moving;
    gboolean allow_mirror;
} BgPictureRegisterParams;

/** bg_picture_register_params: Returns: searched for, no mirror */
BgPictureRegisterParams bg_picture_register_params(BgTransformModel model);

/**
 * BgPictureRegistration:
 * @transform: owned: fixed_from_moving, 2 axes, pixels
 * @metric_before: of the start that was given, else of the pictures laid on each other with their
 *   middles and diagonals the same
 * @metric_after: mutual information (nats) times the share of the fixed picture that is covered, at
 *   the same samples
 * @mirror: whether the moving one shows left and right swapped
 * @metric_mirror, @metric_proper: of the best of both kinds, at the same samples; NaN with a start
 * @overlap: share of the fixed samples that the moving picture covers
 * @n_evaluations: of the metric
 * @warnings: owned: char *, translated
 */
typedef struct {
    BgTransform *transform;
    double metric_before, metric_after;
    BgMirror mirror;
    double metric_mirror, metric_proper;
    double overlap;
    guint n_evaluations;
    GPtrArray *warnings;
} BgPictureRegistration;

/**
 * bg_picture_register:
 *
 * By the mutual information of their greys (Viola and Wells 1997), coarse to fine; transparent pixels
 * do not count. Unless a start is
 * given, all turns, sizes from 0.6 to 1.7 and shifts to 30 % of the picture are tried at the coarsest
 * size, both ways round; the best are followed uphill. Mirrored means a determinant below 0. The result
 * does not hang on threads. Any thread.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID: a side below BG_PICTURE_MIN_SIDE, a
 *   picture of one grey, a spline, a start that flattens the picture; %BG_ERROR_MISMATCH: the moving
 *   one is mirrored, unless that is allowed; %BG_ERROR_NO_MEMORY; %G_IO_ERROR_CANCELLED
 */
BgPictureRegistration *bg_picture_register(BgImage *fixed, BgImage *moving,
                                           const BgPictureRegisterParams *params,
                                           const BgProgress *progress, GCancellable *cancellable,
                                           GError **error);
void bg_picture_registration_free(BgPictureRegistration *registration);

/**
 * bg_picture_move:
 * @fixed_from_moving: 2 axes, any model
 * @width, @height: of the fixed picture
 *
 * @moving where the fixed picture shows it, linear between pixels; 0 (transparent with an alpha
 * channel) where it shows nothing.
 *
 * Returns: (transfer full): the format of @moving in the other size; or %NULL with %BG_ERROR_INVALID
 *   for a transform of 3 axes, %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgImage *bg_picture_move(BgImage *moving, const BgTransform *fixed_from_moving, int width,
                         int height, GCancellable *cancellable, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgPictureRegistration, bg_picture_registration_free)

G_END_DECLS
