// SPDX-License-Identifier: Apache-2.0
// Convolutions of the CPU executor, with the batch norm and the rectifier that follow them.
#include "bg-nn-cpu-private.h"
#include "bg-nn-winograd.h"
#include "core/base/bg-buffer.h"

#include <math.h>
#include <string.h>

/** Fused: what is done in the convolution's own step */
typedef struct {
    const BgNnLayer *layer;
    BgNnShape in, out; // after a border of our own was made
    BgNnGeometry g;
    int last; // the layer whose result the step makes
    gboolean rectify;
    float slope;
    float *weight, *bias; // owned; bias NULL: none
} Fused;

static void
fused_clear(Fused *fused)
{
    bg_buffer_free(fused->weight);
    g_free(fused->bias);
}

// The only layer that reads `layer`, or -1.
static int
only_reader(const BgNnCpu *cpu, int layer)
{
    if (cpu->n_readers[layer] != 1)
        return -1;
    for (int i = layer + 1; i < bg_nn_graph_count(cpu->graph); i++) {
        const BgNnLayer *other = bg_nn_graph_get(cpu->graph, i);
        for (int k = 0; k < other->n_inputs; k++)
            if (other->inputs[k] == layer)
                return i;
    }
    return -1;
}

static float *
param_data(const BgNnCpu *cpu, const BgNnLayer *layer, BgNnRole role)
{
    int index = bg_nn_params_find_role(cpu->params, layer->name, role);

    return index < 0 ? NULL : bg_nn_tensor_data(bg_nn_params_get(cpu->params, index));
}

// weight * (conv + bias - mean) / sqrt(variance + eps) + shift, as another convolution.
static void
fold_norm(const BgNnCpu *cpu, const BgNnLayer *norm, Fused *fused)
{
    const float *weight = param_data(cpu, norm, BG_NN_ROLE_WEIGHT);
    const float *shift = param_data(cpu, norm, BG_NN_ROLE_BIAS);
    const float *mean = param_data(cpu, norm, BG_NN_ROLE_MEAN);
    const float *variance = param_data(cpu, norm, BG_NN_ROLE_VARIANCE);
    gboolean deconv = fused->layer->kind == BG_NN_DECONV;
    gsize channels = fused->out.dims[1], groups = fused->g.groups;
    gsize in_g = fused->g.in_channels / groups, out_g = channels / groups;

    if (fused->bias == NULL)
        fused->bias = g_new0(float, channels);
    for (gsize c = 0; c < channels; c++) {
        double scale = (double) weight[c] / sqrt((double) variance[c] + norm->eps);
        fused->bias[c] =
            (float) (((double) fused->bias[c] - (double) mean[c]) * scale + (double) shift[c]);
        for (gsize i = 0; i < in_g; i++) {
            gsize row = deconv ? (c / out_g * in_g + i) * out_g + c % out_g : c * in_g + i;
            for (gsize t = 0; t < fused->g.taps; t++)
                fused->weight[row * fused->g.taps + t] *= (float) scale;
        }
    }
}

static gboolean
norm_is_constant(const BgNnLayer *layer)
{
    return layer->kind == BG_NN_BATCH_NORM && layer->norm != BG_NN_NORM_BATCH;
}

static void
fuse_followers(BgNnCpu *cpu, int layer, Fused *fused)
{
    int next = only_reader(cpu, layer);

    fused->last = layer;
    if (next >= 0 && norm_is_constant(bg_nn_graph_get(cpu->graph, next))) {
        fold_norm(cpu, bg_nn_graph_get(cpu->graph, next), fused);
        cpu->fused_into[next] = layer;
        fused->last = next;
        next = only_reader(cpu, next);
    }
    const BgNnLayer *other = next < 0 ? NULL : bg_nn_graph_get(cpu->graph, next);
    if (other != NULL && (other->kind == BG_NN_RELU || other->kind == BG_NN_LEAKY_RELU)) {
        fused->rectify = TRUE;
        fused->slope = other->kind == BG_NN_RELU ? 0 : (float) other->slope;
        cpu->fused_into[next] = layer;
        fused->last = next;
    }
}

