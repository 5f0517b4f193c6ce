// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-pyramid-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"
#include "core/volume/bg-statistics.h"

#include <string.h>

#define N_PERCENTILE_BINS 4096
#define LOW_SHARE 0.001 // of voxels below the range that is looked at, and above it

// One step: blocks of @factor voxels of either a volume or a level.
typedef struct {
    BgVolume *volume;           // or
    const BgPyramidLevel *from; // the level below
    BgPyramidLevel *to;
    int factor[3];
    float least;    // takes the place of not-a-number
    float *scratch; // a row of the source for each worker
} Shrink;

static const float *
source_row(const Shrink *shrink, int j, int k, guint worker)
{
    if (shrink->from != NULL) {
        const int *dims = shrink->from->geometry.dims;
        return shrink->from->values + (gsize) dims[0] * ((gsize) j + (gsize) dims[1] * (gsize) k);
    }
    int nx = bg_volume_get_geometry(shrink->volume)->dims[0];
    float *row = shrink->scratch + (gsize) worker * (gsize) nx;
    bg_volume_read_row(shrink->volume, j, k, row);
    for (int i = 0; i < nx; i++)
        row[i] = isfinite(row[i]) ? row[i] : shrink->least;
    return row;
}

static void
add_row(const float *row, int factor, int n, float *sum)
{
    if (factor == 1) {
        for (int i = 0; i < n; i++)
            sum[i] += row[i];
    } else if (factor == 2) {
        for (int i = 0; i < n; i++)
            sum[i] += row[2 * i] + row[2 * i + 1];
    } else {
        for (int i = 0; i < n; i++)
            for (int f = 0; f < factor; f++)
                sum[i] += row[i * factor + f];
    }
}

static void
shrink_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Shrink *shrink = user_data;
    const int *dims = shrink->to->geometry.dims, *factor = shrink->factor;
    float scale = 1.0f / (float) (factor[0] * factor[1] * factor[2]);

    for (gsize r = first; r < last; r++) {
        int j = (int) (r % (gsize) dims[1]), k = (int) (r / (gsize) dims[1]);
        float *sum = shrink->to->values + r * (gsize) dims[0];
        memset(sum, 0, (gsize) dims[0] * sizeof(float));
        for (int fk = 0; fk < factor[2]; fk++)
            for (int fj = 0; fj < factor[1]; fj++)
                add_row(source_row(shrink, j * factor[1] + fj, k * factor[2] + fk, worker),
                        factor[0], dims[0], sum);
        for (int i = 0; i < dims[0]; i++)
            sum[i] *= scale;
    }
}

static BgGeometry
shrunk_geometry(const BgGeometry *from, const int factor[3])
{
    BgGeometry to = *from;

    for (int axis = 0; axis < 3; axis++) {
        double shift = 0.5 * (factor[axis] - 1);
        to.dims[axis] = from->dims[axis] / factor[axis];
        for (int row = 0; row < 3; row++) {
            to.patient_from_voxel.m[row][3] += shift * from->patient_from_voxel.m[row][axis];
            to.patient_from_voxel.m[row][axis] *= factor[axis];
        }
    }
    return to;
}

static gboolean
run_shrink(Shrink *shrink, GCancellable *cancellable, GError **error)
{
    const BgGeometry *from =
        shrink->from != NULL ? &shrink->from->geometry : bg_volume_get_geometry(shrink->volume);
    g_autofree float *scratch = NULL;

    shrink->to->geometry = shrunk_geometry(from, shrink->factor);
    shrink->to->values = bg_voxels_alloc(&shrink->to->geometry, sizeof(float), error);
    if (shrink->to->values == NULL)
        return FALSE;
    if (shrink->from == NULL)
        scratch = g_new(float, (gsize) from->dims[0] * bg_parallel_count_threads());
    shrink->scratch = scratch;
    gsize n_rows = (gsize) shrink->to->geometry.dims[1] * (gsize) shrink->to->geometry.dims[2];
    if (bg_parallel_for(n_rows, 64, shrink_rows, shrink, cancellable))
        return TRUE;
    g_cancellable_set_error_if_cancelled(cancellable, error);
    return FALSE;
}

static gboolean
find_least(BgVolume *volume, float *least, GCancellable *cancellable, GError **error)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    g_autofree float *row = g_new(float, (gsize) geometry->dims[0]);

    *least = 0.0f;
    if (bg_volume_get_format(volume).type != BG_SAMPLE_FLOAT32)
        return TRUE;
    *least = INFINITY;
    for (int k = 0; k < geometry->dims[2]; k++) {
        if (g_cancellable_set_error_if_cancelled(cancellable, error))
            return FALSE;
        for (int j = 0; j < geometry->dims[1]; j++) {
            bg_volume_read_row(volume, j, k, row);
            for (int i = 0; i < geometry->dims[0]; i++)
                if (isfinite(row[i]) && row[i] < *least)
                    *least = row[i];
        }
    }
    if (!isfinite(*least))
        *least = 0.0f;
    return TRUE;
}

