// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"
#include "core/model/bg-mesh.h"

G_BEGIN_DECLS

/**
 * BgSincParams:
 * @n_passes: 1..1000: the degree of the filter; each pass reaches one edge further
 * @pass_band: 0 < pass_band < 2: smaller is smoother; 0.1 is usual
 */
typedef struct {
    guint n_passes;
    double pass_band;
} BgSincParams;

/**
 * bg_mesh_smooth_sinc:
 * @progress: (nullable)
 * @cancellable: (nullable)
 *
 * Windowed-sinc smoothing (Taubin, Zhang and Golub, Optimal surface smoothing as filter design,
 * ECCV 1996; Hamming window): a low-pass filter of the positions that keeps the volume nearly.
 * Every neighbour weighs alike. Vertices on an open border, or where triangles face opposite ways,
 * stay where they are; sharp edges are not kept. The filter is normalised to leave a constant alone
 * and works relative to the mesh's middle, so the result does not depend on where the mesh
 * lies. Triangles and groups are kept; normals, where there are some, are computed anew.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID when a parameter is out of range,
 *   %BG_ERROR_NO_MEMORY, or %G_IO_ERROR_CANCELLED
 */
BgMesh *bg_mesh_smooth_sinc(BgMesh *mesh, const BgSincParams *params, const BgProgress *progress,
                            GCancellable *cancellable, GError **error);

/**
 * BgTaubinParams:
 * @n_passes: 1..1000: each is a step inwards by @lambda and one outwards by @mu
 * @lambda: 0 < lambda < 1; 0.5 is usual
 * @mu: -2 < mu < -lambda; -0.53 is usual
 */
typedef struct {
    guint n_passes;
    double lambda;
    double mu;
} BgTaubinParams;

/**
 * bg_mesh_smooth_taubin:
 * @progress: (nullable)
 * @cancellable: (nullable)
 *
 * Taubin's lambda|mu smoothing (A signal processing approach to fair surface design, SIGGRAPH 1995).
 * Borders, weights, normals and errors as bg_mesh_smooth_sinc().
 *
 * Returns: (transfer full) or %NULL with @error set
 */
BgMesh *bg_mesh_smooth_taubin(BgMesh *mesh, const BgTaubinParams *params,
                              const BgProgress *progress, GCancellable *cancellable,
                              GError **error);

G_END_DECLS
