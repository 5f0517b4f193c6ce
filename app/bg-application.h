// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * BgApplication:
 *
 * One process for each user: a second start opens its files in the window that is there.
 */
#define BG_TYPE_APPLICATION (bg_application_get_type())
G_DECLARE_FINAL_TYPE(BgApplication, bg_application, BG, APPLICATION, GtkApplication)

BgApplication *bg_application_new(void);

G_END_DECLS
