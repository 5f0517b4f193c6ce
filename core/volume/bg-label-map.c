// SPDX-License-Identifier: Apache-2.0
#include "core/volume/bg-label-map.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/volume/bg-label-runs.h"

#include <stdatomic.h>
#include <string.h>

#define WHOLE_WITHIN 1e-3 // how far from a whole number a stored label may be

struct _BgLabelMap {
    gatomicrefcount ref_count;
    guint64 serial;
    BgGeometry geometry;
    BgLabelType type;
    gconstpointer labels; // borrowed from owner
    GBytes *owner;        // owned
    gpointer own; // the labels of a map that was edited, which it may be edited in; else NULL
    gint lent;    // atomic: somebody else has a reference of the owner
};

G_DEFINE_BOXED_TYPE(BgLabelMap, bg_label_map, bg_label_map_ref, bg_label_map_unref)

BgLabelMap *
bg_label_map_new_bytes(const BgGeometry *geometry, BgLabelType type, GBytes *bytes, GError **error)
{
    static _Atomic guint64 last_serial;

    g_return_val_if_fail(geometry != NULL, NULL);
    g_return_val_if_fail(bytes != NULL, NULL);

    if (!bg_geometry_check(geometry, error))
        return NULL;
    gsize size, label_size = bg_label_type_size(type);
    gconstpointer labels = g_bytes_get_data(bytes, &size);
    gsize n_voxels = bg_geometry_count_voxels(geometry); // < 2^48: dims are checked
    if (size / label_size < n_voxels || (guintptr) labels % label_size != 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("The image promises %zu voxels and holds %zu"), n_voxels, size / label_size);
        return NULL;
    }

    BgLabelMap *self = g_new0(BgLabelMap, 1);
    g_atomic_ref_count_init(&self->ref_count);
    self->serial = atomic_fetch_add(&last_serial, 1) + 1;
    self->geometry = *geometry;
    self->type = type;
    self->labels = labels;
    self->owner = g_bytes_ref(bytes);
    return self;
}

BgLabelMap *
bg_label_map_new_take(const BgGeometry *geometry, BgLabelType type, gpointer labels, GError **error)
{
    g_return_val_if_fail(geometry != NULL, NULL);
    g_return_val_if_fail(labels != NULL, NULL);

    // The size is the caller's word; a geometry that fails has none, and is refused.
    gsize n_bytes = bg_geometry_count_voxels(geometry) * bg_label_type_size(type);
    g_autoptr(GBytes) bytes = g_bytes_new_with_free_func(labels, n_bytes, bg_voxels_free, labels);

    return bg_label_map_new_bytes(geometry, type, bytes, error);
}

BgLabelMap *
bg_label_map_new_at(BgLabelMap *labels, const BgGeometry *geometry, GError **error)
{
    g_return_val_if_fail(labels != NULL, NULL);
    g_return_val_if_fail(geometry != NULL, NULL);

    for (int axis = 0; axis < 3; axis++) {
        if (geometry->dims[axis] != labels->geometry.dims[axis]) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("A label map of %d voxels along axis %d cannot lie on a grid of %d"),
                        labels->geometry.dims[axis], axis, geometry->dims[axis]);
            return NULL;
        }
    }
    g_atomic_int_set(&labels->lent, 1);
    return bg_label_map_new_bytes(geometry, labels->type, labels->owner, error);
}

static void
write_runs(gpointer labels, BgLabelType type, const GArray *runs, gboolean reverse)
{
    for (guint r = 0; r < runs->len; r++) {
        const BgLabelRun *run = &g_array_index(runs, BgLabelRun, r);
        guint32 label = reverse ? run->from : run->to;

#define CASE(TYPE, name, ctype)                                 \
    case TYPE:                                                  \
        for (gsize v = 0; v < run->length; v++)                 \
            ((ctype *) labels)[run->first + v] = (ctype) label; \
        break;
        switch (type) {
            BG_FOR_LABEL_TYPES(CASE)
        }
#undef CASE
    }
}

// Whether its memory may be written to: nobody else can see it.
static gboolean
is_free(const BgLabelMap *spare, const BgLabelMap *map)
{
    return spare != NULL && spare != map && spare->own != NULL && spare->type == map->type &&
           bg_label_map_get_n_bytes(spare) == bg_label_map_get_n_bytes(map) &&
           g_atomic_int_get(&spare->lent) == 0 &&
           g_atomic_ref_count_compare((gatomicrefcount *) &spare->ref_count, 1);
}

