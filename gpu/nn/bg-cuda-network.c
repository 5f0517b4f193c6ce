// SPDX-License-Identifier: Apache-2.0
#include "gpu/nn/bg-cuda-network.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "gpu/cuda/bg-cuda-check.h"
#include "gpu/nn/bg-cuda-network-private.h"
#include "gpu/nn/bg-cudnn-check.h"

static void
clear_step(gpointer data)
{
    BgCudaStep *step = data;

    bg_cudnn_conv_free(step->conv);
    if (step->data != NULL)
        cudnnDestroyTensorDescriptor(step->data);
    if (step->param != NULL)
        cudnnDestroyTensorDescriptor(step->param);
}

static void
network_free(BgBackendNetwork *network)
{
    BgCudaNetwork *self = (BgCudaNetwork *) network;

    cudaSetDevice(self->place.device); // it is per thread
    g_array_unref(self->steps);
    for (guint i = 0; i < self->slots->len; i++)
        cudaFree(g_array_index(self->slots, BgCudaSlot, i).address);
    for (guint i = 0; i < self->constants->len; i++)
        cudaFree(g_array_index(self->constants, void *, i));
    cudaFree(self->workspace);
    cudaFree(self->staging);
    if (self->handle != NULL)
        cudnnDestroy(self->handle);
    g_array_unref(self->values);
    g_array_unref(self->slots);
    g_array_unref(self->constants);
    bg_nn_fuser_clear(&self->fuser);
    bg_nn_params_unref(self->params);
    bg_nn_graph_unref(self->graph);
    g_free(self->result);
    g_free(self->shapes);
    g_free(self);
}

// ------------------------------------------------------------------------------------------------

static gboolean
convert(BgCudaNetwork *self, BgCudaNnKind kind, const void *from, void *to, gsize count,
        GError **error)
{
    BgCudaNnCall call = { .real = bg_cuda_real(self),
                          .g = { .n = 1, .in_channels = 1, .in_space = count },
                          .in = { from },
                          .n_inputs = 1,
                          .out = to };

    return bg_cuda_check(bg_cuda_nn_run(kind, &call, self->place.stream), "conversion", error);
}

static gboolean
upload(BgCudaNetwork *self, int value, BgNnTensor *tensor, GError **error)
{
    gsize count = bg_nn_tensor_count(tensor);
    gboolean narrow = self->precision == BG_NN_BFLOAT16;
    void *to = bg_cuda_address(self, value);

    return bg_cuda_check(cudaMemcpyAsync(narrow ? self->staging : to, bg_nn_tensor_peek(tensor),
                                         count * sizeof(float), cudaMemcpyHostToDevice,
                                         self->place.stream),
                         "upload", error) &&
           (!narrow || convert(self, BG_CUDA_NN_NARROW, self->staging, to, count, error));
}

static gboolean
download(BgCudaNetwork *self, int value, BgNnTensor *tensor, GError **error)
{
    gsize count = bg_nn_tensor_count(tensor);
    gboolean narrow = self->precision == BG_NN_BFLOAT16;
    const void *from = bg_cuda_address(self, value);

    return (!narrow || convert(self, BG_CUDA_NN_WIDEN, from, self->staging, count, error)) &&
           bg_cuda_check(cudaMemcpyAsync(bg_nn_tensor_data(tensor), narrow ? self->staging : from,
                                         count * sizeof(float), cudaMemcpyDeviceToHost,
                                         self->place.stream),
                         "download", error);
}

static gboolean
run_norm(BgCudaNetwork *self, const BgCudaStep *step, GError **error)
{
    static const float one = 1.0f, zero = 0.0f;

    return bg_cudnn_check(cudnnBatchNormalizationForwardTraining(
                              self->handle, CUDNN_BATCHNORM_SPATIAL, &one, &zero, step->data,
                              bg_cuda_address(self, step->in[0]), step->data,
                              bg_cuda_address(self, step->out), step->param, step->call.scale,
                              step->call.shift, 0.0, NULL, NULL, step->eps, NULL, NULL),
                          "norm", error);
}

static gboolean
run_step(BgCudaNetwork *self, BgCudaStep *step, GError **error)
{
    gboolean finished = FALSE;

    for (int k = 0; k < step->n_in; k++)
        step->call.in[k] = bg_cuda_address(self, step->in[k]);
    step->call.out = bg_cuda_address(self, step->out);
    if (step->what == BG_CUDA_STEP_NORM)
        return run_norm(self, step, error);
    if (step->what == BG_CUDA_STEP_CONV) {
        if (!bg_cudnn_conv_run(step->conv, self->handle, step->call.in[0], step->call.out,
                               self->workspace, &finished, error))
            return FALSE;
        if (finished || !step->finishes)
            return TRUE;
    }
    return bg_cuda_check(bg_cuda_nn_run(step->kind, &step->call, self->place.stream), "layer",
                         error);
}

