// SPDX-License-Identifier: Apache-2.0
// How large a region is, and how far from a path.
#pragma once

#include "bg-label-metrics.h"

G_BEGIN_DECLS

/**
 * BgLabelShape:
 * @volume_ml: voxels times their volume
 * @n_parts: that do not touch (across faces, edges and corners): more than one says that the diameters
 *   may span what is between them
 * @diameter_mm: the longest distance of two points of the surface; @diameter_ends_mm: where, LPS
 * @rano_slice: of the grid, along @rano_axis: the axial slice with the longest diameter in it
 * @rano_long_mm, @rano_short_mm: that diameter, and the longest one across it (within 5 degrees) in the
 *   same slice; @rano_product_mm2: RANO's bidimensional measure (Wen et al. 2010)
 * @rano_long_ends_mm, @rano_short_ends_mm: LPS
 *
 * The surface's points are half-way between the centres of a voxel inside and one outside. All 0 for
 * an empty region.
 */
typedef struct {
    gsize n_voxels, n_parts;
    double volume_ml;
    BgVec3 centroid_mm;
    double diameter_mm;
    BgVec3 diameter_ends_mm[2];
    int rano_axis, rano_slice;
    double rano_long_mm, rano_short_mm, rano_product_mm2;
    BgVec3 rano_long_ends_mm[2], rano_short_ends_mm[2];
} BgLabelShape;

/**
 * bg_label_shape:
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
gboolean bg_label_shape(BgLabelMap *labels, const BgLabelRegion *region, BgLabelShape *shape,
                        GCancellable *cancellable, GError **error);

/**
 * BgPathDistance:
 * @length_mm: of the path
 * @nearest_mm: the least signed distance to the structure along it, negative inside
 * @nearest_at_mm: from the start, where that is
 * @inside_mm: how much of the path is inside
 * @entry_at_mm: from the start, where it first enters; NaN when it does not
 * @n_outside: samples that lie outside of the map, and are left out
 */
typedef struct {
    double length_mm;
    double nearest_mm, nearest_at_mm;
    double inside_mm, entry_at_mm;
    gsize n_outside;
} BgPathDistance;

/**
 * bg_path_distance:
 * @distances: signed, in mm: of bg_distance_map()
 * @points_mm: @n_points of at least 2, LPS: a line through them
 * @step_mm: of the samples, over 0
 * @profile: (out) (optional) (transfer full): GArray of double: distance at each step; NaN outside
 *
 * Returns: %FALSE with %BG_ERROR_INVALID: a path of no length, all of it outside of the map
 */
gboolean bg_path_distance(BgVolume *distances, const BgVec3 *points_mm, gsize n_points,
                          double step_mm, BgPathDistance *result, GArray **profile, GError **error);

G_END_DECLS
