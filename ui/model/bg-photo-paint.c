// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-photo-paint.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-i18n.h"
#include "core/cast/bg-slice.h"
#include "ui/model/bg-thumbnail.h"

#include <math.h>
#include <string.h>

struct _BgPhotoPaint {
    BgImage *image; // owned
    gboolean has_values;
    double low, high;
    const char *unit; // interned
    BgColourMap map;
};

gboolean
bg_photo_has_values(const BgLayer *layer)
{
    if (layer->payload.image == NULL || *layer->unit == '\0')
        return FALSE;
    const BgImageFormat *format = bg_image_get_format(layer->payload.image);
    return format->type == BG_PIXEL_FLOAT32 && format->n_channels <= 2;
}

BgPhotoPaint *
bg_photo_paint_new(const BgLayer *layer)
{
    BgPhotoPaint *self = g_atomic_rc_box_new0(BgPhotoPaint);

    self->image = bg_image_ref(layer->payload.image);
    self->has_values = bg_photo_has_values(layer) && layer->window_width > 0.0;
    self->low = layer->window_centre - 0.5 * layer->window_width;
    self->high = layer->window_centre + 0.5 * layer->window_width;
    self->unit = g_intern_string(layer->unit);
    bg_colour_map_parse(layer->colour_map, &self->map);
    return self;
}

BgPhotoPaint *
bg_photo_paint_ref(BgPhotoPaint *paint)
{
    return g_atomic_rc_box_acquire(paint);
}

static void
clear(gpointer data)
{
    bg_image_unref(((BgPhotoPaint *) data)->image);
}

void
bg_photo_paint_unref(BgPhotoPaint *paint)
{
    g_atomic_rc_box_release_full(paint, clear);
}

gboolean
bg_photo_paint_equal(const BgPhotoPaint *a, const BgPhotoPaint *b)
{
    if (a == NULL || b == NULL || a->image != b->image || a->has_values != b->has_values)
        return a == b;
    return !a->has_values || (a->low == b->low && a->high == b->high && a->map == b->map);
}

static BgImage *
paint_values(const BgPhotoPaint *self, gboolean keep_alpha, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(self->image);
    gsize n = (gsize) format->width * (gsize) format->height;
    gsize n_from = (gsize) format->n_channels, n_to = keep_alpha && n_from == 2 ? 4 : 3;
    const BgImageFormat made = { format->width, format->height, (int) n_to, BG_PIXEL_UINT8 };
    const float *from = bg_image_get_pixels(self->image);
    guint8 *to = bg_buffer_alloc_items(n, n_to, error), rgb[256][3];

    if (to == NULL)
        return NULL;
    for (int i = 0; i < 256; i++)
        bg_colour_map_at(self->map, i / 255.0, rgb[i]);
    for (gsize i = 0; i < n; i++) {
        double value = (double) from[i * n_from];
        double at = 255.0 * (value - self->low) / (self->high - self->low);
        if (isfinite(value))
            memcpy(to + i * n_to, rgb[(int) (CLAMP(at, 0.0, 255.0) + 0.5)], 3);
        else
            memset(to + i * n_to, 0, 3);
        if (n_to == 4)
            to[i * n_to + 3] = (guint8) (255.0f * CLAMP(from[i * n_from + 1], 0.0f, 1.0f) + 0.5f);
    }
    return bg_image_new_take(&made, to, error);
}

BgImage *
bg_photo_paint_draw(const BgPhotoPaint *paint, gboolean keep_alpha, GError **error)
{
    if (paint->has_values)
        return paint_values(paint, keep_alpha, error);
    return keep_alpha ? bg_thumbnail_flatten_keeping_alpha(paint->image, error)
                      : bg_thumbnail_flatten(paint->image, error);
}

gboolean
bg_photo_paint_is_grey(const BgPhotoPaint *paint)
{
    return paint->map == BG_COLOUR_MAP_GREY || paint->map == BG_COLOUR_MAP_INVERTED;
}

gboolean
bg_photo_paint_get_values(const BgPhotoPaint *paint, BgAnnotateValues *values)
{
    if (!paint->has_values)
        return FALSE;
    *values = (BgAnnotateValues){ .low = paint->low, .high = paint->high, .unit = paint->unit };
    for (int i = 0; i < BG_ANNOTATE_BANDS; i++)
        bg_colour_map_at(paint->map, i / (BG_ANNOTATE_BANDS - 1.0), values->rgb[i]);
    return TRUE;
}
