// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-theme.h"

#include "ui/model/bg-settings.h"

#define BASE_DPI 96
#define XFT_DPI_UNIT 1024

static GtkCssProvider *palette; // owned, for the life of the program
static int system_xft_dpi;

static void
on_theme_changed(GSettings *settings, const char *key, gpointer user_data)
{
    g_autofree char *theme = g_settings_get_string(settings, "theme");
    g_autofree char *path = g_strdup_printf("/org/bregma/Bregma/style-%s.css", theme);

    gtk_css_provider_load_from_resource(palette, path);
    g_object_set(gtk_settings_get_default(), "gtk-application-prefer-dark-theme",
                 !g_str_equal(theme, "light"), NULL);
}

static void
on_scale_changed(GSettings *settings, const char *key, gpointer user_data)
{
    int percent = g_settings_get_int(settings, "scale");
    int dpi = system_xft_dpi > 0 ? system_xft_dpi : BASE_DPI * XFT_DPI_UNIT;

    g_object_set(gtk_settings_get_default(), "gtk-xft-dpi", dpi * percent / 100, NULL);
}

void
bg_theme_init(void)
{
    GdkDisplay *display = gdk_display_get_default();
    GSettings *settings = bg_settings_get();
    g_autoptr(GtkCssProvider) style = gtk_css_provider_new();

    g_object_get(gtk_settings_get_default(), "gtk-xft-dpi", &system_xft_dpi, NULL);
    palette = gtk_css_provider_new();
    gtk_css_provider_load_from_resource(style, "/org/bregma/Bregma/style.css");
    gtk_style_context_add_provider_for_display(display, GTK_STYLE_PROVIDER(palette),
                                               GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
    gtk_style_context_add_provider_for_display(display, GTK_STYLE_PROVIDER(style),
                                               GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);

    g_signal_connect(settings, "changed::theme", G_CALLBACK(on_theme_changed), NULL);
    g_signal_connect(settings, "changed::scale", G_CALLBACK(on_scale_changed), NULL);
    on_theme_changed(settings, NULL, NULL);
    if (g_settings_get_int(settings, "scale") != 100)
        on_scale_changed(settings, NULL, NULL);
}
