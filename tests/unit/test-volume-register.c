// SPDX-License-Identifier: Apache-2.0
// Volumes that lie on each other are moved apart by a known rigid map, and must come back.
#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"
#include "core/io/bg-io.h"
#include "core/phantom/bg-phantom.h"
#include "core/register/bg-mutual-information-private.h"
#include "core/register/bg-volume-register.h"

#include <string.h>

#define MOST_MM 20.0
#define MOST_DEG 20.0
#define GOOD_DEG 0.5

static BgPhantom *head, *ct_head;

static void
make_phantoms(void)
{
    BgPhantomParams params = { .kind = BG_PHANTOM_HEAD, .size = 96, .seed = 4, .tumour = TRUE };
    g_autoptr(GError) error = NULL;

    head = bg_phantom_new(&params, NULL, NULL, &error);
    params.kind = BG_PHANTOM_CT_HEAD;
    ct_head = bg_phantom_new(&params, NULL, NULL, &error);
    g_assert_no_error(error);
}

static BgVolume *
part(const BgPhantom *phantom, const char *name)
{
    return bg_phantom_find(phantom, name)->volume;
}

static BgVolume *
load(const char *name)
{
    const char *folder = g_getenv("BREGMA_TEST_SHARED");
    g_autofree char *path = g_build_filename(folder != NULL ? folder : "", name, NULL);
    BgLoadParams params = bg_load_params_default();

    params.as = BG_LOAD_VOLUME;
    g_autoptr(BgLoaded) loaded = bg_io_load(path, &params, NULL, NULL, NULL);
    return loaded != NULL ? bg_volume_ref(loaded->volume) : NULL;
}

static BgVec3
random_direction(void)
{
    BgVec3 d;

    do
        d = bg_vec3(g_test_rand_double_range(-1, 1), g_test_rand_double_range(-1, 1),
                    g_test_rand_double_range(-1, 1));
    while (bg_vec3_length(d) > 1.0 || bg_vec3_length(d) < 0.1);
    return bg_vec3_normalize(d);
}

static BgVec3
centre_of(BgVolume *volume)
{
    const BgGeometry *g = bg_volume_get_geometry(volume);

    return bg_affine_apply(
        &g->patient_from_voxel,
        bg_vec3(0.5 * (g->dims[0] - 1), 0.5 * (g->dims[1] - 1), 0.5 * (g->dims[2] - 1)));
}

// About the middle of @volume: turned by Rodrigues' formula, then shifted.
static BgAffine
random_map(BgVolume *volume, double most_mm, double most_deg)
{
    BgVec3 k = random_direction(), centre = centre_of(volume), columns[3];
    double angle = g_test_rand_double_range(0, most_deg) * G_PI / 180.0;
    BgVec3 shift = bg_vec3_scale(random_direction(), g_test_rand_double_range(0, most_mm));

    for (int axis = 0; axis < 3; axis++) {
        BgVec3 e = { axis == 0, axis == 1, axis == 2 };
        columns[axis] = bg_vec3_along(
            bg_vec3_along(bg_vec3_scale(e, cos(angle)), sin(angle), bg_vec3_cross(k, e)),
            (1.0 - cos(angle)) * bg_vec3_dot(k, e), k);
    }
    BgAffine turn = bg_affine_from_columns(columns[0], columns[1], columns[2], bg_vec3(0, 0, 0));
    BgVec3 origin = bg_vec3_add(bg_vec3_sub(centre, bg_affine_apply(&turn, centre)), shift);
    return bg_affine_from_columns(columns[0], columns[1], columns[2], origin);
}

static BgVolume *
moved(BgVolume *volume, const BgAffine *map)
{
    BgGeometry geometry = *bg_volume_get_geometry(volume);

    geometry.patient_from_voxel = bg_affine_multiply(map, &geometry.patient_from_voxel);
    return bg_volume_new_at(volume, &geometry, NULL);
}

static double
turn_deg(const BgAffine *a)
{
    double trace = a->m[0][0] + a->m[1][1] + a->m[2][2];
    double skew =
        hypot(hypot(a->m[2][1] - a->m[1][2], a->m[0][2] - a->m[2][0]), a->m[1][0] - a->m[0][1]);

    return atan2(skew, trace - 1.0) * 180.0 / G_PI;
}

