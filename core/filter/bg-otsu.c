// SPDX-License-Identifier: Apache-2.0
#include "core/filter/bg-otsu.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"
#include "core/volume/bg-histogram.h"
#include "core/volume/bg-statistics.h"

#define N_BINS 256

guint
bg_otsu_bin(const guint64 *counts, guint n_bins)
{
    double total = 0.0, sum = 0.0, below = 0.0, sum_below = 0.0, best = 0.0;
    guint first = 0, last = 0;

    for (guint b = 0; b < n_bins; b++) {
        total += (double) counts[b];
        sum += (double) b * (double) counts[b];
    }
    for (guint b = 0; b + 1 < n_bins; b++) {
        below += (double) counts[b];
        sum_below += (double) b * (double) counts[b];
        double above = total - below;
        if (below == 0.0 || above == 0.0)
            continue;
        double apart = sum_below / below - (sum - sum_below) / above;
        double between = below * above * apart * apart;
        if (between > best * (1.0 + 1e-12)) {
            best = between;
            first = last = b;
        } else if (between >= best * (1.0 - 1e-12) && last + 1 == b) {
            last = b;
        }
    }
    return (first + last) / 2;
}

gboolean
bg_otsu_threshold(BgVolume *volume, double *threshold, GCancellable *cancellable, GError **error)
{
    BgStatistics statistics;

    if (!bg_volume_statistics(volume, &statistics, cancellable, error))
        return FALSE;
    if (statistics.n == 0 || !(statistics.max > statistics.min)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("No threshold divides these values: all are equal; give a mask instead"));
        return FALSE;
    }
    BgHistogram *histogram =
        bg_histogram_new(volume, N_BINS, statistics.min, statistics.max, cancellable, error);
    if (histogram == NULL)
        return FALSE;
    guint bin = bg_otsu_bin(histogram->counts, N_BINS);
    *threshold = statistics.min + (bin + 1) * (statistics.max - statistics.min) / N_BINS;
    bg_histogram_free(histogram);
    return TRUE;
}

typedef struct {
    BgVolume *volume;
    float threshold;
    guint8 *mask;
} Job;

static void
mark_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Job *job = user_data;
    const int *dims = bg_volume_get_geometry(job->volume)->dims;
    g_autofree float *row = g_new(float, dims[0]);

    for (gsize k = first; k < last; k++) {
        for (int j = 0; j < dims[1]; j++) {
            guint8 *out = job->mask + (gsize) dims[0] * ((gsize) j + (gsize) dims[1] * k);
            bg_volume_read_row(job->volume, j, (int) k, row);
            for (int i = 0; i < dims[0]; i++)
                out[i] = row[i] > job->threshold;
        }
    }
}

BgLabelMap *
bg_otsu_mask(BgVolume *volume, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(volume != NULL, NULL);

    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    double threshold;

    if (!bg_otsu_threshold(volume, &threshold, cancellable, error))
        return NULL;
    guint8 *mask = bg_voxels_alloc(geometry, 1, error);
    if (mask == NULL)
        return NULL;
    Job job = { volume, (float) threshold, mask };
    bg_parallel_for((gsize) geometry->dims[2], 2, mark_slices, &job, NULL);
    return bg_label_map_new_take(geometry, BG_LABEL_UINT8, mask, error);
}
