// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-fusion-section.h"

#include "core/base/bg-i18n.h"
#include "core/learn/bg-model-store.h"
#include "core/learn/bg-networks.h"
#include "ui/dialog/bg-file-dialog.h"
#include "ui/model/bg-fused-job.h"
#include "ui/model/bg-photo.h"
#include "ui/panel/bg-model-card.h"

#define MAP_PX 52

struct _BgFusionSection {
    BgSection parent_instance;

    // of the template, borrowed
    GtkDropDown *method, *weights;
    GtkLabel *card, *state, *caution, *measures;
    GtkGrid *maps;
    GtkWidget *save, *import, *blend_row;
    GtkAdjustment *blend;
    GtkCheckButton *outlines, *full_range;

    BgFused *shown; // owned, nullable
    // Of the list of weights: the first row is the usual ones, the last one asks for a file.
    GPtrArray *models; // owned, nullable: of BgModel: those between
    char *listed;      // owned, nullable: what @models and the list are of
    gboolean filling;  // of the list: nobody has chosen
};

G_DEFINE_FINAL_TYPE(BgFusionSection, bg_fusion_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    return layer != NULL && layer->payload.image != NULL &&
           bg_photo_camera_of(bg_section_get_session(section), layer) != NULL;
}

static void
set_words(GtkLabel *label, const char *words)
{
    gtk_label_set_text(label, words);
    gtk_widget_set_visible(GTK_WIDGET(label), *words != '\0');
}

// A row each for the volume and the photograph, a column for each layer.
static void
show_maps(BgFusionSection *self, const BgFused *fused)
{
    GtkWidget *child;

    while ((child = gtk_widget_get_first_child(GTK_WIDGET(self->maps))) != NULL)
        gtk_grid_remove(self->maps, child);
    for (guint i = 0; fused != NULL && fused->maps != NULL && i < fused->maps->len; i++) {
        GtkWidget *picture = gtk_picture_new_for_paintable(fused->maps->pdata[i]);
        guint level = i % BG_FUSION_N_LEVELS + 1;
        g_autofree char *name =
            i < BG_FUSION_N_LEVELS
                ? g_strdup_printf(_("Weights of the volume by layer %u"), level)
                : g_strdup_printf(_("Weights of the photograph by layer %u"), level);
        gtk_widget_set_size_request(picture, MAP_PX, MAP_PX);
        gtk_widget_set_tooltip_text(picture, name);
        gtk_accessible_update_property(GTK_ACCESSIBLE(picture), GTK_ACCESSIBLE_PROPERTY_LABEL, name,
                                       -1);
        gtk_grid_attach(self->maps, picture, (int) (i % BG_FUSION_N_LEVELS),
                        (int) (i / BG_FUSION_N_LEVELS), 1, 1);
    }
}

// @words: a sentence
static void
add_sentence(GString *text, const char *words)
{
    g_string_append_printf(text, "%s%s", text->len > 0 ? "\n" : "", words);
}

static void
show_fused(BgFusionSection *self, const BgFused *fused, int fusion)
{
    g_autoptr(GString) caution = g_string_new(NULL);

    if (fusion == 0 || fused == NULL || fused->error != NULL) {
        set_words(self->state, fusion == 0                             ? ""
                               : fused != NULL && fused->error != NULL ? fused->error
                                                                       : _("Fusing..."));
        set_words(self->caution, "");
        set_words(self->measures, "");
        show_maps(self, NULL);
        return;
    }
    g_autofree char *method = bg_fused_get_method(fused);
    g_autofree char *measures = bg_fused_get_measures(fused);
    g_autofree char *engine = bg_fused_get_engine(fused);
    g_autofree char *state =
        engine != NULL ? g_strdup_printf("%s\n%s", method, engine) : g_strdup(method);
    if (bg_fused_is_synthetic(fused))
        add_sentence(caution,
                     _("Synthetic: a network made these pixels. None of them was measured."));
    if (fused->stand_in)
        add_sentence(caution, _("VGG-19 has not been imported: our own smaller network looks at "
                                "the pictures instead."));
    if (fused->n_left_out > 0) {
        g_autofree char *left_out = g_strdup_printf(
            ngettext("%u label is not outlined: there are too many.",
                     "%u labels are not outlined: there are too many.", fused->n_left_out),
            fused->n_left_out);
        add_sentence(caution, left_out);
    }
    set_words(self->state, state);
    set_words(self->caution, caution->str);
    set_words(self->measures, measures);
    show_maps(self, fused);
}

