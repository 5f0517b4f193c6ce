// SPDX-License-Identifier: Apache-2.0
// bregma-cli landmarks convert: a list of points in another file, with other states, or by a template.
#include "cmd-register.h"

#include "core/base/bg-error.h"
#include "core/io/bg-landmarks-io.h"
#include "core/model/bg-transform.h"
#include "core/register/bg-transform-file.h"

#include <string.h>

static const BgCliOption options[] = {
    { "fit", BG_CLI_VALUE, "=name,...  points that a registration is made with" },
    { "check", BG_CLI_VALUE, "=name,...  points that it is judged by" },
    { "skip", BG_CLI_VALUE, "=name,...  neither" },
    { "drop", BG_CLI_VALUE, "=name,...  left out of OUT" },
    { "order", BG_CLI_PATH,
      "=LIST  the names of OUT, in that order; what IN lacks waits for its place" },
    { "transform", BG_CLI_PATH, "=T  fixed from moving: every point goes to the fixed frame" },
    { NULL },
};

static const char *const states[] = { "fit", "check", "skip" };

static gboolean
check_names(const BgLandmarks *list, const char *option, char **names, GError **error)
{
    for (gsize i = 0; names[i] != NULL; i++) {
        if (bg_landmarks_find(list, names[i]) != NULL)
            continue;
        g_set_error(
            error, BG_ERROR, BG_ERROR_INVALID,
            "no such point: --%s=%s: it is not in the list. Look at it with bregma-cli info",
            option, names[i]);
        return FALSE;
    }
    return TRUE;
}

static gboolean
set_states(BgCli *cli, const BgLandmarks *list, BgLandmark *points, gsize n, GError **error)
{
    for (guint s = 0; s < G_N_ELEMENTS(states); s++) {
        const char *text = bg_cli_option(cli, states[s]);
        g_auto(GStrv) names = g_strsplit(text != NULL ? text : "", ",", -1);
        BgLandmarkUse use = BG_LANDMARK_FIT;
        if (!check_names(list, states[s], names, error))
            return FALSE;
        bg_landmark_use_parse(states[s], &use);
        for (gsize i = 0; i < n; i++)
            if (g_strv_contains((const char *const *) names, points[i].name))
                points[i].use = use;
    }
    return TRUE;
}

static gboolean
move_points(BgCli *cli, const BgLandmarks *list, BgLandmark *points, gsize n, GError **error)
{
    const char *path = bg_cli_option(cli, "transform");
    int n_axes = bg_landmarks_get_space(list) == BG_LANDMARK_PATIENT ? 3 : 2;

    if (path == NULL)
        return TRUE;
    g_autoptr(BgTransform) transform = bg_transform_load(path, error);
    if (transform == NULL) {
        g_prefix_error(error, "cannot read: ");
        return FALSE;
    }
    if (bg_transform_count_axes(transform) != n_axes) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    "cannot move: %s: it is of %s, the points are not. Give another", path,
                    n_axes == 2 ? "patients" : "pictures");
        return FALSE;
    }
    bg_cli_add_input(cli, path);
    for (gsize i = 0; i < n; i++)
        if (points[i].placed)
            points[i].position = bg_transform_apply(transform, points[i].position);
    return TRUE;
}

// In the order of --order, where that is given; else without those of --drop.
static gboolean
choose_points(BgCli *cli, const BgLandmarks *list, GArray *to, GError **error)
{
    const char *order_path = bg_cli_option(cli, "order"), *drop = bg_cli_option(cli, "drop");
    g_auto(GStrv) dropped = g_strsplit(drop != NULL ? drop : "", ",", -1);
    g_autoptr(BgLandmarks) order = NULL;

    if (!check_names(list, "drop", dropped, error))
        return FALSE;
    if (order_path != NULL) {
        order = bg_cli_load_landmarks(cli, order_path, error);
        if (order == NULL)
            return FALSE;
    }
    const BgLandmarks *names = order != NULL ? order : list;
    for (gsize i = 0; i < bg_landmarks_count(names); i++) {
        BgLandmark point = *bg_landmarks_get(names, i);
        const BgLandmark *found = bg_landmarks_find(list, point.name);
        if (found != NULL)
            point = *found;
        else {
            point.placed = FALSE;
            point.position = bg_vec3(0, 0, 0);
        }
        if (!g_strv_contains((const char *const *) dropped, point.name))
            g_array_append_val(to, point);
    }
    return TRUE;
}

static void
set_result(BgCli *cli, const BgLandmarks *list, const char *out)
{
    BgJson *json = cli->result;
    gsize n_placed = 0;

    for (gsize i = 0; i < bg_landmarks_count(list); i++)
        n_placed += bg_landmarks_get(list, i)->placed ? 1 : 0;
    bg_json_set_string(json, "output", out);
    bg_json_set_integer(json, "n_points", (gint64) bg_landmarks_count(list));
    bg_json_set_integer(json, "n_to_place", (gint64) (bg_landmarks_count(list) - n_placed));
    for (guint s = 0; s < G_N_ELEMENTS(states); s++) {
        g_autofree char *name = g_strconcat("n_", states[s], NULL);
        BgLandmarkUse use = BG_LANDMARK_FIT;
        bg_landmark_use_parse(states[s], &use);
        bg_json_set_integer(json, name, (gint64) bg_landmarks_count_use(list, use));
    }
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *out = bg_cli_arg(cli, 1);
    g_autoptr(GArray) points = g_array_new(FALSE, FALSE, sizeof(BgLandmark));

    if (!bg_cli_check_output(cli, out, error))
        return FALSE;
    g_autoptr(BgLandmarks) list = bg_cli_load_landmarks(cli, bg_cli_arg(cli, 0), error);
    if (list == NULL || !choose_points(cli, list, points, error))
        return FALSE;
    BgLandmark *all = (BgLandmark *) (gpointer) points->data;
    if (!set_states(cli, list, all, points->len, error) ||
        !move_points(cli, list, all, points->len, error))
        return FALSE;
    g_autoptr(BgLandmarks) to =
        bg_landmarks_new(bg_landmarks_get_space(list), all, points->len, error);
    g_autofree char *provenance = to != NULL ? bg_cli_provenance(cli, error) : NULL;
    if (provenance == NULL)
        return FALSE;
    BgLandmarksSaveParams params = { .force = cli->force,
                                     .space = cli->ras ? BG_LANDMARKS_RAS : BG_LANDMARKS_LPS,
                                     .provenance = provenance };
    set_result(cli, to, out);
    return bg_cli_wrote(cli, bg_landmarks_save(to, out, &params, error), out, error);
}

const BgCliCommand bg_cli_verb_landmarks_convert = {
    .name = "landmarks convert",
    .arguments = "IN OUT.(csv|fcsv|mrk.json) [--check=name,...] [--order=LIST] [--transform=T]",
    .summary = "a list of points in another file, with other states, or by a template",
    .min_args = 2,
    .max_args = 2,
    .path_args = 1u << 0 | 1u << 1,
    .output_arg = 1,
    .options = options,
    .run = run,
};
