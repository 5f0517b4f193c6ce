// SPDX-License-Identifier: Apache-2.0
#include "core/volume/bg-crop.h"

#include "bg-resample-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

BgVoxelBox
bg_voxel_box_all(const BgGeometry *geometry)
{
    const int *dims = geometry->dims;

    return (BgVoxelBox){ .last = { dims[0] - 1, dims[1] - 1, dims[2] - 1 } };
}

gboolean
bg_geometry_new_box(const BgGeometry *geometry, const BgVoxelBox *box, BgGeometry *part,
                    GError **error)
{
    BgGeometry new = *geometry;

    for (int axis = 0; axis < 3; axis++) {
        gint64 n = (gint64) box->last[axis] - box->first[axis] + 1;
        if (n < 1 || n > BG_VOLUME_MAX_DIM) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        // Translators: two voxel numbers, then 0, 1 or 2
                        _("The box from voxel %d to %d along axis %d cannot be cut out: give a "
                          "first number that is not above the last"),
                        box->first[axis], box->last[axis], axis);
            return FALSE;
        }
        new.dims[axis] = (int) n;
    }

    BgVec3 first = bg_vec3(box->first[0], box->first[1], box->first[2]);
    BgVec3 first_mm = bg_affine_apply(&geometry->patient_from_voxel, first);
    for (int axis = 0; axis < 3; axis++)
        new.patient_from_voxel.m[axis][3] = bg_vec3_get(first_mm, axis);
    *part = new;
    return TRUE;
}

// Copies what box and source share, and fills the rest: @fill is one sample of @size bytes.
static void
cut(const guint8 *source, const int source_dims[3], const BgVoxelBox *box, gsize size,
    gconstpointer fill, guint8 *result)
{
    gsize nx = (gsize) (box->last[0] - box->first[0] + 1);
    int from = MAX(box->first[0], 0), to = MIN(box->last[0], source_dims[0] - 1);
    guint8 *row = result;

    for (int k = box->first[2]; k <= box->last[2]; k++) {
        for (int j = box->first[1]; j <= box->last[1]; j++, row += nx * size) {
            gboolean shared =
                k >= 0 && k < source_dims[2] && j >= 0 && j < source_dims[1] && from <= to;
            gsize n_before = shared ? (gsize) (from - box->first[0]) : nx;
            gsize n_shared = shared ? (gsize) (to - from + 1) : 0;

            for (gsize i = 0; i < n_before; i++)
                memcpy(row + i * size, fill, size);
            for (gsize i = n_before + n_shared; i < nx; i++)
                memcpy(row + i * size, fill, size);
            if (shared) {
                gsize index = (gsize) from + (gsize) source_dims[0] *
                                                 ((gsize) j + (gsize) source_dims[1] * (gsize) k);
                memcpy(row + n_before * size, source + index * size, n_shared * size);
            }
        }
    }
}

