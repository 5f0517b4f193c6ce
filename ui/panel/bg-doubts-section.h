// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_DOUBTS_SECTION (bg_doubts_section_get_type())

/** BgDoubtsSection: what the file of a layer does not say, and what its reader warned of */
G_DECLARE_FINAL_TYPE(BgDoubtsSection, bg_doubts_section, BG, DOUBTS_SECTION, BgSection)

G_END_DECLS
