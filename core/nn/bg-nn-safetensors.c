// SPDX-License-Identifier: Apache-2.0
// safetensors: eight bytes of length, a JSON object of names, types, shapes and places, the numbers
// (github.com/huggingface/safetensors, "Format"). PyTorch's names and layouts, which are ours.
#include "bg-nn-weights-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_HEADER (64u << 20) // bytes: what core/base reads of JSON

gboolean
bg_nn_weights_fail(const char *path, const char *reason, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("%s: the weights cannot be read: %s. Get the file again"), path, reason);
    return FALSE;
}

gboolean
bg_nn_weights_read_at(int fd, const char *path, guint64 offset, gpointer data, gsize n_bytes,
                      GError **error)
{
    guint8 *at = data;

    while (n_bytes > 0) {
        gssize got = pread(fd, at, MIN(n_bytes, 1u << 30), (off_t) offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return bg_nn_weights_fail(path, _("it is cut short"), error);
        at += got;
        offset += (guint64) got;
        n_bytes -= (gsize) got;
    }
    return TRUE;
}

static BgJson *
read_header(int fd, const char *path, guint64 *data_at, GError **error)
{
    struct stat st;
    guint8 bytes[8];
    guint64 length = 0;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < 8) {
        bg_nn_weights_fail(path, _("it is cut short"), error);
        return NULL;
    }
    if (!bg_nn_weights_read_at(fd, path, 0, bytes, 8, error))
        return NULL;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | bytes[i];
    if (length > MAX_HEADER || length + 8 > (guint64) st.st_size) {
        bg_nn_weights_fail(path, _("its header is longer than the file"), error);
        return NULL;
    }
    g_autofree char *text = g_malloc(length + 1);
    text[length] = '\0';
    if (!bg_nn_weights_read_at(fd, path, 8, text, length, error))
        return NULL;
    *data_at = 8 + length;
    BgJson *json = bg_json_parse(text, (gssize) length, error);
    if (json == NULL)
        g_prefix_error(error, "%s: ", path);
    return json;
}

static float
float_of_half(guint16 bits)
{
    guint32 sign = (guint32) (bits & 0x8000) << 16, exponent = bits >> 10 & 31;
    guint32 mantissa = bits & 0x3ff, whole;
    float value;

    if (exponent == 0) { // zero and subnormal
        value = (float) mantissa * 0x1p-24f;
        return sign != 0 ? -value : value;
    }
    whole = sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | mantissa << 13;
    memcpy(&value, &whole, sizeof value);
    return value;
}

void
bg_nn_weights_widen(const guint8 *from, const char *type, gsize count, float *to)
{
    for (gsize i = 0; i < count; i++) {
        if (g_str_equal(type, "F64")) {
            double value;
            memcpy(&value, from + 8 * i, sizeof value);
            to[i] = (float) value;
        } else if (g_str_equal(type, "F16")) {
            to[i] = float_of_half((guint16) (from[2 * i] | from[2 * i + 1] << 8));
        } else { // BF16
            guint32 bits = (guint32) (from[2 * i] | from[2 * i + 1] << 8) << 16;
            memcpy(&to[i], &bits, sizeof bits);
        }
    }
}

gsize
bg_nn_weights_type_size(const char *type)
{
    if (g_str_equal(type, "F32"))
        return 4;
    if (g_str_equal(type, "F64"))
        return 8;
    return g_str_equal(type, "F16") || g_str_equal(type, "BF16") ? 2 : 0;
}

static gboolean
shape_of(const BgJson *entry, BgNnShape *shape)
{
    const BgJson *dims = bg_json_get(entry, "shape");

    *shape = (BgNnShape){ .rank = (int) MIN(bg_json_count(dims), 6) };
    if (shape->rank == 0 || shape->rank > BG_NN_MAX_RANK)
        return FALSE;
    for (int k = 0; k < shape->rank; k++) {
        gint64 dim = bg_json_to_integer(bg_json_at(dims, (gsize) k), 0);
        if (dim < 1)
            return FALSE;
        shape->dims[k] = (gsize) dim;
    }
    return TRUE;
}