static void
spectral_scale(const BgNnCpu *cpu, Fused *fused, const BgNnShape *shape)
{
    const float *u = param_data(cpu, fused->layer, BG_NN_ROLE_SINGULAR);
    gsize rows = shape->dims[0], columns = bg_nn_shape_count(shape) / rows;
    g_autofree double *v = g_new0(double, columns);
    double length = 0, sigma = 0;

    for (gsize r = 0; r < rows; r++) {
        length += (double) u[r] * (double) u[r];
        for (gsize c = 0; c < columns; c++)
            v[c] += (double) fused->weight[r * columns + c] * (double) u[r];
    }
    for (gsize c = 0; c < columns; c++)
        sigma += v[c] * v[c];
    sigma = MAX(sqrt(sigma) / MAX(sqrt(length), 1e-12), 1e-12);
    for (gsize i = 0; i < rows * columns; i++)
        fused->weight[i] = (float) ((double) fused->weight[i] / sigma);
}

static gboolean
fused_init(BgNnCpu *cpu, int number, Fused *fused, GError **error)
{
    const BgNnLayer *layer = bg_nn_graph_get(cpu->graph, number);
    int index = bg_nn_params_find_role(cpu->params, layer->name, BG_NN_ROLE_WEIGHT);
    const BgNnTensor *weight = bg_nn_params_get(cpu->params, index);
    const float *bias = layer->no_bias ? NULL : param_data(cpu, layer, BG_NN_ROLE_BIAS);

    *fused =
        (Fused){ .layer = layer, .in = cpu->shapes[layer->inputs[0]], .out = cpu->shapes[number] };
    fused->g = bg_nn_geometry(layer, &fused->in, &fused->out);
    fused->weight = bg_buffer_alloc_items(bg_nn_tensor_count(weight), sizeof(float), error);
    if (fused->weight == NULL)
        return FALSE;
    memcpy(fused->weight, bg_nn_tensor_peek(weight), bg_nn_tensor_count(weight) * sizeof(float));
    fused->bias = g_memdup2(bias, bias == NULL ? 0 : fused->out.dims[1] * sizeof *bias);
    if (layer->spectral_norm)
        spectral_scale(cpu, fused, bg_nn_tensor_get_shape(weight));
    fuse_followers(cpu, number, fused);
    return TRUE;
}

// ------------------------------------------------------------------------------------------------

// The layout of our own weights, as oneDNN numbers the dimensions: [groups,] out, in, kernel.
static dnnl_memory_desc_t
weight_desc(const Fused *fused, gboolean any)
{
    gboolean deconv = fused->layer->kind == BG_NN_DECONV;
    int space = fused->in.rank - 2, rank = 0;
    gsize groups = fused->g.groups;
    dnnl_dim_t in_g = (dnnl_dim_t) (fused->in.dims[1] / groups);
    dnnl_dim_t out_g = (dnnl_dim_t) (fused->out.dims[1] / groups);
    dnnl_dim_t taps = (dnnl_dim_t) fused->g.taps, stride = taps;
    dnnl_dims_t dims = { 0 }, strides = { 0 };
    dnnl_memory_desc_t desc;

    if (groups > 1) {
        dims[rank] = (dnnl_dim_t) groups;
        strides[rank++] = in_g * out_g * taps;
    }
    dims[rank] = out_g;
    strides[rank++] = deconv ? taps : in_g * taps;
    dims[rank] = in_g;
    strides[rank++] = deconv ? out_g * taps : taps;
    for (int k = 0; k < space; k++) {
        dims[rank] = fused->g.kernel[3 - space + k];
        stride /= dims[rank];
        strides[rank++] = stride;
    }
    dnnl_status_t status =
        any ? dnnl_memory_desc_init_by_tag(&desc, rank, dims, dnnl_f32, dnnl_format_tag_any)
            : dnnl_memory_desc_init_by_strides(&desc, rank, dims, dnnl_f32, strides);
    g_assert(status == dnnl_success);
    return desc;
}

