// SPDX-License-Identifier: Apache-2.0
// Weights as Keras has written them since 2015. Versions 1 and 2: LAYER/.../kernel:0 or
// LAYER/LAYER_W, perhaps under model_weights; 3: layers/LAYER/vars/0; 0: LAYER/param_0.
#include "bg-nn-weights-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/io/bg-h5.h"

#include <string.h>

#define MAX_DEPTH 6      // of groups
#define MAX_ARRAYS 20000 // of a file

/** Entry: an array of the file that belongs to a layer */
typedef struct {
    char *path, *layer; // owned
    BgNnRole role;      // when number is -1
    int number;         // its place among the layer's arrays, or -1
    gboolean old;       // of Keras 0
    gboolean depthwise;
} Entry;

static void
entry_free(gpointer data)
{
    Entry *entry = data;

    g_free(entry->path);
    g_free(entry->layer);
    g_free(entry);
}

static const struct {
    const char *suffix;
    BgNnRole role;
} roles[] = {
    { "kernel", BG_NN_ROLE_WEIGHT },
    { "_W", BG_NN_ROLE_WEIGHT },
    { "bias", BG_NN_ROLE_BIAS },
    { "_b", BG_NN_ROLE_BIAS },
    { "gamma", BG_NN_ROLE_WEIGHT },
    { "beta", BG_NN_ROLE_BIAS },
    { "moving_mean", BG_NN_ROLE_MEAN },
    { "running_mean", BG_NN_ROLE_MEAN },
    { "moving_variance", BG_NN_ROLE_VARIANCE },
    { "running_std", BG_NN_ROLE_VARIANCE },
    { "alpha", BG_NN_ROLE_SLOPE },
    { "alphas", BG_NN_ROLE_SLOPE },
};

static gboolean
parse_number(const char *text, int *number)
{
    guint64 value;

    if (!g_ascii_string_to_unsigned(text, 10, 0, 1000, &value, NULL))
        return FALSE;
    *number = (int) value;
    return TRUE;
}

// What the array at `path` is; NULL when it is no parameter (steps of an optimiser).
static Entry *
entry_of(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path + 1, "/", -1);
    guint n = g_strv_length(parts), first = 0;
    Entry entry = { .number = -1 };

    while (first + 1 < n &&
           (g_str_equal(parts[first], "model_weights") || g_str_equal(parts[first], "layers") ||
            g_str_equal(parts[first], "_layer_checkpoint_dependencies")))
        first++;
    if (n < first + 2 || g_str_has_prefix(parts[0], "optimizer"))
        return NULL;
    char *leaf = parts[n - 1], *colon = strrchr(leaf, ':');
    if (colon != NULL)
        *colon = '\0';
    entry.depthwise = g_str_has_suffix(leaf, "depthwise_kernel");
    entry.old = g_str_has_prefix(leaf, "param_");
    const char *layer = parts[first];
    gboolean known = parse_number(entry.old ? leaf + 6 : leaf, &entry.number);
    if (known && !entry.old) {
        if (n < 3 || !g_str_equal(parts[n - 2], "vars"))
            return NULL;
        layer = parts[n - 3];
    }
    for (gsize i = 0; i < G_N_ELEMENTS(roles) && !known; i++)
        if (g_str_has_suffix(leaf, roles[i].suffix)) {
            entry.role = roles[i].role;
            known = TRUE;
        }
    if (!known)
        return NULL;
    entry.path = g_strdup(path);
    entry.layer = g_strdup(layer);
    return g_memdup2(&entry, sizeof entry);
}

static gboolean
collect(BgH5 *h5, const char *path, int depth, GPtrArray *entries, GError **error)
{
    g_auto(GStrv) names = bg_h5_list(h5, path, NULL);

    if (names == NULL) { // an array
        Entry *entry = entry_of(path);
        if (entry != NULL)
            g_ptr_array_add(entries, entry);
        return TRUE;
    }
    if (depth > MAX_DEPTH || entries->len > MAX_ARRAYS) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("the weights cannot be read: no Keras file has so many groups. Save "
                              "them with model.save_weights"));
        return FALSE;
    }
    for (char **name = names; *name != NULL; name++) {
        g_autofree char *child = g_strdup_printf("%s/%s", depth == 0 ? "" : path, *name);
        if (!collect(h5, child, depth + 1, entries, error))
            return FALSE;
    }
    return TRUE;
}

// ------------------------------------------------------------------------------------------------
// From their order of dimensions to ours

/** Source: an array of the file, as floats */
typedef struct {
    BgNnShape shape;
    float *data; // owned
} Source;

