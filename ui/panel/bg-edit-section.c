// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-edit-section.h"

#include "core/base/bg-i18n.h"
#include "ui/model/bg-label-edit.h"
#include "ui/panel/bg-form.h"

#define FIRST_OVER 2 // of the list of what may be painted over: all, background, then the labels

struct _BgEditSection {
    BgSection parent_instance;

    // of the template, borrowed
    GtkDropDown *label, *over;
    GtkCheckButton *ball, *limit, *all;
    GtkSpinButton *diameter, *low, *high, *least;
    GtkWidget *tools;
    GtkButton *largest, *small, *keep, *remove, *holes;

    BgLabelTable *shown; // owned, nullable: what the lists show
    char *range_of;      // owned, nullable: id of the volume whose range was proposed
};

G_DEFINE_FINAL_TYPE(BgEditSection, bg_edit_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    return layer != NULL && layer->kind == BG_KIND_LABELS;
}

static BgSession *
session_of(BgEditSection *self)
{
    return bg_section_get_session(BG_SECTION(self));
}

static const BgLabelEntry *
entry_at(BgEditSection *self, guint position)
{
    return self->shown != NULL && position < bg_label_table_count(self->shown)
               ? bg_label_table_get(self->shown, position)
               : NULL;
}

static void
store(BgEditSection *self)
{
    if (bg_section_is_updating(BG_SECTION(self)))
        return;

    BgEditSettings settings = *bg_session_get_edit(session_of(self));
    const BgLabelEntry *entry = entry_at(self, gtk_drop_down_get_selected(self->label));
    guint over = gtk_drop_down_get_selected(self->over);
    const BgLabelEntry *below = over >= FIRST_OVER ? entry_at(self, over - FIRST_OVER) : NULL;

    if (entry != NULL)
        settings.label = entry->label;
    settings.over = over == 0 ? BG_OVER_ALL : below == NULL ? BG_OVER_BACKGROUND : BG_OVER_LABEL;
    settings.over_label = below != NULL ? below->label : 0;
    settings.ball = gtk_check_button_get_active(self->ball);
    settings.limit = gtk_check_button_get_active(self->limit);
    settings.diameter_mm = gtk_spin_button_get_value(self->diameter);
    settings.low = gtk_spin_button_get_value(self->low);
    settings.high = gtk_spin_button_get_value(self->high);
    settings.least_mm3 = gtk_spin_button_get_value(self->least);
    settings.all_labels = gtk_check_button_get_active(self->all);
    bg_session_set_edit(session_of(self), &settings);
}

static void
on_setting(GtkDropDown *list, GParamSpec *pspec, gpointer user_data)
{
    store(user_data);
}

static void
on_ball(GtkCheckButton *button, gpointer user_data)
{
    store(user_data);
}

static void
list_labels(BgEditSection *self, BgLabelTable *table)
{
    GtkStringList *labels = gtk_string_list_new(NULL), *over = gtk_string_list_new(NULL);

    gtk_string_list_append(over, _("Everything"));
    gtk_string_list_append(over, _("Background only"));
    for (gsize i = 0; table != NULL && i < bg_label_table_count(table); i++) {
        const BgLabelEntry *entry = bg_label_table_get(table, i);
        // Translators: the name of a label, of the voxels that alone are painted over
        g_autofree char *only = g_strdup_printf(_("%s only"), entry->name);
        gtk_string_list_append(labels, entry->name);
        gtk_string_list_append(over, only);
    }
    gtk_drop_down_set_model(self->label, G_LIST_MODEL(labels));
    gtk_drop_down_set_model(self->over, G_LIST_MODEL(over));
    g_object_unref(labels);
    g_object_unref(over);
}

// Positions in the lists; a label that this table does not have gives way to its first.
static void
show_choice(BgEditSection *self)
{
    BgEditSettings settings = *bg_session_get_edit(session_of(self));
    guint label = GTK_INVALID_LIST_POSITION, over = settings.over == BG_OVER_ALL ? 0 : 1;

    for (guint i = 0; entry_at(self, i) != NULL; i++) {
        if (entry_at(self, i)->label == settings.label)
            label = i;
        if (settings.over == BG_OVER_LABEL && entry_at(self, i)->label == settings.over_label)
            over = i + FIRST_OVER;
    }
    if (label == GTK_INVALID_LIST_POSITION && entry_at(self, 0) != NULL) {
        label = 0;
        settings.label = entry_at(self, 0)->label;
        bg_session_set_edit(session_of(self), &settings);
    }
    gtk_drop_down_set_selected(self->label, label);
    gtk_drop_down_set_selected(self->over, over);
}

