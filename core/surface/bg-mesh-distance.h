// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"
#include "core/model/bg-mesh.h"

G_BEGIN_DECLS

#define BG_MESH_DISTANCE_SAMPLES 200000

/**
 * BgMeshDistance:
 * @mean_mm, @rms_mm, @p95_mm, @max_mm: of the distances from points of A to B's surface and of B to A's,
 *   pooled; the percentile by linear interpolation
 * @mean_ab_mm, @max_ab_mm, @mean_ba_mm, @max_ba_mm: the two directions apart
 */
typedef struct {
    double mean_mm, rms_mm, p95_mm, max_mm;
    double mean_ab_mm, max_ab_mm;
    double mean_ba_mm, max_ba_mm;
} BgMeshDistance;

/**
 * bg_mesh_distance:
 * @n_samples: points on each surface, 1..10^8; BG_MESH_DISTANCE_SAMPLES is usual
 * @distance: (out): untouched on failure
 * @progress: (nullable)
 * @cancellable: (nullable)
 *
 * How far two surfaces lie apart. Points are spread evenly over each surface's area (one in each of
 * @n_samples pieces of equal area, in the order of the triangles; the same every time), and the
 * distance from each to the nearest point of the other surface's triangles is exact.
 *
 * Returns: %FALSE with %BG_ERROR_INVALID when a mesh has no area, %BG_ERROR_NO_MEMORY, or
 *   %G_IO_ERROR_CANCELLED
 */
gboolean bg_mesh_distance(BgMesh *a, BgMesh *b, gsize n_samples, BgMeshDistance *distance,
                          const BgProgress *progress, GCancellable *cancellable, GError **error);

/**
 * BgMeshTree:
 *
 * Finds the nearest point of a mesh: a hierarchy of boxes round its triangles. Immutable; any thread may
 * ask.
 */
typedef struct _BgMeshTree BgMeshTree;

/** bg_mesh_tree_new: Returns: (transfer full): holds a reference on @mesh; or %NULL with %BG_ERROR_NO_MEMORY */
BgMeshTree *bg_mesh_tree_new(BgMesh *mesh, GError **error);
void bg_mesh_tree_free(BgMeshTree *tree);

/**
 * bg_mesh_tree_distance_mm:
 * @nearest: (out) (nullable): the point of the surface, LPS
 *
 * Returns: the distance, or infinity when the mesh is empty (@nearest untouched)
 */
double bg_mesh_tree_distance_mm(const BgMeshTree *tree, BgVec3 point_mm, BgVec3 *nearest);

/**
 * bg_mesh_tree_exit_mm:
 * @direction: of length 1
 * @from_mm: nothing nearer counts
 *
 * Returns: how far from @origin_mm a ray leaves through the first triangle that faces along with it, or
 *   infinity where none does
 */
double bg_mesh_tree_exit_mm(const BgMeshTree *tree, BgVec3 origin_mm, BgVec3 direction,
                            double from_mm);

/**
 * bg_mesh_tree_signed_mm:
 *
 * Which side of the surface @point_mm is on, by the pseudonormal at the nearest point: the sum of the
 * normals of the triangles that meet there, weighed by their angles (Baerentzen and Aanaes 2005).
 *
 * Returns: the distance: positive outside, negative inside of a closed mesh whose triangles face outwards;
 *   infinite when it is empty
 */
double bg_mesh_tree_signed_mm(const BgMeshTree *tree, BgVec3 point_mm);

/**
 * bg_mesh_map_distance:
 * @to: closed
 * @progress: (nullable)
 * @cancellable: (nullable)
 *
 * Returns: (transfer full): @mesh with the signed distance of each vertex to @to: positive where it lies
 *   outside of it; or %NULL with %BG_ERROR_INVALID when @mesh has no vertex or @to is not closed or of several
 *   groups (it has no inside then), %BG_ERROR_NO_MEMORY, or %G_IO_ERROR_CANCELLED
 */
BgMesh *bg_mesh_map_distance(BgMesh *mesh, BgMesh *to, const BgProgress *progress,
                             GCancellable *cancellable, GError **error);

/**
 * BgMeshSpread: of a mesh's distances, each vertex weighed by a third of its triangles' area
 * @low_mm, @high_mm: the least and the largest
 * @mean_mm: with its sign; @mean_abs_mm, @p95_abs_mm: without
 */
typedef struct {
    double low_mm, high_mm;
    double mean_mm, mean_abs_mm, p95_abs_mm;
} BgMeshSpread;

/** bg_mesh_spread: Returns: %FALSE with %BG_ERROR_INVALID (no distances, no area), %BG_ERROR_NO_MEMORY */
gboolean bg_mesh_spread(BgMesh *mesh, BgMeshSpread *spread, GError **error);

/** bg_mesh_spread_range_mm: 0.5, 1, 2, 5, 10 ...: the first that 95 % of the surface are within: where colours end */
double bg_mesh_spread_range_mm(const BgMeshSpread *spread);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgMeshTree, bg_mesh_tree_free)

G_END_DECLS
