// SPDX-License-Identifier: Apache-2.0
// One compressed frame to samples. Each codec trusts its input in nothing: the size that is coded
// must be the size that is wanted, and bytes that are not there are an error.
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BgCodedFrame:
 * @width, @height, @n_components: what must come out
 * @sample_bytes: 1, 2 or 4: of a sample of the result
 * @ybr: the header calls the colours YBR: for JPEG pictures that do not say it themselves
 */
typedef struct {
    const guint8 *bytes;
    gsize n_bytes;
    int width, height, n_components;
    int sample_bytes;
    gboolean ybr;
} BgCodedFrame;

/**
 * BgDecodedFrame:
 * @is_rgb: a colour transform was undone: the samples are RGB whatever the header says
 * @precision: bits of a sample that the codec kept
 * @is_signed: the codec's samples are signed; they are written in two's complement
 */
typedef struct {
    gboolean is_rgb;
    gboolean is_signed;
    int precision;
} BgDecodedFrame;

/**
 * BgFrameDecoder:
 * @out: width * height * n_components samples, interleaved, in the machine's byte order
 *
 * Returns: %FALSE with %BG_ERROR_CORRUPT, %BG_ERROR_UNSUPPORTED or %BG_ERROR_NO_MEMORY
 */
typedef gboolean (*BgFrameDecoder)(const BgCodedFrame *frame, guint8 *out, BgDecodedFrame *decoded,
                                   GError **error);

gboolean bg_decode_rle(const BgCodedFrame *frame, guint8 *out, BgDecodedFrame *decoded,
                       GError **error);
/** bg_decode_jpeg: DCT of 8 bits; hands lossless and 12-bit ones on */
gboolean bg_decode_jpeg(const BgCodedFrame *frame, guint8 *out, BgDecodedFrame *decoded,
                        GError **error);
gboolean bg_decode_jpeg_lossless(const BgCodedFrame *frame, guint8 *out, BgDecodedFrame *decoded,
                                 GError **error);
gboolean bg_decode_jpeg_ls(const BgCodedFrame *frame, guint8 *out, BgDecodedFrame *decoded,
                           GError **error);
gboolean bg_decode_jpeg_2000(const BgCodedFrame *frame, guint8 *out, BgDecodedFrame *decoded,
                             GError **error);

/**
 * bg_decode_jpeg_12: DCT of 12 bits, by DCMTK
 * @out: 2 bytes a sample
 * @message: (out): why not, 256 bytes
 *
 * Returns: whether @out is filled
 */
gboolean bg_decode_jpeg_12(const guint8 *bytes, gsize n_bytes, guint8 *out, gsize n_out,
                           gboolean ybr, char *message);

G_END_DECLS
