// SPDX-License-Identifier: Apache-2.0
// bregma-cli landmarks refine: points of one volume put where their surroundings agree with another's.
#include "cmd-register.h"

#include "core/base/bg-error.h"
#include "core/io/bg-landmarks-io.h"
#include "core/register/bg-volume-register.h"

#include <string.h>

#define RADIUS_MM 20.0

static const BgCliOption options[] = {
    { "fixed", BG_CLI_PATH, "=A  the volume in which POINTS stand" },
    { "moving", BG_CLI_PATH, "=B  the volume in which their partners are looked for" },
    { "partners", BG_CLI_PATH, "=LIST  where they were placed in B; they begin there" },
    { "from", BG_CLI_PATH, "=T  fixed from moving: how B lies to A, as register writes it" },
    { "radius", BG_CLI_VALUE, "=mm  of the ball that is compared; 20 unless given" },
    { "name", BG_CLI_VALUE, "=name,...  these points alone" },
    { NULL },
};

typedef struct {
    BgLandmarks *fixed, *partners; // owned; @partners nullable
    BgLoaded *loaded[2];           // owned
    BgAffine fixed_from_moving;
    double radius_mm;
    char **names; // owned, nullable
} Job;

static void
job_clear(Job *job)
{
    g_clear_pointer(&job->fixed, bg_landmarks_unref);
    g_clear_pointer(&job->partners, bg_landmarks_unref);
    for (int i = 0; i < 2; i++)
        g_clear_pointer(&job->loaded[i], bg_loaded_free);
    g_strfreev(job->names);
}

static BgLandmarks *
load_list(BgCli *cli, const char *path, GError **error)
{
    BgLandmarks *list = bg_cli_load_landmarks(cli, path, error);

    if (list == NULL || bg_landmarks_get_space(list) == BG_LANDMARK_PATIENT)
        return list;
    bg_landmarks_unref(list);
    g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                "no refinement: %s: its points are of a picture, in pixels. Give points of a "
                "volume",
                path);
    return NULL;
}

static gboolean
load(BgCli *cli, Job *job, GError **error)
{
    const char *partners = bg_cli_option(cli, "partners"), *names = bg_cli_option(cli, "name");
    const char *paths[2] = { bg_cli_option(cli, "fixed"), bg_cli_option(cli, "moving") };
    gboolean given;

    if (paths[0] == NULL || paths[1] == NULL) {
        bg_cli_usage_error(error, "refined by what: %s: give --fixed=A and --moving=B",
                           bg_cli_arg(cli, 0));
        return FALSE;
    }
    job->radius_mm = RADIUS_MM;
    job->fixed_from_moving = bg_affine_identity();
    if (!bg_cli_get_positive(cli, "radius", &job->radius_mm, error) ||
        !bg_cli_load_start(cli, 3, &given, &job->fixed_from_moving, error))
        return FALSE;
    job->fixed = load_list(cli, bg_cli_arg(cli, 0), error);
    if (job->fixed == NULL)
        return FALSE;
    if (partners != NULL) {
        job->partners = load_list(cli, partners, error);
        if (job->partners == NULL)
            return FALSE;
    }
    if (names != NULL)
        job->names = g_strsplit(names, ",", -1);
    for (int i = 0; i < 2; i++) {
        job->loaded[i] = bg_cli_load_as_volume(cli, paths[i], error);
        if (job->loaded[i] == NULL)
            return FALSE;
    }
    return TRUE;
}

// Where @point's partner is believed to lie; FALSE without a place for it.
static gboolean
start_of(const Job *job, const BgLandmark *point, BgAffine *moving_from_fixed, BgVec3 *start)
{
    const BgLandmark *partner =
        job->partners != NULL ? bg_landmarks_find(job->partners, point->name) : NULL;

    if (!point->placed || !bg_affine_invert(&job->fixed_from_moving, moving_from_fixed))
        return FALSE;
    if (partner != NULL && partner->placed)
        bg_volume_refine_from(moving_from_fixed, point->position, partner->position);
    *start = bg_affine_apply(moving_from_fixed, point->position);
    return TRUE;
}

