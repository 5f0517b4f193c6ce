// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-fuse.h"
#include "core/base/bg-buffer.h"

#include <math.h>
#include <string.h>

void
bg_nn_fuser_init(BgNnFuser *fuser, const BgNnGraph *graph, const BgNnParams *params,
                 const BgNnShape *shapes)
{
    int n = bg_nn_graph_count(graph);

    *fuser = (BgNnFuser){ graph, params, shapes, g_new0(int, (gsize) n), g_new(int, (gsize) n) };
    for (int i = 0; i < n; i++) {
        const BgNnLayer *layer = bg_nn_graph_get(graph, i);
        for (int k = 0; k < layer->n_inputs; k++)
            fuser->n_readers[layer->inputs[k]]++;
        fuser->fused_into[i] = -1;
    }
    for (int k = 0; k < bg_nn_graph_count_outputs(graph); k++)
        fuser->n_readers[bg_nn_graph_get_output(graph, k)] += 2; // never fused away
}

void
bg_nn_fuser_clear(BgNnFuser *fuser)
{
    g_clear_pointer(&fuser->n_readers, g_free);
    g_clear_pointer(&fuser->fused_into, g_free);
}

gboolean
bg_nn_fuser_check(const BgNnFuser *fuser, GError **error)
{
    for (int i = 0; i < bg_nn_graph_count(fuser->graph); i++) {
        const BgNnLayer *layer = bg_nn_graph_get(fuser->graph, i);
        BgNnParamInfo infos[BG_NN_MAX_LAYER_PARAMS];
        int n = layer->n_inputs == 0
                    ? 0
                    : bg_nn_layer_list_params(layer, &fuser->shapes[layer->inputs[0]], infos);
        for (int k = 0; k < n; k++)
            if (bg_nn_params_require(fuser->params, layer->name, &infos[k], error) < 0)
                return FALSE;
    }
    return TRUE;
}

const float *
bg_nn_fuser_param(const BgNnFuser *fuser, const BgNnLayer *layer, BgNnRole role)
{
    int index = bg_nn_params_find_role(fuser->params, layer->name, role);

    return index < 0 ? NULL : bg_nn_tensor_peek(bg_nn_params_get(fuser->params, index));
}

gboolean
bg_nn_norm_is_constant(const BgNnLayer *layer)
{
    return layer->kind == BG_NN_BATCH_NORM && layer->norm != BG_NN_NORM_BATCH;
}

void
bg_nn_fuser_norm(const BgNnFuser *fuser, const BgNnLayer *norm, gsize channels, double *scale,
                 double *shift)
{
    const float *weight = bg_nn_fuser_param(fuser, norm, BG_NN_ROLE_WEIGHT);
    const float *bias = bg_nn_fuser_param(fuser, norm, BG_NN_ROLE_BIAS);
    const float *mean = bg_nn_fuser_param(fuser, norm, BG_NN_ROLE_MEAN);
    const float *variance = bg_nn_fuser_param(fuser, norm, BG_NN_ROLE_VARIANCE);

    for (gsize c = 0; c < channels; c++) {
        scale[c] = (double) weight[c] / sqrt((double) variance[c] + norm->eps);
        shift[c] = (double) bias[c] - (double) mean[c] * scale[c];
    }
}

// The only layer that reads `layer`, or -1.
static int
only_reader(const BgNnFuser *fuser, int layer)
{
    if (fuser->n_readers[layer] != 1)
        return -1;
    for (int i = layer + 1; i < bg_nn_graph_count(fuser->graph); i++) {
        const BgNnLayer *other = bg_nn_graph_get(fuser->graph, i);
        for (int k = 0; k < other->n_inputs; k++)
            if (other->inputs[k] == layer)
                return i;
    }
    return -1;
}

