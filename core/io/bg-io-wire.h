// SPDX-License-Identifier: Apache-2.0
// What readers give back, as JSON and memory that can be handed to another process, and back. The
// side that reads believes nothing of it: the writer may have been taken over by a file.
#pragma once

#include "core/base/bg-json.h"
#include "core/io/bg-io.h"
#include "core/io/bg-series.h"

G_BEGIN_DECLS

#define BG_IO_MAX_PARTS 16

/**
 * BgIoParts:
 * @fds: owned: memory, sealed by bg_io_parts_seal()
 */
typedef struct {
    int fds[BG_IO_MAX_PARTS];
    gsize n_bytes[BG_IO_MAX_PARTS];
    guint n;
} BgIoParts;

void bg_io_parts_clear(BgIoParts *parts);

/**
 * bg_io_parts_seal:
 *
 * Nobody can change or resize the memory afterwards. The buffers that it was must be free by now.
 *
 * Returns: %FALSE with %G_IO_ERROR
 */
gboolean bg_io_parts_seal(BgIoParts *parts, GError **error);

/** bg_io_parts_add: a copy of @data as one more part; %FALSE with %BG_ERROR_NO_MEMORY */
gboolean bg_io_parts_add(BgIoParts *parts, gconstpointer data, gsize n_bytes, GError **error);

/** bg_io_parts_to_json: (transfer full): an array of sizes */
BgJson *bg_io_parts_to_json(const BgIoParts *parts);

/** bg_file_info_to_json: (transfer full) */
BgJson *bg_file_info_to_json(const BgFileInfo *info);

/** bg_file_info_from_json: (transfer full): or %NULL with %BG_ERROR_CORRUPT */
BgFileInfo *bg_file_info_from_json(const BgJson *json, const char *path, GError **error);

/**
 * bg_loaded_to_json:
 * @parts: (inout): gets the memory: that of the buffers themselves where they are shared
 *   (bg_buffer_share()), else copies
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_NO_MEMORY
 */
BgJson *bg_loaded_to_json(const BgLoaded *loaded, BgIoParts *parts, GError **error);

/**
 * bg_loaded_from_json:
 * @parts: of GBytes
 *
 * Returns: (transfer full): whose voxels and pixels are @parts themselves; or %NULL with
 *   %BG_ERROR_CORRUPT, %BG_ERROR_NO_MEMORY
 */
BgLoaded *bg_loaded_from_json(const BgJson *json, GPtrArray *parts, const char *path,
                              GError **error);

/** bg_image_to_json, bg_image_from_json: as for BgLoaded */
BgJson *bg_image_to_json(BgImage *image, BgIoParts *parts, GError **error);
BgImage *bg_image_from_json(const BgJson *json, GPtrArray *parts, GError **error);

/** bg_series_to_json: (transfer full) */
BgJson *bg_series_to_json(const BgSeries *series);

/** bg_series_from_json: (transfer full): or %NULL with %BG_ERROR_CORRUPT */
BgSeries *bg_series_from_json(const BgJson *json, GError **error);

/** bg_load_params_to_json: (transfer full) */
BgJson *bg_load_params_to_json(const BgLoadParams *params);

/** bg_load_params_from_json: its strings live as long as @json */
BgLoadParams bg_load_params_from_json(const BgJson *json);

G_END_DECLS
