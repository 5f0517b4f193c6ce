// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cast/bg-cast.h"
#include "render/scene/bg-gl-camera.h"

#include <epoxy/gl.h>

G_BEGIN_DECLS

#define BG_PASS_MESH_MAX_LAYERS 8

/**
 * BgPassMesh:
 *
 * Draws meshes in layers, the nearest wall first, so that the ray caster can put each wall into
 * the volume at its own depth (depth peeling). Owns its programs, buffers and textures; all calls
 * with the context current.
 */
typedef struct _BgPassMesh BgPassMesh;

BgPassMesh *bg_pass_mesh_new(GError **error);
void bg_pass_mesh_free(BgPassMesh *self);

/**
 * bg_pass_mesh_draw:
 * @colour, @distance: (out): 2D array textures of the picture's size, owned by @self: RGBA8, and
 *   R32F with mm along the ray (0 where there is no wall)
 *
 * Returns: how many layers there are, 0..BG_PASS_MESH_MAX_LAYERS (walls behind the last are left out), or
 *   -1 with %BG_ERROR_DEVICE or %BG_ERROR_NO_MEMORY
 */
int bg_pass_mesh_draw(BgPassMesh *self, const BgCastParams *params, const BgGlCamera *camera,
                      GLuint *colour, GLuint *distance, GError **error);

G_END_DECLS
