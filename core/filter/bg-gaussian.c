// SPDX-License-Identifier: Apache-2.0
#include "core/filter/bg-gaussian.h"

#include "bg-reflect-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-cpu.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <stdatomic.h>
#include <string.h>

#define CUT_AT_SIGMAS 4.0
#define MAX_SIGMA_VOXELS 512.0
#define COLUMNS 128 // along x, smoothed along z together: with 512 slices 256 KiB
#define LANES 8     // of a vector register

// @taps: of distance 0..radius; rows of the same kernel on both sides
typedef struct {
    int radius;
    float *taps; // owned
} Kernel;

typedef struct {
    BgVolume *volume; // borrowed
    const int *dims;
    gboolean plain;    // the samples are float32 values
    Kernel kernels[3]; // owned
    float *result;     // borrowed
    float **scratch;   // one a worker, owned
    const BgProgress *progress;
    gsize n_units; // of work, in both passes
    atomic_size_t n_done;
    void (*smooth)(const float *const *rows, const Kernel *kernel, int n, float *out);
} Job;

typedef float Lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4)));

#define LANES_AT(row, x) (*(const Lanes *) ((row) + (x)))

// out[x] = sum over t of taps[|t|] * rows[radius + t][x]. Four vectors at a time: their sums stay in
// registers, and each tap is loaded once for all.
static inline __attribute__((always_inline)) void
smooth_rows(const float *const *rows, const Kernel *kernel, int n, float *out)
{
    const float *const *centre = rows + kernel->radius;
    const float *taps = kernel->taps;
    int radius = kernel->radius;
    int x = 0;

    for (; x + 4 * LANES <= n; x += 4 * LANES) {
        Lanes a = LANES_AT(centre[0], x) * taps[0];
        Lanes b = LANES_AT(centre[0], x + LANES) * taps[0];
        Lanes c = LANES_AT(centre[0], x + 2 * LANES) * taps[0];
        Lanes d = LANES_AT(centre[0], x + 3 * LANES) * taps[0];
        for (int t = 1; t <= radius; t++) {
            const float *before = centre[-t] + x, *after = centre[t] + x;
            a += (LANES_AT(before, 0) + LANES_AT(after, 0)) * taps[t];
            b += (LANES_AT(before, LANES) + LANES_AT(after, LANES)) * taps[t];
            c += (LANES_AT(before, 2 * LANES) + LANES_AT(after, 2 * LANES)) * taps[t];
            d += (LANES_AT(before, 3 * LANES) + LANES_AT(after, 3 * LANES)) * taps[t];
        }
        *(Lanes *) (out + x) = a;
        *(Lanes *) (out + x + LANES) = b;
        *(Lanes *) (out + x + 2 * LANES) = c;
        *(Lanes *) (out + x + 3 * LANES) = d;
    }
    for (; x < n; x++) {
        float sum = centre[0][x] * taps[0];
        for (int t = 1; t <= radius; t++)
            sum += (centre[-t][x] + centre[t][x]) * taps[t];
        out[x] = sum;
    }
}

static void
smooth_plain(const float *const *rows, const Kernel *kernel, int n, float *out)
{
    smooth_rows(rows, kernel, n, out);
}

BG_TARGET_AVX2 static void
smooth_avx2(const float *const *rows, const Kernel *kernel, int n, float *out)
{
    smooth_rows(rows, kernel, n, out);
}

static void
kernel_init(Kernel *kernel, double sigma_voxels)
{
    kernel->radius = (int) (CUT_AT_SIGMAS * sigma_voxels + 0.5);
    kernel->taps = g_new(float, (gsize) kernel->radius + 1);

    g_autofree double *weights = g_new(double, (gsize) kernel->radius + 1);
    double sum = 0.0;
    for (int t = 0; t <= kernel->radius; t++) {
        weights[t] = t == 0 ? 1.0 : exp(-0.5 * t * t / (sigma_voxels * sigma_voxels));
        sum += t == 0 ? weights[t] : 2.0 * weights[t];
    }
    for (int t = 0; t <= kernel->radius; t++)
        kernel->taps[t] = (float) (weights[t] / sum);
}

// A value beyond the row's ends is that of its mirror image inside.
static void
pad_row(float *row, int n, int radius)
{
    for (int t = 1; t <= radius; t++) {
        row[-t] = row[bg_reflect(-t, n)];
        row[n - 1 + t] = row[bg_reflect(n - 1 + t, n)];
    }
}

static void
report(Job *job, gsize n)
{
    gsize n_done = atomic_fetch_add(&job->n_done, n) + n;

    bg_progress_report(job->progress, (double) n_done / (double) job->n_units);
}

// Row j of slice k as values, with room for the x kernel on both sides of @row.
static void
smooth_along_x(const Job *job, int j, int k, float *row, const float **taps_at, float *out)
{
    const Kernel *kernel = &job->kernels[0];
    int nx = job->dims[0];

    if (job->plain) {
        gsize first = (gsize) nx * ((gsize) j + (gsize) job->dims[1] * (gsize) k);
        memcpy(row, (const float *) bg_volume_get_samples(job->volume) + first,
               (gsize) nx * sizeof *row);
    } else {
        bg_volume_read_row(job->volume, j, k, row);
    }
    pad_row(row, nx, kernel->radius);
    for (int t = -kernel->radius; t <= kernel->radius; t++)
        taps_at[kernel->radius + t] = row + t;
    job->smooth(taps_at, kernel, nx, out);
}

