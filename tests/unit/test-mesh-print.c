// SPDX-License-Identifier: Apache-2.0
// Checks before printing, on shapes of which every number is known, and their repair.
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/surface/bg-label-surface.h"
#include "core/surface/bg-mesh-measures.h"
#include "core/surface/bg-mesh-parts.h"
#include "core/surface/bg-mesh-print.h"
#include "core/surface/bg-mesh-refine.h"

#include <string.h>

#define SIDE 40
#define MM 0.5

typedef guint8 (*Label)(int i, int j, int k);

static BgMesh *
cut(Label label, guint n_smooth)
{
    const int dims[3] = { SIDE, SIDE, SIDE };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(MM, MM, MM));
    guint8 *labels = bg_voxels_alloc(&geometry, 1, NULL);
    g_autoptr(GError) error = NULL;
    gsize at = 0;

    for (int k = 0; k < SIDE; k++)
        for (int j = 0; j < SIDE; j++)
            for (int i = 0; i < SIDE; i++)
                labels[at++] = label(i, j, k);
    g_autoptr(BgLabelMap) map = bg_label_map_new_take(&geometry, BG_LABEL_UINT8, labels, &error);
    BgLabelSurfaceParams params = { .n_smooth_passes = n_smooth };
    BgMesh *mesh = bg_label_surface(map, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    return mesh;
}

static BgPrintCheck
check(BgMesh *mesh, double wall_mm)
{
    BgPrintParams params = bg_print_params();
    g_autoptr(GError) error = NULL;
    BgPrintCheck found;

    params.least_wall_mm = wall_mm;
    g_assert_true(bg_mesh_print_check(mesh, &params, &found, NULL, NULL, &error));
    g_assert_no_error(error);
    g_autoptr(GPtrArray) words = bg_print_check_words(&found, &params);
    g_assert_true(found.printable == (words->len == 0));
    return found;
}

static BgMesh *
mend(BgMesh *mesh, BgPrintRepair *done)
{
    BgPrintParams params = bg_print_params();
    g_autoptr(GError) error = NULL;
    BgMesh *made = bg_mesh_print_repair(mesh, &params, done, &error);

    g_assert_no_error(error);
    return made;
}

static double
away(int i, int j, int k, double x, double y, double z)
{
    return sqrt((i - x) * (i - x) + (j - y) * (j - y) + (k - z) * (k - z));
}

static guint8
ball(int i, int j, int k)
{
    return away(i, j, k, 19.5, 19.5, 19.5) < 14.0;
}

// Four voxels thick: 2 mm.
static guint8
plate(int i, int j, int k)
{
    return k >= 18 && k < 22 && i >= 4 && i < 36 && j >= 4 && j < 36;
}

// A shell of three voxels, 1.5 mm, round a hollow.
static guint8
shell(int i, int j, int k)
{
    double r = away(i, j, k, 19.5, 19.5, 19.5);

    return r < 16.0 && r >= 13.0;
}

// A ball, a grain of 8 voxels, and a bubble of 8 in the ball.
static guint8
grains(int i, int j, int k)
{
    if (i >= 2 && i < 4 && j >= 2 && j < 4 && k >= 2 && k < 4)
        return 1;
    if (i >= 18 && i < 20 && j >= 18 && j < 20 && k >= 18 && k < 20)
        return 0;
    return away(i, j, k, 19.5, 19.5, 19.5) < 12.0;
}

static guint8
two(int i, int j, int k)
{
    if (away(i, j, k, 10.0, 19.5, 19.5) < 8.0)
        return 1;
    return away(i, j, k, 29.0, 19.5, 19.5) < 8.0 ? 2 : 0;
}

