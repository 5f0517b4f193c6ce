// SPDX-License-Identifier: Apache-2.0
#include "render/scene/bg-gl-caster.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "render/gl/bg-gl-context.h"
#include "render/gl/bg-gl-volume.h"
#include "render/pass/bg-pass-mesh.h"
#include "render/pass/bg-pass-raycast.h"
#include "render/scene/bg-gl-camera.h"

#define DEFAULT_BUDGET ((gsize) 1 << 30)
#define PACKED_BUDGET_SHARE 2 // a packed volume takes at most that part of the budget
#define MAX_SIZE 16384
#define NOTHING_MM 1e29f // the shader writes 1e30 where only the background is seen

typedef struct {
    guint64 serial;
    BgGlVolume *volume; // owned
    guint64 last_used;
} Resident;

struct _BgGlCaster {
    GMutex lock; // protects all below, and is held while the context is current
    BgGlContext *context;
    BgPassMesh *meshes;
    BgPassRaycast *raycast;
    GArray *residents; // of Resident
    gsize budget;
    guint64 clock;
    int width, height;
    GLuint framebuffer, colour, depth;

    guint watch_id;
    GMutex gone_lock; // protects gone: volumes are freed on any thread
    GArray *gone;     // of guint64: serial numbers
};

static void
on_volume_gone(guint64 serial, gpointer user_data)
{
    BgGlCaster *self = user_data;

    g_mutex_lock(&self->gone_lock);
    g_array_append_val(self->gone, serial);
    g_mutex_unlock(&self->gone_lock);
}

BgGlCaster *
bg_gl_caster_new(GError **error)
{
    BgGlContext *context = bg_gl_context_new(error);
    if (context == NULL)
        return NULL;

    BgGlCaster *self = g_new0(BgGlCaster, 1);
    g_mutex_init(&self->lock);
    g_mutex_init(&self->gone_lock);
    self->context = context;
    self->budget = DEFAULT_BUDGET;
    self->residents = g_array_new(FALSE, FALSE, sizeof(Resident));
    self->gone = g_array_new(FALSE, FALSE, sizeof(guint64));
    self->watch_id = bg_volume_watch(on_volume_gone, self);
    return self;
}

static void
drop(BgGlCaster *self, guint index)
{
    bg_gl_volume_free(g_array_index(self->residents, Resident, index).volume);
    g_array_remove_index(self->residents, index);
}

void
bg_gl_caster_free(BgGlCaster *self)
{
    if (self == NULL)
        return;

    bg_volume_unwatch(self->watch_id);
    if (bg_gl_context_make_current(self->context, NULL)) {
        while (self->residents->len > 0)
            drop(self, 0);
        bg_pass_mesh_free(self->meshes);
        bg_pass_raycast_free(self->raycast);
        glDeleteFramebuffers(1, &self->framebuffer);
        glDeleteTextures(1, &self->colour);
        glDeleteTextures(1, &self->depth);
        bg_gl_context_release(self->context);
    }
    bg_gl_context_free(self->context);
    g_array_unref(self->residents);
    g_array_unref(self->gone);
    g_mutex_clear(&self->lock);
    g_mutex_clear(&self->gone_lock);
    g_free(self);
}

gboolean
bg_gl_caster_is_software(const BgGlCaster *self)
{
    return bg_gl_context_is_software(self->context);
}

const char *
bg_gl_caster_get_renderer(const BgGlCaster *self)
{
    return bg_gl_context_get_renderer(self->context);
}

void
bg_gl_caster_set_budget(BgGlCaster *self, gsize n_bytes)
{
    g_mutex_lock(&self->lock);
    self->budget = n_bytes;
    g_mutex_unlock(&self->lock);
}

static void
drop_gone(BgGlCaster *self)
{
    g_mutex_lock(&self->gone_lock);
    for (guint g = 0; g < self->gone->len; g++)
        for (guint i = self->residents->len; i-- > 0;)
            if (g_array_index(self->residents, Resident, i).serial ==
                g_array_index(self->gone, guint64, g))
                drop(self, i);
    g_array_set_size(self->gone, 0);
    g_mutex_unlock(&self->gone_lock);
}

// The least recently used first, until @n_bytes more fit.
static void
make_room(BgGlCaster *self, gsize n_bytes)
{
    for (;;) {
        gsize n_used = n_bytes;
        guint oldest = 0;
        for (guint i = 0; i < self->residents->len; i++) {
            const Resident *resident = &g_array_index(self->residents, Resident, i);
            n_used += resident->volume->n_bytes;
            if (resident->last_used < g_array_index(self->residents, Resident, oldest).last_used)
                oldest = i;
        }
        if (n_used <= self->budget || self->residents->len == 0)
            return;
        drop(self, oldest);
    }
}

