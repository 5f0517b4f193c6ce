// SPDX-License-Identifier: Apache-2.0
// bregma-cli register points: paired landmarks, of two patients' frames or of two pictures.
#include "cmd-register.h"

#include "core/base/bg-error.h"
#include "core/register/bg-target-error.h"

#include <string.h>

static const BgCliOption options[] = {
    { "fixed", BG_CLI_PATH, "=A  points that stay: .fcsv, .mrk.json or .csv" },
    { "moving", BG_CLI_PATH, "=B  points of the same names that are brought onto them" },
    { "model", BG_CLI_VALUE, "=rigid|similarity|affine|tps  rigid unless given" },
    { "check", BG_CLI_VALUE, "=name,...  left out of the fit, and the error there measured" },
    { "skip", BG_CLI_VALUE, "=name,...  left out altogether" },
    { "allow-mirror", BG_CLI_FLAG, "fit a mirrored set by a reflection instead of refusing it" },
    { "smoothing", BG_CLI_VALUE, "=N  tps: 0 goes through the points, more bends less" },
    { "fle", BG_CLI_VALUE,
      "=F or F,M  rms error of placing a point, in FIXED and MOVING; 1 "
      "altogether unless given" },
    { "target", BG_CLI_VALUE,
      "=x,y,z  (x,y of pictures) in the fixed frame: the expected error "
      "there; may be given again" },
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

// Stated, never taken from the fit; where nothing is stated, for 1, so that it can be scaled.
static gboolean
parse_errors(BgCli *cli, int n_axes, BgLocalisationError *errors, GError **error)
{
    const char *text = bg_cli_option(cli, "fle");
    double fle[2] = { 1.0, 0.0 };

    if (text != NULL && !bg_cli_parse_doubles(text, fle, 1) &&
        !bg_cli_parse_doubles(text, fle, 2)) {
        bg_cli_usage_error(error, "not an error of placing: --fle=%s: give one or two lengths",
                           text);
        return FALSE;
    }
    if (fle[0] < 0.0 || fle[1] < 0.0) {
        bg_cli_usage_error(error, "out of range: --fle=%s: it must not be below 0", text);
        return FALSE;
    }
    *errors = bg_localisation_error(n_axes, fle[0], fle[1]);
    bg_json_set_double(cli->result, "fle", hypot(fle[0], fle[1]));
    bg_json_set_boolean(cli->result, "fle_stated", text != NULL);
    return TRUE;
}

static gboolean
parse_target(const BgCli *cli, const char *text, int n_axes, BgVec3 *target, GError **error)
{
    double numbers[3] = { 0 };

    if (!bg_cli_parse_doubles(text, numbers, (gsize) n_axes)) {
        bg_cli_usage_error(error, "not a place: --target=%s: give %d numbers with commas between",
                           text, n_axes);
        return FALSE;
    }
    *target = bg_vec3(numbers[0], numbers[1], numbers[2]);
    if (cli->ras && n_axes == 3) {
        BgAffine flip = bg_affine_lps_ras_flip();
        *target = bg_affine_apply(&flip, *target);
    }
    return TRUE;
}

static void
append_target(BgCli *cli, BgJson *targets, BgJson *numbers, const char *name, BgVec3 fixed,
              const BgTargetError *at, int n_axes)
{
    BgJson *item = bg_json_new_object();
    double sigma[3] = { at->sigma[0], at->sigma[1], at->sigma[2] };

    bg_json_set_string(item, "name", name);
    bg_cli_set_point(cli, item, "position", fixed);
    bg_json_set_double(item, "expected_tre", at->rms);
    bg_json_set_double(item, "expected_mean", at->mean);
    bg_json_set_doubles(item, "sigma", sigma, (gsize) n_axes);
    bg_json_append(targets, item);
    bg_json_append(numbers, bg_json_new_double(at->rms));
}

// At every pair, in the order of the residuals, then at each --target.
static gboolean
set_target_errors(BgCli *cli, const BgPointFit *fit, const GArray *pairs,
                  const BgPointFitParams *params, GError **error)
{
    const BgPointPair *data = (const BgPointPair *) (void *) pairs->data;
    g_autofree char **asked = bg_cli_option_list(cli, "target");
    g_autoptr(BgJson) targets = bg_json_new_array();
    g_autoptr(BgJson) numbers = bg_json_new_array();
    BgLocalisationError stated;
    BgTargetError at;

    if (!parse_errors(cli, params->n_axes, &stated, error))
        return FALSE;
    g_autoptr(BgTargetErrors) errors =
        bg_target_errors_new(data, pairs->len, params, fit, &stated, 1, error);
    if (errors == NULL)
        return FALSE;
    for (guint i = 0; i < pairs->len; i++) {
        bg_target_errors_at(errors, data[i].moving, &at);
        append_target(cli, targets, numbers, data[i].name, data[i].fixed, &at, params->n_axes);
    }
    for (gsize i = 0; asked[i] != NULL; i++) {
        BgVec3 fixed;
        if (!parse_target(cli, asked[i], params->n_axes, &fixed, error))
            return FALSE;
        if (!bg_target_errors_at_fixed(errors, fixed, &at)) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        "no expected error: --target=%s: the spline maps nothing there. Choose a "
                        "place between the points",
                        asked[i]);
            return FALSE;
        }
        append_target(cli, targets, numbers, asked[i], fixed, &at, params->n_axes);
    }
    bg_json_set(cli->result, "expected_tre_mm", g_steal_pointer(&numbers));
    bg_json_set(cli->result, "targets", g_steal_pointer(&targets));
    return TRUE;
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
    if (!set_target_errors(cli, fit, pairs, params, error))
        return FALSE;
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
