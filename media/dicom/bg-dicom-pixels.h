// SPDX-License-Identifier: Apache-2.0
// The samples of a frame: found, decoded, and made plain.
#pragma once

#include "bg-dicom-image.h"

G_BEGIN_DECLS

/**
 * BgDcmReader: one file's pixels. Frames may be read by several threads at once.
 */
typedef struct _BgDcmReader BgDcmReader;

/**
 * bg_dcm_reader_new:
 * @image: outlives the reader
 *
 * Returns: (transfer full): or %NULL with %G_IO_ERROR or %BG_ERROR_CORRUPT
 */
BgDcmReader *bg_dcm_reader_new(const BgDcmImage *image, GError **error);
void bg_dcm_reader_free(BgDcmReader *reader);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgDcmReader, bg_dcm_reader_free)

/** bg_dcm_reader_get_data: the file's elements; (transfer none); NULL with an error when they cannot be read */
const BgDcmData *bg_dcm_reader_get_data(BgDcmReader *reader, GError **error);

/** bg_dcm_frame_bytes: of a frame that is read: rows * columns * samples of bits_allocated, 1 bit as a byte */
gsize bg_dcm_frame_bytes(const BgDcmPixels *pixels);

/**
 * bg_dcm_read_frame:
 * @out: bg_dcm_frame_bytes() of them: samples of bits_allocated (one byte for 1 bit), interleaved,
 *   in the machine's byte order, bits beyond bits_stored cleared, or set to the sign
 * @is_rgb: (out): whether colours are RGB already, whatever the photometric interpretation says
 *
 * Returns: %FALSE with %BG_ERROR_CORRUPT, %BG_ERROR_UNSUPPORTED, %BG_ERROR_NO_MEMORY, %G_IO_ERROR
 */
gboolean bg_dcm_read_frame(BgDcmReader *reader, guint32 frame, guint8 *out, gboolean *is_rgb,
                           GError **error);

/** bg_dcm_to_rgb: 8 or 16-bit samples of three components, in place, by @photometric */
void bg_dcm_to_rgb(BgDcmPhotometric photometric, int bits, guint8 *samples, gsize n_pixels);

G_END_DECLS
