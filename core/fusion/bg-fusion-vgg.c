// SPDX-License-Identifier: Apache-2.0
// Weight maps of the levels of VGG-19, or of our own stack of its shape (the fusion of MR and thermal pictures that bregma grows out of).
#include "bg-fusion-private.h"

#include "core/image/bg-ssim.h"

#include <math.h>
#include <string.h>

#define NOTHING 1e-12f // an activity below that is none: the sources share alike

// The largest of all channels, its absolute value.
static BgChannel *
activity(const BgNnTensor *tensor, GError **error)
{
    const BgNnShape *shape = bg_nn_tensor_get_shape(tensor);
    BgChannel *map = bg_channel_new((int) shape->dims[3], (int) shape->dims[2], error);
    const float *data = bg_nn_tensor_peek(tensor);
    gsize n = shape->dims[2] * shape->dims[3];

    if (map == NULL)
        return NULL;
    memcpy(map->values, data, n * sizeof(float));
    for (gsize c = 1; c < shape->dims[1]; c++) {
        for (gsize i = 0; i < n; i++)
            map->values[i] = MAX(map->values[i], data[c * n + i]);
    }
    for (gsize i = 0; i < n; i++)
        map->values[i] = fabsf(map->values[i]);
    return map;
}

// @small: of every unit-th pixel: pixel centres of both grids at half integers of their own.
static BgChannel *
enlarge(const BgChannel *small, int width, int height, int unit, gboolean bilinear, GError **error)
{
    BgChannel *large = bg_channel_new(width, height, error);

    for (int v = 0; large != NULL && v < height; v++) {
        float y = ((float) v + 0.5f) / (float) unit - 0.5f;
        int v0 = bilinear ? (int) floorf(y) : v / unit;
        float fy = bilinear ? y - (float) v0 : 0.0f;
        const float *upper =
            small->values + (gsize) CLAMP(v0, 0, small->height - 1) * (gsize) small->width;
        const float *lower =
            small->values + (gsize) CLAMP(v0 + 1, 0, small->height - 1) * (gsize) small->width;
        for (int u = 0; u < width; u++) {
            float x = ((float) u + 0.5f) / (float) unit - 0.5f;
            int u0 = bilinear ? (int) floorf(x) : u / unit;
            float fx = bilinear ? x - (float) u0 : 0.0f;
            int left = CLAMP(u0, 0, small->width - 1), right = CLAMP(u0 + 1, 0, small->width - 1);
            float top = upper[left] + fx * (upper[right] - upper[left]);
            float low = lower[left] + fx * (lower[right] - lower[left]);
            large->values[(gsize) v * (gsize) width + (gsize) u] = top + fy * (low - top);
        }
    }
    return large;
}

// Each source's share of the sum, in place.
static void
share(BgChannel **maps, gsize n_maps)
{
    for (gsize i = 0; i < bg_channel_count(maps[0]); i++) {
        float sum = 0.0f;
        for (gsize s = 0; s < n_maps; s++)
            sum += maps[s]->values[i];
        for (gsize s = 0; s < n_maps; s++)
            maps[s]->values[i] = sum > NOTHING ? maps[s]->values[i] / sum : 1.0f / (float) n_maps;
    }
}

// Activities of one source at the four levels.
static gboolean
measure_source(const BgFusionJob *job, gsize source, BgChannel *activities[BG_FUSION_N_LEVELS],
               GError **error)
{
    BgNnTensor *outputs[BG_FUSION_N_LEVELS] = { NULL };
    guint wanted = 0;

    for (int level = 0; level < BG_FUSION_N_LEVELS; level++)
        wanted |= 1u << bg_vgg19_output(level, job->params->after_relu);
    gboolean ok =
        bg_fusion_model_run(job->model, job->sources[source]->values, job->params->input, wanted,
                            job->width, job->height, outputs, job->cancellable, error);
    for (int level = 0; ok && level < BG_FUSION_N_LEVELS; level++) {
        activities[level] = activity(outputs[level], error);
        ok = activities[level] != NULL;
    }
    for (int k = 0; k < BG_FUSION_N_LEVELS; k++)
        g_clear_pointer(&outputs[k], bg_nn_tensor_unref);
    return ok;
}

static gboolean
enlarge_all(const BgFusionJob *job, BgChannel **small, BgChannel **maps, GError **error)
{
    for (int level = 0; level < BG_FUSION_N_LEVELS; level++) {
        BgChannel *level_maps[BG_FUSION_MAX_SOURCES] = { NULL };
        for (gsize s = 0; s < job->n; s++)
            level_maps[s] = small[s * BG_FUSION_N_LEVELS + (gsize) level];
        share(level_maps, job->n);
        for (gsize s = 0; s < job->n; s++) {
            BgChannel *map = enlarge(level_maps[s], job->width, job->height, 1 << level,
                                     job->params->bilinear, error);
            if (map == NULL)
                return FALSE;
            maps[s * BG_FUSION_N_LEVELS + (gsize) level] = map;
        }
    }
    return TRUE;
}

// All weight maps: of source s and level l at s * 4 + l.
static gboolean
make_maps(const BgFusionJob *job, GPtrArray *maps, GError **error)
{
    BgChannel *small[BG_FUSION_MAX_SOURCES * BG_FUSION_N_LEVELS] = { NULL };
    gsize n = job->n * BG_FUSION_N_LEVELS;
    gboolean ok = TRUE;

    g_ptr_array_set_size(maps, (int) n);
    for (gsize s = 0; ok && s < job->n; s++) {
        ok = measure_source(job, s, small + s * BG_FUSION_N_LEVELS, error);
        bg_progress_report(job->progress, 0.8 * (double) (s + 1) / (double) job->n);
    }
    ok = ok && enlarge_all(job, small, (BgChannel **) maps->pdata, error);
    for (gsize i = 0; i < n; i++)
        bg_channel_free(small[i]);
    return ok;
}

