// SPDX-License-Identifier: Apache-2.0
// Statistics, histograms, resampling, Gaussian and median against scipy.ndimage and numpy, by the
// path for this processor and by the plain one.
#include "core/base/bg-error.h"
#include "core/filter/bg-gaussian.h"
#include "core/filter/bg-median.h"
#include "core/volume/bg-histogram.h"
#include "core/volume/bg-resample.h"
#include "core/volume/bg-statistics.h"
#include "tests/reference/filter-numbers.h"

#define NX 23
#define NY 19
#define NZ 17
#define N_VOXELS (NX * NY * NZ)

static int
formula(int i, int j, int k)
{
    return (i * 7919 + j * 104729 + k * 1299709 + i * j * k * 31) % 1009 - 300 + 12 * i;
}

static BgGeometry
grid(void)
{
    const int dims[3] = { NX, NY, NZ };

    return bg_geometry_new_regular(dims, bg_vec3(0.5, 2.0, 1.25));
}

// @slope: stored as (value - 100) / slope. 0.5 and 1 are exact.
static BgVolume *
make(BgSampleType type, double slope)
{
    BgGeometry geometry = grid();
    gpointer samples = bg_voxels_alloc(&geometry, bg_sample_type_size(type), NULL);
    BgSampleFormat format = { type, slope, slope == 1.0 ? 0.0 : 100.0, FALSE };
    gsize at = 0;

    for (int k = 0; k < NZ; k++) {
        for (int j = 0; j < NY; j++) {
            for (int i = 0; i < NX; i++, at++) {
                double sample = (formula(i, j, k) - format.intercept) / slope;
                if (type == BG_SAMPLE_INT16)
                    ((gint16 *) samples)[at] = (gint16) sample;
                else
                    ((float *) samples)[at] = (float) sample;
            }
        }
    }
    return bg_volume_new_take(&geometry, format, samples, NULL);
}

static double
value_at(BgVolume *volume, gsize index)
{
    const int *dims = bg_volume_get_geometry(volume)->dims;
    gsize nx = (gsize) dims[0], ny = (gsize) dims[1];

    return bg_volume_get_value(volume, (int) (index % nx), (int) (index / nx % ny),
                               (int) (index / nx / ny));
}

static void
assert_is(BgVolume *volume, const double *voxels, double sum, double squares, double tolerance)
{
    gsize n = bg_geometry_count_voxels(bg_volume_get_geometry(volume));
    double our_sum = 0.0, our_squares = 0.0;

    for (gsize v = 0; v < 64; v++)
        g_assert_cmpfloat(fabs(value_at(volume, v * 7919 % n) - voxels[v]), <=, tolerance);
    for (gsize v = 0; v < n; v++) {
        double value = value_at(volume, v);
        our_sum += value;
        our_squares += value * value;
    }
    g_assert_cmpfloat(fabs(our_sum - sum), <=, tolerance * (double) n);
    g_assert_cmpfloat_with_epsilon(our_squares, squares,
                                   2.0 * tolerance * sqrt(squares * (double) n) + 1e-6);
}

#define ASSERT_IS(volume, name, tolerance)                                                  \
    assert_is(volume, reference_##name, reference_##name##_sum, reference_##name##_squares, \
              tolerance)

