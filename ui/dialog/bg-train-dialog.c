// SPDX-License-Identifier: Apache-2.0
#include "ui/dialog/bg-train-dialog.h"

#include "core/annotate/bg-curves.h"
#include "core/base/bg-i18n.h"
#include "core/case/bg-provenance.h"
#include "core/io/bg-image-io.h"
#include "core/learn/bg-model-store.h"
#include "ui/dialog/bg-dialog.h"
#include "ui/dialog/bg-file-dialog.h"
#include "ui/model/bg-save.h"
#include "ui/model/bg-texture.h"
#include "ui/model/bg-train-job.h"
#include "ui/panel/bg-form.h"

#include <math.h>
#include <string.h>

#define TEXT_PX 11.0
#define DPI 96.0
#define XFT_DPI_UNIT 1024.0
#define SAVED_WIDTH 1200
#define SAVED_HEIGHT 800
#define SAVED_TEXT_PX 18.0
#define FUSION "funfuse"

struct _BgTrainDialog {
    GtkWindow parent_instance;

    // of the template, borrowed
    GtkDropDown *network;
    GtkSpinButton *phantoms, *phantom_size, *spacing, *crop, *per_case;
    GtkSpinButton *epochs, *batch, *rate, *patience, *seed;
    GtkEditable *data, *output;
    GtkWidget *settings, *replace, *start, *resume, *cancel, *save, *samples;
    GtkLabel *there, *state, *numbers, *notes, *sample_words, *caption_0, *caption_1;
    GtkProgressBar *progress;
    GtkDrawingArea *loss, *rates;
    GtkPicture *picture_0, *picture_1;
    GtkCheckButton *log_scale;

    BgSession *session; // owned
    BgTrainJob *job;    // owned, nullable: what is shown
    BgTrainRecipe kept; // of the run that can go on, where there is one
    gboolean can_resume, is_there;
    int n_kept; // epochs of it
    gboolean updating;
};

G_DEFINE_FINAL_TYPE(BgTrainDialog, bg_train_dialog, GTK_TYPE_WINDOW)

// ------------------------------------------------------------------------------------------------
// Settings

static void
show_recipe(BgTrainDialog *self, const BgTrainRecipe *recipe)
{
    gboolean fusion = strcmp(recipe->network, FUSION) == 0;

    self->updating = TRUE;
    for (guint n = 0; bg_train_networks()[n] != NULL; n++) {
        if (strcmp(bg_train_networks()[n], recipe->network) == 0)
            gtk_drop_down_set_selected(self->network, n);
    }
    gtk_spin_button_set_value(self->phantoms, recipe->n_phantoms);
    gtk_spin_button_set_value(self->phantom_size, recipe->phantom_size);
    gtk_spin_button_set_value(self->spacing, recipe->spacing_mm);
    gtk_spin_button_set_value(self->crop, recipe->crop);
    gtk_spin_button_set_value(self->per_case, recipe->per_case);
    gtk_spin_button_set_value(self->epochs, recipe->n_epochs);
    gtk_spin_button_set_value(self->batch, recipe->batch);
    gtk_spin_button_set_value(self->rate, recipe->rate);
    gtk_spin_button_set_value(self->patience, recipe->patience);
    gtk_spin_button_set_value(self->seed, (double) recipe->seed);
    gtk_editable_set_text(self->data, recipe->data != NULL ? recipe->data : "");
    gtk_widget_set_sensitive(GTK_WIDGET(self->spacing), !fusion);
    self->updating = FALSE;
}

