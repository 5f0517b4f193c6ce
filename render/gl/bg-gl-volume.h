// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"
#include "core/volume/bg-volume.h"

#include <epoxy/gl.h>

G_BEGIN_DECLS

/**
 * BgGlVolume:
 * @texture: 3D, trilinear, edges held
 * @packed: RGBA16: the gradient along the voxel axes, and the value; else one channel
 * @value_scale, @value_offset: value = scale * texel + offset
 * @gradient_scale, @gradient_zero: packed: gradient = (texel - zero) * scale, unit per voxel
 * @n_bytes: on the card
 *
 * A volume on the graphics card. 8 and 16 bit integers keep all of their bits, float32 stays
 * float32; packed values have 16 bits over the volume's range.
 */
typedef struct {
    GLuint texture;
    gboolean packed;
    float value_scale, value_offset;
    float gradient_scale, gradient_zero;
    gsize n_bytes;
} BgGlVolume;

/** bg_gl_volume_packed_bytes: what the packed form of @geometry takes */
gsize bg_gl_volume_packed_bytes(const BgGeometry *geometry);

/**
 * bg_gl_volume_new:
 *
 * Uploads in slabs, with the context current.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_UNSUPPORTED when a side is longer than the driver's
 *   largest texture, %BG_ERROR_NO_MEMORY, %BG_ERROR_DEVICE or %G_IO_ERROR_CANCELLED
 */
BgGlVolume *bg_gl_volume_new(const BgVolume *volume, gboolean packed, GCancellable *cancellable,
                             GError **error);

/** bg_gl_volume_free: with the context current */
void bg_gl_volume_free(BgGlVolume *volume);

G_END_DECLS
