// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/**
 * bg_gaussian:
 * @sigma_mm: along i, j, k (not patient axes), each finite and at least 0; 0 leaves that axis as
 *   it is. Divided by the spacing of each axis
 *
 * Smooths by a Gaussian, one axis after the other in float32. The kernel is sampled at voxel
 * centres, cut at 4 sigma (rounded to voxels) and normalised to 1; beyond a face the volume goes
 * on mirrored about that face (d c b a | a b c d: "reflect" of scipy.ndimage). A voxel that is not
 * a number makes what the kernel touches not a number.
 *
 * Returns: (transfer full): float32 values on the same grid; or %NULL with %BG_ERROR_INVALID for a
 *   sigma that is negative, not finite, or over 512 voxels, %BG_ERROR_NO_MEMORY,
 *   %G_IO_ERROR_CANCELLED
 */
BgVolume *bg_gaussian(BgVolume *volume, BgVec3 sigma_mm, const BgProgress *progress,
                      GCancellable *cancellable, GError **error);

G_END_DECLS
