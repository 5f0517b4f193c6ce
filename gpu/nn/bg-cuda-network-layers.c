// SPDX-License-Identifier: Apache-2.0
// One step or two for each layer: convolutions and the norms by the batch's statistics by cuDNN, all
// else by the kernels of bg-cuda-nn.cu.
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "gpu/nn/bg-cuda-network-private.h"
#include "gpu/nn/bg-cudnn-check.h"

#include <string.h>

static const BgNnLayer *
layer_of(const BgCudaNetwork *self, int number)
{
    return bg_nn_graph_get(self->graph, number);
}

static BgNnGeometry
geometry_of(const BgCudaNetwork *self, int number)
{
    const BgNnLayer *layer = layer_of(self, number);

    return bg_nn_geometry(layer, &self->shapes[layer->inputs[0]], &self->shapes[number]);
}

static BgCudaStep
kernel_step(const BgCudaNetwork *self, BgCudaNnKind kind, const BgNnGeometry *g, int input)
{
    return (BgCudaStep){
        .what = BG_CUDA_STEP_KERNEL,
        .kind = kind,
        .call = { .real = bg_cuda_real(self), .g = *g, .n_inputs = 1, .scale_all = 1.0f },
        .in = { input },
        .n_in = 1,
    };
}

static gsize
count_out(const BgNnGeometry *g)
{
    return g->n * g->out_channels * g->out_space;
}

// Appends the step; its result becomes the layer's.
static void
add(BgCudaNetwork *self, int number, BgCudaStep *step)
{
    step->out = bg_cuda_plan_value(self, count_out(&step->call.g));
    bg_cuda_plan_step(self, step);
    self->result[number] = step->out;
}

// A border that cuDNN does not make, as a step of its own. @g becomes the geometry of what is left.
static int
add_border(BgCudaNetwork *self, const BgNnLayer *layer, BgNnGeometry *g, int input)
{
    BgNnGeometry border = *g;

    border.out_channels = g->in_channels;
    for (int k = 0; k < 3; k++)
        border.out[k] = g->in[k] + (gsize) g->before[k] + (gsize) g->after[k];
    border.out_space = border.out[0] * border.out[1] * border.out[2];
    BgCudaStep step = kernel_step(self, BG_CUDA_NN_PAD, &border, input);
    step.call.pad_mode = layer->pad_mode;
    step.out = bg_cuda_plan_value(self, count_out(&border));
    bg_cuda_plan_step(self, &step);
    memcpy(g->in, border.out, sizeof g->in);
    g->in_space = border.out_space;
    memset(g->before, 0, sizeof g->before);
    memset(g->after, 0, sizeof g->after);
    return step.out;
}

// What cuDNN gives without padding of a transposed convolution, of which the layer is a part.
static BgNnGeometry
uncropped(const BgNnGeometry *g)
{
    BgNnGeometry whole = *g;

    for (int k = 0; k < 3; k++)
        whole.out[k] = g->out[k] + (gsize) g->before[k] + (gsize) g->after[k];
    whole.out_space = whole.out[0] * whole.out[1] * whole.out[2];
    memset(whole.before, 0, sizeof whole.before);
    memset(whole.after, 0, sizeof whole.after);
    return whole;
}

