// SPDX-License-Identifier: Apache-2.0
#include "bg-dicom-codecs.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <charls/charls_jpegls_decoder.h>
#include <string.h>

#define GUARD_BYTES 32

static gboolean
fail(charls_jpegls_errc status, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT, _("the JPEG-LS picture is damaged: %s"),
                charls_get_error_message(status));
    return FALSE;
}

// Planes to interleaved samples, and 8 to 16 bits where the file keeps more than the codec.
static void
arrange(const BgCodedFrame *frame, const guint8 *in, int in_bytes, gboolean planes, guint8 *out)
{
    gsize n = (gsize) frame->width * (gsize) frame->height, c = (gsize) frame->n_components;

    for (gsize i = 0; i < n; i++) {
        for (gsize k = 0; k < c; k++) {
            gsize from = planes ? k * n + i : i * c + k;
            gsize to = i * c + k;
            guint value = in_bytes == 1 ? in[from] : ((const guint16 *) (gconstpointer) in)[from];
            if (frame->sample_bytes == 1)
                out[to] = (guint8) value;
            else
                ((guint16 *) (gpointer) out)[to] = (guint16) value;
        }
    }
}

// CharLS 2.4 asks for more bits without an end where a stream breaks off, but stops at a marker: so the
// stream ends in markers, more than one step of its reader can pass.
static guint8 *
guard(const BgCodedFrame *frame, GError **error)
{
    guint8 *bytes = bg_buffer_alloc(frame->n_bytes + GUARD_BYTES, error);

    if (bytes == NULL)
        return NULL;
    if (frame->n_bytes > 0)
        memcpy(bytes, frame->bytes, frame->n_bytes);
    for (gsize i = 0; i < GUARD_BYTES; i++)
        bytes[frame->n_bytes + i] = i % 2 == 0 ? 0xFF : 0xD9;
    return bytes;
}

static gboolean
decode(charls_jpegls_decoder *decoder, const BgCodedFrame *frame, guint8 *out,
       BgDecodedFrame *decoded, GError **error)
{
    charls_frame_info info;
    charls_interleave_mode mode;
    charls_jpegls_errc status;
    size_t size;

    bg_auto_buffer guint8 *guarded = guard(frame, error);
    if (guarded == NULL)
        return FALSE;
    if ((status = charls_jpegls_decoder_set_source_buffer(decoder, guarded,
                                                          frame->n_bytes + GUARD_BYTES)) != 0 ||
        (status = charls_jpegls_decoder_read_header(decoder)) != 0 ||
        (status = charls_jpegls_decoder_get_frame_info(decoder, &info)) != 0 ||
        (status = charls_jpegls_decoder_get_interleave_mode(decoder, &mode)) != 0)
        return fail(status, error);
    int in_bytes = info.bits_per_sample > 8 ? 2 : 1;
    if (info.width != (guint32) frame->width || info.height != (guint32) frame->height ||
        info.component_count != frame->n_components || in_bytes > frame->sample_bytes ||
        frame->sample_bytes > 2) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("the JPEG-LS picture has %ux%u pixels of %d components, not the %dx%d of %d "
                      "that the file names"),
                    info.width, info.height, info.component_count, frame->width, frame->height,
                    frame->n_components);
        return FALSE;
    }
    if ((status = charls_jpegls_decoder_get_destination_size(decoder, 0, &size)) != 0)
        return fail(status, error);
    gboolean planes = mode == CHARLS_INTERLEAVE_MODE_NONE && frame->n_components > 1;
    decoded->precision = info.bits_per_sample;
    if (!planes && in_bytes == frame->sample_bytes) {
        status = charls_jpegls_decoder_decode_to_buffer(decoder, out, size, 0);
        return status == 0 ? TRUE : fail(status, error);
    }
    bg_auto_buffer guint8 *scratch = bg_buffer_alloc(MAX(size, 1), error);
    if (scratch == NULL)
        return FALSE;
    if ((status = charls_jpegls_decoder_decode_to_buffer(decoder, scratch, size, 0)) != 0)
        return fail(status, error);
    arrange(frame, scratch, in_bytes, planes, out);
    return TRUE;
}

gboolean
bg_decode_jpeg_ls(const BgCodedFrame *frame, guint8 *out, BgDecodedFrame *decoded, GError **error)
{
    charls_jpegls_decoder *decoder = charls_jpegls_decoder_create();

    if (decoder == NULL) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                            _("there is no memory for a JPEG-LS decoder"));
        return FALSE;
    }
    *decoded = (BgDecodedFrame){ 0 };
    gboolean ok = decode(decoder, frame, out, decoded, error);
    charls_jpegls_decoder_destroy(decoder);
    return ok;
}