// @words: (transfer full)
static void
name_button(GtkButton *button, char *words)
{
    if (g_strcmp0(gtk_button_get_label(button), words) != 0) {
        gtk_button_set_label(button, words);
        gtk_label_set_ellipsize(GTK_LABEL(gtk_button_get_child(button)), PANGO_ELLIPSIZE_MIDDLE);
        gtk_widget_set_tooltip_text(GTK_WIDGET(button), words);
        bg_form_name(GTK_WIDGET(button), words);
    }
    g_free(words);
}

// Each button says which labels it acts on.
static void
name_buttons(BgEditSection *self)
{
    const BgLabelEntry *entry = entry_at(self, gtk_drop_down_get_selected(self->label));
    const char *label = entry != NULL ? entry->name : "";

    if (bg_session_get_edit(session_of(self))->all_labels) {
        name_button(self->largest, g_strdup(_("Keep the largest island of all labels")));
        name_button(self->small, g_strdup(_("Remove small islands of all labels")));
        name_button(self->keep, g_strdup(_("Keep the island of all labels at the crosshair")));
        name_button(self->remove, g_strdup(_("Remove the island of all labels at the crosshair")));
        name_button(self->holes, g_strdup(_("Fill holes in all labels")));
        return;
    }
    // Translators: in all of these %s is the name of a label
    name_button(self->largest, g_strdup_printf(_("Keep the largest island of %s"), label));
    name_button(self->small, g_strdup_printf(_("Remove small islands of %s"), label));
    name_button(self->keep, g_strdup_printf(_("Keep the island of %s at the crosshair"), label));
    name_button(self->remove,
                g_strdup_printf(_("Remove the island of %s at the crosshair"), label));
    name_button(self->holes, g_strdup_printf(_("Fill holes in %s"), label));
}

// The volume's own range, once for each volume.
static void
propose_range(BgEditSection *self)
{
    const BgLayer *volume = bg_session_get_volume(session_of(self));
    BgEditSettings settings = *bg_session_get_edit(session_of(self));
    double low, high;

    if (volume == NULL || g_strcmp0(volume->id, self->range_of) == 0 ||
        !bg_session_get_value_range(session_of(self), volume, &low, &high))
        return;
    g_free(self->range_of);
    self->range_of = g_strdup(volume->id);
    settings.low = low + 0.5 * (high - low);
    settings.high = high;
    bg_session_set_edit(session_of(self), &settings);
    gtk_spin_button_set_digits(self->low, high - low >= 100.0 ? 0 : 3);
    gtk_spin_button_set_digits(self->high, high - low >= 100.0 ? 0 : 3);
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgEditSection *self = BG_EDIT_SECTION(section);

    if ((changes & (BG_CHANGE_LAYERS | BG_CHANGE_LOOK | BG_CHANGE_SELECTION | BG_CHANGE_TOGGLES |
                    BG_CHANGE_CASE)) == 0)
        return;
    if (self->shown != layer->labels) {
        g_clear_pointer(&self->shown, bg_label_table_unref);
        self->shown = layer->labels != NULL ? bg_label_table_ref(layer->labels) : NULL;
        list_labels(self, self->shown);
    }
    propose_range(self);
    show_choice(self);
    const BgEditSettings *settings = bg_session_get_edit(session_of(self));
    gtk_check_button_set_active(self->ball, settings->ball);
    gtk_check_button_set_active(self->limit, settings->limit);
    gtk_spin_button_set_value(self->diameter, settings->diameter_mm);
    gtk_spin_button_set_value(self->low, settings->low);
    gtk_spin_button_set_value(self->high, settings->high);
    gtk_spin_button_set_value(self->least, settings->least_mm3);
    gtk_check_button_set_active(self->all, settings->all_labels);
    name_buttons(self);
}

