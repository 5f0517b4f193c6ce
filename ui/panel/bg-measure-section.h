// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/panel/bg-section.h"

G_BEGIN_DECLS

#define BG_TYPE_MEASURE_SECTION (bg_measure_section_get_type())

/** BgMeasureSection: the case's rulers and angles with their values; as CSV */
G_DECLARE_FINAL_TYPE(BgMeasureSection, bg_measure_section, BG, MEASURE_SECTION, BgSection)

/** bg_measurements_to_csv: (transfer full): a header, and a row each; LPS mm and degrees in full precision */
char *bg_measurements_to_csv(const BgCaseState *state);

G_END_DECLS
