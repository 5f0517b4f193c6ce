// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BgGlContext:
 *
 * An OpenGL 3.3 core context without a window (EGL, surfaceless): it works without a display, and
 * on a worker beside a window. Current on one thread at a time.
 */
typedef struct _BgGlContext BgGlContext;

/**
 * bg_gl_context_new:
 *
 * Returns: (transfer full): not current yet; or %NULL with %BG_ERROR_UNSUPPORTED: there is no EGL,
 *   or no OpenGL 3.3 on it
 */
BgGlContext *bg_gl_context_new(GError **error);

/** bg_gl_context_free: may be called on any thread where it can become current */
void bg_gl_context_free(BgGlContext *context);

/** bg_gl_context_make_current: %BG_ERROR_DEVICE when the driver refuses */
gboolean bg_gl_context_make_current(BgGlContext *context, GError **error);
void bg_gl_context_release(BgGlContext *context);

/** bg_gl_context_get_renderer: the driver's name of itself */
const char *bg_gl_context_get_renderer(const BgGlContext *context);

/** bg_gl_context_is_software: a rasteriser on the CPU (llvmpipe, softpipe, swrast) */
gboolean bg_gl_context_is_software(const BgGlContext *context);

/** bg_gl_check: turns glGetError() into %BG_ERROR_DEVICE; @what: what was done, for the message */
gboolean bg_gl_check(const char *what, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgGlContext, bg_gl_context_free)

G_END_DECLS