// dst[i0, i1, ...] = src[..., i_perm ...]: dimension k of the result is dimension perm[k] of the source.
static void
permute(const Source *src, const int *perm, float *dst)
{
    gsize strides[BG_NN_MAX_RANK] = { 0 }, index[BG_NN_MAX_RANK] = { 0 }, stride = 1;
    gsize count = bg_nn_shape_count(&src->shape);
    int rank = src->shape.rank;

    for (int i = rank - 1; i >= 0; i--) {
        strides[i] = stride;
        stride *= src->shape.dims[i];
    }
    for (gsize at = 0; at < count; at++) {
        gsize from = 0;
        for (int k = 0; k < rank; k++)
            from += index[k] * strides[perm[k]];
        dst[at] = src->data[from];
        for (int k = rank - 1; k >= 0 && ++index[k] == src->shape.dims[perm[k]]; k--)
            index[k] = 0;
    }
}

static gboolean
permuted_fits(const BgNnShape *src, const int *perm, const BgNnShape *dst)
{
    if (src->rank != dst->rank || dst->rank > BG_NN_MAX_RANK)
        return FALSE;
    for (int k = 0; k < dst->rank; k++)
        if (src->dims[perm[k]] != dst->dims[k])
            return FALSE;
    return TRUE;
}

static void
flip_kernels(BgNnTensor *tensor)
{
    const BgNnShape *shape = bg_nn_tensor_get_shape(tensor);
    gsize taps = 1, count = bg_nn_tensor_count(tensor);
    float *data = bg_nn_tensor_data(tensor);

    for (int k = 2; k < shape->rank; k++)
        taps *= shape->dims[k];
    for (gsize first = 0; first < count; first += taps)
        for (gsize i = 0; i < taps / 2; i++) {
            float value = data[first + i];
            data[first + i] = data[first + taps - 1 - i];
            data[first + taps - 1 - i] = value;
        }
}

// The channels of the picture that was flattened before this linear layer; 1 when none was.
static gsize
flattened_channels(const BgNnGraph *graph, const BgNnLayer *layer, gsize n_in)
{
    int at = layer->inputs[0];

    while (bg_nn_graph_get(graph, at)->kind == BG_NN_DROPOUT)
        at = bg_nn_graph_get(graph, at)->inputs[0];
    const BgNnLayer *reshape = bg_nn_graph_get(graph, at);
    if (reshape->kind != BG_NN_RESHAPE || reshape->channels != 0)
        return 1;
    for (at = reshape->inputs[0]; at >= 0;) {
        const BgNnLayer *before = bg_nn_graph_get(graph, at);
        if (before->channels > 0 && before->kind != BG_NN_TILE)
            return n_in % (gsize) before->channels == 0 ? (gsize) before->channels : 1;
        at = before->n_inputs == 1 ? before->inputs[0] : -1;
    }
    return 1;
}

// Keras' [pixels x channels, out] to our [out, channels x pixels].
static void
turn_linear(const Source *src, gsize channels, float *dst)
{
    gsize n_in = src->shape.dims[0], n_out = src->shape.dims[1], pixels = n_in / channels;

    for (gsize o = 0; o < n_out; o++)
        for (gsize c = 0; c < channels; c++)
            for (gsize p = 0; p < pixels; p++)
                dst[o * n_in + c * pixels + p] = src->data[(p * channels + c) * n_out + o];
}

static gboolean
take_weight(BgNnWeightsLoad *load, const BgNnLayer *layer, const Entry *entry, const Source *src,
            int index, GError **error)
{
    BgNnTensor *tensor = bg_nn_params_get(load->params, index);
    const BgNnShape *shape = bg_nn_tensor_get_shape(tensor);
    int rank = shape->rank, last[BG_NN_MAX_RANK] = { 0 };
    BgNnShape wanted = *shape;

    // Their kernels end in [in, out], ours begin with [out, in].
    for (int k = 0; k < BG_NN_MAX_RANK; k++)
        last[k] = k < 2 ? rank - 1 - k : k - 2;
    if (entry->depthwise) { // [kernel..., in, multiplier] is our [in * multiplier, 1, kernel...]
        last[0] = rank - 2;
        last[1] = rank - 1;
        wanted.dims[0] = src->shape.rank == rank ? src->shape.dims[rank - 2] : 0;
        wanted.dims[1] = shape->dims[0] / MAX(wanted.dims[0], 1);
    }
    if (layer->kind == BG_NN_LINEAR) {
        int turned[2] = { 1, 0 };
        if (!permuted_fits(&src->shape, turned, shape))
            return bg_nn_weights_fail_shape(load, bg_nn_params_get_name(load->params, index), shape,
                                            &src->shape, error);
        gsize channels = entry->old ? 1 : flattened_channels(load->graph, layer, shape->dims[1]);
        turn_linear(src, channels, bg_nn_tensor_data(tensor));
    } else if (entry->old && bg_nn_shape_equal(&src->shape, shape)) {
        memcpy(bg_nn_tensor_data(tensor), src->data, bg_nn_tensor_count(tensor) * sizeof(float));
        flip_kernels(tensor);
    } else if (!entry->old && permuted_fits(&src->shape, last, &wanted)) {
        permute(src, last, bg_nn_tensor_data(tensor));
    } else if (!entry->old && bg_nn_shape_equal(&src->shape, shape)) { // channels first
        memcpy(bg_nn_tensor_data(tensor), src->data, bg_nn_tensor_count(tensor) * sizeof(float));
    } else {
        return bg_nn_weights_fail_shape(load, bg_nn_params_get_name(load->params, index), shape,
                                        &src->shape, error);
    }
    return TRUE;
}

