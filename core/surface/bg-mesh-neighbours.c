// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-neighbours.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <string.h>

#define MANY BG_MESH_MANY_NEIGHBOURS

// What is counted for a vertex, and then where its next neighbour goes.
typedef struct {
    guint32 n;
    guint32
        balance; // hashes of the ends of leaving edges less those of coming ones: 0 when each comes back
} Count;

// A mixer of 32 bits (Wellons, "hash-prospector", lowbias32).
static inline guint32
hash(guint32 x)
{
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

typedef struct {
    BgMeshNeighbours *made; // borrowed
    const BgMeshData *data; // borrowed
    Count *counts;          // owned by the caller
    gsize blocks_a_part;    // a part is what one call does: the vertices of so many blocks
} Build;

// The vertices of parts first..last-1.
static void
part_range(const Build *self, gsize first, gsize last, guint32 *from, guint32 *to)
{
    *from = (guint32) (first * self->blocks_a_part * BG_MESH_BLOCK);
    *to = (guint32) MIN(last * self->blocks_a_part * BG_MESH_BLOCK, self->data->n_vertices);
}

// Each part looks at all triangles and takes what belongs to its vertices.
static void
count_part(gsize first, gsize last, guint worker, gpointer user_data)
{
    Build *self = user_data;
    const guint32 *t = self->data->triangles, *end = t + 3 * self->data->n_triangles;
    guint32 from, to;

    part_range(self, first, last, &from, &to);
    memset(self->counts + from, 0, (to - from) * sizeof *self->counts);
    for (; t < end; t += 3) {
        guint32 width = to - from;
        if (t[0] - from >= width && t[1] - from >= width && t[2] - from >= width)
            continue;
        guint32 h[3] = { hash(t[0]), hash(t[1]), hash(t[2]) };
        for (int corner = 0; corner < 3; corner++) {
            Count *count = &self->counts[t[corner]];
            if (t[corner] - from >= width)
                continue;
            count->n++;
            count->balance += h[(corner + 1) % 3] - h[(corner + 2) % 3];
        }
    }
}

static void
fill_part(gsize first, gsize last, guint worker, gpointer user_data)
{
    Build *self = user_data;
    const guint32 *t = self->data->triangles, *end = t + 3 * self->data->n_triangles;
    guint32 *neighbours = self->made->neighbours;
    guint32 from, to;

    part_range(self, first, last, &from, &to);
    for (; t < end; t += 3) {
        for (int corner = 0; corner < 3; corner++) {
            Count *count = &self->counts[t[corner]];
            if (t[corner] - from < to - from && count->n != 0)
                neighbours[count->balance++] = 3 * t[(corner + 1) % 3];
        }
    }
    for (guint32 v = from; v < to; v++) {
        if (self->counts[v].n >= MANY)
            neighbours[self->counts[v].balance - self->counts[v].n - 1] = self->counts[v].n;
    }
}

// Gives each vertex of a block its place. Returns: where the next block begins.
static guint32
lay_out_block(BgMeshBlock *block, guint16 *order, Count *counts, gsize n, guint32 first)
{
    guint next[MANY + 1], sum = 0;

    *block = (BgMeshBlock){ .first = first };
    for (gsize v = 0; v < n; v++) {
        if (counts[v].balance != 0)
            counts[v].n = 0;
        block->n_vertices[MIN(counts[v].n, MANY)]++;
    }
    for (guint degree = 0; degree <= MANY; degree++) {
        next[degree] = sum;
        sum += block->n_vertices[degree];
    }
    for (gsize v = 0; v < n; v++)
        order[next[MIN(counts[v].n, MANY)]++] = (guint16) v;
    for (gsize place = 0; place < n; place++) {
        Count *count = &counts[order[place]];
        first += count->n >= MANY;
        count->balance = first;
        first += count->n;
    }
    return first;
}

static void
build(Build *self)
{
    BgMeshNeighbours *made = self->made;
    gsize n = self->data->n_vertices, n_parts;
    guint32 first = 0;

    self->blocks_a_part = MAX(1, (made->n_blocks - 1) / bg_parallel_count_threads() + 1);
    n_parts = (made->n_blocks + self->blocks_a_part - 1) / self->blocks_a_part;
    bg_parallel_for(n_parts, 1, count_part, self, NULL);
    for (gsize block = 0; block < made->n_blocks; block++) {
        gsize from = block * BG_MESH_BLOCK;
        first = lay_out_block(&made->blocks[block], made->order + from, self->counts + from,
                              MIN(n - from, BG_MESH_BLOCK), first);
    }
    bg_parallel_for(n_parts, 1, fill_part, self, NULL);
}

gboolean
bg_mesh_neighbours_init(BgMeshNeighbours *self, const BgMeshData *data, GError **error)
{
    gsize n = data->n_vertices, n_corners = 3 * data->n_triangles;

    *self = (BgMeshNeighbours){ .n_blocks = (n + BG_MESH_BLOCK - 1) / BG_MESH_BLOCK };
    if (n_corners + n_corners / MANY >= G_MAXUINT32 || 3 * n >= G_MAXUINT32) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("A mesh of %zu triangles is too large for this. Decimate or crop it"),
                    data->n_triangles);
        return FALSE;
    }
    bg_auto_buffer Count *counts = bg_buffer_alloc_items(n, sizeof(Count), error);
    if (counts == NULL)
        return FALSE;
    self->blocks = bg_buffer_alloc_items(self->n_blocks, sizeof(BgMeshBlock), error);
    if (self->blocks != NULL)
        self->order = bg_buffer_alloc_items(n, sizeof(guint16), error);
    if (self->order != NULL)
        self->neighbours =
            bg_buffer_alloc_items(n_corners + n_corners / MANY + 1, sizeof(guint32), error);
    if (self->neighbours == NULL) {
        bg_mesh_neighbours_clear(self);
        return FALSE;
    }

    if (n > 0)
        build(&(Build){ .made = self, .data = data, .counts = counts });
    return TRUE;
}

void
bg_mesh_neighbours_clear(BgMeshNeighbours *self)
{
    g_clear_pointer(&self->blocks, bg_buffer_free);
    g_clear_pointer(&self->order, bg_buffer_free);
    g_clear_pointer(&self->neighbours, bg_buffer_free);
}