// scale * (conv + bias) + shift, as another convolution.
static void
fold_norm(const BgNnFuser *fuser, int number, const BgNnLayer *norm, BgNnFused *fused)
{
    const BgNnLayer *layer = bg_nn_graph_get(fuser->graph, number);
    BgNnGeometry g =
        bg_nn_geometry(layer, &fuser->shapes[layer->inputs[0]], &fuser->shapes[number]);
    gboolean deconv = layer->kind == BG_NN_DECONV;
    gsize channels = g.out_channels, in_g = g.in_channels / g.groups, out_g = channels / g.groups;
    g_autofree double *scale = g_new(double, channels), *shift = g_new(double, channels);

    bg_nn_fuser_norm(fuser, norm, channels, scale, shift);
    if (fused->bias == NULL)
        fused->bias = g_new0(float, channels);
    for (gsize c = 0; c < channels; c++) {
        fused->bias[c] = (float) ((double) fused->bias[c] * scale[c] + shift[c]);
        for (gsize i = 0; i < in_g; i++) {
            gsize row = deconv ? (c / out_g * in_g + i) * out_g + c % out_g : c * in_g + i;
            for (gsize t = 0; t < g.taps; t++)
                fused->weight[row * g.taps + t] *= (float) scale[c];
        }
    }
}

static void
fuse_followers(BgNnFuser *fuser, int number, BgNnFused *fused)
{
    int next = only_reader(fuser, number);

    fused->last = number;
    if (next >= 0 && bg_nn_norm_is_constant(bg_nn_graph_get(fuser->graph, next))) {
        fold_norm(fuser, number, bg_nn_graph_get(fuser->graph, next), fused);
        fuser->fused_into[next] = number;
        fused->last = next;
        next = only_reader(fuser, next);
    }
    const BgNnLayer *other = next < 0 ? NULL : bg_nn_graph_get(fuser->graph, next);
    if (other != NULL && (other->kind == BG_NN_RELU || other->kind == BG_NN_LEAKY_RELU)) {
        fused->rectify = TRUE;
        fused->slope = other->kind == BG_NN_RELU ? 0 : (float) other->slope;
        fuser->fused_into[next] = number;
        fused->last = next;
    }
}

static void
spectral_scale(const float *u, const BgNnShape *shape, float *weight)
{
    gsize rows = shape->dims[0], columns = bg_nn_shape_count(shape) / rows;
    g_autofree double *v = g_new0(double, columns);
    double length = 0, sigma = 0;

    for (gsize r = 0; r < rows; r++) {
        length += (double) u[r] * (double) u[r];
        for (gsize c = 0; c < columns; c++)
            v[c] += (double) weight[r * columns + c] * (double) u[r];
    }
    for (gsize c = 0; c < columns; c++)
        sigma += v[c] * v[c];
    sigma = MAX(sqrt(sigma) / MAX(sqrt(length), 1e-12), 1e-12);
    for (gsize i = 0; i < rows * columns; i++)
        weight[i] = (float) ((double) weight[i] / sigma);
}

gboolean
bg_nn_fuse(BgNnFuser *fuser, int number, BgNnFused *fused, GError **error)
{
    const BgNnLayer *layer = bg_nn_graph_get(fuser->graph, number);
    int index = bg_nn_params_find_role(fuser->params, layer->name, BG_NN_ROLE_WEIGHT);
    const BgNnTensor *weight = bg_nn_params_get(fuser->params, index);
    const float *bias = layer->no_bias ? NULL : bg_nn_fuser_param(fuser, layer, BG_NN_ROLE_BIAS);

    *fused = (BgNnFused){ 0 };
    fused->weight = bg_buffer_alloc_items(bg_nn_tensor_count(weight), sizeof(float), error);
    if (fused->weight == NULL)
        return FALSE;
    memcpy(fused->weight, bg_nn_tensor_peek(weight), bg_nn_tensor_count(weight) * sizeof(float));
    fused->bias = g_memdup2(bias, bias == NULL ? 0 : fuser->shapes[number].dims[1] * sizeof *bias);
    if (layer->spectral_norm)
        spectral_scale(bg_nn_fuser_param(fuser, layer, BG_NN_ROLE_SINGULAR),
                       bg_nn_tensor_get_shape(weight), fused->weight);
    fuse_followers(fuser, number, fused);
    return TRUE;
}

void
bg_nn_fused_clear(BgNnFused *fused)
{
    bg_buffer_free(fused->weight);
    g_free(fused->bias);
    *fused = (BgNnFused){ 0 };
}
