// SPDX-License-Identifier: Apache-2.0
#include "bg-fusion-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/learn/bg-networks.h"

#include <string.h>

struct _BgFusionModel {
    gatomicrefcount ref_count;
    BgNnGraph *graph;   // owned
    BgNnParams *params; // owned
    char *sha256;       // owned
    GMutex lock;        // of what follows
    BgNnCpu *cpu;       // owned, nullable: for the last size
    int width, height;
};

// VGG-19 to its first rectifier.
static BgNnGraph *
first_layer_graph(void)
{
    BgNnGraph *graph = bg_nn_graph_new("vgg19-first");
    int x = bg_nn_graph_input(graph, "image", 3, 2);

    x = bg_nn_graph_conv(graph, "block1_conv1", x, 64, 3);
    x = bg_nn_graph_unary(graph, BG_NN_RELU, "block1_relu1", x);
    bg_nn_graph_add_output(graph, x);
    return graph;
}

// Of a whole network's weights the first layer's: what was imported is vouched for as a whole. A file
// with that layer only will do, too.
static BgNnParams *
load_first_layer(const BgNnGraph *first, const char *path, BgNnWeightsInfo *info,
                 const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgNnGraph) graph = bg_vgg19_graph();
    g_autoptr(GError) whole_error = NULL;
    g_autoptr(BgNnParams) whole =
        bg_vgg19_load(graph, path, info, progress, cancellable, &whole_error);

    if (whole == NULL && g_error_matches(whole_error, BG_ERROR, BG_ERROR_MISMATCH))
        return bg_vgg19_load(first, path, info, progress, cancellable, error);
    if (whole == NULL) {
        g_propagate_error(error, g_steal_pointer(&whole_error));
        return NULL;
    }
    BgNnParams *params = bg_vgg19_params(first, error);
    for (int i = 0; params != NULL && i < bg_nn_params_count(params); i++) {
        int from = bg_nn_params_find(whole, bg_nn_params_get_name(params, i));
        BgNnTensor *to = bg_nn_params_get(params, i);
        memcpy(bg_nn_tensor_data(to), bg_nn_tensor_peek(bg_nn_params_get(whole, from)),
               bg_nn_tensor_count(to) * sizeof(float));
    }
    return params;
}

BgFusionModel *
bg_fusion_model_load(BgFusionMethod method, const char *path, const BgProgress *progress,
                     GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(bg_fusion_method_wants_model(method), NULL);
    g_return_val_if_fail(path != NULL, NULL);

    BgNnWeightsInfo info = { 0 };
    const BgNetwork *learned =
        method == BG_FUSION_LEARNED ? bg_network_find("funfuse", error) : NULL;
    g_autoptr(BgNnGraph) graph = learned != NULL                 ? learned->graph()
                                 : method == BG_FUSION_TWO_SCALE ? first_layer_graph()
                                                                 : bg_vgg19_graph();
    BgNnParams *params =
        learned != NULL ? bg_network_load(learned, graph, path, &info, progress, cancellable, error)
        : method == BG_FUSION_TWO_SCALE
            ? load_first_layer(graph, path, &info, progress, cancellable, error)
            : bg_vgg19_load(graph, path, &info, progress, cancellable, error);
    if (params == NULL) {
        bg_nn_weights_info_clear(&info);
        return NULL;
    }

    BgFusionModel *self = g_new0(BgFusionModel, 1);
    g_atomic_ref_count_init(&self->ref_count);
    g_mutex_init(&self->lock);
    self->graph = g_steal_pointer(&graph);
    self->params = params;
    self->sha256 = g_strdup(info.sha256);
    bg_nn_weights_info_clear(&info);
    return self;
}

BgFusionModel *
bg_fusion_model_ref(BgFusionModel *model)
{
    g_atomic_ref_count_inc(&model->ref_count);
    return model;
}

void
bg_fusion_model_unref(BgFusionModel *model)
{
    if (model == NULL || !g_atomic_ref_count_dec(&model->ref_count))
        return;
    g_clear_pointer(&model->cpu, bg_nn_cpu_free);
    bg_nn_params_unref(model->params);
    bg_nn_graph_unref(model->graph);
    g_free(model->sha256);
    g_mutex_clear(&model->lock);
    g_free(model);
}

const char *
bg_fusion_model_get_sha256(const BgFusionModel *model)
{
    return model->sha256;
}

int
bg_fusion_model_count_outputs(const BgFusionModel *model)
{
    return bg_nn_graph_count_outputs(model->graph);
}

// Inputs of one size; the executor is kept for the next of that size.
static gboolean
run(BgFusionModel *model, BgNnTensor *const *inputs, int n_inputs, int width, int height,
    BgNnTensor **outputs, GCancellable *cancellable, GError **error)
{
    BgNnShape shapes[2] = { *bg_nn_tensor_get_shape(inputs[0]) };
    gboolean ok = TRUE;

    shapes[1] = shapes[0];
    g_mutex_lock(&model->lock);
    if (model->cpu == NULL || model->width != width || model->height != height) {
        g_clear_pointer(&model->cpu, bg_nn_cpu_free);
        model->cpu = bg_nn_cpu_new(model->graph, model->params, shapes, n_inputs, NULL, error);
        model->width = width;
        model->height = height;
        ok = model->cpu != NULL;
    }
    ok = ok && bg_nn_cpu_run(model->cpu, inputs, outputs, NULL, cancellable, error);
    g_mutex_unlock(&model->lock);
    return ok;
}

gboolean
bg_fusion_model_run(BgFusionModel *model, const float *planes, int width, int height,
                    BgNnTensor **outputs, GCancellable *cancellable, GError **error)
{
    BgNnShape shape = bg_nn_shape(1, 3, 2, 1, (gsize) height, (gsize) width);
    g_autoptr(BgNnTensor) input = bg_nn_tensor_new_copy(&shape, planes, error);

    return input != NULL && run(model, &input, 1, width, height, outputs, cancellable, error);
}

gboolean
bg_fusion_model_run_pair(BgFusionModel *model, const float *a, const float *b, int width,
                         int height, BgNnTensor **output, GCancellable *cancellable, GError **error)
{
    BgNnShape shape = bg_nn_shape(1, 1, 2, 1, (gsize) height, (gsize) width);
    g_autoptr(BgNnTensor) first = bg_nn_tensor_new_copy(&shape, a, error);
    g_autoptr(BgNnTensor) second = first != NULL ? bg_nn_tensor_new_copy(&shape, b, error) : NULL;
    BgNnTensor *inputs[2] = { first, second };

    return second != NULL && run(model, inputs, 2, width, height, output, cancellable, error);
}

BgNnTape32 *
bg_fusion_model_tape(BgFusionModel *model, int width, int height, GError **error)
{
    BgNnShape shape = bg_nn_shape(1, 1, 2, 1, (gsize) height, (gsize) width);
    BgNnShape shapes[2] = { shape, shape };

    return bg_nn_tape32_new(model->graph, model->params, shapes, 2, error);
}