static dnnl_memory_desc_t
any_desc(const BgNnShape *shape)
{
    dnnl_memory_desc_t desc = bg_nn_desc_dense(shape);

    desc.format_kind = dnnl_format_kind_any;
    return desc;
}

// Describes the convolution; `status` says whether oneDNN has one.
static dnnl_status_t
make_desc(const Fused *fused, const dnnl_memory_desc_t *src, gpointer op)
{
    dnnl_memory_desc_t dst = any_desc(&fused->out), weight = weight_desc(fused, TRUE), bias;
    dnnl_dims_t strides = { 0 }, dilates = { 0 }, before = { 0 }, after = { 0 };
    int space = fused->in.rank - 2;
    BgNnShape bias_shape = { 1, { fused->out.dims[1] } };

    bias = bg_nn_desc_dense(&bias_shape);
    for (int k = 0; k < space; k++) {
        int i = 3 - space + k;
        strides[k] = fused->g.stride[i];
        dilates[k] = fused->g.dilation[i] - 1;
        before[k] = fused->g.before[i];
        dnnl_dim_t extent = (dnnl_dim_t) fused->g.dilation[i] * (fused->g.kernel[i] - 1) + 1;
        dnnl_dim_t big = (dnnl_dim_t) fused->g.in[i], small = (dnnl_dim_t) fused->g.out[i];
        if (fused->layer->kind == BG_NN_DECONV) {
            dnnl_dim_t swap = big;
            big = small;
            small = swap;
        }
        after[k] = (small - 1) * strides[k] + extent - big - before[k]; // may be less than nothing
    }
    const dnnl_memory_desc_t *bias_desc = fused->bias != NULL ? &bias : NULL;
    if (fused->layer->kind == BG_NN_LINEAR)
        return dnnl_inner_product_forward_desc_init(op, dnnl_forward_inference, src, &weight,
                                                    bias_desc, &dst);
    if (fused->layer->kind == BG_NN_DECONV)
        return dnnl_dilated_deconvolution_forward_desc_init(
            op, dnnl_forward_inference, dnnl_deconvolution_direct, src, &weight, bias_desc, &dst,
            strides, dilates, before, after);
    return dnnl_dilated_convolution_forward_desc_init(
        op, dnnl_forward_inference, dnnl_convolution_direct, src, &weight, bias_desc, &dst, strides,
        dilates, before, after);
}

static dnnl_status_t
make_primitive_desc(const BgNnCpu *cpu, const Fused *fused, const dnnl_memory_desc_t *src,
                    dnnl_primitive_desc_t *pd)
{
    union {
        dnnl_convolution_desc_t conv;
        dnnl_deconvolution_desc_t deconv;
        dnnl_inner_product_desc_t linear;
    } op;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t post = NULL;

    dnnl_status_t status = make_desc(fused, src, &op);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_create(&attr);
    if (status == dnnl_success && fused->rectify) {
        dnnl_post_ops_create(&post);
        dnnl_post_ops_append_eltwise(post, 1, dnnl_eltwise_relu, fused->slope, 0);
        dnnl_primitive_attr_set_post_ops(attr, post);
        dnnl_post_ops_destroy(post);
    }
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(pd, &op, attr, cpu->engine, NULL);
    if (attr != NULL)
        dnnl_primitive_attr_destroy(attr);
    return status;
}

