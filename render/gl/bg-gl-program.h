// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <epoxy/gl.h>
#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * bg_gl_program_new:
 * @vertex, @fragment: files below shaders/, as "mesh/mesh.vert"
 * @common: (nullable): a piece put before the fragment's text, as "common/light.glsl"
 * @features: "#define" lines, or ""
 *
 * Compiles and links one combination of features, with the context current.
 *
 * Returns: the program, for glDeleteProgram(); or 0 with %BG_ERROR_DEVICE, whose message has the
 *   file and the compiler's log
 */
GLuint bg_gl_program_new(const char *vertex, const char *fragment, const char *common,
                         const char *features, GError **error);

G_END_DECLS
