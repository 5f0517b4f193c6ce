// SPDX-License-Identifier: Apache-2.0
// HEIC and AVIF of telephones, by libheif; a file of that kind is told, and refused where the library
// was not there at build time.
#include "bg-pictures-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

static gboolean
heic_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    static const char *const brands[] = { "heic", "heix", "hevc", "heim", "heis", "mif1", "avif" };

    if (gzipped || n_bytes < 12 || memcmp(bytes + 4, "ftyp", 4) != 0)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(brands); i++) {
        if (memcmp(bytes + 8, brands[i], 4) == 0)
            return TRUE;
    }
    return FALSE;
}

#ifdef BG_WITH_HEIF

#include "bg-hevc.h"

#include <libheif/heif.h>

#define LARGEST_TILE 1024 // of grids; telephones' have 512

typedef struct {
    GBytes *file; // owned
    struct heif_context *context;
    struct heif_image_handle *handle;
    struct heif_image *image;
    BgImageFormat format;
    BgExif exif;
} Job;

static void
job_clear(Job *job)
{
    if (job->image != NULL)
        heif_image_release(job->image);
    if (job->handle != NULL)
        heif_image_handle_release(job->handle);
    if (job->context != NULL)
        heif_context_free(job->context);
    g_clear_pointer(&job->file, g_bytes_unref);
}

static gboolean
check(struct heif_error result, GError **error)
{
    if (result.code == heif_error_Ok)
        return TRUE;
    g_autofree char *words = g_utf8_make_valid(result.message, -1);
    g_set_error(error, BG_ERROR,
                result.code == heif_error_Unsupported_feature ||
                        result.code == heif_error_Unsupported_filetype
                    ? BG_ERROR_UNSUPPORTED
                    : BG_ERROR_CORRUPT,
                // Translators: the library's own words
                _("the HEIC data cannot be read (%s). Convert the picture to PNG"), words);
    return FALSE;
}

static void
take_exif(Job *job)
{
    heif_item_id id;

    bg_exif_init(&job->exif);
    if (heif_image_handle_get_list_of_metadata_block_IDs(job->handle, "Exif", &id, 1) != 1)
        return;
    gsize n = heif_image_handle_get_metadata_size(job->handle, id);
    if (n <= 4 || n > (16u << 20))
        return;
    g_autofree guint8 *bytes = g_malloc(n);
    if (heif_image_handle_get_metadata(job->handle, id, bytes).code != heif_error_Ok)
        return;
    // Four bytes say how far it is to the TIFF header behind them.
    gsize skip = 4 + ((gsize) bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]);
    if (skip < n)
        bg_exif_parse(bytes + skip, n - skip, &job->exif);
}

static gboolean
open_file(Job *job, const char *path, GCancellable *cancellable, GError **error)
{
    gsize n;

    memset(job, 0, sizeof *job);
    job->file = bg_pictures_read_file(path, cancellable, error);
    if (job->file == NULL)
        return FALSE;
    gconstpointer bytes = g_bytes_get_data(job->file, &n);
    if (!bg_heif_check_places(bytes, n)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("its parts are longer than the file: it is damaged. Get it again"));
        return FALSE;
    }
    bg_hevc_register();
    job->context = heif_context_alloc();
    heif_context_set_maximum_image_size_limit(job->context, 32768);
    if (!check(heif_context_read_from_memory_without_copy(job->context, bytes, n, NULL), error) ||
        !check(heif_context_get_primary_image_handle(job->context, &job->handle), error))
        return FALSE;
    take_exif(job);
    // The library turns the picture itself, by the file's own boxes and not by EXIF; here it is said.
    job->exif.orientation = bg_heif_orientation(bytes, n);
    job->format = (BgImageFormat){
        .width = heif_image_handle_get_width(job->handle),
        .height = heif_image_handle_get_height(job->handle),
        .n_channels = heif_image_handle_has_alpha_channel(job->handle) ? 4 : 3,
        .type = BG_PIXEL_UINT8,
    };
    // A damaged grid may say another size than the picture's box: only that is allocated, and its tiles.
    heif_context_set_maximum_image_size_limit(
        job->context, MAX(job->format.width, job->format.height) + LARGEST_TILE);
    return bg_picture_check_size(&job->format, (guint64) n * 65536, error);
}

static BgFileInfo *
make_info(const char *path, const Job *job)
{
    BgFileInfo *info = bg_picture_info_new(path, BG_FORMAT_HEIC, &job->format);

    bg_file_info_warn(info, _("HEIC is lossy: fine detail and values are not those of the camera"));
    bg_exif_tell(&job->exif, info);
    return info;
}

static gboolean
copy_pixels(Job *job, guint8 *pixels, GError **error)
{
    int stride;
    const guint8 *from =
        heif_image_get_plane_readonly(job->image, heif_channel_interleaved, &stride);
    gsize n_row = (gsize) job->format.width * (gsize) job->format.n_channels;

    if (from == NULL || stride < (int) n_row ||
        heif_image_get_width(job->image, heif_channel_interleaved) != job->format.width ||
        heif_image_get_height(job->image, heif_channel_interleaved) != job->format.height) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the picture has another size than the file says. Get it again"));
        return FALSE;
    }
    for (int v = 0; v < job->format.height; v++)
        memcpy(pixels + (gsize) v * n_row, from + (gsize) v * (gsize) stride, n_row);
    return TRUE;
}

static BgImage *
read_image(Job *job, GError **error)
{
    enum heif_chroma chroma =
        job->format.n_channels == 4 ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB;

    if (!check(heif_decode_image(job->handle, &job->image, heif_colorspace_RGB, chroma, NULL),
               error))
        return NULL;
    gsize n =
        (gsize) job->format.width * (gsize) job->format.height * (gsize) job->format.n_channels;
    bg_auto_buffer guint8 *pixels = bg_buffer_alloc(n, error);
    if (pixels == NULL || !copy_pixels(job, pixels, error))
        return NULL;
    return bg_image_new_take(&job->format, g_steal_pointer(&pixels), error);
}

static BgFileInfo *
heic_probe(const char *path, GCancellable *cancellable, GError **error)
{
    Job job;
    BgFileInfo *info = open_file(&job, path, cancellable, error) ? make_info(path, &job) : NULL;

    job_clear(&job);
    return info;
}

static BgLoaded *
heic_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
          GCancellable *cancellable, GError **error)
{
    Job job;
    BgImage *image = NULL;
    BgLoaded *loaded = NULL;

    if (open_file(&job, path, cancellable, error))
        image = read_image(&job, error);
    if (image != NULL) {
        loaded = bg_loaded_new(make_info(path, &job));
        loaded->image = image;
    }
    job_clear(&job);
    return loaded;
}

#else

static gpointer
refuse(GError **error)
{
    g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                        _("this build reads no HEIC. Convert the picture to JPEG or PNG"));
    return NULL;
}

static BgFileInfo *
heic_probe(const char *path, GCancellable *cancellable, GError **error)
{
    return refuse(error);
}

static BgLoaded *
heic_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
          GCancellable *cancellable, GError **error)
{
    return refuse(error);
}

#endif

const BgReader bg_reader_heic = { "HEIC", heic_sniff, heic_probe, heic_load };
