// SPDX-License-Identifier: Apache-2.0
// Netpbm's P1 to P6 ("PBM/PGM/PPM Format Specification", netpbm.sourceforge.net), and float pictures
// Pf and PF ("PFM", www.pauldebevec.com). Numbers are kept as they are stored.
#include "bg-io-private.h"
#include "bg-io-raw.h"
#include "bg-io-text.h"
#include "bg-picture.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_HEADER 65536 // with its comments

typedef struct {
    char kind; // '1'..'6', 'f', 'F'
    BgImageFormat format;
    int largest;
    double scale; // of a float picture: below 0 for little-endian
    guint64 first_byte;
} Pnm;

static gboolean
pnm_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    return !gzipped && n_bytes >= 3 && bytes[0] == 'P' && strchr("123456fF", bytes[1]) != NULL &&
           bytes[1] != '\0' && (g_ascii_isspace(bytes[2]) || bytes[2] == '#');
}

// The next word of the header; comments run from # to the end of the line.
static gboolean
next_word(BgSource *source, char *word, gsize room, GError **error)
{
    gsize n = 0;
    gboolean comment = FALSE;
    char c;

    for (;;) {
        gssize got = bg_source_read_some(source, &c, 1, error);
        if (got < 0)
            return FALSE;
        if (got == 0 || bg_source_get_position(source) > MAX_HEADER || n + 1 == room) {
            g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                                _("the header has no end, or a number in it is none. Get the file "
                                  "again"));
            return FALSE;
        }
        if (comment || c == '#') {
            comment = c != '\n' && c != '\r';
            if (!comment && n > 0)
                break;
        } else if (!g_ascii_isspace(c)) {
            word[n++] = c;
        } else if (n > 0) {
            break;
        }
    }
    word[n] = '\0';
    return TRUE;
}

static gboolean
next_number(BgSource *source, int low, int high, int *value, GError **error)
{
    char word[32];
    gint64 number;

    if (!next_word(source, word, sizeof word, error))
        return FALSE;
    if (!bg_io_parse_int(word, &number) || number < low || number > high) {
        g_autofree char *shown = bg_io_show(word);
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("the header has “%s” where a number from %d to %d must be. Get the file "
                      "again"),
                    shown, low, high);
        return FALSE;
    }
    *value = (int) number;
    return TRUE;
}

static gboolean
read_header(BgSource *source, Pnm *pnm, GError **error)
{
    char mark[2], word[32];

    if (!bg_source_read(source, mark, 2, error))
        return FALSE;
    *pnm = (Pnm){ .kind = mark[1], .largest = 1 };
    gboolean real = pnm->kind == 'f' || pnm->kind == 'F';
    pnm->format.n_channels = strchr("36F", pnm->kind) != NULL ? 3 : 1;
    if (!next_number(source, 1, 65535, &pnm->format.width, error) ||
        !next_number(source, 1, 65535, &pnm->format.height, error))
        return FALSE;
    if (real) {
        if (!next_word(source, word, sizeof word, error))
            return FALSE;
        pnm->scale = g_ascii_strtod(word, NULL);
        pnm->format.type = BG_PIXEL_FLOAT32;
    } else {
        if (strchr("14", pnm->kind) == NULL && !next_number(source, 1, 65535, &pnm->largest, error))
            return FALSE;
        pnm->format.type = pnm->largest > 255 ? BG_PIXEL_UINT16 : BG_PIXEL_UINT8;
    }
    pnm->first_byte = bg_source_get_position(source);

    // In text, a pixel takes at least one byte; a bit an eighth.
    guint64 there = bg_source_get_limit(source) - pnm->first_byte;
    guint64 possible = pnm->kind == '4' ? there * 8 : pnm->kind <= '3' ? there * 2 : there;
    return bg_picture_check_size(&pnm->format, possible, error);
}

static BgFileInfo *
make_info(const char *path, const Pnm *pnm)
{
    BgFileInfo *info = bg_picture_info_new(path, BG_FORMAT_PNM, &pnm->format);

    if (pnm->kind == '1' || pnm->kind == '4')
        bg_file_info_warn(info, _("The picture has black and white alone: white is 255"));
    else if (pnm->largest > 1 && pnm->largest != 255 && pnm->largest != 65535)
        bg_file_info_warn(info, _("The picture's values go up to %d; they are kept as they are"),
                          pnm->largest);
    return info;
}

