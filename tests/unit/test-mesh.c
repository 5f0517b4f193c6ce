// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/model/bg-label-table.h"
#include "core/model/bg-mesh.h"

#include <string.h>

// A tetrahedron with its right angle at the origin, counter-clockwise from outside.
static const float corners[] = { 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1 };
static const guint32 faces[] = { 0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3 };

static BgMeshData
tetrahedron(void)
{
    BgMeshData data = { .n_vertices = 4, .n_triangles = 4 };

    data.positions = bg_buffer_alloc(sizeof corners, NULL);
    data.triangles = bg_buffer_alloc(sizeof faces, NULL);
    memcpy(data.positions, corners, sizeof corners);
    memcpy(data.triangles, faces, sizeof faces);
    return data;
}

static double
signed_volume(const BgMesh *mesh)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);
    double six = 0.0;

    for (gsize t = 0; t < data->n_triangles; t++) {
        BgVec3 p[3];
        for (int c = 0; c < 3; c++) {
            const float *at = data->positions + 3 * data->triangles[3 * t + (gsize) c];
            p[c] = bg_vec3(at[0], at[1], at[2]);
        }
        six += bg_vec3_dot(p[0], bg_vec3_cross(p[1], p[2]));
    }
    return six / 6.0;
}

static void
test_mirror_keeps_outside_outside(void)
{
    BgMeshData data = tetrahedron();
    g_autoptr(BgMesh) mesh = bg_mesh_new_take(&data, NULL);
    BgAffine flip = bg_affine_from_columns(bg_vec3(-2, 0, 0), bg_vec3(0, 3, 0), bg_vec3(0, 0, 1),
                                           bg_vec3(5, 5, 5));
    g_autoptr(BgMesh) mirrored = bg_mesh_transform(mesh, &flip, NULL);
    BgVec3 low, high;

    g_assert_cmpfloat_with_epsilon(signed_volume(mesh), 1.0 / 6.0, 1e-12);
    g_assert_cmpfloat_with_epsilon(signed_volume(mirrored), 1.0, 1e-6);
    bg_mesh_get_bounds_mm(mirrored, &low, &high);
    g_assert_cmpfloat(bg_vec3_distance(low, bg_vec3(3, 5, 5)), <, 1e-6);
    g_assert_cmpfloat(bg_vec3_distance(high, bg_vec3(5, 8, 6)), <, 1e-6);
}

static void
test_refuses_missing_vertex(void)
{
    g_autoptr(GError) error = NULL;
    BgMeshData data = tetrahedron();

    data.triangles[5] = 4;
    g_assert_null(bg_mesh_new_take(&data, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
}

static void
test_refuses_position_that_is_no_number(void)
{
    g_autoptr(GError) error = NULL;
    BgMeshData data = tetrahedron();

    data.positions[7] = NAN;
    g_assert_null(bg_mesh_new_take(&data, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
}

static void
test_refuses_groups_with_a_gap(void)
{
    g_autoptr(GError) error = NULL;
    BgMeshData data = tetrahedron();
    BgMeshGroup group = { .first_triangle = 1, .n_triangles = 3 };

    data.groups = g_array_new(FALSE, FALSE, sizeof group);
    g_array_append_val(data.groups, group);
    g_assert_null(bg_mesh_new_take(&data, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
}

static void
test_label_table(void)
{
    static const guint32 labels[] = { 4, 0, 2, 900, 2 };
    g_autoptr(BgLabelTable) table = bg_label_table_new_default(labels, 5, TRUE);
    BgLabelEntry renamed = *bg_label_table_find(table, 2);

    g_assert_cmpuint(bg_label_table_count(table), ==, 3);
    g_assert_cmpuint(bg_label_table_get(table, 2)->label, ==, 900);
    g_assert_cmpstr(bg_label_table_find(table, 4)->name, ==, "Enhancing tumour");
    g_assert_null(bg_label_table_find(table, 3));

    g_strlcpy(renamed.name, "Swelling", sizeof renamed.name);
    g_autoptr(BgLabelTable) changed = bg_label_table_with(table, &renamed);
    g_assert_cmpuint(bg_label_table_count(changed), ==, 3);
    g_assert_cmpstr(bg_label_table_find(changed, 2)->name, ==, "Swelling");
    g_assert_cmpstr(bg_label_table_find(table, 2)->name, ==, "Oedema");
}

// A brain mask is no necrotic core, and three tissues are no tumour.
static void
test_brats(void)
{
    static const struct {
        guint32 labels[5];
        gsize n;
        gboolean brats;
    } cases[] = {
        { { 0, 1, 2, 4 }, 4, TRUE },  { { 1, 2, 3, 4 }, 4, TRUE },    { { 2, 4 }, 2, TRUE },
        { { 0, 1 }, 2, FALSE },       { { 1, 2, 3 }, 3, FALSE },      { { 0, 4 }, 2, FALSE },
        { { 1, 2, 4, 5 }, 4, FALSE }, { { 1, 2, 4, 900 }, 4, FALSE }, { { 0 }, 0, FALSE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(bg_labels_are_brats(cases[i].labels, cases[i].n), ==, cases[i].brats);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mesh/mirror-keeps-outside-outside", test_mirror_keeps_outside_outside);
    g_test_add_func("/mesh/refuses/missing-vertex", test_refuses_missing_vertex);
    g_test_add_func("/mesh/refuses/nowhere", test_refuses_position_that_is_no_number);
    g_test_add_func("/mesh/refuses/groups-with-a-gap", test_refuses_groups_with_a_gap);
    g_test_add_func("/label-table/default-and-changed", test_label_table);
    g_test_add_func("/label-table/brats", test_brats);
    return g_test_run();
}
