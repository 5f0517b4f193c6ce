// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-sizes-section.h"

#include "core/base/bg-i18n.h"
#include "core/base/bg-output.h"
#include "core/segment/bg-label-sizes.h"
#include "core/segment/bg-tumour-report.h"
#include "ui/dialog/bg-file-dialog.h"
#include "ui/model/bg-kept.h"
#include "ui/model/bg-save.h"
#include "ui/model/bg-structures.h"
#include "ui/panel/bg-number-table.h"

#include <math.h>
#include <string.h>

#define MAX_PICTURES 4

struct _BgSizesSection {
    BgSection parent_instance;

    // of the template, borrowed
    GtkDropDown *structure;
    GtkGrid *table;
    GtkLabel *state;
    GtkWidget *csv, *report, *keep, *expander;

    guint64 measured; // serial of the map that is measured or shown
    guint asked_structure;
    char *listed;         // owned, nullable: what the list of structures shows
    char *structure_name; // owned, nullable: of the distances that are shown
    GArray *rows;         // owned, nullable: of BgSizesRow
};

G_DEFINE_FINAL_TYPE(BgSizesSection, bg_sizes_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    return layer != NULL && layer->payload.labels != NULL;
}

// The structure at @position of the list, whose first row is "none"; its layer and label.
static const BgLayer *
structure_at(BgSizesSection *self, guint position, guint32 *label)
{
    return position > 0
               ? bg_structures_get(bg_section_get_session(BG_SECTION(self)), position - 1, label)
               : NULL;
}

static void
list_structures(BgSizesSection *self)
{
    char *key = NULL;
    g_auto(GStrv) structures = bg_structures_list(bg_section_get_session(BG_SECTION(self)), &key);

    if (g_strcmp0(self->listed, key) != 0) {
        GtkStringList *names = gtk_string_list_new(NULL);
        gtk_string_list_append(names, _("None"));
        gtk_string_list_splice(names, 1, 0, (const char *const *) structures);
        gtk_drop_down_set_model(self->structure, G_LIST_MODEL(names));
        gtk_drop_down_set_selected(self->structure, 0);
        g_object_unref(names);
    }
    g_free(self->listed);
    self->listed = key;
}

static void
show_rows(BgSizesSection *self)
{
    const char *const headings[] = { _("Region"),
                                     _("ml"),
                                     _("3D mm"),
                                     _("RANO mm"),
                                     self->structure_name != NULL ? _("away mm") : NULL,
                                     NULL };

    bg_number_table_clear(self->table, headings);
    for (guint r = 0; r < self->rows->len; r++) {
        const BgSizesRow *row = &g_array_index(self->rows, BgSizesRow, r);
        g_autofree char *ml = g_strdup_printf("%.1f", row->shape.volume_ml);
        g_autofree char *diameter =
            row->shape.n_parts > 1
                // Translators: mm, and over how many separate parts of a region
                ? g_strdup_printf(_("%.1f over %zu parts"), row->shape.diameter_mm,
                                  row->shape.n_parts)
                : g_strdup_printf("%.1f", row->shape.diameter_mm);
        g_autofree char *rano =
            g_strdup_printf("%.1f × %.1f", row->shape.rano_long_mm, row->shape.rano_short_mm);
        g_autofree char *away =
            isnan(row->distance_mm) ? g_strdup("–") : g_strdup_printf("%.1f", row->distance_mm);
        const char *const cells[] = {
            row->name, ml, diameter, rano, self->structure_name != NULL ? away : NULL, NULL
        };
        bg_number_table_add(self->table, (int) r + 1, cells, headings);
    }
    gtk_label_set_text(self->state,
                       self->rows->len > 0
                           ? _("3D: longest diameter. RANO: longest in an axial slice, and across "
                               "it. Both go from end to end, also over separate parts: drop "
                               "small islands first where they are not meant.")
                           : _("No voxel is labelled"));
}

static gpointer
measure(gpointer request, GCancellable *cancellable, GError **error)
{
    return bg_label_sizes(request, cancellable, error);
}

static void
on_measured(gpointer owner, gpointer result, const GError *error)
{
    BgSizesSection *self = owner;
    GArray *rows = result;

    if (bg_section_get_session(BG_SECTION(self)) == NULL || rows == NULL) {
        if (error != NULL && bg_section_get_session(BG_SECTION(self)) != NULL)
            gtk_label_set_text(self->state, error->message);
        g_clear_pointer(&rows, g_array_unref);
        return;
    }
    g_clear_pointer(&self->rows, g_array_unref);
    self->rows = rows;
    show_rows(self);
    gtk_widget_set_sensitive(self->csv, TRUE);
    gtk_widget_set_sensitive(self->report, TRUE);
}

