// SPDX-License-Identifier: Apache-2.0
// Lahoud and Suesstrunk, "Fast and efficient zero-learning image fusion", 2019.
#include "bg-fusion-private.h"

#include "core/base/bg-buffer.h"

#include <math.h>
#include <string.h>

#define BASE_RADIUS 22 // a box of 45 x 45
#define GUIDE_RADIUS 45
#define GUIDE_EPS 0.01
#define SALIENCY_EPS 1e-12
#define DETAIL_EPS 1e-5
#define LEVELS 256

static int
reflect(int index, int dim)
{
    int period = 2 * dim, wrapped = ((index % period) + period) % period;

    return wrapped < dim ? wrapped : period - 1 - wrapped;
}

// Means over 2 radius + 1 of a line of n numbers @step apart; beyond its ends it goes on mirrored.
static void
box_line(const double *in, double *out, int n, gsize step, int radius)
{
    double sum = 0.0, scale = 1.0 / (2 * radius + 1);

    for (int t = -radius; t <= radius; t++)
        sum += in[(gsize) reflect(t, n) * step];
    for (int i = 0; i < n; i++) {
        out[(gsize) i * step] = sum * scale;
        sum += in[(gsize) reflect(i + radius + 1, n) * step] -
               in[(gsize) reflect(i - radius, n) * step];
    }
}

// In place, with scratch of the same size.
static void
box(double *values, double *scratch, int width, int height, int radius)
{
    for (int v = 0; v < height; v++)
        box_line(values + (gsize) v * (gsize) width, scratch + (gsize) v * (gsize) width, width, 1,
                 radius);
    for (int u = 0; u < width; u++)
        box_line(scratch + u, values + u, height, (gsize) width, radius);
}

// How much each grey level stands out of the picture: the mean distance to all its levels.
static void
saliency(const BgChannel *source, double *out)
{
    gsize n = bg_channel_count(source), counts[LEVELS] = { 0 };
    double table[LEVELS];

    for (gsize i = 0; i < n; i++)
        counts[(int) (CLAMP(source->values[i], 0.0f, 1.0f) * (LEVELS - 1) + 0.5f)]++;
    for (int v = 0; v < LEVELS; v++) {
        table[v] = 0.0;
        for (int u = 0; u < LEVELS; u++)
            table[v] += (double) counts[u] * ABS(u - v) / (double) n;
    }
    for (gsize i = 0; i < n; i++)
        out[i] = table[(int) (CLAMP(source->values[i], 0.0f, 1.0f) * (LEVELS - 1) + 0.5f)];
}

// He, Sun and Tang 2013: weight becomes what a local line of the guide says of it. @m: 5 of size n.
static void
guide(const BgChannel *source, double *weight, double *m, int width, int height)
{
    gsize n = (gsize) width * (gsize) height;
    double *mean_i = m, *mean_p = m + n, *corr_i = m + 2 * n, *corr_ip = m + 3 * n;
    double *scratch = m + 4 * n;

    for (gsize i = 0; i < n; i++) {
        double x = (double) source->values[i];
        mean_i[i] = x;
        mean_p[i] = weight[i];
        corr_i[i] = x * x;
        corr_ip[i] = x * weight[i];
    }
    for (int k = 0; k < 4; k++)
        box(m + (gsize) k * n, scratch, width, height, GUIDE_RADIUS);
    for (gsize i = 0; i < n; i++) {
        double a =
            (corr_ip[i] - mean_i[i] * mean_p[i]) / (corr_i[i] - mean_i[i] * mean_i[i] + GUIDE_EPS);
        corr_i[i] = a;
        corr_ip[i] = mean_p[i] - a * mean_i[i];
    }
    box(corr_i, scratch, width, height, GUIDE_RADIUS);
    box(corr_ip, scratch, width, height, GUIDE_RADIUS);
    for (gsize i = 0; i < n; i++)
        weight[i] = corr_i[i] * (double) source->values[i] + corr_ip[i];
}

