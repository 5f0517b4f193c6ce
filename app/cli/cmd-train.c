// SPDX-License-Identifier: Apache-2.0
// bregma-cli train: networks learn from cases on disk, or from phantoms.
#include "bg-cli-train.h"

#include "core/base/bg-error.h"
#include "core/nn/bg-nn-checkpoint.h"
#include "core/segment/bg-tumour-data.h"

#include <glib/gstdio.h>
#include <math.h>
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
bg_cli_train_config(BgCli *cli, BgNnTrainConfig *config, GError **error)
{
    double rate = config->optimiser.rate;

    config->n_workers = 2;
    config->resume = bg_cli_has(cli, "resume");
    config->seed = (guint64) cli->seed;
    config->on_epoch = tell_epoch;
    config->user_data = cli;
    if (!bg_cli_get_int(cli, "epochs", 1, 100000, &config->n_epochs, error) ||
        !bg_cli_get_int(cli, "batch", 1, 4096, &config->batch, error) ||
        !bg_cli_get_int(cli, "patience", 0, 100000, &config->patience, error) ||
        !bg_cli_get_positive(cli, "rate", &rate, error))
        return FALSE;
    config->optimiser.rate = rate;
    if (config->optimiser.schedule == BG_NN_RATE_COSINE)
        config->optimiser.period = config->n_epochs;
    return TRUE;
}

char *
bg_cli_train_folder(const char *out, GError **error)
{
    g_autofree char *folder = g_strconcat(out, ".training", NULL);

    if (g_mkdir_with_parents(folder, 0777) != 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    "cannot train: %s: the folder cannot be made. Choose another place", folder);
        return NULL;
    }
    return g_steal_pointer(&folder);
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

static gboolean
save_network(BgCli *cli, const BgNetwork *network, const BgNetwork *kept, BgNnParams *params,
             const BgJson *card, const char *out, GError **error)
{
    g_autoptr(BgNnGraph) graph = kept != NULL ? kept->graph() : network->graph();
    g_autoptr(BgNnParams) saved =
        kept != NULL ? bg_network_params(kept, 0, error) : bg_nn_params_ref(params);

    if (saved == NULL || (kept != NULL && !bg_nn_params_fill(saved, params, error)))
        return FALSE;
    return bg_cli_wrote(
        cli, bg_nn_weights_save(out, graph, saved, card, cli->force, cli->cancellable, error), out,
        error);
}

