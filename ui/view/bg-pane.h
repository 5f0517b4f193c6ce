// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** BgPaneKey: what a view does with a key; Returns: whether it was used */
typedef gboolean (*BgPaneKey)(gpointer view, guint keyval, GdkModifierType state, gboolean pressed);

/**
 * BgPane:
 *
 * The frame of a view: the line in its plane's colour, the tools that appear over it, the action
 * pane.maximise. Signal ::maximise (): double click, F, or the action.
 */
#define BG_TYPE_PANE (bg_pane_get_type())
G_DECLARE_FINAL_TYPE(BgPane, bg_pane, BG, PANE, GtkWidget)

/**
 * bg_pane_new:
 * @css_class: "axial", "coronal", "sagittal" or "volume"
 * @view: takes @key's keys
 */
GtkWidget *bg_pane_new(const char *css_class, GtkWidget *view, BgPaneKey key);

GtkWidget *bg_pane_get_view(BgPane *self);

/** bg_pane_has_pointer: whether the pointer is over it */
gboolean bg_pane_has_pointer(BgPane *self);
gboolean bg_pane_key(BgPane *self, guint keyval, GdkModifierType state, gboolean pressed);

/**
 * bg_pane_add_tool:
 * @always: seen without the pointer over the pane too
 */
void bg_pane_add_tool(BgPane *self, GtkWidget *tool, gboolean always);

/** bg_pane_new_tool: a small button: @label is shown, @name said by a screen reader and the tooltip */
GtkWidget *bg_pane_new_tool(const char *label, const char *name, const char *action);

G_END_DECLS
