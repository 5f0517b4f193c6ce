// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-point-fit.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/register/bg-fit-private.h"

#include <string.h>

#define MIN_EXTENT 1e-6   // mm or pixels: below, the points are one point
#define MIN_RATIO 1e-3    // of a layout's extents: below, it has one dimension less
#define WARN_RATIO 0.05   // below, the fit hangs on little
#define MIRROR_GAIN 0.5   // a mirror image must fit twice as well to be called one
#define MIRROR_SIGMAS 3.0 // and the layout must be that many times thicker than the fit's error
#define EXACT 1e-9        // of the extent: smaller errors are rounding
#define LEFT_OUT_MAX 300  // points for which n fits are quick

const char *
bg_mirror_name(BgMirror mirror)
{
    static const char *const names[] = { "no", "yes", "unknown" };

    return names[mirror];
}

BgPointFitParams
bg_point_fit_params(BgTransformModel model)
{
    return (BgPointFitParams){ .model = model, .n_axes = 3 };
}

guint
bg_point_fit_needed(BgTransformModel model, int n_axes)
{
    switch (model) {
    case BG_TRANSFORM_RIGID:
    case BG_TRANSFORM_SIMILARITY:
        return n_axes == 3 ? 3 : 2;
    case BG_TRANSFORM_AFFINE:
        return n_axes == 3 ? 4 : 3;
    case BG_TRANSFORM_TPS:
        return n_axes == 3 ? 5 : 4;
    }
    return G_MAXUINT;
}

// Copies of the pairs of one use, as arrays.
typedef struct {
    gsize n;
    BgVec3 *fixed;
    BgVec3 *moving;
    double *weights;
    gsize *index; // among the pairs
} Points;

static void
points_init(Points *points, const BgPointPair *pairs, gsize n_pairs, int n_axes)
{
    points->n = 0;
    points->fixed = g_new(BgVec3, n_pairs + 1);
    points->moving = g_new(BgVec3, n_pairs + 1);
    points->weights = g_new(double, n_pairs + 1);
    points->index = g_new(gsize, n_pairs + 1);
    for (gsize i = 0; i < n_pairs; i++) {
        if (pairs[i].use != BG_LANDMARK_FIT)
            continue;
        gsize at = points->n++;
        points->fixed[at] = pairs[i].fixed;
        points->moving[at] = pairs[i].moving;
        if (n_axes == 2)
            points->fixed[at].z = points->moving[at].z = 0.0;
        points->weights[at] = pairs[i].weight;
        points->index[at] = i;
    }
}

static void
points_clear(Points *points)
{
    g_free(points->fixed);
    g_free(points->moving);
    g_free(points->weights);
    g_free(points->index);
}

static void
exchange(Points *points, gsize a, gsize b)
{
    BgVec3 fixed = points->fixed[a], moving = points->moving[a];
    double weight = points->weights[a];

    points->fixed[a] = points->fixed[b], points->fixed[b] = fixed;
    points->moving[a] = points->moving[b], points->moving[b] = moving;
    points->weights[a] = points->weights[b], points->weights[b] = weight;
}

static gboolean
check_pairs(const BgPointPair *pairs, gsize n_pairs, const BgPointFitParams *params, guint n_fit,
            GError **error)
{
    guint needed = bg_point_fit_needed(params->model, params->n_axes);

    for (gsize i = 0; i < n_pairs; i++) {
        if (!bg_vec3_is_finite(pairs[i].fixed) || !bg_vec3_is_finite(pairs[i].moving) ||
            !isfinite(pairs[i].weight) || !(pairs[i].weight > 0.0)) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        // Translators: %s is the name of a point
                        _("The points cannot be registered: “%s” has a coordinate that is no "
                          "number, or a weight that is not above 0. Place it again"),
                        pairs[i].name);
            return FALSE;
        }
    }
    if (n_fit < needed) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    // Translators: the first %s is rigid, similarity, affine or tps
                    _("The points cannot be registered: %s needs at least %u pairs and has %u. "
                      "Place more points with the same names in both"),
                    bg_transform_model_name(params->model), needed, n_fit);
        return FALSE;
    }
    if (params->model == BG_TRANSFORM_TPS && n_fit > BG_TRANSFORM_MAX_CENTRES) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The points cannot be registered: a thin-plate spline takes %d pairs at "
                      "most and has %u. Skip some"),
                    BG_TRANSFORM_MAX_CENTRES, n_fit);
        return FALSE;
    }
    return TRUE;
}

// How many dimensions the points must span for the answer to be one.
static int
needed_axes(BgTransformModel model, int n_axes)
{
    return model == BG_TRANSFORM_AFFINE || model == BG_TRANSFORM_TPS ? n_axes : n_axes - 1;
}

static const char *
layout_message(int missing_from)
{
    switch (missing_from) {
    case 0:
        return _("The points cannot be registered: they all lie in one place, "
                 "which says nothing about how to turn. Place them further apart");
    case 1:
        return _("The points cannot be registered: they lie on one line, so that "
                 "the turn about it is open. Place one off the line");
    default:
        return _("The points cannot be registered: they lie in one plane, so that "
                 "the stretch across it is open. Place one off the plane, or fit rigid");
    }
}

