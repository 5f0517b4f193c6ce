// SPDX-License-Identifier: Apache-2.0
#include "bg-montage.h"

#include "bg-label-picture.h"
#include "core/annotate/bg-annotations.h"
#include "core/base/bg-buffer.h"
#include "core/volume/bg-crop.h"
#include "core/volume/bg-reorient.h"
#include "core/volume/bg-resample.h"
#include "core/volume/bg-statistics.h"

#include <string.h>

#define SHEET_COLUMNS 3

// LPS order, cubic voxels of the finest of the volume's spacings.
static gboolean
find_grid(const BgVolume *volume, BgGeometry *grid, GError **error)
{
    BgGeometry turned;

    if (!bg_geometry_reorient(bg_volume_get_geometry(volume), "LPS", NULL, NULL, &turned, error))
        return FALSE;
    BgVec3 own = bg_geometry_spacing_mm(&turned);
    double finest = MIN(own.x, MIN(own.y, own.z));
    return bg_geometry_new_spacing(&turned, bg_vec3(finest, finest, finest), grid, error);
}

static gboolean
find_window(BgVolume *volume, const double *given, double window[2], GCancellable *cancellable,
            GError **error)
{
    static const double percents[2] = { 1.0, 99.5 };

    if (given != NULL) {
        window[0] = given[0];
        window[1] = given[1];
    } else if (!bg_volume_percentiles(volume, BG_PERCENTILE_OF_NONZERO, percents, 2, window,
                                      cancellable, error)) {
        return FALSE;
    }
    if (!(window[1] > window[0]))
        window[1] = window[0] + 1.0;
    return TRUE;
}

// A slice with its outlines and, unless nobody wants them, with letters on its edges.
static BgImage *
draw_slice(const BgVolume *volume, const BgLabelMap *labels, const double window[2], int axis,
           int slice, BgMontageLetters letters, const char *note, GError **error)
{
    static const BgVec3 rights[3] = { { 0.0, 1.0, 0.0 }, { 1.0, 0.0, 0.0 }, { 1.0, 0.0, 0.0 } };
    static const BgVec3 downs[3] = { { 0.0, 0.0, -1.0 }, { 0.0, 0.0, -1.0 }, { 0.0, 1.0, 0.0 } };
    g_autoptr(BgImage) image = bg_label_picture(volume, labels, window, axis, slice, error);

    if (image == NULL || letters == BG_MONTAGE_NO_LETTERS)
        return g_steal_pointer(&image);
    const BgAnnotateImage params = { .right = rights[axis],
                                     .down = downs[axis],
                                     .side_known = letters == BG_MONTAGE_SIDE_KNOWN,
                                     .note = note };
    return bg_annotate_image(image, &params, error);
}

GPtrArray *
bg_montage_slices(const BgMontage *montage, gboolean *empty, const BgProgress *progress,
                  GCancellable *cancellable, GError **error)
{
    g_autoptr(GPtrArray) pictures = g_ptr_array_new_with_free_func((GDestroyNotify) bg_image_unref);
    int axis = montage->axis, first = 0;
    g_autoptr(BgLabelMap) labels = NULL;
    BgProgressSpan span;
    BgGeometry grid;
    double window[2];

    g_return_val_if_fail(axis >= 0 && axis < 3 && montage->count > 0, NULL);

    if (empty != NULL)
        *empty = FALSE;
    if (!find_grid(montage->volume, &grid, error))
        return NULL;
    BgResampleParams params = bg_resample_params(&grid);
    g_autoptr(BgVolume) volume =
        bg_resample(montage->volume, &params, bg_progress_span_init(&span, progress, 0.0, 0.5),
                    cancellable, error);
    if (volume == NULL || !find_window(volume, montage->window, window, cancellable, error))
        return NULL;
    int last = grid.dims[axis] - 1;
    if (montage->labels != NULL) {
        BgVoxelBox box;
        labels = bg_resample_labels(montage->labels, &params, NULL, cancellable, error);
        if (labels == NULL)
            return NULL;
        gboolean any =
            bg_label_map_bounds(labels, 0, 2.0 * bg_geometry_spacing_mm(&grid).x, &box, NULL);
        if (any) {
            first = box.first[axis];
            last = box.last[axis];
        } else if (empty != NULL) {
            *empty = TRUE;
        }
    }
    int n = MIN(montage->count, last - first + 1);
    for (int i = 0; i < n; i++) {
        double at = n > 1 ? (double) i / (n - 1) : 0.5;
        BgImage *picture = draw_slice(
            volume, labels, window, axis, first + (int) (at * (last - first) + 0.5),
            montage->letters, montage->note_on_each || i + 1 == n ? montage->note : NULL, error);
        if (picture == NULL || g_cancellable_set_error_if_cancelled(cancellable, error)) {
            g_clear_pointer(&picture, bg_image_unref);
            return NULL;
        }
        g_ptr_array_add(pictures, picture);
        bg_progress_report(progress, 0.5 + 0.5 * (i + 1) / n);
    }
    return g_steal_pointer(&pictures);
}

