// SPDX-License-Identifier: Apache-2.0
#include "bg-iso-plan.h"
#include "bg-iso-private.h"
#include "bg-marching-table.h"
#include "bg-mesh-normals.h"

#include <string.h>

G_STATIC_ASSERT(sizeof(BgIsoOpCase) == sizeof(BgMarchingCase));
G_STATIC_ASSERT(G_STRUCT_OFFSET(BgIsoOpCase, edges) == G_STRUCT_OFFSET(BgMarchingCase, edges));

static void
set_ranges(BgIsoOp *op, gboolean open_border)
{
    int edge = open_border ? 1 : 0;

    op->n_words = (op->dims[0] + 2 + 63) / 64;
    op->n_rows = op->dims[1] + 2;
    op->n_slices = op->dims[2] + 2;
    op->first_cell = op->first_row = op->first_slice = op->first_voxel = edge;
    op->last_cell = op->dims[0] - edge;
    op->last_row = op->dims[1] - edge;
    op->last_slice = op->dims[2] - edge;
    op->last_voxel = op->dims[0] + 1 - edge;
}

gboolean
bg_iso_plan_init(BgIsoPlan *plan, BgVolume *volume, const BgIsoParams *params, GError **error)
{
    BgMarchingCase table[256];
    BgIsoField field;

    if (!bg_iso_check(bg_volume_get_geometry(volume), params, error))
        return FALSE;
    bg_iso_field_init(&field, volume, params);
    *plan = (BgIsoPlan){ .normals = params->normals };
    plan->op = (BgIsoOp){
        .type = bg_volume_get_format(volume).type,
        .flip = field.test.flip != 0,
        .at_most = field.test.at_most,
        .bound = field.test.bound,
        .level_sample = field.test.level,
        .level = field.level,
        .margin = field.margin,
        .row = field.row,
        .slice = field.slice,
    };
    memcpy(plan->op.dims, field.dims, sizeof plan->op.dims);
    memcpy(plan->op.low, field.low, sizeof plan->op.low);
    plan->op.first = (gsize) field.low[0] + field.row * (gsize) field.low[1] +
                     field.slice * (gsize) field.low[2];
    memcpy(plan->op.patient_from_voxel, field.patient_from_voxel.m,
           sizeof plan->op.patient_from_voxel);
    set_ranges(&plan->op, params->open_border);
    bg_marching_table_init(table, &field.patient_from_voxel);
    memcpy(plan->table, table, sizeof plan->table);
    return TRUE;
}

gsize
bg_iso_plan_count_rows(const BgIsoPlan *plan)
{
    return (gsize) plan->op.n_rows * (gsize) plan->op.n_slices;
}

BgMesh *
bg_iso_plan_finish(const BgIsoPlan *plan, BgMeshData *data, GError **error)
{
    if (plan->normals && !bg_mesh_data_compute_normals(data, error)) {
        bg_mesh_data_clear(data);
        return NULL;
    }
    return bg_mesh_new_take(data, error);
}
