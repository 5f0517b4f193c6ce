// SPDX-License-Identifier: Apache-2.0
// Slices of a scan side by side or one after the other, and a case on one sheet.
#pragma once

#include "core/base/bg-progress.h"
#include "core/image/bg-image.h"
#include "core/volume/bg-label-map.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

#define BG_SHEET_PANELS 6

/** BgMontageLetters: on the edges of each slice; "?" for left and right where the side is unknown */
typedef enum {
    BG_MONTAGE_NO_LETTERS,
    BG_MONTAGE_SIDE_KNOWN,
    BG_MONTAGE_SIDE_UNKNOWN,
} BgMontageLetters;

/**
 * BgMontage: all borrowed
 * @volume: any grid
 * @labels: (nullable): on any grid of that frame: outlines, and only the slices that they reach
 * @window: (nullable): values that are black and white; else the 1st to the 99.5th percentile
 * @axis: across which slices are: 0 sagittal, 1 coronal, 2 axial
 * @count: how many at most, evenly spread; 1 at least
 * @note: (nullable): in a corner of the last, or of each when they are to be seen one after the other
 */
typedef struct {
    BgVolume *volume;
    BgLabelMap *labels;
    const double *window;
    int axis, count;
    BgMontageLetters letters;
    const char *note;
    gboolean note_on_each;
} BgMontage;

/**
 * bg_montage_slices:
 * @empty: (out) (optional): whether @labels reach no slice: all are shown then
 * @progress: (nullable)
 * @cancellable: (nullable)
 *
 * In LPS order and on cubic voxels of the finest spacing: axial and coronal with the patient's right on the
 * left, sagittal with anterior on the left.
 *
 * Returns: (transfer full) (element-type BgImage): uint8 RGB of one size; or %NULL with the errors of
 *   bg_resample(), %G_IO_ERROR_CANCELLED
 */
GPtrArray *bg_montage_slices(const BgMontage *montage, gboolean *empty, const BgProgress *progress,
                             GCancellable *cancellable, GError **error);

/**
 * bg_case_sheet:
 * @volumes: @n_volumes of 1..4
 * @truth, @pred: (nullable): on any grid in that frame
 * @note: (nullable): in a corner of the first
 *
 * Six panels of the axial slice that holds most of @pred (of @truth without one, the middle without
 * either): each volume, then the first with the outlines of @truth, then of @pred; black where there is
 * none.
 *
 * Returns: (transfer full): uint8 RGB, three panels a row; or %NULL as bg_montage_slices()
 */
BgImage *bg_case_sheet(BgVolume *const *volumes, int n_volumes, BgLabelMap *truth, BgLabelMap *pred,
                       BgMontageLetters letters, const char *note, const BgProgress *progress,
                       GCancellable *cancellable, GError **error);

G_END_DECLS
