// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_KEPT_SECTION (bg_kept_section_get_type())

/** BgKeptSection: the plans and distances of the case, and new ones along a ruler */
G_DECLARE_FINAL_TYPE(BgKeptSection, bg_kept_section, BG, KEPT_SECTION, BgSection)

G_END_DECLS