static gboolean
check_layout(const BgFitSet *set, BgTransformModel model, double *condition, GError **error)
{
    int needed = needed_axes(model, set->n_axes);

    *condition = 1.0;
    for (int frame = 0; frame < 2; frame++) {
        const double *extent = frame == 0 ? set->fixed_extent : set->moving_extent;
        for (int axis = 0; axis < needed; axis++) {
            if (extent[axis] > MIN_EXTENT && extent[axis] >= MIN_RATIO * extent[0])
                continue;
            g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID, layout_message(axis));
            return FALSE;
        }
        *condition = fmax(*condition, extent[0] / extent[needed - 1]);
    }
    return TRUE;
}

// Rotations with and without a reflection fit a flat layout equally well, whatever its side.
static BgMirror
judge_rotation(const BgFitSet *set, double proper, double improper)
{
    int last = set->n_axes - 1;
    double thickness = fmin(set->fixed_extent[last], set->moving_extent[last]);
    double best = fmin(proper, improper), floor = EXACT * set->fixed_extent[0];

    if (thickness < MIN_RATIO * fmax(set->fixed_extent[0], set->moving_extent[0]) ||
        thickness <= MIRROR_SIGMAS * best)
        return BG_MIRROR_UNKNOWN;
    if (improper + floor < MIRROR_GAIN * proper)
        return BG_MIRROR_YES;
    return proper <= improper ? BG_MIRROR_NO : BG_MIRROR_UNKNOWN;
}

static BgMirror
judge_affine(const BgFitSet *set, const BgAffine *affine)
{
    double rms = bg_fit_rms(set, affine);
    int last = set->n_axes - 1;

    if (set->fixed_extent[last] <= MIRROR_SIGMAS * rms)
        return BG_MIRROR_UNKNOWN;
    return bg_affine_determinant(affine) < 0.0 ? BG_MIRROR_YES : BG_MIRROR_NO;
}

static gboolean
refuse_mirror(GError **error)
{
    g_set_error_literal(
        error, BG_ERROR, BG_ERROR_MISMATCH,
        _("The points cannot be registered: the moving ones are the mirror image of the fixed "
          "ones. Check left and right; allow the mirror only where the picture is mirrored"));
    return FALSE;
}

// The transform of @set without the errors; @left_out: (nullable): of a spline only
static BgTransform *
fit_set(const BgFitSet *set, const BgPointFitParams *params, BgMirror *mirror, double *left_out,
        GError **error)
{
    BgAffine affine, mirrored;

    if (params->model == BG_TRANSFORM_RIGID || params->model == BG_TRANSFORM_SIMILARITY) {
        double proper = bg_fit_rotation(set, params->model, FALSE, &affine);
        double improper = bg_fit_rotation(set, params->model, TRUE, &mirrored);
        *mirror = judge_rotation(set, proper, improper);
        if (*mirror == BG_MIRROR_YES)
            affine = mirrored;
    } else {
        if (!bg_fit_affine(set, &affine)) {
            g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID, layout_message(2));
            return NULL;
        }
        *mirror = judge_affine(set, &affine);
    }
    if (*mirror == BG_MIRROR_YES && !params->allow_mirror) {
        refuse_mirror(error);
        return NULL;
    }
    if (params->model != BG_TRANSFORM_TPS)
        return bg_transform_new(params->model, set->n_axes, &affine, error);

    BgTransform *tps = bg_fit_tps(set, params->smoothing, left_out);
    if (tps == NULL)
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The points cannot be registered: two of them are so close that no "
                              "spline goes through both. Skip one of them"));
    return tps;
}

// n fits with one point less each. A mirror stays what it was found to be.
static void
leave_out_each(BgPointFit *fit, Points *points, const BgPointFitParams *params)
{
    BgPointFitParams inner = *params;
    gsize n = points->n;

    inner.allow_mirror = TRUE;
    if (n - 1 < bg_point_fit_needed(params->model, params->n_axes) || n > LEFT_OUT_MAX)
        return;
    for (gsize i = 0; i < n; i++) {
        BgFitSet set;
        BgMirror mirror;
        double condition;
        exchange(points, i, n - 1);
        bg_fit_set_init(&set, params->n_axes, points->fixed, points->moving, points->weights,
                        n - 1);
        if (check_layout(&set, params->model, &condition, NULL)) {
            g_autoptr(BgTransform) t = fit_set(&set, &inner, &mirror, NULL, NULL);
            if (t != NULL)
                fit->left_out[points->index[i]] = bg_vec3_distance(
                    bg_transform_apply(t, points->moving[n - 1]), points->fixed[n - 1]);
        }
        exchange(points, i, n - 1);
    }
}

