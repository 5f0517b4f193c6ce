// SPDX-License-Identifier: Apache-2.0
#include "core/volume/bg-volume.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <stdatomic.h>

struct _BgVolume {
    gatomicrefcount ref_count;
    guint64 serial;
    BgGeometry geometry;
    BgSampleFormat format;
    gconstpointer samples; // borrowed from owner
    GBytes *owner;         // owned
};

typedef struct {
    guint id;
    void (*func)(guint64 serial, gpointer user_data);
    gpointer user_data;
} Watch;

static GMutex watches_lock; // protects watches and last_watch_id, and is held while they are called
static GArray *watches;     // of Watch
static guint last_watch_id;

G_DEFINE_BOXED_TYPE(BgVolume, bg_volume, bg_volume_ref, bg_volume_unref)

static gboolean
check_format(const BgSampleFormat *format, GError **error)
{
    if (!isfinite(format->slope) || format->slope == 0.0 || !isfinite(format->intercept)) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("The image's scale is unusable: slope %g, intercept %g"), format->slope,
                    format->intercept);
        return FALSE;
    }
    return TRUE;
}

static gboolean
check_bytes(const BgGeometry *geometry, BgSampleType type, GBytes *bytes, GError **error)
{
    gsize size;
    gconstpointer data = g_bytes_get_data(bytes, &size);
    gsize sample_size = bg_sample_type_size(type);
    gsize n_voxels = bg_geometry_count_voxels(geometry); // < 2^48: dims are checked

    if (size / sample_size < n_voxels || (guintptr) data % sample_size != 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("The image promises %zu voxels and holds %zu"), n_voxels, size / sample_size);
        return FALSE;
    }
    return TRUE;
}

BgVolume *
bg_volume_new_bytes(const BgGeometry *geometry, BgSampleFormat format, GBytes *bytes,
                    GError **error)
{
    static _Atomic guint64 last_serial;

    g_return_val_if_fail(geometry != NULL, NULL);
    g_return_val_if_fail(bytes != NULL, NULL);

    if (!bg_geometry_check(geometry, error) || !check_format(&format, error) ||
        !check_bytes(geometry, format.type, bytes, error))
        return NULL;

    BgVolume *self = g_new0(BgVolume, 1);
    g_atomic_ref_count_init(&self->ref_count);
    self->serial = atomic_fetch_add(&last_serial, 1) + 1;
    self->geometry = *geometry;
    self->format = format;
    self->owner = g_bytes_ref(bytes);
    self->samples = g_bytes_get_data(bytes, NULL);

    return self;
}

BgVolume *
bg_volume_new_take(const BgGeometry *geometry, BgSampleFormat format, gpointer samples,
                   GError **error)
{
    g_return_val_if_fail(geometry != NULL, NULL);
    g_return_val_if_fail(samples != NULL, NULL);

    // The size is the caller's word; a geometry that fails has none, and is refused below.
    gsize n_bytes = bg_geometry_count_voxels(geometry) * bg_sample_type_size(format.type);
    g_autoptr(GBytes) bytes = g_bytes_new_with_free_func(samples, n_bytes, bg_voxels_free, samples);

    return bg_volume_new_bytes(geometry, format, bytes, error);
}

BgVolume *
bg_volume_new_at(BgVolume *volume, const BgGeometry *geometry, GError **error)
{
    g_return_val_if_fail(volume != NULL, NULL);
    g_return_val_if_fail(geometry != NULL, NULL);

    for (int axis = 0; axis < 3; axis++) {
        if (geometry->dims[axis] != volume->geometry.dims[axis]) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("A volume of %d voxels along axis %d cannot lie on a grid of %d"),
                        volume->geometry.dims[axis], axis, geometry->dims[axis]);
            return NULL;
        }
    }
    return bg_volume_new_bytes(geometry, volume->format, volume->owner, error);
}

BgVolume *
bg_volume_ref(BgVolume *volume)
{
    g_return_val_if_fail(volume != NULL, NULL);

    g_atomic_ref_count_inc(&volume->ref_count);
    return volume;
}

void
bg_volume_unref(BgVolume *volume)
{
    g_return_if_fail(volume != NULL);

    if (!g_atomic_ref_count_dec(&volume->ref_count))
        return;

    g_mutex_lock(&watches_lock);
    for (guint i = 0; watches != NULL && i < watches->len; i++) {
        const Watch *watch = &g_array_index(watches, Watch, i);
        watch->func(volume->serial, watch->user_data);
    }
    g_mutex_unlock(&watches_lock);

    g_bytes_unref(volume->owner);
    g_free(volume);
}

const BgGeometry *
bg_volume_get_geometry(const BgVolume *volume)
{
    return &volume->geometry;
}

BgSampleFormat
bg_volume_get_format(const BgVolume *volume)
{
    return volume->format;
}

gconstpointer
bg_volume_get_samples(const BgVolume *volume)
{
    return volume->samples;
}

