// SPDX-License-Identifier: Apache-2.0
#include "bg-dicom-series-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DEPTH 64
#define MAX_FILES 2000000
#define GRAIN 8   // files a range of the parallel loop
#define BATCH 512 // files between two reports

typedef struct {
    GPtrArray *paths; // of the tree, sorted within their folders
    GArray *ends;     // guint: where the files of a folder end
    const BgDicomScanProgress *progress;
    GCancellable *cancellable;
} Listing;

typedef struct {
    const char *const *paths;
    BgDcmImage **images;
    GError **errors;
} ReadJob;

static void
read_range(gsize first, gsize last, guint worker, gpointer user_data)
{
    ReadJob *job = user_data;

    for (gsize i = first; i < last; i++) {
        g_autoptr(BgDcmData) data = bg_dcm_data_open(job->paths[i], &job->errors[i]);
        if (data != NULL)
            job->images[i] = bg_dcm_image_new(data);
    }
}

static void
free_image(gpointer image)
{
    if (image != NULL)
        bg_dcm_image_free(image);
}

GPtrArray *
bg_dcm_read_images(const char *const *paths, gsize n_paths, gboolean strict,
                   GCancellable *cancellable, GError **error)
{
    g_autofree BgDcmImage **read = g_new0(BgDcmImage *, MAX(n_paths, 1));
    GError *first_error = NULL;
    g_autofree GError **errors = g_new0(GError *, MAX(n_paths, 1));
    ReadJob job = { paths, read, errors };
    GPtrArray *images = g_ptr_array_new_with_free_func(free_image);

    bg_parallel_for(n_paths, GRAIN, read_range, &job, cancellable);
    for (gsize i = 0; i < n_paths; i++) {
        if (read[i] != NULL)
            g_ptr_array_add(images, read[i]);
        if (strict && first_error == NULL)
            first_error = g_steal_pointer(&errors[i]);
        g_clear_error(&errors[i]);
    }
    if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
        g_clear_error(&first_error);
        g_ptr_array_unref(images);
        return NULL;
    }
    if (first_error != NULL) {
        g_propagate_error(error, first_error);
        g_ptr_array_unref(images);
        return NULL;
    }
    return images;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

// A folder and those below it. A link is never followed: it could lead out of the tree, or round in it.
static gboolean
list_folder(Listing *listing, const char *folder, int depth, GError **error)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) folders = g_ptr_array_new_with_free_func(g_free);
    struct dirent *entry;
    DIR *dir = opendir(folder);

    if (dir == NULL) {
        if (depth > 0) // one folder that cannot be opened does not spoil the scan
            return TRUE;
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: %s", folder,
                    g_strerror(errno));
        return FALSE;
    }
    while ((entry = readdir(dir)) != NULL) {
        unsigned char type = entry->d_type;
        struct stat status;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        g_autofree char *path = g_build_filename(folder, entry->d_name, NULL);
        if (type == DT_UNKNOWN && lstat(path, &status) == 0)
            type = S_ISREG(status.st_mode) ? DT_REG : S_ISDIR(status.st_mode) ? DT_DIR : DT_LNK;
        if (type == DT_REG)
            g_ptr_array_add(files, g_steal_pointer(&path));
        else if (type == DT_DIR && depth < MAX_DEPTH)
            g_ptr_array_add(folders, g_steal_pointer(&path));
    }
    closedir(dir);
    g_ptr_array_sort(files, compare_names);
    g_ptr_array_sort(folders, compare_names);
    for (guint i = 0; i < files->len && listing->paths->len < MAX_FILES; i++)
        g_ptr_array_add(listing->paths, g_strdup(g_ptr_array_index(files, i)));
    g_array_append_val(listing->ends, listing->paths->len);
    if (listing->progress != NULL && listing->progress->counted != NULL)
        listing->progress->counted(0, listing->paths->len, listing->progress->user_data);
    if (g_cancellable_set_error_if_cancelled(listing->cancellable, error))
        return FALSE;
    for (guint i = 0; i < folders->len; i++) {
        if (!list_folder(listing, g_ptr_array_index(folders, i), depth + 1, error))
            return FALSE;
    }
    return TRUE;
}

