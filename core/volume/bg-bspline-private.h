// SPDX-License-Identifier: Apache-2.0
// Cubic B-splines through samples, mirrored at the outer samples (d c b | a b c d | c b a).
#pragma once

#include "core/base/bg-progress.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/**
 * bg_bspline_coefficients:
 * @is_patched: (out): whether voxels that are not finite were taken as 0
 *
 * Recursive prefilter in double along x, y and z (Unser, Aldroubi, Eden 1993; pole sqrt(3) - 2).
 *
 * Returns: (transfer full): nx*ny*nz float32 coefficients of stored samples (no slope), from
 *   bg_voxels_alloc(); or %NULL with %BG_ERROR_NO_MEMORY or %G_IO_ERROR_CANCELLED
 */
float *bg_bspline_coefficients(BgVolume *volume, gboolean *is_patched, const BgProgress *progress,
                               GCancellable *cancellable, GError **error);

/** bg_bspline_mirror: Returns: @index, brought into 0..dim-1 */
static inline int
bg_bspline_mirror(int index, int dim)
{
    int period = 2 * (dim - 1);

    if (dim == 1)
        return 0;
    index = ABS(index) % period;
    return index < dim ? index : period - index;
}

/** bg_bspline_weights: of the four samples around: index - 1 .. index + 2 */
static inline void
bg_bspline_weights(float fraction, float weights[4])
{
    float t = fraction, s = 1.0f - t;

    weights[0] = s * s * s / 6.0f;
    weights[1] = 2.0f / 3.0f - 0.5f * t * t * (2.0f - t);
    weights[2] = 2.0f / 3.0f - 0.5f * s * s * (2.0f - s);
    weights[3] = t * t * t / 6.0f;
}

G_END_DECLS
