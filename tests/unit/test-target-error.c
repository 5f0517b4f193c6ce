// SPDX-License-Identifier: Apache-2.0
// Predicted errors against Fitzpatrick and West's formula, and against trials.
#include "core/base/bg-error.h"
#include "core/register/bg-target-error.h"

#include <string.h>

#define TOLERANCE 0.05 // of the prediction

static double
normal(void)
{
    double u = g_test_rand_double_range(1e-12, 1.0);

    return sqrt(-2.0 * log(u)) * cos(2.0 * G_PI * g_test_rand_double());
}

static BgVec3
random_point(double half, int n_axes)
{
    return bg_vec3(g_test_rand_double_range(-half, half), g_test_rand_double_range(-half, half),
                   n_axes == 3 ? g_test_rand_double_range(-half, half) : 0.0);
}

static BgAffine
random_rigid(int n_axes)
{
    BgVec3 k = n_axes == 3 ? bg_vec3_normalize(random_point(1.0, 3)) : bg_vec3(0, 0, 1);
    double a = g_test_rand_double_range(-3, 3);
    BgVec3 columns[3], shift = random_point(50.0, n_axes);

    for (int axis = 0; axis < 3; axis++) {
        BgVec3 e = { axis == 0, axis == 1, axis == 2 };
        columns[axis] =
            bg_vec3_along(bg_vec3_along(bg_vec3_scale(e, cos(a)), sin(a), bg_vec3_cross(k, e)),
                          (1.0 - cos(a)) * bg_vec3_dot(k, e), k);
    }
    return bg_affine_from_columns(columns[0], columns[1], columns[2], shift);
}

static gsize
make_layout(BgPointPair *pairs, BgTransformModel model, int n_axes, gboolean weighted)
{
    gsize n = bg_point_fit_needed(model, n_axes) + (gsize) g_test_rand_int_range(2, 8);
    BgAffine map = random_rigid(n_axes);

    memset(pairs, 0, n * sizeof(BgPointPair));
    for (gsize i = 0; i < n; i++) {
        pairs[i].weight = weighted ? g_test_rand_double_range(0.3, 3.0) : 1.0;
        pairs[i].moving = random_point(70.0, n_axes);
        pairs[i].fixed = bg_affine_apply(&map, pairs[i].moving);
    }
    return n;
}

// <TRE^2> = <FLE^2> / N (1 + 1/3 sum d_k^2 / f_k^2), d and f the distances of target and points
// from the principal axes (1998, eq. 46), worked out here from the moments by hand.
static void
test_fitzpatrick_west(void)
{
    // Points on the axes at +-a, +-b, +-c: the principal axes are the coordinate axes.
    const double a = 50, b = 30, c = 20, fle = 1.7;
    const BgVec3 at[6] = { { a, 0, 0 },  { -a, 0, 0 }, { 0, b, 0 },
                           { 0, -b, 0 }, { 0, 0, c },  { 0, 0, -c } };
    const BgVec3 target = { 12, -40, 25 };
    g_autoptr(GError) error = NULL;
    BgPointFitParams params = bg_point_fit_params(BG_TRANSFORM_RIGID);
    BgLocalisationError e = bg_localisation_error(3, 1.5, 0.8); // 1.7 together
    BgPointPair pairs[6] = { { .name = "" } };
    BgTargetError found;

    for (int i = 0; i < 6; i++) {
        pairs[i].weight = 1.0;
        pairs[i].moving = pairs[i].fixed = at[i];
    }
    g_autoptr(BgPointFit) fit = bg_point_fit(pairs, 6, &params, &error);
    g_autoptr(BgTargetErrors) errors = bg_target_errors_new(pairs, 6, &params, fit, &e, 1, &error);
    g_assert_no_error(error);
    double dx = 40 * 40 + 25 * 25, dy = 12 * 12 + 25 * 25, dz = 12 * 12 + 40 * 40;
    double fx = (b * b + c * c) / 3, fy = (a * a + c * c) / 3, fz = (a * a + b * b) / 3;
    double square = fle * fle / 6 * (1 + (dx / fx + dy / fy + dz / fz) / 3);
    bg_target_errors_at(errors, target, &found);
    g_assert_cmpfloat(fabs(found.rms - sqrt(square)), <, 1e-9);
    // In the middle only the shift is left: FLE / sqrt(N), the same in all directions, and
    // the mean of such an error is sqrt(8 / (3 pi)) of its rms.
    bg_target_errors_at(errors, bg_vec3(0, 0, 0), &found);
    g_assert_cmpfloat(fabs(found.rms - fle / sqrt(6)), <, 1e-9);
    g_assert_cmpfloat(fabs(found.mean - found.rms * sqrt(8 / (3 * G_PI))), <, 1e-9);
    BgErrorEllipse ellipse = bg_target_error_ellipse(&found, bg_vec3(1, 0, 0), bg_vec3(0, 1, 0));
    double radius = sqrt(-2 * log(0.05)) * found.rms / sqrt(3); // 95 % of a round one in 2D
    g_assert_cmpfloat(fabs(ellipse.major_mm - radius), <, 1e-9);
    g_assert_cmpfloat(fabs(ellipse.minor_mm - radius), <, 1e-9);
    g_assert_true(bg_target_errors_at_fixed(errors, target, &found));
    g_assert_cmpfloat(fabs(found.rms - sqrt(square)), <, 1e-9);
}

// A covariance with its root, to draw from.
typedef struct {
    double root[3][3];
} Source;

