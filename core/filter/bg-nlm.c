// SPDX-License-Identifier: Apache-2.0
#include "core/filter/bg-nlm.h"

#include "bg-reflect-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-cpu.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 16        // of a slice, done together for all shifts
#define SAMPLES 200000 // differences that the noise is estimated from
#define MAD_TO_SIGMA 1.4826

typedef struct NlmRows NlmRows;

typedef struct {
    const BgNlmParams *params;
    const int *dims;
    int pads[3];      // of the padded copy, by axis
    gsize wide, high; // of the padded copy
    const float *padded;
    float two_variances, inverse_h2;
    float *result;
    float **scratch; // one a worker
    const BgProgress *progress;
    atomic_size_t n_done;
    gsize n_all;
    GCancellable *cancellable;
    void (*rows)(const NlmRows *rows);
} Job;

// Rows j..j + n - 1 of slice k.
struct NlmRows {
    const Job *job;
    int j, n, k;
    float *square, *along, *sum, *weight; // scratch
};

// 2^x for x <= 0 to 3e-7: a polynomial of the fraction, and the exponent's bits.
static inline __attribute__((always_inline)) float
power_of_two(float x)
{
    x = x < -126.0f ? -126.0f : x;
    int whole = (int) (x - 0.9999999f); // towards zero: the floor of what is not over 0
    float f = x - (float) whole;
    float p = 1.0f + f * (0.6931472f +
                          f * (0.2402265f + f * (0.0555033f + f * (0.0096181f + f * 0.0013399f +
                                                                   f * f * 0.0001535f))));
    union {
        int i;
        float f;
    } scale = { (whole + 127) << 23 };
    return p * scale.f;
}

// Sums over the patch of the squared differences to the volume moved by (di, dj, dk), row by row,
// then the weighed values.
static inline __attribute__((always_inline)) void
do_shift(const NlmRows *r, int di, int dj, int dk)
{
    const Job *job = r->job;
    int p = job->params->patch_radius, pz = job->dims[2] > 1 ? p : 0;
    gsize nx = (gsize) job->dims[0], wide = nx + 2 * (gsize) p;
    int n_rows = r->n + 2 * p;
    gssize shift = di + (gssize) job->wide * (dj + (gssize) job->high * dk);
    float per_patch = 1.0f / (float) ((2 * p + 1) * (2 * p + 1) * (2 * pz + 1));

    memset(r->square, 0, wide * (gsize) n_rows * sizeof(float));
    for (int q = -pz; q <= pz; q++) {
        for (int row = 0; row < n_rows; row++) {
            gsize at = (gsize) (job->pads[0] - p) +
                       job->wide * ((gsize) (job->pads[1] + r->j + row - p) +
                                    job->high * (gsize) (job->pads[2] + r->k + q));
            const float *a = job->padded + at, *b = a + shift;
            float *to = r->square + wide * (gsize) row;
            for (gsize i = 0; i < wide; i++)
                to[i] += (a[i] - b[i]) * (a[i] - b[i]);
        }
    }
    for (int row = 0; row < r->n; row++) {
        const float *from = r->square + wide * (gsize) row;
        gsize at = (gsize) job->pads[0] + job->wide * ((gsize) (job->pads[1] + r->j + row) +
                                                       job->high * (gsize) (job->pads[2] + r->k));
        const float *moved = job->padded + at + shift;
        float *sum = r->sum + nx * (gsize) row, *weight = r->weight + nx * (gsize) row;
        for (gsize i = 0; i < wide; i++)
            r->along[i] = from[i];
        for (int q = 1; q <= 2 * p; q++) {
            for (gsize i = 0; i < wide; i++)
                r->along[i] += from[i + wide * (gsize) q];
        }
        for (gsize i = 0; i < nx; i++) {
            float d2 = 0.0f;
            for (int q = 0; q <= 2 * p; q++)
                d2 += r->along[i + (gsize) q];
            float over = d2 * per_patch - job->two_variances;
            over = over > 0.0f ? over : 0.0f;
            float w = power_of_two(-over * job->inverse_h2);
            sum[i] += w * moved[i];
            weight[i] += w;
        }
    }
}

