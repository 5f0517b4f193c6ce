// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * BgJobBar:
 *
 * The line at the bottom: the running job with cancel, how many more there are, threads and memory.
 */
#define BG_TYPE_JOB_BAR (bg_job_bar_get_type())
G_DECLARE_FINAL_TYPE(BgJobBar, bg_job_bar, BG, JOB_BAR, GtkWidget)

GtkWidget *bg_job_bar_new(BgSession *session);

G_END_DECLS
