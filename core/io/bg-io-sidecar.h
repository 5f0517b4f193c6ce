// SPDX-License-Identifier: Apache-2.0
// What formats without a place for it are told about a grid in JSON: beside raw voxels, in TIFF's
// description.
#pragma once

#include "bg-io-grid.h"
#include "core/base/bg-json.h"

G_BEGIN_DECLS

/**
 * bg_sidecar_new:
 *
 * Returns: (transfer full): {"bregma": {"schema": 1, "dims", "n_frames", "datatype", "byte_order",
 *   "header_bytes", "patient_from_voxel" (16, LPS mm), "slope", "intercept", "kind", "modality",
 *   "unit", "provenance"}}
 */
BgJson *bg_sidecar_new(const BgGrid *grid);

/**
 * bg_sidecar_take:
 * @own: the member "bregma"
 * @info, @layout: (out): place, scale, modality, unit, kind, provenance; dims are those of the file
 *
 * Returns: %FALSE when it gives no sound place; the rest has been taken
 */
gboolean bg_sidecar_take(const BgJson *own, BgFileInfo *info, BgRawLayout *layout);

/**
 * bg_sidecar_parse:
 * @text: what lies beside raw voxels, of @length bytes
 * @info, @layout: (out): all that it says; what it leaves unsaid is warned of
 *
 * Returns: %FALSE with %BG_ERROR_CORRUPT: no JSON, a field that is missing or makes no sense
 */
gboolean bg_sidecar_parse(const char *text, gsize length, BgFileInfo *info, BgRawLayout *layout,
                          GError **error);

G_END_DECLS
