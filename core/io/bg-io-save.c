// SPDX-License-Identifier: Apache-2.0
#include "bg-io-grid.h"
#include "bg-io.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <string.h>

static const struct {
    const char *suffix;
    BgGridWriter write;
    gboolean keeps_scale; // slope and intercept have a place in the format
} writers[] = {
    { ".nii", bg_grid_write_nifti, TRUE },  { ".nii.gz", bg_grid_write_nifti, TRUE },
    { ".nrrd", bg_grid_write_nrrd, FALSE }, { ".mha", bg_grid_write_metaimage, FALSE },
    { ".h5", bg_grid_write_hdf5, FALSE },   { ".hdf5", bg_grid_write_hdf5, FALSE },
    { ".mnc", bg_grid_write_minc2, TRUE },  { ".npy", bg_grid_write_npy, FALSE },
    { ".raw", bg_grid_write_raw, FALSE },   { ".tif", bg_grid_write_tiff, FALSE },
    { ".tiff", bg_grid_write_tiff, FALSE }, { ".png", bg_grid_write_png, FALSE },

};

gsize
bg_grid_count_frame_bytes(const BgGrid *grid)
{
    return bg_geometry_count_voxels(&grid->geometry) * bg_raw_type_size(grid->type);
}

gboolean
bg_grid_write_frames(const BgGrid *grid, BgSink *sink, const BgProgress *progress,
                     GCancellable *cancellable, GError **error)
{
    BgProgressSpan span;

    for (gsize i = 0; i < grid->n_frames; i++) {
        const BgProgress *part =
            bg_progress_span_init(&span, progress, (double) i / (double) grid->n_frames,
                                  (double) (i + 1) / (double) grid->n_frames);
        if (!bg_sink_write(sink, grid->frames[i], bg_grid_count_frame_bytes(grid), part,
                           cancellable, error))
            return FALSE;
    }
    return TRUE;
}

static BgRawType
raw_type_of(BgSampleType type)
{
    switch (type) {
    case BG_SAMPLE_UINT8:
        return BG_RAW_UINT8;
    case BG_SAMPLE_INT8:
        return BG_RAW_INT8;
    case BG_SAMPLE_INT16:
        return BG_RAW_INT16;
    case BG_SAMPLE_UINT16:
        return BG_RAW_UINT16;
    case BG_SAMPLE_FLOAT32:
        break;
    }
    return BG_RAW_FLOAT32;
}

// Values with slope and intercept applied, where a format has no place for them.
typedef struct {
    BgVolume *volume;
    gint16 *whole; // one of the two is NULL
    float *values;
    gint inexact; // atomic: some value is not a whole number of int16
} Applying;

static void
apply_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    Applying *job = user_data;
    const int *dims = bg_volume_get_geometry(job->volume)->dims;
    g_autofree float *row = g_new(float, dims[0]);

    for (gsize r = first; r < last; r++) {
        gsize start = r * (gsize) dims[0];
        float *to = job->values != NULL ? job->values + start : row;
        bg_volume_read_row(job->volume, (int) (r % (gsize) dims[1]), (int) (r / (gsize) dims[1]),
                           to);
        for (int i = 0; job->whole != NULL && i < dims[0]; i++) {
            gboolean good = row[i] >= G_MININT16 && row[i] <= G_MAXINT16 && row[i] == rintf(row[i]);
            if (!good) {
                g_atomic_int_set(&job->inexact, 1);
                return;
            }
            job->whole[start + (gsize) i] = (gint16) row[i];
        }
    }
}

// int16 where that is exact and @try_whole: the frames of a file are all of one type.
static gpointer
apply_scale(BgVolume *volume, gboolean try_whole, BgRawType *type, GCancellable *cancellable,
            GError **error)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    gsize n_rows = (gsize) geometry->dims[1] * (gsize) geometry->dims[2];
    Applying job = { .volume = volume };

    if (try_whole && bg_volume_get_format(volume).type != BG_SAMPLE_FLOAT32) {
        job.whole = bg_voxels_alloc(geometry, sizeof(gint16), error);
        if (job.whole == NULL)
            return NULL;
        bg_parallel_for(n_rows, 64, apply_rows, &job, cancellable);
        *type = BG_RAW_INT16;
        if (!job.inexact)
            return job.whole;
        g_clear_pointer(&job.whole, bg_voxels_free);
    }
    *type = BG_RAW_FLOAT32;
    job.values = bg_voxels_alloc(geometry, sizeof(float), error);
    if (job.values != NULL)
        bg_parallel_for(n_rows, 64, apply_rows, &job, cancellable);
    return job.values;
}

