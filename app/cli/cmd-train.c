// SPDX-License-Identifier: Apache-2.0
// bregma-cli train: networks learn from cases on disk, or from phantoms.
#include "bg-cli-train.h"

#include "core/segment/bg-tumour-train.h"

#include <string.h>

static void
tell_epoch(const BgNnEpoch *epoch, gpointer user_data)
{
    const BgCli *cli = user_data;

    if (!cli->quiet)
        g_printerr("epoch %d: loss %.5f, validation %.5f, rate %g\n", epoch->epoch, epoch->loss,
                   epoch->validation, epoch->rate);
}

gboolean
bg_cli_train_recipe(BgCli *cli, BgTrainRecipe *recipe, GError **error)
{
    recipe->data = g_strdup(bg_cli_option(cli, "data"));
    recipe->seed = (guint64) cli->seed;
    return bg_cli_get_int(cli, "epochs", 1, 100000, &recipe->n_epochs, error) &&
           bg_cli_get_int(cli, "batch", 1, 4096, &recipe->batch, error) &&
           bg_cli_get_int(cli, "patience", 0, 100000, &recipe->patience, error) &&
           bg_cli_get_positive(cli, "rate", &recipe->rate, error);
}

static BgJson *
history_to_json(const GArray *history)
{
    BgJson *list = bg_json_new_array();

    for (guint e = 0; e < history->len; e++) {
        const BgNnEpoch *epoch = &g_array_index(history, BgNnEpoch, e);
        BgJson *json = bg_json_new_object();
        bg_json_set_integer(json, "epoch", epoch->epoch);
        bg_json_set_double(json, "loss", epoch->loss);
        bg_json_set_double(json, "validation", epoch->validation);
        bg_json_append(list, json);
    }
    return list;
}

gboolean
bg_cli_train_run(BgCli *cli, BgTrainSetup *setup, const BgTrainRecipe *recipe, const char *out,
                 GError **error)
{
    g_auto(BgTrained) trained = { 0 };

    setup->config.resume = bg_cli_has(cli, "resume");
    setup->config.on_epoch = tell_epoch;
    setup->config.user_data = cli;
    if (!bg_train_run(setup, recipe, out, cli->force, &trained, &cli->progress, cli->cancellable,
                      error)) {
        g_prefix_error(error, "not trained: ");
        return bg_cli_wrote(cli, FALSE, out, error);
    }
    bg_json_set_integer(cli->result, "epochs", (gint64) trained.history->len);
    bg_json_set_double(cli->result, "best", trained.least);
    bg_json_set_double(cli->result, "seconds", trained.seconds);
    bg_json_set(cli->result, "history", history_to_json(trained.history));
    bg_json_set(cli->result, "card", bg_json_copy(trained.card));
    return bg_cli_wrote(cli, TRUE, out, error);
}

// train unet

static const BgCliOption unet_options[] = {
    { "output", BG_CLI_PATH, "=MODEL.h5, -o MODEL.h5" },
    { "data", BG_CLI_PATH, "=DIR  a folder a patient: t1, t1ce, t2, flair, and seg or labels" },
    { "network", BG_CLI_VALUE,
      "=NAME  unet-tumour, unet-brats of two contrasts, unet3-tumour of volumes, patch-cnn, "
      "patch-two-path, patch-dual" },
    { "phantoms", BG_CLI_VALUE, "=N  so many made-up heads, too" },
    { "phantom-size", BG_CLI_VALUE, "=N  their voxels along a side; 240 unless given" },
    { "varied", BG_CLI_FLAG, "  their tumours differ as patients' do" },
    { "epochs", BG_CLI_VALUE, "=N  12 unless given" },
    { "batch", BG_CLI_VALUE, "=N  samples a step; 8 unless given" },
    { "spacing", BG_CLI_VALUE, "=MM  of the grid that it works on; 1 unless given" },
    { "crop", BG_CLI_VALUE, "=PIXELS  side of a sample, a multiple of 16; 128 unless given" },
    { "per-case", BG_CLI_VALUE, "=N  samples of a case in an epoch; 24 unless given" },
    { "rate", BG_CLI_VALUE, "=X  the first learning rate; 0.002 unless given" },
    { "patience", BG_CLI_VALUE, "=N  epochs without a better one until it stops; 0: never" },
    { "entropy", BG_CLI_FLAG, "  patch networks: of ten patches that with most to see" },
    { "resume", BG_CLI_FLAG, "  go on where MODEL.h5.training/last.h5 ends" },
    { NULL },
};

