// SPDX-License-Identifier: Apache-2.0
#include "bg-serve.h"

#include "bg-misbehave.h"
#include "bg-sandbox.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/decode/bg-decode-wire.h"
#include "core/io/bg-io-wire.h"
#include "media/dicom/bg-dicom-anonymize.h"

#include <stdlib.h>
#include <string.h>

#define PROGRESS_US 20000
#define REQUEST_MS 10000

typedef struct {
    int socket;
    GMutex lock; // protects what follows, and the order of messages
    gint64 told_us;
} Answer;

static void
tell(Answer *answer, BgWireKind kind, const BgJson *json)
{
    g_autoptr(GError) error = NULL;

    if (!bg_wire_send(answer->socket, kind, json, NULL, 0, &error) &&
        !g_error_matches(error, BG_ERROR, BG_ERROR_UNSUPPORTED))
        _exit(EXIT_FAILURE); // nobody listens
}

static gboolean
is_time(Answer *answer)
{
    gint64 now = g_get_monotonic_time();

    if (now - answer->told_us < PROGRESS_US)
        return FALSE;
    answer->told_us = now;
    return TRUE;
}

// Called from any thread, very often.
static void
on_progress(double fraction, gpointer user_data)
{
    Answer *answer = user_data;

    if (!g_mutex_trylock(&answer->lock))
        return;
    if (is_time(answer)) {
        g_autoptr(BgJson) json = bg_json_new_object();
        bg_json_set_double(json, "fraction", fraction);
        tell(answer, BG_WIRE_PROGRESS, json);
    }
    g_mutex_unlock(&answer->lock);
}

static void
tell_item(Answer *answer, const char *name, BgJson *value)
{
    g_autoptr(BgJson) item = bg_json_new_object();

    bg_json_set(item, name, value);
    tell(answer, BG_WIRE_ITEM, item);
}

static void
on_counted(gsize n_done, gsize n_known, gpointer user_data)
{
    Answer *answer = user_data;

    g_mutex_lock(&answer->lock);
    if (n_done == n_known || is_time(answer)) {
        const double counts[] = { (double) n_done, (double) n_known };
        BgJson *pair = bg_json_new_array();
        for (gsize i = 0; i < 2; i++)
            bg_json_append(pair, bg_json_new_integer((gint64) counts[i]));
        tell_item(answer, "counted", pair);
    }
    g_mutex_unlock(&answer->lock);
}

static void
on_found(BgSeries *series, gpointer user_data)
{
    Answer *answer = user_data;

    g_mutex_lock(&answer->lock);
    tell_item(answer, "found", bg_series_to_json(series));
    g_mutex_unlock(&answer->lock);
}

// Each operation gives its result as members of @result, and its memory as @parts.
typedef struct {
    Answer *answer;
    const BgJson *request;
    const char *path;
    BgLoadParams params;
    BgJson *result;
    BgIoParts parts;
} Job;

static gboolean
ping(Job *job, GError **error)
{
    bg_json_set_string(job->result, "version", BG_VERSION);
    return TRUE;
}

static gboolean
probe(Job *job, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_io_probe_series(job->path, &job->params, NULL, error);

    if (info == NULL)
        return FALSE;
    bg_json_set(job->result, "info", bg_file_info_to_json(info));
    return TRUE;
}

static gboolean
load(Job *job, GError **error)
{
    BgProgress progress = { on_progress, job->answer };
    g_autoptr(BgLoaded) loaded = bg_io_load(job->path, &job->params, &progress, NULL, error);
    BgJson *json = loaded != NULL ? bg_loaded_to_json(loaded, &job->parts, error) : NULL;

    if (json == NULL)
        return FALSE;
    bg_json_set(job->result, "loaded", json);
    return TRUE;
}

static gboolean
scan(Job *job, GError **error)
{
    BgScanWatch watch = { on_counted, on_found, job->answer };
    g_autoptr(GPtrArray) list = bg_io_scan(job->path, &watch, NULL, error);

    if (list == NULL)
        return FALSE;
    for (guint i = 0; i < list->len; i++)
        tell_item(job->answer, "series", bg_series_to_json(list->pdata[i]));
    return TRUE;
}