/** Listing: which weights there are for a method, by a worker */
typedef struct {
    BgFusionMethod method;
    char *chosen;      // owned, nullable: a file
    GPtrArray *models; // owned, nullable: of BgModel
    char *key;         // owned
} Listing;

static void
listing_free(gpointer data)
{
    Listing *listing = data;

    g_clear_pointer(&listing->models, g_ptr_array_unref);
    g_free(listing->chosen);
    g_free(listing->key);
    g_free(listing);
}

static gboolean
is_for(const BgModel *model, BgFusionMethod method)
{
    gboolean learned = g_strcmp0(model->network, "funfuse") == 0;
    gboolean features =
        g_strcmp0(model->network, "vgg19") == 0 || g_strcmp0(model->network, BG_VGG_SMALL) == 0;

    return model->fault == NULL && (method == BG_FUSION_LEARNED ? learned : features);
}

// The usable ones of this computer, and the chosen file where it is none of them.
static gpointer
list_on_worker(gpointer data, GCancellable *cancellable, GError **error)
{
    const Listing *wanted = data;
    Listing *found = g_new0(Listing, 1);
    g_autoptr(GPtrArray) all = bg_model_store_list(FALSE, cancellable);
    gboolean has_chosen = wanted->chosen == NULL;

    found->method = wanted->method;
    found->chosen = g_strdup(wanted->chosen);
    found->key = g_strdup(wanted->key);
    found->models = g_ptr_array_new_with_free_func((GDestroyNotify) bg_model_free);
    g_ptr_array_set_free_func(all, NULL);
    for (guint i = 0; i < all->len; i++) {
        BgModel *model = all->pdata[i];
        if (!is_for(model, wanted->method)) {
            bg_model_free(model);
            continue;
        }
        has_chosen = has_chosen || g_str_equal(model->path, wanted->chosen);
        g_ptr_array_add(found->models, model);
    }
    if (!has_chosen)
        g_ptr_array_add(found->models, bg_model_read(wanted->chosen, cancellable));
    return found;
}

static const char *
chosen_weights(BgFusionSection *self)
{
    const BgPhotoLook *look = bg_session_get_photo_look(bg_section_get_session(BG_SECTION(self)));
    BgFusedWeights which;

    return look->fusion > 0 && bg_fused_which_weights((BgFusionMethod) (look->fusion - 1), &which)
               ? look->weights[which]
               : NULL;
}

// 1 + the row's model; 0: the usual.
static guint
find_chosen(BgFusionSection *self)
{
    const char *path = chosen_weights(self);

    for (guint i = 0; path != NULL && self->models != NULL && i < self->models->len; i++)
        if (g_str_equal(((const BgModel *) self->models->pdata[i])->path, path))
            return i + 1;
    return 0;
}

// Of the weights that are used: the usual ones are told by what they made.
static void
show_card(BgFusionSection *self, const BgFused *fused)
{
    guint row = find_chosen(self);
    const BgModel *model = row > 0 ? self->models->pdata[row - 1] : NULL;

    for (guint i = 0; model == NULL && fused != NULL && fused->sha256 != NULL &&
                      self->models != NULL && i < self->models->len;
         i++) {
        const BgModel *one = self->models->pdata[i];
        if (g_strcmp0(one->sha256, fused->sha256) == 0)
            model = one;
    }
    g_autofree char *words = model != NULL ? bg_model_card_tell(model) : g_strdup("");
    set_words(self->card, words);
}

static void
on_listed(gpointer owner, gpointer result, const GError *error)
{
    BgFusionSection *self = owner;
    Listing *found = result;
    BgSession *session = bg_section_get_session(BG_SECTION(self));

    if (found == NULL)
        return;
    if (session != NULL && g_strcmp0(found->key, self->listed) == 0) {
        g_autoptr(GtkStringList) names = gtk_string_list_new(NULL);
        g_clear_pointer(&self->models, g_ptr_array_unref);
        self->models = g_steal_pointer(&found->models);
        gtk_string_list_append(names, _("The usual weights"));
        for (guint i = 0; i < self->models->len; i++)
            gtk_string_list_append(names, ((const BgModel *) self->models->pdata[i])->name);
        gtk_string_list_append(names, _("From a file…"));
        self->filling = TRUE;
        gtk_drop_down_set_model(self->weights, G_LIST_MODEL(names));
        gtk_drop_down_set_selected(self->weights, find_chosen(self));
        self->filling = FALSE;
        show_card(self, bg_session_get_fused(session));
    }
    listing_free(found);
}

