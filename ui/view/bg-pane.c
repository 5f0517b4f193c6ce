// SPDX-License-Identifier: Apache-2.0
#include "ui/view/bg-pane.h"

#include "core/base/bg-i18n.h"

struct _BgPane {
    GtkWidget parent_instance;

    GtkWidget *line; // owned by the tree, as all below
    GtkWidget *overlay;
    GtkWidget *view;
    GtkWidget *always_tools, *hover_tools;
    BgPaneKey key;
    gboolean has_pointer;
};

G_DEFINE_FINAL_TYPE(BgPane, bg_pane, GTK_TYPE_WIDGET)

enum {
    SIGNAL_MAXIMISE,
    N_SIGNALS,
};

static guint signals[N_SIGNALS];

static void
maximise(BgPane *self)
{
    g_signal_emit(self, signals[SIGNAL_MAXIMISE], 0);
}

static void
update_tools(BgPane *self)
{
    gboolean focused =
        (gtk_widget_get_state_flags(GTK_WIDGET(self)) & GTK_STATE_FLAG_FOCUS_WITHIN) != 0;

    gtk_widget_set_visible(self->hover_tools, self->has_pointer || focused);
}

static void
bg_pane_state_flags_changed(GtkWidget *widget, GtkStateFlags previous)
{
    update_tools(BG_PANE(widget));
    GTK_WIDGET_CLASS(bg_pane_parent_class)->state_flags_changed(widget, previous);
}

static void
on_enter(GtkEventControllerMotion *controller, double x, double y, gpointer user_data)
{
    BgPane *self = user_data;

    self->has_pointer = TRUE;
    update_tools(self);
}

static void
on_leave(GtkEventControllerMotion *controller, gpointer user_data)
{
    BgPane *self = user_data;

    self->has_pointer = FALSE;
    update_tools(self);
}

static void
on_pressed(GtkGestureClick *gesture, int n_press, double x, double y, gpointer user_data)
{
    if (n_press == 2)
        maximise(user_data);
}

GtkWidget *
bg_pane_get_view(BgPane *self)
{
    return self->view;
}

gboolean
bg_pane_has_pointer(BgPane *self)
{
    return self->has_pointer;
}

gboolean
bg_pane_key(BgPane *self, guint keyval, GdkModifierType state, gboolean pressed)
{
    gboolean plain = !(state & (GDK_CONTROL_MASK | GDK_ALT_MASK));

    if (pressed && plain && gdk_keyval_to_lower(keyval) == GDK_KEY_f) {
        maximise(self);
        return TRUE;
    }

    return self->key(self->view, keyval, state, pressed);
}

void
bg_pane_add_tool(BgPane *self, GtkWidget *tool, gboolean always)
{
    gtk_box_append(GTK_BOX(always ? self->always_tools : self->hover_tools), tool);
}

GtkWidget *
bg_pane_new_tool(const char *label, const char *name, const char *action)
{
    GtkWidget *button = g_str_has_suffix(label, "-symbolic") ? gtk_button_new_from_icon_name(label)
                                                             : gtk_button_new_with_label(label);

    gtk_actionable_set_detailed_action_name(GTK_ACTIONABLE(button), action);
    gtk_widget_set_tooltip_text(button, name);
    gtk_widget_set_focus_on_click(button, FALSE);
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    return button;
}

static void
on_maximise(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    maximise(user_data);
}

static void
bg_pane_measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                int *natural, int *minimum_baseline, int *natural_baseline)
{
    *minimum = 120;
    *natural = 400;
}

static void
bg_pane_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
    BgPane *self = BG_PANE(widget);
    int least, natural;

    gtk_widget_measure(self->line, GTK_ORIENTATION_VERTICAL, -1, &least, &natural, NULL, NULL);
    gtk_widget_size_allocate(self->line, &(GtkAllocation){ 0, 0, width, natural }, -1);
    gtk_widget_measure(self->overlay, GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL, NULL);
    gtk_widget_size_allocate(
        self->overlay, &(GtkAllocation){ 0, natural, MAX(width, least), MAX(height - natural, 1) },
        -1);
}

