// SPDX-License-Identifier: Apache-2.0
// Mouse and keys of a photograph's pane.
#include "core/base/bg-i18n.h"
#include "ui/model/bg-photo.h"
#include "ui/model/bg-points.h"
#include "ui/view/bg-photo-view-private.h"
#include "ui/view/bg-view-keys.h"

#define CLICK_PX 3.0
#define GRAB_PX 6.0 // how close to a point it is taken
#define ZOOM_PER_PX 1.01
#define ZOOM_PER_NOTCH 1.15
#define NUDGE_PX 0.25    // of the photograph
#define AMOUNT_STEP 0.05 // of the overlay, by a key

static BgCase *
case_of(BgPhotoView *self)
{
    return bg_session_get_case(self->session);
}

static BgVec3
pixel_at(const BgPhotoFrame *frame, double x, double y)
{
    return bg_vec3((x - frame->left) / frame->scale - 0.5, (y - frame->top) / frame->scale - 0.5,
                   0.0);
}

// Keeps what is under (x, y) where it is.
static void
zoom_to(BgPhotoView *self, double zoom, double x, double y)
{
    const BgPhotoLook *look = bg_session_get_photo_look(self->session);
    BgPhotoFrame frame;

    if (!bg_photo_view_frame(self, &frame))
        return;
    double from_x = (x - gtk_widget_get_width(GTK_WIDGET(self)) / 2.0) / frame.scale;
    double from_y = (y - gtk_widget_get_height(GTK_WIDGET(self)) / 2.0) / frame.scale;
    double kept = 1.0 - look->zoom / zoom;
    double pan_px[2] = { look->pan_px[0] + from_x * kept, look->pan_px[1] + from_y * kept };
    bg_photo_set_zoom(self->session, zoom, pan_px);
}

static void
reset(BgPhotoView *self)
{
    bg_photo_set_zoom(self->session, 1.0, (const double[2]){ 0.0, 0.0 });
}

// The point at (x, y): its list: (transfer none) (nullable)
static const BgLandmarkList *
point_at(BgPhotoView *self, double x, double y, gsize *index)
{
    const BgLayer *layer = bg_photo_view_layer(self);
    const BgLandmarkList *list =
        layer != NULL ? bg_points_of_layer(self->session, layer->id) : NULL;
    BgPhotoFrame frame;

    if (list == NULL || !bg_photo_view_frame(self, &frame))
        return NULL;
    for (gsize i = 0; i < bg_landmarks_count(list->points); i++) {
        const BgLandmark *point = bg_landmarks_get(list->points, i);
        double px = frame.left + (point->position.x + 0.5) * frame.scale;
        double py = frame.top + (point->position.y + 0.5) * frame.scale;
        if (point->placed && hypot(px - x, py - y) <= GRAB_PX) {
            *index = i;
            return list;
        }
    }
    return NULL;
}

/*
 * In the volume's picture a point goes onto the surface that is seen, and into the volume's list; in the
 * photograph into the photograph's.
 */
static void
place_point(BgPhotoView *self, double x, double y)
{
    const BgLayer *layer = bg_photo_view_layer(self);
    BgPhotoFrame frame;
    BgVec3 at_mm;

    if (layer == NULL || !bg_photo_view_frame(self, &frame))
        return;
    BgVec3 pixel = pixel_at(&frame, x, y);
    if (self->role != BG_PHOTO_ROLE_RENDER)
        bg_points_place_in(self->session, layer->id, pixel);
    else if (bg_photo_render_pick(self->render, pixel.x, pixel.y, &at_mm))
        bg_points_place(self->session, at_mm);
}

static void
begin_point(BgPhotoView *self, double x, double y)
{
    gsize index;
    const BgLandmarkList *list =
        self->role != BG_PHOTO_ROLE_RENDER ? point_at(self, x, y, &index) : NULL;

    bg_case_begin_gesture(case_of(self), list != NULL ? _("Move point") : _("Point"));
    if (list != NULL)
        bg_session_select_point(self->session, list->id, index);
    else
        place_point(self, x, y);
}

