// SPDX-License-Identifier: Apache-2.0
#include "ui/dialog/bg-import-page.h"

#include "core/base/bg-i18n.h"
#include "ui/dialog/bg-import-row.h"
#include "ui/model/bg-import.h"
#include "ui/panel/bg-form.h"

struct _BgImportPage {
    GtkWidget parent_instance;

    GtkWidget *root; // of the template, unparented in dispose; the rest borrowed
    GtkWidget *spinner, *stop, *fit, *open;
    GtkLabel *progress, *memory, *nothing;
    GtkListBox *list;

    BgSession *session; // owned
    BgImport *import;   // owned, nullable
};

#define NAMED_ITEMS 3

static guint closed_signal;

G_DEFINE_FINAL_TYPE(BgImportPage, bg_import_page, GTK_TYPE_WIDGET)

// @names: (out): of the first of them, which may be scrolled out of sight: (transfer full)
static guint
count_chosen(BgImportPage *self, char **names)
{
    GListModel *items = bg_import_get_items(self->import);
    GString *text = g_string_new(NULL);
    guint n = 0;

    for (guint i = 0; i < g_list_model_get_n_items(items); i++) {
        g_autoptr(BgImportItem) item = g_list_model_get_item(items, i);
        if (!bg_import_item_get_chosen(item))
            continue;
        if (n++ < NAMED_ITEMS)
            g_string_append_printf(text, "%s“%s”", n > 1 ? ", " : "",
                                   bg_import_item_get_name(item));
        else if (n == NAMED_ITEMS + 1)
            g_string_append(text, ", …");
    }
    *names = g_string_free(text, FALSE);
    return n;
}

static void
update_cost(BgImportPage *self)
{
    guint64 n_bytes = bg_import_count_bytes(self->import);
    guint64 n_free = bg_import_available_bytes();
    g_autofree char *bytes = g_format_size_full(n_bytes, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *free_bytes = g_format_size_full(n_free, G_FORMAT_SIZE_IEC_UNITS);
    gboolean fits = n_free == 0 || n_bytes <= n_free;
    g_autofree char *names = NULL;
    guint n = count_chosen(self, &names);
    g_autofree char *label = n > 0 ? g_strdup_printf(ngettext("Open %u", "Open %u", n), n) : NULL;
    g_autofree char *text =
        fits
            ? g_strdup_printf(
                  // Translators: what is chosen, memory that opening takes, and memory that is free
                  _("%s  Memory: %s of %s free"), names, bytes, free_bytes)
            : g_strdup_printf(
                  // Translators: memory that opening would take, and memory that is free
                  _("This does not fit: %s are needed and %s are free. Take every second voxel or "
                    "less, cut out a part, choose fewer, or close other programs and layers"),
                  bytes, free_bytes);

    gtk_label_set_text(self->memory, text);
    if (fits)
        gtk_widget_remove_css_class(GTK_WIDGET(self->memory), "danger-text");
    else
        gtk_widget_add_css_class(GTK_WIDGET(self->memory), "danger-text");
    gtk_button_set_label(GTK_BUTTON(self->open), label != NULL ? label : _("Open"));
    gtk_widget_set_sensitive(self->open, n > 0 && fits);
    gtk_widget_set_visible(self->fit, !fits);
}

static void
on_item_changed(GObject *item, GParamSpec *pspec, gpointer user_data)
{
    update_cost(user_data);
}

static GtkWidget *
new_row(gpointer item, gpointer user_data)
{
    g_signal_connect_object(item, "notify::changed", G_CALLBACK(on_item_changed), user_data, 0);
    GtkWidget *row = gtk_list_box_row_new();
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), bg_import_row_new(item));
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), FALSE);
    bg_form_name(row, bg_import_item_get_name(item));
    return row;
}

static const char *
group_of(GtkListBoxRow *row, GListModel *items)
{
    g_autoptr(BgImportItem) item =
        g_list_model_get_item(items, (guint) gtk_list_box_row_get_index(row));

    return item != NULL ? bg_import_item_get_group(item) : ""; // the list keeps it
}

// Patient and study over the first of their series.
static void
update_header(GtkListBoxRow *row, GtkListBoxRow *before, gpointer user_data)
{
    BgImportPage *self = user_data;
    GListModel *items = bg_import_get_items(self->import);
    const char *group = group_of(row, items);

    if (group[0] == '\0' || (before != NULL && g_str_equal(group, group_of(before, items)))) {
        gtk_list_box_row_set_header(row, NULL);
        return;
    }
    GtkWidget *header = gtk_label_new(group);
    gtk_label_set_xalign(GTK_LABEL(header), 0.0f);
    gtk_label_set_ellipsize(GTK_LABEL(header), PANGO_ELLIPSIZE_END);
    gtk_widget_add_css_class(header, "heading");
    gtk_list_box_row_set_header(row, header);
}

