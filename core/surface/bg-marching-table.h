// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-affine.h"

G_BEGIN_DECLS

// Most triangles that one cell can have; the table's test counts them.
#define BG_MARCHING_MAX_TRIANGLES 5

/**
 * BgMarchingCase:
 * @crossed: bit e: edge e joins an inside and an outside corner
 * @n_triangles: 0..BG_MARCHING_MAX_TRIANGLES
 * @edges: 3 * n_triangles edge numbers, counter-clockwise seen from outside
 *
 * The triangles of one cell. Corner c is at (c & 1, c >> 1 & 1, c >> 2); bit c of the case's number
 * is set when it is inside. Edges 0..3 run along i, at (j, k) = (e & 1, e >> 1 & 1); 4..7 along j, at
 * (i, k); 8..11 along k, at (i, j).
 */
typedef struct {
    guint16 crossed;
    guint8 n_triangles;
    guint8 edges[3 * BG_MARCHING_MAX_TRIANGLES];
} BgMarchingCase;

/**
 * bg_marching_table_init:
 * @table: (out caller-allocates): 256 cases
 * @patient_from_voxel: the grid. A mirrored one turns all triangles round
 *
 * A face whose diagonal corners are alike is always cut so that its two inside
 * corners are apart; that depends on the face's own corners only, so that neighbours agree. No
 * diagonal of a polygon lies in a face, where the neighbour could have the same one. Hence each
 * edge of the whole surface has exactly two triangles. Of the ways to divide a polygon it is the one of
 * least area on this grid: on thick slices others are up to 3 % larger in all.
 */
void bg_marching_table_init(BgMarchingCase table[256], const BgAffine *patient_from_voxel);

G_END_DECLS
