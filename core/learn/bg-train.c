// SPDX-License-Identifier: Apache-2.0
#include "bg-train.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/nn/bg-nn-worker.h"

#include <gio/gio.h>
#include <math.h>

#define RECIPE_FILE "recipe.json"
#define VALIDATION_SHARE 0.12
#define N_FEEDERS 2

void
bg_train_recipe_clear(BgTrainRecipe *recipe)
{
    g_clear_pointer(&recipe->data, g_free);
}

void
bg_train_recipe_copy(const BgTrainRecipe *from, BgTrainRecipe *to)
{
    *to = *from;
    to->data = g_strdup(from->data);
}

void
bg_train_setup_clear(BgTrainSetup *setup)
{
    if (setup->samples != NULL)
        setup->free_samples(setup->samples);
    setup->samples = NULL;
    g_clear_pointer(&setup->card, bg_json_free);
    g_clear_pointer(&setup->folder, g_free);
    g_clear_pointer(&setup->notes, g_free);
}

char *
bg_train_folder(const char *out)
{
    return g_strconcat(out, ".training", NULL);
}

gboolean
bg_train_setup_folder(BgTrainSetup *setup, const char *out, GError **error)
{
    setup->folder = bg_train_folder(out);
    if (g_mkdir_with_parents(setup->folder, 0777) != 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The training cannot start: %s: the folder cannot be made. Choose another "
                      "place"),
                    setup->folder);
        return FALSE;
    }
    setup->config.folder = setup->folder;
    return TRUE;
}

gboolean
bg_train_setup_begin(BgTrainSetup *setup, const BgTrainRecipe *recipe, const char *out,
                     GError **error)
{
    BgNnTrainConfig *config = &setup->config;

    if (!bg_train_setup_folder(setup, out, error))
        return FALSE;
    setup->network = bg_network_find(recipe->network, error);
    if (setup->network == NULL)
        return FALSE;
    config->optimiser = bg_nn_optimiser_config(BG_NN_ADAM, recipe->rate);
    config->optimiser.schedule = BG_NN_RATE_COSINE;
    config->optimiser.period = recipe->n_epochs;
    config->batch = recipe->batch;
    config->n_epochs = recipe->n_epochs;
    config->patience = recipe->patience;
    config->seed = recipe->seed;
    config->validation_share = VALIDATION_SHARE;
    config->n_workers = N_FEEDERS;
    return TRUE;
}

static const struct {
    const char *name;
    gsize offset;
    gboolean is_double;
} numbers[] = {
    { "phantoms", offsetof(BgTrainRecipe, n_phantoms), FALSE },
    { "phantom_size", offsetof(BgTrainRecipe, phantom_size), FALSE },
    { "leaves", offsetof(BgTrainRecipe, n_leaves), FALSE },
    { "crop", offsetof(BgTrainRecipe, crop), FALSE },
    { "per_case", offsetof(BgTrainRecipe, per_case), FALSE },
    { "epochs", offsetof(BgTrainRecipe, n_epochs), FALSE },
    { "batch", offsetof(BgTrainRecipe, batch), FALSE },
    { "patience", offsetof(BgTrainRecipe, patience), FALSE },
    { "entropy", offsetof(BgTrainRecipe, entropy), FALSE },
    { "varied", offsetof(BgTrainRecipe, varied), FALSE },
    { "spacing_mm", offsetof(BgTrainRecipe, spacing_mm), TRUE },
    { "rate", offsetof(BgTrainRecipe, rate), TRUE },
    { "structure", offsetof(BgTrainRecipe, structure), TRUE },
};

gboolean
bg_train_recipe_save(const BgTrainRecipe *recipe, const char *out, GError **error)
{
    g_autofree char *folder = bg_train_folder(out);
    g_autofree char *path = g_build_filename(folder, RECIPE_FILE, NULL);
    g_autoptr(BgJson) json = bg_json_new_object();

    bg_json_set_string(json, "network", recipe->network);
    bg_json_set_string(json, "data", recipe->data);
    bg_json_set_integer(json, "seed", (gint64) recipe->seed);
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        const char *at = (const char *) recipe + numbers[i].offset;
        if (numbers[i].is_double)
            bg_json_set_double(json, numbers[i].name, *(const double *) (gconstpointer) at);
        else
            bg_json_set_integer(json, numbers[i].name, *(const int *) (gconstpointer) at);
    }
    g_autofree char *text = bg_json_print(json, TRUE);
    return g_file_set_contents(path, text, -1, error);
}

