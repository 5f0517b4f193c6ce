// SPDX-License-Identifier: Apache-2.0
#include "bg-picture.h"

#include "bg-io-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_SIZE 65535

// Where the pixel that is shown at u, v is stored: the eight cases of EXIF's orientation.
static gsize
find_stored(int orientation, int width, int height, int u, int v)
{
    int x, y;

    switch (orientation) {
    case 2:
        x = width - 1 - u, y = v;
        break;
    case 3:
        x = width - 1 - u, y = height - 1 - v;
        break;
    case 4:
        x = u, y = height - 1 - v;
        break;
    case 5:
        x = v, y = u;
        break;
    case 6:
        x = v, y = height - 1 - u;
        break;
    case 7:
        x = width - 1 - v, y = height - 1 - u;
        break;
    case 8:
        x = width - 1 - v, y = u;
        break;
    default:
        x = u, y = v;
        break;
    }
    return (gsize) x + (gsize) width * (gsize) y;
}

BgImage *
bg_image_orient(BgImage *image, int orientation, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(image);
    BgImageFormat turned = *format;
    gboolean swap = orientation >= 5 && orientation <= 8;
    gsize size = (gsize) format->n_channels * bg_pixel_type_size(format->type);
    const guint8 *from = bg_image_get_pixels(image);
    double spacing_mm[2];

    if (orientation < 2 || orientation > 8)
        return bg_image_ref(image);
    if (swap) {
        turned.width = format->height;
        turned.height = format->width;
    }
    guint8 *pixels = bg_buffer_alloc(bg_image_get_n_bytes(image), error);
    if (pixels == NULL)
        return NULL;
    guint8 *to = pixels;
    for (int v = 0; v < turned.height; v++) {
        for (int u = 0; u < turned.width; u++, to += size)
            memcpy(to, from + size * find_stored(orientation, format->width, format->height, u, v),
                   size);
    }
    g_autoptr(BgImage) result = bg_image_new_take(&turned, pixels, error);
    if (result == NULL || !bg_image_get_spacing_mm(image, spacing_mm))
        return g_steal_pointer(&result);
    double exchanged[2] = { spacing_mm[swap ? 1 : 0], spacing_mm[swap ? 0 : 1] };
    return bg_image_new_calibrated(result, exchanged);
}

BgFileInfo *
bg_picture_info_new(const char *path, BgFormat format, const BgImageFormat *image)
{
    BgFileInfo *info = bg_file_info_new(path);
    gboolean bytes = image->type == BG_PIXEL_UINT8;

    info->format = format;
    info->kind = BG_KIND_IMAGE;
    info->dims[0] = image->width;
    info->dims[1] = image->height;
    info->dims[2] = 1;
    info->n_components = image->n_channels;
    info->datatype = image->type == BG_PIXEL_FLOAT32   ? "float32"
                     : image->type == BG_PIXEL_UINT16  ? "uint16"
                     : bytes && image->n_channels == 3 ? "rgb24"
                     : bytes && image->n_channels == 4 ? "rgba32"
                                                       : "uint8";
    return info;
}

gboolean
bg_picture_check_size(const BgImageFormat *image, guint64 possible, GError **error)
{
    guint64 n_bytes = (guint64) image->n_channels * bg_pixel_type_size(image->type);

    if (image->width < 1 || image->width > MAX_SIZE || image->height < 1 ||
        image->height > MAX_SIZE) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("the header says %d x %d pixels; each may be 1 to %d. Get the file again"),
                    image->width, image->height, MAX_SIZE);
        return FALSE;
    }
    n_bytes *= (guint64) image->width * (guint64) image->height;
    if (n_bytes > possible)
        return bg_io_set_cut_short(n_bytes, possible, error);
    if (n_bytes > BG_PICTURE_MAX_BYTES) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("the picture has %d x %d pixels, which is more than 1 GiB. Cut it into "
                      "pieces"),
                    image->width, image->height);
        return FALSE;
    }
    return TRUE;
}

// Rec. 709, as for volumes of colours.
static float
get_grey(const BgImageFormat *format, gconstpointer pixels, gsize i)
{
    static const double weights[] = { 0.2126, 0.7152, 0.0722 };
    double sum = 0.0;

    for (int c = 0; c < (format->n_channels >= 3 ? 3 : 1); c++) {
        gsize at = i * (gsize) format->n_channels + (gsize) c;
        double value = format->type == BG_PIXEL_UINT8    ? ((const guint8 *) pixels)[at]
                       : format->type == BG_PIXEL_UINT16 ? ((const guint16 *) pixels)[at]
                                                         : (double) ((const float *) pixels)[at];
        sum += format->n_channels >= 3 ? weights[c] * value : value;
    }
    return (float) sum;
}

BgVolume *
bg_image_to_volume(BgImage *image, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(image);
    int dims[3] = { format->width, format->height, 1 };
    gsize n = (gsize) format->width * (gsize) format->height;
    gconstpointer pixels = bg_image_get_pixels(image);
    double spacing_mm[2] = { 1.0, 1.0 };
    gboolean grey = format->n_channels == 1;
    BgSampleType type = !grey || format->type == BG_PIXEL_FLOAT32 ? BG_SAMPLE_FLOAT32
                        : format->type == BG_PIXEL_UINT8          ? BG_SAMPLE_UINT8
                                                                  : BG_SAMPLE_UINT16;

    if (!bg_image_get_spacing_mm(image, spacing_mm))
        spacing_mm[0] = spacing_mm[1] = 1.0;
    BgGeometry geometry = bg_geometry_new_regular(
        dims, bg_vec3(spacing_mm[0], spacing_mm[1], fmin(spacing_mm[0], spacing_mm[1])));
    gpointer samples = bg_voxels_alloc(&geometry, bg_sample_type_size(type), error);
    if (samples == NULL)
        return NULL;
    if (grey) {
        memcpy(samples, pixels, n * bg_sample_type_size(type));
    } else {
        for (gsize i = 0; i < n; i++)
            ((float *) samples)[i] = get_grey(format, pixels, i);
    }
    return bg_volume_new_take(&geometry, bg_sample_format_plain(type), samples, error);
}
