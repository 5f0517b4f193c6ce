// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_TRANSFER_SECTION (bg_transfer_section_get_type())

/**
 * BgTransferSection:
 *
 * How a volume looks in 3D: its transfer function over its histogram, technique and shading,
 * presets with thumbnails of this very volume, reading and saving.
 */
G_DECLARE_FINAL_TYPE(BgTransferSection, bg_transfer_section, BG, TRANSFER_SECTION, BgSection)

G_END_DECLS