static gboolean
prepare_conv(BgCudaNetwork *self, BgCudaStep *step, const BgNnFused *fused, int number,
             GError **error)
{
    const BgNnGeometry *g = &step->call.g;
    const BgNnLayer *layer = layer_of(self, number);
    gboolean deconv = layer->kind == BG_NN_DECONV;
    gsize rows = deconv ? g->in_channels : g->out_channels;
    gsize columns = (deconv ? g->out_channels : g->in_channels) / g->groups;
    BgCudnnConvSpec spec = { .g = *g,
                             .space = self->shapes[number].rank == 5 ? 3 : 2,
                             .transposed = deconv,
                             .rectify = fused->rectify && fused->slope == 0.0f,
                             .precision = self->precision };

    spec.weight =
        bg_cuda_constant(self, fused->weight, rows * columns * g->taps, bg_cuda_real(self), error);
    if (spec.weight == NULL)
        return FALSE;
    if (fused->bias != NULL) {
        spec.bias = bg_cuda_constant(self, fused->bias, g->out_channels, bg_cuda_real(self), error);
        step->call.shift =
            bg_cuda_constant(self, fused->bias, g->out_channels, BG_CUDA_NN_FLOAT32, error);
        if (spec.bias == NULL || step->call.shift == NULL)
            return FALSE;
    }
    step->finishes = fused->bias != NULL || fused->rectify;
    step->call.slope = fused->rectify ? fused->slope : 1.0f;
    if (!bg_cudnn_conv_fits(g, deconv))
        return bg_cudnn_check(CUDNN_STATUS_NOT_SUPPORTED, layer->name, error);
    step->conv = bg_cudnn_conv_new(self->handle, &spec, error);
    if (step->conv != NULL)
        self->workspace_bytes = MAX(self->workspace_bytes, bg_cudnn_conv_get_workspace(step->conv));
    return step->conv != NULL;
}

static gboolean
plan_weighted(BgCudaNetwork *self, int number, GError **error)
{
    const BgNnLayer *layer = layer_of(self, number);
    int input = self->result[layer->inputs[0]];
    BgNnGeometry g = geometry_of(self, number), crop = g;
    BgNnFused fused;

    if (!bg_nn_fuse(&self->fuser, number, &fused, error))
        return FALSE;
    gboolean deconv = layer->kind == BG_NN_DECONV, fits = bg_cudnn_conv_fits(&g, deconv);
    if (!deconv && (!fits || layer->pad_mode != BG_NN_PAD_ZERO))
        input = add_border(self, layer, &g, input);
    if (deconv && !fits)
        g = uncropped(&g);
    BgCudaStep step = kernel_step(self, BG_CUDA_NN_FINISH, &g, input);
    step.what = BG_CUDA_STEP_CONV;
    gboolean ok = prepare_conv(self, &step, &fused, number, error);
    if (ok)
        add(self, fused.last, &step);
    if (ok && deconv && !fits) {
        crop.in_channels = crop.out_channels;
        memcpy(crop.in, g.out, sizeof crop.in);
        crop.in_space = g.out_space;
        step = kernel_step(self, BG_CUDA_NN_CROP, &crop, self->result[fused.last]);
        add(self, fused.last, &step);
    }
    bg_nn_fused_clear(&fused);
    return ok;
}

// ------------------------------------------------------------------------------------------------

static gboolean
set_packed(cudnnTensorDescriptor_t *tensor, cudnnDataType_t type, const int dims[5], GError **error)
{
    int strides[5], stride = 1;

    for (int k = 4; k >= 0; k--) {
        strides[k] = stride;
        stride *= dims[k];
    }
    return bg_cudnn_check(cudnnCreateTensorDescriptor(tensor), "tensor", error) &&
           bg_cudnn_check(cudnnSetTensorNdDescriptor(*tensor, type, 5, dims, strides), "tensor",
                          error);
}

