// SPDX-License-Identifier: Apache-2.0
#include "bg-io.h"

#include "bg-io-foreign-private.h"
#include "bg-io-private.h"
#include "bg-io-raw.h"
#include "bg-io-source.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/model/bg-landmarks.h"

#include <stdarg.h>
#include <string.h>

// In this order: formats with a signature first, those that are only likely last; at the very end
// binary STL, which has no mark and is known by what it might hold.
static const BgReader *const readers[] = {
    &bg_reader_nrrd,   &bg_reader_npy,     &bg_reader_raw,   &bg_reader_interfile,
    &bg_reader_minc1,  &bg_reader_analyze, &bg_reader_nifti, &bg_reader_hdf5,
    &bg_reader_png,    &bg_reader_gif,     &bg_reader_bmp,   &bg_reader_pnm,
    &bg_reader_ply,    &bg_reader_glb,     &bg_reader_vtk,   &bg_reader_metaimage,
    &bg_reader_parrec, &bg_reader_afni,    &bg_reader_mgh,   &bg_reader_landmarks,
    &bg_reader_obj,    &bg_reader_stl,
};

// In the child: readers that were added. A process that has any reads foreign files itself.
static const BgReader *const *added_readers;
static gsize n_added_readers;
static gboolean reads_foreign;

const char *
bg_format_name(BgFormat format)
{
    static const char *const names[] = {
        [BG_FORMAT_UNKNOWN] = "",
        [BG_FORMAT_NIFTI1] = "nifti1",
        [BG_FORMAT_NIFTI2] = "nifti2",
        [BG_FORMAT_ANALYZE] = "analyze",
        [BG_FORMAT_NRRD] = "nrrd",
        [BG_FORMAT_METAIMAGE] = "metaimage",
        [BG_FORMAT_HDF5] = "hdf5",
        [BG_FORMAT_DICOM] = "dicom",
        [BG_FORMAT_MINC1] = "minc1",
        [BG_FORMAT_MINC2] = "minc2",
        [BG_FORMAT_INTERFILE] = "interfile",
        [BG_FORMAT_RAW] = "raw",
        [BG_FORMAT_PNG] = "png",
        [BG_FORMAT_JPEG] = "jpeg",
        [BG_FORMAT_BMP] = "bmp",
        [BG_FORMAT_PNM] = "pnm",
        [BG_FORMAT_GIF] = "gif",
        [BG_FORMAT_TIFF] = "tiff",
        [BG_FORMAT_STL] = "stl",
        [BG_FORMAT_OBJ] = "obj",
        [BG_FORMAT_PLY] = "ply",
        [BG_FORMAT_GLB] = "glb",
        [BG_FORMAT_VTK] = "vtk",
        [BG_FORMAT_CASE] = "bregma",
        [BG_FORMAT_MGH] = "mgh",
        [BG_FORMAT_PARREC] = "parrec",
        [BG_FORMAT_AFNI] = "afni",
        [BG_FORMAT_NPY] = "npy",
        [BG_FORMAT_HEIC] = "heic",
        [BG_FORMAT_FCSV] = "fcsv",
        [BG_FORMAT_MRK_JSON] = "mrk.json",
        [BG_FORMAT_CSV] = "csv",
    };

    return (gsize) format < G_N_ELEMENTS(names) ? names[format] : "";
}

const char *
bg_kind_name(BgKind kind)
{
    static const char *const names[] = {
        [BG_KIND_VOLUME] = "volume",   [BG_KIND_LABELS] = "labels",       [BG_KIND_IMAGE] = "image",
        [BG_KIND_MESH] = "mesh",       [BG_KIND_LANDMARKS] = "landmarks", [BG_KIND_CASE] = "case",
        [BG_KIND_WEIGHTS] = "weights",
    };

    return (gsize) kind < G_N_ELEMENTS(names) ? names[kind] : "";
}

BgFileInfo *
bg_file_info_new(const char *path)
{
    BgFileInfo *info = g_new0(BgFileInfo, 1);

    info->path = g_strdup(path);
    info->n_frames = 1;
    info->n_components = 1;
    info->datatype = "";
    info->modality = g_strdup("");
    info->unit = g_strdup("");
    info->warnings = g_ptr_array_new_with_free_func(g_free);
    return info;
}

