// SPDX-License-Identifier: Apache-2.0
// bregma-cli register volumes: by mutual information.
#include "cmd-register.h"

#include "core/base/bg-error.h"
#include "core/register/bg-transform-file.h"
#include "core/register/bg-volume-register.h"

#include <string.h>

static const BgCliOption options[] = {
    { "model", BG_CLI_VALUE, "=rigid|affine  rigid unless given" },
    { "start", BG_CLI_VALUE, "=auto|geometry|centres|moments  auto unless given" },
    { "from", BG_CLI_PATH, "=T  a transform to start from: of landmarks, or by hand" },
    { "mask", BG_CLI_PATH, "=SEG  where of FIXED it counts: label not 0" },
    { "metric", BG_CLI_VALUE, "=mattes|nmi  mutual information, plain or normalised" },
    { "samples", BG_CLI_VALUE, "=N  at the finest level" },
    { "allow-mirror", BG_CLI_FLAG, "take a mirrored volume's reflection instead of refusing it" },
    { "override-patient", BG_CLI_VALUE, "=REASON  why volumes of two patients belong together" },
    { "output", BG_CLI_PATH, "=T, -o T  the transform: .json, .tfm or .txt" },
    { NULL },
};

static gboolean
read_start(BgCli *cli, BgVolumeRegisterParams *params, GError **error)
{
    const char *start = bg_cli_option(cli, "start"), *from = bg_cli_option(cli, "from");

    if (start != NULL && (from != NULL || !bg_register_start_parse(start, &params->start) ||
                          params->start == BG_REGISTER_START_GIVEN)) {
        bg_cli_usage_error(error,
                           "not a start: --start=%s: give auto, geometry, centres or moments, or "
                           "--from=T alone",
                           start);
        return FALSE;
    }
    gboolean given;
    if (!bg_cli_load_start(cli, 3, &given, &params->fixed_from_moving, error))
        return FALSE;
    if (given)
        params->start = BG_REGISTER_START_GIVEN;
    return TRUE;
}

static gboolean
parse_params(BgCli *cli, BgVolumeRegisterParams *params, GError **error)
{
    const char *model = bg_cli_option(cli, "model"), *metric = bg_cli_option(cli, "metric");
    int n_samples = 0;

    *params = bg_volume_register_params(BG_TRANSFORM_RIGID);
    if (model != NULL && strcmp(model, "rigid") != 0 && strcmp(model, "affine") != 0) {
        bg_cli_usage_error(error, "no such model: --model=%s: give rigid or affine", model);
        return FALSE;
    }
    if (metric != NULL && strcmp(metric, "mattes") != 0 && strcmp(metric, "nmi") != 0) {
        bg_cli_usage_error(error, "no such metric: --metric=%s: give mattes or nmi", metric);
        return FALSE;
    }
    if (!bg_cli_get_int(cli, "samples", 1000, 10000000, &n_samples, error))
        return FALSE;
    if (g_strcmp0(model, "affine") == 0)
        params->model = BG_TRANSFORM_AFFINE;
    params->normalized = g_strcmp0(metric, "nmi") == 0;
    params->allow_mirror = bg_cli_has(cli, "allow-mirror");
    params->n_samples = (gsize) n_samples;
    params->seed = (guint64) cli->seed;
    return read_start(cli, params, error);
}

static BgJson *
made_json(const BgVolumeRegistration *done, const BgVolumeRegisterParams *params)
{
    BgJson *json = bg_json_new_object();

    bg_json_set_string(json, "method",
                       params->normalized ? "normalised mutual information"
                                          : "mutual information (Mattes)");
    bg_json_set_string(json, "start", bg_register_start_name(done->start));
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
finish(BgCli *cli, const BgVolumeRegistration *done, const BgVolumeRegisterParams *params,
       double seconds, GError **error)
{
    g_autoptr(BgJson) made = made_json(done, params);

    bg_json_set_string(cli->result, "model", bg_transform_model_name(params->model));
    bg_json_set_string(cli->result, "direction", "fixed_from_moving");
    bg_cli_set_transform(cli, cli->result, done->transform);
    for (gsize i = 0; i < bg_json_count(made); i++)
        bg_json_set(cli->result, bg_json_name_at(made, i), bg_json_copy(bg_json_value_at(made, i)));
    bg_json_set_double(cli->result, "seconds", seconds);
    for (guint i = 0; i < done->warnings->len; i++)
        bg_cli_add_warning(cli, done->warnings->pdata[i]);
    return bg_cli_save_transform(cli, done->transform, made, error);
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *out = bg_cli_option(cli, "output"), *mask = bg_cli_option(cli, "mask");
    BgVolumeRegisterParams params;
    g_autoptr(BgLabelMap) labels = NULL;

    if (!parse_params(cli, &params, error) ||
        (out != NULL && !bg_cli_check_output(cli, out, error)))
        return FALSE;
    g_autoptr(BgLoaded) fixed = bg_cli_load_as_volume(cli, bg_cli_arg(cli, 0), error);
    g_autoptr(BgLoaded) moving =
        fixed != NULL ? bg_cli_load_as_volume(cli, bg_cli_arg(cli, 1), error) : NULL;
    if (moving == NULL || !bg_cli_check_patients(cli, fixed->info, moving->info, error))
        return FALSE;
    if (mask != NULL) {
        labels = bg_cli_load_labels(cli, mask, error);
        if (labels == NULL)
            return FALSE;
        params.mask = labels;
    }
    gint64 start_us = g_get_monotonic_time();
    g_autoptr(BgVolumeRegistration) done = bg_volume_register(
        fixed->volume, moving->volume, &params, &cli->progress, cli->cancellable, error);
    if (done == NULL) {
        if (error == NULL || !g_error_matches(*error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            g_prefix_error(error, "not registered: %s onto %s: ", bg_cli_arg(cli, 1),
                           bg_cli_arg(cli, 0));
        return FALSE;
    }
    return finish(cli, done, &params, (double) (g_get_monotonic_time() - start_us) / 1e6, error);
}

const BgCliCommand bg_cli_verb_register_volumes = {
    .name = "register volumes",
    .arguments = "FIXED MOVING [--model=rigid|affine] [-o T]",
    .summary = "by mutual information",
    .min_args = 2,
    .max_args = 2,
    .path_args = 1u << 0 | 1u << 1,
    .output_arg = -1,
    .output_option = "output",
    .options = options,
    .run = run,
};
