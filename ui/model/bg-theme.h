// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** bg_theme_init: puts the style sheet on the default display and follows the preferences */
void bg_theme_init(void);

G_END_DECLS