static inline __attribute__((always_inline)) void
do_rows(const NlmRows *r)
{
    const Job *job = r->job;
    int s = job->params->search_radius, sz = job->dims[2] > 1 ? s : 0;
    gsize nx = (gsize) job->dims[0], n = nx * (gsize) r->n;

    memset(r->sum, 0, n * sizeof(float));
    memset(r->weight, 0, n * sizeof(float));
    for (int dk = -sz; dk <= sz && !g_cancellable_is_cancelled(job->cancellable); dk++) {
        for (int dj = -s; dj <= s; dj++) {
            for (int di = -s; di <= s; di++)
                do_shift(r, di, dj, dk);
        }
    }
    float *out = job->result + nx * ((gsize) r->j + (gsize) job->dims[1] * (gsize) r->k);
    for (gsize i = 0; i < n; i++)
        out[i] = r->sum[i] / r->weight[i];
}

static void
rows_plain(const NlmRows *rows)
{
    do_rows(rows);
}

BG_TARGET_AVX2 static void
rows_avx2(const NlmRows *rows)
{
    do_rows(rows);
}

static void
filter_blocks(gsize first, gsize last, guint worker, gpointer user_data)
{
    Job *job = user_data;
    int p = job->params->patch_radius, blocks = (job->dims[1] + ROWS - 1) / ROWS;
    gsize nx = (gsize) job->dims[0], wide = nx + 2 * (gsize) p;

    for (gsize b = first; b < last; b++) {
        NlmRows rows = { .job = job, .k = (int) b / blocks, .j = (int) b % blocks * ROWS };
        float *scratch = job->scratch[worker];
        rows.n = MIN(ROWS, job->dims[1] - rows.j);
        rows.square = scratch;
        rows.along = rows.square + wide * (gsize) (ROWS + 2 * p);
        rows.sum = rows.along + wide;
        rows.weight = rows.sum + nx * ROWS;
        job->rows(&rows);
        bg_progress_report(job->progress,
                           (double) (atomic_fetch_add(&job->n_done, 1) + 1) / (double) job->n_all);
    }
}

// The volume with as many mirrored voxels around it as the farthest patch reaches.
static float *
pad(BgVolume *volume, Job *job, GError **error)
{
    const int *dims = job->dims;
    gsize size[3];

    for (int axis = 0; axis < 3; axis++)
        size[axis] = (gsize) dims[axis] + 2 * (gsize) job->pads[axis];
    job->wide = size[0];
    job->high = size[1];
    float *padded = bg_buffer_alloc_items(size[0] * size[1], size[2] * sizeof(float), error);
    g_autofree float *row = g_new(float, dims[0]);
    for (gsize k = 0; padded != NULL && k < size[2]; k++) {
        for (gsize j = 0; j < size[1]; j++) {
            float *out = padded + size[0] * (j + size[1] * k);
            bg_volume_read_row(volume, bg_reflect((int) j - job->pads[1], dims[1]),
                               bg_reflect((int) k - job->pads[2], dims[2]), row);
            for (gsize i = 0; i < size[0]; i++) {
                float v = row[bg_reflect((int) i - job->pads[0], dims[0])];
                out[i] = isfinite(v) ? v : 0.0f;
            }
        }
    }
    return padded;
}

static int
compare(gconstpointer a, gconstpointer b)
{
    float x = *(const float *) a, y = *(const float *) b;

    return x < y ? -1 : x > y;
}

