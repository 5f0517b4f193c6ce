// SPDX-License-Identifier: Apache-2.0
// TIFF by libtiff: whole numbers and floats of all sizes, strips and tiles. One page is a picture,
// several of one size are a volume, whose values go the way of all volumes.
#include "bg-pictures-private.h"
#include "bg-tiff-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <errno.h>
#include <string.h>

#define MAX_PAGES 65535
#define BYTES_PER_BYTE 4096u     // of pixels: deflate's 1032, LZW's and more for LZMA
#define LIBRARY_BYTES (1u << 30) // of one allocation of the library

static tmsize_t
on_read(thandle_t handle, void *data, tmsize_t n)
{
    BgTiff *tiff = handle;
    guint64 left = tiff->size - MIN(tiff->at, tiff->size);
    gsize count = (gsize) MIN((guint64) MAX(n, 0), left);

    memcpy(data, tiff->bytes + MIN(tiff->at, tiff->size), count);
    tiff->at += count;
    return (tmsize_t) count;
}

static tmsize_t
on_write(thandle_t handle, void *data, tmsize_t n)
{
    errno = EROFS;
    return -1;
}

static toff_t
on_seek(thandle_t handle, toff_t offset, int whence)
{
    BgTiff *tiff = handle;

    tiff->at = whence == SEEK_SET   ? offset
               : whence == SEEK_CUR ? tiff->at + offset
                                    : tiff->size + offset;
    return tiff->at;
}

static int
on_close(thandle_t handle)
{
    return 0;
}

static toff_t
on_size(thandle_t handle)
{
    BgTiff *tiff = handle;

    return tiff->size;
}

G_GNUC_PRINTF(4, 0)
static int
on_error(TIFF *library, void *user_data, const char *module, const char *format, va_list args)
{
    BgTiff *tiff = user_data;

    if (tiff->message[0] == '\0')
        g_vsnprintf(tiff->message, sizeof tiff->message, format, args);
    return 1;
}

G_GNUC_PRINTF(4, 0)
static int
on_warning(TIFF *library, void *user_data, const char *module, const char *format, va_list args)
{
    BgTiff *tiff = user_data;

    return tiff->strict ? on_error(library, user_data, module, format, args) : 1;
}

gboolean
bg_tiff_fail(const BgTiff *tiff, GError **error)
{
    g_autofree char *words = g_utf8_make_valid(tiff->message[0] != '\0' ? tiff->message : "-", -1);

    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                // Translators: the library's own words
                _("the TIFF data cannot be read (%s). Get the file again"), words);
    return FALSE;
}

static gboolean
refuse(GError **error, const char *what)
{
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                // Translators: a property of the file
                _("its pages are %s, which bregma does not read. Convert it to plain RGB or grey"),
                what);
    return FALSE;
}

static int
get_int(TIFF *library, guint32 tag, int fallback)
{
    guint16 value = (guint16) fallback;

    return TIFFGetFieldDefaulted(library, tag, &value) ? value : fallback;
}

static gboolean
find_type(BgTiffPage *page, GError **error)
{
    static const struct {
        int bits, format;
        BgRawType type;
    } types[] = {
        { 8, SAMPLEFORMAT_UINT, BG_RAW_UINT8 },      { 8, SAMPLEFORMAT_INT, BG_RAW_INT8 },
        { 16, SAMPLEFORMAT_UINT, BG_RAW_UINT16 },    { 16, SAMPLEFORMAT_INT, BG_RAW_INT16 },
        { 32, SAMPLEFORMAT_UINT, BG_RAW_UINT32 },    { 32, SAMPLEFORMAT_INT, BG_RAW_INT32 },
        { 64, SAMPLEFORMAT_UINT, BG_RAW_UINT64 },    { 64, SAMPLEFORMAT_INT, BG_RAW_INT64 },
        { 32, SAMPLEFORMAT_IEEEFP, BG_RAW_FLOAT32 }, { 64, SAMPLEFORMAT_IEEEFP, BG_RAW_FLOAT64 },
    };
    int format = page->sample_format == SAMPLEFORMAT_VOID ? SAMPLEFORMAT_UINT : page->sample_format;

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (types[i].bits == page->bits && types[i].format == format) {
            page->type = types[i].type;
            return TRUE;
        }
    }
    g_autofree char *what = g_strdup_printf(_("of %d bits a value"), page->bits);
    return refuse(error, what);
}

