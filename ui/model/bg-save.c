// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-save.h"

#include "core/base/bg-output.h"
#include "ui/model/bg-weak.h"

#include <string.h>

typedef struct {
    char *path, *text, *failure; // owned
} Save;

static void
save_free(gpointer data)
{
    Save *save = data;

    g_free(save->path);
    g_free(save->text);
    g_free(save->failure);
    g_free(save);
}

// The words for a failure come back as the result: errors carry the system's words only.
static gpointer
write_file(gpointer data, GCancellable *cancellable, GError **error)
{
    Save *save = data;

    if (bg_output_replace(save->path, TRUE, save->text, strlen(save->text), error))
        return g_strdup("");
    g_prefix_error(error, "%s: ", save->failure);
    return NULL;
}

static void
on_written(gpointer owner, gpointer result, const GError *error)
{
    if (error != NULL)
        bg_session_fail(owner, NULL, error);
    g_free(result);
}

void
bg_save_text(BgSession *session, const char *path, char *text, const char *failure)
{
    static guint last_slot = 1000; // each file has a slot of its own: none replaces another
    Save *save = g_new0(Save, 1);

    save->path = g_strdup(path);
    save->text = text;
    save->failure = g_strdup(failure);
    BgWork work = { .owner = G_OBJECT(session),
                    .slot = ++last_slot,
                    .func = write_file,
                    .request = save,
                    .free_request = save_free,
                    .done = on_written,
                    .free_result = g_free };
    bg_worker_post(bg_session_get_idle_worker(session), &work);
}

typedef struct {
    BgSaveFunc func;
    gpointer input;            // owned
    GDestroyNotify free_input; // of it
    char *path;                // owned
} Writing;

static void
writing_free(gpointer data)
{
    Writing *writing = data;

    writing->free_input(writing->input);
    g_free(writing->path);
    g_free(writing);
}

static gpointer
write_on_worker(gpointer data, const BgProgress *progress, GCancellable *cancellable,
                GError **error)
{
    const Writing *writing = data;

    return writing->func(writing->input, writing->path, progress, cancellable, error)
               ? g_strdup(writing->path)
               : NULL;
}

// @session: a weak reference: it may be gone when the file is there
typedef struct {
    gpointer session;
    const char *failure;
} Told;

static void
on_saved(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Told *told = user_data;
    g_autoptr(BgSession) session = bg_weak_ref_take(told->session);
    g_autoptr(GError) error = NULL;
    g_autofree char *path = bg_job_run_finish(BG_JOB(source), result, &error);

    if (path == NULL && session != NULL &&
        !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        bg_session_fail(session, told->failure, error);
    g_free(told);
}

void
bg_save_job(BgSession *session, const BgSaveWork *work)
{
    g_return_if_fail(BG_IS_SESSION(session));

    Writing *writing = g_new0(Writing, 1);
    Told *told = g_new0(Told, 1);
    writing->func = work->func;
    writing->input = work->input;
    writing->free_input = work->free_input;
    writing->path = g_strdup(work->path);
    told->session = bg_weak_ref_new(session);
    told->failure = work->failure;
    g_autoptr(BgJob) job = bg_job_new(work->title);
    BgJobWork run = {
        .func = write_on_worker, .input = writing, .free_input = writing_free, .free_result = g_free
    };
    bg_session_run(session, job, &run, on_saved, told);
}
