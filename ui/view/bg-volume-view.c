// SPDX-License-Identifier: Apache-2.0
#include "ui/view/bg-volume-view.h"

#include "core/base/bg-i18n.h"
#include "ui/view/bg-volume-view-private.h"

#define DRAFT_SECONDS 0.07 // what a picture may take while something moves
#define DRAFT_MAX 4.0      // coarser than every fourth pixel is no picture
#define REFINE_MS 120
#define SLOW_MS 300 // from when on a pane says what it waits for
#define WAIT_TEXT_PX 12.0
#define SLOT_DRAFT 0
#define SLOT_FINE 1

G_DEFINE_FINAL_TYPE(BgVolumeView, bg_volume_view, GTK_TYPE_WIDGET)

gboolean
bg_volume_view_camera(BgVolumeView *self, BgCamera *camera, BgVec3 *centre_mm)
{
    g_autoptr(BgVolumeScene) scene =
        bg_volume_scene_new(self->session, gtk_widget_get_width(GTK_WIDGET(self)),
                            gtk_widget_get_height(GTK_WIDGET(self)));

    if (scene == NULL)
        return FALSE;

    *camera = scene->params.camera;
    *centre_mm = scene->centre_mm;
    return TRUE;
}

typedef struct {
    GdkTexture *texture;
    BgVolumePicture *picture;
    gboolean draft;
} Shown;

typedef struct {
    BgVolumeScene *scene;
    gboolean draft;
} Request;

static void
shown_free(gpointer data)
{
    Shown *shown = data;

    g_clear_object(&shown->texture);
    g_clear_pointer(&shown->picture, bg_volume_picture_free);
    g_free(shown);
}

static void
request_free(gpointer data)
{
    Request *request = data;

    bg_volume_scene_free(request->scene);
    g_free(request);
}

static gpointer
draw_on_worker(gpointer data, GCancellable *cancellable, GError **error)
{
    Request *request = data;
    BgVolumePicture *picture = bg_volume_scene_draw(request->scene, cancellable, error);

    if (picture == NULL)
        return NULL;

    BgImage *colour = picture->image->colour;
    const BgImageFormat *format = bg_image_get_format(colour);
    g_autoptr(GBytes) bytes =
        g_bytes_new_with_free_func(bg_image_get_pixels(colour), bg_image_get_n_bytes(colour),
                                   (GDestroyNotify) bg_image_unref, bg_image_ref(colour));
    Shown *shown = g_new0(Shown, 1);
    shown->texture = gdk_memory_texture_new(format->width, format->height, GDK_MEMORY_R8G8B8A8,
                                            bytes, (gsize) format->width * 4);
    shown->picture = picture;
    shown->draft = request->draft;
    return shown;
}

static gboolean
on_slow(gpointer user_data)
{
    BgVolumeView *self = user_data;

    self->slow_id = 0;
    self->is_slow = TRUE;
    gtk_widget_queue_draw(GTK_WIDGET(self));
    return G_SOURCE_REMOVE;
}

static void
stop_waiting(BgVolumeView *self)
{
    g_clear_handle_id(&self->slow_id, g_source_remove);
    self->is_slow = FALSE;
}

