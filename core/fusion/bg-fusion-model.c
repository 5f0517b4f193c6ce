// SPDX-License-Identifier: Apache-2.0
#include "bg-fusion-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/learn/bg-model-store.h"
#include "core/learn/bg-networks.h"

#include <string.h>

struct _BgFusionModel {
    gatomicrefcount ref_count;
    BgNnGraph *graph;   // owned
    BgNnParams *params; // owned
    char *sha256;       // owned
    const char *name;   // of the whole network
    int n_planes;       // of its input: 3, or 1 of grey
    GMutex lock;        // of what follows
    BgEngine engine;
    BgBackendNetwork *network; // owned, nullable: for the last size and what was wanted then
    int width, height;
    guint wanted;
};

// The first layer of a stack to its rectifier.
static BgNnGraph *
first_layer_graph(gboolean small)
{
    BgNnGraph *graph = bg_nn_graph_new(small ? BG_VGG_SMALL "-first" : "vgg19-first");
    int x = bg_nn_graph_input(graph, "image", small ? 1 : 3, 2);

    x = bg_nn_graph_conv(graph, "block1_conv1", x, small ? 16 : 64, 3);
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
    g_autoptr(BgNnParams) params = bg_vgg19_params(first, error);
    return params != NULL && bg_nn_params_fill(params, whole, error) ? g_steal_pointer(&params)
                                                                     : NULL;
}

// Of our own stack all levels, or the first layer only.
static BgNnParams *
load_small(const BgNnGraph *graph, gboolean first, const char *path, BgNnWeightsInfo *info,
           const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const BgNetwork *small = bg_network_find(BG_VGG_SMALL, error);
    g_autoptr(BgNnGraph) whole_graph = small->graph();
    g_autoptr(BgNnParams) whole =
        bg_network_load(small, whole_graph, path, info, progress, cancellable, error);

    if (whole == NULL || !first)
        return g_steal_pointer(&whole);
    g_autoptr(BgNnParams) params =
        bg_nn_params_new(graph, small->inputs, 1, BG_NN_INIT_HE, 0, 0, error);
    return params != NULL && bg_nn_params_fill(params, whole, error) ? g_steal_pointer(&params)
                                                                     : NULL;
}

// Whether our own file says that it is of the small stack; whatever is wrong with it is told by who
// loads it.
static gboolean
is_small(const char *path, GCancellable *cancellable)
{
    g_autoptr(BgNnGraph) graph = bg_nn_weights_read_graph(path, cancellable, NULL);
    return graph != NULL && g_str_equal(bg_nn_graph_get_name(graph), BG_VGG_SMALL);
}

static BgNnParams *
load_stack(BgFusionModel *self, gboolean first, const char *path, BgNnWeightsInfo *info,
           const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    gboolean small = is_small(path, cancellable);

    self->name = small ? BG_VGG_SMALL : "vgg19";
    self->n_planes = small ? 1 : 3;
    self->graph = first   ? first_layer_graph(small)
                  : small ? bg_vgg_small_graph()
                          : bg_vgg19_graph();
    if (small)
        return load_small(self->graph, first, path, info, progress, cancellable, error);
    return first ? load_first_layer(self->graph, path, info, progress, cancellable, error)
                 : bg_vgg19_load(self->graph, path, info, progress, cancellable, error);
}

static BgNnParams *
load_learned(BgFusionModel *self, const char *path, BgNnWeightsInfo *info,
             const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const BgNetwork *learned = bg_network_find("funfuse", error);

    self->name = learned->name;
    self->n_planes = 1;
    self->graph = learned->graph();
    return bg_network_load(learned, self->graph, path, info, progress, cancellable, error);
}

BgFusionModel *
bg_fusion_model_load(BgFusionMethod method, const char *path, const BgProgress *progress,
                     GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(bg_fusion_method_wants_model(method), NULL);
    g_return_val_if_fail(path != NULL, NULL);

    g_autoptr(BgFusionModel) self = g_new0(BgFusionModel, 1);
    BgNnWeightsInfo info = { 0 };

    g_atomic_ref_count_init(&self->ref_count);
    g_mutex_init(&self->lock);
    self->params = method == BG_FUSION_LEARNED
                       ? load_learned(self, path, &info, progress, cancellable, error)
                       : load_stack(self, method == BG_FUSION_TWO_SCALE, path, &info, progress,
                                    cancellable, error);
    self->sha256 = g_strdup(info.sha256);
    bg_nn_weights_info_clear(&info);
    return self->params != NULL ? g_steal_pointer(&self) : NULL;
}

