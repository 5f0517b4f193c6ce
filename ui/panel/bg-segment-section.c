// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-segment-section.h"

#include "core/base/bg-i18n.h"
#include "core/learn/bg-model-store.h"
#include "core/segment/bg-contrast-name.h"
#include "ui/model/bg-segment-job.h"
#include "ui/panel/bg-model-card.h"

#define NETWORK "unet-tumour"
#define NETWORK_OF_VOLUMES "unet3-tumour"
#define SHIPPED "tumour"

struct _BgSegmentSection {
    BgSection parent_instance;

    // of the template, borrowed
    GtkDropDown *t1, *t1ce, *t2, *flair, *align, *brain, *model;
    GtkCheckButton *n4, *mirror, *holes, *confidence, *probabilities, *as_given, *confirmed;
    GtkSpinButton *least, *largest;
    GtkLabel *card, *state;
    GtkWidget *segment, *expander;

    char *listed;      // owned, nullable: ids and names that the lists of volumes show
    GPtrArray *models; // owned, nullable: of BgModel
    gboolean asked;    // for the models
    gboolean running;
    char *result; // owned, nullable: of the last job
};

G_DEFINE_FINAL_TYPE(BgSegmentSection, bg_segment_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    return layer != NULL && layer->kind == BG_KIND_VOLUME;
}

static GtkDropDown *
list_of(BgSegmentSection *self, int contrast)
{
    GtkDropDown *const lists[BG_N_CONTRASTS] = { self->t1, self->t1ce, self->t2, self->flair };

    return lists[contrast];
}

static const BgCaseState *
state_of(BgSegmentSection *self)
{
    return bg_session_get_state(bg_section_get_session(BG_SECTION(self)));
}

// The layer of that kind that stands at @position of a list whose first row is "none".
static const BgLayer *
layer_at(BgSegmentSection *self, GtkDropDown *list, BgKind kind)
{
    const GPtrArray *layers = state_of(self)->layers;
    guint position = gtk_drop_down_get_selected(list);

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (layer->kind == kind && --position == 0)
            return layer;
    }
    return NULL;
}

static void
choose(BgSegmentSection *self, BgSegmentChoice *choice)
{
    guint model = gtk_drop_down_get_selected(self->model);

    *choice = (BgSegmentChoice){ .options = bg_tumour_options() };
    for (int c = 0; c < BG_N_CONTRASTS; c++)
        choice->contrasts[c] = layer_at(self, list_of(self, c), BG_KIND_VOLUME);
    choice->brain = layer_at(self, self->brain, BG_KIND_LABELS);
    if (self->models != NULL && model < self->models->len)
        choice->model_path = ((const BgModel *) self->models->pdata[model])->path;
    choice->params.align = (BgTumourAlign) gtk_drop_down_get_selected(self->align);
    choice->params.n4 = gtk_check_button_get_active(self->n4);
    choice->params.as_given = gtk_check_button_get_active(self->as_given);
    choice->options.mirror = gtk_check_button_get_active(self->mirror);
    choice->options.cleaning.fill_holes = gtk_check_button_get_active(self->holes);
    choice->options.cleaning.least_ml = gtk_spin_button_get_value(self->least);
    choice->options.cleaning.n_largest = (guint) gtk_spin_button_get_value_as_int(self->largest);
    choice->confidence = gtk_check_button_get_active(self->confidence);
    choice->probabilities = gtk_check_button_get_active(self->probabilities);
}

// What hinders, or nothing; the button follows.
static void
show_state(BgSegmentSection *self)
{
    BgSegmentChoice choice;
    g_autoptr(GError) error = NULL;
    const char *words = "";
    gboolean ready = FALSE;

    choose(self, &choice);
    if (self->running)
        words = _("Segmenting: see the bar below");
    else if (self->models == NULL)
        words = _("Looking for networks");
    else if (choice.model_path == NULL)
        words = _("There is no network for this on this computer. Reinstall the program, or import "
                  "one by “bregma-cli models import”");
    else if (!bg_segment_check(&choice, &error))
        words = error->message;
    else if (!gtk_check_button_get_active(self->confirmed))
        words = _("Names only propose: look which contrast is which, and confirm it");
    else {
        ready = TRUE;
        words = self->result != NULL ? self->result : "";
    }
    gtk_label_set_text(self->state, words);
    gtk_widget_set_visible(GTK_WIDGET(self->state), *words != '\0');
    gtk_widget_set_sensitive(self->segment, ready);
}

