// SPDX-License-Identifier: Apache-2.0
// Voxels, pixels and meshes over the wire: numbers as JSON, arrays as memory.
#include "bg-io-private.h"
#include "bg-io-wire-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PADDING 64u // loops may load whole vectors at the end
#define MAX_GROUPS 65536u

void
bg_io_parts_clear(BgIoParts *parts)
{
    for (guint i = 0; i < parts->n; i++)
        close(parts->fds[i]);
    parts->n = 0;
}

gboolean
bg_io_parts_seal(BgIoParts *parts, GError **error)
{
    for (guint i = 0; i < parts->n; i++) {
        if (fcntl(parts->fds[i], F_ADD_SEALS,
                  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
            int code = errno;
            g_set_error(error, G_IO_ERROR, (int) g_io_error_from_errno(code), "F_ADD_SEALS: %s",
                        g_strerror(code));
            return FALSE;
        }
    }
    return TRUE;
}

BgJson *
bg_io_parts_to_json(const BgIoParts *parts)
{
    BgJson *array = bg_json_new_array();

    for (guint i = 0; i < parts->n; i++)
        bg_json_append(array, bg_json_new_integer((gint64) parts->n_bytes[i]));
    return array;
}

static int
copy_to_memory(gconstpointer data, gsize n_bytes)
{
    int fd = memfd_create("bregma-part", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    gboolean ok = fd >= 0 && ftruncate(fd, (off_t) (n_bytes + PADDING)) == 0;

    for (gsize done = 0; ok && done < n_bytes;) {
        ssize_t n = pwrite(fd, (const guint8 *) data + done, n_bytes - done, (off_t) done);
        ok = n > 0 || (n < 0 && errno == EINTR);
        done += n > 0 ? (gsize) n : 0;
    }
    if (!ok && fd >= 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

// Sets the member @name of @json to the number of the new part.
static gboolean
add_part(BgIoParts *parts, gconstpointer data, gsize n_bytes, BgJson *json, const char *name,
         GError **error)
{
    gsize n_there = 0;
    int fd = parts->n < BG_IO_MAX_PARTS ? bg_buffer_dup_shared(data, &n_there) : -1;

    if (fd >= 0 && n_there < n_bytes + PADDING) {
        close(fd);
        fd = -1;
    }
    if (fd < 0 && parts->n < BG_IO_MAX_PARTS)
        fd = copy_to_memory(data, n_bytes);
    if (fd < 0) {
        g_autofree char *size = g_format_size_full(n_bytes, G_FORMAT_SIZE_IEC_UNITS);
        g_set_error(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                    _("There is no room in memory for %s. Close other studies, or open a part"),
                    size);
        return FALSE;
    }
    bg_json_set_integer(json, name, parts->n);
    parts->fds[parts->n] = fd;
    parts->n_bytes[parts->n++] = n_bytes;
    return TRUE;
}

gboolean
bg_io_parts_add(BgIoParts *parts, gconstpointer data, gsize n_bytes, GError **error)
{
    g_autoptr(BgJson) number = bg_json_new_object();

    return add_part(parts, data, n_bytes, number, "part", error);
}

static GBytes *
get_part(const BgJson *json, const char *name, GPtrArray *parts)
{
    int i;

    return bg_wire_get_int(json, name, 0, (gint64) parts->len - 1, &i) ? parts->pdata[i] : NULL;
}

// Volumes and labels

static BgJson *
volume_to_json(const BgVolume *volume, BgIoParts *parts, GError **error)
{
    BgSampleFormat format = bg_volume_get_format(volume);
    g_autoptr(BgJson) json = bg_wire_geometry_to_json(bg_volume_get_geometry(volume));

    bg_json_set_integer(json, "type", format.type);
    bg_json_set_double(json, "slope", format.slope);
    bg_json_set_double(json, "intercept", format.intercept);
    bg_json_set_boolean(json, "converted", format.converted);
    if (!add_part(parts, bg_volume_get_samples(volume), bg_volume_get_n_bytes(volume), json, "part",
                  error))
        return NULL;
    return g_steal_pointer(&json);
}

static BgVolume *
volume_from_json(const BgJson *json, GPtrArray *parts, GError **error)
{
    GBytes *bytes = get_part(json, "part", parts);
    BgSampleFormat format = bg_sample_format_plain(BG_SAMPLE_UINT8);
    BgGeometry geometry;
    int type;

    if (bytes == NULL || !bg_wire_get_int(json, "type", 0, BG_SAMPLE_FLOAT32, &type)) {
        bg_wire_refuse("volume", error);
        return NULL;
    }
    format.type = (BgSampleType) type;
    format.slope = bg_json_to_double(bg_json_get(json, "slope"), 0.0); // 0 is refused
    format.intercept = bg_json_to_double(bg_json_get(json, "intercept"), G_MAXDOUBLE);
    format.converted = bg_json_to_boolean(bg_json_get(json, "converted"), TRUE);
    if (!bg_wire_get_geometry(json, &geometry, error))
        return NULL;
    if (!(ABS(format.intercept) < 1e300)) {
        bg_wire_refuse("intercept", error);
        return NULL;
    }
    return bg_volume_new_bytes(&geometry, format, bytes, error);
}

static BgJson *
labels_to_json(const BgLabelMap *labels, BgIoParts *parts, GError **error)
{
    g_autoptr(BgJson) json = bg_wire_geometry_to_json(bg_label_map_get_geometry(labels));

    bg_json_set_integer(json, "type", bg_label_map_get_label_type(labels));
    if (!add_part(parts, bg_label_map_get_labels(labels), bg_label_map_get_n_bytes(labels), json,
                  "part", error))
        return NULL;
    return g_steal_pointer(&json);
}

static BgLabelMap *
labels_from_json(const BgJson *json, GPtrArray *parts, GError **error)
{
    GBytes *bytes = get_part(json, "part", parts);
    BgGeometry geometry;
    int type;

    if (bytes == NULL || !bg_wire_get_int(json, "type", 0, BG_LABEL_UINT32, &type)) {
        bg_wire_refuse("labels", error);
        return NULL;
    }
    if (!bg_wire_get_geometry(json, &geometry, error))
        return NULL;
    return bg_label_map_new_bytes(&geometry, (BgLabelType) type, bytes, error);
}

// Pictures

BgJson *
bg_image_to_json(BgImage *image, BgIoParts *parts, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(image);
    g_autoptr(BgJson) json = bg_json_new_object();
    double spacing_mm[2];

    bg_json_set_integer(json, "width", format->width);
    bg_json_set_integer(json, "height", format->height);
    bg_json_set_integer(json, "n_channels", format->n_channels);
    bg_json_set_integer(json, "type", format->type);
    if (bg_image_get_spacing_mm(image, spacing_mm))
        bg_json_set_doubles(json, "spacing_mm", spacing_mm, 2);
    if (!add_part(parts, bg_image_get_pixels(image), bg_image_get_n_bytes(image), json, "part",
                  error))
        return NULL;
    return g_steal_pointer(&json);
}

BgImage *
bg_image_from_json(const BgJson *json, GPtrArray *parts, GError **error)
{
    GBytes *bytes = get_part(json, "part", parts);
    const BgJson *spacing = bg_json_get(json, "spacing_mm");
    BgImageFormat format;
    double spacing_mm[2];
    int type;

    if (bytes == NULL || !bg_wire_get_int(json, "type", 0, BG_PIXEL_FLOAT32, &type) ||
        !bg_wire_get_int(json, "width", 1, 65535, &format.width) ||
        !bg_wire_get_int(json, "height", 1, 65535, &format.height) ||
        !bg_wire_get_int(json, "n_channels", 1, 4, &format.n_channels)) {
        bg_wire_refuse("image", error);
        return NULL;
    }
    format.type = (BgPixelType) type;
    g_autoptr(BgImage) image = bg_image_new_bytes(&format, bytes, error);
    if (image == NULL || spacing == NULL)
        return g_steal_pointer(&image);
    if (!bg_json_to_doubles(spacing, spacing_mm, 2) || !(spacing_mm[0] > 0.0) ||
        !(spacing_mm[1] > 0.0)) {
        bg_wire_refuse("spacing_mm", error);
        return NULL;
    }
    return bg_image_new_calibrated(image, spacing_mm);
}

// Meshes

static BgJson *
mesh_to_json(const BgMesh *mesh, BgIoParts *parts, GError **error)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);
    g_autoptr(BgJson) json = bg_json_new_object();
    BgJson *groups = bg_json_new_array();
    gsize n_row = 3 * sizeof(float);

    bg_json_set_integer(json, "n_vertices", (gint64) data->n_vertices);
    bg_json_set_integer(json, "n_triangles", (gint64) data->n_triangles);
    bg_json_set(json, "groups", groups);
    for (guint i = 0; data->groups != NULL && i < MIN(data->groups->len, MAX_GROUPS); i++) {
        const BgMeshGroup *group = &g_array_index(data->groups, BgMeshGroup, i);
        BgJson *item = bg_json_new_object();
        bg_json_set_integer(item, "first", (gint64) group->first_triangle);
        bg_json_set_integer(item, "n", (gint64) group->n_triangles);
        bg_json_set_integer(item, "label", group->label);
        bg_json_set_string(item, "name", group->name);
        bg_json_append(groups, item);
    }
    if (data->n_vertices > 0 &&
        (!add_part(parts, data->positions, data->n_vertices * n_row, json, "positions", error) ||
         (data->normals != NULL &&
          !add_part(parts, data->normals, data->n_vertices * n_row, json, "normals", error))))
        return NULL;
    if (data->n_triangles > 0 &&
        !add_part(parts, data->triangles, data->n_triangles * 3 * sizeof(guint32), json,
                  "triangles", error))
        return NULL;
    return g_steal_pointer(&json);
}

// FALSE with an error when the part is too short; NULL data when there is none.
static gboolean
copy_part(const BgJson *json, const char *name, GPtrArray *parts, gsize n_bytes, gpointer *data,
          GError **error)
{
    GBytes *bytes = get_part(json, name, parts);

    if (bytes == NULL)
        return TRUE;
    if (n_bytes == 0 || g_bytes_get_size(bytes) < n_bytes)
        return bg_wire_refuse(name, error);
    *data = bg_buffer_alloc(n_bytes, error);
    if (*data == NULL)
        return FALSE;
    memcpy(*data, g_bytes_get_data(bytes, NULL), n_bytes);
    return TRUE;
}

static void
read_groups(const BgJson *array, BgMeshData *data)
{
    if (bg_json_count(array) == 0)
        return;
    data->groups = g_array_new(FALSE, TRUE, sizeof(BgMeshGroup));
    for (gsize i = 0; i < MIN(bg_json_count(array), MAX_GROUPS); i++) {
        const BgJson *item = bg_json_at(array, i);
        BgMeshGroup group = { 0 };
        group.first_triangle = (gsize) bg_json_to_integer(bg_json_get(item, "first"), -1);
        group.n_triangles = (gsize) bg_json_to_integer(bg_json_get(item, "n"), -1);
        group.label = (guint32) bg_json_to_integer(bg_json_get(item, "label"), 0);
        g_autofree char *name = bg_wire_get_text(item, "name", sizeof group.name - 1);
        g_strlcpy(group.name, name, sizeof group.name);
        g_array_append_val(data->groups, group);
    }
}

static BgMesh *
mesh_from_json(const BgJson *json, GPtrArray *parts, GError **error)
{
    gint64 n_vertices = bg_json_to_integer(bg_json_get(json, "n_vertices"), -1);
    gint64 n_triangles = bg_json_to_integer(bg_json_get(json, "n_triangles"), -1);
    BgMeshData data = { 0 };
    gsize n_row = 3 * sizeof(float);

    if (n_vertices < 0 || n_vertices > G_MAXUINT32 || n_triangles < 0 ||
        n_triangles > G_MAXINT64 / 64) {
        bg_wire_refuse("mesh", error);
        return NULL;
    }
    data.n_vertices = (gsize) n_vertices;
    data.n_triangles = (gsize) n_triangles;
    read_groups(bg_json_get(json, "groups"), &data);
    if (!copy_part(json, "positions", parts, data.n_vertices * n_row, (gpointer *) &data.positions,
                   error) ||
        !copy_part(json, "normals", parts, data.n_vertices * n_row, (gpointer *) &data.normals,
                   error) ||
        !copy_part(json, "triangles", parts, data.n_triangles * 3 * sizeof(guint32),
                   (gpointer *) &data.triangles, error)) {
        bg_mesh_data_clear(&data);
        return NULL;
    }
    if ((data.n_vertices > 0 && data.positions == NULL) ||
        (data.n_triangles > 0 && data.triangles == NULL)) {
        bg_mesh_data_clear(&data);
        bg_wire_refuse("mesh", error);
        return NULL;
    }
    return bg_mesh_new_take(&data, error);
}

// All of it

BgJson *
bg_loaded_to_json(const BgLoaded *loaded, BgIoParts *parts, GError **error)
{
    g_autoptr(BgJson) json = bg_json_new_object();
    BgJson *content = NULL;
    const char *name = "";

    bg_json_set(json, "info", bg_file_info_to_json(loaded->info));
    if (loaded->volume != NULL) {
        name = "volume";
        content = volume_to_json(loaded->volume, parts, error);
    } else if (loaded->labels != NULL) {
        name = "labels";
        content = labels_to_json(loaded->labels, parts, error);
    } else if (loaded->image != NULL) {
        name = "image";
        content = bg_image_to_json(loaded->image, parts, error);
    } else if (loaded->mesh != NULL) {
        name = "mesh";
        content = mesh_to_json(loaded->mesh, parts, error);
    } else {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("the file holds nothing that can be shown"));
    }
    if (content == NULL)
        return NULL;
    bg_json_set(json, name, content);
    return g_steal_pointer(&json);
}

BgLoaded *
bg_loaded_from_json(const BgJson *json, GPtrArray *parts, const char *path, GError **error)
{
    const BgJson *volume = bg_json_get(json, "volume"), *labels = bg_json_get(json, "labels"),
                 *image = bg_json_get(json, "image"), *mesh = bg_json_get(json, "mesh");
    BgFileInfo *info = bg_file_info_from_json(bg_json_get(json, "info"), path, error);

    if (info == NULL)
        return NULL;
    g_autoptr(BgLoaded) loaded = bg_loaded_new(info);
    if (volume != NULL)
        loaded->volume = volume_from_json(volume, parts, error);
    else if (labels != NULL)
        loaded->labels = labels_from_json(labels, parts, error);
    else if (image != NULL)
        loaded->image = bg_image_from_json(image, parts, error);
    else if (mesh != NULL)
        loaded->mesh = mesh_from_json(mesh, parts, error);
    else
        bg_wire_refuse("content", error);
    if (loaded->volume == NULL && loaded->labels == NULL && loaded->image == NULL &&
        loaded->mesh == NULL)
        return NULL;
    return g_steal_pointer(&loaded);
}
