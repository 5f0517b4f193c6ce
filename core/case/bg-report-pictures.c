// SPDX-License-Identifier: Apache-2.0
// Pictures of a report, and what is in them.
#include "bg-report-private.h"

#include "core/annotate/bg-annotations.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/case/bg-provenance.h"
#include "core/cast/bg-cast.h"
#include "core/segment/bg-label-picture.h"
#include "core/segment/bg-montage.h"
#include "core/surface/bg-label-surface.h"
#include "core/surface/bg-mesh-distance.h"
#include "core/surface/bg-mesh-measures.h"

#include <string.h>

#define MAX_SCANS 4 // in pictures
#define MONTAGE_SLICES 12
#define MONTAGE_COLUMNS 4
#define SURFACE_PX 420
#define SLICES_SHARE 0.88 // of the page's width, so that both pictures stand on one
#define BRATS_OEDEMA 2
#define OEDEMA_OPACITY 0.4 // what is inside shows through

// @image: (transfer full) (nullable): FALSE without one, whose error is set
static gboolean
take_picture(const BgReportWriting *w, BgImage *image, const char *words, double share)
{
    g_autoptr(BgImage) taken = image;

    if (taken != NULL)
        bg_pages_add_picture(w->pages, taken, words, share);
    return taken != NULL;
}

static gboolean
is_scan(const BgLayer *layer)
{
    return layer->payload.volume != NULL && strcmp(layer->generated_by, "segment") != 0;
}

static char *
tell_montage(const char *scan, BgMontageLetters letters)
{
    return letters == BG_MONTAGE_SIDE_KNOWN
               // Translators: the name of a scan
               ? g_strdup_printf(_("Axial slices of %s, the patient's right on the left. Core red, "
                                   "oedema green, enhancing blue, other labels yellow"),
                                 scan)
               // Translators: the name of a scan
               : g_strdup_printf(_("Axial slices of %s, whose left and right are not known. Core "
                                   "red, oedema green, enhancing blue, other labels yellow"),
                                 scan);
}

gboolean
bg_report_write_slices(const BgReportWriting *w, GError **error)
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
    bg_pages_add(w->pages, BG_PAGES_HEADING, _("Pictures"));
    // Translators: names of scans, row by row
    g_autofree char *words = g_strdup_printf(
        _("The axial slice with most of the labels: %s; then the first with the outlines of what "
          "is compared with, and with those of the labels"),
        names->str);
    if (!take_picture(w,
                      bg_case_sheet(scans, n, truth, labels, letters, _("Not for diagnosis"), NULL,
                                    w->cancellable, error),
                      words, SLICES_SHARE))
        return FALSE;
    const BgMontage montage = { .volume = last->payload.volume,
                                .labels = labels,
                                .axis = 2,
                                .count = MONTAGE_SLICES,
                                .letters = letters,
                                .note = _("Not for diagnosis") };
    g_autoptr(GPtrArray) slices = bg_montage_slices(&montage, NULL, NULL, w->cancellable, error);
    if (slices == NULL)
        return FALSE;
    g_autofree char *below = tell_montage(last->name, letters);
    return take_picture(w,
                        bg_montage((BgImage *const *) slices->pdata, slices->len,
                                   MIN(MONTAGE_COLUMNS, (int) slices->len), error),
                        below, SLICES_SHARE);
}

static void
clear_mesh(gpointer data)
{
    bg_mesh_unref(((BgCastMesh *) data)->mesh);
}

// The visible meshes; without any the surfaces of the labels.
static gboolean
collect_meshes(const BgReportWriting *w, GArray *meshes, gboolean *computed, GError **error)
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
        if (bg_mesh_get_data(layer->payload.mesh)->distances_mm != NULL)
            mesh.range_mm = 0.5 * layer->window_width; // as the window's views show it
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
write_surface(const BgReportWriting *w, const GArray *meshes, const BgView *view, const char *words,
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
    const BgAnnotateImage annotate = { .right = bg_vec3(m->m[0][0], m->m[0][1], m->m[0][2]),
                                       .down = bg_vec3(m->m[1][0], m->m[1][1], m->m[1][2]),
                                       .side_known = side_known,
                                       .note = _("Not for diagnosis") };
    return take_picture(w, bg_annotate_image(rgb, &annotate, error), words, 0.5);
}

// What the surface's distances are to: (transfer full) (nullable)
static char *
distances_to(const BgLayer *layer)
{
    g_autoptr(BgProvenance) provenance =
        *layer->parameters != '\0' ? bg_provenance_parse(layer->parameters, -1, NULL) : NULL;
    const BgJson *parameters = provenance != NULL ? bg_provenance_get_parameters(provenance) : NULL;

    return g_strdup(bg_json_to_string(bg_json_get(parameters, "to"), NULL));
}

static char *
tell_distances(const BgLayer *layer)
{
    BgMeshSpread spread;
    g_autofree char *to = distances_to(layer);

    if (!bg_mesh_spread(layer->payload.mesh, &spread, NULL))
        return g_strdup("–");
    return g_strdup_printf(
        // Translators: a surface's name, then distances to it with their sign, negative inside
        _("to %s: %+.1f to %+.1f mm, mean %+.2f mm, without sign %.2f mm, 95 %% within %.1f mm"),
        to != NULL ? to : _("another surface"), spread.low_mm, spread.high_mm, spread.mean_mm,
        spread.mean_abs_mm, spread.p95_abs_mm);
}

gboolean
bg_report_write_meshes(const BgReportWriting *w, GError **error)
{
    const char *const head[] = { _("Surface"),   _("Triangles"), _("Closed"),
                                 _("Volume ml"), _("Distances"), NULL };
    gboolean any = FALSE, coloured = FALSE;

    for (guint i = 0; i < w->report->layers->len; i++) {
        const BgLayer *layer = w->report->layers->pdata[i];
        BgMeshMeasures m;
        if (layer->payload.mesh == NULL)
            continue;
        if (!bg_mesh_measure(layer->payload.mesh, &m, error))
            return FALSE;
        if (!any) {
            bg_pages_add(w->pages, BG_PAGES_HEADING, _("Meshes"));
            bg_pages_add_row(w->pages, head, TRUE);
        }
        any = TRUE;
        coloured |= bg_mesh_get_data(layer->payload.mesh)->distances_mm != NULL;
        g_autofree char *triangles =
            g_strdup_printf("%zu", bg_mesh_get_data(layer->payload.mesh)->n_triangles);
        g_autofree char *ml = m.closed ? g_strdup_printf("%.2f", m.volume_ml) : g_strdup("–");
        g_autofree char *distances = tell_distances(layer);
        const char *const cells[] = { layer->name, triangles, m.closed ? _("yes") : _("no"),
                                      ml,          distances, NULL };
        bg_pages_add_row(w->pages, cells, FALSE);
    }
    bg_pages_end_table(w->pages);
    if (coloured)
        bg_pages_add(
            w->pages, BG_PAGES_WORDS,
            _("Surfaces with distances are red where they lie outside of the other one, and "
              "blue inside of it."));
    return TRUE;
}

gboolean
bg_report_write_surfaces(const BgReportWriting *w, GError **error)
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
    bg_pages_add(w->pages, BG_PAGES_HEADING,
                 computed ? _("Surfaces of the labels") : _("Surfaces of the case"));
    if (!write_surface(w, meshes, &view, _("As the window's 3D view is turned"), error))
        return FALSE;
    view.azimuth_deg += 90.0;
    return write_surface(w, meshes, &view, _("The same, turned by 90 degrees"), error);
}
