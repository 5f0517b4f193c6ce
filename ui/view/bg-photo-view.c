// SPDX-License-Identifier: Apache-2.0
#include "ui/view/bg-photo-view.h"

#include "core/annotate/bg-annotations.h"
#include "core/base/bg-i18n.h"
#include "ui/model/bg-moved.h"
#include "ui/model/bg-photo.h"
#include "ui/model/bg-points.h"
#include "ui/model/bg-texture.h"
#include "ui/view/bg-error-marks.h"
#include "ui/view/bg-loupe.h"
#include "ui/view/bg-photo-view-private.h"

#define CHECKER_PX 48.0f
#define SPYGLASS_PX 90.0f
#define OUTLINE_PX 2.0
#define OUTLINE_HALO_PX 4.0

G_DEFINE_FINAL_TYPE(BgPhotoView, bg_photo_view, GTK_TYPE_WIDGET)

// Two photographs in the overlay's pane: (out) (transfer none)
static gboolean
get_pair(BgPhotoView *self, const BgLayer **below, const BgLayer **over)
{
    return self->role == BG_PHOTO_ROLE_OVERLAY && bg_photo_get_pair(self->session, below, over);
}

const BgLayer *
bg_photo_view_layer(BgPhotoView *self)
{
    const BgLayer *below, *over;

    return get_pair(self, &below, &over) ? below : bg_photo_get(self->session);
}

// (transfer none) (nullable): what fusion made of the photograph that the overlay's pane shows
static const BgFused *
get_fused(BgPhotoView *self)
{
    const BgFused *fused = bg_session_get_fused(self->session);
    const BgLayer *layer = bg_photo_view_layer(self), *below, *over;

    if (self->role != BG_PHOTO_ROLE_OVERLAY || fused == NULL || layer == NULL ||
        fused->error != NULL || get_pair(self, &below, &over))
        return NULL;
    return g_str_equal(fused->layer_id, layer->id) ? fused : NULL;
}

static gboolean
is_fusing(BgPhotoView *self)
{
    const BgLayer *below, *over;

    return self->role == BG_PHOTO_ROLE_OVERLAY && !get_pair(self, &below, &over) &&
           bg_session_get_photo_look(self->session)->fusion != 0;
}

gboolean
bg_photo_view_frame(BgPhotoView *self, BgPhotoFrame *frame)
{
    const BgLayer *layer = bg_photo_view_layer(self);
    const BgPhotoLook *look = bg_session_get_photo_look(self->session);
    double width = gtk_widget_get_width(GTK_WIDGET(self));
    double height = gtk_widget_get_height(GTK_WIDGET(self));

    if (layer == NULL || width < 1.0 || height < 1.0)
        return FALSE;

    const BgImageFormat *format = bg_image_get_format(layer->payload.image);
    frame->width = format->width;
    frame->height = format->height;
    frame->scale = look->zoom * MIN(width / format->width, height / format->height);
    frame->left = width / 2.0 - frame->scale * (format->width / 2.0 + look->pan_px[0]);
    frame->top = height / 2.0 - frame->scale * (format->height / 2.0 + look->pan_px[1]);
    return TRUE;
}

void
bg_photo_view_want(BgPhotoView *self)
{
    GtkWidget *widget = GTK_WIDGET(self);
    BgPhotoFrame frame;

    const BgLayer *below, *over;

    if (self->role == BG_PHOTO_ROLE_PICTURE || !gtk_widget_get_mapped(widget) ||
        get_pair(self, &below, &over) || !bg_photo_view_frame(self, &frame))
        return;

    // The part of the photograph that the pane shows.
    double right = MIN((gtk_widget_get_width(widget) - frame.left) / frame.scale, frame.width);
    double bottom = MIN((gtk_widget_get_height(widget) - frame.top) / frame.scale, frame.height);
    double left = MAX(-frame.left / frame.scale, 0.0), top = MAX(-frame.top / frame.scale, 0.0);
    BgPhotoRect rect = { left - 0.5, top - 0.5, right - left, bottom - top };
    bg_photo_render_want(self->render, &rect, frame.scale * gtk_widget_get_scale_factor(widget));
}

