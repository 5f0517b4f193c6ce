// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-error-section.h"

#include "core/base/bg-i18n.h"
#include "ui/model/bg-expected-error.h"
#include "ui/model/bg-photo.h"

struct _BgErrorSection {
    BgSection parent_instance;

    // of the template, borrowed
    GtkLabel *number;
    GtkAdjustment *patient_adjustment, *picture_adjustment, *bound_adjustment;
    GtkWidget *picture_name, *picture;
    GtkCheckButton *veil;
};

G_DEFINE_FINAL_TYPE(BgErrorSection, bg_error_section, BG_TYPE_SECTION)

// The camera by points, where a photograph is selected.
static const BgPhotoCamera *
camera_of(BgSession *session, const BgLayer *layer)
{
    const BgPhotoCamera *camera =
        layer != NULL && layer->payload.image != NULL ? bg_photo_get_camera(session) : NULL;

    return camera != NULL && *camera->picture_points != '\0' ? camera : NULL;
}

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    BgSession *session = bg_section_get_session(section);

    if (layer != NULL && layer->payload.image != NULL)
        return camera_of(session, layer) != NULL;
    return bg_expected_error_get_registration(session) != NULL;
}

static char *
describe_photo(BgSession *session, const BgErrorStatement *stated)
{
    BgVec3 cursor_mm = bg_session_get_state(session)->cursor_mm;
    BgPoseTargetError error;

    if (!(stated->picture_px > 0.0))
        return NULL;
    if (!bg_expected_error_of_photo_at(session, cursor_mm, &error))
        return g_strdup(_("Nothing can be expected at the cursor: the points leave the camera "
                          "open, or it does not see the place."));
    return g_strdup_printf(
        // Translators: lengths in mm and px, then the stated ones in px and mm
        _("Expected at the cursor: %.2f mm across the line of sight, %.1f px (root mean square), "
          "of %.1f px and %.1f mm stated at each point. The ellipse holds 95 %%."),
        error.rms_mm, error.rms_px, stated->picture_px, stated->patient_mm);
}

static char *
describe_volume(BgSession *session, const BgErrorStatement *stated)
{
    BgVec3 cursor_mm = bg_session_get_state(session)->cursor_mm;
    BgTargetError error;

    if (!(stated->patient_mm > 0.0))
        return NULL;
    if (!bg_expected_error_at(session, cursor_mm, &error))
        return g_strdup(_("Nothing can be expected at the cursor: the points do not determine the "
                          "registration."));
    return g_strdup_printf(
        // Translators: a length in mm, then the stated one
        _("Expected at the cursor: %.2f mm (root mean square), of %.1f mm stated at each point. "
          "The ellipse holds 95 %%."),
        error.rms, stated->patient_mm);
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgErrorSection *self = BG_ERROR_SECTION(section);
    BgSession *session = bg_section_get_session(section);
    const BgErrorStatement *stated = bg_expected_error_get_statement(session);
    gboolean of_photo = camera_of(session, layer) != NULL;
    g_autofree char *words =
        of_photo ? describe_photo(session, stated) : describe_volume(session, stated);

    gtk_label_set_text(self->number,
                       words != NULL ? words
                                     : _("Say how exactly the points were placed: what to expect "
                                         "anywhere follows from that, never from the residuals."));
    gtk_widget_set_visible(self->picture_name, of_photo);
    gtk_widget_set_visible(self->picture, of_photo);
    gtk_adjustment_set_value(self->patient_adjustment, stated->patient_mm);
    gtk_adjustment_set_value(self->picture_adjustment, stated->picture_px);
    gtk_adjustment_set_value(self->bound_adjustment, stated->bound_mm);
    gtk_check_button_set_active(self->veil, stated->veil);
}

static void
on_stated(BgErrorSection *self)
{
    const BgErrorStatement stated = {
        .patient_mm = gtk_adjustment_get_value(self->patient_adjustment),
        .picture_px = gtk_adjustment_get_value(self->picture_adjustment),
        .bound_mm = gtk_adjustment_get_value(self->bound_adjustment),
        .veil = gtk_check_button_get_active(self->veil),
    };

    if (!bg_section_is_updating(BG_SECTION(self)))
        bg_expected_error_state(bg_section_get_session(BG_SECTION(self)), &stated);
}

static void
bg_error_section_class_init(BgErrorSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-error-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgErrorSection, number);
    gtk_widget_class_bind_template_child(widget_class, BgErrorSection, patient_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgErrorSection, picture_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgErrorSection, bound_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgErrorSection, picture_name);
    gtk_widget_class_bind_template_child(widget_class, BgErrorSection, picture);
    gtk_widget_class_bind_template_child(widget_class, BgErrorSection, veil);
}

static void
bg_error_section_init(BgErrorSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect_swapped(self->patient_adjustment, "value-changed", G_CALLBACK(on_stated),
                             self);
    g_signal_connect_swapped(self->picture_adjustment, "value-changed", G_CALLBACK(on_stated),
                             self);
    g_signal_connect_swapped(self->bound_adjustment, "value-changed", G_CALLBACK(on_stated), self);
    g_signal_connect_swapped(self->veil, "toggled", G_CALLBACK(on_stated), self);
}