static gboolean
wants_gradients(const BgTransferFunctionData *tf)
{
    return tf->shade || tf->gradient_opacity != NULL;
}

static const BgGlVolume *
get_volume(BgGlCaster *self, BgVolume *volume, const BgTransferFunctionData *tf,
           GCancellable *cancellable, GError **error)
{
    gsize packed_bytes = bg_gl_volume_packed_bytes(bg_volume_get_geometry(volume));
    // Nearest neighbours have steps where the packed gradient is smooth: the CPU's are taken
    // from what is seen, so let the shader do so too.
    gboolean packed = wants_gradients(tf) && tf->linear && tf->technique != BG_TECHNIQUE_ISO &&
                      packed_bytes <= self->budget / PACKED_BUDGET_SHARE;

    self->clock++;
    for (guint i = 0; i < self->residents->len; i++) {
        Resident *resident = &g_array_index(self->residents, Resident, i);
        if (resident->serial == bg_volume_get_serial(volume) &&
            resident->volume->packed == packed) {
            resident->last_used = self->clock;
            return resident->volume;
        }
    }

    make_room(self, packed ? packed_bytes : bg_volume_get_n_bytes(volume));
    Resident resident = { .serial = bg_volume_get_serial(volume),
                          .volume = bg_gl_volume_new(volume, packed, cancellable, error),
                          .last_used = self->clock };
    if (resident.volume == NULL)
        return NULL;
    g_array_append_val(self->residents, resident);
    return resident.volume;
}

static void
resize_texture(GLuint texture, GLenum internal_format, GLenum format, GLenum type, int width,
               int height)
{
    glBindTexture(GL_TEXTURE_2D, texture);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    glTexImage2D(GL_TEXTURE_2D, 0, (GLint) internal_format, width, height, 0, format, type, NULL);
}

static gboolean
prepare(BgGlCaster *self, int width, int height, GError **error)
{
    static const GLenum both[] = { GL_COLOR_ATTACHMENT0, GL_COLOR_ATTACHMENT1 };

    if (self->raycast == NULL) {
        self->raycast = bg_pass_raycast_new();
        glGenFramebuffers(1, &self->framebuffer);
        glGenTextures(1, &self->colour);
        glGenTextures(1, &self->depth);
    }
    if (self->meshes == NULL)
        self->meshes = bg_pass_mesh_new(error);
    if (self->meshes == NULL)
        return FALSE;
    if (self->width == width && self->height == height)
        return TRUE;

    glActiveTexture(GL_TEXTURE0);
    resize_texture(self->colour, GL_RGBA8, GL_RGBA, GL_UNSIGNED_BYTE, width, height);
    resize_texture(self->depth, GL_R32F, GL_RED, GL_FLOAT, width, height);
    glBindFramebuffer(GL_FRAMEBUFFER, self->framebuffer);
    glFramebufferTexture2D(GL_FRAMEBUFFER, both[0], GL_TEXTURE_2D, self->colour, 0);
    glFramebufferTexture2D(GL_FRAMEBUFFER, both[1], GL_TEXTURE_2D, self->depth, 0);
    glDrawBuffers(2, both);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    self->width = width;
    self->height = height;
    return bg_gl_check("memory", error);
}

static BgImage *
read_back(GLenum attachment, GLenum format, GLenum type, const BgImageFormat *image_format,
          GError **error)
{
    gsize n_items = (gsize) image_format->width * (gsize) image_format->height *
                    (gsize) image_format->n_channels;
    gpointer pixels = bg_buffer_alloc_items(n_items, bg_pixel_type_size(image_format->type), error);
    if (pixels == NULL)
        return NULL;

    glReadBuffer(attachment);
    glPixelStorei(GL_PACK_ALIGNMENT, 1);
    glReadPixels(0, 0, image_format->width, image_format->height, format, type, pixels);
    if (!bg_gl_check("download", error)) {
        bg_buffer_free(pixels);
        return NULL;
    }
    if (image_format->type == BG_PIXEL_FLOAT32)
        for (gsize i = 0; i < n_items; i++)
            if (((float *) pixels)[i] > NOTHING_MM)
                ((float *) pixels)[i] = INFINITY;
    return bg_image_new_take(image_format, pixels, error);
}

static BgImage *
moved(BgImage *depth, double by_mm)
{
    float *pixels = (float *) (gpointer) bg_image_get_pixels(depth); // ours alone still
    gsize n_pixels = bg_image_get_n_bytes(depth) / sizeof(float);

    for (gsize i = 0; by_mm != 0.0 && i < n_pixels; i++)
        pixels[i] += (float) by_mm;
    return depth;
}