// The median of |v - mean of the neighbours| over voxels that are not 0, as a standard deviation.
static double
estimate_noise(const Job *job)
{
    gboolean flat = job->dims[2] == 1;
    gsize n = (gsize) job->dims[0] * (gsize) job->dims[1] * (gsize) job->dims[2], n_taken = 0;
    gsize step = MAX(n / SAMPLES, 1) | 1, slice = job->wide * job->high;
    g_autofree float *taken = g_new(float, n / step + 1);

    for (gsize v = 0; v < n; v += step) {
        gsize i = v % (gsize) job->dims[0], j = v / (gsize) job->dims[0] % (gsize) job->dims[1];
        gsize k = v / (gsize) job->dims[0] / (gsize) job->dims[1];
        const float *c =
            job->padded + i + (gsize) job->pads[0] +
            job->wide * (j + (gsize) job->pads[1] + job->high * (k + (gsize) job->pads[2]));
        float around = c[-1] + c[1] + *(c - job->wide) + c[job->wide];
        if (!flat)
            around += *(c - slice) + c[slice];
        if (*c != 0.0f)
            taken[n_taken++] = fabsf(*c - around / (flat ? 4.0f : 6.0f));
    }
    if (n_taken == 0)
        return 0.0;
    qsort(taken, n_taken, sizeof(float), compare);
    // The variance of such a difference is 7/6 (flat: 5/4) of the noise's.
    return MAD_TO_SIGMA * sqrt(flat ? 4.0 / 5.0 : 6.0 / 7.0) * (double) taken[n_taken / 2];
}

BgNlmParams
bg_nlm_params_default(void)
{
    return (BgNlmParams){ .patch_radius = 1, .search_radius = 3, .sigma = 0.0, .strength = 0.8 };
}

static gboolean
check_params(const BgNlmParams *p, GError **error)
{
    if (p->patch_radius >= 0 && p->patch_radius <= BG_NLM_MAX_PATCH && p->search_radius >= 1 &&
        p->search_radius <= BG_NLM_MAX_SEARCH && p->sigma >= 0.0 && isfinite(p->sigma) &&
        p->strength > 0.0 && isfinite(p->strength))
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                _("The noise cannot be reduced so: the patch radius must be 0 to %d, the search "
                  "radius 1 to %d, sigma 0 or more, the strength over 0"),
                BG_NLM_MAX_PATCH, BG_NLM_MAX_SEARCH);
    return FALSE;
}

static BgVolume *
filter(BgVolume *volume, Job *job, GError **error)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    guint n_workers = bg_parallel_count_threads();
    int p = job->params->patch_radius;
    gsize wide = (gsize) job->dims[0] + 2 * (gsize) p;
    gsize each = wide * (gsize) (ROWS + 2 * p + 1) + 2 * ROWS * (gsize) job->dims[0];
    bg_auto_buffer float *scratch = bg_buffer_alloc_items(each * n_workers, sizeof(float), error);
    g_autofree float **workers = g_new(float *, n_workers);

    job->result = scratch != NULL ? bg_voxels_alloc(geometry, sizeof(float), error) : NULL;
    if (job->result == NULL)
        return NULL;
    for (guint w = 0; w < n_workers; w++)
        workers[w] = scratch + w * each;
    job->scratch = workers;
    job->n_all = (gsize) job->dims[2] * (gsize) ((job->dims[1] + ROWS - 1) / ROWS);
    job->rows = bg_cpu_has_avx2() ? rows_avx2 : rows_plain;
    if (!bg_parallel_for(job->n_all, 1, filter_blocks, job, job->cancellable) ||
        g_cancellable_is_cancelled(job->cancellable)) {
        g_cancellable_set_error_if_cancelled(job->cancellable, error);
        bg_voxels_free(job->result);
        return NULL;
    }
    return bg_volume_new_take(geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), job->result,
                              error);
}

BgVolume *
bg_nlm(BgVolume *volume, const BgNlmParams *params, double *sigma, const BgProgress *progress,
       GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(volume != NULL && params != NULL, NULL);

    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    int reach = params->patch_radius + params->search_radius;
    Job job = { .params = params,
                .dims = geometry->dims,
                .pads = { reach, reach, geometry->dims[2] > 1 ? reach : 0 },
                .progress = progress,
                .cancellable = cancellable };

    if (!check_params(params, error))
        return NULL;
    bg_auto_buffer float *padded = pad(volume, &job, error);
    if (padded == NULL)
        return NULL;
    job.padded = padded;
    double noise = params->sigma > 0.0 ? params->sigma : estimate_noise(&job);
    double h = MAX(noise * params->strength, 1e-20);
    job.two_variances = (float) (2.0 * noise * noise);
    job.inverse_h2 = (float) MIN(M_LOG2E / (h * h), 1e30);
    if (sigma != NULL)
        *sigma = noise;
    return filter(volume, &job, error);
}
