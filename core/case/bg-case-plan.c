// SPDX-License-Identifier: Apache-2.0
#include "bg-case-plan.h"

#include "bg-variant-private.h"
#include "core/base/bg-error.h"

#include <math.h>

#define N_NUMBERS 13 // of a cut: origin, normal, u; depth, radius, margin, rms
#define MAX_CORNERS 4096
#define UNIT_TOLERANCE 1e-6

BgCasePlan *
bg_case_plan_new(BgCasePlanKind kind, const char *id, const char *name)
{
    BgCasePlan *self = g_new0(BgCasePlan, 1);

    self->kind = kind;
    self->id = g_strdup(id);
    self->name = g_strdup(name);
    self->layer_id = g_strdup("");
    self->measurement_id = g_strdup("");
    self->structure_id = g_strdup("");
    return self;
}

BgCasePlan *
bg_case_plan_new_cut(const char *id, const char *name, const BgPrism *prism)
{
    BgCasePlan *self = bg_case_plan_new(BG_CASE_PLAN_CUT, id, name);

    self->prism = g_new(BgPrism, 1);
    *self->prism = *prism;
    self->prism->outline = g_array_new(FALSE, FALSE, sizeof(BgContourPoint));
    if (prism->outline != NULL)
        g_array_append_vals(self->prism->outline, prism->outline->data, prism->outline->len);
    return self;
}

void
bg_case_plan_free(BgCasePlan *plan)
{
    if (plan == NULL)
        return;
    g_free(plan->id);
    g_free(plan->name);
    g_free(plan->layer_id);
    g_free(plan->measurement_id);
    g_free(plan->structure_id);
    g_clear_pointer(&plan->prism, bg_prism_free);
    g_free(plan);
}

double
bg_case_plan_volume_ml(const BgCasePlan *plan)
{
    const BgPrism *prism = plan->prism;
    double area_mm2 = 0.0;

    g_return_val_if_fail(prism != NULL, 0.0);

    if (prism->is_cylinder)
        return G_PI * prism->radius_mm * prism->radius_mm * prism->depth_mm / 1000.0;
    for (guint i = 0; i < prism->outline->len; i++) { // the shoelace formula
        const BgContourPoint *a = &g_array_index(prism->outline, BgContourPoint, i);
        const BgContourPoint *b =
            &g_array_index(prism->outline, BgContourPoint, (i + 1) % prism->outline->len);
        area_mm2 += 0.5 * (a->x * b->y - a->y * b->x);
    }
    return fabs(area_mm2) * prism->depth_mm / 1000.0;
}

static void
add_prism(GVariantBuilder *numbers, GVariantBuilder *outline, const BgCasePlan *plan)
{
    const BgPrism *prism = plan->prism;
    const double all[N_NUMBERS] = { prism->origin_mm.x, prism->origin_mm.y, prism->origin_mm.z,
                                    prism->normal.x,    prism->normal.y,    prism->normal.z,
                                    prism->u.x,         prism->u.y,         prism->u.z,
                                    prism->depth_mm,    prism->radius_mm,   plan->margin_mm,
                                    plan->rms_mm };

    for (int n = 0; n < N_NUMBERS; n++)
        g_variant_builder_add(numbers, "d", all[n]);
    for (guint i = 0; i < prism->outline->len; i++) {
        const BgContourPoint *corner = &g_array_index(prism->outline, BgContourPoint, i);
        g_variant_builder_add(outline, "(dd)", corner->x, corner->y);
    }
}

GVariant *
bg_case_plan_to_variant(const BgCasePlan *plan)
{
    GVariantBuilder numbers, outline;

    g_variant_builder_init(&numbers, G_VARIANT_TYPE("ad"));
    g_variant_builder_init(&outline, G_VARIANT_TYPE("a(dd)"));
    if (plan->prism != NULL)
        add_prism(&numbers, &outline, plan);
    return g_variant_new("(@su@s@s@s@subada(dd))", bg_variant_string(plan->id),
                         (guint32) plan->kind, bg_variant_string(plan->name),
                         bg_variant_string(plan->layer_id), bg_variant_string(plan->measurement_id),
                         bg_variant_string(plan->structure_id), plan->structure_label,
                         plan->prism != NULL && plan->prism->is_cylinder, &numbers, &outline);
}

