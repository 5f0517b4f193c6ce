// SPDX-License-Identifier: Apache-2.0
#include "core/filter/bg-normalize.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-rank.h"

#include <math.h>
#include <string.h>

#define GRID_WITHIN_MM 1e-2

BG_DEFINE_RANK(float)

typedef struct {
    double low, high;    // clipped to
    double shift, scale; // (v - shift) * scale
} Map;

static void
mean_and_scale(const float *values, gsize n, Map *map)
{
    double sum = 0.0, squares = 0.0;

    for (gsize i = 0; i < n; i++)
        sum += CLAMP((double) values[i], map->low, map->high);
    map->shift = sum / (double) n;
    for (gsize i = 0; i < n; i++) {
        double d = CLAMP((double) values[i], map->low, map->high) - map->shift;
        squares += d * d;
    }
    map->scale = squares > 0.0 ? 1.0 / sqrt(squares / (double) n) : 1.0;
}

// @values: the @n that count; rearranged.
static Map
find_map(float *values, gsize n, const BgNormalizeParams *params)
{
    Map map = { .low = -HUGE_VAL, .high = HUGE_VAL, .shift = 0.0, .scale = 1.0 };
    double low = HUGE_VAL, high = -HUGE_VAL;

    for (gsize i = 0; i < n; i++) {
        low = MIN(low, (double) values[i]);
        high = MAX(high, (double) values[i]);
    }
    switch (params->method) {
    case BG_NORMALIZE_MINMAX:
        map.shift = low;
        map.scale = high > low ? 1.0 / (high - low) : 1.0;
        break;
    case BG_NORMALIZE_MAX:
        map.scale = high != 0.0 ? 1.0 / high : 1.0;
        break;
    case BG_NORMALIZE_PERCENTILE:
        map.low = percentile(values, n, params->low_percent);
        map.high = percentile(values, n, params->high_percent);
        mean_and_scale(values, n, &map);
        break;
    case BG_NORMALIZE_ZSCORE:
        mean_and_scale(values, n, &map);
        break;
    }
    return map;
}

// values: as they are; counts: those that count, packed; both of the slices first..last - 1.
static gsize
read_slices(BgVolume *volume, BgLabelMap *mask, int first, int last, float *values, float *counts)
{
    const int *dims = bg_volume_get_geometry(volume)->dims;
    g_autofree guint32 *marks = g_new(guint32, dims[0]);
    gsize n = 0;

    for (int k = first; k < last; k++) {
        for (int j = 0; j < dims[1]; j++) {
            gsize at = (gsize) dims[0] * ((gsize) j + (gsize) dims[1] * (gsize) k);
            bg_volume_read_row(volume, j, k, values + at);
            if (mask != NULL)
                bg_label_map_read_row(mask, j, k, marks);
            for (int i = 0; i < dims[0]; i++) {
                if (mask != NULL && marks[i] == 0)
                    values[at + (gsize) i] = NAN; // 0 in the end
                else if (isfinite(values[at + (gsize) i]))
                    counts[n++] = values[at + (gsize) i];
            }
        }
    }
    return n;
}

static void
apply(float *values, gsize n, const Map *map)
{
    for (gsize i = 0; i < n; i++) {
        double v = CLAMP((double) values[i], map->low, map->high);
        values[i] = isfinite(values[i]) ? (float) ((v - map->shift) * map->scale) : 0.0f;
    }
}

static gboolean
check(BgVolume *volume, const BgNormalizeParams *params, GError **error)
{
    if (!(params->low_percent >= 0.0 && params->low_percent < params->high_percent &&
          params->high_percent <= 100.0)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("Percentiles of %g and %g cannot be used; give two of 0 to 100, the smaller "
                      "first"),
                    params->low_percent, params->high_percent);
        return FALSE;
    }
    if (params->mask != NULL &&
        !bg_geometry_equal(bg_label_map_get_geometry(params->mask), bg_volume_get_geometry(volume),
                           GRID_WITHIN_MM)) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("The mask's grid is not the volume's; resample it onto the volume first"));
        return FALSE;
    }
    return TRUE;
}

BgVolume *
bg_normalize(BgVolume *volume, const BgNormalizeParams *params, const BgProgress *progress,
             GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(volume != NULL && params != NULL, NULL);

    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    gsize slice = (gsize) geometry->dims[0] * (gsize) geometry->dims[1];
    int nz = geometry->dims[2], step = params->per_slice ? 1 : nz;
    gsize n_found = 0;

    if (!check(volume, params, error))
        return NULL;
    bg_auto_buffer float *counts =
        bg_buffer_alloc_items(slice * (gsize) step, sizeof(float), error);
    float *values = counts != NULL ? bg_voxels_alloc(geometry, sizeof(float), error) : NULL;
    if (values == NULL)
        return NULL;
    for (int k = 0; k < nz; k += step) {
        if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
            bg_voxels_free(values);
            return NULL;
        }
        Map map = { .low = -HUGE_VAL, .high = HUGE_VAL, .shift = 0.0, .scale = 1.0 };
        gsize n = read_slices(volume, params->mask, k, k + step, values, counts);
        if (n > 0)
            map = find_map(counts, n, params);
        apply(values + slice * (gsize) k, slice * (gsize) step, &map);
        n_found += n;
        bg_progress_report(progress, (double) (k + step) / nz);
    }
    if (n_found == 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("There is nothing to normalise: no finite value in the mask; give another "
                      "mask"));
        bg_voxels_free(values);
        return NULL;
    }
    return bg_volume_new_take(geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), values, error);
}
