// SPDX-License-Identifier: Apache-2.0
#include "bg-dicom-codecs.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#define MEMORY_LIMIT (512L << 20) // of a progressive picture's coefficients

typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf escape;
    char message[JMSG_LENGTH_MAX];
} ErrorManager;

static void
on_error(j_common_ptr info)
{
    ErrorManager *manager = (ErrorManager *) info->err;

    info->err->format_message(info, manager->message);
    longjmp(manager->escape, 1);
}

static void
on_message(j_common_ptr info, int level)
{
}

// What the frame header says: its marker (0xc0...), precision, size and components.
typedef struct {
    int marker, precision, width, height, n_components;
    int id[4];
    gboolean subsampled;
    gboolean has_jfif;
    int adobe_transform; // -1 without the marker
} Header;

static gboolean
is_frame_marker(int marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

static gboolean
read_frame_header(const guint8 *p, gsize length, int marker, Header *header)
{
    if (length < 8)
        return FALSE;
    header->marker = marker;
    header->precision = p[2];
    header->height = p[3] << 8 | p[4];
    header->width = p[5] << 8 | p[6];
    header->n_components = p[7];
    if (header->n_components < 1 || header->n_components > 4 ||
        length < 8 + 3 * (gsize) header->n_components)
        return FALSE;
    for (int c = 0; c < header->n_components; c++) {
        header->id[c] = p[8 + 3 * c];
        header->subsampled |= p[9 + 3 * c] != p[9];
    }
    return TRUE;
}

static gboolean
read_header(const guint8 *bytes, gsize n_bytes, Header *header)
{
    gsize at = 2;

    *header = (Header){ .adobe_transform = -1 };
    if (n_bytes < 4 || bytes[0] != 0xff || bytes[1] != 0xd8)
        return FALSE;
    while (at + 4 <= n_bytes) {
        if (bytes[at] != 0xff) {
            at++;
            continue;
        }
        int marker = bytes[at + 1];
        if (marker == 0xff || marker == 0 || (marker >= 0xd0 && marker <= 0xd8) || marker == 1) {
            at += marker == 0xff ? 1 : 2;
            continue;
        }
        gsize length = (gsize) bytes[at + 2] << 8 | bytes[at + 3];
        if (length < 2 || length > n_bytes - at - 2)
            return FALSE;
        const guint8 *p = bytes + at + 2; // length, then the segment
        if (is_frame_marker(marker))
            return read_frame_header(p, length, marker, header);
        if (marker == 0xda || marker == 0xd9)
            return FALSE;
        if (marker == 0xe0 && length >= 7 && memcmp(p + 2, "JFIF", 4) == 0)
            header->has_jfif = TRUE;
        if (marker == 0xee && length >= 14 && memcmp(p + 2, "Adobe", 5) == 0)
            header->adobe_transform = p[13];
        at += 2 + length;
    }
    return FALSE;
}

// Whether three components are YCbCr. The picture's own word counts most; what the file calls them
// counts where it says nothing (DICOM pictures need no marker).
static gboolean
is_ycbcr(const Header *header, gboolean file_says_ybr)
{
    if (header->n_components != 3)
        return FALSE;
    if (header->adobe_transform >= 0)
        return header->adobe_transform != 0;
    if (header->has_jfif || header->subsampled)
        return TRUE;
    if (header->id[0] == 'R' && header->id[1] == 'G' && header->id[2] == 'B')
        return FALSE;
    return file_says_ybr;
}

static void
read_rows(struct jpeg_decompress_struct *info, const BgCodedFrame *frame, guint8 *row, guint8 *out)
{
    gsize n = (gsize) frame->width * (gsize) frame->n_components;

    while (info->output_scanline < info->output_height) {
        guint8 *target = frame->sample_bytes == 1 ? out + n * info->output_scanline : row;
        guint16 *wide = (guint16 *) (gpointer) out + n * info->output_scanline;
        if (jpeg_read_scanlines(info, &target, 1) != 1)
            return;
        for (gsize i = 0; frame->sample_bytes == 2 && i < n; i++)
            wide[i] = row[i];
    }
}

static gboolean
decode_8(const BgCodedFrame *frame, const Header *header, guint8 *out, BgDecodedFrame *decoded,
         GError **error)
{
    struct jpeg_decompress_struct info;
    ErrorManager manager;
    g_autofree guint8 *row = g_malloc((gsize) frame->width * (gsize) frame->n_components);
    gboolean ycbcr = is_ycbcr(header, frame->ybr);

    info.err = jpeg_std_error(&manager.base);
    manager.base.error_exit = on_error;
    manager.base.emit_message = on_message;
    if (setjmp(manager.escape) != 0) {
        jpeg_destroy_decompress(&info);
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT, _("the JPEG picture is damaged: %s"),
                    manager.message);
        return FALSE;
    }
    jpeg_create_decompress(&info);
    info.mem->max_memory_to_use = MEMORY_LIMIT;
    jpeg_mem_src(&info, frame->bytes, (unsigned long) frame->n_bytes);
    jpeg_read_header(&info, TRUE);
    if (frame->n_components == 3) {
        info.jpeg_color_space = ycbcr ? JCS_YCbCr : JCS_RGB;
        info.out_color_space = JCS_RGB;
    } else {
        info.out_color_space = info.jpeg_color_space;
    }
    info.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&info);
    gboolean fits = info.output_width == (JDIMENSION) frame->width &&
                    info.output_height == (JDIMENSION) frame->height &&
                    info.output_components == frame->n_components;
    if (fits)
        read_rows(&info, frame, row, out);
    long n_warnings = info.err->num_warnings;
    jpeg_destroy_decompress(&info);
    if (!fits || n_warnings > 0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the JPEG picture is cut short or damaged"));
        return FALSE;
    }
    *decoded = (BgDecodedFrame){ .is_rgb = ycbcr, .precision = 8 };
    return TRUE;
}

