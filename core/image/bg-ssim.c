// SPDX-License-Identifier: Apache-2.0
#include "core/image/bg-ssim.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-cpu.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <math.h>
#include <string.h>

#define RADIUS (BG_SSIM_WINDOW / 2)
#define SIGMA 1.5
#define K1 0.01
#define K2 0.03
#define LANES 8
#define STRIP 128 // columns done together: their sums stay in the first cache
#define ROWS_A_GRAIN 64
#define SUMS 4                   // a, b, a a + b b, a b
#define STRIP_WIDTH (STRIP + 16) // of input: 10 more, to whole lanes

typedef float Lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4)));

#define LANES_AT(row, x) (*(const Lanes *) ((row) + (x)))

// Of the last 11 rows of a strip, what is summed; row v is at v % 11.
typedef struct {
    float rows[BG_SSIM_WINDOW][SUMS][STRIP_WIDTH];
    float columns[SUMS][STRIP_WIDTH]; // summed down
} Ring;

// Values are divided by the range, so that C1 and C2 are numbers.
typedef struct _Job Job;

struct _Job {
    const BgChannel *a, *b; // borrowed
    float taps[BG_SSIM_WINDOW];
    float scale;       // 1 / range
    float *map;        // borrowed, nullable
    double *ssim, *cs; // a sum for each row, owned
    Ring *rings;       // one a worker, owned
    int n_columns;     // of windows that lie inside
    void (*strip)(const Job *job, Ring *ring, int left, gsize first, gsize last);
};

// Beyond the picture's last column zeros.
static inline __attribute__((always_inline)) void
fill_row(const Job *job, Ring *ring, int left, gsize v)
{
    gsize at = v * (gsize) job->a->width + (gsize) left;
    const float *a = job->a->values + at, *b = job->b->values + at;
    float(*out)[STRIP_WIDTH] = ring->rows[v % BG_SSIM_WINDOW];
    int n = MIN(job->a->width - left, STRIP_WIDTH), x = 0;
    float scale = job->scale;

    for (; x + LANES <= n; x += LANES) {
        Lanes va = LANES_AT(a, x) * scale, vb = LANES_AT(b, x) * scale;
        *(Lanes *) &out[0][x] = va;
        *(Lanes *) &out[1][x] = vb;
        *(Lanes *) &out[2][x] = va * va + vb * vb;
        *(Lanes *) &out[3][x] = va * vb;
    }
    for (; x < n; x++) {
        float va = a[x] * scale, vb = b[x] * scale;
        out[0][x] = va;
        out[1][x] = vb;
        out[2][x] = va * va + vb * vb;
        out[3][x] = va * vb;
    }
    for (int plane = 0; plane < SUMS && n < STRIP_WIDTH; plane++)
        memset(&out[plane][n], 0, (gsize) (STRIP_WIDTH - n) * sizeof(float));
}

static inline __attribute__((always_inline)) void
sum_columns(const Job *job, Ring *ring, gsize v)
{
    const float *rows[BG_SSIM_WINDOW];
    float taps[RADIUS + 1]; // a copy, which no store can change

    memcpy(taps, job->taps, sizeof taps);
    for (gsize t = 0; t < BG_SSIM_WINDOW; t++)
        rows[t] = ring->rows[(v + t) % BG_SSIM_WINDOW][0];
    float *out = ring->columns[0];
    for (int x = 0; x < SUMS * STRIP_WIDTH; x += LANES) {
        Lanes sum = LANES_AT(rows[RADIUS], x) * taps[RADIUS];
#pragma GCC unroll 5
        for (int t = 0; t < RADIUS; t++)
            sum += (LANES_AT(rows[t], x) + LANES_AT(rows[2 * RADIUS - t], x)) * taps[t];
        *(Lanes *) (out + x) = sum;
    }
}

static inline __attribute__((always_inline)) Lanes
sum_along(const float *taps, const float *row)
{
    Lanes sum = LANES_AT(row, RADIUS) * taps[RADIUS];

#pragma GCC unroll 5
    for (int t = 0; t < RADIUS; t++)
        sum += (LANES_AT(row, t) + LANES_AT(row, 2 * RADIUS - t)) * taps[t];
    return sum;
}

