// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-pictures.h"
#include "core/io/bg-io-private.h"
#include "core/io/bg-picture.h"

G_BEGIN_DECLS

extern const BgReader bg_reader_heic;
extern const BgReader bg_reader_jpeg;
extern const BgReader bg_reader_tiff;

/**
 * bg_heif_orientation:
 * @bytes: a HEIF file's
 *
 * Returns: what its boxes irot and imir do to the primary picture, by EXIF's numbers, 1 to 8; 1 also
 *   where they cannot be read
 */
int bg_heif_orientation(const guint8 *bytes, gsize n_bytes);

/**
 * bg_heif_check_places:
 *
 * libheif allocates what an extent of the file promises before it looks whether it is there.
 *
 * Returns: %FALSE: the parts of the picture are longer than the file
 */
gboolean bg_heif_check_places(const guint8 *bytes, gsize n_bytes);

#define BG_PICTURE_MAX_FILE (512u << 20)

/** bg_pictures_read_file: (transfer full): all of it, at most BG_PICTURE_MAX_FILE */
GBytes *bg_pictures_read_file(const char *path, GCancellable *cancellable, GError **error);

/**
 * BgFlir: what FLIR's cameras put into a JPEG (the block "FFF", in segments of APP1)
 * @raw: owned: width * height counts of the detector
 * @r1, @r2, @b, @f, @o: the constants of Planck's law for this camera
 */
typedef struct {
    int width, height;
    guint16 *raw;
    double r1, r2, b, f, o;
    double emissivity, distance_m, reflected_k, window_transmission;
} BgFlir;

/**
 * bg_flir_parse:
 * @flir: (out): to be cleared
 *
 * Returns: %FALSE with %BG_ERROR_CORRUPT or %BG_ERROR_UNSUPPORTED
 */
gboolean bg_flir_parse(const guint8 *bytes, gsize n_bytes, BgFlir *flir, GError **error);
void bg_flir_clear(BgFlir *flir);

/**
 * bg_flir_make_image:
 *
 * Returns: (transfer full): degrees Celsius as float32: the object's temperature by Planck's law, with
 *   the emissivity and the reflected temperature that the camera was told; air and window left out
 */
BgImage *bg_flir_make_image(const BgFlir *flir, GError **error);

G_END_DECLS