static gpointer
copy_string(gconstpointer string, gpointer user_data)
{
    return g_strdup(string);
}

BgFileInfo *
bg_file_info_copy(const BgFileInfo *info)
{
    BgFileInfo *copy = g_new(BgFileInfo, 1);

    *copy = *info;
    copy->path = g_strdup(info->path);
    copy->modality = g_strdup(info->modality);
    copy->unit = g_strdup(info->unit);
    copy->description = g_strdup(info->description);
    copy->provenance = g_strdup(info->provenance);
    copy->patient_name = g_strdup(info->patient_name);
    copy->patient_id = g_strdup(info->patient_id);
    copy->patient_birth_date = g_strdup(info->patient_birth_date);
    copy->patient_sex = g_strdup(info->patient_sex);
    copy->study_uid = g_strdup(info->study_uid);
    copy->study_date = g_strdup(info->study_date);
    copy->study_time = g_strdup(info->study_time);
    copy->study_description = g_strdup(info->study_description);
    copy->accession_number = g_strdup(info->accession_number);
    copy->series_uid = g_strdup(info->series_uid);
    copy->frame_of_reference = g_strdup(info->frame_of_reference);
    copy->b_values = g_strdup(info->b_values);
    copy->source_class = g_strdup(info->source_class);
    copy->source_instances = g_strdup(info->source_instances);
    copy->camera = g_strdup(info->camera);
    copy->warnings = g_ptr_array_copy(info->warnings, copy_string, NULL);
    g_ptr_array_set_free_func(copy->warnings, g_free);
    return copy;
}

void
bg_file_info_free(BgFileInfo *info)
{
    if (info == NULL)
        return;

    g_ptr_array_unref(info->warnings);
    g_free(info->path);
    g_free(info->modality);
    g_free(info->unit);
    g_free(info->description);
    g_free(info->provenance);
    g_free(info->patient_name);
    g_free(info->patient_id);
    g_free(info->patient_birth_date);
    g_free(info->patient_sex);
    g_free(info->study_uid);
    g_free(info->study_date);
    g_free(info->study_time);
    g_free(info->study_description);
    g_free(info->accession_number);
    g_free(info->series_uid);
    g_free(info->frame_of_reference);
    g_free(info->b_values);
    g_free(info->source_class);
    g_free(info->source_instances);
    g_free(info->camera);
    g_free(info);
}

void
bg_file_info_warn(BgFileInfo *info, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *raw = g_strdup_vprintf(format, args);
    char *text = g_utf8_make_valid(raw, -1); // it may quote a damaged file
    va_end(args);
    if (g_ptr_array_find_with_equal_func(info->warnings, text, g_str_equal, NULL))
        g_free(text);
    else
        g_ptr_array_add(info->warnings, text);
}

void
bg_file_info_set_modality(BgFileInfo *info, const char *modality, const char *unit)
{
    g_autofree char *old_modality = info->modality, *old_unit = info->unit; // may be what is set

    info->modality = g_strdup(modality != NULL ? modality : "");
    info->unit = g_strdup(unit != NULL ? unit : "");
}

void
bg_io_guess_kind(BgFileInfo *info)
{
    if (info->kind != BG_KIND_LABELS && info->n_components == 1 && bg_io_has_label_name(info->path))
        info->kind = BG_KIND_LABELS;
    if (info->kind == BG_KIND_LABELS)
        bg_file_info_set_modality(info, "SEG", "");
}

BgLoaded *
bg_loaded_new(BgFileInfo *info)
{
    BgLoaded *loaded = g_new0(BgLoaded, 1);

    loaded->info = info;
    return loaded;
}

void
bg_loaded_free(BgLoaded *loaded)
{
    if (loaded == NULL)
        return;

    g_clear_pointer(&loaded->info, bg_file_info_free);
    g_clear_pointer(&loaded->volume, bg_volume_unref);
    g_clear_pointer(&loaded->labels, bg_label_map_unref);
    g_clear_pointer(&loaded->image, bg_image_unref);
    g_clear_pointer(&loaded->mesh, bg_mesh_unref);
    g_clear_pointer(&loaded->landmarks, bg_landmarks_unref);
    g_free(loaded);
}

