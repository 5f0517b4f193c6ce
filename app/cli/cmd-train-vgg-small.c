// SPDX-License-Identifier: Apache-2.0
// bregma-cli train vgg-small: features for the fusion by weight maps, from made-up pictures.
#include "bg-cli-train.h"

#include "core/fusion/bg-fusion-data.h"
#include "core/learn/bg-vgg19.h"

#define SPARSITY 0.02
#define DECAY 1e-4

static const BgCliOption options[] = {
    { "output", BG_CLI_PATH, "=MODEL.h5, -o MODEL.h5" },
    { "data", BG_CLI_PATH, "=DIR  pairs of pictures, as of train fusion" },
    { "phantoms", BG_CLI_VALUE, "=N  slices of so many made-up heads" },
    { "leaves", BG_CLI_VALUE, "=N  so many made-up pairs of edges and textures, too" },
    { "phantom-size", BG_CLI_VALUE, "=N  their voxels along a side; 160 unless given" },
    { "epochs", BG_CLI_VALUE, "=N  10 unless given" },
    { "batch", BG_CLI_VALUE, "=N  samples a step; 8 unless given" },
    { "crop", BG_CLI_VALUE, "=PIXELS  side of a sample, a multiple of 8; 64 unless given" },
    { "per-pair", BG_CLI_VALUE, "=N  samples of a pair in an epoch; 4 unless given" },
    { "rate", BG_CLI_VALUE, "=X  the first learning rate; 0.002 unless given" },
    { "sparsity", BG_CLI_VALUE, "=X  what activity costs; 0.02 unless given" },
    { "patience", BG_CLI_VALUE, "=N  epochs without a better one until it stops; 0: never" },
    { "resume", BG_CLI_FLAG, "  go on where MODEL.h5.training/last.h5 ends" },
    { NULL },
};

typedef struct {
    int n_phantoms, n_leaves, size, crop, per_pair;
    double sparsity;
} Wanted;

static gboolean
get_wanted(const BgCli *cli, Wanted *wanted, GError **error)
{
    *wanted = (Wanted){ .size = 160, .crop = 64, .per_pair = 4, .sparsity = SPARSITY };
    if (!bg_cli_get_int(cli, "phantoms", 0, 10000, &wanted->n_phantoms, error) ||
        !bg_cli_get_int(cli, "leaves", 0, 100000, &wanted->n_leaves, error) ||
        !bg_cli_get_int(cli, "phantom-size", 64, 512, &wanted->size, error) ||
        !bg_cli_get_int(cli, "crop", 16, 512, &wanted->crop, error) ||
        !bg_cli_get_int(cli, "per-pair", 1, 10000, &wanted->per_pair, error) ||
        !bg_cli_get_double(cli, "sparsity", &wanted->sparsity, error))
        return FALSE;
    if (wanted->crop % 8 != 0 || wanted->crop > wanted->size) {
        bg_cli_usage_error(error,
                           "no such crop: --crop=%d: give a multiple of 8, no more than "
                           "--phantom-size",
                           wanted->crop);
        return FALSE;
    }
    if (wanted->sparsity < 0.0) {
        bg_cli_usage_error(error, "no such cost: --sparsity=%g: give 0 or more", wanted->sparsity);
        return FALSE;
    }
    return TRUE;
}

