// SPDX-License-Identifier: Apache-2.0
// bregma-cli segment: a label map of a brain tumour from up to four contrasts.
#include "bg-cli-grid.h"

#include "core/base/bg-error.h"
#include "core/base/bg-output.h"
#include "core/learn/bg-model-store.h"
#include "core/segment/bg-label-shape.h"
#include "core/segment/bg-tumour-report.h"
#include "core/segment/bg-tumour-segment.h"

#include <string.h>

#define SHIPPED "tumour"

static const BgCliOption options[] = {
    { "output", BG_CLI_PATH, "=SEG, -o SEG  the label map: 1 core, 2 oedema, 4 enhancing" },
    { "t1", BG_CLI_PATH, "=FILE" },
    { "t1ce", BG_CLI_PATH, "=FILE  with contrast medium" },
    { "t2", BG_CLI_PATH, "=FILE" },
    { "flair", BG_CLI_PATH, "=FILE" },
    { "model", BG_CLI_VALUE,
      "=FILE|NAME  weights: U-Net of slices or volumes, or patch network; the shipped ones unless given" },
    { "brain", BG_CLI_PATH, "=MASK  voxels that are not 0 are brain" },
    { "align", BG_CLI_VALUE,
      "=auto|never|always  register contrasts to each other: where grids differ" },
    { "n4", BG_CLI_FLAG, "  take the shading away first" },
    { "as-given", BG_CLI_FLAG, "  the contrasts are what they are said to be: do not judge" },
    { "probabilities", BG_CLI_PATH, "=P  what the network says of each class, as frames" },
    { "confidence", BG_CLI_PATH, "=C  the largest of these" },
    { "report", BG_CLI_PATH, "=PAGE.html  pictures, sizes and where they are from" },
    { "no-mirror", BG_CLI_FLAG, "  each slice once only: faster" },
    { "largest", BG_CLI_VALUE, "=N  only so many largest parts stay; 0: all, as usual" },
    { "least-ml", BG_CLI_VALUE, "=ML  smaller parts go; 0.05 unless given" },
    { "keep-holes", BG_CLI_FLAG, "  do not fill them" },
    BG_CLI_PRECISION,
    { "override-patient", BG_CLI_VALUE, "=REASON  files of two patients belong together, because" },
    { NULL },
};

static gboolean
get_params(BgCli *cli, BgTumourParams *params, BgTumourOptions *run, GError **error)
{
    static const char *const aligns[] = { "auto", "never", "always", NULL };
    int align = BG_TUMOUR_ALIGN_AUTO, largest = 0;

    *run = bg_tumour_options();
    if (!bg_cli_get_choice(cli, "align", aligns, &align, error) ||
        !bg_cli_get_int(cli, "largest", 0, 1000000, &largest, error) ||
        !bg_cli_get_double(cli, "least-ml", &run->cleaning.least_ml, error) ||
        !bg_cli_get_engine(cli, &run->engine, error))
        return FALSE;
    *params = (BgTumourParams){ .align = (BgTumourAlign) align,
                                .n4 = bg_cli_has(cli, "n4"),
                                .as_given = bg_cli_has(cli, "as-given"),
                                .seed = (guint64) cli->seed };
    run->mirror = !bg_cli_has(cli, "no-mirror");
    run->cleaning.n_largest = (guint) largest;
    run->cleaning.fill_holes = !bg_cli_has(cli, "keep-holes");
    return TRUE;
}

static BgTumourModel *
load_model(BgCli *cli, GError **error)
{
    const char *name = bg_cli_option(cli, "model");
    g_autofree char *path = NULL;

    path = name != NULL ? bg_model_store_resolve(name, error) : bg_model_store_find(SHIPPED, error);
    if (path == NULL)
        return NULL;
    BgTumourModel *model = bg_tumour_model_load(path, NULL, cli->cancellable, error);
    if (model == NULL)
        bg_cli_blame_path(error, path);
    else
        bg_cli_add_input(cli, path);
    return model;
}

// One file is one contrast.
static gboolean
check_apart(const BgCli *cli, GError **error)
{
    for (int c = 1; c < BG_N_CONTRASTS; c++) {
        for (int other = 0; other < c; other++) {
            const char *one = bg_cli_option(cli, bg_contrast_name((BgContrast) other));
            const char *two = bg_cli_option(cli, bg_contrast_name((BgContrast) c));
            g_autofree char *a = one != NULL ? g_canonicalize_filename(one, NULL) : NULL;
            g_autofree char *b = two != NULL ? g_canonicalize_filename(two, NULL) : NULL;
            if (a == NULL || b == NULL || !g_str_equal(a, b))
                continue;
            bg_cli_usage_error(error,
                               "one file twice: %s: --%s and --%s: give each contrast its own, "
                               "and leave out what is not there",
                               two, bg_contrast_name((BgContrast) other),
                               bg_contrast_name((BgContrast) c));
            return FALSE;
        }
    }
    return TRUE;
}

