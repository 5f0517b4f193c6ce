// SPDX-License-Identifier: Apache-2.0
// Against numpy, scipy and skimage (tests/reference/point-fit.py), and known transforms.
#include "core/base/bg-error.h"
#include "core/register/bg-point-fit.h"
#include "core/register/bg-transform-file.h"
#include "tests/reference/itk-transforms.h"
#include "tests/reference/point-fit-numbers.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define N G_N_ELEMENTS(fit_moving)
#define N_FLAT G_N_ELEMENTS(flat_moving)

static void
fill_pairs(BgPointPair *pairs, gsize n, const double *fixed, const double *moving, gsize d)
{
    memset(pairs, 0, n * sizeof(BgPointPair));
    for (gsize i = 0; i < n; i++) {
        g_snprintf(pairs[i].name, sizeof pairs[i].name, "P%zu", i);
        pairs[i].weight = 1.0;
        for (gsize axis = 0; axis < d; axis++) {
            bg_vec3_set(&pairs[i].fixed, (int) axis, fixed[i * d + axis]);
            bg_vec3_set(&pairs[i].moving, (int) axis, moving[i * d + axis]);
        }
    }
}

static void
assert_matrix(const BgPointFit *fit, const double *expected, int d, double tolerance)
{
    const BgAffine *a = bg_transform_get_affine(fit->transform);

    for (int row = 0; row < d; row++)
        for (int column = 0; column <= d; column++)
            g_assert_cmpfloat(
                fabs(a->m[row][column == d ? 3 : column] - expected[row * (d + 1) + column]), <,
                tolerance);
}

static void
test_others_matrices(void)
{
    const struct {
        BgTransformModel model;
        gboolean weighted;
        const double *expected;
    } cases[] = {
        { BG_TRANSFORM_RIGID, FALSE, &fit_rigid[0][0] },
        { BG_TRANSFORM_RIGID, TRUE, &fit_rigid_weighted[0][0] },
        { BG_TRANSFORM_SIMILARITY, FALSE, &fit_similarity[0][0] },
        { BG_TRANSFORM_AFFINE, FALSE, &fit_affine[0][0] },
        { BG_TRANSFORM_AFFINE, TRUE, &fit_affine_weighted[0][0] },
    };
    for (gsize c = 0; c < G_N_ELEMENTS(cases); c++) {
        g_autoptr(GError) error = NULL;
        BgPointFitParams params = bg_point_fit_params(cases[c].model);
        BgPointPair pairs[N];
        fill_pairs(pairs, N, &fit_fixed[0][0], &fit_moving[0][0], 3);
        for (gsize i = 0; cases[c].weighted && i < N; i++)
            pairs[i].weight = fit_weights[0][i];
        g_autoptr(BgPointFit) fit = bg_point_fit(pairs, N, &params, &error);
        g_assert_no_error(error);
        assert_matrix(fit, cases[c].expected, 3, 1e-8);
        g_assert_cmpint(fit->mirror, ==, BG_MIRROR_NO);
        g_assert_cmpfloat(fit->fre, >, 0.5);
    }
}

static void
test_others_flat_matrices(void)
{
    const struct {
        BgTransformModel model;
        const double *expected;
    } cases[] = {
        { BG_TRANSFORM_RIGID, &flat_rigid[0][0] },
        { BG_TRANSFORM_SIMILARITY, &flat_similarity[0][0] },
        { BG_TRANSFORM_AFFINE, &flat_affine[0][0] },
    };
    for (gsize c = 0; c < G_N_ELEMENTS(cases); c++) {
        g_autoptr(GError) error = NULL;
        BgPointFitParams params = bg_point_fit_params(cases[c].model);
        BgPointPair pairs[N_FLAT];
        params.n_axes = 2;
        fill_pairs(pairs, N_FLAT, &flat_fixed[0][0], &flat_moving[0][0], 2);
        g_autoptr(BgPointFit) fit = bg_point_fit(pairs, N_FLAT, &params, &error);
        g_assert_no_error(error);
        assert_matrix(fit, cases[c].expected, 2, 1e-7);
    }
}

