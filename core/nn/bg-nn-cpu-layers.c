// SPDX-License-Identifier: Apache-2.0
// All layers of the CPU executor but convolutions: oneDNN's where it has them, else plain loops.
#include "bg-nn-cpu-private.h"

#include <string.h>

// Finishes a step whose primitive descriptor is `pd` (taken): result of layer `number`.
static gboolean
finish(BgNnCpu *cpu, int number, BgNnStep *step, dnnl_primitive_desc_t pd)
{
    const dnnl_memory_desc_t *dst = dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
    dnnl_status_t status = dnnl_primitive_create(&step->primitive, pd);

    if (status == dnnl_success) {
        int result = bg_nn_plan_value(cpu, dst);
        bg_nn_step_arg(step, DNNL_ARG_DST, result, NULL);
        bg_nn_step_add(cpu, step);
        cpu->native[number] = result;
    }
    dnnl_primitive_desc_destroy(pd);
    return status == dnnl_success;
}

static dnnl_memory_desc_t *
desc_of(const BgNnCpu *cpu, int value)
{
    return &bg_nn_value(cpu, value)->desc;
}

static gboolean
plan_eltwise(BgNnCpu *cpu, int number, dnnl_alg_kind_t alg, float alpha)
{
    int input = cpu->native[bg_nn_graph_get(cpu->graph, number)->inputs[0]];
    dnnl_eltwise_desc_t op;
    dnnl_primitive_desc_t pd = NULL;
    BgNnStep step = { .layer = number };

    if (dnnl_eltwise_forward_desc_init(&op, dnnl_forward_inference, alg, desc_of(cpu, input), alpha,
                                       0) != dnnl_success ||
        dnnl_primitive_desc_create(&pd, &op, NULL, cpu->engine, NULL) != dnnl_success)
        return FALSE;
    bg_nn_step_arg(&step, DNNL_ARG_SRC, input, NULL);
    return finish(cpu, number, &step, pd);
}

static gboolean
plan_softmax(BgNnCpu *cpu, int number)
{
    int input = cpu->native[bg_nn_graph_get(cpu->graph, number)->inputs[0]];
    dnnl_softmax_desc_t op;
    dnnl_primitive_desc_t pd = NULL;
    BgNnStep step = { .layer = number };

    if (dnnl_softmax_forward_desc_init(&op, dnnl_forward_inference, desc_of(cpu, input), 1) !=
            dnnl_success ||
        dnnl_primitive_desc_create(&pd, &op, NULL, cpu->engine, NULL) != dnnl_success)
        return FALSE;
    bg_nn_step_arg(&step, DNNL_ARG_SRC, input, NULL);
    return finish(cpu, number, &step, pd);
}

static gboolean
plan_pool(BgNnCpu *cpu, int number)
{
    const BgNnLayer *layer = bg_nn_graph_get(cpu->graph, number);
    int input = cpu->native[layer->inputs[0]], space = cpu->shapes[number].rank - 2;
    dnnl_alg_kind_t alg = layer->kind == BG_NN_MAX_POOL ? dnnl_pooling_max
                          : layer->count_outside        ? dnnl_pooling_avg_include_padding
                                                        : dnnl_pooling_avg_exclude_padding;
    dnnl_memory_desc_t dst = bg_nn_desc_dense(&cpu->shapes[number]);
    dnnl_dims_t strides = { 0 }, kernel = { 0 }, before = { 0 }, after = { 0 };
    dnnl_pooling_desc_t op;
    dnnl_primitive_desc_t pd = NULL;
    BgNnStep step = { .layer = number };

    for (int k = 0; k < space; k++) {
        if (layer->dilation[k] > 1)
            return FALSE;
        strides[k] = MAX(layer->stride[k], 1);
        kernel[k] = layer->kernel[k];
        before[k] = layer->before[k];
        after[k] = layer->after[k];
    }
    dst.format_kind = dnnl_format_kind_any;
    if (dnnl_pooling_forward_desc_init(&op, dnnl_forward_inference, alg, desc_of(cpu, input), &dst,
                                       strides, kernel, before, after) != dnnl_success ||
        dnnl_primitive_desc_create(&pd, &op, NULL, cpu->engine, NULL) != dnnl_success)
        return FALSE;
    bg_nn_step_arg(&step, DNNL_ARG_SRC, input, NULL);
    return finish(cpu, number, &step, pd);
}

