// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-nn-params.h"
#include "core/io/bg-h5.h"

G_BEGIN_DECLS

typedef enum {
    BG_NN_SGD,  // with momentum, as PyTorch: v = momentum v + g; p -= rate v
    BG_NN_ADAM, // Kingma and Ba 2015
} BgNnOptimiserKind;

/** BgNnSchedule: the learning rate by the epoch; @factor in 0..1 */
typedef enum {
    BG_NN_RATE_CONSTANT,
    BG_NN_RATE_STEP,        // times factor every `period` epochs
    BG_NN_RATE_EXPONENTIAL, // times factor each epoch
    BG_NN_RATE_COSINE,      // down to factor times the first one, over `period` epochs
    BG_NN_RATE_PLATEAU,     // times factor when the validation loss rests for `period` epochs
} BgNnSchedule;

/**
 * BgNnOptimiserConfig:
 * @beta1, @beta2, @eps: Adam's
 * @weight_decay: times the parameter, added to its gradient
 * @clip_norm: the greatest length of all gradients together; 0: any
 * @clip_value: the greatest size of each; 0: any
 */
typedef struct {
    BgNnOptimiserKind kind;
    double rate, momentum, beta1, beta2, eps, weight_decay;
    double clip_norm, clip_value;
    BgNnSchedule schedule;
    double factor, least_rate;
    int period;
} BgNnOptimiserConfig;

/** bg_nn_optimiser_config: with the usual numbers: Adam 0.9, 0.999, 1e-8; constant */
BgNnOptimiserConfig bg_nn_optimiser_config(BgNnOptimiserKind kind, double rate);

/** BgNnOptimiser: the state of one training: moments of each parameter, and how many steps */
typedef struct _BgNnOptimiser BgNnOptimiser;

/** bg_nn_optimiser_new: Returns: (transfer full): or %NULL with %BG_ERROR_NO_MEMORY, %BG_ERROR_INVALID: a number out of range */
BgNnOptimiser *bg_nn_optimiser_new(BgNnParams *params, const BgNnOptimiserConfig *config,
                                   GError **error);
void bg_nn_optimiser_free(BgNnOptimiser *optimiser);

/**
 * bg_nn_optimiser_step:
 * @gradients: one array per parameter; a %NULL leaves that one alone
 * @rate: of this step
 *
 * Returns: the length of all gradients before they were cut; not finite: nothing was changed
 */
double bg_nn_optimiser_step(BgNnOptimiser *optimiser, float *const *gradients, double rate);

/** bg_nn_optimiser_rate: of @epoch (from 0), by the schedule; a plateau's is kept by who trains */
double bg_nn_optimiser_rate(const BgNnOptimiserConfig *config, int epoch);

/** bg_nn_optimiser_save: under the group @path; errors as bg_h5_write() */
gboolean bg_nn_optimiser_save(const BgNnOptimiser *optimiser, BgH5 *h5, const char *path,
                              GError **error);

/** bg_nn_optimiser_load: Returns: %FALSE with %BG_ERROR_CORRUPT or %BG_ERROR_MISMATCH */
gboolean bg_nn_optimiser_load(BgNnOptimiser *optimiser, BgH5 *h5, const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgNnOptimiser, bg_nn_optimiser_free)

G_END_DECLS
