// SPDX-License-Identifier: Apache-2.0
// The tape for one type. Included with REAL, FN(), CALL, TYPE (the tape's name) and
// FORWARD/BACKWARD (of one layer) defined.
#pragma once

struct TYPE_STRUCT {
    BgNnGraph *graph;   // owned
    BgNnParams *params; // owned
    BgNnShape *shapes;  // owned, one a layer
    REAL **out;         // owned arrays, one a layer; inputs: borrowed from the caller
    REAL **d_out;       // owned arrays, one a layer; NULL where no gradient goes
    REAL **values;      // one a parameter: float32: the tensors' own; float64: owned
    REAL **gradients;   // owned, one a parameter; NULL where not trained
    double **kept;      // owned arrays, one a layer: of norms
    int *first_param;   // owned, one a layer
    gboolean training, *needs, *written; // owned, one a layer; written: its d_out in this run
    gboolean without_inputs;
    guint64 seed;
};

static int
FN(n_layers)(const TYPE *tape)
{
    return bg_nn_graph_count(tape->graph);
}

static const BgNnShape *
FN(input_of)(const TYPE *tape, int layer)
{
    const BgNnLayer *data = bg_nn_graph_get(tape->graph, layer);

    return data->n_inputs == 0 ? NULL : &tape->shapes[data->inputs[0]];
}

// Finds each layer's parameters and checks that they have the shapes it wants.
static gboolean
FN(bind)(TYPE *tape, GError **error)
{
    for (int i = 0; i < FN(n_layers)(tape); i++) {
        const BgNnLayer *layer = bg_nn_graph_get(tape->graph, i);
        BgNnParamInfo infos[BG_NN_MAX_LAYER_PARAMS];
        int n =
            layer->n_inputs == 0 ? 0 : bg_nn_layer_list_params(layer, FN(input_of)(tape, i), infos);
        tape->first_param[i] = -1;
        tape->needs[i] = n > 0 || (layer->kind == BG_NN_INPUT && !tape->without_inputs);
        for (int k = 0; k < layer->n_inputs; k++)
            tape->needs[i] |= tape->needs[layer->inputs[k]];
        for (int k = 0; k < n; k++) {
            int index = bg_nn_params_require(tape->params, layer->name, &infos[k], error);
            if (index < 0)
                return FALSE;
            if (k == 0)
                tape->first_param[i] = index;
        }
    }
    return TRUE;
}

static REAL *
FN(zeros)(gsize count, GError **error)
{
    REAL *data = bg_buffer_alloc_items(count, sizeof *data, error);

    if (data != NULL)
        memset(data, 0, count * sizeof *data);
    return data;
}

static gboolean
FN(reserve)(TYPE *tape, GError **error)
{
    for (int i = 0; i < FN(n_layers)(tape); i++) {
        BgNnKind kind = bg_nn_graph_get(tape->graph, i)->kind;
        if (kind == BG_NN_INPUT)
            continue;
        tape->out[i] =
            bg_buffer_alloc_items(bg_nn_shape_count(&tape->shapes[i]), sizeof(REAL), error);
        if (tape->out[i] == NULL)
            return FALSE;
        if (kind == BG_NN_BATCH_NORM || kind == BG_NN_INSTANCE_NORM)
            tape->kept[i] = g_new0(double, 2 * tape->shapes[i].dims[0] * tape->shapes[i].dims[1]);
    }
    for (int i = 0; i < bg_nn_params_count(tape->params); i++) {
        tape->values[i] = FN(take_values)(bg_nn_params_get(tape->params, i), error);
        if (tape->values[i] == NULL)
            return FALSE;
    }
    return TRUE;
}

TYPE *METHOD(new)(BgNnGraph *graph, BgNnParams *params, const BgNnShape *inputs, int n_inputs,
                  GError **error)
{
    BgNnShape *shapes = bg_nn_graph_infer(graph, inputs, n_inputs, error);
    if (shapes == NULL)
        return NULL;
    TYPE *tape = g_new0(TYPE, 1);
    gsize n = (gsize) bg_nn_graph_count(graph), n_params = (gsize) bg_nn_params_count(params);

    tape->graph = bg_nn_graph_ref(graph);
    tape->params = bg_nn_params_ref(params);
    tape->shapes = shapes;
    tape->out = g_new0(REAL *, n);
    tape->d_out = g_new0(REAL *, n);
    tape->needs = g_new0(gboolean, n);
    tape->written = g_new0(gboolean, n);
    tape->kept = g_new0(double *, n);
    tape->first_param = g_new0(int, n);
    tape->values = g_new0(REAL *, n_params + 1);
    tape->gradients = g_new0(REAL *, n_params + 1);
    if (FN(bind)(tape, error) && FN(reserve)(tape, error))
        return tape;
    METHOD(free)(tape);
    return NULL;
}

