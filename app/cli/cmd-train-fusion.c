// SPDX-License-Identifier: Apache-2.0
// bregma-cli train fusion: the network that makes one picture of two.
#include "bg-cli-train.h"

#include "core/fusion/bg-fusion-data.h"

#define STRUCTURE 0.8 // as published

static const BgCliOption options[] = {
    { "output", BG_CLI_PATH, "=MODEL.h5, -o MODEL.h5" },
    { "data", BG_CLI_PATH, "=DIR  pairs of pictures: NAME_MRI.png and NAME_PET.png, ..." },
    { "phantoms", BG_CLI_VALUE, "=N  slices of so many made-up heads, too" },
    { "leaves", BG_CLI_VALUE, "=N  so many made-up pairs of edges and textures, too" },
    { "phantom-size", BG_CLI_VALUE, "=N  their voxels along a side; 160 unless given" },
    { "epochs", BG_CLI_VALUE, "=N  10 unless given" },
    { "batch", BG_CLI_VALUE, "=N  samples a step; 4 unless given" },
    { "crop", BG_CLI_VALUE, "=PIXELS  side of a sample; 48 unless given" },
    { "per-pair", BG_CLI_VALUE, "=N  samples of a pair in an epoch; 2 unless given" },
    { "rate", BG_CLI_VALUE, "=X  the learning rate; 0.002 unless given" },
    { "structure", BG_CLI_VALUE,
      "=X  share of structure in the loss, the rest is values: 0..1; 0.8 unless given" },
    { "patience", BG_CLI_VALUE, "=N  epochs without a better one until it stops; 0: never" },
    { "resume", BG_CLI_FLAG, "  go on where MODEL.h5.training/last.h5 ends" },
    { NULL },
};

typedef struct {
    int n_phantoms, n_leaves, size, crop, per_pair;
    double structure;
} Wanted;

static BgFusionData *
collect(BgCli *cli, const Wanted *wanted, GError **error)
{
    const char *path = bg_cli_option(cli, "data");
    g_autoptr(BgFusionData) data =
        bg_fusion_data_new(wanted->crop, wanted->per_pair, (guint64) cli->seed);

    if ((path != NULL && bg_fusion_data_add_folder(data, path, cli->cancellable, error) == 0) ||
        !bg_fusion_data_add_phantoms(data, wanted->n_phantoms, (guint64) cli->seed, wanted->size,
                                     &cli->progress, cli->cancellable, error)) {
        g_prefix_error(error, "no pairs: %s: ", path != NULL ? path : "--phantoms");
        return NULL;
    }
    bg_fusion_data_add_leaves(data, wanted->n_leaves, (guint64) cli->seed, wanted->size);
    return g_steal_pointer(&data);
}

static BgJson *
make_card(const BgCli *cli, const BgFusionData *data, const Wanted *wanted,
          const BgNnTrainConfig *config)
{
    BgJson *card = bg_json_new_object();

    bg_json_set_string(card, "task", "one grey picture from two of the same place");
    bg_json_set_string(card, "inputs", "values of 0..1; the anatomical picture first");
    bg_json_set_integer(card, "pairs", bg_fusion_data_count(data));
    bg_json_set_integer(card, "phantoms", wanted->n_phantoms);
    bg_json_set_integer(card, "leaves", wanted->n_leaves);
    bg_json_set_integer(card, "phantom_size", wanted->size);
    bg_json_set_integer(card, "seed", cli->seed);
    bg_json_set_double(card, "validation_share", config->validation_share);
    g_autofree char *loss = g_strdup_printf("%g (1 - SSIM) + %g squares, against both sources",
                                            wanted->structure, 1.0 - wanted->structure);
    bg_json_set_string(card, "loss", loss);
    bg_json_set_integer(card, "batch", config->batch);
    bg_json_set_integer(card, "crop", wanted->crop);
    bg_json_set_integer(card, "samples_per_pair", wanted->per_pair);
    bg_json_set_double(card, "rate", config->optimiser.rate);
    bg_json_set_string(card, "limits",
                       "for research; not a medical device. The picture is computed, not measured");
    return card;
}

static gboolean
get_terms(const BgCli *cli, Wanted *wanted, BgNnTrainConfig *config, GError **error)
{
    if (!bg_cli_get_double(cli, "structure", &wanted->structure, error))
        return FALSE;
    if (wanted->structure < 0.0 || wanted->structure > 1.0) {
        bg_cli_usage_error(error, "no such share: --structure=%g: give 0 to 1", wanted->structure);
        return FALSE;
    }
    for (int k = 0; k < config->n_terms; k++) {
        gboolean structure = k < 2;
        config->terms[k] =
            (BgNnTerm){ structure ? BG_NN_LOSS_SSIM : BG_NN_LOSS_L2,
                        structure ? wanted->structure : 1.0 - wanted->structure, 0, k % 2 };
    }
    return TRUE;
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *out = bg_cli_option(cli, "output");
    Wanted wanted = { .size = 160, .crop = 48, .per_pair = 2, .structure = STRUCTURE };
    BgNnTrainConfig config = { .optimiser = bg_nn_optimiser_config(BG_NN_ADAM, 0.002),
                               .n_terms = 4,
                               .n_inputs = 2,
                               .n_targets = 2,
                               .batch = 4,
                               .n_epochs = 10,
                               .validation_share = 0.12 };

    if (out == NULL ||
        (bg_cli_option(cli, "data") == NULL && bg_cli_option(cli, "phantoms") == NULL)) {
        bg_cli_usage_error(error, "of what, where to: train fusion: give --data=DIR or "
                                  "--phantoms=N, and -o MODEL.h5");
        return FALSE;
    }
    config.optimiser.schedule = BG_NN_RATE_COSINE;
    config.optimiser.factor = 0.05;
    config.optimiser.clip_norm = 1.0;
    if (!bg_cli_train_config(cli, &config, error) ||
        !bg_cli_get_int(cli, "phantoms", 0, 10000, &wanted.n_phantoms, error) ||
        !bg_cli_get_int(cli, "leaves", 0, 100000, &wanted.n_leaves, error) ||
        !bg_cli_get_int(cli, "phantom-size", 64, 512, &wanted.size, error) ||
        !bg_cli_get_int(cli, "crop", 16, 512, &wanted.crop, error) ||
        !bg_cli_get_int(cli, "per-pair", 1, 10000, &wanted.per_pair, error) ||
        !get_terms(cli, &wanted, &config, error) || !bg_cli_check_output(cli, out, error))
        return FALSE;
    g_autofree char *folder = bg_cli_train_folder(out, error);
    g_autoptr(BgFusionData) data = folder == NULL ? NULL : collect(cli, &wanted, error);
    if (data == NULL)
        return FALSE;
    config.folder = folder;
    config.inputs[0] = config.inputs[1] =
        bg_nn_shape(1, 1, 2, 1, (gsize) wanted.crop, (gsize) wanted.crop);
    BgNnData source = bg_fusion_data_source(data);
    g_autoptr(BgJson) card = make_card(cli, data, &wanted, &config);
    const BgNetwork *network = bg_network_find("funfuse", error);
    return network != NULL &&
           bg_cli_train_run(cli, network, NULL, &source, &config, card, out, error);
}

const BgCliCommand bg_cli_verb_train_fusion = {
    .name = "train fusion",
    .arguments = "--data=DIR|--phantoms=N -o MODEL.h5 [OPTIONS]",
    .summary = "the network that makes one picture of two",
    .output_arg = -1,
    .output_option = "output",
    .options = options,
    .run = run,
};
