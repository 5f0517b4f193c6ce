// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_PROVENANCE_SECTION (bg_provenance_section_get_type())

/** BgProvenanceSection: where a layer comes from: file, hash, geometry, and what it was computed by */
G_DECLARE_FINAL_TYPE(BgProvenanceSection, bg_provenance_section, BG, PROVENANCE_SECTION, BgSection)

G_END_DECLS
