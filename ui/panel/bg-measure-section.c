// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-measure-section.h"

#include "core/base/bg-i18n.h"
#include "ui/dialog/bg-file-dialog.h"
#include "ui/model/bg-save.h"

#include <string.h>

struct _BgMeasureSection {
    BgSection parent_instance;

    GtkListBox *list;  // of the template, borrowed
    GtkButton *export; // likewise
};

G_DEFINE_FINAL_TYPE(BgMeasureSection, bg_measure_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    BgSession *session = bg_section_get_session(section);

    return session != NULL && bg_session_get_state(session)->measurements->len > 0;
}

// FALSE: the file of the layer that it lies on does not say how far voxels are apart: px.
static gboolean
calibrated(const BgCaseState *state, const BgMeasurement *measurement)
{
    for (guint i = 0; i < state->layers->len; i++) {
        const BgLayer *layer = g_ptr_array_index(state->layers, i);
        if (layer->spacing_unknown &&
            (*measurement->layer_id == '\0' || g_str_equal(measurement->layer_id, layer->id)))
            return FALSE;
    }
    return TRUE;
}

static char *
format_value(const BgCaseState *state, const BgMeasurement *measurement)
{
    double length = bg_measurement_length_mm(measurement);

    switch (measurement->kind) {
    case BG_MEASURE_RULER:
        return calibrated(state, measurement)
                   // Translators: a length
                   ? g_strdup_printf(_("%.1f mm"), length)
                   // Translators: a length in voxels
                   : g_strdup_printf(_("%.1f px"), length);
    case BG_MEASURE_ANGLE:
        // Translators: an angle
        return g_strdup_printf(_("%.1f°"), bg_measurement_angle_deg(measurement));
    }
    return g_strdup("");
}

static void
append_quoted(GString *csv, const char *text)
{
    g_string_append_c(csv, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            g_string_append_c(csv, '"');
        g_string_append_c(csv, *text);
    }
    g_string_append_c(csv, '"');
}

// A spreadsheet takes what begins with = + - @ for a formula: a name from a file must not be one.
static void
append_name(GString *csv, const char *name)
{
    g_autofree char *safe =
        name[0] != '\0' && strchr("=+-@\t\r", name[0]) ? g_strconcat("'", name, NULL) : NULL;

    append_quoted(csv, safe != NULL ? safe : name);
}

char *
bg_measurements_to_csv(const BgCaseState *state)
{
    GString *csv = g_string_new("name,kind,value,unit,plane,x1_mm,y1_mm,z1_mm,x2_mm,y2_mm,z2_mm,"
                                "x3_mm,y3_mm,z3_mm\n");
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    for (guint i = 0; i < state->measurements->len; i++) {
        const BgMeasurement *measurement = g_ptr_array_index(state->measurements, i);
        gboolean ruler = measurement->kind == BG_MEASURE_RULER;
        double value =
            ruler ? bg_measurement_length_mm(measurement) : bg_measurement_angle_deg(measurement);

        append_name(csv, measurement->name);
        g_string_append_printf(csv, ",%s,%s,%s,%s", ruler ? "length" : "angle",
                               g_ascii_dtostr(number, sizeof number, value),
                               !ruler                           ? "deg"
                               : calibrated(state, measurement) ? "mm"
                                                                : "px",
                               measurement->plane);
        for (int p = 0; p < 3; p++) {
            for (int axis = 0; axis < 3; axis++) {
                g_string_append_c(csv, ',');
                if (p < bg_measurement_count_points(measurement->kind))
                    g_string_append(csv,
                                    g_ascii_dtostr(number, sizeof number,
                                                   bg_vec3_get(measurement->points_mm[p], axis)));
            }
        }
        g_string_append_c(csv, '\n');
    }
    return g_string_free(csv, FALSE);
}

static void
on_remove(GtkButton *button, gpointer user_data)
{
    bg_section_do(user_data, bg_command_remove_measurement(
                                 g_object_get_data(G_OBJECT(button), "measurement")));
}