// Asks for the list when another one is due.
static void
list_weights(BgFusionSection *self, int fusion, gboolean again)
{
    BgFusionMethod method = (BgFusionMethod) (fusion - 1);
    BgFusedWeights which;
    gboolean wants = fusion > 0 && bg_fused_which_weights(method, &which);
    const char *chosen = chosen_weights(self);
    g_autofree char *key =
        wants ? g_strdup_printf("%d %s", (int) which, chosen != NULL ? chosen : "") : NULL;

    gtk_widget_set_visible(GTK_WIDGET(self->weights), wants);
    gtk_widget_set_visible(self->import, wants && which == BG_FUSED_WEIGHTS_FEATURES);
    if (!wants)
        set_words(self->card, "");
    if (!again && g_strcmp0(key, self->listed) == 0)
        return;
    g_free(self->listed);
    self->listed = g_steal_pointer(&key);
    if (!wants)
        return;
    Listing *listing = g_new0(Listing, 1);
    listing->method = method;
    listing->chosen = g_strdup(chosen);
    listing->key = g_strdup(self->listed);
    BgWork work = { .owner = G_OBJECT(self),
                    .slot = 1,
                    .func = list_on_worker,
                    .request = listing,
                    .free_request = listing_free,
                    .done = on_listed,
                    .free_result = listing_free };
    bg_worker_post(bg_session_get_idle_worker(bg_section_get_session(BG_SECTION(self))), &work);
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgFusionSection *self = BG_FUSION_SECTION(section);
    BgSession *session = bg_section_get_session(section);
    BgFused *fused = bg_session_get_fused(session);
    const BgPhotoLook *look = bg_session_get_photo_look(session);

    gtk_drop_down_set_selected(self->method, (guint) look->fusion);
    gtk_check_button_set_active(self->outlines, !look->no_outlines);
    gtk_check_button_set_active(self->full_range, look->full_range);
    gtk_adjustment_set_value(self->blend, 100.0 * (look->amount - 1.0 + look->volume));
    gtk_widget_set_visible(self->blend_row, look->fusion != 0);
    gtk_widget_set_visible(GTK_WIDGET(self->outlines), look->fusion != 0);
    gtk_widget_set_visible(GTK_WIDGET(self->full_range), look->fusion != 0);
    list_weights(self, look->fusion, (changes & BG_CHANGE_MODELS) != 0);
    gtk_widget_set_sensitive(self->save,
                             look->fusion != 0 && fused != NULL && fused->error == NULL);
    if (fused == self->shown && fused != NULL && look->fusion != 0)
        return;
    g_clear_pointer(&self->shown, bg_fused_unref);
    if (fused != NULL)
        self->shown = bg_fused_ref(fused);
    show_fused(self, fused, look->fusion);
    if (look->fusion != 0)
        show_card(self, fused);
}

static void
on_method(BgFusionSection *self)
{
    if (!bg_section_is_updating(BG_SECTION(self)))
        bg_photo_set_fusion(bg_section_get_session(BG_SECTION(self)),
                            (int) gtk_drop_down_get_selected(self->method));
}

static BgFusionMethod
shown_method(BgFusionSection *self)
{
    int fusion = bg_session_get_photo_look(bg_section_get_session(BG_SECTION(self)))->fusion;

    return (BgFusionMethod) MAX(fusion - 1, 0);
}

static void
choose_file(GtkWidget *asker, const char *path)
{
    BgFusionSection *self = BG_FUSION_SECTION(asker);
    BgSession *session = bg_section_get_session(BG_SECTION(self));

    if (session != NULL)
        bg_fused_job_choose(session, shown_method(self), path);
}

static void
import_file(GtkWidget *asker, const char *path)
{
    BgSession *session = bg_section_get_session(BG_SECTION(asker));

    if (session != NULL)
        bg_fused_job_import(session, path);
}

