// SPDX-License-Identifier: Apache-2.0
#include "bg-cli-camera.h"

#include "core/base/bg-error.h"
#include "core/base/bg-output.h"
#include "core/model/bg-distortion.h"

#include <string.h>

gboolean
bg_cli_load_intrinsics(BgCli *cli, const char *path, BgCamera *camera, GError **error)
{
    g_autofree char *text = NULL;
    gsize length;

    if (!g_file_get_contents(path, &text, &length, error) ||
        !bg_camera_parse_intrinsics(text, (gssize) length, camera, error)) {
        g_prefix_error(error, "cannot read: %s: ", path);
        return FALSE;
    }
    bg_cli_add_input(cli, path);
    return TRUE;
}

BgImage *
bg_cli_load_picture(BgCli *cli, const char *path, GError **error)
{
    BgLoadParams params = bg_load_params_default();
    g_autoptr(BgLoaded) loaded = bg_cli_load(cli, path, &params, error);

    if (loaded == NULL)
        return NULL;
    if (loaded->image == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    "not a picture: %s: it is of the kind %s. Give a photograph", path,
                    bg_kind_name(loaded->info->kind));
        return NULL;
    }
    return bg_image_ref(loaded->image);
}

gboolean
bg_cli_guess_camera(BgCli *cli, const BgFileInfo *info, BgCamera *camera)
{
    BgLens lens;

    if (!bg_lens_from_exif(info->focal_length_mm, info->focal_length_35mm, info->sensor_mm,
                           info->dims[0], info->dims[1], &lens) ||
        !bg_camera_from_lens(&lens, camera, NULL))
        return FALSE;
    bg_cli_add_warning(cli, "the camera is guessed from the photograph's EXIF, without its lens: "
                            "zoom and cropping make it wrong. Calibrate it");
    return TRUE;
}

gboolean
bg_cli_save_camera(BgCli *cli, BgJson *json, GError **error)
{
    g_autoptr(BgJson) owned = json;
    const char *path = bg_cli_option(cli, "output");

    if (path == NULL)
        return TRUE;
    g_autofree char *provenance = bg_cli_provenance(cli, error);
    BgJson *made = provenance != NULL ? bg_json_parse(provenance, -1, error) : NULL;
    if (made == NULL)
        return bg_cli_wrote(cli, FALSE, path, error);
    bg_json_set(owned, "provenance", made);
    g_autofree char *text = bg_json_print(owned, TRUE);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    gboolean ok = bg_output_replace(path, cli->force, line, strlen(line), error);
    if (ok)
        bg_json_set_string(cli->result, "output", path);
    return bg_cli_wrote(cli, ok, path, error);
}

void
bg_cli_set_pose(const BgCli *cli, BgJson *json, const BgCamera *camera)
{
    BgAffine pose = camera->camera_from_patient, flip = bg_affine_lps_ras_flip();
    double r[9], t[3], p[12];

    if (cli->ras)
        pose = bg_affine_multiply(&pose, &flip);
    for (int row = 0; row < 3; row++) {
        memcpy(r + 3 * row, pose.m[row], 3 * sizeof *r);
        t[row] = pose.m[row][3];
        for (int column = 0; column < 4; column++) {
            p[4 * row + column] = 0.0;
            for (int i = 0; i < 3; i++)
                p[4 * row + column] += camera->k[3 * row + i] * pose.m[i][column];
        }
    }
    bg_json_set_doubles(json, "K", camera->k, 9);
    bg_json_set_doubles(json, "R", r, 9);
    bg_json_set_doubles(json, "t", t, 3);
    bg_json_set_doubles(json, "P", p, 12);
}
