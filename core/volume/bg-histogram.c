// SPDX-License-Identifier: Apache-2.0
#include "core/volume/bg-histogram.h"

#include "bg-sample-counts-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-cpu.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <float.h>

// The same results, but loops with comparisons become vectors: nobody asks for the exceptions of
// floating point.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif

#define CHUNK (1u << 16) // voxels handed out at a time
#define MAX_BINS_2D 1024

// Where values go: n_bins bins, then one each for below, above and not a number.
typedef struct {
    double low, high;
    double bins_per_unit;
    guint n_bins;
} Bins;

static guint
bin_of(const Bins *bins, double value)
{
    if (value != value)
        return bins->n_bins + 2;
    if (value < bins->low)
        return bins->n_bins;
    if (value > bins->high)
        return bins->n_bins + 1;

    guint bin = (guint) ((value - bins->low) * bins->bins_per_unit);
    return MIN(bin, bins->n_bins - 1);
}

static gboolean
bins_init(Bins *bins, guint n_bins, guint max_bins, double low, double high, GError **error)
{
    if (!(isfinite(low) && isfinite(high) && low < high)) {
        g_set_error(
            error, BG_ERROR, BG_ERROR_INVALID,
            _("A histogram cannot be made from %g to %g: give a smaller and a larger value"), low,
            high);
        return FALSE;
    }
    if (n_bins < 1 || n_bins > max_bins) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("A histogram can have 1 to %u bins, not %u"), max_bins, n_bins);
        return FALSE;
    }
    *bins = (Bins){ low, high, n_bins / (high - low), n_bins };
    return TRUE;
}

typedef struct {
    const Bins *bins;
    const float *samples;
    gsize n_voxels;
    double slope, intercept;
    gboolean vectors; // AVX2 is there
    guint64 **counts; // four tables a worker, made when first needed
} FloatJob;

#define BATCH 512 // values whose bins are computed together

// Of @n <= BATCH samples: 0 below, 1..n_bins, n_bins + 1 above, n_bins + 2 not a number.
static inline __attribute__((always_inline)) void
batch_bins(const FloatJob *job, const float *samples, gsize n, gint32 *bins)
{
    double low = job->bins->low, high = job->bins->high;
    double bins_per_unit = job->bins->bins_per_unit;
    gint32 n_bins = (gint32) job->bins->n_bins;

    for (gsize i = 0; i < n; i++) {
        double value = (double) samples[i] * job->slope + job->intercept;
        double inside = value > low ? value : low;
        inside = inside < high ? inside : high;
        gint32 bin = (gint32) ((inside - low) * bins_per_unit) + 1;
        bin = bin > n_bins ? n_bins : bin;
        bin = value < low ? 0 : bin;
        bin = value > high ? n_bins + 1 : bin;
        bins[i] = value != value ? n_bins + 2 : bin;
    }
}

static void
batch_bins_plain(const FloatJob *job, const float *samples, gsize n, gint32 *bins)
{
    batch_bins(job, samples, n, bins);
}

BG_TARGET_AVX2_UNFUSED static void
batch_bins_avx2(const FloatJob *job, const float *samples, gsize n, gint32 *bins)
{
    batch_bins(job, samples, n, bins);
}

// Neighbours are often in one bin: four tables in turn, so that an increment need not wait for the
// last one.
static void
count_floats(gsize first, gsize last, guint worker, gpointer user_data)
{
    FloatJob *job = user_data;
    gsize end = MIN(last * CHUNK, job->n_voxels);
    gsize n_counts = job->bins->n_bins + 3;
    gint32 bins[BATCH];

    if (job->counts[worker] == NULL)
        job->counts[worker] = g_new0(guint64, 4 * n_counts);
    guint64 *counts = job->counts[worker];
    for (gsize from = first * CHUNK; from < end; from += BATCH) {
        gsize n = MIN(BATCH, end - from), i = 0;
        (job->vectors ? batch_bins_avx2 : batch_bins_plain)(job, job->samples + from, n, bins);
        for (; i + 4 <= n; i += 4) {
            counts[bins[i]]++;
            counts[n_counts + (gsize) bins[i + 1]]++;
            counts[2 * n_counts + (gsize) bins[i + 2]]++;
            counts[3 * n_counts + (gsize) bins[i + 3]]++;
        }
        for (; i < n; i++)
            counts[bins[i]]++;
    }
}

