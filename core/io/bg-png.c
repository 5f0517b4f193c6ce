// SPDX-License-Identifier: Apache-2.0
#include "bg-image-io.h"

#include "bg-io-private.h"
#include "bg-io-source.h"
#include "bg-picture.h"
#include "bg-png-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-output.h"

#include <math.h>
#include <png.h>
#include <string.h>

#define MAX_SIZE 65535
#define MAX_BYTES (1u << 30)
#define MAX_CHUNK (8u << 20) // of unpacked text
#define MAX_CHUNKS 64
#define MAX_ROOM (16u << 20) // of the library at once: a text, a row
#define DEFLATE_BEST 1032u   // no deflate stream grows by more (zlib's technical notes)
#define SPACING_KEY "spacing_mm"
#define PROVENANCE_KEY "provenance"
#define COMPRESSION_LEVEL 4 // half the time of 6 for some 5 % more bytes
#define METRES_PER_INCH 0.0254

// libpng leaves by longjmp(): what must survive that is in here, not in locals.
typedef struct {
    png_structp png;
    png_infop info;
    BgSource *source;  // borrowed; reading
    GByteArray *bytes; // owned; writing
    BgImageFormat format;
    guint8 *pixels;   // owned; reading
    png_bytep *rows;  // owned
    char *spacing;    // owned, nullable
    char *provenance; // owned, nullable
    GError *failure;  // owned, nullable
} PngJob;

static void
on_error(png_structp png, png_const_charp message)
{
    PngJob *job = png_get_error_ptr(png);

    if (job->failure == NULL)
        g_set_error(&job->failure, BG_ERROR, BG_ERROR_CORRUPT,
                    // Translators: the last are the PNG library's English words
                    _("The picture is damaged. Get it again from where it came from: %s"), message);
    png_longjmp(png, 1);
}

static void
on_warning(png_structp png, png_const_charp message)
{
    // Not even to the log: a damaged file could fill it.
}

// The library fills a chunk's room with zeros before it finds the file too short for it, and its
// own limit is only a warning.
static png_voidp
on_malloc(png_structp png, png_alloc_size_t n_bytes)
{
    return n_bytes <= MAX_ROOM ? g_try_malloc(n_bytes) : NULL;
}

static void
on_free(png_structp png, png_voidp memory)
{
    g_free(memory);
}

static void
on_read(png_structp png, png_bytep data, size_t n_bytes)
{
    PngJob *job = png_get_io_ptr(png);

    if (!bg_source_read(job->source, data, n_bytes, &job->failure))
        png_error(png, "cut short");
}

static void
on_write(png_structp png, png_bytep data, size_t n_bytes)
{
    PngJob *job = png_get_io_ptr(png);

    g_byte_array_append(job->bytes, data, (guint) n_bytes);
}

static void
on_flush(png_structp png)
{
}

static void
job_clear(PngJob *job, gboolean writing)
{
    if (writing)
        png_destroy_write_struct(&job->png, &job->info);
    else
        png_destroy_read_struct(&job->png, &job->info, NULL);
    g_clear_pointer(&job->bytes, g_byte_array_unref);
    g_clear_pointer(&job->pixels, bg_buffer_free);
    g_clear_pointer(&job->rows, g_free);
    g_clear_pointer(&job->spacing, g_free);
    g_clear_pointer(&job->provenance, g_free);
    g_clear_error(&job->failure);
}

static gboolean
refuse_no_memory(GError **error)
{
    g_set_error_literal(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                        _("There is no room in memory for the picture. Close other studies"));
    return FALSE;
}

static gboolean
refuse_size(const PngJob *job, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                _("A picture of %d × %d pixels is too large. Make it smaller first"),
                job->format.width, job->format.height);
    return FALSE;
}

static gboolean
pass_failure(PngJob *job, GError **error)
{
    if (job->failure == NULL)
        return refuse_no_memory(error);
    g_propagate_error(error, g_steal_pointer(&job->failure));
    return FALSE;
}

// When writing, @pixels are only read from.
static gboolean
point_rows(PngJob *job, const guint8 *pixels, GError **error)
{
    gsize stride = (gsize) job->format.width * (gsize) job->format.n_channels *
                   bg_pixel_type_size(job->format.type);

    job->rows = g_try_new(png_bytep, (gsize) job->format.height);
    if (job->rows == NULL)
        return refuse_no_memory(error);
    for (int v = 0; v < job->format.height; v++)
        job->rows[v] = (png_bytep) pixels + (gsize) v * stride;
    return TRUE;
}

// Out

static void
add_text(GArray *texts, const char *key, const char *text)
{
    png_text entry = {
        .compression = g_str_is_ascii(text) ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE,
        .key = (png_charp) key,
        .text = (png_charp) text,
        .text_length = strlen(text),
    };

    g_array_append_val(texts, entry);
}

