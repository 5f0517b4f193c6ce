// SPDX-License-Identifier: Apache-2.0
// Volumes (/volume) and stacks of slices (/slices) in HDF5 files, as docs/formats.md has them.
#include "bg-hdf5-private.h"
#include "bg-io-grid.h"
#include "bg-io-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define VOLUME "/volume"
#define SLICES "/slices"
#define MATRIX "patient_from_voxel"
#define SLAB_BYTES (4u << 20) // unpacked at a time

// BgH5Type and BgRawType name the same types in the same order.
G_STATIC_ASSERT((int) BG_H5_FLOAT64 == (int) BG_RAW_FLOAT64);

static gboolean
read_matrix(BgH5 *h5, const char *path, BgGeometry *geometry, GError **error)
{
    double m[16];

    if (!bg_h5_get_doubles(h5, path, MATRIX, m, 16, error))
        return FALSE;
    if (m[12] != 0.0 || m[13] != 0.0 || m[14] != 0.0 || m[15] != 1.0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the last row of patient_from_voxel is not 0 0 0 1"));
        return FALSE;
    }
    for (int r = 0; r < 3; r++)
        memcpy(geometry->patient_from_voxel.m[r], m + 4 * r, 4 * sizeof *m);
    return TRUE;
}

static gboolean
read_vector(BgH5 *h5, const char *name, BgVec3 *v, GError **error)
{
    double values[3];

    if (!bg_h5_get_doubles(h5, SLICES, name, values, 3, error))
        return FALSE;
    *v = bg_vec3(values[0], values[1], values[2]);
    return TRUE;
}

// The third spacing, from slice to slice, may be left out where there is one slice.
static gboolean
read_plane(BgH5 *h5, BgGeometry *geometry, GError **error)
{
    double spacing_mm[3];
    BgVec3 origin, normal, u, v;

    if (!read_vector(h5, "origin_mm", &origin, error) ||
        !read_vector(h5, "normal", &normal, error) || !read_vector(h5, "u", &u, error) ||
        !read_vector(h5, "v", &v, error))
        return FALSE;
    if (!bg_h5_get_doubles(h5, SLICES, "spacing_mm", spacing_mm, 3, NULL)) {
        if (!bg_h5_get_doubles(h5, SLICES, "spacing_mm", spacing_mm, 2, error))
            return FALSE;
        if (geometry->dims[2] > 1) {
            g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                                _("spacing_mm has two numbers, so the distance of the slices is "
                                  "not known. Add it as the third"));
            return FALSE;
        }
        spacing_mm[2] = MIN(spacing_mm[0], spacing_mm[1]);
    }
    geometry->patient_from_voxel =
        bg_affine_from_columns(bg_vec3_scale(bg_vec3_normalize(u), spacing_mm[0]),
                               bg_vec3_scale(bg_vec3_normalize(v), spacing_mm[1]),
                               bg_vec3_scale(bg_vec3_normalize(normal), spacing_mm[2]), origin);
    return TRUE;
}

// A text that may be missing.
static char *
get_text(BgH5 *h5, const char *path, const char *name)
{
    char *text =
        bg_h5_has_attribute(h5, path, name) ? bg_h5_get_string(h5, path, name, NULL) : NULL;

    return text != NULL ? text : g_strdup("");
}

static double
get_number(BgH5 *h5, const char *path, const char *name, double fallback)
{
    double value;

    return bg_h5_has_attribute(h5, path, name) && bg_h5_get_doubles(h5, path, name, &value, 1, NULL)
               ? value
               : fallback;
}

static gboolean
set_dims(BgFileInfo *info, const BgH5Shape *shape, gboolean slices, GError **error)
{
    int lead = shape->rank - 3;

    if (shape->rank < 3 || shape->rank > (slices ? 3 : 4)) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("the array has %d dimensions; frames, k, j, i, or k, j, i are wanted"),
                    shape->rank);
        return FALSE;
    }
    for (int d = 0; d < 3; d++) {
        guint64 n = shape->dims[lead + 2 - d];
        if (n > BG_VOLUME_MAX_DIM) {
            g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                        _("the array has %" G_GUINT64_FORMAT " voxels along one axis; %d is the "
                          "most"),
                        n, BG_VOLUME_MAX_DIM);
            return FALSE;
        }
        info->geometry.dims[d] = info->dims[d] = (int) n;
    }
    info->n_frames = lead == 1 ? (int) MIN(shape->dims[0], (guint64) G_MAXINT) : 1;
    return TRUE;
}