static void
prefix_path(const char *path, GError **error)
{
    g_autofree char *name = g_filename_display_name(path);

    if (error != NULL && *error != NULL && !g_utf8_validate((*error)->message, -1, NULL)) {
        char *valid = g_utf8_make_valid((*error)->message, -1); // it quotes a damaged file
        g_free((*error)->message);
        (*error)->message = valid;
    }
    if (reads_foreign) // whoever has asked this child says the name
        return;
    // Translators: a file name; what is wrong with it follows
    g_prefix_error(error, _("“%s” cannot be read: "), name);
}

// The image half of a pair of files has no signature: its header lies beside it.
static char *
find_header_beside(const char *path)
{
    static const char *const suffixes[][2] = {
        { ".img", ".hdr" },      { ".img.gz", ".hdr.gz" }, { ".REC", ".PAR" },
        { ".raw", ".raw.json" }, { ".rec", ".par" },       { ".BRIK", ".HEAD" },
        { ".BRIK.gz", ".HEAD" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        if (!g_str_has_suffix(path, suffixes[i][0]))
            continue;
        g_autofree char *stem = g_strndup(path, strlen(path) - strlen(suffixes[i][0]));
        char *header = g_strconcat(stem, suffixes[i][1], NULL);
        if (g_file_test(header, G_FILE_TEST_IS_REGULAR))
            return header;
        g_free(header);
    }
    return NULL;
}

void
bg_io_add_readers(const BgReader *const *added, gsize n)
{
    added_readers = added;
    n_added_readers = n;
    reads_foreign = TRUE;
}

// Which reader gets the file, and the file that it is given.
typedef struct {
    const BgReader *reader; // NULL: the child does it
    char *header_path;      // owned, nullable: the header beside the path
    gsize n_there;          // bytes that were looked at
} Route;

static const BgReader *
find_in(const BgReader *const *table, gsize n, const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    for (gsize i = 0; i < n; i++) {
        if (table[i]->sniff(bytes, n_bytes, gzipped))
            return table[i];
    }
    return NULL;
}

gboolean
bg_io_knows(const guint8 *bytes, gsize n_bytes)
{
    gsize n = MIN(n_bytes, BG_SNIFF_BYTES);

    return find_in(added_readers, n_added_readers, bytes, n, FALSE) != NULL ||
           find_in(readers, G_N_ELEMENTS(readers), bytes, n, FALSE) != NULL;
}

// Returns: NULL without error: no reader of this process knows it, or it is the child's.
static const BgReader *
sniff(const char *path, Route *route, GCancellable *cancellable, GError **error)
{
    guint8 bytes[BG_SNIFF_BYTES];
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_AUTO, cancellable, error);
    g_autoptr(GError) damaged = NULL;

    route->n_there = 0;
    if (source == NULL)
        return NULL;

    // A packed stream that breaks off within the first KiB may still say what it was meant to be: so
    // byte by byte.
    gboolean gzipped = bg_source_is_gzipped(source);
    gsize n_read = 0, step = gzipped ? 1 : sizeof bytes;
    while (n_read < sizeof bytes) {
        gssize n =
            bg_source_read_some(source, bytes + n_read, MIN(step, sizeof bytes - n_read), &damaged);
        if (n <= 0)
            break;
        n_read += (gsize) n;
    }
    route->n_there = n_read;
    if (damaged != NULL &&
        (n_read == 0 || g_error_matches(damaged, G_IO_ERROR, G_IO_ERROR_CANCELLED))) {
        g_propagate_error(error, g_steal_pointer(&damaged));
        return NULL;
    }

    const BgReader *reader = find_in(added_readers, n_added_readers, bytes, n_read, gzipped);
    if (reader == NULL && (reads_foreign || !bg_foreign_sniff(bytes, n_read)))
        reader = find_in(readers, G_N_ELEMENTS(readers), bytes, n_read, gzipped);
    return reader != NULL && reader->is_foreign && !reads_foreign ? NULL : reader;
}

