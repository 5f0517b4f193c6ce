// SPDX-License-Identifier: Apache-2.0
// Signed distances: against a box's formula, and against the solid angle for which side a point is on.
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/model/bg-distance-colour.h"
#include "core/surface/bg-mesh-distance.h"

#include <math.h>
#include <string.h>

static BgMesh *
take(const float *positions, gsize n_vertices, const guint32 *triangles, gsize n_triangles)
{
    g_autoptr(GError) error = NULL;
    BgMeshData data = { .n_vertices = n_vertices, .n_triangles = n_triangles };

    data.positions = bg_buffer_alloc_items(3 * n_vertices, sizeof(float), NULL);
    data.triangles = bg_buffer_alloc_items(3 * n_triangles, sizeof(guint32), NULL);
    memcpy(data.positions, positions, 3 * n_vertices * sizeof(float));
    memcpy(data.triangles, triangles, 3 * n_triangles * sizeof(guint32));
    BgMesh *mesh = bg_mesh_new_take(&data, &error);
    g_assert_no_error(error);
    return mesh;
}

// Sides 2 a, 2 b, 2 c around the origin; vertex bits: x, y, z.
static BgMesh *
make_box(float a, float b, float c, gsize n_triangles)
{
    static const guint32 triangles[] = { 0, 2, 3, 0, 3, 1, 4, 5, 7, 4, 7, 6, 0, 1, 5, 0, 5, 4,
                                         2, 6, 7, 2, 7, 3, 0, 4, 6, 0, 6, 2, 1, 3, 7, 1, 7, 5 };
    float positions[24];

    for (int v = 0; v < 8; v++) {
        positions[3 * v] = (v & 1) ? a : -a;
        positions[3 * v + 1] = (v & 2) ? b : -b;
        positions[3 * v + 2] = (v & 4) ? c : -c;
    }
    return take(positions, 8, triangles, n_triangles);
}

static double
box_signed(BgVec3 p, double a, double b, double c)
{
    double x = fabs(p.x) - a, y = fabs(p.y) - b, z = fabs(p.z) - c;
    double outside = sqrt(pow(fmax(x, 0.0), 2.0) + pow(fmax(y, 0.0), 2.0) + pow(fmax(z, 0.0), 2.0));

    return outside + fmin(fmax(x, fmax(y, z)), 0.0);
}

static BgVec3
random_point(double reach)
{
    return bg_vec3(g_test_rand_double_range(-reach, reach), g_test_rand_double_range(-reach, reach),
                   g_test_rand_double_range(-reach, reach));
}

static void
test_box(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgMesh) box = make_box(3.0f, 5.0f, 8.0f, 12);
    g_autoptr(BgMeshTree) tree = bg_mesh_tree_new(box, &error);

    g_assert_no_error(error);
    for (int i = 0; i < 5000; i++) {
        BgVec3 p = random_point(12.0);
        g_assert_cmpfloat_with_epsilon(bg_mesh_tree_signed_mm(tree, p),
                                       box_signed(p, 3.0, 5.0, 8.0), 1e-9);
    }
    // Right off an edge and a corner, where one triangle's normal would not know the side.
    for (int i = 0; i < 3000; i++) {
        BgVec3 p = random_point(0.4);
        p = bg_vec3_add(p, bg_vec3(3.0, 5.0, i % 2 == 0 ? 8.0 : 0.0));
        g_assert_cmpfloat_with_epsilon(bg_mesh_tree_signed_mm(tree, p),
                                       box_signed(p, 3.0, 5.0, 8.0), 1e-9);
    }
}

// A closed fan between two poles whose rim goes up and down and in and out: ridges and saddles.
static BgMesh *
make_crown(guint n)
{
    g_autofree float *positions = g_new(float, 3 * (n + 2));
    g_autofree guint32 *triangles = g_new(guint32, 6 * n);

    for (guint v = 0; v < n; v++) {
        double a = 2.0 * G_PI * v / n, r = v % 2 == 0 ? 10.0 : 4.0;
        positions[3 * v] = (float) (r * cos(a));
        positions[3 * v + 1] = (float) (r * sin(a));
        positions[3 * v + 2] = v % 4 < 2 ? 5.0f : -5.0f;
        guint32 next = (v + 1) % n, six[6] = { v, next, n, next, v, n + 1 };
        memcpy(triangles + 6 * v, six, sizeof six);
    }
    const float poles[6] = { 0.0f, 0.0f, 7.0f, 0.0f, 0.0f, -7.0f };
    memcpy(positions + 3 * n, poles, sizeof poles);
    return take(positions, n + 2, triangles, 2 * n);
}

static BgVec3
vertex_of(const BgMeshData *data, guint32 v)
{
    const float *p = data->positions + 3 * (gsize) v;

    return bg_vec3((double) p[0], (double) p[1], (double) p[2]);
}

// How often the surface goes round the point (Van Oosterom and Strackee 1983).
static double
winding_number(const BgMesh *mesh, BgVec3 p)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);
    double sum = 0.0;

    for (gsize t = 0; t < data->n_triangles; t++) {
        const guint32 *v = data->triangles + 3 * t;
        BgVec3 a = bg_vec3_sub(vertex_of(data, v[0]), p), b = bg_vec3_sub(vertex_of(data, v[1]), p),
               c = bg_vec3_sub(vertex_of(data, v[2]), p);
        double la = bg_vec3_length(a), lb = bg_vec3_length(b), lc = bg_vec3_length(c);
        double below =
            la * lb * lc + bg_vec3_dot(a, b) * lc + bg_vec3_dot(b, c) * la + bg_vec3_dot(c, a) * lb;
        sum += 2.0 * atan2(bg_vec3_dot(a, bg_vec3_cross(b, c)), below);
    }
    return sum / (4.0 * G_PI);
}

