// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-target-error.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-linear.h"
#include "core/register/bg-fit-private.h"

#include <string.h>

#define MAX_PARAMS 12
#define CHI_95 5.991464547107979 // 95 % of a chi-square of 2 degrees of freedom
#define N_STEPS 200              // of the integral of the mean error; even

struct _BgTargetErrors {
    BgTransform *transform; // owned
    BgTransformModel model;
    int n_axes;
    BgVec3 centre;                             // of the fitted fixed points
    int n_params;                              // of models with few of them
    double parameters[MAX_PARAMS][MAX_PARAMS]; // their covariance
    // Of splines:
    gsize n;
    BgVec3 *moving;  // owned
    double *weights; // owned: n x (n + axes + 1): what each fixed point counts in each coefficient
    double (*point)[9]; // owned: effective covariance of each
    BgVec3 moving_centre;
    double radius;
};

BgLocalisationError
bg_localisation_error(int n_axes, double fixed_rms, double moving_rms)
{
    double f = fixed_rms * fixed_rms / n_axes, m = moving_rms * moving_rms / n_axes;
    double z = n_axes == 3 ? 1.0 : 0.0;

    return (BgLocalisationError){ { f, 0, 0, f, 0, f * z }, { m, 0, 0, m, 0, m * z } };
}

static void
expand(const double six[6], double full[3][3])
{
    full[0][0] = six[0];
    full[0][1] = full[1][0] = six[1];
    full[0][2] = full[2][0] = six[2];
    full[1][1] = six[3];
    full[1][2] = full[2][1] = six[4];
    full[2][2] = six[5];
}

// out += b c b^T, of n x 3 and 3 x 3
static void
add_sandwich(const double *b, int n, const double c[3][3], double *out, int stride)
{
    for (int i = 0; i < n; i++) {
        double row[3];
        for (int k = 0; k < 3; k++)
            row[k] = b[3 * i] * c[0][k] + b[3 * i + 1] * c[1][k] + b[3 * i + 2] * c[2][k];
        for (int j = 0; j < n; j++)
            out[i * stride + j] +=
                row[0] * b[3 * j] + row[1] * b[3 * j + 1] + row[2] * b[3 * j + 2];
    }
}

// An error in the moving frame shows in the fixed one through the transform's slope there.
static void
effective_covariance(const BgTransform *transform, const BgPointPair *pair,
                     const BgLocalisationError *e, double out[3][3])
{
    BgAffine slope = bg_transform_derivative(transform, pair->moving);
    double moving[3][3], b[9];

    expand(e->fixed, out);
    expand(e->moving, moving);
    for (int i = 0; i < 9; i++)
        b[i] = slope.m[i / 3][i % 3];
    add_sandwich(b, 3, moving, &out[0][0], 3);
}

static int
count_params(BgTransformModel model, int n_axes)
{
    int turns = n_axes == 3 ? 3 : 1;

    return n_axes + (model == BG_TRANSFORM_RIGID        ? turns
                     : model == BG_TRANSFORM_SIMILARITY ? turns + 1
                                                        : n_axes * n_axes);
}

// d T / d parameter at a fixed point, @y about the centre: [parameter][axis]
static void
slopes_at(BgTransformModel model, int n_axes, BgVec3 y, double c[MAX_PARAMS][3])
{
    int at = 0;

    memset(c, 0, MAX_PARAMS * 3 * sizeof(double));
    for (int axis = 0; axis < n_axes; axis++)
        c[at++][axis] = 1.0;
    if (model == BG_TRANSFORM_AFFINE) {
        for (int row = 0; row < n_axes; row++)
            for (int column = 0; column < n_axes; column++)
                c[at++][row] = bg_vec3_get(y, column);
        return;
    }
    for (int axis = n_axes == 3 ? 0 : 2; axis < 3; axis++) {
        BgVec3 e = { axis == 0, axis == 1, axis == 2 }, turned = bg_vec3_cross(e, y);
        for (int row = 0; row < 3; row++)
            c[at][row] = bg_vec3_get(turned, row);
        at++;
    }
    for (int row = 0; model == BG_TRANSFORM_SIMILARITY && row < n_axes; row++)
        c[at][row] = bg_vec3_get(y, row);
}

