// SPDX-License-Identifier: Apache-2.0
// bregma-cli register camera: where a photograph was taken from.
#include "bg-cli-camera.h"
#include "cmd-register.h"

#include "core/base/bg-error.h"
#include "core/model/bg-distortion.h"
#include "core/register/bg-pose-refine.h"
#include "core/register/bg-pose.h"

#include <string.h>

#define OUTSIDE_MM 1.0 // vessels lie on the surface, half sunk in
#define INSIDE_MM 1.5

static const BgCliOption options[] = {
    { "points3d", BG_CLI_PATH, "=A  points of the volume: .fcsv, .mrk.json or .csv" },
    { "points2d", BG_CLI_PATH, "=B  points of the same names in the photograph: name,u,v" },
    { "camera", BG_CLI_PATH, "=K.json  the camera, as calibrate writes it" },
    { "focal", BG_CLI_VALUE, "=mm  without --camera: focal length" },
    { "sensor", BG_CLI_VALUE, "=WxH  mm, with --focal or the focal length of EXIF" },
    { "size", BG_CLI_VALUE, "=WxH  pixels of the photograph, with --focal or --estimate" },
    { "estimate", BG_CLI_VALUE, "=focal  find the focal length too" },
    { "check", BG_CLI_VALUE, "=name,...  left out of the fit, and the error there measured" },
    { "skip", BG_CLI_VALUE, "=name,...  left out altogether" },
    { "noise", BG_CLI_VALUE, "=px  how well points are placed in the photograph" },
    { "all-points", BG_CLI_FLAG, "no point is an outlier" },
    { "mirrored", BG_CLI_FLAG, "the photograph shows left and right swapped" },
    { "inside", BG_CLI_VALUE, "=x,y,z  a place inside of the head: tells mirrored photographs" },
    { "photograph", BG_CLI_PATH,
      "=IMG  without --camera: its EXIF tells the camera; with --surface: refine the pose" },
    { "surface", BG_CLI_PATH, "=MESH  the surface that the photograph shows: the brain's" },
    { "volume", BG_CLI_PATH, "=V  whose values the surface has: T1 with contrast shows vessels" },
    { "keep-doubtful", BG_CLI_FLAG, "take a refined pose that might be worse" },
    { "output", BG_CLI_PATH, "=CAM.json, -o CAM.json  the camera with its pose" },
    { NULL },
};

// "60x40", in mm.
static gboolean
get_sensor(const BgCli *cli, double sensor_mm[2], GError **error)
{
    const char *text = bg_cli_option(cli, "sensor");
    char *end;

    if (text != NULL) {
        sensor_mm[0] = g_ascii_strtod(text, &end);
        if (*end == 'x') {
            sensor_mm[1] = g_ascii_strtod(end + 1, &end);
            if (*end == '\0' && sensor_mm[0] > 0.0 && sensor_mm[1] > 0.0)
                return TRUE;
        }
    }
    bg_cli_usage_error(error, "not a sensor: --sensor=%s: give width and height in mm as WxH",
                       text != NULL ? text : "");
    return FALSE;
}

// By the photograph: its EXIF, or its size alone where the focal length is found.
static gboolean
get_exif_camera(BgCli *cli, BgPoseParams *params, GError **error)
{
    const char *path = bg_cli_option(cli, "photograph");
    BgLoadParams how = bg_load_params_default();
    g_autoptr(BgLoaded) loaded = bg_cli_load(cli, path, &how, error);

    if (loaded == NULL)
        return FALSE;
    if (loaded->image == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    "not a picture: %s: it is of the kind %s. Give a photograph", path,
                    bg_kind_name(loaded->info->kind));
        return FALSE;
    }
    if (bg_cli_has(cli, "sensor") && !get_sensor(cli, loaded->info->sensor_mm, error))
        return FALSE;
    if (bg_cli_guess_camera(cli, loaded->info, &params->camera))
        return TRUE;
    if (params->estimate_focal) {
        const int *dims = loaded->info->dims;
        BgLens lens = {
            dims[0], { dims[0], dims[1] }, { dims[0], dims[1] }, { (double) NAN, (double) NAN }
        };
        return bg_camera_from_lens(&lens, &params->camera, error);
    }
    bg_cli_usage_error(error,
                       "which camera: %s: its EXIF does not tell focal length and sensor. Give "
                       "--camera=K.json, --sensor=WxH or --estimate=focal",
                       path);
    return FALSE;
}

