// SPDX-License-Identifier: Apache-2.0
// bregma-cli info: what is in a file.
#include "bg-cli-series.h"

#include "core/model/bg-landmarks.h"
#include "core/volume/bg-statistics.h"

#include <math.h>

static const BgCliOption options[] = {
    { "series", BG_CLI_VALUE, "=UID|N  of a folder or an archive, N from 0" },
    { "frame", BG_CLI_VALUE, "=N  whose values are counted, from 0" },
    { NULL },
};

static gboolean
set_statistics(BgCli *cli, BgVolume *volume, GError **error)
{
    BgStatistics s;

    if (!bg_volume_statistics(volume, &s, cli->cancellable, error))
        return FALSE;
    bg_json_set_double(cli->result, "value_min", s.min);
    bg_json_set_double(cli->result, "value_max", s.max);
    bg_json_set_double(cli->result, "value_mean", s.mean);
    bg_json_set_double(cli->result, "value_sum", s.sum);
    bg_json_set_double(cli->result, "value_std", s.standard_deviation);
    bg_json_set_integer(cli->result, "n_nan", (gint64) s.n_nan);
    bg_json_set_integer(cli->result, "n_infinite", (gint64) s.n_infinite);
    return TRUE;
}

static void
set_no_statistics(BgJson *json)
{
    static const char *const names[] = { "value_min", "value_max", "value_mean", "value_sum" };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        bg_json_set(json, names[i], bg_json_new_null());
}

// All channels together, as stored. Alpha counts too.
static void
set_image(BgJson *json, BgImage *image)
{
    const BgImageFormat *format = bg_image_get_format(image);
    gsize n = (gsize) format->width * (gsize) format->height * (gsize) format->n_channels;
    gconstpointer pixels = bg_image_get_pixels(image);
    double low = INFINITY, high = -INFINITY, sum = 0.0, spacing_mm[2];
    gsize n_finite = 0;

    for (gsize i = 0; i < n; i++) {
        double v = format->type == BG_PIXEL_UINT8    ? ((const guint8 *) pixels)[i]
                   : format->type == BG_PIXEL_UINT16 ? ((const guint16 *) pixels)[i]
                                                     : (double) ((const float *) pixels)[i];
        if (!isfinite(v))
            continue;
        low = fmin(low, v);
        high = fmax(high, v);
        sum += v;
        n_finite++;
    }
    bg_json_set_double(json, "value_min", low);
    bg_json_set_double(json, "value_max", high);
    bg_json_set_double(json, "value_mean", sum / (double) n_finite);
    bg_json_set_double(json, "value_sum", sum);
    bg_json_set_integer(json, "n_nan", (gint64) (n - n_finite));
    if (bg_image_get_spacing_mm(image, spacing_mm))
        bg_json_set_doubles(json, "spacing_mm", spacing_mm, 2);
}

static void
set_camera(BgJson *json, const BgFileInfo *info)
{
    if (info->camera != NULL)
        bg_json_set_string(json, "camera", info->camera);
    if (info->focal_length_mm > 0.0)
        bg_json_set_double(json, "focal_length_mm", info->focal_length_mm);
    if (info->focal_length_35mm > 0.0)
        bg_json_set_double(json, "focal_length_35mm", info->focal_length_35mm);
    if (info->sensor_mm[0] > 0.0 && info->sensor_mm[1] > 0.0)
        bg_json_set_doubles(json, "sensor_mm", info->sensor_mm, 2);
}

static void
set_labels(BgJson *json, const BgLabelMap *labels)
{
    g_autoptr(GArray) counts = bg_label_map_count(labels);
    double voxel_ml = bg_geometry_voxel_volume_mm3(bg_label_map_get_geometry(labels)) / 1000.0;
    BgJson *array = bg_json_new_array();

    for (guint i = 0; i < counts->len; i++) {
        const BgLabelCount *count = &g_array_index(counts, BgLabelCount, i);
        BgJson *item = bg_json_new_object();
        bg_json_set_integer(item, "value", count->label);
        bg_json_set_integer(item, "n_voxels", (gint64) count->n_voxels);
        bg_json_set_double(item, "volume_ml", voxel_ml * (double) count->n_voxels);
        bg_json_append(array, item);
    }
    bg_json_set(json, "labels", array);
}

