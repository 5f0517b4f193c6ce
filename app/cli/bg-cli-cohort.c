// SPDX-License-Identifier: Apache-2.0
// evaluate cohort: several pairs of label maps, each and together.
#include "bg-cli-measures.h"

#include "core/base/bg-error.h"
#include "core/base/bg-output.h"
#include "core/segment/bg-cohort.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    gsize offset;
} measures[] = {
    { "dice", G_STRUCT_OFFSET(BgLabelMetrics, dice) },
    { "jaccard", G_STRUCT_OFFSET(BgLabelMetrics, jaccard) },
    { "sensitivity", G_STRUCT_OFFSET(BgLabelMetrics, sensitivity) },
    { "precision", G_STRUCT_OFFSET(BgLabelMetrics, precision) },
    { "hd95_mm", G_STRUCT_OFFSET(BgLabelMetrics, hd95_mm) },
    { "mean_surface_mm", G_STRUCT_OFFSET(BgLabelMetrics, mean_surface_mm) },
};

#define N_MEASURES G_N_ELEMENTS(measures)

/** Cohort: numbers by measure, region, and case */
typedef struct {
    GPtrArray *names; // of char *
    const BgLabelRegion *regions;
    gsize n_regions, n_cases;
    double *values;
} Cohort;

static double *
value_at(const Cohort *cohort, gsize measure, gsize region, gsize which)
{
    return cohort->values + (measure * cohort->n_regions + region) * cohort->n_cases + which;
}

// A line "pred,truth" or "pred,truth,name"; paths are relative to the list.
static gboolean
measure_line(BgCli *cli, Cohort *cohort, const char *folder, const char *line, gsize which,
             GError **error)
{
    g_auto(GStrv) parts = g_strsplit(line, ",", 3);

    if (parts[0] == NULL || parts[1] == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    "cannot evaluate: %s: line %zu is not PRED,TRUTH[,NAME]. Make it so",
                    bg_cli_arg(cli, 1), which + 1);
        return FALSE;
    }
    g_autofree char *first = g_canonicalize_filename(g_strstrip(parts[0]), folder);
    g_autofree char *second = g_canonicalize_filename(g_strstrip(parts[1]), folder);
    g_autoptr(BgLabelMap) pred = bg_cli_load_labels(cli, first, error);
    g_autoptr(BgLabelMap) truth = pred != NULL ? bg_cli_load_labels(cli, second, error) : NULL;
    if (truth == NULL)
        return FALSE;
    for (gsize r = 0; r < cohort->n_regions; r++) {
        BgLabelMetrics m;
        if (!bg_label_metrics(pred, truth, &cohort->regions[r], BG_SURFACE_VOXELS, 1.0, &m, NULL,
                              cli->cancellable, error)) {
            bg_cli_blame_path(error, first);
            return FALSE;
        }
        for (gsize n = 0; n < N_MEASURES; n++)
            *value_at(cohort, n, r, which) = G_STRUCT_MEMBER(double, &m, measures[n].offset);
    }
    g_ptr_array_add(cohort->names, g_strdup(parts[2] != NULL ? g_strstrip(parts[2]) : parts[0]));
    bg_progress_report(&cli->progress, (double) (which + 1) / (double) cohort->n_cases);
    return TRUE;
}

static BgJson *
summary_to_json(const BgSummary *s)
{
    BgJson *json = bg_json_new_object();

    bg_json_set_integer(json, "n", (gint64) s->n);
    bg_json_set_double(json, "mean", s->mean);
    bg_json_set_double(json, "min", s->least);
    bg_json_set_double(json, "q1", s->q1);
    bg_json_set_double(json, "median", s->median);
    bg_json_set_double(json, "q3", s->q3);
    bg_json_set_double(json, "max", s->most);
    return json;
}

static void
set_cohort(BgCli *cli, const Cohort *cohort)
{
    BgJson *cases = bg_json_new_array(), *summary = bg_json_new_object();

    for (gsize which = 0; which < cohort->n_cases; which++) {
        BgJson *one = bg_json_new_object(), *regions = bg_json_new_object();
        bg_json_set_string(one, "name", cohort->names->pdata[which]);
        for (gsize r = 0; r < cohort->n_regions; r++) {
            BgJson *region = bg_json_new_object();
            for (gsize n = 0; n < N_MEASURES; n++)
                bg_json_set_double(region, measures[n].name, *value_at(cohort, n, r, which));
            bg_json_set(regions, cohort->regions[r].name, region);
        }
        bg_json_set(one, "regions", regions);
        bg_json_append(cases, one);
    }
    for (gsize r = 0; r < cohort->n_regions; r++) {
        BgJson *region = bg_json_new_object();
        for (gsize n = 0; n < N_MEASURES; n++) {
            BgSummary s = bg_summary(value_at(cohort, n, r, 0), cohort->n_cases);
            bg_json_set(region, measures[n].name, summary_to_json(&s));
        }
        bg_json_set(summary, cohort->regions[r].name, region);
    }
    bg_json_set(cli->result, "cases", cases);
    bg_json_set(cli->result, "summary", summary);
}

