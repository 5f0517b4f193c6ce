// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-engine-choice.h"

#include "core/base/bg-i18n.h"
#include "ui/model/bg-settings.h"

BgEngineChoice
bg_engine_choice_get(void)
{
    g_autofree char *backend = g_settings_get_string(bg_settings_get(), "networks-on");
    g_autofree char *precision = g_settings_get_string(bg_settings_get(), "networks-precision");
    BgEngineChoice choice = { .precision = BG_NN_FLOAT32 };

    g_strlcpy(choice.backend, backend, sizeof choice.backend);
    if (g_str_equal(precision, bg_precision_name(BG_NN_BFLOAT16)))
        choice.precision = BG_NN_BFLOAT16;
    else if (g_str_equal(precision, bg_precision_name(BG_NN_TF32)))
        choice.precision = BG_NN_TF32;
    return choice;
}

gboolean
bg_engine_choice_equal(const BgEngineChoice *a, const BgEngineChoice *b)
{
    return g_str_equal(a->backend, b->backend) && a->precision == b->precision;
}

BgBackend *
bg_engine_choice_open(const BgEngineChoice *choice, GError **error)
{
    BgBackend *backend =
        bg_backend_open(g_str_equal(choice->backend, "auto") ? NULL : choice->backend, error);

    if (backend == NULL)
        g_prefix_error(error, "%s: ",
                       _("Networks cannot be run as the preferences say; choose another processor "
                         "there"));
    return backend;
}

const char *
bg_engine_choice_precision(const BgEngineChoice *choice, const char *ran_on)
{
    gboolean exact = choice->precision == BG_NN_TF32 && g_str_equal(ran_on, "cpu");

    return bg_precision_name(exact ? BG_NN_FLOAT32 : choice->precision);
}

char *
bg_engine_choice_tell(const BgEngineChoice *choice, const char *ran_on)
{
    const char *precision = bg_engine_choice_precision(choice, ran_on);

    return g_str_equal(ran_on, "cpu")
               // Translators: "float32", "bf16"
               ? g_strdup_printf(_("Computed by the processor in %s"), precision)
               // Translators: "cuda"; "float32", "bf16", "tf32"
               : g_strdup_printf(_("Computed by the graphics card (%s) in %s"), ran_on, precision);
}
