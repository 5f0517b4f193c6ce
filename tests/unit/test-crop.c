// SPDX-License-Identifier: Apache-2.0
// Cropping, padding and reordering: values move, their place in the patient does not.
#include "core/base/bg-error.h"
#include "core/volume/bg-crop.h"
#include "core/volume/bg-reorient.h"

static BgGeometry
oblique(void)
{
    // i mostly to R, j mostly to S, k mostly to P: "RSP"
    return (BgGeometry){
        .dims = { 5, 4, 3 },
        .patient_from_voxel = { { { -0.9, 0.10, 0.05, 11.0 },
                                  { 0.07, -0.2, 2.10, -3.0 },
                                  { 0.02, 1.40, 0.30, 8.0 } } },
    };
}

static BgVolume *
ramp(void)
{
    BgGeometry geometry = oblique();
    gint16 *samples = bg_voxels_alloc(&geometry, sizeof *samples, NULL);

    for (int v = 0; v < 60; v++)
        samples[v] = (gint16) (v * v - 300);
    return bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), samples, NULL);
}

static BgLabelMap *
spots(void)
{
    BgGeometry geometry = oblique();
    guint8 *labels = bg_voxels_alloc(&geometry, 1, NULL);

    memset(labels, 0, 60);
    labels[1 + 5 * (1 + 4 * 1)] = 3;
    labels[3 + 5 * (2 + 4 * 1)] = 3;
    labels[4 + 5 * (0 + 4 * 2)] = 9;
    return bg_label_map_new_take(&geometry, BG_LABEL_UINT8, labels, NULL);
}

// Each voxel of @part that lies inside of @whole has its value, at its place; the rest is @fill.
static void
assert_same_places(BgVolume *whole, BgVolume *part, double fill, gsize n_shared)
{
    const BgGeometry *geometry = bg_volume_get_geometry(part);
    BgAffine voxel_from_patient = bg_geometry_voxel_from_patient(bg_volume_get_geometry(whole));
    const int *dims = bg_volume_get_geometry(whole)->dims;
    gsize n = 0;

    for (int k = 0; k < geometry->dims[2]; k++) {
        for (int j = 0; j < geometry->dims[1]; j++) {
            for (int i = 0; i < geometry->dims[0]; i++) {
                BgVec3 at_mm = bg_affine_apply(&geometry->patient_from_voxel, bg_vec3(i, j, k));
                BgVec3 at = bg_affine_apply(&voxel_from_patient, at_mm);
                int x = (int) lround(at.x), y = (int) lround(at.y), z = (int) lround(at.z);
                double value = bg_volume_get_value(part, i, j, k);

                g_assert_cmpfloat_with_epsilon(bg_vec3_distance(at, bg_vec3(x, y, z)), 0.0, 1e-9);
                if (x >= 0 && x < dims[0] && y >= 0 && y < dims[1] && z >= 0 && z < dims[2]) {
                    g_assert_cmpfloat(value, ==, bg_volume_get_value(whole, x, y, z));
                    n++;
                } else {
                    g_assert_cmpfloat(value, ==, fill);
                }
            }
        }
    }
    g_assert_cmpuint(n, ==, n_shared);
}

static void
test_crops_and_pads(void)
{
    static const struct {
        BgVoxelBox box;
        gsize n_shared;
    } cases[] = {
        { { { 1, 0, 1 }, { 3, 2, 2 } }, 18 },   { { { 0, 0, 0 }, { 4, 3, 2 } }, 60 },
        { { { -2, 1, -1 }, { 6, 1, 1 } }, 10 }, { { { 3, 3, 2 }, { 8, 9, 3 } }, 2 },
        { { { 7, 0, 0 }, { 9, 1, 1 } }, 0 },
    };
    g_autoptr(BgVolume) volume = ramp();

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(BgVolume) part = bg_volume_cut(volume, &cases[i].box, -77.0, NULL);
        assert_same_places(volume, part, -77.0, cases[i].n_shared);
    }
}

static void
test_refuses_boxes(void)
{
    static const BgVoxelBox empty = { { 2, 0, 0 }, { 1, 0, 0 } };
    static const BgVoxelBox outside = { { 0, 0, 0 }, { 5, 0, 0 } };
    static const BgVoxelBox huge = { { G_MININT, 0, 0 }, { G_MAXINT, 0, 0 } };
    g_autoptr(BgVolume) volume = ramp();
    g_autoptr(GError) a = NULL, b = NULL, c = NULL;

    g_assert_null(bg_volume_cut(volume, &empty, 0.0, &a));
    g_assert_error(a, BG_ERROR, BG_ERROR_INVALID);
    g_assert_null(bg_volume_crop(volume, &outside, &b));
    g_assert_error(b, BG_ERROR, BG_ERROR_INVALID);
    g_assert_null(bg_volume_cut(volume, &huge, 0.0, &c));
    g_assert_error(c, BG_ERROR, BG_ERROR_INVALID);
}

static void
assert_box(const BgVoxelBox *box, int i0, int i1, int j0, int j1, int k0, int k1)
{
    g_assert_cmpint(box->first[0], ==, i0);
    g_assert_cmpint(box->last[0], ==, i1);
    g_assert_cmpint(box->first[1], ==, j0);
    g_assert_cmpint(box->last[1], ==, j1);
    g_assert_cmpint(box->first[2], ==, k0);
    g_assert_cmpint(box->last[2], ==, k1);
}