static BgVec3
draw(const Source *source)
{
    double g[3] = { normal(), normal(), normal() };
    BgVec3 v = { 0, 0, 0 };

    for (int i = 0; i < 9; i++)
        bg_vec3_set(&v, i / 3, bg_vec3_get(v, i / 3) + source->root[i / 3][i % 3] * g[i % 3]);
    return v;
}

static void
make_source(Source *source, double six[6], double size, int n_axes)
{
    const int row[6] = { 0, 0, 0, 1, 1, 2 }, column[6] = { 0, 1, 2, 1, 2, 2 };

    memset(source, 0, sizeof *source);
    for (int i = 0; i < n_axes; i++)
        for (int j = 0; j <= i; j++)
            source->root[i][j] = size * (i == j ? g_test_rand_double_range(0.3, 1.0)
                                                : g_test_rand_double_range(-0.4, 0.4));
    for (int c = 0; c < 6; c++) {
        six[c] = 0.0;
        for (int k = 0; k < 3; k++)
            six[c] += source->root[row[c]][k] * source->root[column[c]][k];
    }
}

// Runs @n_trials fits of one layout. Returns: the ratio of the mean error found to the one predicted
static double
run_layout(BgTransformModel model, int n_axes, gboolean uneven, int n_trials, double *rms_ratio)
{
    BgPointFitParams params = bg_point_fit_params(model);
    BgLocalisationError errors[20];
    Source fixed[20], moving[20];
    BgPointPair exact[20], noisy[20];
    BgVec3 target = random_point(60.0, n_axes);
    double sum = 0.0, squares = 0.0;
    BgTargetError predicted;
    g_autoptr(BgPointFit) fit = NULL;
    gsize n;

    params.n_axes = n_axes;
    params.allow_mirror = TRUE;
    do { // the theory is of first order: not for layouts that are almost flat
        g_clear_pointer(&fit, bg_point_fit_free);
        n = make_layout(exact, model, n_axes, uneven);
        fit = bg_point_fit(exact, n, &params, NULL);
    } while (fit == NULL || fit->condition > 6.0);
    for (gsize i = 0; i < n; i++) {
        make_source(&fixed[i], errors[i].fixed, 0.5, n_axes);
        make_source(&moving[i], errors[i].moving, 0.3, n_axes);
        if (!uneven && i > 0) {
            fixed[i] = fixed[0], moving[i] = moving[0];
            errors[i] = errors[0];
        }
    }
    g_autoptr(BgTargetErrors) theory =
        bg_target_errors_new(exact, n, &params, fit, errors, uneven ? n : 1, NULL);
    bg_target_errors_at(theory, target, &predicted);
    BgVec3 truth = bg_transform_apply(fit->transform, target);
    for (int trial = 0; trial < n_trials; trial++) {
        memcpy(noisy, exact, sizeof noisy);
        for (gsize i = 0; i < n; i++) {
            noisy[i].fixed = bg_vec3_add(noisy[i].fixed, draw(&fixed[i]));
            noisy[i].moving = bg_vec3_add(noisy[i].moving, draw(&moving[i]));
        }
        g_autoptr(BgPointFit) one = bg_point_fit(noisy, n, &params, NULL);
        double d = bg_vec3_distance(bg_transform_apply(one->transform, target), truth);
        sum += d;
        squares += d * d;
    }
    *rms_ratio = sqrt(squares / n_trials) / predicted.rms;
    return sum / n_trials / predicted.mean;
}

static void
check_trials(BgTransformModel model, int n_axes)
{
    gboolean is_long = g_getenv("BREGMA_TEST_LONG") != NULL && n_axes == 3;
    int n_layouts = is_long ? 100 : 4, n_trials = is_long ? 10000 : 1000;
    double mean = 0.0, worst = 0.0, rms = 0.0;

    for (int layout = 0; layout < n_layouts; layout++) {
        double rms_ratio, ratio = run_layout(model, n_axes, layout % 2 == 1, n_trials, &rms_ratio);
        mean += ratio / n_layouts;
        rms += rms_ratio / n_layouts;
        worst = fmax(worst, fabs(ratio - 1.0));
    }
    g_test_message("%s, %d axes: mean error found / predicted %.4f, rms %.4f, the worst layout "
                   "%.1f %% off",
                   bg_transform_model_name(model), n_axes, mean, rms, 100.0 * worst);
    g_assert_cmpfloat(fabs(mean - 1.0), <, TOLERANCE);
    g_assert_cmpfloat(fabs(rms - 1.0), <, TOLERANCE);
}

static void
test_trials(void)
{
    for (int model = 0; model < 4; model++) {
        check_trials((BgTransformModel) model, 3);
        check_trials((BgTransformModel) model, 2);
    }
}

static void
test_refuses(void)
{
    g_autoptr(GError) error = NULL;
    BgPointFitParams params = bg_point_fit_params(BG_TRANSFORM_RIGID);
    BgLocalisationError e = bg_localisation_error(3, 1, 1);
    BgPointPair pairs[20];
    gsize n = make_layout(pairs, BG_TRANSFORM_RIGID, 3, FALSE);
    g_autoptr(BgPointFit) fit = bg_point_fit(pairs, n, &params, NULL);

    e.fixed[3] = -1.0;
    g_assert_null(bg_target_errors_new(pairs, n, &params, fit, &e, 1, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    e.fixed[3] = NAN;
    g_assert_null(bg_target_errors_new(pairs, n, &params, fit, &e, 1, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/target-error/fitzpatrick-west", test_fitzpatrick_west);
    g_test_add_func("/target-error/trials", test_trials);
    g_test_add_func("/target-error/refuses", test_refuses);
    return g_test_run();
}