static gboolean
plan_concat(BgNnCpu *cpu, int number)
{
    const BgNnLayer *layer = bg_nn_graph_get(cpu->graph, number);
    dnnl_memory_desc_t descs[BG_NN_MAX_INPUTS];
    dnnl_primitive_desc_t pd = NULL;
    BgNnStep step = { .layer = number };

    for (int i = 0; i < layer->n_inputs; i++)
        descs[i] = *desc_of(cpu, cpu->native[layer->inputs[i]]);
    if (dnnl_concat_primitive_desc_create(&pd, NULL, layer->n_inputs, 1, descs, NULL,
                                          cpu->engine) != dnnl_success)
        return FALSE;
    for (int i = 0; i < layer->n_inputs; i++)
        bg_nn_step_arg(&step, DNNL_ARG_MULTIPLE_SRC + i, cpu->native[layer->inputs[i]], NULL);
    return finish(cpu, number, &step, pd);
}

static gboolean
plan_sum(BgNnCpu *cpu, int number)
{
    const BgNnLayer *layer = bg_nn_graph_get(cpu->graph, number);
    dnnl_memory_desc_t descs[BG_NN_MAX_INPUTS];
    float scales[BG_NN_MAX_INPUTS];
    dnnl_primitive_desc_t pd = NULL;
    BgNnStep step = { .layer = number };

    for (int i = 0; i < layer->n_inputs; i++) {
        descs[i] = *desc_of(cpu, cpu->native[layer->inputs[i]]);
        scales[i] = layer->scale == 0 ? 1 : (float) layer->scale;
    }
    if (dnnl_sum_primitive_desc_create(&pd, NULL, layer->n_inputs, scales, descs, NULL,
                                       cpu->engine) != dnnl_success)
        return FALSE;
    for (int i = 0; i < layer->n_inputs; i++)
        bg_nn_step_arg(&step, DNNL_ARG_MULTIPLE_SRC + i, cpu->native[layer->inputs[i]], NULL);
    return finish(cpu, number, &step, pd);
}

static gboolean
plan_upsample(BgNnCpu *cpu, int number)
{
    const BgNnLayer *layer = bg_nn_graph_get(cpu->graph, number);
    int input = cpu->native[layer->inputs[0]];
    dnnl_memory_desc_t dst = bg_nn_desc_dense(&cpu->shapes[number]);
    dnnl_resampling_desc_t op;
    dnnl_primitive_desc_t pd = NULL;
    BgNnStep step = { .layer = number };

    if (cpu->shapes[number].rank < 3)
        return FALSE;
    dst.format_kind = dnnl_format_kind_any;
    if (dnnl_resampling_forward_desc_init(&op, dnnl_forward_inference,
                                          layer->bilinear ? dnnl_resampling_linear
                                                          : dnnl_resampling_nearest,
                                          NULL, desc_of(cpu, input), &dst) != dnnl_success ||
        dnnl_primitive_desc_create(&pd, &op, NULL, cpu->engine, NULL) != dnnl_success)
        return FALSE;
    bg_nn_step_arg(&step, DNNL_ARG_SRC, input, NULL);
    return finish(cpu, number, &step, pd);
}

static dnnl_memory_t
vector_constant(BgNnCpu *cpu, const BgNnLayer *layer, BgNnRole role, gsize count, float otherwise)
{
    int index = bg_nn_params_find_role(cpu->params, layer->name, role);
    BgNnShape shape = { 1, { count } };
    dnnl_memory_desc_t desc = bg_nn_desc_dense(&shape);
    dnnl_memory_t memory = bg_nn_plan_constant(cpu, &desc, NULL);

    if (memory == NULL)
        return NULL;
    for (gsize i = 0; i < count; i++)
        bg_nn_memory_data(memory)[i] =
            index < 0 ? otherwise : bg_nn_tensor_peek(bg_nn_params_get(cpu->params, index))[i];
    return memory;
}

