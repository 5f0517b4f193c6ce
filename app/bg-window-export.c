// SPDX-License-Identifier: Apache-2.0
// What leaves the program: pictures, meshes, measurements.
#include "app/bg-window-private.h"
#include "core/base/bg-i18n.h"
#include "ui/dialog/bg-file-dialog.h"
#include "ui/model/bg-montage-job.h"
#include "ui/model/bg-report-job.h"
#include "ui/model/bg-save.h"
#include "ui/model/bg-settings.h"
#include "ui/panel/bg-measure-section.h"
#include "ui/view/bg-picture.h"
#include "ui/view/bg-slice-view.h"

static BgPicturePane
pane_of(BgWindow *self)
{
    BgPane *pane = bg_window_get_active_pane(self);
    GtkWidget *view = pane != NULL ? bg_pane_get_view(pane) : NULL;

    if (view == NULL)
        return BG_PICTURE_ALL;

    return BG_IS_SLICE_VIEW(view) ? (BgPicturePane) bg_slice_view_get_plane(BG_SLICE_VIEW(view))
                                  : BG_PICTURE_VOLUME;
}

static const char *const pane_ids[] = { "axial", "coronal", "sagittal", "3d", "all", NULL };

static void
on_screenshot_response(GtkNativeDialog *dialog, int response, gpointer user_data)
{
    BgWindow *self = user_data;
    GtkFileChooser *chooser = GTK_FILE_CHOOSER(dialog);

    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(chooser);
        g_autofree char *path = g_file_get_path(file);
        const char *pane_id = gtk_file_chooser_get_choice(chooser, "pane");
        const char *size = gtk_file_chooser_get_choice(chooser, "size");
        int width = g_settings_get_int(bg_settings_get(), "screenshot-width");
        int height = g_settings_get_int(bg_settings_get(), "screenshot-height");
        int pane = BG_PICTURE_ALL;

        if (size != NULL) {
            char *end = NULL;
            guint64 across = g_ascii_strtoull(size, &end, 10);
            guint64 down = *end == 'x' ? g_ascii_strtoull(end + 1, NULL, 10) : 0;
            if (across > 0 && across <= G_MAXINT16 && down > 0 && down <= G_MAXINT16) {
                width = (int) across;
                height = (int) down;
            }
        }
        for (int i = 0; pane_ids[i] != NULL; i++)
            if (g_strcmp0(pane_id, pane_ids[i]) == 0)
                pane = i;
        BgPicture *picture = bg_picture_new(self->session, (BgPicturePane) pane, width, height);
        if (picture != NULL && path != NULL)
            bg_picture_save_async(self->session, picture, path);
    }
    g_object_unref(dialog);
}

