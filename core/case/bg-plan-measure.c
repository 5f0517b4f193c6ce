// SPDX-License-Identifier: Apache-2.0
#include "bg-plan-measure.h"

#include "core/annotate/bg-annotations.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/filter/bg-distance-map.h"
#include "core/segment/bg-label-sizes.h"

#include <math.h>

#define STEP_MM 0.05 // along a path: half of what is written

struct _BgPlanMeasure {
    BgCasePlanKind kind;
    char *title, *missing; // owned; missing nullable: why it cannot be measured
    const char *unit;      // static: mm, or px
    BgLabelMap *map, *structure;
    BgLabelTable *table; // owned, nullable
    guint32 structure_label;
    BgVec3 path_mm[2];
    BgCasePlan *cut; // owned, nullable
};

static void
add_row(GPtrArray *rows, const char *what, char *value)
{
    char **row = g_new0(char *, 3);

    row[0] = g_strdup(what);
    row[1] = value;
    g_ptr_array_add(rows, row);
}

// ------------------------------------------------------------------------------------------------
// On the main thread

static char *
name_structure(const BgLayer *layer, guint32 label)
{
    const BgLabelEntry *entry =
        layer->labels != NULL && label != 0 ? bg_label_table_find(layer->labels, label) : NULL;

    if (label == 0)
        return g_strdup(layer->name);
    // Translators: a label, and the label map that it is in
    return entry != NULL ? g_strdup_printf(_("%s in %s"), entry->name, layer->name)
                         // Translators: a label without a name, and the label map that it is in
                         : g_strdup_printf(_("label %u in %s"), label, layer->name);
}

static void
take_structure(BgPlanMeasure *self, BgCase *the_case, const BgCasePlan *plan, const char *of)
{
    const BgLayer *layer = bg_case_get_layer(the_case, plan->structure_id);

    if (layer == NULL) {
        self->missing = g_strdup(_("the label map that it is measured to is not in the case"));
        return;
    }
    g_autofree char *to = name_structure(layer, plan->structure_label);
    g_free(self->title);
    // Translators: a plan's name, what is measured, and to what
    self->title = g_strdup_printf(_("%s: %s to %s"), plan->name, of, to);
    self->structure_label = plan->structure_label;
    if (layer->spacing_unknown)
        self->unit = "px";
    if (layer->payload.labels != NULL)
        self->structure = bg_label_map_ref(layer->payload.labels);
    else
        self->missing = g_strdup_printf(_("“%s” is not loaded"), layer->name);
}

static void
take_path(BgPlanMeasure *self, BgCase *the_case, const BgCasePlan *plan)
{
    const BgMeasurement *ruler = bg_case_get_measurement(the_case, plan->measurement_id);

    if (ruler == NULL || ruler->kind != BG_MEASURE_RULER) {
        self->missing = g_strdup(_("its ruler was removed"));
        return;
    }
    self->path_mm[0] = ruler->points_mm[0];
    self->path_mm[1] = ruler->points_mm[1];
    take_structure(self, the_case, plan, ruler->name);
}

static void
take_regions(BgPlanMeasure *self, BgCase *the_case, const BgCasePlan *plan)
{
    const BgLayer *layer = bg_case_get_layer(the_case, plan->layer_id);

    if (layer == NULL || layer->payload.labels == NULL) {
        self->missing = g_strdup(_("the label map that is measured is not in the case"));
        return;
    }
    self->map = bg_label_map_ref(layer->payload.labels);
    self->table = layer->labels != NULL ? bg_label_table_ref(layer->labels) : NULL;
    take_structure(self, the_case, plan, layer->name);
}

BgPlanMeasure *
bg_plan_measure_new(BgCase *the_case, const BgCasePlan *plan)
{
    BgPlanMeasure *self = g_new0(BgPlanMeasure, 1);
    const BgLayer *layer = bg_case_get_layer(the_case, plan->layer_id);

    self->kind = plan->kind;
    self->title = g_strdup(plan->name);
    self->unit = "mm";
    switch (plan->kind) {
    case BG_CASE_PLAN_PATH:
        take_path(self, the_case, plan);
        break;
    case BG_CASE_PLAN_DISTANCE:
        take_regions(self, the_case, plan);
        break;
    case BG_CASE_PLAN_CUT:
        self->cut = bg_case_plan_new_cut(plan->id, plan->name, plan->prism);
        self->cut->margin_mm = plan->margin_mm;
        self->cut->rms_mm = plan->rms_mm;
        if (layer != NULL) {
            g_free(self->title);
            // Translators: a plan's name, and the volume that it cuts
            self->title = g_strdup_printf(_("%s: cut of %s"), plan->name, layer->name);
        }
        if (layer != NULL && layer->spacing_unknown)
            self->unit = "px";
        break;
    }
    return self;
}

void
bg_plan_measure_free(BgPlanMeasure *self)
{
    if (self == NULL)
        return;
    g_free(self->title);
    g_free(self->missing);
    g_clear_pointer(&self->map, bg_label_map_unref);
    g_clear_pointer(&self->structure, bg_label_map_unref);
    g_clear_pointer(&self->table, bg_label_table_unref);
    bg_case_plan_free(self->cut);
    g_free(self);
}

