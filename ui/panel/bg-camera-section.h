// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_CAMERA_SECTION (bg_camera_section_get_type())

/** BgCameraSection: of a photograph: from where it was taken, and how the volume lies over it */
G_DECLARE_FINAL_TYPE(BgCameraSection, bg_camera_section, BG, CAMERA_SECTION, BgSection)

G_END_DECLS
