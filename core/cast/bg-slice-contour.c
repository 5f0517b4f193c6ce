// SPDX-License-Identifier: Apache-2.0
#include "core/cast/bg-slice.h"

#define NO_LINK G_MAXUINT

/** Crossing: of an edge of the mesh with the plane, and the crossings that it is joined to */
typedef struct {
    double x, y;
    guint link[2];
} Crossing;

typedef struct {
    const BgMeshData *data;
    const BgSliceFrame *frame;
    GArray *crossings;   // of Crossing
    GHashTable *by_edge; // owned key: the two vertices, lower first; value: index + 1
} Cut;

static double
side_of(const Cut *cut, guint32 vertex)
{
    const float *p = cut->data->positions + 3 * (gsize) vertex;
    BgVec3 offset =
        bg_vec3_sub(bg_vec3((double) p[0], (double) p[1], (double) p[2]), cut->frame->origin_mm);

    return bg_vec3_dot(offset, cut->frame->normal);
}

static guint
crossing_of(Cut *cut, guint32 a, guint32 b)
{
    guint32 low = MIN(a, b), high = MAX(a, b);
    gint64 key = (gint64) ((guint64) low << 32 | high);
    guint known = GPOINTER_TO_UINT(g_hash_table_lookup(cut->by_edge, &key));

    if (known > 0)
        return known - 1;

    const float *p = cut->data->positions + 3 * (gsize) low;
    const float *q = cut->data->positions + 3 * (gsize) high;
    double from = side_of(cut, low), to = side_of(cut, high), t = from / (from - to);
    BgVec3 first = bg_vec3((double) p[0], (double) p[1], (double) p[2]);
    BgVec3 second = bg_vec3((double) q[0], (double) q[1], (double) q[2]);
    BgVec3 at = bg_vec3_along(first, t, bg_vec3_sub(second, first));
    Crossing crossing = { .link = { NO_LINK, NO_LINK } };

    bg_slice_frame_project(cut->frame, at, &crossing.x, &crossing.y);
    g_array_append_val(cut->crossings, crossing);
    gint64 *owned_key = g_new(gint64, 1);
    *owned_key = key;
    g_hash_table_insert(cut->by_edge, owned_key, GUINT_TO_POINTER(cut->crossings->len));
    return cut->crossings->len - 1;
}

static gboolean
outside(const Cut *cut, guint a, guint b)
{
    const Crossing *p = &g_array_index(cut->crossings, Crossing, a);
    const Crossing *q = &g_array_index(cut->crossings, Crossing, b);

    return fmax(p->x, q->x) < -0.5 || fmin(p->x, q->x) > cut->frame->width - 0.5 ||
           fmax(p->y, q->y) < -0.5 || fmin(p->y, q->y) > cut->frame->height - 0.5;
}

static gboolean
add_link(Cut *cut, guint from, guint to)
{
    Crossing *crossing = &g_array_index(cut->crossings, Crossing, from);

    for (int i = 0; i < 2; i++) {
        if (crossing->link[i] == NO_LINK) {
            crossing->link[i] = to;
            return TRUE;
        }
    }
    return FALSE;
}

static void
cut_triangle(Cut *cut, const guint32 triangle[3], const guint8 *above, BgContours *contours)
{
    guint ends[2];
    int n = 0;

    for (int e = 0; e < 3 && n < 2; e++) {
        guint32 a = triangle[e], b = triangle[(e + 1) % 3];
        if (above[a] != above[b])
            ends[n++] = crossing_of(cut, a, b);
    }
    if (n < 2 || outside(cut, ends[0], ends[1]))
        return;
    const Crossing p = g_array_index(cut->crossings, Crossing, ends[0]);
    const Crossing q = g_array_index(cut->crossings, Crossing, ends[1]);
    if (p.link[1] == NO_LINK && q.link[1] == NO_LINK) {
        add_link(cut, ends[0], ends[1]);
        add_link(cut, ends[1], ends[0]);
        return;
    }
    // More than two triangles at an edge: the third goes by itself.
    gsize start = contours->points->len;
    BgContourPoint points[2] = { { p.x, p.y }, { q.x, q.y } };
    g_array_append_vals(contours->points, points, 2);
    g_array_append_val(contours->starts, start);
}

// Takes the line that begins at @first out of the links and appends it.
static void
trace(Cut *cut, guint first, BgContours *contours)
{
    gsize start = contours->points->len;
    guint at = first, from = NO_LINK;

    g_array_append_val(contours->starts, start);
    for (;;) {
        Crossing *crossing = &g_array_index(cut->crossings, Crossing, at);
        BgContourPoint point = { crossing->x, crossing->y };
        g_array_append_val(contours->points, point);

        if (from != NO_LINK) // the way back is used up
            crossing->link[crossing->link[0] == from ? 0 : 1] = NO_LINK;
        guint next = crossing->link[0] != NO_LINK ? crossing->link[0] : crossing->link[1];
        if (next == NO_LINK)
            return;
        crossing->link[crossing->link[0] == next ? 0 : 1] = NO_LINK;
        from = at;
        at = next;
    }
}

static void
trace_all(Cut *cut, BgContours *contours)
{
    // Open lines from one of their ends, then the closed ones.
    for (int closed = 0; closed < 2; closed++) {
        for (guint i = 0; i < cut->crossings->len; i++) {
            const Crossing *crossing = &g_array_index(cut->crossings, Crossing, i);
            int n_links = (crossing->link[0] != NO_LINK) + (crossing->link[1] != NO_LINK);
            if (n_links == (closed ? 2 : 1))
                trace(cut, i, contours);
        }
    }
}

BgContours *
bg_slice_mesh_contour(const BgMesh *mesh, const BgSliceFrame *frame)
{
    g_return_val_if_fail(mesh != NULL, NULL);
    g_return_val_if_fail(frame != NULL, NULL);

    const BgMeshData *data = bg_mesh_get_data(mesh);
    BgContours *contours = bg_contours_new();
    Cut cut = { .data = data,
                .frame = frame,
                .crossings = g_array_new(FALSE, FALSE, sizeof(Crossing)),
                .by_edge = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL) };
    g_autofree guint8 *above = g_new(guint8, data->n_vertices + 1);

    for (gsize i = 0; i < data->n_vertices; i++)
        above[i] = side_of(&cut, (guint32) i) >= 0.0;
    for (gsize t = 0; t < data->n_triangles; t++) {
        const guint32 *triangle = data->triangles + 3 * t;
        guint8 sum = above[triangle[0]] + above[triangle[1]] + above[triangle[2]];
        if (sum == 1 || sum == 2)
            cut_triangle(&cut, triangle, above, contours);
    }
    trace_all(&cut, contours);

    g_array_unref(cut.crossings);
    g_hash_table_unref(cut.by_edge);
    return contours;
}