// @recipe: (out caller-allocates): to be cleared
static void
read_recipe(BgTrainDialog *self, BgTrainRecipe *recipe)
{
    const char *data = gtk_editable_get_text(self->data);

    bg_train_default(bg_train_networks()[gtk_drop_down_get_selected(self->network)], recipe);
    recipe->n_phantoms = gtk_spin_button_get_value_as_int(self->phantoms);
    recipe->phantom_size = gtk_spin_button_get_value_as_int(self->phantom_size);
    recipe->spacing_mm = gtk_spin_button_get_value(self->spacing);
    recipe->crop = gtk_spin_button_get_value_as_int(self->crop);
    recipe->per_case = gtk_spin_button_get_value_as_int(self->per_case);
    recipe->n_epochs = gtk_spin_button_get_value_as_int(self->epochs);
    recipe->batch = gtk_spin_button_get_value_as_int(self->batch);
    recipe->rate = gtk_spin_button_get_value(self->rate);
    recipe->patience = gtk_spin_button_get_value_as_int(self->patience);
    recipe->seed = (guint64) gtk_spin_button_get_value(self->seed);
    recipe->data = *data != '\0' ? g_strdup(data) : NULL;
}

static gboolean
is_running(BgTrainDialog *self)
{
    return self->job != NULL && bg_train_job_get_running(self->job);
}

// Nothing is left to go on with.
static gboolean
is_finished(BgTrainDialog *self)
{
    return self->can_resume && self->is_there && self->n_kept >= self->kept.n_epochs;
}

// What lies at the output's place, and what can be done with it.
static void
show_choice(BgTrainDialog *self)
{
    gboolean running = is_running(self), busy = self->is_there || self->can_resume;
    const char *out = gtk_editable_get_text(self->output);
    gboolean cases = gtk_spin_button_get_value_as_int(self->phantoms) > 0 ||
                     *gtk_editable_get_text(self->data) != '\0';
    g_autofree char *words = NULL;

    if (running)
        words = g_strdup(_("This window may be closed: the training goes on"));
    else if (!g_path_is_absolute(out) || !g_str_has_suffix(out, ".h5"))
        words = g_strdup(_("Give a whole path for the output file, which ends in .h5"));
    else if (!cases)
        words = g_strdup(_("Give made-up heads, or a folder of cases"));
    else if (is_finished(self))
        // Translators: a number of epochs
        words = g_strdup_printf(_("A training lies there whose %d epochs are all done. Start "
                                  "replaces it; another name keeps it"),
                                self->kept.n_epochs);
    else if (self->can_resume)
        // Translators: epochs done, epochs wanted
        words = g_strdup_printf(_("A training lies there: %d of %d epochs are done. Continue goes "
                                  "on with its settings, exactly as if it had never stopped"),
                                self->n_kept, self->kept.n_epochs);
    else if (self->is_there)
        words = g_strdup(_("There is a file of that name"));
    else
        words = g_strdup(_("Cancelled runs keep their best and last epoch, and can go on later"));
    gtk_label_set_text(self->there, words);
    gtk_widget_set_visible(self->replace, busy && !running);
    gtk_widget_set_sensitive(self->settings, !running);
    gtk_widget_set_sensitive(
        self->start, !running && cases && g_path_is_absolute(out) && g_str_has_suffix(out, ".h5") &&
                         (!busy || gtk_check_button_get_active(GTK_CHECK_BUTTON(self->replace))));
    gtk_widget_set_sensitive(self->resume, !running && self->can_resume && !is_finished(self));
    gtk_widget_set_sensitive(self->cancel, running);
}

typedef struct {
    BgTrainRecipe recipe;
    gboolean can_resume, is_there;
    int n_epochs;
} Found;

static void
found_free(gpointer data)
{
    bg_train_recipe_clear(&((Found *) data)->recipe);
    g_free(data);
}

static gpointer
look_at(gpointer path, GCancellable *cancellable, GError **error)
{
    Found *found = g_new0(Found, 1);
    g_autofree char *folder = bg_train_folder(path), *text = NULL;
    g_autofree char *log = g_build_filename(folder, "log.csv", NULL);

    found->is_there = g_file_test(path, G_FILE_TEST_EXISTS);
    found->can_resume = bg_train_recipe_load(path, &found->recipe, NULL);
    if (found->can_resume && g_file_get_contents(log, &text, NULL, NULL)) {
        for (const char *at = strchr(text, '\n'); at != NULL && at[1] != '\0';
             at = strchr(at + 1, '\n'))
            found->n_epochs++;
    }
    return found;
}

