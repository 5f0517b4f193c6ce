// SPDX-License-Identifier: Apache-2.0
#include "bg-fusion.h"

#include "bg-fusion-private.h"
#include "bg-shearlet.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/image/bg-ssim.h"

#include <math.h>
#include <string.h>

static gboolean
fuse_average(const BgFusionJob *job, GError **error)
{
    BgChannel *fused = job->result->fused = bg_channel_new(job->width, job->height, error);

    for (gsize i = 0; fused != NULL && i < bg_channel_count(fused); i++) {
        double sum = 0.0;
        for (gsize s = 0; s < job->n; s++)
            sum += (double) job->sources[s]->values[i];
        fused->values[i] = (float) (sum / (double) job->n);
    }
    return fused != NULL;
}

static const struct {
    const char *name;
    gboolean wants_model;
    int smallest;                                             // side in pixels
    gboolean (*fuse)(const BgFusionJob *job, GError **error); // NULL: not in this version
} methods[BG_FUSION_N_METHODS] = {
    [BG_FUSION_AVERAGE] = { "average", FALSE, 1, fuse_average },
    [BG_FUSION_TWO_SCALE] = { "two-scale", TRUE, 3, bg_fuse_two_scale },
    [BG_FUSION_VGG19_SSIM] = { "vgg19-ssim", TRUE, BG_SSIM_WINDOW, bg_fuse_vgg19 },
    [BG_FUSION_NSST_PAPCNN] = { "nsst-papcnn", FALSE, BG_SHEARLET_SMALLEST, bg_fuse_papcnn },
    [BG_FUSION_LEARNED] = { "learned", TRUE, 9, bg_fuse_learned },
    [BG_FUSION_VGG19_MAX] = { "vgg19-max", TRUE, 8, bg_fuse_vgg19 },
};

const char *
bg_fusion_method_name(BgFusionMethod method)
{
    return methods[method].name;
}

gboolean
bg_fusion_method_find(const char *name, BgFusionMethod *method)
{
    for (int m = 0; m < BG_FUSION_N_METHODS; m++) {
        if (methods[m].fuse != NULL && strcmp(methods[m].name, name) == 0) {
            *method = (BgFusionMethod) m;
            return TRUE;
        }
    }
    return FALSE;
}

gboolean
bg_fusion_method_wants_model(BgFusionMethod method)
{
    return methods[method].wants_model;
}

BgFusionParams
bg_fusion_params(BgFusionMethod method)
{
    gboolean paper = method == BG_FUSION_VGG19_SSIM;

    return (BgFusionParams){ .method = method,
                             .renormalise = TRUE,
                             .after_relu = paper,
                             .input = BG_VGG19_PLAIN,
                             .bilinear = paper };
}

void
bg_fusion_result_clear(BgFusionResult *result)
{
    g_clear_pointer(&result->fused, bg_channel_free);
    g_clear_pointer(&result->maps, g_ptr_array_unref);
}

static gboolean
check(const BgChannel *const *sources, gsize n, const BgFusionParams *params,
      const BgFusionModel *model, GError **error)
{
    int smallest = methods[params->method].smallest;

    for (gsize s = 1; s < n; s++) {
        if (sources[s]->width != sources[0]->width || sources[s]->height != sources[0]->height) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("Pictures of %d × %d and %d × %d pixels cannot be fused; register and "
                          "resample them to one size"),
                        sources[0]->width, sources[0]->height, sources[s]->width,
                        sources[s]->height);
            return FALSE;
        }
    }
    if (MIN(sources[0]->width, sources[0]->height) < smallest) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("Pictures of %d × %d pixels are too small for “%s”; it needs %d a side"),
                    sources[0]->width, sources[0]->height, methods[params->method].name, smallest);
        return FALSE;
    }
    if (params->combinations && n != 2) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("Combinations of levels are tried for two pictures, not for %zu; choose each "
                      "picture's level alone"),
                    n);
        return FALSE;
    }
    for (gsize s = 0; s < n; s++) {
        if (params->levels[s] < 0 || params->levels[s] > BG_FUSION_N_LEVELS) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("There is no level %d of the network; give 1 to %d"), params->levels[s],
                        BG_FUSION_N_LEVELS);
            return FALSE;
        }
    }
    if (methods[params->method].wants_model && model == NULL) {
        g_set_error(
            error, BG_ERROR, BG_ERROR_INVALID,
            _("“%s” needs a file of weights; import VGG-19 first, or take a method without"),
            methods[params->method].name);
        return FALSE;
    }
    if (params->input != BG_VGG19_PLAIN && model != NULL &&
        g_str_equal(bg_fusion_model_get_name(model), BG_VGG_SMALL)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("%s was trained with values of 0 to 1 as they are; a scaling for another "
                      "network's weights would mislead it: leave that out"),
                    BG_VGG_SMALL);
        return FALSE;
    }
    return TRUE;
}

static void
widen(const BgChannel *channel, float *low, float *high)
{
    for (gsize i = 0; i < bg_channel_count(channel); i++) {
        *low = MIN(*low, channel->values[i]);
        *high = MAX(*high, channel->values[i]);
    }
}

static void
stretch(const BgChannel *const *sources, gsize n_sources, BgChannel *fused)
{
    float low = INFINITY, high = -INFINITY, own_low = INFINITY, own_high = -INFINITY;

    for (gsize s = 0; s < n_sources; s++)
        widen(sources[s], &low, &high);
    widen(fused, &own_low, &own_high);
    if (!(own_high > own_low))
        return;
    float factor = (high - low) / (own_high - own_low);
    for (gsize i = 0; i < bg_channel_count(fused); i++)
        fused->values[i] = low + factor * (fused->values[i] - own_low);
}

gboolean
bg_fuse(const BgChannel *const *sources, gsize n_sources, const BgFusionParams *params,
        BgFusionModel *model, BgFusionResult *result, const BgProgress *progress,
        GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(sources != NULL && params != NULL && result != NULL, FALSE);
    g_return_val_if_fail(n_sources >= 2 && n_sources <= BG_FUSION_MAX_SOURCES, FALSE);
    g_return_val_if_fail(methods[params->method].fuse != NULL, FALSE);

    BgFusionResult made = { 0 };
    BgFusionJob job = { .sources = sources,
                        .n = n_sources,
                        .params = params,
                        .model = model,
                        .result = &made,
                        .progress = progress,
                        .cancellable = cancellable };

    for (gsize s = 0; s < BG_FUSION_MAX_SOURCES; s++) {
        for (int level = 0; level < BG_FUSION_N_LEVELS; level++)
            made.scores[s][level] = (double) NAN;
    }
    if (!check(sources, n_sources, params, model, error))
        return FALSE;
    job.width = sources[0]->width;
    job.height = sources[0]->height;
    if (g_cancellable_set_error_if_cancelled(cancellable, error) ||
        !methods[params->method].fuse(&job, error)) {
        bg_fusion_result_clear(&made);
        return FALSE;
    }
    if (params->full_range)
        stretch(sources, n_sources, made.fused);
    bg_progress_report(progress, 1.0);
    *result = made;
    return TRUE;
}
