// SPDX-License-Identifier: Apache-2.0
// bregma-cli register pictures: two photographs of one place, by what they show.
#include "bg-cli-camera.h"
#include "bg-cli-picture.h"
#include "cmd-register.h"

#include "core/base/bg-error.h"
#include "core/register/bg-picture-register.h"
#include "core/register/bg-transform-file.h"

#include <string.h>

static const BgCliOption options[] = {
    { "model", BG_CLI_VALUE, "=rigid|similarity|affine  affine unless given" },
    { "from", BG_CLI_PATH, "=T  a transform to start from: of points, or by hand" },
    { "allow-mirror", BG_CLI_FLAG,
      "take a mirrored photograph's reflection instead of refusing it" },
    { "moved", BG_CLI_PATH, "=OUT.png  MOVING where FIXED shows it" },
    { "output", BG_CLI_PATH, "=T, -o T  the transform: .json, .tfm or .txt" },
    { NULL },
};

static gboolean
parse_params(BgCli *cli, BgPictureRegisterParams *params, GError **error)
{
    const char *name = bg_cli_option(cli, "model");
    BgTransformModel model = BG_TRANSFORM_AFFINE;

    if (name != NULL && (!bg_transform_model_parse(name, &model) || model == BG_TRANSFORM_TPS)) {
        bg_cli_usage_error(error, "no such model: --model=%s: give rigid, similarity or affine",
                           name);
        return FALSE;
    }
    *params = bg_picture_register_params(model);
    params->allow_mirror = bg_cli_has(cli, "allow-mirror");
    return bg_cli_load_start(cli, 2, &params->has_start, &params->fixed_from_moving, error);
}

static BgJson *
made_json(const BgPictureRegistration *done)
{
    BgJson *json = bg_json_new_object();

    bg_json_set_string(json, "method", "mutual information");
    bg_json_set_double(json, "metric_before", done->metric_before);
    bg_json_set_double(json, "metric_after", done->metric_after);
    bg_json_set_double(json, "overlap", done->overlap);
    bg_json_set_string(json, "mirrored", bg_mirror_name(done->mirror));
    bg_json_set_double(json, "metric_mirror", done->metric_mirror);
    bg_json_set_double(json, "metric_proper", done->metric_proper);
    bg_json_set_integer(json, "evaluations", done->n_evaluations);
    return json;
}

static gboolean
save_moved(BgCli *cli, BgImage *fixed, BgImage *moving, const BgTransform *transform,
           GError **error)
{
    const char *path = bg_cli_option(cli, "moved");
    const BgImageFormat *format = bg_image_get_format(fixed);

    if (path == NULL)
        return TRUE;
    g_autoptr(BgImage) moved =
        bg_picture_move(moving, transform, format->width, format->height, cli->cancellable, error);
    if (moved == NULL)
        return FALSE;
    bg_json_set_string(cli->result, "moved", path);
    return bg_cli_save_png(cli, moved, path, error);
}

static gboolean
finish(BgCli *cli, const BgPictureRegistration *done, GError **error)
{
    g_autoptr(BgJson) made = made_json(done);

    bg_json_set_string(cli->result, "model",
                       bg_transform_model_name(bg_transform_get_model(done->transform)));
    bg_json_set_string(cli->result, "direction", "fixed_from_moving");
    bg_cli_set_transform(cli, cli->result, done->transform);
    for (gsize i = 0; i < bg_json_count(made); i++)
        bg_json_set(cli->result, bg_json_name_at(made, i), bg_json_copy(bg_json_value_at(made, i)));
    for (guint i = 0; i < done->warnings->len; i++)
        bg_cli_add_warning(cli, done->warnings->pdata[i]);
    return bg_cli_save_transform(cli, done->transform, made, error);
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *out = bg_cli_option(cli, "output"), *moved = bg_cli_option(cli, "moved");
    BgPictureRegisterParams params;

    if (!parse_params(cli, &params, error) ||
        (out != NULL && !bg_cli_check_output(cli, out, error)) ||
        (moved != NULL && !bg_cli_check_output(cli, moved, error)))
        return FALSE;
    g_autoptr(BgImage) fixed = bg_cli_load_picture(cli, bg_cli_arg(cli, 0), error);
    g_autoptr(BgImage) moving =
        fixed != NULL ? bg_cli_load_picture(cli, bg_cli_arg(cli, 1), error) : NULL;
    if (moving == NULL)
        return FALSE;
    g_autoptr(BgPictureRegistration) done =
        bg_picture_register(fixed, moving, &params, &cli->progress, cli->cancellable, error);
    if (done == NULL) {
        if (error == NULL || !g_error_matches(*error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            g_prefix_error(error, "not registered: %s onto %s: ", bg_cli_arg(cli, 1),
                           bg_cli_arg(cli, 0));
        return FALSE;
    }
    return save_moved(cli, fixed, moving, done->transform, error) && finish(cli, done, error);
}

const BgCliCommand bg_cli_verb_register_pictures = {
    .name = "register pictures",
    .arguments = "FIXED MOVING [--model=rigid|similarity|affine] [-o T]",
    .summary = "two photographs of one place, by what they show",
    .min_args = 2,
    .max_args = 2,
    .path_args = 1u << 0 | 1u << 1,
    .output_arg = -1,
    .output_option = "output",
    .options = options,
    .run = run,
};
