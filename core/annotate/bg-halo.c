// SPDX-License-Identifier: Apache-2.0
// Outlining letters with a pen costs a hundred times what drawing them costs, and panes do it for every
// picture. So the letters are drawn once into a mask, and the mask is spread by a table of weights.
#include "core/annotate/bg-annotate-private.h"

#include <math.h>

#define OUTER_ALPHA 0.4 // soft outside,
#define INNER_ALPHA 0.5 // and nearly black at the letters: legible on the skull of a T1 as on air
#define MOST_REACH 64.0

// A pixel at @distance of a letter's pixel, which itself reaches out by half a pixel; edges are one wide.
static guint
weight_at(double distance, double reach)
{
    double beyond = MAX(distance - 0.5, 0.0);
    double outer = CLAMP(reach - beyond + 0.5, 0.0, 1.0);
    double inner = CLAMP(0.5 * reach - beyond + 0.5, 0.0, 1.0);

    return (guint) (256.0 * (OUTER_ALPHA * outer + INNER_ALPHA * inner) + 0.5);
}

static void
spread_row(const guint8 *in, guint8 *out, int n, guint weight)
{
    for (int i = 0; i < n; i++) {
        guint8 value = (guint8) ((in[i] * weight) >> 8);
        out[i] = MAX(out[i], value);
    }
}

// Each pixel of @halo: the largest of what the letters' pixels around it give it.
static void
spread(cairo_surface_t *letters, cairo_surface_t *halo, double reach, int margin)
{
    const guint8 *in = cairo_image_surface_get_data(letters);
    guint8 *out = cairo_image_surface_get_data(halo);
    int width = cairo_image_surface_get_width(halo), height = cairo_image_surface_get_height(halo);
    int stride = cairo_image_surface_get_stride(halo);

    for (int dy = -margin; dy <= margin; dy++) {
        for (int dx = -margin; dx <= margin; dx++) {
            guint weight = weight_at(hypot(dx, dy), reach);
            if (weight == 0)
                continue;
            // The letters keep off the border by the margin, so a clipped row loses nothing.
            for (int y = MAX(0, -dy); y < height - MAX(0, dy); y++) {
                const guint8 *row = in + (gsize) (y + dy) * (gsize) stride;
                spread_row(row + MAX(0, dx), out + (gsize) y * (gsize) stride + MAX(0, -dx),
                           width - abs(dx), weight);
            }
        }
    }
}

void
bg_halo_draw(cairo_t *cr, PangoLayout *layout, double x, double y, double reach, double alpha)
{
    PangoRectangle ink;

    reach = CLAMP(reach, 0.0, MOST_REACH);
    pango_layout_get_pixel_extents(layout, &ink, NULL);
    if (ink.width <= 0 || ink.height <= 0)
        return;

    int margin = (int) ceil(reach) + 1;
    int left = (int) floor(x) + ink.x - margin - 1, top = (int) floor(y) + ink.y - margin - 1;
    int width = ink.width + 2 * margin + 3, height = ink.height + 2 * margin + 3;
    cairo_surface_t *letters = cairo_image_surface_create(CAIRO_FORMAT_A8, width, height);
    cairo_surface_t *halo = cairo_image_surface_create(CAIRO_FORMAT_A8, width, height);
    cairo_t *mask = cairo_create(letters);

    cairo_move_to(mask, x - left, y - top);
    pango_cairo_show_layout(mask, layout);
    cairo_destroy(mask);
    cairo_surface_flush(letters);
    if (cairo_surface_status(letters) == CAIRO_STATUS_SUCCESS &&
        cairo_surface_status(halo) == CAIRO_STATUS_SUCCESS) {
        spread(letters, halo, reach, margin);
        cairo_surface_mark_dirty(halo);
        cairo_set_source_rgba(cr, 0.0, 0.0, 0.0, alpha);
        cairo_mask_surface(cr, halo, left, top);
    }
    cairo_surface_destroy(letters);
    cairo_surface_destroy(halo);
}
