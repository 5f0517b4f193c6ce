// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/model/bg-distortion.h"
#include "core/register/bg-pose.h"
#include "tests/reference/pnp-numbers.h"

#include <math.h>
#include <string.h>

#define MAX_POINTS 24
#define DEG (G_PI / 180.0)

static guint64
splitmix(guint64 key)
{
    key += 0x9e3779b97f4a7c15u;
    key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9u;
    key = (key ^ (key >> 27)) * 0x94d049bb133111ebu;
    return key ^ (key >> 31);
}

typedef struct {
    guint64 key, n;
} Stream;

static double
uniform(Stream *s)
{
    return (double) (splitmix(s->key + s->n++) >> 11) * 0x1p-52 - 1.0;
}

static double
normal(Stream *s)
{
    double sum = 0.0;

    for (int i = 0; i < 6; i++)
        sum += uniform(s);
    return sum / sqrt(2.0);
}

typedef struct {
    gsize n;
    BgPosePoint points[MAX_POINTS];
    BgCamera camera; // the true one
} Case;

static void
project(const BgCamera *camera, BgPosePoint *point)
{
    double depth;

    g_assert_true(bg_camera_project_lens(camera, point->patient_mm, &point->u, &point->v, &depth));
}

static void
set_rotation(BgCamera *camera, const double q[4])
{
    double w = q[0], x = q[1], y = q[2], z = q[3];
    const double r[9] = {
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z),     2 * (x * z + w * y),
        2 * (x * y + w * z),     1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y),     2 * (y * z + w * x),     1 - 2 * (x * x + y * y),
    };

    for (int i = 0; i < 9; i++)
        camera->camera_from_patient.m[i / 3][i % 3] = r[i];
}

// The same as make_case() of tests/reference/make-pnp-numbers.py.
static void
make_case(guint number, Case *to)
{
    Stream s = { splitmix(number), 0 };
    guint kind = number % 4;
    double q[4], length2 = 0.0;

    memset(to, 0, sizeof *to);
    to->n = 4 + (gsize) floor((uniform(&s) + 1.0) * (kind == 3 ? 1.0 : 8.0));
    for (int i = 0; i < 4; i++) {
        q[i] = normal(&s);
        length2 += q[i] * q[i];
    }
    for (int i = 0; i < 4; i++)
        q[i] /= sqrt(length2);
    set_rotation(&to->camera, q);
    to->camera.camera_from_patient.m[0][3] = 20.0 * uniform(&s);
    to->camera.camera_from_patient.m[1][3] = 20.0 * uniform(&s);
    to->camera.camera_from_patient.m[2][3] = 450.0 + 150.0 * uniform(&s);
    double f = 1800.0 + 700.0 * uniform(&s);
    to->camera.width = 1280;
    to->camera.height = 960;
    to->camera.k[0] = f;
    to->camera.k[2] = 639.5 + 20.0 * uniform(&s);
    to->camera.k[4] = f * (1.0 + 0.02 * uniform(&s));
    to->camera.k[5] = 479.5 + 20.0 * uniform(&s);
    to->camera.k[8] = 1.0;
    if (number % 3 != 0) {
        static const double sizes[5] = { 0.15, 0.2, 0.002, 0.002, 0.1 };
        for (int i = 0; i < 5; i++)
            to->camera.distortion[i] = sizes[i] * uniform(&s);
    }
    for (gsize i = 0; i < to->n; i++) {
        double a = 35.0 * uniform(&s), b = 35.0 * uniform(&s), c = 35.0 * uniform(&s);
        if (kind == 0)
            c = 0.0;
        else if (kind == 1)
            c = c * 0.03 + (a * a + b * b) / 160.0;
        to->points[i].patient_mm = bg_vec3(a, b, c);
        project(&to->camera, &to->points[i]);
    }
    double sigma = number < 500 ? 2.0 : 0.0;
    for (gsize i = 0; i < to->n; i++) {
        to->points[i].u += sigma * normal(&s);
        to->points[i].v += sigma * normal(&s);
    }
}