// Sources that lie in different folders, of files that nothing tells whose they are, may be of two people.
static void
compare_sources(BgCli *cli, const char *one, const char *source, const char *other,
                const char *other_source)
{
    g_autofree char *folder = g_path_get_dirname(source);
    g_autofree char *other_folder = g_path_get_dirname(other_source);

    if (!g_str_equal(folder, other_folder))
        bg_cli_doubt(cli,
                     "made from files of two folders: %s from %s, %s from %s: check that both are "
                     "of one person",
                     one, source, other, other_source);
}

// Whose they are, by what the files say or were made of. With each: a file without identity is like any other, and
// would hide that two differ.
static gboolean
check_patients(BgCli *cli, BgLoaded *const *loaded, GError **error)
{
    g_autoptr(GPtrArray) infos = g_ptr_array_new_with_free_func((GDestroyNotify) bg_file_info_free);
    g_autoptr(GPtrArray) sources = g_ptr_array_new_with_free_func(g_free);
    guint n_known = 0;

    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        char *source = NULL;
        if (loaded[c] == NULL)
            continue;
        BgFileInfo *info = bg_cli_trace_patient(cli, loaded[c]->info, &source);
        g_ptr_array_add(infos, info);
        g_ptr_array_add(sources, source);
        n_known += bg_cli_knows_patient(info);
        for (guint other = 0; other + 1 < infos->len; other++) {
            const BgFileInfo *before = infos->pdata[other];
            if (!bg_cli_check_patients(cli, before, info, error))
                return FALSE;
            if (source != NULL && sources->pdata[other] != NULL)
                compare_sources(cli, before->path, sources->pdata[other], info->path, source);
        }
    }
    if (infos->len > 1 && n_known < infos->len)
        bg_cli_add_warning(cli, "identity unknown: not all files say whose they are: check by hand "
                                "that all contrasts are of one person and one day");
    return TRUE;
}

static gboolean
load_contrasts(BgCli *cli, BgLoaded *loaded[BG_N_CONTRASTS], GError **error)
{
    BgLoadParams params = bg_load_params_default();
    gboolean any = FALSE;

    params.as = BG_LOAD_VOLUME;
    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        const char *path = bg_cli_option(cli, bg_contrast_name((BgContrast) c));
        if (path == NULL)
            continue;
        loaded[c] = bg_cli_load(cli, path, &params, error);
        if (loaded[c] == NULL)
            return FALSE;
        if (loaded[c]->volume == NULL) {
            g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                        "cannot segment: %s: it is no volume. Give one", path);
            return FALSE;
        }
        any = TRUE;
    }
    if (!any) {
        bg_cli_usage_error(error, "of what: segment: give --t1, --t1ce, --t2 and --flair, as many "
                                  "as there are");
        return FALSE;
    }
    return check_patients(cli, loaded, error);
}

// What regions and labels hold, and how large they are.
static gboolean
set_sizes(BgCli *cli, BgLabelMap *map, GError **error)
{
    static const struct {
        guint32 label;
        const char *name;
    } names[] = { { 1, "core" }, { 2, "oedema" }, { 4, "enhancing" } };
    BgJson *list = bg_json_new_array(), *sizes = bg_json_new_object();
    gsize n_regions;
    const BgLabelRegion *regions = bg_brats_regions(&n_regions);
    g_autoptr(GArray) counts = bg_label_map_count(map);
    double voxel_ml = bg_geometry_voxel_volume_mm3(bg_label_map_get_geometry(map)) / 1000.0;

    for (gsize l = 0; l < G_N_ELEMENTS(names); l++) {
        BgJson *one = bg_json_new_object();
        gsize n = 0;
        for (guint i = 0; i < counts->len; i++) {
            if (g_array_index(counts, BgLabelCount, i).label == names[l].label)
                n = g_array_index(counts, BgLabelCount, i).n_voxels;
        }
        bg_json_set_integer(one, "value", names[l].label);
        bg_json_set_string(one, "name", names[l].name);
        bg_json_set_double(one, "volume_ml", (double) n * voxel_ml);
        bg_json_append(list, one);
    }
    bg_json_set(cli->result, "labels", list);
    bg_json_set(cli->result, "regions", sizes);
    for (gsize r = 0; r < n_regions; r++) {
        BgLabelShape shape;
        BgJson *one = bg_json_new_object();
        bg_json_set(sizes, regions[r].name, one);
        if (!bg_label_shape(map, &regions[r], &shape, cli->cancellable, error))
            return FALSE;
        bg_json_set_double(one, "volume_ml", shape.volume_ml);
        bg_json_set_integer(one, "n_parts", (gint64) shape.n_parts);
        bg_json_set_double(one, "diameter_mm", shape.diameter_mm);
        bg_json_set_double(one, "rano_long_mm", shape.rano_long_mm);
        bg_json_set_double(one, "rano_short_mm", shape.rano_short_mm);
        bg_json_set_double(one, "rano_product_mm2", shape.rano_product_mm2);
    }
    if (counts->len == 0)
        bg_cli_add_warning(cli, "no tumour was found: all voxels are background");
    return TRUE;
}