static void
run(BgEditSection *self, BgEditTask task)
{
    BgSession *session = session_of(self);

    bg_label_edit_run(session, task, BG_PLANE_AXIAL, bg_session_get_state(session)->cursor_mm);
}

static void
on_add(GtkButton *button, gpointer user_data)
{
    bg_label_edit_add_label(session_of(user_data));
}

static void
on_threshold(GtkButton *button, gpointer user_data)
{
    run(user_data, BG_EDIT_THRESHOLD);
}

static void
on_flood(GtkButton *button, gpointer user_data)
{
    run(user_data, BG_EDIT_FLOOD);
}

static void
on_largest(GtkButton *button, gpointer user_data)
{
    run(user_data, BG_EDIT_KEEP_LARGEST);
}

static void
on_small(GtkButton *button, gpointer user_data)
{
    run(user_data, BG_EDIT_REMOVE_SMALL);
}

static void
on_keep(GtkButton *button, gpointer user_data)
{
    run(user_data, BG_EDIT_KEEP_PICKED);
}

static void
on_remove(GtkButton *button, gpointer user_data)
{
    run(user_data, BG_EDIT_REMOVE_PICKED);
}

static void
on_holes(GtkButton *button, gpointer user_data)
{
    run(user_data, BG_EDIT_FILL_HOLES);
}

static void
bg_edit_section_dispose(GObject *object)
{
    BgEditSection *self = BG_EDIT_SECTION(object);

    g_clear_pointer(&self->shown, bg_label_table_unref);
    g_clear_pointer(&self->range_of, g_free);

    G_OBJECT_CLASS(bg_edit_section_parent_class)->dispose(object);
}

static void
bg_edit_section_class_init(BgEditSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_edit_section_dispose;
    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-edit-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgEditSection, label);
    gtk_widget_class_bind_template_child(widget_class, BgEditSection, over);
    gtk_widget_class_bind_template_child(widget_class, BgEditSection, ball);
    gtk_widget_class_bind_template_child(widget_class, BgEditSection, limit);
    gtk_widget_class_bind_template_child(widget_class, BgEditSection, diameter);
    gtk_widget_class_bind_template_child(widget_class, BgEditSection, low);
    gtk_widget_class_bind_template_child(widget_class, BgEditSection, high);
    gtk_widget_class_bind_template_child(widget_class, BgEditSection, least);
    gtk_widget_class_bind_template_child(widget_class, BgEditSection, tools);
    gtk_widget_class_bind_template_child(widget_class, BgEditSection, all);
    gtk_widget_class_bind_template_child(widget_class, BgEditSection, largest);
    gtk_widget_class_bind_template_child(widget_class, BgEditSection, small);
    gtk_widget_class_bind_template_child(widget_class, BgEditSection, keep);
    gtk_widget_class_bind_template_child(widget_class, BgEditSection, remove);
    gtk_widget_class_bind_template_child(widget_class, BgEditSection, holes);
    gtk_widget_class_bind_template_callback(widget_class, on_setting);
    gtk_widget_class_bind_template_callback(widget_class, on_ball);
    gtk_widget_class_bind_template_callback(widget_class, on_add);
    gtk_widget_class_bind_template_callback(widget_class, on_threshold);
    gtk_widget_class_bind_template_callback(widget_class, on_flood);
    gtk_widget_class_bind_template_callback(widget_class, on_largest);
    gtk_widget_class_bind_template_callback(widget_class, on_small);
    gtk_widget_class_bind_template_callback(widget_class, on_keep);
    gtk_widget_class_bind_template_callback(widget_class, on_remove);
    gtk_widget_class_bind_template_callback(widget_class, on_holes);
}

static void
bg_edit_section_init(BgEditSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect_swapped(self->diameter, "value-changed", G_CALLBACK(store), self);
    g_signal_connect_swapped(self->low, "value-changed", G_CALLBACK(store), self);
    g_signal_connect_swapped(self->high, "value-changed", G_CALLBACK(store), self);
    g_signal_connect_swapped(self->least, "value-changed", G_CALLBACK(store), self);
}
