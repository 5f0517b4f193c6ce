// SPDX-License-Identifier: Apache-2.0
// What was dropped, before it is loaded: pictures, sizes, memory, warnings; names to confirm.
#pragma once

#include <gtk/gtk.h>

#include "ui/model/bg-session.h"

G_BEGIN_DECLS

#define BG_TYPE_IMPORT_PAGE (bg_import_page_get_type())

/**
 * BgImportPage:
 *
 * Signal ::closed (): something was opened, or nothing is to be opened
 */
G_DECLARE_FINAL_TYPE(BgImportPage, bg_import_page, BG, IMPORT_PAGE, GtkWidget)

GtkWidget *bg_import_page_new(BgSession *session);

/** bg_import_page_look_at: forgets what was there, and looks at @paths */
void bg_import_page_look_at(BgImportPage *self, const char *const *paths);

G_END_DECLS
