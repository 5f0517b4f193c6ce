// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"
#include "core/surface/bg-isosurface.h"
#include "core/surface/bg-label-surface.h"
#include "core/surface/bg-marching-table.h"
#include "core/surface/bg-mesh-distance.h"
#include "core/surface/bg-mesh-measures.h"

#include <string.h>

typedef double (*Field)(BgVec3 patient_mm, gconstpointer user_data);

// Samples a field of patient space; stored = (value - intercept) / slope, rounded for whole types.
static BgVolume *
make_volume(const BgGeometry *geometry, BgSampleFormat format, Field field, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    gpointer samples = bg_voxels_alloc(geometry, bg_sample_type_size(format.type), &error);
    gsize at = 0;

    g_assert_no_error(error);
    for (int k = 0; k < geometry->dims[2]; k++) {
        for (int j = 0; j < geometry->dims[1]; j++) {
            for (int i = 0; i < geometry->dims[0]; i++, at++) {
                BgVec3 p = bg_affine_apply(&geometry->patient_from_voxel, bg_vec3(i, j, k));
                double sample = (field(p, user_data) - format.intercept) / format.slope;
                if (format.type == BG_SAMPLE_FLOAT32)
                    ((float *) samples)[at] = (float) sample;
                else if (format.type == BG_SAMPLE_INT16)
                    ((gint16 *) samples)[at] = (gint16) lrint(CLAMP(sample, -32768, 32767));
                else if (format.type == BG_SAMPLE_UINT16)
                    ((guint16 *) samples)[at] = (guint16) lrint(CLAMP(sample, 0, 65535));
                else if (format.type == BG_SAMPLE_INT8)
                    ((gint8 *) samples)[at] = (gint8) lrint(CLAMP(sample, -128, 127));
                else
                    ((guint8 *) samples)[at] = (guint8) lrint(CLAMP(sample, 0, 255));
            }
        }
    }
    BgVolume *volume = bg_volume_new_take(geometry, format, samples, &error);
    g_assert_no_error(error);
    return volume;
}

static BgMesh *
make_surface(BgVolume *volume, double iso, gboolean open_border)
{
    g_autoptr(GError) error = NULL;
    BgIsoParams params = { .iso = iso, .open_border = open_border };
    BgMesh *mesh = bg_isosurface(volume, &params, NULL, NULL, &error);

    g_assert_no_error(error);
    return mesh;
}

static BgMeshMeasures
measure(BgMesh *mesh)
{
    g_autoptr(GError) error = NULL;
    BgMeshMeasures measures;

    bg_mesh_measure(mesh, &measures, &error);
    g_assert_no_error(error);
    return measures;
}

static double
noise(BgVec3 p, gconstpointer user_data)
{
    return g_test_rand_double_range(0.0, 1.0);
}

static double
coin(BgVec3 p, gconstpointer user_data)
{
    return g_test_rand_bit() ? 1.0 : 0.0;
}

// Values that are often exactly the iso value.
static double
steps(BgVec3 p, gconstpointer user_data)
{
    return g_test_rand_int_range(0, 3) * 0.5;
}

static void
test_table(void)
{
    for (int mirrored = 0; mirrored < 2; mirrored++) {
        BgAffine grid = bg_affine_identity();
        BgMarchingCase table[256];
        guint most = 0;

        grid.m[0][0] = mirrored ? -0.5 : 2.0;
        bg_marching_table_init(table, &grid);
        for (guint inside = 0; inside < 256; inside++) {
            const BgMarchingCase *entry = &table[inside];
            guint used = 0;
            most = MAX(most, entry->n_triangles);
            for (guint n = 0; n < 3u * entry->n_triangles; n++)
                used |= 1u << entry->edges[n];
            g_assert_cmpuint(used, ==, entry->crossed);
            for (guint e = 0; e < 12; e++) {
                guint axis = e >> 2, a = e & 1, b = e >> 1 & 1;
                guint low = axis == 0 ? a << 1 | b << 2 : axis == 1 ? a | b << 2 : a | b << 1;
                guint differ = (inside >> low ^ inside >> (low | 1u << axis)) & 1;
                g_assert_cmpuint(entry->crossed >> e & 1, ==, differ);
            }
        }
        g_assert_cmpuint(most, ==, BG_MARCHING_MAX_TRIANGLES);
    }
}

