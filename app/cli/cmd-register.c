// SPDX-License-Identifier: Apache-2.0
// bregma-cli register: one frame of reference onto another. Its verbs are files of their own.
#include "cmd-register.h"

#include "core/base/bg-error.h"
#include "core/io/bg-landmarks-io.h"
#include "core/register/bg-transform-file.h"

BgLandmarks *
bg_cli_load_landmarks(BgCli *cli, const char *path, GError **error)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    BgLandmarks *list =
        bg_landmarks_load(path, cli->ras ? BG_LANDMARKS_RAS : BG_LANDMARKS_LPS, warnings, error);

    if (list == NULL) {
        g_prefix_error(error, "cannot read: %s: ", path);
        return NULL;
    }
    for (guint i = 0; i < warnings->len; i++)
        bg_cli_add_warning(cli, warnings->pdata[i]);
    bg_cli_add_input(cli, path);
    return list;
}

void
bg_cli_set_transform(const BgCli *cli, BgJson *json, const BgTransform *transform)
{
    BgAffine a = *bg_transform_get_affine(transform), flip = bg_affine_lps_ras_flip();
    int n_axes = bg_transform_count_axes(transform), n = n_axes + 1;
    double numbers[16] = { 0 };

    if (cli->ras && n_axes == 3) {
        a = bg_affine_multiply(&flip, &a);
        a = bg_affine_multiply(&a, &flip);
    }
    for (int row = 0; row < n_axes; row++)
        for (int column = 0; column < n; column++)
            numbers[row * n + column] = a.m[row][column == n_axes ? 3 : column] + 0.0;
    numbers[n * n - 1] = 1.0;
    bg_json_set_doubles(json, "matrix", numbers, (gsize) (n * n));
}

gboolean
bg_cli_load_start(BgCli *cli, int n_axes, gboolean *given, BgAffine *fixed_from_moving,
                  GError **error)
{
    const char *from = bg_cli_option(cli, "from");

    *given = FALSE;
    if (from == NULL)
        return TRUE;
    g_autoptr(BgTransform) transform = bg_transform_load(from, error);
    if (transform == NULL) {
        g_prefix_error(error, "cannot read: ");
        return FALSE;
    }
    if (bg_transform_count_axes(transform) != n_axes) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    n_axes == 3 ? "cannot start from: %s: it is of pictures. Give one of patients"
                                : "cannot start from: %s: it is of patients. Give one of pictures",
                    from);
        return FALSE;
    }
    bg_cli_add_input(cli, from);
    *given = TRUE;
    *fixed_from_moving = *bg_transform_get_affine(transform);
    return TRUE;
}

gboolean
bg_cli_save_transform(BgCli *cli, const BgTransform *transform, const BgJson *made, GError **error)
{
    const char *path = bg_cli_option(cli, "output");
    BgTransformSaveParams params = { .force = cli->force, .made = made };

    if (path == NULL)
        return TRUE;
    g_autofree char *provenance = bg_cli_provenance(cli, error);
    params.provenance = provenance;
    gboolean ok = provenance != NULL && bg_transform_save(transform, path, &params, error);
    if (ok)
        bg_json_set_string(cli->result, "output", path);
    return bg_cli_wrote(cli, ok, path, error);
}

static const BgCliCommand *const verbs[] = {
    &bg_cli_verb_register_apply,
    &bg_cli_verb_register_camera,
    &bg_cli_verb_register_pictures,
    &bg_cli_verb_register_points,
    &bg_cli_verb_register_project,
    &bg_cli_verb_register_volumes,
    NULL,
};

static const BgCliOption no_options[] = { { NULL } };

const BgCliCommand bg_cli_command_register = {
    .name = "register",
    .arguments = "apply|camera|pictures|points|project|volumes [OPTIONS]",
    .summary = "brings one frame of reference onto another",
    .min_args = 1,
    .max_args = 1,
    .output_arg = -1,
    .options = no_options,
    .verbs = verbs,
};
