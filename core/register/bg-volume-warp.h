// SPDX-License-Identifier: Apache-2.0
// A volume where a spline puts it.
#pragma once

#include "core/base/bg-progress.h"
#include "core/model/bg-transform.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/**
 * bg_volume_warp:
 * @fixed_from_moving: 3 axes, any model
 * @target: the grid of the result, in the fixed frame of reference
 *
 * Linear between voxels; the sample type, slope and intercept of @moving. Where it shows nothing, its
 * lowest value: air. Where a spline folds it shows nothing either.
 *
 * A spline's inverse is found at every second voxel, and linear between them; about a centre, where
 * the spline has an edge, at every voxel. Any thread.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID for a transform of 2 axes,
 *   %BG_ERROR_CORRUPT for an unusable grid, %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgVolume *bg_volume_warp(BgVolume *moving, const BgTransform *fixed_from_moving,
                         const BgGeometry *target, const BgProgress *progress,
                         GCancellable *cancellable, GError **error);

G_END_DECLS
