// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-report-job.h"

#include "core/base/bg-i18n.h"
#include "core/case/bg-case-report.h"
#include "ui/model/bg-weak.h"

typedef struct {
    BgCaseReport *report; // owned
    char *path;           // owned
} Input;

static void
input_free(gpointer data)
{
    Input *input = data;

    bg_case_report_free(input->report);
    g_free(input->path);
    g_free(input);
}

static gpointer
write_report(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const Input *input = data;

    return bg_case_report_write(input->report, input->path, TRUE, progress, cancellable, error)
               ? g_strdup(input->path)
               : NULL;
}

static void
on_written(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(BgSession) session = bg_weak_ref_take(user_data);
    g_autoptr(GError) error = NULL;
    g_autofree char *path = bg_job_run_finish(BG_JOB(source), result, &error);

    if (path == NULL && session != NULL &&
        !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        bg_session_fail(session, _("The report is not written"), error);
}

void
bg_report_job_save(BgSession *session, const char *path)
{
    g_autoptr(GError) error = NULL;
    BgCaseReport *report = bg_case_report_new(bg_session_get_case(session), &error);

    if (report == NULL) {
        bg_session_fail(session, _("The report is not written"), error);
        return;
    }
    Input *input = g_new0(Input, 1);
    input->report = report;
    input->path = g_strdup(path);
    g_autoptr(BgJob) job = bg_job_new(_("Writing the report"));
    BgJobWork work = {
        .func = write_report, .input = input, .free_input = input_free, .free_result = g_free
    };
    bg_session_run(session, job, &work, on_written, bg_weak_ref_new(session));
}
