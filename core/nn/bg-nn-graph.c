// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-graph.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

struct _BgNnGraph {
    gint refs; // atomic
    char *name;
    GArray *layers;  // of BgNnLayer; names owned by the string chunk
    GArray *inputs;  // of int
    GArray *outputs; // of int
    GStringChunk *names;
    GHashTable *by_name; // borrowed names to numbers
};

static const char *const kind_names[BG_NN_N_KINDS] = {
    [BG_NN_INPUT] = "input",
    [BG_NN_CONV] = "conv",
    [BG_NN_DECONV] = "deconv",
    [BG_NN_LINEAR] = "linear",
    [BG_NN_BATCH_NORM] = "batch-norm",
    [BG_NN_INSTANCE_NORM] = "instance-norm",
    [BG_NN_RELU] = "relu",
    [BG_NN_LEAKY_RELU] = "leaky-relu",
    [BG_NN_PRELU] = "prelu",
    [BG_NN_SIGMOID] = "sigmoid",
    [BG_NN_TANH] = "tanh",
    [BG_NN_SOFTMAX] = "softmax",
    [BG_NN_MAX_POOL] = "max-pool",
    [BG_NN_AVG_POOL] = "avg-pool",
    [BG_NN_UPSAMPLE] = "upsample",
    [BG_NN_CONCAT] = "concat",
    [BG_NN_ADD] = "add",
    [BG_NN_MULTIPLY] = "multiply",
    [BG_NN_MAXIMUM] = "maximum",
    [BG_NN_DIVIDE] = "divide",
    [BG_NN_TILE] = "tile",
    [BG_NN_CROP] = "crop",
    [BG_NN_PAD] = "pad",
    [BG_NN_DROPOUT] = "dropout",
    [BG_NN_RESHAPE] = "reshape",
};

const char *
bg_nn_kind_name(BgNnKind kind)
{
    g_return_val_if_fail((int) kind >= 0 && kind < BG_NN_N_KINDS, NULL);

    return kind_names[kind];
}

BgNnGraph *
bg_nn_graph_new(const char *name)
{
    BgNnGraph *graph = g_new0(BgNnGraph, 1);

    graph->refs = 1;
    graph->name = g_strdup(name);
    graph->layers = g_array_new(FALSE, TRUE, sizeof(BgNnLayer));
    graph->inputs = g_array_new(FALSE, TRUE, sizeof(int));
    graph->outputs = g_array_new(FALSE, TRUE, sizeof(int));
    graph->names = g_string_chunk_new(1024);
    graph->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    return graph;
}

BgNnGraph *
bg_nn_graph_ref(BgNnGraph *graph)
{
    g_return_val_if_fail(graph != NULL, NULL);

    g_atomic_int_inc(&graph->refs);
    return graph;
}

void
bg_nn_graph_unref(BgNnGraph *graph)
{
    if (graph == NULL || !g_atomic_int_dec_and_test(&graph->refs))
        return;
    g_array_unref(graph->layers);
    g_array_unref(graph->inputs);
    g_array_unref(graph->outputs);
    g_hash_table_unref(graph->by_name);
    g_string_chunk_free(graph->names);
    g_free(graph->name);
    g_free(graph);
}

int
bg_nn_graph_add(BgNnGraph *graph, const BgNnLayer *layer)
{
    int number = (int) graph->layers->len;
    BgNnLayer copy = *layer;

    g_assert(number < BG_NN_MAX_LAYERS);
    g_assert(layer->n_inputs >= 0 && layer->n_inputs <= BG_NN_MAX_INPUTS);
    for (int i = 0; i < layer->n_inputs; i++)
        g_assert(layer->inputs[i] >= 0 && layer->inputs[i] < number);
    if (layer->name != NULL) {
        copy.name = g_string_chunk_insert(graph->names, layer->name);
    } else {
        g_autofree char *name = g_strdup_printf("%s_%d", bg_nn_kind_name(layer->kind), number);
        copy.name = g_string_chunk_insert(graph->names, name);
    }
    g_array_append_val(graph->layers, copy);
    if (!g_hash_table_contains(graph->by_name, copy.name)) // a second one is found by infer
        g_hash_table_insert(graph->by_name, (gpointer) copy.name, GINT_TO_POINTER(number));
    if (copy.kind == BG_NN_INPUT)
        g_array_append_val(graph->inputs, number);
    return number;
}

void
bg_nn_graph_add_output(BgNnGraph *graph, int layer)
{
    g_assert(layer >= 0 && layer < (int) graph->layers->len);

    g_array_append_val(graph->outputs, layer);
}