static void
check_spline(const BgPointPair *pairs, gsize n, int n_axes, const double *targets,
             const double *expected, const double *left_out)
{
    g_autoptr(GError) error = NULL;
    BgPointFitParams params = bg_point_fit_params(BG_TRANSFORM_TPS);

    params.n_axes = n_axes;
    g_autoptr(BgPointFit) fit = bg_point_fit(pairs, n, &params, &error);
    g_assert_no_error(error);
    g_assert_cmpfloat(fit->fre, <, 1e-9); // goes through all
    for (gsize t = 0; t < 4; t++) {
        BgVec3 p = { 0, 0, 0 }, back;
        for (int axis = 0; axis < n_axes; axis++)
            bg_vec3_set(&p, axis, targets[t * (gsize) n_axes + (gsize) axis]);
        BgVec3 q = bg_transform_apply(fit->transform, p);
        for (int axis = 0; axis < n_axes; axis++)
            g_assert_cmpfloat(
                fabs(bg_vec3_get(q, axis) - expected[t * (gsize) n_axes + (gsize) axis]), <, 1e-7);
        g_assert_true(bg_transform_apply_inverse(fit->transform, q, &back));
        g_assert_cmpfloat(bg_vec3_distance(back, p), <, 1e-8);
    }
    for (gsize i = 0; i < n; i++)
        g_assert_cmpfloat(fabs(fit->left_out[i] - left_out[i]), <, 1e-7);
}

static void
test_others_splines(void)
{
    BgPointPair pairs[N];

    fill_pairs(pairs, N, &fit_fixed[0][0], &fit_moving[0][0], 3);
    check_spline(pairs, N, 3, &fit_targets[0][0], &fit_tps[0][0], &fit_tps_left_out[0][0]);
    fill_pairs(pairs, N_FLAT, &flat_fixed[0][0], &flat_moving[0][0], 2);
    check_spline(pairs, N_FLAT, 2, &flat_targets[0][0], &flat_tps[0][0], &flat_tps_left_out[0][0]);
}

static BgVec3
random_point(double half)
{
    return bg_vec3(g_test_rand_double_range(-half, half), g_test_rand_double_range(-half, half),
                   g_test_rand_double_range(-half, half));
}

// Rotation about a random axis, by Rodrigues' formula: not the way the fit makes one.
static BgAffine
random_rigid(void)
{
    BgVec3 k = bg_vec3_normalize(random_point(1.0)), shift = random_point(100.0);
    double angle = g_test_rand_double_range(-G_PI, G_PI), c = cos(angle), s = sin(angle);
    BgVec3 columns[3];

    for (int axis = 0; axis < 3; axis++) {
        BgVec3 e = { axis == 0, axis == 1, axis == 2 };
        columns[axis] = bg_vec3_along(bg_vec3_along(bg_vec3_scale(e, c), s, bg_vec3_cross(k, e)),
                                      (1.0 - c) * bg_vec3_dot(k, e), k);
    }
    return bg_affine_from_columns(columns[0], columns[1], columns[2], shift);
}

static void
make_exact(BgPointPair *pairs, gsize n, const BgAffine *map, int n_axes)
{
    memset(pairs, 0, n * sizeof(BgPointPair));
    for (gsize i = 0; i < n; i++) {
        g_snprintf(pairs[i].name, sizeof pairs[i].name, "P%zu", i);
        pairs[i].weight = g_test_rand_double_range(0.1, 5.0);
        pairs[i].moving = random_point(80.0);
        if (n_axes == 2)
            pairs[i].moving.z = 0.0;
        pairs[i].fixed = bg_affine_apply(map, pairs[i].moving);
    }
}

static BgAffine
known_map(BgTransformModel model, int n_axes)
{
    BgAffine a = random_rigid();
    double scale = model == BG_TRANSFORM_RIGID ? 1.0 : g_test_rand_double_range(0.5, 2.0);

    if (n_axes == 2) {
        double angle = g_test_rand_double_range(-G_PI, G_PI);
        double x = a.m[0][3], y = a.m[1][3];
        a = bg_affine_from_columns(bg_vec3(cos(angle), sin(angle), 0),
                                   bg_vec3(-sin(angle), cos(angle), 0), bg_vec3(0, 0, 1),
                                   bg_vec3(x, y, 0));
    }
    for (int row = 0; row < n_axes; row++)
        for (int column = 0; column < n_axes; column++) {
            a.m[row][column] *= scale;
            if (model == BG_TRANSFORM_AFFINE || model == BG_TRANSFORM_TPS)
                a.m[row][column] += g_test_rand_double_range(-0.1, 0.1);
        }
    return a;
}

