// SPDX-License-Identifier: Apache-2.0
// Files of weights: every layout gives the same numbers, and what is bad is refused by kind.
#include "../support/bg-fixed-numbers.h"
#include "core/base/bg-error.h"
#include "core/io/bg-h5.h"
#include "core/learn/bg-model-store.h"
#include "core/nn/bg-nn-weights.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static char *folder;

static char *
path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

// Convolution, batch norm, flattened picture and linear layer, and a transposed convolution.
static BgNnGraph *
make_graph(void)
{
    BgNnGraph *graph = bg_nn_graph_new("little");
    int x = bg_nn_graph_input(graph, "image", 2, 2);

    x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_CONV,
                                             .name = "conv",
                                             .inputs = { x },
                                             .n_inputs = 1,
                                             .channels = 4,
                                             .kernel = { 3, 2 },
                                             .before = { 1, 0 },
                                             .after = { 1, 1 } });
    x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_BATCH_NORM,
                                             .name = "norm",
                                             .inputs = { x },
                                             .n_inputs = 1,
                                             .eps = 1e-3 });
    x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_DECONV,
                                             .name = "up",
                                             .inputs = { x },
                                             .n_inputs = 1,
                                             .channels = 3,
                                             .kernel = { 2, 2 },
                                             .stride = { 2, 2 } });
    x = bg_nn_graph_unary(graph, BG_NN_RESHAPE, "flat", x);
    bg_nn_graph_add_output(graph, bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_LINEAR,
                                                                       .name = "dense",
                                                                       .inputs = { x },
                                                                       .n_inputs = 1,
                                                                       .channels = 5 }));
    return graph;
}

static BgNnParams *
make_params(BgNnGraph *graph)
{
    BgNnShape shape = bg_nn_shape(1, 2, 2, 1, 3, 4);
    BgNnParams *params = bg_nn_params_new(graph, &shape, 1, BG_NN_INIT_HE, 0, 1, NULL);

    fill_fixed(params);
    return params;
}

static const float *
values(const BgNnParams *params, const char *name, const BgNnShape **shape)
{
    const BgNnTensor *tensor = bg_nn_params_get(params, bg_nn_params_find(params, name));

    *shape = bg_nn_tensor_get_shape(tensor);
    return bg_nn_tensor_peek(tensor);
}

static void
put(BgH5 *h5, const char *path, int rank, const guint64 *dims, const float *data)
{
    BgH5Shape shape = { .type = BG_H5_FLOAT32, .rank = rank };

    memcpy(shape.dims, dims, (gsize) rank * sizeof *dims);
    g_assert_true(bg_h5_write(h5, path, &shape, data, NULL, NULL, NULL));
}

typedef struct {
    const char *name;
    const char *weight, *bias, *gamma, *beta, *mean, *variance; // formats of the layer's name
} Layout;

static const Layout layouts[] = {
    { "keras-2", "/%1$s/%1$s/kernel:0", "/%1$s/%1$s/bias:0", "/%1$s/%1$s/gamma:0",
      "/%1$s/%1$s/beta:0", "/%1$s/%1$s/moving_mean:0", "/%1$s/%1$s/moving_variance:0" },
    { "keras-2-model", "/model_weights/%1$s/m/%1$s/kernel:0", "/model_weights/%1$s/m/%1$s/bias:0",
      "/model_weights/%1$s/m/%1$s/gamma:0", "/model_weights/%1$s/m/%1$s/beta:0",
      "/model_weights/%1$s/m/%1$s/moving_mean:0", "/model_weights/%1$s/m/%1$s/moving_variance:0" },
    { "keras-1", "/%1$s/%1$s_W", "/%1$s/%1$s_b", "/%1$s/%1$s_gamma", "/%1$s/%1$s_beta",
      "/%1$s/%1$s_running_mean", "/%1$s/%1$s_running_std" },
    { "keras-3", "/layers/%1$s/vars/0", "/layers/%1$s/vars/1", "/layers/%1$s/vars/0",
      "/layers/%1$s/vars/1", "/layers/%1$s/vars/2", "/layers/%1$s/vars/3" },
};

static char *
fill_in(const char *format, const char *layer)
{
    g_auto(GStrv) parts = g_strsplit(format, "%1$s", -1);

    return g_strjoinv(layer, parts);
}

