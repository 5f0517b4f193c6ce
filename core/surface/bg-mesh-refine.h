// SPDX-License-Identifier: Apache-2.0
// From the surface that the voxels have to one that is shown and printed.
#pragma once

#include "bg-mesh-distance.h"
#include "core/base/bg-json.h"
#include "core/volume/bg-label-map.h"

G_BEGIN_DECLS

/**
 * BgMeshRefineParams:
 * @largest: of each group only the largest part stays
 * @n_smooth: windowed-sinc passes, pass band 0.1; 0: none
 * @keep: share of triangles that stays, above 0, at most 1
 * @labels: (nullable): what the surface was made of: each group that was smoothed or thinned then gets the
 *   volume of its label's voxels; with @largest, of its share of them
 * @measure: how far the surface then lies from what it was
 */
typedef struct {
    gboolean largest;
    guint n_smooth;
    double keep;
    BgLabelMap *labels;
    gboolean measure;
} BgMeshRefineParams;

/**
 * BgMeshRefined:
 * @error_mm: the largest that a step of thinning was estimated to make; 0 without
 * @offset_mm: the furthest that a group was moved outwards (negative: inwards) to have its volume: a
 *   quarter of a voxel's side at most
 * @volume_error: of the group that is furthest from its volume then, as a share of that
 * @measured: whether there is a @distance: of something smoothed or thinned, that was to be measured
 */
typedef struct {
    double error_mm, offset_mm, volume_error;
    gboolean measured;
    BgMeshDistance distance;
} BgMeshRefined;

/**
 * bg_mesh_refine:
 * @raw: as the voxels have it; with groups that share no vertices, if any
 * @refined: (out)
 *
 * Parts, smoothing, thinning, volume, in this order.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID: a number out of range, %BG_ERROR_NO_MEMORY,
 *   %G_IO_ERROR_CANCELLED
 */
BgMesh *bg_mesh_refine(BgMesh *raw, const BgMeshRefineParams *params, BgMeshRefined *refined,
                       const BgProgress *progress, GCancellable *cancellable, GError **error);

/** bg_mesh_refined_to_json: (transfer full) (nullable): `mean_mm p95_mm max_mm offset_mm`; %NULL where nothing was measured */
BgJson *bg_mesh_refined_to_json(const BgMeshRefined *refined);

/**
 * bg_mesh_match_volumes:
 * @wanted_ml: one a group, or one in all where there are no groups; 0: leave that one as it is
 * @most_mm: no vertex goes further
 * @offset_mm: (out): the furthest that a group went
 * @volume_error: (out): how far the worst group is from its volume after that, as a share of it
 *
 * Moves every vertex of a group along its normal by one and the same distance, so that the group
 * encloses so much. The mesh is closed.
 *
 * Returns: (transfer full): without normals; or %NULL with %BG_ERROR_NO_MEMORY
 */
BgMesh *bg_mesh_match_volumes(BgMesh *mesh, const double *wanted_ml, double most_mm,
                              double *offset_mm, double *volume_error, GError **error);

G_END_DECLS
