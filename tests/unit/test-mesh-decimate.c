// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"
#include "core/surface/bg-isosurface.h"
#include "core/surface/bg-mesh-decimate.h"
#include "core/surface/bg-mesh-distance.h"
#include "core/surface/bg-mesh-measures.h"

#include <string.h>

// A ball with waves of @depth, and @noise on each sample; isotropic, 1 mm.
static BgMesh *
make_surface(int n, double depth, double noise, gboolean open_border)
{
    BgGeometry geometry = bg_geometry_new_regular((int[]){ n, n, n }, bg_vec3(1, 1, 1));
    float *samples = bg_voxels_alloc(&geometry, sizeof(float), NULL), *at = samples;
    g_autoptr(GError) error = NULL;
    BgIsoParams params = { .iso = 0.0, .open_border = open_border };

    for (int k = 0; k < n; k++) {
        for (int j = 0; j < n; j++) {
            for (int i = 0; i < n; i++) {
                BgVec3 p = bg_affine_apply(&geometry.patient_from_voxel, bg_vec3(i, j, k));
                double wave = depth * sin(0.5 * p.x) * cos(0.4 * p.y) * sin(0.45 * p.z);
                *at++ = (float) (0.4 * n - bg_vec3_length(p) + wave +
                                 noise * g_test_rand_double_range(-1.0, 1.0));
            }
        }
    }
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), samples, &error);
    BgMesh *mesh = bg_isosurface(volume, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    return mesh;
}

static BgMesh *
decimate(BgMesh *mesh, double ratio, double *error_mm)
{
    g_autoptr(GError) error = NULL;
    BgDecimateParams params = { .ratio = ratio };
    BgDecimateResult result;
    BgMesh *made = bg_mesh_decimate(mesh, &params, &result, NULL, NULL, &error);

    g_assert_no_error(error);
    if (error_mm != NULL)
        *error_mm = result.error_mm;
    return made;
}

static BgMeshMeasures
measure(BgMesh *mesh)
{
    BgMeshMeasures measures;

    g_assert_true(bg_mesh_measure(mesh, &measures, NULL));
    return measures;
}

static void
test_closed_stays_closed(void)
{
    static const struct {
        int n;
        double depth, noise;
    } cases[] = {
        { 40, 0.0, 0.0 },   { 40, 3.0, 0.0 },
        { 40, 3.0, 1.0 },   { 32, 3.0, 8.0 }, // handles, and parts of a few triangles
        { 24, 0.0, 400.0 },                   // nothing but noise
    };
    static const double ratios[] = { 0.9, 0.5, 0.1, 0.01 };

    for (gsize c = 0; c < G_N_ELEMENTS(cases); c++) {
        g_autoptr(BgMesh) mesh = make_surface(cases[c].n, cases[c].depth, cases[c].noise, FALSE);
        BgMeshMeasures before = measure(mesh);
        double n_handles = (double) before.n_components - 0.5 * (double) before.euler;
        double floor = 100.0 + 30.0 * ((double) before.n_components + n_handles);
        g_assert_true(before.closed);
        for (gsize r = 0; r < G_N_ELEMENTS(ratios); r++) {
            g_autoptr(BgMesh) made = decimate(mesh, ratios[r], NULL);
            gsize n = bg_mesh_get_data(mesh)->n_triangles;
            gsize n_made = bg_mesh_get_data(made)->n_triangles;
            BgMeshMeasures after = measure(made);
            g_assert_true(after.closed);
            g_assert_cmpint(after.euler, ==, before.euler);
            g_assert_cmpuint(after.n_components, ==, before.n_components);
            g_assert_cmpuint(after.n_degenerate, ==, 0);
            g_assert_cmpuint(n_made + 1, >=, (gsize) (ratios[r] * (double) n)); // two at a time
            // Each part and each handle needs some.
            g_assert_cmpfloat((double) n_made, <=, ratios[r] * (double) n + floor);
        }
    }
}

static void
test_error_is_small(void)
{
    g_autoptr(BgMesh) mesh = make_surface(80, 3.0, 0.0, FALSE);
    BgMeshMeasures before = measure(mesh);
    BgMeshDistance d;
    double error_mm;
    g_autoptr(BgMesh) made = decimate(mesh, 0.1, &error_mm);
    BgMeshMeasures after = measure(made);

    g_assert_true(bg_mesh_distance(mesh, made, 20000, &d, NULL, NULL, NULL));
    g_assert_cmpfloat(d.rms_mm, <, 0.1); // voxels of 1 mm, waves of 13
    g_assert_cmpfloat(d.max_mm, <, 1.0);
    g_assert_cmpfloat(error_mm, >, 0.0);
    g_assert_cmpfloat(error_mm, <, 1.0);
    g_assert_cmpfloat_with_epsilon(after.volume_ml / before.volume_ml, 1.0, 0.002);
    g_assert_cmpfloat_with_epsilon(after.area_cm2 / before.area_cm2, 1.0, 0.01);
}

static void
test_error_bound(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgMesh) mesh = make_surface(48, 3.0, 0.0, FALSE);
    BgDecimateParams params = { .ratio = 0.001, .max_error_mm = 0.1 };
    BgDecimateResult result;
    g_autoptr(BgMesh) made = bg_mesh_decimate(mesh, &params, &result, NULL, NULL, &error);
    BgMeshDistance d;

    g_assert_no_error(error);
    g_assert_cmpfloat(result.error_mm, <=, 0.1);
    g_assert_cmpuint(bg_mesh_get_data(made)->n_triangles, <,
                     bg_mesh_get_data(mesh)->n_triangles / 2);
    g_assert_true(bg_mesh_distance(mesh, made, 20000, &d, NULL, NULL, &error));
    g_assert_cmpfloat(d.rms_mm, <, 0.1);
}

