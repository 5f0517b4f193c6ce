// SPDX-License-Identifier: Apache-2.0
#include "bg-dicom-pixels.h"

#include "bg-dicom-codecs.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ITEM_BYTES 8
#define ITEM_TAG 0xe000fffeu         // as read in little endian order
#define SEQUENCE_END_TAG 0xe0ddfffeu // alike
#define MAX_FRAGMENTS 4000000
#define MAX_FRAME_BYTES (2048u << 20)

typedef struct {
    guint64 offset;
    guint32 length;
} Fragment;

struct _BgDcmReader {
    const BgDcmImage *image; // borrowed
    int fd;                  // -1 while data is open
    BgDcmData *data;         // nullable
    GMutex lock;             // of data and of the two below
    GArray *fragments;       // Fragment; nullable
    GArray *first_fragment;  // guint, n_frames + 1
};

gsize
bg_dcm_frame_bytes(const BgDcmPixels *p)
{
    return (gsize) p->rows * (gsize) p->columns * (gsize) p->n_samples *
           (gsize) MAX(p->bits_allocated / 8, 1);
}

BgDcmReader *
bg_dcm_reader_new(const BgDcmImage *image, GError **error)
{
    g_autoptr(BgDcmReader) reader = g_new0(BgDcmReader, 1);

    reader->image = image;
    reader->fd = -1;
    g_mutex_init(&reader->lock);
    if (image->syntax.deflated) {
        if (bg_dcm_reader_get_data(reader, error) == NULL)
            return NULL;
        return g_steal_pointer(&reader);
    }
    reader->fd = open(image->path, O_RDONLY | O_CLOEXEC);
    if (reader->fd < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: %s", image->path,
                    g_strerror(errno));
        return NULL;
    }
    return g_steal_pointer(&reader);
}

void
bg_dcm_reader_free(BgDcmReader *reader)
{
    if (reader == NULL)
        return;
    if (reader->fd >= 0)
        close(reader->fd);
    g_clear_pointer(&reader->data, bg_dcm_data_free);
    g_clear_pointer(&reader->fragments, g_array_unref);
    g_clear_pointer(&reader->first_fragment, g_array_unref);
    g_mutex_clear(&reader->lock);
    g_free(reader);
}

const BgDcmData *
bg_dcm_reader_get_data(BgDcmReader *reader, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&reader->lock);

    if (reader->data == NULL)
        reader->data = bg_dcm_data_open(reader->image->path, error);
    return reader->data;
}

static gboolean
read_at(BgDcmReader *reader, guint64 offset, gpointer buffer, gsize n_bytes, GError **error)
{
    gsize done = 0;

    if (reader->image->syntax.deflated)
        return bg_dcm_data_read(reader->data, offset, buffer, n_bytes, error);
    while (done < n_bytes) {
        ssize_t n =
            pread(reader->fd, (guint8 *) buffer + done, n_bytes - done, (off_t) (offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s", g_strerror(errno));
            return FALSE;
        }
        if (n == 0) {
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("the pixels are cut short: they should reach to byte %" G_GUINT64_FORMAT),
                        offset + n_bytes);
            return FALSE;
        }
        done += (gsize) n;
    }
    return TRUE;
}

static guint32
get32le(const guint8 *p)
{
    return (guint32) p[0] | (guint32) p[1] << 8 | (guint32) p[2] << 16 | (guint32) p[3] << 24;
}

