// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-form.h"

#define NAME_CHARS 12

void
bg_form_name(GtkWidget *widget, const char *name)
{
    gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

GtkWidget *
bg_form_new_section(const char *title, GtkBox **body)
{
    GtkWidget *section = gtk_expander_new(title);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);

    gtk_widget_add_css_class(section, "section");
    gtk_widget_add_css_class(box, "section-body");
    gtk_widget_add_css_class(box, "form");
    gtk_expander_set_child(GTK_EXPANDER(section), box);
    gtk_expander_set_expanded(GTK_EXPANDER(section), TRUE);
    bg_form_name(section, title);
    *body = GTK_BOX(box);
    return section;
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

// The text inside a spin button is what has the focus: it needs the name too.
static void
on_spin_name(GObject *spin)
{
    GtkEditable *text = gtk_editable_get_delegate(GTK_EDITABLE(spin));

    if (text != NULL)
        gtk_accessible_update_relation(GTK_ACCESSIBLE(text), GTK_ACCESSIBLE_RELATION_LABELLED_BY,
                                       spin, NULL, -1);
}

GtkWidget *
bg_form_new_spin(double low, double high, double step, int digits)
{
    GtkWidget *spin = gtk_spin_button_new_with_range(low, high, step);

    gtk_spin_button_set_digits(GTK_SPIN_BUTTON(spin), (guint) digits);
    gtk_editable_set_width_chars(GTK_EDITABLE(spin), 7);
    gtk_widget_add_css_class(spin, "numeric");
    on_spin_name(G_OBJECT(spin));
    return spin;
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

GtkWidget *
bg_form_new_text(const char *text)
{
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_xalign(GTK_LABEL(label), 0.0f);
    gtk_label_set_selectable(GTK_LABEL(label), TRUE);
    gtk_widget_set_focusable(label, FALSE);
    gtk_widget_add_css_class(label, "dim");
    gtk_widget_add_css_class(label, "small");
    return label;
}
