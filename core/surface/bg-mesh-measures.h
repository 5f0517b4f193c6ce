// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/bg-mesh.h"

G_BEGIN_DECLS

/**
 * BgMeshMeasures:
 * @volume_ml: signed tetrahedra (Lien and Kajiya 1984): positive when triangles face outwards, the
 *   sum over groups. What it means for a mesh that is not closed is undefined
 * @area_cm2: all triangles
 * @closed: has triangles, and every edge belongs to exactly two triangles with opposite directions
 * @n_border_edges: edges with one triangle
 * @n_bad_edges: edges with more than two triangles, or two of the same direction
 * @n_degenerate: triangles of zero area, or that name a vertex twice
 * @n_components: parts as in bg_mesh_find_parts()
 * @euler: V - E + F, of the vertices that triangles use; 2 a sphere, 0 a torus
 * @low_mm, @high_mm: the bounds, LPS; zeros when empty
 */
typedef struct {
    double volume_ml;
    double area_cm2;
    gboolean closed;
    gsize n_border_edges;
    gsize n_bad_edges;
    gsize n_degenerate;
    gsize n_components;
    gint64 euler;
    BgVec3 low_mm, high_mm;
} BgMeshMeasures;

/**
 * bg_mesh_measure:
 * @measures: (out): untouched on failure
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY
 */
gboolean bg_mesh_measure(BgMesh *mesh, BgMeshMeasures *measures, GError **error);

G_END_DECLS
