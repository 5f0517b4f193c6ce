// SPDX-License-Identifier: Apache-2.0
#include "ui/dialog/bg-import-row.h"

#include "core/base/bg-i18n.h"
#include "ui/model/bg-texture.h"
#include "ui/panel/bg-form.h"

struct _BgImportRow {
    GtkWidget parent_instance;

    GtkWidget *root; // of the template, unparented in dispose; the rest borrowed
    GtkCheckButton *chosen;
    GtkImage *picture;
    GtkEditable *name;
    GtkLabel *modality, *summary, *path, *warnings;
    GtkBox *badges;
    GtkWidget *frames, *raw, *part;
    GtkSpinButton *frame;
    GtkAdjustment *frame_adjustment;
    GtkSpinButton *step, *first[3], *last[3]; // along columns, rows, slices

    BgImportItem *item; // owned
    gulong changed_id;
    gboolean updating;
};

G_DEFINE_FINAL_TYPE(BgImportRow, bg_import_row, GTK_TYPE_WIDGET)

static void
show_badges(BgImportRow *self)
{
    GPtrArray *badges = bg_import_item_get_badges(self->item);
    GtkWidget *child;

    while ((child = gtk_widget_get_first_child(GTK_WIDGET(self->badges))) != NULL)
        gtk_box_remove(self->badges, child);
    for (guint i = 0; i < badges->len; i++) {
        GtkWidget *badge = gtk_label_new(badges->pdata[i]);
        gtk_widget_add_css_class(badge, "chip");
        gtk_widget_add_css_class(badge, "badge-danger");
        gtk_box_append(self->badges, badge);
    }
}

static void
show_warnings(BgImportRow *self)
{
    GPtrArray *warnings = bg_import_item_get_warnings(self->item);
    const char *problem = bg_import_item_get_problem(self->item);
    GString *text = g_string_new(problem);

    for (guint i = 0; problem == NULL && i < warnings->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? "\n" : "", (const char *) warnings->pdata[i]);
    gtk_label_set_text(self->warnings, text->str);
    gtk_widget_set_visible(GTK_WIDGET(self->warnings), text->len > 0);
    if (problem != NULL)
        gtk_widget_add_css_class(GTK_WIDGET(self->warnings), "danger-text");
    else
        gtk_widget_remove_css_class(GTK_WIDGET(self->warnings), "danger-text");
    g_string_free(text, TRUE);
}

static void
show_part(BgImportRow *self)
{
    gboolean has_parts = bg_import_item_has_parts(self->item);
    const int *dims = bg_import_item_get_dims(self->item);
    BgLoadPart part = bg_import_item_get_part(self->item);

    gtk_widget_set_visible(self->part, has_parts);
    if (!has_parts)
        return;
    gtk_spin_button_set_value(self->step, part.step[0]);
    for (int axis = 0; axis < 3; axis++) {
        gtk_spin_button_set_range(self->first[axis], 1.0, part.last[axis] + 1.0);
        gtk_spin_button_set_range(self->last[axis], part.first[axis] + 1.0, dims[axis]);
        gtk_spin_button_set_value(self->first[axis], part.first[axis] + 1.0);
        gtk_spin_button_set_value(self->last[axis], part.last[axis] + 1.0);
    }
}

static void
update(BgImportRow *self)
{
    BgImportItem *item = self->item;
    BgImage *picture = bg_import_item_get_picture(item);
    const char *modality = bg_import_item_get_modality(item);
    g_autofree char *summary = bg_import_item_dup_summary(item);
    // Translators: %s is the name of a scan
    g_autofree char *open = g_strdup_printf(_("Open %s"), bg_import_item_get_name(item));

    self->updating = TRUE;
    gtk_check_button_set_active(self->chosen, bg_import_item_get_chosen(item));
    gtk_widget_set_sensitive(GTK_WIDGET(self->chosen), bg_import_item_get_problem(item) == NULL);
    bg_form_name(GTK_WIDGET(self->chosen), open);
    bg_form_name(GTK_WIDGET(self->picture), bg_import_item_get_name(item));
    if (g_strcmp0(gtk_editable_get_text(self->name), bg_import_item_get_name(item)) != 0)
        gtk_editable_set_text(self->name, bg_import_item_get_name(item));
    gtk_label_set_text(self->modality, modality);
    gtk_widget_set_visible(GTK_WIDGET(self->modality), modality[0] != '\0');
    gtk_label_set_text(self->summary, summary);
    gtk_widget_set_visible(GTK_WIDGET(self->summary), summary[0] != '\0');
    gtk_label_set_text(self->path, bg_import_item_get_path(item));
    gtk_widget_set_visible(self->frames, bg_import_item_count_frames(item) > 1);
    gtk_adjustment_set_upper(self->frame_adjustment, bg_import_item_count_frames(item));
    gtk_widget_set_visible(self->raw, bg_import_item_is_raw(item));
    gtk_actionable_set_action_target(GTK_ACTIONABLE(self->raw), "s", bg_import_item_get_path(item));
    show_part(self);
    show_badges(self);
    show_warnings(self);
    if (picture != NULL && gtk_image_get_paintable(self->picture) == NULL) {
        g_autoptr(GdkTexture) texture = bg_texture_from_rgb(picture);
        gtk_image_set_from_paintable(self->picture, GDK_PAINTABLE(texture));
    }
    self->updating = FALSE;
}

