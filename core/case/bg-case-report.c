// SPDX-License-Identifier: Apache-2.0
#include "core/case/bg-case-report.h"

#include "bg-plan-measure.h"
#include "bg-report-private.h"
#include "bg-report-rows-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-output.h"
#include "core/case/bg-provenance.h"
#include "core/nn/bg-nn-weights.h"
#include "core/segment/bg-label-sizes.h"

#include <math.h>
#include <string.h>

#define TOLERANCE_MM 1.0 // of the surface Dice

// ------------------------------------------------------------------------------------------------
// On the main thread

static BgLayer *
copy_layer(const BgLayer *layer)
{
    g_autoptr(GVariant) variant = bg_layer_to_variant(layer);
    BgLayer *copy = bg_layer_from_variant(variant, NULL);

    if (copy != NULL)
        bg_payload_copy(&layer->payload, &copy->payload);
    return copy;
}

// The selected label map, or the uppermost visible one; and the next of those.
static void
choose_labels(BgCaseReport *report, const char *selected)
{
    for (guint i = report->layers->len; i > 0; i--) {
        const BgLayer *layer = report->layers->pdata[i - 1];
        if (layer->payload.labels != NULL && strcmp(layer->id, selected) == 0)
            report->labels = layer;
    }
    for (guint i = report->layers->len; i > 0; i--) {
        const BgLayer *layer = report->layers->pdata[i - 1];
        if (layer->payload.labels == NULL || !layer->visible || layer == report->labels)
            continue;
        if (report->labels == NULL)
            report->labels = layer;
        else if (report->truth == NULL)
            report->truth = layer;
    }
}

BgCaseReport *
bg_case_report_new(BgCase *the_case, GError **error)
{
    const BgCaseState *state = bg_case_get_state(the_case);
    BgCaseReport *report = g_new0(BgCaseReport, 1);
    gboolean any = FALSE;

    bg_patient_init(&report->patient);
    bg_patient_copy(&state->patient, &report->patient);
    report->study_date = bg_format_date(state->study_date);
    report->study_description = g_strdup(state->study_description);
    report->notes = g_strdup(state->notes);
    report->view = state->view;
    report->layers = g_ptr_array_new_with_free_func((GDestroyNotify) bg_layer_free);
    report->measurements = bg_report_measurements(the_case);
    report->points = bg_report_points(the_case);
    report->registrations = bg_report_registrations(the_case);
    report->plans = g_ptr_array_new_with_free_func((GDestroyNotify) bg_plan_measure_free);
    for (guint i = 0; i < state->plans->len; i++)
        g_ptr_array_add(report->plans, bg_plan_measure_new(the_case, state->plans->pdata[i]));
    for (guint i = 0; i < state->layers->len; i++) {
        BgLayer *copy = copy_layer(state->layers->pdata[i]);
        if (copy == NULL)
            continue;
        any |= copy->payload.volume != NULL || copy->payload.labels != NULL;
        g_ptr_array_add(report->layers, copy);
    }
    choose_labels(report, state->selected);
    if (any)
        return report;
    bg_case_report_free(report);
    g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                        _("There is nothing to report: no volume and no label map is loaded. Open "
                          "a scan"));
    return NULL;
}

void
bg_case_report_free(BgCaseReport *report)
{
    if (report == NULL)
        return;
    bg_patient_clear(&report->patient);
    g_free(report->study_date);
    g_free(report->study_description);
    g_free(report->notes);
    g_ptr_array_unref(report->layers);
    g_ptr_array_unref(report->measurements);
    g_ptr_array_unref(report->points);
    g_ptr_array_unref(report->registrations);
    g_ptr_array_unref(report->plans);
    g_free(report);
}

// ------------------------------------------------------------------------------------------------
// On a worker: words and numbers

static const char *
known(const char *text)
{
    return text != NULL && *text != '\0' ? text : _("not known");
}

static void
add_pair(BgPages *pages, const char *name, const char *value)
{
    const char *const cells[] = { name, value, NULL };

    bg_pages_add_row(pages, cells, FALSE);
}

