// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"
#include "core/model/bg-mesh.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/**
 * BgIsoParams:
 * @iso: in the volume's unit (slope and intercept applied); finite
 * @normals: add one unit normal a vertex, by bg_mesh_compute_normals()
 * @open_border: leave the surface open where it meets the border of the volume or of the box.
 *   %FALSE closes it there, half a voxel outside the last voxels' centres
 * @use_box: only the voxels @box_low..@box_high
 * @box_low, @box_high: voxel indices, both inside the box and inside the volume
 *
 * A plain value; zeros are sensible defaults for all but @iso.
 */
typedef struct {
    double iso;
    gboolean normals;
    gboolean open_border;
    gboolean use_box;
    int box_low[3], box_high[3];
} BgIsoParams;

/**
 * bg_isosurface:
 * @progress: (nullable)
 * @cancellable: (nullable)
 *
 * The surface between voxels with a value >= iso, which are inside, and the others. NaN is outside.
 * Marching cubes with a face rule that leaves no holes: with a closed border each edge belongs to
 * exactly two triangles, with opposite directions. Crossings are linear along grid edges and kept
 * 1e-3 of the edge (more, where a float's resolution at this distance from the origin asks for it)
 * off the voxel centres, so no triangle has zero area; next to a sample that is not finite they are
 * in the middle. Triangles are counter-clockwise seen from outside (lower values), on mirrored grids
 * too. The result does not depend on the number of threads.
 *
 * Returns: (transfer full): LPS millimetres, empty when nothing is crossed; or %NULL with
 *   %BG_ERROR_INVALID when iso is not finite or the box is not inside the volume,
 *   %BG_ERROR_UNSUPPORTED when there are 2^32 vertices or more, %BG_ERROR_NO_MEMORY, or
 *   %G_IO_ERROR_CANCELLED
 */
BgMesh *bg_isosurface(BgVolume *volume, const BgIsoParams *params, const BgProgress *progress,
                      GCancellable *cancellable, GError **error);

G_END_DECLS
