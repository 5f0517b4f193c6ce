// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define BG_APP_ID "org.bregma.Bregma"

/**
 * bg_settings_get:
 *
 * Returns: (transfer none): the preferences. The schema is the installed one, or in an uninstalled
 *   program the one in the build folder's data/
 */
GSettings *bg_settings_get(void);

/** bg_settings_add_recent: puts @path to the front of the recent files */
void bg_settings_add_recent(const char *path);

G_END_DECLS
