// SPDX-License-Identifier: Apache-2.0
#include "core/image/bg-channel.h"

#include "core/base/bg-buffer.h"

#include <math.h>
#include <string.h>

BgChannel *
bg_channel_new(int width, int height, GError **error)
{
    g_return_val_if_fail(width >= 1 && height >= 1, NULL);

    float *values = bg_buffer_alloc_items((gsize) width * (gsize) height, sizeof(float), error);
    if (values == NULL)
        return NULL;
    BgChannel *self = g_new0(BgChannel, 1);
    *self = (BgChannel){ .width = width, .height = height, .values = values };
    return self;
}

BgChannel *
bg_channel_copy(const BgChannel *plane, GError **error)
{
    BgChannel *self = bg_channel_new(plane->width, plane->height, error);

    if (self != NULL)
        memcpy(self->values, plane->values, bg_channel_count(plane) * sizeof(float));
    return self;
}

void
bg_channel_free(BgChannel *plane)
{
    if (plane == NULL)
        return;
    bg_buffer_free(plane->values);
    g_free(plane);
}

// values += weight * channel, coded values as 0..1.
static void
add_channel(BgImage *image, int channel, float weight, float *values)
{
    const BgImageFormat *format = bg_image_get_format(image);
    gconstpointer pixels = bg_image_get_pixels(image);
    gsize n = (gsize) format->width * (gsize) format->height, step = (gsize) format->n_channels;
    gsize at = (gsize) channel;

    switch (format->type) {
    case BG_PIXEL_UINT8:
        for (gsize i = 0; i < n; i++, at += step)
            values[i] += weight * ((const guint8 *) pixels)[at] / 255.0f;
        break;
    case BG_PIXEL_UINT16:
        for (gsize i = 0; i < n; i++, at += step)
            values[i] += weight * ((const guint16 *) pixels)[at] / 65535.0f;
        break;
    case BG_PIXEL_FLOAT32:
        for (gsize i = 0; i < n; i++, at += step)
            values[i] += weight * ((const float *) pixels)[at];
        break;
    }
}

static BgChannel *
new_zeros(BgImage *image, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(image);
    BgChannel *self = bg_channel_new(format->width, format->height, error);

    if (self != NULL)
        memset(self->values, 0, bg_channel_count(self) * sizeof(float));
    return self;
}

BgChannel *
bg_channel_read(BgImage *image, int channel, GError **error)
{
    g_return_val_if_fail(channel >= 0 && channel < bg_image_get_format(image)->n_channels, NULL);

    BgChannel *self = new_zeros(image, error);
    if (self != NULL)
        add_channel(image, channel, 1.0f, self->values);
    return self;
}

BgChannel *
bg_channel_luma(BgImage *image, GError **error)
{
    static const float luma[3] = { 0.299f, 0.587f, 0.114f };

    if (bg_image_get_format(image)->n_channels < 3)
        return bg_channel_read(image, 0, error);
    BgChannel *self = new_zeros(image, error);
    for (int c = 0; self != NULL && c < 3; c++)
        add_channel(image, c, luma[c], self->values);
    return self;
}

// NaN becomes 0.
static double
to_code(float value, double top)
{
    return value > 0.0f ? floor(MIN((double) value, 1.0) * top + 0.5) : 0.0;
}

static void
put_channel(const BgChannel *plane, BgPixelType type, gsize step, gsize at, gpointer pixels)
{
    gsize n = bg_channel_count(plane);

    switch (type) {
    case BG_PIXEL_UINT8:
        for (gsize i = 0; i < n; i++, at += step)
            ((guint8 *) pixels)[at] = (guint8) to_code(plane->values[i], 255.0);
        break;
    case BG_PIXEL_UINT16:
        for (gsize i = 0; i < n; i++, at += step)
            ((guint16 *) pixels)[at] = (guint16) to_code(plane->values[i], 65535.0);
        break;
    case BG_PIXEL_FLOAT32:
        for (gsize i = 0; i < n; i++, at += step)
            ((float *) pixels)[at] = plane->values[i];
        break;
    }
}

BgImage *
bg_image_from_channels(const BgChannel *const *planes, int n_planes, BgPixelType type,
                       GError **error)
{
    g_return_val_if_fail(n_planes >= 1 && n_planes <= 4, NULL);

    BgImageFormat format = {
        .width = planes[0]->width, .height = planes[0]->height, .n_channels = n_planes, .type = type
    };
    gsize n = bg_channel_count(planes[0]) * (gsize) n_planes;
    gpointer pixels = bg_buffer_alloc_items(n, bg_pixel_type_size(type), error);

    if (pixels == NULL)
        return NULL;
    for (int c = 0; c < n_planes; c++)
        put_channel(planes[c], type, (gsize) n_planes, (gsize) c, pixels);
    return bg_image_new_take(&format, pixels, error);
}
