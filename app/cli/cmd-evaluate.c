// SPDX-License-Identifier: Apache-2.0
// bregma-cli evaluate: how far a result lies from the truth.
#include "bg-cli-measures.h"

#include "core/base/bg-error.h"
#include "core/image/bg-fusion-metrics.h"
#include "core/image/bg-image-metrics.h"
#include "core/segment/bg-cohort.h"
#include "core/segment/bg-compare-report.h"
#include "core/segment/bg-label-metrics.h"
#include "core/segment/bg-label-shape.h"

#include <math.h>
#include <string.h>

static const BgCliOption options[] = {
    { "mask", BG_CLI_PATH, "=FILE  images: only the pixels that are not black in that picture" },
    { "range", BG_CLI_VALUE, "=L  images of float values: from the least to the largest possible" },
    { "regions", BG_CLI_VALUE,
      "=brats|labels  labels: WT, TC and ET, or each label; else by what occurs" },
    { "surface", BG_CLI_VALUE,
      "=voxels|surfels  labels: centres of voxels, or pieces by their area" },
    { "plot", BG_CLI_PATH, "=SVG  labels: Dice of each slice; cohort: box plot of Dice" },
    { "report", BG_CLI_PATH, "=HTML  labels: a page with the table, a box plot and the slices" },
    { "csv", BG_CLI_PATH, "=FILE  cohort: a line a case and region" },
    { "tolerance", BG_CLI_VALUE, "=mm  labels: of the surface Dice; 1 unless given" },
    { NULL },
};

static BgImage *
load_image(BgCli *cli, const char *path, GError **error)
{
    g_autoptr(BgLoaded) loaded = bg_cli_load(cli, path, NULL, error);

    if (loaded == NULL)
        return NULL;
    if (loaded->image == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    "cannot compare: %s: it is no picture. Cut a slice from it first", path);
        return NULL;
    }
    return bg_image_ref(loaded->image);
}

// The range of float pictures: of the truth's values, unless --range says it.
static gboolean
find_range(BgCli *cli, BgImage *truth, double *range, GError **error)
{
    *range = 1.0;
    if (bg_cli_has(cli, "range"))
        return bg_cli_get_positive(cli, "range", range, error);
    if (bg_image_get_format(truth)->type != BG_PIXEL_FLOAT32)
        return TRUE;

    const float *pixels = bg_image_get_pixels(truth);
    gsize n = bg_image_get_n_bytes(truth) / sizeof(float);
    float low = INFINITY, high = -INFINITY;
    for (gsize i = 0; i < n; i++) {
        low = MIN(low, pixels[i]);
        high = MAX(high, pixels[i]);
    }
    if (!(high > low)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    "cannot compare: %s: all its values are equal. Give --range=L",
                    bg_cli_arg(cli, 2));
        return FALSE;
    }
    *range = (double) high - (double) low;
    return TRUE;
}

static void
set_metrics(BgJson *json, const BgImageMetrics *m)
{
    bg_json_set_double(json, "rmse", m->rmse);
    bg_json_set_double(json, "relative", m->relative);
    bg_json_set_double(json, "ssim", m->ssim);
    bg_json_set_double(json, "ssim_channels", m->ssim_channels);
    bg_json_set_double(json, "ms_ssim", m->ms_ssim);
    bg_json_set_double(json, "psnr", m->psnr);
    bg_json_set_double(json, "emd", m->emd);
    bg_json_set_double(json, "mae", m->mae);
    bg_json_set_integer(json, "n_pixels", (gint64) m->n_pixels);
}

// Of pictures with alpha, also of what is drawn: where the truth is not transparent.
static gboolean
measure_foreground(BgCli *cli, BgImage *a, BgImage *b, double range, GError **error)
{
    int n_channels = bg_image_get_format(b)->n_channels;
    BgImageMetrics m;
    gboolean empty = TRUE;

    if (n_channels == 1 || n_channels == 3)
        return TRUE;
    g_autoptr(BgChannel) alpha = bg_channel_read(b, n_channels - 1, error);
    if (alpha == NULL)
        return FALSE;
    for (gsize i = 0; i < bg_channel_count(alpha); i++) {
        alpha->values[i] = alpha->values[i] > 0.0f ? 1.0f : 0.0f;
        empty = empty && alpha->values[i] == 0.0f;
    }
    if (empty)
        return TRUE;
    if (!bg_image_metrics(a, b, alpha, range, &m, cli->cancellable, error))
        return FALSE;
    BgJson *foreground = bg_json_new_object();
    bg_json_set(cli->result, "foreground", foreground);
    set_metrics(foreground, &m);
    return TRUE;
}

