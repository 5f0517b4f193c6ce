// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtk/gtk.h>

#include "ui/model/bg-session.h"

G_BEGIN_DECLS

#define BG_TYPE_RAW_DIALOG (bg_raw_dialog_get_type())

/**
 * BgRawDialog:
 *
 * A file that is nothing but voxels: what it might be is guessed, and every change is shown at once
 * as the picture of the middle slice that it gives.
 */
G_DECLARE_FINAL_TYPE(BgRawDialog, bg_raw_dialog, BG, RAW_DIALOG, GtkWindow)

/** bg_raw_dialog_present: over @parent; opens what the user says as a new layer of @session */
void bg_raw_dialog_present(GtkWindow *parent, BgSession *session, const char *path);

G_END_DECLS
