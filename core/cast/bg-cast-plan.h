// SPDX-License-Identifier: Apache-2.0
// A picture made ready for a ray caster that is not the CPU's.
#pragma once

#include "bg-cast-op.h"
#include "bg-cast.h"

G_BEGIN_DECLS

/**
 * BgCastPlan:
 *
 * What bg_cast() finds out before it begins: checked parameters, tables of colour and opacity,
 * bricks that may be seen. Any thread, one at a time.
 */
typedef struct _BgCastPlan BgCastPlan;

/**
 * bg_cast_plan_new:
 *
 * Returns: (transfer full): or %NULL as bg_cast(); %BG_ERROR_UNSUPPORTED for what only the CPU draws:
 *   meshes, labels, no volume, ambient occlusion and paths
 */
BgCastPlan *bg_cast_plan_new(BgVolume *volume, const BgCastParams *params,
                             GCancellable *cancellable, GError **error);
void bg_cast_plan_free(BgCastPlan *plan);

/** bg_cast_plan_get_op: (transfer none): the picture's constants */
const BgCastOp *bg_cast_plan_get_op(const BgCastPlan *plan);

/** BgCastPlanTable: bytes to be copied to the device */
typedef struct {
    gconstpointer data; // borrowed
    gsize n_bytes;
} BgCastPlanTable;

/** bg_cast_plan_get_tables: @lut, @gradient, @distance: (out): as BgCastOpArrays; of size 0 where there is none */
void bg_cast_plan_get_tables(const BgCastPlan *plan, BgCastPlanTable *lut,
                             BgCastPlanTable *gradient, BgCastPlanTable *distance);

/**
 * bg_cast_plan_finish:
 * @colour: (transfer full): RGBA8, from bg_buffer_alloc()
 * @depth: (transfer full): float32, likewise
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_NO_MEMORY
 */
BgCastImage *bg_cast_plan_finish(const BgCastPlan *plan, guint8 *colour, float *depth,
                                 GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgCastPlan, bg_cast_plan_free)

G_END_DECLS