static void
read_facts(BgH5 *h5, const char *array, BgFileInfo *info)
{
    g_autofree char *modality = get_text(h5, array, "modality");
    g_autofree char *unit = get_text(h5, array, "unit");
    g_autofree char *kind = get_text(h5, array, "kind");
    g_autofree char *provenance = get_text(h5, "/", "provenance");
    g_autofree char *description = get_text(h5, array, "description");

    bg_file_info_set_modality(info, modality, unit);
    info->kind_stated = kind[0] != '\0';
    if (strcmp(kind, "labels") == 0 || (kind[0] == '\0' && bg_io_has_label_name(info->path)))
        info->kind = BG_KIND_LABELS;
    if (provenance[0] != '\0')
        info->provenance = g_steal_pointer(&provenance);
    if (description[0] != '\0')
        info->description = g_steal_pointer(&description);
    info->frame_spacing = get_number(h5, array, "frame_spacing_s", 0.0);
    info->frame_unit = info->frame_spacing > 0.0 ? "s" : NULL;
}

static BgFileInfo *
read_array(BgH5 *h5, const char *path, const char *array, BgH5Shape *shape, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    gboolean slices = strcmp(array, SLICES) == 0;

    info->format = BG_FORMAT_HDF5;
    info->kind = BG_KIND_VOLUME;
    info->n_components = 1;
    if (!bg_h5_inspect(h5, array, shape, error) || !set_dims(info, shape, slices, error))
        return NULL;
    info->datatype = bg_h5_type_name(shape->type);
    if (slices || bg_h5_has_attribute(h5, array, MATRIX)) {
        if (!(slices ? read_plane(h5, &info->geometry, error)
                     : read_matrix(h5, array, &info->geometry, error)))
            return NULL;
        info->geometry_name = slices ? "slices" : MATRIX;
        info->side_known = TRUE;
    } else {
        info->geometry = bg_geometry_new_regular(info->dims, bg_vec3(1.0, 1.0, 1.0));
        bg_file_info_warn(info, _("The side is unknown: the file does not say where its voxels "
                                  "lie. 1 mm and LPS are taken"));
    }
    info->has_geometry = TRUE;
    if (!bg_geometry_check(&info->geometry, error))
        return NULL;
    read_facts(h5, array, info);
    return g_steal_pointer(&info);
}

static BgFileInfo *
read_other(BgH5 *h5, const char *path, GError **error)
{
    BgFileInfo *info = NULL;
    g_autofree char *format = get_text(h5, "/", "format");
    g_autofree char *provenance = get_text(h5, "/", "provenance");

    if (strcmp(format, BG_H5_CASE_FORMAT) == 0) {
        info = bg_file_info_new(path);
        info->format = BG_FORMAT_CASE;
        info->kind = BG_KIND_CASE;
        info->n_frames = 1;
        info->datatype = "";
    } else if (bg_h5_has(h5, "/model_weights") || bg_h5_has_attribute(h5, "/", "layer_names")) {
        info = bg_file_info_new(path);
        info->format = BG_FORMAT_HDF5;
        info->kind = BG_KIND_WEIGHTS;
        info->n_frames = 1;
        info->datatype = "float32";
    } else {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("the file has neither /volume nor /slices. Write its voxels to one "
                              "of them"));
    }
    if (info != NULL && provenance[0] != '\0')
        info->provenance = g_steal_pointer(&provenance);
    return info;
}

static BgFileInfo *
read_info(BgH5 *h5, const char *path, const char **array, BgH5Shape *shape, GError **error)
{
    *array = bg_h5_has(h5, VOLUME) ? VOLUME : bg_h5_has(h5, SLICES) ? SLICES : NULL;

    return *array != NULL ? read_array(h5, path, *array, shape, error)
                          : read_other(h5, path, error);
}

