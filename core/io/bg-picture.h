// SPDX-License-Identifier: Apache-2.0
// What the readers of pictures have in common: what a photograph says about itself, which way is up,
// and what is told about it.
#pragma once

#include "bg-io.h"

G_BEGIN_DECLS

#define BG_PICTURE_MAX_BYTES (1u << 30) // of pixels

/**
 * BgExif:
 * @orientation: 1..8, 1 when nothing says
 * @make, @model: of the camera; "" when nothing says
 * @focal_length_mm, @focal_length_35mm: 0 when unknown
 * @sensor_mm: width and height of the sensor, by the resolution in its focal plane; 0 when unknown
 * @dpi: dots per inch of IFD 0: for paper, never a calibration
 *
 * What bregma uses of EXIF (CIPA DC-008). A plain value.
 */
typedef struct {
    int orientation;
    char make[64], model[64];
    double focal_length_mm, focal_length_35mm;
    double sensor_mm[2];
    double dpi;
} BgExif;

/**
 * bg_exif_parse:
 * @bytes: a TIFF header and its directories: what follows "Exif\0\0" in a JPEG
 * @exif: (out): what could be read; the rest as when nothing says
 *
 * Looks at the first directory and its EXIF directory, 512 entries each, and follows no other
 * offset: nothing can make it run in a ring.
 *
 * Returns: whether it is EXIF at all
 */
gboolean bg_exif_parse(const guint8 *bytes, gsize n_bytes, BgExif *exif);

void bg_exif_init(BgExif *exif);

/** bg_exif_tell: puts camera and focal length into @info, and a warning when the picture was turned */
void bg_exif_tell(const BgExif *exif, BgFileInfo *info);

/**
 * bg_image_orient:
 * @orientation: EXIF's 1..8: what is anything else counts as 1
 *
 * Returns: (transfer full): upright and unmirrored; @image itself for 1; or %NULL with
 *   %BG_ERROR_NO_MEMORY. A calibration is kept, its axes exchanged where the picture's are
 */
BgImage *bg_image_orient(BgImage *image, int orientation, GError **error);

/** bg_picture_info_new: (transfer full): of a picture of that format */
BgFileInfo *bg_picture_info_new(const char *path, BgFormat format, const BgImageFormat *image);

/**
 * bg_picture_check_size:
 * @possible: the most bytes of pixels that the file can hold
 *
 * Returns: %FALSE with %BG_ERROR_CORRUPT: a size of 0 or over 65535, more than @possible;
 *   %BG_ERROR_UNSUPPORTED: more than BG_PICTURE_MAX_BYTES
 */
gboolean bg_picture_check_size(const BgImageFormat *image, guint64 possible, GError **error);

/**
 * bg_image_to_volume:
 *
 * Returns: (transfer full): one slice of the image's values (of colours, the luminance), at 1 mm
 *   where the image has no calibration, i to the left and j posterior; errors as bg_volume_new_take()
 */
BgVolume *bg_image_to_volume(BgImage *image, GError **error);

G_END_DECLS
