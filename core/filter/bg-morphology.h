// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"
#include "core/filter/bg-components.h"

G_BEGIN_DECLS

typedef enum {
    BG_MORPHOLOGY_ERODE,
    BG_MORPHOLOGY_DILATE,
    BG_MORPHOLOGY_OPEN,    // erode, dilate
    BG_MORPHOLOGY_CLOSE,   // dilate, erode
    BG_MORPHOLOGY_FILL,    // holes
    BG_MORPHOLOGY_LARGEST, // part, joined across faces, edges and corners
} BgMorphologyKind;

/**
 * bg_morphology:
 * @label: which one; 0: all that is not background, as one
 * @radius_mm: of the ball, at least 0: a voxel is in it when its centre is at most that far away
 *
 * By exact distances, so that balls are round on any grid. What is beyond the grid is like nothing:
 * it neither erodes nor grows.
 *
 * Returns: (transfer full): uint8: 1 and 0; or %NULL with %BG_ERROR_INVALID (a negative radius),
 *   %BG_ERROR_UNSUPPORTED (axes that are no right angles), %BG_ERROR_NO_MEMORY,
 *   %G_IO_ERROR_CANCELLED
 */
BgLabelMap *bg_morphology(BgLabelMap *labels, guint32 label, BgMorphologyKind kind,
                          double radius_mm, const BgProgress *progress, GCancellable *cancellable,
                          GError **error);

/** bg_ball_dilate, bg_ball_erode: a mask of 0 and 1, in place */
gboolean bg_ball_dilate(guint8 *mask, const int dims[3], const double spacing_mm[3],
                        double radius_mm, GCancellable *cancellable, GError **error);
gboolean bg_ball_erode(guint8 *mask, const int dims[3], const double spacing_mm[3],
                       double radius_mm, GCancellable *cancellable, GError **error);

/**
 * bg_brain_mask:
 * @radius_mm: of the bridges between brain and scalp that are cut, 0..50; 4 is a good start
 *
 * A first mask of the brain in an MR picture, to be looked at and edited: over Otsu's threshold,
 * eroded, the largest part, dilated by as much and a little, holes filled.
 *
 * Returns: (transfer full): uint8; errors as bg_morphology() and bg_otsu_threshold()
 */
BgLabelMap *bg_brain_mask(BgVolume *volume, double radius_mm, const BgProgress *progress,
                          GCancellable *cancellable, GError **error);

G_END_DECLS
