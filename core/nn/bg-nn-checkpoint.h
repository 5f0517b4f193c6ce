// SPDX-License-Identifier: Apache-2.0
// A training's state in one file, which is a file of weights too.
#pragma once

#include "bg-nn-train.h"

G_BEGIN_DECLS

/**
 * BgNnTraining:
 *
 * @epochs: of BgNnEpoch: those that are done
 * @n_resting: epochs since the best; @n_flat: since the best or the last change of the rate
 */
typedef struct {
    GArray *epochs;
    double best, rate;
    int n_resting, n_flat;
} BgNnTraining;

gboolean bg_nn_checkpoint_save(const char *path, const BgNnGraph *graph, const BgNnParams *params,
                               const BgNnOptimiser *optimiser, const BgNnTrainConfig *config,
                               const BgNnTraining *training, const BgJson *card, GError **error);

/** bg_nn_checkpoint_load: fills @params, @optimiser and @training; none of them on failure */
gboolean bg_nn_checkpoint_load(const char *path, const BgNnGraph *graph, BgNnParams *params,
                               BgNnOptimiser *optimiser, const BgNnTrainConfig *config,
                               BgNnTraining *training, GCancellable *cancellable, GError **error);

/** bg_nn_training_write_log: the epochs as CSV */
gboolean bg_nn_training_write_log(const BgNnTraining *training, const char *path, GError **error);

G_END_DECLS
