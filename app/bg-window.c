// SPDX-License-Identifier: Apache-2.0
#include "app/bg-window.h"

#include "app/bg-stall-monitor.h"
#include "app/bg-window-private.h"
#include "core/base/bg-i18n.h"
#include "core/case/bg-project.h"
#include "ui/dialog/bg-import-page.h"
#include "ui/panel/bg-banner-box.h"
#include "ui/panel/bg-inspector.h"
#include "ui/panel/bg-job-bar.h"
#include "ui/panel/bg-layers-panel.h"
#include "ui/panel/bg-start-page.h"
#include "ui/view/bg-photo-view.h"
#include "ui/view/bg-slice-view.h"
#include "ui/view/bg-volume-view.h"

G_DEFINE_FINAL_TYPE(BgWindow, bg_window, GTK_TYPE_APPLICATION_WINDOW)

enum {
    PANE_AXIAL,
    PANE_VOLUME,
    PANE_CORONAL,
    PANE_SAGITTAL,
    PANE_PHOTO,
    PANE_RENDER,
    PANE_OVERLAY,
};

#define N_PLACES 4

/*
 * A layout is which pane stands where: column, row, columns, rows of the grid. Others are added
 * here, without touching the views.
 */
typedef struct {
    const char *id;
    const char *name;
    struct {
        int pane, column, row, columns, rows;
    } places[N_PLACES];
} Layout;

static const Layout layouts[] = {
    { "planning",
      N_("Planning"),
      { { PANE_AXIAL, 0, 0, 1, 1 },
        { PANE_VOLUME, 1, 0, 1, 1 },
        { PANE_CORONAL, 0, 1, 1, 1 },
        { PANE_SAGITTAL, 1, 1, 1, 1 } } },
    { "volume",
      N_("3D"),
      { { PANE_VOLUME, 0, 0, 2, 3 },
        { PANE_AXIAL, 2, 0, 1, 1 },
        { PANE_CORONAL, 2, 1, 1, 1 },
        { PANE_SAGITTAL, 2, 2, 1, 1 } } },
    { "fusion",
      N_("Fusion"),
      { { PANE_RENDER, 0, 0, 1, 1 },
        { PANE_PHOTO, 1, 0, 1, 1 },
        { PANE_OVERLAY, 0, 1, 1, 1 },
        { PANE_AXIAL, 1, 1, 1, 1 } } },
};

BgSession *
bg_window_get_session(BgWindow *self)
{
    return self->session;
}

static const Layout *
current_layout(BgWindow *self)
{
    const char *id = bg_session_get_state(self->session)->layout;

    for (gsize i = 0; i < G_N_ELEMENTS(layouts); i++)
        if (g_strcmp0(layouts[i].id, id) == 0)
            return &layouts[i];

    return &layouts[0];
}

void
bg_window_arrange(BgWindow *self)
{
    const Layout *layout = current_layout(self);
    GtkGrid *grid = GTK_GRID(self->panes_grid);
    gboolean shown = FALSE;

    for (int i = 0; i < N_PLACES; i++)
        shown = shown || self->maximised == layout->places[i].pane;
    if (!shown)
        self->maximised = -1; // it is not in this layout
    for (int i = 0; i < BG_N_PANES; i++)
        if (gtk_widget_get_parent(GTK_WIDGET(self->panes[i])) != NULL)
            gtk_grid_remove(grid, GTK_WIDGET(self->panes[i]));
    for (int i = 0; i < N_PLACES; i++) {
        GtkWidget *pane = GTK_WIDGET(self->panes[layout->places[i].pane]);

        if (self->maximised == layout->places[i].pane)
            gtk_grid_attach(grid, pane, 0, 0, 1, 1);
        else if (self->maximised < 0)
            gtk_grid_attach(grid, pane, layout->places[i].column, layout->places[i].row,
                            layout->places[i].columns, layout->places[i].rows);
    }
}

static void
on_maximise(BgPane *pane, gpointer user_data)
{
    BgWindow *self = user_data;
    int which = 0;

    while (self->panes[which] != pane)
        which++;
    self->maximised = self->maximised == which ? -1 : which;
    bg_window_arrange(self);
    gtk_widget_grab_focus(bg_pane_get_view(pane));
}