// Into @all: n_bins + 3 counts.
static gboolean
count_float32(BgVolume *volume, const Bins *bins, guint64 *all, GCancellable *cancellable,
              GError **error)
{
    BgSampleFormat format = bg_volume_get_format(volume);
    guint n_workers = bg_parallel_count_threads();
    gsize n_counts = bins->n_bins + 3;
    g_autofree guint64 **counts = g_new0(guint64 *, n_workers);
    FloatJob job = {
        .bins = bins,
        .samples = bg_volume_get_samples(volume),
        .n_voxels = bg_geometry_count_voxels(bg_volume_get_geometry(volume)),
        .slope = format.slope,
        .intercept = format.intercept,
        .counts = counts,
    };

    gboolean done =
        bg_parallel_for((job.n_voxels + CHUNK - 1) / CHUNK, 1, count_floats, &job, cancellable);
    for (guint worker = 0; worker < n_workers; worker++) {
        for (gsize i = 0; counts[worker] != NULL && i < 4 * n_counts; i++) {
            gsize slot = i % n_counts; // below, bins, above, not a number
            all[slot == 0              ? bins->n_bins
                : slot <= bins->n_bins ? slot - 1
                                       : slot] += counts[worker][i];
        }
        g_free(counts[worker]);
    }
    if (!done)
        g_cancellable_set_error_if_cancelled(cancellable, error);
    return done;
}

// 8 and 16-bit: at most 65536 different values, each binned once.
static gboolean
count_integers(BgVolume *volume, const Bins *bins, guint64 *all, GCancellable *cancellable,
               GError **error)
{
    BgSampleFormat format = bg_volume_get_format(volume);
    int offset = bg_sample_type_key_offset(format.type);
    g_autofree guint64 *counts = bg_sample_counts(volume, cancellable, error);

    if (counts == NULL)
        return FALSE;

    for (guint key = 0; key < BG_N_KEYS; key++) {
        double value = ((int) key - offset) * format.slope + format.intercept;
        if (counts[key] > 0)
            all[bin_of(bins, value)] += counts[key];
    }
    return TRUE;
}

BgHistogram *
bg_histogram_new(BgVolume *volume, guint n_bins, double low, double high, GCancellable *cancellable,
                 GError **error)
{
    Bins bins;

    g_return_val_if_fail(volume != NULL, NULL);

    if (!bins_init(&bins, n_bins, BG_HISTOGRAM_MAX_BINS, low, high, error))
        return NULL;

    g_autofree guint64 *all = g_new0(guint64, n_bins + 3);
    gboolean is_float = bg_volume_get_format(volume).type == BG_SAMPLE_FLOAT32;
    if (!(is_float ? count_float32 : count_integers)(volume, &bins, all, cancellable, error))
        return NULL;

    BgHistogram *self = g_new0(BgHistogram, 1);
    *self = (BgHistogram){
        .low = low,
        .high = high,
        .n_bins = n_bins,
        .n_below = all[n_bins],
        .n_above = all[n_bins + 1],
        .n_nan = all[n_bins + 2],
    };
    self->counts = g_steal_pointer(&all);
    return self;
}

void
bg_histogram_free(BgHistogram *histogram)
{
    if (histogram == NULL)
        return;
    g_free(histogram->counts);
    g_free(histogram);
}

// First pass: the largest gradient of each slice. Second pass: the counts.
typedef struct {
    BgVolume *volume; // borrowed
    const int *dims;
    double per_mm[3]; // 1 / spacing
    const Bins *bins;
    guint n_gradients;
    double gradient_scale; // bins per unit; 0 in the first pass
    double *highest;       // one a slice
    guint64 **counts;      // one table a worker, made when first needed
    float **rows;          // one scratch a worker: 5 rows
} GradientJob;

// Values of row j, k and of its neighbours; at a face the row itself.
static void
read_rows(const GradientJob *job, int j, int k, float *rows)
{
    const int *dims = job->dims;
    gsize n = (gsize) dims[0];

    bg_volume_read_row(job->volume, j, k, rows);
    bg_volume_read_row(job->volume, MAX(j - 1, 0), k, rows + n);
    bg_volume_read_row(job->volume, MIN(j + 1, dims[1] - 1), k, rows + 2 * n);
    bg_volume_read_row(job->volume, j, MAX(k - 1, 0), rows + 3 * n);
    bg_volume_read_row(job->volume, j, MIN(k + 1, dims[2] - 1), rows + 4 * n);
}

// Central difference over two voxels, one-sided over one at a face, none over zero.
static double
step_factor(double per_mm, int index, int dim)
{
    int n_steps = MIN(index + 1, dim - 1) - MAX(index - 1, 0);

    return n_steps > 0 ? per_mm / n_steps : 0.0;
}

