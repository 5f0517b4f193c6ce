// SPDX-License-Identifier: Apache-2.0
#include "ui/view/bg-slice-view.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-i18n.h"
#include "ui/view/bg-loupe.h"
#include "ui/view/bg-slice-view-private.h"

G_DEFINE_FINAL_TYPE(BgSliceView, bg_slice_view, GTK_TYPE_WIDGET)

gboolean
bg_slice_view_frame(BgSliceView *self, BgSliceFrame *frame)
{
    BgSlicePane pane;

    if (!bg_slice_pane_of(self->session, self->plane, gtk_widget_get_width(GTK_WIDGET(self)),
                          gtk_widget_get_height(GTK_WIDGET(self)), &pane))
        return FALSE;

    *frame = bg_slice_frame_for_pane(&pane);
    return TRUE;
}

gboolean
bg_slice_view_point_mm(BgSliceView *self, double x, double y, BgVec3 *patient_mm)
{
    BgSliceFrame frame;

    if (!bg_slice_view_frame(self, &frame))
        return FALSE;

    *patient_mm = bg_slice_frame_point(&frame, x - 0.5, y - 0.5);
    return TRUE;
}

// The picture becomes a texture on the worker already: the main thread copies nothing.
typedef struct {
    BgSliceFrame frame;
    GdkTexture *texture;
    GPtrArray *contours;
} Shown;

static void
shown_free(gpointer data)
{
    Shown *shown = data;

    g_clear_object(&shown->texture);
    g_clear_pointer(&shown->contours, g_ptr_array_unref);
    g_free(shown);
}

static gpointer
draw_on_worker(gpointer request, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSlicePicture) picture = bg_slice_scene_draw(request, cancellable, error);

    if (picture == NULL)
        return NULL;

    int width = picture->frame.width, height = picture->frame.height;
    gsize stride = (gsize) width * sizeof(guint32);
    gpointer pixels = g_steal_pointer(&picture->pixels);
    g_autoptr(GBytes) bytes =
        g_bytes_new_with_free_func(pixels, stride * (gsize) height, bg_buffer_free, pixels);
    Shown *shown = g_new0(Shown, 1);

    shown->frame = picture->frame;
    shown->texture = gdk_memory_texture_new(width, height, GDK_MEMORY_DEFAULT, bytes, stride);
    shown->contours = g_steal_pointer(&picture->contours);
    return shown;
}