BgLabelMap *
bg_label_map_new_edited(BgLabelMap *map, const BgLabelEdit *edit, BgLabelMap *spare,
                        const BgLabelEdit *behind, GError **error)
{
    g_return_val_if_fail(map != NULL && edit != NULL, NULL);

    g_autoptr(BgLabelMap) old = spare;
    g_autoptr(GArray) missing = NULL;
    g_autoptr(GArray) runs = bg_label_runs_unpack(edit->runs, &map->geometry, map->type, error);
    if (runs == NULL)
        return NULL;
    if (is_free(old, map) && behind != NULL)
        missing = bg_label_runs_unpack(behind->runs, &map->geometry, map->type, NULL);

    gpointer labels = missing != NULL
                          ? old->own
                          : bg_voxels_alloc(&map->geometry, bg_label_type_size(map->type), error);
    if (labels == NULL)
        return NULL;
    if (missing != NULL)
        write_runs(labels, map->type, missing, behind->reverse);
    else
        memcpy(labels, map->labels, bg_label_map_get_n_bytes(map));
    write_runs(labels, map->type, runs, edit->reverse);

    BgLabelMap *edited = missing != NULL
                             ? bg_label_map_new_bytes(&map->geometry, map->type, old->owner, error)
                             : bg_label_map_new_take(&map->geometry, map->type, labels, error);
    if (edited != NULL)
        edited->own = labels;
    return edited;
}

// In double: a float has no room for labels over 2^24.
static double
label_value(const BgVolume *volume, gsize index)
{
    BgSampleFormat format = bg_volume_get_format(volume);
    gconstpointer samples = bg_volume_get_samples(volume);
    double sample = 0.0;

#define CASE(TYPE, name, ctype)                    \
    case TYPE:                                     \
        sample = ((const ctype *) samples)[index]; \
        break;
    switch (format.type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
    return sample * format.slope + format.intercept;
}

static gboolean
find_largest(const BgVolume *volume, guint32 *largest, GError **error)
{
    gsize n_voxels = bg_geometry_count_voxels(bg_volume_get_geometry(volume));

    *largest = 0;
    for (gsize index = 0; index < n_voxels; index++) {
        double value = label_value(volume, index);
        // Written so that a NaN fails too.
        if (!(value >= -WHOLE_WITHIN && value <= (double) G_MAXUINT32) ||
            fabs(value - rint(value)) > WHOLE_WITHIN) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("The value %g is no label: labels are whole numbers from 0"), value);
            return FALSE;
        }
        *largest = MAX(*largest, (guint32) rint(fmax(value, 0.0)));
    }
    return TRUE;
}

BgLabelMap *
bg_label_map_new_from_volume(BgVolume *volume, GError **error)
{
    g_return_val_if_fail(volume != NULL, NULL);

    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    gsize n_voxels = bg_geometry_count_voxels(geometry);
    guint32 largest;

    if (!find_largest(volume, &largest, error))
        return NULL;

    BgLabelType type = largest <= G_MAXUINT8    ? BG_LABEL_UINT8
                       : largest <= G_MAXUINT16 ? BG_LABEL_UINT16
                                                : BG_LABEL_UINT32;
    gpointer labels = bg_voxels_alloc(geometry, bg_label_type_size(type), error);
    if (labels == NULL)
        return NULL;

#define CASE(TYPE, name, ctype)                                                            \
    case TYPE:                                                                             \
        for (gsize index = 0; index < n_voxels; index++)                                   \
            ((ctype *) labels)[index] = (ctype) rint(fmax(label_value(volume, index), 0)); \
        break;
    switch (type) {
        BG_FOR_LABEL_TYPES(CASE)
    }
#undef CASE
    return bg_label_map_new_take(geometry, type, labels, error);
}

BgVolume *
bg_label_map_to_volume(BgLabelMap *labels, GError **error)
{
    g_return_val_if_fail(labels != NULL, NULL);

    gsize n_voxels = bg_geometry_count_voxels(&labels->geometry);

    if (labels->type == BG_LABEL_UINT32) {
        float *samples = bg_voxels_alloc(&labels->geometry, sizeof(float), error);
        if (samples == NULL)
            return NULL;
        for (gsize index = 0; index < n_voxels; index++)
            samples[index] = (float) ((const guint32 *) labels->labels)[index];
        BgSampleFormat format = bg_sample_format_plain(BG_SAMPLE_FLOAT32);
        format.converted = TRUE; // over 2^24 not every whole number is a float
        return bg_volume_new_take(&labels->geometry, format, samples, error);
    }

    g_atomic_int_set(&labels->lent, 1);
    BgSampleType type = labels->type == BG_LABEL_UINT8 ? BG_SAMPLE_UINT8 : BG_SAMPLE_UINT16;
    return bg_volume_new_bytes(&labels->geometry, bg_sample_format_plain(type), labels->owner,
                               error);
}

BgLabelMap *
bg_label_map_ref(BgLabelMap *labels)
{
    g_return_val_if_fail(labels != NULL, NULL);

    g_atomic_ref_count_inc(&labels->ref_count);
    return labels;
}