// The sum of the first layer's channels for the details, scaled to 0..1.
static gboolean
detail_activity(const BgFusionJob *job, const double *details, double *out, GError **error)
{
    gsize n = bg_channel_count(job->sources[0]);
    bg_auto_buffer float *plane = bg_buffer_alloc_items(n, sizeof(float), error);
    BgNnTensor *output = NULL;
    double low = HUGE_VAL, high = -HUGE_VAL;

    if (plane == NULL)
        return FALSE;
    for (gsize i = 0; i < n; i++)
        plane[i] = (float) details[i];
    if (!bg_fusion_model_run(job->model, plane, BG_VGG19_PLAIN, 1, job->width, job->height, &output,
                             job->cancellable, error))
        return FALSE;
    const float *data = bg_nn_tensor_peek(output);
    gsize n_channels = bg_nn_tensor_get_shape(output)->dims[1];
    memset(out, 0, n * sizeof(double));
    for (gsize c = 0; c < n_channels; c++) {
        for (gsize i = 0; i < n; i++)
            out[i] += fabs((double) data[c * n + i]);
    }
    bg_nn_tensor_unref(output);
    for (gsize i = 0; i < n; i++) {
        low = MIN(low, out[i]);
        high = MAX(high, out[i]);
    }
    for (gsize i = 0; i < n; i++)
        out[i] = high > low ? (out[i] - low) / (high - low) : 0.0;
    return TRUE;
}

// Of one source: means, what they leave, and the weights of both; each n numbers.
typedef struct {
    double *base, *detail, *base_weight, *detail_weight;
} Scales;

static gboolean
split(const BgFusionJob *job, gsize source, const Scales *s, double *scratch, GError **error)
{
    gsize n = bg_channel_count(job->sources[0]);

    for (gsize i = 0; i < n; i++)
        s->base[i] = (double) job->sources[source]->values[i];
    box(s->base, scratch, job->width, job->height, BASE_RADIUS);
    for (gsize i = 0; i < n; i++)
        s->detail[i] = (double) job->sources[source]->values[i] - s->base[i];
    saliency(job->sources[source], s->base_weight);
    if (!detail_activity(job, s->detail, s->detail_weight, error))
        return FALSE;
    for (gsize i = 0; i < n; i++)
        s->detail_weight[i] = exp(s->detail_weight[i]);
    return TRUE;
}

// Saliencies become shares, are guided by their sources, and become shares again.
static void
weigh_bases(const BgFusionJob *job, const Scales *scales, double *scratch)
{
    gsize n = bg_channel_count(job->sources[0]);

    for (int turn = 0; turn < 2; turn++) {
        for (gsize i = 0; i < n; i++) {
            double sum = 0.0;
            for (gsize s = 0; s < job->n; s++)
                sum += scales[s].base_weight[i] + (turn == 0 ? SALIENCY_EPS : 0.0);
            for (gsize s = 0; s < job->n; s++) {
                double *w = &scales[s].base_weight[i];
                *w = fabs(sum) > SALIENCY_EPS / 2 ? (*w + (turn == 0 ? SALIENCY_EPS : 0.0)) / sum
                                                  : 1.0 / (double) job->n;
            }
        }
        for (gsize s = 0; turn == 0 && s < job->n; s++)
            guide(job->sources[s], scales[s].base_weight, scratch, job->width, job->height);
    }
}

gboolean
bg_fuse_two_scale(const BgFusionJob *job, GError **error)
{
    gsize n = bg_channel_count(job->sources[0]);
    bg_auto_buffer double *memory =
        bg_buffer_alloc_items(n * (4 * job->n + 5), sizeof(double), error);
    Scales scales[BG_FUSION_MAX_SOURCES];
    BgChannel *fused;

    if (memory == NULL ||
        (fused = job->result->fused = bg_channel_new(job->width, job->height, error)) == NULL)
        return FALSE;
    double *scratch = memory + 4 * job->n * n;
    for (gsize s = 0; s < job->n; s++) {
        double *own = memory + 4 * s * n;
        scales[s] = (Scales){ own, own + n, own + 2 * n, own + 3 * n };
        if (!split(job, s, &scales[s], scratch, error))
            return FALSE;
        bg_progress_report(job->progress, 0.8 * (double) (s + 1) / (double) job->n);
    }
    weigh_bases(job, scales, scratch);
    for (gsize i = 0; i < n; i++) {
        double sum = 0.0, weights = DETAIL_EPS;
        for (gsize s = 0; s < job->n; s++)
            weights += scales[s].detail_weight[i];
        for (gsize s = 0; s < job->n; s++)
            sum += scales[s].base_weight[i] * scales[s].base[i] +
                   scales[s].detail_weight[i] / weights * scales[s].detail[i];
        fused->values[i] = (float) CLAMP(sum, 0.0, 1.0);
    }
    return TRUE;
}