static void
on_drawn(gpointer owner, gpointer result, const GError *error)
{
    BgSliceView *self = owner;
    Shown *shown = result;

    if (shown == NULL) {
        bg_session_fail(self->session, _("A slice could not be drawn"), error);
        return;
    }

    g_set_object(&self->texture, shown->texture);
    g_clear_pointer(&self->contours, g_ptr_array_unref);
    self->contours = g_steal_pointer(&shown->contours);
    self->texture_frame = shown->frame;
    self->n_pictures++;
    g_debug("slice %d: %.1f ms from request to picture", (int) self->plane,
            (double) (g_get_monotonic_time() - self->requested_us) * 1e-3);
    if (self->stroke_us != 0)
        g_debug("slice %d: %.1f ms from stroke to picture", (int) self->plane,
                (double) (g_get_monotonic_time() - self->stroke_us) * 1e-3);
    self->stroke_us = 0;
    shown_free(shown);
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
request_picture(BgSliceView *self)
{
    int scale = gtk_widget_get_scale_factor(GTK_WIDGET(self));
    int width = gtk_widget_get_width(GTK_WIDGET(self)) * scale;
    int height = gtk_widget_get_height(GTK_WIDGET(self)) * scale;
    BgSliceScene *scene = bg_slice_scene_new(self->session, self->plane, width, height);

    gtk_widget_queue_draw(GTK_WIDGET(self));
    if (scene == NULL) {
        bg_worker_cancel(bg_session_get_slice_worker(self->session), G_OBJECT(self), 0);
        g_clear_object(&self->texture);
        return;
    }

    BgWork work = { .owner = G_OBJECT(self),
                    .func = draw_on_worker,
                    .request = scene,
                    .free_request = (GDestroyNotify) bg_slice_scene_free,
                    .done = on_drawn,
                    .free_result = shown_free };
    self->requested_us = g_get_monotonic_time();
    bg_worker_post(bg_session_get_slice_worker(self->session), &work);
}

static const char *
accessible_name(BgPlane plane)
{
    switch (plane) {
    case BG_PLANE_AXIAL:
        // Translators: which slice of how many, and where
        return _("Axial slice, %d of %d, %s");
    case BG_PLANE_CORONAL:
        // Translators: which slice of how many, and where
        return _("Coronal slice, %d of %d, %s");
    case BG_PLANE_SAGITTAL:
        // Translators: which slice of how many, and where
        return _("Sagittal slice, %d of %d, %s");
    }
    return "%d %d %s";
}

static const char *
empty_name(BgPlane plane)
{
    switch (plane) {
    case BG_PLANE_AXIAL:
        return _("Axial slice, empty");
    case BG_PLANE_CORONAL:
        return _("Coronal slice, empty");
    case BG_PLANE_SAGITTAL:
        return _("Sagittal slice, empty");
    }
    return "";
}

static void
update_name(BgSliceView *self)
{
    const BgGeometry *geometry = bg_session_get_slices(self->session);
    g_autofree char *name = NULL;

    if (geometry == NULL) {
        name = g_strdup(empty_name(self->plane));
    } else {
        BgVec3 cursor_mm = bg_session_get_state(self->session)->cursor_mm;
        g_autofree char *position = bg_format_position(cursor_mm);
        int axis = bg_slice_axis_for_plane(geometry, self->plane);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        name = g_strdup_printf(accessible_name(self->plane),
                               bg_slice_index_at(geometry, self->plane, cursor_mm) + 1,
                               geometry->dims[axis], position);
#pragma GCC diagnostic pop
    }

    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

static void
on_session_changed(BgSession *session, guint changes, gpointer user_data)
{
    BgSliceView *self = user_data;

    if (changes & (BG_CHANGE_CURSOR | BG_CHANGE_LAYERS | BG_CHANGE_LOOK | BG_CHANGE_TOGGLES |
                   BG_CHANGE_SELECTION | BG_CHANGE_CASE))
        update_name(self);
    guint drawn = BG_CHANGE_CURSOR | BG_CHANGE_LAYERS | BG_CHANGE_LOOK | BG_CHANGE_PANES |
                  BG_CHANGE_TOGGLES | BG_CHANGE_CASE;
    // A stroke shows where it is painted; the other panes follow when it ends.
    if (self->drag == BG_DRAG_PAINT)
        drawn |= BG_CHANGE_VOXELS;
    if (changes & drawn)
        request_picture(self);
    else if (changes & (BG_CHANGE_MEASUREMENTS | BG_CHANGE_LANDMARKS | BG_CHANGE_SELECTION))
        gtk_widget_queue_draw(GTK_WIDGET(self));
}

// Where the picture's pixels (0, 0) .. (width, height) are in the pane now.
static graphene_rect_t
texture_rect(BgSliceView *self, const BgSliceFrame *frame)
{
    const BgSliceFrame *made = &self->texture_frame;
    double x0, y0, x1, y1;

    bg_slice_frame_project(frame, bg_slice_frame_point(made, -0.5, -0.5), &x0, &y0);
    bg_slice_frame_project(frame, bg_slice_frame_point(made, made->width - 0.5, made->height - 0.5),
                           &x1, &y1);

    return GRAPHENE_RECT_INIT((float) (x0 + 0.5), (float) (y0 + 0.5), (float) (x1 - x0),
                              (float) (y1 - y0));
}

static void
draw_contours(BgSliceView *self, const graphene_rect_t *rect, cairo_t *cr)
{
    double scale = (double) rect->size.width / MAX(self->texture_frame.width, 1);

    if (self->contours == NULL || self->contours->len == 0)
        return;

    cairo_save(cr);
    cairo_translate(cr, (double) rect->origin.x, (double) rect->origin.y);
    cairo_scale(cr, scale, scale);
    for (guint i = 0; i < self->contours->len; i++) {
        const BgMeshLines *lines = self->contours->pdata[i];
        bg_contours_draw(lines->contours, lines->rgb, 1.5 / scale, cr);
    }
    cairo_restore(cr);
}

static void
bg_slice_view_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    BgSliceView *self = BG_SLICE_VIEW(widget);
    float width = (float) gtk_widget_get_width(widget);
    float height = (float) gtk_widget_get_height(widget);
    graphene_rect_t bounds = GRAPHENE_RECT_INIT(0.0f, 0.0f, width, height);
    BgSliceFrame frame;

    gtk_snapshot_append_color(snapshot, &(GdkRGBA){ 0.0f, 0.0f, 0.0f, 1.0f }, &bounds);
    if (!bg_slice_view_frame(self, &frame))
        return;

    gtk_snapshot_push_clip(snapshot, &bounds);
    graphene_rect_t rect = bounds;
    if (self->texture != NULL) {
        rect = texture_rect(self, &frame);
        gtk_snapshot_append_texture(snapshot, self->texture, &rect);
    }

    cairo_t *cr = gtk_snapshot_append_cairo(snapshot, &bounds);
    double percent = 1.0;
    int dpi = 0;
    g_object_get(gtk_widget_get_settings(widget), "gtk-xft-dpi", &dpi, NULL);
    if (dpi > 0)
        percent = dpi / (96.0 * 1024.0);
    g_autoptr(GArray) marks = bg_slice_marks(self->session, self->plane, &frame, percent, TRUE);
    if (self->texture != NULL)
        draw_contours(self, &rect, cr);
    bg_annotations_draw(marks, cr);
    bg_slice_view_draw_brush(self, &frame, cr);
    cairo_destroy(cr);
    if (self->drag == BG_DRAG_POINT && self->texture != NULL)
        bg_loupe_append(snapshot, self->texture, &rect, &bounds, self->last_x, self->last_y);
    gtk_snapshot_pop(snapshot);
}

static void
bg_slice_view_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
    BgSliceView *self = BG_SLICE_VIEW(widget);

    if (self->menu != NULL)
        gtk_popover_present(GTK_POPOVER(self->menu));
    request_picture(self);
}

