// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-fused.h"

#include "core/base/bg-i18n.h"

#include <math.h>

BgFused *
bg_fused_new(void)
{
    return g_atomic_rc_box_new0(BgFused);
}

BgFused *
bg_fused_ref(BgFused *fused)
{
    return g_atomic_rc_box_acquire(fused);
}

static void
clear(gpointer data)
{
    BgFused *fused = data;

    bg_fusion_view_clear(&fused->view);
    g_clear_object(&fused->texture);
    g_clear_pointer(&fused->paint, bg_photo_paint_unref);
    g_clear_pointer(&fused->outlines, g_ptr_array_unref);
    g_clear_pointer(&fused->maps, g_ptr_array_unref);
    g_free(fused->error);
    g_free(fused->layer_id);
    g_free(fused->layer_name);
    g_free(fused->weights);
    g_free(fused->sha256);
    g_free(fused->provenance);
}

void
bg_fused_unref(BgFused *fused)
{
    g_atomic_rc_box_release_full(fused, clear);
}

gboolean
bg_fused_is_synthetic(const BgFused *fused)
{
    return fused->method == BG_FUSION_LEARNED;
}

const char *
bg_fusion_title(BgFusionMethod method)
{
    static const char *const titles[] = {
        [BG_FUSION_AVERAGE] = N_("Mean"),
        [BG_FUSION_TWO_SCALE] = N_("Two scales"),
        [BG_FUSION_VGG19_SSIM] = N_("Features, layers by likeness"),
        [BG_FUSION_VGG19_MAX] = N_("Features, largest of all layers"),
        [BG_FUSION_NSST_PAPCNN] = N_("Shearlets"),
        [BG_FUSION_LEARNED] = N_("Learned"),
    };

    return _(titles[method]);
}

char *
bg_fused_get_method(const BgFused *fused)
{
    g_autoptr(GString) words = g_string_new(bg_fusion_title(fused->method));

    if (*fused->weights != '\0')
        // Translators: the name of a network's weights: "fusion", "vgg19"
        g_string_append_printf(words, _(", weights of %s"), fused->weights);
    if (fused->view.levels[0] > 0)
        g_string_append_printf(words, _(", layer %d of the volume, %d of the photograph"),
                               fused->view.levels[0], fused->view.levels[1]);
    return g_string_free(g_steal_pointer(&words), FALSE);
}

char *
bg_fused_get_engine(const BgFused *fused)
{
    return *fused->weights != '\0' ? bg_engine_choice_tell(&fused->engine, fused->backend) : NULL;
}

gboolean
bg_fused_which_weights(BgFusionMethod method, BgFusedWeights *which)
{
    *which = method == BG_FUSION_LEARNED ? BG_FUSED_WEIGHTS_LEARNED : BG_FUSED_WEIGHTS_FEATURES;
    return bg_fusion_method_wants_model(method);
}

static void
add_measure(GString *words, const char *name, double value)
{
    if (!isfinite(value))
        return;
    g_string_append_printf(words, "%s%s %.3f", words->len > 0 ? "  " : "", name, value);
}

char *
bg_fused_get_measures(const BgFused *fused)
{
    const BgFusionMetrics *m = &fused->view.metrics;
    g_autoptr(GString) words = g_string_new(NULL);

    add_measure(words, _("SSIM of the volume"), fused->view.ssim[0]);
    add_measure(words, _("of the photograph"), fused->view.ssim[1]);
    add_measure(words, "Q_SSIM", m->q_ssim);
    add_measure(words, "Q_G", m->q_g);
    add_measure(words, "VIFF", m->viff);
    add_measure(words, "FMI", m->fmi);
    add_measure(words, "Q_IE", m->q_ie);
    add_measure(words, "SCD", m->scd);
    return g_string_free(g_steal_pointer(&words), FALSE);
}