static void
on_looked(gpointer owner, gpointer result, const GError *error)
{
    BgTrainDialog *self = owner;
    Found *found = result;

    if (found == NULL || self->session == NULL)
        return;
    bg_train_recipe_clear(&self->kept);
    self->kept = found->recipe;
    found->recipe.data = NULL;
    self->can_resume = found->can_resume;
    self->is_there = found->is_there;
    self->n_kept = found->n_epochs;
    found_free(found);
    show_choice(self);
}

static void
look(BgTrainDialog *self)
{
    BgWork work = { .owner = G_OBJECT(self),
                    .func = look_at,
                    .request = g_strdup(gtk_editable_get_text(self->output)),
                    .free_request = g_free,
                    .done = on_looked,
                    .free_result = found_free };

    self->can_resume = self->is_there = FALSE;
    bg_worker_post(bg_session_get_idle_worker(self->session), &work);
}

static void
on_setting(GtkSpinButton *spin, gpointer user_data)
{
    BgTrainDialog *self = user_data;

    if (!self->updating && self->session != NULL)
        show_choice(self);
}

static void
on_path(GtkEditable *editable, gpointer user_data)
{
    BgTrainDialog *self = user_data;

    if (self->updating || self->session == NULL)
        return;
    if (editable == self->output) {
        gtk_check_button_set_active(GTK_CHECK_BUTTON(self->replace), FALSE);
        look(self);
    }
    show_choice(self);
}

static void
on_replace(GtkCheckButton *button, gpointer user_data)
{
    if (BG_TRAIN_DIALOG(user_data)->session != NULL)
        show_choice(user_data);
}

static void
suggest_output(BgTrainDialog *self)
{
    static const char *const names[] = { "my-tumour.h5", "my-tumour-volumes.h5", "my-fusion.h5" };
    g_autofree char *folder = bg_model_store_get_folder();
    g_autofree char *path =
        g_build_filename(folder, names[gtk_drop_down_get_selected(self->network)], NULL);

    gtk_editable_set_text(self->output, path);
}

static void
on_network(GObject *list, GParamSpec *pspec, gpointer user_data)
{
    BgTrainDialog *self = user_data;
    BgTrainRecipe recipe;

    if (self->updating || self->session == NULL)
        return;
    bg_train_default(bg_train_networks()[gtk_drop_down_get_selected(self->network)], &recipe);
    show_recipe(self, &recipe);
    suggest_output(self);
    show_choice(self);
}

static void
take_data(GtkWidget *asker, const char *path)
{
    gtk_editable_set_text(BG_TRAIN_DIALOG(asker)->data, path);
}

static void
on_choose_data(GtkButton *button, gpointer user_data)
{
    BgFileChoice choice = { .title = _("A folder of cases"), .accept = _("_Open"), .folder = TRUE };

    bg_file_dialog_ask(user_data, &choice, take_data);
}

static void
take_output(GtkWidget *asker, const char *path)
{
    gtk_editable_set_text(BG_TRAIN_DIALOG(asker)->output, path);
}

static void
on_choose_output(GtkButton *button, gpointer user_data)
{
    BgFileChoice choice = { .title = _("Where the network shall be written"),
                            .accept = _("_Save"),
                            .suggested_name = "my-model.h5",
                            .filter_name = _("Weights"),
                            .patterns = "*.h5",
                            .save = TRUE };

    bg_file_dialog_ask(user_data, &choice, take_output);
}

// ------------------------------------------------------------------------------------------------
// What there is to see

static void
to_text(double value, char text[G_ASCII_DTOSTR_BUF_SIZE])
{
    g_ascii_formatd(text, G_ASCII_DTOSTR_BUF_SIZE, "%.5g", value);
}