// Every one of the 256 cells alone, closed by its border.
static void
test_all_cases(void)
{
    BgGeometry geometry = bg_geometry_new_regular((int[]){ 2, 2, 2 }, bg_vec3(1, 1, 1));

    for (guint inside = 1; inside < 256; inside++) {
        guint8 *samples = bg_voxels_alloc(&geometry, 1, NULL);
        guint n_inside = 0;
        for (guint c = 0; c < 8; c++) {
            samples[c] = inside >> c & 1;
            n_inside += samples[c];
        }
        g_autoptr(BgVolume) volume =
            bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_UINT8), samples, NULL);
        g_autoptr(BgMesh) mesh = make_surface(volume, 0.5, FALSE);
        BgMeshMeasures m = measure(mesh);
        g_assert_true(m.closed);
        g_assert_cmpuint(m.n_degenerate, ==, 0);
        g_assert_cmpfloat(m.volume_ml, >, 0.0);
        // Each corner that is alone is an octahedron of 1/6 mm^3; joined ones have more.
        g_assert_cmpfloat(m.volume_ml * 1000.0, >=, n_inside / 6.0 - 1e-6);
    }
}

typedef struct {
    const char *name;
    Field field;
    BgSampleType type;
    double slope;
    double iso;
} NoiseCase;

static void
check_noise(const NoiseCase *test, const int dims[3], double mirror)
{
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(0.7 * mirror, 1.1, 2.3));
    BgSampleFormat format = { .type = test->type, .slope = test->slope };
    g_autoptr(BgVolume) volume = make_volume(&geometry, format, test->field, NULL);
    g_autoptr(BgMesh) mesh = make_surface(volume, test->iso, FALSE);
    BgMeshMeasures m = measure(mesh);
    gsize n_inside = 0;

    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            for (int i = 0; i < dims[0]; i++)
                n_inside += bg_volume_get_value(volume, i, j, k) >= test->iso;
        }
    }
    if (n_inside == 0) { // by chance, of a few voxels only: nothing is no closed surface
        g_assert_cmpint(dims[0] * dims[1] * dims[2], <, 64);
        g_assert_cmpuint(bg_mesh_get_data(mesh)->n_triangles, ==, 0);
        return;
    }
    g_assert_true(m.closed);
    g_assert_cmpuint(m.n_border_edges, ==, 0);
    g_assert_cmpuint(m.n_bad_edges, ==, 0);
    g_assert_cmpuint(m.n_degenerate, ==, 0);
    g_assert_cmpfloat(m.volume_ml, >, 0.0);
}

static void
test_noise(void)
{
    static const NoiseCase cases[] = {
        { "noise", noise, BG_SAMPLE_FLOAT32, 1.0, 0.5 },
        { "noise, few", noise, BG_SAMPLE_FLOAT32, 1.0, 0.9 },
        { "noise, most", noise, BG_SAMPLE_FLOAT32, 1.0, 0.1 },
        { "noise, falling", noise, BG_SAMPLE_FLOAT32, -2.0, 0.5 },
        { "coin", coin, BG_SAMPLE_UINT8, 1.0, 0.5 },
        { "steps, iso on a sample", steps, BG_SAMPLE_INT16, 0.5, 0.5 },
        { "steps, falling", steps, BG_SAMPLE_INT16, -0.5, 0.5 },
        { "steps in bytes", steps, BG_SAMPLE_INT8, -0.5, 1.0 },
        { "steps in words", steps, BG_SAMPLE_UINT16, 0.5, 1.0 },
    };
    // Round 64 bits with and without the padding, and single layers.
    static const int sizes[][3] = { { 20, 21, 22 }, { 62, 7, 5 },  { 63, 7, 5 },  { 64, 7, 5 },
                                    { 65, 7, 5 },   { 1, 9, 9 },   { 9, 1, 9 },   { 9, 9, 1 },
                                    { 126, 3, 3 },  { 127, 3, 3 }, { 128, 3, 3 }, { 3, 3, 3 } };

    for (gsize c = 0; c < G_N_ELEMENTS(cases); c++) {
        for (gsize s = 0; s < G_N_ELEMENTS(sizes); s++) {
            check_noise(&cases[c], sizes[s], 1.0);
            check_noise(&cases[c], sizes[s], -1.0);
        }
    }
}

