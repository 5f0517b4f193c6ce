// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_DISPLAY_SECTION (bg_display_section_get_type())

/** BgDisplaySection: window and level, colour map, opacity, interpolation and frame of a volume */
G_DECLARE_FINAL_TYPE(BgDisplaySection, bg_display_section, BG, DISPLAY_SECTION, BgSection)

G_END_DECLS