static void
set_points(BgCli *cli, const BgLandmarks *landmarks)
{
    gboolean picture = bg_landmarks_get_space(landmarks) == BG_LANDMARK_PICTURE;
    BgJson *array = bg_json_new_array();

    for (gsize i = 0; i < bg_landmarks_count(landmarks); i++) {
        const BgLandmark *point = bg_landmarks_get(landmarks, i);
        double uv[2] = { point->position.x, point->position.y };
        BgJson *item = bg_json_new_object();
        bg_json_set_string(item, "name", point->name);
        if (point->placed && picture)
            bg_json_set_doubles(item, "uv", uv, 2);
        else if (point->placed)
            bg_cli_set_point(cli, item, "position_mm", point->position);
        bg_json_set_string(item, "state", bg_landmark_use_name(point->use));
        bg_json_append(array, item);
    }
    bg_json_set_integer(cli->result, "n_points", (gint64) bg_landmarks_count(landmarks));
    bg_json_set(cli->result, "points", array);
}

static void
set_strings(BgJson *json, const BgFileInfo *info)
{
    BgJson *warnings = bg_json_new_array();

    for (guint i = 0; i < info->warnings->len; i++)
        bg_json_append(warnings, bg_json_new_string(info->warnings->pdata[i]));
    bg_json_set_string(json, "modality", info->modality != NULL ? info->modality : "");
    bg_json_set_string(json, "unit", info->unit != NULL ? info->unit : "");
    bg_json_set(json, "warnings", warnings);
    if (info->low_is_bright)
        bg_json_set_boolean(json, "low_is_bright", TRUE);
    if (info->window[1] > 0.0)
        bg_json_set_doubles(json, "window", info->window, 2);
    if (info->description != NULL)
        bg_json_set_string(json, "description", info->description);
}

static void
set_place(const BgCli *cli, BgJson *json, const BgFileInfo *info)
{
    if (info->has_geometry) {
        bg_cli_set_geometry(cli, json, &info->geometry);
        bg_json_set_boolean(json, "side_known", info->side_known);
        if (info->side_known)
            bg_json_set_string(json, "plane", bg_geometry_plane_name(&info->geometry));
        if (info->spacing_unknown) // in px: no millimetres
            bg_json_set(json, "spacing_mm", bg_json_new_null());
    } else {
        static const char *const names[] = { "spacing_mm", "origin_mm", "direction", "affine",
                                             "axis_code" };
        for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
            bg_json_set(json, names[i], bg_json_new_null());
    }
    if (info->has_alternative_geometry) {
        BgJson *other = bg_json_new_object();
        bg_json_set_string(other, "name", info->alternative_name);
        bg_cli_set_geometry(cli, other, &info->alternative_geometry);
        bg_json_set(json, "alternative", other);
        bg_json_set_string(json, "geometry_from", info->geometry_name);
    }
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *path = bg_cli_arg(cli, 0);
    g_auto(BgCliSource) source = { 0 };
    BgLoadParams params = bg_load_params_default();
    BgJson *json = cli->result;

    if (!bg_cli_get_int(cli, "frame", 0, G_MAXINT, &params.frame, error))
        return FALSE;
    g_autoptr(BgLoaded) loaded = NULL;
    if (bg_cli_find_source(cli, path, TRUE, &source, error))
        loaded = bg_cli_load_source(cli, path, &source, &params, error);
    if (loaded == NULL) {
        bg_cli_blame_path(error, path);
        return FALSE;
    }
    bg_cli_add_input(cli, path);

    const BgFileInfo *info = loaded->info;
    bg_json_set_string(json, "path", path);
    bg_json_set_string(json, "format", bg_format_name(info->format));
    bg_json_set_string(json, "kind", bg_kind_name(info->kind));
    bg_cli_set_dims(json, "dims", info->dims[0], info->dims[1], info->dims[2]);
    bg_json_set_integer(json, "n_frames", info->n_frames);
    bg_json_set_integer(json, "n_components", info->n_components);
    bg_json_set_string(json, "datatype", info->datatype);
    bg_cli_set_b_values(json, info->b_values);
    set_place(cli, json, info);
    set_strings(json, info);
    bg_cli_set_series(json, &source);

    if (loaded->landmarks != NULL)
        set_points(cli, loaded->landmarks);
    if (loaded->mesh != NULL) {
        set_no_statistics(json);
        return bg_cli_set_measures(cli, json, loaded->mesh, error);
    }
    if (loaded->labels != NULL) {
        set_labels(json, loaded->labels);
        g_autoptr(BgVolume) volume = bg_label_map_to_volume(loaded->labels, error);
        return volume != NULL && set_statistics(cli, volume, error);
    }
    if (loaded->volume != NULL)
        return set_statistics(cli, loaded->volume, error);
    set_no_statistics(json);
    set_camera(json, info);
    if (loaded->image != NULL)
        set_image(json, loaded->image);
    return TRUE;
}

const BgCliCommand bg_cli_command_info = {
    .name = "info",
    .arguments = "PATH [--series=UID|N] [--frame=N]",
    .summary = "what is in a file",
    .min_args = 1,
    .max_args = 1,
    .path_args = 1,
    .output_arg = -1,
    .options = options,
    .run = run,
};