char *
bg_fusion_model_find(BgFusionMethod method, const char *given, gboolean *stand_in, GError **error)
{
    g_autoptr(GError) missing = NULL;

    *stand_in = FALSE;
    if (given != NULL)
        return bg_model_store_resolve(given, error);
    if (method == BG_FUSION_LEARNED)
        return bg_model_store_find("fusion", error);
    char *path = bg_model_store_find("vgg19", &missing);
    if (path != NULL)
        return path;
    path = bg_model_store_find(BG_VGG_SMALL, NULL);
    *stand_in = path != NULL;
    if (path == NULL)
        g_propagate_error(error, g_steal_pointer(&missing));
    return path;
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
    g_clear_pointer(&model->network, bg_backend_network_free);
    g_clear_pointer(&model->params, bg_nn_params_unref);
    g_clear_pointer(&model->graph, bg_nn_graph_unref);
    g_free(model->sha256);
    g_mutex_clear(&model->lock);
    g_free(model);
}

void
bg_fusion_model_set_engine(BgFusionModel *model, const BgEngine *engine)
{
    g_mutex_lock(&model->lock);
    g_clear_pointer(&model->network, bg_backend_network_free);
    model->engine = *engine;
    g_mutex_unlock(&model->lock);
}

const char *
bg_fusion_model_get_backend(BgFusionModel *model)
{
    g_mutex_lock(&model->lock);
    const char *name = model->network != NULL ? bg_backend_network_get_name(model->network) : "cpu";
    g_mutex_unlock(&model->lock);
    return name;
}

const char *
bg_fusion_model_get_sha256(const BgFusionModel *model)
{
    return model->sha256;
}

const char *
bg_fusion_model_get_name(const BgFusionModel *model)
{
    return model->name;
}

// Inputs of one size; the executor is kept for the next of that size. Outputs that nobody wants are not
// made: what need not be kept is computed in place.
static gboolean
run(BgFusionModel *model, BgNnTensor *const *inputs, int n_inputs, guint wanted, int width,
    int height, BgNnTensor **outputs, GCancellable *cancellable, GError **error)
{
    BgNnShape shapes[2] = { *bg_nn_tensor_get_shape(inputs[0]) };
    gboolean ok = TRUE;

    shapes[1] = shapes[0];
    g_mutex_lock(&model->lock);
    if (model->network == NULL || model->width != width || model->height != height ||
        model->wanted != wanted) {
        g_autoptr(BgNnGraph) graph = bg_nn_graph_select(model->graph, wanted);
        g_clear_pointer(&model->network, bg_backend_network_free);
        model->network =
            bg_engine_network(&model->engine, graph, model->params, shapes, n_inputs, error);
        model->wanted = wanted;
        model->width = width;
        model->height = height;
        ok = model->network != NULL;
    }
    ok = ok && bg_backend_network_run(model->network, inputs, outputs, NULL, cancellable, error);
    g_mutex_unlock(&model->lock);
    return ok;
}

gboolean
bg_fusion_model_run(BgFusionModel *model, const float *grey, BgVgg19Input input, guint wanted,
                    int width, int height, BgNnTensor **outputs, GCancellable *cancellable,
                    GError **error)
{
    gsize n = (gsize) width * (gsize) height, n_planes = (gsize) model->n_planes;
    BgNnShape shape = bg_nn_shape(1, n_planes, 2, 1, (gsize) height, (gsize) width);
    g_autoptr(BgNnTensor) tensor = bg_nn_tensor_new(&shape, error);

    if (tensor == NULL)
        return FALSE;
    float *planes = bg_nn_tensor_data(tensor);
    for (gsize c = 0; c < n_planes; c++)
        memcpy(planes + c * n, grey, n * sizeof(float));
    if (n_planes == 3)
        bg_vgg19_normalise(planes, n, input);
    return run(model, &tensor, 1, wanted, width, height, outputs, cancellable, error);
}

gboolean
bg_fusion_model_run_pair(BgFusionModel *model, const float *a, const float *b, int width,
                         int height, BgNnTensor **output, GCancellable *cancellable, GError **error)
{
    BgNnShape shape = bg_nn_shape(1, 1, 2, 1, (gsize) height, (gsize) width);
    g_autoptr(BgNnTensor) first = bg_nn_tensor_new_copy(&shape, a, error);
    g_autoptr(BgNnTensor) second = first != NULL ? bg_nn_tensor_new_copy(&shape, b, error) : NULL;
    BgNnTensor *inputs[2] = { first, second };

    return second != NULL && run(model, inputs, 2, 1, width, height, output, cancellable, error);
}

BgNnTape32 *
bg_fusion_model_tape(BgFusionModel *model, int width, int height, GError **error)
{
    BgNnShape shape = bg_nn_shape(1, 1, 2, 1, (gsize) height, (gsize) width);
    BgNnShape shapes[2] = { shape, shape };

    return bg_nn_tape32_new(model->graph, model->params, shapes, 2, error);
}