// Norms by the batch's statistics; one of each picture and channel is that with N x C channels.
static gboolean
plan_batch_norm(BgCudaNetwork *self, int number, GError **error)
{
    const BgNnLayer *layer = layer_of(self, number);
    BgNnGeometry g = geometry_of(self, number);
    gboolean each = layer->kind == BG_NN_INSTANCE_NORM;
    gsize channels = each ? g.n * g.in_channels : g.in_channels;
    const float *weight = bg_nn_fuser_param(&self->fuser, layer, BG_NN_ROLE_WEIGHT);
    const float *bias = bg_nn_fuser_param(&self->fuser, layer, BG_NN_ROLE_BIAS);
    g_autofree float *scale = g_new(float, channels), *shift = g_new(float, channels);
    int dims[5] = { each ? 1 : (int) g.n, (int) channels, (int) g.in[0], (int) g.in[1],
                    (int) g.in[2] };
    int param[5] = { 1, (int) channels, 1, 1, 1 };
    BgCudaStep step = kernel_step(self, BG_CUDA_NN_AFFINE, &g, self->result[layer->inputs[0]]);

    for (gsize c = 0; c < channels; c++) {
        scale[c] = weight != NULL ? weight[c % g.in_channels] : 1.0f;
        shift[c] = bias != NULL ? bias[c % g.in_channels] : 0.0f;
    }
    step.what = BG_CUDA_STEP_NORM;
    step.eps = layer->eps;
    step.call.scale = bg_cuda_constant(self, scale, channels, BG_CUDA_NN_FLOAT32, error);
    step.call.shift = step.call.scale == NULL
                          ? NULL
                          : bg_cuda_constant(self, shift, channels, BG_CUDA_NN_FLOAT32, error);
    cudnnDataType_t type =
        self->precision == BG_NN_BFLOAT16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
    gboolean ok = step.call.shift != NULL && set_packed(&step.data, type, dims, error) &&
                  set_packed(&step.param, CUDNN_DATA_FLOAT, param, error);
    if (ok) {
        add(self, number, &step);
        return TRUE;
    }
    if (step.data != NULL)
        cudnnDestroyTensorDescriptor(step.data);
    if (step.param != NULL)
        cudnnDestroyTensorDescriptor(step.param);
    return FALSE;
}

static gboolean
plan_constant_norm(BgCudaNetwork *self, int number, GError **error)
{
    const BgNnLayer *layer = layer_of(self, number);
    BgNnGeometry g = geometry_of(self, number);
    gsize channels = g.in_channels;
    g_autofree double *scale = g_new(double, channels), *shift = g_new(double, channels);
    g_autofree float *narrow = g_new(float, 2 * channels);
    BgCudaStep step = kernel_step(self, BG_CUDA_NN_AFFINE, &g, self->result[layer->inputs[0]]);

    bg_nn_fuser_norm(&self->fuser, layer, channels, scale, shift);
    for (gsize c = 0; c < channels; c++) {
        narrow[c] = (float) scale[c];
        narrow[channels + c] = (float) shift[c];
    }
    const float *both = bg_cuda_constant(self, narrow, 2 * channels, BG_CUDA_NN_FLOAT32, error);
    if (both == NULL)
        return FALSE;
    step.call.scale = both;
    step.call.shift = both + channels;
    add(self, number, &step);
    return TRUE;
}

static gboolean
plan_rectifier(BgCudaNetwork *self, int number, GError **error)
{
    const BgNnLayer *layer = layer_of(self, number);
    BgNnGeometry g = geometry_of(self, number);
    BgCudaStep step = kernel_step(self, BG_CUDA_NN_RECTIFY, &g, self->result[layer->inputs[0]]);
    const float *slopes = bg_nn_fuser_param(&self->fuser, layer, BG_NN_ROLE_SLOPE);

    step.call.slope = layer->kind == BG_NN_LEAKY_RELU ? (float) layer->slope : 0.0f;
    if (layer->kind == BG_NN_PRELU && layer->shared)
        step.call.slope = slopes[0];
    else if (layer->kind == BG_NN_PRELU &&
             (step.call.slopes =
                  bg_cuda_constant(self, slopes, g.in_channels, BG_CUDA_NN_FLOAT32, error)) == NULL)
        return FALSE;
    add(self, number, &step);
    return TRUE;
}

static void
plan_concat(BgCudaNetwork *self, int number)
{
    const BgNnLayer *layer = layer_of(self, number);
    int out = bg_cuda_plan_value(self, bg_nn_shape_count(&self->shapes[number]));
    gsize first = 0;

    for (int k = 0; k < layer->n_inputs; k++) {
        BgNnGeometry g =
            bg_nn_geometry(layer, &self->shapes[layer->inputs[k]], &self->shapes[number]);
        BgCudaStep step =
            kernel_step(self, BG_CUDA_NN_COPY_CHANNELS, &g, self->result[layer->inputs[k]]);
        step.call.first = first;
        step.out = out;
        bg_cuda_plan_step(self, &step);
        first += g.in_channels;
    }
    self->result[number] = out;
}

