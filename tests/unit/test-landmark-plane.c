// SPDX-License-Identifier: Apache-2.0
// Against numpy and scipy (tests/reference/landmark-plane.py), and shapes worked by hand.
#include "core/base/bg-error.h"
#include "core/phantom/bg-phantom.h"
#include "core/register/bg-landmark-plane.h"
#include "core/surface/bg-isosurface.h"
#include "core/surface/bg-mesh-measures.h"
#include "tests/reference/landmark-plane-numbers.h"

#include <string.h>

#define DEPTH 15.0

static BgVec3 points[9];

static void
fit(BgLandmarkPlane *plane)
{
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < 9; i++)
        points[i] = bg_vec3(plane_points[i][0], plane_points[i][1], plane_points[i][2]);
    g_assert_true(bg_landmark_plane_fit(points, 9, plane, &error));
    g_assert_no_error(error);
    bg_landmark_plane_turn(plane, bg_vec3(0, 0, 0));
}

static void
assert_near(BgVec3 a, const double *b, double tolerance)
{
    g_assert_cmpfloat(bg_vec3_distance(a, bg_vec3(b[0], b[1], b[2])), <, tolerance);
}

static void
test_plane_of_numpy(void)
{
    BgLandmarkPlane plane;

    fit(&plane);
    assert_near(plane.centroid_mm, plane_centroid, 1e-9);
    assert_near(plane.normal, plane_normal, 1e-9);
    g_assert_cmpfloat(fabs(plane.rms_mm - plane_rms), <, 1e-9);
    g_assert_cmpfloat(fabs(plane.condition - plane_condition), <, 1e-9);
    BgVec3 third = bg_vec3_cross(plane.u, plane.v);
    g_assert_cmpfloat(bg_vec3_distance(third, plane.normal), <, 1e-12);
}

static void
test_three_points(void)
{
    const double expected[3] = { 0, 0, 1 };
    BgLandmarkPlane plane;

    g_assert_true(bg_landmark_plane_three(bg_vec3(1, 1, 5), bg_vec3(4, 1, 5), bg_vec3(1, 3, 5),
                                          &plane, NULL));
    assert_near(plane.normal, expected, 1e-12);
    g_assert_true(bg_landmark_plane_three(bg_vec3(1, 1, 5), bg_vec3(1, 3, 5), bg_vec3(4, 1, 5),
                                          &plane, NULL));
    g_assert_cmpfloat(plane.normal.z, <, -0.999999);
}

