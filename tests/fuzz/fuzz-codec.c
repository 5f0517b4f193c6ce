// SPDX-License-Identifier: Apache-2.0
// One compressed frame for one codec, BG_FUZZ_CODEC: the first bytes say what is asked for.
#include "core/base/bg-buffer.h"
#include "fuzz.h"
#include "media/dicom/bg-dicom-codecs.h"

#define HEADER_BYTES 4

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADER_BYTES)
        return 0;
    BgCodedFrame frame = { .bytes = data + HEADER_BYTES,
                           .n_bytes = size - HEADER_BYTES,
                           .width = data[0] + 1,
                           .height = data[1] + 1,
                           .n_components = data[2] & 1 ? 3 : 1,
                           .sample_bytes = data[2] & 2 ? 2 : 1,
                           .ybr = (data[2] & 4) != 0 };
    BgDecodedFrame decoded;
    g_autoptr(GError) error = NULL;
    gsize n = (gsize) frame.width * (gsize) frame.height * (gsize) frame.n_components *
              (gsize) frame.sample_bytes;
    guint8 *out = g_malloc(n); // exactly as large: the sanitizer sees one byte beyond

    if (!BG_FUZZ_CODEC(&frame, out, &decoded, &error))
        g_assert_nonnull(error);
    g_free(out);
    return 0;
}
