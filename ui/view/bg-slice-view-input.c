// SPDX-License-Identifier: Apache-2.0
// Mouse and keys of a slice: the maps "Planning" and "Radiology".
#include "core/base/bg-i18n.h"
#include "ui/model/bg-kept.h"
#include "ui/model/bg-label-edit.h"
#include "ui/model/bg-manual.h"
#include "ui/model/bg-points.h"
#include "ui/model/bg-settings.h"
#include "ui/view/bg-slice-view-private.h"
#include "ui/view/bg-view-keys.h"

#define CLICK_PX 3.0        // less is a click, not a drag
#define GRAB_PX 6.0         // how close to an end a measurement is taken
#define POINT_STEP 0.25     // of a voxel: a point's, by Ctrl and an arrow
#define HAND_STEP 0.1       // mm or degrees: the volume, by a key
#define ZOOM_PER_PX 1.01    // of a drag
#define ZOOM_PER_NOTCH 1.15 // of the wheel
#define ZOOM_MIN 0.1
#define ZOOM_MAX 60.0
#define WINDOW_PX 150.0 // this long a drag doubles the window

static BgCase *
case_of(BgSliceView *self)
{
    return bg_session_get_case(self->session);
}

static gboolean
radiology_map(void)
{
    g_autofree char *map = g_settings_get_string(bg_settings_get(), "mouse-map");

    return g_str_equal(map, "radiology");
}

static void
set_cursor_at(BgSliceView *self, double x, double y)
{
    BgVec3 point_mm;

    if (bg_slice_view_point_mm(self, x, y, &point_mm))
        bg_session_move_cursor(self->session, point_mm);
}

// Keeps what is under (x, y) where it is.
static void
zoom_to(BgSliceView *self, double zoom, double x, double y)
{
    const BgPaneState *pane = &bg_session_get_state(self->session)->panes[self->plane];
    double old = pane->zoom > 0.0 ? pane->zoom : 1.0;
    BgSliceFrame frame;

    if (!bg_slice_view_frame(self, &frame))
        return;

    zoom = CLAMP(zoom, ZOOM_MIN, ZOOM_MAX);
    double kept = 1.0 - old / zoom;
    double pan_mm[2] = { pane->pan_mm[0] - (x - frame.width / 2.0) * frame.spacing_mm * kept,
                         pane->pan_mm[1] - (y - frame.height / 2.0) * frame.spacing_mm * kept };
    bg_session_do(self->session, bg_command_set_pane(self->plane, zoom, pan_mm));
}

static void
reset_pane(BgSliceView *self)
{
    const double none[2] = { 0.0, 0.0 };

    bg_session_do(self->session, bg_command_set_pane(self->plane, 1.0, none));
}

static void
drag_pan(BgSliceView *self, double dx, double dy)
{
    const BgPaneState *pane = &bg_session_get_state(self->session)->panes[self->plane];
    BgSliceFrame frame;

    if (!bg_slice_view_frame(self, &frame))
        return;

    double pan_mm[2] = { self->start_pan_mm[0] + dx * frame.spacing_mm,
                         self->start_pan_mm[1] + dy * frame.spacing_mm };
    bg_session_do(self->session, bg_command_set_pane(self->plane, pane->zoom, pan_mm));
}

static void
drag_window(BgSliceView *self, double dx, double dy, GdkModifierType state)
{
    const BgLayer *layer = bg_session_get_volume(self->session);

    if (layer == NULL)
        return;

    // Shift is what chose this drag when it is the right button; Ctrl is coarse either way.
    GdkModifierType counts =
        self->drag_button == GDK_BUTTON_SECONDARY ? GDK_CONTROL_MASK : GDK_MODIFIER_MASK;
    double factor = bg_view_drag_factor(state & counts) / WINDOW_PX;
    double width = self->start_width * exp2(dx * factor);
    double centre = self->start_centre + dy * factor * self->start_width;
    bg_session_do(self->session, bg_command_set_window(layer->id, centre, width));
}

