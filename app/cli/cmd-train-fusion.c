// SPDX-License-Identifier: Apache-2.0
// bregma-cli train fusion: the network that makes one picture of two.
#include "bg-cli-train.h"

#include "core/fusion/bg-fusion-train.h"

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

static gboolean
run(BgCli *cli, GError **error)
{
    const char *out = bg_cli_option(cli, "output");
    g_auto(BgTrainRecipe) recipe = bg_fusion_train_recipe();
    g_auto(BgTrainSetup) setup = { 0 };

    if (out == NULL ||
        (bg_cli_option(cli, "data") == NULL && bg_cli_option(cli, "phantoms") == NULL &&
         bg_cli_option(cli, "leaves") == NULL)) {
        bg_cli_usage_error(error, "of what, where to: train fusion: give --data=DIR, "
                                  "--phantoms=N or --leaves=N, and -o MODEL.h5");
        return FALSE;
    }
    if (!bg_cli_train_recipe(cli, &recipe, error) ||
        !bg_cli_get_int(cli, "phantoms", 0, 10000, &recipe.n_phantoms, error) ||
        !bg_cli_get_int(cli, "leaves", 0, 100000, &recipe.n_leaves, error) ||
        !bg_cli_get_int(cli, "phantom-size", 64, 512, &recipe.phantom_size, error) ||
        !bg_cli_get_int(cli, "crop", 16, 512, &recipe.crop, error) ||
        !bg_cli_get_int(cli, "per-pair", 1, 10000, &recipe.per_case, error) ||
        !bg_cli_get_double(cli, "structure", &recipe.structure, error) ||
        !bg_cli_check_output(cli, out, error))
        return FALSE;
    if (!(recipe.structure >= 0.0 && recipe.structure <= 1.0)) {
        bg_cli_usage_error(error, "no such share: --structure=%g: give 0 to 1", recipe.structure);
        return FALSE;
    }
    if (!bg_fusion_train_setup(&recipe, out, &setup, &cli->progress, cli->cancellable, error)) {
        g_prefix_error(error, "not trained: ");
        return FALSE;
    }
    return bg_cli_train_run(cli, &setup, &recipe, out, error);
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