static void
move_point(BgPhotoView *self, double x, double y)
{
    gsize index;
    const char *list_id = bg_session_get_selected_point(self->session, &index);
    BgPhotoFrame frame;
    BgVec3 at;

    if (list_id == NULL || !bg_photo_view_frame(self, &frame))
        return;
    at = pixel_at(&frame, x, y);
    if (self->role == BG_PHOTO_ROLE_RENDER && !bg_photo_render_pick(self->render, at.x, at.y, &at))
        return;
    bg_points_move(self->session, list_id, index, at);
}

static void
pick(BgPhotoView *self, double x, double y)
{
    BgPhotoFrame frame;
    BgVec3 at_mm;

    if (!bg_photo_view_frame(self, &frame))
        return;
    BgVec3 pixel = pixel_at(&frame, x, y);
    if (bg_photo_view_layer(self) == bg_photo_get(self->session) &&
        bg_photo_render_pick(self->render, pixel.x, pixel.y, &at_mm))
        bg_session_move_cursor(self->session, at_mm);
}

static void
swipe_to(BgPhotoView *self, double x)
{
    BgPhotoFrame frame;

    if (bg_photo_view_frame(self, &frame))
        bg_photo_set_overlay(self->session, BG_OVERLAY_SWIPE,
                             (x - frame.left) / (frame.width * frame.scale));
}

static BgPhotoDrag
choose_drag(BgPhotoView *self, guint button, GdkModifierType state)
{
    if (button == GDK_BUTTON_MIDDLE)
        return BG_PHOTO_DRAG_PAN;
    if (button == GDK_BUTTON_SECONDARY)
        return BG_PHOTO_DRAG_ZOOM;
    if (button != GDK_BUTTON_PRIMARY)
        return BG_PHOTO_DRAG_NONE;
    if (bg_session_get_tool(self->session) == BG_TOOL_POINT)
        return BG_PHOTO_DRAG_POINT;
    if (state & GDK_SHIFT_MASK)
        return BG_PHOTO_DRAG_PAN;
    if (state & GDK_CONTROL_MASK)
        return BG_PHOTO_DRAG_ZOOM;
    if (self->role == BG_PHOTO_ROLE_OVERLAY &&
        bg_session_get_photo_look(self->session)->overlay == BG_OVERLAY_SWIPE)
        return BG_PHOTO_DRAG_SWIPE;

    return BG_PHOTO_DRAG_CROSSHAIR;
}