static void
test_sides(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgMesh) crown = make_crown(16);
    g_autoptr(BgMeshTree) tree = bg_mesh_tree_new(crown, &error);
    int n_inside = 0;

    g_assert_no_error(error);
    for (int i = 0; i < 20000; i++) {
        BgVec3 p = random_point(10.0);
        double signed_mm = bg_mesh_tree_signed_mm(tree, p);
        gboolean inside = winding_number(crown, p) > 0.5;
        if (fabs(signed_mm) < 1e-6)
            continue;
        g_assert_cmpfloat_with_epsilon(fabs(signed_mm), bg_mesh_tree_distance_mm(tree, p, NULL),
                                       1e-12);
        g_assert_cmpint(signed_mm < 0.0, ==, inside);
        n_inside += inside;
    }
    g_assert_cmpint(n_inside, >, 500);
}

static void
test_map(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgMesh) small = make_box(2.0f, 4.0f, 7.5f, 12);
    g_autoptr(BgMesh) large = make_box(3.0f, 5.0f, 8.0f, 12);
    g_autoptr(BgMesh) inside = bg_mesh_map_distance(small, large, NULL, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(BgMesh) outside = bg_mesh_map_distance(large, small, NULL, NULL, &error);
    g_assert_no_error(error);

    for (int v = 0; v < 8; v++) {
        g_assert_cmpfloat_with_epsilon(bg_mesh_get_data(inside)->distances_mm[v], -0.5f, 1e-6f);
        g_assert_cmpfloat_with_epsilon(bg_mesh_get_data(outside)->distances_mm[v], 1.5f, 1e-6f);
    }
    // Kept when the mesh is moved, and counted.
    BgAffine move = bg_affine_identity();
    move.m[0][3] = 30.0;
    g_autoptr(BgMesh) moved = bg_mesh_transform(outside, &move, &error);
    g_assert_no_error(error);
    g_assert_cmpfloat(bg_mesh_get_data(moved)->distances_mm[7], ==,
                      bg_mesh_get_data(outside)->distances_mm[7]);
    BgMeshSpread spread;
    g_assert_true(bg_mesh_spread(inside, &spread, &error));
    g_assert_cmpfloat_with_epsilon(spread.low_mm, -0.5, 1e-6);
    g_assert_cmpfloat_with_epsilon(spread.high_mm, -0.5, 1e-6);
    g_assert_cmpfloat_with_epsilon(spread.mean_mm, -0.5, 1e-6);
    g_assert_cmpfloat_with_epsilon(spread.mean_abs_mm, 0.5, 1e-6);
    g_assert_cmpfloat_with_epsilon(spread.p95_abs_mm, 0.5, 1e-6);
    g_assert_false(bg_mesh_spread(small, &spread, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

static void
test_refuses(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgMesh) whole = make_box(2.0f, 4.0f, 7.5f, 12);
    g_autoptr(BgMesh) open = make_box(3.0f, 5.0f, 8.0f, 11);
    g_autoptr(GCancellable) cancelled = g_cancellable_new();

    g_assert_null(bg_mesh_map_distance(whole, open, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "not closed"));
    g_clear_error(&error);
    g_cancellable_cancel(cancelled);
    g_assert_null(bg_mesh_map_distance(open, whole, NULL, cancelled, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_clear_error(&error);

    float *bad = bg_buffer_alloc_items(8, sizeof(float), NULL);
    for (int v = 0; v < 8; v++)
        bad[v] = v == 5 ? NAN : 0.0f;
    g_assert_null(bg_mesh_with_distances(whole, bad, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
}

static void
test_colours(void)
{
    static const struct {
        double distance_mm;
        int rgb[3];
    } cases[] = { { -9.0, { 0x21, 0x66, 0xAC } },
                  { -4.0, { 0x21, 0x66, 0xAC } },
                  { -2.0, { 0x67, 0xA9, 0xCF } },
                  { 0.0, { 0xF7, 0xF7, 0xF7 } },
                  { 2.0, { 0xEF, 0x8A, 0x62 } },
                  { 3.0, { (0xEF + 0xB2) / 2, (0x8A + 0x18) / 2, (0x62 + 0x2B) / 2 } },
                  { 50.0, { 0xB2, 0x18, 0x2B } } };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        double rgb[3];
        bg_distance_colour(cases[i].distance_mm, 4.0, rgb);
        for (int c = 0; c < 3; c++)
            g_assert_cmpfloat_with_epsilon(255.0 * rgb[c], cases[i].rgb[c], 0.6);
    }
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mesh-signed/box", test_box);
    g_test_add_func("/mesh-signed/sides", test_sides);
    g_test_add_func("/mesh-signed/map", test_map);
    g_test_add_func("/mesh-signed/refuses", test_refuses);
    g_test_add_func("/mesh-signed/colours", test_colours);
    return g_test_run();
}
