// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-camera-section.h"

#include "core/base/bg-i18n.h"
#include "ui/dialog/bg-file-dialog.h"
#include "ui/model/bg-camera-job.h"
#include "ui/model/bg-moved.h"
#include "ui/model/bg-photo.h"

struct _BgCameraSection {
    BgSection parent_instance;

    // of the template, borrowed
    GtkLabel *state;
    GtkCheckButton *mirrored, *estimate;
    GtkDropDown *overlay;
    GtkAdjustment *amount_adjustment, *focal_adjustment, *sensor_adjustment;
    GtkWidget *result_box, *save, *approve, *lens_box, *sensor_box, *solve_box;
    GtkEntry *approver;

    char *words; // owned, nullable: why the last job left the camera as it was
    char *of;    // owned, nullable: the layer that the words and the boxes are about
};

G_DEFINE_FINAL_TYPE(BgCameraSection, bg_camera_section, BG_TYPE_SECTION)

static const BgPhotoCamera *
camera_of(BgCameraSection *self)
{
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));

    return layer != NULL
               ? bg_case_get_camera(bg_session_get_case(bg_section_get_session(BG_SECTION(self))),
                                    layer->id)
               : NULL;
}

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    return layer != NULL && layer->payload.image != NULL;
}

static gboolean
is_moved(BgCameraSection *self)
{
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));

    return layer != NULL && bg_moved_is(layer);
}

static char *
describe(BgCameraSection *self, const BgPhotoCamera *camera)
{
    GString *words = g_string_new(NULL);

    if (camera == NULL && is_moved(self)) {
        g_string_append(words, _("This photograph was put onto another one, and is seen by the "
                                 "camera of that one."));
    } else if (camera == NULL) {
        g_string_append(words, _("It is not known from where this was taken. Place at least four "
                                 "points of the same names in the volume and here (P), or read "
                                 "the camera's file."));
    } else {
        // Translators: how a camera was found: "landmarks", "mutual-information", "file"
        g_string_append_printf(words, _("Camera by %s."), camera->method);
        if (camera->mirrored)
            g_string_append(words, _(" The photograph is mirrored."));
        if (*camera->words != '\0')
            g_string_append_printf(words, " %s", camera->words);
        else if (camera->error_px >= 0.0)
            // Translators: a length in px
            g_string_append_printf(words, _(" Residual %.1f px (not an accuracy)."),
                                   camera->error_px);
    }
    if (self->words != NULL)
        g_string_append_printf(words, " %s", self->words);
    if (camera != NULL && *camera->approval.by != '\0')
        // Translators: a name and a time
        g_string_append_printf(words, _(" Approved by %s, %s."), camera->approval.by,
                               camera->approval.at);
    else if (camera != NULL)
        g_string_append(words, _(" Not approved: look at it first."));
    return g_string_free(words, FALSE);
}

static void
show_camera(BgCameraSection *self)
{
    const BgPhotoCamera *camera = camera_of(self);
    g_autofree char *words = describe(self, camera);

    gtk_label_set_text(self->state, words);
    gtk_widget_set_visible(self->result_box, camera != NULL);
    gtk_widget_set_sensitive(self->save, camera != NULL);
    // The other one's camera is found there.
    GtkWidget *ways[] = { GTK_WIDGET(self->mirrored), GTK_WIDGET(self->estimate), self->lens_box,
                          self->sensor_box, self->solve_box };
    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++)
        gtk_widget_set_visible(ways[i], camera != NULL || !is_moved(self));
    if (camera != NULL)
        gtk_widget_set_sensitive(self->approve, *camera->approval.by == '\0');
}

// What the photograph's file says of its lens.

typedef struct {
    char *path;
    int width, height;
} LensRequest;

static void
lens_request_free(gpointer data)
{
    g_free(((LensRequest *) data)->path);
    g_free(data);
}

static gpointer
look_up_lens(gpointer data, GCancellable *cancellable, GError **error)
{
    const LensRequest *request = data;
    double *lens = g_new0(double, 2);

    bg_camera_lens_of_file(request->path, request->width, request->height, &lens[0], &lens[1],
                           cancellable);
    return lens;
}

