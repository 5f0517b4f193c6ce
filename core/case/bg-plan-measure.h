// SPDX-License-Identifier: Apache-2.0
// What a plan of a case comes to: the same numbers for window and report.
#pragma once

#include "core/case/bg-case.h"

G_BEGIN_DECLS

/** BgPlanMeasure: what a plan names, as it was when this was made; immutable, for a worker */
typedef struct _BgPlanMeasure BgPlanMeasure;

/** bg_plan_measure_new: on the main thread; what is not there any longer is told by the rows */
BgPlanMeasure *bg_plan_measure_new(BgCase *the_case, const BgCasePlan *plan);
void bg_plan_measure_free(BgPlanMeasure *self);

/** bg_plan_measure_get_title: (transfer none): its name, and of what to what */
const char *bg_plan_measure_get_title(const BgPlanMeasure *self);

/**
 * bg_plan_measure_run:
 *
 * Distances are from voxel centre to voxel centre; along a path every twentieth of a millimetre,
 * negative inside of the structure.
 *
 * Returns: (transfer full): GPtrArray of GStrv: what, and its value with the unit; one row with the
 *   reason where it cannot be measured; or %NULL with %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
GPtrArray *bg_plan_measure_run(const BgPlanMeasure *self, GCancellable *cancellable,
                               GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgPlanMeasure, bg_plan_measure_free)

G_END_DECLS