// One row of a strip: the index and its part of contrast and structure, added to the row's sums.
static inline __attribute__((always_inline)) void
index_row(const Job *job, Ring *ring, int left, gsize v)
{
    const float c1 = (float) (K1 * K1), c2 = (float) (K2 * K2);
    int n = MIN(job->n_columns - left, STRIP);
    float *out = job->map != NULL ? job->map + v * (gsize) job->n_columns + (gsize) left : NULL;
    Lanes total_ssim = { 0 }, total_cs = { 0 };
    double rest_ssim = 0.0, rest_cs = 0.0;
    float taps[RADIUS + 1];

    memcpy(taps, job->taps, sizeof taps);
    sum_columns(job, ring, v);
    for (int x = 0; x < n; x += LANES) {
        Lanes a = sum_along(taps, ring->columns[0] + x), b = sum_along(taps, ring->columns[1] + x);
        Lanes s = sum_along(taps, ring->columns[2] + x), p = sum_along(taps, ring->columns[3] + x);
        Lanes means = a * b, squares = a * a + b * b;
        Lanes cs = (2.0f * (p - means) + c2) / (s - squares + c2);
        Lanes ssim = (2.0f * means + c1) * cs / (squares + c1);
        if (x + LANES <= n) {
            total_ssim += ssim;
            total_cs += cs;
            if (out != NULL)
                *(Lanes *) (out + x) = ssim;
        } else {
            for (int lane = 0; lane < n - x; lane++) {
                rest_ssim += (double) ssim[lane];
                rest_cs += (double) cs[lane];
                if (out != NULL)
                    out[x + lane] = ssim[lane];
            }
        }
    }
    for (int lane = 0; lane < LANES; lane++) {
        rest_ssim += (double) total_ssim[lane];
        rest_cs += (double) total_cs[lane];
    }
    job->ssim[v] += rest_ssim;
    job->cs[v] += rest_cs;
}

static inline __attribute__((always_inline)) void
index_strip(const Job *job, Ring *ring, int left, gsize first, gsize last)
{
    for (gsize v = first; v < first + BG_SSIM_WINDOW - 1; v++)
        fill_row(job, ring, left, v);
    for (gsize v = first; v < last; v++) {
        fill_row(job, ring, left, v + BG_SSIM_WINDOW - 1);
        index_row(job, ring, left, v);
    }
}

static void
index_strip_plain(const Job *job, Ring *ring, int left, gsize first, gsize last)
{
    index_strip(job, ring, left, first, last);
}

BG_TARGET_AVX2 static void
index_strip_avx2(const Job *job, Ring *ring, int left, gsize first, gsize last)
{
    index_strip(job, ring, left, first, last);
}

static void
index_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Job *job = user_data;

    for (gsize v = first; v < last; v++)
        job->ssim[v] = job->cs[v] = 0.0;
    for (int left = 0; left < job->n_columns; left += STRIP)
        job->strip(job, &job->rings[worker], left, first, last);
}

static void
set_taps(float taps[BG_SSIM_WINDOW])
{
    double weights[BG_SSIM_WINDOW], sum = 0.0;

    for (int t = 0; t < BG_SSIM_WINDOW; t++) {
        weights[t] = exp(-0.5 * (t - RADIUS) * (t - RADIUS) / (SIGMA * SIGMA));
        sum += weights[t];
    }
    for (int t = 0; t < BG_SSIM_WINDOW; t++)
        taps[t] = (float) (weights[t] / sum);
}

static gboolean
set_cancelled(GCancellable *cancellable, GError **error)
{
    return !g_cancellable_set_error_if_cancelled(cancellable, error);
}

// @map: nullable
static gboolean
compare(const BgChannel *a, const BgChannel *b, double range, float *map, double *ssim, double *cs,
        GCancellable *cancellable, GError **error)
{
    gsize n_rows = (gsize) (a->height - BG_SSIM_WINDOW + 1);
    Job job = { .a = a, .b = b, .scale = (float) (1.0 / range), .map = map };

    set_taps(job.taps);
    job.n_columns = a->width - BG_SSIM_WINDOW + 1;
    job.strip = bg_cpu_has_avx2() ? index_strip_avx2 : index_strip_plain;
    bg_auto_buffer Ring *rings =
        bg_buffer_alloc_items(bg_parallel_count_threads(), sizeof(Ring), error);
    if (rings == NULL)
        return FALSE;
    g_autofree double *sums = g_new(double, 2 * n_rows);
    job.rings = rings;
    job.ssim = sums;
    job.cs = sums + n_rows;

    if (!bg_parallel_for(n_rows, ROWS_A_GRAIN, index_rows, &job, cancellable))
        return set_cancelled(cancellable, error);
    double n = (double) n_rows * job.n_columns;
    *ssim = *cs = 0.0;
    for (gsize v = 0; v < n_rows; v++) {
        *ssim += job.ssim[v] / n;
        *cs += job.cs[v] / n;
    }
    return TRUE;
}

