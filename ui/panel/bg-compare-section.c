// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-compare-section.h"

#include "core/base/bg-i18n.h"
#include "core/case/bg-provenance.h"
#include "core/segment/bg-cohort.h"
#include "core/segment/bg-label-sizes.h"
#include "ui/dialog/bg-file-dialog.h"
#include "ui/model/bg-distance-job.h"
#include "ui/model/bg-save.h"
#include "ui/panel/bg-form.h"
#include "ui/panel/bg-number-table.h"

#include <math.h>

// A row of the box plot, and the room for its name.
#define BOX_ROW_PX 18.0
#define BOX_NAME_PX 84.0

struct _BgCompareSection {
    BgSection parent_instance;

    // of the template, borrowed
    GtkDropDown *truth, *kind;
    GtkSpinButton *tolerance;
    GtkGrid *table;
    GtkLabel *state;
    GtkWidget *compare, *surfaces, *csv, *report, *chart, *boxes;

    char *listed;         // owned, nullable: ids and names in the list
    BgComparison *found;  // owned, nullable
    guint64 serials[2];   // of the maps that were compared
    guint64 asked[2];     // of those that are being compared
    char *names[2];       // owned, nullable: of the layers that were compared
    char *asked_names[2]; // owned, nullable: of those that are being compared
};

G_DEFINE_FINAL_TYPE(BgCompareSection, bg_compare_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    return layer != NULL && layer->payload.labels != NULL;
}

// The list leaves the selected layer out; its first row is "none".
static const BgLayer *
truth_of(BgCompareSection *self)
{
    const BgLayer *selected = bg_section_get_layer(BG_SECTION(self));
    const GPtrArray *layers =
        bg_session_get_state(bg_section_get_session(BG_SECTION(self)))->layers;
    guint position = gtk_drop_down_get_selected(self->truth);

    for (guint i = 0; position > 0 && i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (layer->payload.labels != NULL && layer != selected && --position == 0)
            return layer;
    }
    return NULL;
}

static void
clear(BgCompareSection *self)
{
    static const char *const none[] = { NULL };

    g_clear_pointer(&self->found, bg_comparison_free);
    bg_number_table_clear(self->table, none);
    gtk_widget_set_sensitive(self->csv, FALSE);
    gtk_widget_set_sensitive(self->report, FALSE);
    gtk_widget_set_visible(self->chart, FALSE);
    gtk_widget_set_visible(self->boxes, FALSE);
}

static void
show_state(BgCompareSection *self)
{
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self)), *truth = truth_of(self);
    const char *words = "";

    gtk_widget_set_sensitive(self->compare, truth != NULL);
    gtk_widget_set_sensitive(self->surfaces, truth != NULL);
    if (truth == NULL)
        words = _("Choose the labels that are taken for true");
    else if (self->found != NULL &&
             (self->serials[0] != bg_label_map_get_serial(layer->payload.labels) ||
              self->serials[1] != bg_label_map_get_serial(truth->payload.labels)))
        words = _("These numbers are of other labels: compare again");
    else if (self->found != NULL && self->found->rows->len == 0)
        words = _("Neither has a labelled voxel");
    gtk_label_set_text(self->state, words);
    gtk_widget_set_visible(GTK_WIDGET(self->state), *words != '\0');
}

static char *
number(double value, int digits)
{
    return isnan(value) ? g_strdup("–") : g_strdup_printf("%.*f", digits, value);
}

static void
name_chart(BgCompareSection *self)
{
    const GArray *slices = self->found->slices;
    double least = NAN;
    guint at = 0, n = 0;

    for (guint k = 0; k < slices->len; k++) {
        double dice = g_array_index(slices, double, k);
        n += !isnan(dice);
        if (!isnan(dice) && (isnan(least) || dice < least)) {
            least = dice;
            at = k;
        }
    }
    g_autofree char *name =
        n > 0 ? g_strdup_printf(
                    // Translators: a chart: number of slices, the lowest value, its slice
                    _("Dice in %u slices with labels, lowest %.3f in slice %u"), n, least, at + 1)
              : g_strdup(_("Dice slice by slice: no slice has labels"));
    bg_form_name(self->chart, name);
    gtk_widget_set_tooltip_text(self->chart, name);
    gtk_widget_set_visible(self->chart, n > 0);
    gtk_widget_queue_draw(self->chart);
}

