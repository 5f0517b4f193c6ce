// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_MESH_SECTION (bg_mesh_section_get_type())

/**
 * BgMeshSection:
 *
 * Of a volume or a label map: cuts a surface. Of a mesh: colour, opacity, its measures, whether it can be
 * printed, and export.
 */
G_DECLARE_FINAL_TYPE(BgMeshSection, bg_mesh_section, BG, MESH_SECTION, BgSection)

G_END_DECLS
