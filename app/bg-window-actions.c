// SPDX-License-Identifier: Apache-2.0
// The actions win.*: what menus, buttons and keys do.
#include "app/bg-demo.h"
#include "app/bg-window-private.h"
#include "core/base/bg-i18n.h"
#include "ui/dialog/bg-raw-dialog.h"
#include "ui/dialog/bg-train-dialog.h"
#include "ui/model/bg-plan.h"
#include "ui/model/bg-points.h"
#include "ui/model/bg-settings.h"
#include "ui/view/bg-slice-view.h"

static void
on_open_response(GtkNativeDialog *dialog, int response, gpointer user_data)
{
    BgWindow *self = user_data;
    gboolean labels = g_object_get_data(G_OBJECT(dialog), "labels") != NULL;

    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GListModel) files = gtk_file_chooser_get_files(GTK_FILE_CHOOSER(dialog));
        g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
        for (guint i = 0; i < g_list_model_get_n_items(files); i++) {
            g_autoptr(GFile) file = g_list_model_get_item(files, i);
            g_autofree char *path = g_file_get_path(file);
            if (labels && path != NULL)
                bg_session_open_as(self->session, path, BG_LOAD_LABELS);
            else if (path != NULL)
                g_ptr_array_add(paths, g_steal_pointer(&path));
            else
                bg_window_open(self, file); // tells that it is elsewhere
        }
        g_ptr_array_add(paths, NULL);
        if (paths->len > 1)
            bg_window_open_all(self, (const char *const *) paths->pdata);
    }
    g_object_unref(dialog);
}

static void
choose_files(BgWindow *self, gboolean labels)
{
    GtkFileChooserNative *dialog =
        gtk_file_chooser_native_new(labels ? _("Open as Labels") : _("Open"), GTK_WINDOW(self),
                                    GTK_FILE_CHOOSER_ACTION_OPEN, _("_Open"), _("_Cancel"));

    gtk_file_chooser_set_select_multiple(GTK_FILE_CHOOSER(dialog), TRUE);
    if (labels)
        g_object_set_data(G_OBJECT(dialog), "labels", dialog);
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect(dialog, "response", G_CALLBACK(on_open_response), self);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static void
on_open(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    choose_files(user_data, FALSE);
}

static void
on_open_labels(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    choose_files(user_data, TRUE);
}

static void
on_load_points(GSimpleAction *action, GVariant *path, gpointer user_data)
{
    bg_points_load(BG_WINDOW(user_data)->session, g_variant_get_string(path, NULL));
}

static void
on_save_points(GSimpleAction *action, GVariant *path, gpointer user_data)
{
    bg_points_save(BG_WINDOW(user_data)->session, g_variant_get_string(path, NULL));
}

static void
on_save_slices(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    BgPlan plan = { .on_surface = TRUE, .shape = BG_PRISM_POLYGON };
    const char *path;

    g_variant_get(parameter, "(&sd)", &path, &plan.depth_mm);
    bg_plan_save_slices(BG_WINDOW(user_data)->session, &plan, path);
}

static void
on_open_path(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    const char *paths[] = { g_variant_get_string(parameter, NULL), NULL };

    bg_window_open_all(user_data, paths);
}

static void
on_open_paths(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    g_autofree const char **paths = g_variant_get_strv(parameter, NULL);

    if (paths[0] != NULL)
        bg_window_open_all(user_data, paths);
}

static void
on_open_raw(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    bg_raw_dialog_present(GTK_WINDOW(user_data), BG_WINDOW(user_data)->session,
                          g_variant_get_string(parameter, NULL));
}

static void
on_train(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    bg_train_dialog_present(GTK_WINDOW(user_data), BG_WINDOW(user_data)->session);
}

static void
on_folder_response(GtkNativeDialog *dialog, int response, gpointer user_data)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) folder = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
        g_autofree char *path = g_file_get_path(folder);
        const char *paths[] = { path, NULL };
        if (path != NULL)
            bg_window_open_all(user_data, paths);
    }
    g_object_unref(dialog);
}

static void
on_open_folder(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        _("Open a Folder or CD"), GTK_WINDOW(user_data), GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER,
        _("_Open"), _("_Cancel"));

    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect(dialog, "response", G_CALLBACK(on_folder_response), user_data);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static void
on_demo(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    bg_demo_open(user_data, g_variant_get_string(parameter, NULL));
}