// The list shows what is used until the new one has been read.
static void
on_weights(BgFusionSection *self)
{
    const BgFileChoice choice = { .title = _("Weights of the network"),
                                  .filter_name = _("Weights"),
                                  .patterns = "*.h5 *.hdf5 *.safetensors" };
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    guint row = gtk_drop_down_get_selected(self->weights), used;

    if (self->filling || session == NULL || self->models == NULL ||
        row == GTK_INVALID_LIST_POSITION || (used = find_chosen(self)) == row)
        return;
    self->filling = TRUE;
    gtk_drop_down_set_selected(self->weights, used);
    self->filling = FALSE;
    if (row > self->models->len)
        bg_file_dialog_ask(GTK_WIDGET(self), &choice, choose_file);
    else
        bg_fused_job_choose(session, shown_method(self),
                            row == 0 ? NULL
                                     : ((const BgModel *) self->models->pdata[row - 1])->path);
}

static void
on_import(GtkButton *button, gpointer user_data)
{
    const BgFileChoice choice = { .title = _("The published weights of VGG-19"),
                                  .filter_name = _("Weights"),
                                  .patterns = "*.h5 *.hdf5 *.safetensors" };

    bg_file_dialog_ask(user_data, &choice, import_file);
}

static void
on_blend(BgFusionSection *self)
{
    if (!bg_section_is_updating(BG_SECTION(self)))
        bg_photo_set_blend(bg_section_get_session(BG_SECTION(self)),
                           gtk_adjustment_get_value(self->blend) / 100.0);
}

static void
on_outlines(GtkCheckButton *button, gpointer user_data)
{
    if (!bg_section_is_updating(user_data))
        bg_photo_set_outlines(bg_section_get_session(user_data),
                              gtk_check_button_get_active(button));
}

static void
on_full_range(GtkCheckButton *button, gpointer user_data)
{
    if (!bg_section_is_updating(user_data))
        bg_photo_set_full_range(bg_section_get_session(user_data),
                                gtk_check_button_get_active(button));
}

static void
save_to(GtkWidget *asker, const char *path)
{
    BgFusionSection *self = BG_FUSION_SECTION(asker);
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    BgFused *fused = session != NULL ? bg_session_get_fused(session) : NULL;

    if (fused == NULL || fused->error != NULL)
        return;
    bg_fused_job_save(session, fused, !bg_session_get_photo_look(session)->no_outlines, path);
}

static void
on_save(GtkButton *button, gpointer user_data)
{
    const BgFileChoice choice = { .title = _("Save the fused picture"),
                                  .suggested_name = "fused.png",
                                  .filter_name = _("Pictures"),
                                  .patterns = "*.png",
                                  .save = TRUE };

    bg_file_dialog_ask(user_data, &choice, save_to);
}

static void
bg_fusion_section_dispose(GObject *object)
{
    BgFusionSection *self = BG_FUSION_SECTION(object);

    g_clear_pointer(&self->shown, bg_fused_unref);
    g_clear_pointer(&self->models, g_ptr_array_unref);
    g_clear_pointer(&self->listed, g_free);
    G_OBJECT_CLASS(bg_fusion_section_parent_class)->dispose(object);
}

static void
bg_fusion_section_class_init(BgFusionSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);
    BgSectionClass *section_class = BG_SECTION_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_fusion_section_dispose;
    section_class->applies = applies;
    section_class->update = update;
    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-fusion-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, method);
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, weights);
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, card);
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, blend_row);
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, blend);
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, outlines);
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, full_range);
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, import);
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, state);
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, caution);
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, measures);
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, maps);
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, save);
    gtk_widget_class_bind_template_callback(widget_class, on_save);
    gtk_widget_class_bind_template_callback(widget_class, on_import);
    gtk_widget_class_bind_template_callback(widget_class, on_outlines);
    gtk_widget_class_bind_template_callback(widget_class, on_full_range);
}

static void
bg_fusion_section_init(BgFusionSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    GtkStringList *methods = GTK_STRING_LIST(gtk_drop_down_get_model(self->method));
    gtk_string_list_append(methods, _("None: the volume over the photograph"));
    for (int m = 0; m < BG_FUSION_N_METHODS; m++)
        gtk_string_list_append(methods, bg_fusion_title((BgFusionMethod) m));
    g_signal_connect_swapped(self->method, "notify::selected", G_CALLBACK(on_method), self);
    g_signal_connect_swapped(self->weights, "notify::selected", G_CALLBACK(on_weights), self);
    g_signal_connect_swapped(self->blend, "value-changed", G_CALLBACK(on_blend), self);
}
