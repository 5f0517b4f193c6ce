// SPDX-License-Identifier: Apache-2.0
// PS3.5 annex G: PackBits, one segment for each byte of each sample, the high bytes first.
#include "bg-dicom-codecs.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define HEADER_BYTES 64
#define MAX_SEGMENTS 15

static guint32
get32le(const guint8 *p)
{
    return (guint32) p[0] | (guint32) p[1] << 8 | (guint32) p[2] << 16 | (guint32) p[3] << 24;
}

// @n_out bytes into every @stride-th of @out. Returns how many came out.
static gsize
unpack(const guint8 *in, gsize n_in, guint8 *out, gsize n_out, gsize stride)
{
    const guint8 *end = in + n_in;
    gsize done = 0;

    while (in < end && done < n_out) {
        int control = (gint8) *in++;
        if (control >= 0) {
            gsize n = MIN((gsize) control + 1, MIN((gsize) (end - in), n_out - done));
            if (stride == 1)
                memcpy(out + done, in, n);
            else
                for (gsize i = 0; i < n; i++)
                    out[(done + i) * stride] = in[i];
            in += n;
            done += n;
        } else if (control != -128 && in < end) {
            gsize n = MIN((gsize) (1 - control), n_out - done);
            guint8 value = *in++;
            if (stride == 1)
                memset(out + done, value, n);
            else
                for (gsize i = 0; i < n; i++)
                    out[(done + i) * stride] = value;
            done += n;
        }
    }
    return done;
}

gboolean
bg_decode_rle(const BgCodedFrame *frame, guint8 *out, BgDecodedFrame *decoded, GError **error)
{
    gsize n_pixels = (gsize) frame->width * (gsize) frame->height;
    gsize bytes = (gsize) frame->sample_bytes;
    gsize n_segments = (gsize) frame->n_components * bytes;
    gsize stride = n_segments;

    if (frame->n_bytes < HEADER_BYTES || n_segments > MAX_SEGMENTS ||
        get32le(frame->bytes) != n_segments) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("the RLE header does not name the %zu segments that the picture needs"),
                    n_segments);
        return FALSE;
    }
    for (gsize s = 0; s < n_segments; s++) {
        gsize first = get32le(frame->bytes + 4 + 4 * s);
        gsize last = s + 1 < n_segments ? get32le(frame->bytes + 8 + 4 * s) : frame->n_bytes;
        gsize component = s / bytes, byte = s % bytes;
        gsize place = G_BYTE_ORDER == G_LITTLE_ENDIAN ? bytes - 1 - byte : byte;
        if (first < HEADER_BYTES || last < first || last > frame->n_bytes ||
            unpack(frame->bytes + first, last - first, out + component * bytes + place, n_pixels,
                   stride) < n_pixels) {
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("RLE segment %zu is cut short or damaged"), s + 1);
            return FALSE;
        }
    }
    *decoded = (BgDecodedFrame){ .precision = frame->sample_bytes * 8 };
    return TRUE;
}
