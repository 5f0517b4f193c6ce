// SPDX-License-Identifier: Apache-2.0
// Labels from probabilities, what is cleaned away, diameters, distances along a path. The diameters of a
// real label are those that pyradiomics states for it (AIM-Harvard/pyradiomics, BSD-3-Clause,
// data/baseline: brain1).
#include "core/base/bg-error.h"
#include "core/filter/bg-distance-map.h"
#include "core/io/bg-io.h"
#include "core/segment/bg-label-clean.h"
#include "core/segment/bg-label-shape.h"

#include <math.h>
#include <string.h>

static const int dims[3] = { 20, 18, 16 };

static gsize
place(int i, int j, int k)
{
    return (gsize) (i + 20 * (j + 18 * k));
}

static BgLabelMap *
new_map(guint8 **voxels)
{
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 2, 3));
    guint8 *v = bg_voxels_alloc(&geometry, 1, NULL);

    memset(v, 0, 20 * 18 * 16);
    *voxels = v;
    return bg_label_map_new_take(&geometry, BG_LABEL_UINT8, v, NULL);
}

static void
box(guint8 *v, int i0, int i1, int j0, int j1, int k0, int k1, guint8 label)
{
    for (int k = k0; k <= k1; k++) {
        for (int j = j0; j <= j1; j++) {
            for (int i = i0; i <= i1; i++)
                v[place(i, j, k)] = label;
        }
    }
}

static BgVolume *
new_volume(const float values[4])
{
    BgGeometry geometry = bg_geometry_new_regular((const int[3]){ 4, 1, 1 }, bg_vec3(1, 1, 1));
    float *v = bg_voxels_alloc(&geometry, sizeof(float), NULL);

    memcpy(v, values, 4 * sizeof(float));
    return bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), v, NULL);
}

static void
test_probabilities(void)
{
    static const guint8 labels[3] = { 0, 2, 4 };
    g_autoptr(BgVolume) a = new_volume((const float[4]){ 0.7f, 0.2f, 0.5f, NAN });
    g_autoptr(BgVolume) b = new_volume((const float[4]){ 0.2f, 0.5f, 0.5f, NAN });
    g_autoptr(BgVolume) c = new_volume((const float[4]){ 0.1f, 0.3f, 0.9f, NAN });
    BgVolume *classes[3] = { a, b, c };
    g_autoptr(BgVolume) sure = NULL;

    g_autoptr(BgLabelMap) map = bg_labels_from_probabilities(classes, 3, labels, &sure, NULL);
    static const guint32 wanted[4] = { 0, 2, 4, 0 };
    static const double confidence[4] = { 0.7, 0.5, 0.9 / 1.9, 0.0 };
    for (int i = 0; i < 4; i++) {
        g_assert_cmpuint(bg_label_map_get_label(map, i, 0, 0), ==, wanted[i]);
        g_assert_cmpfloat_with_epsilon(bg_volume_get_value(sure, i, 0, 0), confidence[i], 1e-6);
    }
    g_autoptr(BgLabelMap) regions = bg_labels_from_regions(a, b, c, 0.4, NULL);
    static const guint32 nested[4] = { 2, 1, 4, 0 };
    for (int i = 0; i < 4; i++)
        g_assert_cmpuint(bg_label_map_get_label(regions, i, 0, 0), ==, nested[i]);
}

static gsize
count_label(BgLabelMap *map, guint32 label)
{
    g_autoptr(GArray) counts = bg_label_map_count(map);

    for (guint n = 0; n < counts->len; n++) {
        if (g_array_index(counts, BgLabelCount, n).label == label)
            return g_array_index(counts, BgLabelCount, n).n_voxels;
    }
    return 0;
}

