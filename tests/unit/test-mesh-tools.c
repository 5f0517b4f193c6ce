// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"
#include "core/surface/bg-mesh-distance.h"
#include "core/surface/bg-mesh-measures.h"
#include "core/surface/bg-mesh-normals.h"
#include "core/surface/bg-mesh-parts.h"
#include "core/surface/bg-mesh-smooth.h"

#include <string.h>

static BgMesh *
take(BgMeshData *data)
{
    g_autoptr(GError) error = NULL;
    BgMesh *mesh = bg_mesh_new_take(data, &error);

    g_assert_no_error(error);
    return mesh;
}

static BgMeshData
alloc_data(gsize n_vertices, gsize n_triangles)
{
    return (BgMeshData){ .n_vertices = n_vertices,
                         .n_triangles = n_triangles,
                         .positions = bg_buffer_alloc_items(3 * n_vertices, sizeof(float), NULL),
                         .triangles =
                             bg_buffer_alloc_items(3 * n_triangles, sizeof(guint32), NULL) };
}

// The formula of tests/reference/mesh-tools.py; @bump 0.5 there. Vertex u * n_v + v; closed, genus 1.
static BgMeshData
torus_data(guint n_u, guint n_v, double bump, BgVec3 at)
{
    BgMeshData data = alloc_data((gsize) n_u * n_v, 2 * (gsize) n_u * n_v);
    guint32 *t = data.triangles;

    for (guint u = 0; u < n_u; u++) {
        for (guint v = 0; v < n_v; v++) {
            guint32 n = u * n_v + v, u1 = (u + 1) % n_u, v1 = (v + 1) % n_v;
            double a = 2.0 * G_PI * u / n_u, b = 2.0 * G_PI * v / n_v;
            double r = 8.0 + bump * sin(37.0 * n), q = 20.0 + r * cos(b);
            guint32 six[6] = { n, u1 * n_v + v, u1 * n_v + v1, n, u1 * n_v + v1, u * n_v + v1 };
            data.positions[3 * n] = (float) (q * cos(a) + at.x);
            data.positions[3 * n + 1] = (float) (q * sin(a) + at.y);
            data.positions[3 * n + 2] = (float) (r * sin(b) + at.z);
            memcpy(t, six, sizeof six);
            t += 6;
        }
    }
    return data;
}

static BgMesh *
make_torus(guint n_u, guint n_v, double bump, BgVec3 at)
{
    BgMeshData data = torus_data(n_u, n_v, bump, at);

    return take(&data);
}

