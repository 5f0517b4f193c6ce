// SPDX-License-Identifier: Apache-2.0
// JPEG by libjpeg-turbo: 8 bits, upright by EXIF, with FLIR's temperatures as a second frame.
#include "bg-pictures-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#define BYTES_PER_BYTE 2048u // of pixels: even a blank picture does not pack better but on purpose
#define LIBRARY_BYTES (1u << 30) // of the library: coefficients of progressive pictures
#define MAX_SCANS 200            // of a progressive picture; 100 are many

// libjpeg leaves by longjmp(): what must survive that is in here, not in locals.
typedef struct {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf leave;
    GCancellable *cancellable;
    const guint8 *bytes;
    gsize n_bytes;
    char message[JMSG_LENGTH_MAX];
    gboolean cut_short, damaged, cancelled, too_many_scans;
    BgImageFormat format;
    guint8 *pixels; // owned
    BgExif exif;
    GByteArray *flir; // owned
} Job;

static void
on_error(j_common_ptr jpeg)
{
    Job *job = jpeg->client_data;

    jpeg->err->format_message(jpeg, job->message);
    longjmp(job->leave, 1);
}

// Data that end before the picture does would be filled up with grey: that is an error here.
static void
on_message(j_common_ptr jpeg, int level)
{
    Job *job = jpeg->client_data;

    if (level >= 0)
        return;
    job->damaged = TRUE;
    if (jpeg->err->msg_code == JWRN_JPEG_EOF || jpeg->err->msg_code == JWRN_HIT_MARKER) {
        job->cut_short = TRUE;
        longjmp(job->leave, 1);
    }
}

static void
on_progress(j_common_ptr jpeg)
{
    Job *job = jpeg->client_data;

    if (jpeg->is_decompressor && job->jpeg.input_scan_number > MAX_SCANS) {
        job->too_many_scans = TRUE;
        longjmp(job->leave, 1);
    }
    if (g_cancellable_is_cancelled(job->cancellable)) {
        job->cancelled = TRUE;
        longjmp(job->leave, 1);
    }
}

static void
take_markers(Job *job)
{
    for (jpeg_saved_marker_ptr m = job->jpeg.marker_list; m != NULL; m = m->next) {
        if (m->marker != JPEG_APP0 + 1)
            continue;
        if (m->data_length > 6 && memcmp(m->data, "Exif\0", 6) == 0)
            bg_exif_parse(m->data + 6, m->data_length - 6, &job->exif);
        else if (m->data_length > 8 && memcmp(m->data, "FLIR", 5) == 0)
            g_byte_array_append(job->flir, m->data + 8, m->data_length - 8);
    }
}

static gboolean
read_header(Job *job)
{
    struct jpeg_decompress_struct *jpeg = &job->jpeg;

    if (setjmp(job->leave) != 0)
        return FALSE;
    jpeg_mem_src(jpeg, job->bytes, job->n_bytes);
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(jpeg, TRUE);
    take_markers(job);
    gboolean inks = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
    jpeg->out_color_space = jpeg->num_components == 1 ? JCS_GRAYSCALE : inks ? JCS_CMYK : JCS_RGB;
    job->format = (BgImageFormat){ .width = (int) jpeg->image_width,
                                   .height = (int) jpeg->image_height,
                                   .n_channels = jpeg->num_components == 1 ? 1 : 3,
                                   .type = BG_PIXEL_UINT8 };
    return TRUE;
}

// Adobe stores inks inverted: 255 is none.
static void
mix_inks(const guint8 *inks, int width, gboolean inverted, guint8 *to)
{
    for (int u = 0; u < width; u++, inks += 4) {
        int black = inverted ? inks[3] : 255 - inks[3];
        for (int c = 0; c < 3; c++) {
            int light = inverted ? inks[c] : 255 - inks[c];
            *to++ = (guint8) ((light * black + 127) / 255);
        }
    }
}

static gboolean
read_pixels(Job *job)
{
    struct jpeg_decompress_struct *jpeg = &job->jpeg;
    gsize n_row = (gsize) job->format.width * (gsize) job->format.n_channels;

    if (setjmp(job->leave) != 0)
        return FALSE;
    jpeg_start_decompress(jpeg);
    JSAMPARRAY inks = NULL;
    if (jpeg->out_color_space == JCS_CMYK)
        inks = jpeg->mem->alloc_sarray((j_common_ptr) jpeg, JPOOL_IMAGE, jpeg->output_width * 4, 1);
    while (jpeg->output_scanline < jpeg->output_height) {
        guint8 *to = job->pixels + n_row * jpeg->output_scanline;
        JSAMPROW row = inks != NULL ? inks[0] : to;
        jpeg_read_scanlines(jpeg, &row, 1);
        if (inks != NULL)
            mix_inks(row, job->format.width, jpeg->saw_Adobe_marker, to);
    }
    jpeg_finish_decompress(jpeg);
    return TRUE;
}

static void
job_init(Job *job, GBytes *file, GCancellable *cancellable)
{
    memset(job, 0, sizeof *job);
    job->bytes = g_bytes_get_data(file, &job->n_bytes);
    job->cancellable = cancellable;
    job->flir = g_byte_array_new();
    bg_exif_init(&job->exif);
    job->jpeg.err = jpeg_std_error(&job->errors);
    job->errors.error_exit = on_error;
    job->errors.emit_message = on_message;
    jpeg_create_decompress(&job->jpeg);
    job->jpeg.client_data = job;
    job->jpeg.mem->max_memory_to_use = LIBRARY_BYTES;
    job->progress.progress_monitor = on_progress;
    job->jpeg.progress = &job->progress;
}

static void
job_clear(Job *job)
{
    jpeg_destroy_decompress(&job->jpeg);
    g_byte_array_unref(job->flir);
    bg_buffer_free(job->pixels);
}

