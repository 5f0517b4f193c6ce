// SPDX-License-Identifier: Apache-2.0
// Correcting a label map by hand: what each tool would change. Nothing is changed here.
#pragma once

#include "core/base/bg-progress.h"
#include "core/volume/bg-label-map.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/** BgOver: which voxels a tool may write to: all; the background; one label */
typedef enum {
    BG_OVER_ALL,
    BG_OVER_BACKGROUND,
    BG_OVER_LABEL,
} BgOver;

/**
 * BgPaint:
 * @label: to be written; 0 erases
 * @over_label: of %BG_OVER_LABEL
 * @values: (nullable): only where it has a value from @low to @high: at the voxel's centre, trilinear;
 *   any grid
 */
typedef struct {
    guint32 label;
    BgOver over;
    guint32 over_label;
    BgVolume *values;
    double low, high;
} BgPaint;

/**
 * BgStroke: a move of a round brush
 * @from_mm, @to_mm: LPS
 * @diameter_mm: above 0
 * @ball: all voxels whose centre is that near to the line; else those of one layer: the one through which
 *   the plane of @normal (length 1) through @from_mm goes, by the distance within the plane
 */
typedef struct {
    BgVec3 from_mm, to_mm, normal;
    double diameter_mm;
    gboolean ball;
} BgStroke;

/**
 * bg_label_stroke:
 *
 * A brush smaller than a voxel writes to those that its line goes through.
 *
 * Returns: (transfer full): GArray of BgLabelRun (bg-label-runs.h), empty when nothing changes
 */
GArray *bg_label_stroke(BgLabelMap *map, const BgPaint *paint, const BgStroke *stroke);

/**
 * bg_label_threshold: all voxels of the map that @paint lets be written to; its values are needed
 *
 * Returns: (transfer full): GArray of BgLabelRun; or %NULL with %G_IO_ERROR_CANCELLED
 */
GArray *bg_label_threshold(BgLabelMap *map, const BgPaint *paint, const BgProgress *progress,
                           GCancellable *cancellable, GError **error);

/**
 * bg_label_flood:
 * @seed_mm: LPS
 * @normal: (nullable): only in the layer of voxels through which the plane of this normal goes; else in 3D
 *
 * What is joined to the seed across faces of voxels: with values where they are in the range; without
 * where the label is that of the seed.
 *
 * Returns: (transfer full): GArray of BgLabelRun; or %NULL with %BG_ERROR_INVALID (the seed is outside of
 *   the map, or its value outside of the range), %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
GArray *bg_label_flood(BgLabelMap *map, const BgPaint *paint, BgVec3 seed_mm, const BgVec3 *normal,
                       const BgProgress *progress, GCancellable *cancellable, GError **error);

typedef enum {
    BG_ISLANDS_KEEP_LARGEST,
    BG_ISLANDS_REMOVE_SMALL, // those below @least_mm3
    BG_ISLANDS_KEEP_PICKED,  // the one at @seed_mm
    BG_ISLANDS_REMOVE_PICKED,
} BgIslands;

/**
 * BgIslandsParams:
 * @label: 0: of all labels together
 *
 * Islands are joined across faces, edges and corners of voxels.
 */
typedef struct {
    BgIslands what;
    guint32 label;
    double least_mm3;
    BgVec3 seed_mm;
} BgIslandsParams;

/**
 * bg_label_islands:
 *
 * Returns: (transfer full): GArray of BgLabelRun: what becomes background; or %NULL with
 *   %BG_ERROR_INVALID (nothing is at the seed), %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
GArray *bg_label_islands(BgLabelMap *map, const BgIslandsParams *params, const BgProgress *progress,
                         GCancellable *cancellable, GError **error);

/**
 * bg_label_fill_holes:
 *
 * @label: 0: all labels together: each hole becomes what most of its neighbours are
 *
 * Background that @label shuts off from the faces of the grid becomes @label; other labels in it stay.
 *
 * Returns: as bg_label_islands()
 */
GArray *bg_label_fill_holes(BgLabelMap *map, guint32 label, const BgProgress *progress,
                            GCancellable *cancellable, GError **error);

G_END_DECLS
