// SPDX-License-Identifier: Apache-2.0
// Mouse and keys of the 3D pane.
#include "core/base/bg-i18n.h"
#include "ui/view/bg-view-keys.h"
#include "ui/view/bg-volume-view-private.h"

#define CLICK_PX 3.0
#define GRAB_PX 10.0
#define TURN_DEG_PER_PX 0.5
#define ZOOM_PER_PX 1.01
#define ZOOM_PER_NOTCH 1.15
#define ZOOM_MIN 0.1
#define ZOOM_MAX 40.0
#define CLIP_MIN_MM 2.0

static BgCase *
case_of(BgVolumeView *self)
{
    return bg_session_get_case(self->session);
}

static BgView
view_of(BgVolumeView *self)
{
    BgView view = bg_session_get_state(self->session)->view;

    if (!(view.zoom > 0.0))
        view.zoom = 1.0;

    return view;
}

static void
set_view(BgVolumeView *self, BgView view)
{
    view.elevation_deg = CLAMP(view.elevation_deg, -90.0, 90.0);
    view.azimuth_deg = remainder(view.azimuth_deg, 360.0);
    view.roll_deg = remainder(view.roll_deg, 360.0);
    view.zoom = CLAMP(view.zoom, ZOOM_MIN, ZOOM_MAX);
    bg_session_do(self->session, bg_command_set_view(&view));
}

void
bg_volume_view_look_from(BgVolumeView *self, char letter)
{
    static const struct {
        char letter;
        double azimuth_deg, elevation_deg;
    } sides[] = { { 'A', 0.0, 0.0 },   { 'P', 180.0, 0.0 }, { 'L', 90.0, 0.0 },
                  { 'R', -90.0, 0.0 }, { 'S', 0.0, 90.0 },  { 'I', 0.0, -90.0 } };
    BgView view = view_of(self);

    for (gsize i = 0; i < G_N_ELEMENTS(sides); i++) {
        if (sides[i].letter != letter)
            continue;
        view.azimuth_deg = sides[i].azimuth_deg;
        view.elevation_deg = sides[i].elevation_deg;
        view.roll_deg = 0.0;
        set_view(self, view);
    }
}

static void
toggle_clip(BgVolumeView *self)
{
    gboolean enabled = bg_session_get_state(self->session)->clip.enabled;
    BgVec3 low_mm, high_mm;

    if (bg_clip_box(self->session, &low_mm, &high_mm))
        bg_session_do(self->session, bg_command_set_clip(!enabled, low_mm, high_mm));
}

// The face whose handle is at (x, y), or -1.
static int
handle_at(BgVolumeView *self, double x, double y)
{
    BgVec3 low_mm, high_mm, centre_mm;
    BgCamera camera;

    if (!bg_session_get_state(self->session)->clip.enabled ||
        !bg_clip_box(self->session, &low_mm, &high_mm) ||
        !bg_volume_view_camera(self, &camera, &centre_mm))
        return -1;

    int nearest = -1;
    double nearest_depth = INFINITY;
    for (int face = 0; face < 6; face++) {
        double u, v, depth;
        if (!bg_camera_project(&camera, bg_clip_handle(low_mm, high_mm, face), &u, &v, &depth) ||
            hypot(u - x, v - y) > GRAB_PX || depth >= nearest_depth)
            continue;
        nearest = face;
        nearest_depth = depth;
    }

    return nearest;
}