static double
turn_deg(const BgCamera *a, const BgCamera *b)
{
    double square = 0.0;

    for (int i = 0; i < 9; i++) {
        double d = a->camera_from_patient.m[i / 3][i % 3] - b->camera_from_patient.m[i / 3][i % 3];
        square += d * d;
    }
    return 2.0 * asin(MIN(sqrt(square / 8.0), 1.0)) / DEG;
}

static double
shift_mm(const BgCamera *a, const BgCamera *b)
{
    return bg_vec3_distance(bg_affine_column(&a->camera_from_patient, 3),
                            bg_affine_column(&b->camera_from_patient, 3));
}

// Never more than 1 % behind the best of OpenCV's ways; exact where there is no noise.
static void
test_opencv(void)
{
    Case c;
    guint n_better = 0, n_refused = 0;

    make_case(17, &c);
    const BgPosePoint *p = &c.points[0];
    const double first[5] = { p->patient_mm.x, p->patient_mm.y, p->patient_mm.z, p->u, p->v };
    for (int i = 0; i < 5; i++)
        g_assert_cmpfloat_with_epsilon(first[i], pnp_case_17[i], 1e-6);

    gint64 start = g_get_monotonic_time();
    for (guint number = 0; number < G_N_ELEMENTS(pnp_opencv_rms_px); number++) {
        g_autoptr(GError) error = NULL;
        BgPoseResult result;
        make_case(number, &c);
        BgPoseParams params = { .camera = c.camera };
        params.camera.camera_from_patient = bg_affine_identity();
        double opencv = (double) pnp_opencv_rms_px[number];
        if (!bg_pose_estimate(c.points, c.n, &params, NULL, &result, &error)) {
            g_test_message("%u: n = %zu: %s", number, c.n, error->message);
            n_refused++;
            g_assert_true(number < 500 && (g_error_matches(error, BG_ERROR, BG_ERROR_INVALID) ||
                                           g_error_matches(error, BG_ERROR, BG_ERROR_MISMATCH)));
            continue;
        }
        if (result.rms_px > 1.01 * opencv + 1e-5)
            g_test_message("%u: n = %zu: %g px, OpenCV %g px", number, c.n, result.rms_px, opencv);
        g_assert_cmpfloat(result.rms_px, <=, 1.01 * opencv + 1e-5);
        n_better += result.rms_px < 0.99 * opencv - 1e-5 ? 1 : 0;
        if (number >= 500) {
            g_assert_cmpfloat(turn_deg(&result.camera, &c.camera), <, 0.01);
            g_assert_cmpfloat(shift_mm(&result.camera, &c.camera), <, 0.05);
        }
    }
    g_assert_cmpuint(n_refused, <=, 2);
    g_test_message("%u of 1000 better than OpenCV by 1 %%; %.1f us a case", n_better,
                   (double) (g_get_monotonic_time() - start) / 1000.0);
}

// 10 to 20 points, every fifth of them 15 px to a picture's width off.
static void
test_outliers(void)
{
    for (guint number = 0; number < 200; number++) {
        g_autoptr(GError) error = NULL;
        BgPoseResult result;
        gboolean used[MAX_POINTS];
        Case c;
        Stream s = { splitmix(7000 + number), 0 };
        guint seed = 4 * number + 500 + (number % 2); // planes and domes
        for (make_case(seed, &c); c.n < 10; make_case(seed += 4, &c))
            ;
        for (gsize i = 0; i < c.n; i++) {
            c.points[i].u += 1.0 * normal(&s);
            c.points[i].v += 1.0 * normal(&s);
        }
        gsize n_bad = c.n / 5;
        for (gsize i = 0; i < n_bad; i++) {
            double angle = G_PI * uniform(&s), far = 15.0 + 600.0 * fabs(uniform(&s));
            c.points[5 * i].u += far * cos(angle);
            c.points[5 * i].v += far * sin(angle);
        }
        BgPoseParams params = { .camera = c.camera, .robust = TRUE, .seed = number, .noise_px = 1 };
        gboolean ok = bg_pose_estimate(c.points, c.n, &params, used, &result, &error);
        g_assert_no_error(error);
        g_assert_true(ok);
        for (gsize i = 0; i < c.n; i++) {
            gboolean bad = i % 5 == 0 && i / 5 < n_bad;
            if (bad && used[i])
                g_test_message("case %u (%u): point %zu of %zu was kept", number, seed, i, c.n);
            g_assert_false(bad && used[i]);
        }
        g_assert_cmpuint(result.n_used, >=, c.n - n_bad - 1);
        g_assert_cmpfloat(result.rms_px, <, 3.0);
    }
}

