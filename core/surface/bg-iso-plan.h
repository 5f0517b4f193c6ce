// SPDX-License-Identifier: Apache-2.0
// An isosurface made ready for an extractor that is not the CPU's.
#pragma once

#include "bg-iso-op.h"
#include "bg-isosurface.h"

G_BEGIN_DECLS

/** BgIsoPlan: what bg_isosurface() finds out before it begins. A plain value */
typedef struct {
    BgIsoOp op;
    BgIsoOpCase table[256];
    gboolean normals;
} BgIsoPlan;

/** bg_iso_plan_init: Returns: %FALSE as bg_isosurface() for its parameters */
gboolean bg_iso_plan_init(BgIsoPlan *plan, BgVolume *volume, const BgIsoParams *params,
                          GError **error);

/** bg_iso_plan_count_rows: of the padded grid, in all slices */
gsize bg_iso_plan_count_rows(const BgIsoPlan *plan);

/**
 * bg_iso_sum_counts:
 * @starts: n_rows counts, and one more entry; become running sums
 *
 * Returns: %FALSE with %BG_ERROR_UNSUPPORTED when there are 2^32 vertices or triangles, or more
 */
gboolean bg_iso_sum_counts(BgIsoOpStart *starts, gsize n_rows, gsize *n_vertices,
                           gsize *n_triangles, GError **error);

/**
 * bg_iso_plan_finish:
 * @data: positions and triangles; its arrays are taken, on failure freed
 *
 * Returns: (transfer full): or %NULL as bg_isosurface()
 */
BgMesh *bg_iso_plan_finish(const BgIsoPlan *plan, BgMeshData *data, GError **error);

G_END_DECLS