static void
ask(BgSizesSection *self)
{
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));
    guint position = gtk_drop_down_get_selected(self->structure);
    guint32 label = 0;

    if (layer == NULL || layer->payload.labels == NULL ||
        !gtk_expander_get_expanded(GTK_EXPANDER(self->expander)) ||
        (self->measured == bg_label_map_get_serial(layer->payload.labels) &&
         self->asked_structure == position))
        return;
    self->measured = bg_label_map_get_serial(layer->payload.labels);
    self->asked_structure = position;
    const BgLayer *structure = structure_at(self, position, &label);
    const BgLabelEntry *entry =
        structure != NULL ? bg_label_table_find(structure->labels, label) : NULL;
    g_free(self->structure_name);
    self->structure_name = entry != NULL ? g_strdup(entry->name) : NULL;
    gtk_widget_set_sensitive(self->csv, FALSE);
    gtk_widget_set_sensitive(self->report, FALSE);
    gtk_label_set_text(self->state, _("Measuring…"));

    BgSizesRequest *request = g_new0(BgSizesRequest, 1);
    request->map = bg_label_map_ref(layer->payload.labels);
    request->table = layer->labels != NULL ? bg_label_table_ref(layer->labels) : NULL;
    request->structure = structure != NULL ? bg_label_map_ref(structure->payload.labels) : NULL;
    request->structure_label = label;
    BgWork work = { .owner = G_OBJECT(self),
                    .yields = TRUE,
                    .func = measure,
                    .request = request,
                    .free_request = (GDestroyNotify) bg_sizes_request_free,
                    .done = on_measured,
                    .free_result = (GDestroyNotify) g_array_unref };
    bg_worker_post(bg_session_get_idle_worker(bg_section_get_session(BG_SECTION(self))), &work);
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgSizesSection *self = BG_SIZES_SECTION(section);

    if ((changes & (BG_CHANGE_LAYERS | BG_CHANGE_LOOK | BG_CHANGE_SELECTION | BG_CHANGE_CASE)) == 0)
        return;
    list_structures(self);
    gtk_widget_set_sensitive(self->keep, gtk_drop_down_get_selected(self->structure) > 0);
    ask(self);
}

static void
on_asked(BgSizesSection *self)
{
    gtk_widget_set_sensitive(self->keep, gtk_drop_down_get_selected(self->structure) > 0);
    if (!bg_section_is_updating(BG_SECTION(self)))
        ask(self);
}

static void
on_structure(GtkDropDown *list, GParamSpec *pspec, gpointer user_data)
{
    on_asked(user_data);
}

static void
on_keep(GtkButton *button, gpointer user_data)
{
    BgSizesSection *self = user_data;
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));
    guint32 label;
    const BgLayer *structure =
        structure_at(self, gtk_drop_down_get_selected(self->structure), &label);

    if (layer != NULL && structure != NULL)
        bg_kept_distances(bg_section_get_session(BG_SECTION(self)), layer, structure, label);
}

static void
save_csv(GtkWidget *asker, const char *path)
{
    BgSizesSection *self = BG_SIZES_SECTION(asker);

    if (self->rows != NULL)
        bg_save_text(bg_section_get_session(BG_SECTION(self)), path,
                     bg_label_sizes_to_csv(self->rows, self->structure_name),
                     _("The sizes are not saved"));
}

static void
on_csv(GtkButton *button, gpointer user_data)
{
    BgFileChoice choice = { .title = _("Save the sizes"),
                            .accept = _("_Save"),
                            .suggested_name = "sizes.csv",
                            .filter_name = _("Tables"),
                            .patterns = "*.csv",
                            .save = TRUE };

    bg_file_dialog_ask(user_data, &choice, save_csv);
}

// The report, on a worker.

typedef struct {
    char *title, *provenance;
    BgVolume *volumes[MAX_PICTURES];
    char *names[MAX_PICTURES];
    int n;
    BgLabelMap *labels;
    BgJson *sizes;
    GPtrArray *warnings;
} Report;

static void
report_free(gpointer data)
{
    Report *report = data;

    for (int v = 0; v < report->n; v++) {
        bg_volume_unref(report->volumes[v]);
        g_free(report->names[v]);
    }
    bg_label_map_unref(report->labels);
    bg_json_free(report->sizes);
    g_ptr_array_unref(report->warnings);
    g_free(report->title);
    g_free(report->provenance);
    g_free(report);
}