static void
test_statistics(void)
{
    static const BgSampleType types[] = { BG_SAMPLE_INT16, BG_SAMPLE_INT16, BG_SAMPLE_FLOAT32 };
    static const double slopes[] = { 1.0, -0.5, 1.0 };

    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(BgVolume) volume = make(types[i], slopes[i]);
        BgStatistics statistics;
        double values[7];

        g_assert_true(bg_volume_statistics(volume, &statistics, NULL, NULL));
        g_assert_cmpuint(statistics.n, ==, N_VOXELS);
        g_assert_cmpfloat(statistics.min, ==, reference_statistics[0]);
        g_assert_cmpfloat(statistics.max, ==, reference_statistics[1]);
        g_assert_cmpfloat_with_epsilon(statistics.mean, reference_statistics[2], 1e-10);
        g_assert_cmpfloat(statistics.sum, ==, reference_statistics[3]);
        g_assert_cmpfloat_with_epsilon(statistics.standard_deviation, reference_statistics[4],
                                       1e-9);

        g_assert_true(bg_volume_percentiles(volume, BG_PERCENTILE_OF_ALL, reference_percents, 7,
                                            values, NULL, NULL));
        for (guint p = 0; p < 7; p++)
            g_assert_cmpfloat_with_epsilon(values[p], reference_percentiles[p], 1e-9);
        g_assert_true(bg_volume_percentiles(volume, BG_PERCENTILE_OF_NONZERO, reference_percents, 7,
                                            values, NULL, NULL));
        for (guint p = 0; p < 7; p++)
            g_assert_cmpfloat_with_epsilon(values[p], reference_percentiles_nonzero[p], 1e-9);

        g_autoptr(BgHistogram) histogram = bg_histogram_new(volume, 13, -250.3, 700.9, NULL, NULL);
        guint64 n_counted = histogram->n_below + histogram->n_above;
        for (guint bin = 0; bin < 13; bin++) {
            g_assert_cmpuint(histogram->counts[bin], ==, (guint64) reference_histogram[bin]);
            n_counted += histogram->counts[bin];
        }
        g_assert_cmpuint(n_counted, ==, N_VOXELS);
    }
}

static void
test_statistics_leave_out_what_is_not_finite(void)
{
    const int dims[3] = { 5, 1, 1 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    float *samples = bg_voxels_alloc(&geometry, sizeof *samples, NULL);
    const float values[5] = { -2.0f, NAN, INFINITY, 4.0f, -INFINITY };
    const double half = 50.0;
    double median;
    BgStatistics statistics;
    BgWindow window;

    memcpy(samples, values, sizeof values);
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), samples, NULL);
    g_assert_true(bg_volume_statistics(volume, &statistics, NULL, NULL));
    g_assert_cmpuint(statistics.n, ==, 2);
    g_assert_cmpuint(statistics.n_nan, ==, 1);
    g_assert_cmpuint(statistics.n_infinite, ==, 2);
    g_assert_cmpfloat(statistics.min, ==, -2.0);
    g_assert_cmpfloat(statistics.max, ==, 4.0);
    g_assert_cmpfloat(statistics.mean, ==, 1.0);
    g_assert_cmpfloat(statistics.standard_deviation, ==, 3.0);
    g_assert_true(
        bg_volume_percentiles(volume, BG_PERCENTILE_OF_ALL, &half, 1, &median, NULL, NULL));
    g_assert_cmpfloat(median, ==, 1.0);
    g_assert_true(bg_volume_default_window(volume, &window, NULL, NULL));
    g_assert_cmpfloat_with_epsilon(window.centre, 1.0, 1e-12);
}

static void
test_windows_of_one_value(void)
{
    static const float values[] = { 0.0f, 7.0f, NAN };
    static const double centres[] = { 0.5, 7.0, 0.5 };

    for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
        BgGeometry geometry = grid();
        float *samples = bg_voxels_alloc(&geometry, sizeof *samples, NULL);
        BgWindow window;

        for (gsize v = 0; v < N_VOXELS; v++)
            samples[v] = values[i];
        g_autoptr(BgVolume) volume =
            bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), samples, NULL);
        g_assert_true(bg_volume_default_window(volume, &window, NULL, NULL));
        g_assert_cmpfloat(window.centre, ==, centres[i]);
        g_assert_cmpfloat(window.width, ==, 1.0);
    }
}

