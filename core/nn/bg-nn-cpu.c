// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-amx.h"
#include "bg-nn-cpu-private.h"
#include "bg-nn-worker.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

static dnnl_engine_t
the_engine(void) // on the worker only
{
    static dnnl_engine_t engine;

    if (engine == NULL) {
        dnnl_status_t status = dnnl_engine_create(&engine, dnnl_cpu, 0);
        g_assert(status == dnnl_success);
    }
    return engine;
}

static void
destroy_memory(gpointer memory)
{
    dnnl_memory_destroy(memory);
}

static void
clear_value(gpointer data)
{
    BgNnValue *value = data;

    if (value->memory != NULL)
        dnnl_memory_destroy(value->memory);
}

static void
clear_step(gpointer data)
{
    BgNnStep *step = data;

    if (step->primitive != NULL)
        dnnl_primitive_destroy(step->primitive);
    if (step->free_data != NULL)
        step->free_data(step->data);
}

// A result goes to the caller's own memory, by a last reorder.
static gboolean
plan_output(BgNnCpu *cpu, int index, GError **error)
{
    int layer = bg_nn_graph_get_output(cpu->graph, index), from = cpu->native[layer];
    dnnl_memory_desc_t desc = bg_nn_desc_dense(&cpu->shapes[layer]);
    dnnl_primitive_desc_t pd = NULL;
    BgNnStep step = { .layer = layer };

    if (!bg_nn_fail_dnnl(dnnl_reorder_primitive_desc_create(&pd, &bg_nn_value(cpu, from)->desc,
                                                            cpu->engine, &desc, cpu->engine, NULL),
                         error))
        return FALSE;
    dnnl_status_t status = dnnl_primitive_create(&step.primitive, pd);
    dnnl_primitive_desc_destroy(pd);
    if (!bg_nn_fail_dnnl(status, error))
        return FALSE;
    int result = bg_nn_plan_value(cpu, &desc);
    bg_nn_value(cpu, result)->external = cpu->n_inputs + index;
    bg_nn_step_arg(&step, DNNL_ARG_FROM, from, NULL);
    bg_nn_step_arg(&step, DNNL_ARG_TO, result, NULL);
    bg_nn_step_add(cpu, &step);
    return TRUE;
}

static gboolean
plan(BgNnCpu *cpu, GError **error)
{
    int n_used = 0;

    cpu->engine = the_engine();
    if (!bg_nn_fail_dnnl(dnnl_stream_create(&cpu->stream, cpu->engine, dnnl_stream_default_flags),
                         error))
        return FALSE;
    for (int i = 0; i < bg_nn_graph_count(cpu->graph); i++)
        cpu->native[i] = cpu->dense[i] = -1;
    for (int i = 0; i < bg_nn_graph_count(cpu->graph); i++) {
        const BgNnLayer *layer = bg_nn_graph_get(cpu->graph, i);
        gboolean ok = TRUE;
        if (layer->kind == BG_NN_INPUT) {
            dnnl_memory_desc_t desc = bg_nn_desc_dense(&cpu->shapes[i]);
            cpu->native[i] = cpu->dense[i] = bg_nn_plan_value(cpu, &desc);
            bg_nn_value(cpu, cpu->native[i])->external = n_used++;
        } else if (cpu->fuser.fused_into[i] >= 0) {
            continue; // done in an earlier step
        } else if (layer->kind == BG_NN_CONV || layer->kind == BG_NN_DECONV ||
                   layer->kind == BG_NN_LINEAR) {
            ok = bg_nn_plan_weighted(cpu, i, error);
        } else {
            ok = bg_nn_plan_layer(cpu, i, error);
        }
        if (!ok)
            return FALSE;
    }
    for (int k = 0; k < cpu->n_outputs; k++)
        if (!plan_output(cpu, k, error))
            return FALSE;
    return bg_nn_plan_arena(cpu, error);
}

