// SPDX-License-Identifier: Apache-2.0
// For the files of this folder.
#pragma once

#include "core/model/bg-mesh.h"

G_BEGIN_DECLS

#define BG_MESH_BLOCK 512          // vertices
#define BG_MESH_MANY_NEIGHBOURS 16 // so many or more

/**
 * BgMeshBlock:
 * @first: its first number in the neighbours
 * @n_vertices: how many of its vertices have 0, 1, 2, ... neighbours; last, BG_MESH_MANY_NEIGHBOURS or more
 */
typedef struct {
    guint32 first;
    guint16 n_vertices[BG_MESH_MANY_NEIGHBOURS + 1];
} BgMeshBlock;

/**
 * BgMeshNeighbours:
 * @blocks: one for each BG_MESH_BLOCK vertices
 * @order: for each vertex of a block, sorted by the number of neighbours: its number in the block
 * @neighbours: three times the vertex numbers (where x stands), in the blocks' order; before those of a vertex
 * with many, how many they are
 *
 * The vertices that share an edge with each, laid out for many passes: within a block, those with
 * equally many stand together, so that the length of the loop over them is foreseen. A vertex on an open
 * border, or where its triangles' directions do not agree, has none: it is to stay.
 */
typedef struct {
    gsize n_blocks;
    BgMeshBlock *blocks;
    guint16 *order;
    guint32 *neighbours;
} BgMeshNeighbours;

/** bg_mesh_neighbours_init: Returns: %FALSE with %BG_ERROR_NO_MEMORY, or %BG_ERROR_UNSUPPORTED for 2^32 corners or numbers */
gboolean bg_mesh_neighbours_init(BgMeshNeighbours *self, const BgMeshData *data, GError **error);
void bg_mesh_neighbours_clear(BgMeshNeighbours *self);

G_END_DECLS