gsize
bg_volume_get_n_bytes(const BgVolume *volume)
{
    return bg_geometry_count_voxels(&volume->geometry) * bg_sample_type_size(volume->format.type);
}

guint64
bg_volume_get_serial(const BgVolume *volume)
{
    return volume->serial;
}

// In double, and rounded once: a float intercept would cost a digit.
#define DEFINE_READ_ROW(TYPE, name, ctype)                                                        \
    static void read_row_##name(gconstpointer samples, gsize first, int n, BgSampleFormat format, \
                                float *row)                                                       \
    {                                                                                             \
        const ctype *from = (const ctype *) samples + first;                                      \
        for (int i = 0; i < n; i++)                                                               \
            row[i] = (float) ((double) from[i] * format.slope + format.intercept);                \
    }

BG_FOR_SAMPLE_TYPES(DEFINE_READ_ROW)

void
bg_volume_read_row(const BgVolume *volume, int j, int k, float *row)
{
    const int *dims = volume->geometry.dims;
    gsize first = (gsize) dims[0] * ((gsize) j + (gsize) dims[1] * (gsize) k);

    g_return_if_fail(j >= 0 && j < dims[1]);
    g_return_if_fail(k >= 0 && k < dims[2]);

#define CASE(TYPE, name, ctype)                                                \
    case TYPE:                                                                 \
        read_row_##name(volume->samples, first, dims[0], volume->format, row); \
        break;

    switch (volume->format.type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
}

double
bg_volume_get_value(const BgVolume *volume, int i, int j, int k)
{
    const int *dims = volume->geometry.dims;
    gsize index = (gsize) i + (gsize) dims[0] * ((gsize) j + (gsize) dims[1] * (gsize) k);
    double sample = 0.0;

    g_return_val_if_fail(i >= 0 && i < dims[0], 0.0);
    g_return_val_if_fail(j >= 0 && j < dims[1], 0.0);
    g_return_val_if_fail(k >= 0 && k < dims[2], 0.0);

#define CASE(TYPE, name, ctype)                            \
    case TYPE:                                             \
        sample = ((const ctype *) volume->samples)[index]; \
        break;

    switch (volume->format.type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
    return sample * volume->format.slope + volume->format.intercept;
}

gboolean
bg_volume_sample_linear(const BgVolume *volume, BgVec3 patient_mm, double *value)
{
    const BgGeometry *geometry = &volume->geometry;
    BgAffine voxel_from_patient = bg_geometry_voxel_from_patient(geometry);
    BgVec3 voxel = bg_affine_apply(&voxel_from_patient, patient_mm);
    int low[3], high[3];
    double weight[3];

    for (int axis = 0; axis < 3; axis++) {
        double at = bg_vec3_get(voxel, axis);
        int last = geometry->dims[axis] - 1;
        if (!(at >= -0.5 && at <= last + 0.5))
            return FALSE;
        at = CLAMP(at, 0.0, last);
        low[axis] = MIN((int) at, last);
        high[axis] = MIN(low[axis] + 1, last);
        weight[axis] = at - low[axis];
    }

    double sum = 0.0;
    for (int corner = 0; corner < 8; corner++) {
        double w = ((corner & 1) ? weight[0] : 1.0 - weight[0]) *
                   ((corner & 2) ? weight[1] : 1.0 - weight[1]) *
                   ((corner & 4) ? weight[2] : 1.0 - weight[2]);
        if (w > 0.0) // a NaN neighbour that does not count must not spread
            sum += w * bg_volume_get_value(volume, (corner & 1) ? high[0] : low[0],
                                           (corner & 2) ? high[1] : low[1],
                                           (corner & 4) ? high[2] : low[2]);
    }
    *value = sum;
    return TRUE;
}

guint
bg_volume_watch(void (*func)(guint64 serial, gpointer user_data), gpointer user_data)
{
    g_return_val_if_fail(func != NULL, 0);

    g_mutex_lock(&watches_lock);
    if (watches == NULL)
        watches = g_array_new(FALSE, FALSE, sizeof(Watch));
    Watch watch = { .id = ++last_watch_id, .func = func, .user_data = user_data };
    g_array_append_val(watches, watch);
    g_mutex_unlock(&watches_lock);
    return watch.id;
}

void
bg_volume_unwatch(guint id)
{
    g_mutex_lock(&watches_lock);
    for (guint i = 0; watches != NULL && i < watches->len; i++) {
        if (g_array_index(watches, Watch, i).id == id) {
            g_array_remove_index(watches, i);
            break;
        }
    }
    g_mutex_unlock(&watches_lock);
}

gpointer
bg_voxels_alloc(const BgGeometry *geometry, gsize sample_size, GError **error)
{
    g_return_val_if_fail(sample_size > 0, NULL);

    if (!bg_geometry_check(geometry, error))
        return NULL;
    return bg_buffer_alloc_items(bg_geometry_count_voxels(geometry), sample_size, error);
}

void
bg_voxels_free(gpointer voxels)
{
    bg_buffer_free(voxels);
}