static void
test_histogram_ends(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgVolume) volume = make(BG_SAMPLE_INT16, 1.0);
    double low = reference_statistics[0], high = reference_statistics[1];
    g_autoptr(BgHistogram) all = bg_histogram_new(volume, 100, low, high, NULL, NULL);

    g_assert_cmpuint(all->n_below + all->n_above, ==, 0); // the last bin holds its upper end
    g_assert_cmpuint(all->counts[99], >, 0);
    g_assert_null(bg_histogram_new(volume, 10, 5.0, 5.0, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

// A ramp of 3 a voxel along y, whose spacing is 2 mm: gradient 1.5 everywhere.
static void
test_histogram_of_gradients_is_in_mm(void)
{
    BgGeometry geometry = grid();
    gint16 *samples = bg_voxels_alloc(&geometry, sizeof *samples, NULL);

    for (gsize v = 0; v < N_VOXELS; v++)
        samples[v] = (gint16) (3 * (v / NX % NY));
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), samples, NULL);
    g_autoptr(BgHistogram2d) histogram = bg_histogram2d_new(volume, 4, 8, 0.0, 54.0, NULL, NULL);
    guint64 sum = 0;

    g_assert_cmpfloat_with_epsilon(histogram->high_gradient, 1.5, 1e-12);
    for (guint v = 0; v < 4; v++)
        sum += histogram->counts[v + 4 * 7];
    g_assert_cmpuint(sum, ==, N_VOXELS);
}

static void
test_gaussian(void)
{
    BgGeometry geometry = grid();
    BgVec3 spacing = bg_geometry_spacing_mm(&geometry);
    BgVec3 sigma_mm = bg_vec3(reference_sigma[0] * spacing.x, reference_sigma[1] * spacing.y,
                              reference_sigma[2] * spacing.z);

    for (int i = 0; i < 3; i++) {
        g_autoptr(BgVolume) volume =
            make(i == 1 ? BG_SAMPLE_FLOAT32 : BG_SAMPLE_INT16, i == 2 ? 0.5 : 1.0);
        g_autoptr(BgVolume) smooth = bg_gaussian(volume, sigma_mm, NULL, NULL, NULL);
        g_assert_cmpint(bg_volume_get_format(smooth).type, ==, BG_SAMPLE_FLOAT32);
        ASSERT_IS(smooth, gaussian, 2e-4);
    }
}

