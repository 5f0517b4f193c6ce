// SPDX-License-Identifier: Apache-2.0
// Where labels lie in a photograph: a line round each of them, as its camera sees it.
#pragma once

#include "core/fusion/bg-fusion-view.h"
#include "core/model/bg-camera.h"
#include "core/model/bg-label-table.h"
#include "core/model/bg-slice-frame.h"
#include "core/volume/bg-label-map.h"

G_BEGIN_DECLS

#define BG_FUSION_MAX_OUTLINES 64 // of one label map

/**
 * BgFusionGrid: the pixels of a picture on a photograph
 * @camera: of the photograph, with its lens
 * @mirrored: the photograph is a mirror image: u runs from right to left
 * @rect: what the picture shows of it
 * @width, @height: of the picture
 */
typedef struct {
    BgCamera camera;
    gboolean mirrored;
    BgFusionRect rect;
    int width, height;
} BgFusionGrid;

/**
 * BgFusionOutline:
 * @label, @name, @rgb: as of its table
 * @lines: (transfer full): in the picture's pixels, centres at integers; a line ends with its first point
 */
typedef struct {
    guint32 label;
    char name[64];
    double rgb[3];
    BgContours *lines;
} BgFusionOutline;

void bg_fusion_outline_free(BgFusionOutline *outline);

/** BgFusionLabels: the visible labels of a map, made ready for any number of cameras. Immutable */
typedef struct _BgFusionLabels BgFusionLabels;

/**
 * bg_fusion_labels_new:
 * @table: which are visible, and their colours; what is not in it is not visible
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgFusionLabels *bg_fusion_labels_new(const BgLabelMap *map, const BgLabelTable *table,
                                     GCancellable *cancellable, GError **error);
void bg_fusion_labels_free(BgFusionLabels *labels);

/** bg_fusion_labels_count_left_out: visible labels beyond BG_FUSION_MAX_OUTLINES: these get no line */
guint bg_fusion_labels_count_left_out(const BgFusionLabels *labels);

/**
 * bg_fusion_labels_outline:
 * @outlines: (element-type BgFusionOutline): one for each label that is seen is added
 *
 * Round the pixels whose line of sight goes through a voxel of the label, exactly: all of it, that
 * which other tissue, a crop or another label hides from the camera too. What ends at the picture's
 * edge is closed along it.
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
gboolean bg_fusion_labels_outline(const BgFusionLabels *labels, const BgFusionGrid *grid,
                                  GPtrArray *outlines, GCancellable *cancellable, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgFusionLabels, bg_fusion_labels_free)

G_END_DECLS
