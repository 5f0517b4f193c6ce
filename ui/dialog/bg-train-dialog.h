// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define BG_TYPE_TRAIN_DIALOG (bg_train_dialog_get_type())

/**
 * BgTrainDialog:
 *
 * A window in which networks are trained: what, on which cases, how; and the curves while it runs. It
 * may be closed meanwhile: the training goes on, and is there again when the window is opened anew.
 */
G_DECLARE_FINAL_TYPE(BgTrainDialog, bg_train_dialog, BG, TRAIN_DIALOG, GtkWindow)

/** bg_train_dialog_present: one of @parent; the one that is there comes to the front */
void bg_train_dialog_present(GtkWindow *parent, BgSession *session);

G_END_DECLS
