// SPDX-License-Identifier: Apache-2.0
// Pictures as files: what is written over them, and what is written beside their pixels.
#pragma once

#include "bg-cli.h"

#include "core/image/bg-image.h"

G_BEGIN_DECLS

/**
 * bg_cli_save_png: with provenance, and the facts (cli->result) as a text; prefixed errors
 *
 * A @path that ends with .dcm gets a secondary capture.
 */
gboolean bg_cli_save_png(BgCli *cli, BgImage *image, const char *path, GError **error);

/**
 * bg_cli_save_tiff:
 * @image: one channel of uint8, uint16 or float32
 *
 * Uncompressed, the resolution from its calibration, the provenance as its description.
 */
gboolean bg_cli_save_tiff(BgCli *cli, BgImage *image, const char *path, GError **error);

/** bg_cli_draw_marks: @marks: GArray of BgMark, over @argb of width x height, opaque */
void bg_cli_draw_marks(const GArray *marks, guint32 *argb, int width, int height);

/** bg_cli_draw_lines: @lines: of BgContours, in turn in a few colours, over @argb */
void bg_cli_draw_lines(const GPtrArray *lines, guint32 *argb, int width, int height);

G_END_DECLS