static void
on_contrast(BgSegmentSection *self)
{
    if (bg_section_is_updating(BG_SECTION(self)))
        return;
    gtk_check_button_set_active(self->confirmed, FALSE);
    g_clear_pointer(&self->result, g_free);
    show_state(self);
}

static void
on_confirmed(GtkCheckButton *button, gpointer user_data)
{
    if (!bg_section_is_updating(user_data))
        show_state(user_data);
}

static gpointer
find_models(gpointer data, GCancellable *cancellable, GError **error)
{
    return bg_model_store_list(FALSE, cancellable);
}

static void
show_card(BgSegmentSection *self)
{
    guint chosen = gtk_drop_down_get_selected(self->model);
    gboolean is_one = self->models != NULL && chosen < self->models->len;
    g_autofree char *text = is_one ? bg_model_card_tell(self->models->pdata[chosen]) : g_strdup("");

    gtk_label_set_text(self->card, text);
}

static void
on_models(gpointer owner, gpointer result, const GError *error)
{
    BgSegmentSection *self = owner;
    g_autoptr(GPtrArray) all = result;
    GtkStringList *names = gtk_string_list_new(NULL);
    guint chosen = 0, before = gtk_drop_down_get_selected(self->model);

    if (bg_section_get_session(BG_SECTION(self)) == NULL || all == NULL) {
        g_object_unref(names);
        return;
    }
    g_autofree char *wanted = g_strdup(self->models != NULL && before < self->models->len
                                           ? ((const BgModel *) self->models->pdata[before])->name
                                           : SHIPPED);
    g_ptr_array_set_free_func(all, NULL);
    g_clear_pointer(&self->models, g_ptr_array_unref);
    self->models = g_ptr_array_new_with_free_func((GDestroyNotify) bg_model_free);
    for (guint i = 0; i < all->len; i++) {
        BgModel *model = all->pdata[i];
        if ((g_strcmp0(model->network, NETWORK) != 0 &&
             g_strcmp0(model->network, NETWORK_OF_VOLUMES) != 0) ||
            model->fault != NULL) {
            bg_model_free(model);
            continue;
        }
        if (g_str_equal(model->name, wanted))
            chosen = self->models->len;
        gtk_string_list_append(names, model->name);
        g_ptr_array_add(self->models, model);
    }
    gtk_drop_down_set_model(self->model, G_LIST_MODEL(names));
    gtk_drop_down_set_selected(self->model, chosen);
    g_object_unref(names);
    show_card(self);
    show_state(self);
}

static void
on_model(GtkDropDown *list, GParamSpec *pspec, gpointer user_data)
{
    BgSegmentSection *self = user_data;

    if (self->models != NULL)
        show_card(self);
}

static void
on_expanded(BgSegmentSection *self)
{
    BgSession *session = bg_section_get_session(BG_SECTION(self));

    if (self->asked || session == NULL || !gtk_expander_get_expanded(GTK_EXPANDER(self->expander)))
        return;
    self->asked = TRUE;
    BgWork work = { .owner = G_OBJECT(self),
                    .func = find_models,
                    .done = on_models,
                    .free_result = (GDestroyNotify) g_ptr_array_unref };
    bg_worker_post(bg_session_get_idle_worker(session), &work);
}

static GtkStringList *
names_of(const GPtrArray *layers, BgKind kind)
{
    GtkStringList *names = gtk_string_list_new(NULL);

    gtk_string_list_append(names, _("None"));
    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (layer->kind == kind)
            gtk_string_list_append(names, layer->name);
    }
    return names;
}