static void
name_boxes(BgCompareSection *self)
{
    g_autoptr(GString) name = g_string_new(_("Box plot of the Dice of slices:"));
    gboolean any = FALSE;

    for (guint r = 0; r < self->found->rows->len; r++) {
        const BgCompareRow *row = &g_array_index(self->found->rows, BgCompareRow, r);
        BgSummary s = bg_summary(row->slices, self->found->slices->len);
        if (s.n == 0)
            continue;
        any = TRUE;
        g_string_append_printf(
            name,
            // Translators: a box of a box plot: region, least, quartiles and median, most, of so many
            _("\n%s: %.3f, %.3f, median %.3f, %.3f, %.3f, of %zu slices"), row->name, s.least, s.q1,
            s.median, s.q3, s.most, s.n);
    }
    bg_form_name(self->boxes, name->str);
    gtk_widget_set_tooltip_text(self->boxes, name->str);
    gtk_widget_set_visible(self->boxes, any);
    gtk_drawing_area_set_content_height(GTK_DRAWING_AREA(self->boxes),
                                        (int) (BOX_ROW_PX * (self->found->rows->len + 1)));
    gtk_widget_queue_draw(self->boxes);
}

static void
show_found(BgCompareSection *self)
{
    const char *const headings[] = { _("Region"),  _("Dice"),    _("Jaccard"),
                                     _("HD95 mm"), _("mean mm"), NULL };

    bg_number_table_clear(self->table, headings);
    for (guint r = 0; r < self->found->rows->len; r++) {
        const BgCompareRow *row = &g_array_index(self->found->rows, BgCompareRow, r);
        g_autofree char *dice = number(row->metrics.dice, 3);
        g_autofree char *jaccard = number(row->metrics.jaccard, 3);
        g_autofree char *hd95 = number(row->metrics.hd95_mm, 1);
        g_autofree char *mean = number(row->metrics.mean_surface_mm, 1);
        const char *const cells[] = { row->name, dice, jaccard, hd95, mean, NULL };
        bg_number_table_add(self->table, (int) r + 1, cells, headings);
    }
    gtk_widget_set_sensitive(self->csv, TRUE);
    gtk_widget_set_sensitive(self->report, TRUE);
    name_chart(self);
    name_boxes(self);
    show_state(self);
}

static void
draw_chart(GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer user_data)
{
    BgCompareSection *self = user_data;

    if (self->found == NULL || self->found->slices->len == 0)
        return;
    const GArray *slices = self->found->slices;
    double step = (double) width / slices->len;
    GdkRGBA line = { 0.64f, 0.65f, 0.68f, 1.0f }, bar = { 0.29f, 0.64f, 0.87f, 1.0f };
    GtkStyleContext *context = gtk_widget_get_style_context(GTK_WIDGET(area));

    gtk_style_context_lookup_color(context, "line", &line);
    gtk_style_context_lookup_color(context, "accent", &bar);
    for (int quarter = 0; quarter <= 4; quarter++) {
        double y = floor((height - 1) * quarter / 4.0) + 0.5;
        cairo_move_to(cr, 0.0, y);
        cairo_line_to(cr, width, y);
    }
    gdk_cairo_set_source_rgba(cr, &line);
    cairo_set_line_width(cr, 1.0);
    cairo_stroke(cr);
    gdk_cairo_set_source_rgba(cr, &bar);
    for (guint k = 0; k < slices->len; k++) {
        double dice = g_array_index(slices, double, k);
        if (isnan(dice))
            continue;
        // A slice without any overlap is seen, too.
        double tall = fmax(dice * height, 2.0);
        cairo_rectangle(cr, k * step, height - tall, fmax(step, 1.0), tall);
        cairo_fill(cr);
    }
}

