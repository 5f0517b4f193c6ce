// SPDX-License-Identifier: Apache-2.0
// Rows of a section: a name on the left, a control on the right.
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** bg_form_add_row: @control is labelled by @name, for a screen reader too */
GtkWidget *bg_form_add_row(GtkBox *body, const char *name, GtkWidget *control);

/**
 * bg_form_new_scale: a slider without its number: Shift fine, Ctrl coarse by wheel and arrows as
 *   GTK has them; a double click sets @reset
 */
GtkWidget *bg_form_new_scale(double low, double high, double step, double reset);

/**
 * bg_form_name_inside:
 *
 * Names what GTK 4.8 leaves without a name in @root and below: expanders after their heading, the
 * button inside of a drop-down, a combo box or a colour button after that.
 */
void bg_form_name_inside(GtkWidget *root);

/** bg_form_name: what a screen reader says */
void bg_form_name(GtkWidget *widget, const char *name);

G_END_DECLS
