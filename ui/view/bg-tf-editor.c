// SPDX-License-Identifier: Apache-2.0
#include "ui/view/bg-tf-editor.h"

#include "core/base/bg-i18n.h"
#include "ui/view/bg-tf-editor-private.h"

#define MIN_WIDTH_PX 240
#define MIN_HEIGHT_PX 190
#define WHEEL_FACTOR 1.15
#define NUDGE_PARTS 200.0 // an arrow key moves a point by that part of the axis

struct _BgTfEditor {
    GtkWidget parent_instance;

    BgTransferFunction *tf; // owned, nullable
    BgHistogram *histogram; // owned, nullable
    char *unit;
    gboolean logarithmic;
    double marker;
    double low, high; // values that are shown
    BgTfHandle selected;

    BgTransferFunction *before_drag; // owned, nullable: what Escape brings back
    BgTfHandle dragged;
    double grab_x, grab_y; // from the pointer to the handle's middle
};

enum { CHANGED, GESTURE_BEGIN, GESTURE_END, GESTURE_CANCEL, COLOUR_WANTED, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(BgTfEditor, bg_tf_editor, GTK_TYPE_WIDGET)

static BgTfLayout
get_layout(BgTfEditor *self)
{
    double width = gtk_widget_get_width(GTK_WIDGET(self));
    double height = gtk_widget_get_height(GTK_WIDGET(self));
    double strip_top = height - BG_TF_STRIP_PX - 1.0;

    return (BgTfLayout){ .left = BG_TF_MARGIN_PX,
                         .right = MAX(width - BG_TF_MARGIN_PX, BG_TF_MARGIN_PX + 1.0),
                         .top = BG_TF_MARGIN_PX,
                         .bottom = MAX(strip_top - BG_TF_AXIS_PX, BG_TF_MARGIN_PX + 1.0),
                         .strip_top = strip_top,
                         .low = self->low,
                         .high = self->high };
}

static void
update_name(BgTfEditor *self)
{
    g_autofree char *name = NULL;
    double value = self->tf != NULL ? bg_tf_handle_value(self->tf, self->selected) : 0.0;

    switch (self->selected.part) {
    case BG_TF_NOTHING:
        name = g_strdup(_("Transfer function, no point selected"));
        break;
    case BG_TF_OPACITY_POINT:
        // Translators: a value with its unit, and an opacity between 0 and 1
        name = g_strdup_printf(_("Opacity point at %g %s, opacity %.2f"), value, self->unit,
                               bg_tf_handle_alpha(self->tf, self->selected));
        break;
    case BG_TF_COLOUR_STOP:
        // Translators: a value with its unit
        name = g_strdup_printf(_("Colour stop at %g %s"), value, self->unit);
        break;
    }
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

// What the user made.
static void
take_change(BgTfEditor *self, BgTransferFunction *tf)
{
    if (tf == NULL)
        return;
    g_clear_pointer(&self->tf, bg_transfer_function_unref);
    self->tf = tf;
    update_name(self);
    g_signal_emit(self, signals[CHANGED], 0);
}

static double
squared(double x)
{
    return x * x;
}

static BgTfHandle
find_handle(BgTfEditor *self, double x, double y)
{
    const BgTransferFunctionData *data = bg_transfer_function_get_data(self->tf);
    BgTfLayout layout = get_layout(self);
    BgTfHandle found = bg_tf_handle_none();
    double nearest = squared(BG_TF_HIT_PX) + 1e-9;

    for (guint i = 0; i < data->opacity->len; i++) {
        const BgOpacityPoint *point = &g_array_index(data->opacity, BgOpacityPoint, i);
        double distance = squared(bg_tf_layout_x(&layout, point->value) - x) +
                          squared(bg_tf_layout_y(&layout, point->alpha) - y);
        if (distance < nearest) {
            nearest = distance;
            found = (BgTfHandle){ BG_TF_OPACITY_POINT, i };
        }
    }
    if (y < layout.strip_top)
        return found;

    nearest = squared(BG_TF_HIT_PX) + 1e-9;
    for (guint i = 0; i < data->colour->len; i++) {
        double value = g_array_index(data->colour, BgColourPoint, i).value;
        double distance = squared(bg_tf_layout_x(&layout, value) - x);
        if (distance < nearest) {
            nearest = distance;
            found = (BgTfHandle){ BG_TF_COLOUR_STOP, i };
        }
    }
    return found;
}

static void
handle_place(BgTfEditor *self, BgTfHandle handle, double *x, double *y)
{
    BgTfLayout layout = get_layout(self);

    *x = bg_tf_layout_x(&layout, bg_tf_handle_value(self->tf, handle));
    *y = handle.part == BG_TF_OPACITY_POINT
             ? bg_tf_layout_y(&layout, bg_tf_handle_alpha(self->tf, handle))
             : layout.strip_top + BG_TF_STRIP_PX / 2.0;
}

static void
on_drag_begin(GtkGestureDrag *drag, double x, double y, gpointer user_data)
{
    BgTfEditor *self = user_data;
    BgTfLayout layout = get_layout(self);

    gtk_widget_grab_focus(GTK_WIDGET(self));
    if (self->tf == NULL) {
        gtk_gesture_set_state(GTK_GESTURE(drag), GTK_EVENT_SEQUENCE_DENIED);
        return;
    }

    g_signal_emit(self, signals[GESTURE_BEGIN], 0);
    self->before_drag = bg_transfer_function_ref(self->tf);
    self->dragged = find_handle(self, x, y);
    if (self->dragged.part == BG_TF_NOTHING) {
        BgTfPart part = y >= layout.strip_top ? BG_TF_COLOUR_STOP : BG_TF_OPACITY_POINT;
        BgTransferFunction *next = bg_tf_add(self->tf, part, bg_tf_layout_value(&layout, x),
                                             bg_tf_layout_alpha(&layout, y), &self->dragged);
        self->selected = self->dragged;
        take_change(self, next);
    }
    self->selected = self->dragged;
    handle_place(self, self->dragged, &self->grab_x, &self->grab_y);
    self->grab_x -= x;
    self->grab_y -= y;
    update_name(self);
}

static void
on_drag_update(GtkGestureDrag *drag, double dx, double dy, gpointer user_data)
{
    BgTfEditor *self = user_data;
    BgTfLayout layout = get_layout(self);
    double x, y;

    if (self->before_drag == NULL || (dx == 0.0 && dy == 0.0) ||
        !bg_tf_handle_exists(self->tf, self->dragged))
        return;
    gtk_gesture_drag_get_start_point(drag, &x, &y);
    double value = bg_tf_layout_value(&layout, x + dx + self->grab_x);
    take_change(self, bg_tf_move(self->tf, self->dragged, CLAMP(value, self->low, self->high),
                                 bg_tf_layout_alpha(&layout, y + dy + self->grab_y)));
}

static void
end_drag(BgTfEditor *self, gboolean cancelled)
{
    if (self->before_drag == NULL)
        return;

    g_autoptr(BgTransferFunction) before = g_steal_pointer(&self->before_drag);
    if (!cancelled) {
        g_signal_emit(self, signals[GESTURE_END], 0);
        return;
    }
    bg_tf_editor_set_transfer_function(self, before);
    g_signal_emit(self, signals[GESTURE_CANCEL], 0);
}

static void
on_drag_end(GtkGestureDrag *drag, double dx, double dy, gpointer user_data)
{
    end_drag(user_data, FALSE);
}

static void
on_drag_cancel(GtkGesture *gesture, GdkEventSequence *sequence, gpointer user_data)
{
    end_drag(user_data, TRUE);
}

static void
on_pressed(GtkGestureClick *click, int n_press, double x, double y, gpointer user_data)
{
    BgTfEditor *self = user_data;
    guint button = gtk_gesture_single_get_current_button(GTK_GESTURE_SINGLE(click));
    BgTfLayout layout = get_layout(self);

    gtk_widget_grab_focus(GTK_WIDGET(self));
    if (self->tf == NULL)
        return;

    BgTfHandle handle = find_handle(self, x, y);
    if (button == GDK_BUTTON_SECONDARY) {
        bg_tf_editor_select(self, handle);
    } else if (button == GDK_BUTTON_MIDDLE && handle.part != BG_TF_NOTHING) {
        bg_tf_editor_select(self, handle);
        bg_tf_editor_remove_selected(self);
    } else if (n_press == 2 && handle.part == BG_TF_COLOUR_STOP) {
        g_signal_emit(self, signals[COLOUR_WANTED], 0);
    } else if (n_press == 2 && y > layout.bottom + BG_TF_HIT_PX && y < layout.strip_top &&
               self->histogram != NULL) {
        self->low = self->histogram->low;
        self->high = self->histogram->high;
        gtk_widget_queue_draw(GTK_WIDGET(self));
    }
}

static gboolean
on_scroll(GtkEventControllerScroll *scroll, double dx, double dy, gpointer user_data)
{
    BgTfEditor *self = user_data;
    BgTfLayout layout = get_layout(self);
    GdkEvent *event = gtk_event_controller_get_current_event(GTK_EVENT_CONTROLLER(scroll));
    double x = 0.5 * (layout.left + layout.right), y;

    if (event != NULL && gdk_event_get_position(event, &x, &y)) {
        // The event is in the surface's coordinates.
        GtkNative *native = gtk_widget_get_native(GTK_WIDGET(self));
        double native_x, native_y;
        gtk_native_get_surface_transform(native, &native_x, &native_y);
        gtk_widget_translate_coordinates(GTK_WIDGET(native), GTK_WIDGET(self), x - native_x,
                                         y - native_y, &x, &y);
    }
    double value = bg_tf_layout_value(&layout, CLAMP(x, layout.left, layout.right));
    double factor = pow(WHEEL_FACTOR, dy);
    double low = value + (self->low - value) * factor, high = value + (self->high - value) * factor;
    double all =
        self->histogram != NULL ? self->histogram->high - self->histogram->low : (double) INFINITY;
    if (high - low > 2.0 * all || high - low < 1e-6 * all)
        return TRUE;
    self->low = low;
    self->high = high;
    gtk_widget_queue_draw(GTK_WIDGET(self));
    return TRUE;
}

static void
nudge(BgTfEditor *self, double by_value, double by_alpha)
{
    if (self->tf == NULL || !bg_tf_handle_exists(self->tf, self->selected))
        return;
    take_change(self, bg_tf_move(self->tf, self->selected,
                                 bg_tf_handle_value(self->tf, self->selected) + by_value,
                                 bg_tf_handle_alpha(self->tf, self->selected) + by_alpha));
}

// Through the points, then through the stops, then to nothing, where the focus goes on.
static gboolean
select_next(BgTfEditor *self, gboolean backwards)
{
    const BgTransferFunctionData *data = bg_transfer_function_get_data(self->tf);
    int n_points = (int) data->opacity->len, n_all = n_points + (int) data->colour->len;
    int at = self->selected.part == BG_TF_OPACITY_POINT ? (int) self->selected.index
             : self->selected.part == BG_TF_COLOUR_STOP ? n_points + (int) self->selected.index
             : backwards                                ? n_all
                                                        : -1;

    at += backwards ? -1 : 1;
    if (at < 0 || at >= n_all) {
        bg_tf_editor_select(self, bg_tf_handle_none());
        return FALSE;
    }
    bg_tf_editor_select(self, at < n_points
                                  ? (BgTfHandle){ BG_TF_OPACITY_POINT, (guint) at }
                                  : (BgTfHandle){ BG_TF_COLOUR_STOP, (guint) (at - n_points) });
    return TRUE;
}

static void
add_beside(BgTfEditor *self)
{
    double value =
        self->selected.part != BG_TF_NOTHING
            ? bg_tf_handle_value(self->tf, self->selected) + 0.05 * (self->high - self->low)
            : 0.5 * (self->low + self->high);
    BgTfPart part =
        self->selected.part == BG_TF_COLOUR_STOP ? BG_TF_COLOUR_STOP : BG_TF_OPACITY_POINT;
    BgTfHandle added;
    BgTransferFunction *next =
        bg_tf_add(self->tf, part, value, bg_transfer_function_opacity_at(self->tf, value), &added);

    self->selected = added;
    take_change(self, next);
}

static gboolean
on_key(GtkEventControllerKey *controller, guint key, guint code, GdkModifierType modifiers,
       gpointer user_data)
{
    BgTfEditor *self = user_data;
    double step = (self->high - self->low) / NUDGE_PARTS;
    double share = 0.01;

    if (self->tf == NULL)
        return FALSE;
    double factor = (modifiers & GDK_SHIFT_MASK)     ? 0.1
                    : (modifiers & GDK_CONTROL_MASK) ? 10.0
                                                     : 1.0;

    switch (key) {
    case GDK_KEY_Left:
        nudge(self, -step * factor, 0.0);
        return TRUE;
    case GDK_KEY_Right:
        nudge(self, step * factor, 0.0);
        return TRUE;
    case GDK_KEY_Up:
        nudge(self, 0.0, share * factor);
        return TRUE;
    case GDK_KEY_Down:
        nudge(self, 0.0, -share * factor);
        return TRUE;
    case GDK_KEY_Tab:
        return select_next(self, FALSE);
    case GDK_KEY_ISO_Left_Tab:
        return select_next(self, TRUE);
    case GDK_KEY_Delete:
    case GDK_KEY_BackSpace:
        bg_tf_editor_remove_selected(self);
        return TRUE;
    case GDK_KEY_Insert:
        add_beside(self);
        return TRUE;
    case GDK_KEY_Return:
    case GDK_KEY_KP_Enter:
        if (self->selected.part == BG_TF_COLOUR_STOP)
            g_signal_emit(self, signals[COLOUR_WANTED], 0);
        return TRUE;
    case GDK_KEY_Escape:
        if (self->before_drag == NULL && self->selected.part == BG_TF_NOTHING)
            return FALSE;
        end_drag(self, TRUE);
        bg_tf_editor_select(self, bg_tf_handle_none());
        return TRUE;
    default:
        return FALSE;
    }
}

static GdkRGBA
theme_colour(BgTfEditor *self, const char *name, const char *fallback)
{
    GdkRGBA rgba;

    if (!gtk_style_context_lookup_color(gtk_widget_get_style_context(GTK_WIDGET(self)), name,
                                        &rgba))
        gdk_rgba_parse(&rgba, fallback);
    return rgba;
}

static void
bg_tf_editor_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    BgTfEditor *self = BG_TF_EDITOR(widget);
    graphene_rect_t bounds = GRAPHENE_RECT_INIT(0.0f, 0.0f, (float) gtk_widget_get_width(widget),
                                                (float) gtk_widget_get_height(widget));
    BgTfPicture picture = { .layout = get_layout(self),
                            .tf = self->tf,
                            .histogram = self->histogram,
                            .unit = self->unit,
                            .logarithmic = self->logarithmic,
                            .marker = self->marker,
                            .selected = self->selected,
                            .focused = gtk_widget_has_focus(widget),
                            .accent = theme_colour(self, "accent", "#4AA3DF"),
                            .text = theme_colour(self, "text_dim", "#A3A7AE"),
                            .fill = theme_colour(self, "histogram", "#4A4E55") };

    cairo_t *cr = gtk_snapshot_append_cairo(snapshot, &bounds);
    bg_tf_picture_draw(&picture, cr);
    cairo_destroy(cr);
}

static void
bg_tf_editor_measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                     int *natural, int *minimum_baseline, int *natural_baseline)
{
    *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? MIN_WIDTH_PX : MIN_HEIGHT_PX;
    *natural = *minimum;
}

