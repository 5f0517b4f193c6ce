// SPDX-License-Identifier: Apache-2.0
// What formats inside of HDF5 have in common.
#pragma once

#include "bg-h5.h"
#include "bg-io-raw.h"

G_BEGIN_DECLS

/**
 * bg_h5_new_stream:
 * @h5: (transfer full): freed on failure too
 * @array: static
 * @first, @last: the part first <= n < last along the slowest dimension
 *
 * Returns: (transfer full): the bytes of that part in C order and this machine's byte order, read a
 *   slab at a time; or %NULL with %BG_ERROR_NO_MEMORY
 */
BgSource *bg_h5_new_stream(BgH5 *h5, const char *array, const BgH5Shape *shape, guint64 first,
                           guint64 last, GCancellable *cancellable, GError **error);

#define BG_MINC2_IMAGE "/minc-2.0/image/0/image"

/** bg_minc2_probe: @h5: borrowed; of a file with BG_MINC2_IMAGE */
BgFileInfo *bg_minc2_probe(BgH5 *h5, const char *path, GError **error);

/** bg_minc2_load: @h5: (transfer full) */
BgLoaded *bg_minc2_load(BgH5 *h5, const char *path, const BgLoadParams *params,
                        const BgProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