// All fragments behind the offset table. A sequence without its end is taken up to the file's end.
static gboolean
list_fragments(BgDcmReader *reader, GArray *fragments, GArray *table, GError **error)
{
    const BgDcmImage *image = reader->image;
    guint64 at = image->pixel_offset, end = image->file_size;
    gboolean first = TRUE;

    while (at + ITEM_BYTES <= end && fragments->len < MAX_FRAGMENTS) {
        guint8 header[ITEM_BYTES];
        if (!read_at(reader, at, header, sizeof header, error))
            return FALSE;
        guint32 tag = get32le(header), length = get32le(header + 4);
        at += ITEM_BYTES;
        if (tag == SEQUENCE_END_TAG)
            break;
        if (tag != ITEM_TAG || length == BG_DCM_UNDEFINED_LENGTH || length > end - at) {
            if (fragments->len > 0 && tag == ITEM_TAG && length > end - at) {
                Fragment rest = { at, (guint32) MIN(end - at, G_MAXUINT32 - 1) };
                g_array_append_val(fragments, rest); // its codec says whether it is enough
            }
            break;
        }
        if (first && length % 4 == 0 && length <= 4 * (guint64) image->pixels.n_frames) {
            g_array_set_size(table, length / 4);
            if (length > 0 && !read_at(reader, at, table->data, length, error))
                return FALSE;
        } else if (!first) {
            Fragment fragment = { at, length };
            g_array_append_val(fragments, fragment);
        }
        first = FALSE;
        at += length;
    }
    if (fragments->len == 0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the compressed pixels have no fragments"));
        return FALSE;
    }
    return TRUE;
}

// Whether a fragment begins a picture: SOI of JPEG and JPEG-LS, SOC or a box of JPEG 2000.
static gboolean
begins_picture(BgDcmReader *reader, const Fragment *fragment)
{
    guint8 start[4] = { 0 };

    if (fragment->length < 4 || !read_at(reader, fragment->offset, start, 4, NULL))
        return FALSE;
    return (start[0] == 0xff && (start[1] == 0xd8 || start[1] == 0x4f)) ||
           get32le(start) == 0x0c000000u;
}

// Which fragments make which frame: one each, or by the offset table, or by how pictures begin.
static gboolean
assign_fragments(BgDcmReader *reader, const GArray *fragments, const GArray *table, GArray *first,
                 GError **error)
{
    guint32 n_frames = reader->image->pixels.n_frames;
    guint64 base = g_array_index(fragments, Fragment, 0).offset;

    if (n_frames == 1 || fragments->len == n_frames) {
        for (guint f = 0; f < n_frames; f++)
            g_array_append_val(first, f);
    } else if (table->len == n_frames) {
        guint at = 0;
        for (guint f = 0; f < n_frames; f++) {
            guint64 wanted = base + GUINT32_FROM_LE(g_array_index(table, guint32, f));
            while (at < fragments->len && g_array_index(fragments, Fragment, at).offset < wanted)
                at++;
            g_array_append_val(first, at);
        }
    } else {
        for (guint i = 0; i < fragments->len && first->len < n_frames; i++) {
            if (begins_picture(reader, &g_array_index(fragments, Fragment, i)))
                g_array_append_val(first, i);
        }
    }
    if (first->len < n_frames) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("%u compressed pictures are there, and the file names %u"), first->len,
                    n_frames);
        return FALSE;
    }
    guint end = fragments->len;
    g_array_append_val(first, end);
    return TRUE;
}

static gboolean
find_fragments(BgDcmReader *reader, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&reader->lock);

    if (reader->fragments != NULL)
        return TRUE;
    g_autoptr(GArray) fragments = g_array_new(FALSE, FALSE, sizeof(Fragment));
    g_autoptr(GArray) table = g_array_new(FALSE, TRUE, sizeof(guint32));
    g_autoptr(GArray) first = g_array_new(FALSE, FALSE, sizeof(guint));
    if (!list_fragments(reader, fragments, table, error) ||
        !assign_fragments(reader, fragments, table, first, error))
        return FALSE;
    reader->fragments = g_steal_pointer(&fragments);
    reader->first_fragment = g_steal_pointer(&first);
    return TRUE;
}

