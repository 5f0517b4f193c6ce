// SPDX-License-Identifier: Apache-2.0
#include "bg-load-part.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

BgLoadPart
bg_load_part_all(const int dims[3])
{
    BgLoadPart part = { .step = { 1, 1, 1 } };

    for (int axis = 0; axis < 3; axis++)
        part.last[axis] = dims[axis] - 1;
    return part;
}

gboolean
bg_load_part_is_whole(const BgLoadPart *part, const int dims[3])
{
    if (part->step[0] == 0)
        return TRUE;
    for (int axis = 0; axis < 3; axis++)
        if (part->first[axis] != 0 || part->last[axis] != dims[axis] - 1 || part->step[axis] != 1)
            return FALSE;
    return TRUE;
}

gboolean
bg_load_part_check(const BgLoadPart *part, const int dims[3], GError **error)
{
    if (part->step[0] == 0)
        return TRUE;
    for (int axis = 0; axis < 3; axis++) {
        if (part->step[axis] >= 1 && part->first[axis] >= 0 &&
            part->first[axis] <= part->last[axis] && part->last[axis] < dims[axis])
            continue;
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    // Translators: two voxel numbers, a step, an axis (0, 1 or 2), a voxel number
                    _("Voxels %d to %d in steps of %d along axis %d cannot be read: give numbers "
                      "from 0 to %d and a step of at least 1"),
                    part->first[axis], part->last[axis], part->step[axis], axis, dims[axis] - 1);
        return FALSE;
    }
    return TRUE;
}

void
bg_load_part_dims(const BgLoadPart *part, const int dims[3], int part_dims[3])
{
    for (int axis = 0; axis < 3; axis++)
        part_dims[axis] = part->step[0] == 0
                              ? dims[axis]
                              : (part->last[axis] - part->first[axis]) / part->step[axis] + 1;
}

BgGeometry
bg_load_part_geometry(const BgLoadPart *part, const BgGeometry *whole)
{
    BgGeometry geometry = *whole;

    if (part->step[0] == 0)
        return geometry;
    BgVec3 first = bg_vec3(part->first[0], part->first[1], part->first[2]);
    BgVec3 first_mm = bg_affine_apply(&whole->patient_from_voxel, first);
    for (int row = 0; row < 3; row++) {
        for (int axis = 0; axis < 3; axis++)
            geometry.patient_from_voxel.m[row][axis] *= part->step[axis];
        geometry.patient_from_voxel.m[row][3] = bg_vec3_get(first_mm, row);
    }
    bg_load_part_dims(part, whole->dims, geometry.dims);
    return geometry;
}

#define PICK(ctype)               \
    for (gsize i = 0; i < n; i++) \
        memcpy(to + i * sizeof(ctype), from + i * step * size, sizeof(ctype)); // of any alignment

static void
pick_row(const guint8 *from, gsize step, gsize size, guint8 *to, gsize n)
{
    if (step == 1) {
        memcpy(to, from, n * size);
        return;
    }
    switch (size) {
    case 1:
        PICK(guint8)
        break;
    case 2:
        PICK(guint16)
        break;
    case 4:
        PICK(guint32)
        break;
    default:
        for (gsize i = 0; i < n; i++)
            memcpy(to + i * size, from + i * step * size, size);
    }
}

void
bg_load_part_pick(const BgLoadPart *part, const int dims[3], gconstpointer slice, gsize size,
                  gpointer out)
{
    const guint8 *from = slice;
    guint8 *to = out;
    int n[3];

    bg_load_part_dims(part, dims, n);
    gsize row_bytes = (gsize) n[0] * size;
    for (int j = 0; j < n[1]; j++, to += row_bytes) {
        gsize row = (gsize) (part->first[1] + j * part->step[1]) * (gsize) dims[0];
        pick_row(from + (row + (gsize) part->first[0]) * size, (gsize) part->step[0], size, to,
                 (gsize) n[0]);
    }
}

static gpointer
cut(const BgLoadPart *part, const BgGeometry *whole, const BgGeometry *wanted,
    const guint8 *samples, gsize size, GError **error)
{
    guint8 *out = bg_voxels_alloc(wanted, size, error);
    gsize slice_bytes = (gsize) whole->dims[0] * (gsize) whole->dims[1] * size;
    gsize part_bytes = (gsize) wanted->dims[0] * (gsize) wanted->dims[1] * size;

    for (int k = 0; out != NULL && k < wanted->dims[2]; k++)
        bg_load_part_pick(part, whole->dims,
                          samples + (gsize) (part->first[2] + k * part->step[2]) * slice_bytes,
                          size, out + (gsize) k * part_bytes);
    return out;
}

gboolean
bg_load_part_cut(const BgLoadPart *part, BgVolume **volume, BgLabelMap **labels, GError **error)
{
    if (*volume != NULL) {
        const BgGeometry *whole = bg_volume_get_geometry(*volume);
        BgSampleFormat format = bg_volume_get_format(*volume);
        BgGeometry wanted = bg_load_part_geometry(part, whole);
        gpointer samples = cut(part, whole, &wanted, bg_volume_get_samples(*volume),
                               bg_sample_type_size(format.type), error);
        g_clear_pointer(volume, bg_volume_unref);
        *volume = samples != NULL ? bg_volume_new_take(&wanted, format, samples, error) : NULL;
        return *volume != NULL;
    }
    if (*labels != NULL) {
        const BgGeometry *whole = bg_label_map_get_geometry(*labels);
        BgLabelType type = bg_label_map_get_label_type(*labels);
        BgGeometry wanted = bg_load_part_geometry(part, whole);
        gpointer values = cut(part, whole, &wanted, bg_label_map_get_labels(*labels),
                              bg_label_type_size(type), error);
        g_clear_pointer(labels, bg_label_map_unref);
        *labels = values != NULL ? bg_label_map_new_take(&wanted, type, values, error) : NULL;
        return *labels != NULL;
    }
    return TRUE;
}