void
bg_tf_editor_set_transfer_function(BgTfEditor *self, BgTransferFunction *tf)
{
    g_return_if_fail(BG_IS_TF_EDITOR(self));

    if (self->tf == tf)
        return;
    if (tf != NULL)
        bg_transfer_function_ref(tf);
    g_clear_pointer(&self->tf, bg_transfer_function_unref);
    self->tf = tf;
    if (tf == NULL || !bg_tf_handle_exists(tf, self->selected))
        self->selected = bg_tf_handle_none();
    update_name(self);
}

BgTransferFunction *
bg_tf_editor_get_transfer_function(BgTfEditor *self)
{
    g_return_val_if_fail(BG_IS_TF_EDITOR(self), NULL);

    return self->tf;
}

void
bg_tf_editor_set_histogram(BgTfEditor *self, BgHistogram *histogram)
{
    g_return_if_fail(BG_IS_TF_EDITOR(self));

    g_clear_pointer(&self->histogram, bg_histogram_free);
    self->histogram = histogram;
    if (histogram != NULL) {
        self->low = histogram->low;
        self->high = histogram->high;
    }
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

void
bg_tf_editor_set_unit(BgTfEditor *self, const char *unit)
{
    g_return_if_fail(BG_IS_TF_EDITOR(self));

    g_free(self->unit);
    self->unit = g_strdup(unit != NULL ? unit : "");
    update_name(self);
}

void
bg_tf_editor_set_logarithmic(BgTfEditor *self, gboolean logarithmic)
{
    g_return_if_fail(BG_IS_TF_EDITOR(self));

    self->logarithmic = logarithmic;
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

void
bg_tf_editor_set_marker(BgTfEditor *self, double value)
{
    g_return_if_fail(BG_IS_TF_EDITOR(self));

    self->marker = value;
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

BgTfHandle
bg_tf_editor_get_selected(BgTfEditor *self)
{
    g_return_val_if_fail(BG_IS_TF_EDITOR(self), bg_tf_handle_none());

    return self->selected;
}

void
bg_tf_editor_select(BgTfEditor *self, BgTfHandle handle)
{
    g_return_if_fail(BG_IS_TF_EDITOR(self));

    if (self->tf == NULL || !bg_tf_handle_exists(self->tf, handle))
        handle = bg_tf_handle_none();
    self->selected = handle;
    update_name(self);
    g_object_notify(G_OBJECT(self), "selected-part");
}

void
bg_tf_editor_set_selected_value(BgTfEditor *self, double value)
{
    g_return_if_fail(BG_IS_TF_EDITOR(self));

    nudge(self, value - (self->tf != NULL ? bg_tf_handle_value(self->tf, self->selected) : 0.0),
          0.0);
}

void
bg_tf_editor_set_selected_alpha(BgTfEditor *self, double alpha)
{
    g_return_if_fail(BG_IS_TF_EDITOR(self));

    nudge(self, 0.0,
          alpha - (self->tf != NULL ? bg_tf_handle_alpha(self->tf, self->selected) : 0.0));
}

void
bg_tf_editor_set_selected_colour(BgTfEditor *self, const double rgb[3])
{
    g_return_if_fail(BG_IS_TF_EDITOR(self));

    if (self->tf != NULL && self->selected.part == BG_TF_COLOUR_STOP)
        take_change(self, bg_tf_set_colour(self->tf, self->selected, rgb));
}

void
bg_tf_editor_remove_selected(BgTfEditor *self)
{
    g_return_if_fail(BG_IS_TF_EDITOR(self));

    if (self->tf == NULL || !bg_tf_handle_exists(self->tf, self->selected))
        return;
    BgTransferFunction *next = bg_tf_remove(self->tf, self->selected);
    if (next == NULL)
        return; // the last one stays
    bg_tf_editor_select(self, bg_tf_handle_none());
    take_change(self, next);
}

static void
bg_tf_editor_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    g_value_set_uint(value, BG_TF_EDITOR(object)->selected.part); // the only one
}

static void
bg_tf_editor_dispose(GObject *object)
{
    BgTfEditor *self = BG_TF_EDITOR(object);

    g_clear_pointer(&self->tf, bg_transfer_function_unref);
    g_clear_pointer(&self->before_drag, bg_transfer_function_unref);
    g_clear_pointer(&self->histogram, bg_histogram_free);

    G_OBJECT_CLASS(bg_tf_editor_parent_class)->dispose(object);
}

static void
bg_tf_editor_finalize(GObject *object)
{
    g_free(BG_TF_EDITOR(object)->unit);

    G_OBJECT_CLASS(bg_tf_editor_parent_class)->finalize(object);
}

static void
bg_tf_editor_class_init(BgTfEditorClass *klass)
{
    static const char *const names[N_SIGNALS] = { "changed", "gesture-begin", "gesture-end",
                                                  "gesture-cancel", "colour-wanted" };
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    object_class->dispose = bg_tf_editor_dispose;
    object_class->finalize = bg_tf_editor_finalize;
    object_class->get_property = bg_tf_editor_get_property;
    widget_class->snapshot = bg_tf_editor_snapshot;
    widget_class->measure = bg_tf_editor_measure;

    g_object_class_install_property(
        object_class, 1,
        g_param_spec_uint("selected-part", NULL, NULL, BG_TF_NOTHING, BG_TF_COLOUR_STOP,
                          BG_TF_NOTHING,
                          G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS));
    for (int i = 0; i < N_SIGNALS; i++)
        signals[i] = g_signal_new(names[i], BG_TYPE_TF_EDITOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 0);
    gtk_widget_class_set_css_name(widget_class, "tfeditor");
    gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
bg_tf_editor_init(BgTfEditor *self)
{
    GtkGesture *drag = gtk_gesture_drag_new();
    GtkGesture *click = gtk_gesture_click_new();
    GtkEventController *scroll =
        gtk_event_controller_scroll_new(GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);
    GtkEventController *keys = gtk_event_controller_key_new();

    self->unit = g_strdup("");
    self->logarithmic = TRUE;
    self->marker = (double) NAN;
    self->high = 1.0;

    g_signal_connect(drag, "drag-begin", G_CALLBACK(on_drag_begin), self);
    g_signal_connect(drag, "drag-update", G_CALLBACK(on_drag_update), self);
    g_signal_connect(drag, "drag-end", G_CALLBACK(on_drag_end), self);
    g_signal_connect(drag, "cancel", G_CALLBACK(on_drag_cancel), self);
    gtk_gesture_single_set_button(GTK_GESTURE_SINGLE(click), 0);
    g_signal_connect(click, "pressed", G_CALLBACK(on_pressed), self);
    g_signal_connect(scroll, "scroll", G_CALLBACK(on_scroll), self);
    g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key), self);
    gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(drag));
    gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(click));
    gtk_widget_add_controller(GTK_WIDGET(self), scroll);
    gtk_widget_add_controller(GTK_WIDGET(self), keys);
    gtk_widget_set_focusable(GTK_WIDGET(self), TRUE);
    gtk_widget_set_hexpand(GTK_WIDGET(self), TRUE);
    update_name(self);
}

GtkWidget *
bg_tf_editor_new(void)
{
    return g_object_new(BG_TYPE_TF_EDITOR, NULL);
}
