// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/volume/bg-label-map.h"
#include "core/volume/bg-volume.h"

#define N 4

static BgGeometry
small_geometry(void)
{
    return bg_geometry_new_regular((const int[3]){ N, N, N }, bg_vec3(1, 2, 3));
}

// Samples 0, 1, 2, ... as int16.
static gpointer
ramp(void)
{
    BgGeometry geometry = small_geometry();
    gint16 *samples = bg_voxels_alloc(&geometry, sizeof *samples, NULL);

    for (int i = 0; i < N * N * N; i++)
        samples[i] = (gint16) i;
    return samples;
}

static const BgSampleFormat hounsfield = { BG_SAMPLE_INT16, 0.5, -1024.0, FALSE };

typedef struct {
    const char *name;
    int dim_x;
    double scale_x;
} BadGeometry;

static const BadGeometry bad_geometries[] = {
    { "no-voxels", 0, 1.0 },
    { "negative", -1, 1.0 },
    { "too-many", BG_VOLUME_MAX_DIM + 1, 1.0 },
    { "flat-voxel", 2, 0.0 },
    { "nan-affine", 2, (double) NAN },
    { "infinite-affine", 2, (double) INFINITY },
};

static void
test_refuses_bad_geometry(gconstpointer data)
{
    const BadGeometry *bad = data;
    g_autoptr(GError) error = NULL;
    BgGeometry geometry = small_geometry();
    geometry.dims[0] = bad->dim_x;
    geometry.patient_from_voxel.m[0][0] = bad->scale_x;

    BgVolume *volume = bg_volume_new_take(&geometry, hounsfield, ramp(), &error);

    g_assert_null(volume);
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
}

