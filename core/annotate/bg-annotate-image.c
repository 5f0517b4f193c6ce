// SPDX-License-Identifier: Apache-2.0
#include "core/annotate/bg-annotate-private.h"

#include "core/base/bg-buffer.h"

// RGB of the image to cairo's words.
static void
to_surface(const guint8 *rgb, int width, int height, cairo_surface_t *surface)
{
    guint8 *to = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);

    for (int y = 0; y < height; y++) {
        guint32 *row = (guint32 *) (gpointer) (to + (gsize) y * (gsize) stride);
        for (int x = 0; x < width; x++, rgb += 3)
            row[x] = (guint32) rgb[0] << 16 | (guint32) rgb[1] << 8 | rgb[2];
    }
    cairo_surface_mark_dirty(surface);
}

guint8 *
bg_annotate_to_rgb(cairo_surface_t *surface, GError **error)
{
    int width = cairo_image_surface_get_width(surface);
    int height = cairo_image_surface_get_height(surface);
    guint8 *pixels = bg_buffer_alloc(3 * (gsize) width * (gsize) height, error), *rgb = pixels;

    if (pixels == NULL)
        return NULL;
    cairo_surface_flush(surface);
    const guint8 *from = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    for (int y = 0; y < height; y++) {
        const guint32 *row = (const guint32 *) (gconstpointer) (from + (gsize) y * (gsize) stride);
        for (int x = 0; x < width; x++, rgb += 3) {
            rgb[0] = (guint8) (row[x] >> 16);
            rgb[1] = (guint8) (row[x] >> 8);
            rgb[2] = (guint8) row[x];
        }
    }
    return pixels;
}

BgImage *
bg_annotate_image(BgImage *image, const BgAnnotateImage *params, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(image);
    int width = format->width, height = format->height;
    g_autoptr(GArray) marks = bg_annotations_new();
    BgAnnotateLayout layout;

    g_return_val_if_fail(format->type == BG_PIXEL_UINT8 && format->n_channels == 3, NULL);

    bg_annotate_layout_init(&layout, marks, width, height, 1.0);
    bg_annotate_letters(&layout, params->right, params->down, params->side_known);
    if (params->values != NULL)
        bg_annotate_values_bar(&layout, params->values);
    bg_annotate_note(&layout, params->note);
    bg_annotate_layout_clear(&layout);
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    to_surface(bg_image_get_pixels(image), width, height, surface);
    cairo_t *cr = cairo_create(surface);
    for (gsize i = 0; i < params->n_lines; i++)
        bg_contours_draw(params->lines[i].lines, params->lines[i].rgb, params->lines[i].width_px,
                         cr);
    bg_annotations_draw(marks, cr);
    cairo_destroy(cr);
    guint8 *rgb = bg_annotate_to_rgb(surface, error);
    cairo_surface_destroy(surface);
    return rgb != NULL ? bg_image_new_take(format, rgb, error) : NULL;
}