static void
on_drawn(gpointer owner, gpointer result, const GError *error)
{
    BgVolumeView *self = owner;
    Shown *shown = result;

    if (shown == NULL) {
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            bg_session_fail(self->session, _("The 3D picture could not be drawn"), error);
        stop_waiting(self);
        return;
    }

    const BgCamera *camera = &shown->picture->image->camera;
    double cost = shown->picture->seconds / ((double) camera->width * camera->height);
    if (shown->draft)
        self->seconds_per_pixel =
            self->seconds_per_pixel > 0.0 ? 0.5 * (self->seconds_per_pixel + cost) : cost;
    else if (self->seconds_per_pixel <= 0.0)
        self->seconds_per_pixel = cost;
    g_debug("3D: %dx%d in %.1f ms, %s%s", camera->width, camera->height,
            shown->picture->seconds * 1e3, shown->picture->engine, shown->draft ? ", draft" : "");

    g_set_object(&self->texture, shown->texture);
    g_clear_pointer(&self->picture, bg_volume_picture_free);
    self->picture = g_steal_pointer(&shown->picture);
    self->texture_is_draft = shown->draft;
    shown_free(shown);
    stop_waiting(self);
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
post(BgVolumeView *self, gboolean draft)
{
    int scale = gtk_widget_get_scale_factor(GTK_WIDGET(self));
    int width = gtk_widget_get_width(GTK_WIDGET(self)) * scale;
    int height = gtk_widget_get_height(GTK_WIDGET(self)) * scale;
    BgWorker *worker = bg_session_get_volume_worker(self->session);

    if (width < 1 || height < 1)
        return;

    if (draft) {
        double full = self->seconds_per_pixel * width * height;
        double divisor = full > DRAFT_SECONDS ? MIN(sqrt(full / DRAFT_SECONDS), DRAFT_MAX) : 1.0;
        width = MAX((int) (width / divisor), 1);
        height = MAX((int) (height / divisor), 1);
    }

    BgVolumeScene *scene = bg_volume_scene_new(self->session, width, height);
    if (scene == NULL) {
        bg_worker_cancel(worker, G_OBJECT(self), SLOT_DRAFT);
        bg_worker_cancel(worker, G_OBJECT(self), SLOT_FINE);
        g_clear_object(&self->texture);
        stop_waiting(self);
        gtk_widget_queue_draw(GTK_WIDGET(self));
        return;
    }
    if (self->texture == NULL && self->slow_id == 0 && !self->is_slow)
        self->slow_id = g_timeout_add(SLOW_MS, on_slow, self);

    Request *request = g_new0(Request, 1);
    request->scene = scene;
    request->draft = draft;
    if (draft)
        bg_worker_cancel(worker, G_OBJECT(self), SLOT_FINE);
    BgWork work = { .owner = G_OBJECT(self),
                    .slot = draft ? SLOT_DRAFT : SLOT_FINE,
                    .yields = !draft,
                    .func = draw_on_worker,
                    .request = request,
                    .free_request = request_free,
                    .done = on_drawn,
                    .free_result = shown_free };
    bg_worker_post(worker, &work);
}

static gboolean
on_refine(gpointer user_data)
{
    BgVolumeView *self = user_data;

    self->refine_id = 0;
    post(self, FALSE);
    return G_SOURCE_REMOVE;
}

// A draft at once, and the fine picture when nothing has moved for a moment.
static void
request_picture(BgVolumeView *self)
{
    gtk_widget_queue_draw(GTK_WIDGET(self));
    g_clear_handle_id(&self->refine_id, g_source_remove);
    if (self->seconds_per_pixel > 0.0) {
        post(self, TRUE);
        self->refine_id = g_timeout_add(REFINE_MS, on_refine, self);
    } else {
        // The first picture: a small one tells what drawing costs here.
        self->seconds_per_pixel = 1e-6;
        post(self, TRUE);
        self->refine_id = g_timeout_add(REFINE_MS, on_refine, self);
    }
}

static void
update_name(BgVolumeView *self)
{
    const BgView *view = &bg_session_get_state(self->session)->view;
    g_autofree char *name = NULL;

    if (bg_session_get_geometry(self->session) == NULL)
        name = g_strdup(_("3D picture, empty"));
    else
        // Translators: from where a 3D picture is seen, in degrees
        name = g_strdup_printf(_("3D picture, azimuth %.0f, elevation %.0f, zoom %.2f"),
                               view->azimuth_deg, view->elevation_deg, view->zoom);

    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

static void
on_session_changed(BgSession *session, guint changes, gpointer user_data)
{
    BgVolumeView *self = user_data;
    guint look = BG_CHANGE_LAYERS | BG_CHANGE_LOOK | BG_CHANGE_VIEW | BG_CHANGE_CLIP |
                 BG_CHANGE_TOGGLES | BG_CHANGE_SELECTION | BG_CHANGE_CASE;

    if (changes & (BG_CHANGE_VIEW | BG_CHANGE_LAYERS | BG_CHANGE_CASE))
        update_name(self);
    if (changes & look)
        request_picture(self);
    else if (changes & BG_CHANGE_MEASUREMENTS)
        gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
bg_volume_view_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    BgVolumeView *self = BG_VOLUME_VIEW(widget);
    graphene_rect_t bounds = GRAPHENE_RECT_INIT(0.0f, 0.0f, (float) gtk_widget_get_width(widget),
                                                (float) gtk_widget_get_height(widget));
    const GskColorStop stops[2] = { { 0.0f, { 0.106f, 0.114f, 0.125f, 1.0f } },
                                    { 1.0f, { 0.047f, 0.051f, 0.055f, 1.0f } } };
    BgCamera camera;
    BgVec3 centre_mm;
    int dpi = 0;

    if (self->texture != NULL)
        gtk_snapshot_append_texture(snapshot, self->texture, &bounds);
    else
        gtk_snapshot_append_linear_gradient(snapshot, &bounds, &GRAPHENE_POINT_INIT(0.0f, 0.0f),
                                            &GRAPHENE_POINT_INIT(0.0f, bounds.size.height), stops,
                                            2);
    if (!bg_volume_view_camera(self, &camera, &centre_mm))
        return;

    g_object_get(gtk_widget_get_settings(widget), "gtk-xft-dpi", &dpi, NULL);
    g_autoptr(GArray) marks =
        bg_volume_marks(self->session, &camera, centre_mm, bg_volume_view_get_engine(self),
                        dpi > 0 ? dpi / (96.0 * 1024.0) : 1.0, TRUE);
    if (self->texture == NULL && self->is_slow) {
        BgMark waiting = { .kind = BG_MARK_PILL,
                           .size = WAIT_TEXT_PX,
                           .x = 0.5 * (double) bounds.size.width,
                           .y = 0.5 * (double) bounds.size.height,
                           .to_x = 0.5,
                           .to_y = 0.5,
                           .rgba = { 0.9f, 0.9f, 0.9f, 1.0f } };
        g_strlcpy(waiting.text, _("Drawing…"), sizeof waiting.text);
        g_array_append_val(marks, waiting);
    }
    cairo_t *cr = gtk_snapshot_append_cairo(snapshot, &bounds);
    bg_annotations_draw(marks, cr);
    cairo_destroy(cr);
}

static void
bg_volume_view_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
    BgVolumeView *self = BG_VOLUME_VIEW(widget);

    if (self->menu != NULL)
        gtk_popover_present(GTK_POPOVER(self->menu));
    request_picture(self);
}

const char *
bg_volume_view_get_engine(BgVolumeView *self)
{
    return self->picture != NULL ? self->picture->engine : NULL;
}

static void
bg_volume_view_dispose(GObject *object)
{
    BgVolumeView *self = BG_VOLUME_VIEW(object);

    g_clear_handle_id(&self->refine_id, g_source_remove);
    g_clear_handle_id(&self->slow_id, g_source_remove);
    if (self->session != NULL)
        g_signal_handlers_disconnect_by_data(self->session, self);
    g_clear_pointer(&self->menu, gtk_widget_unparent);
    g_clear_object(&self->session);
    g_clear_object(&self->texture);
    g_clear_pointer(&self->picture, bg_volume_picture_free);

    G_OBJECT_CLASS(bg_volume_view_parent_class)->dispose(object);
}

static void
bg_volume_view_class_init(BgVolumeViewClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_volume_view_dispose;
    widget_class->snapshot = bg_volume_view_snapshot;
    widget_class->size_allocate = bg_volume_view_size_allocate;
    gtk_widget_class_set_css_name(widget_class, "volumeview");
    gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
bg_volume_view_init(BgVolumeView *self)
{
    gtk_widget_set_focusable(GTK_WIDGET(self), TRUE);
    gtk_widget_set_hexpand(GTK_WIDGET(self), TRUE);
    gtk_widget_set_vexpand(GTK_WIDGET(self), TRUE);
    gtk_widget_set_overflow(GTK_WIDGET(self), GTK_OVERFLOW_HIDDEN);
}

GtkWidget *
bg_volume_view_new(BgSession *session)
{
    BgVolumeView *self = g_object_new(BG_TYPE_VOLUME_VIEW, NULL);

    self->session = g_object_ref(session);
    g_signal_connect(session, "changed", G_CALLBACK(on_session_changed), self);
    bg_volume_view_init_input(self);
    update_name(self);

    return GTK_WIDGET(self);
}