// The measurement with an end, or an angle's corner, at (x, y): (transfer none) (nullable)
static const BgMeasurement *
measurement_at(BgSliceView *self, double x, double y, int *point)
{
    const GPtrArray *list = bg_session_get_state(self->session)->measurements;
    BgSliceFrame frame;

    if (!bg_slice_view_frame(self, &frame))
        return NULL;

    for (guint i = 0; i < list->len; i++) {
        const BgMeasurement *measurement = list->pdata[i];
        for (int p = 0; p < bg_measurement_count_points(measurement->kind); p++) {
            double px, py;
            double away_mm = bg_slice_frame_project(&frame, measurement->points_mm[p], &px, &py);
            if (fabs(away_mm) > 1.0 || hypot(px + 0.5 - x, py + 0.5 - y) > GRAB_PX)
                continue;
            *point = p;
            return measurement;
        }
    }

    return NULL;
}

// The point at (x, y): its list: (transfer none) (nullable)
static const BgLandmarkList *
point_at(BgSliceView *self, double x, double y, gsize *index)
{
    const GPtrArray *lists = bg_session_get_state(self->session)->landmarks;
    BgSliceFrame frame;

    if (!bg_slice_view_frame(self, &frame))
        return NULL;
    for (guint i = 0; i < lists->len; i++) {
        const BgLandmarkList *list = lists->pdata[i];
        for (gsize p = 0; p < bg_landmarks_count(list->points); p++) {
            BgVec3 at_mm;
            double px, py;
            if (!bg_points_shown_at(self->session, list, p, &at_mm) ||
                fabs(bg_slice_frame_project(&frame, at_mm, &px, &py)) > 1.0 ||
                hypot(px + 0.5 - x, py + 0.5 - y) > GRAB_PX)
                continue;
            *index = p;
            return list;
        }
    }
    return NULL;
}

// Takes a point, or places the next one.
static void
begin_point(BgSliceView *self, double x, double y)
{
    gsize index;
    const BgLandmarkList *list = point_at(self, x, y, &index);
    BgVec3 at_mm;

    bg_case_begin_gesture(case_of(self), list != NULL ? _("Move point") : _("Point"));
    self->drag = BG_DRAG_POINT;
    if (list != NULL)
        bg_session_select_point(self->session, list->id, index);
    else if (bg_slice_view_point_mm(self, x, y, &at_mm))
        bg_points_place(self->session, at_mm);
}

static void
move_point(BgSliceView *self, double x, double y)
{
    gsize index;
    const char *list_id = bg_session_get_selected_point(self->session, &index);
    BgVec3 at_mm;

    if (list_id != NULL && bg_slice_view_point_mm(self, x, y, &at_mm))
        bg_points_move(self->session, list_id, index, at_mm);
}

// By what the pointer has gone since the last event.
static void
move_volume(BgSliceView *self, double x, double y)
{
    BgSliceFrame frame;
    double cursor_x, cursor_y;

    if (!bg_slice_view_frame(self, &frame))
        return;
    BgVec3 cursor_mm = bg_session_get_state(self->session)->cursor_mm;
    double right_mm = (x - self->last_x) * frame.spacing_mm;
    double down_mm = (y - self->last_y) * frame.spacing_mm;
    if (self->drag == BG_DRAG_MOVE) {
        bg_manual_shift(self->session, bg_vec3_add(bg_vec3_scale(frame.u, right_mm),
                                                   bg_vec3_scale(frame.v, down_mm)));
        return;
    }
    bg_slice_frame_project(&frame, cursor_mm, &cursor_x, &cursor_y);
    double before = atan2(self->last_y - cursor_y, self->last_x - cursor_x);
    double after = atan2(y - cursor_y, x - cursor_x);
    // From u towards v is about u x v, the normal.
    bg_manual_turn(self->session, cursor_mm, frame.normal,
                   remainder(after - before, 2.0 * G_PI) * 180.0 / G_PI);
}

