// SPDX-License-Identifier: Apache-2.0
#include "core/case/bg-case-report.h"

#include "core/annotate/bg-annotations.h"
#include "core/annotate/bg-pages.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-output.h"
#include "core/case/bg-provenance.h"
#include "core/cast/bg-cast.h"
#include "core/nn/bg-nn-weights.h"
#include "core/segment/bg-label-picture.h"
#include "core/segment/bg-label-sizes.h"
#include "core/segment/bg-montage.h"
#include "core/surface/bg-label-surface.h"

#include <math.h>
#include <string.h>

#define MAX_SCANS 4 // in pictures
#define MONTAGE_SLICES 12
#define MONTAGE_COLUMNS 4
#define SURFACE_PX 420
#define SLICES_SHARE 0.88 // of the page's width, so that both pictures stand on one
#define TOLERANCE_MM 1.0  // of the surface Dice
#define BRATS_OEDEMA 2
#define OEDEMA_OPACITY 0.4 // what is inside shows through

struct _BgCaseReport {
    BgPatient patient;
    char *study_date, *study_description, *notes; // owned
    GPtrArray *layers;                            // owned, of BgLayer with their contents
    GPtrArray *measurements, *points;             // owned, of GStrv: rows that are written already
    GPtrArray *registrations;                     // owned, of GStrv
    BgView view;
    const BgLayer *labels, *truth; // nullable, of layers
};

/** Writing: what goes into all steps */
typedef struct {
    const BgCaseReport *report;
    BgPages *pages; // borrowed
    const BgProgress *progress;
    GCancellable *cancellable;
} Writing;

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

static const char *
name_of(BgCase *the_case, const char *layer_id)
{
    const BgLayer *layer = bg_case_get_layer(the_case, layer_id);

    return layer != NULL ? layer->name : "";
}

static void
take_row(GPtrArray *rows, char *a, char *b, char *c, char *d)
{
    char **row = g_new0(char *, 5);

    row[0] = a;
    row[1] = b;
    row[2] = c;
    row[3] = d;
    g_ptr_array_add(rows, row);
}

static char *
tell_place(BgVec3 at)
{
    // Translators: a place: to the patient's left, posterior and superior
    return g_strdup_printf(_("L %.1f, P %.1f, S %.1f mm"), at.x, at.y, at.z);
}

static void
take_measurements(BgCaseReport *report, BgCase *the_case)
{
    const BgCaseState *state = bg_case_get_state(the_case);

    for (guint m = 0; m < state->measurements->len; m++) {
        const BgMeasurement *measurement = state->measurements->pdata[m];
        gboolean ruler = measurement->kind == BG_MEASURE_RULER;
        take_row(report->measurements, g_strdup(measurement->name),
                 ruler ? g_strdup_printf("%.1f mm", bg_measurement_length_mm(measurement))
                       : g_strdup_printf("%.1f°", bg_measurement_angle_deg(measurement)),
                 g_strdup(name_of(the_case, measurement->layer_id)),
                 tell_place(measurement->points_mm[0]));
    }
    for (guint l = 0; l < state->landmarks->len; l++) {
        const BgLandmarkList *list = state->landmarks->pdata[l];
        for (gsize p = 0; p < bg_landmarks_count(list->points); p++) {
            const BgLandmark *point = bg_landmarks_get(list->points, p);
            gboolean patient = bg_landmarks_get_space(list->points) == BG_LANDMARK_PATIENT;
            if (!point->placed)
                continue;
            take_row(report->points, g_strdup(point->name), g_strdup(list->name),
                     g_strdup(name_of(the_case, list->layer_id)),
                     patient ? tell_place(point->position)
                             // Translators: a place in a picture, in pixels
                             : g_strdup_printf(_("right %.1f, down %.1f px"), point->position.x,
                                               point->position.y));
        }
    }
}

