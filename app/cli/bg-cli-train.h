// SPDX-License-Identifier: Apache-2.0
// What all trainings share.
#pragma once

#include "bg-cli.h"

#include "core/learn/bg-train.h"

G_BEGIN_DECLS

/** bg_cli_train_recipe: --epochs, --batch, --rate, --patience, --data and the seed into @recipe */
gboolean bg_cli_train_recipe(BgCli *cli, BgTrainRecipe *recipe, GError **error);

/** bg_cli_train_run: trains, fills cli->result, and writes the best parameters; @recipe: (nullable): of what the window can go on with */
gboolean bg_cli_train_run(BgCli *cli, BgTrainSetup *setup, const BgTrainRecipe *recipe,
                          const char *out, GError **error);

extern const BgCliCommand bg_cli_verb_train_fusion;
extern const BgCliCommand bg_cli_verb_train_vgg_small;

G_END_DECLS