BgPane *
bg_window_get_active_pane(BgWindow *self)
{
    for (int i = 0; i < BG_N_PANES; i++)
        if (gtk_widget_get_mapped(GTK_WIDGET(self->panes[i])) &&
            bg_pane_has_pointer(self->panes[i]))
            return self->panes[i];
    for (int i = 0; i < BG_N_PANES; i++)
        if (gtk_widget_get_mapped(GTK_WIDGET(self->panes[i])) &&
            (gtk_widget_get_state_flags(GTK_WIDGET(self->panes[i])) & GTK_STATE_FLAG_FOCUS_WITHIN))
            return self->panes[i];

    return NULL;
}

static void
update_patient(BgWindow *self)
{
    const BgPatient *patient = &bg_session_get_state(self->session)->patient;
    g_autofree char *date = bg_format_date(bg_session_get_state(self->session)->study_date);
    g_autofree char *birth_date = bg_format_date(patient->birth_date);
    GString *text = g_string_new(NULL);
    const char *parts[] = { patient->name, patient->id, birth_date, patient->sex, date };

    if (self->patient_hidden)
        g_string_append(text, _("Patient hidden"));
    for (gsize i = 0; !self->patient_hidden && i < G_N_ELEMENTS(parts); i++)
        if (parts[i] != NULL && parts[i][0] != '\0')
            g_string_append_printf(text, "%s%s", text->len > 0 ? "  ·  " : "", parts[i]);
    if (text->len == 0)
        g_string_append(text, bg_session_is_empty(self->session) ? "bregma"
                                                                 : _("Patient not in the files"));
    gtk_label_set_text(GTK_LABEL(self->patient_label), text->str);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->patient_button),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, text->str, -1);
    g_string_free(text, TRUE);
}

// A folder, or a file that is called like an archive, as this is asked before anything is read. One that
// is called otherwise is known by its content where it is opened.
gboolean
bg_window_may_hold_several(const char *path)
{
    static const char *const suffixes[] = { ".zip", ".tar", ".tgz",    ".tar.gz",
                                            ".7z",  ".iso", "dicomdir" };
    g_autofree char *lower = g_ascii_strdown(path, -1); // discs shout

    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++)
        if (g_str_has_suffix(lower, suffixes[i]))
            return TRUE;
    return FALSE;
}

// Whether a job runs of which something may come into the case: a training is none.
static gboolean
awaits_something(BgWindow *self)
{
    GListModel *jobs = bg_session_get_jobs(self->session);
    gboolean any = FALSE;

    for (guint i = 0; !any && i < g_list_model_get_n_items(jobs); i++) {
        g_autoptr(BgJob) job = g_list_model_get_item(jobs, i);
        any = !bg_job_is_aside(job);
    }
    return any;
}

// What is being opened finds its panes there: the first picture then has only itself to draw.
static void
show_page(BgWindow *self)
{
    gboolean empty = bg_session_is_empty(self->session) && !awaits_something(self);

    gtk_stack_set_visible_child_name(GTK_STACK(self->stack), self->importing ? "import"
                                                             : empty         ? "empty"
                                                                             : "work");
}

static gboolean
on_jobs_settled(gpointer user_data)
{
    BgWindow *self = user_data;

    self->settle_id = 0;
    show_page(self);
    return G_SOURCE_REMOVE;
}

// A job that ends is gone before its result comes.
static void
on_jobs_changed(GListModel *jobs, guint position, guint n_removed, guint n_added,
                gpointer user_data)
{
    BgWindow *self = user_data;

    if (n_added > 0)
        show_page(self);
    else if (self->settle_id == 0)
        self->settle_id = g_idle_add(on_jobs_settled, self);
}

static void
on_import_closed(BgImportPage *page, gpointer user_data)
{
    BgWindow *self = user_data;

    self->importing = FALSE;
    show_page(self);
}

void
bg_window_open_all(BgWindow *self, const char *const *paths)
{
    guint n = g_strv_length((GStrv) paths);

    // What a single file is, is looked at where it is opened; a case always stands for itself.
    if (n == 1 &&
        (g_str_has_suffix(paths[0], BG_PROJECT_SUFFIX) || !bg_window_may_hold_several(paths[0]))) {
        bg_session_open(self->session, paths[0]);
        return;
    }
    self->importing = TRUE;
    show_page(self);
    bg_import_page_look_at(BG_IMPORT_PAGE(self->import_page), paths);
}