static void
put_vector(BgH5 *h5, const char *format, const char *layer, const BgNnParams *params,
           const char *role)
{
    g_autofree char *path = fill_in(format, layer), *name = g_strconcat(layer, "/", role, NULL);
    const BgNnShape *shape;
    const float *data = values(params, name, &shape);

    put(h5, path, 1, (guint64[]){ shape->dims[0] }, data);
}

// To Keras' order by its documentation: kernels [height, width, in, out], transposed ones
// [height, width, out, in]: either way our dimensions 2, 3, 1, 0.
static void
put_kernel(BgH5 *h5, const char *format, const char *layer, const BgNnParams *params)
{
    g_autofree char *path = fill_in(format, layer), *name = g_strconcat(layer, "/weight", NULL);
    const BgNnShape *s;
    const float *data = values(params, name, &s);
    const gsize *d = s->dims;
    g_autofree float *turned = g_new(float, bg_nn_shape_count(s));

    for (gsize a = 0; a < d[0]; a++)
        for (gsize b = 0; b < d[1]; b++)
            for (gsize y = 0; y < d[2]; y++)
                for (gsize x = 0; x < d[3]; x++)
                    turned[((y * d[3] + x) * d[1] + b) * d[0] + a] =
                        data[((a * d[1] + b) * d[2] + y) * d[3] + x];
    put(h5, path, 4, (guint64[]){ d[2], d[3], d[1], d[0] }, turned);
}

// Behind a flattened picture of 6 x 8 pixels and 3 channels: [pixel, channel] is one dimension.
static void
put_dense(BgH5 *h5, const char *format, const BgNnParams *params)
{
    g_autofree char *path = fill_in(format, "dense");
    const BgNnShape *s;
    const float *data = values(params, "dense/weight", &s);
    gsize n_in = s->dims[1], n_out = s->dims[0], pixels = n_in / 3;
    g_autofree float *turned = g_new(float, n_in *n_out);

    for (gsize o = 0; o < n_out; o++)
        for (gsize c = 0; c < 3; c++)
            for (gsize p = 0; p < pixels; p++)
                turned[(p * 3 + c) * n_out + o] = data[o * n_in + c * pixels + p];
    put(h5, path, 2, (guint64[]){ n_in, n_out }, turned);
}

static void
write_keras(const Layout *l, const char *path, const BgNnParams *params)
{
    g_autoptr(BgH5) h5 = bg_h5_create(path, TRUE, NULL);
    static const char *const convs[] = { "conv", "up" };

    for (gsize i = 0; i < 2; i++) {
        put_kernel(h5, l->weight, convs[i], params);
        put_vector(h5, l->bias, convs[i], params, "bias");
    }
    put_vector(h5, l->gamma, "norm", params, "weight");
    put_vector(h5, l->beta, "norm", params, "bias");
    put_vector(h5, l->mean, "norm", params, "mean");
    put_vector(h5, l->variance, "norm", params, "variance");
    put_dense(h5, l->weight, params);
    put_vector(h5, l->bias, "dense", params, "bias");
    g_assert_true(bg_h5_commit(h5, NULL));
}

static void
assert_equal(const BgNnParams *a, const BgNnParams *b)
{
    g_autofree char *x = bg_nn_params_hash(a), *y = bg_nn_params_hash(b);

    g_assert_cmpstr(x, ==, y);
}

static void
test_keras(gconstpointer data)
{
    g_autoptr(BgNnGraph) graph = make_graph();
    g_autoptr(BgNnParams) params = make_params(graph);
    g_autoptr(GError) error = NULL;
    g_autofree char *path = path_of("keras.h5");
    BgNnWeightsInfo info = { 0 };

    write_keras(data, path, params);
    g_autoptr(BgNnParams) loaded =
        bg_nn_weights_load(path, graph, params, NULL, &info, NULL, NULL, &error);
    g_assert_no_error(error);
    assert_equal(params, loaded);
    g_assert_cmpint(info.n_used, ==, 10);
    g_assert_cmpint(info.n_unused, ==, 0);
    bg_nn_weights_info_clear(&info);
    g_unlink(path);
}

