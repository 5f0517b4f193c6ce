// SPDX-License-Identifier: Apache-2.0
// Slices and pictures as they are meant to be looked at: PS3.4 N.2's pipeline, modality, VOI,
// presentation, and overlays (PS3.3 C.9.2).
#include "bg-dicom-load-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define TAG BG_DCM_TAG
#define VR BG_DCM_VR
#define N_OVERLAYS 16

typedef enum { WINDOW_LINEAR, WINDOW_EXACT, WINDOW_SIGMOID } WindowFunction;

typedef struct {
    double centre, width;
    WindowFunction function;
    BgDcmLut lut; // entry NULL without
} Voi;

static BgImage *
calibrate(BgImage *image, const BgDcmImage *source, const BgDcmFrame *frame, double scale_x,
          double scale_y)
{
    double spacing[2] = { frame->spacing_mm[0] * scale_x, frame->spacing_mm[1] * scale_y };

    if (source->spacing_source == BG_DCM_SPACING_NONE || spacing[0] <= 0.0 || spacing[1] <= 0.0)
        return image;
    BgImage *calibrated = bg_image_new_calibrated(image, spacing);
    bg_image_unref(image);
    return calibrated;
}

static guint8 *
read_raw(const BgDcmImage *image, BgDcmReader *reader, guint32 number, gboolean *is_rgb,
         GError **error)
{
    guint8 *raw = bg_buffer_alloc(bg_dcm_frame_bytes(&image->pixels), error);

    if (raw == NULL || bg_dcm_read_frame(reader, number, raw, is_rgb, error))
        return raw;
    bg_buffer_free(raw);
    return NULL;
}

// RGB of 8 or 16 bits out of whatever colours the file has.
static guint8 *
make_rgb(const BgDcmImage *image, BgDcmReader *reader, gboolean is_rgb, guint8 *raw,
         BgPixelType type, GError **error)
{
    const BgDcmPixels *p = &image->pixels;
    gsize n = (gsize) p->rows * (gsize) p->columns;
    gboolean wide = type == BG_PIXEL_UINT16;
    guint8 *out = bg_buffer_alloc_items(n * 3, wide ? 2 : 1, error);
    guint16 *out16 = (guint16 *) (gpointer) out;

    if (out == NULL)
        return NULL;
    if (p->photometric == BG_DCM_PALETTE) {
        const BgDcmData *data = bg_dcm_reader_get_data(reader, error);
        BgDcmPalette palette;
        if (data == NULL || !bg_dcm_palette_read(&palette, data, error)) {
            bg_buffer_free(out);
            return NULL;
        }
        for (gsize i = 0; i < n; i++) {
            int at = (int) bg_dcm_sample(p, raw, i) - palette.first;
            at = CLAMP(at, 0, palette.n_entries - 1);
            for (gsize c = 0; c < 3; c++)
                out[3 * i + c] = (guint8) (palette.rgb[c][at] >> 8);
        }
        bg_dcm_palette_clear(&palette);
        return out;
    }
    if (!is_rgb)
        bg_dcm_to_rgb(p->photometric, p->bits_allocated, raw, n);
    int shift = p->bits_allocated == 32 ? p->bits_stored - 16 : 16 - p->bits_stored;
    for (gsize i = 0; i < n; i++) {
        for (gsize c = 0; c < 3; c++) {
            gsize from = i * (gsize) p->n_samples + c;
            if (!wide) {
                out[3 * i + c] = raw[from];
                continue;
            }
            guint32 v = (guint32) bg_dcm_sample(p, raw, from);
            out16[3 * i + c] =
                (guint16) (p->bits_allocated == 32 ? (shift > 0 ? v >> shift : v) : v << shift);
        }
    }
    return out;
}

static BgPixelType
colour_type(const BgDcmPixels *p)
{
    return p->bits_allocated > 8 && p->photometric != BG_DCM_PALETTE ? BG_PIXEL_UINT16
                                                                     : BG_PIXEL_UINT8;
}