static void
fill_parameters(BgTargetErrors *self, const BgPointPair *pairs, gsize n_pairs,
                const BgLocalisationError *errors, gsize n_errors)
{
    int p = self->n_params = count_params(self->model, self->n_axes);
    double normal[MAX_PARAMS * MAX_PARAMS] = { 0 }, c[MAX_PARAMS][3];

    for (gsize i = 0; i < n_pairs; i++) {
        if (pairs[i].use != BG_LANDMARK_FIT)
            continue;
        BgVec3 y = bg_vec3_sub(bg_transform_apply(self->transform, pairs[i].moving), self->centre);
        slopes_at(self->model, self->n_axes, y, c);
        for (int a = 0; a < p; a++)
            for (int b = 0; b < p; b++)
                normal[a * p + b] +=
                    pairs[i].weight * (c[a][0] * c[b][0] + c[a][1] * c[b][1] + c[a][2] * c[b][2]);
    }
    // The layout was checked when it was fitted.
    if (!bg_linear_invert(normal, (gsize) p))
        g_return_if_reached();
    for (gsize i = 0; i < n_pairs; i++) {
        double pull[MAX_PARAMS * 3] = { 0 }, covariance[3][3];
        if (pairs[i].use != BG_LANDMARK_FIT)
            continue;
        BgVec3 y = bg_vec3_sub(bg_transform_apply(self->transform, pairs[i].moving), self->centre);
        slopes_at(self->model, self->n_axes, y, c);
        for (int a = 0; a < p; a++)
            for (int b = 0; b < p; b++)
                for (int axis = 0; axis < 3; axis++)
                    pull[3 * a + axis] += normal[a * p + b] * pairs[i].weight * c[b][axis];
        effective_covariance(self->transform, &pairs[i], &errors[n_errors == 1 ? 0 : i],
                             covariance);
        add_sandwich(pull, p, covariance, &self->parameters[0][0], MAX_PARAMS);
    }
}

static void
fill_spline(BgTargetErrors *self, const BgPointPair *pairs, gsize n_pairs,
            const BgPointFitParams *params, const BgLocalisationError *errors, gsize n_errors)
{
    g_autofree double *weights = g_new(double, n_pairs + 1);
    BgFitSet set;

    self->moving = g_new(BgVec3, n_pairs + 1);
    self->point = g_malloc0_n(n_pairs + 1, 9 * sizeof(double));
    for (gsize i = 0; i < n_pairs; i++) {
        double covariance[3][3];
        if (pairs[i].use != BG_LANDMARK_FIT)
            continue;
        effective_covariance(self->transform, &pairs[i], &errors[n_errors == 1 ? 0 : i],
                             covariance);
        memcpy(self->point[self->n], covariance, sizeof covariance);
        weights[self->n] = pairs[i].weight;
        self->moving[self->n++] = pairs[i].moving;
    }
    bg_fit_set_init(&set, self->n_axes, self->moving, self->moving, weights, self->n);
    self->weights = bg_fit_tps_inverse(&set, params->smoothing, &self->radius);
    self->moving_centre = set.moving_centre;
}

static gboolean
check_errors(const BgLocalisationError *errors, gsize n_errors, GError **error)
{
    for (gsize i = 0; i < n_errors; i++) {
        for (int c = 0; c < 12; c++) {
            double value = c < 6 ? errors[i].fixed[c] : errors[i].moving[c - 6];
            gboolean diagonal = c % 6 == 0 || c % 6 == 3 || c % 6 == 5;
            if (isfinite(value) && (!diagonal || value >= 0.0))
                continue;
            g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                                _("The expected error cannot be told: the stated error of placing "
                                  "a point is negative or no number. State another"));
            return FALSE;
        }
    }
    return TRUE;
}

BgTargetErrors *
bg_target_errors_new(const BgPointPair *pairs, gsize n_pairs, const BgPointFitParams *params,
                     const BgPointFit *fit, const BgLocalisationError *errors, gsize n_errors,
                     GError **error)
{
    double n = 0.0;

    g_return_val_if_fail(n_errors == 1 || n_errors == n_pairs, NULL);
    if (!check_errors(errors, n_errors, error))
        return NULL;
    BgTargetErrors *self = g_new0(BgTargetErrors, 1);
    self->transform = bg_transform_ref(fit->transform);
    self->model = params->model;
    self->n_axes = params->n_axes;
    for (gsize i = 0; i < n_pairs; i++) {
        if (pairs[i].use != BG_LANDMARK_FIT)
            continue;
        n += 1.0;
        self->centre = bg_vec3_add(self->centre, pairs[i].fixed);
    }
    self->centre = bg_vec3_scale(self->centre, 1.0 / n);
    if (self->model == BG_TRANSFORM_TPS)
        fill_spline(self, pairs, n_pairs, params, errors, n_errors);
    else
        fill_parameters(self, pairs, n_pairs, errors, n_errors);
    return self;
}

void
bg_target_errors_free(BgTargetErrors *errors)
{
    bg_transform_unref(errors->transform);
    g_free(errors->moving);
    g_free(errors->weights);
    g_free(errors->point);
    g_free(errors);
}

// What the fixed place of point @i counts in where @moving is mapped to.
static double
share_of(const BgTargetErrors *self, const double *basis, gsize i)
{
    gsize size = self->n + (gsize) self->n_axes + 1;
    double sum = 0.0;

    for (gsize j = 0; j < size; j++)
        sum += basis[j] * self->weights[j * size + i];
    return sum;
}

static void
spline_covariance(const BgTargetErrors *self, BgVec3 moving, double out[3][3])
{
    gsize n = self->n;
    g_autofree double *basis = g_new(double, n + 4);
    BgVec3 p = bg_vec3_scale(bg_vec3_sub(moving, self->moving_centre), 1.0 / self->radius);

    for (gsize i = 0; i < n; i++) {
        BgVec3 d = bg_vec3_sub(moving, self->moving[i]);
        if (self->n_axes == 2)
            d.z = 0.0;
        basis[i] = bg_transform_kernel(self->n_axes, bg_vec3_length(d) / self->radius);
    }
    basis[n] = 1.0;
    for (int axis = 0; axis < self->n_axes; axis++)
        basis[n + 1 + (gsize) axis] = bg_vec3_get(p, axis);
    for (gsize i = 0; i < n; i++) {
        double share = share_of(self, basis, i);
        for (int c = 0; c < 9; c++)
            out[c / 3][c % 3] += share * share * self->point[i][c];
    }
}

