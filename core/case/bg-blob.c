// SPDX-License-Identifier: Apache-2.0
#include "bg-blob-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_GROUPS 65536

// Where an array of the group @group lies.
static char *
in(const char *group, const char *name)
{
    return g_strconcat(group, "/", name, NULL);
}

static gboolean
refuse(const char *field, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                // Translators: %s is the name of a field
                _("A computed result in the case is damaged (%s). Compute it again"), field);
    return FALSE;
}

static gboolean
write_array(BgH5 *h5, const char *group, const char *name, const BgH5Shape *shape,
            gconstpointer data, GError **error)
{
    g_autofree char *path = in(group, name);

    return bg_h5_write(h5, path, shape, data, NULL, NULL, error);
}

static gboolean
write_geometry(BgH5 *h5, const char *group, const BgGeometry *geometry, GError **error)
{
    double matrix[16] = { [15] = 1.0 };

    memcpy(matrix, geometry->patient_from_voxel.m, 12 * sizeof(double));
    return bg_h5_set_doubles(h5, group, "patient_from_voxel", matrix, 16, error);
}

static BgH5Shape
grid_shape(const BgGeometry *geometry, BgH5Type type)
{
    const int *n = geometry->dims;

    return (BgH5Shape){ type, 3, { (guint64) n[2], (guint64) n[1], (guint64) n[0] } };
}

static BgH5Type
type_of_sample(BgSampleType type)
{
    switch (type) {
    case BG_SAMPLE_UINT8:
        return BG_H5_UINT8;
    case BG_SAMPLE_INT8:
        return BG_H5_INT8;
    case BG_SAMPLE_INT16:
        return BG_H5_INT16;
    case BG_SAMPLE_UINT16:
        return BG_H5_UINT16;
    case BG_SAMPLE_FLOAT32:
        break;
    }
    return BG_H5_FLOAT32;
}

static gboolean
write_volume(BgH5 *h5, const char *group, const BgVolume *volume, const BgProgress *progress,
             GCancellable *cancellable, GError **error)
{
    BgSampleFormat format = bg_volume_get_format(volume);
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    BgH5Shape shape = grid_shape(geometry, type_of_sample(format.type));
    const double scale[2] = { format.slope, format.intercept };
    g_autofree char *path = in(group, "data");

    return bg_h5_set_string(h5, group, "kind", "volume", error) &&
           write_geometry(h5, group, geometry, error) &&
           bg_h5_set_doubles(h5, group, "slope_intercept", scale, 2, error) &&
           bg_h5_set_integer(h5, group, "converted", format.converted, error) &&
           bg_h5_write(h5, path, &shape, bg_volume_get_samples(volume), progress, cancellable,
                       error);
}

static gboolean
write_labels(BgH5 *h5, const char *group, const BgLabelMap *labels, const BgProgress *progress,
             GCancellable *cancellable, GError **error)
{
    BgLabelType type = bg_label_map_get_label_type(labels);
    const BgGeometry *geometry = bg_label_map_get_geometry(labels);
    BgH5Shape shape = grid_shape(geometry, type == BG_LABEL_UINT8    ? BG_H5_UINT8
                                           : type == BG_LABEL_UINT16 ? BG_H5_UINT16
                                                                     : BG_H5_UINT32);
    g_autofree char *path = in(group, "data");

    return bg_h5_set_string(h5, group, "kind", "labels", error) &&
           write_geometry(h5, group, geometry, error) &&
           bg_h5_write(h5, path, &shape, bg_label_map_get_labels(labels), progress, cancellable,
                       error);
}

static gboolean
write_image(BgH5 *h5, const char *group, const BgImage *image, const BgProgress *progress,
            GCancellable *cancellable, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(image);
    BgH5Type type = format->type == BG_PIXEL_UINT8    ? BG_H5_UINT8
                    : format->type == BG_PIXEL_UINT16 ? BG_H5_UINT16
                                                      : BG_H5_FLOAT32;
    BgH5Shape shape = {
        type, 3, { (guint64) format->height, (guint64) format->width, (guint64) format->n_channels }
    };
    double spacing_mm[2] = { 0.0, 0.0 };
    bg_image_get_spacing_mm(image, spacing_mm);
    g_autofree char *path = in(group, "data");

    return bg_h5_set_string(h5, group, "kind", "image", error) &&
           bg_h5_set_doubles(h5, group, "spacing_mm", spacing_mm, 2, error) &&
           bg_h5_write(h5, path, &shape, bg_image_get_pixels(image), progress, cancellable, error);
}

