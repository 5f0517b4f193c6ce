// SPDX-License-Identifier: Apache-2.0
// bregma-cli mesh-check: what keeps a surface from being printed, and mending it.
#include "bg-cli.h"

#include "core/base/bg-error.h"
#include "core/io/bg-mesh-io.h"
#include "core/surface/bg-mesh-print.h"

static const BgCliOption options[] = {
    { "output", BG_CLI_PATH, "=OUT, -o OUT  the repaired surface: .stl, .ply, .obj, .glb or .vtk" },
    { "wall", BG_CLI_VALUE, "=mm  thinner walls break; 1 unless given" },
    { "least-ml", BG_CLI_VALUE, "=ml  smaller parts are islands; 0.05 unless given" },
    { NULL },
};

static void
set_check(BgJson *json, const BgPrintCheck *check, const BgPrintParams *params)
{
    g_autoptr(GPtrArray) words = bg_print_check_words(check, params);
    BgJson *findings = bg_json_new_array();

    for (guint i = 0; i < words->len; i++)
        bg_json_append(findings, bg_json_new_string(words->pdata[i]));
    bg_json_set_boolean(json, "printable", check->printable);
    bg_json_set(json, "findings", findings);
    bg_json_set_boolean(json, "closed", check->closed);
    bg_json_set_boolean(json, "inside_out", check->inside_out);
    bg_json_set_integer(json, "n_holes", (gint64) check->n_holes);
    bg_json_set_double(json, "longest_hole_mm", check->longest_hole_mm);
    bg_json_set_integer(json, "n_bad_edges", (gint64) check->n_bad_edges);
    bg_json_set_integer(json, "n_degenerate", (gint64) check->n_degenerate);
    bg_json_set_integer(json, "n_components", (gint64) check->n_parts);
    bg_json_set_integer(json, "n_islands", (gint64) check->n_islands);
    bg_json_set_double(json, "islands_ml", check->islands_ml);
    bg_json_set_double(json, "volume_ml", check->volume_ml);
    bg_json_set_double(json, "thinnest_mm", check->thinnest_mm);
    bg_json_set_double(json, "thin_share", check->thin_share);
    if (isfinite(check->thinnest_mm))
        bg_cli_set_vec3(json, "thinnest_at_mm", check->thinnest_at_mm);
}

static gboolean
repair(BgCli *cli, BgMesh *mesh, const BgPrintParams *params, const char *out, GError **error)
{
    BgPrintRepair done;
    BgPrintCheck after;
    g_autoptr(BgMesh) made = bg_mesh_print_repair(mesh, params, &done, error);

    if (made == NULL || !bg_mesh_print_check(made, params, &after, NULL, cli->cancellable, error))
        return FALSE;
    BgJson *json = bg_json_new_object();
    bg_json_set(cli->result, "repaired", json);
    bg_json_set_string(json, "output", out);
    bg_json_set_integer(json, "n_holes_filled", (gint64) done.n_holes_filled);
    bg_json_set_integer(json, "n_islands_removed", (gint64) done.n_islands_removed);
    bg_json_set_integer(json, "n_triangles_removed", (gint64) done.n_triangles_removed);
    bg_json_set_boolean(json, "turned", done.turned);
    set_check(json, &after, params);
    g_autofree char *provenance = bg_cli_provenance(cli, error);
    BgMeshSaveParams save = { .force = cli->force, .provenance = provenance, .ras = cli->ras };
    return provenance != NULL &&
           bg_cli_wrote(cli,
                        bg_mesh_save(made, out, &save, &cli->progress, cli->cancellable, error),
                        out, error);
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *out = bg_cli_option(cli, "output");
    BgPrintParams params = bg_print_params();
    BgPrintCheck check;

    if (!bg_cli_get_double(cli, "wall", &params.least_wall_mm, error) ||
        !bg_cli_get_double(cli, "least-ml", &params.least_part_ml, error))
        return FALSE;
    if (out != NULL && !bg_mesh_can_save(out)) {
        bg_cli_usage_error(error,
                           "unknown format: %s: surfaces are written as .stl, .ply, .obj, .glb or "
                           ".vtk",
                           out);
        return FALSE;
    }
    if (out != NULL && !bg_cli_check_output(cli, out, error))
        return FALSE;
    g_autoptr(BgMesh) mesh = bg_cli_load_mesh(cli, bg_cli_arg(cli, 0), error);
    if (mesh == NULL)
        return FALSE;
    if (!bg_mesh_print_check(mesh, &params, &check, &cli->progress, cli->cancellable, error)) {
        g_prefix_error(error, "cannot check: %s: ", bg_cli_arg(cli, 0));
        return FALSE;
    }
    set_check(cli->result, &check, &params);
    return out == NULL || repair(cli, mesh, &params, out, error);
}

const BgCliCommand bg_cli_command_mesh_check = {
    .name = "mesh-check",
    .arguments = "MESH [-o OUT] [--wall=mm] [--least-ml=ml]",
    .summary = "whether a surface can be printed: holes, islands, thin walls; and its repair",
    .min_args = 1,
    .max_args = 1,
    .path_args = 1u << 0,
    .output_arg = -1,
    .output_option = "output",
    .options = options,
    .run = run,
};
