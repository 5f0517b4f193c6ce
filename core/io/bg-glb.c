// SPDX-License-Identifier: Apache-2.0
// glTF 2.0, binary. Its world is in metres with y up and z forwards: the node's matrix turns the
// patient's millimetres into that, so the positions in the file are the patient's. Written only.
#include "bg-mesh-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-json.h"
#include "core/model/bg-label-table.h"

#include <math.h>
#include <string.h>

#define MAGIC 0x46546C67u // "glTF"
#define CHUNK_JSON 0x4E4F534Au
#define CHUNK_BINARY 0x004E4942u
#define TYPE_FLOAT 5126
#define TYPE_UINT 5125
#define TARGET_VERTICES 34962
#define TARGET_INDICES 34963
#define MM 0.001

// Column-major, as glTF has it: left, superior, anterior become x, y, z.
static const double world_from_lps[16] = { MM, 0, 0, 0, 0, 0, -MM, 0, 0, MM, 0, 0, 0, 0, 0, 1 };
static const double world_from_ras[16] = { -MM, 0, 0, 0, 0, 0, MM, 0, 0, MM, 0, 0, 0, 0, 0, 1 };

static void
add_view(BgJson *views, guint64 offset, guint64 n_bytes, int target)
{
    BgJson *view = bg_json_new_object();

    bg_json_set_integer(view, "buffer", 0);
    bg_json_set_integer(view, "byteOffset", (gint64) offset);
    bg_json_set_integer(view, "byteLength", (gint64) n_bytes);
    bg_json_set_integer(view, "target", target);
    bg_json_append(views, view);
}

static BgJson *
new_accessor(int view, int type, const char *shape, guint64 offset, gsize count)
{
    BgJson *accessor = bg_json_new_object();

    bg_json_set_integer(accessor, "bufferView", view);
    bg_json_set_integer(accessor, "byteOffset", (gint64) offset);
    bg_json_set_integer(accessor, "componentType", type);
    bg_json_set_integer(accessor, "count", (gint64) count);
    bg_json_set_string(accessor, "type", shape);
    return accessor;
}

static void
set_bounds(BgJson *accessor, const BgMeshData *data)
{
    double low[3] = { INFINITY, INFINITY, INFINITY }, high[3] = { -INFINITY, -INFINITY, -INFINITY };

    for (gsize i = 0; i < 3 * data->n_vertices; i++) {
        low[i % 3] = MIN(low[i % 3], (double) data->positions[i]);
        high[i % 3] = MAX(high[i % 3], (double) data->positions[i]);
    }
    bg_json_set_doubles(accessor, "min", low, 3);
    bg_json_set_doubles(accessor, "max", high, 3);
}

static double
to_linear(double srgb)
{
    return srgb <= 0.04045 ? srgb / 12.92 : pow((srgb + 0.055) / 1.055, 2.4);
}

static BgJson *
new_material(const BgMeshGroup *group)
{
    BgJson *material = bg_json_new_object(), *metallic = bg_json_new_object();
    double colour[4] = { 0.8, 0.8, 0.8, 1.0 };
    g_autoptr(BgLabelTable) table = bg_label_table_new_default(&group->label, 1, FALSE);

    if (group->label != 0) {
        const BgLabelEntry *entry = bg_label_table_find(table, group->label);
        for (int c = 0; c < 3; c++)
            colour[c] = to_linear((double) entry->rgb[c]);
    }
    bg_json_set_doubles(metallic, "baseColorFactor", colour, 4);
    bg_json_set_double(metallic, "metallicFactor", 0.0);
    bg_json_set_double(metallic, "roughnessFactor", 0.6);
    bg_json_set(material, "pbrMetallicRoughness", metallic);
    if (group->name[0] != '\0')
        bg_json_set_string(material, "name", group->name);
    return material;
}

static BgJson *
new_primitive(const BgMeshData *data, const BgMeshGroup *group, int indices, int material)
{
    BgJson *primitive = bg_json_new_object(), *attributes = bg_json_new_object();
    BgJson *extras = bg_json_new_object();

    bg_json_set_integer(attributes, "POSITION", 0);
    if (data->normals != NULL)
        bg_json_set_integer(attributes, "NORMAL", 1);
    bg_json_set(primitive, "attributes", attributes);
    bg_json_set_integer(primitive, "indices", indices);
    bg_json_set_integer(primitive, "material", material);
    bg_json_set_integer(extras, "label", group->label);
    bg_json_set_string(extras, "name", group->name);
    bg_json_set(primitive, "extras", extras);
    return primitive;
}

static BgJson *
new_one(BgJson *element)
{
    BgJson *array = bg_json_new_array();

    bg_json_append(array, element);
    return array;
}

