// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_GUIDE_SECTION (bg_guide_section_get_type())

/**
 * BgGuideSection: the way from the scan to the photograph, in the layout Fusion: what is done, what is next.
 * A press on a step goes where it is done; steps are entered and left in any order
 */
G_DECLARE_FINAL_TYPE(BgGuideSection, bg_guide_section, BG, GUIDE_SECTION, BgSection)

G_END_DECLS
