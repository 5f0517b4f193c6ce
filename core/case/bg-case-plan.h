// SPDX-License-Identifier: Apache-2.0
// What is planned in a case: distances that are kept an eye on, and what is to be cut out.
#pragma once

#include "core/register/bg-landmark-plane.h"

G_BEGIN_DECLS

/**
 * BgCasePlanKind:
 * @BG_CASE_PLAN_DISTANCE: of each region of a label map to a structure
 * @BG_CASE_PLAN_PATH: of a ruler, walked from its first point to its second, to a structure
 * @BG_CASE_PLAN_CUT: a prism or cylinder through the points of a volume
 */
typedef enum {
    BG_CASE_PLAN_DISTANCE,
    BG_CASE_PLAN_PATH,
    BG_CASE_PLAN_CUT,
} BgCasePlanKind;

/**
 * BgCasePlan:
 * @id: unique in the case: from bg_case_new_id()
 * @layer_id: the label map whose regions are measured, or the volume that is cut; else ""
 * @measurement_id: the path's ruler, or ""
 * @structure_id, @structure_label: the label map that distances are to, and its label, 0 for any; or ""
 * @prism: owned, %NULL but for a cut: in the space of the case, LPS, as rulers are
 * @margin_mm, @rms_mm: of a cut: how much wider than its points; how far these lie off their plane
 *
 * Distances are no part of it: they are computed from what it names, and so are those of the case
 * as it is.
 */
typedef struct {
    char *id, *name, *layer_id, *measurement_id, *structure_id;
    BgCasePlanKind kind;
    guint32 structure_label;
    BgPrism *prism;
    double margin_mm, rms_mm;
} BgCasePlan;

/** bg_case_plan_new: (transfer full): all else is empty */
BgCasePlan *bg_case_plan_new(BgCasePlanKind kind, const char *id, const char *name);

/** bg_case_plan_new_cut: (transfer full): @prism: copied */
BgCasePlan *bg_case_plan_new_cut(const char *id, const char *name, const BgPrism *prism);
void bg_case_plan_free(BgCasePlan *plan);

/** bg_case_plan_volume_ml: of a cut's prism */
double bg_case_plan_volume_ml(const BgCasePlan *plan);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgCasePlan, bg_case_plan_free)

G_END_DECLS