typedef struct {
    GPtrArray *images;     // all, owned
    GHashTable *by_series; // series uid or path -> GPtrArray of borrowed images
    GHashTable *changed;   // the keys of by_series that grew since the last report
    const BgDicomScanProgress *progress;
} Scan;

static void
scan_init(Scan *scan, const BgDicomScanProgress *progress)
{
    scan->images = g_ptr_array_new_with_free_func(free_image);
    scan->by_series =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
    scan->changed = g_hash_table_new(g_str_hash, g_str_equal);
    scan->progress = progress;
}

static void
scan_clear(Scan *scan)
{
    g_hash_table_unref(scan->changed);
    g_hash_table_unref(scan->by_series);
    g_ptr_array_unref(scan->images);
}

static void
scan_add(Scan *scan, GPtrArray *images)
{
    for (guint i = 0; i < images->len; i++) {
        BgDcmImage *image = g_ptr_array_index(images, i);
        // A directory of files is none of them.
        if (strcmp(image->sop_class, "1.2.840.10008.1.3.10") == 0 ||
            (image->pixel_tag == 0 && image->sop_class[0] == '\0' && image->series_uid[0] == '\0'))
            continue;
        const char *name = image->series_uid[0] != '\0' ? image->series_uid : image->path;
        GPtrArray *list = g_hash_table_lookup(scan->by_series, name);
        if (list == NULL) {
            list = g_ptr_array_new();
            g_hash_table_insert(scan->by_series, (gpointer) name, list);
        }
        g_ptr_array_add(list, image);
        g_hash_table_add(scan->changed, (gpointer) name);
        g_ptr_array_add(scan->images, image);
        g_ptr_array_index(images, i) = NULL;
    }
}

static int
compare_texts(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

static int
compare_series(gconstpointer a, gconstpointer b)
{
    const BgDicomSeries *x = *(BgDicomSeries *const *) a, *y = *(BgDicomSeries *const *) b;
    int order;

    if ((order = compare_texts(x->patient_id, y->patient_id)) != 0 ||
        (order = compare_texts(x->patient_name, y->patient_name)) != 0 ||
        (order = compare_texts(x->study_date, y->study_date)) != 0 ||
        (order = compare_texts(x->study_uid, y->study_uid)) != 0)
        return order;
    if (x->series_number != y->series_number)
        return x->series_number < y->series_number ? -1 : 1;
    order = compare_texts(x->key, y->key);
    return order != 0
               ? order
               : compare_texts(g_ptr_array_index(x->files, 0), g_ptr_array_index(y->files, 0));
}

static void
append_stacks(GPtrArray *list, GPtrArray *images)
{
    g_autoptr(GPtrArray) stacks = bg_dcm_stacks_new(images);

    for (guint i = 0; i < stacks->len; i++)
        g_ptr_array_add(list, bg_dicom_series_new(g_ptr_array_index(stacks, i)));
}

static void
report_changed(Scan *scan)
{
    GHashTableIter iter;
    gpointer name;
    g_autoptr(GPtrArray) list =
        g_ptr_array_new_with_free_func((GDestroyNotify) bg_dicom_series_unref);

    if (scan->progress == NULL || scan->progress->found == NULL)
        return;
    g_hash_table_iter_init(&iter, scan->changed);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        append_stacks(list, g_hash_table_lookup(scan->by_series, name));
    g_hash_table_remove_all(scan->changed);
    g_ptr_array_sort(list, compare_series);
    for (guint i = 0; i < list->len; i++)
        scan->progress->found(g_ptr_array_index(list, i), scan->progress->user_data);
}

static GPtrArray *
finish(Scan *scan)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify) bg_dicom_series_unref);
    GHashTableIter iter;
    gpointer images;

    g_hash_table_iter_init(&iter, scan->by_series);
    while (g_hash_table_iter_next(&iter, NULL, &images))
        append_stacks(list, images);
    g_ptr_array_sort(list, compare_series);
    for (guint i = 0; scan->progress != NULL && scan->progress->found != NULL && i < list->len; i++)
        scan->progress->found(g_ptr_array_index(list, i), scan->progress->user_data);
    return list;
}