// 0.01 mm and 0.01 degree are asked for; noise-free it is rounding.
static void
test_known_maps_come_back(void)
{
    int n_untold = 0;

    for (int trial = 0; trial < 400; trial++) {
        g_autoptr(GError) error = NULL;
        BgTransformModel model = (BgTransformModel) (trial % 4);
        int n_axes = trial / 4 % 2 == 0 ? 3 : 2;
        BgPointFitParams params = bg_point_fit_params(model);
        gsize n = bg_point_fit_needed(model, n_axes) + (gsize) g_test_rand_int_range(2, 9);
        BgAffine map = known_map(model, n_axes);
        BgPointPair pairs[20];

        params.n_axes = n_axes;
        make_exact(pairs, n, &map, n_axes);
        pairs[1].use = BG_LANDMARK_CHECK;
        g_autoptr(BgPointFit) fit = bg_point_fit(pairs, n, &params, &error);
        g_assert_no_error(error);
        g_assert_cmpfloat(bg_affine_max_difference(bg_transform_get_affine(fit->transform), &map),
                          <, 1e-7);
        g_assert_cmpfloat(fit->fre, <, 1e-8);
        g_assert_cmpfloat(fit->rms_check, <, 1e-7);
        g_assert_cmpuint(fit->n_check, ==, 1);
        g_assert_cmpint(fit->mirror, !=, BG_MIRROR_YES);
        n_untold += fit->mirror == BG_MIRROR_UNKNOWN; // a few points may lie nearly in a plane
    }
    g_test_message("%d of 400 layouts are too flat to tell a mirror", n_untold);
    g_assert_cmpint(n_untold, <=, 8);
}

static void
test_checks_and_skips_do_not_pull(void)
{
    BgPointFitParams params = bg_point_fit_params(BG_TRANSFORM_RIGID);
    BgAffine map = random_rigid();
    BgPointPair pairs[8];

    make_exact(pairs, 8, &map, 3);
    pairs[2].fixed.x += 7.0;
    pairs[2].use = BG_LANDMARK_CHECK;
    pairs[5].fixed.y += 70.0;
    pairs[5].use = BG_LANDMARK_SKIP;
    g_autoptr(BgPointFit) fit = bg_point_fit(pairs, 8, &params, NULL);
    g_assert_cmpfloat(fit->fre, <, 1e-9);
    g_assert_cmpfloat(fabs(fit->rms_check - 7.0), <, 1e-9);
    g_assert_cmpfloat(fabs(fit->errors[2] - 7.0), <, 1e-9);
    g_assert_cmpfloat(fabs(fit->errors[5] - 70.0), <, 1e-9);
    g_assert_true(isnan(fit->left_out[2]));

    // An outlier shows most where it is left out.
    pairs[2].use = BG_LANDMARK_FIT;
    g_autoptr(BgPointFit) pulled = bg_point_fit(pairs, 8, &params, NULL);
    g_assert_cmpfloat(fabs(pulled->left_out[2] - 7.0), <, 1e-8);
    g_assert_cmpfloat(pulled->errors[2], <, 7.0);
}

static void
assert_refused(const BgPointPair *pairs, gsize n, const BgPointFitParams *params, int code,
               const char *word)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(bg_point_fit(pairs, n, params, &error));
    g_assert_error(error, BG_ERROR, code);
    g_assert_nonnull(strstr(error->message, word));
}

