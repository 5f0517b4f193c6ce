// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/volume/bg-label-map.h"

G_BEGIN_DECLS

/**
 * bg_volume_mask:
 * @mask: of the volume's grid
 * @labels: @n_labels of them: voxels with one of these stay; none: all but the background
 * @outside: value of the others, in the volume's unit; rounded to the nearest sample and clamped
 *
 * Returns: (transfer full): in the volume's type, slope and intercept; or %NULL with
 *   %BG_ERROR_MISMATCH (grids differ), %BG_ERROR_INVALID (@outside is not finite and the samples are
 *   integers), %BG_ERROR_NO_MEMORY
 */
BgVolume *bg_volume_mask(BgVolume *volume, BgLabelMap *mask, const guint32 *labels, gsize n_labels,
                         double outside, GError **error);

G_END_DECLS
