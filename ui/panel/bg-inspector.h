// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define BG_TYPE_INSPECTOR (bg_inspector_get_type())

/** BgInspector: the right side: what is selected, in sections */
G_DECLARE_FINAL_TYPE(BgInspector, bg_inspector, BG, INSPECTOR, GtkWidget)

GtkWidget *bg_inspector_new(BgSession *session);

/** bg_inspector_set_session: once, for one that a template has made */
void bg_inspector_set_session(BgInspector *self, BgSession *session);

G_END_DECLS
