// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_SIZES_SECTION (bg_sizes_section_get_type())

/**
 * BgSizesSection: what the selected labels measure, as a table, CSV and report; measured again after each
 * correction.
 */
G_DECLARE_FINAL_TYPE(BgSizesSection, bg_sizes_section, BG, SIZES_SECTION, BgSection)

G_END_DECLS
