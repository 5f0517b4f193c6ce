// SPDX-License-Identifier: Apache-2.0
// How often each sample occurs: what exact percentiles and fast histograms are made from.
#pragma once

#include "core/volume/bg-volume.h"

#include <gio/gio.h>

#include <string.h>

G_BEGIN_DECLS

#define BG_N_KEYS 65536u

// The keys of float32 samples are the upper halves of their order numbers; those of finite ones.
#define BG_FLOAT_KEY_FIRST 0x0080u
#define BG_FLOAT_KEY_LAST 0xff7fu

// A number that grows with the float: the sign bit turned, negatives turned around.
// -0 becomes +0 first. Not a number ends up beyond both infinities.
static inline guint32
bg_float_order(float sample)
{
    guint32 bits;

    sample += 0.0f;
    memcpy(&bits, &sample, sizeof bits);
    return bits ^ (-(bits >> 31) | 0x80000000u);
}

static inline float
bg_float_from_order(guint32 order)
{
    guint32 bits = order & 0x80000000u ? order ^ 0x80000000u : ~order;
    float sample;

    memcpy(&sample, &bits, sizeof sample);
    return sample;
}

/** bg_sample_type_key_offset: key = sample + this, for 8 and 16-bit types */
int bg_sample_type_key_offset(BgSampleType type);

/**
 * bg_sample_counts:
 *
 * Returns: (transfer full): BG_N_KEYS counts by key: sample + offset for 8 and 16-bit types, the
 *   upper half of bg_float_order() for float32. %NULL with %G_IO_ERROR_CANCELLED
 */
guint64 *bg_sample_counts(BgVolume *volume, GCancellable *cancellable, GError **error);

/**
 * bg_sample_counts_below:
 * @upper: @n_upper different upper halves, of float32 samples
 * @n_upper: at most 255
 *
 * Returns: (transfer full): for each of @upper BG_N_KEYS counts by the lower half of
 *   bg_float_order(), one after the other. %NULL with %G_IO_ERROR_CANCELLED
 */
guint64 *bg_sample_counts_below(BgVolume *volume, const guint32 *upper, guint n_upper,
                                GCancellable *cancellable, GError **error);

G_END_DECLS
