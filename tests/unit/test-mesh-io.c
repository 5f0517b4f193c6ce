// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-json.h"
#include "core/io/bg-io.h"
#include "core/io/bg-mesh-io.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define PROVENANCE "{\"schema\":1,\"command\":\"mesh\",\"note\":\"Größe |x| 😀\"}"

static char *folder;

static char *
path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

// An octahedron with three different half axes around a point that no mirror maps to itself.
// Outwards: x, y, z triples in cyclic order of the octant's signs.
static BgMesh *
new_octahedron(gboolean grouped, gboolean with_normals)
{
    static const float corners[6][3] = { { 31.5f, 20, 7 }, { 11.5f, 20, 7 },    { 21.5f, 25, 7 },
                                         { 21.5f, 15, 7 }, { 21.5f, 20, 9.1f }, { 21.5f, 20, 5 } };
    static const guint32 triangles[8][3] = { { 0, 2, 4 }, { 2, 1, 4 }, { 1, 3, 4 }, { 3, 0, 4 },
                                             { 2, 0, 5 }, { 1, 2, 5 }, { 3, 1, 5 }, { 0, 3, 5 } };
    BgMeshData data = { .n_vertices = 6, .n_triangles = 8 };
    g_autoptr(GError) error = NULL;

    data.positions = bg_buffer_alloc(sizeof corners, NULL);
    memcpy(data.positions, corners, sizeof corners);
    data.triangles = bg_buffer_alloc(sizeof triangles, NULL);
    memcpy(data.triangles, triangles, sizeof triangles);
    if (with_normals) {
        static const float normals[6][3] = { { 1, 0, 0 },  { -1, 0, 0 }, { 0, 1, 0 },
                                             { 0, -1, 0 }, { 0, 0, 1 },  { 0, 0, -1 } };
        data.normals = bg_buffer_alloc(sizeof normals, NULL);
        memcpy(data.normals, normals, sizeof normals);
    }
    if (grouped) {
        const BgMeshGroup groups[] = { { 0, 4, 3, "upper half" }, { 4, 4, 7, "Großhirn" } };
        data.groups = g_array_new(FALSE, TRUE, sizeof(BgMeshGroup));
        g_array_append_vals(data.groups, groups, 2);
    }
    BgMesh *mesh = bg_mesh_new_take(&data, &error);
    g_assert_no_error(error);
    return mesh;
}

// Corner by corner, so that the numbering of vertices does not matter.
static void
assert_same_triangles(BgMesh *a, BgMesh *b)
{
    const BgMeshData *p = bg_mesh_get_data(a), *q = bg_mesh_get_data(b);

    g_assert_cmpuint(p->n_triangles, ==, q->n_triangles);
    for (gsize i = 0; i < 3 * p->n_triangles; i++)
        for (gsize c = 0; c < 3; c++)
            g_assert_cmpfloat(p->positions[3 * (gsize) p->triangles[i] + c], ==,
                              q->positions[3 * (gsize) q->triangles[i] + c]);
}

static double
signed_volume(BgMesh *mesh)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);
    double sum = 0.0;

    for (gsize t = 0; t < data->n_triangles; t++) {
        BgVec3 p[3];
        for (gsize i = 0; i < 3; i++) {
            const float *at = data->positions + 3 * (gsize) data->triangles[3 * t + i];
            p[i] = bg_vec3(at[0], at[1], at[2]);
        }
        sum += bg_vec3_dot(p[0], bg_vec3_cross(p[1], p[2])) / 6.0;
    }
    return sum;
}

typedef struct {
    const char *name, *file;
    gboolean ras, ascii, grouped, normals;
} RoundTrip;

static const RoundTrip round_trips[] = {
    { "stl", "a.stl", FALSE, FALSE, FALSE, FALSE },
    { "stl-ras", "b.stl", TRUE, FALSE, FALSE, FALSE },
    { "stl-text", "c.STL", FALSE, TRUE, FALSE, FALSE },
    { "stl-text-ras", "d.stl", TRUE, TRUE, FALSE, FALSE },
    { "ply", "a.ply", FALSE, FALSE, FALSE, FALSE },
    { "ply-ras-groups-normals", "b.ply", TRUE, FALSE, TRUE, TRUE },
    { "ply-text", "c.ply", FALSE, TRUE, FALSE, FALSE },
    { "ply-text-groups-normals", "d.ply", FALSE, TRUE, TRUE, TRUE },
    { "obj", "a.obj", FALSE, FALSE, FALSE, FALSE },
    { "obj-ras-groups", "b.obj", TRUE, FALSE, TRUE, FALSE },
};