static void
on_drag_begin(GtkGestureDrag *gesture, double x, double y, gpointer user_data)
{
    BgPhotoView *self = user_data;
    GdkModifierType state =
        gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(gesture));

    gtk_widget_grab_focus(GTK_WIDGET(self));
    self->drag = choose_drag(
        self, gtk_gesture_single_get_current_button(GTK_GESTURE_SINGLE(gesture)), state);
    self->drag_x = self->pointer_x = x;
    self->drag_y = self->pointer_y = y;
    self->drag_moved = FALSE;
    self->start_look = *bg_session_get_photo_look(self->session);
    if (self->drag == BG_PHOTO_DRAG_POINT)
        begin_point(self, x, y);
    else if (self->drag == BG_PHOTO_DRAG_CROSSHAIR)
        pick(self, x, y);
    else if (self->drag == BG_PHOTO_DRAG_SWIPE)
        swipe_to(self, x);
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
on_drag_update(GtkGestureDrag *gesture, double dx, double dy, gpointer user_data)
{
    BgPhotoView *self = user_data;
    BgPhotoFrame frame;

    self->drag_moved = self->drag_moved || hypot(dx, dy) > CLICK_PX;
    self->pointer_x = self->drag_x + dx;
    self->pointer_y = self->drag_y + dy;
    if (!self->drag_moved || !bg_photo_view_frame(self, &frame))
        return;
    switch (self->drag) {
    case BG_PHOTO_DRAG_PAN: {
        double pan_px[2] = { self->start_look.pan_px[0] - dx / frame.scale,
                             self->start_look.pan_px[1] - dy / frame.scale };
        bg_photo_set_zoom(self->session, self->start_look.zoom, pan_px);
        break;
    }
    case BG_PHOTO_DRAG_ZOOM:
        zoom_to(self, self->start_look.zoom * pow(ZOOM_PER_PX, -dy), self->drag_x, self->drag_y);
        break;
    case BG_PHOTO_DRAG_POINT:
        move_point(self, self->pointer_x, self->pointer_y);
        break;
    case BG_PHOTO_DRAG_CROSSHAIR:
        pick(self, self->pointer_x, self->pointer_y);
        break;
    case BG_PHOTO_DRAG_SWIPE:
        swipe_to(self, self->pointer_x);
        break;
    case BG_PHOTO_DRAG_NONE:
        break;
    }
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
on_drag_end(GtkGestureDrag *gesture, double dx, double dy, gpointer user_data)
{
    BgPhotoView *self = user_data;

    if (self->drag == BG_PHOTO_DRAG_POINT)
        bg_case_end_gesture(case_of(self));
    self->drag = BG_PHOTO_DRAG_NONE;
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
on_motion(GtkEventControllerMotion *controller, double x, double y, gpointer user_data)
{
    BgPhotoView *self = user_data;
    gsize index;

    if (self->drag != BG_PHOTO_DRAG_NONE)
        return;
    self->pointer_x = x;
    self->pointer_y = y;
    gboolean placing = bg_session_get_tool(self->session) == BG_TOOL_POINT;
    gtk_widget_set_cursor_from_name(GTK_WIDGET(self), !placing ? "crosshair"
                                                      : point_at(self, x, y, &index) != NULL
                                                          ? "grab"
                                                          : "cell");
    if (self->role == BG_PHOTO_ROLE_OVERLAY &&
        bg_session_get_photo_look(self->session)->overlay == BG_OVERLAY_SPYGLASS)
        gtk_widget_queue_draw(GTK_WIDGET(self));
}

static gboolean
on_scroll(GtkEventControllerScroll *controller, double dx, double dy, gpointer user_data)
{
    BgPhotoView *self = user_data;

    zoom_to(self, bg_session_get_photo_look(self->session)->zoom * pow(ZOOM_PER_NOTCH, -dy),
            self->pointer_x, self->pointer_y);
    return TRUE;
}

// The selected point of the photograph by Ctrl and an arrow; Shift: farther.
static gboolean
nudge(BgPhotoView *self, guint keyval, GdkModifierType state)
{
    double step = state & GDK_SHIFT_MASK ? 5.0 * NUDGE_PX : NUDGE_PX;
    gsize index;
    const char *list_id = bg_session_get_selected_point(self->session, &index);
    const BgLandmarkList *list =
        list_id != NULL ? bg_case_get_landmarks(case_of(self), list_id) : NULL;

    if (!(state & GDK_CONTROL_MASK) || list == NULL ||
        bg_landmarks_get_space(list->points) != BG_LANDMARK_PICTURE)
        return FALSE;
    BgVec3 at = bg_landmarks_get(list->points, index)->position;
    switch (keyval) {
    case GDK_KEY_Left:
        at.x -= step;
        break;
    case GDK_KEY_Right:
        at.x += step;
        break;
    case GDK_KEY_Up:
        at.y -= step;
        break;
    case GDK_KEY_Down:
        at.y += step;
        break;
    default:
        return FALSE;
    }
    bg_points_move(self->session, list_id, index, at);
    return TRUE;
}

static gboolean
escape(BgPhotoView *self)
{
    if (self->drag == BG_PHOTO_DRAG_POINT)
        bg_case_cancel_gesture(case_of(self));
    else if (self->drag != BG_PHOTO_DRAG_NONE)
        bg_session_set_photo_look(self->session, &self->start_look);
    else if (bg_session_get_tool(self->session) != BG_TOOL_CROSSHAIR)
        bg_session_set_tool(self->session, BG_TOOL_CROSSHAIR);
    else
        return FALSE;
    self->drag = BG_PHOTO_DRAG_NONE;
    gtk_widget_queue_draw(GTK_WIDGET(self));
    return TRUE;
}

static gboolean
overlay_key(BgPhotoView *self, guint keyval)
{
    const BgPhotoLook *look = bg_session_get_photo_look(self->session);

    switch (gdk_keyval_to_lower(keyval)) {
    case GDK_KEY_o:
        bg_photo_set_overlay(self->session, (look->overlay + 1) % BG_N_OVERLAYS, look->amount);
        return TRUE;
    case GDK_KEY_bracketleft:
        bg_photo_set_overlay(self->session, look->overlay, look->amount - AMOUNT_STEP);
        return TRUE;
    case GDK_KEY_bracketright:
        bg_photo_set_overlay(self->session, look->overlay, look->amount + AMOUNT_STEP);
        return TRUE;
    default:
        return FALSE;
    }
}

gboolean
bg_photo_view_key(BgPhotoView *self, guint keyval, GdkModifierType state, gboolean pressed)
{
    gboolean plain = !(state & (GDK_CONTROL_MASK | GDK_ALT_MASK));
    gsize index;
    const char *list_id = bg_session_get_selected_point(self->session, &index);

    if (!pressed)
        return FALSE;
    if (keyval == GDK_KEY_Escape)
        return escape(self);
    if (plain && gdk_keyval_to_lower(keyval) == GDK_KEY_r) {
        reset(self);
        return TRUE;
    }
    if (keyval == GDK_KEY_Delete && list_id != NULL &&
        bg_session_get_tool(self->session) == BG_TOOL_POINT) {
        bg_points_remove(self->session, list_id, index);
        return TRUE;
    }
    return nudge(self, keyval, state) || (plain && overlay_key(self, keyval)) ||
           bg_view_keys_common(self->session, keyval, state);
}

static void
on_reset(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    reset(user_data);
}

void
bg_photo_view_init_input(BgPhotoView *self)
{
    static const GActionEntry entries[] = { { "reset", on_reset, NULL, NULL, NULL } };
    GtkWidget *widget = GTK_WIDGET(self);
    GtkGesture *drag = gtk_gesture_drag_new();
    GtkEventController *motion = gtk_event_controller_motion_new();
    GtkEventController *scroll = gtk_event_controller_scroll_new(
        GTK_EVENT_CONTROLLER_SCROLL_VERTICAL | GTK_EVENT_CONTROLLER_SCROLL_DISCRETE);
    GSimpleActionGroup *group = g_simple_action_group_new();

    gtk_gesture_single_set_button(GTK_GESTURE_SINGLE(drag), 0);
    g_signal_connect(drag, "drag-begin", G_CALLBACK(on_drag_begin), self);
    g_signal_connect(drag, "drag-update", G_CALLBACK(on_drag_update), self);
    g_signal_connect(drag, "drag-end", G_CALLBACK(on_drag_end), self);
    gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(drag));
    g_signal_connect(motion, "motion", G_CALLBACK(on_motion), self);
    gtk_widget_add_controller(widget, motion);
    g_signal_connect(scroll, "scroll", G_CALLBACK(on_scroll), self);
    gtk_widget_add_controller(widget, scroll);

    g_action_map_add_action_entries(G_ACTION_MAP(group), entries, G_N_ELEMENTS(entries), self);
    gtk_widget_insert_action_group(widget, "view", G_ACTION_GROUP(group));
    g_object_set_data_full(G_OBJECT(self), "actions", group, g_object_unref);
}
