// SPDX-License-Identifier: Apache-2.0
#include "bg-volume-warp.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"
#include "core/volume/bg-resample-op.h"

#include <stdatomic.h>
#include <string.h>

#define STEP 2 // voxels between places where the spline is inverted
#define EDGE 2 // cells about a centre in which it is inverted everywhere

// Where a place of the fixed frame comes from; NaN: from nowhere. Voxels of the moving volume.
typedef struct {
    double x, y, z;
} From;

typedef struct {
    const BgTransform *transform;
    BgAffine patient_from_target, voxel_from_moving;
    int dims[3], from_dims[3];
    int n[3];          // nodes along each axis
    From *nodes;       // owned
    guint8 *exact;     // owned: cells that a centre is near to
    BgSampleType type; // of both
    gconstpointer moving;
    gpointer out;
    float outside; // a sample
    gboolean is_spline;
    const BgProgress *progress;
    atomic_size_t n_done;
} Warp;

static From
from_of(const Warp *warp, double i, double j, double k)
{
    BgVec3 fixed = bg_affine_apply(&warp->patient_from_target, bg_vec3(i, j, k)), moving;

    if (!bg_transform_apply_inverse(warp->transform, fixed, &moving))
        return (From){ (double) NAN, (double) NAN, (double) NAN };
    BgVec3 voxel = bg_affine_apply(&warp->voxel_from_moving, moving);
    return (From){ voxel.x, voxel.y, voxel.z };
}

static void
fill_nodes(gsize first, gsize last, guint worker, gpointer user_data)
{
    Warp *warp = user_data;
    gsize row = (gsize) warp->n[0], plane = row * (gsize) warp->n[1];

    for (gsize at = first; at < last; at++)
        warp->nodes[at] =
            from_of(warp, (double) (at % row) * STEP,
                    (double) (at / row % (gsize) warp->n[1]) * STEP, (double) (at / plane) * STEP);
}

// The cells around each centre's place.
static void
mark_edges(Warp *warp)
{
    const BgVec3 *centres = bg_transform_get_centres(warp->transform);
    BgAffine target_from_patient;

    bg_affine_invert(&warp->patient_from_target, &target_from_patient);
    for (gsize c = 0; c < bg_transform_count_centres(warp->transform); c++) {
        BgVec3 at =
            bg_affine_apply(&target_from_patient, bg_transform_apply(warp->transform, centres[c]));
        int low[3], high[3];
        for (int axis = 0; axis < 3; axis++) {
            double cell = floor(bg_vec3_get(at, axis) / STEP);
            low[axis] = (int) CLAMP(cell - EDGE, 0.0, warp->n[axis]);
            high[axis] = (int) CLAMP(cell + EDGE, -1.0, warp->n[axis] - 1.0);
        }
        for (int k = low[2]; k <= high[2]; k++)
            for (int j = low[1]; j <= high[1]; j++)
                for (int i = low[0]; i <= high[0]; i++)
                    warp->exact[((gsize) k * (gsize) warp->n[1] + (gsize) j) * (gsize) warp->n[0] +
                                (gsize) i] = 1;
    }
}

static From
between(From a, From b, double f)
{
    return (From){ a.x + f * (b.x - a.x), a.y + f * (b.y - a.y), a.z + f * (b.z - a.z) };
}

static From
interpolate(const Warp *warp, const From *cell, double x, double y, double z)
{
    gsize row = (gsize) warp->n[0], plane = row * (gsize) warp->n[1];
    From low = between(between(cell[0], cell[1], x), between(cell[row], cell[row + 1], x), y);
    From high = between(between(cell[plane], cell[plane + 1], x),
                        between(cell[plane + row], cell[plane + row + 1], x), y);

    return between(low, high, z);
}

static float
sample_at(const Warp *warp, From at)
{
    const double place[3] = { at.x, at.y, at.z };

    for (int axis = 0; axis < 3; axis++)
        if (!(place[axis] >= -0.5) || place[axis] > warp->from_dims[axis] - 0.5) // NaN, too
            return warp->outside;
    switch (warp->type) {
#define CASE(TYPE, name, ctype) \
    case TYPE:                  \
        return bg_resample_linear_##name(warp->moving, warp->from_dims, at.x, at.y, at.z);
        BG_FOR_SAMPLE_TYPES(CASE)
#undef CASE
    }
    return warp->outside;
}

static void
put(const Warp *warp, gsize at, float sample)
{
    switch (warp->type) {
    case BG_SAMPLE_UINT8:
        ((guint8 *) warp->out)[at] = (guint8) bg_resample_round(sample, 0, G_MAXUINT8);
        break;
    case BG_SAMPLE_INT8:
        ((gint8 *) warp->out)[at] = (gint8) bg_resample_round(sample, G_MININT8, G_MAXINT8);
        break;
    case BG_SAMPLE_INT16:
        ((gint16 *) warp->out)[at] = (gint16) bg_resample_round(sample, G_MININT16, G_MAXINT16);
        break;
    case BG_SAMPLE_UINT16:
        ((guint16 *) warp->out)[at] = (guint16) bg_resample_round(sample, 0, G_MAXUINT16);
        break;
    case BG_SAMPLE_FLOAT32:
        ((float *) warp->out)[at] = sample;
        break;
    }
}

