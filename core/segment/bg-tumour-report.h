// SPDX-License-Identifier: Apache-2.0
// A segmentation told on one page: pictures, sizes, where it is from.
#pragma once

#include "core/base/bg-json.h"
#include "core/base/bg-progress.h"
#include "core/volume/bg-label-map.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/**
 * BgTumourReport: all borrowed
 * @title: of the page: the case
 * @names, @volumes: @n_volumes of 1..4 to be drawn, one row each; any grid in one frame
 * @labels: 1 core, 2 oedema, 4 enhancing; on any grid in that frame
 * @sizes: an object of regions, each an object of numbers: a table
 * @provenance: (nullable): JSON text
 * @warnings: (nullable) (element-type utf8): shown above the rest
 */
typedef struct {
    const char *title;
    const char *const *names;
    BgVolume *const *volumes;
    int n_volumes;
    BgLabelMap *labels;
    const BgJson *sizes;
    const char *provenance;
    GPtrArray *warnings;
} BgTumourReport;

/**
 * bg_tumour_report:
 *
 * An HTML page that needs no other file: for each volume the axial, coronal and sagittal slice in which
 * the tumour is largest, at 1 mm a pixel, the labels' outlines on them; patient's right is on the left,
 * the sagittal looks to the right. Without a tumour the slices are those in the middle.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID (a volume of one value),
 *   %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
char *bg_tumour_report(const BgTumourReport *report, GCancellable *cancellable, GError **error);

G_END_DECLS