BgNnGraph *
bg_nn_graph_select(const BgNnGraph *graph, guint outputs)
{
    BgNnGraph *part = bg_nn_graph_new(graph->name);
    gsize n = graph->layers->len;
    g_autofree gboolean *wanted = g_new0(gboolean, n);
    g_autofree int *numbers = g_new0(int, n);

    for (guint k = 0; k < graph->outputs->len; k++)
        if (outputs >> k & 1)
            wanted[g_array_index(graph->outputs, int, k)] = TRUE;
    for (gsize at = n; at-- > 0;) {
        const BgNnLayer *layer = &g_array_index(graph->layers, BgNnLayer, at);
        wanted[at] = wanted[at] || layer->kind == BG_NN_INPUT;
        for (int i = 0; wanted[at] && i < layer->n_inputs; i++)
            wanted[layer->inputs[i]] = TRUE;
    }
    for (gsize at = 0; at < n; at++) {
        BgNnLayer layer = g_array_index(graph->layers, BgNnLayer, at);
        for (int i = 0; i < layer.n_inputs; i++)
            layer.inputs[i] = numbers[layer.inputs[i]];
        if (wanted[at])
            numbers[at] = bg_nn_graph_add(part, &layer);
    }
    for (guint k = 0; k < graph->outputs->len; k++)
        if (outputs >> k & 1)
            bg_nn_graph_add_output(part, numbers[g_array_index(graph->outputs, int, k)]);
    return part;
}

int
bg_nn_graph_input(BgNnGraph *graph, const char *name, int channels, int n_space)
{
    return bg_nn_graph_add(
        graph, &(BgNnLayer){
                   .kind = BG_NN_INPUT, .name = name, .channels = channels, .n_space = n_space });
}

int
bg_nn_graph_unary(BgNnGraph *graph, BgNnKind kind, const char *name, int input)
{
    return bg_nn_graph_add(
        graph, &(BgNnLayer){ .kind = kind, .name = name, .inputs = { input }, .n_inputs = 1 });
}

int
bg_nn_graph_conv(BgNnGraph *graph, const char *name, int input, int channels, int kernel)
{
    return bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_CONV,
                                                .name = name,
                                                .inputs = { input },
                                                .n_inputs = 1,
                                                .channels = channels,
                                                .kernel = BG_NN_ALL(kernel),
                                                .before = BG_NN_ALL((kernel - 1) / 2),
                                                .after = BG_NN_ALL(kernel / 2) });
}

int
bg_nn_graph_binary(BgNnGraph *graph, BgNnKind kind, const char *name, int a, int b)
{
    return bg_nn_graph_add(
        graph, &(BgNnLayer){ .kind = kind, .name = name, .inputs = { a, b }, .n_inputs = 2 });
}

const char *
bg_nn_graph_get_name(const BgNnGraph *graph)
{
    return graph->name;
}

int
bg_nn_graph_count(const BgNnGraph *graph)
{
    return (int) graph->layers->len;
}

const BgNnLayer *
bg_nn_graph_get(const BgNnGraph *graph, int layer)
{
    return &g_array_index(graph->layers, BgNnLayer, layer);
}

int
bg_nn_graph_count_inputs(const BgNnGraph *graph)
{
    return (int) graph->inputs->len;
}

int
bg_nn_graph_get_input(const BgNnGraph *graph, int index)
{
    return g_array_index(graph->inputs, int, index);
}

gboolean
bg_nn_graph_check_inputs(const BgNnGraph *graph, const BgNnShape *shapes, BgNnTensor *const *inputs,
                         GError **error)
{
    for (int i = 0; i < bg_nn_graph_count_inputs(graph); i++) {
        const BgNnShape *wanted = &shapes[bg_nn_graph_get_input(graph, i)];
        const BgNnShape *given = bg_nn_tensor_get_shape(inputs[i]);
        if (bg_nn_shape_equal(wanted, given))
            continue;
        g_autofree char *a = bg_nn_shape_to_string(wanted), *b = bg_nn_shape_to_string(given);
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("The network cannot run: it was made ready for %s and was given %s. Make it "
                      "ready for that size"),
                    a, b);
        return FALSE;
    }
    return TRUE;
}

int
bg_nn_graph_count_outputs(const BgNnGraph *graph)
{
    return (int) graph->outputs->len;
}

int
bg_nn_graph_get_output(const BgNnGraph *graph, int index)
{
    return g_array_index(graph->outputs, int, index);
}

int
bg_nn_graph_find(const BgNnGraph *graph, const char *name)
{
    gpointer number;

    if (!g_hash_table_lookup_extended(graph->by_name, name, NULL, &number))
        return -1;
    return GPOINTER_TO_INT(number);
}

// ------------------------------------------------------------------------------------------------
// JSON: the fields by one table