static void
warp_row(const Warp *warp, int j, int k)
{
    gsize to = ((gsize) k * (gsize) warp->dims[1] + (gsize) j) * (gsize) warp->dims[0];
    gsize corner =
        ((gsize) (k / STEP) * (gsize) warp->n[1] + (gsize) (j / STEP)) * (gsize) warp->n[0];
    double y = j % STEP / (double) STEP, z = k % STEP / (double) STEP;

    for (int i = 0; i < warp->dims[0]; i++) {
        gsize cell = corner + (gsize) (i / STEP);
        From at = !warp->is_spline || warp->exact[cell]
                      ? from_of(warp, i, j, k)
                      : interpolate(warp, warp->nodes + cell, i % STEP / (double) STEP, y, z);
        put(warp, to + (gsize) i, sample_at(warp, at));
    }
}

static void
warp_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    Warp *warp = user_data;
    gsize n_rows = (gsize) warp->dims[1] * (gsize) warp->dims[2];

    for (gsize row = first; row < last; row++)
        warp_row(warp, (int) (row % (gsize) warp->dims[1]), (int) (row / (gsize) warp->dims[1]));
    gsize done = atomic_fetch_add(&warp->n_done, last - first) + (last - first);
    bg_progress_report(warp->progress, 0.2 + 0.8 * (double) done / (double) n_rows);
}

// The lowest sample of all; NaN does not count.
static float
lowest_sample(BgVolume *volume)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    BgSampleFormat format = bg_volume_get_format(volume);
    g_autofree float *row = g_new(float, geometry->dims[0]);
    double lowest = HUGE_VAL;

    for (int k = 0; k < geometry->dims[2]; k++)
        for (int j = 0; j < geometry->dims[1]; j++) {
            bg_volume_read_row(volume, j, k, row);
            for (int i = 0; i < geometry->dims[0]; i++)
                if (isfinite(row[i]))
                    lowest = fmin(lowest, (double) row[i]);
        }
    return isfinite(lowest) ? (float) ((lowest - format.intercept) / format.slope) : 0.0f;
}

static gboolean
prepare(Warp *warp, GCancellable *cancellable, GError **error)
{
    gsize n = 1;

    if (!warp->is_spline)
        return TRUE;
    for (int axis = 0; axis < 3; axis++) {
        warp->n[axis] = (warp->dims[axis] - 1) / STEP + 2;
        n *= (gsize) warp->n[axis];
    }
    warp->nodes = bg_buffer_alloc_items(n, sizeof(From), error);
    warp->exact = warp->nodes != NULL ? bg_buffer_alloc_items(n, 1, error) : NULL;
    if (warp->exact == NULL)
        return FALSE;
    memset(warp->exact, 0, n);
    mark_edges(warp);
    if (bg_parallel_for(n, 256, fill_nodes, warp, cancellable))
        return TRUE;
    g_cancellable_set_error_if_cancelled(cancellable, error);
    return FALSE;
}

BgVolume *
bg_volume_warp(BgVolume *moving, const BgTransform *fixed_from_moving, const BgGeometry *target,
               const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const BgGeometry *from = bg_volume_get_geometry(moving);
    BgSampleFormat format = bg_volume_get_format(moving);
    Warp warp = { .transform = fixed_from_moving,
                  .patient_from_target = target->patient_from_voxel,
                  .voxel_from_moving = bg_geometry_voxel_from_patient(from),
                  .type = format.type,
                  .moving = bg_volume_get_samples(moving),
                  .is_spline = bg_transform_get_model(fixed_from_moving) == BG_TRANSFORM_TPS,
                  .progress = progress };
    BgVolume *volume = NULL;

    if (bg_transform_count_axes(fixed_from_moving) != 3) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The volume cannot be bent: the transform is of pictures, not of "
                              "patients. Choose one of patients"));
        return NULL;
    }
    if (!bg_geometry_check(target, error))
        return NULL;
    memcpy(warp.dims, target->dims, sizeof warp.dims);
    memcpy(warp.from_dims, from->dims, sizeof warp.from_dims);
    warp.out = bg_voxels_alloc(target, bg_sample_type_size(format.type), error);
    if (warp.out == NULL)
        return NULL;
    warp.outside = lowest_sample(moving);
    if (prepare(&warp, cancellable, error)) {
        bg_progress_report(progress, 0.2);
        if (bg_parallel_for((gsize) warp.dims[1] * (gsize) warp.dims[2], 4, warp_rows, &warp,
                            cancellable))
            volume = bg_volume_new_take(target, format, g_steal_pointer(&warp.out), error);
        else
            g_cancellable_set_error_if_cancelled(cancellable, error);
    }
    g_clear_pointer(&warp.out, bg_voxels_free);
    g_clear_pointer(&warp.nodes, bg_buffer_free);
    g_clear_pointer(&warp.exact, bg_buffer_free);
    return volume;
}
