// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-tiles.h"
#include "bg-nn-geometry.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

/** Field: how a layer sees the input: pixels of it between two of its own, and how far it reaches */
typedef struct {
    double jump[3], reach[3];
} Field;

static gboolean
needs_all(const BgNnLayer *layer)
{
    return layer->kind == BG_NN_INSTANCE_NORM || layer->kind == BG_NN_LINEAR ||
           layer->kind == BG_NN_RESHAPE || layer->kind == BG_NN_TILE || layer->kind == BG_NN_CROP ||
           layer->kind == BG_NN_PAD ||
           (layer->kind == BG_NN_BATCH_NORM && layer->norm == BG_NN_NORM_BATCH);
}

static void
see_through(const BgNnLayer *layer, const BgNnGeometry *g, int axis, Field *field)
{
    double jump = field->jump[axis], extent = (double) g->dilation[axis] * (g->kernel[axis] - 1);
    double stride = g->stride[axis];

    switch (layer->kind) {
    case BG_NN_CONV:
    case BG_NN_MAX_POOL:
    case BG_NN_AVG_POOL:
        field->reach[axis] += jump * MAX((double) g->before[axis], extent - g->before[axis]);
        field->jump[axis] = jump * stride;
        break;
    case BG_NN_DECONV:
        field->reach[axis] += jump * (ceil((extent + 1) / stride) + 1);
        field->jump[axis] = jump / stride;
        break;
    case BG_NN_UPSAMPLE:
        field->reach[axis] += jump * (layer->bilinear ? 2 : 1);
        field->jump[axis] = jump / stride;
        break;
    default:
        break;
    }
}

gboolean
bg_nn_reach(const BgNnGraph *graph, const BgNnShape *inputs, int n_inputs, BgNnReach *reach,
            GError **error)
{
    g_autofree BgNnShape *shapes = bg_nn_graph_infer(graph, inputs, n_inputs, error);
    int n = bg_nn_graph_count(graph);
    g_autofree Field *fields = g_new0(Field, (gsize) n);

    if (shapes == NULL)
        return FALSE;
    *reach = (BgNnReach){ .multiple = { 1, 1, 1 } };
    for (int i = 0; i < n; i++) {
        const BgNnLayer *layer = bg_nn_graph_get(graph, i);
        fields[i] = (Field){ { 1, 1, 1 }, { 0, 0, 0 } };
        if (layer->n_inputs == 0)
            continue;
        fields[i] = fields[layer->inputs[0]];
        for (int k = 1; k < layer->n_inputs; k++)
            for (int axis = 0; axis < 3; axis++)
                fields[i].reach[axis] =
                    MAX(fields[i].reach[axis], fields[layer->inputs[k]].reach[axis]);
        BgNnGeometry g = bg_nn_geometry(layer, &shapes[layer->inputs[0]], &shapes[i]);
        reach->global |= needs_all(layer);
        for (int axis = 0; axis < 3; axis++) {
            see_through(layer, &g, axis, &fields[i]);
            reach->multiple[axis] = MAX(reach->multiple[axis], (gsize) ceil(fields[i].jump[axis]));
        }
    }
    for (int k = 0; k < bg_nn_graph_count_outputs(graph); k++)
        for (int axis = 0; axis < 3; axis++)
            reach->halo[axis] =
                MAX(reach->halo[axis],
                    (gsize) ceil(fields[bg_nn_graph_get_output(graph, k)].reach[axis]));
    return TRUE;
}

// ------------------------------------------------------------------------------------------------

/** Tiling: space has three axes here; those that are not there have one pixel */
typedef struct {
    BgNnGraph *graph; // borrowed
    int n_inputs, n_outputs, n_space;
    gsize size[3], tile[3], halo[3], window[3], n_tiles[3];
    const BgNnTileRun *run;
    BgNnTensor **in; // owned, of the window
} Tiling;

static gsize
round_up(gsize value, gsize multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

static void
measure(Tiling *t, const BgNnShape *shape, const BgNnReach *reach, const gsize tile[3])
{
    t->n_space = shape->rank - 2;
    for (int axis = 0; axis < 3; axis++) {
        int k = axis - (3 - t->n_space);
        gsize multiple = reach->multiple[axis], size = k < 0 ? 1 : shape->dims[2 + k];
        gsize wanted = k < 0 || tile[k] == 0 ? size : MIN(round_up(tile[k], multiple), size);
        t->size[axis] = size;
        t->halo[axis] = round_up(reach->halo[axis], multiple);
        t->tile[axis] = wanted;
        t->window[axis] = MIN(wanted + 2 * t->halo[axis], size);
        // Windows at the far border begin at size - window: where that is not aligned, all at once.
        if (t->window[axis] < size && (size - t->window[axis]) % multiple != 0)
            t->tile[axis] = t->window[axis] = size;
        t->n_tiles[axis] = (size + t->tile[axis] - 1) / t->tile[axis];
    }
}

static gboolean
refuse(const char *reason, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                // Translators: the reason is a sentence without a full stop
                _("The network cannot run in tiles: %s. Run it over the whole, or over less"),
                reason);
    return FALSE;
}