// The numbers of the last epoch that is done, or NULL.
static char *
tell_epoch(const BgTrainView *view)
{
    char loss[G_ASCII_DTOSTR_BUF_SIZE], check[G_ASCII_DTOSTR_BUF_SIZE];
    char rate[G_ASCII_DTOSTR_BUF_SIZE];

    if (view->epochs->len == 0)
        return NULL;
    const BgNnEpoch *last = &g_array_index(view->epochs, BgNnEpoch, view->epochs->len - 1);
    to_text(last->loss, loss);
    to_text(last->validation, check);
    to_text(last->rate, rate);
    if (isnan(last->validation))
        // Translators: an epoch's number, its loss, its learning rate, the best epoch's number
        return g_strdup_printf(_("Epoch %d: training loss %s, learning rate %s. The best so far: "
                                 "epoch %d"),
                               last->epoch, loss, rate, view->best_epoch);
    // Translators: an epoch's number, its two losses, its learning rate, the best epoch's number
    return g_strdup_printf(_("Epoch %d: training loss %s, validation loss %s, learning rate %s. "
                             "The best so far: epoch %d"),
                           last->epoch, loss, check, rate, view->best_epoch);
}

static char *
tell_time(double seconds)
{
    if (seconds < 0.0)
        return g_strdup(_("The time it takes is not known yet"));
    if (seconds < 90.0)
        // Translators: how long it takes still
        return g_strdup_printf(_("%.0f s left"), ceil(seconds));
    if (seconds < 5400.0)
        // Translators: how long it takes still
        return g_strdup_printf(_("%.0f min left"), ceil(seconds / 60.0));
    // Translators: how long it takes still
    return g_strdup_printf(_("%.1f h left"), seconds / 3600.0);
}

static char *
tell_stage(BgTrainDialog *self, const BgTrainView *view)
{
    int n_epochs = bg_train_job_get_recipe(self->job)->n_epochs;
    g_autofree char *left = tell_time(view->seconds_left);
    char loss[G_ASCII_DTOSTR_BUF_SIZE];

    switch (view->stage) {
    case BG_TRAIN_PREPARING:
        return g_strdup(_("Preparing the cases"));
    case BG_TRAIN_LEARNING:
        if (view->step == 0)
            return g_strdup(_("Learning: the first step"));
        to_text(view->step_loss, loss);
        return g_strdup_printf(
            // Translators: epoch, of how many, step, of how many, loss in this epoch so far, time left
            _("Learning epoch %d of %d, step %zu of %zu: loss so far %s. %s"), view->epoch,
            n_epochs, view->step, view->n_steps, loss, left);
    case BG_TRAIN_DONE:
        // Translators: a file
        return g_strdup_printf(_("Done: the best epoch is in %s"), bg_train_job_get_out(self->job));
    case BG_TRAIN_CANCELLED:
        return view->epochs->len > 0
                   ? g_strdup(_("Cancelled: the best and the last whole epoch are kept. Continue "
                                "goes on exactly there"))
                   : g_strdup(_("Cancelled before the first epoch was done: nothing is kept"));
    case BG_TRAIN_FAILED:
    default:
        // Translators: a reason
        return g_strdup_printf(_("The network is not trained: %s"), view->fault);
    }
}

static void
show_samples(BgTrainDialog *self, const BgTrainView *view)
{
    GtkPicture *const pictures[2] = { self->picture_0, self->picture_1 };
    gboolean any = view->pictures[0] != NULL;
    gboolean fusion =
        self->job != NULL && strcmp(bg_train_job_get_recipe(self->job)->network, FUSION) == 0;

    gtk_widget_set_visible(self->samples, any);
    gtk_widget_set_visible(GTK_WIDGET(self->sample_words), any);
    if (!any)
        return;
    gtk_label_set_text(self->sample_words,
                       fusion ? _("A pair that is kept for validation")
                              : _("A slice that is kept for validation, the patient's right on the "
                                  "left. Core red, oedema green, enhancing blue"));
    gtk_label_set_text(self->caption_0, fusion ? _("What is fused") : _("Truth"));
    // Translators: an epoch's number
    g_autofree char *words = g_strdup_printf(_("The network after epoch %d"), view->picture_epoch);
    gtk_label_set_text(self->caption_1, words);
    for (int p = 0; p < 2; p++) {
        g_autoptr(GdkTexture) texture = bg_texture_from_rgb(view->pictures[p]);
        gtk_picture_set_paintable(pictures[p], GDK_PAINTABLE(texture));
        gtk_picture_set_alternative_text(pictures[p],
                                         p == 0 ? gtk_label_get_text(self->caption_0) : words);
        bg_form_name(GTK_WIDGET(pictures[p]), p == 0 ? gtk_label_get_text(self->caption_0) : words);
    }
}

