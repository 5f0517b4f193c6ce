// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-manual-section.h"

#include "core/base/bg-i18n.h"
#include "ui/model/bg-manual.h"
#include "ui/panel/bg-form.h"

#define N_NUMBERS 6
#define DIGITS 2

struct _BgManualSection {
    BgSection parent_instance;

    // of the template, borrowed
    GtkBox *body;
    GtkToggleButton *tool;
    GtkAdjustment *numbers[N_NUMBERS]; // borrowed: three shifts in mm, three turns in degrees
};

G_DEFINE_FINAL_TYPE(BgManualSection, bg_manual_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    BgSession *session = bg_section_get_session(section);
    const GPtrArray *layers = bg_session_get_state(session)->layers;
    const BgLayer *volume = bg_session_get_volume(session);
    guint n = 0;

    if (volume == NULL || (layer != NULL && layer->payload.image != NULL))
        return FALSE;
    for (guint i = 0; i < layers->len; i++)
        n += ((const BgLayer *) g_ptr_array_index(layers, i))->payload.volume != NULL;
    return n > 1;
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgManualSection *self = BG_MANUAL_SECTION(section);
    BgSession *session = bg_section_get_session(section);
    BgManual manual;

    gtk_toggle_button_set_active(self->tool, bg_session_get_tool(session) == BG_TOOL_MOVE);
    if (!(changes & (BG_CHANGE_LAYERS | BG_CHANGE_LOOK | BG_CHANGE_CASE | BG_CHANGE_SELECTION |
                     BG_CHANGE_LANDMARKS)) ||
        !bg_manual_get(session, &manual))
        return;
    for (int i = 0; i < 3; i++) {
        gtk_adjustment_set_value(self->numbers[i], manual.shift_mm[i]);
        gtk_adjustment_set_value(self->numbers[3 + i], manual.turn_deg[i]);
    }
}

// What differs by less than is shown is what it was: the other numbers keep their full precision.
static void
take(double shown, double *value)
{
    if (fabs(shown - *value) > 0.5 * pow(10.0, -DIGITS))
        *value = shown;
}

static void
on_number(BgManualSection *self)
{
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    BgManual manual;

    if (bg_section_is_updating(BG_SECTION(self)) || !bg_manual_get(session, &manual))
        return;
    for (int i = 0; i < 3; i++) {
        take(gtk_adjustment_get_value(self->numbers[i]), &manual.shift_mm[i]);
        take(gtk_adjustment_get_value(self->numbers[3 + i]), &manual.turn_deg[i]);
    }
    bg_manual_set(session, NULL, &manual);
}

static void
on_tool(GtkToggleButton *tool, gpointer user_data)
{
    BgManualSection *self = user_data;

    if (!bg_section_is_updating(BG_SECTION(self)))
        bg_session_set_tool(bg_section_get_session(BG_SECTION(self)),
                            gtk_toggle_button_get_active(tool) ? BG_TOOL_MOVE : BG_TOOL_CROSSHAIR);
}

static void
bg_manual_section_class_init(BgManualSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-manual-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgManualSection, body);
    gtk_widget_class_bind_template_child(widget_class, BgManualSection, tool);
    gtk_widget_class_bind_template_callback(widget_class, on_tool);
}

static void
bg_manual_section_init(BgManualSection *self)
{
    const char *names[N_NUMBERS] = { _("To the left (mm)"),    _("Posterior (mm)"),
                                     _("Superior (mm)"),       _("About left (°)"),
                                     _("About posterior (°)"), _("About superior (°)") };

    gtk_widget_init_template(GTK_WIDGET(self));
    for (int i = 0; i < N_NUMBERS; i++) {
        double most = i < 3 ? 500.0 : 180.0;
        // The wheel and the arrows go by a tenth, Page Up and Page Down by one.
        self->numbers[i] = gtk_adjustment_new(0.0, -most, most, 0.1, 1.0, 0.0);
        GtkWidget *spin = gtk_spin_button_new(self->numbers[i], 0.1, DIGITS);
        gtk_editable_set_width_chars(GTK_EDITABLE(spin), 6);
        gtk_spin_button_set_wrap(GTK_SPIN_BUTTON(spin), i >= 3);
        bg_form_add_row(self->body, names[i], spin);
        g_signal_connect_swapped(self->numbers[i], "value-changed", G_CALLBACK(on_number), self);
    }
}
