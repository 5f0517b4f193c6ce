// SPDX-License-Identifier: Apache-2.0
// The shape that each layer gives, with every contradiction refused by name.
#include "bg-nn-geometry.h"
#include "bg-nn-graph.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define MAX_VALUE (1 << 24) // of any number in a layer: no product of two of them overflows

static gboolean G_GNUC_PRINTF(4, 5)
    refuse(const BgNnLayer *layer, BgError code, GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *reason = g_strdup_vprintf(format, args);
    va_end(args);
    // Translators: a layer's name, its kind (an English word of the file format), the reason.
    g_set_error(error, BG_ERROR, code, _("The network cannot run: layer \"%s\" (%s): %s"),
                layer->name, bg_nn_kind_name(layer->kind), reason);
    return FALSE;
}

static gboolean
numbers_are_sane(const BgNnLayer *layer)
{
    const int *const spaces[] = { layer->kernel, layer->stride,  layer->dilation, layer->before,
                                  layer->after,  layer->out_pad, layer->size };

    for (gsize i = 0; i < G_N_ELEMENTS(spaces); i++)
        for (int k = 0; k < 3; k++)
            if (spaces[i][k] < 0 || spaces[i][k] > MAX_VALUE)
                return FALSE;
    return layer->channels >= 0 && layer->channels <= MAX_VALUE && layer->groups >= 0 &&
           layer->groups <= MAX_VALUE && layer->n_space >= 0 && layer->n_space <= 3 &&
           (int) layer->pad_mode >= 0 && layer->pad_mode <= BG_NN_PAD_EDGE &&
           (int) layer->norm >= 0 && layer->norm <= BG_NN_NORM_BATCH && isfinite(layer->eps) &&
           layer->eps >= 0 && isfinite(layer->slope) && layer->momentum >= 0 &&
           layer->momentum <= 1 && layer->rate >= 0 && layer->rate < 1 && isfinite(layer->scale);
}

static int
n_space_of(const BgNnShape *shape)
{
    return shape->rank - 2;
}

// One dimension of a layer that slides a window; 0 when the window does not fit.
static gsize
window_size(const BgNnLayer *layer, gsize in, int k)
{
    gint64 stride = MAX(layer->stride[k], 1), dilation = MAX(layer->dilation[k], 1);
    gint64 extent = dilation * (layer->kernel[k] - 1) + 1;
    gint64 free = (gint64) in + layer->before[k] + layer->after[k] - extent;

    return layer->kernel[k] < 1 || free < 0 ? 0 : (gsize) (free / stride + 1);
}

static gsize
deconv_size(const BgNnLayer *layer, gsize in, int k)
{
    gint64 stride = MAX(layer->stride[k], 1), dilation = MAX(layer->dilation[k], 1);
    gint64 size = ((gint64) in - 1) * stride - layer->before[k] - layer->after[k] +
                  dilation * (layer->kernel[k] - 1) + 1 + layer->out_pad[k];

    return layer->kernel[k] < 1 || size < 1 || layer->out_pad[k] >= MAX(stride, dilation)
               ? 0
               : (gsize) size;
}

static gboolean
infer_space(const BgNnLayer *layer, const BgNnShape *in, BgNnShape *out,
            gsize (*size)(const BgNnLayer *layer, gsize in, int k), GError **error)
{
    for (int k = 0; k < n_space_of(in); k++) {
        out->dims[2 + k] = size(layer, in->dims[2 + k], k);
        if (out->dims[2 + k] == 0)
            return refuse(layer, BG_ERROR_MISMATCH, error,
                          _("a picture of size %" G_GSIZE_FORMAT
                            " in dimension %d is too small for "
                            "it. Use a larger picture"),
                          in->dims[2 + k], k + 1);
    }
    return TRUE;
}

static gboolean
infer_conv(const BgNnLayer *layer, const BgNnShape *in, BgNnShape *out, GError **error)
{
    gsize groups = (gsize) MAX(layer->groups, 1);

    if (layer->channels < 1 || in->dims[1] % groups != 0 || (gsize) layer->channels % groups != 0)
        return refuse(layer, BG_ERROR_MISMATCH, error,
                      _("%" G_GSIZE_FORMAT
                        " channels in, %d out, cannot be split in %" G_GSIZE_FORMAT " groups"),
                      in->dims[1], layer->channels, groups);
    if (n_space_of(in) < 1)
        return refuse(layer, BG_ERROR_MISMATCH, error, _("its input has no dimension of space"));
    if (layer->pad_mode == BG_NN_PAD_REFLECT)
        for (int k = 0; k < n_space_of(in); k++)
            if ((gsize) MAX(layer->before[k], layer->after[k]) >= in->dims[2 + k])
                return refuse(layer, BG_ERROR_MISMATCH, error,
                              _("the picture is smaller than its reflected border"));
    if (layer->kind == BG_NN_DECONV && layer->pad_mode != BG_NN_PAD_ZERO)
        return refuse(layer, BG_ERROR_INVALID, error, _("it pads by zeros only"));
    out->dims[1] = (gsize) layer->channels;
    return infer_space(layer, in, out, layer->kind == BG_NN_CONV ? window_size : deconv_size,
                       error);
}

