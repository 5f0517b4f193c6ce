// SPDX-License-Identifier: Apache-2.0
// BMP of Windows and OS/2: headers of "Bitmap Storage" (learn.microsoft.com), 1 to 32 bits, packed
// by RLE or not. An own reader: gdk-pixbuf would bring more code than these pages.
#include "bg-io-bytes.h"
#include "bg-io-raw.h"
#include "bg-picture.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#define FILE_HEADER 14
#define MAX_HEADER 124
#define RLE_BEST 255u // pixels that a byte pair can stand for

typedef struct {
    BgImageFormat format;
    gboolean from_top;
    int bits, packing; // 0 none, 1 RLE8, 2 RLE4, 3 masks
    guint32 masks[4];
    guint32 first_byte;
    int n_colours;
    guint8 colours[256][3];
} Bmp;

static gboolean
bmp_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    guint32 header = n_bytes >= 18 ? bg_bytes_get32(bytes + 14, FALSE) : 0;

    return !gzipped && n_bytes >= 18 && bytes[0] == 'B' && bytes[1] == 'M' &&
           (header == 12 || header == 16 || header == 40 || header == 52 || header == 56 ||
            header == 64 || header == 108 || header == MAX_HEADER);
}

static gboolean
set_bad(const char *field, guint value, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("the header's field “%s” is %u, which makes no sense there. Get the file again"),
                field, value);
    return FALSE;
}

static gboolean
read_colours(BgSource *source, Bmp *bmp, gboolean old, guint32 n_given, GError **error)
{
    guint8 entry[4];
    gsize size = old ? 3 : 4;

    bmp->n_colours = bmp->bits <= 8 ? 1 << bmp->bits : 0;
    if (n_given > 0 && n_given < (guint32) bmp->n_colours)
        bmp->n_colours = (int) n_given;
    bmp->format.n_channels = bmp->bits <= 8 ? 1 : 3;
    for (int i = 0; i < bmp->n_colours; i++) {
        if (!bg_source_read(source, entry, size, error))
            return FALSE;
        for (int c = 0; c < 3; c++)
            bmp->colours[i][c] = entry[2 - c];
        if (entry[0] != entry[1] || entry[1] != entry[2])
            bmp->format.n_channels = 3;
    }
    return TRUE;
}

static void
choose_masks(Bmp *bmp, const guint8 *header, guint32 size)
{
    static const guint32 masks16[] = { 0x7c00, 0x03e0, 0x001f, 0 };
    static const guint32 masks32[] = { 0xff0000, 0x00ff00, 0x0000ff, 0 };

    memcpy(bmp->masks, bmp->bits == 16 ? masks16 : masks32, sizeof bmp->masks);
    if (bmp->packing != 3)
        return;
    for (int c = 0; c < 3; c++)
        bmp->masks[c] = bg_bytes_get32(header + 40 + 4 * c, FALSE);
    if (size >= 56)
        bmp->masks[3] = bg_bytes_get32(header + 52, FALSE);
}

static gboolean
check_layout(const Bmp *bmp, GError **error)
{
    static const int good_bits[][2] = { { 1, 0 },  { 4, 0 },  { 4, 2 },  { 8, 0 },  { 8, 1 },
                                        { 16, 0 }, { 16, 3 }, { 24, 0 }, { 32, 0 }, { 32, 3 } };

    for (gsize i = 0; i < G_N_ELEMENTS(good_bits); i++) {
        if (bmp->bits == good_bits[i][0] && bmp->packing == good_bits[i][1])
            return TRUE;
    }
    return set_bad("compression", (guint) bmp->packing, error);
}

