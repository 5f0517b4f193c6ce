// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-nn-tensor.h"

G_BEGIN_DECLS

/**
 * BgNnLossKind:
 *
 * p: what the network gave, t: the truth, of one shape. A mean is over all elements, unless said.
 *
 * @BG_NN_LOSS_CROSS_ENTROPY: -sum over channels of t log p, mean over pictures and space; p are
 *   probabilities (behind BG_NN_SOFTMAX), kept from 0 by 1e-7 as Keras does
 * @BG_NN_LOSS_CROSS_ENTROPY_LOGITS: the same of softmax(p)
 * @BG_NN_LOSS_BCE: mean of -(t log p + (1 - t) log(1 - p)); logarithms not below -100 (PyTorch)
 * @BG_NN_LOSS_BCE_LOGITS: the same of sigmoid(p)
 * @BG_NN_LOSS_DICE: 1 - mean over channels of (2 sum tp + 1) / (sum t + sum p + 1), sums over the
 *   batch (algorithm of the BraTS U-Net; Milletari et al. 2016 without squares)
 * @BG_NN_LOSS_GENERALISED_DICE: 1 - 2 sum w sum tp / sum w sum (t + p) with w = 1 / (sum t + 1)^2
 *   of each channel (Sudre et al. 2017; the 1 for channels that are not there)
 * @BG_NN_LOSS_L1: mean of |p - t|
 * @BG_NN_LOSS_L2: mean of (p - t)^2
 * @BG_NN_LOSS_SSIM: 1 - mean of SSIM (Wang et al. 2004) over windows that lie inside, pictures and
 *   channels: Gaussian of 11 x 11, sigma 1.5, K 0.01 and 0.03, of values of range 1. 2D, 11 x 11 at least
 */
typedef enum {
    BG_NN_LOSS_CROSS_ENTROPY,
    BG_NN_LOSS_CROSS_ENTROPY_LOGITS,
    BG_NN_LOSS_BCE,
    BG_NN_LOSS_BCE_LOGITS,
    BG_NN_LOSS_DICE,
    BG_NN_LOSS_GENERALISED_DICE,
    BG_NN_LOSS_L1,
    BG_NN_LOSS_L2,
    BG_NN_LOSS_SSIM,
    BG_NN_N_LOSSES,
} BgNnLossKind;

/** bg_nn_loss_name: "cross-entropy", ...: as in logs and configurations */
const char *bg_nn_loss_name(BgNnLossKind kind);

/** bg_nn_loss_check: Returns: %FALSE with %BG_ERROR_MISMATCH when @shape is none for @kind */
gboolean bg_nn_loss_check(BgNnLossKind kind, const BgNnShape *shape, GError **error);

/**
 * bg_nn_loss:
 * @shape: checked by bg_nn_loss_check()
 * @weight: what loss and gradient are multiplied with
 * @gradient: (nullable): as large as @p: d loss / d p is added to it
 *
 * Returns: @weight times the loss
 */
double bg_nn_loss(BgNnLossKind kind, const BgNnShape *shape, const float *p, const float *t,
                  double weight, float *gradient);

G_END_DECLS