static void
test_ours(void)
{
    g_autoptr(BgNnGraph) graph = make_graph();
    g_autoptr(BgNnParams) params = make_params(graph);
    g_autoptr(GError) error = NULL;
    g_autofree char *path = path_of("ours.h5");
    g_autoptr(BgJson) card = bg_json_new_object();
    BgNnWeightsInfo info = { 0 };

    bg_json_set_string(card, "data", "made up");
    g_assert_true(bg_nn_weights_save(path, graph, params, card, FALSE, NULL, &error));
    g_assert_false(bg_nn_weights_save(path, graph, params, card, FALSE, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
    g_clear_error(&error);
    g_autoptr(BgNnParams) loaded =
        bg_nn_weights_load(path, graph, params, NULL, &info, NULL, NULL, &error);
    g_assert_no_error(error);
    assert_equal(params, loaded);
    g_assert_cmpint(info.kind, ==, BG_NN_WEIGHTS_BREGMA);
    g_assert_cmpstr(bg_json_to_string(bg_json_get(info.card, "data"), NULL), ==, "made up");
    g_autoptr(BgNnGraph) again = bg_nn_weights_read_graph(path, NULL, &error);
    g_assert_cmpint(bg_nn_graph_count(again), ==, bg_nn_graph_count(graph));
    bg_nn_weights_info_clear(&info);
    g_unlink(path);
}

// ------------------------------------------------------------------------------------------------

static void
add_entry(GString *json, GString *data, const char *name, const BgNnTensor *tensor,
          const char *dtype)
{
    const BgNnShape *shape = bg_nn_tensor_get_shape(tensor);
    gsize first = data->len;

    for (gsize i = 0; i < bg_nn_tensor_count(tensor); i++) {
        float value = bg_nn_tensor_peek(tensor)[i];
        double wide = (double) value;
        guint32 bits;
        memcpy(&bits, &value, sizeof bits);
        if (g_str_equal(dtype, "F64"))
            g_string_append_len(data, (const char *) &wide, 8);
        else if (g_str_equal(dtype, "BF16"))
            g_string_append_len(data, (const char *) &bits + 2, 2);
        else
            g_string_append_len(data, (const char *) &value, 4);
    }
    g_string_append_printf(json, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", json->len > 1 ? "," : "",
                           name, dtype);
    for (int k = 0; k < shape->rank; k++)
        g_string_append_printf(json, "%s%" G_GSIZE_FORMAT, k == 0 ? "" : ",", shape->dims[k]);
    g_string_append_printf(json, "],\"data_offsets\":[%" G_GSIZE_FORMAT ",%" G_GSIZE_FORMAT "]}",
                           first, data->len);
}

static void
write_safetensors(const char *path, const BgNnParams *params, const char *dtype)
{
    static const char *const torch_roles[] = { "weight", "bias", "running_mean", "running_var" };
    g_autoptr(GString) json = g_string_new("{"), data = g_string_new(NULL),
                       file = g_string_new(NULL);

    for (int p = 0; p < bg_nn_params_count(params); p++) {
        const char *name = bg_nn_params_get_name(params, p);
        g_autofree char *layer = g_strndup(name, (gsize) (strchr(name, '/') - name));
        g_autofree char *torch =
            g_strdup_printf("%s.%s", layer, torch_roles[bg_nn_params_get_role(params, p)]);
        add_entry(json, data, torch, bg_nn_params_get(params, p), dtype);
    }
    g_string_append_c(json, '}');
    guint64 length = GUINT64_TO_LE(json->len);
    g_string_append_len(file, (const char *) &length, 8);
    g_string_append_len(file, json->str, (gssize) json->len);
    g_string_append_len(file, data->str, (gssize) data->len);
    g_assert_true(g_file_set_contents(path, file->str, (gssize) file->len, NULL));
}

static void
test_safetensors(void)
{
    g_autoptr(BgNnGraph) graph = make_graph();
    g_autoptr(BgNnParams) params = make_params(graph);
    g_autofree char *path = path_of("x.safetensors");
    static const char *const types[] = { "F32", "F64", "BF16" };

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(GError) error = NULL;
        write_safetensors(path, params, types[i]);
        g_autoptr(BgNnParams) loaded =
            bg_nn_weights_load(path, graph, params, NULL, NULL, NULL, NULL, &error);
        g_assert_no_error(error);
        if (i < 2) {
            assert_equal(params, loaded);
            continue;
        }
        for (int p = 0; p < bg_nn_params_count(params); p++)
            for (gsize k = 0; k < bg_nn_tensor_count(bg_nn_params_get(params, p)); k++) {
                double a = (double) bg_nn_tensor_peek(bg_nn_params_get(params, p))[k];
                double b = (double) bg_nn_tensor_peek(bg_nn_params_get(loaded, p))[k];
                g_assert_cmpfloat(fabs(a - b), <=, fabs(a) / 128);
            }
    }
    g_unlink(path);
}

// ------------------------------------------------------------------------------------------------

static void
assert_refused(const char *path, int code, const char *word)
{
    g_autoptr(BgNnGraph) graph = make_graph();
    g_autoptr(BgNnParams) params = make_params(graph);
    g_autoptr(GError) error = NULL;

    g_assert_null(bg_nn_weights_load(path, graph, params, NULL, NULL, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, code);
    g_assert_nonnull(strstr(error->message, word));
}

static void
write_bytes(const char *path, const char *bytes, gsize n)
{
    g_assert_true(g_file_set_contents(path, bytes, (gssize) n, NULL));
}

static void
test_pickles(void)
{
    g_autofree char *path = path_of("model.pth");
    char zip[80] = "PK\3\4", keras[80] = "PK\3\4";

    write_bytes(path, "\x80\2}q\0.", 6);
    assert_refused(path, BG_ERROR_UNSUPPORTED, "pickle");
    memcpy(zip + 30, "archive/data.pkl", 16);
    write_bytes(path, zip, sizeof zip);
    assert_refused(path, BG_ERROR_UNSUPPORTED, "safetensors");
    memcpy(keras + 30, "metadata.json", 13);
    write_bytes(path, keras, sizeof keras);
    assert_refused(path, BG_ERROR_UNSUPPORTED, "zip");
    write_bytes(path, "hello, world", 12);
    assert_refused(path, BG_ERROR_UNSUPPORTED, "HDF5");
    write_bytes(path, "", 0);
    assert_refused(path, BG_ERROR_UNSUPPORTED, "HDF5");
    g_unlink(path);
}

static void
test_bad_keras(void)
{
    g_autoptr(BgNnGraph) graph = make_graph();
    g_autoptr(BgNnParams) params = make_params(graph);
    g_autofree char *path = path_of("bad.h5"), *bytes = NULL;
    gsize n;

    bg_nn_tensor_data(bg_nn_params_get(params, 3))[1] = NAN;
    write_keras(&layouts[0], path, params);
    assert_refused(path, BG_ERROR_CORRUPT, "not a number");

    g_autoptr(BgH5) h5 = bg_h5_create(path, TRUE, NULL); // another kernel
    g_autofree float *zeros = g_new0(float, 1000);
    put(h5, "/conv/conv/kernel:0", 4, (guint64[]){ 3, 3, 2, 4 }, zeros);
    put(h5, "/conv/conv/bias:0", 1, (guint64[]){ 4 }, zeros);
    g_assert_true(bg_h5_commit(h5, NULL));
    assert_refused(path, BG_ERROR_MISMATCH, "conv/weight");

    g_clear_pointer(&h5, bg_h5_free);
    h5 = bg_h5_create(path, TRUE, NULL); // nothing of the kind
    put(h5, "/other/kernel:0", 1, (guint64[]){ 4 }, zeros);
    g_assert_true(bg_h5_commit(h5, NULL));
    assert_refused(path, BG_ERROR_MISMATCH, "not in the file");

    bg_nn_tensor_data(bg_nn_params_get(params, 3))[1] = 1;
    g_assert_true(bg_nn_weights_save(path, graph, params, NULL, TRUE, NULL, NULL));
    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    write_bytes(path, bytes, n / 2); // cut short
    assert_refused(path, BG_ERROR_CORRUPT, "");
    bytes[n / 2] ^= 1; // one bit
    write_bytes(path, bytes, n);
    assert_refused(path, BG_ERROR_CORRUPT, "");
    g_unlink(path);
}

static void
test_bad_safetensors(void)
{
    g_autoptr(BgNnGraph) graph = make_graph();
    g_autoptr(BgNnParams) params = make_params(graph);
    g_autofree char *path = path_of("bad.safetensors"), *bytes = NULL;
    static const char *const heads[] = {
        "{\"conv.weight\":{\"dtype\":\"F32\",\"shape\":[4,2,3,2],\"data_offsets\":[0,8]}}",
        "{\"conv.weight\":{\"dtype\":\"F32\",\"shape\":[4,2,3,2],\"data_offsets\":[-8,184]}}",
        "{\"conv.weight\":{\"dtype\":\"I64\",\"shape\":[4,2,3,2],\"data_offsets\":[0,384]}}",
        "{\"conv.weight\":{\"dtype\":\"F32\",\"shape\":[4,2,-3,2],\"data_offsets\":[0,192]}}",
        "{\"conv.weight\":{\"dtype\":\"F32\",\"shape\":[4,2,3,2],\"data_offsets\":[0,192]}}",
        "{\"conv.weight\":7}",
        "{\"conv.weight\":",
    };
    gsize n;

    for (gsize i = 0; i < G_N_ELEMENTS(heads); i++) {
        g_autoptr(GString) file = g_string_new(NULL);
        guint64 length = GUINT64_TO_LE(strlen(heads[i]));
        g_string_append_len(file, (const char *) &length, 8);
        g_string_append(file, heads[i]);
        write_bytes(path, file->str, file->len);
        assert_refused(path, BG_ERROR_CORRUPT, "");
    }
    write_safetensors(path, params, "F32");
    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    for (gsize cut = 9; cut < n; cut += 97) {
        write_bytes(path, bytes, cut);
        assert_refused(path, BG_ERROR_CORRUPT, "");
    }
    g_unlink(path);
}

// ------------------------------------------------------------------------------------------------
// ONNX, by the documentation of protocol buffers and onnx.proto3

static void
add_varint(GString *to, guint64 value)
{
    for (; value >= 0x80; value >>= 7)
        g_string_append_c(to, (char) ((value & 0x7f) | 0x80));
    g_string_append_c(to, (char) value);
}

static void
add_bytes(GString *to, guint field, const char *bytes, gsize n)
{
    add_varint(to, field << 3 | 2);
    add_varint(to, n);
    g_string_append_len(to, bytes, (gssize) n);
}

static void
add_number(GString *to, guint field, guint64 value)
{
    add_varint(to, field << 3);
    add_varint(to, value);
}

// @packed: dims in one field, numbers as float_data; else as PyTorch writes them: raw_data.
static void
write_onnx(const char *path, const BgNnParams *params, gboolean packed, guint64 location)
{
    static const char *const torch_roles[] = { "weight", "bias", "running_mean", "running_var" };
    g_autoptr(GString) graph = g_string_new(NULL), model = g_string_new(NULL);

    add_bytes(graph, 1, "\x0a\x01x", 3); // a node
    for (int p = 0; p < bg_nn_params_count(params); p++) {
        const char *param = bg_nn_params_get_name(params, p);
        const BgNnTensor *tensor = bg_nn_params_get(params, p);
        const BgNnShape *shape = bg_nn_tensor_get_shape(tensor);
        g_autofree char *layer = g_strndup(param, (gsize) (strchr(param, '/') - param));
        g_autofree char *name =
            g_strdup_printf("%s.%s", layer, torch_roles[bg_nn_params_get_role(params, p)]);
        g_autoptr(GString) entry = g_string_new(NULL), dims = g_string_new(NULL);
        for (int k = 0; k < shape->rank; k++) {
            add_varint(dims, shape->dims[k]);
            if (!packed)
                add_number(entry, 1, shape->dims[k]);
        }
        if (packed)
            add_bytes(entry, 1, dims->str, dims->len);
        add_number(entry, 2, 1);
        add_bytes(entry, 8, name, strlen(name));
        add_bytes(entry, packed ? 4 : 9, (const char *) bg_nn_tensor_peek(tensor),
                  bg_nn_tensor_count(tensor) * sizeof(float));
        if (location != 0)
            add_number(entry, 14, location);
        add_bytes(graph, 5, entry->str, entry->len);
    }
    add_number(model, 1, 7);
    add_bytes(model, 2, "test", 4);
    add_bytes(model, 7, graph->str, graph->len);
    add_number(model, 20, 300);
    g_assert_true(g_file_set_contents(path, model->str, (gssize) model->len, NULL));
}

static void
test_onnx(void)
{
    g_autoptr(BgNnGraph) graph = make_graph();
    g_autoptr(BgNnParams) params = make_params(graph);
    g_autofree char *path = path_of("x.onnx"), *bytes = NULL;
    gsize n;

    for (int packed = 0; packed < 2; packed++) {
        g_autoptr(GError) error = NULL;
        BgNnWeightsInfo info = { 0 };
        write_onnx(path, params, packed, 0);
        g_autoptr(BgNnParams) loaded =
            bg_nn_weights_load(path, graph, params, NULL, &info, NULL, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpint(info.kind, ==, BG_NN_WEIGHTS_ONNX);
        assert_equal(params, loaded);
        bg_nn_weights_info_clear(&info);
    }
    write_onnx(path, params, FALSE, 1);
    assert_refused(path, BG_ERROR_CORRUPT, "another file");
    write_onnx(path, params, FALSE, 0);
    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    for (gsize cut = 12; cut + 3 < n; cut += 41) { // what follows the graph may be missing
        write_bytes(path, bytes, cut);
        assert_refused(path, BG_ERROR_CORRUPT, "");
    }
    // Any byte: an error, or other numbers; never a crash.
    for (gsize at = 0; at < n; at += at < 60 ? 1 : 97) {
        g_autoptr(GError) error = NULL;
        char kept = bytes[at];
        bytes[at] ^= (char) 0x95;
        write_bytes(path, bytes, n);
        bytes[at] = kept;
        g_autoptr(BgNnParams) loaded =
            bg_nn_weights_load(path, graph, params, NULL, NULL, NULL, NULL, &error);
        g_assert_true((loaded == NULL) == (error != NULL));
    }
    g_unlink(path);
}

// A model that cannot be imported leaves the one that was there.
static void
test_store(void)
{
    const BgNetwork *network = bg_network_find("funfuse", NULL);
    g_autoptr(BgNnGraph) graph = network->graph(), other = make_graph();
    g_autoptr(BgNnParams) params = bg_network_params(network, 1, NULL), wrong = make_params(other);
    g_autofree char *path = path_of("source.safetensors"), *bad = path_of("wrong.h5");
    g_autofree char *store = path_of("models"), *kept = g_build_filename(store, "funfuse.h5", NULL);
    g_autoptr(GError) error = NULL;

    g_setenv("BREGMA_MODEL_DIR", store, TRUE);
    g_assert_null(bg_model_store_find("funfuse", &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(bg_model_store_resolve("there/is.none", &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "no file there/is.none"));
    g_clear_error(&error);
    write_safetensors(path, params, "F32");
    g_autoptr(BgModel) model = bg_model_store_import("funfuse", path, FALSE, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_null(model->fault);
    g_assert_cmpstr(bg_json_to_string(bg_json_get(model->card, "source"), NULL), ==,
                    "source.safetensors");
    g_assert_true(bg_nn_weights_save(bad, other, wrong, NULL, TRUE, NULL, NULL));
    g_assert_null(bg_model_store_import("funfuse", bad, TRUE, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
    g_autoptr(GPtrArray) models = bg_model_store_list(TRUE, NULL);
    const BgModel *found = NULL;
    for (guint i = 0; i < models->len; i++)
        if (!((const BgModel *) models->pdata[i])->installed)
            found = models->pdata[i];
    g_assert_nonnull(found);
    g_assert_cmpstr(found->sha256, ==, model->sha256);
    g_assert_null(found->fault);
    g_unlink(kept);
    g_unlink(path);
    g_unlink(bad);
    g_rmdir(store);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("bregma-test-XXXXXX", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(layouts); i++) {
        g_autofree char *path = g_strdup_printf("/nn-weights/%s", layouts[i].name);
        g_test_add_data_func(path, &layouts[i], test_keras);
    }
    g_test_add_func("/nn-weights/ours", test_ours);
    g_test_add_func("/nn-weights/safetensors", test_safetensors);
    g_test_add_func("/nn-weights/pickles", test_pickles);
    g_test_add_func("/nn-weights/bad-keras", test_bad_keras);
    g_test_add_func("/nn-weights/bad-safetensors", test_bad_safetensors);
    g_test_add_func("/nn-weights/onnx", test_onnx);
    g_test_add_func("/nn-weights/store", test_store);
    int result = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return result;
}