// Palettes, YCbCr, inks and few bits go through the library's own conversion to 8-bit RGBA.
static gboolean
is_plain(const BgTiffPage *page)
{
    gboolean grey =
        page->photometric == PHOTOMETRIC_MINISBLACK || page->photometric == PHOTOMETRIC_MINISWHITE;
    gboolean rgb = page->photometric == PHOTOMETRIC_RGB;

    return page->bits >= 8 && ((grey && page->n_channels <= 2) ||
                               (rgb && (page->n_channels == 3 || page->n_channels == 4)));
}

static gboolean
read_page(BgTiff *tiff, BgTiffPage *page, GError **error)
{
    TIFF *library = tiff->library;
    guint32 width = 0, height = 0;

    TIFFGetField(library, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(library, TIFFTAG_IMAGELENGTH, &height);
    *page = (BgTiffPage){ .width = (int) MIN(width, G_MAXINT),
                          .height = (int) MIN(height, G_MAXINT),
                          .bits = get_int(library, TIFFTAG_BITSPERSAMPLE, 1),
                          .n_channels = get_int(library, TIFFTAG_SAMPLESPERPIXEL, 1),
                          .sample_format = get_int(library, TIFFTAG_SAMPLEFORMAT, 1),
                          .photometric = get_int(library, TIFFTAG_PHOTOMETRIC, 1),
                          .orientation = get_int(library, TIFFTAG_ORIENTATION, 1),
                          .planar =
                              get_int(library, TIFFTAG_PLANARCONFIG, 1) == PLANARCONFIG_SEPARATE };
    page->converted = !is_plain(page);
    if (page->converted) {
        char words[1024];
        if (page->bits > 16 || !TIFFRGBAImageOK(library, words))
            return refuse(error, _("of an unusual kind of colour"));
        page->type = BG_RAW_UINT8;
        page->n_channels = 4;
        page->planar = FALSE;
    } else if (!find_type(page, error)) {
        return FALSE;
    }
    BgImageFormat format = { page->width, page->height, 1, BG_PIXEL_UINT8 };
    gsize size = bg_raw_type_size(page->type) * (gsize) page->n_channels;
    return bg_picture_check_size(&format, tiff->size * BYTES_PER_BYTE / size + 1, error);
}

static gboolean
same_page(const BgTiffPage *a, const BgTiffPage *b)
{
    return a->width == b->width && a->height == b->height && a->type == b->type &&
           a->n_channels == b->n_channels && a->photometric == b->photometric &&
           a->orientation == b->orientation;
}

// The pages that are like the first: thumbnails and masks may come between.
static gboolean
find_pages(BgTiff *tiff, GError **error)
{
    for (guint n = 0; n < MAX_PAGES; n++) {
        BgTiffPage page;
        guint32 kind = 0;
        TIFFGetField(tiff->library, TIFFTAG_SUBFILETYPE, &kind);
        gboolean reduced = (kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) != 0;
        g_autoptr(GError) ignored = NULL;
        if (n == 0 && !read_page(tiff, &tiff->page, error))
            return FALSE;
        if (n == 0 ||
            (!reduced && read_page(tiff, &page, &ignored) && same_page(&page, &tiff->page)))
            g_array_append_val(tiff->pages, n);
        else
            tiff->n_others++;
        if (!TIFFReadDirectory(tiff->library))
            break;
    }
    tiff->broken = tiff->message[0] != '\0';
    return TRUE;
}

void
bg_tiff_close(BgTiff *tiff)
{
    if (tiff->library != NULL)
        TIFFClose(tiff->library);
    if (tiff->pages != NULL)
        g_array_unref(tiff->pages);
    g_clear_pointer(&tiff->file, g_bytes_unref);
    g_clear_object(&tiff->cancellable);
    g_free(tiff);
}

BgTiff *
bg_tiff_open(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgTiff) tiff = g_new0(BgTiff, 1);
    gsize size;

    tiff->file = bg_pictures_read_file(path, cancellable, error);
    if (tiff->file == NULL)
        return NULL;
    tiff->bytes = g_bytes_get_data(tiff->file, &size);
    tiff->size = size;
    tiff->cancellable = cancellable != NULL ? g_object_ref(cancellable) : NULL;
    tiff->pages = g_array_new(FALSE, FALSE, sizeof(guint));

    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, LIBRARY_BYTES);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, tiff);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, tiff);
    tiff->library = TIFFClientOpenExt("", "rm", tiff, on_read, on_write, on_seek, on_close, on_size,
                                      NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    if (tiff->library == NULL) {
        bg_tiff_fail(tiff, error);
        return NULL;
    }
    return find_pages(tiff, error) ? g_steal_pointer(&tiff) : NULL;
}