// E|x| of a normal variable of these variances: sqrt(2/pi) times the integral over t of
// (1 - prod (1 + v t^2)^(-1/2)) / t^2, with t = tan(a), by Simpson's rule.
static double
mean_length(const double variance[3])
{
    double most = fmax(variance[0], 0.0), sum = 0.0;

    if (!(most > 0.0))
        return 0.0;
    for (int i = 0; i <= N_STEPS; i++) {
        double a = 0.5 * G_PI * i / N_STEPS, s = sin(a), t = tan(a), value = 0.0;
        if (i == 0) {
            for (int k = 0; k < 3; k++)
                value += 0.5 * fmax(variance[k], 0.0) / most;
        } else {
            double product = 1.0;
            for (int k = 0; k < 3; k++)
                product /= sqrt(1.0 + fmax(variance[k], 0.0) / most * t * t);
            value = (1.0 - (i == N_STEPS ? 0.0 : product)) / (s * s);
        }
        sum += value * (i == 0 || i == N_STEPS ? 1.0 : i % 2 == 1 ? 4.0 : 2.0);
    }
    return sqrt(2.0 / G_PI * most) * sum * 0.5 * G_PI / N_STEPS / 3.0;
}

// @out: zeros
static void
covariance_at(const BgTargetErrors *errors, BgVec3 moving, double out[3][3])
{
    double c[MAX_PARAMS][3];

    if (errors->model == BG_TRANSFORM_TPS) {
        spline_covariance(errors, moving, out);
        return;
    }
    BgVec3 y = bg_vec3_sub(bg_transform_apply(errors->transform, moving), errors->centre);
    slopes_at(errors->model, errors->n_axes, y, c);
    for (int a = 0; a < errors->n_params; a++)
        for (int b = 0; b < errors->n_params; b++)
            for (int i = 0; i < 9; i++)
                out[i / 3][i % 3] += c[a][i / 3] * errors->parameters[a][b] * c[b][i % 3];
}

double
bg_target_errors_rms_at(const BgTargetErrors *errors, BgVec3 moving)
{
    double covariance[3][3] = { { 0.0 } };

    covariance_at(errors, moving, covariance);
    return sqrt(covariance[0][0] + covariance[1][1] + covariance[2][2]);
}

void
bg_target_errors_at(const BgTargetErrors *errors, BgVec3 moving, BgTargetError *at)
{
    double copy[9], values[3], vectors[9];

    memset(at, 0, sizeof *at);
    covariance_at(errors, moving, at->covariance);
    memcpy(copy, at->covariance, sizeof copy);
    bg_linear_eigen_symmetric(copy, 3, values, vectors);
    for (int axis = 0; axis < 3; axis++) {
        at->sigma[axis] = sqrt(fmax(values[axis], 0.0));
        at->axes[axis] = bg_vec3(vectors[axis], vectors[3 + axis], vectors[6 + axis]);
    }
    at->rms = sqrt(at->covariance[0][0] + at->covariance[1][1] + at->covariance[2][2]);
    at->mean = mean_length(values);
}

gboolean
bg_target_errors_at_fixed(const BgTargetErrors *errors, BgVec3 fixed, BgTargetError *at)
{
    BgVec3 moving;

    if (!bg_transform_apply_inverse(errors->transform, fixed, &moving))
        return FALSE;
    bg_target_errors_at(errors, moving, at);
    return TRUE;
}

double
bg_target_errors_rms_at_fixed(const BgTargetErrors *errors, BgVec3 fixed)
{
    BgVec3 moving;

    return bg_transform_apply_inverse(errors->transform, fixed, &moving)
               ? bg_target_errors_rms_at(errors, moving)
               : -1.0;
}

static double
project(const BgTargetError *at, BgVec3 a, BgVec3 b)
{
    double sum = 0.0;

    for (int i = 0; i < 9; i++)
        sum += bg_vec3_get(a, i / 3) * at->covariance[i / 3][i % 3] * bg_vec3_get(b, i % 3);
    return sum;
}

BgErrorEllipse
bg_target_error_ellipse(const BgTargetError *at, BgVec3 u, BgVec3 v)
{
    double uv = project(at, u, v);
    double flat[4] = { project(at, u, u), uv, uv, project(at, v, v) }, values[2], vectors[4];

    bg_linear_eigen_symmetric(flat, 2, values, vectors);
    return (BgErrorEllipse){ .major_mm = sqrt(CHI_95 * fmax(values[0], 0.0)),
                             .minor_mm = sqrt(CHI_95 * fmax(values[1], 0.0)),
                             .angle_rad = atan2(vectors[2], vectors[0]) };
}