// Batch norms; instance norms of one picture are those by the batch's statistics.
static gboolean
plan_norm(BgNnCpu *cpu, int number)
{
    const BgNnLayer *layer = bg_nn_graph_get(cpu->graph, number);
    const BgNnShape *shape = &cpu->shapes[number];
    gboolean batch = layer->kind == BG_NN_INSTANCE_NORM || layer->norm == BG_NN_NORM_BATCH;
    int input = cpu->native[layer->inputs[0]];
    unsigned flags = dnnl_use_scale | dnnl_use_shift | (batch ? 0 : dnnl_use_global_stats);
    dnnl_batch_normalization_desc_t op;
    dnnl_primitive_desc_t pd = NULL;
    BgNnStep step = { .layer = number };

    if (shape->rank < 4 || (layer->kind == BG_NN_INSTANCE_NORM && shape->dims[0] != 1) ||
        dnnl_batch_normalization_forward_desc_init(&op, dnnl_forward_inference, desc_of(cpu, input),
                                                   (float) layer->eps, flags) != dnnl_success ||
        dnnl_primitive_desc_create(&pd, &op, NULL, cpu->engine, NULL) != dnnl_success)
        return FALSE;
    const struct {
        int arg;
        BgNnRole role;
        float otherwise;
    } constants[] = { { DNNL_ARG_SCALE, BG_NN_ROLE_WEIGHT, 1 },
                      { DNNL_ARG_SHIFT, BG_NN_ROLE_BIAS, 0 },
                      { DNNL_ARG_MEAN, BG_NN_ROLE_MEAN, 0 },
                      { DNNL_ARG_VARIANCE, BG_NN_ROLE_VARIANCE, 1 } };
    bg_nn_step_arg(&step, DNNL_ARG_SRC, input, NULL);
    for (gsize i = 0; i < (batch ? 2 : 4); i++) {
        dnnl_memory_t memory =
            vector_constant(cpu, layer, constants[i].role, shape->dims[1], constants[i].otherwise);
        if (memory == NULL) {
            dnnl_primitive_desc_destroy(pd);
            return FALSE;
        }
        bg_nn_step_arg(&step, constants[i].arg, -1, memory);
    }
    return finish(cpu, number, &step, pd);
}

static gboolean
plan_prelu(BgNnCpu *cpu, int number)
{
    const BgNnLayer *layer = bg_nn_graph_get(cpu->graph, number);
    int input = cpu->native[layer->inputs[0]];
    int index = bg_nn_params_find_role(cpu->params, layer->name, BG_NN_ROLE_SLOPE);
    BgNnTensor *slopes = bg_nn_params_get(cpu->params, index);
    BgNnShape shape = { .rank = cpu->shapes[number].rank };
    dnnl_prelu_desc_t op;
    dnnl_primitive_desc_t pd = NULL;
    BgNnStep step = { .layer = number };

    if (layer->shared)
        return plan_eltwise(cpu, number, dnnl_eltwise_relu, bg_nn_tensor_peek(slopes)[0]);
    for (int k = 0; k < shape.rank; k++)
        shape.dims[k] = k == 1 ? bg_nn_tensor_count(slopes) : 1;
    dnnl_memory_desc_t own = bg_nn_desc_dense(&shape), any = own;
    any.format_kind = dnnl_format_kind_any;
    if (dnnl_prelu_forward_desc_init(&op, dnnl_forward_inference, desc_of(cpu, input), &any) !=
            dnnl_success ||
        dnnl_primitive_desc_create(&pd, &op, NULL, cpu->engine, NULL) != dnnl_success)
        return FALSE;
    dnnl_memory_t weights =
        bg_nn_plan_weights(cpu, bg_nn_tensor_peek(slopes), &own,
                           dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0), NULL);
    if (weights == NULL) {
        dnnl_primitive_desc_destroy(pd);
        return FALSE;
    }
    bg_nn_step_arg(&step, DNNL_ARG_SRC, input, NULL);
    bg_nn_step_arg(&step, DNNL_ARG_WEIGHTS, -1, weights);
    return finish(cpu, number, &step, pd);
}

static gboolean
plan_binary(BgNnCpu *cpu, int number, dnnl_alg_kind_t alg)
{
    const BgNnLayer *layer = bg_nn_graph_get(cpu->graph, number);
    int a = cpu->native[layer->inputs[0]];
    dnnl_memory_desc_t dst = bg_nn_desc_dense(&cpu->shapes[number]);
    dnnl_binary_desc_t op;
    dnnl_primitive_desc_t pd = NULL;
    BgNnStep step = { .layer = number };

    if (layer->n_inputs != 2)
        return FALSE;
    int b = bg_nn_plan_reorder(cpu, cpu->native[layer->inputs[1]], desc_of(cpu, a));
    dst.format_kind = dnnl_format_kind_any;
    if (dnnl_binary_desc_init(&op, alg, desc_of(cpu, a), desc_of(cpu, b), &dst) != dnnl_success ||
        dnnl_primitive_desc_create(&pd, &op, NULL, cpu->engine, NULL) != dnnl_success)
        return FALSE;
    bg_nn_step_arg(&step, DNNL_ARG_SRC_0, a, NULL);
    bg_nn_step_arg(&step, DNNL_ARG_SRC_1, b, NULL);
    return finish(cpu, number, &step, pd);
}

// ------------------------------------------------------------------------------------------------

