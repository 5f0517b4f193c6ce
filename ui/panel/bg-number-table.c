// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-number-table.h"

#include "core/base/bg-i18n.h"
#include "ui/panel/bg-form.h"

static GtkWidget *
put(GtkGrid *grid, int row, int column, const char *text)
{
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_xalign(GTK_LABEL(label), column == 0 ? 0.0f : 1.0f);
    gtk_label_set_ellipsize(GTK_LABEL(label),
                            column == 0 ? PANGO_ELLIPSIZE_END : PANGO_ELLIPSIZE_NONE);
    gtk_widget_set_hexpand(label, column == 0);
    gtk_widget_add_css_class(label, "small");
    gtk_widget_add_css_class(label, row == 0 ? "dim" : "numeric");
    gtk_grid_attach(grid, label, column, row, 1, 1);
    return label;
}

void
bg_number_table_clear(GtkGrid *grid, const char *const *headings)
{
    GtkWidget *child;

    while ((child = gtk_widget_get_first_child(GTK_WIDGET(grid))) != NULL)
        gtk_grid_remove(grid, child);
    for (int column = 0; headings[column] != NULL; column++)
        put(grid, 0, column, headings[column]);
}

void
bg_number_table_add(GtkGrid *grid, int row, const char *const *cells, const char *const *headings)
{
    for (int column = 0; cells[column] != NULL; column++) {
        GtkWidget *label = put(grid, row, column, cells[column]);
        if (column == 0) {
            gtk_widget_set_tooltip_text(label, cells[0]);
            continue;
        }
        // Translators: a cell of a table: its row, its column, its value
        g_autofree char *name =
            g_strdup_printf(_("%s, %s: %s"), cells[0], headings[column], cells[column]);
        bg_form_name(label, name);
    }
}
