// SPDX-License-Identifier: Apache-2.0
// What windows beside the main one have in common.
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** bg_dialog_class_set_template: @name: of its file; Escape closes it */
void bg_dialog_class_set_template(GtkWidgetClass *widget_class, const char *name);

/**
 * bg_dialog_init_template:
 * @updating: TRUE while the template is made, so that handlers know who sets their widgets
 *
 * The controls have names for a screen reader then.
 */
void bg_dialog_init_template(GtkWidget *dialog, gboolean *updating);

G_END_DECLS
