// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/** bg_report_job_save: a bg_case_report_write() of the session's case, by a job; a file that is there is replaced */
void bg_report_job_save(BgSession *session, const char *path);

G_END_DECLS