static void
set_case(BgCli *cli, const BgTumourCase *made, const BgTumourModel *model)
{
    BgJson *moved = bg_json_new_object();

    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        const BgAffine *a = &made->moving_from_fixed[c];
        double matrix[16] = { [15] = 1.0 };
        memcpy(matrix, a->m, sizeof a->m);
        if (made->registered[c])
            bg_json_set_doubles(moved, bg_contrast_name((BgContrast) c), matrix, 16);
    }
    bg_json_set_string(cli->result, "reference", bg_contrast_name(made->reference));
    bg_json_set_boolean(cli->result, "skull_stripped", made->stripped);
    bg_json_set(cli->result, "registered", moved);
    bg_json_set_string(cli->result, "weights_sha256", bg_tumour_model_get_sha256(model));
    for (guint w = 0; w < made->warnings->len; w++)
        bg_cli_add_warning(cli, made->warnings->pdata[w]);
}

static gboolean
save_extras(BgCli *cli, const BgTumourResult *found, GError **error)
{
    const char *probabilities = bg_cli_option(cli, "probabilities");
    const char *confidence = bg_cli_option(cli, "confidence");
    g_autofree char *provenance = bg_cli_provenance(cli, error);
    BgSaveParams params = { .force = cli->force, .provenance = provenance };

    if (provenance == NULL)
        return FALSE;
    if (probabilities != NULL &&
        !bg_cli_wrote(cli,
                      bg_io_save_frames(found->probabilities, 4, probabilities, &params, NULL,
                                        cli->cancellable, error),
                      probabilities, error))
        return FALSE;
    return confidence == NULL ||
           bg_cli_wrote(cli,
                        bg_io_save_volume(found->confidence, confidence, &params, NULL,
                                          cli->cancellable, error),
                        confidence, error);
}

// Contrasts that were moved lie where they were put.
static gboolean
save_report(BgCli *cli, BgLoaded *const *loaded, const BgTumourCase *made,
            const BgTumourResult *found, GError **error)
{
    const char *path = bg_cli_option(cli, "report"), *names[BG_N_CONTRASTS];
    BgVolume *volumes[BG_N_CONTRASTS];
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func((GDestroyNotify) bg_volume_unref);
    g_autofree char *provenance = path != NULL ? bg_cli_provenance(cli, error) : NULL;
    BgTumourReport report = { .title = bg_cli_option(cli, "output"),
                              .names = names,
                              .volumes = volumes,
                              .labels = found->labels,
                              .sizes = bg_json_get(cli->result, "regions"),
                              .provenance = provenance,
                              .warnings = made->warnings };

    if (path == NULL)
        return TRUE;
    for (int n = 0; n < BG_N_CONTRASTS; n++) {
        // The one whose frame it is comes first: its grid is drawn.
        int c = (n + (int) made->reference) % BG_N_CONTRASTS;
        if (loaded[c] == NULL)
            continue;
        BgGeometry geometry = *bg_volume_get_geometry(loaded[c]->volume);
        BgAffine fixed_from_moving = bg_affine_identity();
        bg_affine_invert(&made->moving_from_fixed[c], &fixed_from_moving);
        geometry.patient_from_voxel =
            bg_affine_multiply(&fixed_from_moving, &geometry.patient_from_voxel);
        BgVolume *there = bg_volume_new_at(loaded[c]->volume, &geometry, error);
        if (there == NULL)
            return FALSE;
        g_ptr_array_add(owned, there);
        names[report.n_volumes] = bg_contrast_name((BgContrast) c);
        volumes[report.n_volumes++] = there;
    }
    g_autofree char *html =
        provenance != NULL ? bg_tumour_report(&report, cli->cancellable, error) : NULL;
    return html != NULL &&
           bg_cli_wrote(cli, bg_output_replace(path, cli->force, html, strlen(html), error), path,
                        error);
}