// A sphere by latitude and longitude, with two poles.
static BgMesh *
make_sphere(guint n, double radius, BgVec3 at)
{
    guint n_u = 2 * n, n_rings = n - 1;
    BgMeshData data = alloc_data((gsize) n_rings * n_u + 2, 2 * (gsize) n_rings * n_u);
    guint32 *t = data.triangles, north = n_rings * n_u, south = north + 1;

    for (guint v = 0; v < n_rings; v++) {
        for (guint u = 0; u < n_u; u++) {
            double a = 2.0 * G_PI * u / n_u, b = G_PI * (v + 1) / n;
            float *p = data.positions + 3 * (gsize) (v * n_u + u);
            guint32 w = (u + 1) % n_u, here = v * n_u + u, next = v * n_u + w;
            p[0] = (float) (at.x + radius * sin(b) * cos(a));
            p[1] = (float) (at.y + radius * sin(b) * sin(a));
            p[2] = (float) (at.z + radius * cos(b));
            if (v + 1 < n_rings) {
                guint32 six[6] = { here, here + n_u, next, next, here + n_u, next + n_u };
                memcpy(t, six, sizeof six);
                t += 6;
            }
            if (v == 0) {
                guint32 three[3] = { north, here, next };
                memcpy(t, three, sizeof three);
                t += 3;
            }
            if (v == n_rings - 1) {
                guint32 three[3] = { here, south, next };
                memcpy(t, three, sizeof three);
                t += 3;
            }
        }
    }
    for (int pole = 0; pole < 2; pole++) {
        float *p = data.positions + 3 * (gsize) (north + (guint) pole);
        p[0] = (float) at.x;
        p[1] = (float) at.y;
        p[2] = (float) (at.z + (pole == 0 ? radius : -radius));
    }
    return take(&data);
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

static BgMesh *
smooth(BgMesh *mesh, guint n_passes)
{
    g_autoptr(GError) error = NULL;
    BgSincParams params = { .n_passes = n_passes, .pass_band = 0.1 };
    BgMesh *made = bg_mesh_smooth_sinc(mesh, &params, NULL, NULL, &error);

    g_assert_no_error(error);
    return made;
}

static void
test_measures_of_torus(void)
{
    g_autoptr(BgMesh) mesh = make_torus(48, 24, 0.5, bg_vec3(300, -200, 100));
    BgMeshMeasures m = measure(mesh);

    // VTK 9.1, vtkMassProperties: tests/reference/mesh-tools.py.
    g_assert_cmpfloat_with_epsilon(m.volume_ml, 24.9311111, 1e-4);
    g_assert_cmpfloat_with_epsilon(m.area_cm2, 65.213435, 1e-4);
    g_assert_true(m.closed);
    g_assert_cmpint(m.euler, ==, 0);
    g_assert_cmpuint(m.n_components, ==, 1);
    g_assert_cmpuint(m.n_degenerate, ==, 0);
}

static void
test_measures_of_faults(void)
{
    BgMeshData turned = torus_data(12, 8, 0.0, bg_vec3(0, 0, 0));
    BgMeshData holed = torus_data(12, 8, 0.0, bg_vec3(0, 0, 0));
    BgMeshData doubled = torus_data(12, 8, 0.0, bg_vec3(0, 0, 0));
    guint32 second = turned.triangles[31];

    turned.triangles[31] = turned.triangles[32];
    turned.triangles[32] = second;
    holed.n_triangles--;
    memcpy(doubled.triangles, doubled.triangles + 30, 3 * sizeof(guint32));
    g_autoptr(BgMesh) a = take(&turned);
    g_autoptr(BgMesh) b = take(&holed);
    g_autoptr(BgMesh) c = take(&doubled);
    BgMeshMeasures ma = measure(a), mb = measure(b), mc = measure(c);

    g_assert_false(ma.closed);
    g_assert_cmpuint(ma.n_bad_edges, ==, 3);
    g_assert_cmpuint(ma.n_border_edges, ==, 0);
    g_assert_false(mb.closed);
    g_assert_cmpuint(mb.n_border_edges, ==, 3);
    g_assert_cmpuint(mb.n_bad_edges, ==, 0);
    g_assert_cmpint(mb.euler, ==, -1);
    g_assert_false(mc.closed);
    g_assert_cmpuint(mc.n_bad_edges, ==, 3);

    BgMeshData nothing = alloc_data(0, 0);
    g_autoptr(BgMesh) d = take(&nothing);
    BgMeshMeasures md = measure(d);
    g_assert_false(md.closed);
    g_assert_cmpuint(md.n_components, ==, 0);
    g_assert_cmpfloat(md.volume_ml, ==, 0.0);
}

static void
test_sinc_as_vtk(void)
{
    // VTK 9.1: tests/reference/mesh-tools.py. Its filter multiplies a constant, and so the whole mesh about the
    // middle, by f(0) = 0.997984; ours leaves it alone.
    const double scale = 1.0 / 0.9979839;
    static const struct {
        gsize vertex;
        double at[3];
    } truth[] = {
        { 0, { 28.022026, -0.002367, 0.030921 } },    { 97, { 24.016752, 13.867354, 2.067204 } },
        { 194, { 13.465733, 23.325478, 4.005229 } },  { 291, { -0.001019, 25.661205, 5.664455 } },
        { 388, { -12.002151, 20.786016, 6.937615 } }, { 485, { -19.113932, 11.033952, 7.737368 } },
        { 582, { -19.996931, -0.001224, 8.009906 } }, { 679, { -15.521777, -8.962881, 7.737319 } },
        { 776, { -7.994760, -13.849579, 6.937598 } }, { 873, { 0.000911, -14.332457, 5.664541 } },
        { 970, { 6.532573, -11.309999, 4.004947 } },  { 1067, { 10.620176, -6.127975, 2.069428 } },
    };
    g_autoptr(BgMesh) mesh = make_torus(48, 24, 0.5, bg_vec3(0, 0, 0));
    g_autoptr(BgMesh) made = smooth(mesh, 20);
    const float *p = bg_mesh_get_data(made)->positions;
    BgMeshMeasures m = measure(made);

    for (gsize i = 0; i < G_N_ELEMENTS(truth); i++) {
        for (gsize axis = 0; axis < 3; axis++)
            g_assert_cmpfloat_with_epsilon((double) p[3 * truth[i].vertex + axis],
                                           scale * truth[i].at[axis], 0.01);
    }
    g_assert_cmpfloat_with_epsilon(m.volume_ml, scale * scale * scale * 24.9661873, 0.02);
    g_assert_cmpfloat_with_epsilon(m.area_cm2, scale * scale * 62.9430089, 0.05);
}

static void
test_smoothing_keeps_place_and_threads(void)
{
    BgVec3 far = bg_vec3(1024, -2048, 512); // powers of two: the positions round alike
    g_autoptr(BgMesh) mesh = make_torus(48, 24, 0.5, bg_vec3(0, 0, 0));
    g_autoptr(BgMesh) away = make_torus(48, 24, 0.5, far);
    g_autoptr(BgMesh) a = smooth(mesh, 20);
    g_autoptr(BgMesh) b = smooth(away, 20);
    const BgMeshData *da = bg_mesh_get_data(a), *db = bg_mesh_get_data(b);

    for (gsize i = 0; i < 3 * da->n_vertices; i++)
        g_assert_cmpfloat_with_epsilon((double) da->positions[i] + bg_vec3_get(far, (int) (i % 3)),
                                       (double) db->positions[i], 1e-3);

    g_autoptr(BgMesh) large = make_torus(192, 192, 0.2, bg_vec3(0, 0, 0));
    g_autoptr(BgMesh) by_all = smooth(large, 20);
    gsize n_bytes = 12 * bg_mesh_get_data(large)->n_vertices;
    for (guint n = 1; n <= 4; n++) {
        bg_parallel_set_threads(n);
        g_autoptr(BgMesh) by_n = smooth(large, 20);
        g_assert_cmpmem(bg_mesh_get_data(by_n)->positions, n_bytes,
                        bg_mesh_get_data(by_all)->positions, n_bytes);
    }
    bg_parallel_set_threads(0);
}

// Eigenvectors of the neighbours' mean on a regular torus are not at hand; a degree count is: each pass reaches
// one edge further, so a single step outwards moves nothing beyond.
static void
test_sinc_reaches_so_far(void)
{
    BgMeshData bumped = torus_data(48, 24, 0.0, bg_vec3(0, 0, 0));
    g_autoptr(BgMesh) flat = make_torus(48, 24, 0.0, bg_vec3(0, 0, 0));
    guint moved = 0;

    bumped.positions[3 * (24 * 24) + 2] += 0.5f; // inside the bounds: the middle stays
    g_autoptr(BgMesh) with_bump = take(&bumped);
    g_autoptr(BgMesh) a = smooth(flat, 3);
    g_autoptr(BgMesh) b = smooth(with_bump, 3);
    const float *pa = bg_mesh_get_data(a)->positions, *pb = bg_mesh_get_data(b)->positions;
    for (gsize v = 0; v < 48 * 24; v++)
        moved += memcmp(pa + 3 * v, pb + 3 * v, 12) != 0;
    // Rings of the six-neighbour grid: 1 + 6 + 12 + 18.
    g_assert_cmpuint(moved, ==, 37);
}

static void
test_border_stays(void)
{
    BgMeshData open = torus_data(48, 24, 0.5, bg_vec3(0, 0, 0));
    open.n_triangles -= 48; // the last ring of quads

    g_autoptr(BgMesh) mesh = take(&open);
    g_autoptr(BgMesh) made = smooth(mesh, 20);
    const float *p = bg_mesh_get_data(mesh)->positions, *q = bg_mesh_get_data(made)->positions;
    for (gsize v = 0; v < 48 * 24; v++) {
        gboolean on_border = v < 24 || v >= 47 * 24;
        g_assert_cmpint(memcmp(p + 3 * v, q + 3 * v, 12) == 0, ==, on_border);
    }
}

static void
test_taubin_keeps_volume(void)
{
    g_autoptr(GError) error = NULL;
    BgTaubinParams params = { .n_passes = 20, .lambda = 0.5, .mu = -0.53 };
    g_autoptr(BgMesh) mesh = make_torus(192, 96, 0.25, bg_vec3(0, 0, 0));
    g_autoptr(BgMesh) made = bg_mesh_smooth_taubin(mesh, &params, NULL, NULL, &error);
    BgMeshMeasures before = measure(mesh), after = measure(made);

    g_assert_no_error(error);
    g_assert_cmpfloat_with_epsilon(after.volume_ml / before.volume_ml, 1.0, 0.01);
    g_assert_cmpfloat(after.area_cm2, <, 0.98 * before.area_cm2);
}

static void
test_smoothing_refuses(void)
{
    static const BgSincParams sinc[] = {
        { 0, 0.1 }, { 1001, 0.1 }, { 5, 0.0 }, { 5, 2.0 }, { 5, NAN }
    };
    static const BgTaubinParams taubin[] = { { 5, 0.5, -0.4 }, { 5, 0.0, -0.5 }, { 5, 0.5, -2.5 } };
    g_autoptr(BgMesh) mesh = make_torus(12, 8, 0.0, bg_vec3(0, 0, 0));

    for (gsize i = 0; i < G_N_ELEMENTS(sinc); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(bg_mesh_smooth_sinc(mesh, &sinc[i], NULL, NULL, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(taubin); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(bg_mesh_smooth_taubin(mesh, &taubin[i], NULL, NULL, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    }
}

static void
test_cancelled(void)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(BgMesh) mesh = make_torus(48, 24, 0.0, bg_vec3(0, 0, 0));
    BgSincParams params = { .n_passes = 20, .pass_band = 0.1 };
    BgMeshDistance distance;

    g_cancellable_cancel(cancellable);
    g_assert_null(bg_mesh_smooth_sinc(mesh, &params, NULL, cancellable, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_clear_error(&error);
    g_assert_false(bg_mesh_distance(mesh, mesh, 1000, &distance, NULL, cancellable, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_normals(void)
{
    BgVec3 centre = bg_vec3(12, -30, 44);
    g_autoptr(BgMesh) mesh = make_sphere(60, 25.0, centre);
    g_autoptr(BgMesh) made = bg_mesh_compute_normals(mesh, NULL);
    const BgMeshData *data = bg_mesh_get_data(made);

    for (gsize v = 0; v < data->n_vertices; v++) {
        const float *p = data->positions + 3 * v, *n = data->normals + 3 * v;
        BgVec3 out = bg_vec3_normalize(
            bg_vec3_sub(bg_vec3((double) p[0], (double) p[1], (double) p[2]), centre));
        BgVec3 normal = bg_vec3((double) n[0], (double) n[1], (double) n[2]);
        g_assert_cmpfloat_with_epsilon(bg_vec3_length(normal), 1.0, 1e-6);
        g_assert_cmpfloat(bg_vec3_dot(out, normal), >, 0.999);
    }
}

// Two tori and a smaller sphere, their triangles mixed.
static BgMesh *
make_three(void)
{
    BgMesh *meshes[3] = { make_torus(24, 12, 0.0, bg_vec3(0, 0, 0)),
                          make_sphere(10, 5.0, bg_vec3(100, 0, 0)),
                          make_torus(36, 12, 0.5, bg_vec3(0, 0, 90)) };
    gsize n_vertices = 0, n_triangles = 0, most = 0;

    for (int i = 0; i < 3; i++) {
        const BgMeshData *data = bg_mesh_get_data(meshes[i]);
        n_vertices += data->n_vertices;
        n_triangles += data->n_triangles;
        most = MAX(most, data->n_triangles);
    }
    BgMeshData all = alloc_data(n_vertices, n_triangles);
    guint32 first[3], *t = all.triangles;
    gsize done = 0;
    for (int i = 0; i < 3; i++) {
        const BgMeshData *data = bg_mesh_get_data(meshes[i]);
        first[i] = (guint32) done;
        memcpy(all.positions + 3 * done, data->positions, 12 * data->n_vertices);
        done += data->n_vertices;
    }
    for (gsize n = 0; n < most; n++) {
        for (int i = 0; i < 3; i++) {
            const BgMeshData *data = bg_mesh_get_data(meshes[i]);
            for (gsize corner = 0; n < data->n_triangles && corner < 3; corner++)
                *t++ = first[i] + data->triangles[3 * n + corner];
        }
    }
    for (int i = 0; i < 3; i++)
        bg_mesh_unref(meshes[i]);
    return take(&all);
}

static void
test_parts(void)
{
    g_autoptr(BgMesh) mesh = make_three();
    bg_auto_buffer guint32 *part = NULL;
    g_autoptr(GArray) parts = bg_mesh_find_parts(mesh, &part, NULL);
    static const gsize n_triangles[3] = { 576, 360, 864 };
    gsize counted[3] = { 0 };

    g_assert_cmpuint(parts->len, ==, 3);
    for (guint i = 0; i < 3; i++) {
        g_assert_cmpuint(g_array_index(parts, BgMeshPart, i).first_triangle, ==, i);
        g_assert_cmpuint(g_array_index(parts, BgMeshPart, i).n_triangles, ==, n_triangles[i]);
    }
    for (gsize t = 0; t < bg_mesh_get_data(mesh)->n_triangles; t++)
        counted[part[t]]++;
    g_assert_cmpmem(counted, sizeof counted, n_triangles, sizeof n_triangles);

    g_autoptr(BgMesh) largest = bg_mesh_keep_largest(mesh, NULL);
    const BgMeshData *data = bg_mesh_get_data(largest);
    g_assert_cmpuint(data->n_triangles, ==, 864);
    g_assert_cmpuint(data->n_vertices, ==, 432);
    BgMeshMeasures m = measure(largest);
    g_assert_true(m.closed);
    g_assert_cmpuint(m.n_components, ==, 1);
    g_assert_cmpfloat_with_epsilon(m.low_mm.z, 90.0 - 8.5, 0.5);
}

static void
test_groups(void)
{
    BgMeshData data = torus_data(24, 12, 0.0, bg_vec3(0, 0, 0));
    BgMeshGroup groups[2] = { { .n_triangles = 200, .label = 3, .name = "3" },
                              { .first_triangle = 200, .n_triangles = 376, .label = 8 } };

    data.groups = g_array_new(FALSE, FALSE, sizeof(BgMeshGroup));
    g_array_append_vals(data.groups, groups, 2);
    g_autoptr(BgMesh) mesh = take(&data);
    g_autoptr(BgMesh) first = bg_mesh_extract_group(mesh, 0, NULL);
    g_autoptr(BgMesh) second = bg_mesh_extract_group(mesh, 1, NULL);
    g_assert_cmpuint(bg_mesh_get_data(first)->n_triangles, ==, 200);
    g_assert_cmpuint(bg_mesh_get_data(first)->groups->len, ==, 1);
    g_assert_cmpuint(g_array_index(bg_mesh_get_data(first)->groups, BgMeshGroup, 0).label, ==, 3);
    g_assert_cmpuint(bg_mesh_get_data(second)->n_triangles, ==, 376);
    g_assert_cmpfloat_with_epsilon(measure(first).area_cm2 + measure(second).area_cm2,
                                   measure(mesh).area_cm2, 1e-9);
}

static void
test_distance_of_spheres(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgMesh) a = make_sphere(120, 20.0, bg_vec3(5, 6, 7));
    g_autoptr(BgMesh) b = make_sphere(100, 21.5, bg_vec3(5, 6, 7));
    g_autoptr(BgMesh) moved = make_sphere(120, 20.0, bg_vec3(5, 6, 8));
    BgMeshDistance d;

    g_assert_true(bg_mesh_distance(a, b, 20000, &d, NULL, NULL, &error));
    g_assert_cmpfloat_with_epsilon(d.mean_mm, 1.5, 0.01);
    g_assert_cmpfloat_with_epsilon(d.rms_mm, 1.5, 0.01);
    g_assert_cmpfloat_with_epsilon(d.p95_mm, 1.5, 0.02);
    g_assert_cmpfloat_with_epsilon(d.max_mm, 1.5, 0.03);

    g_assert_true(bg_mesh_distance(a, a, 20000, &d, NULL, NULL, &error));
    g_assert_cmpfloat(d.max_mm, <, 1e-5);

    // Shifted by h << r: the distance is h |cos|, over the area its mean is h / 2, its square's h^2 / 3.
    g_assert_true(bg_mesh_distance(a, moved, 40000, &d, NULL, NULL, &error));
    g_assert_cmpfloat_with_epsilon(d.mean_mm, 0.5, 0.01);
    g_assert_cmpfloat_with_epsilon(d.rms_mm, sqrt(1.0 / 3.0), 0.01);
    g_assert_cmpfloat_with_epsilon(d.p95_mm, 0.95, 0.02);
    g_assert_cmpfloat_with_epsilon(d.max_mm, 1.0, 0.02);
}

// A small patch against a large surface: one way is near, the other far.
static void
test_distance_is_two_ways(void)
{
    g_autoptr(GError) error = NULL;
    BgMeshData half = torus_data(48, 24, 0.0, bg_vec3(0, 0, 0));
    half.n_triangles /= 2;
    g_autoptr(BgMesh) whole = make_torus(48, 24, 0.0, bg_vec3(0, 0, 0));
    g_autoptr(BgMesh) part = take(&half);
    BgMeshDistance d;

    g_assert_true(bg_mesh_distance(part, whole, 5000, &d, NULL, NULL, &error));
    g_assert_cmpfloat(d.max_ab_mm, <, 1e-5);
    g_assert_cmpfloat(d.max_ba_mm, >, 15.0);
    g_assert_cmpfloat(d.max_mm, ==, d.max_ba_mm);
    g_assert_cmpfloat_with_epsilon(d.mean_mm, 0.5 * (d.mean_ab_mm + d.mean_ba_mm), 1e-12);

    BgMeshData nothing = alloc_data(0, 0);
    g_autoptr(BgMesh) empty = take(&nothing);
    g_assert_false(bg_mesh_distance(whole, empty, 10, &d, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

// Distance to a triangle by brute force over a fine grid of its points.
static double
slow_distance(const BgMeshData *data, BgVec3 p)
{
    double best = INFINITY;

    for (gsize t = 0; t < data->n_triangles; t++) {
        BgVec3 v[3];
        for (int corner = 0; corner < 3; corner++) {
            const float *q = data->positions + 3 * (gsize) data->triangles[3 * t + (gsize) corner];
            v[corner] = bg_vec3((double) q[0], (double) q[1], (double) q[2]);
        }
        for (int i = 0; i <= 40; i++) {
            for (int j = 0; i + j <= 40; j++) {
                BgVec3 at = bg_vec3_scale(v[0], (40 - i - j) / 40.0);
                at = bg_vec3_along(at, i / 40.0, v[1]);
                at = bg_vec3_along(at, j / 40.0, v[2]);
                best = MIN(best, bg_vec3_distance(p, at));
            }
        }
    }
    return best;
}

static void
test_tree_against_brute_force(void)
{
    g_autoptr(BgMesh) mesh = make_torus(12, 8, 0.9, bg_vec3(1, 2, 3));
    g_autoptr(BgMeshTree) tree = bg_mesh_tree_new(mesh, NULL);

    for (int n = 0; n < 200; n++) {
        BgVec3 p = bg_vec3(g_test_rand_double_range(-40, 40), g_test_rand_double_range(-40, 40),
                           g_test_rand_double_range(-20, 20)),
               at;
        double slow = slow_distance(bg_mesh_get_data(mesh), p);
        double d = bg_mesh_tree_distance_mm(tree, p, &at);
        g_assert_cmpfloat(d, <=, slow + 1e-9);
        g_assert_cmpfloat(d, >=, slow - 0.3);
        g_assert_cmpfloat_with_epsilon(d, bg_vec3_distance(p, at), 1e-9);
        g_assert_cmpfloat(bg_mesh_tree_distance_mm(tree, at, NULL), <, 1e-9);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/mesh-measures/torus", test_measures_of_torus);
    g_test_add_func("/mesh-measures/faults", test_measures_of_faults);
    g_test_add_func("/mesh-smooth/sinc-as-vtk", test_sinc_as_vtk);
    g_test_add_func("/mesh-smooth/sinc-reaches-so-far", test_sinc_reaches_so_far);
    g_test_add_func("/mesh-smooth/place-and-threads", test_smoothing_keeps_place_and_threads);
    g_test_add_func("/mesh-smooth/border-stays", test_border_stays);
    g_test_add_func("/mesh-smooth/taubin-keeps-volume", test_taubin_keeps_volume);
    g_test_add_func("/mesh-smooth/refuses", test_smoothing_refuses);
    g_test_add_func("/mesh-smooth/cancelled", test_cancelled);
    g_test_add_func("/mesh-normals/sphere", test_normals);
    g_test_add_func("/mesh-parts/three", test_parts);
    g_test_add_func("/mesh-parts/groups", test_groups);
    g_test_add_func("/mesh-distance/spheres", test_distance_of_spheres);
    g_test_add_func("/mesh-distance/two-ways", test_distance_is_two_ways);
    g_test_add_func("/mesh-distance/brute-force", test_tree_against_brute_force);

    return g_test_run();
}