static void
on_undo(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    bg_case_undo(bg_session_get_case(BG_WINDOW(user_data)->session));
}

static void
on_redo(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    bg_case_redo(bg_session_get_case(BG_WINDOW(user_data)->session));
}

static void
on_undo_view(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    bg_case_undo_view(bg_session_get_case(BG_WINDOW(user_data)->session));
}

static void
on_redo_view(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    bg_case_redo_view(bg_session_get_case(BG_WINDOW(user_data)->session));
}

static void
on_layout(GSimpleAction *action, GVariant *value, gpointer user_data)
{
    BgWindow *self = user_data;

    self->maximised = -1;
    bg_session_do(self->session, bg_command_set_layout(g_variant_get_string(value, NULL)));
    bg_window_arrange(self);
    g_simple_action_set_state(action, value);
}

static const char *const tool_names[] = { "crosshair", "window", "ruler",  "angle", "point",
                                          "move",      "brush",  "eraser", "fill" };

static void
on_tool(GSimpleAction *action, GVariant *value, gpointer user_data)
{
    BgWindow *self = user_data;
    const char *name = g_variant_get_string(value, NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(tool_names); i++)
        if (g_str_equal(tool_names[i], name)) {
            BgTool now = bg_session_get_tool(self->session);
            bg_session_set_tool(self->session, now == (BgTool) i ? BG_TOOL_CROSSHAIR : (BgTool) i);
        }
}

static void
on_hide_patient(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    BgWindow *self = user_data;

    self->patient_hidden = !self->patient_hidden;
    bg_session_tell(self->session, BG_CHANGE_CASE);
}

static void
on_show_left(GSimpleAction *action, GVariant *value, gpointer user_data)
{
    gtk_widget_set_visible(BG_WINDOW(user_data)->left_box, g_variant_get_boolean(value));
    g_settings_set_value(bg_settings_get(), "show-left", value);
    g_simple_action_set_state(action, value);
}

static void
on_show_right(GSimpleAction *action, GVariant *value, gpointer user_data)
{
    gtk_widget_set_visible(BG_WINDOW(user_data)->right_box, g_variant_get_boolean(value));
    g_settings_set_value(bg_settings_get(), "show-right", value);
    g_simple_action_set_state(action, value);
}

static void
on_toggle(GSimpleAction *action, GVariant *value, gpointer user_data)
{
    static const char *const names[BG_N_TOGGLES] = { "show-annotations", "show-crosshair",
                                                     "show-overlays", "show-labels" };

    for (int i = 0; i < BG_N_TOGGLES; i++)
        if (g_str_equal(names[i], g_action_get_name(G_ACTION(action))))
            bg_session_set_toggle(BG_WINDOW(user_data)->session, (BgToggle) i,
                                  g_variant_get_boolean(value));
}

static void
on_radiological(GSimpleAction *action, GVariant *value, gpointer user_data)
{
    bg_session_do(BG_WINDOW(user_data)->session,
                  bg_command_set_convention(g_variant_get_boolean(value)));
}

static void
on_fullscreen(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    GtkWindow *window = user_data;

    if (gtk_window_is_fullscreen(window))
        gtk_window_unfullscreen(window);
    else
        gtk_window_fullscreen(window);
}

static void
set_enabled(BgWindow *self, const char *name, gboolean enabled)
{
    GAction *action = g_action_map_lookup_action(G_ACTION_MAP(self), name);

    if (action != NULL)
        g_simple_action_set_enabled(G_SIMPLE_ACTION(action), enabled);
}

static void
set_state(BgWindow *self, const char *name, GVariant *state)
{
    GAction *action = g_action_map_lookup_action(G_ACTION_MAP(self), name);

    g_simple_action_set_state(G_SIMPLE_ACTION(action), state);
}

static void
update_history(BgWindow *self)
{
    BgCase *bg_case = bg_session_get_case(self->session);
    const char *undo = bg_case_get_undo_title(bg_case);
    const char *redo = bg_case_get_redo_title(bg_case);
    // Translators: %s is what is undone: "Window", "Open file"
    g_autofree char *undo_text = undo != NULL ? g_strdup_printf(_("Undo %s (Ctrl+Z)"), undo) : NULL;
    // Translators: %s is what is done again
    g_autofree char *redo_text =
        redo != NULL ? g_strdup_printf(_("Redo %s (Ctrl+Shift+Z)"), redo) : NULL;

    set_enabled(self, "undo", undo != NULL);
    set_enabled(self, "redo", redo != NULL);
    set_enabled(self, "undo-view", bg_case_can_undo_view(bg_case));
    set_enabled(self, "redo-view", bg_case_can_redo_view(bg_case));
    gtk_widget_set_tooltip_text(self->undo_button, undo != NULL ? undo_text : _("Undo"));
    gtk_widget_set_tooltip_text(self->redo_button, redo != NULL ? redo_text : _("Redo"));
}