static void
set_texts(PngJob *job, const BgPngParams *params)
{
    g_autoptr(GArray) texts = g_array_new(FALSE, FALSE, sizeof(png_text));

    if (params->provenance != NULL)
        add_text(texts, PROVENANCE_KEY, params->provenance);
    if (job->spacing != NULL)
        add_text(texts, SPACING_KEY, job->spacing);
    for (gsize i = 0; params->texts != NULL && params->texts[i] != NULL; i += 2)
        add_text(texts, params->texts[i], params->texts[i + 1]);
    if (texts->len > 0)
        png_set_text(job->png, job->info, (png_const_textp) (gconstpointer) texts->data,
                     (int) texts->len);
}

static gboolean
write_png(PngJob *job, const BgPngParams *params)
{
    static const int colour_types[] = { PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                        PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA };
    const BgImageFormat *format = &job->format;

    if (setjmp(png_jmpbuf(job->png)) != 0)
        return FALSE;

    png_set_write_fn(job->png, job, on_write, on_flush);
    png_set_compression_level(job->png, COMPRESSION_LEVEL);
    png_set_IHDR(job->png, job->info, (png_uint_32) format->width, (png_uint_32) format->height,
                 format->type == BG_PIXEL_UINT16 ? 16 : 8, colour_types[format->n_channels - 1],
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB(job->png, job->info, PNG_sRGB_INTENT_PERCEPTUAL);
    if (params->dpi > 0.0 && params->dpi < 1e6) {
        png_uint_32 per_metre = (png_uint_32) lrint(params->dpi / METRES_PER_INCH);
        png_set_pHYs(job->png, job->info, per_metre, per_metre, PNG_RESOLUTION_METER);
    }
    set_texts(job, params);
    png_write_info(job->png, job->info);
    if (format->type == BG_PIXEL_UINT16 && G_BYTE_ORDER == G_LITTLE_ENDIAN)
        png_set_swap(job->png);
    png_write_image(job->png, job->rows);
    png_write_end(job->png, NULL);
    return TRUE;
}

GBytes *
bg_png_encode(BgImage *image, const BgPngParams *params, GError **error)
{
    static const BgPngParams plain = { 0 };
    char numbers[2][G_ASCII_DTOSTR_BUF_SIZE];
    double spacing_mm[2];
    GBytes *bytes = NULL;

    g_return_val_if_fail(image != NULL, NULL);

    PngJob job = { .format = *bg_image_get_format(image) };
    if (job.format.type == BG_PIXEL_FLOAT32) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("PNG holds 8 or 16 bits a channel, and this picture has float32 "
                              "values. Apply a window first"));
        return NULL;
    }
    if (bg_image_get_n_bytes(image) > MAX_BYTES) {
        refuse_size(&job, error);
        return NULL;
    }

    job.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
    job.info = job.png == NULL ? NULL : png_create_info_struct(job.png);
    job.bytes = g_byte_array_new();
    if (bg_image_get_spacing_mm(image, spacing_mm))
        job.spacing =
            g_strdup_printf("%s,%s", g_ascii_dtostr(numbers[0], sizeof *numbers, spacing_mm[0]),
                            g_ascii_dtostr(numbers[1], sizeof *numbers, spacing_mm[1]));
    if (job.info != NULL && point_rows(&job, bg_image_get_pixels(image), &job.failure) &&
        write_png(&job, params == NULL ? &plain : params))
        bytes = g_byte_array_free_to_bytes(g_steal_pointer(&job.bytes));
    else
        pass_failure(&job, error);
    job_clear(&job, TRUE);
    return bytes;
}

gboolean
bg_png_save(BgImage *image, const char *path, const BgPngParams *params, GError **error)
{
    g_autoptr(GBytes) bytes = bg_png_encode(image, params, error);
    gsize n_bytes;

    if (bytes == NULL)
        return FALSE;
    gconstpointer data = g_bytes_get_data(bytes, &n_bytes);
    return bg_output_replace(path, params != NULL && params->force, data, n_bytes, error);
}

// In

static void
note_texts(PngJob *job)
{
    png_textp texts;
    int n = png_get_text(job->png, job->info, &texts, NULL);

    for (int i = 0; i < n; i++) {
        char **place = strcmp(texts[i].key, PROVENANCE_KEY) == 0 ? &job->provenance
                       : strcmp(texts[i].key, SPACING_KEY) == 0  ? &job->spacing
                                                                 : NULL;
        if (place != NULL && *place == NULL && texts[i].text != NULL)
            *place = g_utf8_make_valid(texts[i].text, -1);
    }
}

static void
note_header(PngJob *job)
{
    int bits, colour;
    png_uint_32 width, height;

    png_set_read_fn(job->png, job, on_read);
    png_set_user_limits(job->png, MAX_SIZE, MAX_SIZE);
    png_set_chunk_malloc_max(job->png, MAX_CHUNK);
    png_set_chunk_cache_max(job->png, MAX_CHUNKS);
    png_read_info(job->png, job->info);
    png_get_IHDR(job->png, job->info, &width, &height, &bits, &colour, NULL, NULL, NULL);

    png_set_expand(job->png);
    if (bits == 16 && G_BYTE_ORDER == G_LITTLE_ENDIAN)
        png_set_swap(job->png);
    png_set_interlace_handling(job->png);
    png_read_update_info(job->png, job->info);
    job->format = (BgImageFormat){
        .width = (int) width,
        .height = (int) height,
        .n_channels = png_get_channels(job->png, job->info),
        .type = png_get_bit_depth(job->png, job->info) == 16 ? BG_PIXEL_UINT16 : BG_PIXEL_UINT8,
    };
    note_texts(job);
}