// Along the handle's axis by as much as the pointer moved along that axis's image.
static void
drag_clip(BgVolumeView *self, double dx, double dy, gboolean symmetrical)
{
    BgVec3 low_mm = self->start_low_mm, high_mm = self->start_high_mm, centre_mm;
    int axis = self->clip_face / 2;
    gboolean high = self->clip_face % 2 == 1;
    BgCamera camera;
    double u0, v0, u1, v1, depth;

    if (!bg_volume_view_camera(self, &camera, &centre_mm))
        return;

    BgVec3 handle_mm = bg_clip_handle(low_mm, high_mm, self->clip_face);
    BgVec3 beside_mm = handle_mm;
    bg_vec3_set(&beside_mm, axis, bg_vec3_get(handle_mm, axis) + 1.0);
    if (!bg_camera_project(&camera, handle_mm, &u0, &v0, &depth) ||
        !bg_camera_project(&camera, beside_mm, &u1, &v1, &depth))
        return;

    double du = u1 - u0, dv = v1 - v0;
    double length2 = du * du + dv * dv;
    if (length2 < 1e-3) // the axis points at the viewer: no way to drag along it
        return;

    double by_mm = (dx * du + dy * dv) / length2;
    double low = bg_vec3_get(low_mm, axis), top = bg_vec3_get(high_mm, axis);
    if (high || symmetrical)
        top = MAX(top + (high ? by_mm : -by_mm), low + CLIP_MIN_MM);
    if (!high || symmetrical)
        low = MIN(low + (high ? -by_mm : by_mm), top - CLIP_MIN_MM);
    bg_vec3_set(&low_mm, axis, low);
    bg_vec3_set(&high_mm, axis, top);
    bg_session_do(self->session, bg_command_set_clip(TRUE, low_mm, high_mm));
}

static BgDrag3d
choose_drag(guint button, GdkModifierType state)
{
    if (button == GDK_BUTTON_MIDDLE)
        return BG_DRAG_3D_PAN;
    if (button == GDK_BUTTON_SECONDARY)
        return BG_DRAG_3D_ZOOM;
    if (button != GDK_BUTTON_PRIMARY)
        return BG_DRAG_3D_NONE;
    if (state & GDK_SHIFT_MASK)
        return BG_DRAG_3D_PAN;

    return state & GDK_CONTROL_MASK ? BG_DRAG_3D_SPIN : BG_DRAG_3D_ROTATE;
}

static void
on_drag_begin(GtkGestureDrag *gesture, double x, double y, gpointer user_data)
{
    BgVolumeView *self = user_data;
    guint button = gtk_gesture_single_get_current_button(GTK_GESTURE_SINGLE(gesture));
    GdkModifierType state =
        gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(gesture));

    gtk_widget_grab_focus(GTK_WIDGET(self));
    self->drag_x = x;
    self->drag_y = y;
    self->drag_moved = FALSE;
    self->start_view = view_of(self);
    self->drag = choose_drag(button, state);
    self->clip_face = button == GDK_BUTTON_PRIMARY ? handle_at(self, x, y) : -1;
    if (self->clip_face >= 0) {
        self->drag = BG_DRAG_3D_CLIP;
        bg_clip_box(self->session, &self->start_low_mm, &self->start_high_mm);
    }
    if (self->drag == BG_DRAG_3D_NONE)
        return;

    bg_case_begin_gesture(case_of(self), NULL);
    bg_session_set_dragging(self->session, TRUE);
}

static void
on_drag_update(GtkGestureDrag *gesture, double dx, double dy, gpointer user_data)
{
    BgVolumeView *self = user_data;
    BgView view = self->start_view;
    double height = gtk_widget_get_height(GTK_WIDGET(self));
    double width = gtk_widget_get_width(GTK_WIDGET(self));
    GdkModifierType state =
        gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(gesture));

    self->drag_moved = self->drag_moved || hypot(dx, dy) > CLICK_PX;
    if (!self->drag_moved)
        return;

    switch (self->drag) {
    case BG_DRAG_3D_ROTATE:
        // The patient follows the pointer, so the camera goes the other way.
        view.azimuth_deg -= dx * TURN_DEG_PER_PX;
        view.elevation_deg += dy * TURN_DEG_PER_PX;
        break;
    case BG_DRAG_3D_SPIN: {
        double from = atan2(self->drag_y - height / 2.0, self->drag_x - width / 2.0);
        double to = atan2(self->drag_y + dy - height / 2.0, self->drag_x + dx - width / 2.0);
        view.roll_deg -= (to - from) * 180.0 / G_PI;
        break;
    }
    case BG_DRAG_3D_PAN:
        view.pan_x -= dx * 2.0 / (height * view.zoom);
        view.pan_y += dy * 2.0 / (height * view.zoom);
        break;
    case BG_DRAG_3D_ZOOM:
        view.zoom *= pow(ZOOM_PER_PX, -dy);
        break;
    case BG_DRAG_3D_CLIP:
        drag_clip(self, dx, dy, (state & GDK_ALT_MASK) != 0);
        return;
    case BG_DRAG_3D_NONE:
        return;
    }
    set_view(self, view);
}