static gboolean
fail(const Job *job, GError **error)
{
    if (job->cancelled) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _("Cancelled"));
    } else if (job->cut_short) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the picture ends before it is complete. Get the file again from "
                              "where it came from"));
    } else if (job->too_many_scans) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("the picture is stored in more than %d passes, which no camera does. Open "
                      "another file"),
                    MAX_SCANS);
    } else {
        g_autofree char *words = g_utf8_make_valid(job->message, -1);
        g_set_error(error, BG_ERROR,
                    job->jpeg.data_precision == 12 ? BG_ERROR_UNSUPPORTED : BG_ERROR_CORRUPT,
                    // Translators: the library's own words
                    _("the JPEG data cannot be read (%s). Get the file again, or convert it to "
                      "PNG"),
                    words);
    }
    return FALSE;
}

static gboolean
parse(Job *job, GError **error)
{
    return (read_header(job) || fail(job, error)) &&
           bg_picture_check_size(&job->format, (guint64) job->n_bytes * BYTES_PER_BYTE, error);
}

static BgFileInfo *
make_info(const char *path, const Job *job, const BgImageFormat *upright)
{
    BgFileInfo *info = bg_picture_info_new(path, BG_FORMAT_JPEG, upright);

    bg_file_info_warn(info, _("JPEG is lossy: fine detail and values are not those of the camera"));
    bg_exif_tell(&job->exif, info);
    if (job->damaged)
        bg_file_info_warn(info, _("The picture's data are damaged in places"));
    if (job->flir->len > 0) {
        info->n_frames = 2;
        bg_file_info_warn(info, _("The file has temperatures, too: frame 1"));
    }
    return info;
}

static BgImageFormat
turn_format(const BgImageFormat *format, int orientation)
{
    BgImageFormat turned = *format;

    if (orientation >= 5) {
        turned.width = format->height;
        turned.height = format->width;
    }
    return turned;
}

// Temperatures are turned with the picture that they belong to.
static BgLoaded *
load_temperatures(const char *path, const Job *job, GError **error)
{
    BgFlir flir;
    g_autoptr(BgImage) image = NULL, upright = NULL;

    if (bg_flir_parse(job->flir->data, job->flir->len, &flir, error))
        image = bg_flir_make_image(&flir, error);
    bg_flir_clear(&flir);
    if (image != NULL)
        upright = bg_image_orient(image, job->exif.orientation, error);
    if (upright == NULL)
        return NULL;

    g_autoptr(BgLoaded) loaded =
        bg_loaded_new(bg_picture_info_new(path, BG_FORMAT_JPEG, bg_image_get_format(upright)));
    BgFileInfo *info = loaded->info;
    info->n_frames = 2;
    bg_exif_tell(&job->exif, info);
    bg_file_info_set_modality(info, "thermal", "°C");
    bg_file_info_warn(info,
                      _("Temperatures by Planck's law with the emissivity %.2f and the reflected "
                        "temperature %.1f °C that the camera was told; air and window are left "
                        "out"),
                      flir.emissivity, flir.reflected_k - 273.15);
    if (flir.window_transmission > 0.0 && flir.window_transmission < 0.999)
        bg_file_info_warn(info,
                          _("The camera looked through a window (transmission %.2f), which "
                            "is not accounted for"),
                          flir.window_transmission);
    loaded->image = g_steal_pointer(&upright);
    return g_steal_pointer(&loaded);
}

static BgLoaded *
load_picture(const char *path, Job *job, GError **error)
{
    gsize n =
        (gsize) job->format.width * (gsize) job->format.height * (gsize) job->format.n_channels;

    job->pixels = bg_buffer_alloc(n, error);
    if (job->pixels == NULL)
        return NULL;
    if (!read_pixels(job)) {
        fail(job, error);
        return NULL;
    }
    g_autoptr(BgImage) image =
        bg_image_new_take(&job->format, g_steal_pointer(&job->pixels), error);
    g_autoptr(BgImage) upright =
        image != NULL ? bg_image_orient(image, job->exif.orientation, error) : NULL;
    if (upright == NULL)
        return NULL;
    BgLoaded *loaded = bg_loaded_new(make_info(path, job, bg_image_get_format(upright)));
    loaded->image = g_steal_pointer(&upright);
    return loaded;
}

static gboolean
jpeg_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    return !gzipped && n_bytes >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF;
}

static BgFileInfo *
jpeg_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(GBytes) file = bg_pictures_read_file(path, cancellable, error);
    BgFileInfo *info = NULL;
    Job job;

    if (file == NULL)
        return NULL;
    job_init(&job, file, cancellable);
    if (parse(&job, error)) {
        BgImageFormat upright = turn_format(&job.format, job.exif.orientation);
        info = make_info(path, &job, &upright);
    }
    job_clear(&job);
    return info;
}

static BgLoaded *
jpeg_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
          GCancellable *cancellable, GError **error)
{
    g_autoptr(GBytes) file = bg_pictures_read_file(path, cancellable, error);
    BgLoaded *loaded = NULL;
    Job job;

    if (file == NULL)
        return NULL;
    job_init(&job, file, cancellable);
    if (parse(&job, error)) {
        int n_frames = job.flir->len > 0 ? 2 : 1;
        if (params->frame < 0 || params->frame >= n_frames)
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("There is no frame %d: the file has frames 0 to %d. Choose one of them"),
                        params->frame, n_frames - 1);
        else if (params->frame == 1)
            loaded = load_temperatures(path, &job, error);
        else
            loaded = load_picture(path, &job, error);
    }
    job_clear(&job);
    return loaded;
}

const BgReader bg_reader_jpeg = { "JPEG", jpeg_sniff, jpeg_probe, jpeg_load };