static gboolean
load_param(BgNnWeightsLoad *load, int fd, const BgJson *entry, guint64 data_at, int index,
           GError **error)
{
    BgNnTensor *tensor = bg_nn_params_get(load->params, index);
    const char *type = bg_json_to_string(bg_json_get(entry, "dtype"), "");
    gsize count = bg_nn_tensor_count(tensor), size = bg_nn_weights_type_size(type);
    double range[2];
    BgNnShape found;

    if (size == 0 || !shape_of(entry, &found) ||
        !bg_json_to_doubles(bg_json_get(entry, "data_offsets"), range, 2) ||
        !(range[0] >= 0 && range[0] <= range[1] && range[1] < 0x1p52))
        return bg_nn_weights_fail(load->path, _("an entry has no usable type, shape or place"),
                                  error);
    if (!bg_nn_shape_equal(&found, bg_nn_tensor_get_shape(tensor)))
        return bg_nn_weights_fail_shape(load, bg_nn_params_get_name(load->params, index),
                                        bg_nn_tensor_get_shape(tensor), &found, error);
    if (range[1] - range[0] != (double) (count * size))
        return bg_nn_weights_fail(load->path, _("an entry's shape and place contradict each other"),
                                  error);
    guint64 at = data_at + (guint64) range[0];
    if (size == 4)
        return bg_nn_weights_read_at(fd, load->path, at, bg_nn_tensor_data(tensor), count * size,
                                     error);
    g_autofree guint8 *bytes = g_try_malloc(count * size);
    if (bytes == NULL || !bg_nn_weights_read_at(fd, load->path, at, bytes, count * size, error))
        return bytes == NULL
                   ? bg_nn_weights_fail(load->path, _("there is not enough memory"), error)
                   : FALSE;
    bg_nn_weights_widen(bytes, type, count, bg_nn_tensor_data(tensor));
    return TRUE;
}

char *
bg_nn_weights_torch_name(const BgNnWeightsLoad *load, const char *layer, BgNnRole role, int way)
{
    static const char *const names[][2] = {
        [BG_NN_ROLE_WEIGHT] = { "weight", "weight_orig" },
        [BG_NN_ROLE_BIAS] = { "bias", "bias" },
        [BG_NN_ROLE_MEAN] = { "running_mean", "mean" },
        [BG_NN_ROLE_VARIANCE] = { "running_var", "variance" },
        [BG_NN_ROLE_SLOPE] = { "weight", "slope" }, // of PReLU
        [BG_NN_ROLE_SINGULAR] = { "weight_u", "singular" },
    };

    return g_strdup_printf("%s.%s", bg_nn_weights_file_name(load, layer), names[role][way]);
}

static const BgJson *
find(const BgNnWeightsLoad *load, const BgJson *json, const char *layer, BgNnRole role)
{
    for (int way = 0; way < 2; way++) {
        g_autofree char *name = bg_nn_weights_torch_name(load, layer, role, way);
        const BgJson *entry = bg_json_get(json, name);
        if (entry != NULL)
            return entry;
    }
    return NULL;
}

static gboolean
load_all(BgNnWeightsLoad *load, int fd, const BgJson *json, guint64 data_at, GError **error)
{
    for (int i = 0; i < bg_nn_params_count(load->params); i++) {
        const char *name = bg_nn_params_get_name(load->params, i);
        g_autofree char *layer = g_strndup(name, (gsize) (strrchr(name, '/') - name));
        const BgJson *entry = find(load, json, layer, bg_nn_params_get_role(load->params, i));
        if (entry == NULL)
            return bg_nn_weights_fail_missing(load, name, error);
        if (g_cancellable_set_error_if_cancelled(load->cancellable, error) ||
            !load_param(load, fd, entry, data_at, i, error))
            return FALSE;
        load->info->n_used++;
        bg_progress_report(load->progress,
                           (double) (i + 1) / (double) bg_nn_params_count(load->params));
    }
    gsize n = bg_json_count(json) - (bg_json_get(json, "__metadata__") != NULL ? 1 : 0);
    load->info->n_unused = MAX((int) n - load->info->n_used, 0);
    return TRUE;
}

gboolean
bg_nn_weights_load_safetensors(BgNnWeightsLoad *load, GError **error)
{
    int fd = g_open(load->path, O_RDONLY | O_CLOEXEC, 0);
    guint64 data_at = 0;

    if (fd < 0) {
        int code = errno;
        g_set_error(error, G_IO_ERROR, (gint) g_io_error_from_errno(code),
                    _("%s: the weights cannot be read: %s. Choose another file"), load->path,
                    g_strerror(code));
        return FALSE;
    }
    g_autoptr(BgJson) json = read_header(fd, load->path, &data_at, error);
    gboolean ok = json != NULL && load_all(load, fd, json, data_at, error);
    g_close(fd, NULL);
    return ok;
}