static void
show_view(BgTrainDialog *self)
{
    BgTrainView view = self->job != NULL ? bg_train_job_get_view(self->job) : (BgTrainView){ 0 };
    gboolean any = view.epochs != NULL && view.epochs->len > 0;
    g_autofree char *numbers = any ? tell_epoch(&view) : NULL;
    g_autofree char *stage = self->job != NULL
                                 ? tell_stage(self, &view)
                                 : g_strdup(_("The curves of the losses will be here"));
    const char *told = numbers != NULL ? numbers : stage;

    gtk_label_set_text(self->state, stage);
    gtk_label_set_text(self->numbers, numbers != NULL ? numbers : "");
    gtk_label_set_text(self->notes, view.notes != NULL ? view.notes : "");
    gtk_widget_set_visible(GTK_WIDGET(self->notes), view.notes != NULL);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->loss), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Losses over the epochs"), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   told, -1);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->rates), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Learning rate over the epochs"),
                                   GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, told, -1);
    gtk_widget_set_sensitive(self->save, any);
    if (self->job != NULL) {
        double done = view.n_steps > 0
                          ? (view.epoch - 1 + (double) view.step / (double) view.n_steps) /
                                bg_train_job_get_recipe(self->job)->n_epochs
                          : 0.0;
        gtk_progress_bar_set_fraction(self->progress,
                                      view.stage == BG_TRAIN_DONE ? 1.0 : CLAMP(done, 0.0, 1.0));
    }
    show_samples(self, &view);
    gtk_widget_queue_draw(GTK_WIDGET(self->loss));
    gtk_widget_queue_draw(GTK_WIDGET(self->rates));
}

static void
on_changed(BgTrainJob *job, gpointer user_data)
{
    BgTrainDialog *self = user_data;

    show_view(self);
    if (bg_train_job_get_running(job))
        return;
    look(self);
    show_choice(self);
}

static void
take_job(BgTrainDialog *self, BgTrainJob *job)
{
    if (self->job != NULL)
        g_signal_handlers_disconnect_by_data(self->job, self);
    g_set_object(&self->job, job);
    if (job != NULL) {
        g_signal_connect(job, "changed", G_CALLBACK(on_changed), self);
        show_recipe(self, bg_train_job_get_recipe(job));
        self->updating = TRUE;
        gtk_editable_set_text(self->output, bg_train_job_get_out(job));
        self->updating = FALSE;
    }
    look(self);
    show_view(self);
    show_choice(self);
}

// ------------------------------------------------------------------------------------------------
// Curves

/** Lines: values of a view, as curves want them */
typedef struct {
    double *loss, *check, *rate; // owned
    BgCurve curves[2];
} Lines;

static void
lines_init(Lines *lines, const GArray *epochs)
{
    guint n = epochs != NULL ? epochs->len : 0;

    lines->loss = g_new0(double, n + 1);
    lines->check = g_new0(double, n + 1);
    lines->rate = g_new0(double, n + 1);
    for (guint e = 0; e < n; e++) {
        const BgNnEpoch *epoch = &g_array_index(epochs, BgNnEpoch, e);
        lines->loss[e] = epoch->loss;
        lines->check[e] = epoch->validation;
        lines->rate[e] = epoch->rate;
    }
    lines->curves[0] = (BgCurve){ .name = _("Training"), .values = lines->loss };
    lines->curves[1] = (BgCurve){ .name = _("Validation"), .values = lines->check, .dashed = TRUE };
}