// The axial slice with most of the labels; the middle without any.
static int
fullest_slice(const BgLabelMap *labels, const BgGeometry *grid)
{
    const int *d = grid->dims;
    g_autofree guint32 *row = g_new(guint32, d[0]);
    int best = d[2] / 2;
    gsize most = 0;

    for (int k = 0; labels != NULL && k < d[2]; k++) {
        gsize n = 0;
        for (int j = 0; j < d[1]; j++) {
            bg_label_map_read_row(labels, j, k, row);
            for (int i = 0; i < d[0]; i++)
                n += row[i] != 0;
        }
        if (n > most) {
            most = n;
            best = k;
        }
    }
    return best;
}

typedef struct {
    BgGeometry grid;
    BgResampleParams params;
    BgLabelMap *truth, *pred;         // owned, nullable: on the grid
    BgImage *panels[BG_SHEET_PANELS]; // owned
    int slice;
    BgMontageLetters letters;
    const char *note;
} Sheet;

static void
sheet_clear(Sheet *sheet)
{
    g_clear_pointer(&sheet->truth, bg_label_map_unref);
    g_clear_pointer(&sheet->pred, bg_label_map_unref);
    for (int p = 0; p < BG_SHEET_PANELS; p++)
        g_clear_pointer(&sheet->panels[p], bg_image_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sheet, sheet_clear)

static gboolean
draw_volume(Sheet *sheet, int which, BgVolume *from, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgVolume) volume = bg_resample(from, &sheet->params, NULL, cancellable, error);
    BgLabelMap *const maps[3] = { NULL, sheet->truth, sheet->pred };
    static const int places[3] = { 0, 4, 5 };
    double window[2];

    if (volume == NULL || !find_window(volume, NULL, window, cancellable, error))
        return FALSE;
    // The first volume is the ground of the labels' panels, too.
    for (int m = 0; m < (which == 0 ? 3 : 1); m++) {
        if (m > 0 && maps[m] == NULL)
            continue;
        BgImage *panel = draw_slice(volume, maps[m], window, 2, sheet->slice, sheet->letters,
                                    which == 0 && m == 0 ? sheet->note : NULL, error);
        if (panel == NULL)
            return FALSE;
        sheet->panels[m > 0 ? places[m] : which] = panel;
    }
    return TRUE;
}

static BgImage *
black_like(const BgImage *image, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(image);
    gsize n_bytes = (gsize) format->width * (gsize) format->height * (gsize) format->n_channels;
    gpointer pixels = bg_buffer_alloc(n_bytes, error);

    if (pixels == NULL)
        return NULL;
    memset(pixels, 0, n_bytes);
    return bg_image_new_take(format, pixels, error);
}

BgImage *
bg_case_sheet(BgVolume *const *volumes, int n_volumes, BgLabelMap *truth, BgLabelMap *pred,
              BgMontageLetters letters, const char *note, const BgProgress *progress,
              GCancellable *cancellable, GError **error)
{
    g_auto(Sheet) sheet = { .letters = letters, .note = note };

    g_return_val_if_fail(n_volumes >= 1 && n_volumes <= 4, NULL);

    if (!find_grid(volumes[0], &sheet.grid, error))
        return NULL;
    sheet.params = bg_resample_params(&sheet.grid);
    if (truth != NULL &&
        !(sheet.truth = bg_resample_labels(truth, &sheet.params, NULL, cancellable, error)))
        return NULL;
    if (pred != NULL &&
        !(sheet.pred = bg_resample_labels(pred, &sheet.params, NULL, cancellable, error)))
        return NULL;
    sheet.slice = fullest_slice(sheet.pred != NULL ? sheet.pred : sheet.truth, &sheet.grid);
    for (int v = 0; v < n_volumes; v++) {
        if (!draw_volume(&sheet, v, volumes[v], cancellable, error))
            return NULL;
        bg_progress_report(progress, (v + 1.0) / n_volumes);
    }
    for (int p = 1; p < BG_SHEET_PANELS; p++) {
        if (sheet.panels[p] == NULL)
            sheet.panels[p] = black_like(sheet.panels[0], error);
        if (sheet.panels[p] == NULL)
            return NULL;
    }
    return bg_montage(sheet.panels, BG_SHEET_PANELS, SHEET_COLUMNS, error);
}
