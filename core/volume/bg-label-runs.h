// SPDX-License-Identifier: Apache-2.0
// What an edit changes of a label map: runs of voxels, packed.
#pragma once

#include "core/volume/bg-label-map.h"

G_BEGIN_DECLS

/**
 * BgLabelRun:
 * @first: index of the first voxel, x fastest
 * @from, @to: label before and after
 */
typedef struct {
    gsize first, length;
    guint32 from, to;
} BgLabelRun;

/**
 * BgLabelRuns:
 *
 * A list of runs as bytes: numbers of seven bits a byte, the lowest first: how many voxels the map has, then
 * for each run the gap to the one before it, its length, the label before and the one after. As both
 * are there, the same bytes do and undo.
 */

/** bg_label_runs_pack: @runs: GArray of BgLabelRun, ascending, apart from each other; Returns: (transfer full) */
GBytes *bg_label_runs_pack(gsize n_voxels, const GArray *runs);

/**
 * bg_label_runs_unpack:
 * @geometry, @type: of the map that is to be changed
 *
 * Returns: (transfer full): GArray of BgLabelRun; or %NULL with %BG_ERROR_CORRUPT: of a map of another
 *   size, a run beyond its end, a label that @type does not hold, bytes that end early
 */
GArray *bg_label_runs_unpack(GBytes *bytes, const BgGeometry *geometry, BgLabelType type,
                             GError **error);

/** bg_label_runs_add: puts voxel @index, which comes behind all others, at the end of @runs */
void bg_label_runs_add(GArray *runs, gsize index, guint32 from, guint32 to);

/** bg_label_runs_count: voxels in all of @runs */
gsize bg_label_runs_count(const GArray *runs);

/**
 * bg_label_runs_between:
 * @before, @after: of equal dims
 *
 * Returns: (transfer full): what @after changes: GArray of BgLabelRun
 */
GArray *bg_label_runs_between(BgLabelMap *before, BgLabelMap *after);

/** BgLabelEdit: @runs: packed; @reverse: undo them */
typedef struct {
    GBytes *runs;
    gboolean reverse;
} BgLabelEdit;

/**
 * bg_label_map_new_edited:
 * @spare: (transfer full) (nullable): a map made by this function earlier, which @map is but for @behind
 * @behind: (nullable): the edit that made @map of @spare
 *
 * The memory of @spare is used again when nobody else holds it: then the cost is that of the edits, else of
 * a copy.
 *
 * Returns: (transfer full): the map after @edit; or %NULL with the errors of bg_label_runs_unpack(),
 *   %BG_ERROR_NO_MEMORY
 */
BgLabelMap *bg_label_map_new_edited(BgLabelMap *map, const BgLabelEdit *edit, BgLabelMap *spare,
                                    const BgLabelEdit *behind, GError **error);

G_END_DECLS
