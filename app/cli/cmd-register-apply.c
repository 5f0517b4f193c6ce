// SPDX-License-Identifier: Apache-2.0
// bregma-cli register apply: a volume or a label map made anew where a registration puts it.
#include "bg-cli-grid.h"
#include "cmd-register.h"

#include "core/base/bg-error.h"
#include "core/register/bg-transform-file.h"
#include "core/register/bg-volume-warp.h"
#include "core/volume/bg-resample.h"

static const BgCliOption options[] = {
    { "transform", BG_CLI_PATH, "=T  fixed_from_moving, of register points or volumes" },
    { "like", BG_CLI_PATH, "=FIXED  onto the grid of that file" },
    { "frame", BG_CLI_VALUE, "=N  of a file with several, from 0" },
    { "override-patient", BG_CLI_VALUE, "=REASON  why files of two patients belong together" },
    { NULL },
};

static BgTransform *
load_transform(BgCli *cli, GError **error)
{
    const char *path = bg_cli_option(cli, "transform");

    if (path == NULL || !bg_cli_has(cli, "like")) {
        bg_cli_usage_error(error, "where to: register apply: give --transform=T and --like=FIXED");
        return NULL;
    }
    BgTransform *transform = bg_transform_load(path, error);
    if (transform == NULL) {
        g_prefix_error(error, "cannot read: ");
        return NULL;
    }
    if (bg_transform_count_axes(transform) != 3) {
        bg_transform_unref(transform);
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    "not applied: %s: it is of pictures. Give one of patients", path);
        return NULL;
    }
    bg_cli_add_input(cli, path);
    return transform;
}

// Where the moving grid lies after its transform; of a spline, by its affine part.
static BgGeometry
move_grid(const BgCliGrid *grid, const BgTransform *transform)
{
    BgGeometry moved = *bg_cli_grid_get_geometry(grid);

    moved.patient_from_voxel =
        bg_affine_multiply(bg_transform_get_affine(transform), &moved.patient_from_voxel);
    return moved;
}

static gboolean
apply_to_labels(BgCli *cli, BgCliGrid *grid, const BgTransform *transform, const BgGeometry *moved,
                const BgGeometry *target, GError **error)
{
    BgResampleParams params = bg_resample_params(target);

    if (bg_transform_get_model(transform) == BG_TRANSFORM_TPS) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    "not applied: %s: splines bend volumes, not label maps. Bend the volume, and "
                    "segment what comes of it",
                    bg_cli_arg(cli, 0));
        return FALSE;
    }
    g_autoptr(BgLabelMap) there = bg_label_map_new_at(grid->labels, moved, error);
    return there != NULL && bg_cli_grid_take(grid, NULL,
                                             bg_resample_labels(there, &params, &cli->progress,
                                                                cli->cancellable, error));
}

static gboolean
run_on(BgCli *cli, BgCliGrid *grid, BgFileInfo **info, GError **error)
{
    const char *like = bg_cli_option(cli, "like"), *out = bg_cli_arg(cli, 1);
    g_autoptr(BgTransform) transform = load_transform(cli, error);
    BgGeometry target;
    gboolean given;
    int frame = 0;

    if (transform == NULL || !bg_cli_check_output(cli, out, error) ||
        !bg_cli_get_int(cli, "frame", 0, G_MAXINT, &frame, error) ||
        !bg_cli_grid_load(cli, bg_cli_arg(cli, 0), frame, grid, info, error) ||
        !bg_cli_get_target(cli, bg_cli_grid_get_geometry(grid), &target, &given, error))
        return FALSE;
    g_autoptr(BgFileInfo) fixed = bg_io_probe(like, cli->cancellable, error);
    BgGeometry moved = move_grid(grid, transform);
    if (fixed == NULL || !bg_cli_check_patients(cli, fixed, *info, error) ||
        !bg_cli_check_overlap(cli, &target, &moved, like, bg_cli_arg(cli, 0), error))
        return FALSE;
    gboolean done = grid->labels != NULL
                        ? apply_to_labels(cli, grid, transform, &moved, &target, error)
                        : bg_cli_grid_take(grid,
                                           bg_volume_warp(grid->volume, transform, &target,
                                                          &cli->progress, cli->cancellable, error),
                                           NULL);
    if (!done || !bg_cli_grid_save(cli, grid, out, *info, error))
        return FALSE;
    bg_json_set_string(cli->result, "model",
                       bg_transform_model_name(bg_transform_get_model(transform)));
    bg_json_set_string(cli->result, "direction", "fixed_from_moving");
    return bg_cli_set_grid(cli, grid, out, error);
}

static gboolean
run(BgCli *cli, GError **error)
{
    BgCliGrid grid = { 0 };
    g_autoptr(BgFileInfo) info = NULL;
    gboolean ok = run_on(cli, &grid, &info, error);

    bg_cli_grid_clear(&grid);
    return ok;
}

const BgCliCommand bg_cli_verb_register_apply = {
    .name = "register apply",
    .arguments = "MOVING OUT --transform=T --like=FIXED",
    .summary = "a volume or a label map made anew where a registration puts it",
    .min_args = 2,
    .max_args = 2,
    .path_args = 1u << 0 | 1u << 1,
    .output_arg = 1,
    .options = options,
    .run = run,
};