static void
on_screenshot(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    BgWindow *self = user_data;
    GtkFileChooserNative *dialog =
        gtk_file_chooser_native_new(_("Save Picture"), GTK_WINDOW(self),
                                    GTK_FILE_CHOOSER_ACTION_SAVE, _("_Save"), _("_Cancel"));
    GtkFileChooser *chooser = GTK_FILE_CHOOSER(dialog);
    const char *panes[] = {
        _("Axial"), _("Coronal"), _("Sagittal"), _("3D"), _("All panes"), NULL
    };
    g_autofree char *own =
        g_strdup_printf("%dx%d", g_settings_get_int(bg_settings_get(), "screenshot-width"),
                        g_settings_get_int(bg_settings_get(), "screenshot-height"));
    const char *sizes[] = { own, "1024x768", "1920x1440", "3840x2880", "7680x5760", NULL };

    gtk_file_chooser_add_choice(chooser, "pane", _("Pane"), (const char **) pane_ids, panes);
    gtk_file_chooser_set_choice(chooser, "pane", pane_ids[pane_of(self)]);
    gtk_file_chooser_add_choice(chooser, "size", _("Size"), sizes, sizes);
    gtk_file_chooser_set_choice(chooser, "size", own);
    gtk_file_chooser_set_current_name(chooser, "bregma.png");
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect(dialog, "response", G_CALLBACK(on_screenshot_response), self);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

// For scripts and tests: the pane's id and the path, without a dialog.
static void
on_save_picture(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    BgWindow *self = user_data;
    const char *pane_id, *path;
    int pane = BG_PICTURE_ALL;

    g_variant_get(parameter, "(&s&s)", &pane_id, &path);
    for (int i = 0; pane_ids[i] != NULL; i++)
        if (g_str_equal(pane_id, pane_ids[i]))
            pane = i;
    BgPicture *picture = bg_picture_new(self->session, (BgPicturePane) pane,
                                        g_settings_get_int(bg_settings_get(), "screenshot-width"),
                                        g_settings_get_int(bg_settings_get(), "screenshot-height"));
    if (picture != NULL)
        bg_picture_save_async(self->session, picture, path);
}

static void
on_copy_picture(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    BgWindow *self = user_data;
    BgPicture *picture = bg_picture_new(self->session, pane_of(self),
                                        g_settings_get_int(bg_settings_get(), "screenshot-width"),
                                        g_settings_get_int(bg_settings_get(), "screenshot-height"));

    if (picture != NULL)
        bg_picture_copy_async(self->session, picture, gtk_widget_get_clipboard(GTK_WIDGET(self)));
}

static void
on_csv_chosen(GtkWidget *window, const char *path)
{
    BgSession *session = BG_WINDOW(window)->session;

    bg_save_text(session, path, bg_measurements_to_csv(bg_session_get_state(session)),
                 _("The measurements are not saved"));
}

static void
on_export_measurements(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    const BgFileChoice choice = { .title = _("Export Measurements"),
                                  .accept = _("_Save"),
                                  .suggested_name = "measurements.csv",
                                  .save = TRUE };

    bg_file_dialog_ask(user_data, &choice, on_csv_chosen);
}

static void
on_report_chosen(GtkWidget *window, const char *path)
{
    bg_report_job_save(BG_WINDOW(window)->session, path);
}

static void
on_save_report(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    const BgFileChoice choice = { .title = _("Save a Report of the Case"),
                                  .accept = _("_Save"),
                                  .suggested_name = "report.pdf",
                                  .filter_name = _("Reports"),
                                  .patterns = "*.pdf *.html",
                                  .save = TRUE };

    bg_file_dialog_ask(user_data, &choice, on_report_chosen);
}

// A picture of a whole scan: what it is decides the file's suffix.
static void
on_scan_response(GtkNativeDialog *dialog, int response, gpointer user_data)
{
    BgWindow *self = user_data;
    GtkFileChooser *chooser = GTK_FILE_CHOOSER(dialog);

    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(chooser);
        g_autofree char *path = g_file_get_path(file);
        BgScanKind kind = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(dialog), "kind"));
        const char *pane_id =
            kind != BG_SCAN_SHEET ? gtk_file_chooser_get_choice(chooser, "plane") : NULL;
        int plane = 0;
        for (int i = 0; i < 3; i++)
            if (g_strcmp0(pane_id, pane_ids[i]) == 0)
                plane = i;
        if (path != NULL)
            bg_montage_job_save(self->session, kind, (BgPlane) plane, path);
    }
    g_object_unref(dialog);
}

static void
on_save_scan(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    static const char *const ids[BG_N_SCANS] = { "montage", "film", "sheet" };
    static const char *const files[BG_N_SCANS] = { "montage.png", "scan.gif", "case.png" };
    static const char *const titles[BG_N_SCANS] = { N_("Save Slices Side by Side"),
                                                    N_("Save the Scan as a Film"),
                                                    N_("Save the Case on One Sheet") };
    const char *planes[] = { _("Axial"), _("Coronal"), _("Sagittal"), NULL };
    const char *plane_ids[] = { pane_ids[0], pane_ids[1], pane_ids[2], NULL };
    BgWindow *self = user_data;
    int kind = 0;

    for (int i = 0; i < BG_N_SCANS; i++)
        if (g_str_equal(g_variant_get_string(parameter, NULL), ids[i]))
            kind = i;
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        _(titles[kind]), GTK_WINDOW(self), GTK_FILE_CHOOSER_ACTION_SAVE, _("_Save"), _("_Cancel"));
    GtkFileChooser *chooser = GTK_FILE_CHOOSER(dialog);
    if (kind != BG_SCAN_SHEET) {
        gtk_file_chooser_add_choice(chooser, "plane", _("Plane"), plane_ids, planes);
        gtk_file_chooser_set_choice(chooser, "plane", pane_ids[MIN((int) pane_of(self), 2)]);
    }
    gtk_file_chooser_set_current_name(chooser, files[kind]);
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_object_set_data(G_OBJECT(dialog), "kind", GINT_TO_POINTER(kind));
    g_signal_connect(dialog, "response", G_CALLBACK(on_scan_response), self);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

void
bg_window_init_export_actions(BgWindow *self)
{
    static const GActionEntry entries[] = {
        { "screenshot", on_screenshot, NULL, NULL, NULL },
        { "save-picture", on_save_picture, "(ss)", NULL, NULL },
        { "save-scan", on_save_scan, "s", NULL, NULL },
        { "copy-picture", on_copy_picture, NULL, NULL, NULL },
        { "save-report", on_save_report, NULL, NULL, NULL },
        { "export-measurements", on_export_measurements, NULL, NULL, NULL },
    };

    g_action_map_add_action_entries(G_ACTION_MAP(self), entries, G_N_ELEMENTS(entries), self);
}