gsize
bg_tiff_count_page_bytes(const BgTiff *tiff)
{
    const BgTiffPage *page = &tiff->page;

    return (gsize) page->width * (gsize) page->height * (gsize) page->n_channels *
           bg_raw_type_size(page->type);
}

// A rectangle of pixels at @u, @v of the page; for separate planes, of channel @c alone.
static void
put_block(const BgTiff *tiff, const guint8 *block, int block_width, int block_height, int u, int v,
          int c, guint8 *to)
{
    const BgTiffPage *page = &tiff->page;
    gsize size = bg_raw_type_size(page->type), n = (gsize) page->n_channels;
    int width = MIN(block_width, page->width - u), height = MIN(block_height, page->height - v);
    gsize from_pixel = page->planar ? size : size * n;

    for (int y = 0; y < height; y++) {
        const guint8 *from = block + (gsize) y * (gsize) block_width * from_pixel;
        guint8 *row = to + ((gsize) (v + y) * (gsize) page->width + (gsize) u) * n * size;
        if (!page->planar) {
            memcpy(row, from, (gsize) width * from_pixel);
            continue;
        }
        for (int x = 0; x < width; x++)
            memcpy(row + ((gsize) x * n + (gsize) c) * size, from + (gsize) x * size, size);
    }
}

typedef struct {
    guint32 width, height; // of a tile or strip
    gsize n_bytes;
    gboolean tiled;
} Blocks;

static gboolean
find_blocks(BgTiff *tiff, Blocks *blocks, GError **error)
{
    TIFF *library = tiff->library;
    guint64 n_bytes;

    blocks->tiled = TIFFIsTiled(library) != 0;
    blocks->width = (guint32) tiff->page.width;
    blocks->height = (guint32) tiff->page.height;
    if (blocks->tiled) {
        TIFFGetField(library, TIFFTAG_TILEWIDTH, &blocks->width);
        TIFFGetField(library, TIFFTAG_TILELENGTH, &blocks->height);
        n_bytes = TIFFTileSize64(library);
    } else {
        guint32 rows = 0;
        TIFFGetFieldDefaulted(library, TIFFTAG_ROWSPERSTRIP, &rows);
        blocks->height = CLAMP(rows, 1, blocks->height);
        n_bytes = TIFFVStripSize64(library, blocks->height);
    }
    guint64 wanted = (guint64) blocks->width * blocks->height * bg_raw_type_size(tiff->page.type) *
                     (guint64) (tiff->page.planar ? 1 : tiff->page.n_channels);
    if (blocks->width == 0 || blocks->height == 0 || blocks->width > 65536 ||
        blocks->height > 65536 || n_bytes < wanted || n_bytes > LIBRARY_BYTES ||
        n_bytes > tiff->size * BYTES_PER_BYTE) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("its strips or tiles have an impossible size. Get the file again"));
        return FALSE;
    }
    blocks->n_bytes = (gsize) n_bytes;
    return TRUE;
}

