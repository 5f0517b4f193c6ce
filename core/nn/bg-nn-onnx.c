// SPDX-License-Identifier: Apache-2.0
// The initialisers of an ONNX model: protocol buffers' wire format (protobuf.dev, "Encoding") and the
// numbers of fields in onnx.proto3. The graph in it is not read: weights only, by PyTorch's names.
#include "bg-nn-weights-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_ENTRIES 65536
#define MAX_NAME 512 // bytes

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };
enum { MODEL_GRAPH = 7, GRAPH_INITIALIZER = 5 };
enum {
    DIMS = 1,
    DATA_TYPE = 2,
    FLOAT_DATA = 4,
    NAME = 8,
    RAW_DATA = 9,
    DOUBLE_DATA = 10,
    LOCATION = 14
};

/** Field: of a message: @value: of a varint; @at, @n_bytes: where its bytes are */
typedef struct {
    guint64 number;
    int wire;
    guint64 value, at, n_bytes;
} Field;

/** Entry: an initialiser */
typedef struct {
    BgNnShape shape;
    const char *type; // as in safetensors; NULL: none of ours
    guint64 at, n_bytes;
    gboolean elsewhere; // in another file
} Entry;

typedef struct {
    const char *path;
    int fd;
    GHashTable *entries; // of Entry by name
} Reader;

static gboolean
corrupt(const Reader *reader, GError **error)
{
    return bg_nn_weights_fail(reader->path, _("it is no ONNX model, or damaged"), error);
}

// The field at @at, which moves beyond it.
static gboolean
next_field(const Reader *reader, guint64 *at, guint64 end, Field *field, GError **error)
{
    guint8 bytes[24];
    gsize n = (gsize) MIN(end - *at, sizeof bytes), used = 0;
    guint64 numbers[2] = { 0 };

    if (!bg_nn_weights_read_at(reader->fd, reader->path, *at, bytes, n, error))
        return FALSE;
    for (int which = 0; which < 2; which++) {
        int shift = 0;
        for (gboolean more = TRUE; more; shift += 7) {
            if (used == n || shift > 63)
                return corrupt(reader, error);
            numbers[which] |= (guint64) (bytes[used] & 0x7f) << shift;
            more = (bytes[used++] & 0x80) != 0;
        }
        int wire = (int) (numbers[0] & 7);
        if (wire != VARINT && wire != BYTES)
            break;
    }
    *field = (Field){ .number = numbers[0] >> 3, .wire = (int) (numbers[0] & 7), .at = *at + used };
    if (field->wire == VARINT)
        field->value = numbers[1];
    else if (field->wire == BYTES)
        field->n_bytes = numbers[1];
    else if (field->wire == FIXED64 || field->wire == FIXED32)
        field->n_bytes = field->wire == FIXED64 ? 8 : 4;
    else
        return corrupt(reader, error);
    if (field->n_bytes > end - field->at)
        return corrupt(reader, error);
    *at = field->at + field->n_bytes;
    return TRUE;
}

static gboolean
add_dim(const Reader *reader, Entry *entry, guint64 dim, GError **error)
{
    if (dim < 1 || dim > G_MAXINT32)
        return corrupt(reader, error);
    if (entry->shape.rank < BG_NN_MAX_RANK)
        entry->shape.dims[entry->shape.rank] = (gsize) dim;
    entry->shape.rank = MIN(entry->shape.rank + 1, BG_NN_MAX_RANK + 1);
    return TRUE;
}

// One a field, or all of them packed in one.
static gboolean
add_dims(const Reader *reader, Entry *entry, const Field *field, GError **error)
{
    guint8 bytes[10 * BG_NN_MAX_RANK];
    guint64 dim = 0;
    int shift = 0;

    if (field->wire == VARINT)
        return add_dim(reader, entry, field->value, error);
    if (field->wire != BYTES || field->n_bytes > sizeof bytes)
        return corrupt(reader, error);
    if (!bg_nn_weights_read_at(reader->fd, reader->path, field->at, bytes, (gsize) field->n_bytes,
                               error))
        return FALSE;
    for (guint64 i = 0; i < field->n_bytes; i++) {
        if (shift > 63)
            return corrupt(reader, error);
        dim |= (guint64) (bytes[i] & 0x7f) << shift;
        shift += 7;
        if ((bytes[i] & 0x80) != 0)
            continue;
        if (!add_dim(reader, entry, dim, error))
            return FALSE;
        dim = 0;
        shift = 0;
    }
    return shift == 0 || corrupt(reader, error);
}

static const char *
type_of(guint64 number) // onnx.proto3, TensorProto.DataType
{
    switch (number) {
    case 1:
        return "F32";
    case 10:
        return "F16";
    case 11:
        return "F64";
    case 16:
        return "BF16";
    default:
        return NULL;
    }
}

static char *
read_name(const Reader *reader, const Field *field, GError **error)
{
    if (field->wire != BYTES || field->n_bytes > MAX_NAME) {
        corrupt(reader, error);
        return NULL;
    }
    g_autofree char *name = g_malloc0((gsize) field->n_bytes + 1);
    if (!bg_nn_weights_read_at(reader->fd, reader->path, field->at, name, (gsize) field->n_bytes,
                               error))
        return NULL;
    return g_steal_pointer(&name);
}