// Large enough for pieces; whatever the number of threads.
static void
test_pieces(void)
{
    g_autoptr(BgMesh) mesh = make_surface(150, 3.0, 0.2, FALSE);
    g_autoptr(BgMesh) made = decimate(mesh, 0.1, NULL);
    const BgMeshData *data = bg_mesh_get_data(made);
    BgMeshMeasures before = measure(mesh), after = measure(made);

    g_assert_cmpuint(bg_mesh_get_data(mesh)->n_triangles, >, 2 * 32768);
    g_assert_true(after.closed);
    g_assert_cmpint(after.euler, ==, before.euler);
    g_assert_cmpuint(data->n_triangles, <=, bg_mesh_get_data(mesh)->n_triangles / 10 + 2);
    bg_parallel_set_threads(1);
    g_autoptr(BgMesh) by_one = decimate(mesh, 0.1, NULL);
    bg_parallel_set_threads(0);
    g_assert_cmpuint(bg_mesh_get_data(by_one)->n_triangles, ==, data->n_triangles);
    g_assert_cmpmem(bg_mesh_get_data(by_one)->positions, 12 * data->n_vertices, data->positions,
                    12 * data->n_vertices);
    g_assert_cmpmem(bg_mesh_get_data(by_one)->triangles, 12 * data->n_triangles, data->triangles,
                    12 * data->n_triangles);
}

static void
test_border_stays(void)
{
    g_autoptr(BgMesh) mesh = make_surface(24, 3.0, 5.0, TRUE);
    g_autoptr(BgMesh) made = decimate(mesh, 0.3, NULL);
    BgMeshMeasures before = measure(mesh), after = measure(made);

    g_assert_cmpuint(before.n_border_edges, >, 0);
    g_assert_cmpuint(after.n_border_edges, ==, before.n_border_edges);
    g_assert_cmpuint(after.n_bad_edges, ==, 0);
    g_assert_cmpint(after.euler, ==, before.euler);
}

static void
test_groups(void)
{
    g_autoptr(BgMesh) plain = make_surface(40, 3.0, 0.0, FALSE);
    const BgMeshData *data = bg_mesh_get_data(plain);
    gsize n = data->n_triangles;
    BgMeshGroup groups[2] = { { .n_triangles = n / 3, .label = 4, .name = "4" },
                              { .first_triangle = n / 3, .n_triangles = n - n / 3, .label = 9 } };
    BgMeshData grouped = *data;

    // The same arrays under two groups that share a border.
    grouped.positions = bg_buffer_alloc(12 * grouped.n_vertices, NULL);
    grouped.triangles = bg_buffer_alloc(12 * grouped.n_triangles, NULL);
    memcpy(grouped.positions, data->positions, 12 * grouped.n_vertices);
    memcpy(grouped.triangles, data->triangles, 12 * grouped.n_triangles);
    grouped.groups = g_array_new(FALSE, FALSE, sizeof(BgMeshGroup));
    g_array_append_vals(grouped.groups, groups, 2);
    g_autoptr(BgMesh) mesh = bg_mesh_new_take(&grouped, NULL);
    g_autoptr(BgMesh) made = decimate(mesh, 0.25, NULL);
    const BgMeshData *left = bg_mesh_get_data(made);
    BgMeshMeasures after = measure(made);

    g_assert_true(after.closed);
    g_assert_cmpuint(left->groups->len, ==, 2);
    for (guint i = 0; i < 2; i++) {
        const BgMeshGroup *group = &g_array_index(left->groups, BgMeshGroup, i);
        g_assert_cmpuint(group->label, ==, groups[i].label);
        g_assert_cmpfloat_with_epsilon((double) group->n_triangles,
                                       0.25 * (double) groups[i].n_triangles, 2.0);
    }
}

static void
test_all_kept_and_refused(void)
{
    static const double refused[] = { 0.0, -0.1, 1.001, NAN };
    g_autoptr(BgMesh) mesh = make_surface(24, 3.0, 0.0, FALSE);
    g_autoptr(BgMesh) same = decimate(mesh, 1.0, NULL);
    gsize n = bg_mesh_get_data(mesh)->n_triangles;

    g_assert_cmpmem(bg_mesh_get_data(same)->triangles, 12 * n, bg_mesh_get_data(mesh)->triangles,
                    12 * n);
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        BgDecimateParams params = { .ratio = refused[i] };
        g_assert_null(bg_mesh_decimate(mesh, &params, NULL, NULL, NULL, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    }
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    BgDecimateParams params = { .ratio = 0.5 };
    g_cancellable_cancel(cancellable);
    g_assert_null(bg_mesh_decimate(mesh, &params, NULL, NULL, cancellable, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/mesh-decimate/closed-stays-closed", test_closed_stays_closed);
    g_test_add_func("/mesh-decimate/error-is-small", test_error_is_small);
    g_test_add_func("/mesh-decimate/error-bound", test_error_bound);
    g_test_add_func("/mesh-decimate/pieces", test_pieces);
    g_test_add_func("/mesh-decimate/border-stays", test_border_stays);
    g_test_add_func("/mesh-decimate/groups", test_groups);
    g_test_add_func("/mesh-decimate/all-kept-and-refused", test_all_kept_and_refused);

    return g_test_run();
}