static gboolean
read_block(BgTiff *tiff, const Blocks *blocks, int u, int v, int c, guint8 *block, GError **error)
{
    tmsize_t n, size = (tmsize_t) blocks->n_bytes;

    if (blocks->tiled) {
        guint32 tile = TIFFComputeTile(tiff->library, (guint32) u, (guint32) v, 0, (guint16) c);
        n = TIFFReadEncodedTile(tiff->library, tile, block, size);
    } else {
        guint32 strip = TIFFComputeStrip(tiff->library, (guint32) v, (guint16) c);
        guint32 left = (guint32) tiff->page.height - (guint32) v;
        size = (tmsize_t) TIFFVStripSize64(tiff->library, MIN(left, blocks->height));
        n = TIFFReadEncodedStrip(tiff->library, strip, block, size);
    }
    return n == size || bg_tiff_fail(tiff, error);
}

static gboolean
read_plain(BgTiff *tiff, guint8 *to, GError **error)
{
    const BgTiffPage *page = &tiff->page;
    Blocks blocks;

    if (!find_blocks(tiff, &blocks, error))
        return FALSE;
    bg_auto_buffer guint8 *block = bg_buffer_alloc(blocks.n_bytes, error);
    if (block == NULL)
        return FALSE;
    memset(block, 0, blocks.n_bytes);
    for (int c = 0; c < (page->planar ? page->n_channels : 1); c++) {
        for (int v = 0; v < page->height; v += (int) blocks.height) {
            for (int u = 0; u < page->width; u += (int) blocks.width) {
                if (g_cancellable_set_error_if_cancelled(tiff->cancellable, error) ||
                    !read_block(tiff, &blocks, u, v, c, block, error))
                    return FALSE;
                put_block(tiff, block, (int) blocks.width, (int) blocks.height, u, v, c, to);
            }
        }
    }
    return TRUE;
}

static gboolean
read_converted(BgTiff *tiff, guint8 *to, GError **error)
{
    const BgTiffPage *page = &tiff->page;
    gsize n = (gsize) page->width * (gsize) page->height;
    guint32 *pixels = (guint32 *) (gpointer) to;

    // Turned by us, as all others are.
    if (!TIFFReadRGBAImageOriented(tiff->library, (guint32) page->width, (guint32) page->height,
                                   pixels, page->orientation, 1))
        return bg_tiff_fail(tiff, error);
    for (gsize i = 0; i < n; i++) {
        guint32 pixel = pixels[i];
        guint8 bytes[4] = { TIFFGetR(pixel), TIFFGetG(pixel), TIFFGetB(pixel), TIFFGetA(pixel) };
        memcpy(to + 4 * i, bytes, 4);
    }
    return TRUE;
}

// White is 0: turned round within the type.
static void
invert(const BgTiff *tiff, guint8 *to)
{
    gsize n = (gsize) tiff->page.width * (gsize) tiff->page.height;

    if (tiff->page.type == BG_RAW_UINT8) {
        for (gsize i = 0; i < n; i++)
            to[i] = (guint8) (255 - to[i]);
    } else if (tiff->page.type == BG_RAW_UINT16) {
        guint16 *wide = (gpointer) to;
        for (gsize i = 0; i < n; i++)
            wide[i] = (guint16) (65535 - wide[i]);
    }
}

static gboolean
read_pixels(BgTiff *tiff, guint8 *to, GError **error)
{
    // A JPEG strip of another size than the page's: the library warns, and leaves memory as it was.
    tiff->strict = get_int(tiff->library, TIFFTAG_COMPRESSION, 1) == COMPRESSION_JPEG;
    gboolean ok =
        tiff->page.converted ? read_converted(tiff, to, error) : read_plain(tiff, to, error);
    gboolean warned = tiff->strict && tiff->message[0] != '\0';
    tiff->strict = FALSE;
    return ok && (!warned || bg_tiff_fail(tiff, error));
}

gboolean
bg_tiff_read_page(BgTiff *tiff, guint number, guint8 *to, GError **error)
{
    tiff->message[0] = '\0';
    if (!TIFFSetDirectory(tiff->library, g_array_index(tiff->pages, guint, number)))
        return bg_tiff_fail(tiff, error);
    if (!read_pixels(tiff, to, error))
        return FALSE;
    if (!tiff->page.converted && tiff->page.photometric == PHOTOMETRIC_MINISWHITE &&
        tiff->page.n_channels == 1)
        invert(tiff, to);
    return TRUE;
}
