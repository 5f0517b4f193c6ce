// SPDX-License-Identifier: Apache-2.0
// For the files of this folder.
#pragma once

#include "core/model/bg-mesh.h"

G_BEGIN_DECLS

/**
 * bg_mesh_data_copy:
 * @to: (out): positions, triangles and groups of @from, without normals; zeros on failure
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY
 */
gboolean bg_mesh_data_copy(const BgMeshData *from, BgMeshData *to, GError **error);

/**
 * BgMeshCorners:
 * @first: n_vertices + 1 numbers: vertex v has the corners first[v] .. first[v + 1] - 1
 * @corner: corner numbers, 3 * triangle + (0, 1, 2), ascending for each vertex
 *
 * Which triangles a vertex belongs to.
 */
typedef struct {
    guint32 *first;
    guint32 *corner;
} BgMeshCorners;

/** bg_mesh_corners_init: Returns: %FALSE with %BG_ERROR_NO_MEMORY, or %BG_ERROR_UNSUPPORTED when there are 2^32 corners */
gboolean bg_mesh_corners_init(BgMeshCorners *corners, const BgMeshData *data, GError **error);
void bg_mesh_corners_clear(BgMeshCorners *corners);

/** bg_mesh_next_corner: the next of the same triangle */
static inline guint32
bg_mesh_next_corner(guint32 corner)
{
    return corner % 3 == 2 ? corner - 2 : corner + 1;
}

static inline guint32
bg_mesh_previous_corner(guint32 corner)
{
    return corner % 3 == 0 ? corner + 2 : corner - 1;
}

static inline BgVec3
bg_mesh_vertex(const BgMeshData *data, guint32 vertex)
{
    const float *p = data->positions + 3 * (gsize) vertex;

    return bg_vec3((double) p[0], (double) p[1], (double) p[2]);
}

/** bg_mesh_double_area: Returns: the vector of the triangle's normal, as long as twice its area */
static inline BgVec3
bg_mesh_double_area(const BgMeshData *data, gsize triangle)
{
    const guint32 *t = data->triangles + 3 * triangle;
    BgVec3 a = bg_mesh_vertex(data, t[0]);

    return bg_vec3_cross(bg_vec3_sub(bg_mesh_vertex(data, t[1]), a),
                         bg_vec3_sub(bg_mesh_vertex(data, t[2]), a));
}

/**
 * bg_mesh_data_select:
 * @chosen: for each triangle, whether to keep it
 * @to: (out): those, with the vertices they use, in their order, normals and groups; zeros on failure
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY
 */
gboolean bg_mesh_data_select(const BgMeshData *from, const guint8 *chosen, BgMeshData *to,
                             GError **error);

G_END_DECLS