static gboolean
get_camera(BgCli *cli, BgPoseParams *params, GError **error)
{
    BgLens lens = { .centre_px = { (double) NAN, (double) NAN } };

    if (bg_cli_has(cli, "camera"))
        return bg_cli_load_intrinsics(cli, bg_cli_option(cli, "camera"), &params->camera, error);
    if (!bg_cli_get_size(cli, "size", &lens.size[0], &lens.size[1], error))
        return FALSE;
    if (lens.size[0] < 1 && bg_cli_has(cli, "photograph"))
        return get_exif_camera(cli, params, error);
    if (lens.size[0] < 1 || (!bg_cli_has(cli, "focal") && !params->estimate_focal)) {
        bg_cli_usage_error(error,
                           "which camera: %s: give --camera=K.json, or --size=WxH and either "
                           "--focal=mm with --sensor=WxH or --estimate=focal",
                           bg_cli_option(cli, "points2d"));
        return FALSE;
    }
    if (bg_cli_has(cli, "focal")) {
        if (!get_sensor(cli, lens.sensor_mm, error) ||
            !bg_cli_get_positive(cli, "focal", &lens.focal_mm, error))
            return FALSE;
    } else { // square pixels; the focal length is found
        lens.focal_mm = lens.size[0];
        lens.sensor_mm[0] = lens.size[0];
        lens.sensor_mm[1] = lens.size[1];
    }
    return bg_camera_from_lens(&lens, &params->camera, error);
}

static gboolean
parse_params(BgCli *cli, BgPoseParams *params, GError **error)
{
    const char *estimate = bg_cli_option(cli, "estimate");

    *params = (BgPoseParams){ .robust = !bg_cli_has(cli, "all-points"),
                              .mirrored = bg_cli_has(cli, "mirrored"),
                              .has_inside = bg_cli_has(cli, "inside"),
                              .estimate_focal = estimate != NULL,
                              .seed = (guint64) cli->seed };
    if (estimate != NULL && strcmp(estimate, "focal") != 0) {
        bg_cli_usage_error(error, "cannot be estimated: --estimate=%s: give focal", estimate);
        return FALSE;
    }
    if (!bg_cli_has(cli, "points3d") || !bg_cli_has(cli, "points2d")) {
        bg_cli_usage_error(error, "which points: register camera: give --points3d=A and "
                                  "--points2d=B");
        return FALSE;
    }
    if (bg_cli_has(cli, "surface") && !bg_cli_has(cli, "photograph")) {
        bg_cli_usage_error(error, "refined by what: register camera: --surface=MESH wants "
                                  "--photograph=IMG too");
        return FALSE;
    }
    return bg_cli_get_positive(cli, "noise", &params->noise_px, error) &&
           bg_cli_get_vector(cli, "inside", &params->inside_mm, error);
}

// The list with the points that @option names set to @use; a name that is in none is told.
static BgLandmarks *
with_use(BgCli *cli, BgLandmarks *list, const char *option, BgLandmarkUse use, GError **error)
{
    const char *text = bg_cli_option(cli, option);
    g_auto(GStrv) names = g_strsplit(text != NULL ? text : "", ",", -1);
    gsize n = bg_landmarks_count(list);
    g_autofree BgLandmark *points = g_new(BgLandmark, MAX(n, 1));

    for (gsize i = 0; i < n; i++) {
        points[i] = *bg_landmarks_get(list, i);
        if (g_strv_contains((const char *const *) names, points[i].name))
            points[i].use = use;
    }
    for (gsize i = 0; names[i] != NULL; i++) {
        if (bg_landmarks_find(list, names[i]) == NULL) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        "no such point: --%s=%s: it is not in the list of the volume. Look at it "
                        "with bregma-cli info",
                        option, names[i]);
            return NULL;
        }
    }
    return bg_landmarks_new(bg_landmarks_get_space(list), points, n, error);
}

