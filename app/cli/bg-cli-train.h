// SPDX-License-Identifier: Apache-2.0
// What all trainings share.
#pragma once

#include "bg-cli.h"

#include "core/learn/bg-networks.h"
#include "core/nn/bg-nn-train.h"

G_BEGIN_DECLS

/** bg_cli_train_config: --epochs, --batch, --rate, --patience, --resume and the seed into @config */
gboolean bg_cli_train_config(BgCli *cli, BgNnTrainConfig *config, GError **error);

/** bg_cli_train_folder: (transfer full): makes OUT.training: checkpoints and the log */
char *bg_cli_train_folder(const char *out, GError **error);

/**
 * bg_cli_train_run:
 * @kept: (nullable): the part of @network that is written; %NULL: all of it
 *
 * Trains, fills cli->result, and writes the best parameters with @card.
 */
gboolean bg_cli_train_run(BgCli *cli, const BgNetwork *network, const BgNetwork *kept,
                          const BgNnData *data, const BgNnTrainConfig *config, BgJson *card,
                          const char *out, GError **error);

extern const BgCliCommand bg_cli_verb_train_fusion;
extern const BgCliCommand bg_cli_verb_train_vgg_small;

G_END_DECLS