// Pixels that are not square, and no spacing: made square by the nearest of the longer side's.
static BgImage *
make_square(BgImage *image, double aspect, GError **error)
{
    const BgImageFormat *from = bg_image_get_format(image);
    BgImageFormat to = *from;
    gsize pixel = (gsize) from->n_channels * bg_pixel_type_size(from->type);

    if (fabs(aspect - 1.0) < 1e-3)
        return image;
    double height = aspect > 1.0 ? round(from->height * aspect) : from->height;
    double width = aspect < 1.0 ? round(from->width / aspect) : from->width;
    if (height > 65535.0 || width > 65535.0)
        return image;
    to.height = (int) height;
    to.width = (int) width;
    guint8 *pixels = bg_buffer_alloc_items((gsize) to.width * (gsize) to.height, pixel, error);
    if (pixels == NULL) {
        bg_image_unref(image);
        return NULL;
    }
    const guint8 *source = bg_image_get_pixels(image);
    for (int v = 0; v < to.height; v++) {
        gsize row = (gsize) MIN((int) ((v + 0.5) * from->height / to.height), from->height - 1);
        for (int u = 0; u < to.width; u++) {
            gsize column = (gsize) MIN((int) ((u + 0.5) * from->width / to.width), from->width - 1);
            memcpy(pixels + ((gsize) v * (gsize) to.width + (gsize) u) * pixel,
                   source + (row * (gsize) from->width + column) * pixel, pixel);
        }
    }
    bg_image_unref(image);
    return bg_image_new_take(&to, pixels, error);
}

BgImage *
bg_dcm_load_image(const BgDcmStack *stack, int frame_index, GError **error)
{
    const BgDcmFrame *frame;
    const BgDcmImage *source =
        bg_dcm_stack_image(stack, bg_dcm_stack_place(stack, frame_index, 0), &frame);
    gboolean is_rgb;

    if (source == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT, _("frame %d is missing"), frame_index + 1);
        return NULL;
    }
    g_autoptr(BgDcmReader) reader = bg_dcm_reader_new(source, error);
    if (reader == NULL)
        return NULL;
    bg_auto_buffer guint8 *raw = read_raw(source, reader, frame->number, &is_rgb, error);
    if (raw == NULL)
        return NULL;
    BgImageFormat format = { source->pixels.columns, source->pixels.rows, 3,
                             colour_type(&source->pixels) };
    guint8 *rgb = make_rgb(source, reader, is_rgb, raw, format.type, error);
    if (rgb == NULL)
        return NULL;
    BgImage *image = bg_image_new_take(&format, rgb, error);
    if (image == NULL)
        return NULL;
    image = calibrate(image, source, frame, 1.0, 1.0);
    return source->spacing_source == BG_DCM_SPACING_NONE ? make_square(image, source->aspect, error)
                                                         : image;
}

static void
read_voi(Voi *voi, const BgDcmImage *image, const BgDcmData *data)
{
    BgDcmSet root = bg_dcm_root(data);

    *voi = (Voi){ .centre = image->window[0], .width = image->window[1] };
    if (bg_dcm_has_word(root, TAG(0x0028, 0x1056), "LINEAR_EXACT"))
        voi->function = WINDOW_EXACT;
    else if (bg_dcm_has_word(root, TAG(0x0028, 0x1056), "SIGMOID"))
        voi->function = WINDOW_SIGMOID;
    if (bg_dcm_count_items(root, TAG(0x0028, 0x3010)) > 0 && voi->width <= 0.0)
        bg_dcm_lut_read(&voi->lut, root, TAG(0x0028, 0x3010), image->pixels.is_signed, NULL);
}

// PS3.3 C.11.2.1.2 and C.11.2.1.3; 0..1.
static double
apply_voi(const Voi *voi, double value)
{
    if (voi->lut.entry != NULL)
        return bg_dcm_lut_get(&voi->lut, (int) CLAMP(value, -1e9, 1e9)) /
               (double) ((1 << voi->lut.bits) - 1);
    if (voi->function == WINDOW_SIGMOID)
        return 1.0 / (1.0 + exp(-4.0 * (value - voi->centre) / voi->width));
    if (voi->function == WINDOW_EXACT)
        return CLAMP((value - voi->centre) / voi->width + 0.5, 0.0, 1.0);
    if (voi->width <= 1.0)
        return value > voi->centre - 0.5 ? 1.0 : 0.0;
    return CLAMP((value - (voi->centre - 0.5)) / (voi->width - 1.0) + 0.5, 0.0, 1.0);
}

static void
window_from_range(Voi *voi, const double *values, gsize n)
{
    double low = HUGE_VAL, high = -HUGE_VAL;

    for (gsize i = 0; i < n; i++) {
        if (isfinite(values[i])) {
            low = MIN(low, values[i]);
            high = MAX(high, values[i]);
        }
    }
    voi->function = WINDOW_EXACT;
    voi->centre = high >= low ? (low + high) / 2.0 : 0.0;
    voi->width = high > low ? high - low : 1.0;
}

