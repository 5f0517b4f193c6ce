// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_PREPARE_SECTION (bg_prepare_section_get_type())

/** BgPrepareSection: filters of the selected volume, and empty labels on its grid */
G_DECLARE_FINAL_TYPE(BgPrepareSection, bg_prepare_section, BG, PREPARE_SECTION, BgSection)

G_END_DECLS
