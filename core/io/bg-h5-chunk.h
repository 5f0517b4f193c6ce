// SPDX-License-Identifier: Apache-2.0
// Chunks of an array, packed and unpacked by us: on all threads, and never to more than a chunk's
// own size, which the HDF5 library does not hold itself to. Knows no HDF5.
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define BG_H5_RANK 5

/**
 * BgH5Grid:
 * @dims, @chunk: of the whole array and of one chunk, slowest first, filled up with leading ones
 * @low, @high: the part that @array is, low <= i < high
 * @n_chunks: of the whole array
 * @item: bytes of an element as packed
 * @shuffle, @deflate: which of the two filters there are, shuffle first
 */
typedef struct {
    guint64 dims[BG_H5_RANK], chunk[BG_H5_RANK];
    guint64 low[BG_H5_RANK], high[BG_H5_RANK];
    guint64 n_chunks;
    gsize chunk_items;
    gsize item;
    gboolean shuffle, deflate;
} BgH5Grid;

/**
 * bg_h5_grid_init:
 * @dims, @chunk: @rank each
 * @first, @count: the part along the slowest dimension
 *
 * Returns: %FALSE when a chunk does not fit a gsize, or a dimension is 0
 */
gboolean bg_h5_grid_init(BgH5Grid *grid, int rank, const guint64 *dims, const guint64 *chunk,
                         gsize item, guint64 first, guint64 count);

/** bg_h5_grid_locate: @offset: (out): where chunk number @n begins; Returns: whether it meets the part */
gboolean bg_h5_grid_locate(const BgH5Grid *grid, guint64 n, guint64 offset[BG_H5_RANK]);

/** bg_h5_grid_gather: @chunk_data: (out): the chunk at @offset; what lies outside is 0 */
void bg_h5_grid_gather(const BgH5Grid *grid, const guint64 offset[BG_H5_RANK], gconstpointer array,
                       gpointer chunk_data);

/** bg_h5_grid_scatter: @item: of @chunk_data and @array, which may differ from the packed one */
void bg_h5_grid_scatter(const BgH5Grid *grid, const guint64 offset[BG_H5_RANK], gsize item,
                        gconstpointer chunk_data, gpointer array);

/** bg_h5_grid_pack: Returns: (transfer full): of @data, one chunk; never fails */
GByteArray *bg_h5_grid_pack(const BgH5Grid *grid, gconstpointer data);

/**
 * bg_h5_grid_unpack:
 * @filter_mask: bit 0 set: the first filter was left out, and so on
 * @data: (out): one chunk
 *
 * Returns: %FALSE when the packed bytes are damaged
 */
gboolean bg_h5_grid_unpack(const BgH5Grid *grid, gconstpointer packed, gsize n_packed,
                           guint32 filter_mask, gpointer data);

G_END_DECLS
