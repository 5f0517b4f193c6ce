// SPDX-License-Identifier: Apache-2.0
// bregma-cli phantom: a made-up case whose truth is known.
#include "bg-cli.h"

#include "core/base/bg-error.h"
#include "core/base/bg-output.h"
#include "core/io/bg-image-io.h"
#include "core/io/bg-landmarks-io.h"
#include "core/phantom/bg-phantom-photo.h"
#include "core/phantom/bg-phantom.h"

#include <errno.h>
#include <string.h>

#define DEFAULT_SIZE 128

static const BgCliOption options[] = {
    { "kind", BG_CLI_VALUE, "=head|ct-head|spheres|slab  what it shows" },
    { "size", BG_CLI_VALUE, "=N  voxels along each side; 128 unless given" },
    { "tumour", BG_CLI_FLAG, "of a head: with one" },
    { "varied", BG_CLI_FLAG,
      "with --tumour: its place, size and look differ with the seed; up to three" },
    { "photo-size", BG_CLI_VALUE,
      "=WxH  of a head's photograph; 640x480 unless given, 0x0 for none" },
    { "landmark-noise", BG_CLI_VALUE, "=px  how well its landmarks are placed; 2 unless given" },
    { "mirrored", BG_CLI_VALUE, "=optical|thermal|both  photographs with left and right swapped" },
    { NULL },
};

static gboolean
parse(BgCli *cli, BgPhantomParams *params, GError **error)
{
    const char *kind = bg_cli_option(cli, "kind");

    params->size = DEFAULT_SIZE;
    params->seed = (guint64) cli->seed;
    params->tumour = bg_cli_has(cli, "tumour");
    params->varied = bg_cli_has(cli, "varied");
    if (kind == NULL || !bg_phantom_kind_from_name(kind, &params->kind)) {
        bg_cli_usage_error(error, "which phantom: --kind=%s: give head, ct-head, spheres or slab",
                           kind != NULL ? kind : "");
        return FALSE;
    }
    return bg_cli_get_int(cli, "size", BG_PHANTOM_MIN_SIZE, BG_PHANTOM_MAX_SIZE, &params->size,
                          error);
}

static char *
part_path(const char *folder, const BgPhantomPart *part)
{
    g_autofree char *name = g_strconcat(part->name, ".nii.gz", NULL);

    return g_build_filename(folder, name, NULL);
}

// A folder that an earlier phantom made is written again; anything else asks for --force.
static gboolean
is_our_folder(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "truth.json", NULL);
    g_autofree char *text = NULL;
    gsize length;

    if (!g_file_get_contents(path, &text, &length, NULL))
        return FALSE;
    g_autoptr(BgJson) json = bg_json_parse(text, (gssize) length, NULL);
    return bg_json_get(json, "schema") != NULL && bg_json_get(json, "kind") != NULL &&
           bg_json_get(json, "seed") != NULL;
}

static gboolean
write_part(BgCli *cli, const BgPhantomPart *part, const char *path, const char *provenance,
           GError **error)
{
    BgSaveParams params = { .force = cli->force,
                            .provenance = provenance,
                            .modality = part->modality,
                            .unit = strcmp(part->modality, "CT") == 0 ? "HU" : NULL,
                            .description = "bregma phantom",
                            .labels = part->labels != NULL };
    gboolean ok =
        part->volume != NULL
            ? bg_io_save_volume(part->volume, path, &params, NULL, cli->cancellable, error)
            : bg_io_save_labels(part->labels, path, &params, NULL, cli->cancellable, error);

    return bg_cli_wrote(cli, ok, path, error);
}

static gboolean
write_truth(BgCli *cli, const BgPhantom *phantom, const char *path, GError **error)
{
    g_autoptr(BgJson) truth = bg_json_copy(phantom->truth);

    if (bg_json_get(truth, "schema") == NULL)
        bg_json_set_integer(truth, "schema", 1);
    bg_json_set_integer(truth, "seed", cli->seed);
    bg_json_set_string(truth, "kind", bg_cli_option(cli, "kind"));
    g_autofree char *text = bg_json_print(truth, TRUE);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    return bg_cli_wrote(cli, bg_output_replace(path, cli->force, line, strlen(line), error), path,
                        error);
}

