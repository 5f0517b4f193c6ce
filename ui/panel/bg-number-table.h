// SPDX-License-Identifier: Apache-2.0
// A small table of numbers in a panel.
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** bg_number_table_clear: takes all out of @grid, and puts @headings (NULL at the end) on its first row */
void bg_number_table_clear(GtkGrid *grid, const char *const *headings);

/**
 * bg_number_table_add:
 * @row: from 1
 * @cells: (transfer none): NULL at the end; the first is the row's name
 * @headings: what each number is called by a screen reader: "WT, ml: 44.1"
 */
void bg_number_table_add(GtkGrid *grid, int row, const char *const *cells,
                         const char *const *headings);

G_END_DECLS
