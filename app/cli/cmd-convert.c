// SPDX-License-Identifier: Apache-2.0
// bregma-cli convert: read anything, write anything, on the same or another grid.
#include "bg-cli-dicom.h"
#include "bg-cli-grid.h"
#include "bg-cli-picture.h"

#include "core/base/bg-error.h"
#include "core/volume/bg-reorient.h"

static const BgCliOption options[] = {
    { "series", BG_CLI_VALUE, "=UID|N  of a folder or an archive, N from 0" },
    { "frame", BG_CLI_VALUE, "=N  one of several, from 0; else all" },
    { "reorient", BG_CLI_VALUE, "=CODE  patient directions in which i, j, k shall grow: LPS" },
    { "spacing", BG_CLI_VALUE, "=a,b,c  mm along i, j, k" },
    { "like", BG_CLI_PATH, "=FILE  onto the grid of that file" },
    { "interpolation", BG_CLI_VALUE, "=nearest|linear|cubic  between voxels" },
    BG_CLI_REFERENCE_OPTION,
    { NULL },
};

typedef struct {
    BgFileInfo *info;
    GPtrArray *frames; // of BgCliGrid *
    GPtrArray *images; // of BgImage: a file of pictures has no frames
} Job;

static void
free_grid(gpointer data)
{
    bg_cli_grid_clear(data);
    g_free(data);
}

static gboolean
reorient(BgCliGrid *grid, const char *code, GError **error)
{
    gboolean ok =
        grid->volume != NULL
            ? bg_cli_grid_take(grid, bg_volume_reorient(grid->volume, code, error), NULL)
            : bg_cli_grid_take(grid, NULL, bg_label_map_reorient(grid->labels, code, error));

    if (!ok)
        g_prefix_error(error, "cannot reorient: --reorient=%s: ", code);
    return ok;
}

static gboolean
change(BgCli *cli, BgCliGrid *grid, GError **error)
{
    const char *code = bg_cli_option(cli, "reorient");
    BgResampleMethod method;
    BgGeometry target;
    gboolean given;

    if (!bg_cli_get_method(cli, &method, error))
        return FALSE;
    if (code != NULL && !reorient(grid, code, error))
        return FALSE;
    if (!bg_cli_get_target(cli, bg_cli_grid_get_geometry(grid), &target, &given, error))
        return FALSE;
    return !given || bg_cli_grid_resample(cli, grid, &target, method, error);
}

// What info warns of, and that several values a voxel became one.
static void
warn(Job *job, const BgLoaded *loaded)
{
    const BgFileInfo *info = loaded->info;

    for (guint i = 0; i < info->warnings->len; i++)
        bg_file_info_warn(job->info, "%s", (char *) info->warnings->pdata[i]);
    if (loaded->volume != NULL && info->n_components > 1)
        bg_file_info_warn(job->info,
                          "Each voxel held %d values (%s); one is written: the luminance of "
                          "colours, the magnitude of all else.",
                          info->n_components, info->datatype);
}

// A volume or labels become a frame, a picture an image.
static gboolean
load_frame(BgCli *cli, Job *job, int frame, GError **error)
{
    const char *path = bg_cli_arg(cli, 0);
    BgLoadParams params = bg_load_params_default();

    params.frame = frame;
    g_autoptr(BgLoaded) loaded = bg_cli_load(cli, path, &params, error);
    if (loaded == NULL)
        return FALSE;
    if (job->info == NULL)
        job->info = bg_file_info_copy(loaded->info);
    warn(job, loaded);
    if (loaded->image != NULL) {
        g_ptr_array_add(job->images, g_steal_pointer(&loaded->image));
        return TRUE;
    }
    BgCliGrid *grid = g_new0(BgCliGrid, 1);
    g_ptr_array_add(job->frames, grid);
    return bg_cli_grid_take_loaded(grid, loaded, path, error) && change(cli, grid, error);
}

static gboolean
load_frames(BgCli *cli, Job *job, GError **error)
{
    int first = 0, n_frames = 1;

    if (!bg_cli_get_int(cli, "frame", 0, G_MAXINT, &first, error))
        return FALSE;
    for (int n = 0; n < n_frames; n++) {
        if (!load_frame(cli, job, first + n, error))
            return FALSE;
        if (!bg_cli_has(cli, "frame") && job->info->kind != BG_KIND_LABELS)
            n_frames = job->info->n_frames;
    }
    return TRUE;
}

static gboolean
save_frames(BgCli *cli, const Job *job, const char *path, GError **error)
{
    g_autofree char *provenance = bg_cli_provenance(cli, error);
    g_autofree BgVolume **volumes = g_new0(BgVolume *, job->frames->len);
    BgSaveParams params = { .force = cli->force,
                            .provenance = provenance,
                            .modality = job->info->modality,
                            .unit = job->info->unit,
                            .description = job->info->description,
                            .frame_spacing_s = job->info->frame_spacing };

    if (provenance == NULL)
        return FALSE;
    for (guint n = 0; n < job->frames->len; n++) {
        const BgCliGrid *grid = job->frames->pdata[n];
        if (grid->volume == NULL) {
            bg_cli_usage_error(error, "labels in several frames: %s: give --frame=N",
                               bg_cli_arg(cli, 0));
            return FALSE;
        }
        volumes[n] = grid->volume;
    }
    return bg_cli_wrote(cli,
                        bg_io_save_frames(volumes, job->frames->len, path, &params, &cli->progress,
                                          cli->cancellable, error),
                        path, error);
}