static gboolean
read_recipe(const BgJson *json, BgTrainRecipe *recipe)
{
    const char *name = bg_json_to_string(bg_json_get(json, "network"), "");
    const BgNetwork *network = bg_network_find(name, NULL);

    if (network == NULL)
        return FALSE;
    recipe->network = network->name;
    recipe->seed = (guint64) bg_json_to_integer(bg_json_get(json, "seed"), 0);
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        const BgJson *value = bg_json_get(json, numbers[i].name);
        char *at = (char *) recipe + numbers[i].offset;
        double number = bg_json_to_double(value, (double) NAN);
        if (!(number >= 0.0 && number <= G_MAXINT))
            return FALSE;
        if (numbers[i].is_double)
            *(double *) (gpointer) at = number;
        else
            *(int *) (gpointer) at = (int) number;
    }
    recipe->data = g_strdup(bg_json_to_string(bg_json_get(json, "data"), NULL));
    return TRUE;
}

gboolean
bg_train_recipe_load(const char *out, BgTrainRecipe *recipe, GError **error)
{
    g_autofree char *folder = bg_train_folder(out), *text = NULL;
    g_autofree char *path = g_build_filename(folder, RECIPE_FILE, NULL);
    g_autofree char *last = g_build_filename(folder, "last.h5", NULL);
    gsize length;

    if (!g_file_test(last, G_FILE_TEST_EXISTS) || !g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    _("No training can go on: %s holds no checkpoint with its settings. Start a "
                      "new one"),
                    folder);
        return FALSE;
    }
    if (!g_file_get_contents(path, &text, &length, error))
        return FALSE;
    g_autoptr(BgJson) json = bg_json_parse(text, (gssize) length, error);
    if (json == NULL) {
        g_prefix_error(error, "%s: ", path);
        return FALSE;
    }
    *recipe = (BgTrainRecipe){ 0 };
    if (read_recipe(json, recipe))
        return TRUE;
    g_set_error(
        error, BG_ERROR, BG_ERROR_CORRUPT,
        _("The training cannot go on: %s does not say with which settings. Start a new one"), path);
    return FALSE;
}

void
bg_trained_clear(BgTrained *trained)
{
    g_clear_pointer(&trained->history, g_array_unref);
    g_clear_pointer(&trained->card, bg_json_free);
}

static gboolean
save_network(const BgTrainSetup *setup, BgNnParams *params, const BgJson *card, const char *out,
             gboolean replace, GCancellable *cancellable, GError **error)
{
    const BgNetwork *kept = setup->kept;
    g_autoptr(BgNnGraph) graph = kept != NULL ? kept->graph() : setup->network->graph();
    g_autoptr(BgNnParams) saved =
        kept != NULL ? bg_network_params(kept, 0, error) : bg_nn_params_ref(params);

    return saved != NULL && (kept == NULL || bg_nn_params_fill(saved, params, error)) &&
           bg_nn_weights_save(out, graph, saved, card, replace, cancellable, error);
}

static void
start_worker(gpointer data)
{
}

gboolean
bg_train_run(const BgTrainSetup *setup, const BgTrainRecipe *recipe, const char *out,
             gboolean replace, BgTrained *trained, const BgProgress *progress,
             GCancellable *cancellable, GError **error)
{
    g_autoptr(BgNnGraph) graph = setup->network->graph();
    g_autoptr(BgNnParams) params = bg_network_params(setup->network, setup->config.seed, error);
    g_autoptr(BgNnParams) best = NULL;
    gint64 start = g_get_monotonic_time();

    *trained = (BgTrained){ .least = HUGE_VAL };
    if (params == NULL || (recipe != NULL && !bg_train_recipe_save(recipe, out, error)))
        return FALSE;
    bg_nn_worker_run(start_worker, NULL); // which sets oneDNN up for the whole process
    if (!bg_nn_train(graph, params, &setup->data, &setup->config, setup->card, &trained->card,
                     &best, &trained->history, progress, cancellable, error)) {
        g_prefix_error(error, "%s: ", out);
        return FALSE;
    }
    trained->seconds = (double) (g_get_monotonic_time() - start) / G_USEC_PER_SEC;
    for (guint e = 0; e < trained->history->len; e++) {
        const BgNnEpoch *epoch = &g_array_index(trained->history, BgNnEpoch, e);
        double loss = isnan(epoch->validation) ? epoch->loss : epoch->validation;
        trained->least = MIN(trained->least, loss);
    }
    return save_network(setup, best != NULL ? best : params, trained->card, out, replace,
                        cancellable, error);
}