static gboolean
add_step(BgNnCpu *cpu, const Fused *fused, dnnl_primitive_desc_t pd, int input, GError **error)
{
    const dnnl_memory_desc_t *src = dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0);
    const dnnl_memory_desc_t *wanted = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    const dnnl_memory_desc_t *dst = dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
    dnnl_memory_desc_t own = weight_desc(fused, FALSE);
    BgNnStep step = { .layer = fused->last };

    input = bg_nn_plan_reorder(cpu, input, src);
    dnnl_memory_t weight = bg_nn_plan_weights(cpu, fused->weight, &own, wanted, error);
    if (weight == NULL || !bg_nn_fail_dnnl(dnnl_primitive_create(&step.primitive, pd), error))
        return FALSE;
    int result = bg_nn_plan_value(cpu, dst);
    bg_nn_step_arg(&step, DNNL_ARG_SRC, input, NULL);
    bg_nn_step_arg(&step, DNNL_ARG_WEIGHTS, -1, weight);
    if (fused->bias != NULL) {
        BgNnShape shape = { 1, { fused->out.dims[1] } };
        dnnl_memory_desc_t desc = bg_nn_desc_dense(&shape);
        dnnl_memory_t bias = bg_nn_plan_constant(cpu, &desc, error);
        if (bias == NULL) {
            dnnl_primitive_destroy(step.primitive);
            return FALSE;
        }
        memcpy(bg_nn_memory_data(bias), fused->bias, shape.dims[0] * sizeof(float));
        bg_nn_step_arg(&step, DNNL_ARG_BIAS, -1, bias);
    }
    bg_nn_step_arg(&step, DNNL_ARG_DST, result, NULL);
    bg_nn_step_add(cpu, &step);
    cpu->native[fused->last] = result;
    return TRUE;
}

// A border that is not of zeros is a step of its own.
static gboolean
run_border(BgNnCpu *cpu, BgNnStep *step, GError **error)
{
    BgNnCall32 *call = step->data;

    call->in[0] = bg_nn_memory_data(bg_nn_value(cpu, step->in[0])->memory);
    call->out = bg_nn_memory_data(bg_nn_value(cpu, step->out)->memory);
    return bg_nn_forward_f32(call, error);
}

typedef struct {
    BgNnCall32 call;
    BgNnLayer pad;
} Border;

static int
plan_border(BgNnCpu *cpu, int number, Fused *fused)
{
    Border *border = g_new0(Border, 1);
    BgNnStep step = {
        .layer = number, .run = run_border, .n_in = 1, .data = border, .free_data = g_free
    };
    int space = fused->in.rank - 2;
    BgNnShape padded = fused->in;

    border->pad = *fused->layer;
    border->pad.kind = BG_NN_PAD;
    for (int k = 0; k < space; k++)
        padded.dims[2 + k] += (gsize) (fused->layer->before[k] + fused->layer->after[k]);
    border->call = (BgNnCall32){ .layer = &border->pad,
                                 .n_inputs = 1,
                                 .g = bg_nn_geometry(&border->pad, &fused->in, &padded) };
    step.in[0] = bg_nn_plan_dense(cpu, fused->layer->inputs[0]);
    dnnl_memory_desc_t desc = bg_nn_desc_dense(&padded);
    step.out = bg_nn_plan_value(cpu, &desc);
    bg_nn_step_add(cpu, &step);
    fused->in = padded;
    fused->g = bg_nn_geometry(fused->layer, &padded, &fused->out);
    memset(fused->g.before, 0, sizeof fused->g.before);
    memset(fused->g.after, 0, sizeof fused->g.after);
    return step.out;
}

// ------------------------------------------------------------------------------------------------

typedef struct {
    BgNnWinograd *winograd; // owned
    BgNnWinogradSize size;
} Fast;

static void
fast_free(gpointer data)
{
    Fast *fast = data;

    bg_nn_winograd_free(fast->winograd);
    g_free(fast);
}

static gboolean
run_fast(BgNnCpu *cpu, BgNnStep *step, GError **error)
{
    Fast *fast = step->data;

    return bg_nn_winograd_run(fast->winograd, &fast->size,
                              bg_nn_memory_data(bg_nn_value(cpu, step->in[0])->memory),
                              bg_nn_memory_data(bg_nn_value(cpu, step->out)->memory), error);
}