static char *
cohort_to_csv(const Cohort *cohort)
{
    GString *csv = g_string_new("case,region");

    for (gsize n = 0; n < N_MEASURES; n++)
        g_string_append_printf(csv, ",%s", measures[n].name);
    g_string_append_c(csv, '\n');
    for (gsize which = 0; which < cohort->n_cases; which++) {
        for (gsize r = 0; r < cohort->n_regions; r++) {
            g_string_append_printf(csv, "%s,%s", (char *) cohort->names->pdata[which],
                                   cohort->regions[r].name);
            for (gsize n = 0; n < N_MEASURES; n++) {
                char text[G_ASCII_DTOSTR_BUF_SIZE];
                double value = *value_at(cohort, n, r, which);
                g_ascii_formatd(text, sizeof text, "%.9g", value);
                g_string_append_printf(csv, ",%s", isfinite(value) ? text : "");
            }
            g_string_append_c(csv, '\n');
        }
    }
    return g_string_free(csv, FALSE);
}

gboolean
bg_cli_save_text(BgCli *cli, const char *option, const char *text, GError **error)
{
    const char *path = bg_cli_option(cli, option);

    return bg_cli_wrote(cli, bg_output_replace(path, cli->force, text, strlen(text), error), path,
                        error);
}

static gboolean
save_drawings(BgCli *cli, const Cohort *cohort, GError **error)
{
    g_autofree const char **names = g_new(const char *, cohort->n_regions);
    g_autofree BgSummary *boxes = g_new(BgSummary, cohort->n_regions);

    for (gsize r = 0; r < cohort->n_regions; r++) {
        names[r] = cohort->regions[r].name;
        boxes[r] = bg_summary(value_at(cohort, 0, r, 0), cohort->n_cases);
    }
    if (bg_cli_has(cli, "csv")) {
        g_autofree char *csv = cohort_to_csv(cohort);
        if (!bg_cli_save_text(cli, "csv", csv, error))
            return FALSE;
    }
    if (!bg_cli_has(cli, "plot"))
        return TRUE;
    g_autofree char *svg = bg_plot_boxes(names, boxes, cohort->n_regions, "Dice", 1.0);
    return bg_cli_save_text(cli, "plot", svg, error);
}

gboolean
bg_cli_evaluate_cohort(BgCli *cli, GError **error)
{
    const char *list = bg_cli_arg(cli, 1);
    g_autofree char *text = NULL, *folder = g_path_get_dirname(list);
    Cohort cohort = { .names = g_ptr_array_new_with_free_func(g_free) };
    gboolean ok = g_file_get_contents(list, &text, NULL, error);

    g_autofree char *absolute = g_canonicalize_filename(folder, NULL);
    g_auto(GStrv) lines = g_strsplit(ok ? g_strstrip(text) : "", "\n", -1);
    cohort.regions = bg_brats_regions(&cohort.n_regions);
    cohort.n_cases = g_strv_length(lines);
    if (ok && cohort.n_cases == 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    "cannot evaluate: %s: it is empty. Give lines of PRED,TRUTH[,NAME]", list);
        ok = FALSE;
    }
    cohort.values = g_new0(double, N_MEASURES *cohort.n_regions *MAX(cohort.n_cases, 1));
    for (gsize which = 0; ok && which < cohort.n_cases; which++)
        ok = measure_line(cli, &cohort, absolute, lines[which], which, error);
    if (ok) {
        set_cohort(cli, &cohort);
        ok = save_drawings(cli, &cohort, error);
    }
    g_ptr_array_unref(cohort.names);
    g_free(cohort.values);
    return ok;
}

gboolean
bg_cli_save_slice_plot(BgCli *cli, BgLabelMap *pred, BgLabelMap *truth,
                       const BgLabelRegion *regions, gsize n_regions, GError **error)
{
    gsize n = (gsize) bg_label_map_get_geometry(pred)->dims[2];
    g_autofree const char **names = g_new(const char *, n_regions);
    g_autofree double *values = g_new(double, n *MAX(n_regions, 1));
    g_autofree const double **series = g_new(const double *, n_regions);

    for (gsize r = 0; r < n_regions; r++) {
        names[r] = regions[r].name;
        series[r] = values + r * n;
        if (!bg_slice_dice(pred, truth, &regions[r], values + r * n, error))
            return FALSE;
    }
    g_autofree char *svg = bg_plot_slices(names, series, n_regions, n);
    return bg_cli_save_text(cli, "plot", svg, error);
}
