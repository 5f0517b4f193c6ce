// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-start-page.h"

#include "core/base/bg-i18n.h"
#include "ui/model/bg-settings.h"
#include "ui/model/bg-texture.h"
#include "ui/model/bg-thumbnail.h"

#define PICTURE_PX 96
#define NAME_CHARS 18

struct _BgStartPage {
    GtkWidget parent_instance;

    GtkWidget *root, *recent; // of the template; root is unparented in dispose
    GtkFlowBox *files;        // of the template, borrowed

    BgSession *session; // owned, nullable
    gulong settings_id;
};

G_DEFINE_FINAL_TYPE(BgStartPage, bg_start_page, GTK_TYPE_WIDGET)

typedef struct {
    char *path;     // owned
    BgImage *image; // owned, nullable
} Loaded;

static void
loaded_free(gpointer data)
{
    Loaded *loaded = data;

    g_clear_pointer(&loaded->image, bg_image_unref);
    g_free(loaded->path);
    g_free(loaded);
}

static gpointer
load_on_worker(gpointer path, GCancellable *cancellable, GError **error)
{
    Loaded *loaded = g_new0(Loaded, 1);

    loaded->path = g_strdup(path);
    loaded->image = bg_recent_load(path);
    return loaded;
}

static const char *
path_of(GtkFlowBoxChild *child)
{
    return g_object_get_data(G_OBJECT(child), "path");
}

static void
on_picture(gpointer owner, gpointer result, const GError *error)
{
    BgStartPage *self = owner;
    Loaded *loaded = result;
    GtkFlowBoxChild *child;

    for (int i = 0;
         loaded->image != NULL && (child = gtk_flow_box_get_child_at_index(self->files, i)) != NULL;
         i++) {
        if (!g_str_equal(path_of(child), loaded->path))
            continue;
        g_autoptr(GdkTexture) texture = bg_texture_from_rgb(loaded->image);
        gtk_image_set_from_paintable(g_object_get_data(G_OBJECT(child), "picture"),
                                     GDK_PAINTABLE(texture));
    }
    loaded_free(loaded);
}

static GtkWidget *
new_child(const char *path)
{
    GtkWidget *child = gtk_flow_box_child_new();
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
    GtkWidget *picture = gtk_image_new();
    g_autofree char *name = g_path_get_basename(path);
    GtkWidget *label = gtk_label_new(name);

    gtk_image_set_pixel_size(GTK_IMAGE(picture), PICTURE_PX);
    gtk_widget_set_halign(picture, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(picture, "thumbnail");
    gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_MIDDLE);
    gtk_label_set_width_chars(GTK_LABEL(label), NAME_CHARS);
    gtk_label_set_max_width_chars(GTK_LABEL(label), NAME_CHARS);
    gtk_box_append(GTK_BOX(box), picture);
    gtk_box_append(GTK_BOX(box), label);
    gtk_flow_box_child_set_child(GTK_FLOW_BOX_CHILD(child), box);
    gtk_widget_add_css_class(child, "preset");
    gtk_widget_set_tooltip_text(child, path);
    gtk_accessible_update_property(GTK_ACCESSIBLE(child), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    gtk_accessible_update_property(GTK_ACCESSIBLE(picture), GTK_ACCESSIBLE_PROPERTY_LABEL, name,
                                   -1);
    g_object_set_data(G_OBJECT(child), "picture", picture);
    g_object_set_data_full(G_OBJECT(child), "path", g_strdup(path), g_free);
    return child;
}

static void
fill(BgStartPage *self)
{
    g_auto(GStrv) recent = g_settings_get_strv(bg_settings_get(), "recent-files");
    GtkFlowBoxChild *child;
    guint slot = 0;

    while ((child = gtk_flow_box_get_child_at_index(self->files, 0)) != NULL)
        gtk_flow_box_remove(self->files, GTK_WIDGET(child));
    for (char **path = recent; *path != NULL; path++) {
        BgWork work = { .owner = G_OBJECT(self),
                        .slot = slot,
                        .func = load_on_worker,
                        .request = g_strdup(*path),
                        .free_request = g_free,
                        .done = on_picture,
                        .free_result = loaded_free };
        slot++;
        gtk_flow_box_append(self->files, new_child(*path));
        bg_worker_post(bg_session_get_idle_worker(self->session), &work);
    }
    gtk_widget_set_visible(self->recent, recent[0] != NULL);
}

static void
on_recent_changed(GSettings *settings, const char *key, gpointer user_data)
{
    fill(user_data);
}

static void
on_activated(GtkFlowBox *flow, GtkFlowBoxChild *child, gpointer user_data)
{
    gtk_widget_activate_action(user_data, "win.open-path", "s", path_of(child));
}

static gpointer
forget_on_worker(gpointer nothing, GCancellable *cancellable, GError **error)
{
    bg_recent_forget();
    return NULL;
}

static void
on_forgotten(gpointer owner, gpointer result, const GError *error)
{
}

static void
on_forget(GtkButton *button, gpointer user_data)
{
    BgStartPage *self = user_data;
    BgWork work = {
        .owner = G_OBJECT(self), .slot = G_MAXUINT, .func = forget_on_worker, .done = on_forgotten
    };

    g_settings_reset(bg_settings_get(), "recent-files");
    bg_worker_post(bg_session_get_idle_worker(self->session), &work);
}

GtkWidget *
bg_start_page_new(BgSession *session)
{
    BgStartPage *self = g_object_new(BG_TYPE_START_PAGE, NULL);

    self->session = g_object_ref(session);
    self->settings_id = g_signal_connect(bg_settings_get(), "changed::recent-files",
                                         G_CALLBACK(on_recent_changed), self);
    fill(self);
    return GTK_WIDGET(self);
}

static void
bg_start_page_dispose(GObject *object)
{
    BgStartPage *self = BG_START_PAGE(object);

    g_clear_signal_handler(&self->settings_id, bg_settings_get());
    g_clear_object(&self->session);
    g_clear_pointer(&self->root, gtk_widget_unparent);

    G_OBJECT_CLASS(bg_start_page_parent_class)->dispose(object);
}

static void
bg_start_page_class_init(BgStartPageClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_start_page_dispose;
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-start-page.ui");
    gtk_widget_class_bind_template_child(widget_class, BgStartPage, root);
    gtk_widget_class_bind_template_child(widget_class, BgStartPage, recent);
    gtk_widget_class_bind_template_child(widget_class, BgStartPage, files);
    gtk_widget_class_bind_template_callback(widget_class, on_activated);
    gtk_widget_class_bind_template_callback(widget_class, on_forget);
}

static void
bg_start_page_init(BgStartPage *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    gtk_widget_set_vexpand(GTK_WIDGET(self), TRUE);
}