static gboolean
read_tensor(Reader *reader, const Field *message, GError **error)
{
    g_autofree Entry *entry = g_new0(Entry, 1);
    g_autofree char *name = NULL;
    guint64 at = message->at, end = message->at + message->n_bytes;
    Field field;

    while (at < end) {
        if (!next_field(reader, &at, end, &field, error))
            return FALSE;
        if (field.number == DIMS) {
            if (!add_dims(reader, entry, &field, error))
                return FALSE;
        } else if (field.number == DATA_TYPE) {
            entry->type = type_of(field.value);
        } else if (field.number == NAME) {
            g_free(name);
            name = read_name(reader, &field, error);
            if (name == NULL)
                return FALSE;
        } else if (field.number == RAW_DATA || field.number == FLOAT_DATA ||
                   field.number == DOUBLE_DATA) {
            entry->at = field.at;
            entry->n_bytes = field.n_bytes;
        } else if (field.number == LOCATION) {
            entry->elsewhere = field.value != 0;
        }
    }
    if (name == NULL || g_hash_table_size(reader->entries) >= MAX_ENTRIES)
        return corrupt(reader, error);
    g_hash_table_replace(reader->entries, g_steal_pointer(&name), g_steal_pointer(&entry));
    return TRUE;
}

static gboolean
read_graph(Reader *reader, const Field *message, GError **error)
{
    guint64 at = message->at, end = message->at + message->n_bytes;
    Field field;

    while (at < end)
        if (!next_field(reader, &at, end, &field, error) ||
            (field.number == GRAPH_INITIALIZER &&
             (field.wire != BYTES ? !corrupt(reader, error) : !read_tensor(reader, &field, error))))
            return FALSE;
    return TRUE;
}

static gboolean
read_model(Reader *reader, GError **error)
{
    struct stat st;
    guint64 at = 0;
    gboolean found = FALSE;
    Field field;

    if (fstat(reader->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return corrupt(reader, error);
    while (at < (guint64) st.st_size) {
        if (!next_field(reader, &at, (guint64) st.st_size, &field, error))
            return FALSE;
        if (field.number != MODEL_GRAPH || field.wire != BYTES)
            continue;
        if (!read_graph(reader, &field, error))
            return FALSE;
        found = TRUE;
    }
    return found || corrupt(reader, error);
}

// ------------------------------------------------------------------------------------------------

static gboolean
load_param(BgNnWeightsLoad *load, const Reader *reader, const Entry *entry, int index,
           GError **error)
{
    BgNnTensor *tensor = bg_nn_params_get(load->params, index);
    gsize count = bg_nn_tensor_count(tensor);
    BgNnShape found = entry->shape;

    found.rank = MIN(found.rank, BG_NN_MAX_RANK);
    if (entry->shape.rank > BG_NN_MAX_RANK ||
        !bg_nn_shape_equal(&found, bg_nn_tensor_get_shape(tensor)))
        return bg_nn_weights_fail_shape(load, bg_nn_params_get_name(load->params, index),
                                        bg_nn_tensor_get_shape(tensor), &found, error);
    if (entry->elsewhere)
        return bg_nn_weights_fail(load->path,
                                  _("its numbers are in another file: save it as one file"), error);
    gsize size = entry->type == NULL ? 0 : bg_nn_weights_type_size(entry->type);
    if (size == 0 || entry->n_bytes != count * size)
        return bg_nn_weights_fail(
            load->path, _("an entry's type, shape and length contradict each other"), error);
    if (size == 4)
        return bg_nn_weights_read_at(reader->fd, load->path, entry->at, bg_nn_tensor_data(tensor),
                                     count * size, error);
    g_autofree guint8 *bytes = g_try_malloc(count * size);
    if (bytes == NULL)
        return bg_nn_weights_fail(load->path, _("there is not enough memory"), error);
    if (!bg_nn_weights_read_at(reader->fd, load->path, entry->at, bytes, count * size, error))
        return FALSE;
    bg_nn_weights_widen(bytes, entry->type, count, bg_nn_tensor_data(tensor));
    return TRUE;
}

static gboolean
load_all(BgNnWeightsLoad *load, const Reader *reader, GError **error)
{
    int n = bg_nn_params_count(load->params);

    for (int i = 0; i < n; i++) {
        const char *name = bg_nn_params_get_name(load->params, i);
        g_autofree char *layer = g_strndup(name, (gsize) (strrchr(name, '/') - name));
        const Entry *entry = NULL;
        for (int way = 0; way < 2 && entry == NULL; way++) {
            g_autofree char *in_file =
                bg_nn_weights_torch_name(load, layer, bg_nn_params_get_role(load->params, i), way);
            entry = g_hash_table_lookup(reader->entries, in_file);
        }
        if (entry == NULL)
            return bg_nn_weights_fail_missing(load, name, error);
        if (g_cancellable_set_error_if_cancelled(load->cancellable, error) ||
            !load_param(load, reader, entry, i, error))
            return FALSE;
        load->info->n_used++;
        bg_progress_report(load->progress, (double) (i + 1) / (double) n);
    }
    load->info->n_unused = MAX((int) g_hash_table_size(reader->entries) - load->info->n_used, 0);
    return TRUE;
}

gboolean
bg_nn_weights_load_onnx(BgNnWeightsLoad *load, GError **error)
{
    Reader reader = { .path = load->path, .fd = g_open(load->path, O_RDONLY | O_CLOEXEC, 0) };

    if (reader.fd < 0) {
        int code = errno;
        g_set_error(error, G_IO_ERROR, (gint) g_io_error_from_errno(code),
                    _("%s: the weights cannot be read: %s. Choose another file"), load->path,
                    g_strerror(code));
        return FALSE;
    }
    reader.entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    gboolean ok = read_model(&reader, error) && load_all(load, &reader, error);
    g_hash_table_unref(reader.entries);
    g_close(reader.fd, NULL);
    return ok;
}
