// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/bg-mesh.h"

G_BEGIN_DECLS

/**
 * bg_mesh_compute_normals:
 *
 * One unit normal a vertex: the sum of its triangles' normals, weighted by their areas; outwards, as
 * the triangles are. Vertices of no triangle, or whose sum is zero, get (0, 0, 1).
 *
 * Returns: (transfer full): the same mesh with normals; or %NULL with %BG_ERROR_NO_MEMORY
 */
BgMesh *bg_mesh_compute_normals(BgMesh *mesh, GError **error);

/**
 * bg_mesh_data_compute_normals:
 *
 * As bg_mesh_compute_normals(), for a mesh that is being made: replaces @data's normals.
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY
 */
gboolean bg_mesh_data_compute_normals(BgMeshData *data, GError **error);

G_END_DECLS
