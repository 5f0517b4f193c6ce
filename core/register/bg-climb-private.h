// SPDX-License-Identifier: Apache-2.0
// Uphill on the mutual information.
#pragma once

#include "core/register/bg-mutual-information-private.h"

G_BEGIN_DECLS

/**
 * BgClimb:
 * @n_params: 3: shift; 6: rigid; 12: affine
 * @max_step_mm: of the samples' rms point
 * @tolerance_mm: a step that is shorter ends it
 */
typedef struct {
    int n_params;
    double max_step_mm;
    double tolerance_mm;
    int max_steps;
} BgClimb;

/**
 * bg_climb:
 * @moving_from_fixed: (inout)
 * @result: (out): there
 *
 * BFGS with backtracking on increments about the samples' centre (Nocedal and Wright, Numerical
 * Optimization, algorithm 6.1): shifts in mm, turns and stretches times the samples' rms radius, so
 * that all are mm.
 *
 * Returns: how often the metric was evaluated
 */
guint bg_climb(BgMi *mi, const BgMiSamples *samples, const BgClimb *climb,
               BgAffine *moving_from_fixed, BgMiResult *result, GCancellable *cancellable);

/** bg_affine_about: Returns: p -> turn (p - centre) + centre + shift, after @map; @turn: 3x3 part */
BgAffine bg_affine_about(const BgAffine *map, const BgAffine *turn, BgVec3 centre, BgVec3 shift);

/** bg_affine_rotation: by Rodrigues' formula; @turn: its length is the angle in radians */
BgAffine bg_affine_rotation(BgVec3 turn);

G_END_DECLS
