// SPDX-License-Identifier: Apache-2.0
#include "ui/view/bg-oblique-view.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-i18n.h"
#include "core/register/bg-landmark-plane.h"
#include "ui/view/bg-slice-scene.h"

#define HEIGHT_PX 220
#define LINE_PX 2.0

struct _BgObliqueView {
    GtkWidget parent_instance;

    BgSession *session; // owned, nullable
    BgObliqueLook look;
    GdkTexture *texture; // owned, nullable
    BgSliceFrame frame;  // of the texture
    GArray *lines;       // owned, nullable: of Line, in the texture's pixels
};

G_DEFINE_FINAL_TYPE(BgObliqueView, bg_oblique_view, GTK_TYPE_WIDGET)

typedef struct {
    double x, y, to_x, to_y;
    double rgb[3];
} Line;

typedef struct {
    BgSliceScene *scene;
    GPtrArray *meshes;
    BgVolume *volume;
    double centre, width; // of the window: what the colours go over
    double depth_mm;
} Request;

static void
request_free(gpointer data)
{
    Request *request = data;

    bg_slice_scene_free(request->scene);
    g_ptr_array_unref(request->meshes);
    bg_volume_unref(request->volume);
    g_free(request);
}

typedef struct {
    GdkTexture *texture;
    BgSliceFrame frame;
    GArray *lines;
    double depth_mm;
    guint n_contours;
    double low, high; // values on the contours
} Drawn;

static void
drawn_free(gpointer data)
{
    Drawn *drawn = data;

    g_clear_object(&drawn->texture);
    g_clear_pointer(&drawn->lines, g_array_unref);
    g_free(drawn);
}

static void
add_contour(const Request *request, const BgPlaneContour *contour, Drawn *drawn)
{
    Line line = { 0 };

    for (guint i = 0; i < contour->points->len; i++) {
        double value = g_array_index(contour->values, double, i);
        guint8 rgb[3];
        bg_slice_frame_project(&drawn->frame, g_array_index(contour->points, BgVec3, i), &line.to_x,
                               &line.to_y);
        bg_colour_map_at(BG_COLOUR_MAP_VIRIDIS,
                         isfinite(value) ? (value - request->centre) / request->width + 0.5 : 0.0,
                         rgb);
        for (int c = 0; c < 3; c++)
            line.rgb[c] = rgb[c] / 255.0;
        if (i > 0)
            g_array_append_val(drawn->lines, line);
        line.x = line.to_x;
        line.y = line.to_y;
        if (isfinite(value)) {
            drawn->low = fmin(drawn->low, value);
            drawn->high = fmax(drawn->high, value);
        }
    }
    drawn->n_contours++;
}

static gpointer
draw_on_worker(gpointer data, GCancellable *cancellable, GError **error)
{
    Request *request = data;
    g_autoptr(BgSlicePicture) picture = bg_slice_scene_draw(request->scene, cancellable, error);

    if (picture == NULL)
        return NULL;
    int width = picture->frame.width, height = picture->frame.height;
    gsize stride = (gsize) width * sizeof(guint32);
    gpointer pixels = g_steal_pointer(&picture->pixels);
    g_autoptr(GBytes) bytes =
        g_bytes_new_with_free_func(pixels, stride * (gsize) height, bg_buffer_free, pixels);
    Drawn *drawn = g_new0(Drawn, 1);
    drawn->frame = picture->frame;
    drawn->depth_mm = request->depth_mm;
    drawn->texture = gdk_memory_texture_new(width, height, GDK_MEMORY_DEFAULT, bytes, stride);
    drawn->lines = g_array_new(FALSE, FALSE, sizeof(Line));
    drawn->low = INFINITY;
    drawn->high = -INFINITY;
    for (guint i = 0; i < request->meshes->len; i++) {
        g_autoptr(GPtrArray) contours =
            bg_plane_contours(request->meshes->pdata[i], picture->frame.origin_mm,
                              picture->frame.normal, request->volume);
        for (guint n = 0; n < contours->len; n++)
            add_contour(request, contours->pdata[n], drawn);
    }
    return drawn;
}

static void
set_name(BgObliqueView *self, const Drawn *drawn)
{
    g_autofree char *name = NULL;

    if (drawn == NULL)
        name = g_strdup(_("Oblique slice, empty"));
    else if (drawn->n_contours == 0)
        // Translators: a length in mm
        name = g_strdup_printf(_("Oblique slice, %.1f mm deep"), drawn->depth_mm);
    else
        name = g_strdup_printf(
            // Translators: a length in mm, a number of lines, two values of the volume
            ngettext("Oblique slice, %.1f mm deep, %u contour, values %.4g to %.4g",
                     "Oblique slice, %.1f mm deep, %u contours, values %.4g to %.4g",
                     drawn->n_contours),
            drawn->depth_mm, drawn->n_contours, drawn->low, drawn->high);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    gtk_widget_set_tooltip_text(GTK_WIDGET(self), name);
}