static void
test_refuses_bad_scale(void)
{
    static const double bad[][2] = { { 0.0, 0.0 },
                                     { (double) NAN, 0.0 },
                                     { 1.0, (double) INFINITY } };

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        BgGeometry geometry = small_geometry();
        BgSampleFormat format = { BG_SAMPLE_INT16, bad[i][0], bad[i][1], FALSE };

        g_assert_null(bg_volume_new_take(&geometry, format, ramp(), &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
    }
}

static void
test_refuses_short_bytes(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = g_bytes_new_take(g_malloc0(2 * N * N * N - 1), 2 * N * N * N - 1);
    BgGeometry geometry = small_geometry();

    g_assert_null(bg_volume_new_bytes(&geometry, hounsfield, bytes, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
}

static void
test_reads_rows_in_order_with_scale(void)
{
    BgGeometry geometry = small_geometry();
    g_autoptr(BgVolume) volume = bg_volume_new_take(&geometry, hounsfield, ramp(), NULL);
    float row[N];

    bg_volume_read_row(volume, 2, 3, row);
    for (int i = 0; i < N; i++) {
        g_assert_cmpfloat(row[i], ==, (i + N * (2 + N * 3)) * 0.5f - 1024.0f);
        g_assert_cmpfloat(bg_volume_get_value(volume, i, 2, 3), ==, (double) row[i]);
    }
}

// A trilinear field is read back exactly anywhere: value = 0.5 * (i + 4 j + 16 k) - 1024.
static void
test_samples_linearly_in_patient_space(void)
{
    BgGeometry geometry = small_geometry();
    g_autoptr(BgVolume) volume = bg_volume_new_take(&geometry, hounsfield, ramp(), NULL);
    double value;

    for (int trial = 0; trial < 200; trial++) {
        BgVec3 voxel =
            bg_vec3(g_test_rand_double_range(0, N - 1), g_test_rand_double_range(0, N - 1),
                    g_test_rand_double_range(0, N - 1));
        BgVec3 patient_mm = bg_affine_apply(&geometry.patient_from_voxel, voxel);
        double expected = 0.5 * (voxel.x + N * voxel.y + N * N * voxel.z) - 1024.0;

        g_assert_true(bg_volume_sample_linear(volume, patient_mm, &value));
        g_assert_cmpfloat_with_epsilon(value, expected, 1e-9);
    }
    g_assert_false(bg_volume_sample_linear(volume, bg_vec3(100, 0, 0), &value));
    g_assert_false(bg_volume_sample_linear(volume, bg_vec3((double) NAN, 0, 0), &value));
}

static void
note_serial(guint64 serial, gpointer user_data)
{
    *(guint64 *) user_data = serial;
}

static void
test_tells_watchers_of_its_end(void)
{
    guint64 gone = 0;
    guint id = bg_volume_watch(note_serial, &gone);
    BgGeometry geometry = small_geometry();
    BgVolume *volume = bg_volume_new_take(&geometry, hounsfield, ramp(), NULL);
    BgVolume *moved = bg_volume_new_at(volume, &geometry, NULL);
    guint64 serial = bg_volume_get_serial(volume), moved_serial = bg_volume_get_serial(moved);

    g_assert_cmpuint(serial, !=, moved_serial);
    bg_volume_unref(volume);
    g_assert_cmpuint(gone, ==, serial);
    g_assert_cmpfloat(bg_volume_get_value(moved, 1, 0, 0), ==, -1023.5); // samples are shared
    bg_volume_unwatch(id);
    bg_volume_unref(moved);
    g_assert_cmpuint(gone, ==, serial);
}

// Every axis code, made from its letters, is read back from the affine, oblique too.
static void
test_names_all_48_axis_codes(void)
{
    static const char letters[3][2] = { { 'L', 'R' }, { 'P', 'A' }, { 'S', 'I' } };
    int n_codes = 0;

    for (int permutation = 0; permutation < 27; permutation++) {
        int axes[3] = { permutation % 3, permutation / 3 % 3, permutation / 9 };
        if (axes[0] == axes[1] || axes[1] == axes[2] || axes[0] == axes[2])
            continue;
        for (int flips = 0; flips < 8; flips++) {
            BgGeometry geometry = { .dims = { 3, 4, 5 } };
            char expected[4] = "", code[4];
            BgAffine a = bg_affine_identity();
            for (int axis = 0; axis < 3; axis++) {
                for (int row = 0; row < 3; row++)
                    a.m[row][axis] = 0.2 * (row + 1); // oblique and sheared by some degrees
                a.m[axes[axis]][axis] = (flips >> axis & 1) ? -2.0 : 2.0;
                expected[axis] = letters[axes[axis]][flips >> axis & 1];
            }
            geometry.patient_from_voxel = a;
            bg_geometry_axis_code(&geometry, code);
            g_assert_cmpstr(code, ==, expected);
            n_codes++;
        }
    }
    g_assert_cmpint(n_codes, ==, 48);
}

static void
test_labels_are_exact(void)
{
    BgGeometry geometry = small_geometry();
    BgSampleFormat plain = bg_sample_format_plain(BG_SAMPLE_INT16);
    g_autoptr(BgVolume) volume = bg_volume_new_take(&geometry, plain, ramp(), NULL);
    g_autoptr(BgLabelMap) labels = bg_label_map_new_from_volume(volume, NULL);
    g_autoptr(GArray) counts = bg_label_map_count(labels);

    g_assert_cmpint(bg_label_map_get_label_type(labels), ==, BG_LABEL_UINT8);
    g_assert_cmpuint(counts->len, ==, N * N * N - 1); // 0 is background
    for (guint i = 0; i < counts->len; i++) {
        g_assert_cmpuint(g_array_index(counts, BgLabelCount, i).label, ==, i + 1);
        g_assert_cmpuint(g_array_index(counts, BgLabelCount, i).n_voxels, ==, 1);
    }
    BgVec3 patient_mm = bg_affine_apply(&geometry.patient_from_voxel, bg_vec3(2.4, 0.6, 3));
    g_assert_cmpuint(bg_label_map_sample_nearest(labels, patient_mm), ==, 2 + N * 1 + N * N * 3);
    g_assert_cmpuint(bg_label_map_sample_nearest(labels, bg_vec3(99, 0, 0)), ==, 0);
}

static void
test_refuses_values_that_are_no_labels(void)
{
    BgGeometry geometry = small_geometry();
    g_autoptr(GError) error = NULL;
    g_autoptr(BgVolume) halves = bg_volume_new_take(&geometry, hounsfield, ramp(), NULL);

    g_assert_null(bg_label_map_new_from_volume(halves, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(bad_geometries); i++) {
        g_autofree char *path = g_strdup_printf("/volume/refuses/%s", bad_geometries[i].name);
        g_test_add_data_func(path, &bad_geometries[i], test_refuses_bad_geometry);
    }
    g_test_add_func("/volume/refuses/bad-scale", test_refuses_bad_scale);
    g_test_add_func("/volume/refuses/short-bytes", test_refuses_short_bytes);
    g_test_add_func("/volume/rows-in-order-with-scale", test_reads_rows_in_order_with_scale);
    g_test_add_func("/volume/samples-linearly", test_samples_linearly_in_patient_space);
    g_test_add_func("/volume/tells-watchers-of-its-end", test_tells_watchers_of_its_end);
    g_test_add_func("/geometry/48-axis-codes", test_names_all_48_axis_codes);
    g_test_add_func("/label-map/exact", test_labels_are_exact);
    g_test_add_func("/label-map/refuses/no-labels", test_refuses_values_that_are_no_labels);
    return g_test_run();
}
