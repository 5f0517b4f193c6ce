// SPDX-License-Identifier: Apache-2.0
// Pictures that need somebody else's codec: JPEG (libjpeg-turbo), TIFF (libtiff), HEIC (libheif where
// it was there at build time).
#pragma once

#include "core/io/bg-io.h"

G_BEGIN_DECLS

/** bg_pictures_sniff: by the first bytes of a file (12 do); %BG_FORMAT_UNKNOWN for none of these */
BgFormat bg_pictures_sniff(const guint8 *bytes, gsize n_bytes);

/**
 * bg_pictures_probe:
 *
 * As bg_io_probe(). A JPEG of a thermal camera that says how warm its pixels are has two frames: 0 is
 * the picture, 1 the temperatures. A TIFF of several pages of one size is a volume; what its spacing
 * is, the file may not say: see BgFileInfo.spacing_unknown.
 */
BgFileInfo *bg_pictures_probe(const char *path, GCancellable *cancellable, GError **error);

/** bg_pictures_load: as bg_io_load() */
BgLoaded *bg_pictures_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
                           GCancellable *cancellable, GError **error);

G_END_DECLS