// The compressed bytes of a frame, joined.
static guint8 *
read_fragments(BgDcmReader *reader, guint32 frame, gsize *n_bytes, GError **error)
{
    guint first = g_array_index(reader->first_fragment, guint, frame);
    guint last = g_array_index(reader->first_fragment, guint, frame + 1);
    guint64 total = 0;

    for (guint i = first; i < last; i++)
        total += g_array_index(reader->fragments, Fragment, i).length;
    if (total == 0 || total > MAX_FRAME_BYTES) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("frame %u has %" G_GUINT64_FORMAT " compressed bytes"), frame + 1, total);
        return NULL;
    }
    guint8 *bytes = bg_buffer_alloc((gsize) total, error);
    gsize done = 0;
    for (guint i = first; bytes != NULL && i < last; i++) {
        const Fragment *fragment = &g_array_index(reader->fragments, Fragment, i);
        if (!read_at(reader, fragment->offset, bytes + done, fragment->length, error)) {
            bg_buffer_free(bytes);
            return NULL;
        }
        done += fragment->length;
    }
    *n_bytes = done;
    return bytes;
}

static gboolean
read_coded(BgDcmReader *reader, guint32 frame, guint8 *out, gboolean *is_rgb, GError **error)
{
    static const BgFrameDecoder decoders[] = {
        [BG_DCM_CODING_RLE] = bg_decode_rle,
        [BG_DCM_CODING_JPEG] = bg_decode_jpeg,
        [BG_DCM_CODING_JPEG_LS] = bg_decode_jpeg_ls,
        [BG_DCM_CODING_JPEG_2000] = bg_decode_jpeg_2000,
    };
    const BgDcmPixels *p = &reader->image->pixels;
    BgDecodedFrame decoded = { 0 };
    gsize n_bytes;

    if (!find_fragments(reader, error))
        return FALSE;
    bg_auto_buffer guint8 *bytes = read_fragments(reader, frame, &n_bytes, error);
    if (bytes == NULL)
        return FALSE;
    BgCodedFrame coded = { .bytes = bytes,
                           .n_bytes = n_bytes,
                           .width = p->columns,
                           .height = p->rows,
                           .n_components = p->n_samples,
                           .sample_bytes = MAX(p->bits_allocated / 8, 1),
                           .ybr = p->photometric >= BG_DCM_YBR_FULL &&
                                  p->photometric <= BG_DCM_YBR_PARTIAL_422 };
    if (!decoders[reader->image->syntax.coding](&coded, out, &decoded, error))
        return FALSE;
    *is_rgb = decoded.is_rgb;
    return TRUE;
}

// One bit a pixel, the first in the lowest bit; frames follow each other without padding.
static gboolean
read_bits(BgDcmReader *reader, guint32 frame, guint8 *out, GError **error)
{
    const BgDcmImage *image = reader->image;
    gsize n = bg_dcm_frame_bytes(&image->pixels);
    guint64 first_bit = (guint64) n * frame;
    gsize skip = (gsize) (first_bit % 8), n_bytes = (n + skip + 7) / 8;
    bg_auto_buffer guint8 *packed = bg_buffer_alloc(n_bytes, error);

    if (packed == NULL ||
        !read_at(reader, image->pixel_offset + first_bit / 8, packed, n_bytes, error))
        return FALSE;
    for (gsize i = 0; i < n; i++)
        out[i] = packed[(i + skip) / 8] >> ((i + skip) % 8) & 1;
    return TRUE;
}

static void
swap_bytes(guint8 *bytes, gsize n_bytes, int size)
{
    if (size == 2) {
        guint16 *p = (guint16 *) (gpointer) bytes;
        for (gsize i = 0; i < n_bytes / 2; i++)
            p[i] = GUINT16_SWAP_LE_BE(p[i]);
    } else if (size == 4) {
        guint32 *p = (guint32 *) (gpointer) bytes;
        for (gsize i = 0; i < n_bytes / 4; i++)
            p[i] = GUINT32_SWAP_LE_BE(p[i]);
    } else if (size == 8) {
        guint64 *p = (guint64 *) (gpointer) bytes;
        for (gsize i = 0; i < n_bytes / 8; i++)
            p[i] = GUINT64_SWAP_LE_BE(p[i]);
    }
}

