// SPDX-License-Identifier: Apache-2.0
#include "bg-cli-prepare.h"

#include "core/base/bg-error.h"
#include "core/filter/bg-distance-map.h"
#include "core/filter/bg-mask.h"
#include "core/filter/bg-morphology.h"
#include "core/filter/bg-n4.h"
#include "core/filter/bg-nlm.h"
#include "core/filter/bg-normalize.h"
#include "core/segment/bg-label-clean.h"

#include <string.h>

#define MAX_NUMBERS 64
#define BRAIN_RADIUS_MM 4.0

// --mask=FILE, if given.
static gboolean
load_mask(BgCli *cli, BgLabelMap **mask, GError **error)
{
    *mask = NULL;
    if (!bg_cli_has(cli, "mask"))
        return TRUE;
    *mask = bg_cli_load_labels(cli, bg_cli_option(cli, "mask"), error);
    return *mask != NULL;
}

// "a,b,c": between 1 and @most whole numbers of 0..@high.
static gboolean
get_whole_numbers(const BgCli *cli, const char *name, int high, int *numbers, int most, int *n,
                  GError **error)
{
    g_auto(GStrv) parts = g_strsplit(bg_cli_option(cli, name), ",", most + 1);

    *n = (int) g_strv_length(parts);
    gboolean ok = *n >= 1 && *n <= most;
    for (int i = 0; ok && i < *n; i++) {
        guint64 value;
        ok = g_ascii_string_to_unsigned(parts[i], 10, 0, (guint64) high, &value, NULL);
        numbers[i] = ok ? (int) value : 0;
    }
    if (!ok)
        bg_cli_usage_error(error, "not understood: --%s=%s: up to %d whole numbers of 0 to %d",
                           name, bg_cli_option(cli, name), most, high);
    return ok;
}

// A second output, beside OUT.
static gboolean
save_field(BgCli *cli, BgVolume *field, GError **error)
{
    const char *path = bg_cli_option(cli, "field");
    BgCliGrid grid = { .volume = field };

    bg_json_set_string(cli->result, "field", path);
    return bg_cli_grid_save(cli, &grid, path, NULL, error);
}

static void
set_report(BgCli *cli, const BgN4Params *params, const BgN4Report *report)
{
    double iterations[BG_N4_MAX_LEVELS];

    for (int level = 0; level < params->n_levels; level++)
        iterations[level] = report->iterations[level];
    bg_json_set_doubles(cli->result, "iterations", iterations, (gsize) params->n_levels);
    bg_json_set_doubles(cli->result, "change", report->change, (gsize) params->n_levels);
    bg_json_set_integer(cli->result, "n_points", (gint64) report->n_points);
    bg_json_set_string(cli->result, "mask", params->mask != NULL ? "given" : "otsu");
}

gboolean
bg_cli_filter_n4(BgCli *cli, BgCliGrid *grid, GError **error)
{
    BgN4Params params = bg_n4_params_default();
    g_autoptr(BgLabelMap) mask = NULL;
    g_autoptr(BgVolume) field = NULL;
    BgN4Report report;
    gboolean wants_field = bg_cli_has(cli, "field");
    gint64 start = g_get_monotonic_time();

    if (!bg_cli_get_int(cli, "shrink", 1, 16, &params.shrink, error) ||
        !bg_cli_get_double(cli, "threshold", &params.threshold, error) ||
        (bg_cli_has(cli, "iterations") &&
         !get_whole_numbers(cli, "iterations", 1000, params.iterations, BG_N4_MAX_LEVELS,
                            &params.n_levels, error)) ||
        (wants_field && !bg_cli_check_output(cli, bg_cli_option(cli, "field"), error)) ||
        !load_mask(cli, &mask, error))
        return FALSE;
    params.mask = mask;
    BgVolume *corrected = bg_n4(grid->volume, &params, wants_field ? &field : NULL, &report,
                                &cli->progress, cli->cancellable, error);
    if (!bg_cli_grid_take(grid, corrected, NULL))
        return FALSE;
    set_report(cli, &params, &report);
    bg_json_set_double(cli->result, "seconds", (double) (g_get_monotonic_time() - start) / 1e6);
    return !wants_field || save_field(cli, field, error);
}

