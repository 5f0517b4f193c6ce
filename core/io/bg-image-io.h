// SPDX-License-Identifier: Apache-2.0
// PNG in and out, as files and in memory (the clipboard).
#pragma once

#include "core/image/bg-image.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BgPngParams:
 * @force: replace a file that is there
 * @provenance: (nullable): JSON text for the key "provenance"
 * @texts: (nullable): key, text, key, text, ..., %NULL: further texts; keys of 1 to 79 characters
 *   of ASCII, texts of UTF-8
 * @dpi: how large the picture is meant to be on paper; 0 when unknown
 *
 * Zeros are the default.
 */
typedef struct {
    gboolean force;
    const char *provenance;
    const char *const *texts;
    double dpi;
} BgPngParams;

/**
 * bg_png_encode:
 * @image: uint8 or uint16
 * @params: (nullable): without @force
 *
 * Marked as sRGB. The image's calibration goes into the text "spacing_mm", which bg_png_decode()
 * reads; the dots per inch are for paper and never become a calibration.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_UNSUPPORTED for float32 pixels
 */
GBytes *bg_png_encode(BgImage *image, const BgPngParams *params, GError **error);

/**
 * bg_png_save:
 * @params: (nullable)
 *
 * As bg_png_encode(), and %G_IO_ERROR: EXISTS without @force, or what the system says. Written
 * beside its place and renamed.
 */
gboolean bg_png_save(BgImage *image, const char *path, const BgPngParams *params, GError **error);

/**
 * bg_png_decode:
 *
 * Palettes become RGB, 1 to 4 bits become 8, a transparent colour becomes alpha.
 *
 * Returns: (transfer full): uint8 or uint16; or %NULL with %BG_ERROR_CORRUPT (no PNG, cut short,
 *   damaged), %BG_ERROR_UNSUPPORTED (over 1 GiB of pixels), %BG_ERROR_NO_MEMORY
 */
BgImage *bg_png_decode(GBytes *bytes, GError **error);

/** bg_png_load: as bg_png_decode(), and %G_IO_ERROR as the system says */
BgImage *bg_png_load(const char *path, GError **error);

G_END_DECLS