static gboolean
parse_photo(BgCli *cli, BgPhantomPhotoParams *params, gboolean *wanted, GError **error)
{
    const char *mirrored = bg_cli_option(cli, "mirrored"), *size = bg_cli_option(cli, "photo-size");

    *params = bg_phantom_photo_params((guint64) cli->seed);
    params->varied = bg_cli_has(cli, "varied");
    *wanted = g_strcmp0(bg_cli_option(cli, "kind"), "head") == 0 && g_strcmp0(size, "0x0") != 0;
    if (mirrored != NULL) {
        gboolean both = strcmp(mirrored, "both") == 0;
        params->mirror_optical = both || strcmp(mirrored, "optical") == 0;
        params->mirror_thermal = both || strcmp(mirrored, "thermal") == 0;
        if (!params->mirror_optical && !params->mirror_thermal) {
            bg_cli_usage_error(error,
                               "which photograph: --mirrored=%s: give optical, thermal or "
                               "both",
                               mirrored);
            return FALSE;
        }
    }
    return (!*wanted ||
            bg_cli_get_size(cli, "photo-size", &params->width, &params->height, error)) &&
           bg_cli_get_double(cli, "landmark-noise", &params->landmark_noise_px, error);
}

typedef struct {
    BgCli *cli; // borrowed
    const char *folder, *provenance;
    BgJson *files; // borrowed
} Folder;

// Returns: (transfer full): where a file goes, noted as written
static char *
file_in(Folder *to, const char *name)
{
    char *path = g_build_filename(to->folder, name, NULL);

    bg_json_append(to->files, bg_json_new_string(path));
    return path;
}

static gboolean
write_picture(Folder *to, BgImage *image, const char *name, GError **error)
{
    g_autofree char *path = file_in(to, name);
    BgPngParams params = { .force = to->cli->force, .provenance = to->provenance };

    return bg_cli_wrote(to->cli, bg_png_save(image, path, &params, error), path, error);
}

static gboolean
write_points(Folder *to, BgLandmarks *list, const char *name, GError **error)
{
    g_autofree char *path = file_in(to, name);
    BgLandmarksSaveParams params = { .force = to->cli->force, .space = BG_LANDMARKS_LPS };

    return bg_cli_wrote(to->cli, bg_landmarks_save(list, path, &params, error), path, error);
}

static gboolean
write_camera(Folder *to, const BgCamera *camera, gboolean mirrored, const char *name,
             GError **error)
{
    g_autofree char *path = file_in(to, name), *text = bg_camera_print(camera);
    g_autoptr(BgJson) json = bg_json_parse(text, -1, NULL);

    bg_json_set_boolean(json, "mirrored", mirrored);
    bg_json_set(json, "provenance", bg_json_parse(to->provenance, -1, NULL));
    g_autofree char *whole = bg_json_print(json, TRUE);
    g_autofree char *line = g_strconcat(whole, "\n", NULL);
    return bg_cli_wrote(to->cli, bg_output_replace(path, to->cli->force, line, strlen(line), error),
                        path, error);
}

static BgJson *
points_json(BgLandmarks *list)
{
    BgJson *json = bg_json_new_object();
    gsize n_axes = bg_landmarks_get_space(list) == BG_LANDMARK_PATIENT ? 3 : 2;

    for (gsize i = 0; i < bg_landmarks_count(list); i++) {
        const BgLandmark *point = bg_landmarks_get(list, i);
        const double place[3] = { point->position.x, point->position.y, point->position.z };
        bg_json_set_doubles(json, point->name, place, n_axes);
    }
    return json;
}

static BgJson *
photo_json(const BgCamera *camera, gboolean mirrored, BgLandmarks *points)
{
    g_autofree char *text = bg_camera_print(camera);
    BgJson *json = bg_json_new_object();

    bg_json_set(json, "camera", bg_json_parse(text, -1, NULL));
    bg_json_set_boolean(json, "mirrored", mirrored);
    bg_json_set(json, "landmarks_px", points_json(points));
    return json;
}

