// SPDX-License-Identifier: Apache-2.0
// Which series of a folder, a DICOMDIR or an archive a command reads: --series.
#include "bg-cli-series.h"

#include "core/base/bg-error.h"

#include <string.h>

void
bg_cli_source_clear(BgCliSource *source)
{
    g_clear_pointer(&source->list, g_ptr_array_unref);
    g_clear_pointer(&source->chosen, bg_series_unref);
}

static void
on_counted(gsize n_done, gsize n_known, gpointer user_data)
{
    const BgCli *cli = user_data;

    if (n_known > 0)
        bg_progress_report(&cli->progress, (double) n_done / (double) n_known / 2.0);
}

static BgSeries *
choose_only(GPtrArray *list, const char *path, gboolean any, GError **error)
{
    BgSeries *first = NULL;
    guint n = 0;

    for (guint i = 0; i < list->len; i++) {
        BgSeries *series = list->pdata[i];
        if (series->loadable && n++ == 0)
            first = series;
    }
    if (n == 1 || (any && n > 0))
        return first;
    if (n == 0) {
        const BgSeries *series = list->len > 0 ? list->pdata[0] : NULL;
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED, "none of its series can be shown: %s",
                    series != NULL && series->warnings->len > 0
                        ? (char *) series->warnings->pdata[0]
                        : "it holds neither pictures nor volumes");
        return NULL;
    }
    bg_cli_usage_error(error,
                       "several series: %s: there are %u. Give --series=UID or --series=N, N from "
                       "0 as bregma-cli info lists them",
                       path, n);
    return NULL;
}

gboolean
bg_cli_find_source(BgCli *cli, const char *path, gboolean any, BgCliSource *source, GError **error)
{
    const char *wanted = bg_cli_option(cli, "series");
    BgScanWatch watch = { on_counted, NULL, cli };
    g_autoptr(GError) failed = NULL;

    *source = (BgCliSource){ 0 };
    if (cli->series_path == NULL)
        cli->series_path = g_strdup(path);
    if (strcmp(cli->series_path, path) != 0)
        wanted = NULL; // it is of the first file that a command reads
    if (bg_io_needs_child(path))
        source->list = bg_io_scan(path, &watch, cli->cancellable, &failed);
    if (failed != NULL && !g_error_matches(failed, BG_ERROR, BG_ERROR_UNSUPPORTED)) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return FALSE;
    }
    if (source->list == NULL) {
        if (wanted == NULL || strcmp(wanted, "0") == 0)
            return TRUE;
        bg_cli_usage_error(error, "no such series: --series=%s: %s is one file without series",
                           wanted, path);
        return FALSE;
    }
    BgSeries *chosen = wanted != NULL ? bg_series_find(source->list, wanted, error)
                                      : choose_only(source->list, path, any, error);
    if (chosen == NULL)
        return FALSE;
    source->chosen = bg_series_ref(chosen);
    return TRUE;
}

void
bg_cli_set_b_values(BgJson *json, const char *b_values)
{
    if (b_values == NULL || *b_values == '\0')
        return;
    g_auto(GStrv) words = g_strsplit(b_values, " ", -1);
    BgJson *array = bg_json_new_array();
    for (char **word = words; *word != NULL; word++)
        bg_json_append(array, bg_json_new_double(g_ascii_strtod(*word, NULL)));
    bg_json_set(json, "b_values", array);
}

static BgJson *
series_to_json(const BgSeries *series)
{
    BgJson *json = bg_json_new_object(), *patient = bg_json_new_object(),
           *badges = bg_json_new_array(), *warnings = bg_json_new_array();

    bg_json_set_string(json, "uid", series->uid);
    bg_json_set_string(json, "key", series->key);
    bg_json_set_integer(json, "number", series->number);
    bg_json_set_string(json, "description", series->description);
    bg_json_set_string(json, "modality", series->modality);
    bg_json_set_string(json, "kind", bg_kind_name(series->kind));
    bg_cli_set_dims(json, "dims", series->dims[0], series->dims[1], series->dims[2]);
    bg_json_set_integer(json, "n_slices", series->n_slices);
    bg_json_set_integer(json, "n_frames", series->n_frames);
    bg_json_set_integer(json, "n_files", series->n_files);
    bg_cli_set_b_values(json, series->b_values);
    if (series->plane[0] != '\0')
        bg_json_set_string(json, "plane", series->plane);
    bg_json_set_doubles(json, "spacing_mm", series->spacing_mm, 3);
    bg_json_set_string(json, "date", series->date);
    bg_json_set_string(json, "study_description", series->study_description);
    bg_json_set_string(patient, "name", series->patient_name);
    bg_json_set_string(patient, "id", series->patient_id);
    bg_json_set_string(patient, "birth_date", series->patient_birth_date);
    bg_json_set_string(patient, "sex", series->patient_sex);
    bg_json_set(json, "patient", patient);
    bg_json_set_boolean(json, "loadable", series->loadable);
    for (guint i = 0; i < series->badges->len; i++)
        bg_json_append(badges, bg_json_new_string(series->badges->pdata[i]));
    for (guint i = 0; i < series->warnings->len; i++)
        bg_json_append(warnings, bg_json_new_string(series->warnings->pdata[i]));
    bg_json_set(json, "badges", badges);
    bg_json_set(json, "warnings", warnings);
    return json;
}

void
bg_cli_set_series(BgJson *json, const BgCliSource *source)
{
    BgJson *array = bg_json_new_array();

    for (guint i = 0; source->list != NULL && i < source->list->len; i++)
        bg_json_append(array, series_to_json(source->list->pdata[i]));
    bg_json_set(json, "series", array);
    if (source->chosen != NULL)
        bg_json_set_string(json, "series_key", source->chosen->key);
}

BgLoaded *
bg_cli_load_source(BgCli *cli, const char *path, const BgCliSource *source,
                   const BgLoadParams *params, GError **error)
{
    BgLoadParams chosen = params != NULL ? *params : bg_load_params_default();

    if (source->chosen != NULL) {
        chosen.series = source->chosen->key;
        chosen.token = source->chosen->token;
    }
    return bg_io_load(path, &chosen, &cli->progress, cli->cancellable, error);
}