static void
on_lens(gpointer owner, gpointer result, const GError *error)
{
    BgCameraSection *self = owner;
    g_autofree double *lens = result;

    if (lens == NULL || lens[0] <= 0.0)
        return;
    gtk_adjustment_set_value(self->focal_adjustment, lens[0]);
    gtk_adjustment_set_value(self->sensor_adjustment, lens[1]);
}

static void
ask_for_lens(BgCameraSection *self, const BgLayer *layer)
{
    const BgImageFormat *format = bg_image_get_format(layer->payload.image);

    gtk_adjustment_set_value(self->focal_adjustment, 0.0);
    gtk_adjustment_set_value(self->sensor_adjustment, 0.0);
    if (*layer->source.path == '\0')
        return;
    LensRequest *request = g_new0(LensRequest, 1);
    request->path = g_strdup(layer->source.path);
    request->width = format->width;
    request->height = format->height;
    BgWork work = { .owner = G_OBJECT(self),
                    .yields = TRUE,
                    .func = look_up_lens,
                    .request = request,
                    .free_request = lens_request_free,
                    .done = on_lens,
                    .free_result = g_free };
    bg_worker_post(bg_session_get_idle_worker(bg_section_get_session(BG_SECTION(self))), &work);
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgCameraSection *self = BG_CAMERA_SECTION(section);
    const BgPhotoLook *look = bg_session_get_photo_look(bg_section_get_session(section));

    if (g_strcmp0(self->of, layer->id) != 0) {
        const BgPhotoCamera *camera = camera_of(self);
        g_free(self->of);
        self->of = g_strdup(layer->id);
        g_clear_pointer(&self->words, g_free);
        gtk_check_button_set_active(self->mirrored, camera != NULL && camera->mirrored);
        gtk_check_button_set_active(self->estimate, FALSE);
        ask_for_lens(self, layer);
    }
    gtk_drop_down_set_selected(self->overlay, look->overlay);
    gtk_adjustment_set_value(self->amount_adjustment, look->amount * 100.0);
    show_camera(self);
}

static void
on_told(gpointer owner, const char *words)
{
    BgCameraSection *self = owner;

    g_free(self->words);
    self->words = g_strdup(words);
    if (bg_section_get_session(BG_SECTION(self)) != NULL)
        show_camera(self);
}

static void
load_from(GtkWidget *asker, const char *path)
{
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(asker));

    if (layer != NULL)
        bg_camera_job_load(bg_section_get_session(BG_SECTION(asker)), layer->id, path,
                           G_OBJECT(asker), on_told);
}

static void
on_load(GtkButton *button, gpointer user_data)
{
    const BgFileChoice choice = { .title = _("Read a camera"),
                                  .accept = _("_Open"),
                                  .filter_name = _("Cameras"),
                                  .patterns = "*.json" };

    bg_file_dialog_ask(user_data, &choice, load_from);
}

static void
save_to(GtkWidget *asker, const char *path)
{
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(asker));

    if (layer != NULL)
        bg_camera_job_save(bg_section_get_session(BG_SECTION(asker)), layer->id, path);
}

static void
on_save(GtkButton *button, gpointer user_data)
{
    const BgFileChoice choice = { .title = _("Save the camera"),
                                  .accept = _("_Save"),
                                  .suggested_name = "camera.json",
                                  .filter_name = _("Cameras"),
                                  .patterns = "*.json",
                                  .save = TRUE };

    bg_file_dialog_ask(user_data, &choice, save_to);
}

static BgCameraSolve
solve_of(BgCameraSection *self)
{
    return (BgCameraSolve){ .mirrored = gtk_check_button_get_active(self->mirrored),
                            .estimate_focal = gtk_check_button_get_active(self->estimate),
                            .focal_mm = gtk_adjustment_get_value(self->focal_adjustment),
                            .sensor_mm = gtk_adjustment_get_value(self->sensor_adjustment) };
}

static void
on_solve(GtkButton *button, gpointer user_data)
{
    BgCameraSection *self = user_data;
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));
    const BgCameraSolve solve = solve_of(self);

    if (layer != NULL)
        bg_camera_job_solve(bg_section_get_session(BG_SECTION(self)), layer->id, &solve,
                            G_OBJECT(self), on_told);
}