static void
write_identity(const BgReportWriting *w)
{
    const BgCaseReport *report = w->report;
    g_autofree char *born = bg_format_date(report->patient.birth_date);
    const char *name = report->patient.name;

    bg_pages_add(w->pages, BG_PAGES_CAUTION,
                 _("Not for diagnosis: computed, not measured; for research. Compare each "
                   "picture and number with the scans themselves."));
    bg_pages_add(w->pages, BG_PAGES_HEADING, _("Patient and study"));
    add_pair(w->pages, _("Name"), known(name));
    add_pair(w->pages, _("Number"), known(report->patient.id));
    add_pair(w->pages, _("Born"), known(born));
    add_pair(w->pages, _("Sex"), known(report->patient.sex));
    add_pair(w->pages, _("First scan’s study"), known(report->study_description));
    add_pair(w->pages, _("Its date"), known(report->study_date));
    bg_pages_end_table(w->pages);
    if (!bg_patient_is_known(&report->patient))
        bg_pages_add(w->pages, BG_PAGES_CAUTION, _("The files do not say whose scans these are."));
    if (*report->notes != '\0')
        bg_pages_add(w->pages, BG_PAGES_WORDS, report->notes);
}

static void
write_scans(const BgReportWriting *w)
{
    const char *const head[] = { _("Layer"),      _("Kind"), _("Voxels"),
                                 _("Spacing mm"), _("From"), NULL };

    bg_pages_add(w->pages, BG_PAGES_HEADING, _("Scans and results"));
    bg_pages_add_row(w->pages, head, TRUE);
    for (guint i = 0; i < w->report->layers->len; i++) {
        const BgLayer *layer = w->report->layers->pdata[i];
        const BgGeometry *grid =
            layer->payload.volume != NULL   ? bg_volume_get_geometry(layer->payload.volume)
            : layer->payload.labels != NULL ? bg_label_map_get_geometry(layer->payload.labels)
                                            : NULL;
        BgVec3 mm = grid != NULL ? bg_geometry_spacing_mm(grid) : bg_vec3(0.0, 0.0, 0.0);
        g_autofree char *dims = grid != NULL ? g_strdup_printf("%d × %d × %d", grid->dims[0],
                                                               grid->dims[1], grid->dims[2])
                                             : g_strdup("–");
        g_autofree char *spacing = grid != NULL && !layer->spacing_unknown
                                       ? g_strdup_printf("%.2f × %.2f × %.2f", mm.x, mm.y, mm.z)
                                       : g_strdup("–");
        g_autofree char *base = g_path_get_basename(layer->source.path);
        // Translators: an operation that made something
        g_autofree char *made = g_strdup_printf(_("computed: %s"), layer->generated_by);
        const char *const cells[] = { layer->name,
                                      *layer->modality != '\0' ? layer->modality
                                                               : bg_kind_name(layer->kind),
                                      dims,
                                      spacing,
                                      *layer->generated_by != '\0' ? made : base,
                                      NULL };
        bg_pages_add_row(w->pages, cells, FALSE);
    }
    bg_pages_end_table(w->pages);
    for (guint i = 0; i < w->report->layers->len; i++) {
        const BgLayer *layer = w->report->layers->pdata[i];
        g_autofree char *words = g_strdup_printf("%s: %s", layer->name, layer->warnings);
        // Translators: the name of a layer
        g_autofree char *side = g_strdup_printf(
            _("%s: its file does not say where left and right are. Letters are “?”"), layer->name);
        if (layer->side_unknown)
            bg_pages_add(w->pages, BG_PAGES_CAUTION, side);
        if (*layer->warnings != '\0')
            bg_pages_add(w->pages, BG_PAGES_CAUTION, words);
    }
}