static void
move_measure_point(BgSliceView *self, double x, double y)
{
    const BgMeasurement *old =
        self->measure_id != NULL ? bg_case_get_measurement(case_of(self), self->measure_id) : NULL;
    BgVec3 point_mm;

    if (old == NULL || !bg_slice_view_point_mm(self, x, y, &point_mm))
        return;

    g_autoptr(BgMeasurement) measurement = bg_measurement_copy(old);
    for (int p = self->measure_point; p < bg_measurement_count_points(old->kind); p++)
        if (self->drag != BG_DRAG_MEASURE_POINT || p == self->measure_point)
            measurement->points_mm[p] = point_mm;
    bg_session_do(self->session, bg_command_change_measurement(measurement));
}

static void
begin_measure(BgSliceView *self, double x, double y)
{
    gboolean ruler = bg_session_get_tool(self->session) == BG_TOOL_RULER;
    const BgLayer *layer = bg_session_get_volume(self->session);
    BgVec3 point_mm;

    if (!bg_slice_view_point_mm(self, x, y, &point_mm))
        return;

    BgVec3 points_mm[3] = { point_mm, point_mm, point_mm };
    g_autoptr(BgMeasurement) measurement =
        bg_measurement_new(ruler ? BG_MEASURE_RULER : BG_MEASURE_ANGLE, points_mm);
    g_free(self->measure_id);
    self->measure_id = bg_case_new_id(case_of(self), "measurement");
    g_free(measurement->id);
    measurement->id = g_strdup(self->measure_id);
    // Translators: a number
    measurement->name = (g_free(measurement->name),
                         bg_kept_new_name(self->session, ruler ? _("Ruler %s") : _("Angle %s")));
    bg_layer_set_string(&measurement->plane, bg_plane_name(self->plane));
    bg_layer_set_string(&measurement->layer_id, layer != NULL ? layer->id : "");
    self->measure_point = 1;

    bg_case_begin_gesture(case_of(self), ruler ? _("Ruler") : _("Angle"));
    bg_session_do(self->session, bg_command_add_measurement(measurement));
    bg_session_select_measurement(self->session, self->measure_id);
}

// A point was placed: by release after a drag, or by a click.
static void
place_point(BgSliceView *self)
{
    const BgMeasurement *measurement = bg_case_get_measurement(case_of(self), self->measure_id);

    if (measurement == NULL)
        return;

    self->measure_point++;
    if (self->measure_point < bg_measurement_count_points(measurement->kind))
        return;

    bg_case_end_gesture(case_of(self));
    g_clear_pointer(&self->measure_id, g_free);
}

static void
cancel_drag(BgSliceView *self)
{
    if (self->drag != BG_DRAG_NONE || self->measure_id != NULL)
        bg_case_cancel_gesture(case_of(self));
    if (self->measure_id != NULL && self->drag != BG_DRAG_MEASURE_POINT)
        bg_session_select_measurement(self->session, NULL);
    g_clear_pointer(&self->measure_id, g_free);
    self->drag = BG_DRAG_NONE;
    bg_session_set_dragging(self->session, FALSE);
}

static BgDrag
choose_drag(BgSliceView *self, guint button, GdkModifierType state)
{
    BgTool tool = bg_session_get_tool(self->session);

    if (button == GDK_BUTTON_MIDDLE)
        return BG_DRAG_PAN;
    if (button == GDK_BUTTON_SECONDARY)
        return state & GDK_SHIFT_MASK ? BG_DRAG_WINDOW : BG_DRAG_ZOOM;
    if (button != GDK_BUTTON_PRIMARY)
        return BG_DRAG_NONE;
    if (self->w_held)
        return BG_DRAG_WINDOW;
    if (tool == BG_TOOL_RULER || tool == BG_TOOL_ANGLE)
        return BG_DRAG_MEASURE;
    if (tool == BG_TOOL_POINT)
        return BG_DRAG_POINT;
    if (tool == BG_TOOL_MOVE)
        return state & GDK_SHIFT_MASK ? BG_DRAG_TURN : BG_DRAG_MOVE;
    if (state & GDK_SHIFT_MASK)
        return BG_DRAG_PAN;
    if (state & GDK_CONTROL_MASK)
        return BG_DRAG_ZOOM;
    if (tool == BG_TOOL_BRUSH || tool == BG_TOOL_ERASER || tool == BG_TOOL_FILL)
        return BG_DRAG_PAINT;
    if (tool == BG_TOOL_WINDOW || radiology_map())
        return BG_DRAG_WINDOW;

    return BG_DRAG_CROSSHAIR;
}

