// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-display-section.h"

#include "core/base/bg-i18n.h"
#include "core/cast/bg-slice.h"
#include "ui/panel/bg-form.h"
#include "ui/view/bg-view-keys.h"

#define MAX_VALUE 1e7

// Lives with its section widget.
typedef struct {
    BgSession *session; // borrowed: the window keeps it longer than its widgets
    GtkWidget *section, *width, *centre, *map, *linear, *presets;
    gboolean updating;
} Display;

static const char *const map_names[BG_N_COLOUR_MAPS + 1] = {
    N_("Grey"), N_("Inverted grey"), N_("Hot"),  N_("Cool"), N_("Viridis"),
    N_("Red"),  N_("Green"),         N_("Blue"), NULL,
};

static int
digits_for(double width)
{
    return width < 2.0 ? 4 : width < 50.0 ? 2 : 0;
}

static void
update(Display *self)
{
    const BgLayer *layer = bg_session_get_selected(self->session);
    gboolean shown = layer != NULL && layer->payload.volume != NULL;
    BgColourMap map = BG_COLOUR_MAP_GREY;

    gtk_widget_set_visible(self->section, shown);
    if (!shown)
        return;

    self->updating = TRUE;
    guint digits = (guint) digits_for(layer->window_width);
    GtkWidget *spins[] = { self->width, self->centre };
    for (gsize i = 0; i < G_N_ELEMENTS(spins); i++) {
        gtk_spin_button_set_digits(GTK_SPIN_BUTTON(spins[i]), digits);
        gtk_spin_button_set_increments(GTK_SPIN_BUTTON(spins[i]), layer->window_width / 100.0,
                                       layer->window_width / 10.0);
    }
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(self->width), layer->window_width);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(self->centre), layer->window_centre);
    bg_colour_map_parse(layer->colour_map, &map);
    gtk_drop_down_set_selected(GTK_DROP_DOWN(self->map), (guint) map);
    gtk_switch_set_active(GTK_SWITCH(self->linear), layer->linear);
    self->updating = FALSE;
}

static void
on_session_changed(BgSession *session, guint changes, gpointer user_data)
{
    if (changes & (BG_CHANGE_LAYERS | BG_CHANGE_LOOK | BG_CHANGE_SELECTION | BG_CHANGE_CASE))
        update(user_data);
}

static void
on_window(GtkSpinButton *spin, gpointer user_data)
{
    Display *self = user_data;
    const BgLayer *layer = bg_session_get_selected(self->session);
    double width = gtk_spin_button_get_value(GTK_SPIN_BUTTON(self->width));
    double centre = gtk_spin_button_get_value(GTK_SPIN_BUTTON(self->centre));

    if (self->updating || layer == NULL || !(width > 0.0))
        return;

    // What was not touched keeps the digits that the box does not show.
    if (GTK_WIDGET(spin) == self->width)
        centre = layer->window_centre;
    else
        width = layer->window_width;
    bg_session_do(self->session, bg_command_set_window(layer->id, centre, width));
}

static void
on_map(GtkDropDown *drop_down, GParamSpec *pspec, gpointer user_data)
{
    Display *self = user_data;
    const BgLayer *layer = bg_session_get_selected(self->session);
    guint selected = gtk_drop_down_get_selected(drop_down);

    if (!self->updating && layer != NULL && selected < BG_N_COLOUR_MAPS)
        bg_session_do(self->session, bg_command_set_colour_map(
                                         layer->id, bg_colour_map_name((BgColourMap) selected)));
}

static void
on_linear(GtkSwitch *linear, GParamSpec *pspec, gpointer user_data)
{
    Display *self = user_data;
    const BgLayer *layer = bg_session_get_selected(self->session);

    if (!self->updating && layer != NULL)
        bg_session_do(self->session,
                      bg_command_set_interpolation(layer->id, gtk_switch_get_active(linear)));
}

static void
on_automatic(GtkButton *button, gpointer user_data)
{
    bg_view_keys_window_preset(((Display *) user_data)->session, 0);
}

static void
display_free(gpointer data)
{
    Display *self = data;

    g_signal_handlers_disconnect_by_data(self->session, self);
    g_object_unref(self->session);
    g_free(self);
}

GtkWidget *
bg_display_section_new(BgSession *session)
{
    Display *self = g_new0(Display, 1);
    const char *names[BG_N_COLOUR_MAPS + 1] = { NULL };
    GtkWidget *automatic = gtk_button_new_with_label(_("Automatic window"));
    GtkBox *body;

    for (int i = 0; i < BG_N_COLOUR_MAPS; i++)
        names[i] = _(map_names[i]);
    self->session = g_object_ref(session);
    self->section = bg_form_new_section(_("Display"), &body);
    self->width = bg_form_new_spin(1e-6, MAX_VALUE, 1.0, 0);
    self->centre = bg_form_new_spin(-MAX_VALUE, MAX_VALUE, 1.0, 0);
    self->map = gtk_drop_down_new_from_strings(names);
    self->linear = gtk_switch_new();
    gtk_widget_set_halign(self->linear, GTK_ALIGN_START);
    bg_form_add_row(body, _("Window"), self->width);
    bg_form_add_row(body, _("Level"), self->centre);
    bg_form_add_row(body, _("Colour map"), self->map);
    bg_form_add_row(body, _("Smooth voxels"), self->linear);
    gtk_widget_set_hexpand(self->linear, FALSE);
    gtk_box_append(body, automatic);

    g_signal_connect(self->width, "value-changed", G_CALLBACK(on_window), self);
    g_signal_connect(self->centre, "value-changed", G_CALLBACK(on_window), self);
    g_signal_connect(self->map, "notify::selected", G_CALLBACK(on_map), self);
    g_signal_connect(self->linear, "notify::active", G_CALLBACK(on_linear), self);
    g_signal_connect(automatic, "clicked", G_CALLBACK(on_automatic), self);
    g_signal_connect(session, "changed", G_CALLBACK(on_session_changed), self);
    g_object_set_data_full(G_OBJECT(self->section), "display", self, display_free);
    update(self);
    return self->section;
}