static gboolean
sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    return !gzipped && n_bytes >= 8 && memcmp(bytes, "\x89HDF\r\n\x1A\n", 8) == 0;
}

static BgFileInfo *
probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgH5) h5 = bg_h5_open_sealed(path, cancellable, error);
    const char *array;
    BgH5Shape shape;

    if (h5 == NULL)
        return NULL;
    return bg_h5_has(h5, BG_MINC2_IMAGE) ? bg_minc2_probe(h5, path, error)
                                         : read_info(h5, path, &array, &shape, error);
}

// The bytes of one frame, a slab after the other.
typedef struct {
    BgH5 *h5;          // owned
    const char *array; // static
    BgH5Shape shape;
    guint64 next, last; // along the slowest dimension
    guint64 per_slab;
    gsize n_row;  // bytes of one step along it
    guint8 *slab; // owned
    gsize at, n;  // bytes of the slab that are used up, and there
    GCancellable *cancellable;
} Stream;

static void
stream_free(gpointer data)
{
    Stream *stream = data;

    bg_h5_free(stream->h5);
    bg_buffer_free(stream->slab);
    g_clear_object(&stream->cancellable);
    g_free(stream);
}

static gssize
stream_read(gpointer user_data, guint8 *data, gsize n_bytes, GError **error)
{
    Stream *stream = user_data;

    if (stream->at == stream->n) {
        guint64 count = MIN(stream->per_slab, stream->last - stream->next);
        if (count == 0)
            return 0;
        if (!bg_h5_read(stream->h5, stream->array, &stream->shape, stream->next, count,
                        stream->slab, NULL, stream->cancellable, error))
            return -1;
        stream->next += count;
        stream->at = 0;
        stream->n = (gsize) count * stream->n_row;
    }
    gsize n = MIN(n_bytes, stream->n - stream->at);
    memcpy(data, stream->slab + stream->at, n);
    stream->at += n;
    return (gssize) n;
}

BgSource *
bg_h5_new_stream(BgH5 *h5, const char *array, const BgH5Shape *shape, guint64 first, guint64 last,
                 GCancellable *cancellable, GError **error)
{
    Stream *stream = g_new0(Stream, 1);
    gsize n_row = bg_h5_shape_count(shape) / (gsize) shape->dims[0] * bg_h5_type_size(shape->type);
    guint64 rows = bg_h5_count_chunk_rows(h5, array);

    stream->h5 = h5;
    stream->array = array;
    stream->shape = *shape;
    stream->n_row = n_row;
    stream->next = first;
    stream->last = last;
    // Whole chunks, so that none is unpacked twice.
    stream->per_slab = MAX(SLAB_BYTES / n_row / rows, 1) * rows;
    stream->per_slab = MIN(stream->per_slab, last - first);
    stream->cancellable = cancellable != NULL ? g_object_ref(cancellable) : NULL;
    stream->slab = bg_buffer_alloc_items((gsize) stream->per_slab, n_row, error);
    if (stream->slab == NULL) {
        stream_free(stream);
        return NULL;
    }
    return bg_source_new_custom(stream_read, (last - first) * n_row, stream, stream_free);
}

static BgLoaded *
load_array(BgH5 *h5, const char *array, const BgH5Shape *shape, BgFileInfo *info,
           const BgLoadParams *params, const BgProgress *progress, GCancellable *cancellable,
           GError **error)
{
    g_autoptr(BgFileInfo) owned = info;
    gboolean frames = shape->rank == 4;
    guint64 first = frames ? (guint64) params->frame : 0;
    BgRawLayout layout = { .type = (BgRawType) shape->type,
                           .big_endian = G_BYTE_ORDER == G_BIG_ENDIAN,
                           .n_components = 1,
                           .slope = get_number(h5, array, "slope", 1.0),
                           .intercept = get_number(h5, array, "intercept", 0.0) };
    g_autoptr(BgSource) source = bg_h5_new_stream(
        h5, array, shape, first, frames ? first + 1 : shape->dims[0], cancellable, error);

    return source != NULL ? bg_raw_load_frame(source, &layout, g_steal_pointer(&owned), params,
                                              progress, error)
                          : NULL;
}

