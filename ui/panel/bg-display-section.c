// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-display-section.h"

#include "core/base/bg-i18n.h"
#include "core/cast/bg-slice.h"
#include "core/volume/bg-statistics.h"

struct _BgDisplaySection {
    BgSection parent_instance;

    // Of the template, borrowed.
    GtkSpinButton *centre, *width, *frame;
    GtkAdjustment *centre_adjustment, *width_adjustment, *opacity_adjustment, *frame_adjustment;
    GtkLabel *unit, *frame_label;
    GtkDropDown *colour_map;
    GtkScale *opacity;
    GtkCheckButton *linear;
};

G_DEFINE_FINAL_TYPE(BgDisplaySection, bg_display_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    return layer != NULL && layer->kind == BG_KIND_VOLUME;
}

// Whole Hounsfield units; of finer scales as many digits as tell a hundredth of the window apart.
static guint
digits_for(double width)
{
    return width >= 100.0 ? 0 : (guint) CLAMP(ceil(-log10(width / 100.0)), 0.0, 6.0);
}

static void
show_window(BgDisplaySection *self, const BgLayer *layer)
{
    guint digits = digits_for(layer->window_width);
    double step = pow(10.0, -(double) digits);

    gtk_spin_button_set_digits(self->centre, digits);
    gtk_spin_button_set_digits(self->width, digits);
    gtk_adjustment_set_step_increment(self->centre_adjustment, step);
    gtk_adjustment_set_step_increment(self->width_adjustment, step);
    gtk_adjustment_set_value(self->centre_adjustment, layer->window_centre);
    gtk_adjustment_set_value(self->width_adjustment, layer->window_width);
    gtk_label_set_text(self->unit, layer->unit);
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgDisplaySection *self = BG_DISPLAY_SECTION(section);
    BgColourMap map = 0;

    show_window(self, layer);
    bg_colour_map_parse(layer->colour_map, &map);
    gtk_drop_down_set_selected(self->colour_map, map);
    gtk_adjustment_set_value(self->opacity_adjustment, 100.0 * layer->opacity);
    gtk_check_button_set_active(self->linear, layer->linear);
    gtk_adjustment_set_upper(self->frame_adjustment, layer->n_frames);
    gtk_adjustment_set_value(self->frame_adjustment, layer->frame + 1);
    gtk_widget_set_visible(GTK_WIDGET(self->frame), layer->n_frames > 1);
    gtk_widget_set_visible(GTK_WIDGET(self->frame_label), layer->n_frames > 1);
}

static void
on_window_changed(GtkSpinButton *spin, gpointer user_data)
{
    BgDisplaySection *self = user_data;
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));

    if (layer == NULL || bg_section_is_updating(BG_SECTION(self)))
        return;
    bg_section_do(BG_SECTION(self),
                  bg_command_set_window(layer->id, gtk_spin_button_get_value(self->centre),
                                        gtk_spin_button_get_value(self->width)));
}

static void
on_colour_map_changed(GtkDropDown *drop_down, GParamSpec *pspec, gpointer user_data)
{
    BgDisplaySection *self = user_data;
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));
    guint map = gtk_drop_down_get_selected(drop_down);

    if (layer != NULL && map < BG_N_COLOUR_MAPS && !bg_section_is_updating(BG_SECTION(self)))
        bg_section_do(BG_SECTION(self),
                      bg_command_set_colour_map(layer->id, bg_colour_map_name((BgColourMap) map)));
}

static void
on_opacity_changed(GtkRange *range, gpointer user_data)
{
    BgDisplaySection *self = user_data;
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));

    if (layer != NULL && !bg_section_is_updating(BG_SECTION(self)))
        bg_section_do(BG_SECTION(self),
                      bg_command_set_opacity(layer->id, gtk_range_get_value(range) / 100.0));
}

static void
on_linear_toggled(GtkCheckButton *button, gpointer user_data)
{
    BgDisplaySection *self = user_data;
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));

    if (layer != NULL && !bg_section_is_updating(BG_SECTION(self)))
        bg_section_do(BG_SECTION(self),
                      bg_command_set_interpolation(layer->id, gtk_check_button_get_active(button)));
}