static gboolean
infer_pool(const BgNnLayer *layer, const BgNnShape *in, BgNnShape *out, GError **error)
{
    for (int k = 0; k < n_space_of(in); k++) {
        gint64 extent = (gint64) MAX(layer->dilation[k], 1) * (layer->kernel[k] - 1) + 1;
        if (MAX(layer->before[k], layer->after[k]) >= MAX(extent, 1))
            return refuse(layer, BG_ERROR_INVALID, error, _("its border is as wide as its window"));
    }
    return infer_space(layer, in, out, window_size, error);
}

static gboolean
infer_border(const BgNnLayer *layer, const BgNnShape *in, BgNnShape *out, GError **error)
{
    for (int k = 0; k < n_space_of(in); k++) {
        gsize sum = (gsize) layer->before[k] + (gsize) layer->after[k];
        if (layer->kind == BG_NN_CROP
                ? sum >= in->dims[2 + k]
                : layer->pad_mode == BG_NN_PAD_REFLECT &&
                      (gsize) MAX(layer->before[k], layer->after[k]) >= in->dims[2 + k])
            return refuse(layer, BG_ERROR_MISMATCH, error,
                          _("the picture is smaller than the border"));
        out->dims[2 + k] =
            layer->kind == BG_NN_CROP ? in->dims[2 + k] - sum : in->dims[2 + k] + sum;
    }
    return TRUE;
}

static gboolean
infer_concat(const BgNnLayer *layer, const BgNnShape *const *ins, BgNnShape *out, GError **error)
{
    for (int i = 1; i < layer->n_inputs; i++) {
        BgNnShape other = *ins[i];
        other.dims[1] = ins[0]->dims[1];
        if (!bg_nn_shape_equal(&other, ins[0])) {
            g_autofree char *a = bg_nn_shape_to_string(ins[0]), *b = bg_nn_shape_to_string(ins[i]);
            return refuse(layer, BG_ERROR_MISMATCH, error,
                          _("%s and %s cannot be put together. Give a picture whose sides the "
                            "network can halve as often as it does"),
                          a, b);
        }
        out->dims[1] += ins[i]->dims[1];
    }
    return TRUE;
}

static gboolean
infer_same(const BgNnLayer *layer, const BgNnShape *const *ins, GError **error)
{
    for (int i = 1; i < layer->n_inputs; i++)
        if (!bg_nn_shape_equal(ins[i], ins[0])) {
            g_autofree char *a = bg_nn_shape_to_string(ins[0]), *b = bg_nn_shape_to_string(ins[i]);
            return refuse(layer, BG_ERROR_MISMATCH, error, _("%s and %s are not alike"), a, b);
        }
    return TRUE;
}

static gboolean
infer_reshape(const BgNnLayer *layer, const BgNnShape *in, BgNnShape *out, GError **error)
{
    if (layer->channels == 0) {
        *out = bg_nn_shape(in->dims[0], bg_nn_shape_count(in) / MAX(in->dims[0], 1), 0, 0, 0, 0);
        return TRUE;
    }
    *out =
        (BgNnShape){ .rank = 2 + layer->n_space, .dims = { in->dims[0], (gsize) layer->channels } };
    for (int k = 0; k < layer->n_space; k++)
        out->dims[2 + k] = (gsize) layer->size[k];
    if (bg_nn_shape_count(out) != bg_nn_shape_count(in)) {
        g_autofree char *a = bg_nn_shape_to_string(in), *b = bg_nn_shape_to_string(out);
        return refuse(layer, BG_ERROR_MISMATCH, error, _("%s cannot become %s"), a, b);
    }
    return TRUE;
}

static gboolean
count_of_inputs_fits(const BgNnLayer *layer)
{
    switch (layer->kind) {
    case BG_NN_CONCAT:
        return layer->n_inputs >= 1;
    case BG_NN_ADD:
    case BG_NN_MULTIPLY:
    case BG_NN_MAXIMUM:
        return layer->n_inputs >= 2;
    case BG_NN_DIVIDE:
        return layer->n_inputs == 2;
    default:
        return layer->n_inputs == 1;
    }
}