static void
measure_errors(BgPointFit *fit, const BgPointPair *pairs, int n_axes)
{
    double squares[3] = { 0 };
    guint n[3] = { 0 };

    for (gsize i = 0; i < fit->n_pairs; i++) {
        BgVec3 d = bg_vec3_sub(bg_transform_apply(fit->transform, pairs[i].moving), pairs[i].fixed);
        if (n_axes == 2)
            d.z = 0.0;
        fit->errors[i] = bg_vec3_length(d);
        squares[pairs[i].use] += bg_vec3_dot(d, d);
        n[pairs[i].use]++;
    }
    fit->n_fit = n[BG_LANDMARK_FIT];
    fit->n_check = n[BG_LANDMARK_CHECK];
    fit->fre = sqrt(squares[BG_LANDMARK_FIT] / fit->n_fit);
    fit->rms_check =
        fit->n_check > 0 ? sqrt(squares[BG_LANDMARK_CHECK] / fit->n_check) : (double) NAN;
}

static void
warn(BgPointFit *fit, const char *text)
{
    g_ptr_array_add(fit->warnings, g_strdup(text));
}

static void
add_warnings(BgPointFit *fit, const BgPointFitParams *params, const BgPointPair *pairs)
{
    double side = bg_affine_determinant(bg_transform_get_affine(fit->transform));

    if (fit->mirror == BG_MIRROR_YES)
        warn(fit, _("The moving points are the mirror image of the fixed ones: fitted by a "
                    "reflection, as was allowed."));
    else if (fit->mirror == BG_MIRROR_UNKNOWN)
        warn(fit, _("Whether one set is a mirror image of the other cannot be told from these "
                    "points. Check left and right, or add points out of their plane."));
    if (fit->condition > 1.0 / WARN_RATIO)
        warn(fit, _("The points lie almost on one line or in one plane: small errors of placing "
                    "turn into large ones elsewhere."));
    if (fit->n_fit == bg_point_fit_needed(params->model, params->n_axes))
        warn(fit, _("There are no more points than the model needs: a wrongly placed one does not "
                    "show in the residuals."));
    for (gsize i = 0; params->model == BG_TRANSFORM_TPS && i < fit->n_pairs; i++) {
        BgAffine slope = bg_transform_derivative(fit->transform, pairs[i].moving);
        if (bg_affine_determinant(&slope) * side <= 0.0) {
            warn(fit, _("The spline folds: two places of the moving frame come to lie in one. "
                        "Look for a wrongly named point, or smooth more."));
            break;
        }
    }
}

static BgPointFit *
point_fit_new(gsize n_pairs)
{
    BgPointFit *fit = g_new0(BgPointFit, 1);

    fit->n_pairs = n_pairs;
    fit->errors = g_new0(double, n_pairs + 1);
    fit->left_out = g_new(double, n_pairs + 1);
    for (gsize i = 0; i <= n_pairs; i++)
        fit->left_out[i] = NAN;
    fit->warnings = g_ptr_array_new_with_free_func(g_free);
    return fit;
}

static gboolean
run_fit(BgPointFit *fit, Points *points, const BgPointFitParams *params, GError **error)
{
    g_autofree double *left_out = g_new(double, points->n + 1);
    BgFitSet set;

    bg_fit_set_init(&set, params->n_axes, points->fixed, points->moving, points->weights,
                    points->n);
    if (!check_layout(&set, params->model, &fit->condition, error))
        return FALSE;
    fit->transform = fit_set(&set, params, &fit->mirror, left_out, error);
    if (fit->transform == NULL)
        return FALSE;
    double det = fabs(bg_affine_determinant(bg_transform_get_affine(fit->transform)));
    fit->scale = params->n_axes == 3 ? cbrt(det) : sqrt(det);
    if (params->model != BG_TRANSFORM_TPS)
        leave_out_each(fit, points, params);
    else
        for (gsize i = 0; i < points->n; i++)
            fit->left_out[points->index[i]] = left_out[i];
    return TRUE;
}

BgPointFit *
bg_point_fit(const BgPointPair *pairs, gsize n_pairs, const BgPointFitParams *params,
             GError **error)
{
    Points points;

    g_return_val_if_fail(params->n_axes == 2 || params->n_axes == 3, NULL);
    g_return_val_if_fail(params->smoothing >= 0.0, NULL);
    points_init(&points, pairs, n_pairs, params->n_axes);
    g_autoptr(BgPointFit) fit = point_fit_new(n_pairs);
    gboolean ok = check_pairs(pairs, n_pairs, params, (guint) points.n, error) &&
                  run_fit(fit, &points, params, error);
    points_clear(&points);
    if (!ok)
        return NULL;
    measure_errors(fit, pairs, params->n_axes);
    add_warnings(fit, params, pairs);
    return g_steal_pointer(&fit);
}

void
bg_point_fit_free(BgPointFit *fit)
{
    g_clear_pointer(&fit->transform, bg_transform_unref);
    g_free(fit->errors);
    g_free(fit->left_out);
    g_ptr_array_unref(fit->warnings);
    g_free(fit);
}
