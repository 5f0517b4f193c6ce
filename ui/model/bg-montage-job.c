// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-montage-job.h"

#include "core/base/bg-i18n.h"
#include "core/case/bg-provenance.h"
#include "core/io/bg-gif-write.h"
#include "core/io/bg-image-io.h"
#include "core/segment/bg-label-picture.h"
#include "core/segment/bg-montage.h"
#include "ui/model/bg-save.h"

#define MAX_VOLUMES 4
#define MONTAGE_SLICES 24
#define MONTAGE_COLUMNS 6
#define FILM_SLICES 120
#define FILM_DELAY_MS 100

typedef struct {
    BgScanKind kind;
    int axis;
    BgMontageLetters letters;
    char *provenance;               // owned
    BgVolume *volumes[MAX_VOLUMES]; // owned
    int n_volumes;
    BgLabelMap *truth, *pred; // owned, nullable
    double window[2];         // of the first
} Scan;

static void
scan_free(gpointer data)
{
    Scan *scan = data;

    for (int v = 0; v < scan->n_volumes; v++)
        bg_volume_unref(scan->volumes[v]);
    g_clear_pointer(&scan->truth, bg_label_map_unref);
    g_clear_pointer(&scan->pred, bg_label_map_unref);
    g_free(scan->provenance);
    g_free(scan);
}

static gboolean
save_png(const Scan *scan, BgImage *image, const char *path, GError **error)
{
    const BgPngParams params = { .force = TRUE, .provenance = scan->provenance };

    return image != NULL && bg_png_save(image, path, &params, error);
}

static gboolean
save_film(const Scan *scan, const GPtrArray *pictures, const char *path, GError **error)
{
    g_autoptr(BgGif) gif = bg_gif_new(path, TRUE, FILM_DELAY_MS, scan->provenance, error);
    gboolean ok = gif != NULL;

    for (guint i = 0; ok && i < pictures->len; i++)
        ok = bg_gif_add(gif, pictures->pdata[i], error);
    return ok && bg_gif_commit(gif, error);
}

static gboolean
draw(gpointer data, const char *path, const BgProgress *progress, GCancellable *cancellable,
     GError **error)
{
    const Scan *scan = data;

    if (scan->kind == BG_SCAN_SHEET) {
        g_autoptr(BgImage) sheet =
            bg_case_sheet(scan->volumes, scan->n_volumes, scan->truth, scan->pred, scan->letters,
                          _("Not for diagnosis"), progress, cancellable, error);
        return save_png(scan, sheet, path, error);
    }
    const BgMontage montage = { .volume = scan->volumes[0],
                                .labels = scan->pred,
                                .window = scan->window,
                                .axis = scan->axis,
                                .letters = scan->letters,
                                .note = _("Not for diagnosis"),
                                .note_on_each = scan->kind == BG_SCAN_FILM,
                                .count =
                                    scan->kind == BG_SCAN_FILM ? FILM_SLICES : MONTAGE_SLICES };
    g_autoptr(GPtrArray) pictures = bg_montage_slices(&montage, NULL, progress, cancellable, error);
    if (pictures == NULL)
        return FALSE;
    if (scan->kind == BG_SCAN_FILM)
        return save_film(scan, pictures, path, error);
    g_autoptr(BgImage) image = bg_montage((BgImage *const *) pictures->pdata, pictures->len,
                                          MIN(MONTAGE_COLUMNS, (int) pictures->len), error);
    return save_png(scan, image, path, error);
}

static void
take_layers(BgSession *session, const BgLayer *first, Scan *scan, BgProvenance *provenance)
{
    const GPtrArray *layers = bg_session_get_state(session)->layers;

    scan->volumes[scan->n_volumes++] = bg_volume_ref(first->payload.volume);
    bg_provenance_add_input(provenance, first->source.path, NULL);
    for (guint i = layers->len; i > 0; i--) {
        const BgLayer *layer = layers->pdata[i - 1];
        BgLabelMap **map = scan->pred == NULL ? &scan->pred : &scan->truth;
        if (layer->payload.labels != NULL && layer->visible && scan->truth == NULL)
            *map = bg_label_map_ref(layer->payload.labels);
        else if (layer->payload.volume != NULL && layer->visible && layer != first &&
                 scan->kind == BG_SCAN_SHEET && scan->n_volumes < MAX_VOLUMES)
            scan->volumes[scan->n_volumes++] = bg_volume_ref(layer->payload.volume);
        else
            continue;
        bg_provenance_add_input(provenance, layer->source.path, NULL);
    }
}

void
bg_montage_job_save(BgSession *session, BgScanKind kind, BgPlane plane, const char *path)
{
    static const char *const names[] = { "montage", "film", "sheet" };
    static const int axes[3] = { 2, 1, 0 }; // of BgPlane
    const BgLayer *layer = bg_session_get_volume(session);
    const BgLayer *covering = bg_session_get_covering(session);
    g_autoptr(BgProvenance) provenance = bg_provenance_new(names[kind]);

    layer = covering != NULL ? covering : layer;
    if (layer == NULL) {
        g_autoptr(GError) error = g_error_new_literal(
            G_IO_ERROR, G_IO_ERROR_NOT_FOUND, _("There is no volume to draw slices of. Open one"));
        bg_session_fail(session, NULL, error);
        return;
    }
    Scan *scan = g_new0(Scan, 1);
    scan->kind = kind;
    scan->axis = axes[plane];
    scan->letters = layer->side_unknown ? BG_MONTAGE_SIDE_UNKNOWN : BG_MONTAGE_SIDE_KNOWN;
    scan->window[0] = layer->window_centre - 0.5 * layer->window_width;
    scan->window[1] = layer->window_centre + 0.5 * layer->window_width;
    take_layers(session, layer, scan, provenance);
    bg_json_set_integer(bg_provenance_get_parameters(provenance), "axis", scan->axis);
    scan->provenance = bg_provenance_print(provenance);
    g_autofree char *title = g_strdup_printf("%s: %s", _("Drawing slices"), layer->name);
    const BgSaveWork work = { .title = title,
                              .failure = _("The picture is not saved"),
                              .func = draw,
                              .input = scan,
                              .free_input = scan_free,
                              .path = path };
    bg_save_job(session, &work);
}
