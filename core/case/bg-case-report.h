// SPDX-License-Identifier: Apache-2.0
// A case told on paper: who, which scans, pictures, numbers, where all is from.
#pragma once

#include "core/case/bg-case.h"

G_BEGIN_DECLS

/**
 * BgCaseReport:
 *
 * What a case said when it was made: written by a worker. Its labels are those of the selected row, or
 * else the uppermost visible label map; what they are compared with is the next visible one.
 */
typedef struct _BgCaseReport BgCaseReport;

/** bg_case_report_new: (transfer full): main thread; or %NULL with %BG_ERROR_INVALID: no volume and no label map is loaded */
BgCaseReport *bg_case_report_new(BgCase *the_case, GError **error);
void bg_case_report_free(BgCaseReport *report);

/**
 * bg_case_report_write:
 * @path: ends in .html: one page that needs no other file; in .pdf: A4 pages
 * @replace: a file that is there
 *
 * Blocks; any thread. Patient, study and scans; the scans' slice with most of the tumour, with sides; slices side by
 * side; volumes and diameters; the comparison, where there are two label maps on one grid; surfaces in
 * two views; measurements, points and registrations; where all is from, and the network's card.
 *
 * Returns: %FALSE with %BG_ERROR_INVALID: another suffix; the errors of what is computed; of files
 */
gboolean bg_case_report_write(const BgCaseReport *report, const char *path, gboolean replace,
                              const BgProgress *progress, GCancellable *cancellable,
                              GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgCaseReport, bg_case_report_free)

G_END_DECLS