// One primitive a group, all on the same vertices.
static void
set_mesh(BgJson *root, const BgMeshJob *job)
{
    const BgMeshData *data = job->data;
    const BgMeshGroup whole = { 0, data->n_triangles, 0, "" };
    guint n_groups = data->groups != NULL ? data->groups->len : 1;
    guint64 n_vertex_bytes = 12 * (guint64) data->n_vertices;
    int view = data->normals != NULL ? 2 : 1;
    BgJson *views = bg_json_new_array(), *accessors = bg_json_new_array();
    BgJson *primitives = bg_json_new_array(), *materials = bg_json_new_array();
    BgJson *mesh = bg_json_new_object();

    BgJson *positions = new_accessor(0, TYPE_FLOAT, "VEC3", 0, data->n_vertices);
    set_bounds(positions, data);
    bg_json_append(accessors, positions);
    add_view(views, 0, n_vertex_bytes, TARGET_VERTICES);
    if (data->normals != NULL) {
        bg_json_append(accessors, new_accessor(1, TYPE_FLOAT, "VEC3", 0, data->n_vertices));
        add_view(views, n_vertex_bytes, n_vertex_bytes, TARGET_VERTICES);
    }
    add_view(views, (guint64) view * n_vertex_bytes, 12 * (guint64) data->n_triangles,
             TARGET_INDICES);

    for (guint i = 0; i < n_groups; i++) {
        const BgMeshGroup *group =
            data->groups != NULL ? &g_array_index(data->groups, BgMeshGroup, i) : &whole;
        if (group->n_triangles == 0) // an accessor counts at least one
            continue;
        bg_json_append(accessors,
                       new_accessor(view, TYPE_UINT, "SCALAR", 12 * (guint64) group->first_triangle,
                                    3 * group->n_triangles));
        bg_json_append(primitives, new_primitive(data, group, (int) bg_json_count(accessors) - 1,
                                                 (int) bg_json_count(materials)));
        bg_json_append(materials, new_material(group));
    }
    bg_json_set(mesh, "primitives", primitives);
    bg_json_set_string(mesh, "name", job->params->name != NULL ? job->params->name : "surface");
    bg_json_set(root, "meshes", new_one(mesh));
    bg_json_set(root, "materials", materials);
    bg_json_set(root, "accessors", accessors);
    bg_json_set(root, "bufferViews", views);
}

static char *
describe(const BgMeshJob *job, guint64 n_binary)
{
    g_autoptr(BgJson) root = bg_json_new_object();
    BgJson *asset = bg_json_new_object(), *extras = bg_json_new_object();
    BgJson *scene = bg_json_new_object();

    bg_json_set_string(asset, "version", "2.0");
    bg_json_set_string(asset, "generator", "bregma " BG_VERSION);
    bg_json_set_string(extras, "frame",
                       job->space[0] == 'R' ? "SPACE=RAS UNIT=mm" : "SPACE=LPS UNIT=mm");
    bg_json_set_string(extras, "provenance", job->params->provenance);
    bg_json_set(asset, "extras", extras);
    bg_json_set(root, "asset", asset);
    bg_json_set_integer(root, "scene", 0);
    bg_json_set(root, "scenes", new_one(scene));
    if (job->data->n_triangles > 0) { // an empty surface is an empty scene
        BgJson *node = bg_json_new_object(), *buffer = bg_json_new_object();
        bg_json_set(scene, "nodes", new_one(bg_json_new_integer(0)));
        bg_json_set_integer(node, "mesh", 0);
        bg_json_set_doubles(node, "matrix", job->space[0] == 'R' ? world_from_ras : world_from_lps,
                            16);
        bg_json_set(root, "nodes", new_one(node));
        set_mesh(root, job);
        bg_json_set_integer(buffer, "byteLength", (gint64) n_binary);
        bg_json_set(root, "buffers", new_one(buffer));
    }
    return bg_json_print(root, FALSE);
}

static void
put_word(BgMeshSink *sink, guint64 word)
{
    guint32 le = GUINT32_TO_LE((guint32) word);

    bg_mesh_sink_bytes(sink, &le, sizeof le);
}

void
bg_glb_write(const BgMeshJob *job, BgMeshSink *sink)
{
    const BgMeshData *data = job->data;
    guint64 n_vertex_bytes = 12 * (guint64) data->n_vertices;
    guint64 n_binary =
        n_vertex_bytes * (data->normals != NULL ? 2 : 1) + 12 * (guint64) data->n_triangles;
    g_autofree char *json = describe(job, n_binary);
    gsize n_json = strlen(json), n_padded = (n_json + 3) & ~(gsize) 3;
    gboolean empty = data->n_triangles == 0;
    guint64 total = 12 + 8 + n_padded + (empty ? 0 : 8 + n_binary);

    if (total > G_MAXUINT32) {
        g_set_error_literal(&sink->failure, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("GLB files hold 4 GiB at most. Decimate the mesh first"));
        return;
    }
    sink->n_expected = total;
    put_word(sink, MAGIC);
    put_word(sink, 2);
    put_word(sink, total);
    put_word(sink, n_padded);
    put_word(sink, CHUNK_JSON);
    bg_mesh_sink_text(sink, json);
    bg_mesh_sink_bytes(sink, "   ", n_padded - n_json);
    if (empty)
        return;
    put_word(sink, n_binary);
    put_word(sink, CHUNK_BINARY);
    bg_mesh_sink_bytes(sink, data->positions, n_vertex_bytes);
    if (data->normals != NULL)
        bg_mesh_sink_bytes(sink, data->normals, n_vertex_bytes);
    bg_mesh_sink_bytes(sink, data->triangles, 12 * data->n_triangles);
}