static void
test_gaussian_of_zero_copies(void)
{
    g_autoptr(BgVolume) volume = make(BG_SAMPLE_INT16, 1.0);
    g_autoptr(BgVolume) same = bg_gaussian(volume, bg_vec3(0, 0, 0), NULL, NULL, NULL);
    g_autoptr(GError) error = NULL;

    for (gsize v = 0; v < N_VOXELS; v++)
        g_assert_cmpfloat(value_at(volume, v), ==, value_at(same, v));
    g_assert_null(bg_gaussian(volume, bg_vec3(1, -1, 1), NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_null(bg_gaussian(volume, bg_vec3(1, (double) NAN, 1), NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

static void
test_median(void)
{
    for (int i = 0; i < 2; i++) {
        g_autoptr(BgVolume) volume = make(i == 0 ? BG_SAMPLE_INT16 : BG_SAMPLE_FLOAT32, 1.0);
        g_autoptr(BgVolume) one = bg_median(volume, 1, NULL, NULL, NULL);
        g_autoptr(BgVolume) two = bg_median(volume, 2, NULL, NULL, NULL);
        g_autoptr(BgVolume) zero = bg_median(volume, 0, NULL, NULL, NULL);

        ASSERT_IS(one, median1, 0.0);
        ASSERT_IS(two, median2, 0.0);
        g_assert_cmpmem(bg_volume_get_samples(zero), bg_volume_get_n_bytes(zero),
                        bg_volume_get_samples(volume), bg_volume_get_n_bytes(volume));
    }
}

// The target's grid is such that its voxels map to the source's as the reference says.
static BgResampleParams
reference_params(const BgGeometry *source)
{
    BgResampleParams params = { .target = { .dims = { 29, 18, 21 } } };
    BgAffine map;

    for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 4; column++)
            map.m[row][column] = reference_map[4 * row + column];
    }
    params.target.patient_from_voxel = bg_affine_multiply(&source->patient_from_voxel, &map);
    params.source_from_target = bg_affine_identity();
    params.output = BG_RESAMPLE_FLOAT32;
    params.outside_value = -5.0;
    return params;
}

static void
test_resample(void)
{
    BgGeometry geometry = grid();
    BgResampleParams params = reference_params(&geometry);

    for (int i = 0; i < 3; i++) {
        g_autoptr(BgVolume) volume =
            make(i == 1 ? BG_SAMPLE_FLOAT32 : BG_SAMPLE_INT16, i == 2 ? 0.5 : 1.0);
        params.method = BG_RESAMPLE_NEAREST;
        g_autoptr(BgVolume) nearest = bg_resample(volume, &params, NULL, NULL, NULL);
        params.method = BG_RESAMPLE_LINEAR;
        g_autoptr(BgVolume) linear = bg_resample(volume, &params, NULL, NULL, NULL);
        params.method = BG_RESAMPLE_CUBIC;
        g_autoptr(BgVolume) cubic = bg_resample(volume, &params, NULL, NULL, NULL);

        ASSERT_IS(nearest, nearest, 0.0);
        ASSERT_IS(linear, linear, 5e-4);
        ASSERT_IS(cubic, cubic, 2e-3);
    }
}

// The same through a transform between frames: moving the target and telling so cancels out.
static void
test_resample_through_a_transform(void)
{
    g_autoptr(BgVolume) volume = make(BG_SAMPLE_FLOAT32, 1.0);
    BgResampleParams params = reference_params(bg_volume_get_geometry(volume));
    BgAffine moved = {
        { { 0.0, -1.0, 0.0, 12.0 }, { 1.0, 0.0, 0.1, -7.0 }, { 0.0, 0.0, 1.0, 3.0 } }
    };

    params.method = BG_RESAMPLE_LINEAR;
    params.target.patient_from_voxel =
        bg_affine_multiply(&moved, &params.target.patient_from_voxel);
    g_assert_true(bg_affine_invert(&moved, &params.source_from_target));
    g_autoptr(BgVolume) linear = bg_resample(volume, &params, NULL, NULL, NULL);
    ASSERT_IS(linear, linear, 5e-4);

    g_autoptr(GError) error = NULL;
    params.source_from_target.m[1][2] = (double) NAN;
    g_assert_null(bg_resample(volume, &params, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

static void
test_resample_rounds_and_clamps(void)
{
    const int dims[3] = { 2, 1, 1 }, target_dims[3] = { 3, 1, 1 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    guint8 *samples = bg_voxels_alloc(&geometry, 1, NULL);
    samples[0] = 10;
    samples[1] = 13;
    BgSampleFormat format = { BG_SAMPLE_UINT8, 2.0, -4.0, FALSE };
    g_autoptr(BgVolume) volume = bg_volume_new_take(&geometry, format, samples, NULL);
    BgGeometry target = bg_geometry_new_regular(target_dims, bg_vec3(0.5, 1, 1));
    BgResampleParams params = bg_resample_params(&target);
    params.outside_value = 1e9;

    g_autoptr(BgVolume) middle = bg_resample(volume, &params, NULL, NULL, NULL);
    g_assert_cmpfloat(bg_volume_get_value(middle, 0, 0, 0), ==, 16.0);
    g_assert_cmpfloat(bg_volume_get_value(middle, 1, 0, 0), ==, 20.0); // 11.5 -> 12
    g_assert_cmpfloat(bg_volume_get_value(middle, 2, 0, 0), ==, 22.0);

    params.target.patient_from_voxel.m[0][3] = 50.0;
    g_autoptr(BgVolume) outside = bg_resample(volume, &params, NULL, NULL, NULL);
    g_assert_cmpfloat(bg_volume_get_value(outside, 0, 0, 0), ==, 506.0); // 255 * 2 - 4
}

// Onto itself every method but the splines copies, also next to what is not a number.
static void
test_resample_onto_itself_copies(void)
{
    BgGeometry geometry = grid();
    float *samples = bg_voxels_alloc(&geometry, sizeof *samples, NULL);

    for (gsize v = 0; v < N_VOXELS; v++)
        samples[v] = v % 11 == 0 ? NAN : (float) g_test_rand_double_range(-1e6, 1e6);
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), samples, NULL);
    BgResampleParams params = bg_resample_params(&geometry);

    for (int method = BG_RESAMPLE_NEAREST; method <= BG_RESAMPLE_LINEAR; method++) {
        params.method = (BgResampleMethod) method;
        g_autoptr(BgVolume) copy = bg_resample(volume, &params, NULL, NULL, NULL);
        g_assert_cmpmem(bg_volume_get_samples(copy), bg_volume_get_n_bytes(copy),
                        bg_volume_get_samples(volume), bg_volume_get_n_bytes(volume));
    }
    // Splines: not a number where it was, near the rest.
    params.method = BG_RESAMPLE_CUBIC;
    g_autoptr(BgVolume) spline = bg_resample(volume, &params, NULL, NULL, NULL);
    for (gsize v = 0; v < N_VOXELS; v++) {
        double was = value_at(volume, v), is = value_at(spline, v);
        g_assert_cmpint(isnan(was), ==, isnan(is));
        if (!isnan(was))
            g_assert_cmpfloat_with_epsilon(was, is, 2.0);
    }
}

static void
test_resample_labels_keeps_numbers(void)
{
    BgGeometry geometry = grid();
    guint32 *labels = bg_voxels_alloc(&geometry, sizeof *labels, NULL);

    for (gsize v = 0; v < N_VOXELS; v++)
        labels[v] = (guint32) (v * 2654435761u);
    g_autoptr(BgLabelMap) map = bg_label_map_new_take(&geometry, BG_LABEL_UINT32, labels, NULL);
    BgResampleParams params = reference_params(&geometry);
    params.method = BG_RESAMPLE_LINEAR; // not heeded
    g_autoptr(BgLabelMap) result = bg_resample_labels(map, &params, NULL, NULL, NULL);
    gsize n_seen = 0;

    for (int k = 0; k < 21; k++) {
        for (int j = 0; j < 18; j++) {
            for (int i = 0; i < 29; i++) {
                BgVec3 at_mm = bg_affine_apply(&params.target.patient_from_voxel, bg_vec3(i, j, k));
                guint32 label = bg_label_map_get_label(result, i, j, k);
                g_assert_cmpuint(label, ==, bg_label_map_sample_nearest(map, at_mm));
                n_seen += label != 0 ? 1 : 0;
            }
        }
    }
    g_assert_cmpuint(n_seen, >, 1000);
}

static void
test_spacing_keeps_the_centre(void)
{
    BgGeometry geometry = grid(), other;
    g_autoptr(GError) error = NULL;

    g_assert_true(bg_geometry_new_spacing(&geometry, bg_vec3(1.0, 1.0, 1.0), &other, NULL));
    g_assert_cmpint(other.dims[0], ==, 12); // 11.5 rounds up
    g_assert_cmpint(other.dims[1], ==, 38);
    g_assert_cmpint(other.dims[2], ==, 21); // 21.25
    g_assert_cmpfloat_with_epsilon(
        bg_vec3_distance(bg_geometry_centre_mm(&geometry), bg_geometry_centre_mm(&other)), 0.0,
        1e-12);
    g_assert_cmpfloat_with_epsilon(bg_geometry_spacing_mm(&other).x, 1.0, 1e-12);
    g_assert_false(bg_geometry_new_spacing(&geometry, bg_vec3(1.0, 0.0, 1.0), &other, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_false(bg_geometry_new_spacing(&geometry, bg_vec3(1e-9, 1.0, 1.0), &other, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/statistics/against-numpy", test_statistics);
    g_test_add_func("/statistics/not-finite", test_statistics_leave_out_what_is_not_finite);
    g_test_add_func("/statistics/windows-of-one-value", test_windows_of_one_value);
    g_test_add_func("/histogram/ends", test_histogram_ends);
    g_test_add_func("/histogram/gradients-in-mm", test_histogram_of_gradients_is_in_mm);
    g_test_add_func("/gaussian/against-scipy", test_gaussian);
    g_test_add_func("/gaussian/zero-copies", test_gaussian_of_zero_copies);
    g_test_add_func("/median/against-scipy", test_median);
    g_test_add_func("/resample/against-scipy", test_resample);
    g_test_add_func("/resample/transform", test_resample_through_a_transform);
    g_test_add_func("/resample/rounds-and-clamps", test_resample_rounds_and_clamps);
    g_test_add_func("/resample/onto-itself", test_resample_onto_itself_copies);
    g_test_add_func("/resample/labels", test_resample_labels_keeps_numbers);
    g_test_add_func("/resample/spacing", test_spacing_keeps_the_centre);

    return g_test_run();
}