// Two unit vectors across each other: the third is made of them.
static gboolean
is_frame(BgVec3 normal, BgVec3 u)
{
    return fabs(bg_vec3_length(normal) - 1.0) < UNIT_TOLERANCE &&
           fabs(bg_vec3_length(u) - 1.0) < UNIT_TOLERANCE &&
           fabs(bg_vec3_dot(normal, u)) < UNIT_TOLERANCE;
}

static gboolean
take_prism(BgCasePlan *plan, GVariant *numbers, GVariant *outline, gboolean is_cylinder)
{
    gsize n;
    const double *d = g_variant_get_fixed_array(numbers, &n, sizeof *d);
    gsize n_corners = g_variant_n_children(outline);

    if (n != N_NUMBERS || n_corners > MAX_CORNERS)
        return FALSE;
    BgPrism *prism = plan->prism = g_new0(BgPrism, 1);
    prism->outline = g_array_new(FALSE, FALSE, sizeof(BgContourPoint));
    prism->origin_mm = bg_vec3(d[0], d[1], d[2]);
    prism->normal = bg_vec3(d[3], d[4], d[5]);
    prism->u = bg_vec3(d[6], d[7], d[8]);
    prism->v = bg_vec3_cross(prism->normal, prism->u);
    prism->depth_mm = d[9];
    prism->radius_mm = d[10];
    plan->margin_mm = d[11];
    plan->rms_mm = d[12];
    prism->is_cylinder = is_cylinder;
    for (gsize i = 0; i < n_corners; i++) {
        BgContourPoint corner = { 0 };
        g_variant_get_child(outline, i, "(dd)", &corner.x, &corner.y);
        g_array_append_val(prism->outline, corner);
    }
    return is_frame(prism->normal, prism->u) && prism->depth_mm > 0.0 && plan->margin_mm >= 0.0 &&
           plan->rms_mm >= 0.0 && (is_cylinder ? prism->radius_mm > 0.0 : n_corners >= 3);
}

BgCasePlan *
bg_case_plan_from_variant(GVariant *variant, GError **error)
{
    const char *id, *name, *layer_id, *measurement_id, *structure_id;
    guint32 kind, label;
    gboolean is_cylinder;
    g_autoptr(GVariant) numbers = NULL;
    g_autoptr(GVariant) outline = NULL;

    g_variant_get(variant, "(&su&s&s&s&sub@ad@a(dd))", &id, &kind, &name, &layer_id,
                  &measurement_id, &structure_id, &label, &is_cylinder, &numbers, &outline);
    g_autoptr(BgCasePlan) plan = bg_case_plan_new((BgCasePlanKind) kind, id, name);
    bg_layer_set_string(&plan->layer_id, layer_id);
    bg_layer_set_string(&plan->measurement_id, measurement_id);
    bg_layer_set_string(&plan->structure_id, structure_id);
    plan->structure_label = label;
    if (*id == '\0' || kind > BG_CASE_PLAN_CUT || !bg_variant_doubles_ok(variant) ||
        (kind == BG_CASE_PLAN_CUT && !take_prism(plan, numbers, outline, is_cylinder)) ||
        (kind != BG_CASE_PLAN_CUT && *structure_id == '\0') ||
        (kind == BG_CASE_PLAN_PATH && *measurement_id == '\0') ||
        (kind == BG_CASE_PLAN_DISTANCE && *layer_id == '\0')) {
        bg_variant_refuse("plans", error);
        return NULL;
    }
    return g_steal_pointer(&plan);
}
