// SPDX-License-Identifier: Apache-2.0
// What an empty window shows: where to drop a scan, recent files with their pictures, demonstrations.
#pragma once

#include <gtk/gtk.h>

#include "ui/model/bg-session.h"

G_BEGIN_DECLS

#define BG_TYPE_START_PAGE (bg_start_page_get_type())
G_DECLARE_FINAL_TYPE(BgStartPage, bg_start_page, BG, START_PAGE, GtkWidget)

/** bg_start_page_new: follows the preference "recent-files"; pictures by @session's idle worker */
GtkWidget *bg_start_page_new(BgSession *session);

G_END_DECLS