// 12 points on a dome of the head, seen from outside; 2 px of noise.
static void
make_head_case(guint number, double noise_px, Case *to)
{
    Stream s = { splitmix(90000 + number), 0 };

    memset(to, 0, sizeof *to);
    to->n = 12;
    to->camera = (BgCamera){ .width = 1280, .height = 960 };
    to->camera.k[0] = to->camera.k[4] = 2200.0;
    to->camera.k[2] = 650.0;
    to->camera.k[5] = 470.0;
    to->camera.k[8] = 1.0;
    to->camera.distortion[0] = -0.12;
    to->camera.distortion[3] = 0.001;
    const double q[4] = { 0.5, 0.5, -0.5, 0.5 };
    set_rotation(&to->camera, q);
    BgVec3 outwards = { 0 };
    for (int axis = 0; axis < 3; axis++) // the row that the camera looks along, turned round
        bg_vec3_set(&outwards, axis, -to->camera.camera_from_patient.m[2][axis]);
    BgVec3 right = bg_vec3_normalize(bg_vec3_cross(outwards, bg_vec3(0.3, 0.4, 0.5)));
    BgVec3 up = bg_vec3_cross(outwards, right);
    BgVec3 eye = bg_vec3_scale(outwards, 70.0 + 400.0);
    for (int r = 0; r < 3; r++) {
        const double *m = to->camera.camera_from_patient.m[r];
        to->camera.camera_from_patient.m[r][3] = -bg_vec3_dot(bg_vec3(m[0], m[1], m[2]), eye);
    }
    for (gsize i = 0; i < to->n; i++) {
        double a = 0.4 * uniform(&s), b = 0.4 * uniform(&s);
        BgVec3 at = bg_vec3_along(bg_vec3_along(outwards, a, right), b, up);
        to->points[i].patient_mm = bg_vec3_scale(bg_vec3_normalize(at), 70.0);
        project(&to->camera, &to->points[i]);
        to->points[i].u += noise_px * normal(&s);
        to->points[i].v += noise_px * normal(&s);
    }
}

static void
flip(Case *c)
{
    for (gsize i = 0; i < c->n; i++)
        c->points[i].u = c->camera.width - 1 - c->points[i].u;
}

