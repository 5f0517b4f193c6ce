// SPDX-License-Identifier: Apache-2.0
#include "ui/view/bg-photo-render.h"

#include "core/base/bg-i18n.h"
#include "core/model/bg-distortion.h"
#include "ui/model/bg-photo.h"
#include "ui/model/bg-texture.h"
#include "ui/view/bg-volume-scene.h"

#define REFINE_MS 120
#define DRAFT_DIVISOR 3.0
#define LENS_MARGIN 0.12 // a lens brings in what lies beside the photograph
#define MAX_SIDE 4096.0

struct _BgPhotoRender {
    GObject parent_instance;

    BgSession *session; // owned
    BgPhotoRect wanted; // the newest wish
    double scale;
    guint refine_id;

    GdkTexture *texture; // owned, nullable
    BgImage *image;      // owned, nullable: what @texture was made of
    BgVolumePicture *picture;
    BgPhotoRect rect;
    char *layer_id; // owned, nullable: the photograph that the picture belongs to
};

G_DEFINE_FINAL_TYPE(BgPhotoRender, bg_photo_render, G_TYPE_OBJECT)

static guint changed_signal;

typedef struct {
    BgVolumeScene *scene;
    BgPhotoRect rect;
    gboolean mirrored;
    char *layer_id;
} Request;

static void
request_free(gpointer data)
{
    Request *request = data;

    bg_volume_scene_free(request->scene);
    g_free(request->layer_id);
    g_free(request);
}

typedef struct {
    GdkTexture *texture;
    BgImage *image;
    BgVolumePicture *picture;
    BgPhotoRect rect;
    char *layer_id;
} Drawn;

static void
drawn_free(gpointer data)
{
    Drawn *drawn = data;

    g_clear_object(&drawn->texture);
    g_clear_pointer(&drawn->image, bg_image_unref);
    g_clear_pointer(&drawn->picture, bg_volume_picture_free);
    g_free(drawn->layer_id);
    g_free(drawn);
}

// As the photograph has it: through its lens, and turned round when it is.
static BgImage *
as_taken(BgImage *colour, const Request *request, GCancellable *cancellable, GError **error)
{
    const BgCamera *camera = &request->scene->params.camera;
    g_autoptr(BgImage) bent = bg_camera_has_distortion(camera)
                                  ? bg_image_distort(colour, camera, cancellable, error)
                                  : bg_image_ref(colour);

    if (bent == NULL || !request->mirrored)
        return g_steal_pointer(&bent);
    return bg_image_mirrored(bent, error);
}

static gpointer
draw_on_worker(gpointer data, GCancellable *cancellable, GError **error)
{
    Request *request = data;
    g_autoptr(BgVolumePicture) picture = bg_volume_scene_draw(request->scene, cancellable, error);

    if (picture == NULL)
        return NULL;

    g_autoptr(BgImage) image = as_taken(picture->image->colour, request, cancellable, error);
    if (image == NULL)
        return NULL;

    Drawn *drawn = g_new0(Drawn, 1);
    drawn->texture = bg_texture_from_rgb(image);
    drawn->image = g_steal_pointer(&image);
    drawn->picture = g_steal_pointer(&picture);
    drawn->rect = request->rect;
    drawn->layer_id = g_strdup(request->layer_id);
    return drawn;
}

static void
forget(BgPhotoRender *self)
{
    g_clear_object(&self->texture);
    g_clear_pointer(&self->image, bg_image_unref);
    g_clear_pointer(&self->picture, bg_volume_picture_free);
    g_clear_pointer(&self->layer_id, g_free);
}

static void
on_drawn(gpointer owner, gpointer result, const GError *error)
{
    BgPhotoRender *self = owner;
    Drawn *drawn = result;

    if (drawn == NULL) {
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            bg_session_fail(self->session,
                            _("The volume could not be drawn from where the photograph was taken"),
                            error);
        return;
    }
    forget(self);
    self->texture = g_steal_pointer(&drawn->texture);
    self->image = g_steal_pointer(&drawn->image);
    self->picture = g_steal_pointer(&drawn->picture);
    self->layer_id = g_steal_pointer(&drawn->layer_id);
    self->rect = drawn->rect;
    drawn_free(drawn);
    g_signal_emit(self, changed_signal, 0);
}

