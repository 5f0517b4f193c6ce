// SPDX-License-Identifier: Apache-2.0
// Yin, Liu, Liu and Chen, "Medical image fusion with parameter-adaptive pulse coupled neural network in
// nonsubsampled shearlet transform domain", IEEE Trans. Instrumentation and Measurement 68(1), 2019.
#include "bg-fusion-private.h"
#include "bg-shearlet.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-parallel.h"
#include "core/filter/bg-otsu.h"

#include <math.h>
#include <string.h>

#define ITERATIONS 110
#define BINS 256
#define LEAST_SPREAD 1e-9 // of a band that is not empty

static const double binomial[3] = { 0.25, 0.5, 0.25 };

static inline int
mirror(int index, int n)
{
    return index < 0 ? -1 - index : index >= n ? 2 * n - 1 - index : index;
}

static inline double
at(const double *x, int width, int height, int u, int v)
{
    return x[(gsize) mirror(v, height) * (gsize) width + (gsize) mirror(u, width)];
}

// 3 x 3, weighed 1 2 1.
static double
weighed(const double *x, int width, int height, int u, int v)
{
    double sum = 0.0;

    for (int q = -1; q <= 1; q++) {
        for (int p = -1; p <= 1; p++)
            sum += binomial[q + 1] * binomial[p + 1] * at(x, width, height, u + p, v + q);
    }
    return sum;
}

// Energy times the sum of the modified Laplacian of eight neighbours, both weighed around.
static void
low_activity(const double *x, int width, int height, double *scratch, double *out)
{
    gsize n = (gsize) width * (gsize) height;
    double *squares = scratch, *laplacian = scratch + n;

    for (int v = 0; v < height; v++) {
        for (int u = 0; u < width; u++) {
            gsize i = (gsize) v * (gsize) width + (gsize) u;
            double two = 2.0 * x[i];
            squares[i] = x[i] * x[i];
#define PAIR(p, q) \
    fabs(two - at(x, width, height, u - (p), v - (q)) - at(x, width, height, u + (p), v + (q)))
            laplacian[i] = PAIR(1, 0) + PAIR(0, 1) + (PAIR(1, 1) + PAIR(1, -1)) * G_SQRT2 / 2.0;
#undef PAIR
        }
    }
    for (int v = 0; v < height; v++) {
        for (int u = 0; u < width; u++)
            out[(gsize) v * (gsize) width + (gsize) u] =
                weighed(squares, width, height, u, v) * weighed(laplacian, width, height, u, v);
    }
}

/** Neurons: the constants of a band, from its own values */
typedef struct {
    double fade, linking, pulse, relax; // exp(-alpha_f), lambda, V_E, exp(-alpha_e)
} Neurons;

// FALSE for a band that is empty.
static gboolean
adapt(const double *x, gsize n, Neurons *neurons)
{
    double most = 0.0, sum = 0.0, squares = 0.0;
    guint64 counts[BINS] = { 0 };

    for (gsize i = 0; i < n; i++) {
        double a = fabs(x[i]);
        most = MAX(most, a);
        sum += a;
        squares += a * a;
    }
    double mean = sum / (double) n, spread = sqrt(MAX(squares / (double) n - mean * mean, 0.0));
    if (most < LEAST_SPREAD || spread < LEAST_SPREAD)
        return FALSE;
    for (gsize i = 0; i < n; i++)
        counts[(int) MIN(fabs(x[i]) / most * BINS, BINS - 1.0)]++;
    double otsu = most * (bg_otsu_bin(counts, BINS) + 1.0) / BINS, ratio = most / otsu;
    double alpha = log10(1.0 / spread), fade = exp(-alpha);
    double reach = (1.0 - fade * fade * fade) / (1.0 - fade) + (ratio - 1.0) * fade;
    neurons->fade = fade;
    neurons->linking = (ratio - 1.0) / 6.0;
    neurons->pulse = fade + ratio;
    neurons->relax = otsu * reach / neurons->pulse; // exp(-ln(V_E / (S' m)))
    return TRUE;
}

// Where the neighbours fired: 1 beside, 1/2 across; nothing beyond the edges.
static inline double
linked(const guint8 *fired, int width, int height, int u, int v)
{
    const guint8 *y = fired + (gsize) v * (gsize) width + u;
    double sum = 0.0;

    if (u > 0 && u < width - 1 && v > 0 && v < height - 1)
        return y[-1] + y[1] + *(y - width) + y[width] +
               0.5 * (*(y - width - 1) + *(y - width + 1) + y[width - 1] + y[width + 1]);
    for (int q = -1; q <= 1; q++) {
        for (int p = -1; p <= 1; p++) {
            gboolean inside = u + p >= 0 && u + p < width && v + q >= 0 && v + q < height;
            if (inside && (p != 0 || q != 0))
                sum += (p == 0 || q == 0 ? 1.0 : 0.5) * y[q * width + p];
        }
    }
    return sum;
}