typedef struct {
    BgNnCpu *cpu;
    BgNnTensor *const *inputs;
    BgNnTensor **outputs;
    const BgProgress *progress;
    GCancellable *cancellable;
    GError **error;
    gboolean ok;
} Run;

static void
plan_on_worker(gpointer data)
{
    Run *run = data;

    run->ok = plan(run->cpu, run->error);
}

BgNnCpu *
bg_nn_cpu_new(BgNnGraph *graph, BgNnParams *params, const BgNnShape *inputs, int n_inputs,
              const BgNnCpuOptions *options, GError **error)
{
    BgNnShape *shapes = bg_nn_graph_infer(graph, inputs, n_inputs, error);
    if (shapes == NULL)
        return NULL;
    g_autoptr(BgNnCpu) cpu = g_new0(BgNnCpu, 1);
    gsize n = (gsize) bg_nn_graph_count(graph);

    cpu->graph = bg_nn_graph_ref(graph);
    cpu->shapes = shapes;
    if (options != NULL)
        cpu->options = *options;
    cpu->n_inputs = bg_nn_graph_count_inputs(graph);
    cpu->n_outputs = bg_nn_graph_count_outputs(graph);
    cpu->kept = g_new0(BgNnTensor *, (gsize) cpu->n_outputs);
    cpu->values = g_array_new(FALSE, TRUE, sizeof(BgNnValue));
    g_array_set_clear_func(cpu->values, clear_value);
    cpu->steps = g_array_new(FALSE, TRUE, sizeof(BgNnStep));
    g_array_set_clear_func(cpu->steps, clear_step);
    cpu->constants = g_ptr_array_new_with_free_func(destroy_memory);
    cpu->buffers = g_ptr_array_new_with_free_func(bg_buffer_free);
    cpu->native = g_new0(int, n);
    cpu->dense = g_new0(int, n);
    cpu->params = bg_nn_params_copy(params, error);
    if (cpu->params == NULL)
        return NULL;
    bg_nn_fuser_init(&cpu->fuser, graph, cpu->params, shapes);
    if (!bg_nn_fuser_check(&cpu->fuser, error))
        return NULL;
    Run run = { .cpu = cpu, .error = error };
    bg_nn_worker_run(plan_on_worker, &run);
    return run.ok ? g_steal_pointer(&cpu) : NULL;
}

static void
free_on_worker(gpointer data)
{
    BgNnCpu *cpu = data;

    g_array_unref(cpu->steps);
    g_array_unref(cpu->values);
    g_ptr_array_unref(cpu->constants);
    g_ptr_array_unref(cpu->buffers);
    if (cpu->stream != NULL)
        dnnl_stream_destroy(cpu->stream);
}

void
bg_nn_cpu_free(BgNnCpu *cpu)
{
    if (cpu == NULL)
        return;
    bg_nn_worker_run(free_on_worker, cpu);
    bg_buffer_free(cpu->arena);
    bg_buffer_free(cpu->scratch);
    for (int k = 0; cpu->kept != NULL && k < cpu->n_outputs; k++)
        bg_nn_tensor_unref(cpu->kept[k]);
    g_free(cpu->kept);
    bg_nn_params_unref(cpu->params);
    g_free(cpu->native);
    g_free(cpu->dense);
    bg_nn_fuser_clear(&cpu->fuser);
    g_free(cpu->shapes);
    bg_nn_graph_unref(cpu->graph);
    g_free(cpu);
}

// ------------------------------------------------------------------------------------------------

// Inputs and outputs lie where the caller has them; so do flat views of inputs.
static void
bind_external(BgNnCpu *cpu, BgNnTensor *const *inputs, BgNnTensor **outputs)
{
    for (int i = 0; i < (int) cpu->values->len; i++) {
        BgNnValue *value = bg_nn_value(cpu, i), *owner = value;
        while (owner->same_as >= 0)
            owner = bg_nn_value(cpu, owner->same_as);
        if (owner->external < 0)
            continue;
        BgNnTensor *tensor = owner->external < cpu->n_inputs
                                 ? inputs[owner->external]
                                 : outputs[owner->external - cpu->n_inputs];
        dnnl_memory_set_data_handle(value->memory, bg_nn_tensor_data(tensor));
    }
}