static BgLoaded *
load(const char *path, const BgLoadParams *params, const BgProgress *progress,
     GCancellable *cancellable, GError **error)
{
    g_autoptr(BgH5) h5 = bg_h5_open_sealed(path, cancellable, error);
    const char *array;
    BgH5Shape shape;

    if (h5 == NULL)
        return NULL;
    if (bg_h5_has(h5, BG_MINC2_IMAGE))
        return bg_minc2_load(g_steal_pointer(&h5), path, params, progress, cancellable, error);
    g_autoptr(BgFileInfo) info = read_info(h5, path, &array, &shape, error);
    if (info == NULL)
        return NULL;
    if (array == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("the file holds no volume, but: %s. Open it as that"),
                    bg_kind_name(info->kind));
        return NULL;
    }
    if (!bg_raw_check_frame(info, params, error))
        return NULL;
    return load_array(g_steal_pointer(&h5), array, &shape, g_steal_pointer(&info), params, progress,
                      cancellable, error);
}

const BgReader bg_reader_hdf5 = { "HDF5", sniff, probe, load, .is_foreign = TRUE };

// Out

static gboolean
write_facts(const BgGrid *grid, BgH5 *h5, GError **error)
{
    const BgSaveParams *params = grid->params;
    double m[16] = { [15] = 1.0 };

    for (int r = 0; r < 3; r++)
        memcpy(m + 4 * r, grid->geometry.patient_from_voxel.m[r], 4 * sizeof *m);
    return bg_h5_set_matrix(h5, VOLUME, MATRIX, m, 4, 4, error) &&
           bg_h5_set_string(h5, VOLUME, "kind", params->labels ? "labels" : "volume", error) &&
           (params->modality == NULL ||
            bg_h5_set_string(h5, VOLUME, "modality", params->modality, error)) &&
           (params->unit == NULL || bg_h5_set_string(h5, VOLUME, "unit", params->unit, error)) &&
           (params->description == NULL ||
            bg_h5_set_string(h5, VOLUME, "description", params->description, error)) &&
           (!(params->frame_spacing_s > 0.0) ||
            bg_h5_set_doubles(h5, VOLUME, "frame_spacing_s", &params->frame_spacing_s, 1, error)) &&
           (params->provenance == NULL ||
            bg_h5_set_string(h5, "/", "provenance", params->provenance, error));
}

// All frames as one array. A volume of one frame is written from where it lies.
gboolean
bg_grid_write_h5_array(const BgGrid *grid, BgH5 *h5, const char *array, const BgProgress *progress,
                       GCancellable *cancellable, GError **error)
{
    const int *dims = grid->geometry.dims;
    gsize n_bytes = bg_grid_count_frame_bytes(grid);
    bg_auto_buffer guint8 *all = NULL;
    BgH5Shape shape = { .type = (BgH5Type) grid->type, .rank = 3 };
    int d = 0;

    if (grid->n_frames > 1) {
        all = bg_buffer_alloc_items(grid->n_frames, n_bytes, error);
        if (all == NULL)
            return FALSE;
        for (gsize i = 0; i < grid->n_frames; i++)
            memcpy(all + i * n_bytes, grid->frames[i], n_bytes);
        shape.rank = 4;
        shape.dims[d++] = grid->n_frames;
    }
    for (int axis = 2; axis >= 0; axis--)
        shape.dims[d++] = (guint64) dims[axis];
    return bg_h5_write(h5, array, &shape, all != NULL ? all : grid->frames[0], progress,
                       cancellable, error);
}

gboolean
bg_grid_write_hdf5(const BgGrid *grid, const char *path, const BgProgress *progress,
                   GCancellable *cancellable, GError **error)
{
    g_autoptr(BgH5) h5 = bg_h5_create(path, grid->params->force, error);

    return h5 != NULL && bg_grid_write_h5_array(grid, h5, VOLUME, progress, cancellable, error) &&
           write_facts(grid, h5, error) && bg_h5_commit_sealed(h5, error);
}