// 8-bit samples in words of a big endian file (PS3.5 annex D, OW): the bytes of each are turned.
static gboolean
read_eight_in_words(BgDcmReader *reader, guint64 offset, guint8 *out, gsize n, GError **error)
{
    guint64 start = reader->image->pixel_offset;
    guint64 first = start + ((offset - start) & ~(guint64) 1);
    gsize lead = (gsize) (offset - first), n_words = (n + lead + 1) / 2;
    guint64 left = reader->image->file_size - first;
    gsize wanted = (gsize) MIN((guint64) n_words * 2, left);
    bg_auto_buffer guint8 *words = bg_buffer_alloc(n_words * 2, error);

    if (words == NULL || !read_at(reader, first, words, wanted, error))
        return FALSE;
    for (gsize i = 0; i < n; i++)
        out[i] = words[MIN((i + lead) ^ 1, n_words * 2 - 1)];
    return TRUE;
}

// YBR_FULL_422 without compression: Y1 Y2 Cb Cr for two pixels (PS3.3 C.7.6.3.1.2).
static gboolean
read_422(BgDcmReader *reader, guint32 frame, guint8 *out, GError **error)
{
    const BgDcmImage *image = reader->image;
    gsize n = (gsize) image->pixels.rows * (gsize) image->pixels.columns;
    gsize n_packed = (n + 1) / 2 * 4;
    bg_auto_buffer guint8 *packed = bg_buffer_alloc(n_packed, error);

    if (packed == NULL ||
        !read_at(reader, image->pixel_offset + (guint64) n_packed * frame, packed, n_packed, error))
        return FALSE;
    for (gsize i = 0; i < n; i++) {
        const guint8 *pair = packed + i / 2 * 4;
        out[3 * i] = pair[i % 2];
        out[3 * i + 1] = pair[2];
        out[3 * i + 2] = pair[3];
    }
    return TRUE;
}

static gboolean
is_native_422(const BgDcmImage *image)
{
    const BgDcmPixels *p = &image->pixels;

    return p->n_samples == 3 && p->bits_allocated == 8 &&
           (p->photometric == BG_DCM_YBR_422 || p->photometric == BG_DCM_YBR_PARTIAL_422);
}

static gboolean
read_native(BgDcmReader *reader, guint32 frame, guint8 *out, GError **error)
{
    const BgDcmImage *image = reader->image;
    const BgDcmPixels *p = &image->pixels;
    gsize n = bg_dcm_frame_bytes(p);
    guint64 offset = image->pixel_offset + (guint64) n * frame;
    gboolean big = image->syntax.big_endian_pixels;

    if (p->bits_allocated == 1)
        return read_bits(reader, frame, out, error);
    if (is_native_422(image))
        return read_422(reader, frame, out, error);
    if (p->bits_allocated == 8 && big && image->pixel_is_words)
        return read_eight_in_words(reader, offset, out, n, error);
    if (!read_at(reader, offset, out, n, error))
        return FALSE;
    if (big != (G_BYTE_ORDER == G_BIG_ENDIAN))
        swap_bytes(out, n, p->bits_allocated / 8);
    return TRUE;
}

// Planes to interleaved samples.
static gboolean
interleave(const BgDcmPixels *p, guint8 *out, GError **error)
{
    gsize n = (gsize) p->rows * (gsize) p->columns, size = (gsize) p->bits_allocated / 8;
    gsize c = (gsize) p->n_samples, n_bytes = n * c * size;
    bg_auto_buffer guint8 *planes = bg_buffer_alloc(n_bytes, error);

    if (planes == NULL)
        return FALSE;
    memcpy(planes, out, n_bytes);
    for (gsize k = 0; k < c; k++) {
        for (gsize i = 0; i < n; i++)
            memcpy(out + (i * c + k) * size, planes + (k * n + i) * size, size);
    }
    return TRUE;
}