static void
refine(BgCli *cli, const Job *job, const BgLandmark *point, BgLandmark *to, BgJson *rows)
{
    g_autoptr(GError) error = NULL;
    BgPointRefinement found;
    BgAffine moving_from_fixed;
    BgJson *row = bg_json_new_object();

    *to = *point;
    to->placed = start_of(job, point, &moving_from_fixed, &to->position);
    gboolean wanted =
        job->names == NULL || g_strv_contains((const char *const *) job->names, point->name);
    gboolean done = to->placed && wanted &&
                    bg_volume_refine_point(job->loaded[0]->volume, job->loaded[1]->volume,
                                           point->position, &moving_from_fixed, job->radius_mm,
                                           cli->seed, &found, cli->cancellable, &error);
    if (done)
        to->position = found.moving_mm;
    else if (error != NULL) {
        g_autofree char *text =
            g_strdup_printf("%s stays where it was: %s", point->name, error->message);
        bg_cli_add_warning(cli, text);
    }
    bg_json_set_string(row, "name", point->name);
    bg_json_set_boolean(row, "refined", done);
    bg_cli_set_point(cli, row, "position_mm", to->position);
    if (done) {
        bg_json_set_double(row, "moved_mm", found.moved_mm);
        bg_json_set_double(row, "metric_before", found.metric_before);
        bg_json_set_double(row, "metric_after", found.metric_after);
    }
    bg_json_append(rows, row);
}

static gboolean
run_job(BgCli *cli, Job *job, GError **error)
{
    const char *out = bg_cli_arg(cli, 1);
    BgJson *rows = bg_json_new_array();

    bg_json_set(cli->result, "points", rows);
    if (!bg_cli_check_output(cli, out, error) || !load(cli, job, error))
        return FALSE;
    gsize n = bg_landmarks_count(job->fixed);
    g_autofree BgLandmark *points = g_new0(BgLandmark, MAX(n, 1));
    for (gsize i = 0; i < n; i++) {
        refine(cli, job, bg_landmarks_get(job->fixed, i), &points[i], rows);
        if (g_cancellable_set_error_if_cancelled(cli->cancellable, error))
            return FALSE;
        bg_progress_report(&cli->progress, (double) (i + 1) / (double) n);
    }
    g_autoptr(BgLandmarks) to = bg_landmarks_new(BG_LANDMARK_PATIENT, points, n, error);
    g_autofree char *provenance = to != NULL ? bg_cli_provenance(cli, error) : NULL;
    if (provenance == NULL)
        return FALSE;
    BgLandmarksSaveParams params = { .force = cli->force,
                                     .space = cli->ras ? BG_LANDMARKS_RAS : BG_LANDMARKS_LPS,
                                     .provenance = provenance };
    bg_json_set_string(cli->result, "output", out);
    bg_json_set_double(cli->result, "radius_mm", job->radius_mm);
    return bg_cli_wrote(cli, bg_landmarks_save(to, out, &params, error), out, error);
}

static gboolean
run(BgCli *cli, GError **error)
{
    Job job = { 0 };
    gboolean ok = run_job(cli, &job, error);

    job_clear(&job);
    return ok;
}

const BgCliCommand bg_cli_verb_landmarks_refine = {
    .name = "landmarks refine",
    .arguments = "POINTS OUT.(csv|fcsv|mrk.json) --fixed=A --moving=B [--partners=LIST] [--from=T]",
    .summary = "points' partners in another volume, put where their surroundings agree",
    .min_args = 2,
    .max_args = 2,
    .path_args = 1u << 0 | 1u << 1,
    .output_arg = 1,
    .options = options,
    .run = run,
};