static void
lines_clear(Lines *lines)
{
    g_free(lines->loss);
    g_free(lines->check);
    g_free(lines->rate);
}

static void
take_colour(GtkWidget *widget, const char *name, double rgb[3])
{
    GdkRGBA colour = { 0.5f, 0.5f, 0.5f, 1.0f };

    gtk_style_context_lookup_color(gtk_widget_get_style_context(widget), name, &colour);
    rgb[0] = (double) colour.red;
    rgb[1] = (double) colour.green;
    rgb[2] = (double) colour.blue;
}

static BgCurvePlot
make_plot(BgTrainDialog *self, const Lines *lines, const BgTrainView *view)
{
    return (BgCurvePlot){ .curves = lines->curves,
                          .n_curves = 2,
                          .n = view->epochs != NULL ? view->epochs->len : 0,
                          .n_epochs = self->job != NULL
                                          ? (gsize) bg_train_job_get_recipe(self->job)->n_epochs
                                          : 10,
                          .is_log = gtk_check_button_get_active(self->log_scale),
                          .from_zero = TRUE,
                          .value_title = _("Loss"),
                          .epoch_title = _("Epoch") };
}

static void
draw(BgTrainDialog *self, GtkWidget *area, cairo_t *cr, int width, int height, gboolean rates)
{
    BgTrainView view = self->job != NULL ? bg_train_job_get_view(self->job) : (BgTrainView){ 0 };
    int dpi = 0;
    Lines lines;

    lines_init(&lines, view.epochs);
    take_colour(area, "accent", lines.curves[0].rgb);
    take_colour(area, "caution", lines.curves[1].rgb);
    BgCurvePlot plot = make_plot(self, &lines, &view);
    if (rates) {
        lines.curves[0].values = lines.rate;
        take_colour(area, "text_dim", lines.curves[0].rgb);
        plot.n_curves = 1;
        plot.is_log = FALSE;
        plot.value_title = _("Learning rate");
        plot.epoch_title = NULL;
    }
    g_object_get(gtk_widget_get_settings(area), "gtk-xft-dpi", &dpi, NULL);
    plot.text_px = TEXT_PX * (dpi > 0 ? dpi / XFT_DPI_UNIT / DPI : 1.0);
    take_colour(area, "base", plot.ground);
    take_colour(area, "text", plot.ink);
    take_colour(area, "text_dim", plot.dim);
    take_colour(area, "line", plot.line);
    bg_curve_draw(&plot, cr, width, height);
    lines_clear(&lines);
}

static void
draw_loss(GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer user_data)
{
    draw(user_data, GTK_WIDGET(area), cr, width, height, FALSE);
}

static void
draw_rates(GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer user_data)
{
    draw(user_data, GTK_WIDGET(area), cr, width, height, TRUE);
}

static void
on_log_scale(GtkCheckButton *button, gpointer user_data)
{
    gtk_widget_queue_draw(GTK_WIDGET(BG_TRAIN_DIALOG(user_data)->loss));
}

typedef struct {
    char *provenance; // owned
    BgImage *image;   // owned
} Save;

static void
save_free(gpointer data)
{
    Save *save = data;

    g_free(save->provenance);
    g_clear_pointer(&save->image, bg_image_unref);
    g_free(save);
}

static gboolean
save_on_worker(gpointer data, const char *path, const BgProgress *progress,
               GCancellable *cancellable, GError **error)
{
    const Save *save = data;
    const BgPngParams params = { .force = TRUE, .provenance = save->provenance };

    return bg_png_save(save->image, path, &params, error);
}

