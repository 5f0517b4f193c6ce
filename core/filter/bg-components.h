// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/volume/bg-label-map.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/** BgConnectivity: of voxels: across faces; faces and edges; faces, edges and corners */
typedef enum {
    BG_CONNECT_6 = 6,
    BG_CONNECT_18 = 18,
    BG_CONNECT_26 = 26,
} BgConnectivity;

/**
 * bg_components:
 * @mask: not 0: of the set; @dims, x fastest
 * @parts: (out): of @dims: 0 outside, else the part's number from 1, in the order of first voxels
 * @sizes: (out) (transfer full): gsize of each part: that of part p at p - 1
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY (also beyond 2^32 - 2 parts), %G_IO_ERROR_CANCELLED
 */
gboolean bg_components(const guint8 *mask, const int dims[3], BgConnectivity connectivity,
                       guint32 *parts, GArray **sizes, GCancellable *cancellable, GError **error);

/** bg_keep_largest: sets all but the @n_parts largest parts of @mask to 0; ties: the first stay */
gboolean bg_keep_largest(guint8 *mask, const int dims[3], BgConnectivity connectivity,
                         guint n_parts, GCancellable *cancellable, GError **error);

/** bg_drop_small: sets parts of fewer than @n_voxels to 0 */
gboolean bg_drop_small(guint8 *mask, const int dims[3], BgConnectivity connectivity, gsize n_voxels,
                       GCancellable *cancellable, GError **error);

/** bg_fill_holes: sets to 1 what is 0 and not joined to the grid's faces across faces of voxels */
gboolean bg_fill_holes(guint8 *mask, const int dims[3], GCancellable *cancellable, GError **error);

G_END_DECLS
