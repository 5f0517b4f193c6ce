// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"
#include "core/model/bg-mesh.h"

G_BEGIN_DECLS

/**
 * BgDecimateParams:
 * @ratio: the share of triangles that is KEPT, 0 < ratio <= 1
 * @max_error_mm: stop where the next step would go further than this from the surface; 0 or less
 *   for no such bound
 */
typedef struct {
    double ratio;
    double max_error_mm;
} BgDecimateParams;

/**
 * BgDecimateResult:
 * @error_mm: (out): the largest error that a step was estimated to make (quadric distance)
 */
typedef struct {
    double error_mm;
} BgDecimateResult;

/**
 * bg_mesh_decimate:
 * @result: (out) (nullable)
 * @progress: (nullable)
 * @cancellable: (nullable)
 *
 * Fewer triangles by edge collapse. A closed surface stays closed, an open border stays as it is, and
 * no edge gets more than two triangles. Each group is decimated on its own, to the same share, and keeps
 * its label. More triangles than asked for may be left where the surface allows no further step.
 * Normals, where there are some, are computed anew.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID when the ratio is out of range,
 *   %BG_ERROR_NO_MEMORY, or %G_IO_ERROR_CANCELLED
 */
BgMesh *bg_mesh_decimate(BgMesh *mesh, const BgDecimateParams *params, BgDecimateResult *result,
                         const BgProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
