// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_FUSION_SECTION (bg_fusion_section_get_type())

/** BgFusionSection: of a photograph whose camera is known: one picture of it and the volume, and how good it is */
G_DECLARE_FINAL_TYPE(BgFusionSection, bg_fusion_section, BG, FUSION_SECTION, BgSection)

G_END_DECLS
