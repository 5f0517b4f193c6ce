// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_LABELS_SECTION (bg_labels_section_get_type())

/** BgLabelsSection: names, colours and visibility of a label map's labels, fill and outline */
G_DECLARE_FINAL_TYPE(BgLabelsSection, bg_labels_section, BG, LABELS_SECTION, BgSection)

G_END_DECLS
