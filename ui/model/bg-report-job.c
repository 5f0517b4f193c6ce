// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-report-job.h"

#include "core/base/bg-i18n.h"
#include "core/case/bg-case-report.h"
#include "ui/model/bg-save.h"

static gboolean
write_report(gpointer report, const char *path, const BgProgress *progress,
             GCancellable *cancellable, GError **error)
{
    return bg_case_report_write(report, path, TRUE, progress, cancellable, error);
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
    const BgSaveWork work = { .title = _("Writing the report"),
                              .failure = _("The report is not written"),
                              .func = write_report,
                              .input = report,
                              .free_input = (GDestroyNotify) bg_case_report_free,
                              .path = path };
    bg_save_job(session, &work);
}