static gboolean
write_sizes(const BgReportWriting *w, GError **error)
{
    const BgLayer *layer = w->report->labels;
    const char *const head[] = { _("Region"),  _("Volume ml"), _("Longest 3D mm"),
                                 _("RANO mm"), _("RANO mm²"),  _("Parts"),
                                 NULL };

    if (layer == NULL)
        return TRUE;
    BgSizesRequest request = { .map = layer->payload.labels, .table = layer->labels };
    g_autoptr(GArray) rows = bg_label_sizes(&request, w->cancellable, error);
    if (rows == NULL)
        return FALSE;
    // Translators: the name of a label map
    g_autofree char *heading = g_strdup_printf(_("Volumes and diameters: %s"), layer->name);
    bg_pages_add(w->pages, BG_PAGES_HEADING, heading);
    if (rows->len == 0) {
        bg_pages_add(w->pages, BG_PAGES_CAUTION,
                     _("No voxel is labelled. That is no proof that there is no "
                       "tumour."));
        return TRUE;
    }
    bg_pages_add_row(w->pages, head, TRUE);
    for (guint r = 0; r < rows->len; r++) {
        const BgSizesRow *row = &g_array_index(rows, BgSizesRow, r);
        const BgLabelShape *shape = &row->shape;
        g_autofree char *ml = g_strdup_printf("%.2f", shape->volume_ml);
        g_autofree char *longest = g_strdup_printf("%.1f", shape->diameter_mm);
        g_autofree char *rano =
            g_strdup_printf("%.1f × %.1f", shape->rano_long_mm, shape->rano_short_mm);
        g_autofree char *product = g_strdup_printf("%.1f", shape->rano_product_mm2);
        g_autofree char *parts = g_strdup_printf("%zu", shape->n_parts);
        const char *const cells[] = { row->name, ml, longest, rano, product, parts, NULL };
        bg_pages_add_row(w->pages, cells, FALSE);
    }
    bg_pages_end_table(w->pages);
    bg_pages_add(w->pages, BG_PAGES_WORDS,
                 _("WT is the whole tumour, TC its core, ET what takes up contrast. RANO: the "
                   "longest diameter in an axial slice, and the longest across it there. "
                   "Diameters go from end to end, also over separate parts."));
    return TRUE;
}

static char *
number(double value, const char *format)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    return isfinite(value) ? g_strdup(g_ascii_formatd(text, sizeof text, format, value))
                           : g_strdup("–");
}

static gboolean
write_comparison(const BgReportWriting *w, GError **error)
{
    const BgCaseReport *report = w->report;
    const char *const head[] = { _("Region"),  _("Dice"),    _("Sensitivity"), _("Precision"),
                                 _("HD95 mm"), _("mean mm"), _("Volume ml"),   _("of the other ml"),
                                 NULL };

    if (report->truth == NULL)
        return TRUE;
    // Translators: names of two segmentations
    g_autofree char *heading = g_strdup_printf(_("Comparison: “%s” judged by “%s”"),
                                               report->labels->name, report->truth->name);
    bg_pages_add(w->pages, BG_PAGES_HEADING, heading);
    if (!bg_geometry_equal(bg_label_map_get_geometry(report->labels->payload.labels),
                           bg_label_map_get_geometry(report->truth->payload.labels), 0.01)) {
        bg_pages_add(w->pages, BG_PAGES_WORDS,
                     _("They lie on different grids, and are not compared."));
        return TRUE;
    }
    BgCompareRequest request = { .pred = report->labels->payload.labels,
                                 .truth = report->truth->payload.labels,
                                 .table = report->labels->labels,
                                 .kind = BG_SURFACE_VOXELS,
                                 .tolerance_mm = TOLERANCE_MM };
    BgComparison *found = bg_label_compare(&request, NULL, w->cancellable, error);
    if (found == NULL)
        return FALSE;
    bg_pages_add_row(w->pages, head, TRUE);
    for (guint r = 0; r < found->rows->len; r++) {
        const BgCompareRow *row = &g_array_index(found->rows, BgCompareRow, r);
        const BgLabelMetrics *m = &row->metrics;
        g_autofree char *dice = number(m->dice, "%.4f");
        g_autofree char *sensitivity = number(m->sensitivity, "%.4f");
        g_autofree char *precision = number(m->precision, "%.4f");
        g_autofree char *hd95 = number(m->hd95_mm, "%.2f");
        g_autofree char *mean = number(m->mean_surface_mm, "%.2f");
        g_autofree char *pred = number(m->volume_pred_ml, "%.2f");
        g_autofree char *truth = number(m->volume_true_ml, "%.2f");
        const char *const cells[] = { row->name, dice, sensitivity, precision, hd95,
                                      mean,      pred, truth,       NULL };
        bg_pages_add_row(w->pages, cells, FALSE);
    }
    bg_pages_end_table(w->pages);
    bg_comparison_free(found);
    return TRUE;
}