// The runs of triangles: numbers as an array, names in one text, a line each.
static gboolean
write_groups(BgH5 *h5, const char *group, const GArray *groups, GError **error)
{
    if (groups == NULL || groups->len == 0)
        return TRUE;

    g_autofree guint64 *numbers = g_new(guint64, 2 * (gsize) groups->len);
    g_autoptr(GString) names = g_string_new(NULL);
    BgH5Shape shape = { BG_H5_UINT64, 2, { groups->len, 2 } };
    for (guint i = 0; i < groups->len; i++) {
        const BgMeshGroup *item = &g_array_index(groups, BgMeshGroup, i);
        g_autofree char *name = g_utf8_make_valid(item->name, -1);
        numbers[2 * i] = item->n_triangles;
        numbers[2 * i + 1] = item->label;
        g_strdelimit(name, "\n", ' ');
        g_string_append_printf(names, "%s\n", name);
    }
    return bg_h5_set_string(h5, group, "group_names", names->str, error) &&
           write_array(h5, group, "groups", &shape, numbers, error);
}

static gboolean
write_mesh(BgH5 *h5, const char *group, const BgMesh *mesh, GError **error)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);
    BgH5Shape points = { BG_H5_FLOAT32, 2, { data->n_vertices, 3 } };
    BgH5Shape distances = { BG_H5_FLOAT32, 2, { data->n_vertices, 1 } };
    BgH5Shape triangles = { BG_H5_UINT32, 2, { data->n_triangles, 3 } };

    return bg_h5_set_string(h5, group, "kind", "mesh", error) &&
           write_groups(h5, group, data->groups, error) &&
           (data->n_vertices == 0 ||
            write_array(h5, group, "positions", &points, data->positions, error)) &&
           (data->n_vertices == 0 || data->normals == NULL ||
            write_array(h5, group, "normals", &points, data->normals, error)) &&
           (data->n_vertices == 0 || data->distances_mm == NULL ||
            write_array(h5, group, "distances_mm", &distances, data->distances_mm, error)) &&
           (data->n_triangles == 0 ||
            write_array(h5, group, "triangles", &triangles, data->triangles, error));
}

gboolean
bg_blob_write(BgH5 *h5, const char *group, const BgPayload *payload, const BgProgress *progress,
              GCancellable *cancellable, GError **error)
{
    if (!bg_h5_create_group(h5, group, error))
        return FALSE;
    if (payload->volume != NULL)
        return write_volume(h5, group, payload->volume, progress, cancellable, error);
    if (payload->labels != NULL)
        return write_labels(h5, group, payload->labels, progress, cancellable, error);
    if (payload->image != NULL)
        return write_image(h5, group, payload->image, progress, cancellable, error);
    return write_mesh(h5, group, payload->mesh, error);
}

// Reading

static gboolean
read_geometry(BgH5 *h5, const char *group, const BgH5Shape *shape, BgGeometry *geometry,
              GError **error)
{
    double matrix[16];

    if (!bg_h5_get_doubles(h5, group, "patient_from_voxel", matrix, 16, error))
        return FALSE;
    memcpy(geometry->patient_from_voxel.m, matrix, 12 * sizeof(double));
    if (shape->rank != 3)
        return refuse("data", error);
    for (int axis = 0; axis < 3; axis++) {
        guint64 n = shape->dims[2 - axis];
        if (n < 1 || n > BG_VOLUME_MAX_DIM)
            return refuse("data", error);
        geometry->dims[axis] = (int) n;
    }
    return bg_geometry_check(geometry, error);
}

