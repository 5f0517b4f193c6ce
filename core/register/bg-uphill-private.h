// SPDX-License-Identifier: Apache-2.0
// Uphill on a smooth function of a few numbers, for sisters in this folder.
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define BG_UPHILL_MAX 8

/** BgUphillFunc: Returns: what is to become large at @z */
typedef double (*BgUphillFunc)(const double *z, gpointer user_data);

/**
 * BgUphill:
 * @n: how many numbers: 1..BG_UPHILL_MAX
 * @difference: step of the central differences that make the gradient
 * @max_step: no step is longer
 * @end_step: a step that is shorter ends it
 * @trust: of the first step: the inverse of the curvature that is expected
 */
typedef struct {
    BgUphillFunc function;
    gpointer user_data;
    int n;
    double difference, max_step, end_step, trust;
    int max_rounds;
} BgUphill;

/**
 * bg_uphill:
 * @z: (inout)
 *
 * BFGS with backtracking (Nocedal and Wright, Numerical Optimization, algorithm 6.1). Ends early when
 * cancelled.
 *
 * Returns: the value there
 */
double bg_uphill(const BgUphill *uphill, double *z, GCancellable *cancellable);

G_END_DECLS