static void
write_rows(const BgReportWriting *w, const char *heading, const char *const *head,
           const GPtrArray *rows)
{
    if (rows->len == 0)
        return;
    if (heading != NULL)
        bg_pages_add(w->pages, BG_PAGES_HEADING, heading);
    bg_pages_add_row(w->pages, head, TRUE);
    for (guint r = 0; r < rows->len; r++)
        bg_pages_add_row(w->pages, (const char *const *) rows->pdata[r], FALSE);
    bg_pages_end_table(w->pages);
}

// Each plan is a table of its own: what it is, and what it comes to now.
static gboolean
write_plans(const BgReportWriting *w, GError **error)
{
    if (w->report->plans->len == 0)
        return TRUE;
    bg_pages_add(w->pages, BG_PAGES_HEADING, _("Plans"));
    for (guint p = 0; p < w->report->plans->len; p++) {
        const BgPlanMeasure *plan = w->report->plans->pdata[p];
        const char *const head[] = { bg_plan_measure_get_title(plan), _("Value"), NULL };
        g_autoptr(GPtrArray) rows = bg_plan_measure_run(plan, w->cancellable, error);
        if (rows == NULL)
            return FALSE;
        write_rows(w, NULL, head, rows);
    }
    bg_pages_add(
        w->pages, BG_PAGES_WORDS,
        _("Distances are from voxel centre to voxel centre, so they hold to about a voxel. "
          "A path runs from the first point of its ruler to the second."));
    return TRUE;
}

static void
write_measured(const BgReportWriting *w)
{
    const char *const measured[] = { _("Name"), _("Value"), _("On"), _("Begins at"), NULL };
    const char *const placed[] = { _("Point"), _("List"), _("On"), _("Where"), NULL };
    const char *const moved[] = { _("Registration"), _("How"), _("Error"), _("Approval"), NULL };

    write_rows(w, _("Distances and angles"), measured, w->report->measurements);
    write_rows(w, _("Points of the plan"), placed, w->report->points);
    write_rows(w, _("Registrations"), moved, w->report->registrations);
}

// ------------------------------------------------------------------------------------------------
// Where all is from

static void
write_card(const BgReportWriting *w, const char *path)
{
    g_autoptr(BgJson) card = bg_nn_weights_read_card(path, w->cancellable, NULL);
    g_autofree char *base = g_path_get_basename(path);

    if (card == NULL || bg_json_count(card) == 0)
        return;
    // Translators: a file of weights
    g_autofree char *heading = g_strdup_printf(_("The network: %s"), base);
    bg_pages_add(w->pages, BG_PAGES_HEADING, heading);
    for (gsize i = 0; i < bg_json_count(card); i++) {
        const BgJson *value = bg_json_value_at(card, i);
        g_autofree char *printed = bg_json_print(value, FALSE);
        add_pair(w->pages, bg_json_name_at(card, i),
                 bg_json_get_kind(value) == BG_JSON_STRING ? bg_json_to_string(value, "")
                                                           : g_strstrip(printed));
    }
    bg_pages_end_table(w->pages);
}

