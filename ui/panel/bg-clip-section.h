// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_CLIP_SECTION (bg_clip_section_get_type())

/** BgClipSection: the box outside of which 3D shows nothing, in numbers */
G_DECLARE_FINAL_TYPE(BgClipSection, bg_clip_section, BG, CLIP_SECTION, BgSection)

G_END_DECLS
