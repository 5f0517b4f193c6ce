// SPDX-License-Identifier: Apache-2.0
#include "bg-io.h"

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
    &bg_reader_nrrd, &bg_reader_minc1,     &bg_reader_analyze, &bg_reader_nifti,
    &bg_reader_hdf5, &bg_reader_png,       &bg_reader_ply,     &bg_reader_glb,
    &bg_reader_vtk,  &bg_reader_metaimage, &bg_reader_parrec,  &bg_reader_afni,
    &bg_reader_mgh,  &bg_reader_landmarks, &bg_reader_obj,     &bg_reader_stl,
};

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
    copy->study_date = g_strdup(info->study_date);
    copy->frame_of_reference = g_strdup(info->frame_of_reference);
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
    g_free(info->study_date);
    g_free(info->frame_of_reference);
    g_free(info->camera);
    g_free(info);
}

void
bg_file_info_warn(BgFileInfo *info, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (g_ptr_array_find_with_equal_func(info->warnings, text, g_str_equal, NULL))
        g_free(text);
    else
        g_ptr_array_add(info->warnings, text);
}

void
bg_file_info_set_modality(BgFileInfo *info, const char *modality, const char *unit)
{
    g_free(info->modality);
    g_free(info->unit);
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

    // Translators: a file name; what is wrong with it follows
    g_prefix_error(error, _("“%s” cannot be read: "), name);
}

// The image half of a pair of files has no signature: its header lies beside it.
static char *
find_header_beside(const char *path)
{
    static const char *const suffixes[][2] = {
        { ".img", ".hdr" }, { ".img.gz", ".hdr.gz" }, { ".REC", ".PAR" },
        { ".rec", ".par" }, { ".BRIK", ".HEAD" },     { ".BRIK.gz", ".HEAD" },
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

static const BgReader *
sniff(const char *path, gsize *n_there, GCancellable *cancellable, GError **error)
{
    guint8 bytes[BG_SNIFF_BYTES];
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_AUTO, cancellable, error);
    g_autoptr(GError) damaged = NULL;
    gssize n;

    *n_there = 0;
    if (source == NULL)
        return NULL;

    // A packed stream that breaks off within the first KiB may still say what it was meant to be: so
    // byte by byte.
    gsize n_read = 0, step = bg_source_is_gzipped(source) ? 1 : sizeof bytes;
    while (n_read < sizeof bytes) {
        n = bg_source_read_some(source, bytes + n_read, MIN(step, sizeof bytes - n_read), &damaged);
        if (n <= 0)
            break;
        n_read += (gsize) n;
    }
    *n_there = n_read;
    if (damaged != NULL &&
        (n_read == 0 || g_error_matches(damaged, G_IO_ERROR, G_IO_ERROR_CANCELLED))) {
        g_propagate_error(error, g_steal_pointer(&damaged));
        return NULL;
    }

    for (gsize i = 0; i < G_N_ELEMENTS(readers); i++) {
        if (readers[i]->sniff(bytes, n_read, bg_source_is_gzipped(source)))
            return readers[i];
    }
    return NULL;
}

// The reader for a file, and the file that it is to be given.
static const BgReader *
find_reader(const char *path, char **header_path, GCancellable *cancellable, GError **error)
{
    GError *failed = NULL;
    gsize n_there;
    const BgReader *reader = sniff(path, &n_there, cancellable, &failed);

    *header_path = NULL;
    if (reader == NULL && failed == NULL) {
        *header_path = find_header_beside(path);
        reader = *header_path != NULL ? sniff(*header_path, &n_there, cancellable, &failed) : NULL;
    }
    if (reader != NULL)
        return reader;

    if (failed != NULL)
        g_propagate_error(error, failed);
    else if (n_there == 0)
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the file is empty. Get it again from where it came from"));
    else
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("its content is of no format that bregma knows. Check that it is "
                              "the right file"));
    return NULL;
}

BgFileInfo *
bg_io_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(path != NULL, NULL);

    g_autofree char *header_path = NULL;
    const BgReader *reader = find_reader(path, &header_path, cancellable, error);
    BgFileInfo *info = NULL;

    if (reader != NULL)
        info = reader->probe(header_path != NULL ? header_path : path, cancellable, error);
    if (info == NULL)
        prefix_path(path, error);
    return info;
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

BgLoaded *
bg_io_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
           GCancellable *cancellable, GError **error)
{
    BgLoadParams chosen = params != NULL ? *params : bg_load_params_default();

    g_return_val_if_fail(path != NULL, NULL);

    g_autofree char *header_path = NULL;
    const BgReader *reader = find_reader(path, &header_path, cancellable, error);
    if (reader == NULL) {
        prefix_path(path, error);
        return NULL;
    }

    const char *from = header_path != NULL ? header_path : path;
    GError *failed = NULL;
    BgLoaded *loaded = reader->load(from, &chosen, progress, cancellable, &failed);
    if (is_not_labels_after_all(loaded, &chosen, failed)) {
        g_clear_pointer(&loaded, bg_loaded_free);
        g_clear_error(&failed);
        chosen.as = BG_LOAD_VOLUME;
        loaded = reader->load(from, &chosen, progress, cancellable, &failed);
    }
    if (loaded == NULL) {
        g_propagate_error(error, failed);
        prefix_path(path, error);
    }
    return loaded;
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