static void
write_cards(const BgReportWriting *w)
{
    const BgLayer *layer = w->report->labels;
    g_autoptr(BgProvenance) from = layer != NULL && strcmp(layer->generated_by, "segment") == 0
                                       ? bg_provenance_parse(layer->parameters, -1, NULL)
                                       : NULL;

    for (gsize i = 0; from != NULL && i < bg_provenance_count_inputs(from); i++) {
        const char *path = bg_provenance_get_input_path(from, i);
        if (g_str_has_suffix(path, ".h5"))
            write_card(w, path);
    }
}

static void
write_provenance(const BgReportWriting *w)
{
    g_autoptr(BgProvenance) provenance = bg_provenance_new("report");
    BgJson *parameters = bg_provenance_get_parameters(provenance);

    if (w->report->labels != NULL)
        bg_json_set_string(parameters, "labels", w->report->labels->name);
    if (w->report->truth != NULL)
        bg_json_set_string(parameters, "truth", w->report->truth->name);
    for (guint i = 0; i < w->report->layers->len; i++) {
        const BgLayer *layer = w->report->layers->pdata[i];
        if (*layer->source.path != '\0')
            bg_provenance_add_input(provenance, layer->source.path,
                                    *layer->source.sha256 != '\0' ? layer->source.sha256 : NULL);
    }
    g_autofree char *own = bg_provenance_print(provenance);
    bg_pages_add(w->pages, BG_PAGES_HEADING, _("Provenance"));
    bg_pages_add(w->pages, BG_PAGES_CODE, own);
    for (guint i = 0; i < w->report->layers->len; i++) {
        const BgLayer *layer = w->report->layers->pdata[i];
        g_autofree char *words = g_strdup_printf("%s: %s", layer->name, layer->parameters);
        if (*layer->parameters != '\0')
            bg_pages_add(w->pages, BG_PAGES_CODE, words);
    }
}

static gboolean
fill(const BgReportWriting *w, GError **error)
{
    write_identity(w);
    bg_progress_report(w->progress, 0.05);
    if (!write_sizes(w, error))
        return FALSE;
    bg_progress_report(w->progress, 0.25);
    if (!write_comparison(w, error))
        return FALSE;
    bg_progress_report(w->progress, 0.5);
    if (!bg_report_write_slices(w, error))
        return FALSE;
    bg_progress_report(w->progress, 0.75);
    if (!bg_report_write_surfaces(w, error) || !bg_report_write_meshes(w, error))
        return FALSE;
    bg_progress_report(w->progress, 0.95);
    write_measured(w);
    if (!write_plans(w, error))
        return FALSE;
    write_scans(w);
    write_cards(w);
    write_provenance(w);
    return !g_cancellable_set_error_if_cancelled(w->cancellable, error);
}

gboolean
bg_case_report_write(const BgCaseReport *report, const char *path, gboolean replace,
                     const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    gboolean pdf = g_str_has_suffix(path, ".pdf");
    g_autofree char *who = bg_patient_describe(&report->patient);
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *date = g_date_time_format(now, "%Y-%m-%d %H:%M");
    // Translators: who the patient is, and when the report was made
    g_autofree char *footer =
        g_strdup_printf(_("%s · Not for diagnosis · written by bregma on %s"), who, date);
    g_autoptr(BgPages) pages = bg_pages_new(_("Report of the case"), footer);
    BgReportWriting writing = { report, pages, progress, cancellable };

    if (!pdf && !g_str_has_suffix(path, ".html")) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("%s: reports are written as .html or .pdf. Give a name that ends so"), path);
        return FALSE;
    }
    if (!fill(&writing, error))
        return FALSE;
    g_autofree char *html = pdf ? NULL : bg_pages_to_html(pages, error);
    g_autoptr(GBytes) bytes = pdf            ? bg_pages_to_pdf(pages, error)
                              : html != NULL ? g_bytes_new(html, strlen(html))
                                             : NULL;
    return bytes != NULL && bg_output_replace(path, replace, g_bytes_get_data(bytes, NULL),
                                              g_bytes_get_size(bytes), error);
}
