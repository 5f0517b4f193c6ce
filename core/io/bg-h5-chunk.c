// SPDX-License-Identifier: Apache-2.0
#include "bg-h5-chunk.h"

#include <libdeflate.h>
#include <string.h>

#define COMPRESSION_LEVEL 3 // what is left to gain beyond costs as much again

gboolean
bg_h5_grid_init(BgH5Grid *grid, int rank, const guint64 *dims, const guint64 *chunk, gsize item,
                guint64 first, guint64 count)
{
    gsize n_bytes = item;
    int lead = BG_H5_RANK - rank;

    *grid = (BgH5Grid){ .n_chunks = 1, .chunk_items = 1, .item = item };
    for (int d = 0; d < BG_H5_RANK; d++) {
        grid->dims[d] = d < lead ? 1 : dims[d - lead];
        grid->chunk[d] = d < lead ? 1 : chunk[d - lead];
        if (grid->dims[d] == 0 || grid->chunk[d] == 0)
            return FALSE;
        grid->low[d] = d == lead ? first : 0;
        grid->high[d] = d == lead ? first + count : grid->dims[d];
        guint64 n = (grid->dims[d] - 1) / grid->chunk[d] + 1;
        if (!g_uint64_checked_mul(&grid->n_chunks, grid->n_chunks, n) ||
            !g_size_checked_mul(&grid->chunk_items, grid->chunk_items, grid->chunk[d]) ||
            !g_size_checked_mul(&n_bytes, n_bytes, grid->chunk[d]))
            return FALSE;
    }
    return TRUE;
}

gboolean
bg_h5_grid_locate(const BgH5Grid *grid, guint64 n, guint64 offset[BG_H5_RANK])
{
    gboolean meets = TRUE;

    for (int d = BG_H5_RANK - 1; d >= 0; d--) {
        guint64 along = (grid->dims[d] - 1) / grid->chunk[d] + 1;
        offset[d] = n % along * grid->chunk[d];
        n /= along;
        meets &= offset[d] < grid->high[d] && offset[d] + grid->chunk[d] > grid->low[d];
    }
    return meets;
}

// Copies what chunk and part have in common, row by row.
static void
copy_box(const BgH5Grid *grid, const guint64 offset[BG_H5_RANK], gsize item, guint8 *chunk_data,
         guint8 *array, gboolean to_array)
{
    guint64 from[BG_H5_RANK], to[BG_H5_RANK], at[BG_H5_RANK];

    for (int d = 0; d < BG_H5_RANK; d++) {
        from[d] = at[d] = MAX(offset[d], grid->low[d]);
        to[d] = MIN(offset[d] + grid->chunk[d], grid->high[d]);
        if (from[d] >= to[d])
            return;
    }

    const int last = BG_H5_RANK - 1;
    gsize n_row = (gsize) (to[last] - from[last]) * item;
    for (;;) {
        gsize in_chunk = 0, in_array = 0;
        for (int d = 0; d < BG_H5_RANK; d++) {
            in_chunk = in_chunk * (gsize) grid->chunk[d] + (gsize) (at[d] - offset[d]);
            in_array =
                in_array * (gsize) (grid->high[d] - grid->low[d]) + (gsize) (at[d] - grid->low[d]);
        }
        if (to_array)
            memcpy(array + in_array * item, chunk_data + in_chunk * item, n_row);
        else
            memcpy(chunk_data + in_chunk * item, array + in_array * item, n_row);

        int d = last - 1;
        while (d >= 0 && ++at[d] == to[d]) {
            at[d] = from[d];
            d--;
        }
        if (d < 0)
            return;
    }
}

void
bg_h5_grid_gather(const BgH5Grid *grid, const guint64 offset[BG_H5_RANK], gconstpointer array,
                  gpointer chunk_data)
{
    memset(chunk_data, 0, grid->chunk_items * grid->item);
    copy_box(grid, offset, grid->item, chunk_data, (guint8 *) array, FALSE);
}

void
bg_h5_grid_scatter(const BgH5Grid *grid, const guint64 offset[BG_H5_RANK], gsize item,
                   gconstpointer chunk_data, gpointer array)
{
    copy_box(grid, offset, item, (guint8 *) chunk_data, array, TRUE);
}

// All first bytes, then all second ones: numbers that differ little pack better so.
static void
shuffle(const guint8 *from, guint8 *to, gsize n_items, gsize item)
{
    for (gsize b = 0; b < item; b++)
        for (gsize i = 0; i < n_items; i++)
            to[b * n_items + i] = from[i * item + b];
}

static void
unshuffle(const guint8 *from, guint8 *to, gsize n_items, gsize item)
{
    for (gsize b = 0; b < item; b++)
        for (gsize i = 0; i < n_items; i++)
            to[i * item + b] = from[b * n_items + i];
}

GByteArray *
bg_h5_grid_pack(const BgH5Grid *grid, gconstpointer data)
{
    gsize n_bytes = grid->chunk_items * grid->item;
    g_autofree guint8 *shuffled = NULL;

    if (grid->shuffle) {
        shuffled = g_malloc(n_bytes);
        shuffle(data, shuffled, grid->chunk_items, grid->item);
        data = shuffled;
    }
    struct libdeflate_compressor *deflate = libdeflate_alloc_compressor(COMPRESSION_LEVEL);
    gsize n_room = libdeflate_zlib_compress_bound(deflate, n_bytes);
    GByteArray *packed = g_byte_array_sized_new((guint) n_room);
    g_byte_array_set_size(packed, (guint) n_room);
    gsize n_packed = libdeflate_zlib_compress(deflate, data, n_bytes, packed->data, n_room);
    g_assert(n_packed > 0); // there is room for the worst
    libdeflate_free_compressor(deflate);
    g_byte_array_set_size(packed, (guint) n_packed);
    return packed;
}

gboolean
bg_h5_grid_unpack(const BgH5Grid *grid, gconstpointer packed, gsize n_packed, guint32 filter_mask,
                  gpointer data)
{
    gsize n_bytes = grid->chunk_items * grid->item, n_got = n_packed;
    gboolean shuffled = grid->shuffle && (filter_mask & 1u) == 0;
    gboolean deflated = grid->deflate && (filter_mask & (grid->shuffle ? 2u : 1u)) == 0;
    g_autofree guint8 *middle = NULL;

    if (shuffled && deflated) {
        middle = g_try_malloc(n_bytes);
        if (middle == NULL)
            return FALSE;
    }
    if (deflated) {
        struct libdeflate_decompressor *inflate = libdeflate_alloc_decompressor();
        gboolean ok =
            libdeflate_zlib_decompress(inflate, packed, n_packed, middle != NULL ? middle : data,
                                       n_bytes, &n_got) == LIBDEFLATE_SUCCESS;
        libdeflate_free_decompressor(inflate);
        if (!ok)
            return FALSE;
    }
    if (n_got != n_bytes)
        return FALSE;
    if (shuffled)
        unshuffle(middle != NULL ? middle : packed, data, grid->chunk_items, grid->item);
    else if (!deflated)
        memcpy(data, packed, n_bytes);
    return TRUE;
}