static gboolean
run_step(BgNnCpu *cpu, BgNnStep *step, GError **error)
{
    dnnl_exec_arg_t args[BG_NN_STEP_ARGS];

    if (step->primitive == NULL)
        return step->run(cpu, step, error);
    for (int i = 0; i < step->n_args; i++)
        args[i] =
            (dnnl_exec_arg_t){ step->kinds[i], step->values[i] < 0
                                                   ? step->constants[i]
                                                   : bg_nn_value(cpu, step->values[i])->memory };
    return bg_nn_fail_dnnl(dnnl_primitive_execute(step->primitive, cpu->stream, step->n_args, args),
                           error);
}

// A result's tensor: the last run's when nobody has it any more: pages that were written once need
// not be cleared by the system again, which costs more than many a layer.
static BgNnTensor *
take_output(BgNnCpu *cpu, int index, GError **error)
{
    if (cpu->kept[index] != NULL && bg_nn_tensor_is_shared(cpu->kept[index]))
        g_clear_pointer(&cpu->kept[index], bg_nn_tensor_unref);
    if (cpu->kept[index] == NULL)
        cpu->kept[index] = bg_nn_tensor_new(bg_nn_cpu_get_output_shape(cpu, index), error);
    return cpu->kept[index] != NULL ? bg_nn_tensor_ref(cpu->kept[index]) : NULL;
}

static void
run_on_worker(gpointer data)
{
    Run *run = data;
    BgNnCpu *cpu = run->cpu;

    run->ok = TRUE;
    for (int k = 0; k < cpu->n_outputs && run->ok; k++) {
        run->outputs[k] = take_output(cpu, k, run->error);
        run->ok = run->outputs[k] != NULL;
    }
    if (!run->ok)
        return;
    bind_external(cpu, run->inputs, run->outputs);
    for (guint i = 0; i < cpu->steps->len && run->ok; i++) {
        run->ok = !g_cancellable_set_error_if_cancelled(run->cancellable, run->error) &&
                  run_step(cpu, &g_array_index(cpu->steps, BgNnStep, i), run->error);
        bg_progress_report(run->progress, (double) (i + 1) / (double) cpu->steps->len);
    }
    dnnl_stream_wait(cpu->stream);
}

gboolean
bg_nn_cpu_run(BgNnCpu *cpu, BgNnTensor *const *inputs, BgNnTensor **outputs,
              const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_autofree BgNnTensor **made = g_new0(BgNnTensor *, (gsize) cpu->n_outputs);
    Run run = { cpu, inputs, made, progress, cancellable, error, TRUE };

    if (!bg_nn_graph_check_inputs(cpu->graph, cpu->shapes, inputs, error))
        return FALSE;
    bg_nn_worker_run(run_on_worker, &run);
    for (int k = 0; k < cpu->n_outputs; k++) {
        if (run.ok)
            outputs[k] = made[k];
        else
            bg_nn_tensor_unref(made[k]);
    }
    return run.ok;
}

const BgNnShape *
bg_nn_cpu_get_output_shape(const BgNnCpu *cpu, int index)
{
    return &cpu->shapes[bg_nn_graph_get_output(cpu->graph, index)];
}

gboolean
bg_nn_cpu_has_bfloat(void)
{
    return bg_nn_amx_is_there();
}

double
bg_nn_cpu_get_flop(const BgNnCpu *cpu)
{
    return bg_nn_graph_count_flop(cpu->graph, cpu->shapes);
}

gsize
bg_nn_cpu_get_bytes(const BgNnCpu *cpu)
{
    return cpu->arena_bytes + cpu->constant_bytes;
}