static gboolean
run_images(BgCli *cli, GError **error)
{
    g_autoptr(BgChannel) mask = NULL;
    BgImageMetrics m;
    double range;

    g_autoptr(BgImage) a = load_image(cli, bg_cli_arg(cli, 1), error);
    g_autoptr(BgImage) b = a != NULL ? load_image(cli, bg_cli_arg(cli, 2), error) : NULL;
    if (b == NULL || !find_range(cli, b, &range, error))
        return FALSE;
    if (bg_cli_has(cli, "mask")) {
        g_autoptr(BgImage) picture = load_image(cli, bg_cli_option(cli, "mask"), error);
        mask = picture != NULL ? bg_channel_luma(picture, error) : NULL;
        if (mask == NULL)
            return FALSE;
        for (gsize i = 0; i < bg_channel_count(mask); i++)
            mask->values[i] = mask->values[i] > 0.0f ? 1.0f : 0.0f;
    }
    if (!bg_image_metrics(a, b, mask, range, &m, cli->cancellable, error)) {
        g_prefix_error(error, "cannot compare: %s and %s: ", bg_cli_arg(cli, 1),
                       bg_cli_arg(cli, 2));
        return FALSE;
    }
    set_metrics(cli->result, &m);
    bg_json_set_double(cli->result, "range", range);
    return mask != NULL || measure_foreground(cli, a, b, range, error);
}

void
bg_cli_set_fusion_metrics(BgJson *json, const BgFusionMetrics *metrics)
{
    bg_json_set_double(json, "q_g", metrics->q_g);
    bg_json_set_double(json, "q_ie", metrics->q_ie);
    bg_json_set_double(json, "fmi", metrics->fmi);
    bg_json_set_double(json, "piella", metrics->piella);
    bg_json_set_double(json, "piella_weighted", metrics->piella_weighted);
    bg_json_set_double(json, "piella_edge", metrics->piella_edge);
    bg_json_set_double(json, "q_ssim", metrics->q_ssim);
    bg_json_set_double(json, "viff", metrics->viff);
    bg_json_set_double(json, "scd", metrics->scd);
    bg_json_set_double(json, "entropy", metrics->entropy);
    bg_json_set_double(json, "mutual_information", metrics->mutual_information);
}

static gboolean
measure_fusion(BgCli *cli, const BgChannel *const *sources, gsize n_sources, const BgChannel *fused,
               GError **error)
{
    BgFusionMetrics m;

    if (!bg_fusion_metrics(sources, n_sources, fused, &m, cli->cancellable, error)) {
        g_prefix_error(error, "cannot compare: %s: ", bg_cli_arg(cli, 1));
        return FALSE;
    }
    bg_cli_set_fusion_metrics(cli->result, &m);
    return TRUE;
}

static gboolean
run_fusion(BgCli *cli, GError **error)
{
    g_autoptr(GPtrArray) planes = g_ptr_array_new_with_free_func((GDestroyNotify) bg_channel_free);

    for (guint i = 1; i < cli->arguments->len; i++) {
        g_autoptr(BgImage) image = load_image(cli, bg_cli_arg(cli, i), error);
        BgChannel *plane = image != NULL ? bg_channel_luma(image, error) : NULL;
        if (plane == NULL)
            return FALSE;
        g_ptr_array_add(planes, plane);
    }
    return measure_fusion(cli, (const BgChannel *const *) planes->pdata + 1, planes->len - 1,
                          planes->pdata[0], error);
}

// The labels of both maps, ascending.
static GArray *
all_labels(BgLabelMap *const maps[2])
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(guint32));

    for (int map = 0; map < 2; map++) {
        g_autoptr(GArray) counts = bg_label_map_count(maps[map]);
        for (guint i = 0; i < counts->len; i++) {
            guint32 label = g_array_index(counts, BgLabelCount, i).label;
            guint at = 0;
            while (at < all->len && g_array_index(all, guint32, at) < label)
                at++;
            if (at == all->len || g_array_index(all, guint32, at) != label)
                g_array_insert_val(all, at, label);
        }
    }
    return all;
}

static gboolean
are_brats_labels(const GArray *labels)
{
    for (guint i = 0; i < labels->len; i++) {
        guint32 label = g_array_index(labels, guint32, i);
        if (label != 1 && label != 2 && label != 4)
            return FALSE;
    }
    return TRUE;
}