static gboolean
check_sizes(const Tiling *t, const BgNnShape *shapes, BgNnTensor *const *inputs, GError **error)
{
    const BgNnShape *first = bg_nn_tensor_get_shape(inputs[0]);

    for (int i = 0; i < t->n_inputs + t->n_outputs; i++) {
        const BgNnShape *shape = i < t->n_inputs
                                     ? bg_nn_tensor_get_shape(inputs[i])
                                     : &shapes[bg_nn_graph_get_output(t->graph, i - t->n_inputs)];
        gboolean same = shape->rank == first->rank && shape->dims[0] == first->dims[0];
        for (int k = 2; same && k < shape->rank; k++)
            same = shape->dims[k] == first->dims[k];
        if (!same)
            return refuse(_("what goes in and what comes out have different sizes"), error);
    }
    return TRUE;
}

// Copies a block of all planes: of `part`'s size, between places in two arrays.
typedef struct {
    float *to;
    const float *from;
    gsize planes;
    gsize to_size[3], from_size[3], to_at[3], from_at[3], part[3];
} Block;

static void
copy_block(const Block *b)
{
    for (gsize plane = 0; plane < b->planes; plane++)
        for (gsize z = 0; z < b->part[0]; z++)
            for (gsize y = 0; y < b->part[1]; y++) {
                gsize to =
                    ((plane * b->to_size[0] + b->to_at[0] + z) * b->to_size[1] + b->to_at[1] + y) *
                        b->to_size[2] +
                    b->to_at[2];
                gsize from = ((plane * b->from_size[0] + b->from_at[0] + z) * b->from_size[1] +
                              b->from_at[1] + y) *
                                 b->from_size[2] +
                             b->from_at[2];
                memcpy(b->to + to, b->from + from, b->part[2] * sizeof(float));
            }
}

static gsize
count_planes(const BgNnTensor *tensor)
{
    const BgNnShape *shape = bg_nn_tensor_get_shape(tensor);

    return shape->dims[0] * shape->dims[1];
}

static gboolean
run_tile(Tiling *t, BgNnTensor *const *inputs, const gsize index[3], BgNnTensor **outputs,
         GCancellable *cancellable, GError **error)
{
    g_autofree BgNnTensor **made = g_new0(BgNnTensor *, (gsize) t->n_outputs);
    Block block = { 0 };
    gsize first[3];

    for (int axis = 0; axis < 3; axis++) {
        first[axis] = index[axis] * t->tile[axis];
        block.from_at[axis] = first[axis] > t->halo[axis] ? first[axis] - t->halo[axis] : 0;
        block.from_at[axis] = MIN(block.from_at[axis], t->size[axis] - t->window[axis]);
        block.part[axis] = block.to_size[axis] = t->window[axis];
        block.from_size[axis] = t->size[axis];
    }
    for (int i = 0; i < t->n_inputs; i++) {
        block.to = bg_nn_tensor_data(t->in[i]);
        block.from = bg_nn_tensor_peek(inputs[i]);
        block.planes = count_planes(inputs[i]);
        copy_block(&block);
    }
    if (!t->run->run(t->run->data, t->in, made, cancellable, error))
        return FALSE;
    Block back = { 0 };
    for (int axis = 0; axis < 3; axis++) {
        back.to_at[axis] = first[axis];
        back.from_at[axis] = first[axis] - block.from_at[axis];
        back.part[axis] = MIN(t->tile[axis], t->size[axis] - first[axis]);
        back.to_size[axis] = t->size[axis];
        back.from_size[axis] = t->window[axis];
    }
    for (int k = 0; k < t->n_outputs; k++) {
        back.to = bg_nn_tensor_data(outputs[k]);
        back.from = bg_nn_tensor_peek(made[k]);
        back.planes = count_planes(outputs[k]);
        copy_block(&back);
        bg_nn_tensor_unref(made[k]);
    }
    return TRUE;
}

