// SPDX-License-Identifier: Apache-2.0
#include "bg-bspline-private.h"

#include "core/base/bg-parallel.h"

#include <float.h>

#define POLE (-0.26794919243112270647) // sqrt(3) - 2
#define GAIN 6.0                       // (1 - pole) * (1 - 1 / pole)
#define HORIZON 30                     // |pole|^30 < 1e-17
#define BLOCK 16                       // lines filtered side by side

typedef double Lines[BLOCK]; // one element of each line

typedef struct {
    BgVolume *volume; // borrowed
    float *coefficients;
    const int *dims;
    int axis;
    gint n_patched; // atomic
} Prefilter;

// Of BLOCK lines of @n >= 2 at once, line l of element e at lines[e][l].
static void
filter_lines(Lines *lines, int n)
{
    double sum[BLOCK];
    int horizon = MIN(HORIZON, n);
    double power = POLE, last_power = pow(POLE, n - 1);

    // The causal sum's start, over the mirrored signal: exact when n <= HORIZON.
    for (int lane = 0; lane < BLOCK; lane++)
        sum[lane] = lines[0][lane];
    if (horizon < n) {
        for (int e = 1; e < horizon; e++, power *= POLE) {
            for (int lane = 0; lane < BLOCK; lane++)
                sum[lane] += power * lines[e][lane];
        }
    } else {
        double back = last_power * last_power / POLE;
        for (int lane = 0; lane < BLOCK; lane++)
            sum[lane] += last_power * lines[n - 1][lane];
        for (int e = 1; e < n - 1; e++, power *= POLE, back /= POLE) {
            for (int lane = 0; lane < BLOCK; lane++)
                sum[lane] += (power + back) * lines[e][lane];
        }
        for (int lane = 0; lane < BLOCK; lane++)
            sum[lane] /= 1.0 - last_power * last_power;
    }
    for (int lane = 0; lane < BLOCK; lane++)
        lines[0][lane] = GAIN * sum[lane];

    for (int e = 1; e < n; e++) {
        for (int lane = 0; lane < BLOCK; lane++)
            lines[e][lane] = GAIN * lines[e][lane] + POLE * lines[e - 1][lane];
    }
    for (int lane = 0; lane < BLOCK; lane++)
        lines[n - 1][lane] =
            POLE / (POLE * POLE - 1.0) * (lines[n - 1][lane] + POLE * lines[n - 2][lane]);
    for (int e = n - 2; e >= 0; e--) {
        for (int lane = 0; lane < BLOCK; lane++)
            lines[e][lane] = POLE * (lines[e + 1][lane] - lines[e][lane]);
    }
}

// Where line @line of the lines along @axis starts; its elements are @stride apart.
static gsize
line_start(const Prefilter *job, gsize line, gsize *stride)
{
    gsize nx = (gsize) job->dims[0], ny = (gsize) job->dims[1];

    if (job->axis == 0) {
        *stride = 1;
        return line * nx;
    }
    if (job->axis == 1) {
        *stride = nx;
        return line / nx * nx * ny + line % nx;
    }
    *stride = nx * ny;
    return line;
}

static void
filter_range(gsize first, gsize last, guint worker, gpointer user_data)
{
    Prefilter *job = user_data;
    int n = job->dims[job->axis];
    gsize n_lines = bg_geometry_count_voxels(bg_volume_get_geometry(job->volume)) / (gsize) n;
    g_autofree Lines *lines = g_new0(Lines, (gsize) n);

    for (gsize block = first; block < last; block++) {
        int n_lanes = (int) MIN(BLOCK, n_lines - block * BLOCK);
        gsize starts[BLOCK], stride = 1;

        for (int lane = 0; lane < n_lanes; lane++)
            starts[lane] = line_start(job, block * BLOCK + (gsize) lane, &stride);
        for (int e = 0; e < n; e++) {
            for (int lane = 0; lane < n_lanes; lane++)
                lines[e][lane] = (double) job->coefficients[starts[lane] + (gsize) e * stride];
        }
        filter_lines(lines, n);
        for (int e = 0; e < n; e++) {
            for (int lane = 0; lane < n_lanes; lane++)
                job->coefficients[starts[lane] + (gsize) e * stride] = (float) lines[e][lane];
        }
    }
}

#define DEFINE_LOAD(TYPE, name, ctype)                                          \
    static void load_##name(const ctype *samples, gsize n, float *coefficients) \
    {                                                                           \
        for (gsize i = 0; i < n; i++)                                           \
            coefficients[i] = (float) samples[i];                               \
    }

BG_FOR_SAMPLE_TYPES(DEFINE_LOAD)

static void
load_range(gsize first, gsize last, guint worker, gpointer user_data)
{
    Prefilter *job = user_data;
    gsize slice = (gsize) job->dims[0] * (gsize) job->dims[1];
    gsize from = first * slice, n = (last - first) * slice;
    gboolean is_patched = FALSE;

#define CASE(TYPE, name, ctype)                                                   \
    case TYPE:                                                                    \
        load_##name((const ctype *) bg_volume_get_samples(job->volume) + from, n, \
                    job->coefficients + from);                                    \
        break;
    switch (bg_volume_get_format(job->volume).type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE

    for (gsize i = from; i < from + n; i++) {
        if (!(fabsf(job->coefficients[i]) <= FLT_MAX)) {
            job->coefficients[i] = 0.0f;
            is_patched = TRUE;
        }
    }
    if (is_patched)
        g_atomic_int_inc(&job->n_patched);
}

float *
bg_bspline_coefficients(BgVolume *volume, gboolean *is_patched, const BgProgress *progress,
                        GCancellable *cancellable, GError **error)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    gsize n_voxels = bg_geometry_count_voxels(geometry);
    Prefilter job = { .volume = volume, .dims = geometry->dims };

    job.coefficients = bg_voxels_alloc(geometry, sizeof *job.coefficients, error);
    if (job.coefficients == NULL)
        return NULL;

    gboolean done = bg_parallel_for((gsize) job.dims[2], 1, load_range, &job, cancellable);
    for (job.axis = 0; done && job.axis < 3; job.axis++) {
        gsize n_lines = n_voxels / (gsize) job.dims[job.axis];
        bg_progress_report(progress, (job.axis + 1) / 4.0);
        if (job.dims[job.axis] > 1)
            done =
                bg_parallel_for((n_lines + BLOCK - 1) / BLOCK, 64, filter_range, &job, cancellable);
    }
    if (!done) {
        bg_voxels_free(job.coefficients);
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return NULL;
    }
    *is_patched = job.n_patched > 0;
    return job.coefficients;
}