static void
test_refuses_layouts(void)
{
    for (int model = 0; model < 4; model++) {
        BgPointFitParams params = bg_point_fit_params((BgTransformModel) model);
        BgAffine map = random_rigid();
        BgPointPair pairs[12];
        make_exact(pairs, 12, &map, 3);
        guint needed = bg_point_fit_needed(params.model, 3);
        assert_refused(pairs, needed - 1, &params, BG_ERROR_INVALID, "at least");

        for (int i = 0; i < 12; i++) // one line
            pairs[i].moving = bg_vec3(i * 5.0, i * 3.0, 1.0),
            pairs[i].fixed = bg_affine_apply(&map, pairs[i].moving);
        assert_refused(pairs, 12, &params, BG_ERROR_INVALID, "line");

        for (int i = 0; i < 12; i++) // one plane
            pairs[i].moving = bg_vec3(i * 5.0, i * i, 1.0),
            pairs[i].fixed = bg_affine_apply(&map, pairs[i].moving);
        if (model >= BG_TRANSFORM_AFFINE) {
            assert_refused(pairs, 12, &params, BG_ERROR_INVALID, "plane");
        } else {
            g_autoptr(BgPointFit) fit = bg_point_fit(pairs, 12, &params, NULL);
            g_assert_cmpfloat(fit->fre, <, 1e-9);
            g_assert_cmpint(fit->mirror, ==, BG_MIRROR_UNKNOWN);
            g_assert_cmpuint(fit->warnings->len, >, 0);
        }
        for (int i = 0; i < 12; i++)
            pairs[i].moving = pairs[i].fixed = bg_vec3(1, 2, 3);
        assert_refused(pairs, 12, &params, BG_ERROR_INVALID, "one place");
    }
}

static void
test_refuses_numbers(void)
{
    BgPointFitParams params = bg_point_fit_params(BG_TRANSFORM_RIGID);
    BgAffine map = random_rigid();
    BgPointPair pairs[5];

    make_exact(pairs, 5, &map, 3);
    pairs[3].weight = 0.0;
    assert_refused(pairs, 5, &params, BG_ERROR_INVALID, "P3");
    pairs[3].weight = 1.0;
    pairs[4].moving.z = NAN;
    assert_refused(pairs, 5, &params, BG_ERROR_INVALID, "P4");
}

static void
test_mirror_is_said(void)
{
    for (int trial = 0; trial < 80; trial++) {
        g_autoptr(GError) error = NULL;
        BgTransformModel model = (BgTransformModel) (trial % 4);
        int n_axes = trial / 4 % 2 == 0 ? 3 : 2;
        BgPointFitParams params = bg_point_fit_params(model);
        BgAffine map = known_map(model, n_axes);
        BgPointPair pairs[10];

        params.n_axes = n_axes;
        for (int row = 0; row < n_axes; row++)
            map.m[row][0] = -map.m[row][0];
        make_exact(pairs, 10, &map, n_axes);
        for (int i = 0; i < 10; i++)
            pairs[i].fixed.x += g_test_rand_double_range(-0.5, 0.5);
        assert_refused(pairs, 10, &params, BG_ERROR_MISMATCH, "mirror");
        params.allow_mirror = TRUE;
        g_autoptr(BgPointFit) fit = bg_point_fit(pairs, 10, &params, &error);
        g_assert_no_error(error);
        g_assert_cmpint(fit->mirror, ==, BG_MIRROR_YES);
        g_assert_cmpfloat(fit->fre, <, 1.0);
        g_assert_cmpfloat(bg_affine_determinant(bg_transform_get_affine(fit->transform)), <, 0.0);
        g_assert_cmpuint(fit->warnings->len, >, 0);
    }
}

static void
test_json_round_trip(void)
{
    BgPointPair pairs[N];

    fill_pairs(pairs, N, &fit_fixed[0][0], &fit_moving[0][0], 3);
    for (int model = 0; model < 4; model++) {
        g_autoptr(GError) error = NULL;
        BgPointFitParams params = bg_point_fit_params((BgTransformModel) model);
        g_autoptr(BgPointFit) fit = bg_point_fit(pairs, N, &params, &error);
        g_autoptr(BgJson) json = bg_transform_to_json(fit->transform);
        g_autofree char *text = bg_json_print(json, TRUE);
        g_autoptr(BgJson) parsed = bg_json_parse(text, -1, &error);
        g_autoptr(BgTransform) back = bg_transform_from_json(parsed, &error);
        g_assert_no_error(error);
        g_assert_cmpint(bg_transform_get_model(back), ==, model);
        BgVec3 p = random_point(100.0);
        g_assert_cmpfloat(
            bg_vec3_distance(bg_transform_apply(back, p), bg_transform_apply(fit->transform, p)),
            ==, 0.0);
    }
}

