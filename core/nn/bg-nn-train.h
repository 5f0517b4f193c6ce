// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-nn-loss.h"
#include "bg-nn-optimiser.h"
#include "bg-nn-scores.h"
#include "bg-nn-weights.h"

G_BEGIN_DECLS

#define BG_NN_MAX_TERMS 8
#define BG_NN_MAX_ARRAYS 8 // inputs or targets of a sample

/**
 * BgNnData:
 *
 * Where samples come from: never all of them in memory at once.
 *
 * @count: how many there are
 * @patient: (optional): whose sample @index is: samples of one patient are never on both sides
 *   of the validation split; without it each sample is a patient
 * @make: writes sample @index: one array per input of the graph and per target, for one picture.
 *   Called on worker threads, several at once; the same @index and @seed must give the same
 *   numbers. @seed is for augmentation: 0 in validation
 */
typedef struct {
    gsize (*count)(gpointer data);
    const char *(*patient)(gpointer data, gsize index);
    gboolean (*make)(gpointer data, gsize index, guint64 seed, float *const *inputs,
                     float *const *targets, GError **error);
    gpointer data;
} BgNnData;

/** BgNnTerm: one part of the loss: @weight times @kind of output @output against target @target */
typedef struct {
    BgNnLossKind kind;
    double weight;
    int output, target;
} BgNnTerm;

/**
 * BgNnEpoch:
 * @epoch: from 1
 * @validation: NAN when nothing is kept for validation
 * @gradient: mean length of all gradients, before they were cut
 * @train, @check: where the first loss compares probabilities of classes; else all %NAN. Of training
 *   samples with what the network was when it saw them
 */
typedef struct {
    int epoch;
    double loss, validation, rate, gradient;
    BgNnScores train, check;
} BgNnEpoch;

/**
 * BgNnCheck:
 * @index, @n: which of the samples kept for validation; always in the same order
 * @inputs, @output, @target: of one picture: what went in, what came out for the first loss, and what
 *   should have; until the callback returns
 *
 * A look at what the network makes of a sample that it does not learn from.
 */
typedef struct {
    gsize index, n;
    const float *const *inputs;
    const BgNnShape *input_shapes;
    int n_inputs;
    const float *output, *target;
    BgNnShape output_shape;
} BgNnCheck;

/**
 * BgNnTrainConfig:
 * @inputs: shapes of one sample's inputs, with N = 1
 * @batch: samples a step; @at_once: of those as many as fit in memory (0: all), gradients are
 *   added; batch norms and overlaps then see only those
 * @validation_share: 0..0.9 of the patients
 * @patience: epochs without a better validation loss (training loss without validation) before it
 *   stops; 0: never
 * @folder: (nullable): where best.h5, last.h5 and log.csv (columns as Keras' CSVLogger has
 *   them) are written after each epoch
 * @resume: go on from last.h5 in @folder when it is there: the numbers are those of a run that was
 *   never stopped
 * @n_workers: threads that make samples; 0: one
 * @on_epoch: (nullable): live curves; this and the others on the calling thread
 * @on_step: (nullable): after step @step of @n_steps in epoch @epoch, the mean loss of them so far
 * @on_check: (nullable): each sample of each validation
 * @on_restored: (nullable): once, when a run goes on: what was done before
 */
typedef struct {
    BgNnOptimiserConfig optimiser;
    BgNnTerm terms[BG_NN_MAX_TERMS];
    int n_terms;
    BgNnShape inputs[BG_NN_MAX_ARRAYS];
    int n_inputs, n_targets;
    int batch, at_once, n_epochs, patience, n_workers;
    double validation_share;
    guint64 seed;
    const char *folder;
    gboolean resume;
    void (*on_epoch)(const BgNnEpoch *epoch, gpointer user_data);
    void (*on_step)(int epoch, gsize step, gsize n_steps, double loss, gpointer user_data);
    void (*on_check)(const BgNnCheck *check, gpointer user_data);
    void (*on_restored)(const BgNnEpoch *epochs, gsize n, gpointer user_data);
    gpointer user_data;
} BgNnTrainConfig;

/**
 * bg_nn_train:
 * @params: where it begins; moved in place. Left as after the last step
 * @card: (nullable): goes into the checkpoints
 * @trained_card: (out) (optional) (transfer full): @card and how it went: "epochs", "best_epoch", and
 *   "validation_loss" (or "training_loss") of that one; the checkpoints' cards say the same until then
 * @best: (out) (optional) (transfer full): the parameters of the best epoch
 * @history: (out) (optional) (transfer full): of BgNnEpoch
 *
 * Each target has the shape of the output that its term names. With the same seed, threads and
 * processor the numbers are the same, bit for bit.
 *
 * Returns: %FALSE with %BG_ERROR_INVALID: a setting out of range, or the loss is not finite any
 *   more; %BG_ERROR_MISMATCH: shapes, or a checkpoint of other settings; %G_IO_ERROR_CANCELLED
 *   (last.h5 has the last whole epoch); what @data->make says; errors of files
 */
gboolean bg_nn_train(BgNnGraph *graph, BgNnParams *params, const BgNnData *data,
                     const BgNnTrainConfig *config, const BgJson *card, BgJson **trained_card,
                     BgNnParams **best, GArray **history, const BgProgress *progress,
                     GCancellable *cancellable, GError **error);

/**
 * bg_nn_split_patients:
 * @in_validation: (out caller-allocates): one flag a sample
 *
 * Returns: how many samples are kept for validation; 0 with @error set to %BG_ERROR_INVALID when
 *   @share is above 0 and there are less than two patients
 */
gsize bg_nn_split_patients(const BgNnData *data, double share, guint64 seed,
                           gboolean *in_validation, GError **error);

G_END_DECLS
