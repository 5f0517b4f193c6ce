// SPDX-License-Identifier: Apache-2.0
// What keeps a surface from being printed, and mending what can be mended.
#pragma once

#include "core/base/bg-progress.h"
#include "core/model/bg-mesh.h"

G_BEGIN_DECLS

/**
 * BgPrintParams:
 * @least_wall_mm: what is thinner breaks
 * @least_part_ml: smaller parts, and smaller hollows, are islands
 */
typedef struct {
    double least_wall_mm, least_part_ml;
} BgPrintParams;

/** bg_print_params: 1 mm, 0.05 ml: of usual printers */
BgPrintParams bg_print_params(void);

/**
 * BgPrintCheck:
 * @closed: every edge belongs to two triangles that agree on what is outside
 * @inside_out: what the surface encloses is negative
 * @printable: closed, the right side out, without islands and thin walls
 * @n_holes: loops of edges with one triangle; @longest_hole_mm round the longest
 * @n_bad_edges: with more than two triangles, or two that do not agree
 * @n_degenerate: triangles without area, which do no harm
 * @n_parts, @n_islands, @islands_ml: connected parts, how many of them are islands, and what these enclose
 * @volume_ml: of what is not closed it means little
 * @thinnest_mm, @thinnest_at_mm: the thinnest wall: from a point of the surface straight inwards to where the
 *   other side is; infinite where nothing was met
 * @thin_share: of the area, with less behind it than the least wall
 */
typedef struct {
    gboolean closed, inside_out, printable;
    gsize n_holes, n_bad_edges, n_degenerate, n_parts, n_islands;
    double longest_hole_mm, islands_ml, volume_ml;
    double thinnest_mm, thin_share;
    BgVec3 thinnest_at_mm;
} BgPrintCheck;

/**
 * bg_mesh_print_check:
 * @check: (out): untouched on failure
 *
 * Walls are measured at some ten thousand points, evenly over the area; the one thinnest thousandth of the
 * area is left out, for it is rounding where a surface has an edge.
 *
 * Returns: %FALSE with %BG_ERROR_INVALID (no triangles, a number out of range), %BG_ERROR_NO_MEMORY,
 *   %G_IO_ERROR_CANCELLED
 */
gboolean bg_mesh_print_check(BgMesh *mesh, const BgPrintParams *params, BgPrintCheck *check,
                             const BgProgress *progress, GCancellable *cancellable, GError **error);

/** bg_print_check_words: (transfer full) (element-type utf8): a line a finding, for people; none when it is printable */
GPtrArray *bg_print_check_words(const BgPrintCheck *check, const BgPrintParams *params);

/** bg_print_check_can_repair: whether bg_mesh_print_repair() would change anything */
gboolean bg_print_check_can_repair(const BgPrintCheck *check);

/**
 * BgPrintRepair: what was done
 * @n_triangles_removed: degenerate ones, and those of islands
 * @turned: all triangles, for it was inside out
 */
typedef struct {
    gsize n_holes_filled, n_islands_removed, n_triangles_removed;
    gboolean turned;
} BgPrintRepair;

/**
 * bg_mesh_print_repair:
 *
 * Removes triangles that name a vertex twice and islands (but never the largest part), closes each hole by a
 * fan around the middle of its edge, and turns what is inside out. Walls and edges of three triangles stay
 * as they are: they are for whoever cuts the surface.
 *
 * Returns: (transfer full): without normals and distances; or %NULL with %BG_ERROR_INVALID (no triangles),
 *   %BG_ERROR_NO_MEMORY
 */
BgMesh *bg_mesh_print_repair(BgMesh *mesh, const BgPrintParams *params, BgPrintRepair *done,
                             GError **error);

G_END_DECLS