// A slice along x into the scratch, then along y into the result.
static void
smooth_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    Job *job = user_data;
    const Kernel *kernel = &job->kernels[1];
    int nx = job->dims[0], ny = job->dims[1];
    float *slice = job->scratch[worker];
    float *row = slice + (gsize) nx * (gsize) ny + job->kernels[0].radius;
    int longest = MAX(job->kernels[0].radius, kernel->radius);
    g_autofree const float **rows = g_new(const float *, 2 * (gsize) longest + 1);

    for (gsize k = first; k < last; k++) {
        for (int j = 0; j < ny; j++)
            smooth_along_x(job, j, (int) k, row, rows, slice + (gsize) j * (gsize) nx);

        float *result = job->result + k * (gsize) nx * (gsize) ny;
        for (int j = 0; j < ny; j++) {
            for (int t = -kernel->radius; t <= kernel->radius; t++)
                rows[kernel->radius + t] = slice + (gsize) bg_reflect(j + t, ny) * (gsize) nx;
            job->smooth(rows, kernel, nx, result + (gsize) j * (gsize) nx);
        }
        report(job, 1);
    }
}

// Columns of row j along z: copied out once, so that their stride does not thrash the caches.
static void
smooth_columns(gsize first, gsize last, guint worker, gpointer user_data)
{
    Job *job = user_data;
    const Kernel *kernel = &job->kernels[2];
    int nx = job->dims[0], nz = job->dims[2];
    gsize stride = (gsize) nx * (gsize) job->dims[1];
    gsize blocks_a_row = ((gsize) nx + COLUMNS - 1) / COLUMNS;
    float *scratch = job->scratch[worker];
    g_autofree const float **rows = g_new(const float *, 2 * (gsize) kernel->radius + 1);

    for (gsize block = first; block < last; block++) {
        int x = (int) (block % blocks_a_row) * COLUMNS;
        int n = MIN(COLUMNS, nx - x);
        float *column = job->result + block / blocks_a_row * (gsize) nx + x;

        for (int k = 0; k < nz; k++)
            memcpy(scratch + (gsize) k * COLUMNS, column + (gsize) k * stride,
                   (gsize) n * sizeof *scratch);
        for (int k = 0; k < nz; k++) {
            for (int t = -kernel->radius; t <= kernel->radius; t++)
                rows[kernel->radius + t] = scratch + (gsize) bg_reflect(k + t, nz) * COLUMNS;
            job->smooth(rows, kernel, n, column + (gsize) k * stride);
        }
    }
    report(job, last - first);
}

static gboolean
job_init(Job *job, BgVolume *volume, BgVec3 sigma_mm, GError **error)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    BgSampleFormat format = bg_volume_get_format(volume);
    BgVec3 spacing_mm = bg_geometry_spacing_mm(geometry);

    *job = (Job){
        .volume = volume,
        .dims = geometry->dims,
        .plain = format.type == BG_SAMPLE_FLOAT32 && format.slope == 1.0 && format.intercept == 0.0,
        .smooth = bg_cpu_has_avx2() ? smooth_avx2 : smooth_plain,
    };
    for (int axis = 0; axis < 3; axis++) {
        double sigma = bg_vec3_get(sigma_mm, axis);
        double sigma_voxels = sigma / bg_vec3_get(spacing_mm, axis);
        if (!(sigma >= 0.0 && sigma_voxels <= MAX_SIGMA_VOXELS)) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("A Gaussian of %g mm cannot be used here: give 0 to %g mm"), sigma,
                        MAX_SIGMA_VOXELS * bg_vec3_get(spacing_mm, axis));
            return FALSE;
        }
        kernel_init(&job->kernels[axis], sigma_voxels);
    }

    gsize nx = (gsize) job->dims[0];
    gsize n_slice = nx * (gsize) job->dims[1] + nx + 2 * (gsize) job->kernels[0].radius;
    gsize n_scratch = MAX(n_slice, (gsize) job->dims[2] * COLUMNS);
    guint n_workers = bg_parallel_count_threads();
    job->scratch = g_new0(float *, n_workers + 1);
    for (guint worker = 0; worker < n_workers; worker++) {
        job->scratch[worker] = bg_buffer_alloc_items(n_scratch, sizeof(float), error);
        if (job->scratch[worker] == NULL)
            return FALSE;
    }
    return TRUE;
}

static void
job_clear(Job *job)
{
    for (int axis = 0; axis < 3; axis++)
        g_free(job->kernels[axis].taps);
    for (guint worker = 0; job->scratch != NULL && job->scratch[worker] != NULL; worker++)
        bg_buffer_free(job->scratch[worker]);
    g_free(job->scratch);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Job, job_clear)

BgVolume *
bg_gaussian(BgVolume *volume, BgVec3 sigma_mm, const BgProgress *progress,
            GCancellable *cancellable, GError **error)
{
    g_auto(Job) job = { 0 };

    g_return_val_if_fail(volume != NULL, NULL);

    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    if (!job_init(&job, volume, sigma_mm, error))
        return NULL;

    job.result = bg_voxels_alloc(geometry, sizeof *job.result, error);
    if (job.result == NULL)
        return NULL;

    gsize n_slices = (gsize) job.dims[2];
    gsize n_blocks = (gsize) job.dims[1] * (((gsize) job.dims[0] + COLUMNS - 1) / COLUMNS);
    gboolean along_z = job.kernels[2].radius > 0;
    job.progress = progress;
    job.n_units = n_slices + (along_z ? n_blocks : 0);
    if (!bg_parallel_for(n_slices, 1, smooth_slices, &job, cancellable) ||
        (along_z && !bg_parallel_for(n_blocks, 4, smooth_columns, &job, cancellable))) {
        bg_voxels_free(job.result);
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return NULL;
    }

    BgSampleFormat format = bg_sample_format_plain(BG_SAMPLE_FLOAT32);
    format.converted = bg_volume_get_format(volume).converted;
    return bg_volume_new_take(geometry, format, job.result, error);
}