static BgJson *
residuals_json(const GArray *residuals, double *rms_check_px, double *rms_check_mm)
{
    BgJson *array = bg_json_new_array();
    double px2 = 0.0, mm2 = 0.0;
    guint n = 0;

    for (guint i = 0; i < residuals->len; i++) {
        const BgPoseResidual *row = &g_array_index(residuals, BgPoseResidual, i);
        const double uv[2] = { row->u, row->v };
        BgJson *item = bg_json_new_object();
        bg_json_set_string(item, "name", row->name);
        bg_json_set_double(item, "error", row->error_px);
        bg_json_set_boolean(item, "used", row->used);
        bg_json_set_string(item, "state", bg_landmark_use_name(row->use));
        bg_json_set_double(item, "error_mm", row->error_mm);
        bg_json_set_double(item, "expected_px", row->expected_px);
        bg_json_set_doubles(item, "projected", uv, 2);
        bg_json_append(array, item);
        if (row->use == BG_LANDMARK_CHECK) {
            px2 += row->error_px * row->error_px;
            mm2 += row->error_mm * row->error_mm;
            n++;
        }
    }
    *rms_check_px = n > 0 ? sqrt(px2 / n) : (double) NAN;
    *rms_check_mm = n > 0 ? sqrt(mm2 / n) : (double) NAN;
    return array;
}

static void
add_warnings(BgCli *cli, const BgPoseResult *result, const GArray *residuals)
{
    for (guint i = 0; i < residuals->len; i++) {
        const BgPoseResidual *row = &g_array_index(residuals, BgPoseResidual, i);
        if (row->use != BG_LANDMARK_FIT || row->used)
            continue;
        g_autofree char *text =
            g_strdup_printf("%s: an outlier, left out: %.1f px", row->name, row->error_px);
        bg_cli_add_warning(cli, text);
    }
    if (result->has_second) {
        g_autofree char *text =
            g_strdup_printf("another pose, turned by %.1f degrees, explains the points nearly as "
                            "well (%.2f px): check it with more points, off their plane",
                            result->second_angle_deg, result->second_rms_px);
        bg_cli_add_warning(cli, text);
    }
    if (result->mirror_unclear)
        bg_cli_add_warning(cli, "whether the photograph is mirrored cannot be told from these "
                                "points: give --inside=x,y,z");
    if (result->n_used == BG_POSE_MIN_POINTS)
        bg_cli_add_warning(cli, "four points: a wrong one among them cannot be told");
}

static gboolean
finish(BgCli *cli, const BgPoseResult *result, const GArray *residuals, GError **error)
{
    double rms_px, rms_mm;
    g_autofree char *text = bg_camera_print(&result->camera);
    g_autoptr(BgJson) file = bg_json_parse(text, -1, NULL);
    BgJson *rows = residuals_json(residuals, &rms_px, &rms_mm);
    BgJson *json = cli->result;

    bg_cli_set_pose(cli, json, &result->camera);
    bg_json_set_double(json, "reprojection_rms_px", result->rms_px);
    bg_json_set(json, "residuals", rows);
    bg_json_set_double(json, "rms_check_px", rms_px);
    bg_json_set_double(json, "rms_check_mm", rms_mm);
    bg_json_set_integer(json, "n_used", (gint64) result->n_used);
    bg_json_set_boolean(json, "mirrored", result->mirrored);
    bg_json_set_double(json, "sigma_px", result->sigma_px);
    bg_json_set_doubles(json, "sd_rotation_deg", result->sd_rotation_deg, 3);
    bg_json_set_doubles(json, "sd_t_mm", result->sd_t_mm, 3);
    if (result->n_parameters == 7)
        bg_json_set_double(json, "sd_focal", result->sd_focal);
    bg_json_set_doubles(json, "covariance", result->covariance,
                        (gsize) (result->n_parameters * result->n_parameters));
    add_warnings(cli, result, residuals);

    bg_json_set_boolean(file, "mirrored", result->mirrored);
    bg_json_set_double(file, "reprojection_rms_px", result->rms_px);
    bg_json_set(file, "residuals", bg_json_copy(rows));
    return bg_cli_save_camera(cli, g_steal_pointer(&file), error);
}

static BgCortex *
load_cortex(BgCli *cli, GError **error)
{
    const char *volume_path = bg_cli_option(cli, "volume");
    g_autoptr(BgMesh) mesh = bg_cli_load_mesh(cli, bg_cli_option(cli, "surface"), error);
    g_autoptr(BgVolume) volume = NULL;

    if (mesh == NULL)
        return NULL;
    if (volume_path != NULL) {
        volume = bg_cli_load_volume(cli, volume_path, error);
        if (volume == NULL)
            return NULL;
    }
    return bg_cortex_new(mesh, volume, OUTSIDE_MM, INSIDE_MM, cli->cancellable, error);
}