static void
test_clean(void)
{
    guint8 *v;
    g_autoptr(BgLabelMap) map = new_map(&v);
    BgLabelCleaning cleaning = { .n_largest = 1 };
    BgLabelCleaned cleaned;

    box(v, 2, 9, 2, 9, 2, 9, 2);   // 512
    box(v, 4, 6, 4, 6, 4, 6, 1);   // 27 of it are core
    box(v, 5, 5, 5, 5, 5, 5, 0);   // with a hole
    box(v, 14, 16, 2, 4, 2, 4, 1); // 27 apart
    box(v, 18, 18, 15, 15, 14, 14, 2);

    g_autoptr(BgLabelMap) largest = bg_label_map_clean(map, &cleaning, &cleaned, NULL, NULL, NULL);
    g_assert_cmpuint(count_label(largest, 2), ==, 485);
    g_assert_cmpuint(count_label(largest, 1), ==, 26);
    g_assert_cmpuint(cleaned.n_removed, ==, 28);
    g_assert_cmpuint(cleaned.n_filled, ==, 0);

    cleaning = (BgLabelCleaning){ .least_ml = 27 * 6 / 1000.0, .fill_holes = TRUE };
    g_autoptr(BgLabelMap) large = bg_label_map_clean(map, &cleaning, &cleaned, NULL, NULL, NULL);
    g_assert_cmpuint(count_label(large, 2), ==, 485);
    g_assert_cmpuint(count_label(large, 1), ==, 27 + 27);
    g_assert_cmpuint(cleaned.n_removed, ==, 1);
    g_assert_cmpuint(cleaned.n_filled, ==, 1);

    cleaning = (BgLabelCleaning){ .n_largest = 1, .each_label = TRUE };
    g_autoptr(BgLabelMap) each = bg_label_map_clean(map, &cleaning, &cleaned, NULL, NULL, NULL);
    g_assert_cmpuint(count_label(each, 1), ==, 27); // the one apart has no hole
    g_assert_cmpuint(count_label(each, 2), ==, 485);

    g_autoptr(GError) error = NULL;
    cleaning.least_ml = -1.0;
    g_assert_null(bg_label_map_clean(map, &cleaning, NULL, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

static void
test_shape(void)
{
    guint8 *v;
    g_autoptr(BgLabelMap) map = new_map(&v);
    BgLabelRegion region = { "1", { 1 }, 1 };
    BgLabelShape shape;

    g_assert_true(bg_label_shape(map, &region, &shape, NULL, NULL));
    g_assert_cmpfloat(shape.diameter_mm, ==, 0.0);

    // A bar of 10 x 3 voxels of 1 x 2 mm in one slice: its ends are half a voxel further out.
    box(v, 3, 12, 6, 8, 7, 7, 1);
    g_assert_true(bg_label_shape(map, &region, &shape, NULL, NULL));
    g_assert_cmpfloat_with_epsilon(shape.volume_ml, 30 * 6 / 1000.0, 1e-12);
    g_assert_cmpint(shape.rano_axis, ==, 2);
    g_assert_cmpint(shape.rano_slice, ==, 7);
    // From (3, 5.5) to (12, 8.5) in voxels, of 1 and 2 mm.
    g_assert_cmpfloat_with_epsilon(shape.rano_long_mm, hypot(9.0, 6.0), 1e-9);
    g_assert_cmpfloat_with_epsilon(shape.rano_short_mm, hypot(4.0, 6.0), 1e-9); // at a right angle
    g_assert_cmpfloat_with_epsilon(shape.diameter_mm, hypot(9.0, 6.0), 1e-9);
    g_assert_cmpuint(shape.n_parts, ==, 1);

    // One more that touches at a corner, and a speck apart.
    box(v, 13, 13, 9, 9, 8, 8, 1);
    g_assert_true(bg_label_shape(map, &region, &shape, NULL, NULL));
    g_assert_cmpuint(shape.n_parts, ==, 1);
    box(v, 3, 3, 6, 6, 9, 9, 1);
    g_assert_true(bg_label_shape(map, &region, &shape, NULL, NULL));
    g_assert_cmpuint(shape.n_parts, ==, 2);
}

static void
test_pyradiomics(void)
{
    const char *shared = g_getenv("BREGMA_TEST_SHARED");
    g_autofree char *path =
        shared != NULL ? g_build_filename(shared, "brats", "brain1_label.nrrd", NULL) : NULL;
    BgLabelRegion region = { "1", { 1 }, 1 };
    BgLabelShape shape;

    if (path == NULL || !g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_test_skip("BREGMA_TEST_SHARED has no brats/brain1_label.nrrd");
        return;
    }
    g_autoptr(BgLabelMap) map = bg_io_load_labels(path, NULL, NULL, NULL);
    g_assert_true(bg_label_shape(map, &region, &shape, NULL, NULL));
    g_assert_cmpuint(shape.n_voxels, ==, 4137);
    g_assert_cmpfloat_with_epsilon(shape.volume_ml, 16.412658691406243, 1e-6);
    g_assert_cmpfloat_with_epsilon(shape.diameter_mm, 69.6009903059, 1e-6);
    // pyradiomics' in-slice diameter (53.59) also spans from one slice to the next. These are those of
    // tests/reference/label-diameters.py.
    g_assert_cmpint(shape.rano_slice, ==, 12);
    g_assert_cmpfloat_with_epsilon(shape.rano_long_mm, 47.969004478152, 1e-6);
    g_assert_cmpfloat_with_epsilon(shape.rano_short_mm, 17.556410198628, 1e-6);
}

static void
test_path(void)
{
    guint8 *v;
    g_autoptr(BgLabelMap) map = new_map(&v);
    BgPathDistance found;
    const BgGeometry *geometry = bg_label_map_get_geometry(map);

    box(v, 8, 11, 0, 17, 0, 15, 1); // a wall across i
    g_autoptr(BgVolume) distances = bg_distance_map(map, 1, BG_DISTANCE_SIGNED, NULL, NULL, NULL);
    BgVec3 path[2] = { bg_affine_apply(&geometry->patient_from_voxel, bg_vec3(2, 9, 8)),
                       bg_affine_apply(&geometry->patient_from_voxel, bg_vec3(18, 9, 8)) };
    g_autoptr(GArray) profile = NULL;
    g_assert_true(bg_path_distance(distances, path, 2, 0.01, &found, &profile, NULL));
    g_assert_cmpfloat_with_epsilon(found.length_mm, 16.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(found.nearest_mm, -2.0, 1e-6);
    g_assert_cmpfloat_with_epsilon(found.inside_mm, 4.0, 0.05);
    g_assert_cmpfloat_with_epsilon(found.entry_at_mm, 5.5, 0.02);
    g_assert_cmpuint(profile->len, ==, 1601);

    BgVec3 shorter[2] = { path[0],
                          bg_affine_apply(&geometry->patient_from_voxel, bg_vec3(5, 9, 8)) };
    g_assert_true(bg_path_distance(distances, shorter, 2, 0.5, &found, NULL, NULL));
    g_assert_cmpfloat_with_epsilon(found.nearest_mm, 3.0, 1e-6);
    g_assert_cmpfloat_with_epsilon(found.nearest_at_mm, 3.0, 1e-9);
    g_assert_true(isnan(found.entry_at_mm) && found.inside_mm == 0.0);

    BgVec3 away[2] = { bg_vec3(900, 0, 0), bg_vec3(910, 0, 0) };
    g_autoptr(GError) error = NULL;
    g_assert_false(bg_path_distance(distances, away, 2, 0.5, &found, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/label-clean/probabilities", test_probabilities);
    g_test_add_func("/label-clean/clean", test_clean);
    g_test_add_func("/label-shape/bar", test_shape);
    g_test_add_func("/label-shape/pyradiomics", test_pyradiomics);
    g_test_add_func("/label-shape/path", test_path);
    return g_test_run();
}