typedef struct {
    BgVec3 centre;
    double radius;
} Sphere;

static double
ball(BgVec3 p, gconstpointer user_data)
{
    const Sphere *sphere = user_data;

    return sphere->radius - bg_vec3_distance(p, sphere->centre);
}

typedef struct {
    const char *name;
    int dims[3];
    BgAffine patient_from_voxel;
    double radius_mm;
} GridCase;

static const GridCase grids[] = {
    { "isotropic",
      { 64, 64, 64 },
      { { { 1, 0, 0, -31.5 }, { 0, 1, 0, -31.5 }, { 0, 0, 1, -31.5 } } },
      20 },
    { "anisotropic",
      { 96, 96, 24 },
      { { { 0.6, 0, 0, 70 }, { 0, 0.6, 0, -10 }, { 0, 0, 2.4, 300 } } },
      22 },
    { "mirrored", { 64, 64, 64 }, { { { -1, 0, 0, 100 }, { 0, 1, 0, 4 }, { 0, 0, 1, 5 } } }, 24 },
    { "permuted", { 64, 64, 64 }, { { { 0, 0, 1.1, 9 }, { 0.9, 0, 0, 5 }, { 0, -1, 0, 3 } } }, 22 },
    { "oblique",
      { 80, 80, 80 },
      { { { 0.7071067811865476, -0.6123724356957945, 0.3535533905932737, -20 },
          { 0.7071067811865476, 0.6123724356957945, -0.3535533905932737, 40 },
          { 0, 0.5, 0.8660254037844386, 60 } } },
      25 },
    { "sheared",
      { 90, 72, 64 },
      { { { 1, 0.3, 0.1, 0 }, { 0, 1, 0.2, 0 }, { 0, 0, 1.2, -90 } } },
      20 },
};

static BgVolume *
make_ball(const GridCase *grid, BgSampleFormat format, Sphere *sphere)
{
    BgGeometry geometry = { .patient_from_voxel = grid->patient_from_voxel };

    memcpy(geometry.dims, grid->dims, sizeof geometry.dims);
    *sphere = (Sphere){ bg_vec3_add(bg_geometry_centre_mm(&geometry), bg_vec3(0.13, -0.21, 0.31)),
                        grid->radius_mm };
    return make_volume(&geometry, format, ball, sphere);
}

static void
test_sphere(gconstpointer user_data)
{
    const GridCase *grid = user_data;
    BgSampleFormat format = bg_sample_format_plain(BG_SAMPLE_FLOAT32);
    Sphere sphere;
    g_autoptr(BgVolume) volume = make_ball(grid, format, &sphere);
    g_autoptr(BgMesh) mesh = make_surface(volume, 0.0, FALSE);
    const BgMeshData *data = bg_mesh_get_data(mesh);
    BgVec3 spacing = bg_geometry_spacing_mm(bg_volume_get_geometry(volume));
    double r = sphere.radius, squares = 0.0;
    BgMeshMeasures m = measure(mesh);

    g_assert_true(m.closed);
    g_assert_cmpint(m.euler, ==, 2);
    g_assert_cmpuint(m.n_components, ==, 1);
    g_assert_cmpuint(m.n_degenerate, ==, 0);
    g_assert_cmpfloat_with_epsilon(m.volume_ml / (4.0 / 3.0 * G_PI * r * r * r * 1e-3), 1.0, 0.005);
    g_assert_cmpfloat_with_epsilon(m.area_cm2 / (4.0 * G_PI * r * r * 1e-2), 1.0, 0.01);
    for (gsize v = 0; v < data->n_vertices; v++) {
        const float *p = data->positions + 3 * v;
        double d = ball(bg_vec3((double) p[0], (double) p[1], (double) p[2]), &sphere);
        squares += d * d;
    }
    double rms = sqrt(squares / (double) data->n_vertices);
    g_assert_cmpfloat(rms, <, 0.1 * MIN(spacing.x, MIN(spacing.y, spacing.z)));
    for (int axis = 0; axis < 3; axis++) {
        g_assert_cmpfloat_with_epsilon(bg_vec3_get(m.low_mm, axis),
                                       bg_vec3_get(sphere.centre, axis) - r, 0.3);
        g_assert_cmpfloat_with_epsilon(bg_vec3_get(m.high_mm, axis),
                                       bg_vec3_get(sphere.centre, axis) + r, 0.3);
    }
}