static gboolean
sample_of_type(BgH5Type type, BgSampleType *sample)
{
    static const struct {
        BgH5Type type;
        BgSampleType sample;
    } pairs[] = {
        { BG_H5_UINT8, BG_SAMPLE_UINT8 },     { BG_H5_INT8, BG_SAMPLE_INT8 },
        { BG_H5_INT16, BG_SAMPLE_INT16 },     { BG_H5_UINT16, BG_SAMPLE_UINT16 },
        { BG_H5_FLOAT32, BG_SAMPLE_FLOAT32 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        if (pairs[i].type == type) {
            *sample = pairs[i].sample;
            return TRUE;
        }
    }
    return FALSE;
}

// The samples of a grid, from bg_voxels_alloc().
static gpointer
read_grid(BgH5 *h5, const char *group, BgH5Shape *shape, BgGeometry *geometry,
          const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = in(group, "data");

    if (!bg_h5_inspect(h5, path, shape, error) || !read_geometry(h5, group, shape, geometry, error))
        return NULL;
    gpointer voxels = bg_voxels_alloc(geometry, bg_h5_type_size(shape->type), error);
    if (voxels == NULL)
        return NULL;
    if (!bg_h5_read(h5, path, shape, 0, shape->dims[0], voxels, progress, cancellable, error)) {
        bg_voxels_free(voxels);
        return NULL;
    }
    return voxels;
}

static gboolean
read_volume(BgH5 *h5, const char *group, BgPayload *payload, const BgProgress *progress,
            GCancellable *cancellable, GError **error)
{
    double scale[2];
    gint64 converted;
    BgH5Shape shape;
    BgGeometry geometry;
    BgSampleFormat format;

    if (!bg_h5_get_doubles(h5, group, "slope_intercept", scale, 2, error) ||
        !bg_h5_get_integer(h5, group, "converted", &converted, error))
        return FALSE;
    gpointer voxels = read_grid(h5, group, &shape, &geometry, progress, cancellable, error);
    if (voxels == NULL)
        return FALSE;
    if (!sample_of_type(shape.type, &format.type)) {
        bg_voxels_free(voxels);
        return refuse("data", error);
    }
    format.slope = scale[0];
    format.intercept = scale[1];
    format.converted = converted != 0;
    payload->volume = bg_volume_new_take(&geometry, format, voxels, error);
    return payload->volume != NULL;
}

static gboolean
read_labels(BgH5 *h5, const char *group, BgPayload *payload, const BgProgress *progress,
            GCancellable *cancellable, GError **error)
{
    BgH5Shape shape;
    BgGeometry geometry;
    gpointer voxels = read_grid(h5, group, &shape, &geometry, progress, cancellable, error);

    if (voxels == NULL)
        return FALSE;
    if (shape.type != BG_H5_UINT8 && shape.type != BG_H5_UINT16 && shape.type != BG_H5_UINT32) {
        bg_voxels_free(voxels);
        return refuse("data", error);
    }
    BgLabelType type = shape.type == BG_H5_UINT8    ? BG_LABEL_UINT8
                       : shape.type == BG_H5_UINT16 ? BG_LABEL_UINT16
                                                    : BG_LABEL_UINT32;
    payload->labels = bg_label_map_new_take(&geometry, type, voxels, error);
    return payload->labels != NULL;
}

static gboolean
read_image(BgH5 *h5, const char *group, BgPayload *payload, GError **error)
{
    BgH5Shape shape;
    double spacing_mm[2];
    g_autofree char *path = in(group, "data");

    if (!bg_h5_get_doubles(h5, group, "spacing_mm", spacing_mm, 2, error) ||
        !bg_h5_inspect(h5, path, &shape, error))
        return FALSE;
    gboolean fits =
        shape.rank == 3 && shape.dims[0] <= 65535 && shape.dims[1] <= 65535 && shape.dims[2] <= 4 &&
        (shape.type == BG_H5_UINT8 || shape.type == BG_H5_UINT16 || shape.type == BG_H5_FLOAT32);
    if (!fits || !isfinite(spacing_mm[0]) || !isfinite(spacing_mm[1]) || spacing_mm[0] < 0.0 ||
        spacing_mm[1] < 0.0)
        return refuse("data", error);

    BgPixelType type = shape.type == BG_H5_UINT8    ? BG_PIXEL_UINT8
                       : shape.type == BG_H5_UINT16 ? BG_PIXEL_UINT16
                                                    : BG_PIXEL_FLOAT32;
    BgImageFormat format = { (int) shape.dims[1], (int) shape.dims[0], (int) shape.dims[2], type };
    gpointer pixels =
        bg_buffer_alloc_items(bg_h5_shape_count(&shape), bg_h5_type_size(shape.type), error);
    if (pixels == NULL)
        return FALSE;
    if (!bg_h5_read(h5, path, &shape, 0, shape.dims[0], pixels, NULL, NULL, error)) {
        bg_buffer_free(pixels);
        return FALSE;
    }
    g_autoptr(BgImage) image = bg_image_new_take(&format, pixels, error);
    if (image == NULL)
        return FALSE;
    payload->image = spacing_mm[0] > 0.0 && spacing_mm[1] > 0.0
                         ? bg_image_new_calibrated(image, spacing_mm)
                         : bg_image_ref(image);
    return payload->image != NULL;
}

// An array of @columns columns as @type; %NULL without error when it is not there.
static gboolean
read_rows(BgH5 *h5, const char *group, const char *name, BgH5Type type, guint64 columns,
          gpointer *rows, gsize *n_rows, GError **error)
{
    g_autofree char *path = in(group, name);
    BgH5Shape shape;

    *rows = NULL;
    *n_rows = 0;
    if (!bg_h5_has(h5, path))
        return TRUE;
    if (!bg_h5_inspect(h5, path, &shape, error))
        return FALSE;
    if (shape.rank != 2 || shape.dims[1] != columns || shape.type != type ||
        shape.dims[0] > G_MAXUINT32)
        return refuse(name, error);

    bg_auto_buffer gpointer buffer =
        bg_buffer_alloc_items(bg_h5_shape_count(&shape), bg_h5_type_size(type), error);
    if (buffer == NULL ||
        !bg_h5_read(h5, path, &shape, 0, shape.dims[0], buffer, NULL, NULL, error))
        return FALSE;
    *rows = g_steal_pointer(&buffer);
    *n_rows = (gsize) shape.dims[0];
    return TRUE;
}

static gboolean
read_groups(BgH5 *h5, const char *group, GArray **groups, GError **error)
{
    bg_auto_buffer gpointer rows = NULL;
    gsize n;

    if (!read_rows(h5, group, "groups", BG_H5_UINT64, 2, &rows, &n, error))
        return FALSE;
    if (n == 0)
        return TRUE;

    g_autofree char *names = bg_h5_get_string(h5, group, "group_names", error);
    if (names == NULL)
        return FALSE;
    g_auto(GStrv) lines = g_strsplit(names, "\n", -1);
    if (n > MAX_GROUPS || g_strv_length(lines) < n)
        return refuse("groups", error);

    const guint64 *numbers = rows;
    gsize first = 0;
    *groups = g_array_new(FALSE, TRUE, sizeof(BgMeshGroup));
    for (gsize i = 0; i < n; i++) {
        BgMeshGroup item = { .first_triangle = first,
                             .n_triangles = (gsize) numbers[2 * i],
                             .label = (guint32) numbers[2 * i + 1] };
        g_strlcpy(item.name, lines[i], sizeof item.name);
        g_array_append_val(*groups, item);
        first += item.n_triangles;
    }
    return TRUE;
}

static gboolean
read_mesh(BgH5 *h5, const char *group, BgPayload *payload, GError **error)
{
    BgMeshData data = { 0 };
    gpointer positions = NULL, normals = NULL, distances = NULL, triangles = NULL;
    gsize n_normals = 0, n_distances = 0;
    gboolean done =
        read_rows(h5, group, "positions", BG_H5_FLOAT32, 3, &positions, &data.n_vertices, error) &&
        read_rows(h5, group, "normals", BG_H5_FLOAT32, 3, &normals, &n_normals, error) &&
        read_rows(h5, group, "distances_mm", BG_H5_FLOAT32, 1, &distances, &n_distances, error) &&
        read_rows(h5, group, "triangles", BG_H5_UINT32, 3, &triangles, &data.n_triangles, error) &&
        read_groups(h5, group, &data.groups, error);

    if (done && normals != NULL && n_normals != data.n_vertices)
        done = refuse("normals", error);
    if (done && distances != NULL && n_distances != data.n_vertices)
        done = refuse("distances_mm", error);
    data.positions = positions;
    data.normals = normals;
    data.distances_mm = distances;
    data.triangles = triangles;
    if (!done) {
        bg_mesh_data_clear(&data);
        return FALSE;
    }
    payload->mesh = bg_mesh_new_take(&data, error);
    return payload->mesh != NULL;
}

gboolean
bg_blob_read(BgH5 *h5, const char *group, BgPayload *payload, const BgProgress *progress,
             GCancellable *cancellable, GError **error)
{
    BgPayload read = { 0 };
    g_autofree char *kind = bg_h5_get_string(h5, group, "kind", error);
    gboolean done;

    if (kind == NULL)
        return FALSE;
    if (g_str_equal(kind, "volume"))
        done = read_volume(h5, group, &read, progress, cancellable, error);
    else if (g_str_equal(kind, "labels"))
        done = read_labels(h5, group, &read, progress, cancellable, error);
    else if (g_str_equal(kind, "image"))
        done = read_image(h5, group, &read, error);
    else if (g_str_equal(kind, "mesh"))
        done = read_mesh(h5, group, &read, error);
    else
        done = refuse("kind", error);
    if (done)
        *payload = read;
    return done;
}
