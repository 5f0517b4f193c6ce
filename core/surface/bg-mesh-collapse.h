// SPDX-License-Identifier: Apache-2.0
// For the files of this folder.
#pragma once

#include "bg-quadric.h"

#include "core/base/bg-progress.h"

G_BEGIN_DECLS

/**
 * BgCollapse:
 * @positions: n_vertices, near the origin; moved in place
 * @triangles: 3 * n_triangles vertex numbers; in place, those that are left come first
 * @quadrics: n_vertices: about the same origin; added to, where triangles were joined
 * @has_quadrics: they hold what was simplified before; else they are made from the triangles
 * @n_target: stop at so many triangles
 * @max_error_mm: or where a step would go further than this
 * @n_triangles: (inout)
 * @error_mm: (out): the largest step taken
 *
 * A surface that is being simplified. The arrays are the caller's.
 */
typedef struct {
    gsize n_vertices, n_triangles;
    BgVec3 *positions;
    guint32 *triangles;
    BgQuadric *quadrics;
    gboolean has_quadrics;
    gsize n_target;
    double max_error_mm;
    double error_mm;
} BgCollapse;

/**
 * bg_mesh_collapse:
 *
 * Joins the ends of edges, the ones that change least first, at the place of the least quadric error.
 * An edge with two triangles each way round keeps two: an edge is taken only where its ends' neighbours in
 * common are the two opposite vertices (the link condition, Dey et al. 1999), no triangle turns over, and
 * none gets flat. Vertices on a border, and where directions do not agree, stay.
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY or %G_IO_ERROR_CANCELLED
 */
gboolean bg_mesh_collapse(BgCollapse *self, const BgProgress *progress, GCancellable *cancellable,
                          GError **error);

G_END_DECLS