// The crosshair goes to what is seen at (x, y).
static void
pick(BgVolumeView *self, double x, double y)
{
    double width = gtk_widget_get_width(GTK_WIDGET(self));
    double height = gtk_widget_get_height(GTK_WIDGET(self));
    BgVec3 point_mm;

    if (self->picture == NULL || !(width > 0.0) || !(height > 0.0))
        return;

    const BgCamera *camera = &self->picture->image->camera;
    if (bg_cast_image_pick(self->picture->image, x * camera->width / width - 0.5,
                           y * camera->height / height - 0.5, &point_mm))
        bg_session_move_cursor(self->session, point_mm);
}

static void
show_menu(BgVolumeView *self, double x, double y)
{
    g_autoptr(GMenu) menu = g_menu_new();
    g_autoptr(GMenu) more = g_menu_new();

    g_menu_append(menu, _("Reset View"), "view.reset");
    g_menu_append(menu, _("Parallel Projection"), "view.parallel");
    g_menu_append(menu, _("Clip Box"), "view.clip");
    g_menu_append(menu, _("Maximise or Restore"), "pane.maximise");
    g_menu_append(more, _("Save Picture…"), "win.screenshot");
    g_menu_append(more, _("Copy Picture"), "win.copy-picture");
    g_menu_append_section(menu, NULL, G_MENU_MODEL(more));

    g_clear_pointer(&self->menu, gtk_widget_unparent);
    self->menu = gtk_popover_menu_new_from_model(G_MENU_MODEL(menu));
    gtk_widget_set_parent(self->menu, GTK_WIDGET(self));
    gtk_popover_set_has_arrow(GTK_POPOVER(self->menu), FALSE);
    gtk_widget_set_halign(self->menu, GTK_ALIGN_START);
    gtk_popover_set_pointing_to(GTK_POPOVER(self->menu), &(GdkRectangle){ (int) x, (int) y, 1, 1 });
    gtk_popover_popup(GTK_POPOVER(self->menu));
}

static void
on_drag_end(GtkGestureDrag *gesture, double dx, double dy, gpointer user_data)
{
    BgVolumeView *self = user_data;
    BgDrag3d drag = self->drag;

    if (drag == BG_DRAG_3D_NONE)
        return;

    self->drag = BG_DRAG_3D_NONE;
    bg_session_set_dragging(self->session, FALSE);
    bg_case_end_gesture(case_of(self));
    if (self->drag_moved)
        return;
    if (drag == BG_DRAG_3D_ZOOM)
        show_menu(self, self->drag_x, self->drag_y);
    else if (drag == BG_DRAG_3D_ROTATE)
        pick(self, self->drag_x, self->drag_y);
}

static void
on_motion(GtkEventControllerMotion *controller, double x, double y, gpointer user_data)
{
    BgVolumeView *self = user_data;

    self->pointer_x = x;
    self->pointer_y = y;
    gtk_widget_set_cursor_from_name(GTK_WIDGET(self), handle_at(self, x, y) >= 0 ? "grab" : NULL);
}

static gboolean
on_scroll(GtkEventControllerScroll *controller, double dx, double dy, gpointer user_data)
{
    BgVolumeView *self = user_data;
    BgView view = view_of(self);

    view.zoom *= pow(ZOOM_PER_NOTCH, -dy);
    set_view(self, view);
    return TRUE;
}

static void
reset(BgVolumeView *self)
{
    BgView view = bg_view_default();

    view.parallel = view_of(self).parallel;
    set_view(self, view);
}

