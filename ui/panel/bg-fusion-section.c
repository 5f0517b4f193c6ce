// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-fusion-section.h"

#include "core/annotate/bg-annotations.h"
#include "core/base/bg-i18n.h"
#include "core/io/bg-image-io.h"
#include "ui/dialog/bg-file-dialog.h"
#include "ui/model/bg-photo.h"
#include "ui/model/bg-weak.h"

#define MAP_PX 52

struct _BgFusionSection {
    BgSection parent_instance;

    // of the template, borrowed
    GtkDropDown *method;
    GtkLabel *state, *caution, *measures;
    GtkGrid *maps;
    GtkWidget *save;

    BgFused *shown; // owned, nullable
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
    if (bg_fused_is_synthetic(fused))
        g_string_append(caution,
                        _("Synthetic: a network made these pixels. None of them was measured."));
    if (fused->stand_in)
        g_string_append(caution, _("VGG-19 has not been imported: our own smaller network looks at "
                                   "the pictures instead."));
    set_words(self->state, method);
    set_words(self->caution, caution->str);
    set_words(self->measures, measures);
    show_maps(self, fused);
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgFusionSection *self = BG_FUSION_SECTION(section);
    BgSession *session = bg_section_get_session(section);
    BgFused *fused = bg_session_get_fused(session);
    int fusion = bg_session_get_photo_look(session)->fusion;

    gtk_drop_down_set_selected(self->method, (guint) fusion);
    gtk_widget_set_sensitive(self->save, fusion != 0 && fused != NULL && fused->error == NULL);
    if (fused == self->shown && fused != NULL && fusion != 0)
        return;
    g_clear_pointer(&self->shown, bg_fused_unref);
    if (fused != NULL)
        self->shown = bg_fused_ref(fused);
    show_fused(self, fused, fusion);
}

static void
on_method(BgFusionSection *self)
{
    if (!bg_section_is_updating(BG_SECTION(self)))
        bg_photo_set_fusion(bg_section_get_session(BG_SECTION(self)),
                            (int) gtk_drop_down_get_selected(self->method));
}

typedef struct {
    BgFused *fused; // owned
    char *path;     // owned
} Saving;

static void
saving_free(gpointer data)
{
    Saving *saving = data;

    bg_fused_unref(saving->fused);
    g_free(saving->path);
    g_free(saving);
}

static gpointer
save_on_worker(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const Saving *saving = data;
    const BgPngParams params = { .force = TRUE, .provenance = saving->fused->provenance };
    g_autofree char *method = bg_fused_get_method(saving->fused);
    g_autofree char *note = g_strdup_printf(
        "%s: %s%s. %s", saving->fused->layer_name, method,
        bg_fused_is_synthetic(saving->fused) ? _(", SYNTHETIC") : "", _("Not for diagnosis"));
    g_autoptr(BgImage) noted =
        bg_annotate_image(saving->fused->view.whole, saving->fused->right, saving->fused->down,
                          saving->fused->side_known, note, error);

    return noted != NULL && bg_png_save(noted, saving->path, &params, error)
               ? g_strdup(saving->path)
               : NULL;
}

static void
on_saved(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(BgSession) session = bg_weak_ref_take(user_data);
    g_autoptr(GError) error = NULL;
    g_autofree char *path = bg_job_run_finish(BG_JOB(source), result, &error);

    if (path == NULL && session != NULL &&
        !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        bg_session_fail(session, _("The picture is not saved"), error);
}

static void
save_to(GtkWidget *asker, const char *path)
{
    BgFusionSection *self = BG_FUSION_SECTION(asker);
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    BgFused *fused = session != NULL ? bg_session_get_fused(session) : NULL;

    if (fused == NULL || fused->error != NULL)
        return;
    Saving *saving = g_new0(Saving, 1);
    saving->fused = bg_fused_ref(fused);
    saving->path = g_strdup(path);
    g_autoptr(BgJob) job = bg_job_new(_("Saving the fused picture"));
    BgJobWork work = {
        .func = save_on_worker, .input = saving, .free_input = saving_free, .free_result = g_free
    };
    bg_session_run(session, job, &work, on_saved, bg_weak_ref_new(session));
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
    g_clear_pointer(&BG_FUSION_SECTION(object)->shown, bg_fused_unref);
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
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, state);
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, caution);
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, measures);
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, maps);
    gtk_widget_class_bind_template_child(widget_class, BgFusionSection, save);
    gtk_widget_class_bind_template_callback(widget_class, on_save);
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
}
