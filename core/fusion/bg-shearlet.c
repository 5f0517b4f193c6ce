// SPDX-License-Identifier: Apache-2.0
#include "bg-shearlet.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-parallel.h"

#include <math.h>
#include <string.h>

#define MOST_WINDOW 16
#define TAPS 3 // either side of the middle one

static const double half_band[TAPS + 1] = { 16 / 32.0, 9 / 32.0, 0.0, -1 / 32.0 };

// Coarse to fine.
static const struct {
    int directions, window;
} levels[BG_SHEARLET_LEVELS] = { { 8, 8 }, { 8, 8 }, { 16, 16 }, { 16, 16 } };

static inline int
mirror(int index, int n)
{
    int period = 2 * n, at = index % period;

    at = at < 0 ? at + period : at;
    return at < n ? at : period - 1 - at;
}

/** Smoothing: rows, then columns of a plane, taps @step apart */
typedef struct {
    const double *in;
    double *out;
    int width, height, step;
    gboolean columns;
} Smoothing;

static void
smooth_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Smoothing *job = user_data;
    int w = job->width;

    for (gsize row = first; row < last; row++) {
        double *out = job->out + row * (gsize) w;
        for (int u = 0; u < w; u++) {
            double sum = 0.0;
            for (int t = -TAPS; t <= TAPS; t++) {
                int at = t * job->step;
                gsize from =
                    job->columns
                        ? (gsize) mirror((int) row + at, job->height) * (gsize) w + (gsize) u
                        : row * (gsize) w + (gsize) mirror(u + at, w);
                sum += half_band[ABS(t)] * job->in[from];
            }
            out[u] = sum;
        }
    }
}

static gboolean
smooth(const double *in, double *scratch, double *out, int width, int height, int step,
       GCancellable *cancellable)
{
    Smoothing rows = { in, scratch, width, height, step, FALSE };
    Smoothing columns = { scratch, out, width, height, step, TRUE };

    return bg_parallel_for((gsize) height, 16, smooth_rows, &rows, cancellable) &&
           bg_parallel_for((gsize) height, 16, smooth_rows, &columns, cancellable);
}

static double
meyer(double x)
{
    return x * x * x * x * (35.0 - 84.0 * x + 70.0 * x * x - 20.0 * x * x * x);
}

// The share of direction @l of @n at frequency (fu, fv).
static double
share(int fu, int fv, int l, int n)
{
    if (fu == 0 && fv == 0)
        return 1.0 / n;
    double apart = fabs(atan2(fv, fu) - l * G_PI / n);
    apart = fmod(apart, G_PI);
    double x = MIN(apart, G_PI - apart) * n / G_PI;
    double c = x < 1.0 ? cos(G_PI / 2.0 * meyer(x)) : 0.0;
    return c * c;
}

// @filter: window * window, its middle at (window / 2, window / 2).
static void
make_filter(int direction, int n_directions, int window, double *filter)
{
    for (int v = 0; v < window; v++) {
        for (int u = 0; u < window; u++) {
            double sum = 0.0;
            for (int q = 0; q < window; q++) {
                for (int p = 0; p < window; p++) {
                    int fu = p < window / 2 ? p : p - window, fv = q < window / 2 ? q : q - window;
                    double phase = 2.0 * G_PI * (fu * (u - window / 2) + fv * (v - window / 2));
                    sum += share(fu, fv, direction, n_directions) * cos(phase / window);
                }
            }
            filter[v * window + u] = sum / (window * window);
        }
    }
}

/** Directing: a level, mirrored outwards by a window on each side, becomes its directions */
typedef struct {
    const double *wide; // (width + 2 window) * (height + 2 window)
    double **bands;
    double (*filters)[MOST_WINDOW * MOST_WINDOW];
    int width, height, n, window;
} Directing;

