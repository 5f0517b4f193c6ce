// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/image/bg-image.h"

G_BEGIN_DECLS

/**
 * BgChannel:
 * @values: owned, from bg_buffer_alloc(); rows from the top: (u, v) is at u + width * v
 *
 * One channel of a picture as float32, for arithmetic. Integers become 0..1 (of 255 or 65535) as
 * they are coded, float32 stays as it is. Mutable while it is made; who is handed one const reads.
 */
typedef struct {
    int width, height;
    float *values;
} BgChannel;

/** bg_channel_new: uninitialised; sizes at least 1; Returns: (transfer full): or %NULL with NO_MEMORY */
BgChannel *bg_channel_new(int width, int height, GError **error);
BgChannel *bg_channel_copy(const BgChannel *channel, GError **error);
void bg_channel_free(BgChannel *channel);

/**
 * bg_channel_read:
 * @channel: 0..n_channels-1
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_NO_MEMORY
 */
BgChannel *bg_channel_read(BgImage *image, int channel, GError **error);

/**
 * bg_channel_luma:
 *
 * Grey: one or two channels as they are, colour by the luma of Rec. ITU-R BT.601 (0.299 R +
 * 0.587 G + 0.114 B on the coded values: the Y of the fusion literature's YUV). Alpha is left out.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_NO_MEMORY
 */
BgChannel *bg_channel_luma(BgImage *image, GError **error);

/**
 * bg_image_from_channels:
 * @channels: @n_channels of equal size: 1 grey, 3 RGB, 4 RGBA
 * @type: integers are clamped to 0..1, scaled and rounded; float32 stays as it is
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_NO_MEMORY
 */
BgImage *bg_image_from_channels(const BgChannel *const *channels, int n_channels, BgPixelType type,
                                GError **error);

static inline gsize
bg_channel_count(const BgChannel *channel)
{
    return (gsize) channel->width * (gsize) channel->height;
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgChannel, bg_channel_free)

G_END_DECLS
