// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-banner-box.h"

#include "core/base/bg-i18n.h"
#include "ui/panel/bg-form.h"

#define MAX_LISTED 200 // a folder full of broken files must not become a window full of text
#define LABEL_CHARS 20 // narrower, a wrapped text would be higher than the window
#define LIST_HEIGHT_PX 360

struct _BgBannerBox {
    GtkWidget parent_instance;
};

G_DEFINE_FINAL_TYPE(BgBannerBox, bg_banner_box, GTK_TYPE_WIDGET)

typedef struct {
    char *css_class, *action; // owned; action nullable
    GPtrArray *messages;      // owned, of char *: message and details
    GtkLabel *label, *list;   // borrowed: of the banner
    GtkWidget *more;          // borrowed
} Banner;

static void
banner_free(gpointer data)
{
    Banner *banner = data;

    g_free(banner->css_class);
    g_free(banner->action);
    g_ptr_array_unref(banner->messages);
    g_free(banner);
}

static Banner *
banner_of(GtkWidget *widget)
{
    return g_object_get_data(G_OBJECT(widget), "banner");
}

static void
on_close(GtkButton *button, gpointer user_data)
{
    gtk_widget_unparent(user_data);
}

// Not by the button's own action: it would be gone before GTK gets to that.
static void
on_action(GtkButton *button, gpointer user_data)
{
    GtkWidget *box = g_object_ref(user_data);
    const Banner *banner = banner_of(box);
    g_autofree char *name = NULL;
    g_autoptr(GVariant) target = NULL;
    g_autoptr(GError) error = NULL;

    if (!g_action_parse_detailed_name(banner->action, &name, &target, &error))
        g_critical("%s", error->message);
    else
        gtk_widget_activate_action_variant(GTK_WIDGET(button), name, target);
    if (gtk_widget_get_parent(box) != NULL)
        gtk_widget_unparent(box);
    g_object_unref(box);
}

static GtkWidget *
new_list(Banner *banner)
{
    GtkWidget *more = gtk_menu_button_new();
    GtkWidget *popover = gtk_popover_new();
    GtkWidget *scrolled = gtk_scrolled_window_new();
    GtkWidget *list = gtk_label_new(NULL);

    gtk_label_set_wrap(GTK_LABEL(list), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(list), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_max_width_chars(GTK_LABEL(list), 60);
    gtk_label_set_xalign(GTK_LABEL(list), 0.0f);
    gtk_label_set_selectable(GTK_LABEL(list), TRUE);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_propagate_natural_height(GTK_SCROLLED_WINDOW(scrolled), TRUE);
    gtk_scrolled_window_set_max_content_height(GTK_SCROLLED_WINDOW(scrolled), LIST_HEIGHT_PX);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), list);
    gtk_popover_set_child(GTK_POPOVER(popover), scrolled);
    gtk_menu_button_set_label(GTK_MENU_BUTTON(more), _("Details"));
    gtk_menu_button_set_popover(GTK_MENU_BUTTON(more), popover);
    gtk_widget_set_valign(more, GTK_ALIGN_CENTER);
    bg_form_name(more, _("Details"));
    banner->list = GTK_LABEL(list);
    return more;
}

