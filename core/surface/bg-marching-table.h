// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>

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
 * bg_marching_table:
 * @mirrored: for a left-handed grid: all triangles turned round
 *
 * The 256 cases. A face whose diagonal corners are alike is always cut so that its two inside
 * corners are apart; that depends on the face's own corners only, so that neighbours agree. No
 * diagonal of a polygon lies in a face, where the neighbour could have the same one. Hence each
 * edge of the whole surface has exactly two triangles.
 *
 * Returns: (transfer none): 256 cases, made at the first call; any thread
 */
const BgMarchingCase *bg_marching_table(gboolean mirrored);

G_END_DECLS
