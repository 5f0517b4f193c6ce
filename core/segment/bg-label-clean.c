// SPDX-License-Identifier: Apache-2.0
#include "bg-label-clean.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define GRID_WITHIN_MM 1e-2

static gboolean
check_grids(BgVolume *const *volumes, gsize n, GError **error)
{
    for (gsize c = 1; c < n; c++) {
        if (!bg_geometry_equal(bg_volume_get_geometry(volumes[c]),
                               bg_volume_get_geometry(volumes[0]), GRID_WITHIN_MM)) {
            g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                        _("Probabilities on different grids make no label map; resample them onto "
                          "one"));
            return FALSE;
        }
    }
    return TRUE;
}

// One row: rows: of each class.
static void
choose_row(const float *const *rows, gsize n_classes, const guint8 *labels, int nx, guint8 *out,
           float *confidence)
{
    for (int i = 0; i < nx; i++) {
        float best = -HUGE_VALF, sum = 0.0f;
        gsize which = 0;
        for (gsize c = 0; c < n_classes; c++) {
            float p = rows[c][i];
            if (!isfinite(p))
                continue;
            sum += MAX(p, 0.0f);
            if (p > best) {
                best = p;
                which = c;
            }
        }
        out[i] = labels[which];
        if (confidence != NULL)
            confidence[i] = sum > 0.0f ? best / sum : 0.0f;
    }
}

BgLabelMap *
bg_labels_from_probabilities(BgVolume *const *classes, gsize n_classes, const guint8 *labels,
                             BgVolume **confidence, GError **error)
{
    g_return_val_if_fail(classes != NULL && n_classes >= 2, NULL);

    const BgGeometry *geometry = bg_volume_get_geometry(classes[0]);
    int nx = geometry->dims[0], ny = geometry->dims[1];

    if (!check_grids(classes, n_classes, error))
        return NULL;
    guint8 *out = bg_voxels_alloc(geometry, 1, error);
    float *sure = NULL;
    if (out != NULL && confidence != NULL)
        sure = bg_voxels_alloc(geometry, sizeof(float), error);
    if (out == NULL || (confidence != NULL && sure == NULL)) {
        bg_voxels_free(out);
        return NULL;
    }
    g_autofree float *memory = g_new(float, n_classes *(gsize) nx);
    g_autofree const float **rows = g_new(const float *, n_classes);
    for (int k = 0; k < geometry->dims[2]; k++) {
        for (int j = 0; j < ny; j++) {
            gsize at = (gsize) nx * ((gsize) j + (gsize) ny * (gsize) k);
            for (gsize c = 0; c < n_classes; c++) {
                bg_volume_read_row(classes[c], j, k, memory + c * (gsize) nx);
                rows[c] = memory + c * (gsize) nx;
            }
            choose_row(rows, n_classes, labels, nx, out + at, sure != NULL ? sure + at : NULL);
        }
    }
    if (confidence != NULL)
        *confidence =
            bg_volume_new_take(geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), sure, error);
    return bg_label_map_new_take(geometry, BG_LABEL_UINT8, out, error);
}

BgLabelMap *
bg_labels_from_regions(BgVolume *wt, BgVolume *tc, BgVolume *et, double threshold, GError **error)
{
    BgVolume *regions[3] = { wt, tc, et };
    static const guint8 labels[3] = { 2, 1, 4 };
    const BgGeometry *geometry = bg_volume_get_geometry(wt);
    int nx = geometry->dims[0], ny = geometry->dims[1];

    if (!check_grids(regions, 3, error))
        return NULL;
    guint8 *out = bg_voxels_alloc(geometry, 1, error);
    if (out == NULL)
        return NULL;
    g_autofree float *row = g_new(float, nx);
    memset(out, 0, bg_geometry_count_voxels(geometry));
    for (int k = 0; k < geometry->dims[2]; k++) {
        for (int j = 0; j < ny; j++) {
            guint8 *to = out + (gsize) nx * ((gsize) j + (gsize) ny * (gsize) k);
            for (int r = 0; r < 3; r++) {
                bg_volume_read_row(regions[r], j, k, row);
                for (int i = 0; i < nx; i++) {
                    if ((double) row[i] > threshold)
                        to[i] = labels[r];
                }
            }
        }
    }
    return bg_label_map_new_take(geometry, BG_LABEL_UINT8, out, error);
}

typedef struct {
    const BgLabelCleaning *cleaning;
    const int *dims;
    gsize n;
    guint32 *labels; // of each voxel; changed
    guint8 *mask, *kept;
    gsize least_voxels;
    GCancellable *cancellable;
} Job;

// The parts of what is in the mask; what goes becomes background.
static gboolean
clean_mask(Job *job, GError **error)
{
    BgConnectivity connectivity =
        job->cleaning->connectivity != 0 ? job->cleaning->connectivity : BG_CONNECT_26;

    memcpy(job->kept, job->mask, job->n);
    if (job->least_voxels > 1 && !bg_drop_small(job->kept, job->dims, connectivity,
                                                job->least_voxels, job->cancellable, error))
        return FALSE;
    if (job->cleaning->n_largest > 0 &&
        !bg_keep_largest(job->kept, job->dims, connectivity, job->cleaning->n_largest,
                         job->cancellable, error))
        return FALSE;
    for (gsize v = 0; v < job->n; v++) {
        if (job->mask[v] != 0 && job->kept[v] == 0)
            job->labels[v] = 0;
    }
    return TRUE;
}