static gboolean
find_route(const char *path, Route *route, GCancellable *cancellable, GError **error)
{
    GError *failed = NULL;

    *route = (Route){ 0 };
    if (!reads_foreign && g_file_test(path, G_FILE_TEST_IS_DIR))
        return TRUE;
    route->reader = sniff(path, route, cancellable, &failed);
    if (route->reader == NULL && failed == NULL) {
        route->header_path = find_header_beside(path);
        if (route->header_path != NULL)
            route->reader = sniff(route->header_path, route, cancellable, &failed);
    }
    if (failed != NULL) {
        g_propagate_error(error, failed);
        return FALSE;
    }
    if (route->reader == NULL && route->n_there == 0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the file is empty. Get it again from where it came from"));
        return FALSE;
    }
    if (route->reader == NULL && reads_foreign) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("its content is of no format that bregma knows. Check that it is "
                              "the right file"));
        return FALSE;
    }
    return TRUE;
}

gboolean
bg_io_needs_child(const char *path)
{
    Route route;

    g_return_val_if_fail(path != NULL, FALSE);

    gboolean found = find_route(path, &route, NULL, NULL);
    g_free(route.header_path);
    return found && route.reader == NULL;
}

// A file of one thing has a series 0, and no other.
static gboolean
check_series(const BgLoadParams *params, GError **error)
{
    if (params == NULL || params->series == NULL || strcmp(params->series, "0") == 0)
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                _("there is no series “%s”: this is one file without series. Choose 0"),
                params->series);
    return FALSE;
}

static BgFileInfo *
probe_by(const BgReader *reader, const char *path, const BgLoadParams *params,
         GCancellable *cancellable, GError **error)
{
    if (reader->probe_series != NULL && params != NULL)
        return reader->probe_series(path, params, cancellable, error);
    if (!check_series(params, error))
        return NULL;
    return reader->probe(path, cancellable, error);
}

// In the child: the first reader of folders that finds something.
static const BgReader *
next_folder_reader(gsize *i, const GError *failed)
{
    if (failed != NULL && !g_error_matches(failed, BG_ERROR, BG_ERROR_UNSUPPORTED))
        return NULL;
    while (*i < n_added_readers) {
        const BgReader *reader = added_readers[(*i)++];
        if (reader->reads_folders)
            return reader;
    }
    return NULL;
}

static gboolean
is_folder_here(const char *path)
{
    return reads_foreign && g_file_test(path, G_FILE_TEST_IS_DIR);
}

static void
fail_folder(GError *failed, GError **error)
{
    if (failed != NULL)
        g_propagate_error(error, failed);
    else
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("this is a folder. Choose a file in it"));
}

static BgFileInfo *
probe_folder(const char *path, const BgLoadParams *params, GCancellable *cancellable,
             GError **error)
{
    const BgReader *reader;
    GError *failed = NULL;

    for (gsize i = 0; (reader = next_folder_reader(&i, failed)) != NULL;) {
        g_clear_error(&failed);
        BgFileInfo *info = probe_by(reader, path, params, cancellable, &failed);
        if (info != NULL)
            return info;
    }
    fail_folder(failed, error);
    return NULL;
}

static BgFileInfo *
probe(const char *path, const BgLoadParams *params, GCancellable *cancellable, GError **error)
{
    Route route;
    BgFileInfo *info;

    if (is_folder_here(path))
        return probe_folder(path, params, cancellable, error);
    if (!find_route(path, &route, cancellable, error))
        return NULL;
    if (route.reader == NULL)
        info = bg_foreign_probe(path, params, cancellable, error);
    else
        info = probe_by(route.reader, route.header_path != NULL ? route.header_path : path, params,
                        cancellable, error);
    g_free(route.header_path);
    return info;
}

BgFileInfo *
bg_io_probe_series(const char *path, const BgLoadParams *params, GCancellable *cancellable,
                   GError **error)
{
    g_return_val_if_fail(path != NULL, NULL);

    BgFileInfo *info = probe(path, params, cancellable, error);
    if (info == NULL)
        prefix_path(path, error);
    return info;
}

BgFileInfo *
bg_io_probe(const char *path, GCancellable *cancellable, GError **error)
{
    return bg_io_probe_series(path, NULL, cancellable, error);
}

// A name or a header can be wrong about labels: then they are intensities after all.
static gboolean
is_not_labels_after_all(const BgLoaded *loaded, const BgLoadParams *params, const GError *failed)
{
    if (params->as != BG_LOAD_AUTO)
        return FALSE;
    if (failed != NULL)
        return g_error_matches(failed, BG_ERROR, BG_ERROR_INVALID);
    return loaded->labels != NULL && !loaded->info->kind_stated &&
           !bg_raw_looks_like_labels(loaded->labels);
}

