// SPDX-License-Identifier: Apache-2.0
// Slices with the outlines of labels, for pages and films.
#pragma once

#include "core/image/bg-image.h"
#include "core/volume/bg-label-map.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/**
 * bg_label_picture:
 * @volume: in LPS order
 * @labels: (nullable): on its grid: 1 red, 2 green, 4 blue, others yellow
 * @window: values that are black and white
 * @axis: across which the slice is: 0 sagittal (anterior left), 1 coronal, 2 axial (patient's right left)
 *
 * Returns: (transfer full): uint8 RGB, a pixel a voxel; or %NULL with %BG_ERROR_NO_MEMORY
 */
BgImage *bg_label_picture(const BgVolume *volume, const BgLabelMap *labels, const double window[2],
                          int axis, int slice, GError **error);

/**
 * bg_montage:
 * @pictures: @n of one size and format
 * @columns: side by side, 1 at least
 *
 * Returns: (transfer full): row by row, black where none is left; or %NULL with %BG_ERROR_NO_MEMORY
 */
BgImage *bg_montage(BgImage *const *pictures, gsize n, int columns, GError **error);

G_END_DECLS
