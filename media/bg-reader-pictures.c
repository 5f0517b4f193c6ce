// SPDX-License-Identifier: Apache-2.0
#include "bg-media.h"
#include "media/picture/bg-pictures.h"

static gboolean
sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    return !gzipped && bg_pictures_sniff(bytes, n_bytes) != BG_FORMAT_UNKNOWN;
}

const BgReader bg_reader_pictures = {
    .name = "JPEG, TIFF, HEIC",
    .sniff = sniff,
    .probe = bg_pictures_probe,
    .load = bg_pictures_load,
    .is_foreign = TRUE,
};
