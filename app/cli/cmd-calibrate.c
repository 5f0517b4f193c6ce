// SPDX-License-Identifier: Apache-2.0
// bregma-cli calibrate: a camera's intrinsics and lens from photographs of a chessboard.
#include "bg-cli-camera.h"

#include "core/base/bg-error.h"
#include "core/register/bg-calibrate.h"
#include "core/register/bg-chessboard.h"

#include <string.h>

#define MAX_IMAGES 200

static const BgCliOption options[] = {
    { "board", BG_CLI_VALUE, "=CxR  inner corners (where four squares meet) along and across" },
    { "square", BG_CLI_VALUE, "=mm  side of a square" },
    { "output", BG_CLI_PATH, "=K.json, -o K.json  the camera" },
    { NULL },
};

typedef struct {
    BgCalibrateParams params;
    GPtrArray *corners; // of double *: of the pictures that show the board
    GArray *which;      // of guint: their arguments
    BgJson *views;      // borrowed: of the result
} Job;

static gboolean
parse(BgCli *cli, BgCalibrateParams *params, GError **error)
{
    if (!bg_cli_has(cli, "board") || !bg_cli_has(cli, "square")) {
        bg_cli_usage_error(error, "which board: calibrate: give --board=CxR and --square=mm");
        return FALSE;
    }
    return bg_cli_get_size(cli, "board", &params->columns, &params->rows, error) &&
           bg_cli_get_positive(cli, "square", &params->square_mm, error);
}

static gboolean
check_size(Job *job, const char *path, BgImage *image, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(image);

    if (job->params.width == 0) {
        job->params.width = format->width;
        job->params.height = format->height;
    }
    if (format->width == job->params.width && format->height == job->params.height)
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                "cannot calibrate: %s: it has %d x %d pixels, the first %d x %d. Give photographs "
                "of one camera, at one setting",
                path, format->width, format->height, job->params.width, job->params.height);
    return FALSE;
}

// A photograph without the board is told and left out; an unreadable one is an error.
static gboolean
look_at(BgCli *cli, Job *job, guint n, GError **error)
{
    const char *path = bg_cli_arg(cli, n);
    g_autoptr(BgImage) image = bg_cli_load_picture(cli, path, error);
    g_autoptr(GError) failed = NULL;
    BgJson *view = bg_json_new_object();

    bg_json_append(job->views, view);
    if (image == NULL || !check_size(job, path, image, error))
        return FALSE;
    gsize n_corners = (gsize) job->params.columns * (gsize) job->params.rows;
    g_autofree double *corners = g_new(double, 2 * n_corners);
    gboolean found = bg_chessboard_find(image, job->params.columns, job->params.rows, corners,
                                        cli->cancellable, &failed);
    if (!found && !g_error_matches(failed, BG_ERROR, BG_ERROR_INVALID)) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return FALSE;
    }
    bg_json_set_string(view, "file", path);
    bg_json_set_boolean(view, "found", found);
    if (found) {
        bg_json_set_doubles(view, "first_last",
                            (double[4]){ corners[0], corners[1], corners[2 * n_corners - 2],
                                         corners[2 * n_corners - 1] },
                            4);
        g_ptr_array_add(job->corners, g_steal_pointer(&corners));
        g_array_append_val(job->which, n);
    } else
        bg_json_set_string(view, "reason", failed->message);
    bg_progress_report(&cli->progress, (n + 1.0) / cli->arguments->len);
    return TRUE;
}

static gboolean
finish(BgCli *cli, const Job *job, const BgCalibration *calibration, GError **error)
{
    static const char *const names[BG_CALIBRATE_INTRINSICS] = { "fx", "fy", "cx", "cy", "k1",
                                                                "k2", "p1", "p2", "k3" };
    const BgCamera *camera = &calibration->camera;
    const double size[2] = { camera->width, camera->height };
    g_autoptr(BgJson) file = bg_json_new_object();
    BgJson *sd = bg_json_new_object();

    for (int i = 0; i < BG_CALIBRATE_INTRINSICS; i++)
        bg_json_set_double(sd, names[i], calibration->sd[i]);
    bg_json_set_integer(file, "schema", 1);
    bg_json_set_doubles(file, "K", camera->k, 9);
    bg_json_set_doubles(file, "distortion", camera->distortion, 5);
    bg_json_set_doubles(file, "size", size, 2);
    bg_json_set_double(file, "rms_px", calibration->rms_px);
    bg_json_set(file, "sd", sd);
    for (gsize i = 1; i < bg_json_count(file); i++)
        bg_json_set(cli->result, bg_json_name_at(file, i), bg_json_copy(bg_json_value_at(file, i)));
    bg_json_set_integer(cli->result, "n_found", (gint64) calibration->n_views);

    BgJson *views = bg_json_new_array();
    for (gsize i = 0, used = 0; i < bg_json_count(job->views); i++) {
        BgJson *view = bg_json_copy(bg_json_at(job->views, i));
        if (used < job->which->len && g_array_index(job->which, guint, used) == i)
            bg_json_set_double(view, "rms_px", calibration->view_rms_px[used++]);
        bg_json_append(views, view);
    }
    bg_json_set(cli->result, "views", views);
    return bg_cli_save_camera(cli, g_steal_pointer(&file), error);
}

static gboolean
calibrate(BgCli *cli, Job *job, GError **error)
{
    for (guint n = 0; n < cli->arguments->len; n++) {
        if (!look_at(cli, job, n, error))
            return FALSE;
    }
    if (job->corners->len == 0) {
        const BgJson *first = bg_json_at(job->views, 0);
        g_set_error(
            error, BG_ERROR, BG_ERROR_INVALID,
            "cannot calibrate: %s: the board of --board=%s is in none of the %u photographs. "
            "Count inner corners, where four squares meet, not squares. The first says: %s",
            bg_cli_arg(cli, 0), bg_cli_option(cli, "board"), cli->arguments->len,
            bg_json_to_string(bg_json_get(first, "reason"), ""));
        return FALSE;
    }
    g_autoptr(BgCalibration) calibration =
        bg_calibrate((const double *const *) job->corners->pdata, job->corners->len, &job->params,
                     cli->cancellable, error);
    return calibration != NULL && finish(cli, job, calibration, error);
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *out = bg_cli_option(cli, "output");
    g_autoptr(GPtrArray) corners = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) which = g_array_new(FALSE, FALSE, sizeof(guint));
    Job job = { .corners = corners, .which = which, .views = bg_json_new_array() };

    bg_json_set(cli->result, "views", job.views);
    return parse(cli, &job.params, error) &&
           (out == NULL || bg_cli_check_output(cli, out, error)) && calibrate(cli, &job, error);
}

const BgCliCommand bg_cli_command_calibrate = {
    .name = "calibrate",
    .arguments = "IMAGE... --board=CxR --square=mm [-o K.json]",
    .summary = "a camera's intrinsics and lens from photographs of a chessboard",
    .min_args = 3,
    .max_args = MAX_IMAGES,
    .path_args = ~0u,
    .output_arg = -1,
    .output_option = "output",
    .options = options,
    .run = run,
};
