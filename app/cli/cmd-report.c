// SPDX-License-Identifier: Apache-2.0
// bregma-cli report: a case on paper: who, pictures, numbers, where all is from.
#include "bg-cli.h"

#include "core/base/bg-hash.h"
#include "core/case/bg-case-report.h"
#include "core/case/bg-command.h"
#include "core/case/bg-load.h"
#include "core/case/bg-project.h"

#include <string.h>

static const BgCliOption options[] = {
    { "output", BG_CLI_PATH, "=OUT.(pdf|html), -o OUT: A4 pages, or one page for a browser" },
    { "label", BG_CLI_PATH, "=SEG  what is measured and drawn" },
    { "truth", BG_CLI_PATH, "=SEG  what it is compared with, on its grid" },
    { "mesh", BG_CLI_PATH, "=MESH  drawn in 3D; else the surfaces of the labels" },
    { NULL },
};

static gboolean
add_file(BgCli *cli, BgCase *the_case, const char *path, BgLoadAs as, GError **error)
{
    BgLoadParams params = bg_load_params_default();
    params.as = as;
    g_autoptr(BgLoaded) loaded = bg_cli_load(cli, path, &params, error);
    if (loaded == NULL)
        return FALSE;
    if (loaded->volume == NULL && loaded->labels == NULL && loaded->mesh == NULL) {
        bg_cli_usage_error(error, "no scan: %s: give volumes, label maps and meshes", path);
        return FALSE;
    }
    g_autoptr(BgLayer) layer = bg_layer_new_for_loaded(loaded, path, &params);
    BgPayload payload = { .volume = loaded->volume,
                          .labels = loaded->labels,
                          .mesh = loaded->mesh };
    g_autofree char *sha256 = bg_hash_file(path, NULL, cli->cancellable, NULL); // none of a folder
    bg_layer_set_string(&layer->source.sha256, sha256);
    g_free(layer->id);
    layer->id = bg_case_new_id(the_case, "layer");
    BgCommand *study = bg_command_take_study(the_case, loaded->info);
    return (study == NULL || bg_case_do(the_case, study, error)) &&
           bg_case_do(the_case, bg_command_add_layer(layer), error) &&
           bg_case_set_payload(the_case, layer->id, &payload, error);
}

static gboolean
open_case(BgCli *cli, BgCase *the_case, const char *path, GError **error)
{
    if (!bg_project_open(the_case, path, error))
        return FALSE;
    const GPtrArray *layers = bg_case_get_state(the_case)->layers;
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < layers->len; i++)
        g_ptr_array_add(ids, g_strdup(((const BgLayer *) layers->pdata[i])->id));
    for (guint i = 0; i < ids->len; i++) {
        g_autoptr(BgLoad) load = bg_load_new(the_case, ids->pdata[i]);
        g_autoptr(GError) missing = NULL;
        bg_load_run(load, NULL, cli->cancellable);
        if (!bg_load_finish(load, the_case, &missing))
            bg_cli_add_warning(cli, missing->message);
    }
    return TRUE;
}

static gboolean
gather(BgCli *cli, BgCase *the_case, GError **error)
{
    const char *label = bg_cli_option(cli, "label"), *truth = bg_cli_option(cli, "truth");
    const char *mesh = bg_cli_option(cli, "mesh"), *first = bg_cli_arg(cli, 0);

    if (g_str_has_suffix(first, BG_PROJECT_SUFFIX))
        return open_case(cli, the_case, first, error);
    for (guint n = 0; bg_cli_arg(cli, n) != NULL; n++) {
        if (!add_file(cli, the_case, bg_cli_arg(cli, n), BG_LOAD_VOLUME, error))
            return FALSE;
    }
    // The uppermost label map is what is measured.
    return (truth == NULL || add_file(cli, the_case, truth, BG_LOAD_LABELS, error)) &&
           (label == NULL || add_file(cli, the_case, label, BG_LOAD_LABELS, error)) &&
           (mesh == NULL || add_file(cli, the_case, mesh, BG_LOAD_AUTO, error));
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *out = bg_cli_option(cli, "output");
    g_autoptr(BgCase) the_case = bg_case_new();

    if (out == NULL || (!g_str_has_suffix(out, ".pdf") && !g_str_has_suffix(out, ".html"))) {
        bg_cli_usage_error(error, "where to: %s: give -o OUT.pdf or -o OUT.html",
                           out != NULL ? out : "report");
        return FALSE;
    }
    if (bg_cli_option(cli, "truth") != NULL && bg_cli_option(cli, "label") == NULL) {
        bg_cli_usage_error(error, "compared with what: --truth=%s: give --label=SEG, too",
                           bg_cli_option(cli, "truth"));
        return FALSE;
    }
    if (!bg_cli_check_output(cli, out, error) || !gather(cli, the_case, error))
        return FALSE;
    g_autoptr(BgCaseReport) report = bg_case_report_new(the_case, error);
    return report != NULL &&
           bg_cli_wrote(cli,
                        bg_case_report_write(report, out, cli->force, &cli->progress,
                                             cli->cancellable, error),
                        out, error);
}

const BgCliCommand bg_cli_command_report = {
    .name = "report",
    .arguments = "CASE.bregma|VOLUME... -o OUT.(pdf|html) [--label=SEG] [OPTIONS]",
    .summary = "a case on paper: who, pictures, numbers, where all is from",
    .min_args = 1,
    .max_args = 8,
    .path_args = 1u,
    .output_arg = -1,
    .output_option = "output",
    .options = options,
    .run = run,
};