// Files in batches of their folders: what has been found is told after each.
static gboolean
scan_listed(Scan *scan, const char *const *paths, gsize n_paths, const GArray *ends,
            GCancellable *cancellable, GError **error)
{
    gsize folder = 0;

    for (gsize done = 0; done < n_paths;) {
        gsize end = MIN(done + BATCH, n_paths);
        while (ends != NULL && folder + 1 < ends->len && g_array_index(ends, guint, folder) <= done)
            folder++;
        gboolean folder_ends = ends != NULL && g_array_index(ends, guint, folder) <= end;
        if (folder_ends)
            end = g_array_index(ends, guint, folder);
        g_autoptr(GPtrArray) images =
            bg_dcm_read_images(paths + done, end - done, FALSE, cancellable, error);
        if (images == NULL)
            return FALSE;
        scan_add(scan, images);
        done = end;
        if (scan->progress != NULL && scan->progress->counted != NULL)
            scan->progress->counted(done, n_paths, scan->progress->user_data);
        if (folder_ends && done < n_paths)
            report_changed(scan);
    }
    return TRUE;
}

static GPtrArray *
scan_paths(const char *const *paths, gsize n_paths, const GArray *ends, const char *what,
           const BgDicomScanProgress *progress, GCancellable *cancellable, GError **error)
{
    Scan scan;
    GPtrArray *list = NULL;

    scan_init(&scan, progress);
    // One path alone keeps its own error.
    if (n_paths == 1) {
        g_autoptr(GPtrArray) images = bg_dcm_read_images(paths, 1, TRUE, cancellable, error);
        if (images == NULL) {
            scan_clear(&scan);
            return NULL;
        }
        scan_add(&scan, images);
    } else if (!scan_listed(&scan, paths, n_paths, ends, cancellable, error)) {
        scan_clear(&scan);
        return NULL;
    }
    if (g_hash_table_size(scan.by_series) == 0)
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED, _("%s: there is no DICOM picture here"),
                    what);
    else
        list = finish(&scan);
    scan_clear(&scan);
    return list;
}

GPtrArray *
bg_dicom_scan_files(const char *const *paths, gsize n_paths, const BgDicomScanProgress *progress,
                    GCancellable *cancellable, GError **error)
{
    return scan_paths(paths, n_paths, NULL, n_paths > 0 ? paths[0] : "-", progress, cancellable,
                      error);
}

// A DICOMDIR names its files relative to its own folder, and some lists are wrong: its folder's
// tree, in which all that it may name must lie, is scanned.
static gboolean
is_dicomdir(const char *path)
{
    g_autoptr(BgDcmData) data = bg_dcm_data_open(path, NULL);
    char sop_class[65];

    if (data == NULL)
        return FALSE;
    bg_dcm_copy_string(bg_dcm_root(data), BG_DCM_TAG(0x0002, 0x0002), sop_class, sizeof sop_class);
    return bg_dcm_find(bg_dcm_root(data), BG_DCM_TAG(0x0004, 0x1220)) != NULL ||
           strcmp(sop_class, "1.2.840.10008.1.3.10") == 0;
}

GPtrArray *
bg_dicom_scan(const char *path, const BgDicomScanProgress *progress, GCancellable *cancellable,
              GError **error)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) ends = g_array_new(FALSE, FALSE, sizeof(guint));
    Listing listing = { paths, ends, progress, cancellable };
    g_autofree char *folder = NULL;

    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        folder = g_strdup(path);
    else if (is_dicomdir(path))
        folder = g_path_get_dirname(path);
    if (folder == NULL)
        return scan_paths(&path, 1, NULL, path, progress, cancellable, error);
    if (!list_folder(&listing, folder, 0, error))
        return NULL;
    if (paths->len == 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED, _("%s: the folder is empty"), path);
        return NULL;
    }
    return scan_paths((const char *const *) paths->pdata, paths->len, ends, path, progress,
                      cancellable, error);
}
