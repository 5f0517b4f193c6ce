// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-weights-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-hash.h"
#include "core/base/bg-i18n.h"
#include "core/io/bg-h5.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define VERSION 1 // of our files

void
bg_nn_weights_info_clear(BgNnWeightsInfo *info)
{
    g_clear_pointer(&info->sha256, g_free);
    g_clear_pointer(&info->card, bg_json_free);
}

const char *
bg_nn_weights_kind_name(BgNnWeightsKind kind)
{
    static const char *const names[] = { "unknown", "bregma", "keras", "safetensors",
                                         "onnx",    "pickle", "zip" };

    return names[kind];
}

const char *
bg_nn_weights_file_name(const BgNnWeightsLoad *load, const char *layer)
{
    for (const BgNnWeightsMap *map = load->map; map != NULL && map->layer != NULL; map++)
        if (g_str_equal(map->layer, layer))
            return map->in_file;
    return layer;
}

gboolean
bg_nn_weights_fail_shape(const BgNnWeightsLoad *load, const char *param, const BgNnShape *wanted,
                         const BgNnShape *found, GError **error)
{
    g_autofree char *a = bg_nn_shape_to_string(wanted), *b = bg_nn_shape_to_string(found);

    g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                _("%s: the weights do not fit the network \"%s\": \"%s\" must be %s and is %s. "
                  "Choose the file that was made for this network"),
                load->path, bg_nn_graph_get_name(load->graph), param, a, b);
    return FALSE;
}

gboolean
bg_nn_weights_fail_missing(const BgNnWeightsLoad *load, const char *param, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                _("%s: the weights do not fit the network \"%s\": \"%s\" is not in the file. "
                  "Choose the file that was made for this network"),
                load->path, bg_nn_graph_get_name(load->graph), param);
    return FALSE;
}

static BgNnWeightsKind
kind_of(const guint8 *head, gsize n)
{
    static const guint8 hdf5[8] = { 0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n' };
    guint64 length = 0;

    if (n >= 8 && memcmp(head, hdf5, 8) == 0)
        return BG_NN_WEIGHTS_KERAS;
    if (n >= 4 && memcmp(head, "PK\3\4", 4) == 0) {
        // PyTorch's zip begins with NAME/data.pkl
        for (gsize i = 30; i + 8 <= n; i++)
            if (memcmp(head + i, "data.pkl", 8) == 0)
                return BG_NN_WEIGHTS_PICKLE;
        return BG_NN_WEIGHTS_ZIP;
    }
    if (n >= 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5)
        return BG_NN_WEIGHTS_PICKLE;
    for (int i = 7; i >= 0 && n >= 9; i--)
        length = length << 8 | head[i];
    if (n >= 9 && head[8] == '{' && length > 0 && length < 100u << 20)
        return BG_NN_WEIGHTS_SAFETENSORS;
    // ONNX has no signature: the version of its format comes first, then a string or the graph.
    if (n >= 9 && head[0] == 0x08 && head[1] >= 1 && head[1] <= 32 &&
        (head[2] == 0x12 || head[2] == 0x1a || head[2] == 0x3a || head[2] == 0x42))
        return BG_NN_WEIGHTS_ONNX;
    return BG_NN_WEIGHTS_UNKNOWN;
}

BgNnWeightsKind
bg_nn_weights_sniff(const char *path, GError **error)
{
    guint8 head[256];
    FILE *file = g_fopen(path, "rbe");

    if (file == NULL) {
        int code = errno;
        g_set_error(error, G_IO_ERROR, (gint) g_io_error_from_errno(code),
                    _("%s: the weights cannot be read: %s. Choose another file"), path,
                    g_strerror(code));
        return BG_NN_WEIGHTS_UNKNOWN;
    }
    gsize n = fread(head, 1, sizeof head, file);
    fclose(file);
    BgNnWeightsKind kind = kind_of(head, n);
    if (kind == BG_NN_WEIGHTS_UNKNOWN)
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("%s: the weights cannot be read: this is no HDF5, safetensors or ONNX. "
                      "Save them as Keras .h5 or as .safetensors"),
                    path);
    return kind;
}

// ------------------------------------------------------------------------------------------------
// Our own files