BgPlane
bg_slice_view_get_plane(BgSliceView *self)
{
    return self->plane;
}

guint
bg_slice_view_count_pictures(BgSliceView *self)
{
    return self->n_pictures;
}

static void
bg_slice_view_dispose(GObject *object)
{
    BgSliceView *self = BG_SLICE_VIEW(object);

    if (self->session != NULL)
        g_signal_handlers_disconnect_by_data(self->session, self);
    g_clear_pointer(&self->menu, gtk_widget_unparent);
    g_clear_object(&self->session);
    g_clear_object(&self->texture);
    g_clear_pointer(&self->contours, g_ptr_array_unref);
    g_clear_pointer(&self->measure_id, g_free);

    G_OBJECT_CLASS(bg_slice_view_parent_class)->dispose(object);
}

static void
bg_slice_view_class_init(BgSliceViewClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_slice_view_dispose;
    widget_class->snapshot = bg_slice_view_snapshot;
    widget_class->size_allocate = bg_slice_view_size_allocate;
    gtk_widget_class_set_css_name(widget_class, "sliceview");
    gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
bg_slice_view_init(BgSliceView *self)
{
    gtk_widget_set_focusable(GTK_WIDGET(self), TRUE);
    gtk_widget_set_hexpand(GTK_WIDGET(self), TRUE);
    gtk_widget_set_vexpand(GTK_WIDGET(self), TRUE);
    gtk_widget_set_overflow(GTK_WIDGET(self), GTK_OVERFLOW_HIDDEN);
}

GtkWidget *
bg_slice_view_new(BgSession *session, BgPlane plane)
{
    BgSliceView *self = g_object_new(BG_TYPE_SLICE_VIEW, NULL);

    self->session = g_object_ref(session);
    self->plane = plane;
    g_signal_connect(session, "changed", G_CALLBACK(on_session_changed), self);
    bg_slice_view_init_input(self);
    update_name(self);

    return GTK_WIDGET(self);
}
