// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum {
    BG_PIXEL_UINT8,
    BG_PIXEL_UINT16,
    BG_PIXEL_FLOAT32,
} BgPixelType;

/**
 * BgImageFormat:
 * @width, @height: in pixels, 1..65535
 * @n_channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; alpha is straight, not premultiplied
 * @type: of one channel; uint8 and uint16 are sRGB-coded over their full range, float32 are
 *   linear values of whatever @unit says
 */
typedef struct {
    int width, height;
    int n_channels;
    BgPixelType type;
} BgImageFormat;

/**
 * BgImage:
 *
 * A 2D picture: a photograph, a rendering, a slice's values. Rows from the top, pixels
 * interleaved, no padding: channel c of pixel (u right, v down) is at
 * c + n_channels * (u + width * v). Pixel centres at integers. Immutable once built,
 * reference counted (atomically).
 */
typedef struct _BgImage BgImage;

#define BG_TYPE_IMAGE (bg_image_get_type())
GType bg_image_get_type(void);

/**
 * bg_image_new_take:
 * @pixels: (transfer full): from bg_buffer_alloc(); freed on failure too
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_CORRUPT when a size or the number of
 *   channels is out of range
 */
BgImage *bg_image_new_take(const BgImageFormat *format, gpointer pixels, GError **error);

/**
 * bg_image_new_bytes:
 * @bytes: whose data are the pixels; referenced
 *
 * As bg_image_new_take(); %BG_ERROR_CORRUPT also when @bytes is too short or misaligned.
 */
BgImage *bg_image_new_bytes(const BgImageFormat *format, GBytes *bytes, GError **error);

/**
 * bg_image_new_calibrated:
 * @spacing_mm: distances of pixel centres along u and v; both 0 when unknown: lengths are then
 *   in px, never in mm
 *
 * Returns: (transfer full): the same pixels, shared, with that calibration
 */
BgImage *bg_image_new_calibrated(BgImage *image, const double spacing_mm[2]);

BgImage *bg_image_ref(BgImage *image);
void bg_image_unref(BgImage *image);

const BgImageFormat *bg_image_get_format(const BgImage *image);
gconstpointer bg_image_get_pixels(const BgImage *image);
gsize bg_image_get_n_bytes(const BgImage *image);

/** bg_image_get_spacing_mm: @spacing_mm: (out); Returns: whether it is known */
gboolean bg_image_get_spacing_mm(const BgImage *image, double spacing_mm[2]);

/** bg_pixel_type_size: in bytes */
gsize bg_pixel_type_size(BgPixelType type);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgImage, bg_image_unref)

G_END_DECLS
