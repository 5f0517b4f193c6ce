// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"
#include "core/volume/bg-label-map.h"

G_BEGIN_DECLS

/**
 * bg_squared_distances:
 * @values: (inout): of @dims, x fastest: 0 where the set is, infinite elsewhere (or any start value
 *   of at least 0: the result is then the lower envelope); become the least of value + squared
 *   distance, infinite everywhere for an empty set
 * @spacing_mm: of the axes, which are taken to be orthogonal; each over 0
 *
 * The exact Euclidean distance transform, one axis after the other by lower envelopes of parabolas
 * (Felzenszwalb and Huttenlocher, Theory of Computing 8, 2012), linear in the number of voxels.
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY or %G_IO_ERROR_CANCELLED
 */
gboolean bg_squared_distances(double *values, const int dims[3], const double spacing_mm[3],
                              const BgProgress *progress, GCancellable *cancellable,
                              GError **error);

/** bg_squared_distances_float: the same, kept as float32 between the axes */
gboolean bg_squared_distances_float(float *values, const int dims[3], const double spacing_mm[3],
                                    const BgProgress *progress, GCancellable *cancellable,
                                    GError **error);

typedef enum {
    BG_DISTANCE_OUTSIDE, // 0 inside
    BG_DISTANCE_SIGNED,  // inside: minus the distance to the nearest voxel outside
} BgDistanceKind;

/**
 * bg_distance_map:
 * @label: 0: any but the background
 *
 * Returns: (transfer full): float32: the distance in mm of each voxel's centre to the nearest centre
 *   of a voxel with that label; or %NULL with %BG_ERROR_INVALID (no such voxel, or no voxel outside
 *   when signed), %BG_ERROR_UNSUPPORTED (axes that are no right angles: resample first),
 *   %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgVolume *bg_distance_map(BgLabelMap *labels, guint32 label, BgDistanceKind kind,
                          const BgProgress *progress, GCancellable *cancellable, GError **error);

/** bg_geometry_check_right_angles: FALSE with UNSUPPORTED when two axes are over 0.5 degrees off */
gboolean bg_geometry_check_right_angles(const BgGeometry *geometry, GError **error);

G_END_DECLS
