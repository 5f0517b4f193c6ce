// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_DISTANCE_SECTION (bg_distance_section_get_type())

/** BgDistanceSection: how far a mesh lies from another one, as colours. */
G_DECLARE_FINAL_TYPE(BgDistanceSection, bg_distance_section, BG, DISTANCE_SECTION, BgSection)

G_END_DECLS
