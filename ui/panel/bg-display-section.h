// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** bg_display_section_new: window and level, colour map, interpolation of the selected volume */
GtkWidget *bg_display_section_new(BgSession *session);

G_END_DECLS
