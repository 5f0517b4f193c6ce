// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-texture.h"

GdkTexture *
bg_texture_from_rgb(BgImage *image)
{
    const BgImageFormat *format = bg_image_get_format(image);

    g_return_val_if_fail(format->type == BG_PIXEL_UINT8, NULL);
    g_return_val_if_fail(format->n_channels == 3 || format->n_channels == 4, NULL);

    g_autoptr(GBytes) bytes =
        g_bytes_new_with_free_func(bg_image_get_pixels(image), bg_image_get_n_bytes(image),
                                   (GDestroyNotify) bg_image_unref, bg_image_ref(image));

    return gdk_memory_texture_new(format->width, format->height,
                                  format->n_channels == 3 ? GDK_MEMORY_R8G8B8 : GDK_MEMORY_R8G8B8A8,
                                  bytes, (gsize) format->width * (gsize) format->n_channels);
}