static gboolean
thumbnail(Job *job, GError **error)
{
    gint64 max_size = bg_json_to_integer(bg_json_get(job->request, "max_size"), 0);
    g_autoptr(BgSeries) series = bg_series_new();

    g_free(series->key);
    series->key = g_strdup(job->params.series);
    series->token = g_strdup(job->params.token);
    g_autoptr(BgImage) image =
        bg_io_load_thumbnail(job->path, series, (int) CLAMP(max_size, 1, 1024), NULL, error);
    BgJson *json = image != NULL ? bg_image_to_json(image, &job->parts, error) : NULL;
    if (json == NULL)
        return FALSE;
    bg_json_set(job->result, "image", json);
    return TRUE;
}

static gboolean
anonymize(Job *job, GError **error)
{
    const BgJson *options = bg_json_get(job->request, "options");
    BgDicomAnonymizeParams params = bg_dicom_anonymize_params_from_json(options);
    g_autoptr(GBytes) bytes = bg_dicom_anonymize(job->path, &params, job->result, error);

    return bytes != NULL && bg_io_parts_add(&job->parts, g_bytes_get_data(bytes, NULL),
                                            g_bytes_get_size(bytes), error);
}

static const struct {
    const char *name;
    gboolean (*run)(Job *job, GError **error);
} operations[] = {
    { "anonymize", anonymize }, { "load", load }, { "ping", ping },
    { "probe", probe },         { "scan", scan }, { "thumbnail", thumbnail },
};

static gboolean
run_job(Job *job, GError **error)
{
    const char *op = bg_json_to_string(bg_json_get(job->request, "op"), "");

    for (gsize i = 0; i < G_N_ELEMENTS(operations); i++) {
        if (strcmp(op, operations[i].name) == 0)
            return operations[i].run(job, error) && bg_io_parts_seal(&job->parts, error);
    }
    if (bg_misbehave(op, job->answer->socket, job->result))
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID, "no such operation: %s", op);
    return FALSE;
}

static void
tell_error(Answer *answer, const GError *failed)
{
    g_return_if_fail(failed != NULL);

    g_autoptr(BgJson) json = bg_json_new_object();
    g_autofree char *text = g_utf8_make_valid(failed->message, -1);
    gboolean is_gio = failed->domain == G_IO_ERROR;

    bg_json_set_string(json, "domain", is_gio ? "gio" : "bregma");
    bg_json_set_integer(json, "code",
                        is_gio || failed->domain == BG_ERROR ? failed->code : BG_ERROR_CORRUPT);
    bg_json_set_string(json, "message", text);
    tell(answer, BG_WIRE_ERROR, json);
}

static guint64
get_limit(const BgJson *request, const char *name)
{
    gint64 limit = bg_json_to_integer(bg_json_get(request, name), 0);

    return limit > 0 ? (guint64) limit : 0;
}

static gboolean
answer_request(Answer *answer, const BgJson *request, GError **error)
{
    const char *uri = bg_json_to_string(bg_json_get(request, "uri"), NULL);
    g_autofree char *path = uri != NULL ? g_filename_from_uri(uri, NULL, error) : g_strdup("/");
    Job job = { .answer = answer,
                .request = request,
                .path = path,
                .params = bg_load_params_from_json(bg_json_get(request, "params")),
                .result = bg_json_new_object() };
    BgSandboxLimits limits = { uri != NULL ? path : NULL, get_limit(request, "max_bytes"),
                               get_limit(request, "max_cpu_s") };

    gboolean ok = path != NULL && bg_sandbox_enter(&limits, error) && run_job(&job, error);
    if (ok) {
        bg_json_set(job.result, "parts", bg_io_parts_to_json(&job.parts));
        ok = bg_wire_send(answer->socket, BG_WIRE_RESULT, job.result, job.parts.fds, job.parts.n,
                          error);
    }
    bg_io_parts_clear(&job.parts);
    bg_json_free(job.result);
    return ok;
}

int
bg_serve(int socket)
{
    Answer answer = { .socket = socket };
    BgWireMessage message;
    g_autoptr(GError) error = NULL;

    if (bg_wire_receive(socket, -1, REQUEST_MS, &message, NULL) != BG_WIRE_OK ||
        message.kind != BG_WIRE_REQUEST)
        return EXIT_FAILURE;
    bg_buffer_share();
    if (!answer_request(&answer, message.json, &error))
        tell_error(&answer, error);
    bg_wire_message_clear(&message);
    return EXIT_SUCCESS;
}
