// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-kept.h"

#include "core/base/bg-i18n.h"

// The first of "Cut 1", "Cut 2" ... that none is called: (transfer full)
static char *
free_name(BgSession *session, const char *format)
{
    const GPtrArray *plans = bg_session_get_state(session)->plans;

    for (guint n = 1;; n++) {
        g_autofree char *number = g_strdup_printf("%u", n);
        g_auto(GStrv) parts = g_strsplit(format, "%s", 2);
        char *name = g_strjoinv(number, parts);
        gboolean taken = FALSE;
        for (guint i = 0; i < plans->len; i++)
            taken |= g_str_equal(((const BgCasePlan *) plans->pdata[i])->name, name);
        if (!taken)
            return name;
        g_free(name);
    }
}

static void
keep_to(BgSession *session, BgCasePlanKind kind, const char *layer_id, const char *measurement_id,
        const BgLayer *structure, guint32 label)
{
    g_autofree char *id = bg_case_new_id(bg_session_get_case(session), "plan");
    g_autofree char *name = free_name(session, kind == BG_CASE_PLAN_PATH
                                                   // Translators: a number
                                                   ? _("Path %s")
                                                   // Translators: a number
                                                   : _("Distance %s"));
    g_autoptr(BgCasePlan) plan = bg_case_plan_new(kind, id, name);

    bg_layer_set_string(&plan->layer_id, layer_id);
    bg_layer_set_string(&plan->measurement_id, measurement_id);
    bg_layer_set_string(&plan->structure_id, structure->id);
    plan->structure_label = label;
    bg_session_do(session, bg_command_set_plan(plan));
}

void
bg_kept_path(BgSession *session, const char *measurement_id, const BgLayer *structure,
             guint32 label)
{
    keep_to(session, BG_CASE_PLAN_PATH, NULL, measurement_id, structure, label);
}

void
bg_kept_distances(BgSession *session, const BgLayer *labels, const BgLayer *structure,
                  guint32 label)
{
    keep_to(session, BG_CASE_PLAN_DISTANCE, labels->id, NULL, structure, label);
}

void
bg_kept_cut(BgSession *session, const BgLayer *volume, const BgPrism *prism, double margin_mm,
            double rms_mm)
{
    g_autofree char *id = bg_case_new_id(bg_session_get_case(session), "plan");
    // Translators: a number
    g_autofree char *name = free_name(session, _("Cut %s"));
    g_autoptr(BgCasePlan) plan = bg_case_plan_new_cut(id, name, prism);

    bg_layer_set_string(&plan->layer_id, volume->id);
    plan->margin_mm = margin_mm;
    plan->rms_mm = rms_mm;
    bg_session_do(session, bg_command_set_plan(plan));
}
