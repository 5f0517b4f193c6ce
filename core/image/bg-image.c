// SPDX-License-Identifier: Apache-2.0
#include "core/image/bg-image.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#define MAX_SIZE 65535

struct _BgImage {
    gatomicrefcount ref_count;
    BgImageFormat format;
    double spacing_mm[2]; // 0 when unknown
    gconstpointer pixels; // borrowed from owner
    GBytes *owner;        // owned
};

G_DEFINE_BOXED_TYPE(BgImage, bg_image, bg_image_ref, bg_image_unref)

gsize
bg_pixel_type_size(BgPixelType type)
{
    switch (type) {
    case BG_PIXEL_UINT8:
        return 1;
    case BG_PIXEL_UINT16:
        return 2;
    case BG_PIXEL_FLOAT32:
        return 4;
    }
    return 0;
}

static gsize
count_bytes(const BgImageFormat *format)
{
    return (gsize) format->width * (gsize) format->height * (gsize) format->n_channels *
           bg_pixel_type_size(format->type);
}

static BgImage *
new_shared(const BgImageFormat *format, GBytes *owner)
{
    BgImage *self = g_new0(BgImage, 1);

    g_atomic_ref_count_init(&self->ref_count);
    self->format = *format;
    self->owner = g_bytes_ref(owner);
    self->pixels = g_bytes_get_data(owner, NULL);
    return self;
}

static gboolean
check_format(const BgImageFormat *format, GError **error)
{
    if (format->width < 1 || format->width > MAX_SIZE || format->height < 1 ||
        format->height > MAX_SIZE || format->n_channels < 1 || format->n_channels > 4) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("A picture of %d × %d pixels with %d channels cannot be used"), format->width,
                    format->height, format->n_channels);
        return FALSE;
    }
    return TRUE;
}

BgImage *
bg_image_new_take(const BgImageFormat *format, gpointer pixels, GError **error)
{
    g_return_val_if_fail(format != NULL, NULL);
    g_return_val_if_fail(pixels != NULL, NULL);

    if (!check_format(format, error)) {
        bg_buffer_free(pixels);
        return NULL;
    }
    g_autoptr(GBytes) owner =
        g_bytes_new_with_free_func(pixels, count_bytes(format), bg_buffer_free, pixels);
    return new_shared(format, owner);
}

BgImage *
bg_image_new_bytes(const BgImageFormat *format, GBytes *bytes, GError **error)
{
    g_return_val_if_fail(format != NULL, NULL);
    g_return_val_if_fail(bytes != NULL, NULL);

    if (!check_format(format, error))
        return NULL;
    gsize size;
    gconstpointer pixels = g_bytes_get_data(bytes, &size);
    if (size < count_bytes(format) || (guintptr) pixels % bg_pixel_type_size(format->type) != 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("The picture promises %zu bytes and holds %zu"), count_bytes(format), size);
        return NULL;
    }
    return new_shared(format, bytes);
}

BgImage *
bg_image_new_calibrated(BgImage *image, const double spacing_mm[2])
{
    g_return_val_if_fail(image != NULL, NULL);
    g_return_val_if_fail(spacing_mm[0] >= 0.0 && spacing_mm[1] >= 0.0, NULL);

    BgImage *self = new_shared(&image->format, image->owner);
    self->spacing_mm[0] = spacing_mm[0];
    self->spacing_mm[1] = spacing_mm[1];
    return self;
}

BgImage *
bg_image_ref(BgImage *image)
{
    g_return_val_if_fail(image != NULL, NULL);

    g_atomic_ref_count_inc(&image->ref_count);
    return image;
}

void
bg_image_unref(BgImage *image)
{
    g_return_if_fail(image != NULL);

    if (!g_atomic_ref_count_dec(&image->ref_count))
        return;
    g_bytes_unref(image->owner);
    g_free(image);
}

const BgImageFormat *
bg_image_get_format(const BgImage *image)
{
    return &image->format;
}

gconstpointer
bg_image_get_pixels(const BgImage *image)
{
    return image->pixels;
}

gsize
bg_image_get_n_bytes(const BgImage *image)
{
    return count_bytes(&image->format);
}

gboolean
bg_image_get_spacing_mm(const BgImage *image, double spacing_mm[2])
{
    spacing_mm[0] = image->spacing_mm[0];
    spacing_mm[1] = image->spacing_mm[1];
    return image->spacing_mm[0] > 0.0 && image->spacing_mm[1] > 0.0;
}
