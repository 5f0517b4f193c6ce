// SPDX-License-Identifier: Apache-2.0
// How well classes are told, counted while a network is trained: the columns of a training's log.
#pragma once

#include "bg-nn-tensor.h"

G_BEGIN_DECLS

#define BG_NN_MAX_CLASSES 64

/**
 * BgNnScores:
 *
 * p: probabilities, t: the truth (of 0..1), classes as channels. Each is %NAN where nothing was counted.
 *
 * @accuracy: share of pixels whose largest p and largest t are of one class
 * @dice: mean over batches of the mean over classes of (2 sum tp + 1) / (sum t + sum p + 1)
 * @mean_iou: mean over the classes that occur in either of pixels in both / pixels in either, by the largest
 * @precision, @sensitivity, @specificity: with p, t and their product as true above 0.5, over all classes:
 *   tp / p, tp / t, and (1 - t)(1 - p) / (1 - t), as the BraTS 2020 U-Net's log has them: the background
 *   counts, so that all three are near 1
 */
typedef struct {
    double accuracy, dice, mean_iou, precision, sensitivity, specificity;
} BgNnScores;

/** BG_NN_N_SCORES: numbers in BgNnScores, which may be read as an array of them */
#define BG_NN_N_SCORES 6

/** BgNnTally: what was counted until now */
typedef struct {
    gsize n_classes;
    guint64 confusion[BG_NN_MAX_CLASSES * BG_NN_MAX_CLASSES]; // truth's row
    guint64 n_true, n_false, n_said, n_hit, n_rejected;
    double dice;
    gsize n_batches;
} BgNnTally;

/** bg_nn_tally_fits: whether results of @shape are classes: two channels or more */
gboolean bg_nn_tally_fits(const BgNnShape *shape);

/** bg_nn_tally_clear: @n_classes: 0: nothing will be counted */
void bg_nn_tally_clear(BgNnTally *tally, gsize n_classes);

/** bg_nn_tally_add: one batch of @shape, which fits */
void bg_nn_tally_add(BgNnTally *tally, const BgNnShape *shape, const float *p, const float *t);
BgNnScores bg_nn_tally_scores(const BgNnTally *tally);

G_END_DECLS