gboolean
bg_nn_weights_write(BgH5 *h5, const BgNnGraph *graph, const BgNnParams *params, const BgJson *card,
                    GCancellable *cancellable, GError **error)
{
    g_autoptr(BgJson) json = bg_nn_graph_to_json(graph);
    g_autofree char *text = bg_json_print(json, FALSE), *hash = bg_nn_params_hash(params);
    g_autofree char *card_text = card == NULL ? g_strdup("{}") : bg_json_print(card, TRUE);

    if (!bg_h5_set_string(h5, "/", "format", BG_NN_WEIGHTS_FORMAT, error) ||
        !bg_h5_set_integer(h5, "/", "version", VERSION, error) ||
        !bg_h5_set_string(h5, "/", "params_sha256", hash, error) ||
        !bg_h5_write_text(h5, "/network", text, error) ||
        !bg_h5_write_text(h5, "/card", card_text, error))
        return FALSE;
    for (int i = 0; i < bg_nn_params_count(params); i++) {
        const BgNnTensor *tensor = bg_nn_params_get(params, i);
        const BgNnShape *shape = bg_nn_tensor_get_shape(tensor);
        g_autofree char *name = g_strdup_printf("/params/%s", bg_nn_params_get_name(params, i));
        BgH5Shape dims = { .type = BG_H5_FLOAT32, .rank = shape->rank };
        for (int k = 0; k < shape->rank; k++)
            dims.dims[k] = shape->dims[k];
        if (!bg_h5_write(h5, name, &dims, bg_nn_tensor_peek(tensor), NULL, cancellable, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
bg_nn_weights_save(const char *path, const BgNnGraph *graph, const BgNnParams *params,
                   const BgJson *card, gboolean force, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgH5) h5 = bg_h5_create(path, force, error);

    return h5 != NULL && bg_nn_weights_write(h5, graph, params, card, cancellable, error) &&
           bg_h5_commit_sealed(h5, error);
}

static gboolean
is_ours(BgH5 *h5)
{
    g_autofree char *format =
        bg_h5_has_attribute(h5, "/", "format") ? bg_h5_get_string(h5, "/", "format", NULL) : NULL;

    return g_strcmp0(format, BG_NN_WEIGHTS_FORMAT) == 0;
}

static BgNnGraph *
read_graph(BgH5 *h5, const char *path, GError **error)
{
    g_autofree char *text = bg_h5_read_text(h5, "/network", error);
    if (text == NULL)
        return NULL;
    g_autoptr(BgJson) json = bg_json_parse(text, -1, error);
    BgNnGraph *graph = json == NULL ? NULL : bg_nn_graph_new_from_json(json, error);
    if (graph == NULL)
        g_prefix_error(error, "%s: ", path);
    return graph;
}

static BgH5 *
open_ours(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgH5) h5 = bg_h5_open_sealed(path, cancellable, error);

    if (h5 == NULL)
        return NULL;
    if (is_ours(h5))
        return g_steal_pointer(&h5);
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                _("%s: the network cannot be read: this file has weights of another program, "
                  "without the network. Import it under the name of a known network"),
                path);
    return NULL;
}

BgNnGraph *
bg_nn_weights_read_graph(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgH5) h5 = open_ours(path, cancellable, error);

    return h5 == NULL ? NULL : read_graph(h5, path, error);
}

BgJson *
bg_nn_weights_read_card(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgH5) h5 = open_ours(path, cancellable, error);
    g_autofree char *text = h5 == NULL ? NULL : bg_h5_read_text(h5, "/card", error);

    return text == NULL ? NULL : bg_json_parse(text, -1, error);
}

static gboolean
load_ours_params(BgNnWeightsLoad *load, BgH5 *h5, GError **error)
{
    for (int i = 0; i < bg_nn_params_count(load->params); i++) {
        BgNnTensor *tensor = bg_nn_params_get(load->params, i);
        const char *param = bg_nn_params_get_name(load->params, i);
        g_autofree char *name = g_strdup_printf("/params/%s", param);
        BgH5Shape dims;
        BgNnShape found = { 0 };
        if (!bg_h5_has(h5, name))
            return bg_nn_weights_fail_missing(load, param, error);
        if (!bg_h5_inspect(h5, name, &dims, error))
            return FALSE;
        found.rank = dims.rank;
        for (int k = 0; k < dims.rank; k++)
            found.dims[k] = dims.dims[k];
        if (!bg_nn_shape_equal(&found, bg_nn_tensor_get_shape(tensor)))
            return bg_nn_weights_fail_shape(load, param, bg_nn_tensor_get_shape(tensor), &found,
                                            error);
        dims.type = BG_H5_FLOAT32;
        if (!bg_h5_read(h5, name, &dims, 0, dims.dims[0], bg_nn_tensor_data(tensor), NULL,
                        load->cancellable, error))
            return FALSE;
        load->info->n_used++;
        bg_progress_report(load->progress,
                           (double) (i + 1) / (double) bg_nn_params_count(load->params));
    }
    return TRUE;
}