static gboolean
run_all(BgCudaNetwork *self, BgNnTensor *const *inputs, BgNnTensor **outputs,
        GCancellable *cancellable, GError **error)
{
    gboolean ok = bg_cuda_check(cudaSetDevice(self->place.device), "start-up", error);

    for (int i = 0; i < self->n_inputs && ok; i++)
        ok = upload(self, self->result[bg_nn_graph_get_input(self->graph, i)], inputs[i], error);
    for (guint i = 0; i < self->steps->len && ok; i++)
        ok = !g_cancellable_set_error_if_cancelled(cancellable, error) &&
             run_step(self, &g_array_index(self->steps, BgCudaStep, i), error);
    for (int k = 0; k < self->n_outputs && ok; k++) {
        int layer = bg_nn_graph_get_output(self->graph, k);
        outputs[k] = bg_nn_tensor_new(&self->shapes[layer], error);
        ok = outputs[k] != NULL && download(self, self->result[layer], outputs[k], error);
    }
    // What was queued still reads and writes the caller's tensors: waited for in any case.
    cudaError_t status = cudaStreamSynchronize(self->place.stream);
    return ok && bg_cuda_check(status, "network", error);
}

static gboolean
network_run(BgBackendNetwork *network, BgNnTensor *const *inputs, BgNnTensor **outputs,
            const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgCudaNetwork *self = (BgCudaNetwork *) network;
    g_autofree BgNnTensor **made = g_new0(BgNnTensor *, (gsize) self->n_outputs + 1);

    gboolean ok = bg_nn_graph_check_inputs(self->graph, self->shapes, inputs, error) &&
                  run_all(self, inputs, made, cancellable, error);
    for (int k = 0; k < self->n_outputs; k++) {
        if (ok)
            outputs[k] = made[k];
        else
            bg_nn_tensor_unref(made[k]);
    }
    if (ok)
        bg_progress_report(progress, 1.0);
    return ok;
}

// ------------------------------------------------------------------------------------------------

static gboolean
plan(BgCudaNetwork *self, GError **error)
{
    for (int i = 0; i < bg_nn_graph_count(self->graph); i++) {
        gsize count = bg_nn_shape_count(&self->shapes[i]);
        if (bg_nn_graph_get(self->graph, i)->kind == BG_NN_INPUT) {
            self->result[i] = bg_cuda_plan_value(self, count);
            // All are uploaded before the first step.
            bg_cuda_value(self, self->result[i])->first = 0;
            self->staging_count = MAX(self->staging_count, count);
        } else if (self->fuser.fused_into[i] < 0 && !bg_cuda_plan_layer(self, i, error)) {
            return FALSE;
        }
    }
    for (int k = 0; k < self->n_outputs; k++) {
        int layer = bg_nn_graph_get_output(self->graph, k);
        int value = self->result[layer];
        while (bg_cuda_value(self, value)->same_as >= 0)
            value = bg_cuda_value(self, value)->same_as;
        bg_cuda_value(self, value)->last = G_MAXINT;
        self->staging_count = MAX(self->staging_count, bg_nn_shape_count(&self->shapes[layer]));
    }
    return bg_cuda_plan_memory(self, error);
}

static const BgBackendNetworkOps network_ops = {
    .name = "cuda",
    .free = network_free,
    .run = network_run,
};

BgBackendNetwork *
bg_cuda_network_new(const BgCudaPlace *place, BgNnGraph *graph, BgNnParams *params,
                    const BgBackendNetworkSpec *spec, GError **error)
{
    BgNnShape *shapes = bg_nn_graph_infer(graph, spec->inputs, spec->n_inputs, error);
    if (shapes == NULL)
        return NULL;
    BgCudaNetwork *self = g_new0(BgCudaNetwork, 1);
    int n = bg_nn_graph_count(graph);

    self->parent.ops = &network_ops;
    self->place = *place;
    self->graph = bg_nn_graph_ref(graph);
    self->shapes = shapes;
    self->precision = spec->precision;
    self->n_inputs = bg_nn_graph_count_inputs(graph);
    self->n_outputs = bg_nn_graph_count_outputs(graph);
    self->values = g_array_new(FALSE, TRUE, sizeof(BgCudaValue));
    self->slots = g_array_new(FALSE, TRUE, sizeof(BgCudaSlot));
    self->steps = g_array_new(FALSE, TRUE, sizeof(BgCudaStep));
    g_array_set_clear_func(self->steps, clear_step);
    self->constants = g_array_new(FALSE, TRUE, sizeof(void *));
    self->result = g_new(int, (gsize) n);
    for (int i = 0; i < n; i++)
        self->result[i] = -1;
    self->params = bg_nn_params_copy(params, error);
    if (self->params != NULL)
        bg_nn_fuser_init(&self->fuser, graph, self->params, shapes);
    if (self->params != NULL && bg_nn_fuser_check(&self->fuser, error) &&
        bg_cuda_check(cudaSetDevice(place->device), "start-up", error) &&
        bg_cudnn_check(cudnnCreate(&self->handle), "start-up", error) &&
        bg_cudnn_check(cudnnSetStream(self->handle, place->stream), "start-up", error) &&
        plan(self, error))
        return &self->parent;
    network_free(&self->parent);
    return NULL;
}
