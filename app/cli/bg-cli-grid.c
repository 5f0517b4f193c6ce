// SPDX-License-Identifier: Apache-2.0
#include "bg-cli-grid.h"

#include "bg-cli-dicom.h"

#include "core/base/bg-error.h"
#include "core/volume/bg-statistics.h"

#include <string.h>

void
bg_cli_grid_clear(BgCliGrid *grid)
{
    g_clear_pointer(&grid->volume, bg_volume_unref);
    g_clear_pointer(&grid->labels, bg_label_map_unref);
}

const BgGeometry *
bg_cli_grid_get_geometry(const BgCliGrid *grid)
{
    return grid->volume != NULL ? bg_volume_get_geometry(grid->volume)
                                : bg_label_map_get_geometry(grid->labels);
}

gboolean
bg_cli_grid_take(BgCliGrid *grid, BgVolume *volume, BgLabelMap *labels)
{
    if (volume == NULL && labels == NULL)
        return FALSE;
    bg_cli_grid_clear(grid);
    grid->volume = volume;
    grid->labels = labels;
    return TRUE;
}

gboolean
bg_cli_grid_take_loaded(BgCliGrid *grid, BgLoaded *loaded, const char *path, GError **error)
{
    if (loaded->volume == NULL && loaded->labels == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    "not a volume: %s: it is of the kind %s. Give a volume or a label map", path,
                    bg_kind_name(loaded->info->kind));
        return FALSE;
    }
    return bg_cli_grid_take(grid, g_steal_pointer(&loaded->volume),
                            g_steal_pointer(&loaded->labels));
}

gboolean
bg_cli_grid_load(BgCli *cli, const char *path, int frame, BgCliGrid *grid, BgFileInfo **info,
                 GError **error)
{
    BgLoadParams params = bg_load_params_default();

    params.frame = frame;
    g_autoptr(BgLoaded) loaded = bg_cli_load(cli, path, &params, error);
    if (loaded == NULL || !bg_cli_grid_take_loaded(grid, loaded, path, error))
        return FALSE;
    if (info != NULL)
        *info = bg_file_info_copy(loaded->info);
    return TRUE;
}

gboolean
bg_cli_get_target(BgCli *cli, const BgGeometry *source, BgGeometry *target, gboolean *given,
                  GError **error)
{
    const char *like = bg_cli_option(cli, "like");
    double spacing[3];

    *given = like != NULL || bg_cli_has(cli, "spacing");
    if (like != NULL && bg_cli_has(cli, "spacing")) {
        bg_cli_usage_error(error, "two grids: --like=%s: give either --like or --spacing", like);
        return FALSE;
    }
    if (like != NULL) {
        g_autoptr(BgFileInfo) info = bg_io_probe(like, cli->cancellable, error);
        if (info == NULL) {
            g_prefix_error(error, "cannot read: %s: ", like);
            return FALSE;
        }
        if (!info->has_geometry) {
            g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                        "no grid: %s: it is of the kind %s. Give a volume", like,
                        bg_kind_name(info->kind));
            return FALSE;
        }
        bg_cli_add_input(cli, like);
        *target = info->geometry;
        return TRUE;
    }
    if (!*given)
        return TRUE;
    if (!bg_cli_get_doubles(cli, "spacing", spacing, 3, error))
        return FALSE;
    return bg_geometry_new_spacing(source, bg_vec3(spacing[0], spacing[1], spacing[2]), target,
                                   error);
}

gboolean
bg_cli_get_method(const BgCli *cli, BgResampleMethod *method, GError **error)
{
    const char *name = bg_cli_option(cli, "interpolation");

    if (name == NULL || strcmp(name, "linear") == 0)
        *method = BG_RESAMPLE_LINEAR;
    else if (strcmp(name, "nearest") == 0)
        *method = BG_RESAMPLE_NEAREST;
    else if (strcmp(name, "cubic") == 0)
        *method = BG_RESAMPLE_CUBIC;
    else {
        bg_cli_usage_error(error,
                           "no such interpolation: --interpolation=%s: give nearest, linear or "
                           "cubic",
                           name);
        return FALSE;
    }
    return TRUE;
}

// What lies outside of a CT is air, of anything else nothing.
static double
value_outside(BgVolume *volume)
{
    return bg_volume_looks_like_ct(volume) ? -1000.0 : 0.0;
}

