// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"
#include "core/model/bg-mesh.h"
#include "core/volume/bg-label-map.h"

G_BEGIN_DECLS

/**
 * BgLabelSurfaceParams:
 * @labels: (array length=n_labels) (nullable): label numbers, not 0, each once; %NULL for all that occur
 * @n_smooth_passes: windowed-sinc passes (see bg-mesh-smooth.h), pass band 0.1; 0 keeps the voxels'
 *   steps. BG_LABEL_SURFACE_PASSES is what the window and the command line start with
 * @normals: add one unit normal a vertex, by bg_mesh_compute_normals()
 *
 * A plain value.
 */
typedef struct {
    const guint32 *labels;
    gsize n_labels;
    guint n_smooth_passes;
    gboolean normals;
} BgLabelSurfaceParams;

#define BG_LABEL_SURFACE_PASSES 15

/**
 * bg_label_surface:
 * @progress: (nullable)
 * @cancellable: (nullable)
 *
 * The outer faces of labels: marching cubes on each label's own mask, crossings in the middle
 * between voxel centres, then smoothing. Each label is a closed surface of its own (where two
 * labels touch, both have a face), a group in the order of @params, named by its number.
 * Labels at the map's border are closed half a voxel outside.
 *
 * Returns: (transfer full): LPS millimetres; or %NULL with %BG_ERROR_INVALID when a label is 0,
 *   is named twice or does not occur in @labels (the message names it), %BG_ERROR_UNSUPPORTED when there
 *   are 2^32 vertices or more, %BG_ERROR_NO_MEMORY, or %G_IO_ERROR_CANCELLED
 */
BgMesh *bg_label_surface(BgLabelMap *labels, const BgLabelSurfaceParams *params,
                         const BgProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
