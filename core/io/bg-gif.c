// SPDX-License-Identifier: Apache-2.0
// GIF 87a and 89a, the first picture of the file ("Graphics Interchange Format", CompuServe 1990). An
// own reader of the format's one packing, LZW with codes of at most 12 bits.
#include "bg-io-bytes.h"
#include "bg-io-raw.h"
#include "bg-picture.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#define MAX_CODES 4096
#define LZW_BEST 4096u // pixels that a code of 12 bits can stand for

typedef struct {
    BgSource *source;  // borrowed
    int width, height; // of the screen
    int left, top, inner_width, inner_height;
    gboolean interlaced;
    int transparent; // -1: none
    int n_colours;
    guint8 colours[256][3];
    gboolean more; // pictures follow
} Gif;

static gboolean
gif_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    return !gzipped && n_bytes >= 6 &&
           (memcmp(bytes, "GIF87a", 6) == 0 || memcmp(bytes, "GIF89a", 6) == 0);
}

static gboolean
set_bad(GError **error)
{
    g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("its blocks or codes make no sense. Get the file again"));
    return FALSE;
}

static gboolean
read_colours(Gif *gif, guint8 flags, GError **error)
{
    if ((flags & 0x80) == 0)
        return TRUE;
    gif->n_colours = 2 << (flags & 7);
    return bg_source_read(gif->source, gif->colours, (gsize) gif->n_colours * 3, error);
}

static gboolean
skip_blocks(Gif *gif, GError **error)
{
    guint8 n;

    do {
        if (!bg_source_read(gif->source, &n, 1, error) || !bg_source_skip(gif->source, n, error))
            return FALSE;
    } while (n > 0);
    return TRUE;
}

static gboolean
read_extension(Gif *gif, GError **error)
{
    guint8 label, block[5];

    if (!bg_source_read(gif->source, &label, 1, error))
        return FALSE;
    if (label != 0xF9)
        return skip_blocks(gif, error);
    if (!bg_source_read(gif->source, block, 5, error))
        return FALSE;
    if (block[0] != 4)
        return set_bad(error);
    gif->transparent = (block[1] & 1) != 0 ? block[4] : -1;
    return skip_blocks(gif, error);
}

// Up to the first picture's packed pixels.
static gboolean
read_header(Gif *gif, GError **error)
{
    guint8 screen[13], kind, place[9];

    if (!bg_source_read(gif->source, screen, sizeof screen, error))
        return FALSE;
    gif->transparent = -1;
    gif->width = bg_bytes_get16(screen + 6, FALSE);
    gif->height = bg_bytes_get16(screen + 8, FALSE);
    if (!read_colours(gif, screen[10], error))
        return FALSE;
    for (;;) {
        if (!bg_source_read(gif->source, &kind, 1, error))
            return FALSE;
        if (kind == 0x2C)
            break;
        if (kind != 0x21)
            return set_bad(error);
        if (!read_extension(gif, error))
            return FALSE;
    }
    if (!bg_source_read(gif->source, place, sizeof place, error))
        return FALSE;
    gif->left = bg_bytes_get16(place, FALSE);
    gif->top = bg_bytes_get16(place + 2, FALSE);
    gif->inner_width = bg_bytes_get16(place + 4, FALSE);
    gif->inner_height = bg_bytes_get16(place + 6, FALSE);
    gif->interlaced = (place[8] & 0x40) != 0;
    return read_colours(gif, place[8], error);
}

static gboolean
is_partial(const Gif *gif)
{
    return gif->left != 0 || gif->top != 0 || gif->inner_width != gif->width ||
           gif->inner_height != gif->height;
}

static gboolean
describe(const Gif *gif, BgImageFormat *format, GError **error)
{
    guint64 there = bg_source_get_limit(gif->source);
    BgImageFormat inner = { gif->inner_width, gif->inner_height, 1, BG_PIXEL_UINT8 };

    *format = (BgImageFormat){ .width = gif->width,
                               .height = gif->height,
                               .n_channels = gif->transparent >= 0 || is_partial(gif) ? 4 : 3,
                               .type = BG_PIXEL_UINT8 };
    if (gif->left + gif->inner_width > gif->width || gif->top + gif->inner_height > gif->height)
        return set_bad(error);
    return bg_picture_check_size(&inner, there * LZW_BEST, error) &&
           bg_picture_check_size(format, there * LZW_BEST * 4, error);
}

// Codes out of the blocks of at most 255 bytes.
typedef struct {
    Gif *gif;
    guint8 block[255];
    int at, n;
    guint32 bits;
    int n_bits;
    gboolean ended;
} Codes;

static int
next_code(Codes *codes, int size, GError **error)
{
    while (codes->n_bits < size) {
        if (codes->at == codes->n) {
            guint8 n = 0;
            if (codes->ended || !bg_source_read(codes->gif->source, &n, 1, error) ||
                (n > 0 && !bg_source_read(codes->gif->source, codes->block, n, error)))
                return -1;
            codes->ended = n == 0;
            if (n == 0)
                return -1;
            codes->at = 0;
            codes->n = n;
        }
        codes->bits |= (guint32) codes->block[codes->at++] << codes->n_bits;
        codes->n_bits += 8;
    }
    int code = (int) (codes->bits & ((1u << size) - 1));
    codes->bits >>= size;
    codes->n_bits -= size;
    return code;
}

typedef struct {
    guint16 before[MAX_CODES];
    guint8 last[MAX_CODES];
    guint8 stack[MAX_CODES];
} Lzw;