static void
test_mirrored(void)
{
    for (guint number = 0; number < 100; number++) {
        g_autoptr(GError) error = NULL;
        BgPoseResult result;
        Case c;
        make_head_case(number, 2.0, &c);
        BgPoseParams params = { .camera = c.camera, .robust = TRUE, .has_inside = TRUE };
        g_assert_true(bg_pose_estimate(c.points, c.n, &params, NULL, &result, &error));
        g_assert_cmpfloat(result.rms_px, <, 4.0);
        g_assert_false(result.mirror_unclear);
        params.mirrored = TRUE;
        g_assert_false(bg_pose_estimate(c.points, c.n, &params, NULL, &result, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
        g_clear_error(&error);

        flip(&c);
        g_assert_true(bg_pose_estimate(c.points, c.n, &params, NULL, &result, &error));
        g_assert_true(result.mirrored);
        g_assert_cmpfloat(turn_deg(&result.camera, &c.camera), <, 20.0);
        BgPoseResidual residual;
        bg_pose_residual(&result, &c.points[3], &residual);
        g_assert_cmpfloat(residual.error_px, <, 8.0);
        params.mirrored = FALSE;
        g_assert_false(bg_pose_estimate(c.points, c.n, &params, NULL, &result, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
    }
}

static void
test_focal(void)
{
    for (guint number = 0; number < 20; number++) {
        g_autoptr(GError) error = NULL;
        BgPoseResult result;
        Case c;
        make_head_case(number, 0.0, &c);
        BgPoseParams params = {
            .camera = c.camera, .robust = TRUE, .estimate_focal = TRUE, .noise_px = 0.1
        };
        params.camera.k[0] = params.camera.k[4] = 1000.0;
        c.points[4].u += 200.0;
        g_assert_true(bg_pose_estimate(c.points, c.n, &params, NULL, &result, &error));
        g_assert_cmpuint(result.n_used, ==, c.n - 1);
        g_assert_cmpfloat_with_epsilon(result.camera.k[0], 2200.0, 1e-3);
        g_assert_cmpfloat(turn_deg(&result.camera, &c.camera), <, 1e-4);
        g_assert_cmpint(result.n_parameters, ==, 7);
    }
}

// What the covariance says against what 400 photographs give.
static void
test_covariance(void)
{
    double sum[6] = { 0.0 }, said[6] = { 0.0 }, px2 = 0.0, expected2 = 0.0;
    int n = 400;
    Stream s = { splitmix(4), 0 };
    Case exact;

    make_head_case(0, 0.0, &exact);
    BgPosePoint target = { bg_vec3_scale(exact.points[0].patient_mm, 0.7), 0.0, 0.0 };
    project(&exact.camera, &target);
    for (int trial = 0; trial < n; trial++) {
        BgPoseResult result;
        BgPoseResidual residual;
        Case c = exact;
        for (gsize i = 0; i < c.n; i++) {
            c.points[i].u += normal(&s);
            c.points[i].v += normal(&s);
        }
        BgPoseParams params = { .camera = c.camera, .noise_px = 1.0 };
        g_assert_true(bg_pose_estimate(c.points, c.n, &params, NULL, &result, NULL));
        for (int axis = 0; axis < 3; axis++) {
            double dt = result.camera.camera_from_patient.m[axis][3] -
                        c.camera.camera_from_patient.m[axis][3];
            sum[3 + axis] += dt * dt;
            said[3 + axis] += result.sd_t_mm[axis] * result.sd_t_mm[axis];
            said[axis] += result.sd_rotation_deg[axis] * result.sd_rotation_deg[axis];
        }
        sum[0] += pow(turn_deg(&result.camera, &c.camera), 2.0);
        bg_pose_residual(&result, &target, &residual);
        px2 += residual.error_px * residual.error_px;
        expected2 += residual.expected_px * residual.expected_px;
    }
    // 400 trials tell a variance to 7 %.
    g_assert_cmpfloat(fabs(sum[0] / (said[0] + said[1] + said[2]) - 1.0), <, 0.25);
    for (int axis = 3; axis < 6; axis++)
        g_assert_cmpfloat(fabs(sum[axis] / said[axis] - 1.0), <, 0.25);
    g_assert_cmpfloat(fabs(px2 / expected2 - 1.0), <, 0.25);
}

// Landmarks of @c, each off by a normal error: sd_px along u and v, sd_mm along x, y and z.
static void
make_lists(const Case *c, Stream *s, double sd_px, double sd_mm, BgLandmarks **patient,
           BgLandmarks **picture)
{
    BgLandmark a[MAX_POINTS] = { 0 }, b[MAX_POINTS] = { 0 };

    for (gsize i = 0; i < c->n; i++) {
        g_snprintf(a[i].name, sizeof a[i].name, "p%zu", i);
        g_strlcpy(b[i].name, a[i].name, sizeof b[i].name);
        a[i].placed = b[i].placed = TRUE;
        a[i].position =
            bg_vec3_add(c->points[i].patient_mm,
                        bg_vec3(sd_mm * normal(s), sd_mm * normal(s), sd_mm * normal(s)));
        b[i].position =
            bg_vec3(c->points[i].u + sd_px * normal(s), c->points[i].v + sd_px * normal(s), 0.0);
    }
    *patient = bg_landmarks_new(BG_LANDMARK_PATIENT, a, c->n, NULL);
    *picture = bg_landmarks_new(BG_LANDMARK_PICTURE, b, c->n, NULL);
}

// What stated errors of placing in both are expected to do, against what 400 fits give.
static void
test_expected(void)
{
    Stream s = { splitmix(5), 0 };
    double sum = 0.0, cross = 0.0, squares = 0.0;
    int n = 400;
    BgPoseResult result, known;
    BgPoseTargetError expected, again;
    Case exact;

    make_head_case(0, 0.0, &exact);
    g_autoptr(BgLandmarks) patient = NULL, picture = NULL;
    make_lists(&exact, &s, 0.0, 0.0, &patient, &picture);
    BgPoseStated stated = { .camera = exact.camera,
                            .picture_px = 1.2 * G_SQRT2,
                            .patient_mm = 0.4 * sqrt(3.0) };
    BgPosePoint target = { bg_vec3_scale(exact.points[0].patient_mm, 0.7), 0.0, 0.0 };
    project(&exact.camera, &target);
    g_assert_true(bg_pose_expect(patient, picture, &stated, &result));
    g_assert_true(bg_pose_target_error(&result, target.patient_mm, &expected));

    for (int trial = 0; trial < n; trial++) {
        g_autoptr(BgLandmarks) a = NULL, b = NULL;
        g_autoptr(GArray) residuals = NULL;
        BgPoseParams params = { .camera = exact.camera };
        double u, v, depth_mm;
        make_lists(&exact, &s, 1.2, 0.4, &a, &b);
        g_assert_true(bg_pose_from_landmarks(a, b, &params, &known, &residuals, NULL));
        g_assert_true(bg_camera_project_lens(&known.camera, target.patient_mm, &u, &v, &depth_mm));
        sum += (u - target.u) * (u - target.u) + (v - target.v) * (v - target.v);
        cross += (u - target.u) * (v - target.v);
        squares += (u - target.u) * (u - target.u);
    }
    g_assert_cmpfloat(fabs(sum / n / (expected.rms_px * expected.rms_px) - 1.0), <, 0.25);
    g_assert_cmpfloat(fabs(squares / n / expected.covariance_px[0][0] - 1.0), <, 0.3);
    g_assert_cmpfloat(fabs(cross / n - expected.covariance_px[0][1]), <,
                      0.25 * expected.rms_px * expected.rms_px);
    g_assert_cmpfloat(expected.major_px, >=, expected.minor_px);

    // Twice the error stated, twice the error expected; of a mirror image the ellipse is turned round.
    stated.picture_px *= 2.0;
    stated.patient_mm *= 2.0;
    stated.mirrored = TRUE;
    g_assert_false(bg_pose_expect(patient, picture, &stated, &result)); // all outliers
    stated.mirrored = FALSE;
    g_assert_true(bg_pose_expect(patient, picture, &stated, &result));
    g_assert_true(bg_pose_target_error(&result, target.patient_mm, &again));
    g_assert_cmpfloat_with_epsilon(again.rms_px, 2.0 * expected.rms_px, 1e-9);
    result.mirrored = TRUE;
    g_assert_true(bg_pose_target_error(&result, target.patient_mm, &expected));
    g_assert_cmpfloat_with_epsilon(expected.covariance_px[0][1], -again.covariance_px[0][1], 1e-9);
    stated.picture_px = stated.patient_mm = 0.0;
    g_assert_false(bg_pose_expect(patient, picture, &stated, &result));
}

static void
assert_refused(const Case *c, const BgPoseParams *params, const char *word)
{
    g_autoptr(GError) error = NULL;
    BgPoseResult result = { .n_used = 77 };

    g_assert_false(bg_pose_estimate(c->points, c->n, params, NULL, &result, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, word));
    g_assert_cmpuint(result.n_used, ==, 77);
}

static void
test_refuses(void)
{
    Case c, full;

    make_head_case(1, 0.5, &full);
    BgPoseParams params = { .camera = full.camera, .robust = TRUE };
    c = full;
    c.n = 3;
    assert_refused(&c, &params, "3 points");
    c = full;
    for (gsize i = 0; i < c.n; i++) {
        c.points[i].patient_mm = bg_vec3(2.0 * (double) i, 3.0 * (double) i, -1.0 * (double) i);
        project(&c.camera, &c.points[i]);
    }
    assert_refused(&c, &params, "one line");
    c = full;
    for (gsize i = 0; i < c.n; i++)
        c.points[i].patient_mm = bg_vec3(1, 2, 3);
    assert_refused(&c, &params, "one place");
    c = full;
    for (gsize i = 0; i < c.n; i++) {
        c.points[i].u = 500.0 + 0.1 * (double) i;
        c.points[i].v = 500.0;
    }
    assert_refused(&c, &params, "photograph");
    c = full;
    c.points[2].u = (double) NAN;
    assert_refused(&c, &params, "not a number");
    c = full;
    Stream s = { 5, 0 };
    for (gsize i = 0; i < c.n; i++) {
        c.points[i].u = 640 + 600 * uniform(&s);
        c.points[i].v = 480 + 400 * uniform(&s);
    }
    c.n = 7;
    assert_refused(&c, &params, "agree");
    params.camera.k[0] = 0.0;
    assert_refused(&full, &params, "focal");
}

static void
test_landmarks(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) residuals = NULL;
    BgLandmark volume[MAX_POINTS] = { 0 }, picture[MAX_POINTS] = { 0 };
    BgPoseResult result;
    Case c;

    make_head_case(2, 0.5, &c);
    c.points[5].u += 90.0;
    for (gsize i = 0; i < c.n; i++) {
        g_snprintf(volume[i].name, sizeof volume[i].name, "p%zu", i);
        g_snprintf(picture[i].name, sizeof picture[i].name, "p%zu", c.n - 1 - i);
        volume[i].placed = picture[i].placed = TRUE;
        volume[i].position = c.points[i].patient_mm;
        picture[i].position = bg_vec3(c.points[c.n - 1 - i].u, c.points[c.n - 1 - i].v, 0.0);
    }
    volume[0].use = BG_LANDMARK_CHECK;
    picture[0].use = BG_LANDMARK_SKIP; // p11
    g_autoptr(BgLandmarks) a = bg_landmarks_new(BG_LANDMARK_PATIENT, volume, c.n, NULL);
    g_autoptr(BgLandmarks) b = bg_landmarks_new(BG_LANDMARK_PICTURE, picture, c.n, NULL);
    BgPoseParams params = { .camera = c.camera, .robust = TRUE, .noise_px = 1.0 };

    g_assert_true(bg_pose_from_landmarks(a, b, &params, &result, &residuals, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(residuals->len, ==, c.n - 1);
    g_assert_cmpuint(result.n_used, ==, c.n - 3);
    const BgPoseResidual *check = &g_array_index(residuals, BgPoseResidual, 0);
    const BgPoseResidual *outlier = &g_array_index(residuals, BgPoseResidual, 5);
    g_assert_cmpstr(check->name, ==, "p0");
    g_assert_cmpint(check->use, ==, BG_LANDMARK_CHECK);
    g_assert_false(check->used);
    g_assert_cmpfloat(check->error_px, <, 4.0);
    g_assert_cmpfloat_with_epsilon(check->error_mm, check->error_px * 400.0 / 2200.0,
                                   0.1 * check->error_mm);
    g_assert_false(outlier->used);
    g_assert_cmpfloat_with_epsilon(outlier->error_px, 90.0, 5.0);

    g_clear_pointer(&residuals, g_array_unref);
    g_assert_false(bg_pose_from_landmarks(b, a, &params, &result, &residuals, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

// Bent and straightened: the same place; beyond the fold it is said.
static void
test_lens(void)
{
    Stream s = { 12, 0 };

    for (int i = 0; i < 2000; i++) {
        const double d[5] = { 0.3 * uniform(&s), 0.2 * uniform(&s), 0.01 * uniform(&s),
                              0.01 * uniform(&s), 0.1 * uniform(&s) };
        double x = 0.4 * uniform(&s), y = 0.4 * uniform(&s), xd, yd, back_x, back_y;
        bg_distort(d, x, y, &xd, &yd);
        g_assert_true(bg_undistort(d, xd, yd, &back_x, &back_y));
        g_assert_cmpfloat(hypot(back_x - x, back_y - y), <, 1e-10);

        double p[2], j[4], by_d[10], h = 1e-6, to[2];
        bg_distort_with_derivatives(d, x, y, p, j, by_d);
        g_assert_cmpfloat(hypot(p[0] - xd, p[1] - yd), <, 1e-15);
        bg_distort(d, x + h, y, &to[0], &to[1]);
        g_assert_cmpfloat(hypot((to[0] - xd) / h - j[0], (to[1] - yd) / h - j[2]), <, 1e-5);
        bg_distort(d, x, y + h, &to[0], &to[1]);
        g_assert_cmpfloat(hypot((to[0] - xd) / h - j[1], (to[1] - yd) / h - j[3]), <, 1e-5);
        for (int k = 0; k < 5; k++) {
            double e[5];
            memcpy(e, d, sizeof e);
            e[k] += h;
            bg_distort(e, x, y, &to[0], &to[1]);
            g_assert_cmpfloat(hypot((to[0] - xd) / h - by_d[k], (to[1] - yd) / h - by_d[5 + k]), <,
                              1e-6);
        }
    }
    const double folds[5] = { -0.5, 0, 0, 0, 0 };
    double x, y;
    g_assert_false(bg_undistort(folds, 0.9, 0.0, &x, &y)); // reaches 0.544 at most
}

static void
test_lens_from_sensor(void)
{
    BgLens lens = { 60.0, { 16.0, 12.0 }, { 640, 480 }, { (double) NAN, (double) NAN } };
    BgCamera camera;
    g_autoptr(GError) error = NULL;

    g_assert_true(bg_camera_from_lens(&lens, &camera, &error));
    g_assert_cmpfloat(camera.k[0], ==, 2400.0);
    g_assert_cmpfloat(camera.k[4], ==, 2400.0);
    g_assert_cmpfloat(camera.k[2], ==, 319.5);
    g_assert_cmpfloat_with_epsilon(2.0 * atan(480.0 / 2.0 / camera.k[4]) / DEG, 11.42, 0.005);
    lens.centre_px[0] = 320.0;
    g_assert_true(bg_camera_from_lens(&lens, &camera, &error));
    g_assert_cmpfloat(camera.k[2], ==, 320.0);
    lens.sensor_mm[0] = 0.0;
    g_assert_false(bg_camera_from_lens(&lens, &camera, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pose/opencv", test_opencv);
    g_test_add_func("/pose/outliers", test_outliers);
    g_test_add_func("/pose/mirrored", test_mirrored);
    g_test_add_func("/pose/focal", test_focal);
    g_test_add_func("/pose/covariance", test_covariance);
    g_test_add_func("/pose/expected", test_expected);
    g_test_add_func("/pose/refuses", test_refuses);
    g_test_add_func("/pose/landmarks", test_landmarks);
    g_test_add_func("/lens/there-and-back", test_lens);
    g_test_add_func("/lens/from-sensor", test_lens_from_sensor);
    return g_test_run();
}
