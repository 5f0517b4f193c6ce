// SPDX-License-Identifier: Apache-2.0
// What labels measure, and how two label maps differ: for a worker, and as tables.
#pragma once

#include "bg-label-metrics.h"
#include "bg-label-shape.h"
#include "core/model/bg-label-table.h"

G_BEGIN_DECLS

/** BgSizesRow: @name: of a region or label; @distance_mm: to the structure; NaN without one */
typedef struct {
    char name[64];
    gboolean is_region;
    BgLabelShape shape;
    double distance_mm;
} BgSizesRow;

/**
 * BgSizesRequest: all references owned
 * @table: (nullable): names; its label 0 does not count
 * @structure: (nullable): to which distances are measured, and @structure_label of it, 0 for any
 */
typedef struct {
    BgLabelMap *map;
    BgLabelTable *table;
    BgLabelMap *structure;
    guint32 structure_label;
} BgSizesRequest;

void bg_sizes_request_free(BgSizesRequest *request);

/**
 * bg_label_sizes:
 *
 * BraTS' regions where the map has no labels but 1, 2 and 4, and each label. Distances are from the nearest
 * voxel's centre to the nearest voxel's centre, 0 where they share a place.
 *
 * Returns: (transfer full): GArray of BgSizesRow, empty for an empty map; or %NULL with the errors of
 *   bg_label_shape() and bg_distance_map()
 */
GArray *bg_label_sizes(const BgSizesRequest *request, GCancellable *cancellable, GError **error);

/** bg_label_sizes_to_csv: (transfer full): @structure: (nullable): what distances are to */
char *bg_label_sizes_to_csv(const GArray *rows, const char *structure);

/** BgCompareRow: a region or label of both maps; @slices: owned: its Dice in each slice, NaN where both are empty */
typedef struct {
    char name[64];
    BgLabelMetrics metrics;
    double *slices;
} BgCompareRow;

/**
 * BgCompareRequest: all references owned
 * @pred, @truth: what is judged, and by what
 */
typedef struct {
    BgLabelMap *pred, *truth;
    BgLabelTable *table;
    BgSurfaceKind kind;
    double tolerance_mm;
} BgCompareRequest;

void bg_compare_request_free(BgCompareRequest *request);

/**
 * BgComparison:
 * @rows: of BgCompareRow
 * @kind, @tolerance_mm: of the request
 * @slices: of double: the Dice of all labels together in each slice along k; NaN where both are empty
 */
typedef struct {
    GArray *rows, *slices;
    BgSurfaceKind kind;
    double tolerance_mm;
} BgComparison;

void bg_comparison_free(BgComparison *comparison);

/** bg_label_compare: Returns: (transfer full): or %NULL with the errors of bg_label_metrics() */
BgComparison *bg_label_compare(const BgCompareRequest *request, const BgProgress *progress,
                               GCancellable *cancellable, GError **error);

/**
 * bg_comparison_to_html:
 * @pred, @truth: names of the layers
 * @provenance: (nullable): JSON text
 *
 * Returns: (transfer full): a page by bg_compare_report()
 */
char *bg_comparison_to_html(const BgComparison *comparison, const char *pred, const char *truth,
                            const char *provenance);

/** bg_comparison_to_csv: (transfer full): a line for each row, then one for each slice */
char *bg_comparison_to_csv(const BgComparison *comparison);

G_END_DECLS
