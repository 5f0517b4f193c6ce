// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

static gpointer
copy_items(gconstpointer from, gsize n_items, gsize item_size, GError **error)
{
    gpointer to = bg_buffer_alloc_items(n_items, item_size, error);

    if (to != NULL && n_items > 0)
        memcpy(to, from, n_items * item_size);
    return to;
}

gboolean
bg_mesh_data_copy(const BgMeshData *from, BgMeshData *to, GError **error)
{
    *to = (BgMeshData){ .n_vertices = from->n_vertices, .n_triangles = from->n_triangles };
    to->positions = copy_items(from->positions, 3 * from->n_vertices, sizeof(float), error);
    if (to->positions != NULL)
        to->triangles = copy_items(from->triangles, 3 * from->n_triangles, sizeof(guint32), error);
    if (to->triangles == NULL) {
        bg_mesh_data_clear(to);
        return FALSE;
    }
    if (from->groups != NULL)
        to->groups = g_array_copy(from->groups);
    return TRUE;
}

gboolean
bg_mesh_corners_init(BgMeshCorners *corners, const BgMeshData *data, GError **error)
{
    gsize n_corners = 3 * data->n_triangles;
    guint32 sum = 0;

    *corners = (BgMeshCorners){ 0 };
    if (n_corners >= G_MAXUINT32) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("A mesh of %zu triangles is too large for this. Decimate or crop it"),
                    data->n_triangles);
        return FALSE;
    }
    corners->first = bg_buffer_alloc_items(data->n_vertices + 2, sizeof(guint32), error);
    if (corners->first != NULL)
        corners->corner = bg_buffer_alloc_items(n_corners, sizeof(guint32), error);
    if (corners->corner == NULL) {
        bg_mesh_corners_clear(corners);
        return FALSE;
    }

    // Counted two places on, summed one place on, so that filling leaves each at its own start.
    memset(corners->first, 0, (data->n_vertices + 2) * sizeof(guint32));
    for (gsize c = 0; c < n_corners; c++)
        corners->first[data->triangles[c] + 2]++;
    for (gsize v = 0; v < data->n_vertices; v++) {
        sum += corners->first[v + 1];
        corners->first[v + 1] = sum;
    }
    for (gsize c = 0; c < n_corners; c++)
        corners->corner[corners->first[data->triangles[c] + 1]++] = (guint32) c;
    return TRUE;
}

void
bg_mesh_corners_clear(BgMeshCorners *corners)
{
    g_clear_pointer(&corners->first, bg_buffer_free);
    g_clear_pointer(&corners->corner, bg_buffer_free);
}

// The kept share of each group.
static GArray *
select_groups(const GArray *groups, const guint8 *chosen)
{
    GArray *kept = g_array_new(FALSE, FALSE, sizeof(BgMeshGroup));
    gsize first = 0;

    for (guint i = 0; i < groups->len; i++) {
        BgMeshGroup group = g_array_index(groups, BgMeshGroup, i);
        gsize n = 0;
        for (gsize t = 0; t < group.n_triangles; t++)
            n += chosen[group.first_triangle + t] != 0;
        group.first_triangle = first;
        group.n_triangles = n;
        first += n;
        if (n > 0)
            g_array_append_val(kept, group);
    }
    return kept;
}

static void
copy_vertices(const BgMeshData *from, const guint32 *number_of_vertex, BgMeshData *to)
{
    for (gsize v = 0; v < from->n_vertices; v++) {
        gsize n = number_of_vertex[v];
        if (n == G_MAXUINT32)
            continue;
        memcpy(to->positions + 3 * n, from->positions + 3 * v, 3 * sizeof(float));
        if (from->normals != NULL)
            memcpy(to->normals + 3 * n, from->normals + 3 * v, 3 * sizeof(float));
    }
}

gboolean
bg_mesh_data_select(const BgMeshData *from, const guint8 *chosen, BgMeshData *to, GError **error)
{
    bg_auto_buffer guint32 *number =
        bg_buffer_alloc_items(from->n_vertices, sizeof(guint32), error);
    guint32 *triangle;

    *to = (BgMeshData){ 0 };
    if (number == NULL)
        return FALSE;
    memset(number, 0xff, from->n_vertices * sizeof(guint32));
    for (gsize c = 0; c < 3 * from->n_triangles; c++) {
        if (chosen[c / 3])
            number[from->triangles[c]] = 0;
    }
    for (gsize v = 0; v < from->n_vertices; v++) {
        if (number[v] == 0)
            number[v] = (guint32) to->n_vertices++;
    }
    for (gsize t = 0; t < from->n_triangles; t++)
        to->n_triangles += chosen[t] != 0;

    to->positions = bg_buffer_alloc_items(3 * to->n_vertices, sizeof(float), error);
    if (to->positions != NULL)
        to->triangles = bg_buffer_alloc_items(3 * to->n_triangles, sizeof(guint32), error);
    if (to->triangles != NULL && from->normals != NULL)
        to->normals = bg_buffer_alloc_items(3 * to->n_vertices, sizeof(float), error);
    if (to->triangles == NULL || (from->normals != NULL && to->normals == NULL)) {
        bg_mesh_data_clear(to);
        return FALSE;
    }

    copy_vertices(from, number, to);
    triangle = to->triangles;
    for (gsize c = 0; c < 3 * from->n_triangles; c++) {
        if (chosen[c / 3])
            *triangle++ = number[from->triangles[c]];
    }
    if (from->groups != NULL)
        to->groups = select_groups(from->groups, chosen);
    return TRUE;
}