gboolean
bg_cli_train_run(BgCli *cli, const BgNetwork *network, const BgNetwork *kept, const BgNnData *data,
                 const BgNnTrainConfig *config, BgJson *card, const char *out, GError **error)
{
    g_autoptr(BgNnGraph) graph = network->graph();
    g_autoptr(BgNnParams) params = bg_network_params(network, config->seed, error), best = NULL;
    g_autoptr(GArray) history = NULL;
    g_autoptr(BgJson) trained = NULL;
    gint64 start = g_get_monotonic_time();

    if (params == NULL || !bg_nn_train(graph, params, data, config, card, &trained, &best, &history,
                                       &cli->progress, cli->cancellable, error)) {
        g_prefix_error(error, "not trained: %s: ", out);
        return FALSE;
    }
    double seconds = (double) (g_get_monotonic_time() - start) / 1e6, least = HUGE_VAL;
    for (guint e = 0; e < history->len; e++) {
        const BgNnEpoch *epoch = &g_array_index(history, BgNnEpoch, e);
        double loss = isnan(epoch->validation) ? epoch->loss : epoch->validation;
        least = MIN(least, loss);
    }
    bg_json_set_integer(cli->result, "epochs", (gint64) history->len);
    bg_json_set_double(cli->result, "best", least);
    bg_json_set_double(cli->result, "seconds", seconds);
    bg_json_set(cli->result, "history", history_to_json(history));
    bg_json_set(cli->result, "card", bg_json_copy(trained));
    return save_network(cli, network, kept, best != NULL ? best : params, trained, out, error);
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

static BgTumourData *
collect(BgCli *cli, const BgTumourDataParams *params, int n_phantoms, int size, double spacing,
        const char *folder, GError **error)
{
    const char *path = bg_cli_option(cli, "data");
    g_autoptr(BgTumourData) data = bg_tumour_data_new(params, folder, error);
    BgTumourParams prepare = { .spacing_mm = spacing, .seed = (guint64) cli->seed };
    BgTumourParams made = { .spacing_mm = spacing,
                            .align = BG_TUMOUR_ALIGN_NEVER,
                            .as_given = TRUE };

    if (data == NULL ||
        (path != NULL && bg_tumour_data_add_folder(data, path, &prepare, &cli->progress,
                                                   cli->cancellable, error) == 0) ||
        !bg_tumour_data_add_phantoms(data, n_phantoms, (guint64) cli->seed, size, &made,
                                     &cli->progress, cli->cancellable, error)) {
        g_prefix_error(error, "no cases: %s: ", path != NULL ? path : "--phantoms");
        return NULL;
    }
    return g_steal_pointer(&data);
}

static BgJson *
unet_card(BgCli *cli, const BgTumourData *data, int n_phantoms, int size,
          const BgNnTrainConfig *config, const BgTumourDataParams *params)
{
    BgJson *card = bg_json_new_object();
    static const double labels[BG_TUMOUR_CLASSES] = { 0, 1, 2, 4 };

    bg_json_set_string(card, "task", "brain tumours in MRI: core (1), oedema (2), enhancing (4)");
    g_autoptr(GString) planes = g_string_new(NULL);
    for (int c = 0; c < params->n_contrasts; c++)
        g_string_append_printf(planes, "%s%s", c > 0 ? ", " : "",
                               bg_contrast_name(params->contrasts[c]));
    bg_json_set_string(card, "planes", planes->str);
    bg_json_set_string(card, "inputs",
                       "axial slices in LPS order, or volumes, "
                       "each contrast cut at the 0.5 and 99.5 percentile of the "
                       "foreground and scored there; a missing one is 0");
    bg_json_set_doubles(card, "labels", labels, BG_TUMOUR_CLASSES);
    bg_json_set_integer(card, "cases", bg_tumour_data_count_cases(data));
    bg_json_set_integer(card, "phantoms", n_phantoms);
    bg_json_set_integer(card, "phantom_size", size);
    bg_json_set_integer(card, "seed", cli->seed);
    bg_json_set_double(card, "validation_share", config->validation_share);
    bg_json_set_string(card, "loss",
                       config->n_terms == 1 ? "cross-entropy" : "cross-entropy + Dice");
    bg_json_set_integer(card, "batch", config->batch);
    bg_json_set_integer(card, "crop", params->crop);
    bg_json_set_integer(card, "samples_per_case", params->per_case);
    bg_json_set_double(card, "rate", config->optimiser.rate);
    bg_json_set_string(card, "limits",
                       "for research; not a medical device. What it was not taught, it does not "
                       "know: look at every result");
    return card;
}

// The smaller results are compared, too, each half as much as the one before; all weights together
// are 1 for each kind.
static void
add_deep_terms(BgNnTrainConfig *config)
{
    double sum = 2.0 - pow(0.5, BG_UNET3_N_RESULTS - 1);

    config->n_terms = 0;
    config->n_targets = BG_UNET3_N_RESULTS;
    for (int k = 0; k < BG_UNET3_N_RESULTS; k++) {
        double weight = pow(0.5, k) / sum;
        config->terms[config->n_terms++] = (BgNnTerm){ BG_NN_LOSS_CROSS_ENTROPY, weight, k, k };
        config->terms[config->n_terms++] = (BgNnTerm){ BG_NN_LOSS_DICE, weight, k, k };
    }
}

// Which network, and what goes into it, in which order.
static const BgNetwork *
choose_network(const BgCli *cli, BgTumourDataParams *params, BgNnTrainConfig *config,
               GError **error)
{
    static const char *const names[] = { "unet-tumour", "unet-brats",     "unet3-tumour",
                                         "patch-cnn",   "patch-two-path", "patch-dual",
                                         NULL };
    static const BgContrast strips[] = { BG_CONTRAST_FLAIR, BG_CONTRAST_T1, BG_CONTRAST_T1CE,
                                         BG_CONTRAST_T2 };
    const char *name = bg_cli_option(cli, "network");

    name = name != NULL ? name : names[0];
    if (!g_strv_contains(names, name)) {
        g_autofree char *all = g_strjoinv(", ", (char **) names);
        bg_cli_usage_error(error, "which: --network=%s: give one of %s", name, all);
        return NULL;
    }
    if (strcmp(name, "unet-brats") == 0) {
        params->contrasts[0] = BG_CONTRAST_FLAIR;
        params->contrasts[1] = BG_CONTRAST_T1CE;
        params->n_contrasts = 2;
    } else if (g_str_has_prefix(name, "patch-")) {
        memcpy(params->contrasts, strips, sizeof strips);
        params->entropy = bg_cli_has(cli, "entropy");
        params->centres = strcmp(name, "patch-dual") == 0;
        config->n_terms = 1; // cross-entropy
    }
    return bg_network_find(name, error);
}

static BgNnData
set_samples(const BgNetwork *network, const BgTumourDataParams *params, BgNnTrainConfig *config,
            BgTumourData *data)
{
    gsize crop = (gsize) params->crop, n = (gsize) params->n_contrasts;

    config->inputs[0] = bg_nn_shape(1, n, 2, 1, crop, crop);
    if (g_str_has_prefix(network->name, "patch-")) {
        config->inputs[0] = network->inputs[0];
        config->inputs[1] = network->inputs[1];
        config->n_inputs = network->n_inputs;
        return bg_tumour_data_source_patches(data);
    }
    if (strcmp(network->name, "unet3-tumour") != 0)
        return bg_tumour_data_source(data);
    config->inputs[0] = bg_nn_shape(1, n, 3, crop, crop, crop);
    add_deep_terms(config);
    return bg_tumour_data_source_blocks(data);
}

static gboolean
run_unet(BgCli *cli, GError **error)
{
    const char *out = bg_cli_option(cli, "output");
    BgTumourDataParams params = bg_tumour_data_params();
    BgNnTrainConfig config = { .optimiser = bg_nn_optimiser_config(BG_NN_ADAM, 0.002),
                               .terms = { { BG_NN_LOSS_CROSS_ENTROPY, 1.0, 0, 0 },
                                          { BG_NN_LOSS_DICE, 1.0, 0, 0 } },
                               .n_terms = 2,
                               .n_inputs = 1,
                               .n_targets = 1,
                               .batch = 8,
                               .n_epochs = 12,
                               .validation_share = 0.12 };
    int n_phantoms = 0, size = 240;
    double spacing = 1.0;

    if (out == NULL ||
        (bg_cli_option(cli, "data") == NULL && bg_cli_option(cli, "phantoms") == NULL)) {
        bg_cli_usage_error(error, "of what, where to: train unet: give --data=DIR or "
                                  "--phantoms=N, and -o MODEL.h5");
        return FALSE;
    }
    config.optimiser.schedule = BG_NN_RATE_COSINE;
    config.optimiser.factor = 0.02;
    config.optimiser.clip_norm = 5.0;
    params.seed = (guint64) cli->seed;
    if (!bg_cli_train_config(cli, &config, error) ||
        !bg_cli_get_int(cli, "phantoms", 0, 10000, &n_phantoms, error) ||
        !bg_cli_get_int(cli, "phantom-size", 32, 512, &size, error) ||
        !bg_cli_get_positive(cli, "spacing", &spacing, error) ||
        !bg_cli_get_int(cli, "crop", 32, 512, &params.crop, error) ||
        !bg_cli_get_int(cli, "per-case", 1, 10000, &params.per_case, error) ||
        !bg_cli_check_output(cli, out, error))
        return FALSE;
    const BgNetwork *network = choose_network(cli, &params, &config, error);
    if (network == NULL)
        return FALSE;
    if (params.crop % 16 != 0) {
        bg_cli_usage_error(error, "no such crop: --crop=%d: give a multiple of 16", params.crop);
        return FALSE;
    }
    g_autofree char *folder = bg_cli_train_folder(out, error);
    g_autoptr(BgTumourData) data =
        folder == NULL ? NULL : collect(cli, &params, n_phantoms, size, spacing, folder, error);
    if (data == NULL)
        return FALSE;
    config.folder = folder;
    BgNnData source = set_samples(network, &params, &config, data);
    g_autoptr(BgJson) card = unet_card(cli, data, n_phantoms, size, &config, &params);
    bg_json_set_double(card, "spacing_mm", spacing);
    return bg_cli_train_run(cli, network, NULL, &source, &config, card, out, error);
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
