// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/volume/bg-label-map.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/**
 * BgVoxelBox:
 * @first, @last: voxel indices i, j, k, both inside the box. May reach outside of a grid where a
 *   function says so
 */
typedef struct {
    int first[3];
    int last[3];
} BgVoxelBox;

/** bg_voxel_box_all: Returns: the whole grid */
BgVoxelBox bg_voxel_box_all(const BgGeometry *geometry);

/**
 * bg_geometry_new_box:
 * @box: may reach outside of @geometry
 * @part: (out): the grid of that box; each voxel stays where it is in the patient
 *
 * Returns: %FALSE with %BG_ERROR_INVALID when the box is empty or too large
 */
gboolean bg_geometry_new_box(const BgGeometry *geometry, const BgVoxelBox *box, BgGeometry *part,
                             GError **error);

/**
 * bg_volume_cut:
 * @box: what lies outside of @volume is filled: so this crops and pads
 * @fill_value: in the volume's unit; rounded to the nearest sample and clamped
 *
 * Samples are copied, not computed: exact.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID as bg_geometry_new_box(),
 *   %BG_ERROR_NO_MEMORY
 */
BgVolume *bg_volume_cut(BgVolume *volume, const BgVoxelBox *box, double fill_value, GError **error);

/** bg_label_map_cut: as bg_volume_cut(), background outside */
BgLabelMap *bg_label_map_cut(BgLabelMap *labels, const BgVoxelBox *box, GError **error);

/**
 * bg_volume_crop:
 *
 * As bg_volume_cut(), and %BG_ERROR_INVALID when @box reaches outside of @volume.
 */
BgVolume *bg_volume_crop(BgVolume *volume, const BgVoxelBox *box, GError **error);

/**
 * bg_label_map_bounds:
 * @label: or 0 for any label but the background
 * @margin_mm: at least 0; rounded up to whole voxels along each axis
 * @box: (out): around all voxels of that label, clamped to the grid
 *
 * Returns: %FALSE with %BG_ERROR_INVALID when the label does not occur, or the margin is
 *   negative or not finite
 */
gboolean bg_label_map_bounds(BgLabelMap *labels, guint32 label, double margin_mm, BgVoxelBox *box,
                             GError **error);

G_END_DECLS