void
bg_window_update_actions(BgWindow *self)
{
    BgSession *session = self->session;
    const BgCaseState *state = bg_session_get_state(session);
    gboolean any = !bg_session_is_empty(session);

    update_history(self);
    set_enabled(self, "demo", !any);
    set_enabled(self, "screenshot", any);
    set_enabled(self, "copy-picture", any);
    set_enabled(self, "save-report", any);
    set_enabled(self, "save", any);
    set_enabled(self, "save-as", any);
    set_enabled(self, "export-measurements", state->measurements->len > 0);
    set_state(self, "tool", g_variant_new_string(tool_names[bg_session_get_tool(session)]));
    set_state(self, "layout",
              g_variant_new_string(state->layout != NULL && state->layout[0] != '\0' ? state->layout
                                                                                     : "planning"));
    set_state(self, "radiological", g_variant_new_boolean(state->radiological));
    set_state(self, "show-annotations",
              g_variant_new_boolean(bg_session_get_toggle(session, BG_TOGGLE_ANNOTATIONS)));
    set_state(self, "show-crosshair",
              g_variant_new_boolean(bg_session_get_toggle(session, BG_TOGGLE_CROSSHAIR)));
    set_state(self, "show-overlays",
              g_variant_new_boolean(bg_session_get_toggle(session, BG_TOGGLE_OVERLAYS)));
    set_state(self, "show-labels",
              g_variant_new_boolean(bg_session_get_toggle(session, BG_TOGGLE_LABELS)));
}

void
bg_window_init_actions(BgWindow *self)
{
    static const GActionEntry entries[] = {
        { "open", on_open, NULL, NULL, NULL },
        { "open-labels", on_open_labels, NULL, NULL, NULL },
        { "open-path", on_open_path, "s", NULL, NULL },
        { "open-paths", on_open_paths, "as", NULL, NULL },
        { "open-raw", on_open_raw, "s", NULL, NULL },
        { "train", on_train, NULL, NULL, NULL },
        { "open-folder", on_open_folder, NULL, NULL, NULL },
        { "load-points", on_load_points, "s", NULL, NULL },
        { "save-points", on_save_points, "s", NULL, NULL },
        { "save-slices", on_save_slices, "(sd)", NULL, NULL },
        { "demo", on_demo, "s", NULL, NULL },
        { "undo", on_undo, NULL, NULL, NULL },
        { "redo", on_redo, NULL, NULL, NULL },
        { "undo-view", on_undo_view, NULL, NULL, NULL },
        { "redo-view", on_redo_view, NULL, NULL, NULL },
        { "layout", NULL, "s", "'planning'", on_layout },
        { "tool", NULL, "s", "'crosshair'", on_tool },
        { "hide-patient", on_hide_patient, NULL, NULL, NULL },
        { "show-left", NULL, NULL, "true", on_show_left },
        { "show-right", NULL, NULL, "true", on_show_right },
        { "show-annotations", NULL, NULL, "true", on_toggle },
        { "show-crosshair", NULL, NULL, "true", on_toggle },
        { "show-overlays", NULL, NULL, "true", on_toggle },
        { "show-labels", NULL, NULL, "true", on_toggle },
        { "radiological", NULL, NULL, "true", on_radiological },
        { "fullscreen", on_fullscreen, NULL, NULL, NULL },
    };

    g_action_map_add_action_entries(G_ACTION_MAP(self), entries, G_N_ELEMENTS(entries), self);
    bg_window_init_export_actions(self);
    bg_window_init_case_actions(self);
    bg_window_init_help_actions(self);
    g_action_group_change_action_state(G_ACTION_GROUP(self), "show-left",
                                       g_settings_get_value(bg_settings_get(), "show-left"));
    g_action_group_change_action_state(G_ACTION_GROUP(self), "show-right",
                                       g_settings_get_value(bg_settings_get(), "show-right"));
    bg_window_update_actions(self);
}
