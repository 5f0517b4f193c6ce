// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"
#include "core/volume/bg-label-map.h"

G_BEGIN_DECLS

#define BG_REGION_MAX_LABELS 8
#define BG_BRATS_PENALTY_MM 373.13 // what BraTS takes for a distance when one side is empty

/**
 * BgLabelRegion:
 * @name: static or borrowed
 * @labels: @n_labels of them: a voxel of any of them is in the region
 */
typedef struct {
    const char *name;
    guint32 labels[BG_REGION_MAX_LABELS];
    int n_labels;
} BgLabelRegion;

/**
 * bg_brats_regions:
 *
 * WT, TC and ET: labels {1, 2, 4}, {1, 4}, {4}.
 */
const BgLabelRegion *bg_brats_regions(gsize *n);

typedef enum {
    BG_SURFACE_VOXELS,  // centres of the region's voxels that touch another across a face
    BG_SURFACE_SURFELS, // pieces of the surface between voxel centres, weighed by their area
} BgSurfaceKind;

/**
 * BgLabelMetrics:
 * @dice, @jaccard: both regions empty: 1; one: 0
 * @sensitivity, @specificity, @precision: TP / (TP + FN), TN / (TN + FP), TP / (TP + FP); NaN when
 *   that divides by 0
 * @hausdorff_mm: the largest of the directed distances of the surfaces, both ways
 * @hd95_mm: with voxels the 95th percentile of both ways' distances pooled, linear between ranks;
 *   with surfels the larger of both ways' area-weighted 95th percentiles
 * @mean_surface_mm: with voxels the mean of the pooled distances; with surfels the mean of both
 *   ways' area-weighted means
 * @mean_pred_mm, @mean_true_mm: of each way alone: from the prediction's, from the truth's surface
 * @surface_dice: the share of both surfaces within @tolerance_mm of the other; voxels by number,
 *   surfels by area
 *
 * Distances: both regions empty: 0; one: NaN.
 */
typedef struct {
    gsize n_pred, n_true, n_both, n_voxels;
    double dice, jaccard, sensitivity, specificity, precision;
    double hausdorff_mm, hd95_mm, mean_surface_mm;
    double mean_pred_mm, mean_true_mm, surface_dice;
    double volume_pred_ml, volume_true_ml;
} BgLabelMetrics;

/**
 * bg_label_metrics:
 * @pred, @truth: on one grid. A single slice is measured in two dimensions: the surface is where
 *   pixels touch another across an edge; surfels are pieces of contour by their length
 * @tolerance_mm: for surface_dice, at least 0
 *
 * Surfels are those of the surface-distance package (Nikolov et al., arXiv 1809.04430): around each
 * corner of the voxels the marching-cubes surface of its eight voxels.
 *
 * Returns: %FALSE with %BG_ERROR_MISMATCH (grids differ), %BG_ERROR_UNSUPPORTED (axes that are no
 *   right angles), %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
gboolean bg_label_metrics(BgLabelMap *pred, BgLabelMap *truth, const BgLabelRegion *region,
                          BgSurfaceKind kind, double tolerance_mm, BgLabelMetrics *metrics,
                          const BgProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
