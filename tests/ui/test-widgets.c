// SPDX-License-Identifier: Apache-2.0
// Every widget: made, shown with a case and without, destroyed; nothing stays behind.
#include "core/phantom/bg-phantom.h"
#include "ui/model/bg-session.h"
#include "ui/model/bg-settings.h"
#include "ui/panel/bg-banner-box.h"
#include "ui/panel/bg-inspector.h"
#include "ui/panel/bg-job-bar.h"
#include "ui/panel/bg-layers-panel.h"
#include "ui/panel/bg-start-page.h"
#include "ui/view/bg-pane.h"
#include "ui/view/bg-slice-view.h"
#include "ui/view/bg-tf-editor.h"
#include "ui/view/bg-volume-view.h"

#define SETTLE_MS 400

static gboolean
on_settled(gpointer done)
{
    *(gboolean *) done = TRUE;
    return G_SOURCE_REMOVE;
}

static void
settle(void)
{
    gboolean done = FALSE;

    g_timeout_add(SETTLE_MS, on_settled, &done);
    while (!done)
        g_main_context_iteration(NULL, TRUE);
}

static void
add_layer(BgSession *session, BgKind kind, const char *name, BgPayload *payload)
{
    BgCase *bg_case = bg_session_get_case(session);
    g_autoptr(BgLayer) layer = bg_layer_new(kind, name);
    g_autoptr(GError) error = NULL;

    g_free(layer->id);
    layer->id = bg_case_new_id(bg_case, "layer");
    layer->window_centre = 400.0;
    layer->window_width = 800.0;
    g_assert_true(bg_session_do(session, bg_command_add_layer(layer)));
    bg_case_set_payload(bg_case, layer->id, payload, &error);
    g_assert_no_error(error);
    bg_session_select(session, layer->id);
}

static BgSession *
new_session(void)
{
    BgSession *session = bg_session_new();
    const BgPhantomParams params = { BG_PHANTOM_HEAD, 32, 1, TRUE };
    g_autoptr(GError) error = NULL;
    g_autoptr(BgPhantom) phantom = bg_phantom_new(&params, NULL, NULL, &error);

    g_assert_no_error(error);
    BgPayload volume = { .volume = bg_phantom_find(phantom, "t1")->volume };
    BgPayload labels = { .labels = bg_phantom_find(phantom, "labels")->labels };
    add_layer(session, BG_KIND_VOLUME, "t1", &volume);
    add_layer(session, BG_KIND_LABELS, "labels", &labels);
    return session;
}

static gboolean
key_of_nothing(gpointer view, guint keyval, GdkModifierType state, gboolean pressed)
{
    return FALSE;
}

static GtkWidget *
new_slice(BgSession *session)
{
    return bg_slice_view_new(session, BG_PLANE_CORONAL);
}

static GtkWidget *
new_pane(BgSession *session)
{
    return bg_pane_new("axial", bg_slice_view_new(session, BG_PLANE_AXIAL), key_of_nothing);
}

static GtkWidget *
new_banners(BgSession *session)
{
    GtkWidget *box = bg_banner_box_new();
    BgBannerBox *banners = BG_BANNER_BOX(box);

    for (int i = 0; i < 5; i++) {
        g_autofree char *text = g_strdup_printf(
            "A message that is long enough to be wrapped in a window as narrow as this one, %d", i);
        bg_banner_box_tell(banners, i < 3 ? "error" : "caution", text, i == 1 ? "Details" : NULL,
                           NULL, NULL);
    }
    bg_banner_box_tell(banners, "info", "With an action", NULL, "Act", "win.act");
    bg_banner_box_tell(banners, "info", "With the same action", NULL, "Act", "win.act");
    return box;
}

static GtkWidget *
new_tf_editor(BgSession *session)
{
    return bg_tf_editor_new();
}

static const struct {
    const char *name;
    GtkWidget *(*make)(BgSession *session);
} widgets[] = {
    { "slice-view", new_slice },
    { "volume-view", bg_volume_view_new },
    { "pane", new_pane },
    { "tf-editor", new_tf_editor },
    { "inspector", bg_inspector_new },
    { "layers-panel", bg_layers_panel_new },
    { "job-bar", bg_job_bar_new },
    { "start-page", bg_start_page_new },
    { "banner-box", new_banners },
};

// In a window of @width: narrower than any that a person has, for what wraps.
static void
live(gsize which, BgSession *session, int width)
{
    GtkWidget *window = gtk_window_new();
    GtkWidget *widget = widgets[which].make(session);
    gpointer alive = widget;

    g_object_add_weak_pointer(G_OBJECT(widget), &alive);
    gtk_window_set_default_size(GTK_WINDOW(window), width, 500);
    gtk_window_set_child(GTK_WINDOW(window), widget);
    gtk_window_present(GTK_WINDOW(window));
    settle();
    bg_session_tell(session, BG_CHANGE_ALL);
    // Destroyed while pictures of it are being made.
    gtk_window_destroy(GTK_WINDOW(window));
    settle();
    g_assert_null(alive);
}

static void
test_life(gconstpointer data)
{
    gsize which = GPOINTER_TO_SIZE(data);
    BgSession *empty = bg_session_new();
    BgSession *full = new_session();
    gpointer alive = full;

    g_object_add_weak_pointer(G_OBJECT(full), &alive);
    live(which, empty, 340);
    live(which, full, 340);
    live(which, full, 900);
    g_object_unref(empty);
    g_object_unref(full);
    settle();
    g_assert_null(alive); // nobody keeps a session that nobody shows
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!gtk_init_check()) {
        g_print("1..0 # SKIP there is no display\n");
        return 0;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(widgets); i++) {
        g_autofree char *path = g_strconcat("/widgets/", widgets[i].name, NULL);
        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_life);
    }

    return g_test_run();
}