static void
bg_pane_dispose(GObject *object)
{
    BgPane *self = BG_PANE(object);

    g_clear_pointer(&self->line, gtk_widget_unparent);
    g_clear_pointer(&self->overlay, gtk_widget_unparent);

    G_OBJECT_CLASS(bg_pane_parent_class)->dispose(object);
}

static void
bg_pane_class_init(BgPaneClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_pane_dispose;
    widget_class->measure = bg_pane_measure;
    widget_class->size_allocate = bg_pane_size_allocate;
    widget_class->state_flags_changed = bg_pane_state_flags_changed;
    gtk_widget_class_set_css_name(widget_class, "pane");
    gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
    signals[SIGNAL_MAXIMISE] = g_signal_new("maximise", BG_TYPE_PANE, G_SIGNAL_RUN_LAST, 0, NULL,
                                            NULL, NULL, G_TYPE_NONE, 0);
}

static GtkWidget *
new_tool_box(GtkAlign halign)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 2);

    gtk_widget_add_css_class(box, "pane-tools");
    gtk_widget_set_halign(box, halign);
    gtk_widget_set_valign(box, GTK_ALIGN_START);
    return box;
}

static void
bg_pane_init(BgPane *self)
{
    GtkWidget *widget = GTK_WIDGET(self);
    g_autoptr(GSimpleActionGroup) group = g_simple_action_group_new();
    static const GActionEntry entries[] = { { "maximise", on_maximise, NULL, NULL, NULL } };
    GtkEventController *motion = gtk_event_controller_motion_new();

    gtk_widget_add_css_class(widget, "pane");
    self->line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);
    gtk_widget_add_css_class(self->line, "pane-line");
    gtk_widget_set_parent(self->line, widget);
    self->overlay = gtk_overlay_new();
    gtk_widget_set_parent(self->overlay, widget);
    gtk_widget_set_hexpand(widget, TRUE);
    gtk_widget_set_vexpand(widget, TRUE);

    GtkWidget *tools = new_tool_box(GTK_ALIGN_START);
    self->always_tools = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 2);
    self->hover_tools = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 2);
    gtk_widget_set_visible(self->hover_tools, FALSE);
    gtk_box_append(GTK_BOX(tools), self->always_tools);
    gtk_box_append(GTK_BOX(tools), self->hover_tools);
    gtk_overlay_add_overlay(GTK_OVERLAY(self->overlay), tools);

    g_action_map_add_action_entries(G_ACTION_MAP(group), entries, G_N_ELEMENTS(entries), self);
    gtk_widget_insert_action_group(widget, "pane", G_ACTION_GROUP(group));
    g_signal_connect(motion, "enter", G_CALLBACK(on_enter), self);
    g_signal_connect(motion, "leave", G_CALLBACK(on_leave), self);
    gtk_widget_add_controller(widget, motion);
}

GtkWidget *
bg_pane_new(const char *css_class, GtkWidget *view, BgPaneKey key)
{
    BgPane *self = g_object_new(BG_TYPE_PANE, NULL);
    GtkGesture *click = gtk_gesture_click_new();
    GActionGroup *actions = g_object_get_data(G_OBJECT(view), "actions");

    self->view = view;
    self->key = key;
    gtk_widget_add_css_class(GTK_WIDGET(self), css_class);
    gtk_overlay_set_child(GTK_OVERLAY(self->overlay), view);
    if (actions != NULL) // the tools act on the view that they lie over
        gtk_widget_insert_action_group(GTK_WIDGET(self), "view", actions);
    g_signal_connect(click, "pressed", G_CALLBACK(on_pressed), self);
    gtk_widget_add_controller(view, GTK_EVENT_CONTROLLER(click));
    bg_pane_add_tool(
        self, bg_pane_new_tool("zoom-fit-best-symbolic", _("Reset the view (R)"), "view.reset"),
        FALSE);
    bg_pane_add_tool(self,
                     bg_pane_new_tool("view-fullscreen-symbolic",
                                      _("Maximise or restore the pane (F)"), "pane.maximise"),
                     FALSE);

    return GTK_WIDGET(self);
}
