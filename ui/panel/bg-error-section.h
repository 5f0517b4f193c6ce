// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_ERROR_SECTION (bg_error_section_get_type())

/**
 * BgErrorSection:
 *
 * How far off a registration or a camera by points is expected to be at the cursor, from a stated error of
 * placing points, and the bound beyond which pictures are veiled.
 */
G_DECLARE_FINAL_TYPE(BgErrorSection, bg_error_section, BG, ERROR_SECTION, BgSection)

G_END_DECLS
