// SPDX-License-Identifier: Apache-2.0
// What prepares a volume for measuring, against numpy and scipy.ndimage (make-prepare-numbers.py); N4
// against fields that the test itself makes.
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/filter/bg-mask.h"
#include "core/filter/bg-morphology.h"
#include "core/filter/bg-n4.h"
#include "core/filter/bg-nlm.h"
#include "core/filter/bg-normalize.h"
#include "core/filter/bg-otsu.h"

#include "tests/reference/prepare-numbers.h"

#include <math.h>
#include <string.h>

#define NX 19
#define NY 17
#define NZ 11
#define COUNT (NX * NY * NZ)

static const int dims[3] = { NX, NY, NZ };

static double
value_at(gint64 i, gint64 j, gint64 k)
{
    gint64 noise = (i * 7919 + j * 104729 + k * 1299709 + i * j * k * 31) % 41;

    return (double) (noise + ((i - 9) * (i - 9) + (j - 8) * (j - 8) < 30 ? 200 : 0) + 3 * k);
}

static gboolean
mask_at(gint64 i, gint64 j, gint64 k)
{
    gint64 speck = (i * 37 + j * 101 + k * 53 + i * j * 7 + j * k * 11) % 10;

    return speck < 4 || (ABS(i - 9) + ABS(j - 8) + ABS(k - 5) < 7 && speck < 8);
}

static BgVolume *
make_volume(void)
{
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1.5, 1.0, 2.0));
    gint16 *v = bg_voxels_alloc(&geometry, 2, NULL);

    for (int n = 0; n < COUNT; n++)
        v[n] = (gint16) value_at(n % NX, n / NX % NY, n / NX / NY);
    return bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), v, NULL);
}

static BgLabelMap *
make_mask(void)
{
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1.5, 1.0, 2.0));
    guint8 *v = bg_voxels_alloc(&geometry, 1, NULL);

    for (int n = 0; n < COUNT; n++)
        v[n] = mask_at(n % NX, n / NX % NY, n / NX / NY);
    return bg_label_map_new_take(&geometry, BG_LABEL_UINT8, v, NULL);
}

static void
check_numbers(BgVolume *volume, const double numbers[32], double sum, double tolerance)
{
    const float *v = bg_volume_get_samples(volume);
    double total = 0.0;

    for (int n = 0; n < 32; n++)
        g_assert_cmpfloat_with_epsilon((double) v[n * 7919 % COUNT], numbers[n], tolerance);
    for (int n = 0; n < COUNT; n++)
        total += (double) v[n];
    g_assert_cmpfloat_with_epsilon(total, sum, tolerance * COUNT);
}

static void
check_normalize(BgNormalizeMethod method, BgLabelMap *mask, gboolean per_slice,
                const double numbers[32], double sum)
{
    BgNormalizeParams params = bg_normalize_params(method);
    g_autoptr(BgVolume) volume = make_volume();

    params.mask = mask;
    params.per_slice = per_slice;
    params.low_percent = 2.0;
    params.high_percent = 97.0;
    g_autoptr(BgVolume) result = bg_normalize(volume, &params, NULL, NULL, NULL);
    check_numbers(result, numbers, sum, 1e-6);
}

