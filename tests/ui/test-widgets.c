// SPDX-License-Identifier: Apache-2.0
// Every widget: made, shown with a case and without, destroyed; nothing stays behind.
#include "core/annotate/bg-annotations.h"
#include "core/phantom/bg-phantom.h"
#include "ui/model/bg-session.h"
#include "ui/model/bg-settings.h"
#include "ui/panel/bg-banner-box.h"
#include "ui/panel/bg-inspector.h"
#include "ui/panel/bg-job-bar.h"
#include "ui/panel/bg-layers-panel.h"
#include "ui/panel/bg-start-page.h"
#include "ui/view/bg-pane.h"
#include "ui/view/bg-slice-scene.h"
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

// The words in a pane that shows @session, as "title|window|other window"
static char *
words_of(BgSession *session)
{
    g_autoptr(BgSliceScene) scene = bg_slice_scene_new(session, BG_PLANE_AXIAL, 900, 700);
    g_autoptr(GArray) marks =
        bg_slice_marks(session, BG_PLANE_AXIAL, bg_slice_scene_get_frame(scene), 1.0, FALSE);
    GString *words = g_string_new(NULL);

    for (guint i = 0; i < marks->len; i++) {
        const BgMark *mark = &g_array_index(marks, BgMark, i);
        if (mark->role == BG_MARK_ROLE_TITLE || mark->role == BG_MARK_ROLE_WINDOW)
            g_string_append_printf(words, "%s%s", words->len > 0 ? "|" : "", mark->text);
    }
    return g_string_free(words, FALSE);
}

static void
expect_words(BgSession *session, const char *expected)
{
    g_autofree char *words = words_of(session);

    g_assert_cmpstr(words, ==, expected);
}

// The value in the pane is that of @volume under the crosshair.
static void
expect_value(BgSession *session, BgVolume *volume)
{
    g_autoptr(BgSliceScene) scene = bg_slice_scene_new(session, BG_PLANE_AXIAL, 900, 700);
    g_autoptr(GArray) marks =
        bg_slice_marks(session, BG_PLANE_AXIAL, bg_slice_scene_get_frame(scene), 1.0, FALSE);
    const BgMark *mark = bg_annotations_find(marks, BG_MARK_ROLE_POSITION);
    double value;

    g_assert_nonnull(mark);
    const BgVec3 at_mm = bg_session_get_state(session)->cursor_mm;
    g_assert_true(bg_volume_sample_linear(volume, at_mm, &value));
    g_autofree char *text = g_strdup_printf("mm   %.*f", fabs(value) < 10.0 ? 2 : 0, value);
    g_assert_nonnull(strstr(mark->text, text));
}

// A pane names what it draws, whatever layer is selected: a wrong name is a wrong picture.
static void
test_names(void)
{
    BgSession *session = bg_session_new();
    const BgPhantomParams params = { BG_PHANTOM_HEAD, 32, 1, TRUE };
    g_autoptr(BgPhantom) phantom = bg_phantom_new(&params, NULL, NULL, NULL);
    BgPayload t1 = { .volume = bg_phantom_find(phantom, "t1")->volume };
    BgPayload t2 = { .volume = bg_phantom_find(phantom, "t2")->volume };

    add_layer(session, BG_KIND_VOLUME, "t1", &t1);
    add_layer(session, BG_KIND_VOLUME, "t2", &t2);
    const BgLayer *layer = bg_session_get_state(session)->layers->pdata[0];
    g_autofree char *below = g_strdup(layer->id);
    layer = bg_session_get_state(session)->layers->pdata[1];
    g_autofree char *above = g_strdup(layer->id);
    g_assert_true(bg_session_do(session, bg_command_set_window(above, 15.0, 30.0)));

    bg_session_select(session, above);
    expect_words(session, "AXIAL  t2|W 30 L 15");
    expect_value(session, t2.volume);
    bg_session_select(session,
                      below); // behind the other, but its window is what the pointer changes
    expect_words(session, "AXIAL  t2|W 30 L 15|t1  W 800 L 400");
    expect_value(session, t2.volume);
    g_assert_true(bg_session_do(session, bg_command_set_visible(below, FALSE)));
    expect_words(session, "AXIAL  t2|W 30 L 15");
    expect_value(session, t2.volume);
    g_assert_true(bg_session_do(session, bg_command_set_visible(below, TRUE)));
    g_assert_true(bg_session_do(session, bg_command_set_opacity(above, 0.5)));
    expect_words(session, "AXIAL  t1|W 800 L 400");
    expect_value(session, t1.volume);
    bg_session_select(session, above);
    expect_words(session, "AXIAL  t1|W 800 L 400|t2  W 30 L 15");
    g_assert_true(bg_session_do(session, bg_command_set_visible(above, FALSE)));
    expect_words(session, "AXIAL  t1|W 800 L 400");
    g_assert_true(bg_session_do(session, bg_command_set_visible(below, FALSE)));
    expect_words(session, "AXIAL"); // nothing is drawn, nothing is named
    g_object_unref(session);
    settle();
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

    g_test_add_func("/widgets/slice-view/names", test_names);

    return g_test_run();
}
