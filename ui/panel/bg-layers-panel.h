// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * BgLayersPanel:
 *
 * The case as a list of rows, the topmost layer first: eye, name, chip, badge; the opacity of the
 * selected one below it. A source that is missing is a red row with "Locate…".
 */
#define BG_TYPE_LAYERS_PANEL (bg_layers_panel_get_type())
G_DECLARE_FINAL_TYPE(BgLayersPanel, bg_layers_panel, BG, LAYERS_PANEL, GtkWidget)

GtkWidget *bg_layers_panel_new(BgSession *session);

G_END_DECLS