// What a reader has read whole although a part was asked for, in memory; and what people should know.
static gboolean
take_part(BgLoaded *loaded, const BgLoadPart *part, GError **error)
{
    const BgGeometry *geometry = loaded->volume != NULL ? bg_volume_get_geometry(loaded->volume)
                                 : loaded->labels != NULL
                                     ? bg_label_map_get_geometry(loaded->labels)
                                     : NULL;
    BgFileInfo *info = loaded->info;

    if (geometry == NULL || part->step[0] == 0)
        return TRUE;
    int wanted[3];
    bg_load_part_dims(part, info->dims, wanted);
    if (memcmp(wanted, geometry->dims, sizeof wanted) != 0) {
        if (!bg_load_part_check(part, geometry->dims, error) ||
            !bg_load_part_cut(part, &loaded->volume, &loaded->labels, error))
            return FALSE;
    }
    if (bg_load_part_is_whole(part, info->dims))
        return TRUE;
    info->geometry = loaded->volume != NULL ? *bg_volume_get_geometry(loaded->volume)
                                            : *bg_label_map_get_geometry(loaded->labels);
    memcpy(info->dims, wanted, sizeof info->dims);
    g_clear_pointer(&info->source_instances, g_free);
    bg_file_info_warn(info,
                      // Translators: first and last voxel and a step, along columns, rows, slices
                      _("Only a part was read: columns %d to %d by %d, rows %d to %d by %d, slices "
                        "%d to %d by %d"),
                      part->first[0] + 1, part->last[0] + 1, part->step[0], part->first[1] + 1,
                      part->last[1] + 1, part->step[1], part->first[2] + 1, part->last[2] + 1,
                      part->step[2]);
    return TRUE;
}

static BgLoaded *
load_by(const BgReader *reader, const char *path, const BgLoadParams *params,
        const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgLoadParams chosen = *params;
    GError *failed = NULL;

    if (reader->scan == NULL && !check_series(params, error))
        return NULL;
    BgLoaded *loaded = reader->load(path, &chosen, progress, cancellable, &failed);
    if (is_not_labels_after_all(loaded, &chosen, failed)) {
        g_clear_pointer(&loaded, bg_loaded_free);
        g_clear_error(&failed);
        chosen.as = BG_LOAD_VOLUME;
        loaded = reader->load(path, &chosen, progress, cancellable, &failed);
    }
    if (loaded != NULL && !take_part(loaded, &params->part, &failed))
        g_clear_pointer(&loaded, bg_loaded_free);
    if (loaded == NULL)
        g_propagate_error(error, failed);
    return loaded;
}

static BgLoaded *
load_folder(const char *path, const BgLoadParams *params, const BgProgress *progress,
            GCancellable *cancellable, GError **error)
{
    const BgReader *reader;
    GError *failed = NULL;

    for (gsize i = 0; (reader = next_folder_reader(&i, failed)) != NULL;) {
        g_clear_error(&failed);
        BgLoaded *loaded = load_by(reader, path, params, progress, cancellable, &failed);
        if (loaded != NULL)
            return loaded;
    }
    fail_folder(failed, error);
    return NULL;
}

static BgLoaded *
load(const char *path, const BgLoadParams *params, const BgProgress *progress,
     GCancellable *cancellable, GError **error)
{
    Route route;
    BgLoaded *loaded;

    if (is_folder_here(path))
        return load_folder(path, params, progress, cancellable, error);
    if (!find_route(path, &route, cancellable, error))
        return NULL;
    if (route.reader == NULL)
        loaded = bg_foreign_load(path, params, progress, cancellable, error);
    else
        loaded = load_by(route.reader, route.header_path != NULL ? route.header_path : path, params,
                         progress, cancellable, error);
    g_free(route.header_path);
    return loaded;
}

BgLoaded *
bg_io_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
           GCancellable *cancellable, GError **error)
{
    BgLoadParams chosen = params != NULL ? *params : bg_load_params_default();

    g_return_val_if_fail(path != NULL, NULL);

    BgLoaded *loaded = load(path, &chosen, progress, cancellable, error);
    if (loaded == NULL)
        prefix_path(path, error);
    return loaded;
}

