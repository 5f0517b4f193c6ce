// SPDX-License-Identifier: Apache-2.0
// About, keyboard and mouse, preferences, and the first notice.
#include "app/bg-window-private.h"
#include "core/base/bg-i18n.h"
#include "ui/model/bg-settings.h"
#include "ui/panel/bg-form.h"

static void
on_about(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    gtk_show_about_dialog(
        GTK_WINDOW(user_data), "program-name", "bregma", "logo-icon-name", BG_APP_ID, "version",
        BG_VERSION, "license-type", GTK_LICENSE_APACHE_2_0, "comments",
        _("Looks at, combines and measures medical images before brain and bone surgery.\n\n"
          "Intended use: research and planning review. Not for diagnosis."),
        NULL);
}

static void
on_shortcuts(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    g_autoptr(GtkBuilder) builder =
        gtk_builder_new_from_resource("/org/bregma/Bregma/ui/shortcuts.ui");
    GtkWindow *window = GTK_WINDOW(gtk_builder_get_object(builder, "shortcuts"));

    gtk_window_set_transient_for(window, GTK_WINDOW(user_data));
    gtk_window_present(window);
}

static void
close_by_escape(GtkWindow *window)
{
    GtkEventController *keys = gtk_shortcut_controller_new();

    gtk_shortcut_controller_add_shortcut(GTK_SHORTCUT_CONTROLLER(keys),
                                         gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_Escape, 0),
                                                          gtk_named_action_new("window.close")));
    gtk_widget_add_controller(GTK_WIDGET(window), keys);
}

static void
on_preferences(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    g_autoptr(GtkBuilder) builder =
        gtk_builder_new_from_resource("/org/bregma/Bregma/ui/preferences.ui");
    GtkWindow *window = GTK_WINDOW(gtk_builder_get_object(builder, "preferences"));
    static const char *const combos[] = { "theme", "mouse-map", "engine", "networks-on",
                                          "networks-precision" };
    static const char *const spins[] = { "scale", "screenshot-width", "screenshot-height" };

    for (gsize i = 0; i < G_N_ELEMENTS(combos); i++)
        g_settings_bind(bg_settings_get(), combos[i], gtk_builder_get_object(builder, combos[i]),
                        "active-id", G_SETTINGS_BIND_DEFAULT);
    for (gsize i = 0; i < G_N_ELEMENTS(spins); i++)
        g_settings_bind(bg_settings_get(), spins[i], gtk_builder_get_object(builder, spins[i]),
                        "value", G_SETTINGS_BIND_DEFAULT);
    bg_form_name_inside(GTK_WIDGET(window));
    close_by_escape(window);
    gtk_window_set_transient_for(window, GTK_WINDOW(user_data));
    gtk_window_present(window);
}

static void
on_engine_changed(GSettings *settings, const char *key, gpointer user_data)
{
    bg_session_tell(BG_WINDOW(user_data)->session, BG_CHANGE_VIEW);
}

static void
on_networks_changed(GSettings *settings, const char *key, gpointer user_data)
{
    bg_session_tell(BG_WINDOW(user_data)->session, BG_CHANGE_MODELS);
}

static void
on_understood(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    g_settings_set_boolean(bg_settings_get(), "intended-use-seen", TRUE);
}

void
bg_window_init_help_actions(BgWindow *self)
{
    static const GActionEntry entries[] = {
        { "about", on_about, NULL, NULL, NULL },
        { "shortcuts", on_shortcuts, NULL, NULL, NULL },
        { "preferences", on_preferences, NULL, NULL, NULL },
        { "understood", on_understood, NULL, NULL, NULL },
    };

    g_action_map_add_action_entries(G_ACTION_MAP(self), entries, G_N_ELEMENTS(entries), self);
    g_signal_connect_object(bg_settings_get(), "changed::engine", G_CALLBACK(on_engine_changed),
                            self, 0);
    g_signal_connect_object(bg_settings_get(), "changed::networks-on",
                            G_CALLBACK(on_networks_changed), self, 0);
    g_signal_connect_object(bg_settings_get(), "changed::networks-precision",
                            G_CALLBACK(on_networks_changed), self, 0);
    if (!g_settings_get_boolean(bg_settings_get(), "intended-use-seen"))
        bg_window_tell(self, "info",
                       _("bregma is for research and planning review. It is not a medical device "
                         "and not for diagnosis."),
                       NULL, _("Understood"), "win.understood");
}
