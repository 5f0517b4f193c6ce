// SPDX-License-Identifier: Apache-2.0
#include "bg-dicom-codecs.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <openjpeg.h>
#include <string.h>

#define JP2_BOX "\0\0\0\x0cjP  "

typedef struct {
    const guint8 *bytes;
    gsize n_bytes;
    gsize at;
} Source;

static OPJ_SIZE_T
read_source(void *buffer, OPJ_SIZE_T wanted, void *user_data)
{
    Source *source = user_data;
    gsize n = MIN(wanted, source->n_bytes - source->at);

    if (n == 0)
        return (OPJ_SIZE_T) -1;
    memcpy(buffer, source->bytes + source->at, n);
    source->at += n;
    return n;
}

static OPJ_OFF_T
skip_source(OPJ_OFF_T n, void *user_data)
{
    Source *source = user_data;

    if (n < 0)
        return -1;
    gsize step = MIN((gsize) n, source->n_bytes - source->at);
    source->at += step;
    return (OPJ_OFF_T) step;
}

static OPJ_BOOL
seek_source(OPJ_OFF_T to, void *user_data)
{
    Source *source = user_data;

    if (to < 0 || (gsize) to > source->n_bytes)
        return OPJ_FALSE;
    source->at = (gsize) to;
    return OPJ_TRUE;
}

static void
ignore_message(const char *message, void *user_data)
{
}

static gboolean
fits(const opj_image_t *image, const BgCodedFrame *frame)
{
    if (image->numcomps < (OPJ_UINT32) frame->n_components)
        return FALSE;
    for (int c = 0; c < frame->n_components; c++) {
        const opj_image_comp_t *comp = &image->comps[c];
        if (comp->w != (OPJ_UINT32) frame->width || comp->h != (OPJ_UINT32) frame->height ||
            comp->dx != 1 || comp->dy != 1 || comp->prec > 32)
            return FALSE;
    }
    return TRUE;
}

static void
copy_samples(const opj_image_t *image, const BgCodedFrame *frame, guint8 *out)
{
    gsize n = (gsize) frame->width * (gsize) frame->height, c = (gsize) frame->n_components;

    for (gsize k = 0; k < c; k++) {
        const OPJ_INT32 *data = image->comps[k].data;
        if (frame->sample_bytes == 1) {
            for (gsize i = 0; i < n; i++)
                out[i * c + k] = (guint8) data[i];
        } else if (frame->sample_bytes == 2) {
            guint16 *to = (guint16 *) (gpointer) out;
            for (gsize i = 0; i < n; i++)
                to[i * c + k] = (guint16) data[i];
        } else {
            guint32 *to = (guint32 *) (gpointer) out;
            for (gsize i = 0; i < n; i++)
                to[i * c + k] = (guint32) data[i];
        }
    }
}

static gboolean
has_samples(const opj_image_t *image, int n)
{
    for (int c = 0; c < n; c++) {
        if (image->comps[c].data == NULL)
            return FALSE;
    }
    return TRUE;
}

static guint32
get_word(const guint8 *at)
{
    return (guint32) at[0] << 24 | (guint32) at[1] << 16 | (guint32) at[2] << 8 | at[3];
}

// The library sets several KiB aside for each tile that the header (SIZ) promises; a tile takes at least
// 14 bytes of the data (SOT and SOD).
static gboolean
has_possible_tiles(const BgCodedFrame *frame)
{
    static const guint8 mark[4] = { 0xFF, 0x4F, 0xFF, 0x51 }; // SOC, SIZ
    const guint8 *at = memmem(frame->bytes, frame->n_bytes, mark, sizeof mark);
    guint64 n_tiles = 1;

    if (at == NULL || frame->n_bytes - (gsize) (at - frame->bytes) < 40)
        return FALSE;
    for (int a = 0; a < 2; a++) {
        const guint8 *size = at + 8 + 4 * a;
        guint32 end = get_word(size), tile = get_word(size + 16), origin = get_word(size + 24);
        if (tile == 0 || end <= origin)
            return FALSE;
        n_tiles *= ((guint64) end - origin + tile - 1) / tile;
    }
    return n_tiles <= frame->n_bytes / 14;
}

static gboolean
decode(opj_codec_t *codec, opj_stream_t *stream, const BgCodedFrame *frame, guint8 *out,
       BgDecodedFrame *decoded, GError **error)
{
    opj_dparameters_t parameters;
    opj_image_t *image = NULL;
    gboolean ok = FALSE;

    opj_set_default_decoder_parameters(&parameters);
    opj_set_info_handler(codec, ignore_message, NULL);
    opj_set_warning_handler(codec, ignore_message, NULL);
    opj_set_error_handler(codec, ignore_message, NULL);
    // The size is compared before anything of that size is allocated.
    if (!has_possible_tiles(frame) || !opj_setup_decoder(codec, &parameters) ||
        !opj_read_header(stream, codec, &image)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the JPEG 2000 picture's header is damaged"));
    } else if (!fits(image, frame)) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("the JPEG 2000 picture's size or number of components is not the %dx%d of %d "
                      "that the file names"),
                    frame->width, frame->height, frame->n_components);
    } else {
        opj_codestream_info_v2_t *info = opj_get_cstr_info(codec);
        decoded->is_rgb =
            info != NULL && info->m_default_tile_info.mct == 1 && frame->n_components == 3;
        opj_destroy_cstr_info(&info);
        ok = opj_decode(codec, stream, image) && has_samples(image, frame->n_components) &&
             fits(image, frame);
        if (!ok)
            g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                                _("the JPEG 2000 picture is cut short or damaged"));
    }
    if (ok) {
        decoded->precision = (int) image->comps[0].prec;
        decoded->is_signed = image->comps[0].sgnd != 0;
        copy_samples(image, frame, out);
    }
    opj_image_destroy(image);
    return ok;
}

gboolean
bg_decode_jpeg_2000(const BgCodedFrame *frame, guint8 *out, BgDecodedFrame *decoded, GError **error)
{
    Source source = { frame->bytes, frame->n_bytes, 0 };
    gboolean boxed = frame->n_bytes > 12 && memcmp(frame->bytes, JP2_BOX, 8) == 0;
    opj_codec_t *codec = opj_create_decompress(boxed ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K);
    opj_stream_t *stream = opj_stream_create(MIN(frame->n_bytes + 1, (gsize) 1 << 20), OPJ_TRUE);
    gboolean ok = FALSE;

    *decoded = (BgDecodedFrame){ 0 };
    if (codec != NULL && stream != NULL) {
        opj_stream_set_user_data(stream, &source, NULL);
        opj_stream_set_user_data_length(stream, frame->n_bytes);
        opj_stream_set_read_function(stream, read_source);
        opj_stream_set_skip_function(stream, skip_source);
        opj_stream_set_seek_function(stream, seek_source);
        ok = decode(codec, stream, frame, out, decoded, error);
    } else {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                            _("there is no memory for a JPEG 2000 decoder"));
    }
    if (stream != NULL)
        opj_stream_destroy(stream);
    if (codec != NULL)
        opj_destroy_codec(codec);
    return ok;
}