// Photographs as textures.

static gpointer
flatten_on_worker(gpointer paint, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgImage) flat = bg_photo_paint_draw(paint, FALSE, error);

    return flat != NULL ? bg_texture_from_rgb(flat) : NULL;
}

static gpointer
flatten_over_on_worker(gpointer paint, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgImage) flat = bg_photo_paint_draw(paint, TRUE, error);

    return flat != NULL ? bg_texture_from_rgb(flat) : NULL;
}

// @result: (transfer full) (nullable)
static void
take_texture(BgPhotoView *self, GdkTexture **texture, gpointer result, const GError *error)
{
    if (result == NULL) {
        bg_session_fail(self->session, _("The photograph could not be shown"), error);
        return;
    }
    g_clear_object(texture);
    *texture = result;
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
on_flat(gpointer owner, gpointer result, const GError *error)
{
    BgPhotoView *self = owner;

    take_texture(self, &self->texture, result, error);
}

static void
on_over_flat(gpointer owner, gpointer result, const GError *error)
{
    BgPhotoView *self = owner;

    take_texture(self, &self->over, result, error);
}

// @work: how @layer becomes @texture, which was made of @textured
static void
make_texture(BgPhotoView *self, const BgLayer *layer, GdkTexture **texture, BgPhotoPaint **textured,
             BgWork work)
{
    g_autoptr(BgPhotoPaint) paint =
        layer != NULL && layer->payload.image != NULL ? bg_photo_paint_new(layer) : NULL;

    if (bg_photo_paint_equal(paint, *textured))
        return;
    g_clear_object(texture);
    g_clear_pointer(textured, bg_photo_paint_unref);
    if (paint == NULL)
        return;
    *textured = bg_photo_paint_ref(paint);
    work.owner = G_OBJECT(self);
    work.yields = TRUE;
    work.request = g_steal_pointer(&paint);
    work.free_request = (GDestroyNotify) bg_photo_paint_unref;
    work.free_result = g_object_unref;
    bg_worker_post(bg_session_get_slice_worker(self->session), &work);
}

static void
take_photograph(BgPhotoView *self)
{
    const BgLayer *layer = bg_photo_view_layer(self), *below, *over;
    gboolean is_pair = get_pair(self, &below, &over);

    if (self->role == BG_PHOTO_ROLE_RENDER)
        return;
    make_texture(self, layer, &self->texture, &self->textured,
                 (BgWork){ .func = flatten_on_worker, .done = on_flat });
    make_texture(self, is_pair ? over : NULL, &self->over, &self->over_of,
                 (BgWork){ .slot = 1, .func = flatten_over_on_worker, .done = on_over_flat });
}

static const char *
role_title(BgPhotoRole role)
{
    switch (role) {
    case BG_PHOTO_ROLE_PICTURE:
        return _("PHOTOGRAPH");
    case BG_PHOTO_ROLE_RENDER:
        return _("VOLUME FROM THE CAMERA");
    case BG_PHOTO_ROLE_OVERLAY:
        return _("OVERLAY");
    }
    return "";
}

// What the colours of the pane mean; FALSE: nothing in numbers.
static gboolean
get_values(BgPhotoView *self, BgAnnotateValues *values)
{
    const BgFused *fused = is_fusing(self) ? get_fused(self) : NULL;
    const BgPhotoPaint *paint = self->over_of != NULL ? self->over_of : self->textured;

    if (self->role == BG_PHOTO_ROLE_RENDER || (is_fusing(self) && fused == NULL))
        return FALSE;
    paint = fused != NULL ? fused->paint : paint;
    if (paint == NULL || !bg_photo_paint_get_values(paint, values))
        return FALSE;
    if (fused != NULL) // brightness belongs to both by then
        values->title = bg_photo_paint_is_grey(paint) ? _("Photograph before fusion")
                                                      : _("By colour; brightness is fused");
    return TRUE;
}

// (transfer none) (nullable): (element-type BgFusionOutline): the lines that the pane shows
static const GPtrArray *
get_outlines(BgPhotoView *self)
{
    const BgFused *fused = is_fusing(self) ? get_fused(self) : NULL;

    return fused != NULL && !bg_session_get_photo_look(self->session)->no_outlines ? fused->outlines
                                                                                   : NULL;
}

// What a picture's words do not say: its bar, and whose outlines it has.
static char *
name_more(BgPhotoView *self, char *name)
{
    const GPtrArray *outlines = get_outlines(self);
    GString *more = g_string_new(name);
    BgAnnotateValues values;

    g_free(name);
    if (get_values(self, &values)) {
        g_autofree char *low = bg_annotate_value(&values, values.low);
        g_autofree char *high = bg_annotate_value(&values, values.high);
        // Translators: two temperatures: the ends of a colour bar
        g_string_append_printf(more, _(", colours from %s to %s"), low, high);
    }
    for (guint i = 0; outlines != NULL && i < outlines->len; i++)
        g_string_append_printf(more, "%s %s", i == 0 ? _(", outlined:") : ",",
                               ((const BgFusionOutline *) outlines->pdata[i])->name);
    return g_string_free(more, FALSE);
}

static void
update_name(BgPhotoView *self)
{
    const BgLayer *layer = bg_photo_get(self->session), *below, *over;
    const BgPhotoLook *look = bg_session_get_photo_look(self->session);
    g_autofree char *name = NULL;

    if (get_pair(self, &below, &over))
        // Translators: "OVERLAY", a layer's name, how ("opacity", "swipe"), how much
        name = g_strdup_printf(_("%s, %s, %s %.0f %%"), role_title(self->role), over->name,
                               bg_overlay_name(look->overlay), look->amount * 100.0);
    else if (layer == NULL)
        // Translators: %s is "PHOTOGRAPH", "OVERLAY", ...
        name = g_strdup_printf(_("%s, empty"), role_title(self->role));
    else if (is_fusing(self))
        // Translators: a layer's name, the method of fusion, how ("opacity", "swipe"), how much
        name = g_strdup_printf(_("FUSED, %s, %s, %s %.0f %%"), layer->name,
                               bg_fusion_title((BgFusionMethod) (look->fusion - 1)),
                               bg_overlay_name(look->overlay), look->amount * 100.0);
    else if (self->role == BG_PHOTO_ROLE_OVERLAY)
        // Translators: "OVERLAY", a layer's name, how ("opacity", "swipe"), how much
        name = g_strdup_printf(_("%s, %s, %s %.0f %%"), role_title(self->role), layer->name,
                               bg_overlay_name(look->overlay), look->amount * 100.0);
    else
        // Translators: "PHOTOGRAPH", a layer's name, how much larger
        name = g_strdup_printf(_("%s, %s, zoom %.2f"), role_title(self->role), layer->name,
                               look->zoom);
    if (layer != NULL)
        name = name_more(self, g_steal_pointer(&name));
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

static void
on_session_changed(BgSession *session, guint changes, gpointer user_data)
{
    BgPhotoView *self = user_data;
    guint look = BG_CHANGE_LAYERS | BG_CHANGE_LOOK | BG_CHANGE_CLIP | BG_CHANGE_TOGGLES |
                 BG_CHANGE_SELECTION | BG_CHANGE_CASE | BG_CHANGE_PHOTO | BG_CHANGE_LANDMARKS;

    if (!(changes & (look | BG_CHANGE_CURSOR | BG_CHANGE_FUSED)))
        return;
    if (changes & look)
        take_photograph(self);
    if (changes & (look | BG_CHANGE_FUSED))
        update_name(self);
    if (changes & look)
        bg_photo_view_want(self);
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
on_render_changed(BgPhotoRender *render, gpointer user_data)
{
    gtk_widget_queue_draw(GTK_WIDGET(user_data));
}

static void
append_texture(const BgPhotoFrame *frame, GdkTexture *texture, const BgPhotoRect *rect,
               GtkSnapshot *snapshot)
{
    graphene_rect_t place = GRAPHENE_RECT_INIT(
        (float) (frame->left + (rect->left + 0.5) * frame->scale),
        (float) (frame->top + (rect->top + 0.5) * frame->scale),
        (float) (rect->width * frame->scale), (float) (rect->height * frame->scale));

    gtk_snapshot_append_texture(snapshot, texture, &place);
}

static void
append_render(BgPhotoView *self, const BgPhotoFrame *frame, GtkSnapshot *snapshot)
{
    BgPhotoRect rect;
    const BgLayer *below, *over;

    if (get_pair(self, &below, &over)) {
        graphene_rect_t photo = GRAPHENE_RECT_INIT((float) frame->left, (float) frame->top,
                                                   (float) (frame->width * frame->scale),
                                                   (float) (frame->height * frame->scale));
        if (self->over != NULL)
            gtk_snapshot_append_texture(snapshot, self->over, &photo);
        return;
    }
    GdkTexture *texture = bg_photo_render_get(self->render, &rect);
    const BgFused *fused = get_fused(self);

    if (is_fusing(self)) {
        texture = fused != NULL ? fused->texture : NULL;
        if (fused != NULL)
            rect = (BgPhotoRect){ fused->rect.left, fused->rect.top, fused->rect.width,
                                  fused->rect.height };
    }
    if (texture != NULL)
        append_texture(frame, texture, &rect, snapshot);
    double volume = bg_session_get_photo_look(self->session)->volume;
    texture = bg_photo_render_get(self->render, &rect);
    if (texture == NULL || fused == NULL || volume <= 0.0)
        return;
    gtk_snapshot_push_opacity(snapshot, volume);
    append_texture(frame, texture, &rect, snapshot);
    gtk_snapshot_pop(snapshot);
}

static void
append_checkers(BgPhotoView *self, const BgPhotoFrame *frame, const graphene_rect_t *photo,
                GtkSnapshot *snapshot)
{
    int columns = (int) ceilf(photo->size.width / CHECKER_PX);
    int rows = (int) ceilf(photo->size.height / CHECKER_PX);

    for (int row = 0; row < rows; row++)
        for (int column = row % 2; column < columns; column += 2) {
            graphene_rect_t tile = GRAPHENE_RECT_INIT(photo->origin.x + (float) column * CHECKER_PX,
                                                      photo->origin.y + (float) row * CHECKER_PX,
                                                      CHECKER_PX, CHECKER_PX);
            gtk_snapshot_push_clip(snapshot, &tile);
            append_render(self, frame, snapshot);
            gtk_snapshot_pop(snapshot);
        }
}

// What of the rendered picture lies over the photograph; @photo: the visible part of it.
static void
append_overlay(BgPhotoView *self, const BgPhotoFrame *frame, const graphene_rect_t *photo,
               GtkSnapshot *snapshot)
{
    const BgPhotoLook *look = bg_session_get_photo_look(self->session);
    graphene_rect_t part = *photo;
    GskRoundedRect glass;

    switch (look->overlay) {
    case BG_OVERLAY_OPACITY:
    case BG_N_OVERLAYS:
        gtk_snapshot_push_opacity(snapshot, look->amount);
        append_render(self, frame, snapshot);
        gtk_snapshot_pop(snapshot);
        break;
    case BG_OVERLAY_SWIPE:
        part.size.width *= (float) look->amount;
        gtk_snapshot_push_clip(snapshot, &part);
        append_render(self, frame, snapshot);
        gtk_snapshot_pop(snapshot);
        part.origin.x += part.size.width - 0.5f;
        part.size.width = 1.0f;
        gtk_snapshot_append_color(snapshot, &(GdkRGBA){ 0.29f, 0.64f, 0.87f, 1.0f }, &part);
        break;
    case BG_OVERLAY_CHECKER:
        append_checkers(self, frame, photo, snapshot);
        break;
    case BG_OVERLAY_SPYGLASS:
        part = GRAPHENE_RECT_INIT((float) self->pointer_x - SPYGLASS_PX,
                                  (float) self->pointer_y - SPYGLASS_PX, 2.0f * SPYGLASS_PX,
                                  2.0f * SPYGLASS_PX);
        gsk_rounded_rect_init_from_rect(&glass, &part, SPYGLASS_PX);
        gtk_snapshot_push_rounded_clip(snapshot, &glass);
        append_render(self, frame, snapshot);
        gtk_snapshot_pop(snapshot);
        break;
    }
}

static void
add_points(BgPhotoView *self, const BgPhotoFrame *frame, double scale, GArray *marks)
{
    const BgLayer *layer = bg_photo_view_layer(self);
    const BgLandmarkList *list = bg_points_of_layer(self->session, layer->id);
    gsize selected_index;
    const char *selected = bg_session_get_selected_point(self->session, &selected_index);

    for (gsize i = 0; list != NULL && i < bg_landmarks_count(list->points); i++) {
        const BgLandmark *point = bg_landmarks_get(list->points, i);
        double projected[2] = { 0.0, 0.0 };
        if (!point->placed)
            continue;
        BgAnnotateLandmark mark = {
            .x = frame->left + (point->position.x + 0.5) * frame->scale,
            .y = frame->top + (point->position.y + 0.5) * frame->scale,
            .number = (int) i + 1,
            .name = point->name,
            .check_only = point->use == BG_LANDMARK_CHECK,
            .selected = g_strcmp0(selected, list->id) == 0 && selected_index == i,
            .scale = scale,
            .has_residual = bg_points_residual_px(self->session, list, i, projected) >= 0.0,
        };
        mark.residual_x = frame->left + (projected[0] + 0.5) * frame->scale;
        mark.residual_y = frame->top + (projected[1] + 0.5) * frame->scale;
        bg_annotate_landmark(&mark, marks);
    }
}

static void
add_text(GArray *marks, double x, double y, double to_x, double to_y, double scale,
         const char *text)
{
    BgMark mark = { .kind = BG_MARK_TEXT,
                    .x = x,
                    .y = y,
                    .to_x = to_x,
                    .to_y = to_y,
                    .size = 11.0 * scale,
                    .rgba = { 0.91f, 0.91f, 0.91f, 0.85f } };

    g_strlcpy(mark.text, text, sizeof mark.text);
    g_array_append_val(marks, mark);
}

static char *
describe_camera(const BgPhotoCamera *camera)
{
    if (camera == NULL)
        return g_strdup(_("No camera yet: place points, or read its file"));
    // Translators: how a camera was found ("landmarks", ...), and whether somebody has approved it
    return g_strdup_printf(_("Camera by %s%s%s"), camera->method,
                           camera->mirrored ? _(", mirrored") : "",
                           *camera->approval.by != '\0' ? _(", approved") : _(", not approved"));
}

static char *
describe_pair(const BgRegistration *item)
{
    // Translators: how photographs were registered ("landmarks", ...), and whether somebody has approved it
    return g_strdup_printf(_("Registered by %s%s"), item->method,
                           *item->approval.by != '\0' ? _(", approved") : _(", not approved"));
}

// What made the fused picture, from @y on.
static void
add_fusion(BgPhotoView *self, double y, double scale, GArray *marks)
{
    const BgFused *fused = get_fused(self), *newest = bg_session_get_fused(self->session);
    double edge = 8.0 * scale;

    if (fused == NULL) {
        add_text(marks, edge, y, 0.0, 0.0, scale,
                 newest != NULL && newest->error != NULL ? _("Nothing is fused") : _("Fusing..."));
        return;
    }
    g_autofree char *method = bg_fused_get_method(fused);
    add_text(marks, edge, y, 0.0, 0.0, scale, method);
    if (bg_fused_is_synthetic(fused))
        add_text(marks, edge, y + 15.0 * scale, 0.0, 0.0, scale, _("SYNTHETIC: made by a network"));
}

static void
add_words(BgPhotoView *self, double scale, GArray *marks)
{
    const BgLayer *layer = bg_photo_get(self->session), *below, *over;
    const BgPhotoCamera *camera = bg_photo_get_camera(self->session);
    double width = gtk_widget_get_width(GTK_WIDGET(self));
    double height = gtk_widget_get_height(GTK_WIDGET(self));
    double line = 15.0 * scale, edge = 8.0 * scale;

    if (!bg_session_get_toggle(self->session, BG_TOGGLE_ANNOTATIONS))
        return;
    add_text(marks, edge, edge, 0.0, 0.0, scale,
             is_fusing(self) ? _("FUSED") : role_title(self->role));
    if (get_pair(self, &below, &over)) {
        const BgRegistration *item = bg_moved_registration(self->session, over->id);
        g_autofree char *words = describe_pair(item);
        add_text(marks, edge, edge + line, 0.0, 0.0, scale, over->name);
        add_text(marks, edge, height - edge, 0.0, 1.0, scale, words);
    } else {
        add_text(marks, edge, edge + line, 0.0, 0.0, scale, layer->name);
    }
    if (self->role != BG_PHOTO_ROLE_PICTURE && !get_pair(self, &below, &over)) {
        const char *engine = bg_photo_render_get_engine(self->render);
        g_autofree char *words = describe_camera(camera);
        add_text(marks, edge, height - edge, 0.0, 1.0, scale, words);
        if (engine != NULL && camera != NULL)
            add_text(marks, width - edge, height - edge - line, 1.0, 1.0, scale, engine);
    }
    if (is_fusing(self))
        add_fusion(self, edge + 2.0 * line, scale, marks);
    add_text(marks, width - edge, height - edge, 1.0, 1.0, scale, _("Not for diagnosis"));
}

static void
add_cursor(BgPhotoView *self, const BgPhotoFrame *frame, double scale, GArray *marks)
{
    const BgPhotoCamera *camera = bg_photo_get_camera(self->session);
    const BgLayer *below, *over;
    double u, v;

    if (get_pair(self, &below, &over)) // which may have another size
        camera = bg_photo_camera_of(self->session, below);
    if (camera == NULL || !bg_session_get_toggle(self->session, BG_TOGGLE_CROSSHAIR) ||
        !bg_photo_project(camera, bg_session_get_state(self->session)->cursor_mm, &u, &v))
        return;
    BgMark mark = { .kind = BG_MARK_CROSS,
                    .role = BG_MARK_ROLE_CROSSHAIR,
                    .x = frame->left + (u + 0.5) * frame->scale,
                    .y = frame->top + (v + 0.5) * frame->scale,
                    .size = 22.0 * scale,
                    .rgba = { 0.29f, 0.64f, 0.87f, 1.0f } };
    g_array_append_val(marks, mark);
}

// What the picture of the volume shows at pixel (x, y) of the pane.
static gboolean
shown_at(gpointer user_data, double x, double y, BgVec3 *at_mm)
{
    BgPhotoView *self = user_data;
    const BgLayer *below, *over;
    BgPhotoFrame frame;

    return !get_pair(self, &below, &over) && bg_photo_view_frame(self, &frame) &&
           bg_photo_render_pick(self->render, (x - frame.left) / frame.scale - 0.5,
                                (y - frame.top) / frame.scale - 0.5, at_mm);
}

static void
add_error(BgPhotoView *self, const BgPhotoFrame *frame, double scale, GArray *marks)
{
    const BgErrorPhoto photo = { .left = frame->left,
                                 .top = frame->top,
                                 .scale = frame->scale,
                                 .width = gtk_widget_get_width(GTK_WIDGET(self)),
                                 .height = gtk_widget_get_height(GTK_WIDGET(self)),
                                 .place = shown_at,
                                 .user_data = self };

    bg_error_marks_of_photo(self->session, &photo, self->role != BG_PHOTO_ROLE_PICTURE, scale,
                            marks);
}

static void
append_loupe(BgPhotoView *self, const BgPhotoFrame *frame, const graphene_rect_t *bounds,
             GtkSnapshot *snapshot)
{
    GdkTexture *texture = self->texture;
    BgPhotoRect rect = { -0.5, -0.5, frame->width, frame->height };

    if (self->role == BG_PHOTO_ROLE_RENDER)
        texture = bg_photo_render_get(self->render, &rect);
    if (self->drag != BG_PHOTO_DRAG_POINT || texture == NULL)
        return;
    graphene_rect_t place = GRAPHENE_RECT_INIT(
        (float) (frame->left + (rect.left + 0.5) * frame->scale),
        (float) (frame->top + (rect.top + 0.5) * frame->scale), (float) (rect.width * frame->scale),
        (float) (rect.height * frame->scale));
    bg_loupe_append(snapshot, texture, &place, bounds, self->pointer_x, self->pointer_y);
}

static void
append_invitation(BgPhotoView *self, const graphene_rect_t *bounds, double scale,
                  GtkSnapshot *snapshot)
{
    g_autoptr(GArray) marks = bg_annotations_new();

    add_text(marks, 8.0 * scale, 8.0 * scale, 0.0, 0.0, scale, role_title(self->role));
    add_text(marks, (double) bounds->size.width / 2.0, (double) bounds->size.height / 2.0, 0.5, 0.5,
             scale, _("Open or drop a photograph"));
    cairo_t *cr = gtk_snapshot_append_cairo(snapshot, bounds);
    bg_annotations_draw(marks, cr);
    cairo_destroy(cr);
}

// Dark and wide below, so that every colour is seen on every ground.
static void
draw_outlines(BgPhotoView *self, const BgPhotoFrame *frame, double percent, cairo_t *cr)
{
    static const double dark[3] = { 0.0, 0.0, 0.0 };
    const GPtrArray *outlines = get_outlines(self);

    if (outlines == NULL || outlines->len == 0)
        return;
    const BgFused *fused = get_fused(self);
    double scale = frame->scale * fused->rect.width / bg_image_get_format(fused->view.whole)->width;
    cairo_save(cr);
    cairo_translate(cr, frame->left + (fused->rect.left + 0.5) * frame->scale,
                    frame->top + (fused->rect.top + 0.5) * frame->scale);
    cairo_scale(cr, scale, scale);
    for (guint i = 0; i < outlines->len; i++) {
        const BgFusionOutline *outline = outlines->pdata[i];
        bg_contours_draw(outline->lines, dark, OUTLINE_HALO_PX * percent / scale, cr);
        bg_contours_draw(outline->lines, outline->rgb, OUTLINE_PX * percent / scale, cr);
    }
    cairo_restore(cr);
}

static void
bg_photo_view_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    BgPhotoView *self = BG_PHOTO_VIEW(widget);
    graphene_rect_t bounds = GRAPHENE_RECT_INIT(0.0f, 0.0f, (float) gtk_widget_get_width(widget),
                                                (float) gtk_widget_get_height(widget));
    BgPhotoFrame frame;
    int dpi = 0;

    gtk_snapshot_append_color(snapshot, &(GdkRGBA){ 0.0f, 0.0f, 0.0f, 1.0f }, &bounds);
    g_object_get(gtk_widget_get_settings(widget), "gtk-xft-dpi", &dpi, NULL);
    double percent = dpi > 0 ? dpi / (96.0 * 1024.0) : 1.0;
    if (!bg_photo_view_frame(self, &frame)) {
        append_invitation(self, &bounds, percent, snapshot);
        return;
    }

    graphene_rect_t photo = GRAPHENE_RECT_INIT((float) frame.left, (float) frame.top,
                                               (float) (frame.width * frame.scale),
                                               (float) (frame.height * frame.scale));
    gtk_snapshot_push_clip(snapshot, &bounds);
    gtk_snapshot_push_clip(snapshot, &photo);
    if (self->texture != NULL && self->role != BG_PHOTO_ROLE_RENDER)
        gtk_snapshot_append_texture(snapshot, self->texture, &photo);
    if (self->role == BG_PHOTO_ROLE_RENDER)
        append_render(self, &frame, snapshot);
    else if (self->role == BG_PHOTO_ROLE_OVERLAY)
        append_overlay(self, &frame, &photo, snapshot);
    gtk_snapshot_pop(snapshot);

    g_autoptr(GArray) marks = bg_annotations_new();
    BgAnnotateValues values;
    add_error(self, &frame, percent, marks);
    add_cursor(self, &frame, percent, marks);
    add_points(self, &frame, percent, marks);
    add_words(self, percent, marks);
    if (bg_session_get_toggle(self->session, BG_TOGGLE_ANNOTATIONS) && get_values(self, &values))
        bg_annotate_values(&values, (double) bounds.size.width, (double) bounds.size.height,
                           percent, marks);
    cairo_t *cr = gtk_snapshot_append_cairo(snapshot, &bounds);
    draw_outlines(self, &frame, percent, cr);
    bg_annotations_draw(marks, cr);
    cairo_destroy(cr);
    append_loupe(self, &frame, &bounds, snapshot);
    gtk_snapshot_pop(snapshot);
}

static void
bg_photo_view_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
    bg_photo_view_want(BG_PHOTO_VIEW(widget));
}

static void
bg_photo_view_map(GtkWidget *widget)
{
    GTK_WIDGET_CLASS(bg_photo_view_parent_class)->map(widget);
    bg_photo_view_want(BG_PHOTO_VIEW(widget));
}

static void
bg_photo_view_dispose(GObject *object)
{
    BgPhotoView *self = BG_PHOTO_VIEW(object);

    if (self->session != NULL)
        g_signal_handlers_disconnect_by_data(self->session, self);
    if (self->render != NULL)
        g_signal_handlers_disconnect_by_data(self->render, self);
    g_clear_object(&self->session);
    g_clear_object(&self->render);
    g_clear_object(&self->texture);
    g_clear_pointer(&self->textured, bg_photo_paint_unref);
    g_clear_object(&self->over);
    g_clear_pointer(&self->over_of, bg_photo_paint_unref);

    G_OBJECT_CLASS(bg_photo_view_parent_class)->dispose(object);
}

static void
bg_photo_view_class_init(BgPhotoViewClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_photo_view_dispose;
    widget_class->snapshot = bg_photo_view_snapshot;
    widget_class->size_allocate = bg_photo_view_size_allocate;
    widget_class->map = bg_photo_view_map;
    gtk_widget_class_set_css_name(widget_class, "photoview");
    gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
bg_photo_view_init(BgPhotoView *self)
{
    gtk_widget_set_focusable(GTK_WIDGET(self), TRUE);
    gtk_widget_set_hexpand(GTK_WIDGET(self), TRUE);
    gtk_widget_set_vexpand(GTK_WIDGET(self), TRUE);
    gtk_widget_set_overflow(GTK_WIDGET(self), GTK_OVERFLOW_HIDDEN);
}

GtkWidget *
bg_photo_view_new(BgSession *session, BgPhotoRender *render, BgPhotoRole role)
{
    BgPhotoView *self = g_object_new(BG_TYPE_PHOTO_VIEW, NULL);

    self->session = g_object_ref(session);
    self->render = g_object_ref(render);
    self->role = role;
    g_signal_connect(session, "changed", G_CALLBACK(on_session_changed), self);
    g_signal_connect(render, "changed", G_CALLBACK(on_render_changed), self);
    bg_photo_view_init_input(self);
    update_name(self);
    return GTK_WIDGET(self);
}