static gboolean
take_vector(BgNnWeightsLoad *load, const BgNnLayer *layer, const Entry *entry, const Source *src,
            int index, GError **error)
{
    BgNnTensor *tensor = bg_nn_params_get(load->params, index);
    gsize count = bg_nn_tensor_count(tensor);
    float *data = bg_nn_tensor_data(tensor);

    if (bg_nn_shape_count(&src->shape) != count) // PReLU's are 1 x 1 x C: the count decides
        return bg_nn_weights_fail_shape(load, bg_nn_params_get_name(load->params, index),
                                        bg_nn_tensor_get_shape(tensor), &src->shape, error);
    memcpy(data, src->data, count * sizeof *data);
    if (entry->old && bg_nn_params_get_role(load->params, index) == BG_NN_ROLE_VARIANCE)
        for (gsize i = 0; i < count; i++) { // a deviation, to which 1e-6 was added
            double deviation = (double) data[i] + 1e-6;
            data[i] = (float) (deviation * deviation - layer->eps);
        }
    return TRUE;
}

static gboolean
read_source(BgH5 *h5, const BgNnWeightsLoad *load, const Entry *entry, Source *src, GError **error)
{
    BgH5Shape dims;

    if (!bg_h5_inspect(h5, entry->path, &dims, error))
        return FALSE;
    src->shape.rank = dims.rank;
    for (int k = 0; k < dims.rank; k++)
        src->shape.dims[k] = dims.dims[k];
    src->data = bg_buffer_alloc_items(bg_h5_shape_count(&dims), sizeof(float), error);
    if (src->data == NULL)
        return FALSE;
    dims.type = BG_H5_FLOAT32;
    return bg_h5_read(h5, entry->path, &dims, 0, dims.dims[0], src->data, NULL, load->cancellable,
                      error);
}

static Entry *
find_entry(const GPtrArray *entries, const char *layer, BgNnRole role, int number)
{
    for (guint i = 0; i < entries->len; i++) {
        Entry *entry = entries->pdata[i];
        if (g_str_equal(entry->layer, layer) &&
            (entry->number >= 0 ? entry->number == number : entry->role == role))
            return entry;
    }
    return NULL;
}

static gboolean
load_layer(BgNnWeightsLoad *load, BgH5 *h5, const GPtrArray *entries, const BgNnLayer *layer,
           GError **error)
{
    const char *in_file = bg_nn_weights_file_name(load, layer->name);
    int number = 0;

    for (int role = 0; role <= BG_NN_ROLE_SINGULAR; role++) {
        int index = bg_nn_params_find_role(load->params, layer->name, (BgNnRole) role);
        Source src = { 0 };
        if (index < 0)
            continue;
        const Entry *entry = find_entry(entries, in_file, (BgNnRole) role, number++);
        if (entry == NULL)
            return bg_nn_weights_fail_missing(load, bg_nn_params_get_name(load->params, index),
                                              error);
        gboolean matrix = bg_nn_tensor_get_shape(bg_nn_params_get(load->params, index))->rank > 1;
        gboolean ok = read_source(h5, load, entry, &src, error) &&
                      (matrix ? take_weight(load, layer, entry, &src, index, error)
                              : take_vector(load, layer, entry, &src, index, error));
        bg_buffer_free(src.data);
        if (!ok)
            return FALSE;
        load->info->n_used++;
    }
    return TRUE;
}

gboolean
bg_nn_weights_load_keras(BgNnWeightsLoad *load, GError **error)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(entry_free);
    g_autoptr(BgH5) h5 = bg_h5_open(load->path, error);
    int n = bg_nn_graph_count(load->graph);

    if (h5 == NULL)
        return FALSE;
    load->info->kind = BG_NN_WEIGHTS_KERAS;
    if (!collect(h5, "/", 0, entries, error)) {
        g_prefix_error(error, "%s: ", load->path);
        return FALSE;
    }
    for (int i = 0; i < n; i++) {
        if (!load_layer(load, h5, entries, bg_nn_graph_get(load->graph, i), error))
            return FALSE;
        bg_progress_report(load->progress, (double) (i + 1) / (double) n);
    }
    load->info->n_unused = MAX((int) entries->len - load->info->n_used, 0);
    return TRUE;
}