static gboolean
decode_12(const BgCodedFrame *frame, const Header *header, guint8 *out, BgDecodedFrame *decoded,
          GError **error)
{
    gsize n_out = (gsize) frame->width * (gsize) frame->height * (gsize) frame->n_components * 2;
    gboolean ycbcr = is_ycbcr(header, frame->ybr);
    char message[256] = "";

    if (frame->sample_bytes != 2 ||
        !bg_decode_jpeg_12(frame->bytes, frame->n_bytes, out, n_out, ycbcr, message)) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT, _("the JPEG picture is damaged: %s"),
                    message);
        return FALSE;
    }
    *decoded = (BgDecodedFrame){ .is_rgb = ycbcr, .precision = 12 };
    return TRUE;
}

gboolean
bg_decode_jpeg(const BgCodedFrame *frame, guint8 *out, BgDecodedFrame *decoded, GError **error)
{
    Header header;

    if (!read_header(frame->bytes, frame->n_bytes, &header)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the JPEG picture's header is damaged"));
        return FALSE;
    }
    if (header.width != frame->width || header.height != frame->height ||
        header.n_components != frame->n_components || header.precision > 8 * frame->sample_bytes ||
        frame->sample_bytes > 2) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("the JPEG picture has %dx%d pixels of %d components with %d bits, not the "
                      "%dx%d of %d that the file names"),
                    header.width, header.height, header.n_components, header.precision,
                    frame->width, frame->height, frame->n_components);
        return FALSE;
    }
    if (header.marker == 0xc3)
        return bg_decode_jpeg_lossless(frame, out, decoded, error);
    if (header.marker > 0xc2) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("JPEG pictures of process SOF%d are not read"), header.marker - 0xc0);
        return FALSE;
    }
    if (header.precision == 8)
        return decode_8(frame, &header, out, decoded, error);
    if (header.precision == 12)
        return decode_12(frame, &header, out, decoded, error);
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT, _("JPEG pictures of %d bits are none"),
                header.precision);
    return FALSE;
}
