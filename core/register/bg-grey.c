// SPDX-License-Identifier: Apache-2.0
#include "bg-grey-private.h"

#include "core/base/bg-buffer.h"

#include <math.h>

static gboolean
allocate(BgGrey *grey, int width, int height, GError **error)
{
    *grey = (BgGrey){ .width = width, .height = height };
    grey->p = bg_buffer_alloc_items((gsize) width * (gsize) height, sizeof *grey->p, error);
    return grey->p != NULL;
}

void
bg_grey_clear(BgGrey *grey)
{
    g_clear_pointer(&grey->p, bg_buffer_free);
}

static float
read_channel(const BgImageFormat *format, gconstpointer pixels, gsize index)
{
    switch (format->type) {
    case BG_PIXEL_UINT8:
        return ((const guint8 *) pixels)[index];
    case BG_PIXEL_UINT16:
        return (float) ((const guint16 *) pixels)[index] * (1.0f / 257.0f);
    case BG_PIXEL_FLOAT32:
        return ((const float *) pixels)[index];
    }
    g_assert_not_reached();
}

gboolean
bg_grey_from_image(BgImage *image, BgGrey *grey, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(image);
    gconstpointer pixels = bg_image_get_pixels(image);
    gsize n = (gsize) format->width * (gsize) format->height, c = (gsize) format->n_channels;

    if (!allocate(grey, format->width, format->height, error))
        return FALSE;
    for (gsize i = 0; i < n; i++) {
        float value = read_channel(format, pixels, i * c);
        if (c >= 3)
            value = 0.299f * value + 0.587f * read_channel(format, pixels, i * c + 1) +
                    0.114f * read_channel(format, pixels, i * c + 2);
        grey->p[i] = isfinite(value) ? value : 0.0f;
    }
    return TRUE;
}

gboolean
bg_grey_halved(const BgGrey *from, BgGrey *to, GError **error)
{
    if (!allocate(to, MAX(from->width / 2, 1), MAX(from->height / 2, 1), error))
        return FALSE;
    int right = from->width > 1, down = from->height > 1 ? from->width : 0;
    for (int j = 0; j < to->height; j++) {
        const float *row = from->p + (gsize) (2 * j) * (gsize) from->width;
        float *out = to->p + (gsize) j * (gsize) to->width;
        for (int i = 0; i < to->width; i++) {
            const float *p = row + 2 * i;
            out[i] = 0.25f * (p[0] + p[right] + p[down] + p[down + right]);
        }
    }
    return TRUE;
}

gboolean
bg_grey_doubled(const BgGrey *from, BgGrey *to, GError **error)
{
    if (!allocate(to, 2 * from->width, 2 * from->height, error))
        return FALSE;
    for (int j = 0; j < to->height; j++) {
        for (int i = 0; i < to->width; i++)
            to->p[(gsize) j * (gsize) to->width + (gsize) i] =
                bg_grey_at(from, 0.5 * i - 0.25, 0.5 * j - 0.25);
    }
    return TRUE;
}

// One direction: @n lines of @length values @step apart; lines are @next apart.
static void
blur_lines(const BgGrey *from, BgGrey *to, const float *weights, int radius, gboolean along)
{
    int w = from->width, h = from->height, length = along ? w : h;

    for (int j = 0; j < h; j++) {
        for (int i = 0; i < w; i++) {
            float sum = 0.0f;
            for (int k = -radius; k <= radius; k++) {
                int at = CLAMP((along ? i : j) + k, 0, length - 1);
                int u = along ? at : i, v = along ? j : at;
                sum += weights[k + radius] * from->p[(gsize) v * (gsize) w + (gsize) u];
            }
            to->p[(gsize) j * (gsize) w + (gsize) i] = sum;
        }
    }
}

gboolean
bg_grey_blurred(const BgGrey *from, double sigma, BgGrey *to, GError **error)
{
    float weights[129];
    int radius = MIN((int) ceil(3.0 * sigma), 64);
    double sum = 0.0;
    BgGrey between;

    for (int k = -radius; k <= radius; k++)
        sum += exp(-0.5 * k * k / (sigma * sigma));
    for (int k = -radius; k <= radius; k++)
        weights[k + radius] = (float) (exp(-0.5 * k * k / (sigma * sigma)) / sum);
    if (!allocate(&between, from->width, from->height, error))
        return FALSE;
    gboolean ok = allocate(to, from->width, from->height, error);
    if (ok) {
        blur_lines(from, &between, weights, radius, TRUE);
        blur_lines(&between, to, weights, radius, FALSE);
    }
    bg_grey_clear(&between);
    return ok;
}
