// SPDX-License-Identifier: Apache-2.0
#include "app/bg-application.h"

#include "app/bg-stall-monitor.h"
#include "app/bg-window-private.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"
#include "core/decode/bg-decode.h"
#include "ui/model/bg-settings.h"
#include "ui/model/bg-theme.h"

struct _BgApplication {
    GtkApplication parent_instance;

    BgWindow *window; // borrowed, nullable
    char *demo;       // owned, nullable: what --demo says, until it is opened
    gboolean decoder_starts;
};

G_DEFINE_FINAL_TYPE(BgApplication, bg_application, GTK_TYPE_APPLICATION)

static BgWindow *
window_of(BgApplication *self)
{
    if (self->window != NULL)
        return self->window;

    self->window = bg_window_new(GTK_APPLICATION(self));
    g_object_add_weak_pointer(G_OBJECT(self->window), (gpointer *) &self->window);
    return self->window;
}

static gpointer
start_decoder(gpointer data)
{
    bg_decode_start(NULL); // why it failed is said when a file needs it
    return NULL;
}

// bregma-decode takes some 30 ms to start: once the window stands, ahead of the first file.
static gboolean
on_idle(gpointer data)
{
    g_thread_unref(g_thread_new("start-decoder", start_decoder, NULL));
    return G_SOURCE_REMOVE;
}

static void
bg_application_activate(GApplication *application)
{
    BgApplication *self = BG_APPLICATION(application);

    gtk_window_present(GTK_WINDOW(window_of(self)));
    if (self->demo != NULL)
        g_action_group_activate_action(G_ACTION_GROUP(self->window), "demo",
                                       g_variant_new_string(self->demo));
    g_clear_pointer(&self->demo, g_free);
    bg_stall_monitor_note("window shown");
    if (!self->decoder_starts)
        g_idle_add_full(G_PRIORITY_LOW, on_idle, NULL, NULL);
    self->decoder_starts = TRUE;
}

static void
bg_application_open(GApplication *application, GFile **files, int n_files, const char *hint)
{
    BgWindow *window = window_of(BG_APPLICATION(application));

    // Files that are named one by one are opened so; a folder among them is looked into first.
    g_autoptr(GPtrArray) folders = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < n_files; i++) {
        g_autofree char *path = g_file_get_path(files[i]);
        if (path != NULL && bg_window_may_hold_several(path))
            g_ptr_array_add(folders, g_steal_pointer(&path));
        else
            bg_window_open(window, files[i]);
    }
    g_ptr_array_add(folders, NULL);
    if (folders->len > 1)
        bg_window_open_all(window, (const char *const *) folders->pdata);
    g_application_activate(application);
}

static int
bg_application_handle_local_options(GApplication *application, GVariantDict *options)
{
    BgApplication *self = BG_APPLICATION(application);
    int threads = 0;

    if (g_variant_dict_contains(options, "version")) {
        g_print("bregma %s\n", BG_VERSION);
        return 0;
    }
    if (g_variant_dict_contains(options, "debug-stalls") || g_getenv("BREGMA_DEBUG_STALLS") != NULL)
        bg_stall_monitor_start();
    bg_parallel_set_niceness(8);
    if (g_variant_dict_lookup(options, "threads", "i", &threads) && threads > 0)
        bg_parallel_set_threads((guint) MIN(threads, 64));

    g_variant_dict_lookup(options, "demo", "s", &self->demo);

    return -1;
}

static void
on_quit(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    BgApplication *self = user_data;

    if (self->window != NULL)
        gtk_window_close(GTK_WINDOW(self->window)); // which asks when work could be lost
    else
        g_application_quit(G_APPLICATION(self));
}

static void
add_accelerators(GtkApplication *application)
{
    static const struct {
        const char *action;
        const char *keys[3];
    } table[] = {
        { "app.quit", { "<Control>q" } },
        { "win.open", { "<Control>o" } },
        { "win.open-folder", { "<Control><Shift>o" } },
        { "win.new", { "<Control>n" } },
        { "win.save", { "<Control>s" } },
        { "win.save-as", { "<Control><Alt>s" } },
        { "win.screenshot", { "<Control><Shift>s" } },
        { "win.copy-picture", { "<Control><Shift>c" } },
        { "win.undo", { "<Control>z" } },
        { "win.redo", { "<Control><Shift>z", "<Control>y" } },
        { "win.undo-view", { "<Alt>Left" } },
        { "win.redo-view", { "<Alt>Right" } },
        { "win.show-left", { "F9" } },
        { "win.show-right", { "F10" } },
        { "win.preferences", { "<Control>comma" } },
        { "win.shortcuts", { "<Control>question", "F1" } },
        { "win.fullscreen", { "F11" } },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        gtk_application_set_accels_for_action(application, table[i].action, table[i].keys);
}

static void
bg_application_startup(GApplication *application)
{
    static const GActionEntry entries[] = { { "quit", on_quit, NULL, NULL, NULL } };

    G_APPLICATION_CLASS(bg_application_parent_class)->startup(application);
    g_action_map_add_action_entries(G_ACTION_MAP(application), entries, G_N_ELEMENTS(entries),
                                    application);
    bg_theme_init();
    gtk_window_set_default_icon_name(BG_APP_ID);
    add_accelerators(GTK_APPLICATION(application));
}

static void
bg_application_shutdown(GApplication *application)
{
    bg_stall_monitor_report();
    G_APPLICATION_CLASS(bg_application_parent_class)->shutdown(application);
}

static void
bg_application_dispose(GObject *object)
{
    BgApplication *self = BG_APPLICATION(object);

    if (self->window != NULL)
        g_object_remove_weak_pointer(G_OBJECT(self->window), (gpointer *) &self->window);
    self->window = NULL;
    g_clear_pointer(&self->demo, g_free);

    G_OBJECT_CLASS(bg_application_parent_class)->dispose(object);
}

static void
bg_application_class_init(BgApplicationClass *klass)
{
    GApplicationClass *application_class = G_APPLICATION_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_application_dispose;
    application_class->activate = bg_application_activate;
    application_class->open = bg_application_open;
    application_class->startup = bg_application_startup;
    application_class->shutdown = bg_application_shutdown;
    application_class->handle_local_options = bg_application_handle_local_options;
}

static void
bg_application_init(BgApplication *self)
{
    const GOptionEntry options[] = {
        { "version", 0, 0, G_OPTION_ARG_NONE, NULL, "print the version", NULL },
        { "threads", 0, 0, G_OPTION_ARG_INT, NULL, "how many threads compute", "N" },
        { "demo", 0, 0, G_OPTION_ARG_STRING, NULL, "open a demonstration case: head or phantom",
          "NAME" },
        { "debug-stalls", 0, 0, G_OPTION_ARG_NONE, NULL, "print the longest turn of the main loop",
          NULL },
        { NULL },
    };

    g_application_add_main_option_entries(G_APPLICATION(self), options);
}

BgApplication *
bg_application_new(void)
{
    return g_object_new(BG_TYPE_APPLICATION, "application-id", BG_APP_ID, "resource-base-path",
                        "/org/bregma/Bregma", "flags", G_APPLICATION_HANDLES_OPEN, NULL);
}