static void
on_session_changed(BgSession *session, guint changes, gpointer user_data)
{
    BgWindow *self = user_data;

    if (changes & (BG_CHANGE_LAYERS | BG_CHANGE_CASE)) {
        gboolean empty = bg_session_is_empty(session), was_empty = self->was_empty;
        self->was_empty = empty;
        show_page(self);
        if (was_empty && !empty)
            bg_stall_monitor_note("first layer shown");
        if (was_empty && !empty && !self->importing)
            gtk_widget_grab_focus(bg_pane_get_view(self->panes[PANE_AXIAL]));
        update_patient(self);
    }
    if (changes & BG_CHANGE_CASE)
        bg_window_arrange(self);
    bg_window_update_actions(self);
}

static void
on_failed(BgSession *session, const char *message, const char *details, gpointer user_data)
{
    bg_window_tell(user_data, "error", message, details, NULL, NULL);
}

static void
on_unknown_file(BgSession *session, const char *path, const char *message, gpointer user_data)
{
    g_autofree char *action =
        g_action_print_detailed_name("win.open-raw", g_variant_new_string(path));

    bg_window_tell(user_data, "error", message, NULL, _("Open as voxels…"), action);
}

// What is looked at already stays: then it is only told.
static void
on_too_large(BgSession *session, const char *path, const char *message, gpointer user_data)
{
    BgWindow *self = user_data;
    const char *const paths[] = { path, NULL };

    bg_window_tell(self, "error", message, NULL, NULL, NULL);
    if (self->importing)
        return;
    self->importing = TRUE;
    show_page(self);
    bg_import_page_look_at(BG_IMPORT_PAGE(self->import_page), paths);
}

void
bg_window_tell(BgWindow *self, const char *css_class, const char *message, const char *details,
               const char *action_label, const char *action)
{
    bg_banner_box_tell(BG_BANNER_BOX(self->banners), css_class, message, details, action_label,
                       action);
}

void
bg_window_open(BgWindow *self, GFile *file)
{
    g_autofree char *path = g_file_get_path(file);
    g_autofree char *uri = g_file_get_uri(file);

    if (path != NULL) {
        const char *paths[] = { path, NULL };
        bg_window_open_all(self, paths);
        return;
    }
    g_autofree char *message =
        // Translators: %s is an address
        g_strdup_printf(_("“%s” is not on this computer: copy it here and open the copy."), uri);
    bg_window_tell(self, "error", message, NULL, NULL, NULL);
}

static void
open_files(BgWindow *self, GSList *files)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

    for (GSList *l = files; l != NULL; l = l->next) {
        char *path = g_file_get_path(l->data);
        if (path != NULL)
            g_ptr_array_add(paths, path);
        else
            bg_window_open(self, l->data); // tells that it is elsewhere
    }
    g_ptr_array_add(paths, NULL);
    if (paths->len > 1)
        bg_window_open_all(self, (const char *const *) paths->pdata);
}

// Letters and arrows go to the pane under the pointer, unless somebody is typing.
static gboolean
typing(BgWindow *self)
{
    GtkWidget *focus = gtk_window_get_focus(GTK_WINDOW(self));

    return focus != NULL && (GTK_IS_EDITABLE(focus) || GTK_IS_TEXT_VIEW(focus) ||
                             gtk_widget_get_ancestor(focus, GTK_TYPE_POPOVER) != NULL);
}

static gboolean
focus_wants(BgWindow *self, guint keyval, BgPane *pane)
{
    GtkWidget *focus = gtk_window_get_focus(GTK_WINDOW(self));
    gunichar letter = gdk_keyval_to_unicode(keyval);

    if (focus == NULL || gtk_widget_is_ancestor(focus, GTK_WIDGET(pane)) ||
        (letter > ' ' && letter != 127))
        return FALSE;

    return gtk_widget_is_ancestor(focus, self->left_box) ||
           gtk_widget_is_ancestor(focus, self->right_box);
}

static gboolean
forward_key(BgWindow *self, guint keyval, GdkModifierType state, gboolean pressed)
{
    BgPane *pane = bg_window_get_active_pane(self);

    if (typing(self))
        return FALSE;
    if (pressed && keyval == GDK_KEY_question) {
        gtk_widget_activate_action(GTK_WIDGET(self), "win.shortcuts", NULL);
        return TRUE;
    }
    if (pane == NULL || focus_wants(self, keyval, pane))
        return FALSE;

    return bg_pane_key(pane, keyval, state, pressed);
}