static void
test_refuses(void)
{
    const BgVec3 line[4] = { { 0, 0, 0 }, { 1, 2, 3 }, { 2, 4, 6 }, { -3, -6, -9 } };
    const BgVec3 one[3] = { { 1, 1, 1 }, { 1, 1, 1 }, { 1, 1, 1 } };
    const BgVec3 no_number[3] = { { 0, 0, 0 }, { 1, NAN, 3 }, { 2, 5, 6 } };
    g_autoptr(GError) error = NULL;
    BgLandmarkPlane plane;

    const struct {
        const BgVec3 *points;
        gsize n;
    } cases[] = { { line, 4 }, { one, 3 }, { no_number, 3 }, { points, 2 } };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_false(bg_landmark_plane_fit(cases[i].points, cases[i].n, &plane, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
        g_clear_error(&error);
    }
    fit(&plane);
    g_assert_null(
        bg_prism_new(&plane, plane.centroid_mm, points, 9, BG_PRISM_POLYGON, 0.0, 0.0, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_null(
        bg_prism_new(&plane, plane.centroid_mm, points, 9, BG_PRISM_POLYGON, 5.0, -1.0, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

static gsize
count_mask(const BgPrism *prism)
{
    const int dims[3] = { 120, 120, 120 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    g_autoptr(BgLabelMap) mask = bg_prism_mask(prism, &geometry, NULL, NULL);
    g_autoptr(GArray) counts = bg_label_map_count(mask);

    g_assert_cmpuint(counts->len, ==, 1);
    return g_array_index(counts, BgLabelCount, 0).n_voxels;
}

static void
check_mesh(const BgPrism *prism, double volume_mm3)
{
    g_autoptr(BgMesh) mesh = bg_prism_to_mesh(prism, NULL);
    BgMeshMeasures measures;

    g_assert_true(bg_mesh_measure(mesh, &measures, NULL));
    g_assert_true(measures.closed);
    g_assert_cmpfloat(fabs(measures.volume_ml * 1000.0 - volume_mm3), <, 1e-4 * volume_mm3);
}

static void
test_prism_of_scipy(void)
{
    BgLandmarkPlane plane;

    fit(&plane);
    g_autoptr(BgPrism) prism =
        bg_prism_new(&plane, plane.centroid_mm, points, 9, BG_PRISM_POLYGON, DEPTH, 0.0, NULL);
    g_assert_cmpint(prism->outline->len, ==, hull_corners);
    g_assert_cmpint(abs((int) count_mask(prism) - prism_voxels), <=, 2);
    check_mesh(prism, hull_area * DEPTH);
    BgVec3 bottom = bg_prism_get_bottom(prism);
    g_assert_cmpfloat(fabs(bg_vec3_distance(bottom, prism->origin_mm) - DEPTH), <, 1e-12);
    g_assert_cmpfloat(bg_vec3_length(bottom), <, bg_vec3_length(prism->origin_mm)); // inwards
}

static void
test_margin_and_cylinder(void)
{
    const BgVec3 square[4] = { { 10, 10, 0 }, { -10, 10, 0 }, { -10, -10, 0 }, { 10, -10, 0 } };
    BgLandmarkPlane plane;

    g_assert_true(bg_landmark_plane_fit(square, 4, &plane, NULL));
    g_assert_cmpfloat(plane.normal.z, >, 0.999999); // counter-clockwise from above
    g_autoptr(BgPrism) wide =
        bg_prism_new(&plane, plane.centroid_mm, square, 4, BG_PRISM_POLYGON, 10.0, 2.5, NULL);
    check_mesh(wide, 25.0 * 25.0 * 10.0);
    g_assert_true(bg_prism_contains(wide, bg_vec3(12.4, -12.4, 9.9)));
    g_assert_false(bg_prism_contains(wide, bg_vec3(12.6, 0, 5)));
    g_assert_false(bg_prism_contains(wide, bg_vec3(0, 0, -0.1)));
    g_assert_false(bg_prism_contains(wide, bg_vec3(0, 0, 10.1)));
    g_autoptr(BgPrism) round =
        bg_prism_new(&plane, plane.centroid_mm, square, 4, BG_PRISM_CYLINDER, 10.0, 1.0, NULL);
    g_assert_cmpfloat(fabs(round->radius_mm - (sqrt(200.0) + 1.0)), <, 1e-12);
    double expected = G_PI * round->radius_mm * round->radius_mm * 10.0;
    g_assert_cmpfloat(fabs((double) count_mask(round) - expected), <, 0.02 * expected);
    // A polygon of 64 corners has 64/2 sin(2 pi/64) of the square of the radius.
    check_mesh(round, 32.0 * sin(2.0 * G_PI / 64) * round->radius_mm * round->radius_mm * 10.0);
}

static void
test_crop_keeps_voxels(void)
{
    BgPhantomParams params = { .kind = BG_PHANTOM_HEAD, .size = 64, .seed = 1 };
    g_autoptr(BgPhantom) head = bg_phantom_new(&params, NULL, NULL, NULL);
    BgVolume *t1 = bg_phantom_find(head, "t1")->volume;
    BgLandmarkPlane plane;

    fit(&plane);
    bg_landmark_plane_turn_into(&plane, t1);
    assert_near(plane.normal, plane_normal, 1e-9);
    g_autoptr(BgPrism) prism =
        bg_prism_new(&plane, plane.centroid_mm, points, 9, BG_PRISM_POLYGON, 30.0, 3.0, NULL);
    g_autoptr(BgLabelMap) mask = bg_prism_mask(prism, bg_volume_get_geometry(t1), NULL, NULL);
    g_autoptr(BgVolume) crop = bg_prism_crop(t1, mask, -5.0, NULL);
    const BgGeometry *part = bg_volume_get_geometry(crop), *all = bg_volume_get_geometry(t1);
    BgAffine voxel = bg_geometry_voxel_from_patient(all);
    gsize n_inside = 0;
    double outside = bg_volume_get_format(t1).type == BG_SAMPLE_UINT16 ? 0.0 : -5.0;
    for (int k = 0; k < part->dims[2]; k++)
        for (int j = 0; j < part->dims[1]; j++)
            for (int i = 0; i < part->dims[0]; i++) {
                BgVec3 p = bg_affine_apply(&part->patient_from_voxel, bg_vec3(i, j, k));
                BgVec3 v = bg_affine_apply(&voxel, p);
                gboolean inside = bg_prism_contains(prism, p);
                n_inside += inside;
                double expected = inside ? bg_volume_get_value(t1, (int) lround(v.x),
                                                               (int) lround(v.y), (int) lround(v.z))
                                         : outside;
                g_assert_cmpfloat(bg_volume_get_value(crop, i, j, k), ==, expected);
            }
    g_autoptr(GArray) counts = bg_label_map_count(mask);
    g_assert_cmpuint(n_inside, ==, g_array_index(counts, BgLabelCount, 0).n_voxels);
}

static void
test_surface(void)
{
    BgPhantomParams params = { .kind = BG_PHANTOM_SPHERES, .size = 96, .seed = 1 };
    g_autoptr(BgPhantom) phantom = bg_phantom_new(&params, NULL, NULL, NULL);
    BgVolume *volume = bg_phantom_find(phantom, "spheres")->volume;
    const BgJson *sphere = bg_json_at(bg_json_get(phantom->truth, "spheres"), 0);
    double c[3], radius = bg_json_to_double(bg_json_get(sphere, "radius_mm"), 0.0);
    g_autoptr(GError) error = NULL;
    BgVec3 found;

    g_assert_true(bg_json_to_doubles(bg_json_get(sphere, "centre_mm"), c, 3));
    BgVec3 centre = bg_vec3(c[0], c[1], c[2]);
    BgLandmarkPlane plane = { .normal = bg_vec3_normalize(bg_vec3(1, -2, 0.5)) };
    plane.centroid_mm = bg_vec3_along(centre, -radius + 3.0, plane.normal); // 3 mm too deep
    g_assert_true(bg_landmark_plane_find_surface(&plane, volume, 500.0, 10.0, &found, &error));
    g_assert_cmpfloat(fabs(bg_vec3_distance(found, centre) - radius), <, 0.1);
    g_assert_false(bg_landmark_plane_find_surface(&plane, volume, 5000.0, 10.0, &found, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);

    // The cut through a sphere is a circle, and its values are those of the volume there.
    BgIsoParams iso = { .iso = 500.0 };
    g_autoptr(BgMesh) mesh = bg_isosurface(volume, &iso, NULL, NULL, NULL);
    BgVec3 point = bg_vec3_along(centre, 0.5 * radius, plane.normal);
    g_autoptr(GPtrArray) lines = bg_plane_contours(mesh, point, plane.normal, volume);
    double circle = radius * sqrt(0.75);
    gsize n = 0;
    for (guint i = 0; i < lines->len; i++) {
        const BgPlaneContour *line = lines->pdata[i];
        const BgVec3 *p = (const BgVec3 *) (void *) line->points->data;
        if (bg_vec3_distance(p[0], centre) > 1.5 * radius)
            continue; // of another sphere
        g_assert_cmpfloat(bg_vec3_distance(p[0], p[line->points->len - 1]), <, 1e-6);
        for (guint k = 0; k < line->points->len; k++, n++) {
            BgVec3 d = bg_vec3_sub(p[k], point);
            g_assert_cmpfloat(fabs(bg_vec3_dot(d, plane.normal)), <, 1e-6);
            g_assert_cmpfloat(fabs(bg_vec3_length(d) - circle), <, 0.3);
            double value = g_array_index(line->values, double, k), expected;
            g_assert_true(bg_volume_sample_linear(volume, p[k], &expected));
            g_assert_cmpfloat(value, ==, expected);
            g_assert_cmpfloat(fabs(value - 500.0), <, 150.0);
        }
    }
    g_assert_cmpuint(n, >, 50);

    // The normal goes in where the mesh is met; out on the far side it does not count.
    plane.u = bg_vec3_normalize(bg_vec3_cross(plane.normal, bg_vec3(0, 0, 1)));
    plane.v = bg_vec3_cross(plane.normal, plane.u);
    g_assert_true(bg_landmark_plane_meet(&plane, mesh, 10.0, &found, NULL));
    g_assert_cmpfloat(fabs(bg_vec3_distance(found, centre) - radius), <, 0.3);
    g_assert_cmpfloat(bg_vec3_dot(bg_vec3_sub(found, centre), plane.normal), <, 0.0);
    bg_landmark_plane_turn(&plane, bg_vec3_along(plane.centroid_mm, -1.0, plane.normal));
    g_assert_false(bg_landmark_plane_meet(&plane, mesh, 10.0, &found, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/landmark-plane/numpy", test_plane_of_numpy);
    g_test_add_func("/landmark-plane/three-points", test_three_points);
    g_test_add_func("/landmark-plane/refuses", test_refuses);
    g_test_add_func("/landmark-plane/prism/scipy", test_prism_of_scipy);
    g_test_add_func("/landmark-plane/prism/margin-and-cylinder", test_margin_and_cylinder);
    g_test_add_func("/landmark-plane/prism/crop-keeps-voxels", test_crop_keeps_voxels);
    g_test_add_func("/landmark-plane/surface-and-contours", test_surface);
    return g_test_run();
}