static gboolean
load_ours(BgNnWeightsLoad *load, BgH5 *h5, GError **error)
{
    g_autofree char *card = bg_h5_read_text(h5, "/card", error);
    if (card == NULL)
        return FALSE;
    g_autofree char *wanted = bg_h5_get_string(h5, "/", "params_sha256", error);
    if (wanted == NULL)
        return FALSE;
    load->info->kind = BG_NN_WEIGHTS_BREGMA;
    load->info->card = bg_json_parse(card, -1, error);
    if (load->info->card == NULL || !load_ours_params(load, h5, error))
        return FALSE;
    g_autofree char *hash = bg_nn_params_hash(load->params);
    if (g_str_equal(hash, wanted))
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("%s: the weights cannot be used: their hash is not the one they were saved with. "
                  "Get the file again"),
                load->path);
    return FALSE;
}

static gboolean
load_hdf5(BgNnWeightsLoad *load, GError **error)
{
    g_autoptr(BgH5) h5 = bg_h5_open_sealed(load->path, load->cancellable, error);

    if (h5 == NULL)
        return FALSE;
    if (is_ours(h5))
        return load_ours(load, h5, error);
    g_clear_pointer(&h5, bg_h5_free);
    return bg_nn_weights_load_keras(load, error);
}

static gboolean
refuse_kind(const char *path, BgNnWeightsKind kind, GError **error)
{
    if (kind == BG_NN_WEIGHTS_PICKLE)
        g_set_error(
            error, BG_ERROR, BG_ERROR_UNSUPPORTED,
            _("%s: the weights cannot be read: this is a Python pickle, which runs whatever "
              "program is in it when it is opened. Convert it where you trust it: "
              "python3 -c \"import torch, safetensors.torch as s; "
              "s.save_file(torch.load('IN.pth', map_location='cpu'), 'OUT.safetensors')\""),
            path);
    else
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("%s: the weights cannot be read: this is a zip archive. Save them as Keras "
                      ".weights.h5 (model.save_weights) or as .safetensors"),
                    path);
    return FALSE;
}

static gboolean
load_any(BgNnWeightsLoad *load, GError **error)
{
    load->info->kind = bg_nn_weights_sniff(load->path, error);
    switch (load->info->kind) {
    case BG_NN_WEIGHTS_UNKNOWN:
        return FALSE;
    case BG_NN_WEIGHTS_PICKLE:
    case BG_NN_WEIGHTS_ZIP:
        return refuse_kind(load->path, load->info->kind, error);
    case BG_NN_WEIGHTS_SAFETENSORS:
        return bg_nn_weights_load_safetensors(load, error);
    case BG_NN_WEIGHTS_ONNX:
        return bg_nn_weights_load_onnx(load, error);
    case BG_NN_WEIGHTS_BREGMA:
    case BG_NN_WEIGHTS_KERAS:
        return load_hdf5(load, error);
    }
    return FALSE;
}

BgNnParams *
bg_nn_weights_load(const char *path, const BgNnGraph *graph, const BgNnParams *like,
                   const BgNnWeightsMap *map, BgNnWeightsInfo *info, const BgProgress *progress,
                   GCancellable *cancellable, GError **error)
{
    BgNnWeightsInfo own = { 0 };
    g_autoptr(BgNnParams) params = bg_nn_params_copy(like, error);
    BgNnWeightsLoad load = { path, graph, map, params, &own, progress, cancellable };

    gboolean ok = params != NULL && load_any(&load, error);
    if (ok && !bg_nn_params_check(params, error)) {
        g_prefix_error(error, "%s: ", path);
        ok = FALSE;
    }
    if (ok && info != NULL) {
        own.sha256 = bg_hash_file(path, NULL, cancellable, error);
        ok = own.sha256 != NULL;
    }
    if (!ok || info == NULL)
        bg_nn_weights_info_clear(&own);
    else
        *info = own;
    return ok ? g_steal_pointer(&params) : NULL;
}