// How far the result is from undoing @map: at the middle of the fixed volume, and in degrees.
static void
measure(const BgVolumeRegistration *done, const BgAffine *map, BgVolume *fixed, double *mm,
        double *deg)
{
    BgAffine rest = bg_affine_multiply(bg_transform_get_affine(done->transform), map);
    BgVec3 centre = centre_of(fixed);

    *mm = bg_vec3_distance(bg_affine_apply(&rest, centre), centre);
    *deg = turn_deg(&rest);
}

static double
voxel_mm(BgVolume *volume)
{
    BgVec3 spacing = bg_geometry_spacing_mm(bg_volume_get_geometry(volume));

    return fmin(spacing.x, fmin(spacing.y, spacing.z));
}

static gboolean
comes_back(BgVolume *fixed, BgVolume *moving, BgTransformModel model, guint64 seed)
{
    g_autoptr(GError) error = NULL;
    BgVolumeRegisterParams params = bg_volume_register_params(model);
    BgAffine map = random_map(moving, MOST_MM, MOST_DEG);
    g_autoptr(BgVolume) apart = moved(moving, &map);
    double mm, deg;
    gint64 start_us = g_get_monotonic_time();

    params.seed = seed;
    g_autoptr(BgVolumeRegistration) done =
        bg_volume_register(fixed, apart, &params, NULL, NULL, &error);
    if (done == NULL) {
        g_test_message("refused: %s", error->message);
        return FALSE;
    }
    measure(done, &map, fixed, &mm, &deg);
    g_test_message("%.1f mm, %.1f deg apart: %.3f mm, %.3f deg left; metric %.4f -> %.4f, "
                   "%u evaluations, mirror %.3f, %.2f s",
                   bg_vec3_distance(bg_affine_apply(&map, centre_of(moving)), centre_of(moving)),
                   turn_deg(&map), mm, deg, done->metric_before, done->metric_after,
                   done->n_evaluations, done->metric_mirror / done->metric_proper,
                   (double) (g_get_monotonic_time() - start_us) / 1e6);
    return mm < voxel_mm(fixed) && deg < GOOD_DEG;
}

static void
count_good(BgVolume *fixed, BgVolume *moving, int n, int *n_good, int *n_tried)
{
    for (int i = 0; i < n; i++) {
        *n_good += comes_back(fixed, moving, BG_TRANSFORM_RIGID, (guint64) i);
        *n_tried += 1;
    }
}

static void
test_phantom(void)
{
    int n_good = 0, n_tried = 0, n = g_getenv("BREGMA_TEST_LONG") != NULL ? 20 : 2;

    count_good(part(head, "t1"), part(ct_head, "ct"), n, &n_good, &n_tried);
    count_good(part(head, "t2"), part(head, "t1ce"), n, &n_good, &n_tried);
    g_test_message("%d of %d", n_good, n_tried);
    g_assert_cmpint(n_good * 20, >=, n_tried * 19);
}

// At least 95 of 100.
static void
test_patients(void)
{
    int n_good = 0, n_tried = 0, n = g_getenv("BREGMA_TEST_LONG") != NULL ? 50 : 2;
    g_autoptr(BgVolume) flair = load("brats/brats_2013_pat0001_1/Flair_subtrMeanDivStd.nii.gz");
    g_autoptr(BgVolume) t1c = load("brats/brats_2013_pat0001_1/T1c_subtrMeanDivStd.nii.gz");

    if (flair == NULL || t1c == NULL) {
        g_test_skip("no shared data");
        return;
    }
    count_good(flair, t1c, n, &n_good, &n_tried);
    count_good(t1c, flair, n, &n_good, &n_tried);
    g_test_message("%d of %d", n_good, n_tried);
    g_assert_cmpint(n_good * 20, >=, n_tried * 19);
}

static BgVolume *
mirrored(BgVolume *volume)
{
    BgGeometry geometry = *bg_volume_get_geometry(volume);
    BgVec3 centre = centre_of(volume);

    for (int column = 0; column < 4; column++)
        geometry.patient_from_voxel.m[0][column] = -geometry.patient_from_voxel.m[0][column];
    geometry.patient_from_voxel.m[0][3] += 2.0 * centre.x;
    return bg_volume_new_at(volume, &geometry, NULL);
}