static gboolean
read_header(BgSource *source, Bmp *bmp, GError **error)
{
    guint8 file[FILE_HEADER + 4], header[MAX_HEADER] = { 0 };

    *bmp = (Bmp){ 0 };
    if (!bg_source_read(source, file, sizeof file, error))
        return FALSE;
    guint32 size = bg_bytes_get32(file + 14, FALSE);
    if (size < 12 || size > MAX_HEADER)
        return set_bad("header size", size, error);
    if (!bg_source_read(source, header + 4, size - 4, error))
        return FALSE;
    gboolean old = size == 12;
    gint32 width = old ? bg_bytes_get16(header + 4, FALSE) : (gint32) bg_bytes_get32(header + 4, 0);
    gint32 height =
        old ? (gint16) bg_bytes_get16(header + 6, FALSE) : (gint32) bg_bytes_get32(header + 8, 0);
    bmp->bits = bg_bytes_get16(header + (old ? 10 : 14), FALSE);
    bmp->packing = size >= 40 ? (int) bg_bytes_get32(header + 16, FALSE) : 0;
    bmp->packing = bmp->packing == 6 ? 3 : bmp->packing; // with alpha
    bmp->from_top = height < 0;
    bmp->first_byte = bg_bytes_get32(file + 10, FALSE);
    bmp->format.width = width;
    bmp->format.height = height == G_MININT32 ? 0 : ABS(height);
    if (!check_layout(bmp, error))
        return FALSE;
    if (bmp->packing == 3 && size == 40 && !bg_source_read(source, header + 40, 12, error))
        return FALSE;
    choose_masks(bmp, header, size);
    if (!read_colours(source, bmp, old, size >= 40 ? bg_bytes_get32(header + 32, FALSE) : 0, error))
        return FALSE;
    if (bmp->bits > 8)
        bmp->format.n_channels = bmp->masks[3] != 0 ? 4 : 3;

    guint64 there = bg_source_get_limit(source);
    guint64 possible = bmp->packing == 1 || bmp->packing == 2 ? there * RLE_BEST : there * 8;
    return bg_picture_check_size(&bmp->format, possible * (guint64) bmp->format.n_channels, error);
}

static guint8
take_bits(guint32 pixel, guint32 mask)
{
    if (mask == 0)
        return 255;
    int shift = __builtin_ctz(mask);
    guint64 most = mask >> shift;

    return (guint8) (((guint64) ((pixel & mask) >> shift) * 255 + most / 2) / most);
}

static void
put_colour(const Bmp *bmp, int index, guint8 *to)
{
    static const guint8 black[3] = { 0 };
    const guint8 *colour = index < bmp->n_colours ? bmp->colours[index] : black;

    memcpy(to, colour, (gsize) bmp->format.n_channels);
}

static void
unpack_row(const Bmp *bmp, const guint8 *row, guint8 *to)
{
    int n = bmp->format.n_channels;

    for (int u = 0; u < bmp->format.width; u++, to += n) {
        if (bmp->bits <= 8) {
            int per_byte = 8 / bmp->bits, shift = 8 - bmp->bits * (u % per_byte + 1);
            put_colour(bmp, row[u / per_byte] >> shift & ((1 << bmp->bits) - 1), to);
        } else if (bmp->bits == 24) {
            for (int c = 0; c < 3; c++)
                to[c] = row[3 * u + 2 - c];
        } else {
            guint32 pixel = bmp->bits == 16 ? bg_bytes_get16(row + 2 * u, FALSE)
                                            : bg_bytes_get32(row + 4 * u, FALSE);
            for (int c = 0; c < n; c++)
                to[c] = take_bits(pixel, bmp->masks[c]);
        }
    }
}

static guint8 *
find_pixel(const Bmp *bmp, guint8 *pixels, int u, int v)
{
    int row = bmp->from_top ? v : bmp->format.height - 1 - v;

    return pixels +
           ((gsize) row * (gsize) bmp->format.width + (gsize) u) * (gsize) bmp->format.n_channels;
}

static gboolean
read_rows(BgSource *source, const Bmp *bmp, guint8 *pixels, GError **error)
{
    gsize n_row = (((gsize) bmp->format.width * (gsize) bmp->bits + 31) / 32) * 4;
    g_autofree guint8 *row = g_malloc(n_row);

    for (int v = 0; v < bmp->format.height; v++) {
        if (!bg_source_read(source, row, n_row, error))
            return FALSE;
        unpack_row(bmp, row, find_pixel(bmp, pixels, 0, v));
    }
    return TRUE;
}

