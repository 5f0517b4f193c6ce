// SPDX-License-Identifier: Apache-2.0
// Two segmentations compared, told on one page: a table, a box plot, a chart over the slices.
#pragma once

#include "bg-label-metrics.h"

G_BEGIN_DECLS

/**
 * BgCompareReport: all borrowed
 * @title: of the page
 * @pred, @truth: names of what is judged, and by what
 * @names, @metrics, @slices: of @n_rows regions; slices: @n_slices numbers of bg_slice_dice() each
 * @kind, @tolerance_mm: what the metrics were asked with
 * @provenance: (nullable): JSON text
 */
typedef struct {
    const char *title;
    const char *pred, *truth;
    const char *const *names;
    const BgLabelMetrics *metrics;
    const double *const *slices;
    gsize n_rows, n_slices;
    BgSurfaceKind kind;
    double tolerance_mm;
    const char *provenance;
} BgCompareReport;

/** bg_compare_report: (transfer full): an HTML page that needs no other file; what is not a number is a dash */
char *bg_compare_report(const BgCompareReport *report);

G_END_DECLS