// Takes the end of a selected measurement; a click on another's end selects it.
static gboolean
grab_measurement(BgSliceView *self, double x, double y)
{
    int point = 0;
    const BgMeasurement *measurement = measurement_at(self, x, y, &point);

    if (measurement == NULL)
        return FALSE;

    gboolean selected =
        g_strcmp0(measurement->id, bg_session_get_selected_measurement(self->session)) == 0;
    bg_session_select_measurement(self->session, measurement->id);
    if (!selected)
        return TRUE;

    self->measure_id = g_strdup(measurement->id);
    self->measure_point = point;
    self->drag = BG_DRAG_MEASURE_POINT;
    bg_case_begin_gesture(case_of(self), _("Move measurement"));
    return TRUE;
}

static void
on_drag_begin(GtkGestureDrag *gesture, double x, double y, gpointer user_data)
{
    BgSliceView *self = user_data;
    const BgPaneState *pane = &bg_session_get_state(self->session)->panes[self->plane];
    const BgLayer *layer = bg_session_get_volume(self->session);
    GdkModifierType state =
        gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(gesture));

    gtk_widget_grab_focus(GTK_WIDGET(self));
    self->drag_button = gtk_gesture_single_get_current_button(GTK_GESTURE_SINGLE(gesture));
    self->drag_x = self->last_x = x;
    self->drag_y = self->last_y = y;
    self->drag_moved = FALSE;

    if (self->measure_id != NULL && self->drag_button != GDK_BUTTON_PRIMARY)
        return; // the measurement is drawn on after this
    if (self->measure_id == NULL && self->drag_button == GDK_BUTTON_PRIMARY &&
        bg_session_get_tool(self->session) == BG_TOOL_CROSSHAIR && grab_measurement(self, x, y))
        return;

    self->drag = choose_drag(self, self->drag_button, state);
    if (self->drag == BG_DRAG_MEASURE) {
        if (self->measure_id == NULL)
            begin_measure(self, x, y);
        return;
    }
    if (self->drag == BG_DRAG_PAINT) {
        if (!bg_slice_view_begin_stroke(self, x, y))
            self->drag = BG_DRAG_NONE;
        return;
    }
    if (self->drag == BG_DRAG_POINT)
        begin_point(self, x, y);
    if (self->drag == BG_DRAG_NONE || self->drag == BG_DRAG_POINT)
        return;

    self->start_zoom = pane->zoom > 0.0 ? pane->zoom : 1.0;
    memcpy(self->start_pan_mm, pane->pan_mm, sizeof self->start_pan_mm);
    if (layer != NULL) {
        self->start_centre = layer->window_centre;
        self->start_width = layer->window_width;
    }
    // Translators: the name of a step of undo
    const char *title =
        self->drag == BG_DRAG_MOVE || self->drag == BG_DRAG_TURN ? _("Registration by hand") : NULL;
    bg_case_begin_gesture(case_of(self), title);
    bg_session_set_dragging(self->session, TRUE);
    if (self->drag == BG_DRAG_CROSSHAIR)
        set_cursor_at(self, x, y);
}

