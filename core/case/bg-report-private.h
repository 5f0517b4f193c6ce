// SPDX-License-Identifier: Apache-2.0
// What the files that write a report share; nobody else includes it.
#pragma once

#include "core/annotate/bg-pages.h"
#include "core/case/bg-case-report.h"

G_BEGIN_DECLS

/** BgCaseReport: what a case was; after bg_case_report_new() only read, on a worker */
struct _BgCaseReport {
    BgPatient patient;
    char *study_date, *study_description, *notes; // owned
    GPtrArray *layers;                            // owned, of BgLayer with their contents
    GPtrArray *measurements, *points;             // owned, of GStrv: rows that are written already
    GPtrArray *registrations;                     // owned, of GStrv
    GPtrArray *plans;                             // owned, of BgPlanMeasure
    BgView view;
    const BgLayer *labels, *truth; // nullable, of layers
};

/** BgReportWriting: what goes into all steps */
typedef struct {
    const BgCaseReport *report;
    BgPages *pages; // borrowed
    const BgProgress *progress;
    GCancellable *cancellable;
} BgReportWriting;

// Each: FALSE with %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED. Nothing is written where there is nothing.

/** bg_report_write_slices: the sheet of the scans and the montage of the last one */
gboolean bg_report_write_slices(const BgReportWriting *w, GError **error);

/** bg_report_write_surfaces: the visible meshes, or the surfaces of the labels, from two sides */
gboolean bg_report_write_surfaces(const BgReportWriting *w, GError **error);

/** bg_report_write_meshes: what all meshes of the case measure */
gboolean bg_report_write_meshes(const BgReportWriting *w, GError **error);

G_END_DECLS