gboolean
bg_cli_grid_resample(BgCli *cli, BgCliGrid *grid, const BgGeometry *target, BgResampleMethod method,
                     GError **error)
{
    BgResampleParams params = bg_resample_params(target);
    const char *like = bg_cli_option(cli, "like");

    params.method = method;
    if (like != NULL && !bg_cli_check_overlap(cli, target, bg_cli_grid_get_geometry(grid), like,
                                              cli->inputs->pdata[0], error))
        return FALSE;
    if (grid->labels != NULL)
        return bg_cli_grid_take(
            grid, NULL,
            bg_resample_labels(grid->labels, &params, &cli->progress, cli->cancellable, error));
    params.outside_value = value_outside(grid->volume);
    return bg_cli_grid_take(grid,
                            bg_backend_resample(bg_cli_get_backend(cli), grid->volume, &params,
                                                &cli->progress, cli->cancellable, error),
                            NULL);
}

gboolean
bg_cli_grid_save(BgCli *cli, const BgCliGrid *grid, const char *path, const BgFileInfo *info,
                 GError **error)
{
    if (bg_cli_is_dicom(path) && grid->labels != NULL)
        return bg_cli_save_dicom_labels(cli, grid->labels, path, error);

    g_autofree char *provenance = bg_cli_provenance(cli, error);
    BgSaveParams params = { .force = cli->force, .provenance = provenance };

    if (provenance == NULL)
        return FALSE;
    if (info != NULL) {
        params.modality = info->modality;
        params.unit = info->unit;
        params.description = info->description;
    }
    gboolean ok = grid->volume != NULL ? bg_io_save_volume(grid->volume, path, &params,
                                                           &cli->progress, cli->cancellable, error)
                                       : bg_io_save_labels(grid->labels, path, &params,
                                                           &cli->progress, cli->cancellable, error);
    return bg_cli_wrote(cli, ok, path, error);
}

// Returns: (transfer full): as @path holds it: a format without a scale holds floats instead
static char *
stored_type(BgCli *cli, const BgCliGrid *grid, const char *path)
{
    BgSampleType type =
        grid->volume != NULL ? bg_volume_get_format(grid->volume).type : BG_SAMPLE_UINT8;
    g_autofree char *lower = g_ascii_strdown(path, -1);

    if (g_str_has_suffix(lower, ".png")) // a file a slice; PNG has no negative numbers
        type = type == BG_SAMPLE_INT16 ? BG_SAMPLE_UINT16 : type;
    else if (!bg_cli_is_dicom(path)) {
        g_autoptr(BgFileInfo) info = bg_io_probe(path, cli->cancellable, NULL);
        if (info != NULL && info->datatype != NULL)
            return g_strdup(info->datatype);
    }
    return g_strdup(grid->volume != NULL
                        ? bg_sample_type_name(type)
                        : bg_label_type_name(bg_label_map_get_label_type(grid->labels)));
}

gboolean
bg_cli_set_grid(BgCli *cli, const BgCliGrid *grid, const char *path, GError **error)
{
    const BgGeometry *geometry = bg_cli_grid_get_geometry(grid);
    g_autoptr(BgVolume) volume = grid->volume != NULL ? bg_volume_ref(grid->volume)
                                                      : bg_label_map_to_volume(grid->labels, error);
    BgStatistics s;

    if (volume == NULL || !bg_volume_statistics(volume, &s, cli->cancellable, error))
        return FALSE;
    bg_json_set_string(cli->result, "output", path);
    bg_cli_set_dims(cli->result, "dims", geometry->dims[0], geometry->dims[1], geometry->dims[2]);
    bg_cli_set_geometry(cli, cli->result, geometry);
    g_autofree char *type = stored_type(cli, grid, path);
    bg_json_set_string(cli->result, "datatype", type);
    bg_json_set_double(cli->result, "value_min", s.min);
    bg_json_set_double(cli->result, "value_max", s.max);
    bg_json_set_double(cli->result, "value_mean", s.mean);
    bg_json_set_double(cli->result, "value_sum", s.sum);
    bg_json_set_integer(cli->result, "n_nan", (gint64) s.n_nan);
    return TRUE;
}