static const BgChannel *
map_of(const GPtrArray *maps, gsize source, int level)
{
    return maps->pdata[source * BG_FUSION_N_LEVELS + (gsize) level];
}

// out = weight x, over the sum of all weights where that is wanted.
static void
weigh(const BgFusionJob *job, const GPtrArray *maps, const int *levels, gsize source,
      gboolean renormalise, float *out)
{
    const float *x = job->sources[source]->values;
    const float *w = map_of(maps, source, levels[source])->values;

    for (gsize i = 0; i < bg_channel_count(job->sources[0]); i++) {
        float sum = 1.0f;
        if (renormalise) {
            sum = 0.0f;
            for (gsize s = 0; s < job->n; s++)
                sum += map_of(maps, s, levels[s])->values[i];
        }
        out[i] = sum > NOTHING ? w[i] * x[i] / sum : x[i] / (float) job->n;
    }
}

static gboolean
score(const BgFusionJob *job, const GPtrArray *maps, const int *levels, gsize source,
      gboolean renormalise, BgChannel *scratch, double *ssim, GError **error)
{
    weigh(job, maps, levels, source, renormalise, scratch->values);
    return bg_ssim(scratch, job->sources[source], 1.0, ssim, NULL, job->cancellable, error);
}

// Each source's level that keeps most of it.
static gboolean
choose_alone(const BgFusionJob *job, const GPtrArray *maps, BgChannel *scratch, int *levels,
             GError **error)
{
    for (gsize s = 0; s < job->n; s++) {
        double best = -HUGE_VAL;
        int wanted = job->params->levels[s];
        for (int level = 0; level < BG_FUSION_N_LEVELS; level++) {
            int tried[BG_FUSION_MAX_SOURCES] = { 0 };
            double *ssim = &job->result->scores[s][level];
            tried[s] = level;
            if (!score(job, maps, tried, s, FALSE, scratch, ssim, error))
                return FALSE;
            if (wanted == 0 && *ssim > best) {
                best = *ssim;
                levels[s] = level;
            }
        }
        if (wanted > 0)
            levels[s] = wanted - 1;
    }
    return TRUE;
}

// The combination whose sum is largest, with the weights as they will be used; two sources.
static gboolean
choose_together(const BgFusionJob *job, const GPtrArray *maps, BgChannel *scratch, int *levels,
                GError **error)
{
    double best = -HUGE_VAL;

    for (int r = 0; r < BG_FUSION_N_LEVELS; r++) {
        for (int s = 0; s < BG_FUSION_N_LEVELS; s++) {
            int tried[2] = { r, s };
            double first, second;
            if ((job->params->levels[0] > 0 && job->params->levels[0] != r + 1) ||
                (job->params->levels[1] > 0 && job->params->levels[1] != s + 1))
                continue;
            if (!score(job, maps, tried, 0, job->params->renormalise, scratch, &first, error) ||
                !score(job, maps, tried, 1, job->params->renormalise, scratch, &second, error))
                return FALSE;
            if (first + second > best) {
                best = first + second;
                levels[0] = r;
                levels[1] = s;
            }
        }
    }
    return TRUE;
}

static gboolean
fuse_chosen(const BgFusionJob *job, const GPtrArray *maps, GError **error)
{
    BgFusionResult *result = job->result;
    gsize n = bg_channel_count(job->sources[0]);
    g_autoptr(BgChannel) scratch = bg_channel_new(job->width, job->height, error);
    int levels[BG_FUSION_MAX_SOURCES] = { 0 };

    if (scratch == NULL || !choose_alone(job, maps, scratch, levels, error) ||
        (job->params->combinations && !choose_together(job, maps, scratch, levels, error)))
        return FALSE;
    memset(result->fused->values, 0, n * sizeof(float));
    for (gsize s = 0; s < job->n; s++) {
        weigh(job, maps, levels, s, job->params->renormalise, scratch->values);
        for (gsize i = 0; i < n; i++)
            result->fused->values[i] += scratch->values[i];
        result->levels[s] = levels[s] + 1;
    }
    return TRUE;
}

static void
fuse_largest(const BgFusionJob *job, const GPtrArray *maps)
{
    for (gsize i = 0; i < bg_channel_count(job->sources[0]); i++) {
        float largest = -HUGE_VALF;
        for (int level = 0; level < BG_FUSION_N_LEVELS; level++) {
            float sum = 0.0f;
            for (gsize s = 0; s < job->n; s++)
                sum += map_of(maps, s, level)->values[i] * job->sources[s]->values[i];
            largest = MAX(largest, sum);
        }
        job->result->fused->values[i] = largest;
    }
}

gboolean
bg_fuse_vgg19(const BgFusionJob *job, GError **error)
{
    BgFusionResult *result = job->result;

    result->maps = g_ptr_array_new_with_free_func((GDestroyNotify) bg_channel_free);
    result->fused = bg_channel_new(job->width, job->height, error);
    if (result->fused == NULL || !make_maps(job, result->maps, error))
        return FALSE;
    if (job->params->method == BG_FUSION_VGG19_SSIM)
        return fuse_chosen(job, result->maps, error);
    fuse_largest(job, result->maps);
    return TRUE;
}