static char *
describe(BgTrainDialog *self)
{
    const BgTrainRecipe *recipe = bg_train_job_get_recipe(self->job);
    g_autoptr(BgProvenance) provenance = bg_provenance_new("train");
    BgJson *parameters = bg_provenance_get_parameters(provenance);

    if (recipe->data != NULL)
        bg_provenance_add_input(provenance, recipe->data, NULL);
    bg_provenance_set_seed(provenance, (gint64) recipe->seed);
    bg_json_set_string(parameters, "network", recipe->network);
    bg_json_set_string(parameters, "output", bg_train_job_get_out(self->job));
    bg_json_set_integer(parameters, "phantoms", recipe->n_phantoms);
    bg_json_set_integer(parameters, "phantom_size", recipe->phantom_size);
    bg_json_set_double(parameters, "spacing_mm", recipe->spacing_mm);
    bg_json_set_integer(parameters, "crop", recipe->crop);
    bg_json_set_integer(parameters, "per_case", recipe->per_case);
    bg_json_set_integer(parameters, "epochs", recipe->n_epochs);
    bg_json_set_integer(parameters, "batch", recipe->batch);
    bg_json_set_double(parameters, "rate", recipe->rate);
    bg_json_set_integer(parameters, "patience", recipe->patience);
    return bg_provenance_print(provenance);
}

// White, for paper, whatever the window looks like.
static void
save_curves(GtkWidget *asker, const char *path)
{
    BgTrainDialog *self = BG_TRAIN_DIALOG(asker);
    BgTrainView view = bg_train_job_get_view(self->job);
    g_autofree char *base = g_path_get_basename(bg_train_job_get_out(self->job));
    // Translators: a file of weights, and its network
    g_autofree char *title =
        g_strdup_printf(_("%s: training of %s"), base, bg_train_job_get_recipe(self->job)->network);
    g_autoptr(GError) error = NULL;
    Lines lines;

    lines_init(&lines, view.epochs);
    lines.curves[0].rgb[1] = 0.447; // blue and vermilion of Okabe and Ito
    lines.curves[0].rgb[2] = 0.698;
    lines.curves[1].rgb[0] = 0.835;
    lines.curves[1].rgb[1] = 0.369;
    BgCurvePlot plot = make_plot(self, &lines, &view);
    plot.title = title;
    plot.text_px = SAVED_TEXT_PX;
    for (int c = 0; c < 3; c++) {
        plot.ground[c] = 1.0;
        plot.dim[c] = 0.3;
        plot.line[c] = 0.85;
    }
    Save *save = g_new0(Save, 1);
    save->image = bg_curve_image(&plot, SAVED_WIDTH, SAVED_HEIGHT, &error);
    lines_clear(&lines);
    if (save->image == NULL) {
        bg_session_fail(self->session, _("The curves are not saved"), error);
        save_free(save);
        return;
    }
    save->provenance = describe(self);
    const BgSaveWork work = { .title = _("Saving the curves"),
                              .failure = _("The curves are not saved"),
                              .func = save_on_worker,
                              .input = save,
                              .free_input = save_free,
                              .path = path };
    bg_save_job(self->session, &work);
}

static void
on_save(GtkButton *button, gpointer user_data)
{
    BgFileChoice choice = { .title = _("Save the curves"),
                            .accept = _("_Save"),
                            .suggested_name = "training.png",
                            .filter_name = _("Pictures"),
                            .patterns = "*.png",
                            .save = TRUE };

    bg_file_dialog_ask(user_data, &choice, save_curves);
}

// ------------------------------------------------------------------------------------------------

static void
begin(BgTrainDialog *self, const BgTrainRecipe *recipe, gboolean resume)
{
    g_autofree char *out = g_strdup(gtk_editable_get_text(self->output));
    g_autoptr(BgTrainJob) job = bg_train_job_start(self->session, recipe, out, resume);

    gtk_check_button_set_active(GTK_CHECK_BUTTON(self->replace), FALSE);
    take_job(self, job);
}