static GtkWidget *
make_row(BgMeasureSection *self, const BgMeasurement *measurement)
{
    g_autofree char *value =
        format_value(bg_session_get_state(bg_section_get_session(BG_SECTION(self))), measurement);
    // Translators: a measurement's name and value
    g_autofree char *whole = g_strdup_printf(_("%s, %s"), measurement->name, value);
    // Translators: a measurement's name
    g_autofree char *remove_name = g_strdup_printf(_("Remove %s"), measurement->name);
    GtkWidget *row = gtk_list_box_row_new();
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *name_label = gtk_label_new(measurement->name);
    GtkWidget *value_label = gtk_label_new(value);
    GtkWidget *remove = gtk_button_new_from_icon_name("edit-delete-symbolic");

    gtk_label_set_xalign(GTK_LABEL(name_label), 0.0f);
    gtk_widget_set_hexpand(name_label, TRUE);
    gtk_label_set_ellipsize(GTK_LABEL(name_label), PANGO_ELLIPSIZE_END);
    gtk_widget_add_css_class(value_label, "numeric");
    gtk_widget_add_css_class(remove, "flat");
    gtk_widget_set_tooltip_text(remove, remove_name);
    gtk_accessible_update_property(GTK_ACCESSIBLE(remove), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   remove_name, -1);
    gtk_accessible_update_property(GTK_ACCESSIBLE(row), GTK_ACCESSIBLE_PROPERTY_LABEL, whole, -1);
    g_object_set_data_full(G_OBJECT(remove), "measurement", g_strdup(measurement->id), g_free);
    g_object_set_data_full(G_OBJECT(row), "measurement", g_strdup(measurement->id), g_free);
    g_signal_connect(remove, "clicked", G_CALLBACK(on_remove), self);
    gtk_box_append(GTK_BOX(box), name_label);
    gtk_box_append(GTK_BOX(box), value_label);
    gtk_box_append(GTK_BOX(box), remove);
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
    return row;
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgMeasureSection *self = BG_MEASURE_SECTION(section);
    BgSession *session = bg_section_get_session(section);
    const GPtrArray *measurements = bg_session_get_state(session)->measurements;
    const char *selected = bg_session_get_selected_measurement(session);
    GtkListBoxRow *row;

    if (!(changes & (BG_CHANGE_MEASUREMENTS | BG_CHANGE_CASE | BG_CHANGE_SELECTION)))
        return;
    while ((row = gtk_list_box_get_row_at_index(self->list, 0)) != NULL)
        gtk_list_box_remove(self->list, GTK_WIDGET(row));
    for (guint i = 0; i < measurements->len; i++) {
        const BgMeasurement *measurement = g_ptr_array_index(measurements, i);
        GtkWidget *next = make_row(self, measurement);
        gtk_list_box_append(self->list, next);
        if (g_strcmp0(measurement->id, selected) == 0)
            gtk_list_box_select_row(self->list, GTK_LIST_BOX_ROW(next));
    }
}

// Shows where it is: all panes go there.
static void
on_row_selected(GtkListBox *list, GtkListBoxRow *row, gpointer user_data)
{
    BgSection *section = user_data;
    BgSession *session = bg_section_get_session(section);

    if (row == NULL || bg_section_is_updating(section))
        return;
    const char *id = g_object_get_data(G_OBJECT(row), "measurement");
    const BgMeasurement *measurement = bg_case_get_measurement(bg_session_get_case(session), id);
    if (measurement == NULL)
        return;
    BgVec3 at_mm =
        measurement->kind == BG_MEASURE_ANGLE
            ? measurement->points_mm[1]
            : bg_vec3_scale(bg_vec3_add(measurement->points_mm[0], measurement->points_mm[1]), 0.5);
    bg_session_select_measurement(session, id);
    bg_session_move_cursor(session, at_mm);
}

static void
save_to(GtkWidget *asker, const char *path)
{
    BgSession *session = bg_section_get_session(BG_SECTION(asker));

    bg_save_text(session, path, bg_measurements_to_csv(bg_session_get_state(session)),
                 _("The measurements are not saved"));
}

static void
on_export(GtkButton *button, gpointer user_data)
{
    BgFileChoice choice = { .title = _("Save the measurements"),
                            .accept = _("_Save"),
                            .suggested_name = "measurements.csv",
                            .filter_name = _("Tables"),
                            .patterns = "*.csv",
                            .save = TRUE };

    bg_file_dialog_ask(user_data, &choice, save_to);
}

static void
bg_measure_section_class_init(BgMeasureSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-measure-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgMeasureSection, list);
    gtk_widget_class_bind_template_child(widget_class, BgMeasureSection, export);
    gtk_widget_class_bind_template_callback(widget_class, on_row_selected);
    gtk_widget_class_bind_template_callback(widget_class, on_export);
}

static void
bg_measure_section_init(BgMeasureSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}