static void
set_distance(BgJson *json, const char *name, double distance_mm)
{
    g_autofree char *key = g_strdup_printf("%s_mm", name);
    g_autofree char *penalised = g_strdup_printf("%s_brats_mm", name);

    bg_json_set_double(json, key, distance_mm);
    bg_json_set_double(json, penalised, isnan(distance_mm) ? BG_BRATS_PENALTY_MM : distance_mm);
}

// What a report tells of a region.
typedef struct {
    char name[32];
    BgLabelMetrics metrics;
    double *slices; // owned
} Found;

static void
clear_found(gpointer data)
{
    g_free(((Found *) data)->slices);
}

static gboolean
measure_region(BgCli *cli, BgLabelMap *const maps[2], const BgLabelRegion *region,
               BgSurfaceKind kind, double tolerance_mm, BgJson *regions, GArray *all,
               GError **error)
{
    BgLabelMetrics m;
    Found found = { 0 };

    if (!bg_label_metrics(maps[0], maps[1], region, kind, tolerance_mm, &m, &cli->progress,
                          cli->cancellable, error)) {
        g_prefix_error(error, "cannot compare: %s and %s: ", bg_cli_arg(cli, 1),
                       bg_cli_arg(cli, 2));
        return FALSE;
    }
    BgJson *json = bg_json_new_object();
    bg_json_set(regions, region->name, json);
    bg_json_set_double(json, "dice", m.dice);
    bg_json_set_double(json, "jaccard", m.jaccard);
    bg_json_set_double(json, "sensitivity", m.sensitivity);
    bg_json_set_double(json, "specificity", m.specificity);
    bg_json_set_double(json, "precision", m.precision);
    set_distance(json, "hausdorff", m.hausdorff_mm);
    set_distance(json, "hd95", m.hd95_mm);
    bg_json_set_double(json, "mean_surface_mm", m.mean_surface_mm);
    bg_json_set_double(json, "surface_dice", m.surface_dice);
    bg_json_set_double(json, "volume_pred_ml", m.volume_pred_ml);
    bg_json_set_double(json, "volume_true_ml", m.volume_true_ml);
    g_strlcpy(found.name, region->name, sizeof found.name);
    found.metrics = m;
    found.slices = g_new(double, bg_label_map_get_geometry(maps[0])->dims[2]);
    g_array_append_val(all, found);
    return bg_slice_dice(maps[0], maps[1], region, found.slices, error);
}

static gboolean
measure_regions(BgCli *cli, BgLabelMap *const maps[2], gboolean brats, const GArray *labels,
                BgSurfaceKind kind, double tolerance_mm, GArray *all, GError **error)
{
    BgJson *regions = bg_json_new_object();
    gsize n = labels->len;
    const BgLabelRegion *table = brats ? bg_brats_regions(&n) : NULL;
    double sum = 0.0;

    bg_json_set(cli->result, "regions", regions);
    for (gsize i = 0; i < n; i++) {
        guint32 label = brats ? 0 : g_array_index(labels, guint32, i);
        g_autofree char *name = g_strdup_printf("%u", label);
        BgLabelRegion one = { name, { label }, 1 };
        if (!measure_region(cli, maps, brats ? &table[i] : &one, kind, tolerance_mm, regions, all,
                            error))
            return FALSE;
        sum += g_array_index(all, Found, i).metrics.jaccard;
    }
    bg_json_set_double(cli->result, "mean_iou", n > 0 ? sum / (double) n : (double) NAN);
    return TRUE;
}

static gboolean
get_labels_options(const BgCli *cli, gboolean *brats, BgSurfaceKind *kind, double *tolerance_mm,
                   GError **error)
{
    const char *regions = bg_cli_option(cli, "regions"), *surface = bg_cli_option(cli, "surface");

    *tolerance_mm = 1.0;
    *kind = BG_SURFACE_VOXELS;
    if (regions != NULL && strcmp(regions, "brats") != 0 && strcmp(regions, "labels") != 0) {
        bg_cli_usage_error(error, "unknown regions: --regions=%s: there are brats and labels",
                           regions);
        return FALSE;
    }
    if (surface != NULL && strcmp(surface, "surfels") != 0 && strcmp(surface, "voxels") != 0) {
        bg_cli_usage_error(error, "unknown surface: --surface=%s: there are voxels and surfels",
                           surface);
        return FALSE;
    }
    if (g_strcmp0(surface, "surfels") == 0)
        *kind = BG_SURFACE_SURFELS;
    if (regions != NULL)
        *brats = strcmp(regions, "brats") == 0;
    return !bg_cli_has(cli, "tolerance") ||
           bg_cli_get_positive(cli, "tolerance", tolerance_mm, error);
}