static gboolean
read_header(PngJob *job)
{
    if (setjmp(png_jmpbuf(job->png)) != 0)
        return FALSE;
    note_header(job);
    return TRUE;
}

static gboolean
read_pixels(PngJob *job)
{
    if (setjmp(png_jmpbuf(job->png)) != 0)
        return FALSE;
    png_read_image(job->png, job->rows);
    png_read_end(job->png, NULL);
    return TRUE;
}

static gboolean
make_room(PngJob *job, GError **error)
{
    guint64 n_bytes = (guint64) job->format.width * (guint64) job->format.height *
                      (guint64) job->format.n_channels * bg_pixel_type_size(job->format.type);
    // Bits of less than 8 take up to 8 times less room in the file.
    guint64 possible = bg_source_get_limit(job->source) * DEFLATE_BEST * 8;

    if (n_bytes > MAX_BYTES)
        return refuse_size(job, error);
    if (n_bytes > possible)
        return bg_io_set_cut_short(n_bytes, possible, error);
    job->pixels = bg_buffer_alloc((gsize) n_bytes, error);
    return job->pixels != NULL && point_rows(job, job->pixels, error);
}

static BgImage *
take_image(PngJob *job, GError **error)
{
    g_autoptr(BgImage) image =
        bg_image_new_take(&job->format, g_steal_pointer(&job->pixels), error);
    double spacing_mm[2];

    if (image == NULL || job->spacing == NULL)
        return g_steal_pointer(&image);

    g_auto(GStrv) parts = g_strsplit(job->spacing, ",", 2);
    for (int i = 0; i < 2; i++)
        spacing_mm[i] = parts[i] == NULL ? 0.0 : g_ascii_strtod(parts[i], NULL);
    if (!(spacing_mm[0] > 0.0 && spacing_mm[0] < 1e6 && spacing_mm[1] > 0.0 && spacing_mm[1] < 1e6))
        return g_steal_pointer(&image); // in px, never in wrong mm
    return bg_image_new_calibrated(image, spacing_mm);
}

gboolean
bg_png_read(BgSource *source, gboolean header_only, BgPngRead *read, GError **error)
{
    PngJob job = { .source = source };

    *read = (BgPngRead){ 0 };
    job.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning, NULL,
                                       on_malloc, on_free);
    job.info = job.png == NULL ? NULL : png_create_info_struct(job.png);
    gboolean ok = job.info != NULL && read_header(&job);
    if (ok) {
        read->format = job.format;
        read->provenance = g_strdup(job.provenance);
    }
    if (ok && !header_only) {
        ok = make_room(&job, &job.failure) && read_pixels(&job);
        if (ok)
            read->image = take_image(&job, &job.failure);
        ok = read->image != NULL;
    }
    if (!ok) {
        bg_png_read_clear(read);
        pass_failure(&job, error);
    }
    job_clear(&job, FALSE);
    return ok;
}

void
bg_png_read_clear(BgPngRead *read)
{
    g_clear_pointer(&read->image, bg_image_unref);
    g_clear_pointer(&read->provenance, g_free);
}

BgImage *
bg_png_decode(GBytes *bytes, GError **error)
{
    g_autoptr(BgSource) source = bg_source_new_bytes(bytes);
    BgPngRead read;

    if (!bg_png_read(source, FALSE, &read, error))
        return NULL;
    g_free(read.provenance);
    return read.image;
}

BgImage *
bg_png_load(const char *path, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, NULL, error);
    BgPngRead read;

    if (source == NULL || !bg_png_read(source, FALSE, &read, error)) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    g_free(read.provenance);
    return read.image;
}

// The reader in the table

static gboolean
sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    return !gzipped && n_bytes >= 8 && memcmp(bytes, "\x89PNG\r\n\x1A\n", 8) == 0;
}

static BgFileInfo *
make_info(const char *path, BgPngRead *read)
{
    BgFileInfo *info = bg_picture_info_new(path, BG_FORMAT_PNG, &read->format);

    info->provenance = g_steal_pointer(&read->provenance);
    return info;
}

static BgFileInfo *
probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    BgPngRead read;

    if (source == NULL || !bg_png_read(source, TRUE, &read, error))
        return NULL;
    return make_info(path, &read);
}

static BgLoaded *
load(const char *path, const BgLoadParams *params, const BgProgress *progress,
     GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    BgPngRead read;

    if (source == NULL || !bg_png_read(source, FALSE, &read, error))
        return NULL;
    BgLoaded *loaded = bg_loaded_new(make_info(path, &read));
    loaded->image = read.image;
    return loaded;
}

const BgReader bg_reader_png = { "PNG", sniff, probe, load, .is_foreign = TRUE };