static void
on_drag_update(GtkGestureDrag *gesture, double dx, double dy, gpointer user_data)
{
    BgSliceView *self = user_data;
    GdkModifierType state =
        gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(gesture));
    double x = self->drag_x + dx, y = self->drag_y + dy;

    self->drag_moved = self->drag_moved || hypot(dx, dy) > CLICK_PX;
    if (self->drag_moved && (self->drag == BG_DRAG_MOVE || self->drag == BG_DRAG_TURN))
        move_volume(self, x, y);
    if (self->drag_moved || (self->drag != BG_DRAG_MOVE && self->drag != BG_DRAG_TURN)) {
        self->last_x = x;
        self->last_y = y;
    }
    if (!self->drag_moved && self->drag != BG_DRAG_CROSSHAIR && self->drag != BG_DRAG_PAINT)
        return;

    switch (self->drag) {
    case BG_DRAG_CROSSHAIR:
        set_cursor_at(self, x, y);
        break;
    case BG_DRAG_PAN:
        drag_pan(self, dx, dy);
        break;
    case BG_DRAG_ZOOM:
        zoom_to(self, self->start_zoom * pow(ZOOM_PER_PX, -dy), self->drag_x, self->drag_y);
        break;
    case BG_DRAG_WINDOW:
        drag_window(self, dx, dy, state);
        break;
    case BG_DRAG_MEASURE:
    case BG_DRAG_MEASURE_POINT:
        move_measure_point(self, x, y);
        break;
    case BG_DRAG_POINT:
        move_point(self, x, y);
        break;
    case BG_DRAG_PAINT:
        bg_slice_view_stroke_to(self, x, y);
        break;
    case BG_DRAG_MOVE:
    case BG_DRAG_TURN:
    case BG_DRAG_NONE:
        break;
    }
}

static void show_menu(BgSliceView *self, double x, double y);

static void
on_drag_end(GtkGestureDrag *gesture, double dx, double dy, gpointer user_data)
{
    BgSliceView *self = user_data;
    BgDrag drag = self->drag;

    self->drag = BG_DRAG_NONE;
    if (drag == BG_DRAG_POINT) // the magnifier goes
        gtk_widget_queue_draw(GTK_WIDGET(self));
    bg_session_set_dragging(self->session, FALSE);

    if (drag == BG_DRAG_MEASURE) {
        // A click without a drag sets the first point; the next click sets the next one.
        if (self->measure_id != NULL && (self->drag_moved || self->n_placed > 0))
            place_point(self);
        self->n_placed = self->measure_id != NULL ? self->n_placed + 1 : 0;
        return;
    }
    if (drag == BG_DRAG_NONE)
        return;
    if (drag == BG_DRAG_PAINT) {
        bg_label_edit_end(self->session);
        return;
    }

    bg_case_end_gesture(case_of(self));
    if (drag == BG_DRAG_MEASURE_POINT)
        g_clear_pointer(&self->measure_id, g_free);
    bg_session_tell(self->session, BG_CHANGE_VIEW); // a last picture at full quality

    if (self->drag_moved)
        return;
    if (self->drag_button == GDK_BUTTON_SECONDARY)
        show_menu(self, self->drag_x, self->drag_y);
    else if (self->drag_button == GDK_BUTTON_PRIMARY && drag == BG_DRAG_WINDOW)
        set_cursor_at(self, self->drag_x, self->drag_y);
}

static void
on_motion(GtkEventControllerMotion *controller, double x, double y, gpointer user_data)
{
    BgSliceView *self = user_data;
    GdkModifierType state =
        gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(controller));
    int point;
    gsize index;

    if (fabs(x - self->pointer_x) < 0.01 && fabs(y - self->pointer_y) < 0.01)
        return; // GTK repeats the last place when widgets move
    self->pointer_x = x;
    self->pointer_y = y;
    self->pointer_inside = TRUE;
    if (bg_session_get_tool(self->session) == BG_TOOL_BRUSH ||
        bg_session_get_tool(self->session) == BG_TOOL_ERASER)
        gtk_widget_queue_draw(GTK_WIDGET(self)); // its outline
    if (self->drag != BG_DRAG_NONE)
        return;

    if (self->measure_id != NULL)
        move_measure_point(self, x, y);
    else if ((state & GDK_SHIFT_MASK) && !(state & (GDK_BUTTON1_MASK | GDK_BUTTON3_MASK)))
        set_cursor_at(self, x, y);

    BgTool tool = bg_session_get_tool(self->session);
    const char *shape = tool == BG_TOOL_RULER || tool == BG_TOOL_ANGLE || tool == BG_TOOL_POINT
                            ? "cell"
                            : "crosshair";
    if (measurement_at(self, x, y, &point) != NULL ||
        (tool == BG_TOOL_POINT && point_at(self, x, y, &index) != NULL))
        shape = "grab";
    gtk_widget_set_cursor_from_name(GTK_WIDGET(self), shape);
}