BgVolume *
bg_volume_cut(BgVolume *volume, const BgVoxelBox *box, double fill_value, GError **error)
{
    BgGeometry part;

    g_return_val_if_fail(volume != NULL, NULL);
    g_return_val_if_fail(box != NULL, NULL);

    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    BgSampleFormat format = bg_volume_get_format(volume);
    float fill = bg_resample_fill(fill_value, format);
    guint8 fill_sample[sizeof(float)];

#define CASE(TYPE, name, ctype)                                       \
    case TYPE:                                                        \
        memcpy(fill_sample, &(ctype){ (ctype) fill }, sizeof(ctype)); \
        break;
    switch (format.type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE

    gsize size = bg_sample_type_size(format.type);
    if (!bg_geometry_new_box(geometry, box, &part, error))
        return NULL;
    gpointer samples = bg_voxels_alloc(&part, size, error);
    if (samples == NULL)
        return NULL;

    cut(bg_volume_get_samples(volume), geometry->dims, box, size, fill_sample, samples);
    return bg_volume_new_take(&part, format, samples, error);
}

BgLabelMap *
bg_label_map_cut(BgLabelMap *labels, const BgVoxelBox *box, GError **error)
{
    static const guint32 background = 0;
    BgGeometry part;

    g_return_val_if_fail(labels != NULL, NULL);
    g_return_val_if_fail(box != NULL, NULL);

    const BgGeometry *geometry = bg_label_map_get_geometry(labels);
    BgLabelType type = bg_label_map_get_label_type(labels);
    gsize size = bg_label_type_size(type);
    if (!bg_geometry_new_box(geometry, box, &part, error))
        return NULL;
    gpointer result = bg_voxels_alloc(&part, size, error);
    if (result == NULL)
        return NULL;

    cut(bg_label_map_get_labels(labels), geometry->dims, box, size, &background, result);
    return bg_label_map_new_take(&part, type, result, error);
}

BgVolume *
bg_volume_crop(BgVolume *volume, const BgVoxelBox *box, GError **error)
{
    g_return_val_if_fail(volume != NULL, NULL);
    g_return_val_if_fail(box != NULL, NULL);

    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    for (int axis = 0; axis < 3; axis++) {
        if (box->first[axis] < 0 || box->last[axis] >= geometry->dims[axis]) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        // Translators: two voxel numbers, 0, 1 or 2, then a voxel number
                        _("The box from voxel %d to %d along axis %d reaches outside of the "
                          "volume: give numbers in 0 to %d"),
                        box->first[axis], box->last[axis], axis, geometry->dims[axis] - 1);
            return NULL;
        }
    }
    return bg_volume_cut(volume, box, 0.0, error);
}

// Grows @box, which starts empty, around the wanted voxels of a row.
static void
grow(BgVoxelBox *box, const guint32 *row, int n, guint32 label, int j, int k)
{
    int first = 0, last = n - 1;

    while (first < n && (label == 0 ? row[first] == 0 : row[first] != label))
        first++;
    if (first == n)
        return;
    while (label == 0 ? row[last] == 0 : row[last] != label)
        last--;

    const int low[3] = { first, j, k }, high[3] = { last, j, k };
    for (int axis = 0; axis < 3; axis++) {
        box->first[axis] = MIN(box->first[axis], low[axis]);
        box->last[axis] = MAX(box->last[axis], high[axis]);
    }
}

gboolean
bg_label_map_bounds(BgLabelMap *labels, guint32 label, double margin_mm, BgVoxelBox *box,
                    GError **error)
{
    BgVoxelBox found = { { G_MAXINT, G_MAXINT, G_MAXINT }, { -1, -1, -1 } };

    g_return_val_if_fail(labels != NULL, FALSE);
    g_return_val_if_fail(box != NULL, FALSE);

    if (!(margin_mm >= 0.0 && isfinite(margin_mm))) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("A margin of %g mm cannot be used: give 0 or more"), margin_mm);
        return FALSE;
    }

    const BgGeometry *geometry = bg_label_map_get_geometry(labels);
    const int *dims = geometry->dims;
    g_autofree guint32 *row = g_new(guint32, (gsize) dims[0]);
    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            bg_label_map_read_row(labels, j, k, row);
            grow(&found, row, dims[0], label, j, k);
        }
    }
    if (found.last[0] < 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    label == 0 ? _("The segmentation is empty (label %u alone): choose another")
                               : _("Label %u does not occur in the segmentation: choose another"),
                    label);
        return FALSE;
    }

    BgVec3 spacing_mm = bg_geometry_spacing_mm(geometry);
    for (int axis = 0; axis < 3; axis++) {
        double margin = ceil(margin_mm / bg_vec3_get(spacing_mm, axis) - 1e-9);
        int n = (int) MIN(margin, (double) BG_VOLUME_MAX_DIM);
        box->first[axis] = MAX(found.first[axis] - n, 0);
        box->last[axis] = MIN(found.last[axis] + n, dims[axis] - 1);
    }
    return TRUE;
}
