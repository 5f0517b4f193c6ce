// SPDX-License-Identifier: Apache-2.0
// Keys that mean the same in every pane.
#pragma once

#include "ui/model/bg-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** bg_view_keys_window_preset: window @digit (0..9) for the volume shown; 0 is the first window */
void bg_view_keys_window_preset(BgSession *session, int digit);

/** bg_view_keys_window_preset_name: (nullable): what @digit does for the volume shown */
const char *bg_view_keys_window_preset_name(BgSession *session, int digit);

/** bg_view_keys_common: Returns: whether @keyval was one of them and is done */
gboolean bg_view_keys_common(BgSession *session, guint keyval, GdkModifierType state);

/**
 * bg_view_drag_factor: Returns: 0.1 with Shift, 4 with Ctrl, else 1: fine and coarse
 */
double bg_view_drag_factor(GdkModifierType state);

G_END_DECLS