static gboolean
write_photos(Folder *to, const BgPhantomPhotoParams *params, BgJson *truth, GError **error)
{
    g_autoptr(BgPhantomPhoto) photo =
        bg_phantom_photo_new(params, &to->cli->progress, to->cli->cancellable, error);

    if (photo == NULL || !write_picture(to, photo->optical, "optical.png", error) ||
        !write_picture(to, photo->thermal, "thermal.png", error) ||
        !write_camera(to, &photo->camera, params->mirror_optical, "camera.json", error) ||
        !write_camera(to, &photo->thermal_camera, params->mirror_thermal, "thermal-camera.json",
                      error) ||
        !write_points(to, photo->in_volume, "landmarks.csv", error) ||
        !write_points(to, photo->in_optical, "landmarks-optical.csv", error) ||
        !write_points(to, photo->in_thermal, "landmarks-thermal.csv", error))
        return FALSE;
    BgJson *thermal = photo_json(&photo->thermal_camera, params->mirror_thermal, photo->in_thermal);
    bg_json_set_doubles(thermal, "celsius",
                        (double[2]){ BG_PHANTOM_CELSIUS_LOW, BG_PHANTOM_CELSIUS_HIGH }, 2);
    bg_json_set(truth, "optical",
                photo_json(&photo->camera, params->mirror_optical, photo->in_optical));
    bg_json_set(truth, "thermal", thermal);
    bg_json_set(truth, "landmarks_mm", points_json(photo->in_volume));
    bg_json_set_double(truth, "landmark_noise_px", params->landmark_noise_px);
    bg_json_set(truth, "opening_centre_mm",
                bg_json_new_doubles(
                    (double[3]){ photo->centre_mm.x, photo->centre_mm.y, photo->centre_mm.z }, 3));
    return TRUE;
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *folder = bg_cli_arg(cli, 0);
    BgPhantomParams params = { 0 };
    BgPhantomPhotoParams photo_params;
    gboolean with_photos;
    BgJson *files = bg_json_new_array();

    bg_json_set(cli->result, "files", files);
    if (!parse(cli, &params, error) || !parse_photo(cli, &photo_params, &with_photos, error))
        return FALSE;
    if (g_mkdir_with_parents(folder, 0777) != 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    "cannot make the folder: %s: %s. Choose another place", folder,
                    g_strerror(errno));
        return FALSE;
    }
    cli->force = cli->force || is_our_folder(folder);

    g_autoptr(BgPhantom) phantom = bg_phantom_new(&params, &cli->progress, cli->cancellable, error);
    if (phantom == NULL)
        return FALSE;
    for (guint i = 0; i < phantom->n_parts; i++) {
        g_autofree char *path = part_path(folder, &phantom->parts[i]);
        if (!bg_cli_check_output(cli, path, error))
            return FALSE;
    }
    g_autofree char *provenance = bg_cli_provenance(cli, error);
    for (guint i = 0; provenance != NULL && i < phantom->n_parts; i++) {
        g_autofree char *path = part_path(folder, &phantom->parts[i]);
        if (!write_part(cli, &phantom->parts[i], path, provenance, error))
            return FALSE;
        bg_json_append(files, bg_json_new_string(path));
    }
    Folder to = { cli, folder, provenance, files };
    if (with_photos && provenance != NULL &&
        !write_photos(&to, &photo_params, phantom->truth, error))
        return FALSE;
    g_autofree char *truth_path = g_build_filename(folder, "truth.json", NULL);
    if (provenance == NULL || !write_truth(cli, phantom, truth_path, error))
        return FALSE;
    bg_json_append(files, bg_json_new_string(truth_path));
    bg_json_set(cli->result, "truth", bg_json_copy(phantom->truth));
    bg_json_set_integer(cli->result, "seed", cli->seed);
    return TRUE;
}

const BgCliCommand bg_cli_command_phantom = {
    .name = "phantom",
    .arguments = "DIR --kind=head|ct-head|spheres|slab [--size=N] [--tumour] [--photo-size=WxH] "
                 "[--mirrored=...] [--seed=N]",
    .summary = "a made-up case whose truth is known",
    .min_args = 1,
    .max_args = 1,
    .path_args = 1u << 0,
    .output_arg = 0,
    .options = options,
    .run = run,
};
