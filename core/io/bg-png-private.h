// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-io-source.h"
#include "core/image/bg-image.h"

G_BEGIN_DECLS

/**
 * BgPngRead:
 * @image: (nullable): owned
 * @provenance: (nullable): owned: what the text of that key says
 */
typedef struct {
    BgImageFormat format;
    BgImage *image;
    char *provenance;
} BgPngRead;

/** bg_png_read: @read: (out): what there is; errors as bg_png_decode() */
gboolean bg_png_read(BgSource *source, gboolean header_only, BgPngRead *read, GError **error);
void bg_png_read_clear(BgPngRead *read);

G_END_DECLS