static void
on_leave(GtkEventControllerMotion *controller, gpointer user_data)
{
    BgSliceView *self = user_data;

    self->pointer_inside = FALSE;
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static gboolean
on_scroll(GtkEventControllerScroll *controller, double dx, double dy, gpointer user_data)
{
    BgSliceView *self = user_data;
    GdkModifierType state =
        gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(controller));
    const BgPaneState *pane = &bg_session_get_state(self->session)->panes[self->plane];

    if (state & GDK_CONTROL_MASK) {
        double old = pane->zoom > 0.0 ? pane->zoom : 1.0;
        zoom_to(self, old * pow(ZOOM_PER_NOTCH, -dy), self->pointer_x, self->pointer_y);
        return TRUE;
    }

    self->scrolled -= dy;
    int steps = (int) self->scrolled;
    self->scrolled -= steps;
    if (steps != 0)
        bg_session_step_slice(self->session, self->plane, steps);

    return TRUE;
}

static void
nudge(BgSliceView *self, double right, double down, int steps)
{
    const BgGeometry *geometry = bg_session_get_slices(self->session);
    const BgCaseState *state = bg_session_get_state(self->session);
    BgVec3 u, v;

    if (geometry == NULL)
        return;

    bg_plane_axes(self->plane,
                  state->radiological ? BG_CONVENTION_RADIOLOGICAL : BG_CONVENTION_NEUROLOGICAL, &u,
                  &v);
    BgVec3 spacing_mm = bg_geometry_spacing_mm(geometry);
    double step_mm = MIN(spacing_mm.x, MIN(spacing_mm.y, spacing_mm.z)) * steps;
    gsize index;
    const char *list_id = bg_session_get_tool(self->session) == BG_TOOL_POINT
                              ? bg_session_get_selected_point(self->session, &index)
                              : NULL;
    const BgLandmarkList *list =
        list_id != NULL ? bg_case_get_landmarks(case_of(self), list_id) : NULL;
    BgVec3 at_mm = state->cursor_mm;
    if (list != NULL && bg_points_shown_at(self->session, list, index, &at_mm))
        step_mm *= POINT_STEP;
    BgVec3 to_mm = bg_vec3_along(bg_vec3_along(at_mm, right * step_mm, u), down * step_mm, v);
    if (list == NULL || !bg_points_move(self->session, list_id, index, to_mm))
        bg_session_move_cursor(self->session, to_mm);
}

// Ctrl and arrows shift the volume, comma and full stop turn it.
static gboolean
hand_key(BgSliceView *self, guint keyval, GdkModifierType state)
{
    double step = state & GDK_SHIFT_MASK ? 10.0 * HAND_STEP : HAND_STEP;
    gboolean ctrl = (state & GDK_CONTROL_MASK) != 0;
    BgSliceFrame frame;
    BgVec3 by;

    if (bg_session_get_tool(self->session) != BG_TOOL_MOVE || !bg_slice_view_frame(self, &frame))
        return FALSE;
    if (ctrl && (keyval == GDK_KEY_Left || keyval == GDK_KEY_Right))
        by = bg_vec3_scale(frame.u, keyval == GDK_KEY_Left ? -step : step);
    else if (ctrl && (keyval == GDK_KEY_Up || keyval == GDK_KEY_Down))
        by = bg_vec3_scale(frame.v, keyval == GDK_KEY_Up ? -step : step);
    else if (keyval == GDK_KEY_comma || keyval == GDK_KEY_period || keyval == GDK_KEY_less ||
             keyval == GDK_KEY_greater || keyval == GDK_KEY_semicolon || keyval == GDK_KEY_colon) {
        gboolean back =
            keyval == GDK_KEY_comma || keyval == GDK_KEY_less || keyval == GDK_KEY_semicolon;
        bg_manual_turn(self->session, bg_session_get_state(self->session)->cursor_mm, frame.normal,
                       back ? -step : step);
        return TRUE;
    } else
        return FALSE;
    bg_manual_shift(self->session, by);
    return TRUE;
}