// Overlay planes of group 60xx; bit (0,0) is the first pixel. Where they lie beside it is cut.
static void
draw_overlays(guint8 *grey, const BgDcmPixels *p, const BgDcmData *data, guint32 frame_number)
{
    BgDcmSet root = bg_dcm_root(data);

    for (guint g = 0; g < N_OVERLAYS; g++) {
        guint group = 0x6000 + 2 * g;
        const BgDcmElement *element = bg_dcm_find(root, TAG(group, 0x3000));
        const guint8 *bits = bg_dcm_value(root, element);
        int rows = bg_dcm_int(root, TAG(group, 0x0010), VR('U', 'S'), 0);
        int columns = bg_dcm_int(root, TAG(group, 0x0011), VR('U', 'S'), 0);
        double origin[2] = { 1.0, 1.0 };
        bg_dcm_numbers(root, TAG(group, 0x0050), VR('S', 'S'), origin, 2);
        int n_frames = bg_dcm_int(root, TAG(group, 0x0015), VR('I', 'S'), 1);
        if (bits == NULL || rows < 1 || columns < 1 || rows > 65535 || columns > 65535)
            continue;
        guint64 first =
            n_frames > 1 ? (guint64) frame_number * (guint64) rows * (guint64) columns : 0;
        for (int j = 0; j < rows; j++) {
            for (int i = 0; i < columns; i++) {
                guint64 at = first + (guint64) j * (guint64) columns + (guint64) i;
                int v = j + (int) origin[0] - 1, u = i + (int) origin[1] - 1;
                if (at / 8 >= element->length || !(bits[at / 8] >> (at % 8) & 1))
                    continue;
                if (v >= 0 && v < p->rows && u >= 0 && u < p->columns)
                    grey[(gsize) v * (gsize) p->columns + (gsize) u] = 255;
            }
        }
    }
}

static guint8 *
make_grey(const BgDcmImage *image, const BgDcmFrame *frame, BgDcmReader *reader, const guint8 *raw,
          GError **error)
{
    const BgDcmPixels *p = &image->pixels;
    gsize n = (gsize) p->rows * (gsize) p->columns;
    const BgDcmData *data = bg_dcm_reader_get_data(reader, error);
    BgDcmLut modality = { 0 };
    Voi voi;

    if (data == NULL)
        return NULL;
    bg_auto_buffer double *values = bg_buffer_alloc_items(n, sizeof(double), error);
    guint8 *grey = values != NULL ? bg_buffer_alloc(n, error) : NULL;
    if (grey == NULL)
        return NULL;
    if (image->has_modality_lut)
        bg_dcm_lut_read(&modality, bg_dcm_root(data), TAG(0x0028, 0x3000), p->is_signed, NULL);
    for (gsize i = 0; i < n; i++) {
        double sample = bg_dcm_sample(p, raw, i);
        values[i] = modality.entry != NULL
                        ? bg_dcm_lut_get(&modality, (int) sample)
                        : frame->display_slope * sample + frame->display_intercept;
    }
    read_voi(&voi, image, data);
    if (voi.lut.entry == NULL && !(voi.width > 0.0))
        window_from_range(&voi, values, n);
    for (gsize i = 0; i < n; i++) {
        double shown = isfinite(values[i]) ? apply_voi(&voi, values[i]) : 0.0;
        if (p->photometric == BG_DCM_MONOCHROME1)
            shown = 1.0 - shown;
        grey[i] = (guint8) lround(255.0 * shown);
    }
    draw_overlays(grey, p, data, frame->number);
    bg_dcm_lut_clear(&modality);
    bg_dcm_lut_clear(&voi.lut);
    return grey;
}

