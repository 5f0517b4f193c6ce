// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-affine.h"
#include "core/base/bg-json.h"

#include <glib-object.h>

G_BEGIN_DECLS

#define BG_TRANSFORM_MAX_CENTRES 1000

/**
 * BgTransformModel:
 * @BG_TRANSFORM_RIGID: turns and shifts
 * @BG_TRANSFORM_SIMILARITY: and one scale
 * @BG_TRANSFORM_AFFINE: any 3x3 (in pictures 2x2) matrix and a shift
 * @BG_TRANSFORM_TPS: affine and thin-plate spline about centres
 */
typedef enum {
    BG_TRANSFORM_RIGID,
    BG_TRANSFORM_SIMILARITY,
    BG_TRANSFORM_AFFINE,
    BG_TRANSFORM_TPS,
} BgTransformModel;

/**
 * BgTransform:
 *
 * Where a point of the moving frame of reference lies in the fixed one: fixed_from_moving.
 * With 3 axes both are LPS millimetres. With 2 axes both are picture pixels (x right, y down,
 * centres at integers): z stays what it is. Immutable, reference counted (atomically).
 *
 * A thin-plate spline is T(x) = A x + sum of w_i U(|x - c_i|) over its centres, with U(r) = r in
 * three dimensions and r^2 ln r in two (Bookstein, IEEE PAMI 11(6), 1989).
 */
typedef struct _BgTransform BgTransform;

#define BG_TYPE_TRANSFORM (bg_transform_get_type())
GType bg_transform_get_type(void);

/** bg_transform_model_name: "rigid", "similarity", "affine", "tps" */
const char *bg_transform_model_name(BgTransformModel model);
gboolean bg_transform_model_parse(const char *name, BgTransformModel *model);

/**
 * bg_transform_new:
 * @model: not a spline. It is believed: the matrix of a rigid one is not made rigid
 * @n_axes: 2 or 3
 * @fixed_from_moving: with 2 axes the third row and column must be those of the identity
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID: not finite, or |det| <= 1e-12
 */
BgTransform *bg_transform_new(BgTransformModel model, int n_axes, const BgAffine *fixed_from_moving,
                              GError **error);

/**
 * bg_transform_new_tps:
 * @centres: in the moving frame
 * @weights: in the fixed frame's unit; as many
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID as bg_transform_new(), and when there
 *   are more than BG_TRANSFORM_MAX_CENTRES
 */
BgTransform *bg_transform_new_tps(int n_axes, const BgAffine *fixed_from_moving,
                                  const BgVec3 *centres, const BgVec3 *weights, gsize n_centres,
                                  GError **error);

BgTransform *bg_transform_ref(BgTransform *transform);
void bg_transform_unref(BgTransform *transform);

BgTransformModel bg_transform_get_model(const BgTransform *transform);
int bg_transform_count_axes(const BgTransform *transform);

/** bg_transform_get_affine: (transfer none): fixed_from_moving; of a spline its affine part */
const BgAffine *bg_transform_get_affine(const BgTransform *transform);
gsize bg_transform_count_centres(const BgTransform *transform);
const BgVec3 *bg_transform_get_centres(const BgTransform *transform);
const BgVec3 *bg_transform_get_weights(const BgTransform *transform);

/** bg_transform_apply: Returns: in the fixed frame */
BgVec3 bg_transform_apply(const BgTransform *transform, BgVec3 moving);

/** bg_transform_derivative: (out): the 3x3 part is d fixed / d moving at @moving, the shift is 0 */
BgAffine bg_transform_derivative(const BgTransform *transform, BgVec3 moving);

/**
 * bg_transform_apply_inverse:
 * @moving: (out): a spline's by Newton's method from its affine part
 *
 * Returns: %FALSE when it does not converge to 1e-9 of the fixed frame's unit: a spline that folds
 */
gboolean bg_transform_apply_inverse(const BgTransform *transform, BgVec3 fixed, BgVec3 *moving);

/** bg_transform_kernel: U(r) of a spline */
double bg_transform_kernel(int n_axes, double r);

/**
 * bg_transform_to_json:
 *
 * Returns: (transfer full): "schema", "kind": "transform", "model", "direction":
 *   "fixed_from_moving", "space": "LPS mm" or "pixels", "matrix" (16 numbers; 9 with 2 axes),
 *   row-major, and of a spline "centres" and "weights", x, y, z (x, y) one after the other
 */
BgJson *bg_transform_to_json(const BgTransform *transform);

/**
 * bg_transform_from_json:
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_CORRUPT, naming the member
 */
BgTransform *bg_transform_from_json(const BgJson *json, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgTransform, bg_transform_unref)

G_END_DECLS