static gboolean
move_key(BgSliceView *self, guint keyval, GdkModifierType state)
{
    gboolean ctrl = (state & GDK_CONTROL_MASK) != 0;
    int steps = ctrl && (state & GDK_SHIFT_MASK) ? 5 : 1;

    switch (keyval) {
    case GDK_KEY_Up:
        if (ctrl)
            nudge(self, 0.0, -1.0, steps);
        else
            bg_session_step_slice(self->session, self->plane, 1);
        return TRUE;
    case GDK_KEY_Down:
        if (ctrl)
            nudge(self, 0.0, 1.0, steps);
        else
            bg_session_step_slice(self->session, self->plane, -1);
        return TRUE;
    case GDK_KEY_Left:
    case GDK_KEY_Right:
        if (!ctrl)
            return FALSE;
        nudge(self, keyval == GDK_KEY_Left ? -1.0 : 1.0, 0.0, steps);
        return TRUE;
    case GDK_KEY_Page_Up:
        bg_session_step_slice(self->session, self->plane, 10);
        return TRUE;
    case GDK_KEY_Page_Down:
        bg_session_step_slice(self->session, self->plane, -10);
        return TRUE;
    default:
        return FALSE;
    }
}

static gboolean
escape(BgSliceView *self)
{
    if (self->drag != BG_DRAG_NONE || self->measure_id != NULL) {
        cancel_drag(self);
        return TRUE;
    }
    if (bg_session_get_tool(self->session) != BG_TOOL_CROSSHAIR) {
        bg_session_set_tool(self->session, BG_TOOL_CROSSHAIR);
        return TRUE;
    }

    return FALSE;
}

gboolean
bg_slice_view_key(BgSliceView *self, guint keyval, GdkModifierType state, gboolean pressed)
{
    guint lower = gdk_keyval_to_lower(keyval);

    if (lower == GDK_KEY_w && !(state & (GDK_CONTROL_MASK | GDK_ALT_MASK))) {
        self->w_held = pressed;
        return TRUE;
    }
    if (!pressed)
        return FALSE;
    if (keyval == GDK_KEY_Escape)
        return escape(self);
    if (lower == GDK_KEY_r && !(state & (GDK_CONTROL_MASK | GDK_ALT_MASK))) {
        reset_pane(self);
        return TRUE;
    }
    if (keyval == GDK_KEY_Menu || (keyval == GDK_KEY_F10 && (state & GDK_SHIFT_MASK))) {
        show_menu(self, gtk_widget_get_width(GTK_WIDGET(self)) / 2.0,
                  gtk_widget_get_height(GTK_WIDGET(self)) / 2.0);
        return TRUE;
    }
    gsize index;
    const char *list = bg_session_get_selected_point(self->session, &index);
    if (keyval == GDK_KEY_Delete && list != NULL &&
        bg_session_get_tool(self->session) == BG_TOOL_POINT) {
        bg_points_remove(self->session, list, index);
        return TRUE;
    }
    const char *selected = bg_session_get_selected_measurement(self->session);
    if (keyval == GDK_KEY_Delete && selected != NULL) {
        bg_session_do(self->session, bg_command_remove_measurement(selected));
        return TRUE;
    }

    return hand_key(self, keyval, state) || move_key(self, keyval, state) ||
           bg_slice_view_edit_key(self, keyval, state) ||
           bg_view_keys_common(self->session, keyval, state);
}

