// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * BgWindow:
 *
 * The main window: one case in linked panes, its layers on the left, what is selected on the right.
 */
#define BG_TYPE_WINDOW (bg_window_get_type())
G_DECLARE_FINAL_TYPE(BgWindow, bg_window, BG, WINDOW, GtkApplicationWindow)

BgWindow *bg_window_new(GtkApplication *application);

/** bg_window_open: a volume, label map, mesh or case */
void bg_window_open(BgWindow *self, GFile *file);

BgSession *bg_window_get_session(BgWindow *self);

G_END_DECLS
