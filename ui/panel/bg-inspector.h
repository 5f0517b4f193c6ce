// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** BgInspector: what is selected, in sections; each shows itself only where it applies */
#define BG_TYPE_INSPECTOR (bg_inspector_get_type())
G_DECLARE_FINAL_TYPE(BgInspector, bg_inspector, BG, INSPECTOR, GtkWidget)

GtkWidget *bg_inspector_new(BgSession *session);

G_END_DECLS