// The label that most of the six neighbours have; 0 when none has one.
static guint32
label_around(const Job *job, gsize v)
{
    gsize nx = (gsize) job->dims[0], slice = nx * (gsize) job->dims[1];
    gsize i = v % nx, j = v / nx % (gsize) job->dims[1], k = v / slice;
    guint32 around[6], best = 0;
    int n = 0, most = 0;

    if (i > 0)
        around[n++] = job->labels[v - 1];
    if (i + 1 < nx)
        around[n++] = job->labels[v + 1];
    if (j > 0)
        around[n++] = job->labels[v - nx];
    if (j + 1 < (gsize) job->dims[1])
        around[n++] = job->labels[v + nx];
    if (k > 0)
        around[n++] = job->labels[v - slice];
    if (k + 1 < (gsize) job->dims[2])
        around[n++] = job->labels[v + slice];
    for (int a = 0; a < n; a++) {
        int same = 0;
        for (int b = 0; b < n; b++)
            same += around[b] == around[a];
        if (around[a] != 0 && (same > most || (same == most && around[a] < best))) {
            most = same;
            best = around[a];
        }
    }
    return best;
}

// From the rim inwards: a round gives a label to every voxel of a hole that touches one.
static gboolean
fill(Job *job, gsize *n_filled, GError **error)
{
    gsize left = 0;

    for (gsize v = 0; v < job->n; v++)
        job->mask[v] = job->labels[v] != 0;
    memcpy(job->kept, job->mask, job->n);
    if (!bg_fill_holes(job->kept, job->dims, job->cancellable, error))
        return FALSE;
    for (gsize v = 0; v < job->n; v++) {
        job->kept[v] = job->kept[v] != 0 && job->mask[v] == 0; // to be filled
        left += job->kept[v];
    }
    *n_filled = left;
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(guint32));
    while (left > 0) {
        g_array_set_size(found, 0);
        for (gsize v = 0; v < job->n; v++) {
            guint32 label = job->kept[v] ? label_around(job, v) : 0;
            if (job->kept[v])
                g_array_append_val(found, label);
        }
        guint at = 0;
        for (gsize v = 0; v < job->n; v++) {
            guint32 label = job->kept[v] ? g_array_index(found, guint32, at++) : 0;
            if (label != 0) {
                job->labels[v] = label;
                job->kept[v] = 0;
                left--;
            }
        }
    }
    return TRUE;
}

static BgLabelMap *
pack(const BgGeometry *geometry, BgLabelType type, const guint32 *labels, gsize n, GError **error)
{
    gpointer out = bg_voxels_alloc(geometry, bg_label_type_size(type), error);

    if (out == NULL)
        return NULL;
#define PACK(TYPE, name, ctype)                     \
    case TYPE:                                      \
        for (gsize v = 0; v < n; v++)               \
            ((ctype *) out)[v] = (ctype) labels[v]; \
        break;
    switch (type) {
        BG_FOR_LABEL_TYPES(PACK)
    }
#undef PACK
    return bg_label_map_new_take(geometry, type, out, error);
}

static gboolean
clean_all(Job *job, BgLabelMap *labels, const BgProgress *progress, GError **error)
{
    g_autoptr(GArray) counts = bg_label_map_count(labels);
    guint n_turns = job->cleaning->each_label ? counts->len : 1;

    for (guint t = 0; t < n_turns; t++) {
        for (gsize v = 0; v < job->n; v++)
            job->mask[v] = job->cleaning->each_label
                               ? job->labels[v] == g_array_index(counts, BgLabelCount, t).label
                               : job->labels[v] != 0;
        if (!clean_mask(job, error))
            return FALSE;
        bg_progress_report(progress, 0.8 * (t + 1) / n_turns);
    }
    return TRUE;
}

BgLabelMap *
bg_label_map_clean(BgLabelMap *labels, const BgLabelCleaning *cleaning, BgLabelCleaned *cleaned,
                   const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(labels != NULL && cleaning != NULL, NULL);

    const BgGeometry *geometry = bg_label_map_get_geometry(labels);
    gsize n = bg_geometry_count_voxels(geometry), n_before = 0, n_after = 0, n_filled = 0;

    if (!(cleaning->least_ml >= 0.0 && isfinite(cleaning->least_ml))) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("Parts cannot be smaller than %g ml; give a volume of 0 or more"),
                    cleaning->least_ml);
        return NULL;
    }
    bg_auto_buffer guint32 *values = bg_buffer_alloc_items(n, sizeof(guint32), error);
    bg_auto_buffer guint8 *masks = values != NULL ? bg_buffer_alloc_items(n, 2, error) : NULL;
    if (masks == NULL)
        return NULL;
    Job job = { .cleaning = cleaning,
                .dims = geometry->dims,
                .n = n,
                .labels = values,
                .mask = masks,
                .kept = masks + n,
                .cancellable = cancellable };
    job.least_voxels =
        (gsize) ceil(cleaning->least_ml * 1000.0 / bg_geometry_voxel_volume_mm3(geometry) - 1e-9);
    for (int k = 0; k < geometry->dims[2]; k++) {
        for (int j = 0; j < geometry->dims[1]; j++)
            bg_label_map_read_row(labels, j, k,
                                  values + (gsize) geometry->dims[0] *
                                               ((gsize) j + (gsize) geometry->dims[1] * (gsize) k));
    }
    for (gsize v = 0; v < n; v++)
        n_before += values[v] != 0;
    if (!clean_all(&job, labels, progress, error))
        return NULL;
    for (gsize v = 0; v < n; v++)
        n_after += values[v] != 0;
    if (cleaning->fill_holes && n_after > 0 && !fill(&job, &n_filled, error))
        return NULL;
    if (cleaned != NULL)
        *cleaned = (BgLabelCleaned){ n_before - n_after, n_filled };
    bg_progress_report(progress, 1.0);
    return pack(geometry, bg_label_map_get_label_type(labels), values, n, error);
}
