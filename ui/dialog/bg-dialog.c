// SPDX-License-Identifier: Apache-2.0
#include "ui/dialog/bg-dialog.h"

#include "ui/panel/bg-form.h"

void
bg_dialog_class_set_template(GtkWidgetClass *widget_class, const char *name)
{
    g_autofree char *path = g_strconcat("/org/bregma/Bregma/ui/", name, NULL);

    gtk_widget_class_set_template_from_resource(widget_class, path);
    gtk_widget_class_add_binding_action(widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

void
bg_dialog_init_template(GtkWidget *dialog, gboolean *updating)
{
    *updating = TRUE;
    gtk_widget_init_template(dialog);
    *updating = FALSE;
    bg_form_name_inside(dialog);
}