gboolean
bg_cli_filter_normalize(BgCli *cli, BgCliGrid *grid, GError **error)
{
    static const char *const names[] = { "minmax", "zscore", "percentile", "max" };
    const char *method = bg_cli_option(cli, "method");
    g_autoptr(BgLabelMap) mask = NULL;
    gsize which = 0;

    if (method == NULL) {
        bg_cli_usage_error(error, "which way: filter normalize: give --method=minmax, zscore, "
                                  "percentile or max");
        return FALSE;
    }
    while (which < G_N_ELEMENTS(names) && strcmp(names[which], method) != 0)
        which++;
    if (which == G_N_ELEMENTS(names)) {
        bg_cli_usage_error(error,
                           "unknown method: --method=%s: there are minmax, zscore, percentile "
                           "and max",
                           method);
        return FALSE;
    }
    BgNormalizeParams params = bg_normalize_params((BgNormalizeMethod) which);
    params.per_slice = bg_cli_has(cli, "per-slice");
    if (!bg_cli_get_double(cli, "low", &params.low_percent, error) ||
        !bg_cli_get_double(cli, "high", &params.high_percent, error) ||
        !load_mask(cli, &mask, error))
        return FALSE;
    params.mask = mask;
    bg_json_set_string(cli->result, "method", method);
    bg_json_set_boolean(cli->result, "per_slice", params.per_slice);
    return bg_cli_grid_take(
        grid, bg_normalize(grid->volume, &params, &cli->progress, cli->cancellable, error), NULL);
}

gboolean
bg_cli_filter_nlm(BgCli *cli, BgCliGrid *grid, GError **error)
{
    BgNlmParams params = bg_nlm_params_default();
    double sigma = 0.0;

    if (!bg_cli_get_int(cli, "patch", 0, BG_NLM_MAX_PATCH, &params.patch_radius, error) ||
        !bg_cli_get_int(cli, "search", 1, BG_NLM_MAX_SEARCH, &params.search_radius, error) ||
        !bg_cli_get_double(cli, "noise", &params.sigma, error) ||
        !bg_cli_get_positive(cli, "strength", &params.strength, error))
        return FALSE;
    BgVolume *filtered =
        bg_nlm(grid->volume, &params, &sigma, &cli->progress, cli->cancellable, error);
    bg_json_set_double(cli->result, "noise", sigma);
    return bg_cli_grid_take(grid, filtered, NULL);
}

// The box of --size (centred), --margin or --multiple around the grid.
static gboolean
pad_box(BgCli *cli, const BgGeometry *geometry, BgVoxelBox *box, GError **error)
{
    int numbers[3] = { 0 }, n;
    const char *name =
        bg_cli_has(cli, "size") ? "size" : (bg_cli_has(cli, "by") ? "by" : "multiple");

    if (bg_cli_has(cli, "size") + bg_cli_has(cli, "by") + bg_cli_has(cli, "multiple") != 1) {
        bg_cli_usage_error(error, "how far: filter pad: give --size=a,b,c, --by=a,b,c or "
                                  "--multiple=N");
        return FALSE;
    }
    if (!get_whole_numbers(cli, name, BG_VOLUME_MAX_DIM, numbers, 3, &n, error))
        return FALSE;
    for (int axis = n; axis < 3; axis++)
        numbers[axis] = numbers[n - 1];
    for (int axis = 0; axis < 3; axis++) {
        int dim = geometry->dims[axis], to = numbers[axis], before;
        if (strcmp(name, "by") == 0) {
            before = to;
            to = dim + 2 * to;
        } else {
            if (strcmp(name, "multiple") == 0)
                to = to > 0 ? (dim + to - 1) / to * to : 0;
            before = (to - dim) / 2;
        }
        if (to < dim) {
            g_set_error(
                error, BG_ERROR, BG_ERROR_INVALID,
                "cannot pad: --%s=%s: along %c the volume has %d voxels already. Crop it first",
                name, bg_cli_option(cli, name), "ijk"[axis], dim);
            return FALSE;
        }
        box->first[axis] = -before;
        box->last[axis] = to - before - 1;
    }
    return TRUE;
}

gboolean
bg_cli_filter_pad(BgCli *cli, BgCliGrid *grid, GError **error)
{
    BgVoxelBox box;
    double fill = 0.0;

    if (!pad_box(cli, bg_cli_grid_get_geometry(grid), &box, error) ||
        !bg_cli_get_double(cli, "fill", &fill, error))
        return FALSE;
    return grid->volume != NULL
               ? bg_cli_grid_take(grid, bg_volume_cut(grid->volume, &box, fill, error), NULL)
               : bg_cli_grid_take(grid, NULL, bg_label_map_cut(grid->labels, &box, error));
}

gboolean
bg_cli_filter_mask(BgCli *cli, BgCliGrid *grid, GError **error)
{
    g_autoptr(BgLabelMap) mask = NULL;
    int kept[MAX_NUMBERS], n = 0;
    guint32 labels[MAX_NUMBERS];
    double fill = 0.0;

    if (!bg_cli_has(cli, "mask")) {
        bg_cli_usage_error(error, "which part: filter mask: give --mask=SEG");
        return FALSE;
    }
    if ((bg_cli_has(cli, "keep") &&
         !get_whole_numbers(cli, "keep", G_MAXINT, kept, MAX_NUMBERS, &n, error)) ||
        !bg_cli_get_double(cli, "fill", &fill, error) || !load_mask(cli, &mask, error))
        return FALSE;
    for (int i = 0; i < n; i++)
        labels[i] = (guint32) kept[i];
    return bg_cli_grid_take(
        grid, bg_volume_mask(grid->volume, mask, labels, (gsize) n, fill, error), NULL);
}

