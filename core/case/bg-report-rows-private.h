// SPDX-License-Identifier: Apache-2.0
// Rows of a report that are written on the main thread, from what a case says itself.
#pragma once

#include "core/case/bg-case.h"

G_BEGIN_DECLS

// Each (transfer full): GPtrArray of GStrv of four cells.

/** bg_report_measurements: name, value, on what, where it begins: in the space of the case */
GPtrArray *bg_report_measurements(BgCase *the_case);

/** bg_report_points: name, list, on what, where it is shown; those that are not placed are left out */
GPtrArray *bg_report_points(BgCase *the_case);

/** bg_report_registrations: of layers and of photographs: what, how, its error, who approved it */
GPtrArray *bg_report_registrations(BgCase *the_case);

G_END_DECLS