typedef enum { FIELD_INT, FIELD_SPACE, FIELD_BOOLEAN, FIELD_DOUBLE } FieldType;

typedef struct {
    const char *name;
    FieldType type;
    gsize offset;
} Field;

static const Field fields[] = {
    { "channels", FIELD_INT, G_STRUCT_OFFSET(BgNnLayer, channels) },
    { "space", FIELD_INT, G_STRUCT_OFFSET(BgNnLayer, n_space) },
    { "kernel", FIELD_SPACE, G_STRUCT_OFFSET(BgNnLayer, kernel) },
    { "stride", FIELD_SPACE, G_STRUCT_OFFSET(BgNnLayer, stride) },
    { "dilation", FIELD_SPACE, G_STRUCT_OFFSET(BgNnLayer, dilation) },
    { "before", FIELD_SPACE, G_STRUCT_OFFSET(BgNnLayer, before) },
    { "after", FIELD_SPACE, G_STRUCT_OFFSET(BgNnLayer, after) },
    { "out_pad", FIELD_SPACE, G_STRUCT_OFFSET(BgNnLayer, out_pad) },
    { "size", FIELD_SPACE, G_STRUCT_OFFSET(BgNnLayer, size) },
    { "groups", FIELD_INT, G_STRUCT_OFFSET(BgNnLayer, groups) },
    { "pad_mode", FIELD_INT, G_STRUCT_OFFSET(BgNnLayer, pad_mode) },
    { "norm", FIELD_INT, G_STRUCT_OFFSET(BgNnLayer, norm) },
    { "no_bias", FIELD_BOOLEAN, G_STRUCT_OFFSET(BgNnLayer, no_bias) },
    { "spectral_norm", FIELD_BOOLEAN, G_STRUCT_OFFSET(BgNnLayer, spectral_norm) },
    { "affine", FIELD_BOOLEAN, G_STRUCT_OFFSET(BgNnLayer, affine) },
    { "bilinear", FIELD_BOOLEAN, G_STRUCT_OFFSET(BgNnLayer, bilinear) },
    { "count_outside", FIELD_BOOLEAN, G_STRUCT_OFFSET(BgNnLayer, count_outside) },
    { "shared", FIELD_BOOLEAN, G_STRUCT_OFFSET(BgNnLayer, shared) },
    { "eps", FIELD_DOUBLE, G_STRUCT_OFFSET(BgNnLayer, eps) },
    { "momentum", FIELD_DOUBLE, G_STRUCT_OFFSET(BgNnLayer, momentum) },
    { "slope", FIELD_DOUBLE, G_STRUCT_OFFSET(BgNnLayer, slope) },
    { "rate", FIELD_DOUBLE, G_STRUCT_OFFSET(BgNnLayer, rate) },
    { "scale", FIELD_DOUBLE, G_STRUCT_OFFSET(BgNnLayer, scale) },
};

static void
field_to_json(const Field *field, const BgNnLayer *layer, BgJson *json)
{
    gconstpointer at = G_STRUCT_MEMBER_P(layer, field->offset);
    const int *ints = at;

    switch (field->type) {
    case FIELD_INT:
        if (*ints != 0)
            bg_json_set_integer(json, field->name, *ints);
        break;
    case FIELD_SPACE:
        if (ints[0] != 0 || ints[1] != 0 || ints[2] != 0)
            bg_json_set_doubles(json, field->name, (double[]){ ints[0], ints[1], ints[2] }, 3);
        break;
    case FIELD_BOOLEAN:
        if (*ints)
            bg_json_set_boolean(json, field->name, TRUE);
        break;
    case FIELD_DOUBLE:
        if (*(const double *) at != 0)
            bg_json_set_double(json, field->name, *(const double *) at);
        break;
    }
}

BgJson *
bg_nn_graph_to_json(const BgNnGraph *graph)
{
    BgJson *json = bg_json_new_object(), *layers = bg_json_new_array();
    BgJson *outputs = bg_json_new_array();

    bg_json_set_string(json, "name", graph->name);
    for (guint i = 0; i < graph->layers->len; i++) {
        const BgNnLayer *layer = bg_nn_graph_get(graph, (int) i);
        BgJson *one = bg_json_new_object(), *inputs = bg_json_new_array();

        bg_json_set_string(one, "kind", bg_nn_kind_name(layer->kind));
        bg_json_set_string(one, "name", layer->name);
        for (int k = 0; k < layer->n_inputs; k++)
            bg_json_append(inputs,
                           bg_json_new_string(bg_nn_graph_get(graph, layer->inputs[k])->name));
        bg_json_set(one, "inputs", inputs);
        for (gsize k = 0; k < G_N_ELEMENTS(fields); k++)
            field_to_json(&fields[k], layer, one);
        bg_json_append(layers, one);
    }
    for (guint i = 0; i < graph->outputs->len; i++) {
        int number = g_array_index(graph->outputs, int, i);
        bg_json_append(outputs, bg_json_new_string(bg_nn_graph_get(graph, number)->name));
    }
    bg_json_set(json, "layers", layers);
    bg_json_set(json, "outputs", outputs);
    return json;
}