static BgLabelMap *
take_labels(const BgCli *cli, const BgCliGrid *grid, GError **error)
{
    if (grid->labels != NULL)
        return bg_label_map_ref(grid->labels);
    g_autoptr(BgLabelMap) labels = bg_label_map_new_from_volume(grid->volume, error);
    return labels != NULL && bg_cli_check_drawn(labels, bg_cli_arg(cli, 1), error)
               ? g_steal_pointer(&labels)
               : NULL;
}

gboolean
bg_cli_filter_morphology(BgCli *cli, BgCliGrid *grid, GError **error)
{
    static const char *const names[] = { "erode", "dilate", "open", "close", "fill", "largest" };
    const char *operation = bg_cli_option(cli, "operation");
    double radius_mm = 1.0;
    gsize which = 0;
    int value = 0;

    while (operation != NULL && which < G_N_ELEMENTS(names) && strcmp(names[which], operation) != 0)
        which++;
    if (operation == NULL || which == G_N_ELEMENTS(names)) {
        bg_cli_usage_error(error,
                           "which operation: filter morphology: give --operation=erode, dilate, "
                           "open, close, fill or largest");
        return FALSE;
    }
    if (!bg_cli_get_double(cli, "radius", &radius_mm, error) ||
        !bg_cli_get_int(cli, "value", 0, G_MAXINT, &value, error))
        return FALSE;
    g_autoptr(BgLabelMap) labels = take_labels(cli, grid, error);
    if (labels == NULL)
        return FALSE;
    bg_json_set_string(cli->result, "operation", operation);
    if (which <= BG_MORPHOLOGY_CLOSE)
        bg_json_set_double(cli->result, "radius_mm", radius_mm);
    return bg_cli_grid_take(grid, NULL,
                            bg_morphology(labels, (guint32) value, (BgMorphologyKind) which,
                                          radius_mm, &cli->progress, cli->cancellable, error));
}

gboolean
bg_cli_filter_brain(BgCli *cli, BgCliGrid *grid, GError **error)
{
    double radius_mm = BRAIN_RADIUS_MM;

    if (!bg_cli_get_double(cli, "radius", &radius_mm, error))
        return FALSE;
    bg_json_set_double(cli->result, "radius_mm", radius_mm);
    return bg_cli_grid_take(
        grid, NULL,
        bg_brain_mask(grid->volume, radius_mm, &cli->progress, cli->cancellable, error));
}

gboolean
bg_cli_filter_clean(BgCli *cli, BgCliGrid *grid, GError **error)
{
    BgLabelCleaning cleaning = { .fill_holes = bg_cli_has(cli, "fill-holes"),
                                 .each_label = bg_cli_has(cli, "each-label") };
    BgLabelCleaned cleaned = { 0 };
    int n_largest = 0;

    if (!bg_cli_get_int(cli, "largest", 1, G_MAXINT, &n_largest, error) ||
        !bg_cli_get_double(cli, "least", &cleaning.least_ml, error))
        return FALSE;
    cleaning.n_largest = (guint) n_largest;
    g_autoptr(BgLabelMap) labels = take_labels(cli, grid, error);
    BgLabelMap *clean = labels != NULL ? bg_label_map_clean(labels, &cleaning, &cleaned,
                                                            &cli->progress, cli->cancellable, error)
                                       : NULL;
    bg_json_set_integer(cli->result, "n_removed", (gint64) cleaned.n_removed);
    bg_json_set_integer(cli->result, "n_filled", (gint64) cleaned.n_filled);
    return bg_cli_grid_take(grid, NULL, clean);
}

gboolean
bg_cli_filter_distance(BgCli *cli, BgCliGrid *grid, GError **error)
{
    BgDistanceKind kind = bg_cli_has(cli, "signed") ? BG_DISTANCE_SIGNED : BG_DISTANCE_OUTSIDE;
    int value = 0;

    if (!bg_cli_get_int(cli, "value", 0, G_MAXINT, &value, error))
        return FALSE;
    g_autoptr(BgLabelMap) labels = take_labels(cli, grid, error);
    if (labels == NULL)
        return FALSE;
    return bg_cli_grid_take(
        grid,
        bg_distance_map(labels, (guint32) value, kind, &cli->progress, cli->cancellable, error),
        NULL);
}
