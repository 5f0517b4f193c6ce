// SPDX-License-Identifier: Apache-2.0
#include "bg-joint-private.h"

#include <math.h>
#include <stdlib.h>

double
bg_joint_information(const BgJoint *joint)
{
    double rows[BG_JOINT_BINS] = { 0 }, columns[BG_JOINT_COLUMNS] = { 0 }, sum = 0.0;

    if (!(joint->sum > 0.0))
        return 0.0;
    for (int i = 0; i < BG_JOINT_BINS; i++) {
        for (int j = 0; j < BG_JOINT_COLUMNS; j++) {
            rows[i] += joint->counts[i * BG_JOINT_COLUMNS + j];
            columns[j] += joint->counts[i * BG_JOINT_COLUMNS + j];
        }
    }
    for (int i = 0; i < BG_JOINT_BINS; i++) {
        for (int j = 0; j < BG_JOINT_COLUMNS; j++) {
            double p = joint->counts[i * BG_JOINT_COLUMNS + j];
            if (p > 0.0)
                sum += p / joint->sum * log(p * joint->sum / (rows[i] * columns[j]));
        }
    }
    return sum;
}

static int
compare_values(gconstpointer a, gconstpointer b)
{
    float x = *(const float *) a, y = *(const float *) b;

    return x < y ? -1 : x > y;
}

void
bg_joint_range(float *values, gsize n, float *low, float *high)
{
    qsort(values, n, sizeof *values, compare_values);
    *low = values[n / 100];
    *high = values[n - 1 - n / 100];
}