static gboolean
infer_layer(const BgNnLayer *layer, const BgNnShape *const *ins, BgNnShape *out, GError **error)
{
    const BgNnShape *in = ins[0];

    *out = *in;
    switch (layer->kind) {
    case BG_NN_CONV:
    case BG_NN_DECONV:
        return infer_conv(layer, in, out, error);
    case BG_NN_LINEAR:
        out->dims[1] = (gsize) layer->channels;
        if (in->rank != 2 || layer->channels < 1)
            return refuse(layer, BG_ERROR_MISMATCH, error, _("its input is not flat"));
        return TRUE;
    case BG_NN_MAX_POOL:
    case BG_NN_AVG_POOL:
        return infer_pool(layer, in, out, error);
    case BG_NN_UPSAMPLE:
    case BG_NN_TILE:
        for (int k = 0; k < n_space_of(in); k++)
            out->dims[2 + k] *= (gsize) MAX(layer->stride[k], 1);
        if (layer->kind == BG_NN_TILE)
            out->dims[1] *= (gsize) MAX(layer->channels, 1);
        return TRUE;
    case BG_NN_CONCAT:
        return infer_concat(layer, ins, out, error);
    case BG_NN_ADD:
    case BG_NN_MULTIPLY:
    case BG_NN_MAXIMUM:
    case BG_NN_DIVIDE:
        return infer_same(layer, ins, error);
    case BG_NN_CROP:
    case BG_NN_PAD:
        return infer_border(layer, in, out, error);
    case BG_NN_RESHAPE:
        return infer_reshape(layer, in, out, error);
    default:
        return TRUE;
    }
}

static gboolean
infer_one(const BgNnGraph *graph, int number, const BgNnShape *inputs, int *n_used,
          BgNnShape *shapes, GError **error)
{
    const BgNnLayer *layer = bg_nn_graph_get(graph, number);
    const BgNnShape *ins[BG_NN_MAX_INPUTS] = { NULL };

    if (bg_nn_graph_find(graph, layer->name) != number || strchr(layer->name, '/') != NULL)
        return refuse(layer, BG_ERROR_INVALID, error, _("its name is there twice, or has a \"/\""));
    if (!numbers_are_sane(layer))
        return refuse(layer, BG_ERROR_INVALID, error, _("a number is out of its range"));
    if (layer->kind == BG_NN_INPUT) {
        shapes[number] = inputs[(*n_used)++];
        if (shapes[number].rank != layer->n_space + 2 ||
            shapes[number].dims[1] != (gsize) layer->channels) {
            g_autofree char *text = bg_nn_shape_to_string(&shapes[number]);
            return refuse(layer, BG_ERROR_MISMATCH, error,
                          _("it takes %d channels in %d dimensions, and was given %s"),
                          layer->channels, layer->n_space, text);
        }
    } else {
        if (!count_of_inputs_fits(layer))
            return refuse(layer, BG_ERROR_INVALID, error, _("it has %d inputs"), layer->n_inputs);
        for (int i = 0; i < layer->n_inputs; i++)
            ins[i] = &shapes[layer->inputs[i]];
        if (!infer_layer(layer, ins, &shapes[number], error))
            return FALSE;
    }
    if (bg_nn_shape_count(&shapes[number]) == 0)
        return refuse(layer, BG_ERROR_MISMATCH, error,
                      _("its result is empty or beyond all memory"));
    return TRUE;
}

BgNnShape *
bg_nn_graph_infer(const BgNnGraph *graph, const BgNnShape *inputs, int n_inputs, GError **error)
{
    int n = bg_nn_graph_count(graph), n_used = 0;
    g_autofree BgNnShape *shapes = g_new0(BgNnShape, (gsize) MAX(n, 1));

    if (n_inputs != bg_nn_graph_count_inputs(graph) || bg_nn_graph_count_outputs(graph) == 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("The network \"%s\" cannot run: it takes %d inputs and was given %d, and has "
                      "%d results. Choose another network"),
                    bg_nn_graph_get_name(graph), bg_nn_graph_count_inputs(graph), n_inputs,
                    bg_nn_graph_count_outputs(graph));
        return NULL;
    }
    for (int i = 0; i < n; i++)
        if (!infer_one(graph, i, inputs, &n_used, shapes, error))
            return NULL;
    return g_steal_pointer(&shapes);
}

// ------------------------------------------------------------------------------------------------

const char *
bg_nn_role_name(BgNnRole role)
{
    static const char *const names[] = {
        "weight", "bias", "mean", "variance", "slope", "singular"
    };

    return names[role];
}

gboolean
bg_nn_role_is_trained(BgNnRole role)
{
    return role == BG_NN_ROLE_WEIGHT || role == BG_NN_ROLE_BIAS || role == BG_NN_ROLE_SLOPE;
}