static gboolean
run_tiles(Tiling *t, BgNnTensor *const *inputs, BgNnTensor **outputs, const BgProgress *progress,
          GCancellable *cancellable, GError **error)
{
    gsize n = t->n_tiles[0] * t->n_tiles[1] * t->n_tiles[2];

    for (gsize i = 0; i < n; i++) {
        gsize index[3] = { i / (t->n_tiles[1] * t->n_tiles[2]), i / t->n_tiles[2] % t->n_tiles[1],
                           i % t->n_tiles[2] };
        if (g_cancellable_set_error_if_cancelled(cancellable, error) ||
            !run_tile(t, inputs, index, outputs, cancellable, error))
            return FALSE;
        bg_progress_report(progress, (double) (i + 1) / (double) n);
    }
    return TRUE;
}

// ------------------------------------------------------------------------------------------------

/** Own: the executor that is made when the caller has none */
typedef struct {
    BgNnGraph *graph;   // borrowed
    BgNnParams *params; // borrowed
    BgNnCpu *cpu;       // owned
} Own;

static gboolean
own_prepare(gpointer data, const BgNnShape *inputs, int n_inputs, GError **error)
{
    Own *own = data;

    own->cpu = bg_nn_cpu_new(own->graph, own->params, inputs, n_inputs, NULL, error);
    return own->cpu != NULL;
}

static gboolean
own_run(gpointer data, BgNnTensor *const *inputs, BgNnTensor **outputs, GCancellable *cancellable,
        GError **error)
{
    return bg_nn_cpu_run(((Own *) data)->cpu, inputs, outputs, NULL, cancellable, error);
}

static gboolean
make_windows(Tiling *t, BgNnTensor *const *inputs, GError **error)
{
    g_autofree BgNnShape *windows = g_new(BgNnShape, (gsize) t->n_inputs);

    t->in = g_new0(BgNnTensor *, (gsize) t->n_inputs);
    for (int i = 0; i < t->n_inputs; i++) {
        windows[i] = *bg_nn_tensor_get_shape(inputs[i]);
        for (int k = 0; k < t->n_space; k++)
            windows[i].dims[2 + k] = t->window[3 - t->n_space + k];
        t->in[i] = bg_nn_tensor_new(&windows[i], error);
        if (t->in[i] == NULL)
            return FALSE;
    }
    return t->run->prepare == NULL || t->run->prepare(t->run->data, windows, t->n_inputs, error);
}

static gboolean
make_outputs(const Tiling *t, const BgNnShape *shapes, BgNnTensor **made, GError **error)
{
    for (int k = 0; k < t->n_outputs; k++) {
        made[k] = bg_nn_tensor_new(&shapes[bg_nn_graph_get_output(t->graph, k)], error);
        if (made[k] == NULL)
            return FALSE;
    }
    return TRUE;
}

gboolean
bg_nn_run_tiled(BgNnGraph *graph, BgNnParams *params, BgNnTensor *const *inputs,
                const gsize tile[3], const BgNnTileRun *run, BgNnTensor **outputs,
                const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    Own own = { graph, params, NULL };
    BgNnTileRun by_own = { own_prepare, own_run, &own };
    Tiling t = { .graph = graph,
                 .n_inputs = bg_nn_graph_count_inputs(graph),
                 .n_outputs = bg_nn_graph_count_outputs(graph),
                 .run = run != NULL ? run : &by_own };
    g_autofree BgNnShape *given = g_new(BgNnShape, (gsize) t.n_inputs);
    g_autofree BgNnTensor **made = g_new0(BgNnTensor *, (gsize) t.n_outputs);
    BgNnReach reach;

    for (int i = 0; i < t.n_inputs; i++)
        given[i] = *bg_nn_tensor_get_shape(inputs[i]);
    g_autofree BgNnShape *shapes = bg_nn_graph_infer(graph, given, t.n_inputs, error);
    if (shapes == NULL || !check_sizes(&t, shapes, inputs, error) ||
        !bg_nn_reach(graph, given, t.n_inputs, &reach, error))
        return FALSE;
    measure(&t, &given[0], &reach, tile);
    gboolean whole = t.n_tiles[0] * t.n_tiles[1] * t.n_tiles[2] == 1;
    if (reach.global && !whole)
        return refuse(_("each pixel of its result depends on all others"), error);
    gboolean ok = make_windows(&t, inputs, error) && make_outputs(&t, shapes, made, error) &&
                  run_tiles(&t, inputs, made, progress, cancellable, error);
    for (int k = 0; k < t.n_outputs; k++) {
        if (ok)
            outputs[k] = made[k];
        else
            bg_nn_tensor_unref(made[k]);
    }
    for (int i = 0; t.in != NULL && i < t.n_inputs; i++)
        bg_nn_tensor_unref(t.in[i]);
    g_free(t.in);
    bg_nn_cpu_free(own.cpu);
    return ok;
}