void
METHOD(free)(TYPE *tape)
{
    if (tape == NULL)
        return;
    for (int i = 0; i < FN(n_layers)(tape); i++) {
        if (bg_nn_graph_get(tape->graph, i)->kind != BG_NN_INPUT)
            bg_buffer_free(tape->out[i]);
        bg_buffer_free(tape->d_out[i]);
        g_free(tape->kept[i]);
    }
    for (int i = 0; i < bg_nn_params_count(tape->params); i++) {
        FN(give_values)(tape->values[i]);
        bg_buffer_free(tape->gradients[i]);
    }
    g_free(tape->out);
    g_free(tape->d_out);
    g_free(tape->needs);
    g_free(tape->written);
    g_free(tape->kept);
    g_free(tape->first_param);
    g_free(tape->values);
    g_free(tape->gradients);
    g_free(tape->shapes);
    bg_nn_params_unref(tape->params);
    bg_nn_graph_unref(tape->graph);
    g_free(tape);
}

static CALL
FN(call_of)(TYPE *tape, int i)
{
    const BgNnLayer *layer = bg_nn_graph_get(tape->graph, i);
    BgNnParamInfo infos[BG_NN_MAX_LAYER_PARAMS];
    CALL call = { .layer = layer,
                  .g = bg_nn_geometry(layer, FN(input_of)(tape, i), &tape->shapes[i]),
                  .n_inputs = layer->n_inputs,
                  .out = tape->out[i],
                  .kept = tape->kept[i],
                  .training = tape->training,
                  .seed = tape->seed + (guint64) i * G_GUINT64_CONSTANT(0x632be59bd9b4e019) };
    int n = bg_nn_layer_list_params(layer, FN(input_of)(tape, i), infos);

    for (int k = 0; k < layer->n_inputs; k++) {
        call.in[k] = tape->out[layer->inputs[k]];
        call.channels[k] = tape->shapes[layer->inputs[k]].dims[1];
    }
    for (int k = 0; k < n; k++) {
        call.param[k] = tape->values[tape->first_param[i] + k];
        call.d_param[k] = tape->gradients[tape->first_param[i] + k];
    }
    return call;
}

typedef struct {
    TYPE *tape;
    const REAL *const *arrays; // inputs, or gradients of outputs
    GCancellable *cancellable;
    GError **error;
    gboolean ok;
} FN(Run);

static void
FN(forward)(gpointer data)
{
    FN(Run) *run = data;
    TYPE *tape = run->tape;
    int n_used = 0;

    run->ok = TRUE;
    for (int i = 0; i < FN(n_layers)(tape) && run->ok; i++) {
        if (bg_nn_graph_get(tape->graph, i)->kind == BG_NN_INPUT) {
            tape->out[i] = (REAL *) run->arrays[n_used++]; // read only
            continue;
        }
        CALL call = FN(call_of)(tape, i);
        run->ok = !g_cancellable_set_error_if_cancelled(run->cancellable, run->error) &&
                  FN(bg_nn_forward)(&call, run->error);
    }
}

gboolean
METHOD(forward)(TYPE *tape, const REAL *const *inputs, gboolean training, guint64 seed,
                GCancellable *cancellable, GError **error)
{
    FN(Run) run = { tape, inputs, cancellable, error, FALSE };

    tape->training = training;
    tape->seed = seed;
    bg_nn_worker_run(FN(forward), &run);
    return run.ok;
}

const REAL *
METHOD(get)(const TYPE *tape, int layer)
{
    return tape->out[layer];
}

const BgNnShape *
METHOD(get_shape)(const TYPE *tape, int layer)
{
    return &tape->shapes[layer];
}

REAL *
METHOD(get_param)(TYPE *tape, int index)
{
    return tape->values[index];
}