// Rows of bits, each from a new byte; 1 is black.
static gboolean
read_bits(BgSource *source, const Pnm *pnm, guint8 *pixels, GError **error)
{
    gsize n_row = ((gsize) pnm->format.width + 7) / 8;
    g_autofree guint8 *row = g_malloc(n_row);

    for (int v = 0; v < pnm->format.height; v++) {
        if (!bg_source_read(source, row, n_row, error))
            return FALSE;
        for (int u = 0; u < pnm->format.width; u++)
            *pixels++ = (row[u / 8] >> (7 - u % 8) & 1) != 0 ? 0 : 255;
    }
    return TRUE;
}

// Black and white in text may stand without blanks between.
static gboolean
read_text_bits(BgSource *source, gsize n, guint8 *pixels, GError **error)
{
    for (gsize i = 0; i < n;) {
        char c;
        if (!bg_source_read(source, &c, 1, error))
            return FALSE;
        if (c == '0' || c == '1')
            pixels[i++] = c == '1' ? 0 : 255;
        else if (!g_ascii_isspace(c)) {
            g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                                _("there is something other than 0 and 1 among the pixels. Get the "
                                  "file again"));
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
read_text(BgSource **source, const Pnm *pnm, gsize n, gpointer pixels, GError **error)
{
    gboolean wide = pnm->format.type == BG_PIXEL_UINT16;

    *source = bg_source_new_ascii(*source, wide ? BG_RAW_UINT16 : BG_RAW_UINT8);
    return bg_source_read(*source, pixels, n * (wide ? 2 : 1), error);
}

// The rows of a float picture come from below.
static gboolean
read_reals(BgSource *source, const Pnm *pnm, guint8 *pixels, GError **error)
{
    gsize n_row = (gsize) pnm->format.width * (gsize) pnm->format.n_channels;
    gboolean big = !(pnm->scale < 0.0);

    for (int v = pnm->format.height - 1; v >= 0; v--) {
        guint8 *row = pixels + (gsize) v * n_row * 4;
        if (!bg_source_read(source, row, n_row * 4, error))
            return FALSE;
        if (big != (G_BYTE_ORDER == G_BIG_ENDIAN))
            bg_raw_swap(row, n_row, 4);
    }
    return TRUE;
}

static gboolean
read_pixels(BgSource **source, const Pnm *pnm, gpointer pixels, GError **error)
{
    gsize n =
        (gsize) pnm->format.width * (gsize) pnm->format.height * (gsize) pnm->format.n_channels;
    gboolean wide = pnm->format.type == BG_PIXEL_UINT16;

    switch (pnm->kind) {
    case '1':
        return read_text_bits(*source, n, pixels, error);
    case '4':
        return read_bits(*source, pnm, pixels, error);
    case '2':
    case '3':
        return read_text(source, pnm, n, pixels, error);
    case 'f':
    case 'F':
        return read_reals(*source, pnm, pixels, error);
    default:
        if (!bg_source_read(*source, pixels, n * (wide ? 2 : 1), error))
            return FALSE;
        if (wide && G_BYTE_ORDER == G_LITTLE_ENDIAN)
            bg_raw_swap(pixels, n, 2);
        return TRUE;
    }
}

static BgFileInfo *
pnm_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    Pnm pnm;

    return source != NULL && read_header(source, &pnm, error) ? make_info(path, &pnm) : NULL;
}

static BgLoaded *
pnm_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
         GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    Pnm pnm;

    if (source == NULL || !read_header(source, &pnm, error))
        return NULL;
    gsize n = (gsize) pnm.format.width * (gsize) pnm.format.height * (gsize) pnm.format.n_channels;
    bg_auto_buffer gpointer pixels =
        bg_buffer_alloc_items(n, bg_pixel_type_size(pnm.format.type), error);
    if (pixels == NULL || !read_pixels(&source, &pnm, pixels, error))
        return NULL;
    g_autoptr(BgLoaded) loaded = bg_loaded_new(make_info(path, &pnm));
    loaded->image = bg_image_new_take(&pnm.format, g_steal_pointer(&pixels), error);
    return loaded->image != NULL ? g_steal_pointer(&loaded) : NULL;
}

const BgReader bg_reader_pnm = { "PNM", pnm_sniff, pnm_probe, pnm_load };