// Writes the string of a code, last pixel first by way of the stack. Returns its first pixel.
static guint8
expand(Lzw *lzw, int code, int clear, guint8 *to, gsize *at, gsize n_all)
{
    gsize n = 0;

    while (code > clear && n < MAX_CODES - 1) {
        lzw->stack[n++] = lzw->last[code];
        code = lzw->before[code];
    }
    lzw->stack[n++] = (guint8) code;
    guint8 first = lzw->stack[n - 1];
    while (n > 0 && *at < n_all)
        to[(*at)++] = lzw->stack[--n];
    return first;
}

static gboolean
unpack(Gif *gif, guint8 *indices, gsize n_all, GError **error)
{
    g_autofree Lzw *lzw = g_new0(Lzw, 1);
    Codes codes = { .gif = gif };
    guint8 least;
    gsize at = 0;
    int previous = -1;

    if (!bg_source_read(gif->source, &least, 1, error))
        return FALSE;
    if (least < 2 || least > 8)
        return set_bad(error);
    int clear = 1 << least, end = clear + 1, next = clear + 2, size = least + 1;
    guint8 first = 0;
    while (at < n_all) {
        int code = next_code(&codes, size, error);
        if (code < 0)
            return error != NULL && *error != NULL ? FALSE : set_bad(error);
        if (code == end)
            return set_bad(error);
        if (code == clear) {
            next = clear + 2;
            size = least + 1;
            previous = -1;
            continue;
        }
        if (code > next || (code == next && previous < 0) || (previous < 0 && code >= clear))
            return set_bad(error);
        if (code == next && next < MAX_CODES) { // the string before, and its own first pixel
            lzw->before[next] = (guint16) previous;
            lzw->last[next] = first;
        } else if (code == next) {
            return set_bad(error);
        }
        first = expand(lzw, code, clear, indices, &at, n_all);
        if (previous >= 0 && next < MAX_CODES) {
            lzw->before[next] = (guint16) previous;
            lzw->last[next++] = first;
            if (next == 1 << size && size < 12)
                size++;
        }
        previous = code;
    }
    return TRUE;
}

// Interlaced rows come in four passes.
static int
find_row(const Gif *gif, int n)
{
    static const int starts[] = { 0, 4, 2, 1 }, steps[] = { 8, 8, 4, 2 };

    for (int pass = 0; gif->interlaced && pass < 4; pass++) {
        int rows = (gif->inner_height - starts[pass] + steps[pass] - 1) / steps[pass];
        if (n < rows)
            return starts[pass] + n * steps[pass];
        n -= rows;
    }
    return n;
}

static void
paint(const Gif *gif, const BgImageFormat *format, const guint8 *indices, guint8 *pixels)
{
    for (int n = 0; n < gif->inner_height; n++) {
        int v = gif->top + find_row(gif, n);
        guint8 *to = pixels + ((gsize) v * (gsize) format->width + (gsize) gif->left) *
                                  (gsize) format->n_channels;
        for (int u = 0; u < gif->inner_width; u++, to += format->n_channels) {
            int index = *indices++;
            if (index < gif->n_colours)
                memcpy(to, gif->colours[index], 3);
            if (format->n_channels == 4)
                to[3] = index == gif->transparent ? 0 : 255;
        }
    }
}

static gboolean
find_more(Gif *gif)
{
    guint8 kind;

    while (bg_source_read(gif->source, &kind, 1, NULL) && kind != 0x3B) {
        if (kind == 0x2C)
            return TRUE;
        if (kind == 0x21 && !read_extension(gif, NULL))
            return FALSE;
    }
    return FALSE;
}

static BgFileInfo *
gif_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    Gif gif = { .source = source };
    BgImageFormat format;

    return source != NULL && read_header(&gif, error) && describe(&gif, &format, error)
               ? bg_picture_info_new(path, BG_FORMAT_GIF, &format)
               : NULL;
}

static BgLoaded *
gif_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
         GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    Gif gif = { .source = source };
    BgImageFormat format;

    if (source == NULL || !read_header(&gif, error) || !describe(&gif, &format, error))
        return NULL;
    gsize n_inner = (gsize) gif.inner_width * (gsize) gif.inner_height;
    gsize n_bytes = (gsize) format.width * (gsize) format.height * (gsize) format.n_channels;
    bg_auto_buffer guint8 *indices = bg_buffer_alloc(n_inner, error);
    g_autoptr(GError) failed = NULL;
    if (indices == NULL || !unpack(&gif, indices, n_inner, &failed)) {
        if (failed != NULL)
            g_propagate_error(error, g_steal_pointer(&failed));
        return NULL;
    }
    bg_auto_buffer guint8 *pixels = bg_buffer_alloc(n_bytes, error);
    if (pixels == NULL)
        return NULL;
    memset(pixels, 0, n_bytes);
    paint(&gif, &format, indices, pixels);

    g_autoptr(BgLoaded) loaded = bg_loaded_new(bg_picture_info_new(path, BG_FORMAT_GIF, &format));
    loaded->image = bg_image_new_take(&format, g_steal_pointer(&pixels), error);
    if (skip_blocks(&gif, NULL) && find_more(&gif))
        bg_file_info_warn(loaded->info, _("The file has several pictures; the first is shown"));
    return loaded->image != NULL ? g_steal_pointer(&loaded) : NULL;
}

const BgReader bg_reader_gif = { "GIF", gif_sniff, gif_probe, gif_load };
