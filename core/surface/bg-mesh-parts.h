// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/bg-mesh.h"

G_BEGIN_DECLS

/**
 * BgMeshPart:
 * @n_triangles: at least 1
 * @first_triangle: the first triangle of the mesh that belongs to it
 */
typedef struct {
    gsize n_triangles;
    gsize first_triangle;
} BgMeshPart;

/**
 * bg_mesh_find_parts:
 * @part_of_triangle: (out) (transfer full) (nullable): for each triangle the number of its part, to be
 *   freed with bg_buffer_free(); %NULL for an empty mesh
 *
 * Connected parts: triangles that share a vertex number are in one part. (Positions that are equal
 * do not connect.)
 *
 * Returns: (transfer full): GArray of BgMeshPart, by their first triangles ascending; or %NULL with
 *   %BG_ERROR_NO_MEMORY
 */
GArray *bg_mesh_find_parts(BgMesh *mesh, guint32 **part_of_triangle, GError **error);

/**
 * bg_mesh_keep_largest:
 *
 * Returns: (transfer full): the part with the largest area alone, of each group when there are
 *   groups; the first of several equal ones; or %NULL with %BG_ERROR_NO_MEMORY
 */
BgMesh *bg_mesh_keep_largest(BgMesh *mesh, GError **error);

/**
 * bg_mesh_extract_group:
 * @group: 0 .. number of groups - 1
 *
 * Returns: (transfer full): the triangles of one group, with the vertices they use, and that one
 *   group; or %NULL with %BG_ERROR_NO_MEMORY
 */
BgMesh *bg_mesh_extract_group(BgMesh *mesh, guint group, GError **error);

G_END_DECLS
