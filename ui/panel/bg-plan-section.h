// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_PLAN_SECTION (bg_plan_section_get_type())

/** BgPlanSection: the plane through a volume's points, and the crop below it, shown in 3D meanwhile */
G_DECLARE_FINAL_TYPE(BgPlanSection, bg_plan_section, BG, PLAN_SECTION, BgSection)

G_END_DECLS
