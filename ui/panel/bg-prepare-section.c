// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-prepare-section.h"

#include "core/base/bg-i18n.h"
#include "ui/model/bg-filter-job.h"
#include "ui/model/bg-label-edit.h"

struct _BgPrepareSection {
    BgSection parent_instance;

    // of the template, borrowed
    GtkDropDown *mask, *method;
    GtkCheckButton *field, *per_slice;
    GtkSpinButton *shrink, *noise, *strength, *brain_mm;

    char *listed; // owned, nullable: ids and names of the label maps in the list
};

G_DEFINE_FINAL_TYPE(BgPrepareSection, bg_prepare_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    return layer != NULL && layer->payload.volume != NULL;
}

static const BgLayer *
mask_of(BgPrepareSection *self)
{
    const GPtrArray *layers =
        bg_session_get_state(bg_section_get_session(BG_SECTION(self)))->layers;
    guint position = gtk_drop_down_get_selected(self->mask);

    for (guint i = 0; position > 0 && i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (layer->kind == BG_KIND_LABELS && --position == 0)
            return layer;
    }
    return NULL;
}

static void
run(BgPrepareSection *self, BgFilterKind kind)
{
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));
    BgFilterChoice choice = { .kind = kind,
                              .mask = mask_of(self),
                              .n4 = bg_n4_params_default(),
                              .nlm = bg_nlm_params_default(),
                              .field = gtk_check_button_get_active(self->field),
                              .brain_mm = gtk_spin_button_get_value(self->brain_mm) };

    if (layer == NULL || layer->payload.volume == NULL)
        return;
    choice.n4.shrink = gtk_spin_button_get_value_as_int(self->shrink);
    choice.nlm.sigma = gtk_spin_button_get_value(self->noise);
    choice.nlm.strength = gtk_spin_button_get_value(self->strength);
    choice.normalize =
        bg_normalize_params((BgNormalizeMethod) gtk_drop_down_get_selected(self->method));
    choice.normalize.per_slice = gtk_check_button_get_active(self->per_slice);
    bg_filter_job(bg_section_get_session(BG_SECTION(self)), layer, &choice);
}

static void
on_n4(GtkButton *button, gpointer user_data)
{
    run(user_data, BG_FILTER_N4);
}

static void
on_nlm(GtkButton *button, gpointer user_data)
{
    run(user_data, BG_FILTER_NLM);
}

static void
on_normalize(GtkButton *button, gpointer user_data)
{
    run(user_data, BG_FILTER_NORMALIZE);
}

static void
on_brain(GtkButton *button, gpointer user_data)
{
    run(user_data, BG_FILTER_BRAIN);
}

static void
on_labels(GtkButton *button, gpointer user_data)
{
    const BgLayer *layer = bg_section_get_layer(user_data);

    if (layer != NULL && layer->payload.volume != NULL)
        bg_label_edit_new(bg_section_get_session(user_data), layer);
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgPrepareSection *self = BG_PREPARE_SECTION(section);
    const GPtrArray *layers = bg_session_get_state(bg_section_get_session(section))->layers;
    GtkStringList *names;
    GString *all;

    if ((changes & (BG_CHANGE_LAYERS | BG_CHANGE_CASE)) == 0)
        return;
    names = gtk_string_list_new(NULL);
    all = g_string_new(NULL);
    gtk_string_list_append(names, _("None"));
    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *other = layers->pdata[i];
        if (other->kind != BG_KIND_LABELS)
            continue;
        gtk_string_list_append(names, other->name);
        g_string_append_printf(all, "%s\t%s\n", other->id, other->name);
    }
    if (g_strcmp0(self->listed, all->str) != 0)
        gtk_drop_down_set_model(self->mask, G_LIST_MODEL(names));
    g_object_unref(names);
    g_free(self->listed);
    self->listed = g_string_free(all, FALSE);
}

static void
bg_prepare_section_finalize(GObject *object)
{
    g_free(BG_PREPARE_SECTION(object)->listed);

    G_OBJECT_CLASS(bg_prepare_section_parent_class)->finalize(object);
}

static void
bg_prepare_section_class_init(BgPrepareSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->finalize = bg_prepare_section_finalize;
    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-prepare-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgPrepareSection, mask);
    gtk_widget_class_bind_template_child(widget_class, BgPrepareSection, method);
    gtk_widget_class_bind_template_child(widget_class, BgPrepareSection, field);
    gtk_widget_class_bind_template_child(widget_class, BgPrepareSection, per_slice);
    gtk_widget_class_bind_template_child(widget_class, BgPrepareSection, shrink);
    gtk_widget_class_bind_template_child(widget_class, BgPrepareSection, noise);
    gtk_widget_class_bind_template_child(widget_class, BgPrepareSection, strength);
    gtk_widget_class_bind_template_child(widget_class, BgPrepareSection, brain_mm);
    gtk_widget_class_bind_template_callback(widget_class, on_n4);
    gtk_widget_class_bind_template_callback(widget_class, on_nlm);
    gtk_widget_class_bind_template_callback(widget_class, on_normalize);
    gtk_widget_class_bind_template_callback(widget_class, on_brain);
    gtk_widget_class_bind_template_callback(widget_class, on_labels);
}

static void
bg_prepare_section_init(BgPrepareSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}
