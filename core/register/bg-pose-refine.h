// SPDX-License-Identifier: Apache-2.0
// A pose from landmarks made better by what the photograph shows.
#pragma once

#include "core/base/bg-progress.h"
#include "core/register/bg-cortex.h"
#include "core/register/bg-pose.h"

G_BEGIN_DECLS

/**
 * BgPoseRefineParams:
 * @cortex: what the photograph shows, with values whose edges it shows too
 * @photograph: as it was taken, of the start's camera's size
 * @start: the landmarks' solution, with its covariance
 * @region: (nullable): u, v pairs of points of the photograph as taken: only the surface within their
 *   convex hull, grown by three tenths, is compared. %NULL: all that the camera sees
 * @n_region: how many pairs
 * @n_samples: 0: 6000
 *
 * A plain value.
 */
typedef struct {
    BgCortex *cortex;
    BgImage *photograph;
    const BgPoseResult *start;
    const double *region;
    gsize n_region;
    guint n_samples;
} BgPoseRefineParams;

/**
 * BgPoseRefined:
 * @camera: after; the start's when @trusted is %FALSE and the caller takes the advice
 * @metric_before, @metric_after: mutual information (nats) at the last resolution
 * @moved_px, @moved_mm: root mean square shift of the compared surface in the photograph
 * @moved_sigmas: how far the pose went from the landmarks', in its own covariance
 * @spread_mm: how far apart the ends of other starts are
 * @trusted: %FALSE: it might have made the pose worse; @doubt says why
 * @doubt: a sentence, or ""
 * @n_evaluations: of the metric
 */
typedef struct {
    BgCamera camera;
    double metric_before, metric_after;
    double moved_px, moved_mm, moved_sigmas;
    double spread_mm;
    gboolean trusted;
    char doubt[256];
    guint n_evaluations;
} BgPoseRefined;

/**
 * bg_pose_refine:
 *
 * Maximises the mutual information (Viola and Wells 1997) between the photograph and the rendered
 * surface, at three resolutions, over the six numbers of the pose. The landmarks' solution stays in
 * force as what is known beforehand: a Gaussian with its covariance. The surface that the start's
 * camera sees is sampled once a resolution; each sample is then looked up where a pose's camera
 * puts it, through the lens.
 *
 * Ends of other starts, the distance from the landmarks and the gain decide whether the result is
 * trusted; it is returned either way, and never to be taken silently when it is not.
 *
 * Returns: %FALSE with %BG_ERROR_MISMATCH when the photograph is not of the camera's size,
 *   %BG_ERROR_INVALID when the camera sees too little of the surface, %BG_ERROR_NO_MEMORY,
 *   %G_IO_ERROR_CANCELLED
 */
gboolean bg_pose_refine(const BgPoseRefineParams *params, BgPoseRefined *refined,
                        const BgProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