// ITK's own files map fixed to moving.
static void
test_transforms_of_itk(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(itk_transforms); i++) {
        g_autoptr(GError) error = NULL;
        const double *m = itk_transforms[i].moving;
        g_autoptr(BgTransform) t = bg_transform_parse(itk_transforms[i].text, -1, &error);
        g_assert_no_error(error);
        BgVec3 found = bg_transform_apply(t, bg_vec3(m[0], m[1], m[2]));
        g_assert_cmpfloat(bg_vec3_distance(found, bg_vec3(12.5, -33.25, 41.75)), <, 1e-9);
        BgTransformModel expected =
            strcmp(itk_transforms[i].name, "affine") == 0       ? BG_TRANSFORM_AFFINE
            : strcmp(itk_transforms[i].name, "similarity") == 0 ? BG_TRANSFORM_SIMILARITY
                                                                : BG_TRANSFORM_RIGID;
        g_assert_cmpint(bg_transform_get_model(t), ==, expected);

        // And ours come back the same.
        g_autofree char *path = g_build_filename(g_get_tmp_dir(), "bregma-itk-XXXXXX.tfm", NULL);
        int fd = g_mkstemp(path);
        g_assert_cmpint(fd, >=, 0);
        close(fd);
        const BgTransformSaveParams params = { .force = TRUE, .provenance = "{\"a\":1}" };
        g_assert_true(bg_transform_save(t, path, &params, &error));
        g_autoptr(BgTransform) back = bg_transform_load(path, &error);
        g_assert_no_error(error);
        g_assert_cmpfloat(
            bg_affine_max_difference(bg_transform_get_affine(t), bg_transform_get_affine(back)), <,
            1e-12);
        unlink(path);
    }
}

static void
test_refuses_files(void)
{
    static const char *const texts[] = {
        "",
        "{}",
        "[1]",
        "{\"schema\":1,\"kind\":\"transform\",\"direction\":\"fixed_from_moving\",\"space\":\"LPS mm\","
        "\"model\":\"rigid\",\"matrix\":[1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,2]}",
        "{\"schema\":1,\"kind\":\"transform\",\"direction\":\"fixed_from_moving\",\"space\":\"LPS mm\","
        "\"model\":\"rigid\",\"matrix\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1]}",
        "{\"schema\":1,\"kind\":\"transform\",\"direction\":\"moving_from_fixed\",\"space\":\"LPS mm\","
        "\"model\":\"rigid\",\"matrix\":[1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1]}",
        "#Insight Transform File V1.0\n",
        "#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\nParameters: 1 2 3\n",
        "#Insight Transform File V1.0\nTransform: BSplineTransform_double_3_3\nParameters: 1\n",
        "#Insight Transform File V1.0\nTransform: TranslationTransform_double_3_3\nParameters: 1 x 3\n",
        "#Insight Transform File V1.0\nTransform: TranslationTransform_double_3_3\nParameters: 1 2 3\n"
        "Transform: TranslationTransform_double_3_3\nParameters: 1 2 3\n",
        "#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\n"
        "Parameters: 0 0 0 0 0 0 0 0 0 1 2 3\nFixedParameters: 0 0 0\n",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(bg_transform_parse(texts[i], -1, &error));
        g_assert_nonnull(error);
        g_assert_true(error->domain == BG_ERROR);
    }
    // Any one byte of a good file changed: read or refused, never worse.
    for (gsize i = 0; i < G_N_ELEMENTS(itk_transforms); i++) {
        g_autofree char *text = g_strdup(itk_transforms[i].text);
        for (gsize at = 0; text[at] != '\0'; at++) {
            char kept = text[at];
            text[at] = (char) g_test_rand_int_range(1, 127);
            g_autoptr(BgTransform) t = bg_transform_parse(text, -1, NULL);
            text[at] = kept;
            g_autoptr(BgTransform) cut = bg_transform_parse(text, (gssize) at, NULL);
            if (t != NULL)
                g_assert_true(bg_affine_is_finite(bg_transform_get_affine(t)));
        }
    }
}

