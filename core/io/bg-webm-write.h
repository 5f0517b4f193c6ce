// SPDX-License-Identifier: Apache-2.0
// Films as WebM: VP9 in Matroska's container.
#pragma once

#include "core/image/bg-image.h"

G_BEGIN_DECLS

typedef struct _BgWebm BgWebm;

/**
 * bg_webm_new:
 * @delay_ms: between pictures, 1 .. 32767
 * @provenance: (nullable): JSON text for the tag PROVENANCE
 *
 * Nothing stands at @path before bg_webm_commit().
 *
 * Returns: (transfer full): or %NULL with %G_IO_ERROR: EXISTS without @force, or what the system says
 */
BgWebm *bg_webm_new(const char *path, gboolean force, int delay_ms, const char *provenance,
                    GError **error);

/**
 * bg_webm_add:
 * @image: uint8, of 1, 3 or 4 channels (alpha is left out); all of one size, at most 16384 a side
 *
 * Encodes it: VP9 profile 0, so colours are at half the resolution (4:2:0), in BT.709's narrow
 * range, and marked so. One pass of constant quality without look-ahead on one thread: the same
 * pictures give the same bytes.
 *
 * Returns: %FALSE with %BG_ERROR_UNSUPPORTED for other pictures, %BG_ERROR_MISMATCH for another size
 *   than the first, %BG_ERROR_NO_MEMORY
 */
gboolean bg_webm_add(BgWebm *webm, BgImage *image, GError **error);

/** bg_webm_commit: the file is whole and has its name; %BG_ERROR_INVALID without a picture */
gboolean bg_webm_commit(BgWebm *webm, GError **error);

void bg_webm_free(BgWebm *webm);

/** bg_webm_read_provenance: (transfer full) (nullable): the tag PROVENANCE of a file; %NULL if there is none */
char *bg_webm_read_provenance(const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgWebm, bg_webm_free)

G_END_DECLS