static gboolean
check_sizes(const BgChannel *a, const BgChannel *b, int smallest, GError **error)
{
    if (a->width != b->width || a->height != b->height) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("Pictures of %d × %d and %d × %d pixels cannot be compared; bring them to "
                      "one size"),
                    a->width, a->height, b->width, b->height);
        return FALSE;
    }
    if (a->width < smallest || a->height < smallest) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("Pictures of %d × %d pixels are too small to be compared; each side must "
                      "have at least %d"),
                    a->width, a->height, smallest);
        return FALSE;
    }
    return TRUE;
}

gboolean
bg_ssim(const BgChannel *a, const BgChannel *b, double range, double *ssim, BgChannel **map,
        GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(a != NULL && b != NULL && ssim != NULL, FALSE);
    g_return_val_if_fail(range > 0.0, FALSE);

    g_autoptr(BgChannel) made = NULL;
    double mean, cs;

    if (!check_sizes(a, b, BG_SSIM_WINDOW, error))
        return FALSE;
    if (map != NULL) {
        made = bg_channel_new(a->width - BG_SSIM_WINDOW + 1, a->height - BG_SSIM_WINDOW + 1, error);
        if (made == NULL)
            return FALSE;
    }
    if (!compare(a, b, range, made != NULL ? made->values : NULL, &mean, &cs, cancellable, error))
        return FALSE;
    *ssim = mean;
    if (map != NULL)
        *map = g_steal_pointer(&made);
    return TRUE;
}

// The mean of 2 x 2 pixels from each second one on, mirrored beyond the last.
static BgChannel *
half(const BgChannel *plane, GError **error)
{
    BgChannel *self = bg_channel_new((plane->width + 1) / 2, (plane->height + 1) / 2, error);

    if (self == NULL)
        return NULL;
    for (int v = 0; v < self->height; v++) {
        const float *upper = plane->values + (gsize) (2 * v) * (gsize) plane->width;
        const float *lower = 2 * v + 1 < plane->height ? upper + plane->width : upper;
        float *out = self->values + (gsize) v * (gsize) self->width;
        for (int u = 0; u < plane->width / 2; u++)
            out[u] =
                0.25f * ((upper[2 * u] + upper[2 * u + 1]) + (lower[2 * u] + lower[2 * u + 1]));
        if (plane->width % 2 != 0)
            out[self->width - 1] = 0.5f * (upper[plane->width - 1] + lower[plane->width - 1]);
    }
    return self;
}

gboolean
bg_ms_ssim(const BgChannel *a, const BgChannel *b, double range, double *ms_ssim,
           GCancellable *cancellable, GError **error)
{
    static const double exponents[BG_MS_SSIM_SCALES] = { 0.0448, 0.2856, 0.3001, 0.2363, 0.1333 };

    g_return_val_if_fail(a != NULL && b != NULL && ms_ssim != NULL, FALSE);
    g_return_val_if_fail(range > 0.0, FALSE);

    g_autoptr(BgChannel) small_a = NULL;
    g_autoptr(BgChannel) small_b = NULL;
    double product = 1.0;

    if (!check_sizes(a, b, BG_MS_SSIM_SMALLEST, error))
        return FALSE;
    for (int scale = 0; scale < BG_MS_SSIM_SCALES; scale++) {
        double ssim, cs;
        if (scale > 0) {
            g_autoptr(BgChannel) next_a = half(a, error);
            g_autoptr(BgChannel) next_b = next_a != NULL ? half(b, error) : NULL;
            if (next_b == NULL)
                return FALSE;
            bg_channel_free(small_a);
            bg_channel_free(small_b);
            a = small_a = g_steal_pointer(&next_a);
            b = small_b = g_steal_pointer(&next_b);
        }
        if (!compare(a, b, range, NULL, &ssim, &cs, cancellable, error))
            return FALSE;
        double part = scale == BG_MS_SSIM_SCALES - 1 ? ssim : cs;
        product *= pow(part < 0.0 ? 0.0 : part, exponents[scale]);
    }
    *ms_ssim = product;
    return TRUE;
}