static void
test_pairs_by_name(void)
{
    static const BgLandmark a[] = {
        { "one", { 1, 0, 0 }, BG_LANDMARK_FIT, TRUE, FALSE },
        { "two", { 2, 0, 0 }, BG_LANDMARK_FIT, TRUE, FALSE },
        { "three", { 3, 0, 0 }, BG_LANDMARK_SKIP, TRUE, FALSE },
        { "four", { 4, 0, 0 }, BG_LANDMARK_FIT, FALSE, FALSE },
    };
    static const BgLandmark b[] = {
        { "three", { 30, 0, 0 }, BG_LANDMARK_FIT, TRUE, FALSE },
        { "two", { 20, 0, 0 }, BG_LANDMARK_CHECK, TRUE, FALSE },
        { "one", { 10, 0, 0 }, BG_LANDMARK_FIT, TRUE, FALSE },
        { "five", { 50, 0, 0 }, BG_LANDMARK_FIT, TRUE, FALSE },
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) unpaired = NULL;
    g_autoptr(BgLandmarks) fixed = bg_landmarks_new(BG_LANDMARK_PATIENT, a, 4, NULL);
    g_autoptr(BgLandmarks) moving = bg_landmarks_new(BG_LANDMARK_PATIENT, b, 4, NULL);
    g_autoptr(BgLandmarks) picture = bg_landmarks_new(BG_LANDMARK_PICTURE, b, 4, NULL);
    g_autoptr(GArray) pairs = bg_point_pairs_new(fixed, moving, &unpaired, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(pairs->len, ==, 3);
    const BgPointPair *pair = &g_array_index(pairs, BgPointPair, 0);
    g_assert_cmpfloat(pair[0].moving.x, ==, 10.0);
    g_assert_cmpint(pair[0].use, ==, BG_LANDMARK_FIT);
    g_assert_cmpint(pair[1].use, ==, BG_LANDMARK_CHECK);
    g_assert_cmpint(pair[2].use, ==, BG_LANDMARK_SKIP);
    g_assert_cmpuint(unpaired->len, ==, 2);
    g_assert_null(bg_point_pairs_new(fixed, picture, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
}

static void
test_bare_rigid_is_the_same(void)
{
    BgVec3 fixed[N], moving[N];
    BgAffine rigid, similarity;

    for (gsize i = 0; i < N; i++) {
        fixed[i] = bg_vec3(fit_fixed[i][0], fit_fixed[i][1], fit_fixed[i][2]);
        moving[i] = bg_vec3(fit_moving[i][0], fit_moving[i][1], fit_moving[i][2]);
    }
    bg_point_fit_rigid(BG_TRANSFORM_RIGID, fixed, moving, fit_weights[0], N, &rigid);
    bg_point_fit_rigid(BG_TRANSFORM_SIMILARITY, fixed, moving, NULL, N, &similarity);
    for (int i = 0; i < 12; i++) {
        g_assert_cmpfloat(fabs(rigid.m[i / 4][i % 4] - fit_rigid_weighted[i / 4][i % 4]), <, 1e-8);
        g_assert_cmpfloat(fabs(similarity.m[i / 4][i % 4] - fit_similarity[i / 4][i % 4]), <, 1e-8);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/point-fit/others/matrices", test_others_matrices);
    g_test_add_func("/point-fit/others/flat-matrices", test_others_flat_matrices);
    g_test_add_func("/point-fit/others/splines", test_others_splines);
    g_test_add_func("/point-fit/known-maps-come-back", test_known_maps_come_back);
    g_test_add_func("/point-fit/checks-and-skips-do-not-pull", test_checks_and_skips_do_not_pull);
    g_test_add_func("/point-fit/refuses/layouts", test_refuses_layouts);
    g_test_add_func("/point-fit/refuses/numbers", test_refuses_numbers);
    g_test_add_func("/point-fit/mirror-is-said", test_mirror_is_said);
    g_test_add_func("/point-fit/json-round-trip", test_json_round_trip);
    g_test_add_func("/point-fit/transforms-of-itk", test_transforms_of_itk);
    g_test_add_func("/point-fit/refuses/files", test_refuses_files);
    g_test_add_func("/point-fit/pairs-by-name", test_pairs_by_name);
    g_test_add_func("/point-fit/bare-rigid-is-the-same", test_bare_rigid_is_the_same);
    return g_test_run();
}
