// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * bg_buffer_alloc:
 * @n_bytes: at least 1
 *
 * Voxel-sized memory that is no grid (vertices, scratch slabs); grids come from
 * bg_voxels_alloc(). Unlike g_malloc() it does not abort the program when a study is larger
 * than the machine.
 *
 * Returns: (transfer full): 64-byte aligned and uninitialised, on huge pages above 4 MiB, to be
 *   freed with bg_buffer_free(); or %NULL with %BG_ERROR_NO_MEMORY, whose message names the size
 */
gpointer bg_buffer_alloc(gsize n_bytes, GError **error);

/** bg_buffer_free: up to 128 MiB of freed buffers are kept for the next ones; any thread */
void bg_buffer_free(gpointer buffer);

/** bg_buffer_trim: gives back to the system what is kept: when a case is closed, and little else follows */
void bg_buffer_trim(void);

/** bg_buffer_alloc_items: as bg_buffer_alloc(), for @n_items of @item_size with the product checked */
gpointer bg_buffer_alloc_items(gsize n_items, gsize item_size, GError **error);

/**
 * bg_buffer_share:
 *
 * From now on, and for good, buffers of 64 KiB and more lie in memory that another process can be
 * handed. For a child process whose results are buffers.
 */
void bg_buffer_share(void);

/**
 * bg_buffer_dup_shared:
 * @buffer: from bg_buffer_alloc()
 * @n_bytes: (out): how many are there: those that were asked for, and at least 64 of padding
 *
 * Returns: a descriptor (a memfd that may be sealed) to be closed; -1 when @buffer is not shared
 */
int bg_buffer_dup_shared(gconstpointer buffer, gsize *n_bytes);

/** bg_auto_buffer: a local that is freed at the end of its scope */
#define bg_auto_buffer __attribute__((cleanup(bg_buffer_clear)))
void bg_buffer_clear(gpointer address_of_buffer);

G_END_DECLS