static void
tell_refined(BgCli *cli, const BgPoseRefined *refined, gboolean taken)
{
    BgJson *json = bg_json_new_object();

    bg_json_set_boolean(json, "taken", taken);
    bg_json_set_boolean(json, "trusted", refined->trusted);
    bg_json_set_string(json, "doubt", refined->doubt);
    bg_json_set_double(json, "metric_before", refined->metric_before);
    bg_json_set_double(json, "metric_after", refined->metric_after);
    bg_json_set_double(json, "moved_px", refined->moved_px);
    bg_json_set_double(json, "moved_mm", refined->moved_mm);
    bg_json_set_double(json, "moved_sigmas", refined->moved_sigmas);
    bg_json_set_double(json, "spread_mm", refined->spread_mm);
    bg_cli_set_pose(cli, json, &refined->camera);
    bg_json_set(cli->result, "refined", json);
    if (!refined->trusted) {
        g_autofree char *text =
            g_strdup_printf("%s: %s",
                            taken ? "the refined pose was taken in spite of a doubt"
                                  : "the refined pose was not taken",
                            refined->doubt);
        bg_cli_add_warning(cli, text);
    }
}

static gboolean
refine(BgCli *cli, BgPoseResult *result, GArray *residuals, GError **error)
{
    const char *path = bg_cli_option(cli, "photograph");
    g_autoptr(GArray) region = g_array_new(FALSE, FALSE, sizeof(double));
    BgPoseRefined refined;

    if (!bg_cli_has(cli, "surface"))
        return TRUE;
    g_autoptr(BgImage) photograph = bg_cli_load_picture(cli, path, error);
    g_autoptr(BgCortex) cortex = photograph != NULL ? load_cortex(cli, error) : NULL;
    if (cortex == NULL)
        return FALSE;
    for (guint i = 0; i < residuals->len; i++) {
        const BgPoseResidual *row = &g_array_index(residuals, BgPoseResidual, i);
        const double uv[2] = { row->point.u, row->point.v };
        if (row->used)
            g_array_append_vals(region, uv, 2);
    }
    BgPoseRefineParams params = { .cortex = cortex,
                                  .photograph = photograph,
                                  .start = result,
                                  .region = (const double *) (gpointer) region->data,
                                  .n_region = region->len / 2 };
    if (!bg_pose_refine(&params, &refined, &cli->progress, cli->cancellable, error)) {
        g_prefix_error(error, "not refined: %s: ", path);
        return FALSE;
    }
    BgJson *before = bg_json_new_object();
    bg_cli_set_pose(cli, before, &result->camera);
    bg_json_set_double(before, "reprojection_rms_px", result->rms_px);
    bg_json_set(cli->result, "before", before);
    gboolean taken = refined.trusted || bg_cli_has(cli, "keep-doubtful");
    tell_refined(cli, &refined, taken);
    if (taken)
        bg_pose_take_camera(result, &refined.camera, residuals);
    return TRUE;
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *out = bg_cli_option(cli, "output");
    g_autoptr(GArray) residuals = NULL;
    BgPoseParams params;
    BgPoseResult result;

    if (!parse_params(cli, &params, error) ||
        (out != NULL && !bg_cli_check_output(cli, out, error)) || !get_camera(cli, &params, error))
        return FALSE;
    g_autoptr(BgLandmarks) all = bg_cli_load_landmarks(cli, bg_cli_option(cli, "points3d"), error);
    if (all == NULL)
        return FALSE;
    g_autoptr(BgLandmarks) checked = with_use(cli, all, "check", BG_LANDMARK_CHECK, error);
    if (checked == NULL)
        return FALSE;
    g_autoptr(BgLandmarks) in_patient = with_use(cli, checked, "skip", BG_LANDMARK_SKIP, error);
    if (in_patient == NULL)
        return FALSE;
    g_autoptr(BgLandmarks) in_picture =
        bg_cli_load_landmarks(cli, bg_cli_option(cli, "points2d"), error);
    if (in_picture == NULL)
        return FALSE;
    if (!bg_pose_from_landmarks(in_patient, in_picture, &params, &result, &residuals, error)) {
        g_prefix_error(error, "not registered: %s: ", bg_cli_option(cli, "points2d"));
        return FALSE;
    }
    return refine(cli, &result, residuals, error) && finish(cli, &result, residuals, error);
}

const BgCliCommand bg_cli_verb_register_camera = {
    .name = "register camera",
    .arguments = "--points3d=A --points2d=B --camera=K.json [--estimate=focal] [-o CAM.json]",
    .summary = "where a photograph was taken from, by points seen in both",
    .min_args = 0,
    .max_args = 0,
    .output_arg = -1,
    .output_option = "output",
    .options = options,
    .run = run,
};