// Each contrast's first volume that is called like it and that nothing computed but filters.
static void
propose(BgSegmentSection *self)
{
    const GPtrArray *layers = state_of(self)->layers;
    guint position = 0;

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        BgContrast contrast;
        if (layer->kind != BG_KIND_VOLUME)
            continue;
        position++;
        if (g_str_equal(layer->generated_by, "segment") ||
            !bg_contrast_guess(layer->name, &contrast) ||
            gtk_drop_down_get_selected(list_of(self, contrast)) != 0)
            continue;
        gtk_drop_down_set_selected(list_of(self, contrast), position);
    }
}

static void
list_layers(BgSegmentSection *self)
{
    const GPtrArray *layers = state_of(self)->layers;
    GString *all = g_string_new(NULL);

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        g_string_append_printf(all, "%s\t%s\t%d\n", layer->id, layer->name, layer->kind);
    }
    if (g_strcmp0(self->listed, all->str) == 0) {
        g_string_free(all, TRUE);
        return;
    }
    g_free(self->listed);
    self->listed = g_string_free(all, FALSE);
    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        g_autoptr(GtkStringList) names = names_of(layers, BG_KIND_VOLUME);
        gtk_drop_down_set_model(list_of(self, c), G_LIST_MODEL(names));
        gtk_drop_down_set_selected(list_of(self, c), 0);
    }
    g_autoptr(GtkStringList) labels = names_of(layers, BG_KIND_LABELS);
    gtk_drop_down_set_model(self->brain, G_LIST_MODEL(labels));
    gtk_drop_down_set_selected(self->brain, 0);
    propose(self);
    gtk_check_button_set_active(self->confirmed, FALSE);
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgSegmentSection *self = BG_SEGMENT_SECTION(section);

    if (changes & BG_CHANGE_MODELS) { // one may have been trained
        self->asked = FALSE;
        on_expanded(self);
    }
    if ((changes & (BG_CHANGE_LAYERS | BG_CHANGE_CASE)) == 0)
        return;
    on_expanded(self);
    list_layers(self);
    show_state(self);
}

static void
on_done(gpointer owner, const char *words)
{
    BgSegmentSection *self = owner;

    self->running = FALSE;
    g_free(self->result);
    self->result = g_strdup(words);
    if (bg_section_get_session(BG_SECTION(self)) != NULL)
        show_state(self);
}

static void
on_segment(GtkButton *button, gpointer user_data)
{
    BgSegmentSection *self = user_data;
    BgSegmentChoice choice;

    choose(self, &choice);
    if (choice.model_path == NULL)
        return;
    self->running = TRUE;
    show_state(self);
    bg_segment_job(bg_section_get_session(BG_SECTION(self)), &choice, G_OBJECT(self), on_done);
}

static void
bg_segment_section_dispose(GObject *object)
{
    BgSegmentSection *self = BG_SEGMENT_SECTION(object);

    g_clear_pointer(&self->models, g_ptr_array_unref);
    g_clear_pointer(&self->listed, g_free);
    g_clear_pointer(&self->result, g_free);

    G_OBJECT_CLASS(bg_segment_section_parent_class)->dispose(object);
}

static void
bg_segment_section_class_init(BgSegmentSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_segment_section_dispose;
    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-segment-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, t1);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, t1ce);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, t2);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, flair);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, align);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, brain);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, model);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, n4);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, mirror);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, holes);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, confidence);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, probabilities);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, as_given);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, confirmed);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, least);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, largest);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, card);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, state);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, segment);
    gtk_widget_class_bind_template_child(widget_class, BgSegmentSection, expander);
    gtk_widget_class_bind_template_callback(widget_class, on_segment);
    gtk_widget_class_bind_template_callback(widget_class, on_confirmed);
    gtk_widget_class_bind_template_callback(widget_class, on_model);
}

static void
bg_segment_section_init(BgSegmentSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect_swapped(self->expander, "notify::expanded", G_CALLBACK(on_expanded), self);
    for (int c = 0; c < BG_N_CONTRASTS; c++)
        g_signal_connect_swapped(list_of(self, c), "notify::selected", G_CALLBACK(on_contrast),
                                 self);
}