static void
direct_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Directing *job = user_data;
    int L = job->window, half = L / 2;
    gsize stride = (gsize) (job->width + 2 * L);

    for (gsize item = first; item < last; item++) {
        int row = (int) (item % (gsize) job->height);
        gsize l = item / (gsize) job->height;
        double *out = job->bands[l] + (gsize) row * (gsize) job->width;
        memset(out, 0, (gsize) job->width * sizeof(double));
        for (int v = 0; v < L; v++) {
            const double *in = job->wide + (gsize) (row + L - (v - half)) * stride + L;
            for (int u = 0; u < L; u++) {
                double h = job->filters[l][v * L + u];
                const double *from = in - (u - half);
                for (int i = 0; i < job->width; i++)
                    out[i] += h * from[i];
            }
        }
    }
}

static gboolean
direct(const double *level, int which, BgShearlets *s, int band, GCancellable *cancellable,
       GError **error)
{
    int L = levels[which].window, w = s->width, h = s->height;
    gsize stride = (gsize) (w + 2 * L);
    bg_auto_buffer double *wide =
        bg_buffer_alloc_items(stride * (gsize) (h + 2 * L), sizeof(double), error);
    double filters[16][MOST_WINDOW * MOST_WINDOW];
    Directing job = { wide, s->bands + band, filters, w, h, levels[which].directions, L };

    if (wide == NULL)
        return FALSE;
    for (int l = 0; l < job.n; l++)
        make_filter(l, job.n, L, filters[l]);
    for (int v = -L; v < h + L; v++) {
        for (int u = -L; u < w + L; u++)
            wide[(gsize) (v + L) * stride + (gsize) (u + L)] =
                level[(gsize) mirror(v, h) * (gsize) w + (gsize) mirror(u, w)];
    }
    return bg_parallel_for((gsize) (job.n * h), 16, direct_rows, &job, cancellable) ||
           !g_cancellable_set_error_if_cancelled(cancellable, error);
}

static gboolean
decompose(BgShearlets *s, double *scratch, double *next, GCancellable *cancellable, GError **error)
{
    gsize n = (gsize) s->width * (gsize) s->height;
    int band = BG_SHEARLET_BANDS;

    for (int j = 0; j < BG_SHEARLET_LEVELS; j++) {
        int which = BG_SHEARLET_LEVELS - 1 - j; // the finest first
        if (!smooth(s->low, scratch, next, s->width, s->height, 1 << j, cancellable))
            return !g_cancellable_set_error_if_cancelled(cancellable, error);
        for (gsize i = 0; i < n; i++)
            scratch[i] = s->low[i] - next[i];
        band -= levels[which].directions;
        if (!direct(scratch, which, s, band, cancellable, error))
            return FALSE;
        memcpy(s->low, next, n * sizeof(double));
    }
    return TRUE;
}

BgShearlets *
bg_shearlets_new(const float *values, int width, int height, GCancellable *cancellable,
                 GError **error)
{
    gsize n = (gsize) width * (gsize) height;
    bg_auto_buffer double *scratch = bg_buffer_alloc_items(2 * n, sizeof(double), error);
    BgShearlets *s = g_new0(BgShearlets, 1);
    gboolean ok = scratch != NULL;

    s->width = width;
    s->height = height;
    s->low = ok ? bg_buffer_alloc_items(n, sizeof(double), error) : NULL;
    ok = s->low != NULL;
    for (int b = 0; ok && b < BG_SHEARLET_BANDS; b++) {
        s->bands[b] = bg_buffer_alloc_items(n, sizeof(double), error);
        ok = s->bands[b] != NULL;
    }
    for (gsize i = 0; ok && i < n; i++)
        s->low[i] = (double) values[i];
    if (!ok || !decompose(s, scratch, scratch + n, cancellable, error) ||
        g_cancellable_set_error_if_cancelled(cancellable, error))
        g_clear_pointer(&s, bg_shearlets_free);
    return s;
}

void
bg_shearlets_free(BgShearlets *shearlets)
{
    if (shearlets == NULL)
        return;
    bg_buffer_free(shearlets->low);
    for (int b = 0; b < BG_SHEARLET_BANDS; b++)
        bg_buffer_free(shearlets->bands[b]);
    g_free(shearlets);
}