// What would have to know where a voxel lies, or has no place in a picture's file.
static gboolean
check_picture(BgCli *cli, const char *out, GError **error)
{
    static const char *const of_grids[] = { "reorient", "spacing", "like", NULL };
    const char *path = bg_cli_arg(cli, 0);

    for (int i = 0; of_grids[i] != NULL; i++) {
        if (bg_cli_has(cli, of_grids[i])) {
            bg_cli_usage_error(error, "not a volume: %s: --%s is of voxels, and this is a picture",
                               path, of_grids[i]);
            return FALSE;
        }
    }
    g_autofree char *lower = g_ascii_strdown(out, -1);
    if (bg_cli_is_dicom(out) || g_str_has_suffix(lower, ".png"))
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                "not a volume: %s: it is of the kind image. Give a volume or a label map, or an "
                "output that ends with .png or .dcm",
                path);
    return FALSE;
}

static gboolean
save_pictures(BgCli *cli, const Job *job, const char *out, GError **error)
{
    BgImage *const *images = (BgImage *const *) job->images->pdata;
    const BgImageFormat *format = bg_image_get_format(images[0]);
    BgJson *files = bg_json_new_array();

    bg_json_set(cli->result, "files", files);
    bg_json_set_integer(cli->result, "n_frames", job->images->len);
    bg_cli_set_dims(cli->result, "dims", format->width, format->height, 1);
    bg_json_set_string(cli->result, "output", out);
    if (bg_cli_is_dicom(out) || job->images->len == 1) {
        bg_json_append(files, bg_json_new_string(out));
        return bg_cli_is_dicom(out)
                   ? bg_cli_save_dicom_pictures(cli, images, job->images->len, out, error)
                   : bg_cli_save_png(cli, images[0], out, error);
    }
    for (guint n = 0; n < job->images->len; n++) {
        g_autofree char *number = g_strdup_printf("-%04u", n);
        g_autofree char *path = bg_cli_with_suffix(out, number);
        if (!bg_cli_save_png(cli, images[n], path, error))
            return FALSE;
        bg_json_append(files, bg_json_new_string(path));
    }
    return TRUE;
}

static gboolean
run_job(BgCli *cli, Job *job, GError **error)
{
    const char *out = bg_cli_arg(cli, 1);

    if (!bg_cli_check_output(cli, out, error) || !load_frames(cli, job, error))
        return FALSE;
    if (job->images->len > 0)
        return check_picture(cli, out, error) && save_pictures(cli, job, out, error);
    const BgCliGrid *first = job->frames->pdata[0];
    if (bg_cli_is_dicom(out) && first->labels == NULL) {
        g_set_error(
            error, BG_ERROR, BG_ERROR_UNSUPPORTED,
            "not written: %s: DICOM is written of pictures, label maps and surfaces, not of "
            "volumes. Give another format, or use slice",
            out);
        return FALSE;
    }
    if (bg_cli_has(cli, "interpolation") && !bg_cli_has(cli, "like") && !bg_cli_has(cli, "spacing"))
        bg_cli_doubt(cli, "--interpolation makes no difference: without --spacing or --like every "
                          "voxel is kept");
    gboolean ok = job->frames->len > 1 ? save_frames(cli, job, out, error)
                                       : bg_cli_grid_save(cli, first, out, job->info, error);
    if (!ok)
        return FALSE;
    bg_json_set_integer(cli->result, "n_frames", job->frames->len);
    return bg_cli_set_grid(cli, first, out, error);
}

static gboolean
run(BgCli *cli, GError **error)
{
    Job job = { .frames = g_ptr_array_new_with_free_func(free_grid),
                .images = g_ptr_array_new_with_free_func((GDestroyNotify) bg_image_unref) };
    gboolean ok = run_job(cli, &job, error);

    for (guint i = 0; ok && i < job.info->warnings->len; i++)
        bg_cli_add_warning(cli, job.info->warnings->pdata[i]);
    g_ptr_array_unref(job.frames);
    g_ptr_array_unref(job.images);
    g_clear_pointer(&job.info, bg_file_info_free);
    return ok;
}

const BgCliCommand bg_cli_command_convert = {
    .name = "convert",
    .arguments =
        "IN OUT [--series=UID|N] [--frame=N] [--reorient=CODE] [--spacing=a,b,c | --like=FILE] "
        "[--interpolation=nearest|linear|cubic] [--reference=DICOM] [--force]",
    .summary = "read anything, write .nii .nii.gz .nrrd .mha .h5 .mnc .npy .raw .dcm, stacks of "
               ".tif and .png",
    .min_args = 2,
    .max_args = 2,
    .path_args = 1u << 0 | 1u << 1,
    .output_arg = 1,
    .options = options,
    .run = run,
};
