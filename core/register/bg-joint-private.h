// SPDX-License-Identifier: Apache-2.0
// A smooth joint histogram of few samples and its mutual information, for sisters in this folder.
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

#define BG_JOINT_BINS 24
#define BG_JOINT_COLUMNS (BG_JOINT_BINS + 2) // Parzen's window reaches one beyond each end

/**
 * BgJoint:
 * @counts: [row][column]
 * @sum: samples
 *
 * Rows share a sample linearly; columns by a quadratic B-spline over three bins, so that mutual
 * information does not jump when a sample leaves its bin.
 */
typedef struct {
    double counts[BG_JOINT_BINS * BG_JOINT_COLUMNS];
    double sum;
} BgJoint;

static inline void
bg_joint_clear(BgJoint *joint)
{
    memset(joint, 0, sizeof *joint);
}

/** bg_joint_add: @row: 0..BG_JOINT_BINS - 1; @column: the same, beyond it the nearest */
static inline void
bg_joint_add(BgJoint *joint, float row, float column)
{
    float at = CLAMP(column, 0.0f, BG_JOINT_BINS - 1.0f) + 1.0f;
    int middle = (int) (at + 0.5f), first = (int) row;
    float x = at - (float) middle, share = row - (float) first;
    float w[3] = { 0.5f * (0.5f - x) * (0.5f - x), 0.75f - x * x, 0.5f * (0.5f + x) * (0.5f + x) };
    double *to = joint->counts + first * BG_JOINT_COLUMNS + middle - 1;

    for (int k = 0; k < 3; k++) {
        to[k] += (double) ((1.0f - share) * w[k]);
        if (first + 1 < BG_JOINT_BINS)
            to[BG_JOINT_COLUMNS + k] += (double) (share * w[k]);
    }
    joint->sum += 1.0;
}

/** bg_joint_information: in nats; 0 without samples */
double bg_joint_information(const BgJoint *joint);

/** bg_joint_range: @values: sorted by it; the 1st and 99th percentile */
void bg_joint_range(float *values, gsize n, float *low, float *high);

G_END_DECLS
