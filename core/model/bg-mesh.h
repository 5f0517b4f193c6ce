// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-affine.h"

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * BgMeshGroup:
 * @first_triangle, @n_triangles: a run of the mesh's triangles
 * @label: the label it was made from, or 0
 * @name: NUL-terminated
 */
typedef struct {
    gsize first_triangle, n_triangles;
    guint32 label;
    char name[64];
} BgMeshGroup;

/**
 * BgMeshData:
 * @positions: (transfer full): 3 * n_vertices, x y z, LPS millimetres, finite
 * @normals: (transfer full) (nullable): 3 * n_vertices, unit length, outwards
 * @triangles: (transfer full): 3 * n_triangles vertex numbers, counter-clockwise seen from outside
 * @distances_mm: (transfer full) (nullable): n_vertices distances to another surface, positive outside of
 *   it, finite
 * @groups: (transfer full) (nullable): GArray of BgMeshGroup that cover all triangles in order
 *
 * What a mesh is made of. The arrays come from bg_buffer_alloc() and belong to the mesh.
 */
typedef struct {
    gsize n_vertices, n_triangles;
    float *positions;
    float *normals;
    float *distances_mm;
    guint32 *triangles;
    GArray *groups;
} BgMeshData;

/**
 * BgMesh:
 *
 * A triangle surface in patient space: LPS, millimetres. Immutable once built, reference
 * counted (atomically). May be empty.
 */
typedef struct _BgMesh BgMesh;

#define BG_TYPE_MESH (bg_mesh_get_type())
GType bg_mesh_get_type(void);

/**
 * bg_mesh_new_take:
 * @data: its arrays are taken, on failure freed
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_CORRUPT when a triangle names a vertex that is
 *   not there, a position or a distance is not finite, or the groups do not cover the triangles
 */
BgMesh *bg_mesh_new_take(const BgMeshData *data, GError **error);

/** bg_mesh_data_clear: frees the arrays of @data that did not become a mesh */
void bg_mesh_data_clear(BgMeshData *data);

BgMesh *bg_mesh_ref(BgMesh *mesh);
void bg_mesh_unref(BgMesh *mesh);

/** bg_mesh_get_data: Returns: (transfer none): read only */
const BgMeshData *bg_mesh_get_data(const BgMesh *mesh);

/** bg_mesh_get_serial: never 0, never given twice among meshes */
guint64 bg_mesh_get_serial(const BgMesh *mesh);

/** bg_mesh_get_bounds_mm: zeros when empty */
void bg_mesh_get_bounds_mm(const BgMesh *mesh, BgVec3 *low, BgVec3 *high);

/**
 * bg_mesh_transform:
 *
 * Returns: (transfer full): with positions and normals mapped; where @a mirrors, triangles are
 *   turned round so that outside stays outside; %BG_ERROR_NO_MEMORY, or %BG_ERROR_INVALID when
 *   @a is singular
 */
BgMesh *bg_mesh_transform(BgMesh *mesh, const BgAffine *a, GError **error);

/**
 * bg_mesh_with_distances:
 * @distances_mm: (transfer full): of bg_buffer_alloc(), one a vertex; freed on failure
 *
 * Returns: (transfer full): a copy of @mesh that holds them; or %NULL with %BG_ERROR_CORRUPT when one is
 *   not finite, %BG_ERROR_NO_MEMORY
 */
BgMesh *bg_mesh_with_distances(BgMesh *mesh, float *distances_mm, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgMesh, bg_mesh_unref)

G_END_DECLS