const char *
bg_plan_measure_get_title(const BgPlanMeasure *self)
{
    return self->title;
}

// ------------------------------------------------------------------------------------------------
// On a worker

static gboolean
measure_path(const BgPlanMeasure *self, GPtrArray *rows, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgVolume) distances = bg_distance_map(self->structure, self->structure_label,
                                                    BG_DISTANCE_SIGNED, NULL, cancellable, error);
    g_autoptr(GArray) profile = NULL;
    BgPathDistance found;

    if (distances == NULL ||
        !bg_path_distance(distances, self->path_mm, 2, STEP_MM, &found, &profile, error))
        return FALSE;
    add_row(rows, _("Length of the path"), g_strdup_printf("%.1f %s", found.length_mm, self->unit));
    add_row(rows, _("Nearest to it"),
            found.nearest_mm >= 0.0
                // Translators: a distance with its unit, and how far along a path that is
                ? g_strdup_printf(_("%.1f %s, after %.1f"), found.nearest_mm, self->unit,
                                  found.nearest_at_mm)
                // Translators: how deep with its unit, and how far along a path that is
                : g_strdup_printf(_("inside by %.1f %s, after %.1f"), -found.nearest_mm, self->unit,
                                  found.nearest_at_mm));
    add_row(rows, _("Enters it"),
            isnan(found.entry_at_mm)
                ? g_strdup(_("never"))
                // Translators: a length of a path, with its unit
                : g_strdup_printf(_("after %.1f %s"), found.entry_at_mm, self->unit));
    add_row(rows, _("Runs inside it"), g_strdup_printf("%.1f %s", found.inside_mm, self->unit));
    if (found.n_outside > 0)
        add_row(rows, _("Outside of the label map, and left out"),
                g_strdup_printf("%.1f %s",
                                found.length_mm * (double) found.n_outside / profile->len,
                                self->unit));
    return TRUE;
}

static gboolean
measure_regions(const BgPlanMeasure *self, GPtrArray *rows, GCancellable *cancellable,
                GError **error)
{
    BgSizesRequest request = { .map = self->map,
                               .table = self->table,
                               .structure = self->structure,
                               .structure_label = self->structure_label };
    g_autoptr(GArray) sizes = bg_label_sizes(&request, cancellable, error);

    for (guint r = 0; sizes != NULL && r < sizes->len; r++) {
        const BgSizesRow *row = &g_array_index(sizes, BgSizesRow, r);
        add_row(rows, row->name,
                isnan(row->distance_mm) ? g_strdup(_("outside of its grid"))
                                        : g_strdup_printf("%.1f %s", row->distance_mm, self->unit));
    }
    if (sizes != NULL && sizes->len == 0)
        add_row(rows, _("Not measured"), g_strdup(_("no voxel is labelled")));
    return sizes != NULL;
}

static void
tell_cut(const BgPlanMeasure *self, GPtrArray *rows)
{
    const BgCasePlan *cut = self->cut;
    const BgPrism *prism = cut->prism;

    add_row(rows, _("Middle of its top"), bg_format_position(prism->origin_mm));
    add_row(rows, _("Middle of its bottom"), bg_format_position(bg_prism_get_bottom(prism)));
    add_row(rows, _("Depth"), g_strdup_printf("%.1f %s", prism->depth_mm, self->unit));
    add_row(rows, _("Wider than the points by"),
            g_strdup_printf("%.1f %s", cut->margin_mm, self->unit));
    add_row(rows, _("Shape"),
            prism->is_cylinder
                // Translators: a radius with its unit
                ? g_strdup_printf(_("cylinder of radius %.1f %s"), prism->radius_mm, self->unit)
                // Translators: a number of corners
                : g_strdup_printf(_("prism of %u corners"), prism->outline->len));
    if (self->unit[0] == 'm')
        add_row(rows, _("Holds"), g_strdup_printf("%.2f ml", bg_case_plan_volume_ml(cut)));
    add_row(rows, _("Points lie off their plane by"),
            // Translators: a length with its unit
            g_strdup_printf(_("%.1f %s (root mean square)"), cut->rms_mm, self->unit));
}

GPtrArray *
bg_plan_measure_run(const BgPlanMeasure *self, GCancellable *cancellable, GError **error)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    g_autoptr(GError) reason = NULL;

    if (self->cut != NULL)
        tell_cut(self, rows);
    else if (self->missing != NULL)
        add_row(rows, _("Not measured"), g_strdup(self->missing));
    else if (!(self->kind == BG_CASE_PLAN_PATH
                   ? measure_path(self, rows, cancellable, &reason)
                   : measure_regions(self, rows, cancellable, &reason))) {
        if (!g_error_matches(reason, BG_ERROR, BG_ERROR_INVALID) &&
            !g_error_matches(reason, BG_ERROR, BG_ERROR_UNSUPPORTED)) {
            g_propagate_error(error, g_steal_pointer(&reason));
            return NULL;
        }
        g_ptr_array_set_size(rows, 0);
        add_row(rows, _("Not measured"), g_strdup(reason->message));
    }
    return g_steal_pointer(&rows);
}