static void
gradient_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    GradientJob *job = user_data;
    const int *dims = job->dims;
    int n = dims[0];

    if (job->rows[worker] == NULL) {
        job->rows[worker] = g_new(float, 5 * (gsize) n);
        job->counts[worker] = g_new0(guint64, (gsize) job->bins->n_bins * job->n_gradients);
    }
    float *rows = job->rows[worker];
    for (gsize row = first; row < last; row++) {
        int j = (int) (row % (gsize) dims[1]), k = (int) (row / (gsize) dims[1]);
        double fy = step_factor(job->per_mm[1], j, dims[1]);
        double fz = step_factor(job->per_mm[2], k, dims[2]);
        double highest = 0.0;

        read_rows(job, j, k, rows);
        for (int i = 0; i < n; i++) {
            double dx = ((double) rows[MIN(i + 1, n - 1)] - (double) rows[MAX(i - 1, 0)]) *
                        step_factor(job->per_mm[0], i, n);
            double dy = ((double) rows[2 * n + i] - (double) rows[n + i]) * fy;
            double dz = ((double) rows[4 * n + i] - (double) rows[3 * n + i]) * fz;
            double gradient = sqrt(dx * dx + dy * dy + dz * dz);
            guint bin = bin_of(job->bins, (double) rows[i]);

            if (bin >= job->bins->n_bins || !(gradient <= DBL_MAX))
                continue;
            highest = MAX(highest, gradient);
            guint g = MIN((guint) (gradient * job->gradient_scale), job->n_gradients - 1);
            job->counts[worker][bin + (gsize) job->bins->n_bins * g]++;
        }
        job->highest[row] = highest;
    }
}

static void
gradient_job_clear(GradientJob *job)
{
    for (guint worker = 0; worker < bg_parallel_count_threads(); worker++) {
        g_free(job->rows[worker]);
        g_free(job->counts[worker]);
    }
    g_free(job->rows);
    g_free(job->counts);
    bg_buffer_free(job->highest);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GradientJob, gradient_job_clear)

// How steep the steepest place is, then the same walk once more to count.
static gboolean
count_gradients(GradientJob *job, BgHistogram2d *self, GCancellable *cancellable, GError **error)
{
    gsize n_rows = (gsize) job->dims[1] * (gsize) job->dims[2];
    gsize n_counts = (gsize) self->n_values * self->n_gradients;
    guint n_workers = bg_parallel_count_threads();

    for (int pass = 0; pass < 2; pass++) {
        if (!bg_parallel_for(n_rows, 16, gradient_rows, job, cancellable)) {
            g_cancellable_set_error_if_cancelled(cancellable, error);
            return FALSE;
        }
        if (pass == 1)
            break;
        for (gsize row = 0; row < n_rows; row++)
            self->high_gradient = MAX(self->high_gradient, job->highest[row]);
        job->gradient_scale =
            self->high_gradient > 0.0 ? self->n_gradients / self->high_gradient : 0.0;
        for (guint worker = 0; worker < n_workers; worker++) {
            if (job->counts[worker] != NULL)
                memset(job->counts[worker], 0, n_counts * sizeof **job->counts);
        }
    }
    for (guint worker = 0; worker < n_workers; worker++) {
        for (gsize i = 0; job->counts[worker] != NULL && i < n_counts; i++)
            self->counts[i] += job->counts[worker][i];
    }
    return TRUE;
}

BgHistogram2d *
bg_histogram2d_new(BgVolume *volume, guint n_values, guint n_gradients, double low, double high,
                   GCancellable *cancellable, GError **error)
{
    Bins bins, gradient_bins;

    g_return_val_if_fail(volume != NULL, NULL);

    if (!bins_init(&bins, n_values, MAX_BINS_2D, low, high, error) ||
        !bins_init(&gradient_bins, n_gradients, MAX_BINS_2D, 0.0, 1.0, error))
        return NULL;

    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    BgVec3 spacing_mm = bg_geometry_spacing_mm(geometry);
    guint n_workers = bg_parallel_count_threads();
    g_auto(GradientJob) job = {
        .volume = volume,
        .dims = geometry->dims,
        .per_mm = { 1.0 / spacing_mm.x, 1.0 / spacing_mm.y, 1.0 / spacing_mm.z },
        .bins = &bins,
        .n_gradients = n_gradients,
        .counts = g_new0(guint64 *, n_workers),
        .rows = g_new0(float *, n_workers),
    };
    job.highest = bg_buffer_alloc_items((gsize) geometry->dims[1] * (gsize) geometry->dims[2],
                                        sizeof *job.highest, error);
    if (job.highest == NULL)
        return NULL;

    g_autoptr(BgHistogram2d) self = g_new0(BgHistogram2d, 1);
    self->low = low;
    self->high = high;
    self->n_values = n_values;
    self->n_gradients = n_gradients;
    self->counts = g_new0(guint64, (gsize) n_values * n_gradients);
    if (!count_gradients(&job, self, cancellable, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
bg_histogram2d_free(BgHistogram2d *histogram)
{
    if (histogram == NULL)
        return;
    g_free(histogram->counts);
    g_free(histogram);
}