static double
smallest_spacing(const BgVolume *volume)
{
    BgVec3 spacing_mm = bg_geometry_spacing_mm(bg_volume_get_geometry(volume));

    return fmin(spacing_mm.x, fmin(spacing_mm.y, spacing_mm.z));
}

// Far enough that all that is seen lies in front, and a whole number of steps, so that the samples
// lie where they would without.
static double
find_back_mm(BgVolume *volume, const BgCastParams *params, double step_mm)
{
    BgVec3 centre_mm;
    double radius_mm;

    if (!params->camera.parallel)
        return 0.0;
    bg_cast_fit(volume, params->meshes, params->n_meshes, &centre_mm, &radius_mm);
    double depth_mm = bg_affine_apply(&params->camera.camera_from_patient, centre_mm).z;
    return ceil((radius_mm + fabs(depth_mm) + 1.0) / step_mm) * step_mm;
}

static BgCastImage *
draw(BgGlCaster *self, BgVolume *volume, const BgCastParams *params, GCancellable *cancellable,
     GError **error)
{
    const BgCamera *view = &params->camera;
    const BgGlVolume *uploaded = NULL;
    double step_mm = params->step_mm > 0.0 ? params->step_mm
                     : volume != NULL      ? 0.5 * smallest_spacing(volume)
                                           : 1.0;
    BgGlCamera camera;
    BgPassLayers layers = { 0 };

    drop_gone(self);
    if (!prepare(self, view->width, view->height, error))
        return NULL;
    if (volume != NULL) {
        uploaded =
            get_volume(self, volume, bg_transfer_function_get_data(params->tf), cancellable, error);
        if (uploaded == NULL)
            return NULL;
    }

    bg_gl_camera_init(&camera, view, find_back_mm(volume, params, step_mm));
    layers.n =
        bg_pass_mesh_draw(self->meshes, params, &camera, &layers.colour, &layers.distance, error);
    if (layers.n < 0)
        return NULL;

    glBindFramebuffer(GL_FRAMEBUFFER, self->framebuffer);
    glViewport(0, 0, view->width, view->height);
    if (!bg_pass_raycast_draw(self->raycast, volume, uploaded, params, &camera, step_mm, layers,
                              error))
        return NULL;

    BgImageFormat colour = { view->width, view->height, 4, BG_PIXEL_UINT8 };
    BgImageFormat depth = { view->width, view->height, 1, BG_PIXEL_FLOAT32 };
    g_autoptr(BgImage) colours =
        read_back(GL_COLOR_ATTACHMENT0, GL_RGBA, GL_UNSIGNED_BYTE, &colour, error);
    g_autoptr(BgImage) depths =
        colours != NULL ? read_back(GL_COLOR_ATTACHMENT1, GL_RED, GL_FLOAT, &depth, error) : NULL;
    if (depths == NULL)
        return NULL;

    BgCastImage *image = g_new0(BgCastImage, 1);
    image->colour = g_steal_pointer(&colours);
    image->depth = moved(g_steal_pointer(&depths), -camera.back_mm);
    image->camera = *view;
    return image;
}

static gboolean
check(const BgVolume *volume, const BgCastParams *params, GError **error)
{
    const BgCamera *view = &params->camera;

    if (params->lighting != BG_LIGHTING_LOCAL) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("Light other than local is drawn by the CPU"));
        return FALSE;
    }
    if (params->labels != NULL) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("Label colours inside the volume are drawn by the CPU"));
        return FALSE;
    }
    if (view->width < 1 || view->width > MAX_SIZE || view->height < 1 || view->height > MAX_SIZE ||
        (volume != NULL && params->tf == NULL)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("A picture of %d × %d pixels cannot be drawn: sides are 1 to %d"),
                    view->width, view->height, MAX_SIZE);
        return FALSE;
    }
    return TRUE;
}

BgCastImage *
bg_gl_caster_cast(BgGlCaster *self, BgVolume *volume, const BgCastParams *params,
                  GCancellable *cancellable, GError **error)
{
    BgCastImage *image = NULL;

    g_return_val_if_fail(self != NULL, NULL);
    g_return_val_if_fail(params != NULL, NULL);

    if (!check(volume, params, error) || g_cancellable_set_error_if_cancelled(cancellable, error))
        return NULL;

    g_mutex_lock(&self->lock);
    if (bg_gl_context_make_current(self->context, error)) {
        image = draw(self, volume, params, cancellable, error);
        bg_gl_context_release(self->context);
    }
    g_mutex_unlock(&self->lock);
    return image;
}