static Request *
new_request(BgPhotoRender *self, double scale)
{
    const BgPhotoCamera *camera = bg_photo_get_camera(self->session);
    BgPhotoRect rect = self->wanted;

    if (camera == NULL || !(rect.width > 0.0) || !(rect.height > 0.0))
        return NULL;
    if (bg_camera_has_distortion(&camera->camera)) {
        double margin = LENS_MARGIN * MAX(rect.width, rect.height);
        rect = (BgPhotoRect){ rect.left - margin, rect.top - margin, rect.width + 2.0 * margin,
                              rect.height + 2.0 * margin };
    }
    scale = MIN(scale, MAX_SIDE / MAX(rect.width, rect.height));
    int width = MAX((int) lround(rect.width * scale), 1);
    int height = MAX((int) lround(rect.height * scale), 1);
    BgVolumeScene *scene = bg_volume_scene_new(self->session, width, height);
    if (scene == NULL)
        return NULL;

    rect.width = width / scale;
    rect.height = height / scale;
    scene->params.camera = bg_photo_crop_camera(camera, rect.left + 0.5 / scale,
                                                rect.top + 0.5 / scale, scale, width, height);
    scene->params.transparent = TRUE;
    Request *request = g_new0(Request, 1);
    request->scene = scene;
    request->rect = rect;
    request->mirrored = camera->mirrored;
    request->layer_id = g_strdup(camera->layer_id);
    return request;
}

static void
post(BgPhotoRender *self, gboolean draft)
{
    BgWorker *worker = bg_session_get_volume_worker(self->session);
    Request *request = new_request(self, draft ? self->scale / DRAFT_DIVISOR : self->scale);

    bg_worker_cancel(worker, G_OBJECT(self), draft ? 1 : 0);
    if (request == NULL) {
        bg_worker_cancel(worker, G_OBJECT(self), draft ? 0 : 1);
        forget(self);
        g_signal_emit(self, changed_signal, 0);
        return;
    }
    BgWork work = { .owner = G_OBJECT(self),
                    .slot = draft ? 0 : 1,
                    .yields = !draft,
                    .func = draw_on_worker,
                    .request = request,
                    .free_request = request_free,
                    .done = on_drawn,
                    .free_result = drawn_free };
    bg_worker_post(worker, &work);
}

static gboolean
on_refine(gpointer user_data)
{
    BgPhotoRender *self = user_data;

    self->refine_id = 0;
    post(self, FALSE);
    return G_SOURCE_REMOVE;
}

void
bg_photo_render_want(BgPhotoRender *self, const BgPhotoRect *rect, double scale)
{
    const BgPhotoCamera *camera = bg_photo_get_camera(self->session);

    self->wanted = *rect;
    self->scale = scale;
    if (camera == NULL || g_strcmp0(camera->layer_id, self->layer_id) != 0)
        forget(self); // a picture from elsewhere must not lie over this photograph
    post(self, TRUE);
    g_clear_handle_id(&self->refine_id, g_source_remove);
    self->refine_id = g_timeout_add(REFINE_MS, on_refine, self);
}

GdkTexture *
bg_photo_render_get(BgPhotoRender *self, BgPhotoRect *rect)
{
    *rect = self->rect;
    return self->texture;
}

BgImage *
bg_photo_render_get_image(BgPhotoRender *self, BgPhotoRect *rect, const char **layer_id)
{
    *rect = self->rect;
    *layer_id = self->layer_id;
    return self->image;
}

const char *
bg_photo_render_get_engine(BgPhotoRender *self)
{
    return self->picture != NULL ? self->picture->engine : NULL;
}

gboolean
bg_photo_render_pick(BgPhotoRender *self, double u, double v, BgVec3 *at_mm)
{
    const BgPhotoCamera *camera = bg_photo_get_camera(self->session);
    BgVec3 origin_mm, direction;
    double x, y, depth_mm;

    if (camera == NULL || self->picture == NULL ||
        !bg_photo_ray(camera, u, v, &origin_mm, &direction) ||
        !bg_camera_project(&self->picture->image->camera,
                           bg_vec3_along(origin_mm, 1000.0, direction), &x, &y, &depth_mm))
        return FALSE;

    const BgImageFormat *format = bg_image_get_format(self->picture->image->depth);
    int column = (int) lround(x), row = (int) lround(y);
    if (column < 0 || row < 0 || column >= format->width || row >= format->height)
        return FALSE;
    const float *depths = bg_image_get_pixels(self->picture->image->depth);
    double away_mm = (double) depths[(gsize) row * (gsize) format->width + (gsize) column];
    if (!isfinite(away_mm))
        return FALSE;
    *at_mm = bg_vec3_along(origin_mm, away_mm, direction);
    return TRUE;
}

static void
bg_photo_render_dispose(GObject *object)
{
    BgPhotoRender *self = BG_PHOTO_RENDER(object);

    g_clear_handle_id(&self->refine_id, g_source_remove);
    forget(self);
    g_clear_object(&self->session);

    G_OBJECT_CLASS(bg_photo_render_parent_class)->dispose(object);
}

static void
bg_photo_render_class_init(BgPhotoRenderClass *klass)
{
    G_OBJECT_CLASS(klass)->dispose = bg_photo_render_dispose;
    changed_signal = g_signal_new("changed", BG_TYPE_PHOTO_RENDER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 0);
}

static void
bg_photo_render_init(BgPhotoRender *self)
{
}

BgPhotoRender *
bg_photo_render_new(BgSession *session)
{
    BgPhotoRender *self = g_object_new(BG_TYPE_PHOTO_RENDER, NULL);

    self->session = g_object_ref(session);
    return self;
}