static void
on_refine(GtkButton *button, gpointer user_data)
{
    BgCameraSection *self = user_data;
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));
    const BgCameraSolve solve = solve_of(self);

    if (layer != NULL)
        bg_camera_job_refine(bg_section_get_session(BG_SECTION(self)), layer->id, &solve,
                             G_OBJECT(self), on_told);
}

static void
on_overlay(BgCameraSection *self)
{
    if (bg_section_is_updating(BG_SECTION(self)) || self->of == NULL)
        return;
    bg_photo_set_overlay(bg_section_get_session(BG_SECTION(self)),
                         (BgOverlay) gtk_drop_down_get_selected(self->overlay),
                         gtk_adjustment_get_value(self->amount_adjustment) / 100.0);
}

static void
on_approve(GtkWidget *widget, gpointer user_data)
{
    BgCameraSection *self = user_data;
    const BgPhotoCamera *old = camera_of(self);
    const char *by = gtk_editable_get_text(GTK_EDITABLE(self->approver));

    if (old == NULL || *by == '\0') {
        gtk_widget_grab_focus(GTK_WIDGET(self->approver));
        return;
    }
    g_autoptr(BgPhotoCamera) camera = bg_photo_camera_copy(old);
    bg_approval_set(&camera->approval, by);
    bg_session_do(bg_section_get_session(BG_SECTION(self)), bg_command_set_camera(camera));
}

static void
on_withdraw(GtkButton *button, gpointer user_data)
{
    BgCameraSection *self = user_data;
    const BgPhotoCamera *camera = camera_of(self);

    g_clear_pointer(&self->words, g_free);
    if (camera != NULL)
        bg_session_do(bg_section_get_session(BG_SECTION(self)),
                      bg_command_remove_camera(camera->id));
}

static void
bg_camera_section_finalize(GObject *object)
{
    BgCameraSection *self = BG_CAMERA_SECTION(object);

    g_free(self->words);
    g_free(self->of);

    G_OBJECT_CLASS(bg_camera_section_parent_class)->finalize(object);
}

static void
bg_camera_section_class_init(BgCameraSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->finalize = bg_camera_section_finalize;
    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-camera-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgCameraSection, state);
    gtk_widget_class_bind_template_child(widget_class, BgCameraSection, mirrored);
    gtk_widget_class_bind_template_child(widget_class, BgCameraSection, estimate);
    gtk_widget_class_bind_template_child(widget_class, BgCameraSection, overlay);
    gtk_widget_class_bind_template_child(widget_class, BgCameraSection, amount_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgCameraSection, focal_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgCameraSection, sensor_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgCameraSection, result_box);
    gtk_widget_class_bind_template_child(widget_class, BgCameraSection, save);
    gtk_widget_class_bind_template_child(widget_class, BgCameraSection, lens_box);
    gtk_widget_class_bind_template_child(widget_class, BgCameraSection, sensor_box);
    gtk_widget_class_bind_template_child(widget_class, BgCameraSection, solve_box);
    gtk_widget_class_bind_template_child(widget_class, BgCameraSection, approve);
    gtk_widget_class_bind_template_child(widget_class, BgCameraSection, approver);
    gtk_widget_class_bind_template_callback(widget_class, on_load);
    gtk_widget_class_bind_template_callback(widget_class, on_save);
    gtk_widget_class_bind_template_callback(widget_class, on_solve);
    gtk_widget_class_bind_template_callback(widget_class, on_refine);
    gtk_widget_class_bind_template_callback(widget_class, on_approve);
    gtk_widget_class_bind_template_callback(widget_class, on_withdraw);
}

static void
bg_camera_section_init(BgCameraSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    for (int i = 0; i < BG_N_OVERLAYS; i++)
        gtk_string_list_append(GTK_STRING_LIST(gtk_drop_down_get_model(self->overlay)),
                               bg_overlay_name(i));
    g_signal_connect_swapped(self->overlay, "notify::selected", G_CALLBACK(on_overlay), self);
    g_signal_connect_swapped(self->amount_adjustment, "value-changed", G_CALLBACK(on_overlay),
                             self);
}