static gboolean
keypad(BgVolumeView *self, guint keyval, gboolean shift)
{
    // With Shift, X reports the keypad's other meaning.
    switch (keyval) {
    case GDK_KEY_KP_1:
        bg_volume_view_look_from(self, shift ? 'P' : 'A');
        return TRUE;
    case GDK_KEY_KP_End:
        bg_volume_view_look_from(self, 'P');
        return TRUE;
    case GDK_KEY_KP_3:
        bg_volume_view_look_from(self, shift ? 'R' : 'L');
        return TRUE;
    case GDK_KEY_KP_Page_Down:
        bg_volume_view_look_from(self, 'R');
        return TRUE;
    case GDK_KEY_KP_7:
        bg_volume_view_look_from(self, shift ? 'I' : 'S');
        return TRUE;
    case GDK_KEY_KP_Home:
        bg_volume_view_look_from(self, 'I');
        return TRUE;
    default:
        return FALSE;
    }
}

static gboolean
turn_key(BgVolumeView *self, guint keyval)
{
    BgView view = view_of(self);

    switch (keyval) {
    case GDK_KEY_Left:
        view.azimuth_deg += 5.0;
        break;
    case GDK_KEY_Right:
        view.azimuth_deg -= 5.0;
        break;
    case GDK_KEY_Up:
        view.elevation_deg -= 5.0;
        break;
    case GDK_KEY_Down:
        view.elevation_deg += 5.0;
        break;
    default:
        return FALSE;
    }
    set_view(self, view);
    return TRUE;
}

gboolean
bg_volume_view_key(BgVolumeView *self, guint keyval, GdkModifierType state, gboolean pressed)
{
    if (!pressed)
        return FALSE;
    if (keyval == GDK_KEY_Escape && self->drag != BG_DRAG_3D_NONE) {
        self->drag = BG_DRAG_3D_NONE;
        bg_session_set_dragging(self->session, FALSE);
        bg_case_cancel_gesture(case_of(self));
        return TRUE;
    }
    if (keypad(self, keyval, (state & GDK_SHIFT_MASK) != 0))
        return TRUE;
    if (state & (GDK_CONTROL_MASK | GDK_ALT_MASK))
        return FALSE;

    switch (gdk_keyval_to_lower(keyval)) {
    case GDK_KEY_r:
        reset(self);
        return TRUE;
    case GDK_KEY_c:
    case GDK_KEY_b:
        toggle_clip(self);
        return TRUE;
    default:
        return turn_key(self, keyval) || bg_view_keys_common(self->session, keyval, state);
    }
}

static void
on_reset(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    reset(user_data);
}

static void
on_clip(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    toggle_clip(user_data);
}

static void
on_parallel(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    BgVolumeView *self = user_data;
    BgView view = view_of(self);

    view.parallel = !view.parallel;
    set_view(self, view);
}

static void
on_look_from(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    bg_volume_view_look_from(user_data, g_variant_get_string(parameter, NULL)[0]);
}

void
bg_volume_view_init_input(BgVolumeView *self)
{
    static const GActionEntry entries[] = {
        { "reset", on_reset, NULL, NULL, NULL },
        { "clip", on_clip, NULL, "false", NULL },
        { "parallel", on_parallel, NULL, "false", NULL },
        { "look-from", on_look_from, "s", NULL, NULL },
    };
    GtkWidget *widget = GTK_WIDGET(self);
    GSimpleActionGroup *group = g_simple_action_group_new();
    GtkGesture *drag = gtk_gesture_drag_new();
    GtkEventController *motion = gtk_event_controller_motion_new();
    GtkEventController *scroll =
        gtk_event_controller_scroll_new(GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);

    g_action_map_add_action_entries(G_ACTION_MAP(group), entries, G_N_ELEMENTS(entries), self);
    gtk_widget_insert_action_group(widget, "view", G_ACTION_GROUP(group));
    g_object_set_data_full(G_OBJECT(self), "actions", group, g_object_unref);
    gtk_gesture_single_set_button(GTK_GESTURE_SINGLE(drag), 0);
    g_signal_connect(drag, "drag-begin", G_CALLBACK(on_drag_begin), self);
    g_signal_connect(drag, "drag-update", G_CALLBACK(on_drag_update), self);
    g_signal_connect(drag, "drag-end", G_CALLBACK(on_drag_end), self);
    gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(drag));
    g_signal_connect(motion, "motion", G_CALLBACK(on_motion), self);
    gtk_widget_add_controller(widget, motion);
    g_signal_connect(scroll, "scroll", G_CALLBACK(on_scroll), self);
    gtk_widget_add_controller(widget, scroll);
}