// Before the first addend.
static void
FN(start_gradient)(TYPE *tape, int layer)
{
    if (!tape->written[layer])
        memset(tape->d_out[layer], 0, bg_nn_shape_count(&tape->shapes[layer]) * sizeof(REAL));
    tape->written[layer] = TRUE;
}

static gboolean
FN(back_one)(TYPE *tape, int i, GError **error)
{
    const BgNnLayer *layer = bg_nn_graph_get(tape->graph, i);
    CALL call = FN(call_of)(tape, i);

    call.d_out = tape->d_out[i];
    for (int k = 0; k < layer->n_inputs; k++) {
        int from = layer->inputs[k];
        if (!tape->needs[from])
            continue;
        call.d_in[k] = tape->d_out[from];
        if (!tape->written[from] && bg_nn_backward_sets(layer))
            call.fresh = tape->written[from] = TRUE;
        else
            FN(start_gradient)(tape, from);
    }
    return FN(bg_nn_backward)(&call, error);
}

static gboolean
FN(prepare_backward)(TYPE *tape, const REAL *const *d_outputs, GError **error)
{
    for (int i = 0; i < FN(n_layers)(tape); i++) {
        gsize count = bg_nn_shape_count(&tape->shapes[i]);
        tape->written[i] = FALSE;
        if (tape->needs[i] && tape->d_out[i] == NULL &&
            (tape->d_out[i] = bg_buffer_alloc_items(count, sizeof(REAL), error)) == NULL)
            return FALSE;
    }
    for (int i = 0; i < bg_nn_params_count(tape->params); i++) {
        gsize count = bg_nn_tensor_count(bg_nn_params_get(tape->params, i));
        if (tape->gradients[i] == NULL &&
            bg_nn_role_is_trained(bg_nn_params_get_role(tape->params, i)) &&
            (tape->gradients[i] = FN(zeros)(count, error)) == NULL)
            return FALSE;
    }
    for (int k = 0; k < bg_nn_graph_count_outputs(tape->graph); k++) {
        int layer = bg_nn_graph_get_output(tape->graph, k);
        gsize count = bg_nn_shape_count(&tape->shapes[layer]);
        if (tape->d_out[layer] == NULL || d_outputs[k] == NULL)
            continue;
        FN(start_gradient)(tape, layer);
        for (gsize i = 0; i < count; i++)
            tape->d_out[layer][i] += d_outputs[k][i];
    }
    return TRUE;
}

static void
FN(backward)(gpointer data)
{
    FN(Run) *run = data;
    TYPE *tape = run->tape;

    run->ok = FN(prepare_backward)(tape, run->arrays, run->error);
    for (int i = FN(n_layers)(tape) - 1; i >= 0 && run->ok; i--) {
        const BgNnLayer *layer = bg_nn_graph_get(tape->graph, i);
        if (!tape->needs[i])
            continue;
        if (layer->kind == BG_NN_INPUT) // read by nobody: zeros
            FN(start_gradient)(tape, i);
        else if (tape->written[i]) // else nothing comes back to it
            run->ok = !g_cancellable_set_error_if_cancelled(run->cancellable, run->error) &&
                      FN(back_one)(tape, i, run->error);
    }
}

gboolean
METHOD(backward)(TYPE *tape, const REAL *const *d_outputs, GCancellable *cancellable,
                 GError **error)
{
    FN(Run) run = { tape, d_outputs, cancellable, error, FALSE };

    bg_nn_worker_run(FN(backward), &run);
    return run.ok;
}

REAL *
METHOD(get_gradient)(TYPE *tape, int index)
{
    return tape->gradients[index];
}

void
METHOD(leave_inputs)(TYPE *tape)
{
    tape->without_inputs = TRUE;
    gboolean bound = FN(bind)(tape, NULL); // as in _new()
    g_assert(bound);
}

const REAL *
METHOD(get_input_gradient)(const TYPE *tape, int index)
{
    return tape->d_out[bg_nn_graph_get_input(tape->graph, index)];
}

void
METHOD(clear_gradients)(TYPE *tape)
{
    for (int i = 0; i < bg_nn_params_count(tape->params); i++)
        if (tape->gradients[i] != NULL)
            memset(tape->gradients[i], 0,
                   bg_nn_tensor_count(bg_nn_params_get(tape->params, i)) * sizeof(REAL));
}