static GtkWidget *
new_banner(const char *css_class, const char *action_label, const char *action)
{
    // No GtkBox: by the baselines of its children, it is sometimes a pixel higher than it says.
    GtkWidget *box = gtk_grid_new();
    GtkWidget *icon = gtk_image_new_from_icon_name(
        g_str_equal(css_class, "info") ? "dialog-information-symbolic" : "dialog-warning-symbolic");
    GtkWidget *label = gtk_label_new(NULL);
    GtkWidget *close = gtk_button_new_from_icon_name("window-close-symbolic");
    Banner *banner = g_new0(Banner, 1);

    banner->css_class = g_strdup(css_class);
    banner->action = g_strdup(action);
    banner->messages = g_ptr_array_new_with_free_func(g_free);
    banner->label = GTK_LABEL(label);
    g_object_set_data_full(G_OBJECT(box), "banner", banner, banner_free);
    gtk_widget_add_css_class(box, "banner");
    gtk_widget_add_css_class(box, css_class);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_width_chars(GTK_LABEL(label), LABEL_CHARS);
    gtk_label_set_xalign(GTK_LABEL(label), 0.0f);
    gtk_widget_set_hexpand(label, TRUE);
    gtk_widget_set_valign(label, GTK_ALIGN_CENTER);
    gtk_grid_set_column_spacing(GTK_GRID(box), 8);
    gtk_grid_attach(GTK_GRID(box), icon, 0, 0, 1, 1);
    gtk_grid_attach(GTK_GRID(box), label, 1, 0, 1, 1);
    banner->more = new_list(banner);
    gtk_grid_attach(GTK_GRID(box), banner->more, 2, 0, 1, 1);
    if (action != NULL) {
        GtkWidget *button = gtk_button_new_with_label(action_label);
        gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
        g_signal_connect(button, "clicked", G_CALLBACK(on_action), box);
        gtk_grid_attach(GTK_GRID(box), button, 3, 0, 1, 1);
    }
    gtk_accessible_update_property(GTK_ACCESSIBLE(close), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Close this message"), -1);
    gtk_widget_add_css_class(close, "flat");
    gtk_widget_set_valign(close, GTK_ALIGN_CENTER);
    g_signal_connect(close, "clicked", G_CALLBACK(on_close), box);
    gtk_grid_attach(GTK_GRID(box), close, 4, 0, 1, 1);
    return box;
}

static GtkWidget *
find(BgBannerBox *self, const char *css_class, const char *action)
{
    for (GtkWidget *child = gtk_widget_get_first_child(GTK_WIDGET(self)); child != NULL;
         child = gtk_widget_get_next_sibling(child)) {
        const Banner *banner = banner_of(child);
        if (g_str_equal(banner->css_class, css_class) && g_strcmp0(banner->action, action) == 0)
            return child;
    }
    return NULL;
}

static void
show(Banner *banner, const char *message, const char *details)
{
    guint n = banner->messages->len;

    if (n <= 1) {
        gtk_label_set_text(banner->label, message);
        gtk_widget_set_visible(banner->more, details != NULL);
    } else {
        g_autofree char *text =
            // Translators: %u messages, of which the last follows
            g_strdup_printf(ngettext("%u message. The last: %s", "%u messages. The last: %s", n), n,
                            message);
        gtk_label_set_text(banner->label, text);
        gtk_widget_set_visible(banner->more, TRUE);
    }

    GString *list = g_string_new(NULL);
    for (guint i = 0; i < MIN(n, MAX_LISTED); i++)
        g_string_append_printf(list, "%s%s", i > 0 ? "\n\n" : "",
                               (const char *) banner->messages->pdata[i]);
    gtk_label_set_text(banner->list, list->str);
    g_string_free(list, TRUE);
}

void
bg_banner_box_tell(BgBannerBox *self, const char *css_class, const char *message,
                   const char *details, const char *action_label, const char *action)
{
    g_return_if_fail(BG_IS_BANNER_BOX(self));
    g_return_if_fail((action == NULL) == (action_label == NULL));

    GtkWidget *box = find(self, css_class, action);
    if (box == NULL) {
        box = new_banner(css_class, action_label, action);
        gtk_widget_set_parent(box, GTK_WIDGET(self));
    }

    Banner *banner = banner_of(box);
    // What is asked twice is one question; the details often repeat the message.
    g_autofree char *whole = details == NULL || strstr(details, message) != NULL
                                 ? g_strdup(details != NULL ? details : message)
                                 : g_strdup_printf("%s\n%s", message, details);
    if (action != NULL)
        g_ptr_array_set_size(banner->messages, 0);
    if (!g_ptr_array_find_with_equal_func(banner->messages, whole, g_str_equal, NULL))
        g_ptr_array_add(banner->messages, g_steal_pointer(&whole));
    show(banner, message, details);
}

static void
bg_banner_box_dispose(GObject *object)
{
    GtkWidget *child;

    while ((child = gtk_widget_get_first_child(GTK_WIDGET(object))) != NULL)
        gtk_widget_unparent(child);

    G_OBJECT_CLASS(bg_banner_box_parent_class)->dispose(object);
}

static void
bg_banner_box_class_init(BgBannerBoxClass *klass)
{
    G_OBJECT_CLASS(klass)->dispose = bg_banner_box_dispose;
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(klass), GTK_TYPE_BOX_LAYOUT);
}

static void
bg_banner_box_init(BgBannerBox *self)
{
    GtkLayoutManager *layout = gtk_widget_get_layout_manager(GTK_WIDGET(self));

    gtk_orientable_set_orientation(GTK_ORIENTABLE(layout), GTK_ORIENTATION_VERTICAL);
}

GtkWidget *
bg_banner_box_new(void)
{
    return g_object_new(BG_TYPE_BANNER_BOX, NULL);
}
