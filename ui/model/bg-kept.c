// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-kept.h"

#include "core/base/bg-i18n.h"

static gboolean
is_taken(const BgCaseState *state, const char *name)
{
    for (guint i = 0; i < state->plans->len; i++) {
        if (g_str_equal(((const BgCasePlan *) state->plans->pdata[i])->name, name))
            return TRUE;
    }
    for (guint i = 0; i < state->measurements->len; i++) {
        if (g_str_equal(((const BgMeasurement *) state->measurements->pdata[i])->name, name))
            return TRUE;
    }
    return FALSE;
}

char *
bg_kept_new_name(BgSession *session, const char *format)
{
    g_auto(GStrv) parts = g_strsplit(format, "%s", 2);

    for (guint n = 1;; n++) {
        g_autofree char *number = g_strdup_printf("%u", n);
        g_autofree char *name = g_strjoinv(number, parts);
        if (!is_taken(bg_session_get_state(session), name))
            return g_steal_pointer(&name);
    }
}

static void
keep_to(BgSession *session, BgCasePlanKind kind, const char *layer_id, const char *measurement_id,
        const BgLayer *structure, guint32 label)
{
    g_autofree char *id = bg_case_new_id(bg_session_get_case(session), "plan");
    g_autofree char *name = bg_kept_new_name(session, kind == BG_CASE_PLAN_PATH
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
    g_autofree char *name = bg_kept_new_name(session, _("Cut %s"));
    g_autoptr(BgCasePlan) plan = bg_case_plan_new_cut(id, name, prism);

    bg_layer_set_string(&plan->layer_id, volume->id);
    plan->margin_mm = margin_mm;
    plan->rms_mm = rms_mm;
    bg_session_do(session, bg_command_set_plan(plan));
}
