// SPDX-License-Identifier: Apache-2.0
// Animated GIF out: turntables, and scans as a film.
#pragma once

#include "core/image/bg-image.h"

G_BEGIN_DECLS

typedef struct _BgGif BgGif;

/**
 * bg_gif_new:
 * @delay_ms: between pictures; GIF counts in hundredths of a second
 * @provenance: (nullable): JSON text for the comment
 *
 * Nothing stands at @path before bg_gif_commit().
 *
 * Returns: (transfer full): or %NULL with %G_IO_ERROR: EXISTS without @force, or what the system says
 */
BgGif *bg_gif_new(const char *path, gboolean force, int delay_ms, const char *provenance,
                  GError **error);

/**
 * bg_gif_add:
 * @image: uint8, of 1, 3 or 4 channels (alpha is left out); all of one size
 *
 * Each picture gets up to 256 colours of its own (median cut, Heckbert 1982), and what they miss is
 * handed on to the neighbours (Floyd and Steinberg 1976): letters stay sharp, shades stay smooth.
 *
 * Returns: %FALSE with %BG_ERROR_UNSUPPORTED for other pictures, %BG_ERROR_MISMATCH for another size
 *   than the first, %G_IO_ERROR for the disk
 */
gboolean bg_gif_add(BgGif *gif, BgImage *image, GError **error);

/** bg_gif_commit: the file is whole and has its name; %BG_ERROR_INVALID without a picture */
gboolean bg_gif_commit(BgGif *gif, GError **error);

void bg_gif_free(BgGif *gif);

/** bg_gif_read_comment: (transfer full) (nullable): the first comment of a file; %NULL if there is none */
char *bg_gif_read_comment(const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgGif, bg_gif_free)

G_END_DECLS