static void
on_changed(GObject *item, GParamSpec *pspec, gpointer user_data)
{
    update(user_data);
}

static void
on_chosen(GtkCheckButton *button, gpointer user_data)
{
    BgImportRow *self = user_data;

    if (!self->updating)
        bg_import_item_set_chosen(self->item, gtk_check_button_get_active(button));
}

static void
on_name(GtkEditable *entry, gpointer user_data)
{
    BgImportRow *self = user_data;

    if (!self->updating)
        bg_import_item_set_name(self->item, gtk_editable_get_text(entry));
}

static void
on_frame(GtkSpinButton *spin, gpointer user_data)
{
    BgImportRow *self = user_data;

    if (!self->updating)
        bg_import_item_set_frame(self->item, gtk_spin_button_get_value_as_int(spin) - 1);
}

static void
on_part(GtkSpinButton *spin, gpointer user_data)
{
    BgImportRow *self = user_data;

    if (self->updating)
        return;
    BgLoadPart part;
    for (int axis = 0; axis < 3; axis++) {
        part.first[axis] = gtk_spin_button_get_value_as_int(self->first[axis]) - 1;
        part.last[axis] = gtk_spin_button_get_value_as_int(self->last[axis]) - 1;
        part.step[axis] = gtk_spin_button_get_value_as_int(self->step);
    }
    bg_import_item_set_part(self->item, &part);
}

GtkWidget *
bg_import_row_new(BgImportItem *item)
{
    BgImportRow *self = g_object_new(BG_TYPE_IMPORT_ROW, NULL);

    self->item = g_object_ref(item);
    self->changed_id = g_signal_connect(item, "notify::changed", G_CALLBACK(on_changed), self);
    update(self);
    return GTK_WIDGET(self);
}

static void
bg_import_row_dispose(GObject *object)
{
    BgImportRow *self = BG_IMPORT_ROW(object);

    if (self->item != NULL)
        g_clear_signal_handler(&self->changed_id, self->item);
    g_clear_object(&self->item);
    g_clear_pointer(&self->root, gtk_widget_unparent);

    G_OBJECT_CLASS(bg_import_row_parent_class)->dispose(object);
}

static void
bg_import_row_class_init(BgImportRowClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_import_row_dispose;
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-import-row.ui");
    gtk_widget_class_bind_template_child(widget_class, BgImportRow, root);
    gtk_widget_class_bind_template_child(widget_class, BgImportRow, chosen);
    gtk_widget_class_bind_template_child(widget_class, BgImportRow, picture);
    gtk_widget_class_bind_template_child(widget_class, BgImportRow, name);
    gtk_widget_class_bind_template_child(widget_class, BgImportRow, modality);
    gtk_widget_class_bind_template_child(widget_class, BgImportRow, summary);
    gtk_widget_class_bind_template_child(widget_class, BgImportRow, path);
    gtk_widget_class_bind_template_child(widget_class, BgImportRow, warnings);
    gtk_widget_class_bind_template_child(widget_class, BgImportRow, badges);
    gtk_widget_class_bind_template_child(widget_class, BgImportRow, part);
    gtk_widget_class_bind_template_child(widget_class, BgImportRow, step);
    for (int axis = 0; axis < 3; axis++) {
        static const char *const firsts[] = { "first_column", "first_row", "first_slice" };
        static const char *const lasts[] = { "last_column", "last_row", "last_slice" };
        gssize at = axis * (gssize) sizeof(GtkSpinButton *);
        gtk_widget_class_bind_template_child_full(
            widget_class, firsts[axis], FALSE, (gssize) G_STRUCT_OFFSET(BgImportRow, first) + at);
        gtk_widget_class_bind_template_child_full(widget_class, lasts[axis], FALSE,
                                                  (gssize) G_STRUCT_OFFSET(BgImportRow, last) + at);
    }
    gtk_widget_class_bind_template_child(widget_class, BgImportRow, frames);
    gtk_widget_class_bind_template_child(widget_class, BgImportRow, raw);
    gtk_widget_class_bind_template_child(widget_class, BgImportRow, frame);
    gtk_widget_class_bind_template_child(widget_class, BgImportRow, frame_adjustment);
    gtk_widget_class_bind_template_callback(widget_class, on_chosen);
    gtk_widget_class_bind_template_callback(widget_class, on_name);
    gtk_widget_class_bind_template_callback(widget_class, on_frame);
    gtk_widget_class_bind_template_callback(widget_class, on_part);
}

static void
bg_import_row_init(BgImportRow *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}