static gboolean
fail_json(const char *name, const char *field, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("The network cannot be built: layer \"%s\" has no usable \"%s\". The file is "
                  "damaged or from another program; get it again"),
                name, field);
    return FALSE;
}

static gboolean
int_from_json(const BgJson *value, int *out)
{
    double number = bg_json_to_double(value, NAN);

    if (!(fabs(number) <= 1 << 24) || number != floor(number))
        return FALSE;
    *out = (int) number;
    return TRUE;
}

static gboolean
field_from_json(const Field *field, const BgJson *value, BgNnLayer *layer)
{
    gpointer at = G_STRUCT_MEMBER_P(layer, field->offset);
    int *ints = at;

    switch (field->type) {
    case FIELD_INT:
        return int_from_json(value, ints);
    case FIELD_SPACE:
        return bg_json_count(value) == 3 && int_from_json(bg_json_at(value, 0), &ints[0]) &&
               int_from_json(bg_json_at(value, 1), &ints[1]) &&
               int_from_json(bg_json_at(value, 2), &ints[2]);
    case FIELD_BOOLEAN:
        *ints = bg_json_to_boolean(value, FALSE);
        return bg_json_get_kind(value) == BG_JSON_BOOLEAN;
    case FIELD_DOUBLE:
        *(double *) at = bg_json_to_double(value, NAN);
        return isfinite(*(double *) at);
    }
    return FALSE;
}

static gboolean
layer_from_json(BgNnGraph *graph, const BgJson *json, GError **error)
{
    const char *kind = bg_json_to_string(bg_json_get(json, "kind"), "");
    const BgJson *inputs = bg_json_get(json, "inputs");
    BgNnLayer layer = { .kind = BG_NN_N_KINDS,
                        .name = bg_json_to_string(bg_json_get(json, "name"), NULL) };

    if (layer.name == NULL || *layer.name == '\0' || strlen(layer.name) > BG_NN_MAX_NAME)
        return fail_json("?", "name", error);
    for (int i = 0; i < BG_NN_N_KINDS; i++)
        if (g_str_equal(kind, kind_names[i]))
            layer.kind = (BgNnKind) i;
    if (layer.kind == BG_NN_N_KINDS) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("The network cannot be built: layer \"%s\" is a \"%s\", which this version "
                      "does not have. Try a newer version"),
                    layer.name, kind);
        return FALSE;
    }
    if (bg_json_count(inputs) > BG_NN_MAX_INPUTS)
        return fail_json(layer.name, "inputs", error);
    for (gsize i = 0; i < bg_json_count(inputs); i++) {
        int number = bg_nn_graph_find(graph, bg_json_to_string(bg_json_at(inputs, i), ""));
        if (number < 0)
            return fail_json(layer.name, "inputs", error);
        layer.inputs[layer.n_inputs++] = number;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        const BgJson *value = bg_json_get(json, fields[i].name);
        if (value != NULL && !field_from_json(&fields[i], value, &layer))
            return fail_json(layer.name, fields[i].name, error);
    }
    if (bg_nn_graph_find(graph, layer.name) >= 0)
        return fail_json(layer.name, "name", error);
    bg_nn_graph_add(graph, &layer);
    return TRUE;
}

BgNnGraph *
bg_nn_graph_new_from_json(const BgJson *json, GError **error)
{
    const BgJson *layers = bg_json_get(json, "layers"), *outputs = bg_json_get(json, "outputs");
    g_autoptr(BgNnGraph) graph =
        bg_nn_graph_new(bg_json_to_string(bg_json_get(json, "name"), "network"));

    if (bg_json_count(layers) == 0 || bg_json_count(layers) > BG_NN_MAX_LAYERS) {
        fail_json("-", "layers", error);
        return NULL;
    }
    for (gsize i = 0; i < bg_json_count(layers); i++)
        if (!layer_from_json(graph, bg_json_at(layers, i), error))
            return NULL;
    for (gsize i = 0; i < bg_json_count(outputs); i++) {
        const char *name = bg_json_to_string(bg_json_at(outputs, i), "");
        int number = bg_nn_graph_find(graph, name);
        if (number < 0) {
            fail_json(name, "outputs", error);
            return NULL;
        }
        bg_nn_graph_add_output(graph, number);
    }
    return g_steal_pointer(&graph);
}
