// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/image/bg-image.h"
#include "core/learn/bg-train.h"
#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/** BgTrainStage: how far a training has come; the last four are ends */
typedef enum {
    BG_TRAIN_PREPARING, // the cases
    BG_TRAIN_LEARNING,
    BG_TRAIN_DONE,
    BG_TRAIN_CANCELLED,
    BG_TRAIN_FAILED,
} BgTrainStage;

/**
 * BgTrainView:
 * @epochs: (element-type BgNnEpoch): those that are done, also before this run went on
 * @epoch, @step, @n_steps, @step_loss: of the epoch under way; step 0: none yet
 * @pictures: (nullable) of a sample that is kept for validation: what is there, and what the network
 *   makes of it; @picture_epoch: after how many epochs
 * @seconds_left: -1 while that is not known
 * @best_epoch: 0: none yet
 * @notes: (nullable): what the data lacks
 * @fault: (nullable): why it has failed
 *
 * What there is to see of a training. All borrowed, until its next ::changed.
 */
typedef struct {
    BgTrainStage stage;
    const GArray *epochs;
    int epoch;
    gsize step, n_steps;
    double step_loss, seconds_left;
    BgImage *pictures[2];
    int picture_epoch, best_epoch;
    const char *notes, *fault;
} BgTrainView;

#define BG_TYPE_TRAIN_JOB (bg_train_job_get_type())

/**
 * BgTrainJob:
 *
 * A training on a worker. Main thread only. Signal ::changed, ten times a second at most. It lives
 * on until it ends, also when nobody holds it.
 */
G_DECLARE_FINAL_TYPE(BgTrainJob, bg_train_job, BG, TRAIN_JOB, GObject)

/** bg_train_networks: names of those that can be trained here, ended by %NULL */
const char *const *bg_train_networks(void);

/** bg_train_default: (out caller-allocates): how @network is trained unless told; eight made-up heads */
void bg_train_default(const char *network, BgTrainRecipe *recipe);

/**
 * bg_train_job_start:
 * @resume: go on where the checkpoint beside @out ends
 *
 * Returns: (transfer full)
 */
BgTrainJob *bg_train_job_start(BgSession *session, const BgTrainRecipe *recipe, const char *out,
                               gboolean resume);

BgTrainView bg_train_job_get_view(BgTrainJob *self);
const BgTrainRecipe *bg_train_job_get_recipe(BgTrainJob *self);
const char *bg_train_job_get_out(BgTrainJob *self);
gboolean bg_train_job_get_running(BgTrainJob *self);

/** bg_train_job_cancel: the last whole epoch is kept */
void bg_train_job_cancel(BgTrainJob *self);

/** bg_train_job_get_current: (transfer none) (nullable): the last one that was started in @session */
BgTrainJob *bg_train_job_get_current(BgSession *session);

G_END_DECLS
