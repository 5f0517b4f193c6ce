// SPDX-License-Identifier: Apache-2.0
#include "render/gl/bg-gl-context.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <epoxy/egl.h>
#include <epoxy/gl.h>
#include <string.h>

struct _BgGlContext {
    EGLDisplay display; // shared by the process, never terminated
    EGLContext context; // owned
    char *renderer;
};

static EGLDisplay
open_display(void)
{
    EGLDisplay display = EGL_NO_DISPLAY;

    if (epoxy_has_egl_extension(EGL_NO_DISPLAY, "EGL_MESA_platform_surfaceless"))
        display =
            eglGetPlatformDisplayEXT(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
    if (display == EGL_NO_DISPLAY)
        display = eglGetDisplay(EGL_DEFAULT_DISPLAY);
    if (display == EGL_NO_DISPLAY || !eglInitialize(display, NULL, NULL))
        return EGL_NO_DISPLAY;
    return display;
}

static EGLContext
open_context(EGLDisplay display)
{
    static const EGLint wanted[] = { EGL_SURFACE_TYPE, 0, EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT,
                                     EGL_NONE };
    static const EGLint version[] = { EGL_CONTEXT_MAJOR_VERSION,
                                      3,
                                      EGL_CONTEXT_MINOR_VERSION,
                                      3,
                                      EGL_CONTEXT_OPENGL_PROFILE_MASK,
                                      EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT,
                                      EGL_NONE };
    EGLConfig config;
    EGLint n_configs = 0;

    if (!eglBindAPI(EGL_OPENGL_API) || !eglChooseConfig(display, wanted, &config, 1, &n_configs) ||
        n_configs == 0)
        return EGL_NO_CONTEXT;
    return eglCreateContext(display, config, EGL_NO_CONTEXT, version);
}

BgGlContext *
bg_gl_context_new(GError **error)
{
    // Without libEGL the first call of epoxy would end the program.
    EGLDisplay display = epoxy_has_egl() ? open_display() : EGL_NO_DISPLAY;
    EGLContext context = display != EGL_NO_DISPLAY ? open_context(display) : EGL_NO_CONTEXT;

    if (context == EGL_NO_CONTEXT) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("There is no OpenGL 3.3 on this machine; the CPU draws instead"));
        return NULL;
    }

    BgGlContext *self = g_new0(BgGlContext, 1);
    self->display = display;
    self->context = context;
    if (!bg_gl_context_make_current(self, error)) {
        bg_gl_context_free(self);
        return NULL;
    }
    self->renderer = g_strdup((const char *) glGetString(GL_RENDERER));
    bg_gl_context_release(self);
    return self;
}

void
bg_gl_context_free(BgGlContext *context)
{
    if (context == NULL)
        return;

    eglDestroyContext(context->display, context->context);
    g_free(context->renderer);
    g_free(context);
}

gboolean
bg_gl_context_make_current(BgGlContext *context, GError **error)
{
    g_return_val_if_fail(context != NULL, FALSE);

    // The bound API is per thread.
    if (eglBindAPI(EGL_OPENGL_API) &&
        eglMakeCurrent(context->display, EGL_NO_SURFACE, EGL_NO_SURFACE, context->context))
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_DEVICE,
                _("The graphics driver does not answer (EGL error %#x)"), (unsigned) eglGetError());
    return FALSE;
}

void
bg_gl_context_release(BgGlContext *context)
{
    eglMakeCurrent(context->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
}

const char *
bg_gl_context_get_renderer(const BgGlContext *context)
{
    return context->renderer != NULL ? context->renderer : "";
}

gboolean
bg_gl_context_is_software(const BgGlContext *context)
{
    static const char *const rasterisers[] = { "llvmpipe", "softpipe", "swrast", "Software" };

    for (guint i = 0; i < G_N_ELEMENTS(rasterisers); i++)
        if (strstr(bg_gl_context_get_renderer(context), rasterisers[i]) != NULL)
            return TRUE;
    return FALSE;
}

gboolean
bg_gl_check(const char *what, GError **error)
{
    GLenum first = glGetError();

    if (first == GL_NO_ERROR)
        return TRUE;
    while (glGetError() != GL_NO_ERROR)
        ;
    g_set_error(error, BG_ERROR, first == GL_OUT_OF_MEMORY ? BG_ERROR_NO_MEMORY : BG_ERROR_DEVICE,
                // Translators: what was being done, and OpenGL's number for the fault
                _("The graphics card failed (%s, error %#x)"), what, first);
    return FALSE;
}