// All but the triangles for which @drop says so; turned where that is wanted.
static BgMesh *
change(BgMesh *mesh, gboolean (*drop)(const float *at), gboolean turn)
{
    const BgMeshData *from = bg_mesh_get_data(mesh);
    BgMeshData data = { .n_vertices = from->n_vertices };
    g_autoptr(GError) error = NULL;

    data.positions = bg_buffer_alloc_items(3 * from->n_vertices, sizeof(float), NULL);
    data.triangles = bg_buffer_alloc_items(3 * from->n_triangles, sizeof(guint32), NULL);
    memcpy(data.positions, from->positions, 3 * from->n_vertices * sizeof(float));
    data.groups = g_array_new(FALSE, FALSE, sizeof(BgMeshGroup));
    for (guint g = 0; g < from->groups->len; g++) {
        BgMeshGroup group = g_array_index(from->groups, BgMeshGroup, g);
        gsize first = group.first_triangle, end = first + group.n_triangles;
        group.first_triangle = data.n_triangles;
        for (gsize t = first; t < end; t++) {
            const guint32 *v = from->triangles + 3 * t;
            if (drop != NULL && drop(from->positions + 3 * (gsize) v[0]))
                continue;
            guint32 *to = data.triangles + 3 * data.n_triangles++;
            to[0] = v[0];
            to[1] = v[turn ? 2 : 1];
            to[2] = v[turn ? 1 : 2];
        }
        group.n_triangles = data.n_triangles - group.first_triangle;
        g_array_append_val(data.groups, group);
    }
    BgMesh *made = bg_mesh_new_take(&data, &error);
    g_assert_no_error(error);
    return made;
}

static void
test_sound(void)
{
    g_autoptr(BgMesh) mesh = cut(ball, 20);
    BgPrintCheck found = check(mesh, 1.0);
    BgPrintRepair done;

    g_assert_true(found.printable && found.closed && !found.inside_out);
    g_assert_cmpuint(found.n_holes + found.n_islands + found.n_bad_edges, ==, 0);
    g_assert_cmpuint(found.n_parts, ==, 1);
    g_assert_cmpfloat_with_epsilon(found.thinnest_mm, 2 * 14.0 * MM, 0.8);
    g_assert_cmpfloat(found.thin_share, ==, 0.0);
    g_autoptr(BgMesh) same = mend(mesh, &done);
    g_assert_cmpuint(bg_mesh_get_data(same)->n_triangles, ==, bg_mesh_get_data(mesh)->n_triangles);
    g_assert_false(done.turned);
    g_assert_cmpuint(done.n_triangles_removed + done.n_holes_filled, ==, 0);
}

// Nearly all of a plate's area is its two faces, 2 mm apart; a shell is 1.5 mm thick everywhere.
static void
test_walls(void)
{
    g_autoptr(BgMesh) flat = cut(plate, 0);
    g_autoptr(BgMesh) hollow = cut(shell, 20);
    BgPrintCheck found = check(flat, 1.5);

    g_assert_cmpfloat(found.thin_share, <, 0.08); // at its edge the normals lean
    found = check(flat, 2.1);
    g_assert_false(found.printable);
    g_assert_cmpfloat(found.thin_share, >, 0.75);
    found = check(hollow, 1.0);
    g_assert_true(found.printable);
    g_assert_cmpuint(found.n_parts, ==, 2);
    g_assert_cmpfloat_with_epsilon(found.thinnest_mm, 1.4, 0.25);
    found = check(hollow, 2.0);
    g_assert_cmpfloat(found.thin_share, >, 0.9);
    // The thinnest place is on the surface.
    double r = bg_vec3_distance(found.thinnest_at_mm, bg_vec3(0.0, 0.0, 0.0));
    g_assert_true(fabs(r - 13.0 * MM) < 0.5 || fabs(r - 16.0 * MM) < 0.5);
}

static gboolean
at_left(const float *at)
{
    return at[0] > 6.25f;
}

static gboolean
at_two_places(const float *at)
{
    return at[2] > 2.75f || at[2] < -2.75f;
}

