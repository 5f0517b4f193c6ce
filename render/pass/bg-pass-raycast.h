// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cast/bg-cast.h"
#include "render/gl/bg-gl-volume.h"
#include "render/scene/bg-gl-camera.h"

#include <epoxy/gl.h>

G_BEGIN_DECLS

/**
 * BgPassRaycast:
 *
 * Casts a ray through each pixel of the bound framebuffer: colour to its attachment 0, depth in mm to
 * attachment 1. One program per combination of features, made when first wanted. All calls with
 * the context current.
 */
typedef struct _BgPassRaycast BgPassRaycast;

/**
 * BgPassLayers:
 * @n: 0..BG_PASS_MESH_MAX_LAYERS
 * @colour, @distance: 2D array textures, borrowed
 */
typedef struct {
    int n;
    GLuint colour, distance;
} BgPassLayers;

BgPassRaycast *bg_pass_raycast_new(void);
void bg_pass_raycast_free(BgPassRaycast *self);

/**
 * bg_pass_raycast_draw:
 * @volume, @uploaded: both or neither
 * @step_mm: above 0
 *
 * Returns: %FALSE with %BG_ERROR_DEVICE
 */
gboolean bg_pass_raycast_draw(BgPassRaycast *self, const BgVolume *volume,
                              const BgGlVolume *uploaded, const BgCastParams *params,
                              const BgGlCamera *camera, double step_mm, BgPassLayers layers,
                              GError **error);

G_END_DECLS
