// SPDX-License-Identifier: Apache-2.0
// The plane through landmarks on the cortex, the one opposite at a depth, and what lies between.
#pragma once

#include "core/base/bg-progress.h"
#include "core/model/bg-landmarks.h"
#include "core/model/bg-mesh.h"
#include "core/model/bg-slice-frame.h"
#include "core/volume/bg-label-map.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/**
 * BgLandmarkPlane:
 * @centroid_mm: LPS: mean of the points; on the plane
 * @normal: unit, LPS
 * @u, @v: unit, in the plane; u, v, normal are right-handed. u lies along the points' longest extent
 * @rms_mm: of the points' distances from the plane
 * @condition: the points' extent along u over that along v: large on a line
 *
 * Where the side of the normal comes from is said by the function that makes it.
 */
typedef struct {
    BgVec3 centroid_mm, normal, u, v;
    double rms_mm;
    double condition;
} BgLandmarkPlane;

/**
 * bg_landmark_plane_fit:
 * @points: LPS
 *
 * Least squares of the distances (principal axes). The normal's side follows the points' order: they
 * go round it counter-clockwise seen from its tip.
 *
 * Returns: %FALSE with %BG_ERROR_INVALID: fewer than 3 points, not finite, one place or one line
 */
gboolean bg_landmark_plane_fit(const BgVec3 *points, gsize n_points, BgLandmarkPlane *plane,
                               GError **error);

/**
 * bg_landmark_plane_three:
 *
 * The plane through three points, its normal along (@b - @a) x (@c - @a).
 *
 * Returns: %FALSE with %BG_ERROR_INVALID as bg_landmark_plane_fit()
 */
gboolean bg_landmark_plane_three(BgVec3 a, BgVec3 b, BgVec3 c, BgLandmarkPlane *plane,
                                 GError **error);

/** bg_landmark_plane_turn: so that the normal has a part towards @inside_mm; v turns with it */
void bg_landmark_plane_turn(BgLandmarkPlane *plane, BgVec3 inside_mm);

/** bg_landmark_plane_turn_into: towards the centre of mass of @volume's values: from the skin or cortex inwards */
void bg_landmark_plane_turn_into(BgLandmarkPlane *plane, BgVolume *volume);

/**
 * bg_landmark_plane_find_surface:
 * @iso: the first value from outside that belongs to the tissue
 * @reach_mm: how far out and in from the centroid it looks
 * @surface_mm: (out): along the normal's line through the centroid
 *
 * Returns: %FALSE with %BG_ERROR_INVALID when nothing is crossed there
 */
gboolean bg_landmark_plane_find_surface(const BgLandmarkPlane *plane, BgVolume *volume, double iso,
                                        double reach_mm, BgVec3 *surface_mm, GError **error);

/**
 * bg_landmark_plane_meet:
 * @mesh: closed, its triangles counter-clockwise from outside, as bg_isosurface() makes them
 * @reach_mm: how far from the centroid, either way
 * @surface_mm: (out): where the normal's line through the centroid enters @mesh: of several places the
 *   nearest to the centroid
 *
 * O1: the plane's origin on the cortex.
 *
 * Returns: %FALSE with %BG_ERROR_INVALID when it does not enter it there
 */
gboolean bg_landmark_plane_meet(const BgLandmarkPlane *plane, const BgMesh *mesh, double reach_mm,
                                BgVec3 *surface_mm, GError **error);

/**
 * BgPrism:
 * @origin_mm: O1: on the top plane
 * @normal, @u, @v: as of BgLandmarkPlane
 * @depth_mm: from the top plane to the bottom one, along the normal; above 0
 * @is_cylinder: a round cross-section of @radius_mm about @origin_mm, else @outline
 * @outline: owned: GArray of BgContourPoint: convex, u and v in mm from @origin_mm
 */
typedef struct {
    BgVec3 origin_mm, normal, u, v;
    double depth_mm;
    gboolean is_cylinder;
    double radius_mm;
    GArray *outline;
} BgPrism;

typedef enum {
    BG_PRISM_POLYGON,
    BG_PRISM_CYLINDER,
} BgPrismShape;

/**
 * bg_prism_new:
 * @origin_mm: O1; the points are projected to its plane
 * @margin_mm: at least 0: how much wider than the points' hull; at the polygon's corners mitred
 *
 * Returns: (transfer full): the convex hull of the projected points, or the circle about @origin_mm
 *   that holds them; or %NULL with %BG_ERROR_INVALID: a depth not above 0, a margin below 0, points
 *   on one line
 */
BgPrism *bg_prism_new(const BgLandmarkPlane *plane, BgVec3 origin_mm, const BgVec3 *points,
                      gsize n_points, BgPrismShape shape, double depth_mm, double margin_mm,
                      GError **error);
void bg_prism_free(BgPrism *prism);

/** bg_prism_get_bottom: O2 = O1 + depth * normal */
BgVec3 bg_prism_get_bottom(const BgPrism *prism);

/** bg_prism_contains: faces belong to it */
gboolean bg_prism_contains(const BgPrism *prism, BgVec3 patient_mm);

/**
 * bg_prism_mask:
 *
 * Returns: (transfer full): uint8: 1 where the voxel's centre is inside; or %NULL with
 *   %BG_ERROR_INVALID when none is, %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgLabelMap *bg_prism_mask(const BgPrism *prism, const BgGeometry *geometry,
                          GCancellable *cancellable, GError **error);

/**
 * bg_prism_crop:
 * @mask: as of bg_prism_mask() of @volume's grid
 * @outside_value: in the volume's unit
 *
 * Returns: (transfer full): the box around the prism, with @outside_value outside of it; the same
 *   sample type, voxels where they were; errors as bg_prism_mask()
 */
BgVolume *bg_prism_crop(BgVolume *volume, BgLabelMap *mask, double outside_value, GError **error);

/** bg_prism_to_mesh: (transfer full): its surface, closed, outside outside: to be shown in 3D */
BgMesh *bg_prism_to_mesh(const BgPrism *prism, GError **error);

/**
 * BgPlaneContour:
 * @points: owned: GArray of BgVec3, LPS; a closed line ends with its first point
 * @values: owned (nullable): GArray of double: trilinear at the points; NaN outside of the volume
 */
typedef struct {
    GArray *points;
    GArray *values;
} BgPlaneContour;

void bg_plane_contour_free(BgPlaneContour *contour);

/**
 * bg_plane_contours:
 * @volume: (nullable): sampled at the points
 *
 * Returns: (transfer full): GPtrArray of BgPlaneContour: where @mesh goes through the plane; maybe empty
 */
GPtrArray *bg_plane_contours(const BgMesh *mesh, BgVec3 point_mm, BgVec3 normal, BgVolume *volume);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgPrism, bg_prism_free)

G_END_DECLS
