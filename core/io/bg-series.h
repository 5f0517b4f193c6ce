// SPDX-License-Identifier: Apache-2.0
// What a folder, a CD, a DICOMDIR or an archive holds: a list of things that can be loaded.
#pragma once

#include "core/base/bg-progress.h"
#include "core/image/bg-image.h"
#include "core/io/bg-io.h"

G_BEGIN_DECLS

/**
 * BgSeries:
 * @key: says which one this is, the same in every scan of the same files: BgLoadParams.series
 * @uid: the SeriesInstanceUID; several can have one (stacks of another orientation or size)
 * @kind: what loading it gives
 * @loadable: whether it can be loaded; @warnings say why not
 * @dims: columns, rows, slices
 * @frame_kind: (nullable): "time", "echo", "b-value", "frame": what sets the frames apart
 * @b_values: of diffusion, s/mm^2, one a frame, with blanks between
 * @plane: of the slices: "axial", "coronal", "sagittal" or "oblique"; "" where the side is unknown
 * @spacing_mm: along columns, rows, slices; 0 when unknown
 * @n_bytes: of a loaded frame
 * @badges: of char *: short words to be shown in red: "missing slices", "lossy", ...
 * @warnings: of char *: sentences for people
 * @referenced_uid: (nullable): the series that labels and contours belong to
 * @token: (nullable): with it, loading need not look for the files again
 *
 * Strings are never %NULL unless marked; "" when the files do not say. Immutable once handed out,
 * reference counted (atomically).
 */
typedef struct {
    char *key;
    char *uid;
    int number;
    char *description;
    char *modality;
    char *date; // YYYYMMDD
    char *body_part;
    char *patient_name;
    char *patient_id;
    char *patient_birth_date;
    char *patient_sex;
    char *study_uid;
    char *study_date;
    char *study_time;
    char *study_description;
    char *accession_number;
    char *frame_of_reference;
    char *b_values;
    char *plane;
    BgKind kind;
    gboolean loadable;
    int dims[3];
    int n_slices;
    int n_frames;
    int n_files;
    char *frame_kind; // nullable
    double spacing_mm[3];
    guint64 n_bytes;
    GPtrArray *badges;
    GPtrArray *warnings;
    char *referenced_uid; // nullable
    char *token;          // nullable
} BgSeries;

/** bg_series_new: (transfer full): empty strings and lists, zeros; one frame; loadable */
BgSeries *bg_series_new(void);
BgSeries *bg_series_ref(BgSeries *series);
void bg_series_unref(BgSeries *series);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgSeries, bg_series_unref)

/**
 * BgScanWatch:
 * @counted: (nullable): @n_done files of @n_known were looked at; @n_known grows on the way
 * @found: (nullable): a series that is new, or has grown (another with the same key was handed out
 *   before). Borrowed
 * @user_data: for both
 *
 * Called on the thread of bg_io_scan().
 */
typedef struct {
    void (*counted)(gsize n_done, gsize n_known, gpointer user_data);
    void (*found)(BgSeries *series, gpointer user_data);
    gpointer user_data;
} BgScanWatch;

/**
 * bg_io_scan:
 * @path: a file, a folder with any tree below it, a DICOMDIR or an archive
 * @watch: (nullable)
 *
 * Blocks; for a worker. Reads headers only, in the child that reads foreign files.
 *
 * Returns: (transfer container) (element-type BgSeries): ordered by patient, study, series number
 *   and key; or %NULL with the errors of bg_io_probe(); %BG_ERROR_UNSUPPORTED: nothing there has
 *   series (a single file that bg_io_probe() may know)
 */
GPtrArray *bg_io_scan(const char *path, const BgScanWatch *watch, GCancellable *cancellable,
                      GError **error);

/**
 * bg_io_load_thumbnail:
 * @series: of bg_io_scan() of @path
 * @max_size: the longer side at most, in pixels; 1..1024
 *
 * The middle slice, in the window that the file gives.
 *
 * Returns: (transfer full): 8-bit; errors as bg_io_load()
 */
BgImage *bg_io_load_thumbnail(const char *path, const BgSeries *series, int max_size,
                              GCancellable *cancellable, GError **error);

/**
 * bg_series_find:
 * @list: of BgSeries
 * @name: a key, a UID (the first of that UID that can be loaded), or a place in the list, from 0
 *
 * Returns: (transfer none): or %NULL with %BG_ERROR_INVALID, whose message lists what is there
 */
BgSeries *bg_series_find(GPtrArray *list, const char *name, GError **error);

G_END_DECLS