static void
on_start(GtkButton *button, gpointer user_data)
{
    BgTrainDialog *self = user_data;
    g_auto(BgTrainRecipe) recipe;

    read_recipe(self, &recipe);
    begin(self, &recipe, FALSE);
}

static void
on_resume(GtkButton *button, gpointer user_data)
{
    BgTrainDialog *self = user_data;
    g_auto(BgTrainRecipe) recipe;

    bg_train_recipe_copy(&self->kept, &recipe);
    begin(self, &recipe, TRUE);
}

static void
on_cancel(GtkButton *button, gpointer user_data)
{
    BgTrainDialog *self = user_data;

    if (self->job != NULL)
        bg_train_job_cancel(self->job);
}

void
bg_train_dialog_present(GtkWindow *parent, BgSession *session)
{
    g_autoptr(GListModel) windows = g_object_ref(gtk_window_get_toplevels());
    BgTrainRecipe recipe;

    for (guint i = 0; i < g_list_model_get_n_items(windows); i++) {
        g_autoptr(GtkWindow) window = g_list_model_get_item(windows, i);
        if (BG_IS_TRAIN_DIALOG(window) && BG_TRAIN_DIALOG(window)->session == session) {
            gtk_window_present(window);
            return;
        }
    }
    BgTrainDialog *self = g_object_new(BG_TYPE_TRAIN_DIALOG, "transient-for", parent,
                                       "destroy-with-parent", TRUE, NULL);
    self->session = g_object_ref(session);
    bg_train_default(bg_train_networks()[0], &recipe);
    show_recipe(self, &recipe);
    suggest_output(self);
    take_job(self, bg_train_job_get_current(session));
    gtk_window_present(GTK_WINDOW(self));
}

static void
bg_train_dialog_dispose(GObject *object)
{
    BgTrainDialog *self = BG_TRAIN_DIALOG(object);

    if (self->job != NULL)
        g_signal_handlers_disconnect_by_data(self->job, self);
    g_clear_object(&self->job);
    g_clear_object(&self->session);
    bg_train_recipe_clear(&self->kept);

    G_OBJECT_CLASS(bg_train_dialog_parent_class)->dispose(object);
}

static void
bg_train_dialog_class_init(BgTrainDialogClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_train_dialog_dispose;
    bg_dialog_class_set_template(widget_class, "bg-train-dialog.ui");
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, network);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, phantoms);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, phantom_size);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, data);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, spacing);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, crop);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, per_case);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, epochs);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, batch);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, rate);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, patience);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, seed);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, output);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, settings);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, replace);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, there);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, start);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, resume);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, cancel);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, save);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, samples);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, state);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, numbers);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, notes);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, sample_words);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, caption_0);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, caption_1);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, picture_0);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, picture_1);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, progress);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, loss);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, rates);
    gtk_widget_class_bind_template_child(widget_class, BgTrainDialog, log_scale);
    gtk_widget_class_bind_template_callback(widget_class, on_setting);
    gtk_widget_class_bind_template_callback(widget_class, on_path);
    gtk_widget_class_bind_template_callback(widget_class, on_replace);
    gtk_widget_class_bind_template_callback(widget_class, on_network);
    gtk_widget_class_bind_template_callback(widget_class, on_choose_data);
    gtk_widget_class_bind_template_callback(widget_class, on_choose_output);
    gtk_widget_class_bind_template_callback(widget_class, on_log_scale);
    gtk_widget_class_bind_template_callback(widget_class, on_save);
    gtk_widget_class_bind_template_callback(widget_class, on_start);
    gtk_widget_class_bind_template_callback(widget_class, on_resume);
    gtk_widget_class_bind_template_callback(widget_class, on_cancel);
}

static void
bg_train_dialog_init(BgTrainDialog *self)
{
    bg_dialog_init_template(GTK_WIDGET(self), &self->updating);
    gtk_drawing_area_set_draw_func(self->loss, draw_loss, self, NULL);
    gtk_drawing_area_set_draw_func(self->rates, draw_rates, self, NULL);
}