static BgFusionData *
collect(BgCli *cli, const Wanted *wanted, GError **error)
{
    const char *path = bg_cli_option(cli, "data");
    g_autoptr(BgFusionData) data =
        bg_fusion_data_new(wanted->crop, wanted->per_pair, (guint64) cli->seed);

    if ((path != NULL && bg_fusion_data_add_folder(data, path, cli->cancellable, error) == 0) ||
        !bg_fusion_data_add_phantoms(data, wanted->n_phantoms, (guint64) cli->seed, wanted->size,
                                     &cli->progress, cli->cancellable, error)) {
        g_prefix_error(error, "no pictures: %s: ", path != NULL ? path : "--phantoms");
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
    g_autofree char *loss = g_strdup_printf("squares, and %g of the features' mean size, at each "
                                            "of four levels",
                                            wanted->sparsity);

    bg_json_set_string(card, "task",
                       "features for fusion by weight maps: trained to tell, through noise and by "
                       "little activity, the clean picture around each pixel");
    bg_json_set_string(card, "inputs", "one grey picture, values of 0..1");
    bg_json_set_integer(card, "pairs", bg_fusion_data_count(data));
    bg_json_set_integer(card, "phantoms", wanted->n_phantoms);
    bg_json_set_integer(card, "leaves", wanted->n_leaves);
    bg_json_set_integer(card, "phantom_size", wanted->size);
    bg_json_set_integer(card, "seed", cli->seed);
    bg_json_set_double(card, "validation_share", config->validation_share);
    bg_json_set_string(card, "loss", loss);
    bg_json_set_integer(card, "batch", config->batch);
    bg_json_set_integer(card, "crop", wanted->crop);
    bg_json_set_integer(card, "samples_per_pair", wanted->per_pair);
    bg_json_set_double(card, "rate", config->optimiser.rate);
    bg_json_set_string(card, "limits",
                       "for research; not a medical device. It has seen made-up pictures only");
    return card;
}

static BgNnTrainConfig
make_config(const Wanted *wanted, const BgTrainRecipe *recipe)
{
    BgNnTrainConfig config = { .optimiser = bg_nn_optimiser_config(BG_NN_ADAM, recipe->rate),
                               .n_inputs = 1,
                               .n_targets = 2 * BG_VGG19_N_LEVELS,
                               .batch = recipe->batch,
                               .n_epochs = recipe->n_epochs,
                               .patience = recipe->patience,
                               .n_workers = 2,
                               .seed = recipe->seed,
                               .validation_share = 0.12 };
    gsize crop = (gsize) wanted->crop;

    for (int level = 0; level < BG_VGG19_N_LEVELS; level++) {
        config.terms[config.n_terms++] =
            (BgNnTerm){ BG_NN_LOSS_L2, 1.0, 2 * BG_VGG19_N_LEVELS + level, level };
        config.terms[config.n_terms++] =
            (BgNnTerm){ BG_NN_LOSS_L1, wanted->sparsity, bg_vgg19_output(level, TRUE),
                        BG_VGG19_N_LEVELS + level };
    }
    config.inputs[0] = bg_nn_shape(1, 1, 2, 1, crop, crop);
    config.optimiser.schedule = BG_NN_RATE_COSINE;
    config.optimiser.period = recipe->n_epochs;
    config.optimiser.factor = 0.02;
    config.optimiser.clip_norm = 1.0;
    config.optimiser.weight_decay = DECAY;
    return config;
}

static gboolean
run(BgCli *cli, GError **error)
{
    static const BgNetwork task = { .name = BG_VGG_SMALL "-task",
                                    .title = "What vgg-small is trained as",
                                    .graph = bg_vgg_small_task_graph,
                                    .n_inputs = 1,
                                    .inputs = { { 4, { 1, 1, 64, 64 } } } };
    const char *out = bg_cli_option(cli, "output");
    Wanted wanted;

    if (out == NULL ||
        (bg_cli_option(cli, "data") == NULL && bg_cli_option(cli, "phantoms") == NULL)) {
        bg_cli_usage_error(error, "of what, where to: train vgg-small: give --data=DIR or "
                                  "--phantoms=N, and -o MODEL.h5");
        return FALSE;
    }
    if (!get_wanted(cli, &wanted, error))
        return FALSE;
    g_auto(BgTrainRecipe) recipe = { .batch = 8, .n_epochs = 10, .rate = 0.002 };
    g_auto(BgTrainSetup) setup = { .network = &task };
    if (!bg_cli_train_recipe(cli, &recipe, error) || !bg_cli_check_output(cli, out, error))
        return FALSE;
    setup.config = make_config(&wanted, &recipe);
    setup.kept = bg_network_find(BG_VGG_SMALL, error);
    if (setup.kept == NULL || !bg_train_setup_folder(&setup, out, error))
        return FALSE;
    g_autoptr(BgFusionData) data = collect(cli, &wanted, error);
    if (data == NULL)
        return FALSE;
    setup.data = bg_fusion_data_source_features(data);
    setup.card = make_card(cli, data, &wanted, &setup.config);
    return bg_cli_train_run(cli, &setup, NULL, out, error);
}

const BgCliCommand bg_cli_verb_train_vgg_small = {
    .name = "train vgg-small",
    .arguments = "--data=DIR|--phantoms=N -o MODEL.h5 [OPTIONS]",
    .summary = "features for the fusion by weight maps",
    .output_arg = -1,
    .output_option = "output",
    .options = options,
    .run = run,
};
