// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-guide-section.h"

#include "core/base/bg-i18n.h"
#include "ui/model/bg-photo.h"
#include "ui/model/bg-points.h"
#include "ui/panel/bg-form.h"

#define MIN_PLANE 3
#define MIN_CAMERA 4

typedef enum {
    STEP_VOLUME,
    STEP_PHOTOGRAPH,
    STEP_POINTS,
    STEP_PLANE,
    STEP_CROP,
    STEP_CAMERA,
    STEP_CHECK,
    STEP_APPROVE,
    N_STEPS,
} Step;

struct _BgGuideSection {
    BgSection parent_instance;

    GtkBox *steps;                                                  // of the template, borrowed
    GtkWidget *buttons[N_STEPS], *icons[N_STEPS], *labels[N_STEPS]; // borrowed
};

G_DEFINE_FINAL_TYPE(BgGuideSection, bg_guide_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    BgSession *session = bg_section_get_session(section);

    return session != NULL && g_str_equal(bg_session_get_state(session)->layout, "fusion");
}

typedef struct {
    const BgLayer *volume, *photo;
    const BgPhotoCamera *camera;
    guint n_plane; // points of the volume
    guint n_pairs, n_checks;
    gboolean cropped;
} Progress;

// Of what volume the photograph's points are: that of the camera, or that whose points fit the names.
static const BgLayer *
volume_of(BgSession *session, const BgPhotoCamera *camera, const BgLandmarkList *in_photo)
{
    BgCase *bg_case = bg_session_get_case(session);
    const BgLandmarkList *list =
        camera != NULL ? bg_case_get_landmarks(bg_case, camera->patient_points) : NULL;

    if (list == NULL && in_photo != NULL)
        list = bg_points_partners(session, in_photo);
    const BgLayer *volume = list != NULL ? bg_case_get_layer(bg_case, list->layer_id) : NULL;
    return volume != NULL ? volume : bg_session_get_volume(session);
}

static Progress
progress_of(BgSession *session)
{
    const GPtrArray *layers = bg_session_get_state(session)->layers;
    Progress progress = { .photo = bg_photo_get(session), .camera = bg_photo_get_camera(session) };
    // What was put onto another photograph is seen by that one's camera, which its points made.
    const char *pointed = progress.camera != NULL  ? progress.camera->layer_id
                          : progress.photo != NULL ? progress.photo->id
                                                   : NULL;
    const BgLandmarkList *in_photo = bg_points_of_layer(session, pointed);
    progress.volume = volume_of(session, progress.camera, in_photo);
    const BgLandmarkList *in_volume =
        progress.volume != NULL ? bg_points_of_layer(session, progress.volume->id) : NULL;

    for (gsize i = 0; in_volume != NULL && i < bg_landmarks_count(in_volume->points); i++) {
        const BgLandmark *point = bg_landmarks_get(in_volume->points, i);
        const BgLandmark *partner =
            in_photo != NULL ? bg_landmarks_find(in_photo->points, point->name) : NULL;
        if (!point->placed || point->use == BG_LANDMARK_SKIP)
            continue;
        progress.n_plane++;
        if (partner == NULL || !partner->placed || partner->use == BG_LANDMARK_SKIP)
            continue;
        if (point->use == BG_LANDMARK_CHECK || partner->use == BG_LANDMARK_CHECK)
            progress.n_checks++;
        else
            progress.n_pairs++;
    }
    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = g_ptr_array_index(layers, i);
        progress.cropped = progress.cropped || g_str_equal(layer->generated_by, "prism");
    }
    return progress;
}

static gboolean
is_done(const Progress *progress, Step step)
{
    switch (step) {
    case STEP_VOLUME:
        return progress->volume != NULL;
    case STEP_PHOTOGRAPH:
        return progress->photo != NULL;
    case STEP_POINTS:
        return progress->n_pairs >= MIN_CAMERA;
    case STEP_PLANE:
        return progress->n_plane >= MIN_PLANE;
    case STEP_CROP:
        return progress->cropped;
    case STEP_CAMERA:
        return progress->camera != NULL;
    case STEP_CHECK:
        return progress->camera != NULL && progress->n_checks > 0;
    case STEP_APPROVE:
        return progress->camera != NULL && *progress->camera->approval.by != '\0';
    case N_STEPS:
        break;
    }
    return FALSE;
}