// A tile of a mosaic, or all of a picture; box means of whole pixels where it is made smaller.
static BgImage *
crop_and_shrink(const guint8 *pixels, const BgDcmImage *source, const BgDcmFrame *frame,
                int n_channels, int max_size, GError **error)
{
    int tiles = MAX(source->mosaic, 1);
    int width = source->pixels.columns / tiles, height = source->pixels.rows / tiles;
    int u0 = frame->tile >= 0 ? frame->tile % tiles * width : 0;
    int v0 = frame->tile >= 0 ? frame->tile / tiles * height : 0;
    double spacing_x = frame->spacing_mm[0] > 0.0 ? frame->spacing_mm[0] : 1.0;
    double spacing_y = frame->spacing_mm[1] > 0.0 ? frame->spacing_mm[1] : source->aspect;
    double scale_x = 1.0, scale_y = 1.0; // source pixels a target pixel
    gsize c = (gsize) n_channels;

    if (spacing_x < spacing_y)
        scale_y = spacing_x / spacing_y;
    else
        scale_x = spacing_y / spacing_x;
    double larger = MAX(width / scale_x, height / scale_y);
    double shrink = MAX(max_size > 0 ? larger / max_size : 1.0, larger / 65535.0);
    shrink = MAX(shrink, 1.0);
    scale_x *= shrink;
    scale_y *= shrink;
    BgImageFormat format = { MAX((int) lround(width / scale_x), 1),
                             MAX((int) lround(height / scale_y), 1), n_channels, BG_PIXEL_UINT8 };
    guint8 *out = bg_buffer_alloc_items((gsize) format.width * (gsize) format.height, c, error);
    if (out == NULL)
        return NULL;
    for (int v = 0; v < format.height; v++) {
        int y0 = MIN((int) (v * scale_y), height - 1);
        int y1 = CLAMP((int) ((v + 1) * scale_y), y0 + 1, height);
        for (int u = 0; u < format.width; u++) {
            int x0 = MIN((int) (u * scale_x), width - 1);
            int x1 = CLAMP((int) ((u + 1) * scale_x), x0 + 1, width);
            for (gsize k = 0; k < c; k++) {
                guint sum = 0, count = (guint) ((x1 - x0) * (y1 - y0));
                for (int y = y0; y < y1; y++) {
                    for (int x = x0; x < x1; x++)
                        sum += pixels[((gsize) (v0 + y) * (gsize) source->pixels.columns +
                                       (gsize) (u0 + x)) *
                                          c +
                                      k];
                }
                out[((gsize) v * (gsize) format.width + (gsize) u) * c + k] =
                    (guint8) ((sum + count / 2) / count);
            }
        }
    }
    BgImage *image = bg_image_new_take(&format, out, error);
    return image == NULL ? NULL : calibrate(image, source, frame, scale_x, scale_y);
}

static BgImage *
picture_of(const BgDcmImage *source, const BgDcmFrame *frame, int max_size, GError **error)
{
    gboolean is_rgb;
    g_autoptr(BgDcmReader) reader = bg_dcm_reader_new(source, error);

    if (reader == NULL)
        return NULL;
    bg_auto_buffer guint8 *raw = read_raw(source, reader, frame->number, &is_rgb, error);
    if (raw == NULL)
        return NULL;
    if (!bg_dcm_is_colour(&source->pixels)) {
        bg_auto_buffer guint8 *grey = make_grey(source, frame, reader, raw, error);
        return grey == NULL ? NULL : crop_and_shrink(grey, source, frame, 1, max_size, error);
    }
    BgPixelType type = colour_type(&source->pixels);
    bg_auto_buffer guint8 *rgb = make_rgb(source, reader, is_rgb, raw, type, error);
    if (rgb == NULL)
        return NULL;
    gsize n = (gsize) source->pixels.rows * (gsize) source->pixels.columns * 3;
    for (gsize i = 0; type == BG_PIXEL_UINT16 && i < n; i++)
        rgb[i] = (guint8) (((const guint16 *) (gconstpointer) rgb)[i] >> 8);
    return crop_and_shrink(rgb, source, frame, 3, max_size, error);
}

BgImage *
bg_dicom_load_picture(BgDicomSeries *series, int frame, int slice, int max_size,
                      GCancellable *cancellable, GError **error)
{
    g_auto(BgDcmOpened) opened = { 0 };
    const BgDcmFrame *place_frame;

    if (!bg_dcm_open_series(series, &opened, cancellable, error))
        return NULL;
    const BgDcmStack *stack = opened.stack;
    if (stack->geometry.dims[0] == 0 || frame < 0 || frame >= stack->n_frames || slice < 0 ||
        slice >= stack->geometry.dims[2]) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID, _("%s: there is no picture %d of frame %d"),
                    series->thumbnail_file, slice, frame);
        return NULL;
    }
    // Where slices were resampled, the nearest one that is there.
    int wanted = stack->n_positions < 2 ? 0
                                        : (int) lround((double) slice * (stack->n_positions - 1) /
                                                       MAX(stack->geometry.dims[2] - 1, 1));
    const BgDcmImage *source = NULL;
    for (int step = 0; source == NULL && step < stack->n_positions; step++) {
        int s = CLAMP(wanted + (step % 2 ? -(step + 1) / 2 : step / 2), 0, stack->n_positions - 1);
        source = bg_dcm_stack_image(stack, bg_dcm_stack_place(stack, frame, s), &place_frame);
    }
    if (source == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT, _("frame %d has no slices"), frame + 1);
        return NULL;
    }
    return picture_of(source, place_frame, max_size, error);
}
