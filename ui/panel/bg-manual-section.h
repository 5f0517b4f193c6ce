// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_MANUAL_SECTION (bg_manual_section_get_type())

/**
 * BgManualSection:
 *
 * The volume that is worked on, registered by hand: six numbers with wheels, and the tool that drags it in
 * slices.
 */
G_DECLARE_FINAL_TYPE(BgManualSection, bg_manual_section, BG, MANUAL_SECTION, BgSection)

G_END_DECLS