static gboolean
choose_network(const BgCli *cli, BgTrainRecipe *recipe, GError **error)
{
    const char *name = bg_cli_option(cli, "network");
    const char *const *names = bg_tumour_train_networks();

    if (name == NULL)
        return TRUE;
    for (; *names != NULL; names++) {
        if (strcmp(name, *names) == 0) {
            recipe->network = *names;
            return TRUE;
        }
    }
    g_autofree char *all = g_strjoinv(", ", (char **) bg_tumour_train_networks());
    bg_cli_usage_error(error, "which: --network=%s: give one of %s", name, all);
    return FALSE;
}

static gboolean
run_unet(BgCli *cli, GError **error)
{
    const char *out = bg_cli_option(cli, "output");
    g_auto(BgTrainRecipe) recipe = bg_tumour_train_recipe();
    g_auto(BgTrainSetup) setup = { 0 };

    if (out == NULL ||
        (bg_cli_option(cli, "data") == NULL && bg_cli_option(cli, "phantoms") == NULL)) {
        bg_cli_usage_error(error, "of what, where to: train unet: give --data=DIR or "
                                  "--phantoms=N, and -o MODEL.h5");
        return FALSE;
    }
    recipe.entropy = bg_cli_has(cli, "entropy");
    recipe.varied = bg_cli_has(cli, "varied");
    if (!bg_cli_train_recipe(cli, &recipe, error) ||
        !bg_cli_get_int(cli, "phantoms", 0, 10000, &recipe.n_phantoms, error) ||
        !bg_cli_get_int(cli, "phantom-size", 32, 512, &recipe.phantom_size, error) ||
        !bg_cli_get_positive(cli, "spacing", &recipe.spacing_mm, error) ||
        !bg_cli_get_int(cli, "crop", 32, 512, &recipe.crop, error) ||
        !bg_cli_get_int(cli, "per-case", 1, 10000, &recipe.per_case, error) ||
        !bg_cli_check_output(cli, out, error) || !choose_network(cli, &recipe, error))
        return FALSE;
    if (recipe.crop % 16 != 0) {
        bg_cli_usage_error(error, "no such crop: --crop=%d: give a multiple of 16", recipe.crop);
        return FALSE;
    }
    if (!bg_tumour_train_setup(&recipe, out, &setup, &cli->progress, cli->cancellable, error)) {
        g_prefix_error(error, "not trained: ");
        return FALSE;
    }
    if (setup.notes != NULL)
        bg_cli_add_warning(cli, setup.notes);
    return bg_cli_train_run(cli, &setup, &recipe, out, error);
}

static const BgCliCommand verb_unet = {
    .name = "train unet",
    .arguments = "--data=DIR|--phantoms=N -o MODEL.h5 [OPTIONS]",
    .summary = "a U-Net that finds brain tumours in four contrasts",
    .output_arg = -1,
    .output_option = "output",
    .options = unet_options,
    .run = run_unet,
};

static const BgCliOption options[] = { { NULL } };

static const BgCliCommand *const verbs[] = { &bg_cli_verb_train_fusion, &verb_unet,
                                             &bg_cli_verb_train_vgg_small, NULL };

const BgCliCommand bg_cli_command_train = {
    .name = "train",
    .arguments = "unet|fusion|vgg-small --data=DIR -o MODEL.h5",
    .summary = "networks learn: with log, checkpoints, early stop and validation",
    .min_args = 1,
    .max_args = 1,
    .output_arg = -1,
    .options = options,
    .verbs = verbs,
};