static void
test_holes(void)
{
    g_autoptr(BgMesh) whole = cut(ball, 20);
    g_autoptr(BgMesh) open = change(whole, at_left, FALSE);
    BgPrintCheck found = check(open, 1.0);
    BgMeshMeasures before, after;
    BgPrintRepair done;

    g_assert_false(found.printable || found.closed);
    g_assert_cmpuint(found.n_holes, >=, 1); // and where a triangle is left in a corner, one more
    g_assert_cmpuint(found.n_holes, <=, 3);
    gsize n_holes = found.n_holes;
    // A circle at 6.25 mm of a ball of 7 mm: of radius 3.15; round it along the triangles' edges.
    g_assert_cmpfloat(found.longest_hole_mm, >, 2 * G_PI * 3.15 * 0.9);
    g_assert_cmpfloat(found.longest_hole_mm, <, 2 * G_PI * 3.15 * 1.6);
    g_autoptr(BgMesh) closed = mend(open, &done);
    g_assert_cmpuint(done.n_holes_filled, ==, n_holes);
    g_assert_true(check(closed, 1.0).closed);
    bg_mesh_measure(whole, &before, NULL);
    bg_mesh_measure(closed, &after, NULL);
    // The cap that went, of height 0.75: 3 % of the ball.
    g_assert_cmpfloat(after.volume_ml, <, 0.995 * before.volume_ml);
    g_assert_cmpfloat(after.volume_ml, >, 0.96 * before.volume_ml);

    g_autoptr(BgMesh) pair = cut(two, 20);
    g_autoptr(BgMesh) holed = change(pair, at_two_places, FALSE);
    n_holes = check(holed, 1.0).n_holes;
    g_assert_cmpuint(n_holes, >=, 4);
    g_autoptr(BgMesh) mended = mend(holed, &done);
    g_assert_cmpuint(done.n_holes_filled, ==, n_holes);
    for (guint g = 0; g < 2; g++) {
        g_autoptr(BgMesh) group = bg_mesh_extract_group(mended, g, NULL);
        const GArray *groups = bg_mesh_get_data(group)->groups;
        bg_mesh_measure(group, &after, NULL);
        g_assert_true(after.closed);
        g_assert_cmpfloat(after.volume_ml, >, 0.0);
        g_assert_cmpuint(g_array_index(groups, BgMeshGroup, 0).label, ==, g + 1);
    }
}

static void
test_inside_out(void)
{
    g_autoptr(BgMesh) whole = cut(ball, 20);
    g_autoptr(BgMesh) turned = change(whole, at_left, TRUE);
    BgPrintCheck found = check(turned, 1.0);
    BgPrintRepair done;

    g_assert_true(found.inside_out);
    g_assert_cmpfloat(found.volume_ml, <, 0.0);
    g_autoptr(BgMesh) mended = mend(turned, &done);
    g_assert_true(done.turned);
    g_assert_true(check(mended, 1.0).printable);
}

static void
test_islands(void)
{
    g_autoptr(BgMesh) mesh = cut(grains, 0);
    BgPrintCheck found = check(mesh, 1.0);
    BgPrintRepair done;

    g_assert_cmpuint(found.n_parts, ==, 3);
    g_assert_cmpuint(found.n_islands, ==, 2); // the grain, and the bubble
    g_assert_cmpfloat(found.islands_ml, <, 2 * 8 * MM * MM * MM * 1e-3);
    g_autoptr(BgMesh) mended = mend(mesh, &done);
    found = check(mended, 1.0);
    g_assert_cmpuint(done.n_islands_removed, ==, 2);
    g_assert_cmpuint(found.n_parts, ==, 1);
    g_assert_true(found.closed);
}

static void
test_refuses(void)
{
    BgMeshData nothing = { .positions = bg_buffer_alloc_items(0, sizeof(float), NULL),
                           .triangles = bg_buffer_alloc_items(0, sizeof(guint32), NULL) };
    g_autoptr(BgMesh) empty = bg_mesh_new_take(&nothing, NULL);
    g_autoptr(BgMesh) mesh = cut(ball, 0);
    static const BgPrintParams bad[] = {
        { 0.0, 0.05 }, { -1.0, 0.05 }, { 1.0, -0.1 }, { (double) NAN, 0.05 }, { 1.0, (double) NAN }
    };
    BgPrintParams params = bg_print_params();
    g_autoptr(GError) error = NULL;
    BgPrintCheck found;
    BgPrintRepair done;

    g_assert_false(bg_mesh_print_check(empty, &params, &found, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_null(bg_mesh_print_repair(empty, &params, &done, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_clear_error(&error);
        g_assert_false(bg_mesh_print_check(mesh, &bad[i], &found, NULL, NULL, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    }
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_cancellable_cancel(cancellable);
    g_clear_error(&error);
    g_assert_false(bg_mesh_print_check(mesh, &params, &found, NULL, cancellable, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mesh-print/sound", test_sound);
    g_test_add_func("/mesh-print/walls", test_walls);
    g_test_add_func("/mesh-print/holes", test_holes);
    g_test_add_func("/mesh-print/inside-out", test_inside_out);
    g_test_add_func("/mesh-print/islands", test_islands);
    g_test_add_func("/mesh-print/refuses", test_refuses);
    return g_test_run();
}
