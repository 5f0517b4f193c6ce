// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-measures.h"

#include "bg-mesh-parts.h"
#include "bg-mesh-private.h"

#include <string.h>

#define MAX_FAN 64 // corners of a vertex that are looked at without a heap

// The other ends of the edges that leave a vertex and of those that come to it.
typedef struct {
    guint32 *out, *in;
    guint n;
    guint room;
} Fan;

static void
sort_numbers(guint32 *numbers, guint n)
{
    for (guint i = 1; i < n; i++) { // fans have six or so
        guint32 at = numbers[i];
        guint j = i;
        for (; j > 0 && numbers[j - 1] > at; j--)
            numbers[j] = numbers[j - 1];
        numbers[j] = at;
    }
}

static int
compare_numbers(gconstpointer a, gconstpointer b)
{
    guint32 x = *(const guint32 *) a, y = *(const guint32 *) b;

    return x < y ? -1 : x > y;
}

static void
load_fan(Fan *fan, const BgMeshData *data, const BgMeshCorners *corners, guint32 vertex)
{
    guint32 first = corners->first[vertex];

    fan->n = corners->first[vertex + 1] - first;
    if (fan->n > fan->room) {
        fan->room = 2 * fan->n;
        fan->out = g_renew(guint32, fan->out, fan->room);
        fan->in = g_renew(guint32, fan->in, fan->room);
    }
    for (guint i = 0; i < fan->n; i++) {
        guint32 corner = corners->corner[first + i];
        fan->out[i] = data->triangles[bg_mesh_next_corner(corner)];
        fan->in[i] = data->triangles[bg_mesh_previous_corner(corner)];
    }
    if (fan->n <= MAX_FAN) {
        sort_numbers(fan->out, fan->n);
        sort_numbers(fan->in, fan->n);
    } else {
        qsort(fan->out, fan->n, sizeof *fan->out, compare_numbers);
        qsort(fan->in, fan->n, sizeof *fan->in, compare_numbers);
    }
}

// Each edge is counted at its end with the smaller number.
static gsize
count_edges(const Fan *fan, guint32 vertex, BgMeshMeasures *measures)
{
    gsize n_edges = 0;

    for (guint o = 0, i = 0; o < fan->n || i < fan->n;) {
        guint32 to =
            MIN(o < fan->n ? fan->out[o] : G_MAXUINT32, i < fan->n ? fan->in[i] : G_MAXUINT32);
        guint n_out = 0, n_in = 0;
        for (; o < fan->n && fan->out[o] == to; o++)
            n_out++;
        for (; i < fan->n && fan->in[i] == to; i++)
            n_in++;
        if (to < vertex)
            continue;
        n_edges++;
        if (n_out + n_in == 1)
            measures->n_border_edges++;
        else if (n_out != 1 || n_in != 1 || to == vertex)
            measures->n_bad_edges++;
    }
    return n_edges;
}

static gboolean
measure_edges(const BgMeshData *data, BgMeshMeasures *measures, GError **error)
{
    BgMeshCorners corners;
    Fan fan = { 0 };
    gsize n_edges = 0, n_used = 0;

    if (!bg_mesh_corners_init(&corners, data, error))
        return FALSE;
    for (gsize v = 0; v < data->n_vertices; v++) {
        load_fan(&fan, data, &corners, (guint32) v);
        n_used += fan.n > 0;
        n_edges += count_edges(&fan, (guint32) v, measures);
    }
    measures->euler = (gint64) n_used - (gint64) n_edges + (gint64) data->n_triangles;
    measures->closed =
        data->n_triangles > 0 && measures->n_border_edges == 0 && measures->n_bad_edges == 0;
    bg_mesh_corners_clear(&corners);
    g_free(fan.out);
    g_free(fan.in);
    return TRUE;
}

// About the middle of the bounds, so that a distant mesh does not lose digits.
static void
measure_triangles(const BgMeshData *data, BgVec3 middle, BgMeshMeasures *measures)
{
    double six_volumes = 0.0, two_areas = 0.0;

    for (gsize t = 0; t < data->n_triangles; t++) {
        BgVec3 normal = bg_mesh_double_area(data, t);
        BgVec3 at = bg_vec3_sub(bg_mesh_vertex(data, data->triangles[3 * t]), middle);
        double two_area = bg_vec3_length(normal);
        six_volumes += bg_vec3_dot(at, normal);
        two_areas += two_area;
        measures->n_degenerate += !(two_area > 0.0);
    }
    measures->volume_ml = six_volumes / 6.0 * 1e-3;
    measures->area_cm2 = two_areas / 2.0 * 1e-2;
}

gboolean
bg_mesh_measure(BgMesh *mesh, BgMeshMeasures *measures, GError **error)
{
    BgMeshMeasures found = { 0 };

    g_return_val_if_fail(mesh != NULL, FALSE);
    g_return_val_if_fail(measures != NULL, FALSE);

    const BgMeshData *data = bg_mesh_get_data(mesh);
    bg_mesh_get_bounds_mm(mesh, &found.low_mm, &found.high_mm);
    measure_triangles(data, bg_vec3_scale(bg_vec3_add(found.low_mm, found.high_mm), 0.5), &found);
    g_autoptr(GArray) parts = bg_mesh_find_parts(mesh, NULL, error);
    if (parts == NULL || !measure_edges(data, &found, error))
        return FALSE;
    found.n_components = parts->len;
    *measures = found;
    return TRUE;
}