static void
on_progress(BgImport *import, guint64 n_done, guint64 n_known, gpointer user_data)
{
    BgImportPage *self = user_data;
    g_autofree char *text = NULL;

    if (n_known > n_done)
        // Translators: files that were looked at, of how many
        text = g_strdup_printf(_("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " files"), n_done,
                               n_known);
    else if (n_done > 0)
        // Translators: files that were looked at
        text = g_strdup_printf(_("%" G_GUINT64_FORMAT " files"), n_done);
    gtk_label_set_text(self->progress, text != NULL ? text : "");
}

static void
show_running(BgImportPage *self)
{
    gboolean running = bg_import_is_running(self->import);

    gtk_widget_set_visible(self->stop, running);
    gtk_widget_set_visible(self->spinner, running);
    gtk_spinner_set_spinning(GTK_SPINNER(self->spinner), running);
    gtk_label_set_text(self->nothing, running ? _("Nothing was found yet")
                                              : _("Nothing that bregma can open was found there. "
                                                  "Choose other files or another folder"));
}

static void
on_done(BgImport *import, gpointer user_data)
{
    BgImportPage *self = user_data;

    gtk_label_set_text(self->progress, "");
    show_running(self);
    update_cost(self);
}

static void
let_go(BgImportPage *self)
{
    if (self->import == NULL)
        return;

    gtk_list_box_bind_model(self->list, NULL, NULL, NULL, NULL);
    gtk_list_box_set_header_func(self->list, NULL, NULL, NULL);
    g_signal_handlers_disconnect_by_data(self->import, self);
    bg_import_cancel(self->import);
    g_clear_object(&self->import);
}

void
bg_import_page_look_at(BgImportPage *self, const char *const *paths)
{
    g_return_if_fail(BG_IS_IMPORT_PAGE(self));

    let_go(self);
    self->import = bg_import_new(self->session, paths);
    g_signal_connect(self->import, "progress", G_CALLBACK(on_progress), self);
    g_signal_connect(self->import, "done", G_CALLBACK(on_done), self);
    gtk_list_box_set_header_func(self->list, update_header, self, NULL);
    gtk_list_box_bind_model(self->list, bg_import_get_items(self->import), new_row, self, NULL);
    show_running(self);
    update_cost(self);
}

static void
on_stop(GtkButton *button, gpointer user_data)
{
    BgImportPage *self = user_data;

    if (self->import != NULL)
        bg_import_cancel(self->import);
}

static void
on_fit(GtkButton *button, gpointer user_data)
{
    BgImportPage *self = user_data;

    if (self->import != NULL)
        bg_import_make_fit(self->import, bg_import_available_bytes());
}

static void
on_cancel(GtkButton *button, gpointer user_data)
{
    let_go(user_data);
    g_signal_emit(user_data, closed_signal, 0);
}

static void
on_open(GtkButton *button, gpointer user_data)
{
    BgImportPage *self = user_data;

    if (self->import != NULL)
        bg_import_open(self->import);
    on_cancel(button, self);
}

GtkWidget *
bg_import_page_new(BgSession *session)
{
    BgImportPage *self = g_object_new(BG_TYPE_IMPORT_PAGE, NULL);

    self->session = g_object_ref(session);
    return GTK_WIDGET(self);
}

static void
bg_import_page_dispose(GObject *object)
{
    BgImportPage *self = BG_IMPORT_PAGE(object);

    if (self->root != NULL)
        let_go(self);
    g_clear_object(&self->session);
    g_clear_pointer(&self->root, gtk_widget_unparent);

    G_OBJECT_CLASS(bg_import_page_parent_class)->dispose(object);
}

static void
bg_import_page_class_init(BgImportPageClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_import_page_dispose;
    closed_signal = g_signal_new("closed", BG_TYPE_IMPORT_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 0);
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-import-page.ui");
    gtk_widget_class_bind_template_child(widget_class, BgImportPage, root);
    gtk_widget_class_bind_template_child(widget_class, BgImportPage, spinner);
    gtk_widget_class_bind_template_child(widget_class, BgImportPage, stop);
    gtk_widget_class_bind_template_child(widget_class, BgImportPage, fit);
    gtk_widget_class_bind_template_child(widget_class, BgImportPage, open);
    gtk_widget_class_bind_template_child(widget_class, BgImportPage, progress);
    gtk_widget_class_bind_template_child(widget_class, BgImportPage, memory);
    gtk_widget_class_bind_template_child(widget_class, BgImportPage, nothing);
    gtk_widget_class_bind_template_child(widget_class, BgImportPage, list);
    gtk_widget_class_bind_template_callback(widget_class, on_stop);
    gtk_widget_class_bind_template_callback(widget_class, on_fit);
    gtk_widget_class_bind_template_callback(widget_class, on_cancel);
    gtk_widget_class_bind_template_callback(widget_class, on_open);
}

static void
bg_import_page_init(BgImportPage *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}
