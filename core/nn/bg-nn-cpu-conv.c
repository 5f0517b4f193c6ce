// SPDX-License-Identifier: Apache-2.0
// Convolutions of the CPU executor, with the batch norm and the rectifier that follow them.
#include "bg-nn-bfloat.h"
#include "bg-nn-cpu-private.h"
#include "bg-nn-narrow.h"
#include "bg-nn-winograd.h"
#include "core/base/bg-buffer.h"

#include <string.h>

/** Fused: what is done in the convolution's own step */
typedef struct {
    const BgNnLayer *layer;
    BgNnShape in, out; // after a border of our own was made
    BgNnGeometry g;
    BgNnFused made; // owned
} Fused;

static gboolean
fused_init(BgNnCpu *cpu, int number, Fused *fused, GError **error)
{
    const BgNnLayer *layer = bg_nn_graph_get(cpu->graph, number);

    *fused =
        (Fused){ .layer = layer, .in = cpu->shapes[layer->inputs[0]], .out = cpu->shapes[number] };
    fused->g = bg_nn_geometry(layer, &fused->in, &fused->out);
    return bg_nn_fuse(&cpu->fuser, number, &fused->made, error);
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
    const dnnl_memory_desc_t *bias_desc = fused->made.bias != NULL ? &bias : NULL;
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
    if (status == dnnl_success && fused->made.rectify) {
        dnnl_post_ops_create(&post);
        dnnl_post_ops_append_eltwise(post, 1, dnnl_eltwise_relu, fused->made.slope, 0);
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
    BgNnStep step = { .layer = fused->made.last };

    input = bg_nn_plan_reorder(cpu, input, src);
    dnnl_memory_t weight = bg_nn_plan_weights(cpu, fused->made.weight, &own, wanted, error);
    if (weight == NULL || !bg_nn_fail_dnnl(dnnl_primitive_create(&step.primitive, pd), error))
        return FALSE;
    int result = bg_nn_plan_value(cpu, dst);
    bg_nn_step_arg(&step, DNNL_ARG_SRC, input, NULL);
    bg_nn_step_arg(&step, DNNL_ARG_WEIGHTS, -1, weight);
    if (fused->made.bias != NULL) {
        BgNnShape shape = { 1, { fused->out.dims[1] } };
        dnnl_memory_desc_t desc = bg_nn_desc_dense(&shape);
        dnnl_memory_t bias = bg_nn_plan_constant(cpu, &desc, error);
        if (bias == NULL) {
            dnnl_primitive_destroy(step.primitive);
            return FALSE;
        }
        memcpy(bg_nn_memory_data(bias), fused->made.bias, shape.dims[0] * sizeof(float));
        bg_nn_step_arg(&step, DNNL_ARG_BIAS, -1, bias);
    }
    bg_nn_step_arg(&step, DNNL_ARG_DST, result, NULL);
    bg_nn_step_add(cpu, &step);
    cpu->native[fused->made.last] = result;
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

    float *scratch = bg_nn_scratch(cpu, bg_nn_winograd_get_scratch(fast->winograd), error);
    if (scratch == NULL)
        return FALSE;
    bg_nn_winograd_run(fast->winograd, &fast->size,
                       bg_nn_memory_data(bg_nn_value(cpu, step->in[0])->memory),
                       bg_nn_memory_data(bg_nn_value(cpu, step->out)->memory), scratch);
    return TRUE;
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
    dnnl_status_t status = dnnl_memory_desc_init_by_tag(
        &desc, shape->rank, dims, dnnl_f32, shape->rank == 5 ? dnnl_nCdhw8c : dnnl_nChw8c);
    g_assert(status == dnnl_success);
    return desc;
}

// A step of ours, from blocks of channels to @out.
static int
add_own(BgNnCpu *cpu, const Fused *fused, int input, const dnnl_memory_desc_t *out, BgNnStep *step)
{
    dnnl_memory_desc_t in = blocked_desc(&fused->in);

    step->layer = fused->made.last;
    step->n_in = 1;
    step->in[0] = bg_nn_plan_reorder(cpu, input, &in);
    step->out = bg_nn_plan_value(cpu, out);
    bg_nn_step_add(cpu, step);
    cpu->native[fused->made.last] = step->out;
    return step->out;
}

static float
slope_of(const Fused *fused)
{
    return fused->made.rectify ? fused->made.slope : 1;
}

static gboolean
plan_fast(BgNnCpu *cpu, const Fused *fused, int input, GError **error)
{
    const BgNnGeometry *g = &fused->g;
    dnnl_memory_desc_t out = blocked_desc(&fused->out);
    BgNnWinograd *winograd = bg_nn_winograd_new(g->in_channels, g->out_channels, fused->made.weight,
                                                fused->made.bias, slope_of(fused), error);
    if (winograd == NULL)
        return FALSE;
    Fast *fast = g_new0(Fast, 1);
    *fast = (Fast){
        winograd,
        { g->n, { g->in[1], g->in[2] }, { g->out[1], g->out[2] }, { g->before[1], g->before[2] } }
    };
    cpu->constant_bytes += bg_nn_winograd_get_bytes(winograd);
    BgNnStep step = { .run = run_fast, .data = fast, .free_data = fast_free };
    add_own(cpu, fused, input, &out, &step);
    return TRUE;
}

static gboolean
run_narrow(BgNnCpu *cpu, BgNnStep *step, GError **error)
{
    bg_nn_narrow_run(step->data, bg_nn_memory_data(bg_nn_value(cpu, step->in[0])->memory),
                     bg_nn_memory_data(bg_nn_value(cpu, step->out)->memory));
    return TRUE;
}

static gboolean
can_be_narrow(const Fused *fused)
{
    return fused->layer->kind == BG_NN_CONV && (fused->in.rank == 4 || fused->in.rank == 5) &&
           bg_nn_narrow_can(&fused->g);
}

static gboolean
plan_narrow(BgNnCpu *cpu, const Fused *fused, int input, GError **error)
{
    dnnl_memory_desc_t out = bg_nn_desc_dense(&fused->out);
    BgNnNarrow *narrow =
        bg_nn_narrow_new(&fused->g, fused->made.weight, fused->made.bias, slope_of(fused), error);

    if (narrow == NULL)
        return FALSE;
    cpu->constant_bytes += bg_nn_narrow_get_bytes(narrow);
    BgNnStep step = { .run = run_narrow,
                      .data = narrow,
                      .free_data = (GDestroyNotify) bg_nn_narrow_free };
    cpu->dense[fused->made.last] = add_own(cpu, fused, input, &out, &step);
    return TRUE;
}

static gboolean
run_bfloat(BgNnCpu *cpu, BgNnStep *step, GError **error)
{
    float *scratch = bg_nn_scratch(cpu, bg_nn_bfloat_get_scratch(step->data), error);

    if (scratch == NULL)
        return FALSE;
    bg_nn_bfloat_run(step->data, bg_nn_memory_data(bg_nn_value(cpu, step->in[0])->memory),
                     bg_nn_memory_data(bg_nn_value(cpu, step->out)->memory), scratch);
    return TRUE;
}

static gboolean
can_be_bfloat(const BgNnCpu *cpu, const Fused *fused)
{
    return cpu->options.precision == BG_NN_BFLOAT16 && !cpu->options.direct &&
           fused->layer->kind == BG_NN_CONV && (fused->in.rank == 4 || fused->in.rank == 5) &&
           bg_nn_bfloat_can(&fused->g);
}

static gboolean
plan_bfloat(BgNnCpu *cpu, const Fused *fused, int input, GError **error)
{
    dnnl_memory_desc_t out = blocked_desc(&fused->out);
    BgNnBfloat *bfloat =
        bg_nn_bfloat_new(&fused->g, fused->made.weight, fused->made.bias, slope_of(fused), error);

    if (bfloat == NULL)
        return FALSE;
    cpu->constant_bytes += bg_nn_bfloat_get_bytes(bfloat);
    add_own(cpu, fused, input, &out,
            &(BgNnStep){ .run = run_bfloat,
                         .data = bfloat,
                         .free_data = (GDestroyNotify) bg_nn_bfloat_free });
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
    int input = cpu->native[fused.layer->inputs[0]];
    if (fused.layer->kind == BG_NN_CONV && fused.layer->pad_mode != BG_NN_PAD_ZERO)
        input = plan_border(cpu, number, &fused);
    ok = can_be_bfloat(cpu, &fused) ? plan_bfloat(cpu, &fused, input, error)
         : can_be_fast(cpu, &fused) ? plan_fast(cpu, &fused, input, error)
         : can_be_narrow(&fused)    ? plan_narrow(cpu, &fused, input, error)
                                    : plan_direct(cpu, &fused, input, error);
    bg_nn_fused_clear(&fused.made);
    return ok;
}