static gboolean
run_plain(BgNnCpu *cpu, BgNnStep *step, GError **error)
{
    BgNnCall32 *call = step->data;

    for (int i = 0; i < step->n_in; i++)
        call->in[i] = bg_nn_memory_data(bg_nn_value(cpu, step->in[i])->memory);
    call->out = bg_nn_memory_data(bg_nn_value(cpu, step->out)->memory);
    return bg_nn_forward_f32(call, error);
}

gboolean
bg_nn_plan_plain(BgNnCpu *cpu, int number, GError **error)
{
    const BgNnLayer *layer = bg_nn_graph_get(cpu->graph, number);
    const BgNnShape *in = &cpu->shapes[layer->inputs[0]];
    BgNnParamInfo infos[BG_NN_MAX_LAYER_PARAMS];
    BgNnCall32 *call = g_new0(BgNnCall32, 1);
    BgNnStep step = { .layer = number,
                      .run = run_plain,
                      .n_in = layer->n_inputs,
                      .data = call,
                      .free_data = g_free };
    int n = bg_nn_layer_list_params(layer, in, infos);

    call->layer = layer;
    call->g = bg_nn_geometry(layer, in, &cpu->shapes[number]);
    call->n_inputs = layer->n_inputs;
    for (int k = 0; k < n; k++) {
        int index = bg_nn_params_find_role(cpu->params, layer->name, infos[k].role);
        call->param[k] = bg_nn_tensor_data(bg_nn_params_get(cpu->params, index));
    }
    for (int k = 0; k < layer->n_inputs; k++) {
        call->channels[k] = cpu->shapes[layer->inputs[k]].dims[1];
        step.in[k] = bg_nn_plan_dense(cpu, layer->inputs[k]);
    }
    dnnl_memory_desc_t desc = bg_nn_desc_dense(&cpu->shapes[number]);
    step.out = bg_nn_plan_value(cpu, &desc);
    bg_nn_step_add(cpu, &step);
    cpu->native[number] = cpu->dense[number] = step.out;
    return TRUE;
}

// The same memory with other dimensions.
static void
plan_view(BgNnCpu *cpu, int number)
{
    int input = bg_nn_plan_dense(cpu, bg_nn_graph_get(cpu->graph, number)->inputs[0]);
    dnnl_memory_desc_t desc = bg_nn_desc_dense(&cpu->shapes[number]);
    int view = bg_nn_plan_value(cpu, &desc);

    bg_nn_value(cpu, view)->same_as = input;
    cpu->native[number] = cpu->dense[number] = view;
}

gboolean
bg_nn_plan_layer(BgNnCpu *cpu, int number, GError **error)
{
    const BgNnLayer *layer = bg_nn_graph_get(cpu->graph, number);
    gboolean done = FALSE;

    switch (layer->kind) {
    case BG_NN_RELU:
        done = plan_eltwise(cpu, number, dnnl_eltwise_relu, 0);
        break;
    case BG_NN_LEAKY_RELU:
        done = plan_eltwise(cpu, number, dnnl_eltwise_relu, (float) layer->slope);
        break;
    case BG_NN_SIGMOID:
        done = plan_eltwise(cpu, number, dnnl_eltwise_logistic, 0);
        break;
    case BG_NN_TANH:
        done = plan_eltwise(cpu, number, dnnl_eltwise_tanh, 0);
        break;
    case BG_NN_SOFTMAX:
        done = plan_softmax(cpu, number);
        break;
    case BG_NN_MAX_POOL:
    case BG_NN_AVG_POOL:
        done = plan_pool(cpu, number);
        break;
    case BG_NN_CONCAT:
        done = plan_concat(cpu, number);
        break;
    case BG_NN_ADD:
        done = plan_sum(cpu, number);
        break;
    case BG_NN_MULTIPLY:
        done = plan_binary(cpu, number, dnnl_binary_mul);
        break;
    case BG_NN_MAXIMUM:
        done = plan_binary(cpu, number, dnnl_binary_max);
        break;
    case BG_NN_BATCH_NORM:
    case BG_NN_INSTANCE_NORM:
        done = plan_norm(cpu, number);
        break;
    case BG_NN_PRELU:
        done = plan_prelu(cpu, number);
        break;
    case BG_NN_UPSAMPLE:
        done = plan_upsample(cpu, number);
        break;
    case BG_NN_DROPOUT:
        cpu->native[number] = cpu->native[layer->inputs[0]];
        cpu->dense[number] = cpu->dense[layer->inputs[0]];
        return TRUE;
    case BG_NN_RESHAPE:
        plan_view(cpu, number);
        return TRUE;
    default:
        break;
    }
    return done || bg_nn_plan_plain(cpu, number, error);
}
