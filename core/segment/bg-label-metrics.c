// SPDX-License-Identifier: Apache-2.0
#include "bg-label-metrics.h"

#include "bg-surface-points-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"
#include "core/base/bg-rank.h"
#include "core/filter/bg-distance-map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GRID_WITHIN_MM 1e-2
#define HD_PERCENT 95.0
#define SMALL_LABELS 256

const BgLabelRegion *
bg_brats_regions(gsize *n)
{
    static const BgLabelRegion regions[] = {
        { "WT", { 1, 2, 4 }, 3 },
        { "TC", { 1, 4 }, 2 },
        { "ET", { 4 }, 1 },
    };

    *n = G_N_ELEMENTS(regions);
    return regions;
}

// Which voxels are in the region, as bits; counts and the box around both, by slice.
typedef struct {
    BgLabelMap *maps[2]; // pred, truth
    const BgLabelRegion *region;
    gboolean is_in[SMALL_LABELS];
    guint8 *mask;
    struct Slice {
        gsize n[4]; // by bits
        int low[2], high[2];
    } * slices;
} Marking;

static gboolean
in_region(const Marking *job, guint32 label)
{
    if (label < SMALL_LABELS)
        return job->is_in[label];
    for (int n = 0; n < job->region->n_labels; n++) {
        if (job->region->labels[n] == label)
            return TRUE;
    }
    return FALSE;
}

static void
mark_row(const Marking *job, int map, int j, int k, guint32 *row, guint8 bit, guint8 *out)
{
    BgLabelMap *labels = job->maps[map];
    int nx = bg_label_map_get_geometry(labels)->dims[0];

    if (bg_label_map_get_label_type(labels) == BG_LABEL_UINT8) {
        const guint8 *stored =
            (const guint8 *) bg_label_map_get_labels(labels) +
            (gsize) nx *
                ((gsize) j + (gsize) bg_label_map_get_geometry(labels)->dims[1] * (gsize) k);
        for (int i = 0; i < nx; i++)
            out[i] |= job->is_in[stored[i]] ? bit : 0;
        return;
    }
    bg_label_map_read_row(labels, j, k, row);
    for (int i = 0; i < nx; i++)
        out[i] |= in_region(job, row[i]) ? bit : 0;
}

static void
mark_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Marking *job = user_data;
    const int *dims = bg_label_map_get_geometry(job->maps[0])->dims;
    g_autofree guint32 *row = g_new(guint32, dims[0]);

    for (gsize k = first; k < last; k++) {
        struct Slice *slice = &job->slices[k];
        *slice = (struct Slice){ .low = { dims[0], dims[1] }, .high = { -1, -1 } };
        for (int j = 0; j < dims[1]; j++) {
            guint8 *out = job->mask + (gsize) dims[0] * ((gsize) j + (gsize) dims[1] * k);
            gsize n[4] = { 0 };
            int low = dims[0], high = -1;
            memset(out, 0, (gsize) dims[0]);
            mark_row(job, 0, j, (int) k, row, BG_IN_PRED, out);
            mark_row(job, 1, j, (int) k, row, BG_IN_TRUTH, out);
            for (int i = 0; i < dims[0]; i++) {
                n[out[i]]++;
                if (out[i] != 0) {
                    low = MIN(low, i);
                    high = i;
                }
            }
            for (int c = 0; c < 4; c++)
                slice->n[c] += n[c];
            if (high >= 0) {
                slice->low[0] = MIN(slice->low[0], low);
                slice->high[0] = MAX(slice->high[0], high);
                slice->low[1] = MIN(slice->low[1], j);
                slice->high[1] = j;
            }
        }
    }
}

// The box around both regions, cut out of the mask. Its faces count as outside, which they are.
typedef struct {
    guint8 *mask; // owned
    int dims[3];
    gboolean flat; // the whole grid is a single slice
} Cut;