static void
on_frame_changed(GtkSpinButton *spin, gpointer user_data)
{
    BgDisplaySection *self = user_data;
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));

    if (layer != NULL && !bg_section_is_updating(BG_SECTION(self)))
        bg_section_do(BG_SECTION(self),
                      bg_command_set_frame(layer->id, gtk_spin_button_get_value_as_int(spin) - 1));
}

typedef struct {
    BgVolume *volume; // owned
    char *layer_id;   // owned
    double centre, width;
} AutoWindow;

static void
auto_window_free(gpointer data)
{
    AutoWindow *request = data;

    g_clear_pointer(&request->volume, bg_volume_unref);
    g_free(request->layer_id);
    g_free(request);
}

static gpointer
find_window(gpointer data, GCancellable *cancellable, GError **error)
{
    AutoWindow *request = data;
    AutoWindow *found = g_new0(AutoWindow, 1);

    found->layer_id = g_strdup(request->layer_id);
    BgWindow window;
    if (!bg_volume_default_window(request->volume, &window, cancellable, error)) {
        auto_window_free(found);
        return NULL;
    }
    found->centre = window.centre;
    found->width = window.width;
    return found;
}

static void
on_window_found(gpointer owner, gpointer result, const GError *error)
{
    AutoWindow *found = result;

    if (found != NULL) {
        bg_section_do(owner, bg_command_set_window(found->layer_id, found->centre, found->width));
        auto_window_free(found);
    }
}

static void
on_auto_window(GtkButton *button, gpointer user_data)
{
    BgSection *section = user_data;
    const BgLayer *layer = bg_section_get_layer(section);

    if (layer == NULL || layer->payload.volume == NULL)
        return;
    AutoWindow *request = g_new0(AutoWindow, 1);
    request->volume = bg_volume_ref(layer->payload.volume);
    request->layer_id = g_strdup(layer->id);
    BgWork work = { .owner = G_OBJECT(section),
                    .func = find_window,
                    .request = request,
                    .free_request = auto_window_free,
                    .done = on_window_found,
                    .free_result = auto_window_free };
    bg_worker_post(bg_session_get_idle_worker(bg_section_get_session(section)), &work);
}

static void
bg_display_section_class_init(BgDisplaySectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-display-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgDisplaySection, centre);
    gtk_widget_class_bind_template_child(widget_class, BgDisplaySection, width);
    gtk_widget_class_bind_template_child(widget_class, BgDisplaySection, frame);
    gtk_widget_class_bind_template_child(widget_class, BgDisplaySection, centre_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgDisplaySection, width_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgDisplaySection, opacity_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgDisplaySection, frame_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgDisplaySection, unit);
    gtk_widget_class_bind_template_child(widget_class, BgDisplaySection, frame_label);
    gtk_widget_class_bind_template_child(widget_class, BgDisplaySection, colour_map);
    gtk_widget_class_bind_template_child(widget_class, BgDisplaySection, opacity);
    gtk_widget_class_bind_template_child(widget_class, BgDisplaySection, linear);
    gtk_widget_class_bind_template_callback(widget_class, on_window_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_auto_window);
    gtk_widget_class_bind_template_callback(widget_class, on_colour_map_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_opacity_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_linear_toggled);
    gtk_widget_class_bind_template_callback(widget_class, on_frame_changed);
}

static void
bg_display_section_init(BgDisplaySection *self)
{
    static const char *const names[] = { N_("Grey"),  N_("Inverted grey"), N_("Hot"),
                                         N_("Cold"),  N_("Viridis"),       N_("Red"),
                                         N_("Green"), N_("Blue") };
    g_autoptr(GtkStringList) maps = gtk_string_list_new(NULL);

    gtk_widget_init_template(GTK_WIDGET(self));
    for (guint map = 0; map < BG_N_COLOUR_MAPS; map++)
        gtk_string_list_append(maps, map < G_N_ELEMENTS(names)
                                         ? _(names[map])
                                         : bg_colour_map_name((BgColourMap) map));
    gtk_drop_down_set_model(self->colour_map, G_LIST_MODEL(maps));
    bg_section_group_drags(BG_SECTION(self), GTK_WIDGET(self->opacity));
    bg_section_group_drags(BG_SECTION(self), GTK_WIDGET(self->centre));
    bg_section_group_drags(BG_SECTION(self), GTK_WIDGET(self->width));
}