// How often each neuron fires. @memory: two planes of double and two of bytes.
static void
count_pulses(const double *x, int width, int height, guint8 *memory, guint8 *times)
{
    gsize n = (gsize) width * (gsize) height;
    double *potential = (double *) (void *) memory, *threshold = potential + n;
    guint8 *fired = (guint8 *) (threshold + n), *next = fired + n;
    Neurons neurons;

    memset(times, 0, n);
    if (!adapt(x, n, &neurons))
        return;
    memset(fired, 0, n);
    for (gsize i = 0; i < n; i++) {
        potential[i] = 0.0;
        threshold[i] = 1.0;
    }
    for (int turn = 0; turn < ITERATIONS; turn++) {
        for (int v = 0; v < height; v++) {
            for (int u = 0; u < width; u++) {
                gsize i = (gsize) v * (gsize) width + (gsize) u;
                potential[i] =
                    neurons.fade * potential[i] +
                    fabs(x[i]) * (1.0 + neurons.linking * linked(fired, width, height, u, v));
                next[i] = potential[i] > threshold[i];
                threshold[i] = neurons.relax * threshold[i] + neurons.pulse * next[i];
                times[i] = (guint8) (times[i] + next[i]);
            }
        }
        guint8 *swap = fired;
        fired = next;
        next = swap;
    }
}

/** Choosing: bands of all sources; @memory: of each worker */
typedef struct {
    BgShearlets **sources;
    gsize n_sources, n;
    guint8 *memory;
    gsize memory_size; // of one worker
} Choosing;

// What fires most often stays, in the first source's bands.
static void
choose_bands(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Choosing *job = user_data;
    guint8 *memory = job->memory + worker * job->memory_size;
    guint8 *times = memory + job->memory_size - 2 * job->n, *most = times + job->n;
    int width = job->sources[0]->width, height = job->sources[0]->height;

    for (gsize band = first; band < last; band++) {
        double *kept = job->sources[0]->bands[band];
        count_pulses(kept, width, height, memory, most);
        for (gsize s = 1; s < job->n_sources; s++) {
            const double *other = job->sources[s]->bands[band];
            count_pulses(other, width, height, memory, times);
            for (gsize i = 0; i < job->n; i++) {
                if (times[i] > most[i]) {
                    most[i] = times[i];
                    kept[i] = other[i];
                }
            }
        }
    }
}

static gboolean
choose_low(BgShearlets **sources, gsize n_sources, gsize n, GError **error)
{
    bg_auto_buffer double *memory = bg_buffer_alloc_items(4 * n, sizeof(double), error);
    int width = sources[0]->width, height = sources[0]->height;

    if (memory == NULL)
        return FALSE;
    double *most = memory + 2 * n, *other = memory + 3 * n;
    low_activity(sources[0]->low, width, height, memory, most);
    for (gsize s = 1; s < n_sources; s++) {
        low_activity(sources[s]->low, width, height, memory, other);
        for (gsize i = 0; i < n; i++) {
            if (other[i] > most[i]) {
                most[i] = other[i];
                sources[0]->low[i] = sources[s]->low[i];
            }
        }
    }
    return TRUE;
}

static gboolean
join(const BgFusionJob *job, BgShearlets **sources, GError **error)
{
    Choosing choosing = { .sources = sources, .n_sources = job->n };
    BgChannel *fused = job->result->fused = bg_channel_new(job->width, job->height, error);

    if (fused == NULL)
        return FALSE;
    choosing.n = bg_channel_count(fused);
    choosing.memory_size = (choosing.n * (2 * sizeof(double) + 4) + 63) / 64 * 64;
    bg_auto_buffer guint8 *memory =
        bg_buffer_alloc_items(choosing.memory_size, bg_parallel_count_threads(), error);
    choosing.memory = memory;
    if (memory == NULL || !choose_low(sources, job->n, choosing.n, error))
        return FALSE;
    bg_progress_report(job->progress, 0.4);
    if (!bg_parallel_for(BG_SHEARLET_BANDS, 1, choose_bands, &choosing, job->cancellable))
        return !g_cancellable_set_error_if_cancelled(job->cancellable, error);
    for (gsize i = 0; i < choosing.n; i++) {
        double sum = sources[0]->low[i];
        for (int b = 0; b < BG_SHEARLET_BANDS; b++)
            sum += sources[0]->bands[b][i];
        fused->values[i] = (float) CLAMP(sum, 0.0, 1.0);
    }
    return TRUE;
}

gboolean
bg_fuse_papcnn(const BgFusionJob *job, GError **error)
{
    BgShearlets *sources[BG_FUSION_MAX_SOURCES] = { NULL };
    gboolean ok = TRUE;

    g_assert(job->n > 0);
    for (gsize s = 0; ok && s < job->n; s++) {
        sources[s] = bg_shearlets_new(job->sources[s]->values, job->width, job->height,
                                      job->cancellable, error);
        ok = sources[s] != NULL;
        bg_progress_report(job->progress, 0.35 * (double) (s + 1) / (double) job->n);
    }
    ok = ok && join(job, sources, error);
    for (gsize s = 0; s < job->n; s++)
        bg_shearlets_free(sources[s]);
    return ok;
}
