// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-scores.h"

#include <math.h>
#include <string.h>

G_STATIC_ASSERT(sizeof(BgNnScores) == BG_NN_N_SCORES * sizeof(double));

gboolean
bg_nn_tally_fits(const BgNnShape *shape)
{
    return shape->rank >= 2 && shape->dims[1] >= 2 && shape->dims[1] <= BG_NN_MAX_CLASSES;
}

void
bg_nn_tally_clear(BgNnTally *tally, gsize n_classes)
{
    memset(tally, 0, sizeof *tally);
    tally->n_classes = n_classes;
}

// The pixels of one picture; what they add to each class's sums.
static void
add_picture(BgNnTally *tally, gsize space, const float *p, const float *t, double *both,
            double *sum)
{
    gsize n_classes = tally->n_classes;

    for (gsize i = 0; i < space; i++) {
        gsize said = 0, is = 0;
        for (gsize c = 0; c < n_classes; c++) {
            float pc = p[c * space + i], tc = t[c * space + i];
            said = pc > p[said * space + i] ? c : said;
            is = tc > t[is * space + i] ? c : is;
            both[c] += (double) pc * (double) tc;
            sum[c] += (double) pc + (double) tc;
            tally->n_true += tc > 0.5f;
            tally->n_false += 1.0f - tc > 0.5f;
            tally->n_said += pc > 0.5f;
            tally->n_hit += pc * tc > 0.5f;
            tally->n_rejected += (1.0f - pc) * (1.0f - tc) > 0.5f;
        }
        tally->confusion[is * n_classes + said]++;
    }
}

void
bg_nn_tally_add(BgNnTally *tally, const BgNnShape *shape, const float *p, const float *t)
{
    double both[BG_NN_MAX_CLASSES] = { 0 }, sum[BG_NN_MAX_CLASSES] = { 0 }, dice = 0;
    gsize n_classes = tally->n_classes;

    if (n_classes == 0)
        return;
    gsize picture = bg_nn_shape_count(shape) / shape->dims[0], space = picture / n_classes;
    for (gsize n = 0; n < shape->dims[0]; n++)
        add_picture(tally, space, p + n * picture, t + n * picture, both, sum);
    for (gsize c = 0; c < n_classes; c++)
        dice += (2 * both[c] + 1) / (sum[c] + 1) / (double) n_classes;
    tally->dice += dice;
    tally->n_batches++;
}

static double
share(guint64 part, guint64 whole)
{
    return whole > 0 ? (double) part / (double) whole : (double) NAN;
}

static double
mean_iou(const BgNnTally *tally)
{
    double sum = 0;
    gsize n = tally->n_classes, n_there = 0;

    for (gsize c = 0; c < n; c++) {
        guint64 either = 0, both = tally->confusion[c * n + c];
        for (gsize o = 0; o < n; o++)
            either += tally->confusion[c * n + o] + tally->confusion[o * n + c];
        either -= both;
        if (either > 0) {
            sum += share(both, either);
            n_there++;
        }
    }
    return n_there > 0 ? sum / (double) n_there : (double) NAN;
}

BgNnScores
bg_nn_tally_scores(const BgNnTally *tally)
{
    guint64 n_right = 0, n_pixels = 0;

    for (gsize k = 0; k < tally->n_classes * tally->n_classes; k++) {
        n_pixels += tally->confusion[k];
        n_right += k % (tally->n_classes + 1) == 0 ? tally->confusion[k] : 0;
    }
    return (BgNnScores){
        .accuracy = share(n_right, n_pixels),
        .dice = tally->n_batches > 0 ? tally->dice / (double) tally->n_batches : (double) NAN,
        .mean_iou = mean_iou(tally),
        .precision = share(tally->n_hit, tally->n_said),
        .sensitivity = share(tally->n_hit, tally->n_true),
        .specificity = share(tally->n_rejected, tally->n_false),
    };
}