static gboolean
save_report(BgCli *cli, const GArray *all, BgLabelMap *pred, BgSurfaceKind kind,
            double tolerance_mm, GError **error)
{
    g_autofree const char **names = g_new(const char *, MAX(all->len, 1));
    g_autofree const double **slices = g_new(const double *, MAX(all->len, 1));
    g_autofree BgLabelMetrics *metrics = g_new(BgLabelMetrics, MAX(all->len, 1));
    g_autofree char *provenance = bg_cli_provenance(cli, error);
    g_autofree char *title = g_path_get_basename(bg_cli_arg(cli, 1));
    BgCompareReport report = { .title = title,
                               .pred = bg_cli_arg(cli, 1),
                               .truth = bg_cli_arg(cli, 2),
                               .names = names,
                               .metrics = metrics,
                               .slices = slices,
                               .n_rows = all->len,
                               .n_slices = (gsize) bg_label_map_get_geometry(pred)->dims[2],
                               .kind = kind,
                               .tolerance_mm = tolerance_mm,
                               .provenance = provenance };

    if (provenance == NULL)
        return FALSE;
    for (guint i = 0; i < all->len; i++) {
        const Found *found = &g_array_index(all, Found, i);
        names[i] = found->name;
        metrics[i] = found->metrics;
        slices[i] = found->slices;
    }
    g_autofree char *html = bg_compare_report(&report);
    return bg_cli_save_text(cli, "report", html, error);
}

static gboolean
run_labels(BgCli *cli, GError **error)
{
    BgSurfaceKind kind;
    double tolerance_mm;
    gboolean brats = FALSE;

    if (!get_labels_options(cli, &brats, &kind, &tolerance_mm, error))
        return FALSE;
    g_autoptr(BgLabelMap) pred = bg_cli_load_labels(cli, bg_cli_arg(cli, 1), error);
    g_autoptr(BgLabelMap) truth =
        pred != NULL ? bg_cli_load_labels(cli, bg_cli_arg(cli, 2), error) : NULL;
    if (truth == NULL)
        return FALSE;
    BgLabelMap *const maps[2] = { pred, truth };
    g_autoptr(GArray) labels = all_labels(maps);
    gboolean known = are_brats_labels(labels);
    BgJson *warnings = bg_json_new_array();
    if (!bg_cli_has(cli, "regions"))
        brats = known;
    bg_json_set_string(cli->result, "regions_of", brats ? "brats" : "labels");
    bg_json_set_string(cli->result, "surface", kind == BG_SURFACE_SURFELS ? "surfels" : "voxels");
    bg_json_set(cli->result, "warnings", warnings);
    if (brats && !known)
        bg_json_append(warnings,
                       bg_json_new_string("labels other than 1, 2 and 4 occur: they are in "
                                          "no region of BraTS"));
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(Found));
    g_array_set_clear_func(all, clear_found);
    if (!measure_regions(cli, maps, brats, labels, kind, tolerance_mm, all, error) ||
        (bg_cli_has(cli, "report") && !save_report(cli, all, pred, kind, tolerance_mm, error)))
        return FALSE;
    gsize n_brats;
    const BgLabelRegion *table = bg_brats_regions(&n_brats);
    if (bg_cli_has(cli, "plot") && !brats) {
        bg_cli_usage_error(error, "of what: --plot: only with --regions=brats");
        return FALSE;
    }
    return !bg_cli_has(cli, "plot") ||
           bg_cli_save_slice_plot(cli, pred, truth, table, n_brats, error);
}

static void
set_ends(const BgCli *cli, BgJson *json, const char *name, const BgVec3 ends[2])
{
    g_autofree char *from = g_strdup_printf("%s_from_mm", name);
    g_autofree char *to = g_strdup_printf("%s_to_mm", name);

    bg_cli_set_point(cli, json, from, ends[0]);
    bg_cli_set_point(cli, json, to, ends[1]);
}