static gboolean
segment(BgCli *cli, BgLoaded *const *loaded, BgTumourModel *model, BgTumourParams *params,
        const BgTumourOptions *run, GError **error)
{
    const char *out = bg_cli_option(cli, "output"), *brain = bg_cli_option(cli, "brain");
    BgVolume *contrasts[BG_N_CONTRASTS] = { NULL };
    g_auto(BgTumourResult) found = { 0 };
    g_autoptr(BgLabelMap) mask = NULL;
    gint64 start = g_get_monotonic_time();
    BgProgressSpan span;

    if (brain != NULL && (mask = bg_cli_load_labels(cli, brain, error)) == NULL)
        return FALSE;
    params->brain = mask;
    params->spacing_mm = bg_tumour_model_get_spacing(model);
    for (int c = 0; c < BG_N_CONTRASTS; c++)
        contrasts[c] = loaded[c] != NULL ? loaded[c]->volume : NULL;
    g_autoptr(BgTumourCase) made =
        bg_tumour_case_new(contrasts, params, bg_progress_span_init(&span, &cli->progress, 0, 0.4),
                           cli->cancellable, error);
    if (made == NULL) {
        g_prefix_error(error, "cannot segment: %s: ", out);
        return FALSE;
    }
    gint64 prepared = g_get_monotonic_time();
    const BgGeometry *target = bg_volume_get_geometry(contrasts[made->reference]);
    if (!bg_tumour_segment(model, made, target, run, &found,
                           bg_progress_span_init(&span, &cli->progress, 0.4, 1.0), cli->cancellable,
                           error)) {
        g_prefix_error(error, "cannot segment: %s: ", out);
        return FALSE;
    }
    gint64 end = g_get_monotonic_time();
    set_case(cli, made, model);
    bg_json_set_double(cli->result, "seconds", (double) (end - start) / 1e6);
    bg_json_set_double(cli->result, "seconds_preparing", (double) (prepared - start) / 1e6);
    bg_json_set_double(cli->result, "tflop", found.flop / 1e12);
    bg_cli_set_engine(cli, &run->engine, found.backend);
    bg_json_set_integer(cli->result, "n_removed", (gint64) found.cleaned.n_removed);
    bg_json_set_integer(cli->result, "n_filled", (gint64) found.cleaned.n_filled);
    BgCliGrid grid = { .labels = found.labels };
    return set_sizes(cli, found.labels, error) && save_extras(cli, &found, error) &&
           save_report(cli, loaded, made, &found, error) &&
           bg_cli_grid_save(cli, &grid, out, NULL, error);
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *out = bg_cli_option(cli, "output");
    BgLoaded *loaded[BG_N_CONTRASTS] = { NULL };
    BgTumourParams params;
    BgTumourOptions run_options;

    if (out == NULL) {
        bg_cli_usage_error(error, "where to: segment: give -o SEG");
        return FALSE;
    }
    if (!get_params(cli, &params, &run_options, error) || !bg_cli_check_output(cli, out, error))
        return FALSE;
    static const char *const extras[] = { "probabilities", "confidence", "report" };
    for (gsize o = 0; o < G_N_ELEMENTS(extras); o++) {
        const char *extra = bg_cli_option(cli, extras[o]);
        if (extra != NULL && !bg_cli_check_output(cli, extra, error))
            return FALSE;
    }
    gboolean ok = check_apart(cli, error) && load_contrasts(cli, loaded, error);
    g_autoptr(BgTumourModel) model = ok ? load_model(cli, error) : NULL;
    ok = model != NULL && segment(cli, loaded, model, &params, &run_options, error);
    for (int c = 0; c < BG_N_CONTRASTS; c++)
        g_clear_pointer(&loaded[c], bg_loaded_free);
    return ok;
}

const BgCliCommand bg_cli_command_segment = {
    .name = "segment",
    .arguments = "--t1=A --t1ce=B --t2=C --flair=D -o SEG [--model=FILE] [OPTIONS]",
    .summary = "a label map of a brain tumour from up to four contrasts",
    .output_arg = -1,
    .output_option = "output",
    .options = options,
    .run = run,
};
