// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * BgFileChoice:
 * @title: of the dialog
 * @accept: the button's word
 * @suggested_name: (nullable): for saving
 * @filter_name, @patterns: (nullable): what is offered first: "Meshes", "*.stl *.ply"
 * @save: asks before it replaces; else to open
 * @folder: to open: a folder
 */
typedef struct {
    const char *title;
    const char *accept;
    const char *suggested_name;
    const char *filter_name;
    const char *patterns;
    gboolean save;
    gboolean folder;
} BgFileChoice;

/**
 * bg_file_dialog_ask:
 * @asker: a widget of the window that asks
 * @chosen: gets the path, when one is chosen and @asker is still there; on the main thread
 */
void bg_file_dialog_ask(GtkWidget *asker, const BgFileChoice *choice,
                        void (*chosen)(GtkWidget *asker, const char *path));

G_END_DECLS
