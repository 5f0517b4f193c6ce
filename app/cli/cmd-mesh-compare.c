// SPDX-License-Identifier: Apache-2.0
// bregma-cli mesh-compare: how far two surfaces lie apart.
#include "bg-cli.h"

#include "core/surface/bg-mesh-distance.h"

static const BgCliOption options[] = {
    { "samples", BG_CLI_VALUE, "=N  points on each surface" },
    { NULL },
};

static gboolean
run(BgCli *cli, GError **error)
{
    int n_samples = BG_MESH_DISTANCE_SAMPLES;
    BgMeshDistance d;

    if (!bg_cli_get_int(cli, "samples", 1, 100000000, &n_samples, error))
        return FALSE;
    g_autoptr(BgMesh) a = bg_cli_load_mesh(cli, bg_cli_arg(cli, 0), error);
    if (a == NULL)
        return FALSE;
    g_autoptr(BgMesh) b = bg_cli_load_mesh(cli, bg_cli_arg(cli, 1), error);
    if (b == NULL)
        return FALSE;
    if (!bg_mesh_distance(a, b, (gsize) n_samples, &d, &cli->progress, cli->cancellable, error)) {
        g_prefix_error(error, "cannot compare: %s and %s: ", bg_cli_arg(cli, 0),
                       bg_cli_arg(cli, 1));
        return FALSE;
    }
    bg_json_set_double(cli->result, "mean_mm", d.mean_mm);
    bg_json_set_double(cli->result, "rms_mm", d.rms_mm);
    bg_json_set_double(cli->result, "p95_mm", d.p95_mm);
    bg_json_set_double(cli->result, "max_mm", d.max_mm);
    bg_json_set_double(cli->result, "mean_ab_mm", d.mean_ab_mm);
    bg_json_set_double(cli->result, "max_ab_mm", d.max_ab_mm);
    bg_json_set_double(cli->result, "mean_ba_mm", d.mean_ba_mm);
    bg_json_set_double(cli->result, "max_ba_mm", d.max_ba_mm);
    bg_json_set_integer(cli->result, "n_samples", n_samples);
    return TRUE;
}

const BgCliCommand bg_cli_command_mesh_compare = {
    .name = "mesh-compare",
    .arguments = "A B [--samples=N]",
    .summary = "distances between two surfaces, both ways",
    .min_args = 2,
    .max_args = 2,
    .path_args = 1u << 0 | 1u << 1,
    .output_arg = -1,
    .options = options,
    .run = run,
};