// Bits that are not the sample's (old overlays, garbage) are taken off; signed ones are extended.
static void
mask_bits(const BgDcmPixels *p, guint8 *out, gsize n_bytes)
{
    int low = p->high_bit + 1 - p->bits_stored, high = p->bits_allocated - 1 - p->high_bit;

    if (p->is_float || p->bits_allocated == 1 || (low == 0 && high == 0))
        return;
#define MASK(utype, stype, n)                                          \
    do {                                                               \
        utype *v = (utype *) (gpointer) out;                           \
        for (gsize i = 0; i < (n); i++) {                              \
            utype up = (utype) (v[i] << high);                         \
            v[i] = p->is_signed ? (utype) ((stype) up >> (low + high)) \
                                : (utype) (up >> (low + high));        \
        }                                                              \
    } while (0)
    if (p->bits_allocated == 8)
        MASK(guint8, gint8, n_bytes);
    else if (p->bits_allocated == 16)
        MASK(guint16, gint16, n_bytes / 2);
    else if (p->bits_allocated == 32)
        MASK(guint32, gint32, n_bytes / 4);
#undef MASK
}

gboolean
bg_dcm_read_frame(BgDcmReader *reader, guint32 frame, guint8 *out, gboolean *is_rgb, GError **error)
{
    const BgDcmImage *image = reader->image;
    const BgDcmPixels *p = &image->pixels;
    gboolean native = image->syntax.coding == BG_DCM_CODING_NATIVE;

    *is_rgb = FALSE;
    if (frame >= p->n_frames) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID, _("there is no frame %u"), frame + 1);
        return FALSE;
    }
    // A native file may hold its pixels in one fragment: seen, and harmless to read.
    gboolean ok = native ? read_native(reader, frame, out, error)
                         : read_coded(reader, frame, out, is_rgb, error);
    if (!ok) {
        g_prefix_error(error, "%s: ", image->path);
        return FALSE;
    }
    if (native && p->planar && p->n_samples > 1 && !is_native_422(image) &&
        !interleave(p, out, error))
        return FALSE;
    mask_bits(p, out, bg_dcm_frame_bytes(p));
    return TRUE;
}

static guint8
clamp8(int value)
{
    return (guint8) CLAMP(value, 0, 255);
}

// PS3.3 C.7.6.3.1.2 (ITU-R BT.601, full range), in 16-bit fixed point.
static void
full_to_rgb(guint8 *p, gsize n)
{
    for (gsize i = 0; i < n; i++, p += 3) {
        int y = (int) p[0] << 16, cb = (int) p[1] - 128, cr = (int) p[2] - 128;
        p[0] = clamp8((y + 91881 * cr + 32768) >> 16);
        p[1] = clamp8((y - 22554 * cb - 46802 * cr + 32768) >> 16);
        p[2] = clamp8((y + 116130 * cb + 32768) >> 16);
    }
}

// The same with black at 16 and white at 235.
static void
partial_to_rgb(guint8 *p, gsize n)
{
    for (gsize i = 0; i < n; i++, p += 3) {
        int y = ((int) p[0] - 16) * 76309, cb = (int) p[1] - 128, cr = (int) p[2] - 128;
        p[0] = clamp8((y + 104597 * cr + 32768) >> 16);
        p[1] = clamp8((y - 25675 * cb - 53279 * cr + 32768) >> 16);
        p[2] = clamp8((y + 132201 * cb + 32768) >> 16);
    }
}

void
bg_dcm_to_rgb(BgDcmPhotometric photometric, int bits, guint8 *samples, gsize n_pixels)
{
    if (bits != 8)
        return; // YBR has 8 bits
    if (photometric == BG_DCM_YBR_FULL || photometric == BG_DCM_YBR_422)
        full_to_rgb(samples, n_pixels);
    else if (photometric == BG_DCM_YBR_PARTIAL_422)
        partial_to_rgb(samples, n_pixels);
}