static void
draw_words(cairo_t *cr, GtkWidget *widget, double x, double y, double width, const char *words)
{
    g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(widget, words);
    int height;

    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_width(layout, (int) (width * PANGO_SCALE));
    pango_layout_get_pixel_size(layout, NULL, &height);
    cairo_move_to(cr, x, y - 0.5 * height);
    pango_cairo_show_layout(cr, layout);
}

static double
box_x(double value, double width)
{
    return BOX_NAME_PX + (width - BOX_NAME_PX - 6.0) * CLAMP(value, 0.0, 1.0);
}

static void
draw_box(cairo_t *cr, const BgSummary *s, double width, double y, const GdkRGBA *fill,
         const GdkRGBA *ink)
{
    double half = 0.3 * BOX_ROW_PX, q1 = box_x(s->q1, width), q3 = box_x(s->q3, width);
    double median = box_x(s->median, width);

    gdk_cairo_set_source_rgba(cr, fill);
    cairo_rectangle(cr, q1, y - half, fmax(q3 - q1, 1.0), 2.0 * half);
    cairo_fill(cr);
    gdk_cairo_set_source_rgba(cr, ink);
    cairo_set_line_width(cr, 1.0);
    cairo_move_to(cr, box_x(s->least, width), y);
    cairo_line_to(cr, q1, y);
    cairo_move_to(cr, q3, y);
    cairo_line_to(cr, box_x(s->most, width), y);
    cairo_stroke(cr);
    cairo_set_line_width(cr, 2.0);
    cairo_move_to(cr, median, y - half);
    cairo_line_to(cr, median, y + half);
    cairo_stroke(cr);
}

static void
draw_boxes(GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer user_data)
{
    BgCompareSection *self = user_data;
    GdkRGBA line = { 0.23f, 0.24f, 0.26f, 1.0f }, bar = { 0.29f, 0.64f, 0.87f, 1.0f }, ink;
    GtkStyleContext *context = gtk_widget_get_style_context(GTK_WIDGET(area));

    if (self->found == NULL)
        return;
    gtk_style_context_lookup_color(context, "line", &line);
    gtk_style_context_lookup_color(context, "accent", &bar);
    gtk_style_context_get_color(context, &ink);
    double bottom = BOX_ROW_PX * self->found->rows->len;
    for (int quarter = 0; quarter <= 4; quarter++) {
        static const char *const ticks[] = { "0", "", "0.5", "", "1" };
        double x = floor(box_x(quarter / 4.0, width)) + 0.5;
        gdk_cairo_set_source_rgba(cr, &line);
        cairo_set_line_width(cr, 1.0);
        cairo_move_to(cr, x, 0.0);
        cairo_line_to(cr, x, bottom);
        cairo_stroke(cr);
        gdk_cairo_set_source_rgba(cr, &ink);
        draw_words(cr, GTK_WIDGET(area), quarter == 4 ? x - 6.0 : x - 3.0,
                   bottom + 0.5 * BOX_ROW_PX, 30.0, ticks[quarter]);
    }
    for (guint r = 0; r < self->found->rows->len; r++) {
        const BgCompareRow *row = &g_array_index(self->found->rows, BgCompareRow, r);
        BgSummary s = bg_summary(row->slices, self->found->slices->len);
        double y = BOX_ROW_PX * (r + 0.5);
        gdk_cairo_set_source_rgba(cr, &ink);
        draw_words(cr, GTK_WIDGET(area), 0.0, y, BOX_NAME_PX - 6.0, row->name);
        if (s.n > 0)
            draw_box(cr, &s, width, y, &bar, &ink);
    }
}

static gpointer
compare(gpointer request, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    return bg_label_compare(request, progress, cancellable, error);
}

typedef struct {
    GWeakRef section;
    BgSession *session; // owned
} Asked;

