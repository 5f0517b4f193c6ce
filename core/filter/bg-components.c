// SPDX-License-Identifier: Apache-2.0
#include "core/filter/bg-components.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <stdlib.h>
#include <string.h>

// Neighbours that come earlier in the order of voxels; of 26, 18 and 6 the first 13, 9 and 3.
static const gint8 earlier[13][3] = {
    { -1, 0, 0 },  { 0, -1, 0 },  { 0, 0, -1 },  { -1, -1, 0 }, { 1, -1, 0 },
    { -1, 0, -1 }, { 1, 0, -1 },  { 0, -1, -1 }, { 0, 1, -1 },  { -1, -1, -1 },
    { 1, -1, -1 }, { -1, 1, -1 }, { 1, 1, -1 },
};

static guint32
find_root(guint32 *parents, guint32 part)
{
    while (parents[part] != part) {
        parents[part] = parents[parents[part]];
        part = parents[part];
    }
    return part;
}

// The smaller number becomes the root, so that roots keep the order of first voxels.
static guint32
join(guint32 *parents, guint32 a, guint32 b)
{
    a = find_root(parents, a);
    b = find_root(parents, b);
    if (a < b)
        parents[b] = a;
    else
        parents[a] = b;
    return MIN(a, b);
}

static guint32
part_of_neighbours(const guint32 *parts, const int dims[3], int i, int j, int k, int n_neighbours,
                   GArray *parents)
{
    guint32 part = 0;

    for (int n = 0; n < n_neighbours; n++) {
        int x = i + earlier[n][0], y = j + earlier[n][1], z = k + earlier[n][2];
        if (x < 0 || x >= dims[0] || y < 0 || y >= dims[1] || z < 0)
            continue;
        guint32 other =
            parts[(gsize) x + (gsize) dims[0] * ((gsize) y + (gsize) dims[1] * (gsize) z)];
        if (other != 0)
            part = part == 0 ? other : join((guint32 *) (gpointer) parents->data, part, other);
    }
    return part;
}

static void
renumber(guint32 *parts, gsize n, GArray *parents, GArray *sizes)
{
    guint32 *roots = (guint32 *) (gpointer) parents->data;
    g_autofree guint32 *numbers = g_new0(guint32, parents->len);

    for (gsize v = 0; v < n; v++) {
        if (parts[v] == 0)
            continue;
        guint32 root = find_root(roots, parts[v]);
        if (numbers[root] == 0) {
            gsize none = 0;
            g_array_append_val(sizes, none);
            numbers[root] = sizes->len;
        }
        parts[v] = numbers[root];
        g_array_index(sizes, gsize, parts[v] - 1)++;
    }
}

gboolean
bg_components(const guint8 *mask, const int dims[3], BgConnectivity connectivity, guint32 *parts,
              GArray **sizes, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(mask != NULL && parts != NULL && sizes != NULL, FALSE);

    int n_neighbours = (int) connectivity / 2;
    g_autoptr(GArray) parents = g_array_new(FALSE, FALSE, sizeof(guint32));
    guint32 none = 0;
    gsize at = 0;

    g_array_append_val(parents, none);
    for (int k = 0; k < dims[2]; k++) {
        if (g_cancellable_set_error_if_cancelled(cancellable, error))
            return FALSE;
        for (int j = 0; j < dims[1]; j++) {
            for (int i = 0; i < dims[0]; i++, at++) {
                parts[at] = 0;
                if (mask[at] == 0)
                    continue;
                guint32 part = part_of_neighbours(parts, dims, i, j, k, n_neighbours, parents);
                if (part == 0) {
                    if (parents->len == G_MAXINT32) {
                        g_set_error(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                                    _("The mask falls into too many parts to be told apart; smooth "
                                      "it first"));
                        return FALSE;
                    }
                    part = parents->len;
                    g_array_append_val(parents, part);
                }
                parts[at] = part;
            }
        }
    }
    *sizes = g_array_new(FALSE, FALSE, sizeof(gsize));
    renumber(parts, at, parents, *sizes);
    return TRUE;
}

