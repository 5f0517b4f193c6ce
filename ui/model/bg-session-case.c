// SPDX-License-Identifier: Apache-2.0
// The case as a file: opened, saved, its sources checked.
#include "core/base/bg-i18n.h"
#include "core/case/bg-load.h"
#include "core/case/bg-project.h"
#include "ui/model/bg-session-private.h"
#include "ui/model/bg-settings.h"
#include "ui/model/bg-thumbnail.h"

typedef struct {
    BgSession *session; // owned
    char *path;
    char *picture_of;    // owned, nullable: file whose small picture the saved case takes
    BgProjectSave *save; // owned, nullable
    BgCase *bg_case;     // owned, nullable
} CaseFile;

static CaseFile *
case_file_new(BgSession *session, const char *path)
{
    CaseFile *self = g_new0(CaseFile, 1);

    self->session = g_object_ref(session);
    self->path = g_canonicalize_filename(path, NULL);
    return self;
}

static void
case_file_free(CaseFile *self)
{
    g_object_unref(self->session);
    g_clear_pointer(&self->save, bg_project_save_free);
    g_clear_object(&self->bg_case);
    g_free(self->picture_of);
    g_free(self->path);
    g_free(self);
}

static gpointer
read_in_thread(gpointer path, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    return bg_project_read(path, error);
}

static void
on_read(GObject *source, GAsyncResult *result, gpointer user_data)
{
    CaseFile *file = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) state = bg_job_run_finish(BG_JOB(source), result, &error);
    g_autoptr(BgCase) bg_case = bg_case_new();

    if (state != NULL && bg_session_keep_unsaved(file->session, file->path)) {
        case_file_free(file); // changed while it was read: asked, and read again
        return;
    }
    if (state != NULL && bg_project_apply(bg_case, file->path, state, &error)) {
        bg_session_take_case(file->session, g_steal_pointer(&bg_case));
        bg_settings_add_recent(file->path);
    } else {
        bg_session_fail(file->session, _("The case could not be opened"), error);
    }
    case_file_free(file);
}

void
bg_session_open_case(BgSession *self, const char *path)
{
    if (bg_session_keep_unsaved(self, path))
        return;

    g_autoptr(BgJob) job = bg_job_new(_("Opening the case"));
    CaseFile *file = case_file_new(self, path);
    BgJobWork work = { .func = read_in_thread,
                       .input = g_strdup(file->path),
                       .free_input = g_free,
                       .free_result = (GDestroyNotify) g_variant_unref };

    bg_session_run(self, job, &work, on_read, file);
}

static gpointer
save_in_thread(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    CaseFile *file = data;

    if (!bg_project_save_run(file->save, progress, cancellable, error))
        return NULL;
    if (file->picture_of != NULL)
        bg_recent_copy(file->picture_of, file->path);
    return file;
}

static void
on_saved(GObject *source, GAsyncResult *result, gpointer user_data)
{
    CaseFile *file = user_data;
    g_autoptr(GError) error = NULL;
    gboolean done = bg_job_run_finish(BG_JOB(source), result, &error) != NULL;

    if (done) {
        bg_project_save_finish(file->save, file->bg_case);
        bg_settings_add_recent(file->path);
    } else {
        bg_session_fail(file->session, _("The case could not be saved"), error);
    }
    bg_session_tell(file->session, BG_CHANGE_CASE);
    g_signal_emit_by_name(file->session, "saved", done);
    case_file_free(file);
}

void
bg_session_save_case(BgSession *self, const char *path)
{
    g_autoptr(BgJob) job = bg_job_new(_("Saving the case"));
    CaseFile *file = case_file_new(self, path);

    file->bg_case = g_object_ref(self->bg_case);
    file->save = bg_project_save_new(self->bg_case, file->path, NULL);
    const BgLayer *volume = bg_session_get_volume(self);
    if (volume != NULL && volume->source.path[0] != '\0')
        file->picture_of = g_strdup(volume->source.path);
    BgJobWork work = { .func = save_in_thread, .input = file }; // on_saved() frees it
    bg_session_run(self, job, &work, on_saved, file);
}

static gpointer
check_on_worker(gpointer check, GCancellable *cancellable, GError **error)
{
    return bg_source_check_run(check, NULL, cancellable, error) ? check : NULL;
}

typedef struct {
    BgSourceCheck *check; // owned
    BgCase *bg_case;      // owned
} Check;

static gpointer
check_func(gpointer request, GCancellable *cancellable, GError **error)
{
    Check *check = request;
    Check *copy;

    if (check_on_worker(check->check, cancellable, error) == NULL)
        return NULL;

    copy = g_new0(Check, 1);
    copy->check = g_steal_pointer(&check->check);
    copy->bg_case = g_steal_pointer(&check->bg_case);
    return copy;
}

static void
check_free(gpointer data)
{
    Check *check = data;

    g_clear_pointer(&check->check, bg_source_check_free);
    // The case belongs to the main thread: its last reference must not go on a worker.
    if (check->bg_case != NULL)
        g_idle_add_once((GSourceOnceFunc) g_object_unref, g_steal_pointer(&check->bg_case));
    g_free(check);
}

static void
on_checked(gpointer owner, gpointer result, const GError *error)
{
    Check *check = result;

    if (check == NULL) {
        g_info("a source could not be checked: %s", error->message);
        return;
    }
    bg_source_check_finish(check->check, check->bg_case);
    check_free(check);
}

void
bg_session_check_sources(BgSession *self)
{
    g_autoptr(GPtrArray) checks = bg_case_list_source_checks(self->bg_case);

    g_ptr_array_set_free_func(checks, NULL);
    for (guint i = 0; i < checks->len; i++) {
        Check *check = g_new0(Check, 1);
        check->check = checks->pdata[i];
        check->bg_case = g_object_ref(self->bg_case);
        BgWork work = { .owner = G_OBJECT(self),
                        .slot = G_MAXUINT - i,
                        .func = check_func,
                        .request = check,
                        .free_request = check_free,
                        .done = on_checked,
                        .free_result = check_free };
        bg_worker_post(self->idle_worker, &work);
    }
}
