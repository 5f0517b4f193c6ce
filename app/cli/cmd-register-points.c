// SPDX-License-Identifier: Apache-2.0
// bregma-cli register points: paired landmarks, of two patients' frames or of two pictures.
#include "cmd-register.h"

#include "core/base/bg-error.h"
#include "core/register/bg-point-fit.h"

#include <string.h>

static const BgCliOption options[] = {
    { "fixed", BG_CLI_PATH, "=A  points that stay: .fcsv, .mrk.json or .csv" },
    { "moving", BG_CLI_PATH, "=B  points of the same names that are brought onto them" },
    { "model", BG_CLI_VALUE, "=rigid|similarity|affine|tps  rigid unless given" },
    { "check", BG_CLI_VALUE, "=name,...  left out of the fit, and the error there measured" },
    { "skip", BG_CLI_VALUE, "=name,...  left out altogether" },
    { "allow-mirror", BG_CLI_FLAG, "fit a mirrored set by a reflection instead of refusing it" },
    { "smoothing", BG_CLI_VALUE, "=N  tps: 0 goes through the points, more bends less" },
    { "output", BG_CLI_PATH, "=T, -o T  the transform: .json, .tfm or .txt" },
    { NULL },
};

static gboolean
set_uses(BgCli *cli, GArray *pairs, const char *option, BgLandmarkUse use, GError **error)
{
    const char *text = bg_cli_option(cli, option);
    g_auto(GStrv) names = g_strsplit(text != NULL ? text : "", ",", -1);

    for (gsize n = 0; names[n] != NULL; n++) {
        gboolean found = FALSE;
        for (guint i = 0; i < pairs->len; i++) {
            BgPointPair *pair = &g_array_index(pairs, BgPointPair, i);
            if (strcmp(pair->name, names[n]) == 0) {
                pair->use = use;
                found = TRUE;
            }
        }
        if (!found) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        "no such pair: --%s=%s: no point of that name is placed in both lists. "
                        "Look at them with bregma-cli info",
                        option, names[n]);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
parse_params(BgCli *cli, BgPointFitParams *params, GError **error)
{
    const char *model = bg_cli_option(cli, "model");

    *params = bg_point_fit_params(BG_TRANSFORM_RIGID);
    if (model != NULL && !bg_transform_model_parse(model, &params->model)) {
        bg_cli_usage_error(
            error, "no such model: --model=%s: give rigid, similarity, affine or tps", model);
        return FALSE;
    }
    params->allow_mirror = bg_cli_has(cli, "allow-mirror");
    if (!bg_cli_get_double(cli, "smoothing", &params->smoothing, error))
        return FALSE;
    if (params->smoothing < 0.0 || !bg_cli_has(cli, "fixed") || !bg_cli_has(cli, "moving")) {
        bg_cli_usage_error(error, "what onto what: register points: give --fixed=A and "
                                  "--moving=B, and no --smoothing below 0");
        return FALSE;
    }
    return TRUE;
}

static BgJson *
residuals_json(const BgPointFit *fit, const GArray *pairs)
{
    BgJson *array = bg_json_new_array();

    for (guint i = 0; i < pairs->len; i++) {
        const BgPointPair *pair = &g_array_index(pairs, BgPointPair, i);
        BgJson *item = bg_json_new_object();
        bg_json_set_string(item, "name", pair->name);
        bg_json_set_double(item, "error", fit->errors[i]);
        bg_json_set_boolean(item, "used", pair->use == BG_LANDMARK_FIT);
        bg_json_set_string(item, "state", bg_landmark_use_name(pair->use));
        bg_json_set_double(item, "left_out", fit->left_out[i]);
        bg_json_append(array, item);
    }
    return array;
}

static BgJson *
errors_json(const BgPointFit *fit, const GArray *pairs, int n_axes)
{
    BgJson *json = bg_json_new_object();

    bg_json_set_string(json, "unit", n_axes == 3 ? "mm" : "px");
    bg_json_set_double(json, "fre", fit->fre);
    bg_json_set_double(json, "rms_check", fit->rms_check);
    bg_json_set_integer(json, "n_fit", fit->n_fit);
    bg_json_set_integer(json, "n_check", fit->n_check);
    bg_json_set_string(json, "mirrored", bg_mirror_name(fit->mirror));
    bg_json_set_double(json, "condition", fit->condition);
    bg_json_set_double(json, "scale", fit->scale);
    bg_json_set(json, "residuals", residuals_json(fit, pairs));
    return json;
}

// All members of @from, into the result.
static void
add_members(BgCli *cli, const BgJson *from)
{
    for (gsize i = 0; i < bg_json_count(from); i++)
        bg_json_set(cli->result, bg_json_name_at(from, i), bg_json_copy(bg_json_value_at(from, i)));
}

static gboolean
finish(BgCli *cli, const BgPointFit *fit, const GArray *pairs, const BgPointFitParams *params,
       GError **error)
{
    g_autoptr(BgJson) errors = errors_json(fit, pairs, params->n_axes);

    bg_json_set_string(cli->result, "model", bg_transform_model_name(params->model));
    bg_json_set_string(cli->result, "direction", "fixed_from_moving");
    bg_cli_set_transform(cli, cli->result, fit->transform);
    add_members(cli, errors);
    for (guint i = 0; i < fit->warnings->len; i++)
        bg_cli_add_warning(cli, fit->warnings->pdata[i]);
    bg_json_set_string(errors, "method", "paired points");
    return bg_cli_save_transform(cli, fit->transform, errors, error);
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *out = bg_cli_option(cli, "output");
    g_autoptr(GPtrArray) unpaired = NULL;
    BgPointFitParams params;

    if (!parse_params(cli, &params, error) ||
        (out != NULL && !bg_cli_check_output(cli, out, error)))
        return FALSE;
    g_autoptr(BgLandmarks) fixed = bg_cli_load_landmarks(cli, bg_cli_option(cli, "fixed"), error);
    if (fixed == NULL)
        return FALSE;
    g_autoptr(BgLandmarks) moving = bg_cli_load_landmarks(cli, bg_cli_option(cli, "moving"), error);
    if (moving == NULL)
        return FALSE;
    params.n_axes = bg_landmarks_get_space(fixed) == BG_LANDMARK_PICTURE ? 2 : 3;

    g_autoptr(GArray) pairs = bg_point_pairs_new(fixed, moving, &unpaired, error);
    if (pairs == NULL || !set_uses(cli, pairs, "check", BG_LANDMARK_CHECK, error) ||
        !set_uses(cli, pairs, "skip", BG_LANDMARK_SKIP, error))
        return FALSE;
    for (guint i = 0; i < unpaired->len; i++) {
        g_autofree char *text =
            g_strdup_printf("%s: not placed in both lists, left out", (char *) unpaired->pdata[i]);
        bg_cli_add_warning(cli, text);
    }
    g_autoptr(BgPointFit) fit =
        bg_point_fit((const BgPointPair *) (void *) pairs->data, pairs->len, &params, error);
    if (fit == NULL) {
        g_prefix_error(error, "not registered: %s onto %s: ", bg_cli_option(cli, "moving"),
                       bg_cli_option(cli, "fixed"));
        return FALSE;
    }
    return finish(cli, fit, pairs, &params, error);
}

const BgCliCommand bg_cli_verb_register_points = {
    .name = "register points",
    .arguments = "--fixed=A --moving=B [--model=rigid|similarity|affine|tps] [--check=name,...] "
                 "[-o T]",
    .summary = "by points of the same names",
    .min_args = 0,
    .max_args = 0,
    .output_arg = -1,
    .output_option = "output",
    .options = options,
    .run = run,
};
