// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtk/gtk.h>

#include "ui/model/bg-import.h"

G_BEGIN_DECLS

#define BG_TYPE_IMPORT_ROW (bg_import_row_get_type())

/** BgImportRow: one thing of the import page: chosen or not, its picture, name, size, badges, warnings */
G_DECLARE_FINAL_TYPE(BgImportRow, bg_import_row, BG, IMPORT_ROW, GtkWidget)

GtkWidget *bg_import_row_new(BgImportItem *item);

G_END_DECLS