static gboolean
write_report(gpointer data, const char *path, const BgProgress *progress, GCancellable *cancellable,
             GError **error)
{
    const Report *report = data;
    const BgTumourReport params = { .title = report->title,
                                    .names = (const char *const *) report->names,
                                    .volumes = report->volumes,
                                    .n_volumes = report->n,
                                    .labels = report->labels,
                                    .sizes = report->sizes,
                                    .provenance = report->provenance,
                                    .warnings = report->warnings };
    g_autofree char *html = bg_tumour_report(&params, cancellable, error);

    return html != NULL && bg_output_replace(path, TRUE, html, strlen(html), error);
}

static BgJson *
sizes_of(const GArray *rows)
{
    BgJson *sizes = bg_json_new_object();

    for (guint r = 0; r < rows->len; r++) {
        const BgSizesRow *row = &g_array_index(rows, BgSizesRow, r);
        BgJson *one = bg_json_new_object();
        bg_json_set_double(one, "volume_ml", row->shape.volume_ml);
        bg_json_set_double(one, "diameter_mm", row->shape.diameter_mm);
        bg_json_set_double(one, "rano_long_mm", row->shape.rano_long_mm);
        bg_json_set_double(one, "rano_short_mm", row->shape.rano_short_mm);
        bg_json_set_double(one, "rano_product_mm2", row->shape.rano_product_mm2);
        if (!isnan(row->distance_mm))
            bg_json_set_double(one, "distance_mm", row->distance_mm);
        bg_json_set(sizes, row->name, one);
    }
    return sizes;
}

static void
save_report(GtkWidget *asker, const char *path)
{
    BgSizesSection *self = BG_SIZES_SECTION(asker);
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));
    const GPtrArray *layers = bg_session_get_state(session)->layers;

    if (layer == NULL || layer->payload.labels == NULL || self->rows == NULL)
        return;
    Report *report = g_new0(Report, 1);
    report->title = g_strdup(layer->name);
    report->provenance = *layer->parameters != '\0' ? g_strdup(layer->parameters) : NULL;
    report->labels = bg_label_map_ref(layer->payload.labels);
    report->sizes = sizes_of(self->rows);
    report->warnings = g_ptr_array_new_with_free_func(g_free);
    if (*layer->warnings != '\0')
        g_ptr_array_add(report->warnings, g_strdup(layer->warnings));
    for (guint i = 0; i < layers->len && report->n < MAX_PICTURES; i++) {
        const BgLayer *volume = layers->pdata[i];
        if (volume->payload.volume == NULL || !volume->visible)
            continue;
        report->names[report->n] = g_strdup(volume->name);
        report->volumes[report->n++] = bg_volume_ref(volume->payload.volume);
    }
    const BgSaveWork work = { .title = _("Writing the report"),
                              .failure = _("The report is not written"),
                              .func = write_report,
                              .input = report,
                              .free_input = report_free,
                              .path = path };
    bg_save_job(session, &work);
}

static void
on_report(GtkButton *button, gpointer user_data)
{
    BgFileChoice choice = { .title = _("Write a report with pictures of the visible volumes"),
                            .accept = _("_Save"),
                            .suggested_name = "report.html",
                            .filter_name = _("Web pages"),
                            .patterns = "*.html",
                            .save = TRUE };

    bg_file_dialog_ask(user_data, &choice, save_report);
}

static void
bg_sizes_section_dispose(GObject *object)
{
    BgSizesSection *self = BG_SIZES_SECTION(object);

    g_clear_pointer(&self->rows, g_array_unref);
    g_clear_pointer(&self->listed, g_free);
    g_clear_pointer(&self->structure_name, g_free);

    G_OBJECT_CLASS(bg_sizes_section_parent_class)->dispose(object);
}

static void
bg_sizes_section_class_init(BgSizesSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_sizes_section_dispose;
    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-sizes-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgSizesSection, structure);
    gtk_widget_class_bind_template_child(widget_class, BgSizesSection, table);
    gtk_widget_class_bind_template_child(widget_class, BgSizesSection, state);
    gtk_widget_class_bind_template_child(widget_class, BgSizesSection, csv);
    gtk_widget_class_bind_template_child(widget_class, BgSizesSection, report);
    gtk_widget_class_bind_template_child(widget_class, BgSizesSection, expander);
    gtk_widget_class_bind_template_child(widget_class, BgSizesSection, keep);
    gtk_widget_class_bind_template_callback(widget_class, on_keep);
    gtk_widget_class_bind_template_callback(widget_class, on_structure);
    gtk_widget_class_bind_template_callback(widget_class, on_csv);
    gtk_widget_class_bind_template_callback(widget_class, on_report);
}

static void
bg_sizes_section_init(BgSizesSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect_swapped(self->expander, "notify::expanded", G_CALLBACK(on_asked), self);
}
