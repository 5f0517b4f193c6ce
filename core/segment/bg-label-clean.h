// SPDX-License-Identifier: Apache-2.0
// From what a network says to a label map, and what is taken out of one afterwards.
#pragma once

#include "core/base/bg-progress.h"
#include "core/filter/bg-components.h"
#include "core/volume/bg-label-map.h"

G_BEGIN_DECLS

/**
 * bg_labels_from_probabilities:
 * @classes: @n_classes volumes on one grid: how probable each class is
 * @labels: of each class, up to 255; the first is usually 0
 * @confidence: (out) (optional) (transfer full): float32: the largest of the probabilities over their
 *   sum
 *
 * Each voxel gets the label of its most probable class; of equals the first. A voxel without any
 * finite probability gets the first label and confidence 0.
 *
 * Returns: (transfer full): uint8; or %NULL with %BG_ERROR_MISMATCH (grids differ),
 *   %BG_ERROR_NO_MEMORY
 */
BgLabelMap *bg_labels_from_probabilities(BgVolume *const *classes, gsize n_classes,
                                         const guint8 *labels, BgVolume **confidence,
                                         GError **error);

/**
 * bg_labels_from_regions:
 * @wt, @tc, @et: probabilities of BraTS' overlapping regions
 * @threshold: over which a voxel is in a region, 0..1
 *
 * ET: 4, else TC: 1, else WT: 2; a voxel in a smaller region is in the larger ones too.
 *
 * Returns: (transfer full): as bg_labels_from_probabilities()
 */
BgLabelMap *bg_labels_from_regions(BgVolume *wt, BgVolume *tc, BgVolume *et, double threshold,
                                   GError **error);

/**
 * BgLabelCleaning:
 * @n_largest: only so many largest parts stay; 0: all
 * @least_ml: smaller parts go; 0: none
 * @fill_holes: background that does not reach the grid's faces becomes the label that most of its
 *   neighbours have
 * @each_label: parts are those of each label; else of all labels together
 * @connectivity: of parts; 0 counts as 26
 */
typedef struct {
    guint n_largest;
    double least_ml;
    gboolean fill_holes;
    gboolean each_label;
    BgConnectivity connectivity;
} BgLabelCleaning;

/** BgLabelCleaned: voxels that were taken away and added */
typedef struct {
    gsize n_removed, n_filled;
} BgLabelCleaned;

/**
 * bg_label_map_clean:
 * @cleaned: (out) (optional)
 *
 * Smallest first, then the largest are chosen, then holes are filled.
 *
 * Returns: (transfer full): in the type of @labels; or %NULL with %BG_ERROR_INVALID (a negative
 *   volume), %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgLabelMap *bg_label_map_clean(BgLabelMap *labels, const BgLabelCleaning *cleaning,
                               BgLabelCleaned *cleaned, const BgProgress *progress,
                               GCancellable *cancellable, GError **error);

G_END_DECLS
