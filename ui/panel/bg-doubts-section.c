// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-doubts-section.h"

#include "core/base/bg-i18n.h"

struct _BgDoubtsSection {
    BgSection parent_instance;

    // of the template, borrowed
    GtkLabel *warnings;
    GtkWidget *side_box, *spacing_box;
    GtkAdjustment *columns, *rows, *slices;
    char *of; // owned, nullable: the layer that the spacing is asked for
};

G_DEFINE_FINAL_TYPE(BgDoubtsSection, bg_doubts_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    return layer != NULL &&
           (layer->side_unknown || layer->spacing_unknown || *layer->warnings != '\0');
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgDoubtsSection *self = BG_DOUBTS_SECTION(section);

    gtk_label_set_text(self->warnings, layer->warnings);
    gtk_widget_set_visible(GTK_WIDGET(self->warnings), *layer->warnings != '\0');
    gtk_widget_set_visible(self->side_box, layer->side_unknown);
    gtk_widget_set_visible(self->spacing_box, layer->spacing_unknown);
    if (g_strcmp0(self->of, layer->id) == 0)
        return;
    g_free(self->of);
    self->of = g_strdup(layer->id);
    gtk_adjustment_set_value(self->columns, 0.0);
    gtk_adjustment_set_value(self->rows, 0.0);
    gtk_adjustment_set_value(self->slices, 0.0);
}

static BgGeometryAnswer
answer_of(const BgLayer *layer)
{
    BgGeometryAnswer answer = { .side_unknown = layer->side_unknown,
                                .mirrored = layer->answer_mirrored,
                                .spacing_unknown = layer->spacing_unknown };

    memcpy(answer.spacing_mm, layer->answer_spacing_mm, sizeof answer.spacing_mm);
    return answer;
}

static gboolean
geometry_of(BgCase *bg_case, const char *id, BgGeometry *geometry)
{
    const BgLayer *layer = bg_case_get_layer(bg_case, id);

    if (layer != NULL && layer->payload.volume != NULL)
        *geometry = *bg_volume_get_geometry(layer->payload.volume);
    else if (layer != NULL && layer->payload.labels != NULL)
        *geometry = *bg_label_map_get_geometry(layer->payload.labels);
    else
        return FALSE;
    return TRUE;
}

// What was measured on the layer stays on the same voxels.
static void
move_measurements(BgSession *session, const char *id, const BgAffine *change)
{
    const GPtrArray *list = bg_session_get_state(session)->measurements;
    g_autoptr(GPtrArray) moved =
        g_ptr_array_new_with_free_func((GDestroyNotify) bg_measurement_free);

    for (guint i = 0; i < list->len; i++) {
        BgMeasurement *measurement = bg_measurement_copy(g_ptr_array_index(list, i));
        g_ptr_array_add(moved, measurement);
        for (int p = 0; p < 3; p++)
            measurement->points_mm[p] = bg_affine_apply(change, measurement->points_mm[p]);
    }
    for (guint i = 0; i < moved->len; i++) {
        const BgMeasurement *measurement = g_ptr_array_index(moved, i);
        if (g_str_equal(measurement->layer_id, id))
            bg_session_do(session, bg_command_change_measurement(measurement));
    }
}

static void
answer(BgDoubtsSection *self, const BgLayer *layer, const BgGeometryAnswer *answer)
{
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    BgCase *bg_case = bg_session_get_case(session);
    g_autofree char *id = g_strdup(layer->id);
    BgGeometry before, after;
    BgAffine inverse;
    gboolean had = geometry_of(bg_case, id, &before);

    bg_case_begin_gesture(bg_case, NULL);
    if (bg_session_do(session, bg_command_answer_geometry(id, answer)) && had &&
        geometry_of(bg_case, id, &after) &&
        bg_affine_invert(&before.patient_from_voxel, &inverse)) {
        BgAffine change = bg_affine_multiply(&after.patient_from_voxel, &inverse);
        move_measurements(session, id, &change);
    }
    bg_case_end_gesture(bg_case);
}

static void
answer_side(BgDoubtsSection *self, gboolean mirrored)
{
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));

    if (layer == NULL)
        return;
    BgGeometryAnswer given = answer_of(layer);
    given.side_unknown = FALSE;
    given.mirrored = mirrored;
    answer(self, layer, &given);
}

static void
on_as_shown(GtkButton *button, gpointer user_data)
{
    answer_side(user_data, FALSE);
}

static void
on_mirrored(GtkButton *button, gpointer user_data)
{
    answer_side(user_data, TRUE);
}

static void
on_spacing(GtkButton *button, gpointer user_data)
{
    BgDoubtsSection *self = user_data;
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));

    if (layer == NULL)
        return;
    BgGeometryAnswer given = answer_of(layer);
    given.spacing_mm[0] = gtk_adjustment_get_value(self->columns);
    given.spacing_mm[1] = gtk_adjustment_get_value(self->rows);
    given.spacing_mm[2] = gtk_adjustment_get_value(self->slices);
    given.spacing_unknown = FALSE;
    for (int axis = 0; axis < 3; axis++)
        given.spacing_unknown = given.spacing_unknown || !(given.spacing_mm[axis] > 0.0);
    if (given.spacing_unknown) {
        g_autoptr(GError) error =
            g_error_new_literal(G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                                _("One of the three distances is 0: give all of them in mm"));
        bg_session_fail(bg_section_get_session(BG_SECTION(self)), _("The spacing is still unknown"),
                        error);
        return;
    }
    answer(self, layer, &given);
}

static void
bg_doubts_section_finalize(GObject *object)
{
    g_free(BG_DOUBTS_SECTION(object)->of);

    G_OBJECT_CLASS(bg_doubts_section_parent_class)->finalize(object);
}

static void
bg_doubts_section_class_init(BgDoubtsSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->finalize = bg_doubts_section_finalize;
    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-doubts-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgDoubtsSection, warnings);
    gtk_widget_class_bind_template_child(widget_class, BgDoubtsSection, side_box);
    gtk_widget_class_bind_template_child(widget_class, BgDoubtsSection, spacing_box);
    gtk_widget_class_bind_template_child(widget_class, BgDoubtsSection, columns);
    gtk_widget_class_bind_template_child(widget_class, BgDoubtsSection, rows);
    gtk_widget_class_bind_template_child(widget_class, BgDoubtsSection, slices);
    gtk_widget_class_bind_template_callback(widget_class, on_as_shown);
    gtk_widget_class_bind_template_callback(widget_class, on_mirrored);
    gtk_widget_class_bind_template_callback(widget_class, on_spacing);
}

static void
bg_doubts_section_init(BgDoubtsSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}