static gboolean
on_key_pressed(GtkEventControllerKey *controller, guint keyval, guint keycode,
               GdkModifierType state, gpointer user_data)
{
    return forward_key(user_data, keyval, state, TRUE);
}

static void
on_key_released(GtkEventControllerKey *controller, guint keyval, guint keycode,
                GdkModifierType state, gpointer user_data)
{
    forward_key(user_data, keyval, state, FALSE);
}

static gboolean
on_drop(GtkDropTarget *target, const GValue *value, double x, double y, gpointer user_data)
{
    BgWindow *self = user_data;

    open_files(self, g_value_get_boxed(value));

    return TRUE;
}

static gboolean
slice_key(gpointer view, guint keyval, GdkModifierType state, gboolean pressed)
{
    return bg_slice_view_key(view, keyval, state, pressed);
}

static gboolean
volume_key(gpointer view, guint keyval, GdkModifierType state, gboolean pressed)
{
    return bg_volume_view_key(view, keyval, state, pressed);
}

static gboolean
photo_key(gpointer view, guint keyval, GdkModifierType state, gboolean pressed)
{
    return bg_photo_view_key(view, keyval, state, pressed);
}

static void
add_volume_tools(BgPane *pane)
{
    static const struct {
        const char *letter, *name;
    } sides[] = {
        { "A", N_("Look from anterior (keypad 1)") },
        { "P", N_("Look from posterior (Shift+keypad 1)") },
        { "L", N_("Look from the left (keypad 3)") },
        { "R", N_("Look from the right (Shift+keypad 3)") },
        { "S", N_("Look from superior (keypad 7)") },
        { "I", N_("Look from inferior (Shift+keypad 7)") },
    };

    bg_pane_add_tool(
        pane, bg_pane_new_tool("⊥", _("Parallel or perspective projection"), "view.parallel"),
        FALSE);
    bg_pane_add_tool(pane, bg_pane_new_tool("◫", _("Clip box (C)"), "view.clip"), FALSE);
    for (gsize i = 0; i < G_N_ELEMENTS(sides); i++) {
        g_autofree char *action = g_strdup_printf("view.look-from::%s", sides[i].letter);
        bg_pane_add_tool(pane, bg_pane_new_tool(sides[i].letter, _(sides[i].name), action), TRUE);
    }
}

static void
make_panes(BgWindow *self)
{
    BgSession *session = self->session;
    g_autoptr(BgPhotoRender) render = bg_photo_render_new(session);

    self->fuse = bg_photo_fuse_new(session, render);
    const struct {
        const char *css_class;
        GtkWidget *view;
        BgPaneKey key;
    } made[] = {
        { "axial", bg_slice_view_new(session, BG_PLANE_AXIAL), slice_key },
        { "volume", bg_volume_view_new(session), volume_key },
        { "coronal", bg_slice_view_new(session, BG_PLANE_CORONAL), slice_key },
        { "sagittal", bg_slice_view_new(session, BG_PLANE_SAGITTAL), slice_key },
        { "photo", bg_photo_view_new(session, render, BG_PHOTO_ROLE_PICTURE), photo_key },
        { "photo", bg_photo_view_new(session, render, BG_PHOTO_ROLE_RENDER), photo_key },
        { "photo", bg_photo_view_new(session, render, BG_PHOTO_ROLE_OVERLAY), photo_key },
    };

    for (int i = 0; i < BG_N_PANES; i++) {
        GtkWidget *pane = bg_pane_new(made[i].css_class, made[i].view, made[i].key);
        self->panes[i] = BG_PANE(g_object_ref_sink(pane));
        g_signal_connect(pane, "maximise", G_CALLBACK(on_maximise), self);
        if (i == PANE_VOLUME)
            add_volume_tools(self->panes[i]);
    }
    self->maximised = -1;
    bg_window_arrange(self);
}

static void
make_layout_row(BgWindow *self)
{
    for (gsize i = 0; i < G_N_ELEMENTS(layouts); i++) {
        GtkWidget *button = gtk_toggle_button_new_with_label(_(layouts[i].name));
        gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "win.layout");
        gtk_actionable_set_action_target(GTK_ACTIONABLE(button), "s", layouts[i].id);
        gtk_box_append(GTK_BOX(self->layouts_box), button);
    }
}

