// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-form.h"

#define NAME_CHARS 12

void
bg_form_name(GtkWidget *widget, const char *name)
{
    gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

static void
name_button_of(GtkWidget *control, GtkWidget *inside)
{
    if (GTK_IS_BUTTON(inside))
        gtk_accessible_update_relation(GTK_ACCESSIBLE(inside), GTK_ACCESSIBLE_RELATION_LABELLED_BY,
                                       control, NULL, -1);
    for (GtkWidget *child = gtk_widget_get_first_child(inside); child != NULL;
         child = gtk_widget_get_next_sibling(child))
        name_button_of(control, child);
}

void
bg_form_name_inside(GtkWidget *root)
{
    if (GTK_IS_EXPANDER(root)) {
        const char *heading = gtk_expander_get_label(GTK_EXPANDER(root));
        GtkWidget *body = gtk_expander_get_child(GTK_EXPANDER(root));
        if (heading != NULL)
            bg_form_name(root, heading);
        if (body != NULL && gtk_widget_get_parent(body) == NULL) // folded
            bg_form_name_inside(body);
    }
    if (GTK_IS_DROP_DOWN(root) || GTK_IS_COMBO_BOX(root) || GTK_IS_COLOR_BUTTON(root)) {
        name_button_of(root, root);
        return;
    }
    for (GtkWidget *child = gtk_widget_get_first_child(root); child != NULL;
         child = gtk_widget_get_next_sibling(child))
        bg_form_name_inside(child);
}

GtkWidget *
bg_form_add_row(GtkBox *body, const char *name, GtkWidget *control)
{
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
    GtkWidget *label = gtk_label_new(name);

    gtk_widget_add_css_class(label, "field");
    gtk_label_set_xalign(GTK_LABEL(label), 0.0f);
    gtk_label_set_width_chars(GTK_LABEL(label), NAME_CHARS);
    gtk_widget_set_hexpand(control, TRUE);
    gtk_box_append(GTK_BOX(row), label);
    gtk_box_append(GTK_BOX(row), control);
    gtk_box_append(body, row);
    bg_form_name(control, name);
    return row;
}

static void
on_pressed(GtkGestureClick *gesture, int n_press, double x, double y, gpointer user_data)
{
    const double *reset = g_object_get_data(G_OBJECT(user_data), "reset");

    if (n_press == 2)
        gtk_range_set_value(GTK_RANGE(user_data), *reset);
}

GtkWidget *
bg_form_new_scale(double low, double high, double step, double reset)
{
    GtkWidget *scale = gtk_scale_new_with_range(GTK_ORIENTATION_HORIZONTAL, low, high, step);
    GtkGesture *click = gtk_gesture_click_new();

    gtk_scale_set_draw_value(GTK_SCALE(scale), FALSE);
    g_object_set_data_full(G_OBJECT(scale), "reset", g_memdup2(&reset, sizeof reset), g_free);
    gtk_event_controller_set_propagation_phase(GTK_EVENT_CONTROLLER(click), GTK_PHASE_CAPTURE);
    g_signal_connect(click, "pressed", G_CALLBACK(on_pressed), scale);
    gtk_widget_add_controller(scale, GTK_EVENT_CONTROLLER(click));
    return scale;
}