static void
set_range(BgPyramid *pyramid)
{
    const BgPyramidLevel *level = &pyramid->levels[MIN(1, pyramid->n_levels - 1)];
    gsize n = bg_geometry_count_voxels(&level->geometry);
    float low = level->values[0], high = low;
    g_autofree gsize *bins = g_new0(gsize, N_PERCENTILE_BINS);
    gsize below = 0, above = 0;
    int first = 0, last = N_PERCENTILE_BINS - 1;

    for (gsize i = 0; i < n; i++) {
        low = MIN(low, level->values[i]);
        high = MAX(high, level->values[i]);
    }
    float scale = high > low ? (float) (N_PERCENTILE_BINS - 1) / (high - low) : 0.0f;
    for (gsize i = 0; i < n; i++)
        bins[(int) ((level->values[i] - low) * scale)]++;
    gsize share = (gsize) (LOW_SHARE * (double) n);
    while (first < last && (below += bins[first]) <= share)
        first++;
    while (last > first && (above += bins[last]) <= share)
        last--;
    pyramid->low = scale > 0.0f ? low + (float) first / scale : low;
    pyramid->high = scale > 0.0f ? low + (float) (last + 1) / scale : high;
}

double
bg_pyramid_level_spacing_mm(const BgPyramidLevel *level)
{
    return cbrt(bg_geometry_voxel_volume_mm3(&level->geometry));
}

static void
finest_factor(const BgGeometry *geometry, double finest_mm, int factor[3])
{
    BgVec3 spacing = bg_geometry_spacing_mm(geometry);

    for (int axis = 0; axis < 3; axis++) {
        double wanted = finest_mm > 0.0 ? round(finest_mm / bg_vec3_get(spacing, axis)) : 1.0;
        factor[axis] = (int) CLAMP(wanted, 1.0, (double) geometry->dims[axis]);
    }
}

// Twice as coarse, along the axes that are not coarser already, so that thick slices are not thickened.
static gboolean
next_factor(const BgGeometry *geometry, double coarsest_mm, int factor[3])
{
    BgVec3 spacing = bg_geometry_spacing_mm(geometry);
    double finest = fmin(spacing.x, fmin(spacing.y, spacing.z));
    gboolean any = FALSE;

    for (int axis = 0; axis < 3; axis++) {
        double mm = bg_vec3_get(spacing, axis);
        gboolean halve = mm < 1.5 * finest && geometry->dims[axis] >= 8 && 2.0 * mm <= coarsest_mm;
        factor[axis] = halve ? 2 : 1;
        any = any || halve;
    }
    return any;
}

static gboolean
build(BgPyramid *pyramid, BgVolume *volume, double finest_mm, double coarsest_mm,
      GCancellable *cancellable, GError **error)
{
    Shrink shrink = { .volume = volume, .to = &pyramid->levels[0] };

    if (!find_least(volume, &shrink.least, cancellable, error))
        return FALSE;
    finest_factor(bg_volume_get_geometry(volume), finest_mm, shrink.factor);
    pyramid->n_levels = 1;
    if (!run_shrink(&shrink, cancellable, error))
        return FALSE;
    while (pyramid->n_levels < BG_PYRAMID_MAX_LEVELS) {
        shrink.from = &pyramid->levels[pyramid->n_levels - 1];
        shrink.to = &pyramid->levels[pyramid->n_levels];
        if (!next_factor(&shrink.from->geometry, coarsest_mm, shrink.factor))
            break;
        pyramid->n_levels++;
        if (!run_shrink(&shrink, cancellable, error))
            return FALSE;
    }
    set_range(pyramid);
    return TRUE;
}

BgPyramid *
bg_pyramid_new(BgVolume *volume, double finest_mm, double coarsest_mm, GCancellable *cancellable,
               GError **error)
{
    g_autoptr(BgPyramid) pyramid = g_new0(BgPyramid, 1);

    if (!build(pyramid, volume, finest_mm, coarsest_mm, cancellable, error))
        return NULL;
    return g_steal_pointer(&pyramid);
}

void
bg_pyramid_free(BgPyramid *pyramid)
{
    for (int i = 0; i < pyramid->n_levels; i++)
        bg_voxels_free(pyramid->levels[i].values);
    g_free(pyramid);
}

gboolean
bg_pyramid_level_sample(const BgPyramidLevel *level, BgVec3 voxel, float *value)
{
    const int *dims = level->geometry.dims;
    int at[3];
    float f[3], sum = 0.0f;

    for (int axis = 0; axis < 3; axis++) {
        double x = bg_vec3_get(voxel, axis);
        if (!(x >= 0.0) || x > dims[axis] - 1)
            return FALSE;
        at[axis] = MAX(0, MIN((int) x, dims[axis] - 2));
        f[axis] = (float) (x - at[axis]);
    }
    for (int corner = 0; corner < 8; corner++) {
        int bit[3] = { corner & 1, corner >> 1 & 1, corner >> 2 };
        float w = 1.0f;
        gsize index = 0, stride = 1;
        for (int axis = 0; axis < 3; axis++) {
            int i = MIN(at[axis] + bit[axis], dims[axis] - 1);
            w *= bit[axis] ? f[axis] : 1.0f - f[axis];
            index += stride * (gsize) i;
            stride *= (gsize) dims[axis];
        }
        sum += w * level->values[index];
    }
    *value = sum;
    return TRUE;
}