static void
take_registrations(BgCaseReport *report, BgCase *the_case)
{
    const GPtrArray *registrations = bg_case_get_state(the_case)->registrations;

    for (guint r = 0; r < registrations->len; r++) {
        const BgRegistration *one = registrations->pdata[r];
        take_row(report->registrations,
                 // Translators: names of two layers: what is moved, and onto what
                 g_strdup_printf(_("%s onto %s"), name_of(the_case, one->moving),
                                 name_of(the_case, one->fixed)),
                 g_strdup_printf("%s, %s", one->method, one->model),
                 one->error_mm >= 0.0
                     // Translators: an error at the points of a fit
                     ? g_strdup_printf(_("%.2f mm at the points of the fit, which is no accuracy"),
                                       one->error_mm)
                     : g_strdup("–"),
                 *one->approval.by != '\0'
                     // Translators: who approved something, and when
                     ? g_strdup_printf(_("approved by %s, %s"), one->approval.by, one->approval.at)
                     : g_strdup(_("nobody has approved it")));
    }
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
    report->measurements = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    report->points = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    report->registrations = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    for (guint i = 0; i < state->layers->len; i++) {
        BgLayer *copy = copy_layer(state->layers->pdata[i]);
        if (copy == NULL)
            continue;
        any |= copy->payload.volume != NULL || copy->payload.labels != NULL;
        g_ptr_array_add(report->layers, copy);
    }
    take_measurements(report, the_case);
    take_registrations(report, the_case);
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
write_identity(const Writing *w)
{
    const BgCaseReport *report = w->report;
    g_autofree char *born = bg_format_date(report->patient.birth_date);
    const char *name = report->patient.name;

    bg_pages_add_caution(w->pages,
                         _("Not for diagnosis: computed, not measured; for research. Compare each "
                           "picture and number with the scans themselves."));
    bg_pages_add_heading(w->pages, _("Patient and study"));
    add_pair(w->pages, _("Name"), known(name));
    add_pair(w->pages, _("Number"), known(report->patient.id));
    add_pair(w->pages, _("Born"), known(born));
    add_pair(w->pages, _("Sex"), known(report->patient.sex));
    add_pair(w->pages, _("First scan’s study"), known(report->study_description));
    add_pair(w->pages, _("Its date"), known(report->study_date));
    bg_pages_end_table(w->pages);
    if (!bg_patient_is_known(&report->patient))
        bg_pages_add_caution(w->pages, _("The files do not say whose scans these are."));
    if (*report->notes != '\0')
        bg_pages_add_words(w->pages, report->notes);
}

static void
write_scans(const Writing *w)
{
    const char *const head[] = { _("Layer"),      _("Kind"), _("Voxels"),
                                 _("Spacing mm"), _("From"), NULL };

    bg_pages_add_heading(w->pages, _("Scans and results"));
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
            bg_pages_add_caution(w->pages, side);
        if (*layer->warnings != '\0')
            bg_pages_add_caution(w->pages, words);
    }
}