// Whether Winograd's way is open, and worth it: enough tiles for what it does besides.
static gboolean
can_be_fast(const BgNnCpu *cpu, const Fused *fused)
{
    const BgNnGeometry *g = &fused->g;

    return !cpu->options.direct && fused->layer->kind == BG_NN_CONV && fused->in.rank == 4 &&
           g->groups == 1 && g->kernel[1] == 3 && g->kernel[2] == 3 && g->stride[1] == 1 &&
           g->stride[2] == 1 && g->dilation[1] == 1 && g->dilation[2] == 1 &&
           g->n * g->out_space >= 16 * 16 && bg_nn_winograd_can(g->in_channels, g->out_channels);
}

static dnnl_memory_desc_t
blocked_desc(const BgNnShape *shape)
{
    dnnl_memory_desc_t desc;
    dnnl_dims_t dims = { 0 };

    for (int k = 0; k < shape->rank; k++)
        dims[k] = (dnnl_dim_t) shape->dims[k];
    dnnl_status_t status =
        dnnl_memory_desc_init_by_tag(&desc, shape->rank, dims, dnnl_f32, dnnl_nChw8c);
    g_assert(status == dnnl_success);
    return desc;
}

static gboolean
plan_fast(BgNnCpu *cpu, const Fused *fused, int input, GError **error)
{
    const BgNnGeometry *g = &fused->g;
    dnnl_memory_desc_t in = blocked_desc(&fused->in), out = blocked_desc(&fused->out);
    BgNnWinograd *winograd =
        bg_nn_winograd_new(g->in_channels, g->out_channels, fused->weight, fused->bias,
                           fused->rectify ? fused->slope : 1, error);
    if (winograd == NULL)
        return FALSE;
    Fast *fast = g_new0(Fast, 1);
    *fast = (Fast){
        winograd,
        { g->n, { g->in[1], g->in[2] }, { g->out[1], g->out[2] }, { g->before[1], g->before[2] } }
    };
    BgNnStep step = {
        .layer = fused->last, .run = run_fast, .n_in = 1, .data = fast, .free_data = fast_free
    };
    step.in[0] = bg_nn_plan_reorder(cpu, input, &in);
    step.out = bg_nn_plan_value(cpu, &out);
    bg_nn_step_add(cpu, &step);
    cpu->constant_bytes += bg_nn_winograd_get_bytes(winograd);
    cpu->native[fused->last] = step.out;
    return TRUE;
}

static gboolean
plan_direct(BgNnCpu *cpu, const Fused *fused, int input, GError **error)
{
    dnnl_primitive_desc_t pd = NULL;
    dnnl_memory_desc_t src = any_desc(&fused->in);
    dnnl_status_t status = make_primitive_desc(cpu, fused, &src, &pd);

    if (status != dnnl_success) { // some kinds exist for plain layouts only
        src = bg_nn_desc_dense(&fused->in);
        status = make_primitive_desc(cpu, fused, &src, &pd);
    }
    gboolean ok = bg_nn_fail_dnnl(status, error) && add_step(cpu, fused, pd, input, error);
    if (pd != NULL)
        dnnl_primitive_desc_destroy(pd);
    return ok;
}

gboolean
bg_nn_plan_weighted(BgNnCpu *cpu, int number, GError **error)
{
    Fused fused;

    gboolean ok = fused_init(cpu, number, &fused, error);
    if (!ok)
        return FALSE;
    gboolean deconv = fused.layer->kind == BG_NN_DECONV;
    cpu->flop += 2.0 * (double) (deconv ? fused.g.in_space : fused.g.out_space) *
                 (double) fused.g.n * (double) fused.g.taps * (double) fused.g.in_channels *
                 (double) (fused.g.out_channels / fused.g.groups);
    int input = cpu->native[fused.layer->inputs[0]];
    if (fused.layer->kind == BG_NN_CONV && fused.layer->pad_mode != BG_NN_PAD_ZERO)
        input = plan_border(cpu, number, &fused);
    ok = can_be_fast(cpu, &fused) ? plan_fast(cpu, &fused, input, error)
                                  : plan_direct(cpu, &fused, input, error);
    fused_clear(&fused);
    return ok;
}