static void
on_reset(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    reset_pane(user_data);
}

static void
on_window_preset(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    bg_view_keys_window_preset(BG_SLICE_VIEW(user_data)->session, g_variant_get_int32(parameter));
}

static void
on_copy_position(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    BgSliceView *self = user_data;
    BgVec3 at = bg_session_get_state(self->session)->cursor_mm;
    char x[G_ASCII_DTOSTR_BUF_SIZE], y[G_ASCII_DTOSTR_BUF_SIZE], z[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *text =
        g_strdup_printf("%s,%s,%s", g_ascii_dtostr(x, sizeof x, at.x),
                        g_ascii_dtostr(y, sizeof y, at.y), g_ascii_dtostr(z, sizeof z, at.z));

    gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(self)), text);
}

static GMenuModel *
menu_model(BgSliceView *self)
{
    g_autoptr(GMenu) menu = g_menu_new();
    g_autoptr(GMenu) windows = g_menu_new();
    g_autoptr(GMenu) view = g_menu_new();
    g_autoptr(GMenu) tools = g_menu_new();

    for (int digit = 0; digit < 10; digit++) {
        const char *name = bg_view_keys_window_preset_name(self->session, digit);
        g_autofree char *action = g_strdup_printf("view.window-preset(%d)", digit);
        g_autofree char *label = name != NULL ? g_strdup_printf("%d  %s", digit, name) : NULL;
        if (name != NULL)
            g_menu_append(windows, label, action);
    }
    g_menu_append(view, _("Reset View"), "view.reset");
    g_menu_append(view, _("Maximise or Restore"), "pane.maximise");
    g_menu_append(view, _("Copy Position (LPS mm)"), "view.copy-position");
    g_menu_append(view, _("Save Picture…"), "win.screenshot");
    g_menu_append(view, _("Copy Picture"), "win.copy-picture");
    g_menu_append(tools, _("Ruler"), "win.tool::ruler");
    g_menu_append(tools, _("Angle"), "win.tool::angle");
    g_menu_append(tools, _("Point"), "win.tool::point");
    g_menu_append(tools, _("Brush"), "win.tool::brush");
    g_menu_append(tools, _("Eraser"), "win.tool::eraser");
    g_menu_append(tools, _("Fill"), "win.tool::fill");
    g_menu_append_submenu(menu, _("Window"), G_MENU_MODEL(windows));
    g_menu_append_section(menu, NULL, G_MENU_MODEL(view));
    g_menu_append_section(menu, NULL, G_MENU_MODEL(tools));

    return G_MENU_MODEL(g_steal_pointer(&menu));
}

static void
show_menu(BgSliceView *self, double x, double y)
{
    g_autoptr(GMenuModel) model = menu_model(self);

    g_clear_pointer(&self->menu, gtk_widget_unparent);
    self->menu = gtk_popover_menu_new_from_model(model);
    gtk_widget_set_parent(self->menu, GTK_WIDGET(self));
    gtk_popover_set_has_arrow(GTK_POPOVER(self->menu), FALSE);
    gtk_widget_set_halign(self->menu, GTK_ALIGN_START);
    gtk_popover_set_pointing_to(GTK_POPOVER(self->menu), &(GdkRectangle){ (int) x, (int) y, 1, 1 });
    gtk_popover_popup(GTK_POPOVER(self->menu));
}

void
bg_slice_view_init_input(BgSliceView *self)
{
    static const GActionEntry entries[] = {
        { "reset", on_reset, NULL, NULL, NULL },
        { "window-preset", on_window_preset, "i", NULL, NULL },
        { "copy-position", on_copy_position, NULL, NULL, NULL },
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
    g_signal_connect(motion, "leave", G_CALLBACK(on_leave), self);
    gtk_widget_add_controller(widget, motion);
    g_signal_connect(scroll, "scroll", G_CALLBACK(on_scroll), self);
    gtk_widget_add_controller(widget, scroll);
    gtk_widget_set_cursor_from_name(widget, "crosshair");
}