static gboolean
measure_shape(BgCli *cli, BgLabelMap *map, const BgLabelRegion *region, BgJson *regions,
              GError **error)
{
    BgLabelShape shape;

    if (!bg_label_shape(map, region, &shape, cli->cancellable, error))
        return FALSE;
    BgJson *json = bg_json_new_object();
    bg_json_set(regions, region->name, json);
    bg_json_set_integer(json, "n_voxels", (gint64) shape.n_voxels);
    bg_json_set_double(json, "volume_ml", shape.volume_ml);
    if (shape.n_voxels == 0)
        return TRUE;
    bg_cli_set_point(cli, json, "centroid_mm", shape.centroid_mm);
    bg_json_set_integer(json, "n_parts", (gint64) shape.n_parts);
    bg_json_set_double(json, "diameter_mm", shape.diameter_mm);
    set_ends(cli, json, "diameter", shape.diameter_ends_mm);
    bg_json_set_integer(json, "rano_slice", shape.rano_slice);
    bg_json_set_double(json, "rano_long_mm", shape.rano_long_mm);
    set_ends(cli, json, "rano_long", shape.rano_long_ends_mm);
    bg_json_set_double(json, "rano_short_mm", shape.rano_short_mm);
    set_ends(cli, json, "rano_short", shape.rano_short_ends_mm);
    bg_json_set_double(json, "rano_product_mm2", shape.rano_product_mm2);
    return TRUE;
}

static gboolean
run_shape(BgCli *cli, GError **error)
{
    BgSurfaceKind kind;
    double tolerance_mm;
    gboolean brats = FALSE;

    if (!get_labels_options(cli, &brats, &kind, &tolerance_mm, error))
        return FALSE;
    g_autoptr(BgLabelMap) map = bg_cli_load_labels(cli, bg_cli_arg(cli, 1), error);
    if (map == NULL)
        return FALSE;
    BgLabelMap *const maps[2] = { map, map };
    g_autoptr(GArray) labels = all_labels(maps);
    if (!bg_cli_has(cli, "regions"))
        brats = are_brats_labels(labels);
    gsize n = labels->len;
    const BgLabelRegion *table = brats ? bg_brats_regions(&n) : NULL;
    BgJson *regions = bg_json_new_object();
    bg_json_set_string(cli->result, "regions_of", brats ? "brats" : "labels");
    bg_json_set(cli->result, "regions", regions);
    for (gsize i = 0; i < n; i++) {
        guint32 label = brats ? 0 : g_array_index(labels, guint32, i);
        g_autofree char *name = g_strdup_printf("%u", label);
        BgLabelRegion one = { name, { label }, 1 };
        if (!measure_shape(cli, map, brats ? &table[i] : &one, regions, error))
            return FALSE;
    }
    return TRUE;
}

static const struct {
    const char *name;
    guint min_args;
    guint max_args;
    gboolean (*run)(BgCli *cli, GError **error);
} kinds[] = {
    { "images", 3, 3, run_images },
    { "labels", 3, 3, run_labels },
    { "cohort", 2, 2, bg_cli_evaluate_cohort },
    { "shape", 2, 2, run_shape },
    { "fusion", 4, 2 + BG_FUSION_MAX_SOURCES, run_fusion },
};

static gboolean
run(BgCli *cli, GError **error)
{
    const char *name = bg_cli_arg(cli, 0);

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            if (cli->arguments->len > kinds[i].max_args) {
                bg_cli_usage_error(error, "too many arguments: evaluate %s: %s", name,
                                   bg_cli_arg(cli, kinds[i].max_args));
                return FALSE;
            }
            if (cli->arguments->len < kinds[i].min_args) {
                bg_cli_usage_error(error, "too few arguments: evaluate %s: it takes %u files", name,
                                   kinds[i].min_args - 1);
                return FALSE;
            }
            return kinds[i].run(cli, error);
        }
    }
    bg_cli_usage_error(
        error, "unknown kind: %s: there are images, labels, cohort, shape and fusion", name);
    return FALSE;
}

const BgCliCommand bg_cli_command_evaluate = {
    .name = "evaluate",
    .arguments = "images A TRUTH [--mask=FILE] | labels PRED TRUTH [--regions=brats|labels] | "
                 "cohort LIST.csv | shape SEG | fusion FUSED SOURCE SOURCE...",
    .summary = "how far a result lies from the truth",
    .min_args = 2,
    .max_args = 2 + BG_FUSION_MAX_SOURCES,
    .path_args = ~1u,
    .output_arg = -1,
    .options = options,
    .run = run,
};