static void
on_drawn(gpointer owner, gpointer result, const GError *error)
{
    BgObliqueView *self = owner;
    Drawn *drawn = result;

    if (drawn == NULL)
        return; // a newer one is on its way, or the slice itself has said why not
    g_set_object(&self->texture, drawn->texture);
    self->frame = drawn->frame;
    g_clear_pointer(&self->lines, g_array_unref);
    self->lines = g_steal_pointer(&drawn->lines);
    set_name(self, drawn);
    drawn_free(drawn);
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static Request *
new_request(BgObliqueView *self)
{
    int scale = gtk_widget_get_scale_factor(GTK_WIDGET(self));
    int width = gtk_widget_get_width(GTK_WIDGET(self)) * scale;
    int height = gtk_widget_get_height(GTK_WIDGET(self)) * scale;
    const BgLayer *volume = bg_session_get_volume(self->session);
    const GPtrArray *layers = bg_session_get_state(self->session)->layers;
    BgSliceFrame frame;

    if (volume == NULL || width < 1 || height < 1)
        return NULL;
    const BgObliquePlane plane = { .point_mm = self->look.middle_mm,
                                   .normal = self->look.normal,
                                   .spacing_mm = self->look.extent_mm / MIN(width, height),
                                   .width = width,
                                   .height = height };
    if (!bg_slice_frame_oblique(&plane, NULL, &frame, NULL))
        return NULL;
    Request *request = g_new0(Request, 1);
    request->scene = bg_slice_scene_new_at(self->session, &frame);
    request->volume = bg_volume_ref(volume->payload.volume);
    request->centre = volume->window_centre;
    request->width = MAX(volume->window_width, 1e-9);
    request->depth_mm = self->look.depth_mm;
    request->meshes = g_ptr_array_new_with_free_func((GDestroyNotify) bg_mesh_unref);
    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = g_ptr_array_index(layers, i);
        if (layer->visible && layer->payload.mesh != NULL)
            g_ptr_array_add(request->meshes, bg_mesh_ref(layer->payload.mesh));
    }
    return request;
}

static void
request_picture(BgObliqueView *self)
{
    Request *request =
        self->session != NULL && gtk_widget_get_mapped(GTK_WIDGET(self)) ? new_request(self) : NULL;

    if (request == NULL)
        return;
    BgWork work = { .owner = G_OBJECT(self),
                    .yields = TRUE,
                    .func = draw_on_worker,
                    .request = request,
                    .free_request = request_free,
                    .done = on_drawn,
                    .free_result = drawn_free };
    bg_worker_post(bg_session_get_slice_worker(self->session), &work);
}

void
bg_oblique_view_show(BgObliqueView *self, BgSession *session, const BgObliqueLook *look)
{
    g_set_object(&self->session, session);
    if (session == NULL) {
        g_clear_object(&self->texture);
        set_name(self, NULL);
        gtk_widget_queue_draw(GTK_WIDGET(self));
        return;
    }
    self->look = *look;
    request_picture(self);
}

static void
bg_oblique_view_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    BgObliqueView *self = BG_OBLIQUE_VIEW(widget);
    float width = (float) gtk_widget_get_width(widget);
    float height = (float) gtk_widget_get_height(widget);
    graphene_rect_t bounds = GRAPHENE_RECT_INIT(0.0f, 0.0f, width, height);

    gtk_snapshot_append_color(snapshot, &(GdkRGBA){ 0.0f, 0.0f, 0.0f, 1.0f }, &bounds);
    if (self->texture == NULL)
        return;
    gtk_snapshot_append_texture(snapshot, self->texture, &bounds);
    cairo_t *cr = gtk_snapshot_append_cairo(snapshot, &bounds);
    double scale = (double) width / MAX(self->frame.width, 1);
    cairo_scale(cr, scale, scale);
    cairo_set_line_width(cr, LINE_PX / scale);
    for (guint i = 0; self->lines != NULL && i < self->lines->len; i++) {
        const Line *line = &g_array_index(self->lines, Line, i);
        cairo_move_to(cr, line->x + 0.5, line->y + 0.5);
        cairo_line_to(cr, line->to_x + 0.5, line->to_y + 0.5);
        cairo_set_source_rgb(cr, line->rgb[0], line->rgb[1], line->rgb[2]);
        cairo_stroke(cr);
    }
    cairo_destroy(cr);
}

static void
bg_oblique_view_measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                        int *natural, int *minimum_baseline, int *natural_baseline)
{
    *minimum = *natural = orientation == GTK_ORIENTATION_VERTICAL ? HEIGHT_PX : 0;
}

static void
bg_oblique_view_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
    request_picture(BG_OBLIQUE_VIEW(widget));
}

static void
bg_oblique_view_map(GtkWidget *widget)
{
    GTK_WIDGET_CLASS(bg_oblique_view_parent_class)->map(widget);
    request_picture(BG_OBLIQUE_VIEW(widget));
}

static void
bg_oblique_view_dispose(GObject *object)
{
    BgObliqueView *self = BG_OBLIQUE_VIEW(object);

    g_clear_object(&self->session);
    g_clear_object(&self->texture);
    g_clear_pointer(&self->lines, g_array_unref);

    G_OBJECT_CLASS(bg_oblique_view_parent_class)->dispose(object);
}

static void
bg_oblique_view_class_init(BgObliqueViewClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_oblique_view_dispose;
    widget_class->snapshot = bg_oblique_view_snapshot;
    widget_class->measure = bg_oblique_view_measure;
    widget_class->size_allocate = bg_oblique_view_size_allocate;
    widget_class->map = bg_oblique_view_map;
    gtk_widget_class_set_css_name(widget_class, "obliqueview");
    gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
bg_oblique_view_init(BgObliqueView *self)
{
    gtk_widget_set_hexpand(GTK_WIDGET(self), TRUE);
    gtk_widget_set_overflow(GTK_WIDGET(self), GTK_OVERFLOW_HIDDEN);
    set_name(self, NULL);
}
