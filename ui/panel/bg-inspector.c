// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-inspector.h"

#include "core/base/bg-i18n.h"
#include "ui/panel/bg-display-section.h"
#include "ui/panel/bg-form.h"

struct _BgInspector {
    GtkWidget parent_instance;

    BgSession *session; // owned
    GtkWidget *box, *title;
};

G_DEFINE_FINAL_TYPE(BgInspector, bg_inspector, GTK_TYPE_WIDGET)

static GtkWidget *(*const sections[])(BgSession *session) = {
    bg_display_section_new,
};

static void
update(BgInspector *self)
{
    const BgLayer *layer = bg_session_get_selected(self->session);

    gtk_label_set_text(GTK_LABEL(self->title), layer != NULL ? layer->name : _("Nothing selected"));
}

static void
on_session_changed(BgSession *session, guint changes, gpointer user_data)
{
    if (changes & (BG_CHANGE_LAYERS | BG_CHANGE_SELECTION | BG_CHANGE_CASE))
        update(user_data);
}

static void
bg_inspector_dispose(GObject *object)
{
    BgInspector *self = BG_INSPECTOR(object);

    if (self->session != NULL)
        g_signal_handlers_disconnect_by_data(self->session, self);
    g_clear_pointer(&self->box, gtk_widget_unparent);
    g_clear_object(&self->session);

    G_OBJECT_CLASS(bg_inspector_parent_class)->dispose(object);
}

static void
bg_inspector_class_init(BgInspectorClass *klass)
{
    G_OBJECT_CLASS(klass)->dispose = bg_inspector_dispose;
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(klass), GTK_TYPE_BIN_LAYOUT);
}

static void
bg_inspector_init(BgInspector *self)
{
}

GtkWidget *
bg_inspector_new(BgSession *session)
{
    BgInspector *self = g_object_new(BG_TYPE_INSPECTOR, NULL);
    GtkWidget *scrolled = gtk_scrolled_window_new();
    GtkWidget *list = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);

    self->session = g_object_ref(session);
    self->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_widget_set_vexpand(GTK_WIDGET(self), TRUE);
    gtk_widget_set_parent(self->box, GTK_WIDGET(self));
    self->title = gtk_label_new(NULL);
    gtk_widget_add_css_class(self->title, "heading");
    gtk_label_set_xalign(GTK_LABEL(self->title), 0.0f);
    gtk_label_set_ellipsize(GTK_LABEL(self->title), PANGO_ELLIPSIZE_MIDDLE);
    gtk_box_append(GTK_BOX(self->box), self->title);
    for (gsize i = 0; i < G_N_ELEMENTS(sections); i++)
        gtk_box_append(GTK_BOX(list), sections[i](session));
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), list);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_widget_set_vexpand(scrolled, TRUE);
    gtk_box_append(GTK_BOX(self->box), scrolled);
    g_signal_connect(session, "changed", G_CALLBACK(on_session_changed), self);
    update(self);
    return GTK_WIDGET(self);
}
