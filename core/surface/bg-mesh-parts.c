// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-parts.h"

#include "bg-mesh-private.h"

#include "core/base/bg-buffer.h"

#include <string.h>

// Union-find over vertices; a root is the smallest number of its set. Halves the path on the way.
static guint32
find_root(guint32 *parent, guint32 vertex)
{
    while (parent[vertex] != vertex) {
        parent[vertex] = parent[parent[vertex]];
        vertex = parent[vertex];
    }
    return vertex;
}

static void
unite(guint32 *parent, guint32 a, guint32 b)
{
    a = find_root(parent, a);
    b = find_root(parent, b);
    if (a < b)
        parent[b] = a;
    else
        parent[a] = b;
}

GArray *
bg_mesh_find_parts(BgMesh *mesh, guint32 **part_of_triangle, GError **error)
{
    g_return_val_if_fail(mesh != NULL, NULL);

    const BgMeshData *data = bg_mesh_get_data(mesh);
    bg_auto_buffer guint32 *parent =
        bg_buffer_alloc_items(data->n_vertices, sizeof(guint32), error);
    bg_auto_buffer guint32 *part = bg_buffer_alloc_items(data->n_vertices, sizeof(guint32), error);
    bg_auto_buffer guint32 *out = NULL;
    if (parent == NULL || part == NULL)
        return NULL;
    if (part_of_triangle != NULL && data->n_triangles > 0) {
        out = bg_buffer_alloc_items(data->n_triangles, sizeof(guint32), error);
        if (out == NULL)
            return NULL;
    }

    for (gsize v = 0; v < data->n_vertices; v++)
        parent[v] = (guint32) v;
    for (const guint32 *t = data->triangles; t < data->triangles + 3 * data->n_triangles; t += 3) {
        unite(parent, t[0], t[1]);
        unite(parent, t[0], t[2]);
    }

    GArray *parts = g_array_new(FALSE, FALSE, sizeof(BgMeshPart));
    memset(part, 0xff, data->n_vertices * sizeof(guint32));
    for (gsize t = 0; t < data->n_triangles; t++) {
        guint32 root = find_root(parent, data->triangles[3 * t]);
        if (part[root] == G_MAXUINT32) {
            BgMeshPart first = { .first_triangle = t };
            part[root] = parts->len;
            g_array_append_val(parts, first);
        }
        g_array_index(parts, BgMeshPart, part[root]).n_triangles++;
        if (out != NULL)
            out[t] = part[root];
    }
    if (part_of_triangle != NULL)
        *part_of_triangle = g_steal_pointer(&out);
    return parts;
}

// For each part its area; for each run of triangles the one with the largest is marked.
static void
mark_largest(const BgMeshData *data, const guint32 *part, double *area, gsize first, gsize n,
             guint8 *chosen)
{
    guint32 best = part[first];

    for (gsize t = first; t < first + n; t++)
        area[part[t]] = 0.0;
    for (gsize t = first; t < first + n; t++)
        area[part[t]] += bg_vec3_length(bg_mesh_double_area(data, t));
    for (gsize t = first; t < first + n; t++) {
        if (area[part[t]] > area[best])
            best = part[t];
    }
    for (gsize t = first; t < first + n; t++)
        chosen[t] = part[t] == best;
}

BgMesh *
bg_mesh_keep_largest(BgMesh *mesh, GError **error)
{
    bg_auto_buffer guint32 *part = NULL;
    BgMeshData kept;

    g_return_val_if_fail(mesh != NULL, NULL);

    const BgMeshData *data = bg_mesh_get_data(mesh);
    g_autoptr(GArray) parts = bg_mesh_find_parts(mesh, &part, error);
    if (parts == NULL)
        return NULL;
    if (parts->len <= 1)
        return bg_mesh_ref(mesh);
    bg_auto_buffer guint8 *chosen = bg_buffer_alloc(data->n_triangles, error);
    if (chosen == NULL)
        return NULL;

    g_autofree double *area = g_new0(double, parts->len);
    for (guint i = 0; data->groups != NULL && i < data->groups->len; i++) {
        const BgMeshGroup *group = &g_array_index(data->groups, BgMeshGroup, i);
        if (group->n_triangles > 0)
            mark_largest(data, part, area, group->first_triangle, group->n_triangles, chosen);
    }
    if (data->groups == NULL)
        mark_largest(data, part, area, 0, data->n_triangles, chosen);
    return bg_mesh_data_select(data, chosen, &kept, error) ? bg_mesh_new_take(&kept, error) : NULL;
}

BgMesh *
bg_mesh_extract_group(BgMesh *mesh, guint group, GError **error)
{
    BgMeshData kept;

    g_return_val_if_fail(mesh != NULL, NULL);
    const BgMeshData *data = bg_mesh_get_data(mesh);
    g_return_val_if_fail(data->groups != NULL && group < data->groups->len, NULL);

    const BgMeshGroup *run = &g_array_index(data->groups, BgMeshGroup, group);
    bg_auto_buffer guint8 *chosen = bg_buffer_alloc(data->n_triangles + 1, error);
    if (chosen == NULL)
        return NULL;
    memset(chosen, 0, data->n_triangles + 1);
    memset(chosen + run->first_triangle, 1, run->n_triangles);
    return bg_mesh_data_select(data, chosen, &kept, error) ? bg_mesh_new_take(&kept, error) : NULL;
}
