// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_COMPARE_SECTION (bg_compare_section_get_type())

/** BgCompareSection: the selected labels against another label map: overlap and distances, slice by slice */
G_DECLARE_FINAL_TYPE(BgCompareSection, bg_compare_section, BG, COMPARE_SECTION, BgSection)

G_END_DECLS