static void
on_compared(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Asked *asked = user_data;
    g_autoptr(GError) error = NULL;
    BgComparison *found = bg_job_run_finish(BG_JOB(source), result, &error);
    g_autoptr(BgCompareSection) self = g_weak_ref_get(&asked->section);

    if (found == NULL)
        bg_session_fail(asked->session, _("The labels cannot be compared"), error);
    if (found != NULL && self != NULL && bg_section_get_session(BG_SECTION(self)) != NULL) {
        g_clear_pointer(&self->found, bg_comparison_free);
        self->found = g_steal_pointer(&found);
        self->serials[0] = self->asked[0];
        self->serials[1] = self->asked[1];
        for (int n = 0; n < 2; n++) {
            g_free(self->names[n]);
            self->names[n] = g_strdup(self->asked_names[n]);
        }
        show_found(self);
    }
    g_clear_pointer(&found, bg_comparison_free);
    g_object_unref(asked->session);
    g_weak_ref_clear(&asked->section);
    g_free(asked);
}

static void
on_compare(GtkButton *button, gpointer user_data)
{
    BgCompareSection *self = user_data;
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self)), *truth = truth_of(self);

    if (layer == NULL || layer->payload.labels == NULL || truth == NULL)
        return;
    BgCompareRequest *request = g_new0(BgCompareRequest, 1);
    request->pred = bg_label_map_ref(layer->payload.labels);
    request->truth = bg_label_map_ref(truth->payload.labels);
    request->table = layer->labels != NULL ? bg_label_table_ref(layer->labels) : NULL;
    request->kind =
        gtk_drop_down_get_selected(self->kind) == 1 ? BG_SURFACE_SURFELS : BG_SURFACE_VOXELS;
    request->tolerance_mm = gtk_spin_button_get_value(self->tolerance);
    self->asked[0] = bg_label_map_get_serial(request->pred);
    self->asked[1] = bg_label_map_get_serial(request->truth);
    bg_layer_set_string(&self->asked_names[0], layer->name);
    bg_layer_set_string(&self->asked_names[1], truth->name);
    Asked *asked = g_new0(Asked, 1);
    g_weak_ref_init(&asked->section, self);
    asked->session = g_object_ref(session);
    g_autoptr(BgJob) job = bg_job_new(_("Comparing labels"));
    BgJobWork work = { .func = compare,
                       .input = request,
                       .free_input = (GDestroyNotify) bg_compare_request_free,
                       .free_result = (GDestroyNotify) bg_comparison_free };
    bg_session_run(session, job, &work, on_compared, asked);
}

static void
on_surfaces(GtkButton *button, gpointer user_data)
{
    const BgLayer *layer = bg_section_get_layer(user_data), *truth = truth_of(user_data);

    if (layer != NULL && layer->payload.labels != NULL && truth != NULL)
        bg_distance_job_labels(bg_section_get_session(user_data), layer, truth);
}

static void
on_truth(GtkDropDown *list, GParamSpec *pspec, gpointer user_data)
{
    if (bg_section_is_updating(user_data))
        return;
    clear(user_data);
    show_state(user_data);
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgCompareSection *self = BG_COMPARE_SECTION(section);
    const GPtrArray *layers = bg_session_get_state(bg_section_get_session(section))->layers;

    if ((changes & (BG_CHANGE_LAYERS | BG_CHANGE_SELECTION | BG_CHANGE_CASE)) == 0)
        return;
    GtkStringList *names = gtk_string_list_new(NULL);
    GString *all = g_string_new(layer->id);
    gtk_string_list_append(names, _("None"));
    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *other = layers->pdata[i];
        if (other->payload.labels == NULL || other == layer)
            continue;
        gtk_string_list_append(names, other->name);
        g_string_append_printf(all, "\t%s\t%s", other->id, other->name);
    }
    if (g_strcmp0(self->listed, all->str) != 0) {
        gtk_drop_down_set_model(self->truth, G_LIST_MODEL(names));
        gtk_drop_down_set_selected(self->truth, 0);
        clear(self);
        g_free(self->listed);
        self->listed = g_strdup(all->str);
    }
    g_string_free(all, TRUE);
    g_object_unref(names);
    show_state(self);
}