// What a step is, and how far it is: (transfer full)
static char *
describe(const Progress *progress, Step step)
{
    switch (step) {
    case STEP_VOLUME:
        return g_strdup_printf(_("Volume: %s"),
                               progress->volume != NULL ? progress->volume->name : _("open one"));
    case STEP_PHOTOGRAPH:
        return g_strdup_printf(_("Photograph: %s"),
                               progress->photo != NULL ? progress->photo->name : _("open one"));
    case STEP_POINTS:
        // Translators: numbers of points
        return g_strdup_printf(_("Points: %u of at least %d in both"), progress->n_pairs,
                               MIN_CAMERA);
    case STEP_PLANE:
        return g_strdup(progress->n_plane >= MIN_PLANE ? _("Plane: through the volume’s points")
                                                       : _("Plane: three points in the volume"));
    case STEP_CROP:
        return g_strdup(progress->cropped ? _("Crop: made")
                                          : _("Crop: below the plane, if wanted"));
    case STEP_CAMERA:
        return progress->camera != NULL
                   // Translators: how: "landmarks", "mutual-information", "file"
                   ? g_strdup_printf(_("Camera: by %s"), progress->camera->method)
                   : g_strdup(_("Camera: from the points"));
    case STEP_CHECK:
        // Translators: a number of points
        return g_strdup_printf(_("Check: %u check-only points"), progress->n_checks);
    case STEP_APPROVE:
        return is_done(progress, STEP_APPROVE)
                   // Translators: a name and a time
                   ? g_strdup_printf(_("Approved by %s, %s"), progress->camera->approval.by,
                                     progress->camera->approval.at)
                   : g_strdup(_("Approve: with your name"));
    case N_STEPS:
        break;
    }
    return g_strdup("");
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgGuideSection *self = BG_GUIDE_SECTION(section);
    const Progress progress = progress_of(bg_section_get_session(section));

    for (int step = 0; step < N_STEPS; step++) {
        gboolean done = is_done(&progress, (Step) step);
        g_autofree char *words = describe(&progress, (Step) step);
        g_autofree char *name =
            // Translators: a step's number and words, and whether it is done
            g_strdup_printf(_("%d %s, %s"), step + 1, words, done ? _("done") : _("to do"));
        gtk_image_set_from_icon_name(GTK_IMAGE(self->icons[step]),
                                     done ? "emblem-ok-symbolic" : "go-next-symbolic");
        gtk_label_set_text(GTK_LABEL(self->labels[step]), words);
        if (done)
            gtk_widget_add_css_class(self->icons[step], "ok-text");
        else
            gtk_widget_remove_css_class(self->icons[step], "ok-text");
        bg_form_name(self->buttons[step], name);
    }
}

static void
on_step(GtkButton *button, gpointer user_data)
{
    BgGuideSection *self = user_data;
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    const Progress progress = progress_of(session);
    int step = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(button), "step"));
    const BgLayer *layer = NULL;

    switch ((Step) step) {
    case STEP_VOLUME:
    case STEP_PLANE:
    case STEP_CROP:
        layer = progress.volume;
        break;
    case STEP_CAMERA:
    case STEP_CHECK:
    case STEP_APPROVE:
        if (progress.camera != NULL)
            layer = bg_case_get_layer(bg_session_get_case(session), progress.camera->layer_id);
        if (layer == NULL)
            layer = progress.photo;
        break;
    case STEP_PHOTOGRAPH:
        layer = progress.photo;
        break;
    case STEP_POINTS:
        bg_session_set_tool(session, BG_TOOL_POINT);
        layer = progress.photo;
        break;
    case N_STEPS:
        return;
    }
    if (layer != NULL)
        bg_session_select(session, layer->id);
    else
        gtk_widget_activate_action(GTK_WIDGET(self), "win.open", NULL);
}

static void
bg_guide_section_class_init(BgGuideSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-guide-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgGuideSection, steps);
}

static void
bg_guide_section_init(BgGuideSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    for (int step = 0; step < N_STEPS; step++) {
        GtkWidget *button = gtk_button_new(), *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
        GtkWidget *icon = gtk_image_new_from_icon_name("go-next-symbolic");
        GtkWidget *label = gtk_label_new(NULL);

        gtk_label_set_xalign(GTK_LABEL(label), 0.0f);
        gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
        gtk_widget_set_hexpand(label, TRUE);
        gtk_accessible_update_property(GTK_ACCESSIBLE(icon), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                       _("State of the step"), -1);
        gtk_box_append(GTK_BOX(box), icon);
        gtk_box_append(GTK_BOX(box), label);
        gtk_button_set_child(GTK_BUTTON(button), box);
        gtk_widget_add_css_class(button, "flat");
        g_object_set_data(G_OBJECT(button), "step", GINT_TO_POINTER(step));
        g_signal_connect(button, "clicked", G_CALLBACK(on_step), self);
        gtk_box_append(self->steps, button);
        self->buttons[step] = button;
        self->icons[step] = icon;
        self->labels[step] = label;
    }
}