static void
assert_groups(BgMesh *mesh, const char *names)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);
    g_autoptr(GString) found = g_string_new(NULL);

    for (guint i = 0; data->groups != NULL && i < data->groups->len; i++) {
        const BgMeshGroup *group = &g_array_index(data->groups, BgMeshGroup, i);
        g_string_append_printf(found, "%u:%s:%zu ", group->label, group->name, group->n_triangles);
    }
    g_assert_cmpstr(found->str, ==, names);
}

static void
test_round_trip(gconstpointer user_data)
{
    const RoundTrip *c = user_data;
    g_autofree char *path = path_of(c->file);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgMesh) mesh = new_octahedron(c->grouped, c->normals);
    BgMeshSaveParams params = {
        .force = TRUE, .provenance = PROVENANCE, .ras = c->ras, .ascii = c->ascii
    };

    g_assert_true(bg_mesh_save(mesh, path, &params, NULL, NULL, &error));
    g_assert_no_error(error);
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(loaded->mesh);
    assert_same_triangles(mesh, loaded->mesh);
    g_assert_cmpuint(bg_mesh_get_data(loaded->mesh)->n_vertices, ==, 6);
    g_assert_true(loaded->info->side_known);
    g_assert_cmpuint(loaded->info->warnings->len, ==, 0);
    g_assert_cmpint(loaded->info->kind, ==, BG_KIND_MESH);
    if (c->grouped)
        assert_groups(loaded->mesh, "3:upper half:4 7:Großhirn:4 ");
    if (c->normals && g_str_has_suffix(c->file, "ply"))
        g_assert_cmpmem(bg_mesh_get_data(mesh)->normals, 72,
                        bg_mesh_get_data(loaded->mesh)->normals, 72);
    // 4/3 a b c for half axes a, b and the mean of the two different c
    g_assert_cmpfloat_with_epsilon(signed_volume(loaded->mesh), 4.0 / 3.0 * 10 * 5 * 2.05, 1e-3);
}

// Distances to another surface, in mm whatever else the vertices have.
static void
test_distances(gconstpointer user_data)
{
    const RoundTrip *c = user_data;
    const float wanted[6] = { -1.5f, 0.0f, 0.25f, 1e-7f, 3.75f, -20.125f };
    g_autofree char *path = path_of(c->file);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgMesh) plain = new_octahedron(c->grouped, c->normals);
    BgMeshSaveParams params = { .force = TRUE, .ras = c->ras, .ascii = c->ascii };
    float *distances_mm = bg_buffer_alloc(sizeof wanted, NULL);

    memcpy(distances_mm, wanted, sizeof wanted);
    g_autoptr(BgMesh) mesh = bg_mesh_with_distances(plain, distances_mm, &error);
    g_assert_true(bg_mesh_save(mesh, path, &params, NULL, NULL, &error));
    g_assert_no_error(error);
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    assert_same_triangles(mesh, loaded->mesh);
    g_assert_cmpmem(bg_mesh_get_data(loaded->mesh)->distances_mm, sizeof wanted, wanted,
                    sizeof wanted);
    g_assert_cmpmem(bg_mesh_get_data(mesh)->positions, 72,
                    bg_mesh_get_data(loaded->mesh)->positions, 72);
}