static void
test_bounds_of_labels(void)
{
    g_autoptr(BgLabelMap) labels = spots();
    g_autoptr(GError) missing = NULL, margin = NULL;
    BgVoxelBox box;

    g_assert_true(bg_label_map_bounds(labels, 3, 0.0, &box, NULL));
    assert_box(&box, 1, 3, 1, 2, 1, 1);
    g_assert_true(bg_label_map_bounds(labels, 0, 0.0, &box, NULL));
    assert_box(&box, 1, 4, 0, 2, 1, 2);
    // Spacings are about 0.90, 1.42 and 2.12 mm: 1 mm is 2, 1 and 1 voxels; clamped to the grid.
    g_assert_true(bg_label_map_bounds(labels, 3, 1.0, &box, NULL));
    assert_box(&box, 0, 4, 0, 3, 0, 2);
    g_assert_true(bg_label_map_bounds(labels, 9, 0.5, &box, NULL));
    assert_box(&box, 3, 4, 0, 1, 1, 2);

    g_assert_false(bg_label_map_bounds(labels, 5, 0.0, &box, &missing));
    g_assert_error(missing, BG_ERROR, BG_ERROR_INVALID);
    g_assert_false(bg_label_map_bounds(labels, 3, -1.0, &box, &margin));
    g_assert_error(margin, BG_ERROR, BG_ERROR_INVALID);

    const BgVoxelBox padded = { { 1, -1, 1 }, { 3, 2, 1 } };
    g_autoptr(BgLabelMap) part = bg_label_map_cut(labels, &padded, NULL);
    g_assert_cmpuint(bg_label_map_get_label(part, 0, 2, 0), ==, 3);
    g_assert_cmpuint(bg_label_map_get_label(part, 2, 3, 0), ==, 3);
    g_assert_cmpuint(bg_label_map_get_label(part, 0, 0, 0), ==, 0);
}

static void
test_reorients_to_all_codes(void)
{
    static const char letters[3][2] = { { 'L', 'R' }, { 'P', 'A' }, { 'S', 'I' } };
    static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    g_autoptr(BgVolume) volume = ramp();
    char code[4] = { 0 };

    bg_geometry_axis_code(bg_volume_get_geometry(volume), code);
    g_assert_cmpstr(code, ==, "RSP");
    for (int order = 0; order < 6; order++) {
        for (int signs = 0; signs < 8; signs++) {
            char got[4];
            for (int axis = 0; axis < 3; axis++)
                code[axis] = letters[orders[order][axis]][(signs >> axis) & 1];
            g_autoptr(BgVolume) turned = bg_volume_reorient(volume, code, NULL);

            bg_geometry_axis_code(bg_volume_get_geometry(turned), got);
            g_assert_cmpstr(got, ==, code);
            assert_same_places(volume, turned, 0.0, 60);
            g_autoptr(BgVolume) back = bg_volume_reorient(turned, "RSP", NULL);
            g_assert_cmpmem(bg_volume_get_samples(back), bg_volume_get_n_bytes(back),
                            bg_volume_get_samples(volume), bg_volume_get_n_bytes(volume));
            g_assert_true(bg_geometry_equal(bg_volume_get_geometry(back),
                                            bg_volume_get_geometry(volume), 1e-12));
        }
    }
}

static void
test_reorients_labels(void)
{
    g_autoptr(BgLabelMap) labels = spots();
    g_autoptr(BgLabelMap) turned = bg_label_map_reorient(labels, "lps", NULL);
    const BgGeometry *geometry = bg_label_map_get_geometry(turned);
    gsize n = 0;

    for (int k = 0; k < geometry->dims[2]; k++) {
        for (int j = 0; j < geometry->dims[1]; j++) {
            for (int i = 0; i < geometry->dims[0]; i++) {
                BgVec3 at_mm = bg_affine_apply(&geometry->patient_from_voxel, bg_vec3(i, j, k));
                guint32 label = bg_label_map_get_label(turned, i, j, k);
                g_assert_cmpuint(label, ==, bg_label_map_sample_nearest(labels, at_mm));
                n += label != 0 ? 1 : 0;
            }
        }
    }
    g_assert_cmpuint(n, ==, 3);
}

static void
test_refuses_codes(void)
{
    static const char *const codes[] = { "", "LP", "LPSI", "LRS", "LLS", "XPS", "L S" };
    g_autoptr(BgVolume) volume = ramp();

    for (guint i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(bg_volume_reorient(volume, codes[i], &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/crop/crops-and-pads", test_crops_and_pads);
    g_test_add_func("/crop/refuses-boxes", test_refuses_boxes);
    g_test_add_func("/crop/bounds-of-labels", test_bounds_of_labels);
    g_test_add_func("/reorient/all-codes", test_reorients_to_all_codes);
    g_test_add_func("/reorient/labels", test_reorients_labels);
    g_test_add_func("/reorient/refuses-codes", test_refuses_codes);

    return g_test_run();
}