static gboolean
choose_writer(const char *path, gsize *chosen, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(writers); i++) {
        g_autofree char *lower = g_ascii_strdown(path, -1);
        if (g_str_has_suffix(lower, writers[i].suffix)) {
            *chosen = i;
            return TRUE;
        }
    }
    g_autofree char *name = g_filename_display_name(path);
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                _("“%s” cannot be written: its ending names no format of volumes. End it in .nii, "
                  ".nii.gz, .nrrd, .mha, .mnc, .h5, .tif, .png, .npy or .raw"),
                name);
    return FALSE;
}

static gboolean
write_grid(BgGrid *grid, const char *path, BgGridWriter write, const BgProgress *progress,
           GCancellable *cancellable, GError **error)
{
    if (g_cancellable_set_error_if_cancelled(cancellable, error))
        return FALSE;
    if (!write(grid, path, progress, cancellable, error))
        return FALSE;
    bg_progress_report(progress, 1.0);
    return TRUE;
}

static gboolean
check_frames(BgVolume *const *volumes, gsize n_volumes, GError **error)
{
    const BgGeometry *first = bg_volume_get_geometry(volumes[0]);
    BgSampleFormat format = bg_volume_get_format(volumes[0]);

    for (gsize i = 1; i < n_volumes; i++) {
        BgSampleFormat other = bg_volume_get_format(volumes[i]);
        if (!bg_geometry_equal(first, bg_volume_get_geometry(volumes[i]), 1e-4) ||
            other.type != format.type || other.slope != format.slope ||
            other.intercept != format.intercept) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("Frame %zu differs from the first in grid, type or scale. Save it to a "
                          "file of its own"),
                        i);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
bg_io_save_frames(BgVolume *const *volumes, gsize n_volumes, const char *path,
                  const BgSaveParams *params, const BgProgress *progress, GCancellable *cancellable,
                  GError **error)
{
    static const BgSaveParams defaults;
    gsize chosen;

    g_return_val_if_fail(volumes != NULL && n_volumes > 0, FALSE);
    g_return_val_if_fail(path != NULL, FALSE);

    if (!choose_writer(path, &chosen, error) || !check_frames(volumes, n_volumes, error))
        return FALSE;

    BgSampleFormat format = bg_volume_get_format(volumes[0]);
    g_autofree gconstpointer *frames = g_new0(gconstpointer, n_volumes);
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(bg_voxels_free);
    BgGrid grid = { .geometry = *bg_volume_get_geometry(volumes[0]),
                    .type = raw_type_of(format.type),
                    .slope = format.slope,
                    .intercept = format.intercept,
                    .n_frames = n_volumes,
                    .frames = frames,
                    .params = params != NULL ? params : &defaults };
    gboolean apply =
        !writers[chosen].keeps_scale && (format.slope != 1.0 || format.intercept != 0.0);

    for (gsize i = 0; i < n_volumes; i++) {
        frames[i] = bg_volume_get_samples(volumes[i]);
        if (apply) {
            gpointer values =
                apply_scale(volumes[i], n_volumes == 1, &grid.type, cancellable, error);
            if (values == NULL)
                return FALSE;
            g_ptr_array_add(owned, values);
            frames[i] = values;
        }
    }
    if (apply)
        grid.slope = 1.0, grid.intercept = 0.0;
    return write_grid(&grid, path, writers[chosen].write, progress, cancellable, error);
}

gboolean
bg_io_save_volume(BgVolume *volume, const char *path, const BgSaveParams *params,
                  const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(volume != NULL, FALSE);

    return bg_io_save_frames(&volume, 1, path, params, progress, cancellable, error);
}

gboolean
bg_io_save_labels(BgLabelMap *labels, const char *path, const BgSaveParams *params,
                  const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    static const BgRawType types[] = { BG_RAW_UINT8, BG_RAW_UINT16, BG_RAW_UINT32 };
    BgSaveParams chosen_params = params != NULL ? *params : (BgSaveParams){ 0 };
    gconstpointer frame = NULL;
    gsize chosen;

    g_return_val_if_fail(labels != NULL, FALSE);
    g_return_val_if_fail(path != NULL, FALSE);

    if (!choose_writer(path, &chosen, error))
        return FALSE;
    chosen_params.labels = TRUE;
    frame = bg_label_map_get_labels(labels);
    BgGrid grid = { .geometry = *bg_label_map_get_geometry(labels),
                    .type = types[bg_label_map_get_label_type(labels)],
                    .slope = 1.0,
                    .n_frames = 1,
                    .frames = &frame,
                    .params = &chosen_params };
    return write_grid(&grid, path, writers[chosen].write, progress, cancellable, error);
}