static gboolean
write_sizes(const Writing *w, GError **error)
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
    bg_pages_add_heading(w->pages, heading);
    if (rows->len == 0) {
        bg_pages_add_caution(w->pages, _("No voxel is labelled. That is no proof that there is no "
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
    bg_pages_add_words(
        w->pages, _("WT is the whole tumour, TC its core, ET what takes up contrast. RANO: the "
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
write_comparison(const Writing *w, GError **error)
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
    bg_pages_add_heading(w->pages, heading);
    if (!bg_geometry_equal(bg_label_map_get_geometry(report->labels->payload.labels),
                           bg_label_map_get_geometry(report->truth->payload.labels), 0.01)) {
        bg_pages_add_words(w->pages, _("They lie on different grids, and are not compared."));
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
write_rows(const Writing *w, const char *heading, const char *const *head, const GPtrArray *rows)
{
    if (rows->len == 0)
        return;
    bg_pages_add_heading(w->pages, heading);
    bg_pages_add_row(w->pages, head, TRUE);
    for (guint r = 0; r < rows->len; r++)
        bg_pages_add_row(w->pages, (const char *const *) rows->pdata[r], FALSE);
    bg_pages_end_table(w->pages);
}

static void
write_plan(const Writing *w)
{
    const char *const measured[] = { _("Name"), _("Value"), _("On"), _("Begins at"), NULL };
    const char *const placed[] = { _("Point"), _("List"), _("On"), _("Where"), NULL };
    const char *const moved[] = { _("Registration"), _("How"), _("Error"), _("Approval"), NULL };

    write_rows(w, _("Distances and angles"), measured, w->report->measurements);
    write_rows(w, _("Points of the plan"), placed, w->report->points);
    write_rows(w, _("Registrations"), moved, w->report->registrations);
}

// ------------------------------------------------------------------------------------------------
// Pictures

static gboolean
is_scan(const BgLayer *layer)
{
    return layer->payload.volume != NULL && strcmp(layer->generated_by, "segment") != 0;
}

static gboolean
write_slices(const Writing *w, GError **error)
{
    const BgCaseReport *report = w->report;
    BgVolume *scans[MAX_SCANS];
    BgMontageLetters letters = BG_MONTAGE_SIDE_KNOWN;
    g_autoptr(GString) names = g_string_new(NULL);
    BgLabelMap *labels = report->labels != NULL ? report->labels->payload.labels : NULL;
    BgLabelMap *truth = report->truth != NULL ? report->truth->payload.labels : NULL;
    const BgLayer *last = NULL;
    int n = 0;

    for (guint i = 0; i < report->layers->len && n < MAX_SCANS; i++) {
        const BgLayer *layer = report->layers->pdata[i];
        if (!is_scan(layer))
            continue;
        scans[n++] = layer->payload.volume;
        g_string_append_printf(names, "%s%s", n > 1 ? ", " : "", layer->name);
        if (layer->side_unknown)
            letters = BG_MONTAGE_SIDE_UNKNOWN;
        last = layer;
    }
    if (n == 0)
        return TRUE;
    bg_pages_add_heading(w->pages, _("Pictures"));
    g_autoptr(BgImage) sheet = bg_case_sheet(scans, n, truth, labels, letters,
                                             _("Not for diagnosis"), NULL, w->cancellable, error);
    if (sheet == NULL)
        return FALSE;
    // Translators: names of scans, row by row
    g_autofree char *words = g_strdup_printf(
        _("The axial slice with most of the labels: %s; then the first with the outlines of what "
          "is compared with, and with those of the labels"),
        names->str);
    bg_pages_add_picture(w->pages, sheet, words, SLICES_SHARE);
    const BgMontage montage = { .volume = last->payload.volume,
                                .labels = labels,
                                .axis = 2,
                                .count = MONTAGE_SLICES,
                                .letters = letters,
                                .note = _("Not for diagnosis") };
    g_autoptr(GPtrArray) slices = bg_montage_slices(&montage, NULL, NULL, w->cancellable, error);
    if (slices == NULL)
        return FALSE;
    g_autoptr(BgImage) image = bg_montage((BgImage *const *) slices->pdata, slices->len,
                                          MIN(MONTAGE_COLUMNS, (int) slices->len), error);
    if (image == NULL)
        return FALSE;
    // Translators: the name of a scan
    g_autofree char *below = g_strdup_printf(
        _("Axial slices of %s, the patient's right on the left. Core red, oedema green, enhancing "
          "blue, other labels yellow"),
        last->name);
    bg_pages_add_picture(w->pages, image, below, SLICES_SHARE);
    return TRUE;
}

static void
clear_mesh(gpointer data)
{
    bg_mesh_unref(((BgCastMesh *) data)->mesh);
}

// The visible meshes; without any the surfaces of the labels.
static gboolean
collect_meshes(const Writing *w, GArray *meshes, gboolean *computed, GError **error)
{
    const BgCaseReport *report = w->report;
    const BgLabelTable *table = report->labels != NULL ? report->labels->labels : NULL;

    for (guint i = 0; i < report->layers->len; i++) {
        const BgLayer *layer = report->layers->pdata[i];
        if (layer->payload.mesh == NULL || !layer->visible)
            continue;
        BgCastMesh mesh = { .mesh = bg_mesh_ref(layer->payload.mesh),
                            .opacity = layer->opacity,
                            .visible = TRUE };
        memcpy(mesh.rgb, layer->mesh_rgb, sizeof mesh.rgb);
        g_array_append_val(meshes, mesh);
    }
    *computed = meshes->len == 0;
    for (gsize l = 0; *computed && table != NULL && l < bg_label_table_count(table); l++) {
        const BgLabelEntry *entry = bg_label_table_get(table, l);
        BgLabelSurfaceParams params = { .labels = &entry->label,
                                        .n_labels = 1,
                                        .n_smooth_passes = BG_LABEL_SURFACE_PASSES,
                                        .normals = TRUE };
        g_autoptr(GError) none = NULL;
        if (entry->label == 0 || !entry->visible)
            continue;
        BgCastMesh mesh = { .mesh = bg_label_surface(report->labels->payload.labels, &params, NULL,
                                                     w->cancellable, &none),
                            .rgb = { (double) entry->rgb[0], (double) entry->rgb[1],
                                     (double) entry->rgb[2] },
                            .opacity = entry->label == BRATS_OEDEMA ? OEDEMA_OPACITY : 1.0,
                            .visible = TRUE };
        if (mesh.mesh != NULL) {
            g_array_append_val(meshes, mesh);
        } else if (!g_error_matches(none, BG_ERROR, BG_ERROR_INVALID)) { // that one does not occur
            g_propagate_error(error, g_steal_pointer(&none));
            return FALSE;
        }
    }
    return TRUE;
}

static BgImage *
opaque(BgImage *rgba, GError **error)
{
    BgImageFormat format = *bg_image_get_format(rgba);
    gsize n = (gsize) format.width * (gsize) format.height;
    const guint8 *from = bg_image_get_pixels(rgba);
    guint8 *rgb = bg_buffer_alloc_items(n, 3, error);

    if (rgb == NULL)
        return NULL;
    for (gsize i = 0; i < n; i++)
        memcpy(rgb + 3 * i, from + 4 * i, 3);
    format.n_channels = 3;
    return bg_image_new_take(&format, rgb, error);
}

static gboolean
write_surface(const Writing *w, const GArray *meshes, const BgView *view, const char *words,
              GError **error)
{
    BgCastParams params;
    BgVec3 centre_mm;
    double radius_mm;
    gboolean side_known = TRUE;

    for (guint i = 0; i < w->report->layers->len; i++)
        side_known &= !((const BgLayer *) w->report->layers->pdata[i])->side_unknown;
    bg_cast_params_init(&params);
    params.meshes = (const BgCastMesh *) (gpointer) meshes->data;
    params.n_meshes = meshes->len;
    bg_cast_fit(NULL, params.meshes, params.n_meshes, &centre_mm, &radius_mm);
    params.camera = bg_camera_from_view(view, centre_mm, radius_mm, SURFACE_PX, SURFACE_PX);
    g_autoptr(BgCastImage) cast = bg_cast(NULL, &params, NULL, w->cancellable, error);
    g_autoptr(BgImage) rgb = cast != NULL ? opaque(cast->colour, error) : NULL;
    if (rgb == NULL)
        return FALSE;
    const BgAffine *m = &params.camera.camera_from_patient;
    BgVec3 right = bg_vec3(m->m[0][0], m->m[0][1], m->m[0][2]);
    BgVec3 down = bg_vec3(m->m[1][0], m->m[1][1], m->m[1][2]);
    g_autoptr(BgImage) image =
        bg_annotate_image(rgb, right, down, side_known, _("Not for diagnosis"), error);
    if (image == NULL)
        return FALSE;
    bg_pages_add_picture(w->pages, image, words, 0.5);
    return TRUE;
}

static gboolean
write_surfaces(const Writing *w, GError **error)
{
    g_autoptr(GArray) meshes = g_array_new(FALSE, FALSE, sizeof(BgCastMesh));
    gboolean computed;
    BgView view = w->report->view;

    g_array_set_clear_func(meshes, clear_mesh);
    if (!collect_meshes(w, meshes, &computed, error))
        return FALSE;
    if (meshes->len == 0)
        return TRUE;
    view.zoom = 1.0;
    view.pan_x = view.pan_y = 0.0;
    bg_pages_add_heading(w->pages,
                         computed ? _("Surfaces of the labels") : _("Surfaces of the case"));
    if (!write_surface(w, meshes, &view, _("As the window's 3D view is turned"), error))
        return FALSE;
    view.azimuth_deg += 90.0;
    return write_surface(w, meshes, &view, _("The same, turned by 90 degrees"), error);
}

// ------------------------------------------------------------------------------------------------
// Where all is from

static void
write_card(const Writing *w, const char *path)
{
    g_autoptr(BgJson) card = bg_nn_weights_read_card(path, w->cancellable, NULL);
    g_autofree char *base = g_path_get_basename(path);

    if (card == NULL || bg_json_count(card) == 0)
        return;
    // Translators: a file of weights
    g_autofree char *heading = g_strdup_printf(_("The network: %s"), base);
    bg_pages_add_heading(w->pages, heading);
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
write_cards(const Writing *w)
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
write_provenance(const Writing *w)
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
    bg_pages_add_heading(w->pages, _("Provenance"));
    bg_pages_add_code(w->pages, own);
    for (guint i = 0; i < w->report->layers->len; i++) {
        const BgLayer *layer = w->report->layers->pdata[i];
        g_autofree char *words = g_strdup_printf("%s: %s", layer->name, layer->parameters);
        if (*layer->parameters != '\0')
            bg_pages_add_code(w->pages, words);
    }
}

static gboolean
fill(const Writing *w, GError **error)
{
    write_identity(w);
    bg_progress_report(w->progress, 0.05);
    if (!write_sizes(w, error))
        return FALSE;
    bg_progress_report(w->progress, 0.25);
    if (!write_comparison(w, error))
        return FALSE;
    bg_progress_report(w->progress, 0.5);
    if (!write_slices(w, error))
        return FALSE;
    bg_progress_report(w->progress, 0.75);
    if (!write_surfaces(w, error))
        return FALSE;
    bg_progress_report(w->progress, 0.95);
    write_plan(w);
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
    Writing writing = { report, pages, progress, cancellable };

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
