// SPDX-License-Identifier: Apache-2.0
#include "bg-isosurface.h"

#include "bg-iso-private.h"
#include "bg-mesh-normals.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

gboolean
bg_iso_check(const BgGeometry *geometry, const BgIsoParams *params, GError **error)
{
    if (!isfinite(params->iso)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The surface's value is not a number. Give a finite one"));
        return FALSE;
    }
    for (int axis = 0; params->use_box && axis < 3; axis++) {
        int low = params->box_low[axis], high = params->box_high[axis];
        if (low < 0 || low > high || high >= geometry->dims[axis]) {
            g_set_error(
                error, BG_ERROR, BG_ERROR_INVALID,
                _("The box %d..%d along axis %d is not inside the volume. Keep it in 0..%d"), low,
                high, axis, geometry->dims[axis] - 1);
            return FALSE;
        }
    }
    return TRUE;
}

void
bg_iso_field_init(BgIsoField *field, BgVolume *volume, const BgIsoParams *params)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    BgSampleFormat format = bg_volume_get_format(volume);

    *field = (BgIsoField){
        .sample_size = bg_sample_type_size(format.type),
        .row = (gsize) geometry->dims[0],
        .slice = (gsize) geometry->dims[0] * (gsize) geometry->dims[1],
        .patient_from_voxel = geometry->patient_from_voxel,
        .open_border = params->open_border,
        .classify = bg_iso_classifier(format.type, FALSE),
        .gather = bg_iso_gather(format.type),
        .level = (params->iso - format.intercept) / format.slope,
    };
    for (int axis = 0; axis < 3; axis++) {
        field->low[axis] = params->use_box ? params->box_low[axis] : 0;
        field->dims[axis] = params->use_box ? params->box_high[axis] - params->box_low[axis] + 1
                                            : geometry->dims[axis];
    }
    field->samples = bg_volume_get_samples(volume);
    field->samples +=
        field->sample_size * ((gsize) field->low[0] + field->row * (gsize) field->low[1] +
                              field->slice * (gsize) field->low[2]);
    field->margin = bg_iso_margin(&field->patient_from_voxel, field->low, field->dims);
    bg_iso_test_init(&field->test, format.type, format.slope, format.intercept, params->iso);
}

BgMesh *
bg_isosurface(BgVolume *volume, const BgIsoParams *params, const BgProgress *progress,
              GCancellable *cancellable, GError **error)
{
    BgIsoField field;
    BgMeshData data = { 0 };

    g_return_val_if_fail(volume != NULL, NULL);
    g_return_val_if_fail(params != NULL, NULL);

    if (!bg_iso_check(bg_volume_get_geometry(volume), params, error))
        return NULL;

    bg_iso_field_init(&field, volume, params);
    if (!bg_iso_extract(&field, &data, progress, cancellable, error))
        return NULL;
    if (params->normals && !bg_mesh_data_compute_normals(&data, error)) {
        bg_mesh_data_clear(&data);
        return NULL;
    }
    return bg_mesh_new_take(&data, error);
}