static void
test_groups_become_files(void)
{
    g_autofree char *path = path_of("split.stl"), *third = path_of("split-3.stl");
    g_autofree char *seventh = path_of("split-7.stl");
    g_autoptr(GError) error = NULL;
    g_autoptr(BgMesh) mesh = new_octahedron(TRUE, FALSE);
    BgMeshSaveParams params = { .force = FALSE };

    g_auto(GStrv) files = bg_mesh_list_files(mesh, path);
    g_assert_cmpuint(g_strv_length(files), ==, 2);
    g_assert_cmpstr(files[0], ==, third);
    g_assert_cmpstr(files[1], ==, seventh);
    g_assert_true(bg_mesh_save(mesh, path, &params, NULL, NULL, &error));
    g_assert_no_error(error);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_autoptr(BgMesh) upper = bg_mesh_load(third, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(bg_mesh_get_data(upper)->n_triangles, ==, 4);
    g_assert_cmpuint(bg_mesh_get_data(upper)->n_vertices, ==, 5);

    // Neither is touched when one of them is there.
    g_assert_cmpint(g_unlink(third), ==, 0);
    g_assert_false(bg_mesh_save(mesh, path, &params, NULL, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
    g_assert_false(g_file_test(third, G_FILE_TEST_EXISTS));
}

static BgMesh *
load_bytes(const char *name, gconstpointer data, gssize n_bytes, GError **error)
{
    g_autofree char *path = path_of(name);

    g_assert_true(g_file_set_contents(path, data, n_bytes, NULL));
    return bg_mesh_load(path, NULL, NULL, error);
}

static void
test_binary_that_begins_with_solid(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = path_of("a.stl"), *bytes = NULL;
    g_autoptr(BgMesh) mesh = new_octahedron(FALSE, FALSE);
    gsize n_bytes;

    g_assert_true(bg_mesh_save(mesh, path, &(BgMeshSaveParams){ .force = TRUE }, NULL, NULL, NULL));
    g_assert_true(g_file_get_contents(path, &bytes, &n_bytes, NULL));
    g_assert_cmpuint(n_bytes, ==, 84 + 8 * 50);
    g_assert_false(g_str_has_prefix(bytes, "solid"));
    memcpy(bytes, "solid exported", 14);
    g_autoptr(BgMesh) back = load_bytes("solid.stl", bytes, (gssize) n_bytes, &error);
    g_assert_no_error(error);
    assert_same_triangles(mesh, back);

    // Cut short, and with something behind.
    bytes[0] = 'S';
    bytes[1] = 'T';
    g_assert_null(load_bytes("short.stl", bytes, (gssize) n_bytes - 1, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
    g_clear_error(&error);
    g_autofree char *more = g_malloc0(n_bytes + 20);
    memcpy(more, bytes, n_bytes);
    g_autoptr(BgMesh) longer = load_bytes("long.stl", more, (gssize) n_bytes + 20, &error);
    g_assert_no_error(error);
    assert_same_triangles(mesh, longer);
}

static void
test_polygons(void)
{
    // A square of two triangles, and the element order that other programs use.
    static const char ply[] = "ply\r\nformat ascii 1.0\r\nelement vertex 4\r\nproperty double x\r\n"
                              "property double y\r\nproperty double z\r\nproperty uchar red\r\n"
                              "element face 1\r\nproperty list uchar uint vertex_index\r\n"
                              "property float quality\r\nelement edge 1\r\nproperty int a\r\n"
                              "end_header\r\n0 0 0 9\r\n1 0 0 9\r\n1 1 0 9\r\n0 1 0 9\r\n"
                              "4 0 1 2 3 0.5\r\n7\r\n";
    static const char obj[] = "# made by hand\nmtllib x.mtl\nv 0 0 0\nv 1 0 0 1 1 1\nv 1 1 0\n"
                              "v 0 1 0\nvt 0 0\nvn 0 0 1\nusemtl skin\nf -4/1/1 2/1/1 3//1 4\n";
    g_autoptr(GError) error = NULL;

    g_autoptr(BgMesh) a = load_bytes("square.ply", ply, sizeof ply - 1, &error);
    g_assert_no_error(error);
    g_autoptr(BgMesh) b = load_bytes("square.obj", obj, sizeof obj - 1, &error);
    g_assert_no_error(error);
    assert_same_triangles(a, b);
    g_assert_cmpuint(bg_mesh_get_data(a)->n_triangles, ==, 2);
    g_assert_cmpuint(bg_mesh_get_data(a)->n_vertices, ==, 4);
}

static void
test_big_endian_ply(void)
{
    static const char header[] = "ply\nformat binary_big_endian 1.0\ncomment SPACE=RAS\n"
                                 "comment UNIT=m\nelement vertex 3\nproperty float x\n"
                                 "property float y\nproperty float z\nelement face 1\n"
                                 "property list uchar short vertex_indices\nend_header\n";
    static const guint8 body[] = { 0x3f, 0x80, 0, 0, 0,    0, 0, 0, 0,    0,    0, 0, // 1 0 0
                                   0,    0,    0, 0, 0x40, 0, 0, 0, 0,    0,    0, 0, // 0 2 0
                                   0,    0,    0, 0, 0,    0, 0, 0, 0x40, 0x40, 0, 0, // 0 0 3
                                   3,    0,    0, 0, 1,    0, 2 };
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    g_byte_array_append(bytes, (const guint8 *) header, sizeof header - 1);
    g_byte_array_append(bytes, body, sizeof body);
    g_autoptr(BgMesh) mesh = load_bytes("big.ply", bytes->data, bytes->len, &error);
    g_assert_no_error(error);
    const float *p = bg_mesh_get_data(mesh)->positions;
    g_assert_cmpfloat(p[0], ==, -1000.0f);
    g_assert_cmpfloat(p[4], ==, -2000.0f);
    g_assert_cmpfloat(p[8], ==, 3000.0f);
}

static void
test_provenance(gconstpointer user_data)
{
    g_autofree char *path = path_of(user_data);
    g_autofree char *beside = g_strconcat(path, ".json", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgMesh) mesh = new_octahedron(FALSE, FALSE);
    // Longer than a line, and with everything that an escape could get wrong.
    g_autofree char *filler = g_strnfill(5000, 'y');
    g_autofree char *text = g_strdup_printf("{\"a\":%s,\"b\":\"%s\"}", PROVENANCE, filler);
    BgMeshSaveParams params = { .force = TRUE, .provenance = text };

    g_assert_true(bg_mesh_save(mesh, path, &params, NULL, NULL, &error));
    g_autofree char *back = bg_io_read_provenance(path, &error);
    g_assert_no_error(error);
    g_autoptr(BgJson) wanted = bg_json_parse(text, -1, &error);
    g_autoptr(BgJson) got = bg_json_parse(back, -1, &error);
    g_assert_no_error(error);
    g_autofree char *wanted_text = bg_json_print(wanted, FALSE);
    g_autofree char *got_text = bg_json_print(got, FALSE);
    g_assert_cmpstr(got_text, ==, wanted_text);

    if (g_file_test(beside,
                    G_FILE_TEST_EXISTS)) { // another file's text is not taken for this one's
        g_assert_true(g_file_set_contents(beside, "{}", -1, NULL));
        g_assert_null(bg_io_read_provenance(path, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
        g_clear_error(&error);
    }
    params.provenance = NULL;
    g_assert_true(bg_mesh_save(mesh, path, &params, NULL, NULL, &error));
    g_assert_null(bg_io_read_provenance(path, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
}

static void
test_empty(gconstpointer user_data)
{
    g_autofree char *path = path_of(user_data);
    g_autoptr(GError) error = NULL;
    BgMeshData nothing = { .positions = bg_buffer_alloc(1, NULL),
                           .triangles = bg_buffer_alloc(1, NULL) };
    g_autoptr(BgMesh) mesh = bg_mesh_new_take(&nothing, &error);

    g_assert_true(
        bg_mesh_save(mesh, path, &(BgMeshSaveParams){ .force = TRUE }, NULL, NULL, &error));
    g_assert_no_error(error);
    g_autoptr(BgFileInfo) info = bg_io_probe(path, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(info->kind, ==, BG_KIND_MESH);
    if (info->format == BG_FORMAT_GLB || info->format == BG_FORMAT_VTK)
        return; // written only
    g_autoptr(BgMesh) back = bg_mesh_load(path, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(bg_mesh_get_data(back)->n_triangles, ==, 0);
}

static void
test_unknown_side_is_said(void)
{
    static const char stl[] = "solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\n"
                              "vertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid x\n";
    g_autofree char *path = path_of("unknown.stl");
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(path, stl, -1, NULL));
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_false(loaded->info->side_known);
    g_assert_cmpuint(loaded->info->warnings->len, ==, 2);
}

static const struct {
    const char *name, *text;
} bad_texts[] = {
    { "stl-cut", "solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\n" },
    { "stl-four-corners", "solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 0 0 0\n"
                          "vertex 0 0 0\nvertex 0 0 0\n" },
    { "stl-nan", "solid x\nfacet normal 0 0 1\nouter loop\nvertex nan 0 0\n" },
    { "stl-word", "solid x\nfacette\nendsolid\n" },
    { "stl-two-corners", "solid x\nfacet normal 0 0 1\nvertex 0 0 0\nvertex 0 0 0\nendfacet\n" },
    { "ply-no-end", "ply\nformat ascii 1.0\nelement vertex 1\n" },
    { "ply-huge", "ply\nformat ascii 1.0\nelement vertex 4000000000\nproperty float x\n"
                  "property float y\nproperty float z\nend_header\n" },
    { "ply-index", "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\n"
                   "property float z\nelement face 1\nproperty list uchar int vertex_indices\n"
                   "end_header\n0 0 0\n3 0 0 1\n" },
    { "ply-negative",
      "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\n"
      "property float z\nelement face 1\nproperty list char int vertex_indices\n"
      "end_header\n0 0 0\n-3 0 0 0\n" },
    { "ply-distance-no-number",
      "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
      "property float z\nproperty float distance_mm\nelement face 1\n"
      "property list uchar int vertex_indices\nend_header\n0 0 0 nan\n1 0 0 1\n0 1 0 1\n3 0 1 2\n" },
    { "ply-no-z", "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\n"
                  "end_header\n0 0\n" },
    { "obj-index", "v 0 0 0\nv 0 0 1\nv 1 0 0\nf 1 2 4\n" },
    { "obj-zero", "v 0 0 0\nv 0 0 1\nv 1 0 0\nf 0 1 2\n" },
    { "obj-line", "v 0 0 0\nv 0 0 1\nf 1 2\n" },
    { "obj-infinite", "v 0 0 inf\n" },
};

static void
test_refuses(gconstpointer user_data)
{
    gsize i = GPOINTER_TO_SIZE(user_data);
    g_autoptr(GError) error = NULL;

    g_assert_null(load_bytes("bad", bad_texts[i].text, -1, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
}

static void
test_refuses_suffix(void)
{
    g_autofree char *path = path_of("x.3mf");
    g_autoptr(GError) error = NULL;
    g_autoptr(BgMesh) mesh = new_octahedron(FALSE, FALSE);

    g_assert_false(bg_mesh_can_save(path));
    g_assert_false(bg_mesh_save(mesh, path, NULL, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
}

static void
remove_folder(void)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = path_of(name);
        g_unlink(path);
    }
    g_dir_close(dir);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("bregma-mesh-XXXXXX", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(round_trips); i++) {
        g_autofree char *name = g_strdup_printf("/mesh-io/round-trip/%s", round_trips[i].name);
        g_test_add_data_func(name, &round_trips[i], test_round_trip);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad_texts); i++) {
        g_autofree char *name = g_strdup_printf("/mesh-io/refuses/%s", bad_texts[i].name);
        g_test_add_data_func(name, GSIZE_TO_POINTER(i), test_refuses);
    }
    g_test_add_func("/mesh-io/refuses/suffix", test_refuses_suffix);
    g_test_add_func("/mesh-io/groups-become-files", test_groups_become_files);
    g_test_add_func("/mesh-io/binary-that-begins-with-solid", test_binary_that_begins_with_solid);
    g_test_add_func("/mesh-io/polygons", test_polygons);
    for (gsize i = 0; i < G_N_ELEMENTS(round_trips); i++) {
        g_autofree char *name = g_strconcat("/mesh-io/distances/", round_trips[i].name, NULL);
        if (g_str_has_prefix(round_trips[i].name, "ply"))
            g_test_add_data_func(name, &round_trips[i], test_distances);
    }
    g_test_add_func("/mesh-io/big-endian-ply", test_big_endian_ply);
    g_test_add_data_func("/mesh-io/provenance/stl", "p.stl", test_provenance);
    g_test_add_data_func("/mesh-io/provenance/ply", "p.ply", test_provenance);
    g_test_add_data_func("/mesh-io/provenance/obj", "p.obj", test_provenance);
    g_test_add_data_func("/mesh-io/provenance/glb", "p.glb", test_provenance);
    g_test_add_data_func("/mesh-io/provenance/vtk", "p.vtk", test_provenance);
    g_test_add_data_func("/mesh-io/empty/stl", "e.stl", test_empty);
    g_test_add_data_func("/mesh-io/empty/ply", "e.ply", test_empty);
    g_test_add_data_func("/mesh-io/empty/obj", "e.obj", test_empty);
    g_test_add_data_func("/mesh-io/empty/glb", "e.glb", test_empty);
    g_test_add_data_func("/mesh-io/empty/vtk", "e.vtk", test_empty);
    g_test_add_func("/mesh-io/unknown-side-is-said", test_unknown_side_is_said);
    int status = g_test_run();
    remove_folder();
    g_free(folder);
    return status;
}