static void
save_csv(GtkWidget *asker, const char *path)
{
    BgCompareSection *self = BG_COMPARE_SECTION(asker);

    if (self->found != NULL)
        bg_save_text(bg_section_get_session(BG_SECTION(self)), path,
                     bg_comparison_to_csv(self->found), _("The comparison is not saved"));
}

static void
on_csv(GtkButton *button, gpointer user_data)
{
    BgFileChoice choice = { .title = _("Save the comparison"),
                            .accept = _("_Save"),
                            .suggested_name = "comparison.csv",
                            .filter_name = _("Tables"),
                            .patterns = "*.csv",
                            .save = TRUE };

    bg_file_dialog_ask(user_data, &choice, save_csv);
}

static void
save_report(GtkWidget *asker, const char *path)
{
    BgCompareSection *self = BG_COMPARE_SECTION(asker);

    if (self->found == NULL)
        return;
    g_autoptr(BgProvenance) provenance = bg_provenance_new("evaluate-labels");
    BgJson *parameters = bg_provenance_get_parameters(provenance);
    bg_json_set_string(parameters, "pred", self->names[0]);
    bg_json_set_string(parameters, "truth", self->names[1]);
    bg_json_set_string(parameters, "surface",
                       self->found->kind == BG_SURFACE_SURFELS ? "surfels" : "voxels");
    bg_json_set_double(parameters, "tolerance_mm", self->found->tolerance_mm);
    g_autofree char *text = bg_provenance_print(provenance);
    bg_save_text(bg_section_get_session(BG_SECTION(self)), path,
                 bg_comparison_to_html(self->found, self->names[0], self->names[1], text),
                 _("The comparison is not saved"));
}

static void
on_report(GtkButton *button, gpointer user_data)
{
    BgFileChoice choice = { .title = _("Save the comparison with its charts"),
                            .accept = _("_Save"),
                            .suggested_name = "comparison.html",
                            .filter_name = _("Web pages"),
                            .patterns = "*.html",
                            .save = TRUE };

    bg_file_dialog_ask(user_data, &choice, save_report);
}

static void
bg_compare_section_dispose(GObject *object)
{
    BgCompareSection *self = BG_COMPARE_SECTION(object);

    g_clear_pointer(&self->found, bg_comparison_free);
    g_clear_pointer(&self->listed, g_free);
    for (int n = 0; n < 2; n++) {
        g_clear_pointer(&self->names[n], g_free);
        g_clear_pointer(&self->asked_names[n], g_free);
    }

    G_OBJECT_CLASS(bg_compare_section_parent_class)->dispose(object);
}

static void
bg_compare_section_class_init(BgCompareSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_compare_section_dispose;
    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-compare-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgCompareSection, truth);
    gtk_widget_class_bind_template_child(widget_class, BgCompareSection, kind);
    gtk_widget_class_bind_template_child(widget_class, BgCompareSection, tolerance);
    gtk_widget_class_bind_template_child(widget_class, BgCompareSection, table);
    gtk_widget_class_bind_template_child(widget_class, BgCompareSection, state);
    gtk_widget_class_bind_template_child(widget_class, BgCompareSection, compare);
    gtk_widget_class_bind_template_child(widget_class, BgCompareSection, surfaces);
    gtk_widget_class_bind_template_child(widget_class, BgCompareSection, csv);
    gtk_widget_class_bind_template_child(widget_class, BgCompareSection, chart);
    gtk_widget_class_bind_template_child(widget_class, BgCompareSection, boxes);
    gtk_widget_class_bind_template_child(widget_class, BgCompareSection, report);
    gtk_widget_class_bind_template_callback(widget_class, on_truth);
    gtk_widget_class_bind_template_callback(widget_class, on_compare);
    gtk_widget_class_bind_template_callback(widget_class, on_surfaces);
    gtk_widget_class_bind_template_callback(widget_class, on_csv);
    gtk_widget_class_bind_template_callback(widget_class, on_report);
}

static void
bg_compare_section_init(BgCompareSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(self->chart), draw_chart, self, NULL);
    gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(self->boxes), draw_boxes, self, NULL);
}
