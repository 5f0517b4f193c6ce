// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/volume/bg-label-map.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/**
 * bg_geometry_reorient:
 * @code: three letters, the patient direction in which i, j, k shall grow ("LPS", "RAS"); one of
 *   each pair L/R, P/A, S/I; small letters too
 * @source_axis: (out) (nullable): for each new axis the old one
 * @flipped: (out) (nullable): for each new axis whether its order is reversed
 * @geometry: (out): the same voxel centres in the patient, numbered anew
 *
 * Returns: %FALSE with %BG_ERROR_INVALID when @code is none
 */
gboolean bg_geometry_reorient(const BgGeometry *source, const char *code, int source_axis[3],
                              gboolean flipped[3], BgGeometry *geometry, GError **error);

/**
 * bg_volume_reorient:
 * @code: as bg_geometry_reorient()
 *
 * Voxels change their order, never their values nor their place in the patient. A volume that is
 * in that order comes back as it is.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID, %BG_ERROR_NO_MEMORY
 */
BgVolume *bg_volume_reorient(BgVolume *volume, const char *code, GError **error);
BgLabelMap *bg_label_map_reorient(BgLabelMap *labels, const char *code, GError **error);

G_END_DECLS