static double
torus(BgVec3 p, gconstpointer user_data)
{
    return 8.0 - hypot(hypot(p.x, p.y) - 20.0, p.z);
}

// Fields, numbers and tool: tests/reference/marching-cubes.json.
static void
test_counts_of_lewiner(void)
{
    BgGeometry geometry = bg_geometry_new_regular((int[]){ 64, 64, 64 }, bg_vec3(1, 1, 1));
    BgSampleFormat format = bg_sample_format_plain(BG_SAMPLE_FLOAT32);
    Sphere sphere = { bg_vec3(0, 0, 0), 20.0 };
    static const struct {
        gsize n_vertices, n_triangles;
        gint64 euler;
        double area_cm2, volume_ml;
    } truth[2] = { { 7584, 15164, 2, 50.226, 33.4604 }, { 9168, 18336, 0, 63.1083, 25.1895 } };

    for (int c = 0; c < 2; c++) {
        g_autoptr(BgVolume) volume = make_volume(&geometry, format, c == 0 ? ball : torus, &sphere);
        g_autoptr(BgMesh) mesh = make_surface(volume, 0.0, FALSE);
        const BgMeshData *data = bg_mesh_get_data(mesh);
        BgMeshMeasures m = measure(mesh);
        g_assert_cmpuint(data->n_vertices, ==, truth[c].n_vertices);
        g_assert_cmpuint(data->n_triangles, ==, truth[c].n_triangles);
        g_assert_cmpint(m.euler, ==, truth[c].euler);
        g_assert_cmpfloat_with_epsilon(m.area_cm2 / truth[c].area_cm2, 1.0, 5e-4);
        g_assert_cmpfloat_with_epsilon(m.volume_ml / truth[c].volume_ml, 1.0, 5e-4);
    }
}

// A label that only one worker meets: the others' empty boxes must not count.
static void
test_label_of_one_slice(void)
{
    const int dims[3] = { 9, 8, 64 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    guint8 *samples = bg_voxels_alloc(&geometry, 1, NULL);
    g_autoptr(GError) error = NULL;
    BgMeshMeasures measures;

    memset(samples, 0, 9 * 8 * 64);
    samples[4 + 9 * 4] = 1;
    samples[4 + 9 * (4 + 8 * 63)] = 2;
    g_autoptr(BgLabelMap) labels =
        bg_label_map_new_take(&geometry, BG_LABEL_UINT8, samples, &error);
    g_assert_no_error(error);
    bg_parallel_set_threads(4);
    for (int turn = 0; turn < 50; turn++) {
        BgLabelSurfaceParams params = { 0 };
        g_autoptr(BgMesh) mesh = bg_label_surface(labels, &params, NULL, NULL, &error);
        g_assert_no_error(error);
        g_assert_true(bg_mesh_measure(mesh, &measures, NULL));
        g_assert_cmpuint(measures.n_components, ==, 2);
        g_assert_true(measures.closed);
    }
    bg_parallel_set_threads(0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/isosurface/table", test_table);
    g_test_add_func("/label-surface/label-of-one-slice", test_label_of_one_slice);
    g_test_add_func("/isosurface/all-cases-are-closed", test_all_cases);
    g_test_add_func("/isosurface/noise-is-closed", test_noise);
    for (gsize i = 0; i < G_N_ELEMENTS(grids); i++) {
        g_autofree char *path = g_strdup_printf("/isosurface/sphere/%s", grids[i].name);
        g_test_add_data_func(path, &grids[i], test_sphere);
    }
    g_test_add_func("/isosurface/counts-of-lewiner", test_counts_of_lewiner);

    return g_test_run();
}