static gsize
count(const int dims[3])
{
    return (gsize) dims[0] * (gsize) dims[1] * (gsize) dims[2];
}

typedef struct {
    gsize size;
    guint32 part;
} Ranked;

static int
compare_ranked(gconstpointer a, gconstpointer b)
{
    const Ranked *ra = a, *rb = b;

    if (ra->size != rb->size)
        return ra->size > rb->size ? -1 : 1;
    return ra->part < rb->part ? -1 : 1;
}

// Keeps the parts that are marked; keep: by number.
static void
keep_parts(guint8 *mask, const guint32 *parts, gsize n, const gboolean *keep)
{
    for (gsize v = 0; v < n; v++) {
        if (!keep[parts[v]])
            mask[v] = 0;
    }
}

gboolean
bg_keep_largest(guint8 *mask, const int dims[3], BgConnectivity connectivity, guint n_parts,
                GCancellable *cancellable, GError **error)
{
    gsize n = count(dims);
    bg_auto_buffer guint32 *parts = bg_buffer_alloc_items(n, sizeof(guint32), error);
    g_autoptr(GArray) sizes = NULL;

    if (parts == NULL ||
        !bg_components(mask, dims, connectivity, parts, &sizes, cancellable, error))
        return FALSE;
    g_autofree Ranked *ranked = g_new(Ranked, sizes->len + 1);
    g_autofree gboolean *keep = g_new0(gboolean, sizes->len + 1);
    for (guint p = 0; p < sizes->len; p++)
        ranked[p] = (Ranked){ g_array_index(sizes, gsize, p), p + 1 };
    qsort(ranked, sizes->len, sizeof(Ranked), compare_ranked);
    for (guint p = 0; p < MIN(n_parts, sizes->len); p++)
        keep[ranked[p].part] = TRUE;
    keep_parts(mask, parts, n, keep);
    return TRUE;
}

gboolean
bg_drop_small(guint8 *mask, const int dims[3], BgConnectivity connectivity, gsize n_voxels,
              GCancellable *cancellable, GError **error)
{
    gsize n = count(dims);
    bg_auto_buffer guint32 *parts = bg_buffer_alloc_items(n, sizeof(guint32), error);
    g_autoptr(GArray) sizes = NULL;

    if (parts == NULL ||
        !bg_components(mask, dims, connectivity, parts, &sizes, cancellable, error))
        return FALSE;
    g_autofree gboolean *keep = g_new0(gboolean, sizes->len + 1);
    for (guint p = 0; p < sizes->len; p++)
        keep[p + 1] = g_array_index(sizes, gsize, p) >= n_voxels;
    keep_parts(mask, parts, n, keep);
    return TRUE;
}

gboolean
bg_fill_holes(guint8 *mask, const int dims[3], GCancellable *cancellable, GError **error)
{
    gsize n = count(dims), at = 0;
    bg_auto_buffer guint8 *outside = bg_buffer_alloc(n, error);
    bg_auto_buffer guint32 *parts =
        outside != NULL ? bg_buffer_alloc_items(n, sizeof(guint32), error) : NULL;
    g_autoptr(GArray) sizes = NULL;

    if (parts == NULL)
        return FALSE;
    for (gsize v = 0; v < n; v++)
        outside[v] = mask[v] == 0;
    if (!bg_components(outside, dims, BG_CONNECT_6, parts, &sizes, cancellable, error))
        return FALSE;
    g_autofree gboolean *open = g_new0(gboolean, sizes->len + 1);
    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            for (int i = 0; i < dims[0]; i++, at++) {
                gboolean face = i == 0 || j == 0 || i == dims[0] - 1 || j == dims[1] - 1 ||
                                (dims[2] > 1 && (k == 0 || k == dims[2] - 1));
                if (face)
                    open[parts[at]] = TRUE;
            }
        }
    }
    for (gsize v = 0; v < n; v++) {
        if (parts[v] != 0 && !open[parts[v]])
            mask[v] = 1;
    }
    return TRUE;
}