static void
test_normalize(void)
{
    g_autoptr(BgLabelMap) mask = make_mask();

    check_normalize(BG_NORMALIZE_MINMAX, NULL, FALSE, reference_minmax, reference_minmax_sum);
    check_normalize(BG_NORMALIZE_ZSCORE, NULL, FALSE, reference_zscore, reference_zscore_sum);
    check_normalize(BG_NORMALIZE_PERCENTILE, NULL, FALSE, reference_clipped, reference_clipped_sum);
    check_normalize(BG_NORMALIZE_PERCENTILE, mask, FALSE, reference_masked, reference_masked_sum);
    check_normalize(BG_NORMALIZE_PERCENTILE, NULL, TRUE, reference_slices, reference_slices_sum);

    g_autoptr(BgVolume) volume = make_volume();
    BgNormalizeParams params = bg_normalize_params(BG_NORMALIZE_PERCENTILE);
    g_autoptr(GError) error = NULL;
    params.low_percent = 99.9;
    g_assert_null(bg_normalize(volume, &params, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

static void
test_nlm(void)
{
    BgNlmParams params = { .patch_radius = 1, .search_radius = 2, .sigma = 9.0, .strength = 0.8 };
    g_autoptr(BgVolume) volume = make_volume();
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) cancelled = NULL;
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    double sigma;

    g_autoptr(BgVolume) result = bg_nlm(volume, &params, &sigma, NULL, NULL, NULL);
    g_assert_cmpfloat(sigma, ==, 9.0);
    check_numbers(result, reference_nlm, reference_nlm_sum, 1e-3);
    params.search_radius = 99;
    g_assert_null(bg_nlm(volume, &params, NULL, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    params.search_radius = 2;
    g_cancellable_cancel(cancellable);
    g_assert_null(bg_nlm(volume, &params, NULL, NULL, cancellable, &cancelled));
    g_assert_error(cancelled, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_noise_estimate(void)
{
    BgGeometry geometry = bg_geometry_new_regular((const int[3]){ 40, 40, 40 }, bg_vec3(1, 1, 1));
    float *v = bg_voxels_alloc(&geometry, 4, NULL);
    BgNlmParams params = bg_nlm_params_default();
    double sigma;

    for (int n = 0; n < 64000; n++) {
        double sum = -6.0;
        for (int k = 0; k < 12; k++)
            sum += g_test_rand_double();
        v[n] = (float) (500.0 + n / 1600 + 7.0 * sum);
    }
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), v, NULL);
    g_autoptr(BgVolume) result = bg_nlm(volume, &params, &sigma, NULL, NULL, NULL);
    g_assert_cmpfloat_with_epsilon(sigma, 7.0, 0.35);
    double left = 0.0;
    for (int n = 0; n < 64000; n++) {
        double d = (double) ((const float *) bg_volume_get_samples(result))[n] - (500.0 + n / 1600);
        left += d * d / 64000.0;
    }
    g_assert_cmpfloat(sqrt(left), <, 3.0);
}

static void
check_parts(BgConnectivity connectivity, const int numbers[3])
{
    g_autoptr(BgLabelMap) labels = make_mask();
    guint8 mask[COUNT];
    g_autofree guint32 *parts = g_new(guint32, COUNT);
    g_autoptr(GArray) sizes = NULL;
    int n = 0, small = 0;

    memcpy(mask, bg_label_map_get_labels(labels), COUNT);
    g_assert_true(bg_components(mask, dims, connectivity, parts, &sizes, NULL, NULL));
    g_assert_cmpuint(sizes->len, ==, (guint) numbers[0]);
    for (guint p = 0; p < sizes->len; p++)
        small += g_array_index(sizes, gsize, p) < 3;
    g_assert_cmpint(small, ==, numbers[2]);
    g_assert_true(bg_drop_small(mask, dims, connectivity, 3, NULL, NULL));
    g_assert_true(bg_keep_largest(mask, dims, connectivity, 1, NULL, NULL));
    for (int v = 0; v < COUNT; v++)
        n += mask[v];
    g_assert_cmpint(n, ==, numbers[1]);
}

static void
test_parts(void)
{
    g_autoptr(BgLabelMap) labels = make_mask();

    check_parts(BG_CONNECT_6, reference_parts_6);
    check_parts(BG_CONNECT_18, reference_parts_18);
    check_parts(BG_CONNECT_26, reference_parts_26);
    g_autoptr(BgLabelMap) filled =
        bg_morphology(labels, 1, BG_MORPHOLOGY_FILL, 0.0, NULL, NULL, NULL);
    g_autoptr(GArray) counts = bg_label_map_count(filled);
    g_assert_cmpuint(g_array_index(counts, BgLabelCount, 0).n_voxels, ==, (gsize) reference_filled);
}

static int
count_ones(const guint8 *mask)
{
    int n = 0;

    for (int v = 0; v < COUNT; v++)
        n += mask[v];
    return n;
}

static void
test_balls(void)
{
    const double spacing_mm[3] = { 1.5, 1.0, 2.0 };
    guint8 dilated[COUNT], eroded[COUNT];

    for (int n = 0; n < COUNT; n++) {
        int i = n % NX, j = n / NX % NY, k = n / NX / NY;
        dilated[n] = mask_at(i, NY - 1 - j, k) && value_at(i, j, k) > 180.0;
        eroded[n] = !(mask_at(i, j, k) && value_at(i, j, k) > 215.0);
    }
    g_assert_true(bg_ball_dilate(dilated, dims, spacing_mm, 3.0, NULL, NULL));
    g_assert_true(bg_ball_erode(eroded, dims, spacing_mm, 3.0, NULL, NULL));
    g_assert_cmpint(count_ones(dilated), ==, reference_dilated);
    g_assert_cmpint(count_ones(eroded), ==, reference_eroded);
}

static void
test_mask(void)
{
    g_autoptr(BgVolume) volume = make_volume();
    g_autoptr(BgLabelMap) labels = make_mask();
    g_autoptr(BgVolume) result = bg_volume_mask(volume, labels, NULL, 0, -5.0, NULL);
    const guint32 other = 2;
    g_autoptr(BgVolume) nothing = bg_volume_mask(volume, labels, &other, 1, 1e9, NULL);

    for (int n = 0; n < COUNT; n++) {
        int i = n % NX, j = n / NX % NY, k = n / NX / NY;
        g_assert_cmpfloat(bg_volume_get_value(result, i, j, k), ==,
                          mask_at(i, j, k) ? value_at(i, j, k) : -5.0);
        g_assert_cmpfloat(bg_volume_get_value(nothing, i, j, k), ==, 32767.0);
    }
}

// Three tissues in balls, a smooth field over them, a little noise.
static BgVolume *
make_shaded(int size, float **field)
{
    BgGeometry geometry =
        bg_geometry_new_regular((const int[3]){ size, size, size }, bg_vec3(1, 1, 1));
    float *v = bg_voxels_alloc(&geometry, 4, NULL), *at = v;

    *field = g_new(float, (gsize) size *(gsize) size *(gsize) size);
    float *f = *field;
    for (int k = 0; k < size; k++) {
        for (int j = 0; j < size; j++) {
            for (int i = 0; i < size; i++) {
                double x = 2.0 * i / (size - 1) - 1, y = 2.0 * j / (size - 1) - 1;
                double z = 2.0 * k / (size - 1) - 1, r = sqrt(x * x + y * y + z * z);
                double fold = sin(14 * x) * sin(13 * y) * sin(12 * z);
                double tissue = r > 0.9 ? 0.0 : (r > 0.75 ? 300.0 : (fold > 0.1 ? 600.0 : 480.0));
                *f = (float) exp(0.3 * x + 0.2 * y * z - 0.25 * z * z);
                *at++ = (float) (tissue * (double) *f++ + 8.0 * (g_test_rand_double() - 0.5));
            }
        }
    }
    return bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), v, NULL);
}

static void
test_n4(void)
{
    float *truth;
    g_autoptr(BgVolume) volume = make_shaded(64, &truth);
    g_autoptr(BgVolume) field = NULL;
    BgN4Params params = bg_n4_params_default();
    BgN4Report report;
    double sums[2][3] = { { 0 } };

    params.shrink = 2;
    g_autoptr(BgVolume) corrected = bg_n4(volume, &params, &field, &report, NULL, NULL, NULL);
    g_assert_nonnull(corrected);
    g_assert_cmpint(report.iterations[0], >, 1);
    const float *v = bg_volume_get_samples(volume), *c = bg_volume_get_samples(corrected);
    const float *f = bg_volume_get_samples(field);
    for (int n = 0; n < 64 * 64 * 64; n++) {
        if (v[n] < 100.0f)
            continue;
        double ratios[2] = { (double) truth[n], (double) f[n] / (double) truth[n] };
        for (int which = 0; which < 2; which++) {
            sums[which][0] += 1.0;
            sums[which][1] += ratios[which];
            sums[which][2] += ratios[which] * ratios[which];
        }
        g_assert_cmpfloat_with_epsilon((double) c[n], (double) (v[n] / f[n]), 1e-3);
    }
    double cv[2];
    for (int which = 0; which < 2; which++) {
        double mean = sums[which][1] / sums[which][0];
        cv[which] = sqrt(sums[which][2] / sums[which][0] - mean * mean) / mean;
    }
    g_test_message("coefficient of variation of the field: %.4f before, %.4f left", cv[0], cv[1]);
    g_assert_cmpfloat(cv[0], >, 0.1);
    g_assert_cmpfloat(cv[1], <, 0.012);
    g_free(truth);
}

static void
test_n4_refuses(void)
{
    g_autoptr(BgVolume) volume = make_volume();
    BgN4Params params = bg_n4_params_default();
    g_autoptr(GError) shrink = NULL;
    g_autoptr(GError) empty = NULL;
    g_autoptr(GError) cancelled = NULL;
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    BgGeometry geometry = *bg_volume_get_geometry(volume);
    guint8 *none = bg_voxels_alloc(&geometry, 1, NULL);

    params.shrink = 0;
    g_assert_null(bg_n4(volume, &params, NULL, NULL, NULL, NULL, &shrink));
    g_assert_error(shrink, BG_ERROR, BG_ERROR_INVALID);
    memset(none, 0, COUNT);
    g_autoptr(BgLabelMap) mask = bg_label_map_new_take(&geometry, BG_LABEL_UINT8, none, NULL);
    params = bg_n4_params_default();
    params.mask = mask;
    g_assert_null(bg_n4(volume, &params, NULL, NULL, NULL, NULL, &empty));
    g_assert_error(empty, BG_ERROR, BG_ERROR_INVALID);
    params.mask = NULL;
    g_cancellable_cancel(cancellable);
    g_assert_null(bg_n4(volume, &params, NULL, NULL, NULL, cancellable, &cancelled));
    g_assert_error(cancelled, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

// A bright ball inside of a bright shell, joined by a thin bridge: the ball is the brain.
static void
test_brain_mask(void)
{
    BgGeometry geometry = bg_geometry_new_regular((const int[3]){ 60, 60, 60 }, bg_vec3(1, 1, 1));
    float *v = bg_voxels_alloc(&geometry, 4, NULL);

    for (int n = 0; n < 216000; n++) {
        int i = n % 60 - 30, j = n / 60 % 60 - 30, k = n / 3600 - 30;
        double r = sqrt(i * i + j * j + k * k);
        gboolean bright = r < 18 || (r > 23 && r < 27) || (ABS(i) < 2 && ABS(j) < 2 && r < 27);
        v[n] = bright && r > 4 ? 100.0f : 1.0f;
    }
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), v, NULL);
    g_autoptr(BgLabelMap) brain = bg_brain_mask(volume, 3.0, NULL, NULL, NULL);
    g_assert_cmpuint(bg_label_map_get_label(brain, 30, 30, 30), ==, 1); // a hole, filled
    g_assert_cmpuint(bg_label_map_get_label(brain, 46, 30, 30), ==, 1);
    g_assert_cmpuint(bg_label_map_get_label(brain, 55, 30, 30), ==, 0); // the shell
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/prepare/normalize", test_normalize);
    g_test_add_func("/prepare/nlm", test_nlm);
    g_test_add_func("/prepare/noise-estimate", test_noise_estimate);
    g_test_add_func("/prepare/parts", test_parts);
    g_test_add_func("/prepare/balls", test_balls);
    g_test_add_func("/prepare/mask", test_mask);
    g_test_add_func("/prepare/n4", test_n4);
    g_test_add_func("/prepare/n4-refuses", test_n4_refuses);
    g_test_add_func("/prepare/brain-mask", test_brain_mask);
    return g_test_run();
}
