// SPDX-License-Identifier: Apache-2.0
// Uniforms that more than one pass has, under the same names.
#pragma once

#include "core/cast/bg-cast.h"
#include "render/scene/bg-gl-camera.h"

#include <epoxy/gl.h>

G_BEGIN_DECLS

void bg_pass_set_vec3(GLuint program, const char *name, BgVec3 v);

/** bg_pass_set_camera: eye_mm, axis, towards_light */
void bg_pass_set_camera(GLuint program, const BgCastParams *params, const BgGlCamera *camera);

/** bg_pass_set_clip: clip_low, clip_high, planes, n_planes */
void bg_pass_set_clip(GLuint program, const BgCastParams *params);

/** bg_pass_bind: @texture to @unit, and the sampler called @name to that */
void bg_pass_bind(GLuint program, const char *name, int unit, GLenum target, GLuint texture);

G_END_DECLS