static void
check_mirror(BgVolume *fixed, BgVolume *volume)
{
    g_autoptr(GError) error = NULL;
    BgVolumeRegisterParams params = bg_volume_register_params(BG_TRANSFORM_RIGID);
    g_autoptr(BgVolume) wrong = mirrored(volume);
    BgAffine map = random_map(volume, 10.0, 10.0), flip = bg_affine_identity(), rest;
    g_autoptr(BgVolume) apart = moved(wrong, &map);

    g_assert_null(bg_volume_register(fixed, apart, &params, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
    g_assert_nonnull(strstr(error->message, "mirror"));
    g_clear_error(&error);
    params.allow_mirror = TRUE;
    g_autoptr(BgVolumeRegistration) done =
        bg_volume_register(fixed, apart, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(done->mirror, ==, BG_MIRROR_YES);
    g_assert_cmpuint(done->warnings->len, >, 0);
    flip.m[0][0] = -1.0;
    flip.m[0][3] = 2.0 * centre_of(volume).x;
    rest = bg_affine_multiply(&map, &flip);
    rest = bg_affine_multiply(bg_transform_get_affine(done->transform), &rest);
    g_assert_cmpfloat(turn_deg(&rest), <, GOOD_DEG);
    g_assert_cmpfloat(bg_vec3_distance(bg_affine_apply(&rest, centre_of(fixed)), centre_of(fixed)),
                      <, 1.0);
}

static void
test_mirror_is_said(void)
{
    g_autoptr(BgVolume) flair = load("brats/brats_2013_pat0001_1/Flair_subtrMeanDivStd.nii.gz");
    g_autoptr(BgVolume) t1c = load("brats/brats_2013_pat0001_1/T1c_subtrMeanDivStd.nii.gz");

    if (flair == NULL || t1c == NULL) {
        g_test_skip("no shared data");
        return;
    }
    check_mirror(flair, t1c);
}

static void
test_affine(void)
{
    g_autoptr(GError) error = NULL;
    BgVolumeRegisterParams params = bg_volume_register_params(BG_TRANSFORM_AFFINE);
    BgVolume *fixed = part(head, "t1"), *moving = part(head, "t2");
    BgAffine map = random_map(moving, 10.0, 10.0);
    BgAffine stretch = { { { 1.08, 0.03, 0, 0 }, { 0, 0.95, -0.04, 0 }, { 0.02, 0, 1.03, 0 } } };

    map = bg_affine_multiply(&map, &stretch);
    g_autoptr(BgVolume) apart = moved(moving, &map);
    g_autoptr(BgVolumeRegistration) done =
        bg_volume_register(fixed, apart, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    BgAffine rest = bg_affine_multiply(bg_transform_get_affine(done->transform), &map);
    for (int corner = 0; corner < 8; corner++) {
        BgVec3 p = bg_vec3(corner & 1 ? 70 : -70, corner & 2 ? 70 : -70, corner & 4 ? 70 : -70);
        double mm = bg_vec3_distance(bg_affine_apply(&rest, p), p);
        g_test_message("corner %d: %.3f mm", corner, mm);
        g_assert_cmpfloat(mm, <, 1.0); // 0.4 voxels
    }
}

// With a mask, from landmarks, and normalised.
static void
test_options(void)
{
    g_autoptr(GError) error = NULL;
    BgVolumeRegisterParams params = bg_volume_register_params(BG_TRANSFORM_RIGID);
    BgVolume *fixed = part(head, "t1"), *moving = part(ct_head, "ct");
    BgGeometry grid = *bg_volume_get_geometry(fixed);
    gsize n = bg_geometry_count_voxels(&grid);
    guint8 *inside = bg_voxels_alloc(&grid, 1, NULL);
    BgAffine map = random_map(moving, 15.0, 10.0);
    double mm, deg;

    for (gsize i = 0; i < n; i++) {
        double x = (double) (i % 96) - 47.5, y = (double) (i / 96 % 96) - 47.5;
        double z = (double) (i / 9216) - 47.5;
        inside[i] = x * x + y * y + z * z < 38.0 * 38.0;
    }
    g_autoptr(BgLabelMap) mask = bg_label_map_new_take(&grid, BG_LABEL_UINT8, inside, NULL);
    g_autoptr(BgVolume) apart = moved(moving, &map);
    params.mask = mask;
    params.normalized = TRUE;
    params.start = BG_REGISTER_START_GIVEN;
    BgAffine nudge = random_map(moving, 4.0, 4.0), inverse;
    g_assert_true(bg_affine_invert(&map, &inverse));
    params.fixed_from_moving = bg_affine_multiply(&nudge, &inverse);
    g_autoptr(BgVolumeRegistration) done =
        bg_volume_register(fixed, apart, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    measure(done, &map, fixed, &mm, &deg);
    g_test_message("%.3f mm, %.3f deg; %.4f -> %.4f", mm, deg, done->metric_before,
                   done->metric_after);
    g_assert_cmpfloat(mm, <, 0.5);
    g_assert_cmpfloat(deg, <, 0.25);
    g_assert_cmpfloat(done->metric_after, >, done->metric_before);
    g_assert_cmpint(done->start, ==, BG_REGISTER_START_GIVEN);
}

// The same numbers whatever the threads, and for the same seed; others for another.
static void
test_repeats(void)
{
    BgVolumeRegisterParams params = bg_volume_register_params(BG_TRANSFORM_RIGID);
    BgVolume *fixed = part(head, "t1"), *moving = part(head, "t2");
    BgAffine results[4];

    for (int run = 0; run < 4; run++) {
        params.seed = run == 3 ? 9 : 5;
        bg_parallel_set_threads(run == 1 ? 1 : run == 2 ? 4 : 0);
        g_autoptr(BgVolumeRegistration) done =
            bg_volume_register(fixed, moving, &params, NULL, NULL, NULL);
        results[run] = *bg_transform_get_affine(done->transform);
    }
    bg_parallel_set_threads(0);
    g_assert_cmpfloat(bg_affine_max_difference(&results[0], &results[1]), ==, 0.0);
    g_assert_cmpfloat(bg_affine_max_difference(&results[0], &results[2]), ==, 0.0);
    g_assert_cmpfloat(bg_affine_max_difference(&results[0], &results[3]), >, 0.0);
}

// The gradient against differences of the value, and the two kernels against each other. The value
// bends where a sample crosses into the next voxel, so the twelve are compared as one vector.
static void
check_gradient(BgMiKind kind)
{
    g_autoptr(BgPyramid) fixed = bg_pyramid_new(part(head, "t1"), 2.5, 10.0, NULL, NULL);
    g_autoptr(BgPyramid) moving = bg_pyramid_new(part(ct_head, "ct"), 2.5, 10.0, NULL, NULL);
    BgMiRegion region = { .low = bg_vec3(-90, -90, -90), .high = bg_vec3(90, 90, 90) };
    g_autoptr(BgMiSamples) samples = bg_mi_samples_new(fixed, 1, &region, 30000, 3);
    g_autoptr(BgMi) fast = bg_mi_new(kind, samples, moving, 1);
    BgAffine map = random_map(part(head, "t1"), 10.0, 10.0);
    BgMiResult here, plain, up, down;
    double off = 0.0, all = 0.0;
    const double step = 0.02;

    g_setenv("BREGMA_PLAIN_CPU", "1", TRUE);
    g_autoptr(BgMi) slow = bg_mi_new(kind, samples, moving, 1);
    g_unsetenv("BREGMA_PLAIN_CPU");
    bg_mi_evaluate(fast, &map, TRUE, &here);
    bg_mi_evaluate(slow, &map, TRUE, &plain);
    g_assert_cmpfloat(fabs(here.value - plain.value), <, 1e-5);
    for (int i = 0; i < 12; i++) {
        BgVec3 centre = bg_affine_apply(&map, samples->centre);
        int row = i < 3 ? i : (i - 3) / 3, column = (i - 3) % 3;
        double found = i < 3 ? here.shift[row] : here.stretch[row][column];
        double by_plain = i < 3 ? plain.shift[row] : plain.stretch[row][column];
        double scale = i < 3 ? 1.0 : samples->radius_mm, difference[2];
        for (int side = 0; side < 2; side++) {
            BgAffine nudge = bg_affine_identity();
            double d = (side == 0 ? step : -step) / scale;
            if (i < 3) {
                nudge.m[row][3] = d;
            } else {
                nudge.m[row][column] += d;
                nudge.m[row][3] = -d * bg_vec3_get(centre, column);
            }
            BgAffine there = bg_affine_multiply(&nudge, &map);
            bg_mi_evaluate(fast, &there, FALSE, side == 0 ? &up : &down);
            difference[side] = side == 0 ? up.value : down.value;
        }
        double expected = (difference[0] - difference[1]) / (2.0 * step);
        g_test_message("%d: %.6f, by differences %.6f", i, found / scale, expected);
        g_assert_cmpfloat(fabs(found - by_plain) / scale, <, 1e-5);
        off += (found / scale - expected) * (found / scale - expected);
        all += expected * expected;
    }
    g_test_message("%.4f of the gradient's length apart", sqrt(off / all));
    g_assert_cmpfloat(sqrt(off), <, 0.02 * sqrt(all));
}

static void
test_gradient(void)
{
    check_gradient(BG_MI_MATTES);
    check_gradient(BG_MI_NORMALIZED);
}

static void
test_refuses(void)
{
    g_autoptr(GError) error = NULL;
    BgVolumeRegisterParams params = bg_volume_register_params(BG_TRANSFORM_RIGID);
    const int dims[3] = { 20, 20, 20 }, flat_dims[3] = { 40, 40, 1 };
    BgGeometry grid = bg_geometry_new_regular(dims, bg_vec3(2, 2, 2));
    BgGeometry flat_grid = bg_geometry_new_regular(flat_dims, bg_vec3(2, 2, 2));
    guint8 *zeros = bg_voxels_alloc(&grid, 1, NULL), *few = bg_voxels_alloc(&flat_grid, 1, NULL);

    memset(zeros, 0, 8000);
    memset(few, 0, 1600);
    g_autoptr(BgVolume) plain =
        bg_volume_new_take(&grid, bg_sample_format_plain(BG_SAMPLE_UINT8), zeros, NULL);
    g_autoptr(BgVolume) flat =
        bg_volume_new_take(&flat_grid, bg_sample_format_plain(BG_SAMPLE_UINT8), few, NULL);

    g_assert_null(bg_volume_register(part(head, "t1"), plain, &params, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "same value"));
    g_clear_error(&error);
    g_assert_null(bg_volume_register(flat, part(head, "t1"), &params, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    params.model = BG_TRANSFORM_TPS;
    g_assert_null(
        bg_volume_register(part(head, "t1"), part(head, "t2"), &params, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);

    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_cancellable_cancel(cancellable);
    params.model = BG_TRANSFORM_RIGID;
    g_assert_null(
        bg_volume_register(part(head, "t1"), part(head, "t2"), &params, NULL, cancellable, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_point(void)
{
    g_autoptr(GError) error = NULL;
    BgPointRefinement refined;
    int n_good = 0;
    // Places with edges in all directions: the rims of the ventricles and of the tumour.
    for (int i = 0; i < 20; i++) {
        BgVec3 p = bg_vec3_scale(random_direction(), 45.0);
        BgVec3 miss = bg_vec3_scale(random_direction(), 2.5);
        BgAffine map = bg_affine_identity();
        map.m[0][3] = miss.x, map.m[1][3] = miss.y, map.m[2][3] = miss.z;
        if (bg_volume_refine_point(part(head, "t1"), part(head, "t2"), p, &map, 25.0, 1, &refined,
                                   NULL, NULL))
            n_good += bg_vec3_distance(refined.moving_mm, p) < 0.5;
    }
    g_test_message("%d of 20 within 0.5 mm", n_good);
    g_assert_cmpint(n_good, >=, 18);
    BgAffine map = bg_affine_identity();
    g_assert_false(bg_volume_refine_point(part(head, "t1"), part(head, "t2"), bg_vec3(0, 0, 900),
                                          &map, 10.0, 1, &refined, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    make_phantoms();
    g_test_add_func("/volume-register/phantom", test_phantom);
    g_test_add_func("/volume-register/patients", test_patients);
    g_test_add_func("/volume-register/mirror-is-said", test_mirror_is_said);
    g_test_add_func("/volume-register/affine", test_affine);
    g_test_add_func("/volume-register/options", test_options);
    g_test_add_func("/volume-register/repeats", test_repeats);
    g_test_add_func("/volume-register/gradient", test_gradient);
    g_test_add_func("/volume-register/refuses", test_refuses);
    g_test_add_func("/volume-register/point", test_point);
    int status = g_test_run();
    bg_phantom_free(head);
    bg_phantom_free(ct_head);
    return status;
}