static GPtrArray *
scan_folder(const char *path, const BgScanWatch *watch, GCancellable *cancellable, GError **error)
{
    const BgReader *reader;
    GError *failed = NULL;

    for (gsize i = 0; (reader = next_folder_reader(&i, failed)) != NULL;) {
        if (reader->scan == NULL)
            continue;
        g_clear_error(&failed);
        GPtrArray *list = reader->scan(path, watch, cancellable, &failed);
        if (list != NULL)
            return list;
    }
    fail_folder(failed, error);
    return NULL;
}

static GPtrArray *
scan(const char *path, const BgScanWatch *watch, GCancellable *cancellable, GError **error)
{
    Route route;
    GPtrArray *list = NULL;

    if (is_folder_here(path))
        return scan_folder(path, watch, cancellable, error);
    if (!find_route(path, &route, cancellable, error))
        return NULL;
    if (route.reader == NULL)
        list = bg_foreign_scan(path, watch, cancellable, error);
    else if (route.reader->scan != NULL)
        list = route.reader->scan(path, watch, cancellable, error);
    else
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("this is one file without series. Open it as it is"));
    g_free(route.header_path);
    return list;
}

GPtrArray *
bg_io_scan(const char *path, const BgScanWatch *watch, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(path != NULL, NULL);

    GPtrArray *list = scan(path, watch, cancellable, error);
    if (list == NULL)
        prefix_path(path, error);
    return list;
}

static BgImage *
load_thumbnail(const char *path, const BgLoadParams *params, int max_size,
               GCancellable *cancellable, GError **error)
{
    Route route = { 0 };
    BgImage *image = NULL;

    if (!reads_foreign)
        return bg_foreign_load_thumbnail(path, params, max_size, cancellable, error);
    if (!g_file_test(path, G_FILE_TEST_IS_DIR) && !find_route(path, &route, cancellable, error))
        return NULL;
    if (route.reader == NULL) {
        gsize i = 0;
        route.reader = next_folder_reader(&i, NULL);
    }
    if (route.reader != NULL && route.reader->thumbnail != NULL)
        image = route.reader->thumbnail(path, params, max_size, cancellable, error);
    else
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("there is no small picture of it. Open it as it is"));
    g_free(route.header_path);
    return image;
}

BgImage *
bg_io_load_thumbnail(const char *path, const BgSeries *series, int max_size,
                     GCancellable *cancellable, GError **error)
{
    BgLoadParams params = bg_load_params_default();

    g_return_val_if_fail(path != NULL && series != NULL, NULL);
    g_return_val_if_fail(max_size >= 1 && max_size <= 1024, NULL);

    params.series = series->key;
    params.token = series->token;
    BgImage *image = load_thumbnail(path, &params, max_size, cancellable, error);
    if (image == NULL)
        prefix_path(path, error);
    return image;
}

static BgLoaded *
load_as(const char *path, BgLoadAs as, const BgProgress *progress, GCancellable *cancellable,
        GError **error)
{
    BgLoadParams params = bg_load_params_default();

    params.as = as;
    g_autoptr(BgLoaded) loaded = bg_io_load(path, &params, progress, cancellable, error);
    if (loaded != NULL && loaded->volume == NULL && loaded->labels == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("“%s” holds no volume, but: %s. Choose another file"), path,
                    bg_kind_name(loaded->info->kind));
        return NULL;
    }
    return g_steal_pointer(&loaded);
}

BgVolume *
bg_io_load_volume(const char *path, const BgProgress *progress, GCancellable *cancellable,
                  GError **error)
{
    g_autoptr(BgLoaded) loaded = load_as(path, BG_LOAD_VOLUME, progress, cancellable, error);

    return loaded != NULL ? g_steal_pointer(&loaded->volume) : NULL;
}

BgLabelMap *
bg_io_load_labels(const char *path, const BgProgress *progress, GCancellable *cancellable,
                  GError **error)
{
    g_autoptr(BgLoaded) loaded = load_as(path, BG_LOAD_LABELS, progress, cancellable, error);

    return loaded != NULL ? g_steal_pointer(&loaded->labels) : NULL;
}
