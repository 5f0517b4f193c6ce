// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"
#include "core/volume/bg-label-map.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/**
 * BgResampleMethod:
 * @BG_RESAMPLE_NEAREST: the closest voxel centre; of two equally far ones the higher index
 * @BG_RESAMPLE_LINEAR: trilinear between the eight voxels around
 * @BG_RESAMPLE_CUBIC: cubic B-spline through the samples (recursive prefilter, mirrored at the
 *   outer voxel centres). It may overshoot at edges; a constant stays constant
 */
typedef enum {
    BG_RESAMPLE_NEAREST,
    BG_RESAMPLE_LINEAR,
    BG_RESAMPLE_CUBIC,
} BgResampleMethod;

/**
 * BgResampleOutput:
 * @BG_RESAMPLE_SAME_TYPE: the source's sample type, slope and intercept; results are rounded to
 *   the nearest sample (halves away from zero) and clamped to the type's range
 * @BG_RESAMPLE_FLOAT32: values in float32, slope 1
 */
typedef enum {
    BG_RESAMPLE_SAME_TYPE,
    BG_RESAMPLE_FLOAT32,
} BgResampleOutput;

/**
 * BgResampleParams:
 * @target: the grid of the result
 * @source_from_target: patient (LPS mm) of the target to patient of the source: the identity when
 *   both lie in the same frame of reference; a registration's moving_from_fixed else
 * @outside_value: in the volume's unit, for voxels outside of the source. Inside reaches half a
 *   voxel beyond the outer voxel centres, where linear and nearest go on with the edge's value
 *
 * No smoothing is done before sampling to a coarser grid: bg_gaussian() first where that matters.
 */
typedef struct {
    BgGeometry target;
    BgAffine source_from_target;
    BgResampleMethod method;
    BgResampleOutput output;
    double outside_value;
} BgResampleParams;

/** bg_resample_params: Returns: onto @target in the same frame, linear, same type, 0 outside */
BgResampleParams bg_resample_params(const BgGeometry *target);

/**
 * bg_resample:
 *
 * Any thread. Positions are computed in double; linear and cubic weights and sums are float32.
 * A voxel that is not a number makes what it touches not a number.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_CORRUPT for an unusable target grid,
 *   %BG_ERROR_INVALID when @source_from_target is not finite, %BG_ERROR_NO_MEMORY,
 *   %G_IO_ERROR_CANCELLED
 */
BgVolume *bg_resample(BgVolume *source, const BgResampleParams *params, const BgProgress *progress,
                      GCancellable *cancellable, GError **error);

/**
 * bg_resample_labels:
 * @params: the method is taken as nearest whatever it says, the output as the same type; outside
 *   is label 0
 *
 * Returns: (transfer full): as bg_resample()
 */
BgLabelMap *bg_resample_labels(BgLabelMap *source, const BgResampleParams *params,
                               const BgProgress *progress, GCancellable *cancellable,
                               GError **error);

/**
 * bg_geometry_new_spacing:
 * @spacing_mm: each > 0 and finite
 * @geometry: (out): the same directions and the same centre, with that spacing; as many voxels as
 *   cover the source's extent, rounded to the nearest number, at least 1
 *
 * Returns: %FALSE with %BG_ERROR_INVALID when a spacing is not positive, or asks for more voxels
 *   along an axis than there can be
 */
gboolean bg_geometry_new_spacing(const BgGeometry *source, BgVec3 spacing_mm, BgGeometry *geometry,
                                 GError **error);

G_END_DECLS
