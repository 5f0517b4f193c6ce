// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_POINTS_SECTION (bg_points_section_get_type())

/**
 * BgPointsSection:
 *
 * Named points of the volume that is worked on, what they are for, how far a registration puts each from
 * its partner, and registering the volume by them or by its values.
 */
G_DECLARE_FINAL_TYPE(BgPointsSection, bg_points_section, BG, POINTS_SECTION, BgSection)

G_END_DECLS