static void
bg_window_dispose(GObject *object)
{
    BgWindow *self = BG_WINDOW(object);

    bg_window_clear_case(self);
    g_clear_handle_id(&self->settle_id, g_source_remove);
    if (self->session != NULL) {
        g_signal_handlers_disconnect_by_data(self->session, self);
        g_signal_handlers_disconnect_by_data(bg_session_get_jobs(self->session), self);
    }
    for (int i = 0; i < BG_N_PANES; i++)
        g_clear_object(&self->panes[i]);
    g_clear_object(&self->fuse);

    G_OBJECT_CLASS(bg_window_parent_class)->dispose(object);
    g_clear_object(&self->session); // after the widgets that draw with its workers
}

static void
bg_window_class_init(BgWindowClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_window_dispose;
    g_type_ensure(BG_TYPE_BANNER_BOX);
    gtk_widget_class_set_template_from_resource(widget_class, "/org/bregma/Bregma/ui/bg-window.ui");
    gtk_widget_class_bind_template_child(widget_class, BgWindow, banners);
    gtk_widget_class_bind_template_child(widget_class, BgWindow, stack);
    gtk_widget_class_bind_template_child(widget_class, BgWindow, left_box);
    gtk_widget_class_bind_template_child(widget_class, BgWindow, right_box);
    gtk_widget_class_bind_template_child(widget_class, BgWindow, panes_grid);
    gtk_widget_class_bind_template_child(widget_class, BgWindow, job_box);
    gtk_widget_class_bind_template_child(widget_class, BgWindow, layouts_box);
    gtk_widget_class_bind_template_child(widget_class, BgWindow, patient_button);
    gtk_widget_class_bind_template_child(widget_class, BgWindow, patient_label);
    gtk_widget_class_bind_template_child(widget_class, BgWindow, undo_button);
    gtk_widget_class_bind_template_child(widget_class, BgWindow, redo_button);
    gtk_widget_class_bind_template_child(widget_class, BgWindow, empty_box);
    gtk_widget_class_bind_template_child(widget_class, BgWindow, import_box);
}

static void
bg_window_init(BgWindow *self)
{
    GtkWidget *widget = GTK_WIDGET(self);
    GtkEventController *keys = gtk_event_controller_key_new();
    GtkDropTarget *drop = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

    gtk_widget_init_template(widget);
    self->session = bg_session_new();
    g_signal_connect(self->session, "changed", G_CALLBACK(on_session_changed), self);
    g_signal_connect(self->session, "failed", G_CALLBACK(on_failed), self);
    g_signal_connect(self->session, "too-large", G_CALLBACK(on_too_large), self);
    g_signal_connect(self->session, "unknown-file", G_CALLBACK(on_unknown_file), self);
    g_signal_connect(bg_session_get_jobs(self->session), "items-changed",
                     G_CALLBACK(on_jobs_changed), self);
    self->was_empty = TRUE;
    make_panes(self);
    make_layout_row(self);
    self->import_page = bg_import_page_new(self->session);
    gtk_widget_set_vexpand(self->import_page, TRUE);
    g_signal_connect(self->import_page, "closed", G_CALLBACK(on_import_closed), self);
    gtk_box_append(GTK_BOX(self->import_box), self->import_page);
    gtk_box_append(GTK_BOX(self->empty_box), bg_start_page_new(self->session));
    gtk_box_append(GTK_BOX(self->left_box), bg_layers_panel_new(self->session));
    gtk_box_append(GTK_BOX(self->right_box), bg_inspector_new(self->session));
    gtk_box_append(GTK_BOX(self->job_box), bg_job_bar_new(self->session));
    bg_window_init_actions(self);
    update_patient(self);

    gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
    g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key_pressed), self);
    g_signal_connect(keys, "key-released", G_CALLBACK(on_key_released), self);
    gtk_widget_add_controller(widget, keys);
    g_signal_connect(drop, "drop", G_CALLBACK(on_drop), self);
    gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(drop));
}

BgWindow *
bg_window_new(GtkApplication *application)
{
    return g_object_new(BG_TYPE_WINDOW, "application", application, NULL);
}