// A run, or @n single pixels; what would lie outside of the picture is left out.
static gboolean
read_run(BgSource *source, const Bmp *bmp, guint8 *pixels, int n, gboolean same, int *u, int v,
         guint8 first, GError **error)
{
    int per_byte = bmp->packing == 1 ? 1 : 2;
    guint8 bytes[256] = { first };
    gsize n_bytes = (gsize) ((n + per_byte - 1) / per_byte);

    // Single pixels are padded to two bytes.
    if (!same && !bg_source_read(source, bytes, n_bytes + n_bytes % 2, error))
        return FALSE;
    for (int i = 0; i < n && v < bmp->format.height && *u < bmp->format.width; i++, (*u)++) {
        guint8 byte = same ? first : bytes[i / per_byte];
        int index = per_byte == 1 ? byte : i % 2 == 0 ? byte >> 4 : byte & 15;
        put_colour(bmp, index, find_pixel(bmp, pixels, *u, v));
    }
    return TRUE;
}

static gboolean
read_packed(BgSource *source, const Bmp *bmp, guint8 *pixels, GError **error)
{
    gsize n_bytes =
        (gsize) bmp->format.width * (gsize) bmp->format.height * (gsize) bmp->format.n_channels;
    guint8 pair[2], delta[2];
    int u = 0, v = 0;

    memset(pixels, 0, n_bytes);
    while (v < bmp->format.height) {
        if (!bg_source_read(source, pair, 2, error))
            return FALSE;
        if (pair[0] > 0) {
            if (!read_run(source, bmp, pixels, pair[0], TRUE, &u, v, pair[1], error))
                return FALSE;
        } else if (pair[1] == 0) {
            u = 0;
            v++;
        } else if (pair[1] == 1) {
            break;
        } else if (pair[1] == 2) {
            if (!bg_source_read(source, delta, 2, error))
                return FALSE;
            u = MIN(u + delta[0], bmp->format.width);
            v += delta[1];
        } else if (!read_run(source, bmp, pixels, pair[1], FALSE, &u, v, 0, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static BgSource *
open_and_parse(const char *path, Bmp *bmp, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);

    return source != NULL && read_header(source, bmp, error) ? g_steal_pointer(&source) : NULL;
}

static BgFileInfo *
bmp_probe(const char *path, GCancellable *cancellable, GError **error)
{
    Bmp bmp;
    g_autoptr(BgSource) source = open_and_parse(path, &bmp, cancellable, error);

    return source != NULL ? bg_picture_info_new(path, BG_FORMAT_BMP, &bmp.format) : NULL;
}

static BgLoaded *
bmp_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
         GCancellable *cancellable, GError **error)
{
    Bmp bmp;
    g_autoptr(BgSource) source = open_and_parse(path, &bmp, cancellable, error);

    if (source == NULL)
        return NULL;
    guint64 at = bg_source_get_position(source);
    if (bmp.first_byte > at && !bg_source_skip(source, bmp.first_byte - at, error))
        return NULL;
    bg_auto_buffer guint8 *pixels = bg_buffer_alloc_items(
        (gsize) bmp.format.width * (gsize) bmp.format.height, (gsize) bmp.format.n_channels, error);
    if (pixels == NULL ||
        !(bmp.packing == 1 || bmp.packing == 2 ? read_packed(source, &bmp, pixels, error)
                                               : read_rows(source, &bmp, pixels, error)))
        return NULL;
    g_autoptr(BgLoaded) loaded =
        bg_loaded_new(bg_picture_info_new(path, BG_FORMAT_BMP, &bmp.format));
    loaded->image = bg_image_new_take(&bmp.format, g_steal_pointer(&pixels), error);
    return loaded->image != NULL ? g_steal_pointer(&loaded) : NULL;
}

const BgReader bg_reader_bmp = { "BMP", bmp_sniff, bmp_probe, bmp_load };
