// SPDX-License-Identifier: Apache-2.0
// Transfer functions that are shipped: the files in data/presets.
#pragma once

#include "core/model/bg-transfer-function.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/**
 * BgPresetInfo:
 * @id: the file's name without .json: what --preset takes
 * @name: for people, untranslated English
 * @modality: "CT", "MR" or "any"
 * @relative: its values are shares of the volume's range, see bg_preset_load()
 * @background: sRGB 0..1, what it is meant to stand on
 */
typedef struct {
    char id[64];
    char name[64];
    char modality[8];
    BgTechnique technique;
    gboolean relative;
    double background[3];
} BgPresetInfo;

/**
 * bg_preset_list:
 *
 * Returns: (transfer full): GArray of BgPresetInfo, CT first, then MR, then the rest, each by id; or %NULL
 *   with %G_IO_ERROR when the folder, bg_data_folder() of "presets", cannot be read
 */
GArray *bg_preset_list(GError **error);

/**
 * bg_preset_load:
 * @id: as in BgPresetInfo; a path is refused
 * @volume: (nullable): for presets with relative values: 0 is its percentile 0.1, 1 its
 *   percentile 99.9; the function that comes back has absolute values
 *
 * The JSON of cli.md and "relative": true, "modality", "background": [r,g,b], and
 * "gradient_opacity" in shares of that range per mm when relative.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID when there is no such preset, or a relative
 *   one has no @volume; %BG_ERROR_CORRUPT when the file is not a preset; %G_IO_ERROR
 */
BgTransferFunction *bg_preset_load(const char *id, BgVolume *volume, GError **error);

/**
 * bg_preset_range:
 * @low, @high: (out): percentiles 0.1 and 99.9 of the finite values; where these are one value,
 *   the range of all; where that is one too, 1 above it. So high is above low always
 *
 * What relative presets count from.
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY
 */
gboolean bg_preset_range(BgVolume *volume, double *low, double *high, GError **error);

/**
 * bg_preset_guess:
 *
 * Returns: the id of the preset that suits @volume: "ct-bone" where the values look like Hounsfield
 *   units (bg_volume_looks_like_ct()), else "mr-default"
 */
const char *bg_preset_guess(BgVolume *volume);

G_END_DECLS
