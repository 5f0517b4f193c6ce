// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

#define BG_MEDIAN_MAX_RADIUS 8

/**
 * bg_median:
 * @radius_voxels: 0..BG_MEDIAN_MAX_RADIUS; the neighbourhood is a cube of 2 * radius + 1 voxels
 *
 * The middle value of each neighbourhood. Beyond a face the volume goes on mirrored about that
 * face ("reflect" of scipy.ndimage). What is not a number counts as larger than anything.
 *
 * Returns: (transfer full): in the type, slope and intercept of @volume; or %NULL with
 *   %BG_ERROR_INVALID for a radius out of range, %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgVolume *bg_median(BgVolume *volume, int radius_voxels, const BgProgress *progress,
                    GCancellable *cancellable, GError **error);

G_END_DECLS