static void
cut_clear(Cut *cut)
{
    g_clear_pointer(&cut->mask, bg_buffer_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Cut, cut_clear)

static gboolean
cut_out(const Marking *job, Cut *cut, GError **error)
{
    const int *dims = bg_label_map_get_geometry(job->maps[0])->dims;
    int low[3] = { dims[0], dims[1], dims[2] }, high[3] = { -1, -1, -1 };

    for (int k = 0; k < dims[2]; k++) {
        if (job->slices[k].high[0] < 0)
            continue;
        for (int axis = 0; axis < 2; axis++) {
            low[axis] = MIN(low[axis], job->slices[k].low[axis]);
            high[axis] = MAX(high[axis], job->slices[k].high[axis]);
        }
        low[2] = MIN(low[2], k);
        high[2] = k;
    }
    for (int axis = 0; axis < 3; axis++)
        cut->dims[axis] = high[axis] - low[axis] + 1;
    cut->flat = dims[2] == 1;
    gsize width = (gsize) cut->dims[0], height = (gsize) cut->dims[1];
    cut->mask = bg_buffer_alloc_items(width * height, (gsize) cut->dims[2], error);
    if (cut->mask == NULL)
        return FALSE;
    for (gsize k = 0; k < (gsize) cut->dims[2]; k++) {
        for (gsize j = 0; j < height; j++) {
            gsize from =
                (gsize) low[0] +
                (gsize) dims[0] * (j + (gsize) low[1] + (gsize) dims[1] * (k + (gsize) low[2]));
            memcpy(cut->mask + width * (j + height * k), job->mask + from, width);
        }
    }
    return TRUE;
}

typedef struct {
    double distance_mm, weight;
} Item;

static int
compare_items(gconstpointer a, gconstpointer b)
{
    const Item *ia = a, *ib = b;

    return ia->distance_mm < ib->distance_mm ? -1 : ia->distance_mm > ib->distance_mm;
}

// Distances of @from's places to the nearest of @to's.
static double *
directed(const BgSurfacePoints *from, const BgSurfacePoints *to, const int dims[3],
         const double spacing_mm[3], const BgProgress *progress, GCancellable *cancellable,
         GError **error)
{
    gsize n = (gsize) dims[0] * (gsize) dims[1] * (gsize) dims[2];
    bg_auto_buffer double *map = bg_buffer_alloc_items(n, sizeof(double), error);
    double *distances = map != NULL ? bg_buffer_alloc_items(from->n, sizeof(double), error) : NULL;

    if (distances == NULL)
        return NULL;
    for (gsize i = 0; i < n; i++)
        map[i] = INFINITY;
    for (gsize p = 0; p < to->n; p++)
        map[to->at[p]] = 0.0;
    if (!bg_squared_distances(map, dims, spacing_mm, progress, cancellable, error)) {
        bg_buffer_free(distances);
        return NULL;
    }
    for (gsize p = 0; p < from->n; p++)
        distances[p] = sqrt(map[from->at[p]]);
    return distances;
}

BG_DEFINE_RANK(double)

static void
measure_voxels(const double *pred, gsize n_pred, const double *truth, gsize n_true,
               double tolerance_mm, double *pool, BgLabelMetrics *m)
{
    gsize n = n_pred + n_true, n_within = 0;
    double sums[2] = { 0.0, 0.0 };

    m->hausdorff_mm = 0.0;
    for (gsize i = 0; i < n; i++) {
        double d = i < n_pred ? pred[i] : truth[i - n_pred];
        pool[i] = d;
        sums[i < n_pred ? 0 : 1] += d;
        m->hausdorff_mm = MAX(m->hausdorff_mm, d);
        n_within += d <= tolerance_mm;
    }
    m->mean_pred_mm = sums[0] / (double) n_pred;
    m->mean_true_mm = sums[1] / (double) n_true;
    m->mean_surface_mm = (sums[0] + sums[1]) / (double) n;
    m->surface_dice = (double) n_within / (double) n;
    m->hd95_mm = percentile(pool, n, HD_PERCENT);
}

// One way: its area, its area within the tolerance, area-weighted mean and percentile.
static void
measure_way(const double *distances, const BgSurfacePoints *points, double tolerance_mm,
            Item *items, double *area, double *within, double *mean, double *hd95)
{
    double so_far = 0.0;

    *area = *within = *mean = 0.0;
    for (gsize i = 0; i < points->n; i++) {
        items[i] = (Item){ distances[i], points->weights[i] };
        *area += points->weights[i];
        *mean += points->weights[i] * distances[i];
        *within += distances[i] <= tolerance_mm ? points->weights[i] : 0.0;
    }
    *mean /= *area;
    qsort(items, points->n, sizeof(Item), compare_items);
    gsize at = 0;
    for (; at + 1 < points->n; at++) {
        so_far += items[at].weight;
        if (so_far / *area >= HD_PERCENT / 100.0)
            break;
    }
    *hd95 = items[at].distance_mm;
}

static gboolean
measure_surfels(const double *pred, const BgSurfacePoints *from_pred, const double *truth,
                const BgSurfacePoints *from_truth, double tolerance_mm, BgLabelMetrics *m,
                GError **error)
{
    bg_auto_buffer Item *items =
        bg_buffer_alloc_items(MAX(from_pred->n, from_truth->n), sizeof(Item), error);
    double area_p, area_t, in_p, in_t, hd95_p, hd95_t;

    if (items == NULL)
        return FALSE;
    measure_way(pred, from_pred, tolerance_mm, items, &area_p, &in_p, &m->mean_pred_mm, &hd95_p);
    m->hausdorff_mm = items[from_pred->n - 1].distance_mm;
    measure_way(truth, from_truth, tolerance_mm, items, &area_t, &in_t, &m->mean_true_mm, &hd95_t);
    m->hausdorff_mm = MAX(m->hausdorff_mm, items[from_truth->n - 1].distance_mm);
    m->hd95_mm = MAX(hd95_p, hd95_t);
    m->mean_surface_mm = 0.5 * (m->mean_pred_mm + m->mean_true_mm);
    m->surface_dice = (in_p + in_t) / (area_p + area_t);
    return TRUE;
}

static gboolean
find_surface(const Cut *cut, BgSurfaceKind kind, const double spacing_mm[3], guint8 bit,
             BgSurfacePoints *points, GError **error)
{
    return kind == BG_SURFACE_VOXELS
               ? bg_surface_voxels(cut->mask, cut->dims, cut->flat, bit, points, error)
               : bg_surface_surfels(cut->mask, cut->dims, cut->flat, spacing_mm, bit, points,
                                    error);
}

static gboolean
measure_surfaces(const Cut *cut, const double spacing_mm[3], BgSurfaceKind kind,
                 double tolerance_mm, BgLabelMetrics *m, const BgProgress *progress,
                 GCancellable *cancellable, GError **error)
{
    g_auto(BgSurfacePoints) pred = { 0 };
    g_auto(BgSurfacePoints) truth = { 0 };
    BgProgressSpan halves[2];
    int dims[3] = { cut->dims[0], cut->dims[1], cut->dims[2] };

    if (!find_surface(cut, kind, spacing_mm, BG_IN_PRED, &pred, error) ||
        !find_surface(cut, kind, spacing_mm, BG_IN_TRUTH, &truth, error))
        return FALSE;
    if (kind == BG_SURFACE_SURFELS) {
        for (int axis = 0; axis < (cut->flat ? 2 : 3); axis++)
            dims[axis]++;
    }
    bg_auto_buffer double *from_pred =
        directed(&pred, &truth, dims, spacing_mm,
                 bg_progress_span_init(&halves[0], progress, 0, 0.5), cancellable, error);
    if (from_pred == NULL)
        return FALSE;
    bg_auto_buffer double *from_truth =
        directed(&truth, &pred, dims, spacing_mm,
                 bg_progress_span_init(&halves[1], progress, 0.5, 1), cancellable, error);
    if (from_truth == NULL)
        return FALSE;
    if (kind == BG_SURFACE_SURFELS)
        return measure_surfels(from_pred, &pred, from_truth, &truth, tolerance_mm, m, error);
    bg_auto_buffer double *pool = bg_buffer_alloc_items(pred.n + truth.n, sizeof(double), error);
    if (pool == NULL)
        return FALSE;
    measure_voxels(from_pred, pred.n, from_truth, truth.n, tolerance_mm, pool, m);
    return TRUE;
}

static double
ratio(double top, double low)
{
    return low > 0.0 ? top / low : (double) NAN;
}

static void
measure_overlap(const Marking *job, BgLabelMetrics *m)
{
    const BgGeometry *geometry = bg_label_map_get_geometry(job->maps[0]);
    double voxel_ml = bg_geometry_voxel_volume_mm3(geometry) / 1000.0;
    gsize n[4] = { 0 };

    for (int k = 0; k < geometry->dims[2]; k++) {
        for (int bits = 0; bits < 4; bits++)
            n[bits] += job->slices[k].n[bits];
    }
    double both = (double) n[3], pred = (double) n[BG_IN_PRED], truth = (double) n[BG_IN_TRUTH];
    gboolean empty = n[1] + n[2] + n[3] == 0;
    *m = (BgLabelMetrics){ .n_pred = n[1] + n[3],
                           .n_true = n[2] + n[3],
                           .n_both = n[3],
                           .n_voxels = n[0] + n[1] + n[2] + n[3] };
    m->dice = empty ? 1.0 : 2.0 * both / (2.0 * both + pred + truth);
    m->jaccard = empty ? 1.0 : both / (both + pred + truth);
    m->sensitivity = ratio(both, both + truth);
    m->specificity = ratio((double) n[0], (double) n[0] + pred);
    m->precision = ratio(both, both + pred);
    m->volume_pred_ml = (double) m->n_pred * voxel_ml;
    m->volume_true_ml = (double) m->n_true * voxel_ml;
    if (!empty) // else distances are 0
        m->hausdorff_mm = m->hd95_mm = m->mean_surface_mm = m->mean_pred_mm = m->mean_true_mm =
            (double) NAN;
    m->surface_dice = empty ? 1.0 : 0.0;
}

gboolean
bg_label_metrics(BgLabelMap *pred, BgLabelMap *truth, const BgLabelRegion *region,
                 BgSurfaceKind kind, double tolerance_mm, BgLabelMetrics *metrics,
                 const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(pred != NULL && truth != NULL && metrics != NULL, FALSE);
    g_return_val_if_fail(region->n_labels >= 1 && region->n_labels <= BG_REGION_MAX_LABELS, FALSE);

    const BgGeometry *geometry = bg_label_map_get_geometry(truth);
    BgVec3 spacing = bg_geometry_spacing_mm(geometry);
    double spacing_mm[3] = { spacing.x, spacing.y, spacing.z };
    Marking job = { .maps = { pred, truth }, .region = region };
    g_auto(Cut) cut = { 0 };

    if (!bg_geometry_equal(bg_label_map_get_geometry(pred), geometry, GRID_WITHIN_MM)) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("Two label maps on different grids cannot be compared; resample one onto the "
                      "other's grid first"));
        return FALSE;
    }
    if (!bg_geometry_check_right_angles(geometry, error))
        return FALSE;
    for (int n = 0; n < region->n_labels; n++) {
        if (region->labels[n] < SMALL_LABELS)
            job.is_in[region->labels[n]] = TRUE;
    }
    bg_auto_buffer guint8 *mask = bg_buffer_alloc(bg_geometry_count_voxels(geometry), error);
    if (mask == NULL)
        return FALSE;
    g_autofree struct Slice *slices = g_new0(struct Slice, geometry->dims[2]);
    job.mask = mask;
    job.slices = slices;
    if (!bg_parallel_for((gsize) geometry->dims[2], 2, mark_slices, &job, cancellable)) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return FALSE;
    }
    measure_overlap(&job, metrics);
    if (metrics->n_pred == 0 || metrics->n_true == 0)
        return TRUE;
    return cut_out(&job, &cut, error) && measure_surfaces(&cut, spacing_mm, kind, tolerance_mm,
                                                          metrics, progress, cancellable, error);
}