static BgNnParamInfo
info_of(BgNnRole role, gsize count)
{
    return (BgNnParamInfo){ role, { 1, { count } } };
}

static int
list_conv(const BgNnLayer *layer, const BgNnShape *input, BgNnParamInfo *infos)
{
    gsize groups = (gsize) MAX(layer->groups, 1), in = input->dims[1];
    gsize out = (gsize) layer->channels;
    BgNnShape weight = { 2, { out, in } };
    int n = 0;

    if (layer->kind != BG_NN_LINEAR) {
        weight = (BgNnShape){ input->rank, { out, in / groups } };
        if (layer->kind == BG_NN_DECONV)
            weight = (BgNnShape){ input->rank, { in, out / groups } };
        for (int k = 0; k < input->rank - 2; k++)
            weight.dims[2 + k] = (gsize) layer->kernel[k];
    }
    infos[n++] = (BgNnParamInfo){ BG_NN_ROLE_WEIGHT, weight };
    if (!layer->no_bias)
        infos[n++] = info_of(BG_NN_ROLE_BIAS, out);
    if (layer->spectral_norm)
        infos[n++] = info_of(BG_NN_ROLE_SINGULAR, weight.dims[0]);
    return n;
}

int
bg_nn_layer_list_params(const BgNnLayer *layer, const BgNnShape *input,
                        BgNnParamInfo infos[BG_NN_MAX_LAYER_PARAMS])
{
    switch (layer->kind) {
    case BG_NN_CONV:
    case BG_NN_DECONV:
    case BG_NN_LINEAR:
        return list_conv(layer, input, infos);
    case BG_NN_BATCH_NORM:
        infos[0] = info_of(BG_NN_ROLE_WEIGHT, input->dims[1]);
        infos[1] = info_of(BG_NN_ROLE_BIAS, input->dims[1]);
        infos[2] = info_of(BG_NN_ROLE_MEAN, input->dims[1]);
        infos[3] = info_of(BG_NN_ROLE_VARIANCE, input->dims[1]);
        return 4;
    case BG_NN_INSTANCE_NORM:
        infos[0] = info_of(BG_NN_ROLE_WEIGHT, input->dims[1]);
        infos[1] = info_of(BG_NN_ROLE_BIAS, input->dims[1]);
        return layer->affine ? 2 : 0;
    case BG_NN_PRELU:
        infos[0] = info_of(BG_NN_ROLE_SLOPE, layer->shared ? 1 : input->dims[1]);
        return 1;
    default:
        return 0;
    }
}

BgNnGeometry
bg_nn_geometry(const BgNnLayer *layer, const BgNnShape *in, const BgNnShape *out)
{
    BgNnGeometry g = { .n = in->dims[0], .in_channels = in->dims[1], .out_channels = out->dims[1] };
    int space = in->rank - 2, out_space = out->rank - 2;

    g.groups = (gsize) MAX(layer->groups, 1);
    for (int i = 0; i < 3; i++) {
        int k = i - (3 - space),
            ko = i - (3 - out_space); // z is first of three, y of two, x of one
        g.in[i] = k < 0 ? 1 : in->dims[2 + k];
        g.out[i] = ko < 0 ? 1 : out->dims[2 + ko];
        g.kernel[i] = k < 0 || layer->kernel[k] == 0 ? 1 : layer->kernel[k];
        g.stride[i] = k < 0 ? 1 : MAX(layer->stride[k], 1);
        g.dilation[i] = k < 0 ? 1 : MAX(layer->dilation[k], 1);
        g.before[i] = k < 0 ? 0 : layer->before[k];
        g.after[i] = k < 0 ? 0 : layer->after[k];
    }
    g.in_space = g.in[0] * g.in[1] * g.in[2];
    g.out_space = g.out[0] * g.out[1] * g.out[2];
    g.taps = (gsize) g.kernel[0] * (gsize) g.kernel[1] * (gsize) g.kernel[2];
    return g;
}

double
bg_nn_graph_count_flop(const BgNnGraph *graph, const BgNnShape *shapes)
{
    double flop = 0;

    for (int i = 0; i < bg_nn_graph_count(graph); i++) {
        const BgNnLayer *layer = bg_nn_graph_get(graph, i);
        if (layer->kind != BG_NN_CONV && layer->kind != BG_NN_DECONV && layer->kind != BG_NN_LINEAR)
            continue;
        BgNnGeometry g = bg_nn_geometry(layer, &shapes[layer->inputs[0]], &shapes[i]);
        flop += 2.0 * (double) (layer->kind == BG_NN_DECONV ? g.in_space : g.out_space) *
                (double) g.n * (double) g.taps * (double) g.in_channels *
                (double) (g.out_channels / g.groups);
    }
    return flop;
}
