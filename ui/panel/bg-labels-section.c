// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-labels-section.h"

#include "core/base/bg-i18n.h"

struct _BgLabelsSection {
    BgSection parent_instance;

    // Of the template, borrowed.
    GtkAdjustment *fill_adjustment, *outline_adjustment;
    GtkScale *fill, *outline;
    GtkListBox *list;

    BgLabelTable *shown; // owned, nullable: what the rows show
};

G_DEFINE_FINAL_TYPE(BgLabelsSection, bg_labels_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    return layer != NULL && layer->kind == BG_KIND_LABELS;
}

static guint32
label_of(gpointer widget)
{
    return GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(widget), "label"));
}

static void
change_entry(BgLabelsSection *self, const BgLabelEntry *entry)
{
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));

    if (layer != NULL)
        bg_section_do(BG_SECTION(self), bg_command_set_label(layer->id, entry));
}

static void
on_visible_toggled(GtkCheckButton *button, gpointer user_data)
{
    BgLabelsSection *self = user_data;
    const BgLabelEntry *found = bg_label_table_find(self->shown, label_of(button));

    if (found == NULL || bg_section_is_updating(BG_SECTION(self)))
        return;
    BgLabelEntry entry = *found;
    entry.visible = gtk_check_button_get_active(button);
    change_entry(self, &entry);
}

static void
on_colour_set(GtkColorButton *button, gpointer user_data)
{
    BgLabelsSection *self = user_data;
    const BgLabelEntry *found = bg_label_table_find(self->shown, label_of(button));
    GdkRGBA rgba;

    if (found == NULL)
        return;
    BgLabelEntry entry = *found;
    gtk_color_chooser_get_rgba(GTK_COLOR_CHOOSER(button), &rgba);
    entry.rgb[0] = rgba.red;
    entry.rgb[1] = rgba.green;
    entry.rgb[2] = rgba.blue;
    change_entry(self, &entry);
}

static void
on_name_editing(GtkEditableLabel *label, GParamSpec *pspec, gpointer user_data)
{
    BgLabelsSection *self = user_data;
    const BgLabelEntry *found = bg_label_table_find(self->shown, label_of(label));
    const char *name = gtk_editable_get_text(GTK_EDITABLE(label));

    if (found == NULL || gtk_editable_label_get_editing(label) || name[0] == '\0' ||
        g_str_equal(name, found->name))
        return;
    BgLabelEntry entry = *found;
    g_strlcpy(entry.name, name, sizeof entry.name);
    change_entry(self, &entry);
}

// @name: (transfer full)
static void
set_label(GtkWidget *widget, const BgLabelEntry *entry, char *name)
{
    g_object_set_data(G_OBJECT(widget), "label", GUINT_TO_POINTER(entry->label));
    gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    gtk_widget_set_tooltip_text(widget, name);
    g_free(name);
}

static GtkWidget *
make_row(BgLabelsSection *self, const BgLabelEntry *entry)
{
    GdkRGBA rgba = { entry->rgb[0], entry->rgb[1], entry->rgb[2], 1.0f };
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *visible = gtk_check_button_new();
    GtkWidget *colour = gtk_color_button_new_with_rgba(&rgba);
    GtkWidget *name = gtk_editable_label_new(entry->name);
    g_autofree char *number = g_strdup_printf("%u", entry->label);
    GtkWidget *value = gtk_label_new(number);

    gtk_check_button_set_active(GTK_CHECK_BUTTON(visible), entry->visible);
    gtk_widget_set_hexpand(name, TRUE);
    gtk_widget_add_css_class(value, "dim");
    gtk_widget_add_css_class(value, "numeric");
    // Translators: what a control does, and the name of a label: "Colour of Oedema"
    set_label(visible, entry, g_strdup_printf(_("Show %s"), entry->name));
    set_label(colour, entry, g_strdup_printf(_("Colour of %s"), entry->name));
    set_label(name, entry, g_strdup_printf(_("Name of %s"), entry->name));
    g_signal_connect(visible, "toggled", G_CALLBACK(on_visible_toggled), self);
    g_signal_connect(colour, "color-set", G_CALLBACK(on_colour_set), self);
    g_signal_connect(name, "notify::editing", G_CALLBACK(on_name_editing), self);
    gtk_box_append(GTK_BOX(box), visible);
    gtk_box_append(GTK_BOX(box), colour);
    gtk_box_append(GTK_BOX(box), name);
    gtk_box_append(GTK_BOX(box), value);
    return box;
}

static void
show_table(BgLabelsSection *self, BgLabelTable *table)
{
    GtkListBoxRow *row;

    if (table == self->shown)
        return;
    while ((row = gtk_list_box_get_row_at_index(self->list, 0)) != NULL)
        gtk_list_box_remove(self->list, GTK_WIDGET(row));
    g_clear_pointer(&self->shown, bg_label_table_unref);
    if (table == NULL)
        return;
    self->shown = bg_label_table_ref(table);
    for (gsize i = 0; i < bg_label_table_count(table); i++)
        gtk_list_box_append(self->list, make_row(self, bg_label_table_get(table, i)));
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgLabelsSection *self = BG_LABELS_SECTION(section);

    gtk_adjustment_set_value(self->fill_adjustment, 100.0 * layer->label_fill);
    gtk_adjustment_set_value(self->outline_adjustment, layer->label_outline);
    show_table(self, layer->labels);
}

static void
on_style_changed(GtkRange *range, gpointer user_data)
{
    BgLabelsSection *self = user_data;
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));

    if (layer == NULL || bg_section_is_updating(BG_SECTION(self)))
        return;
    bg_section_do(BG_SECTION(self),
                  bg_command_set_label_style(
                      layer->id, gtk_adjustment_get_value(self->fill_adjustment) / 100.0,
                      gtk_adjustment_get_value(self->outline_adjustment)));
}

static void
bg_labels_section_dispose(GObject *object)
{
    g_clear_pointer(&BG_LABELS_SECTION(object)->shown, bg_label_table_unref);

    G_OBJECT_CLASS(bg_labels_section_parent_class)->dispose(object);
}

static void
bg_labels_section_class_init(BgLabelsSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_labels_section_dispose;
    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-labels-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgLabelsSection, fill_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgLabelsSection, outline_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgLabelsSection, fill);
    gtk_widget_class_bind_template_child(widget_class, BgLabelsSection, outline);
    gtk_widget_class_bind_template_child(widget_class, BgLabelsSection, list);
    gtk_widget_class_bind_template_callback(widget_class, on_style_changed);
}

static void
bg_labels_section_init(BgLabelsSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    bg_section_group_drags(BG_SECTION(self), GTK_WIDGET(self->fill));
    bg_section_group_drags(BG_SECTION(self), GTK_WIDGET(self->outline));
}