static void
plan_join(BgCudaNetwork *self, int number, BgCudaNnKind kind)
{
    const BgNnLayer *layer = layer_of(self, number);
    BgNnGeometry g = geometry_of(self, number);
    BgCudaStep step = kernel_step(self, kind, &g, self->result[layer->inputs[0]]);

    step.n_in = step.call.n_inputs = layer->n_inputs;
    for (int k = 0; k < layer->n_inputs; k++)
        step.in[k] = self->result[layer->inputs[k]];
    step.call.scale_all = layer->scale == 0 ? 1.0f : (float) layer->scale;
    step.call.eps = (float) layer->eps;
    add(self, number, &step);
}

static void
plan_simple(BgCudaNetwork *self, int number, BgCudaNnKind kind)
{
    const BgNnLayer *layer = layer_of(self, number);
    BgNnGeometry g = geometry_of(self, number);
    BgCudaStep step = kernel_step(self, kind, &g, self->result[layer->inputs[0]]);

    step.call.flag = layer->count_outside;
    step.call.pad_mode = layer->pad_mode;
    add(self, number, &step);
}

gboolean
bg_cuda_plan_layer(BgCudaNetwork *self, int number, GError **error)
{
    static const BgCudaNnKind simple[BG_NN_N_KINDS] = {
        [BG_NN_SIGMOID] = BG_CUDA_NN_SIGMOID,   [BG_NN_TANH] = BG_CUDA_NN_TANH,
        [BG_NN_SOFTMAX] = BG_CUDA_NN_SOFTMAX,   [BG_NN_MAX_POOL] = BG_CUDA_NN_MAX_POOL,
        [BG_NN_AVG_POOL] = BG_CUDA_NN_AVG_POOL, [BG_NN_TILE] = BG_CUDA_NN_TILE,
        [BG_NN_CROP] = BG_CUDA_NN_CROP,         [BG_NN_PAD] = BG_CUDA_NN_PAD,
        [BG_NN_ADD] = BG_CUDA_NN_ADD,           [BG_NN_MULTIPLY] = BG_CUDA_NN_MULTIPLY,
        [BG_NN_MAXIMUM] = BG_CUDA_NN_MAXIMUM,   [BG_NN_DIVIDE] = BG_CUDA_NN_DIVIDE,
    };
    const BgNnLayer *layer = layer_of(self, number);

    switch (layer->kind) {
    case BG_NN_CONV:
    case BG_NN_DECONV:
    case BG_NN_LINEAR:
        return plan_weighted(self, number, error);
    case BG_NN_BATCH_NORM:
    case BG_NN_INSTANCE_NORM:
        return bg_nn_norm_is_constant(layer) ? plan_constant_norm(self, number, error)
                                             : plan_batch_norm(self, number, error);
    case BG_NN_RELU:
    case BG_NN_LEAKY_RELU:
    case BG_NN_PRELU:
        return plan_rectifier(self, number, error);
    case BG_NN_UPSAMPLE:
        plan_simple(self, number, layer->bilinear ? BG_CUDA_NN_LINEAR : BG_CUDA_NN_NEAREST);
        return TRUE;
    case BG_NN_CONCAT:
        plan_concat(self, number);
        return TRUE;
    case BG_NN_ADD:
    case BG_NN_MULTIPLY:
    case BG_NN_MAXIMUM:
    case BG_NN_DIVIDE:
        plan_join(self, number, simple[layer->kind]);
        return TRUE;
    case BG_NN_DROPOUT:
    case BG_NN_RESHAPE:
        self->result[number] = bg_cuda_plan_view(self, self->result[layer->inputs[0]]);
        return TRUE;
    default:
        plan_simple(self, number, simple[layer->kind]);
        return TRUE;
    }
}
