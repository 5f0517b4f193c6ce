// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_SEGMENT_SECTION (bg_segment_section_get_type())

/**
 * BgSegmentSection: which contrast is which, the model with its card, and the job that segments a
 * tumour. Names propose; a person confirms.
 */
G_DECLARE_FINAL_TYPE(BgSegmentSection, bg_segment_section, BG, SEGMENT_SECTION, BgSection)

G_END_DECLS
