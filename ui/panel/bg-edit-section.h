// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_EDIT_SECTION (bg_edit_section_get_type())

/** BgEditSection: correcting the selected labels: the tools of panes, their settings, and what is done to all */
G_DECLARE_FINAL_TYPE(BgEditSection, bg_edit_section, BG, EDIT_SECTION, BgSection)

G_END_DECLS