void
bg_label_map_unref(BgLabelMap *labels)
{
    g_return_if_fail(labels != NULL);

    if (!g_atomic_ref_count_dec(&labels->ref_count))
        return;
    g_bytes_unref(labels->owner);
    g_free(labels);
}

const BgGeometry *
bg_label_map_get_geometry(const BgLabelMap *labels)
{
    return &labels->geometry;
}

BgLabelType
bg_label_map_get_label_type(const BgLabelMap *labels)
{
    return labels->type;
}

gconstpointer
bg_label_map_get_labels(const BgLabelMap *labels)
{
    return labels->labels;
}

gsize
bg_label_map_get_n_bytes(const BgLabelMap *labels)
{
    return bg_geometry_count_voxels(&labels->geometry) * bg_label_type_size(labels->type);
}

guint64
bg_label_map_get_serial(const BgLabelMap *labels)
{
    return labels->serial;
}

void
bg_label_map_read_row(const BgLabelMap *labels, int j, int k, guint32 *row)
{
    const int *dims = labels->geometry.dims;
    gsize first = (gsize) dims[0] * ((gsize) j + (gsize) dims[1] * (gsize) k);

    g_return_if_fail(j >= 0 && j < dims[1]);
    g_return_if_fail(k >= 0 && k < dims[2]);

#define CASE(TYPE, name, ctype)                                           \
    case TYPE:                                                            \
        for (int i = 0; i < dims[0]; i++)                                 \
            row[i] = ((const ctype *) labels->labels)[first + (gsize) i]; \
        break;
    switch (labels->type) {
        BG_FOR_LABEL_TYPES(CASE)
    }
#undef CASE
}

guint32
bg_label_map_get_label(const BgLabelMap *labels, int i, int j, int k)
{
    const int *dims = labels->geometry.dims;
    gsize index = (gsize) i + (gsize) dims[0] * ((gsize) j + (gsize) dims[1] * (gsize) k);

    g_return_val_if_fail(i >= 0 && i < dims[0], 0);
    g_return_val_if_fail(j >= 0 && j < dims[1], 0);
    g_return_val_if_fail(k >= 0 && k < dims[2], 0);

#define CASE(TYPE, name, ctype) \
    case TYPE:                  \
        return ((const ctype *) labels->labels)[index];
    switch (labels->type) {
        BG_FOR_LABEL_TYPES(CASE)
    }
#undef CASE
    return 0;
}

guint32
bg_label_map_sample_nearest(const BgLabelMap *labels, BgVec3 patient_mm)
{
    BgAffine voxel_from_patient = bg_geometry_voxel_from_patient(&labels->geometry);
    BgVec3 voxel = bg_affine_apply(&voxel_from_patient, patient_mm);
    int index[3];

    for (int axis = 0; axis < 3; axis++) {
        double at = floor(bg_vec3_get(voxel, axis) + 0.5);
        if (!(at >= 0.0 && at < labels->geometry.dims[axis]))
            return 0;
        index[axis] = (int) at;
    }
    return bg_label_map_get_label(labels, index[0], index[1], index[2]);
}

static int
compare_counts(gconstpointer a, gconstpointer b)
{
    guint32 first = ((const BgLabelCount *) a)->label, second = ((const BgLabelCount *) b)->label;

    return first < second ? -1 : first > second;
}

GArray *
bg_label_map_count(const BgLabelMap *labels)
{
    const int *dims = labels->geometry.dims;
    g_autofree guint32 *row = g_new(guint32, dims[0]);
    g_autofree gsize *small = g_new0(gsize, G_MAXUINT16 + 1);
    g_autoptr(GHashTable) large = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    GArray *counts = g_array_new(FALSE, FALSE, sizeof(BgLabelCount));

    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            bg_label_map_read_row(labels, j, k, row);
            for (int i = 0; i < dims[0]; i++) {
                if (row[i] <= G_MAXUINT16) {
                    small[row[i]]++;
                    continue;
                }
                gsize *n = g_hash_table_lookup(large, GUINT_TO_POINTER(row[i]));
                if (n == NULL) {
                    n = g_new0(gsize, 1);
                    g_hash_table_insert(large, GUINT_TO_POINTER(row[i]), n);
                }
                (*n)++;
            }
        }
    }

    for (guint32 label = 1; label <= G_MAXUINT16; label++) {
        BgLabelCount count = { label, small[label] };
        if (count.n_voxels > 0)
            g_array_append_val(counts, count);
    }
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, large);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        BgLabelCount count = { GPOINTER_TO_UINT(key), *(gsize *) value };
        g_array_append_val(counts, count);
    }
    g_array_sort(counts, compare_counts);
    return counts;
}
