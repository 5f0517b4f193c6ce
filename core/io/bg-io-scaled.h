// SPDX-License-Identifier: Apache-2.0
// Voxels that a file keeps in pieces, or scales slice by slice.
#pragma once

#include "bg-io-raw.h"

G_BEGIN_DECLS

/**
 * BgScale: value = slope * stored + intercept
 */
typedef struct {
    double slope, intercept;
} BgScale;

/**
 * BgScaledParams:
 * @n_each: values that one scale is for: a slice's
 * @scales: copied: one after the other; @n_scales of them
 * @low, @high: stored values beyond are taken as these (MINC's valid range)
 * @keep_type: only that: the values stay as they are stored, in this machine's byte order
 */
typedef struct {
    BgRawType type;
    gboolean big_endian;
    gsize n_each;
    const BgScale *scales;
    gsize n_scales;
    double low, high;
    gboolean keep_type;
} BgScaledParams;

/**
 * bg_source_new_scaled:
 * @inner: (transfer full): @n_scales times @n_each values
 *
 * Returns: (transfer full): the values as float32 in this machine's byte order
 */
BgSource *bg_source_new_scaled(BgSource *inner, const BgScaledParams *params);

/**
 * bg_source_new_segments:
 * @offsets: copied: where in the file each of @n_offsets segments begins
 * @each: bytes of a segment
 *
 * Segments of a plain file, in the order that is wanted.
 *
 * Returns: (transfer full): or %NULL with %G_IO_ERROR, or %BG_ERROR_CORRUPT when one of them is
 *   beyond the end
 */
BgSource *bg_source_new_segments(const char *path, const guint64 *offsets, gsize n_offsets,
                                 gsize each, GCancellable *cancellable, GError **error);

/**
 * bg_scales_are_equal: whether one scale does for all
 */
gboolean bg_scales_are_equal(const BgScale *scales, gsize n_scales);

G_END_DECLS
