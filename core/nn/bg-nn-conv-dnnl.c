// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-conv-dnnl.h"
#include "bg-nn-cpu-private.h"
#include "core/base/bg-buffer.h"

#include <string.h>

#define MAX_KEPT 512 // convolutions made ready: more than any network of ours has

typedef enum { FORWARD, WITH_BIAS, DATA, WEIGHT } Op;

/** Key: all bytes count */
typedef struct {
    BgNnGeometry g;
    Op op;
} Key;

/** Port: one array of a convolution: where the caller has it, and where the primitive wants it */
typedef struct {
    int arg;
    dnnl_memory_desc_t own, wanted;
    dnnl_memory_t user, inner; // owned; inner: NULL when the layouts are one
    dnnl_primitive_t reorder;  // owned; NULL when the layouts are one
} Port;

/** Ready: a convolution made ready; ports: big, weight, small */
typedef struct {
    Key key;
    dnnl_primitive_t primitive; // owned; NULL: oneDNN does not have it
    Port ports[3];
    dnnl_memory_t bias; // owned; of WITH_BIAS
    int written;        // which port
} Ready;

enum { BIG, KERNEL, SMALL };

static GHashTable *kept; // of Ready by itself; the worker's

/** Scratch: shared by all convolutions: one runs at a time. Of the worker; grows only */
typedef struct {
    float *data; // owned
    gsize n_bytes;
} Scratch;

static Scratch scratch[4]; // what a port wants, by port; then the dense result

static float *
get_scratch(int which, gsize n_bytes)
{
    Scratch *s = &scratch[which];

    if (s->n_bytes < n_bytes) {
        bg_buffer_free(s->data);
        s->data = bg_buffer_alloc(n_bytes, NULL);
        s->n_bytes = s->data != NULL ? n_bytes : 0;
    }
    return s->data;
}

static guint
hash_key(gconstpointer data)
{
    const guint8 *bytes = data;
    guint hash = 2166136261u;

    for (gsize i = 0; i < sizeof(Key); i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

static gboolean
equal_keys(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(Key)) == 0;
}

static void
ready_free(gpointer data)
{
    Ready *ready = data;

    for (int i = 0; i < 3; i++) {
        Port *port = &ready->ports[i];
        if (port->user != NULL)
            dnnl_memory_destroy(port->user);
        if (port->inner != NULL)
            dnnl_memory_destroy(port->inner);
        if (port->reorder != NULL)
            dnnl_primitive_destroy(port->reorder);
    }
    if (ready->primitive != NULL)
        dnnl_primitive_destroy(ready->primitive);
    if (ready->bias != NULL)
        dnnl_memory_destroy(ready->bias);
    g_free(ready);
}

static dnnl_engine_t
engine_of_worker(dnnl_stream_t *stream)
{
    static dnnl_engine_t engine;
    static dnnl_stream_t the_stream;

    if (engine == NULL) {
        dnnl_status_t status = dnnl_engine_create(&engine, dnnl_cpu, 0);
        if (status == dnnl_success)
            status = dnnl_stream_create(&the_stream, engine, dnnl_stream_default_flags);
        g_assert(status == dnnl_success);
    }
    *stream = the_stream;
    return engine;
}

static dnnl_memory_desc_t
dense_of(int rank, const dnnl_dim_t *dims)
{
    BgNnShape shape = { .rank = MIN(rank, 5) };
    dnnl_memory_desc_t desc;
    dnnl_dims_t strides;
    dnnl_dim_t stride = 1;

    if (rank <= BG_NN_MAX_RANK) {
        for (int i = 0; i < rank; i++)
            shape.dims[i] = (gsize) dims[i];
        return bg_nn_desc_dense(&shape);
    }
    for (int i = rank - 1; i >= 0; i--) { // grouped 3D weights
        strides[i] = stride;
        stride *= dims[i];
    }
    dnnl_memory_desc_init_by_strides(&desc, rank, dims, dnnl_f32, strides);
    return desc;
}

// Space of three, or of two when there is nothing in z: oneDNN has more kernels for those.
static int
first_dim(const BgNnGeometry *g)
{
    return g->in[0] == 1 && g->out[0] == 1 && g->kernel[0] == 1 ? 1 : 0;
}

static void
own_descs(const BgNnGeometry *g, Ready *ready)
{
    int first = first_dim(g), space = 3 - first, at = 0;
    dnnl_dims_t big = { (dnnl_dim_t) g->n, (dnnl_dim_t) g->in_channels };
    dnnl_dims_t small = { (dnnl_dim_t) g->n, (dnnl_dim_t) g->out_channels }, weight;

    if (g->groups > 1)
        weight[at++] = (dnnl_dim_t) g->groups;
    weight[at++] = (dnnl_dim_t) (g->out_channels / g->groups);
    weight[at++] = (dnnl_dim_t) (g->in_channels / g->groups);
    for (int k = 0; k < space; k++) {
        big[2 + k] = (dnnl_dim_t) g->in[first + k];
        small[2 + k] = (dnnl_dim_t) g->out[first + k];
        weight[at++] = g->kernel[first + k];
    }
    ready->ports[BIG].own = dense_of(2 + space, big);
    ready->ports[SMALL].own = dense_of(2 + space, small);
    ready->ports[KERNEL].own = dense_of(at, weight);
}

static dnnl_memory_desc_t
bias_desc(const BgNnGeometry *g)
{
    return dense_of(1, (dnnl_dim_t[]){ (dnnl_dim_t) g->out_channels });
}

// The primitive descriptor of one direction; `hint`: the forward one, for the two others.
static dnnl_primitive_desc_t
describe(const BgNnGeometry *g, const Ready *ready, Op op, dnnl_engine_t engine,
         dnnl_primitive_desc_t hint)
{
    dnnl_memory_desc_t any[3], bias = bias_desc(g);
    dnnl_dims_t strides, dilates, before, after;
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    int first = first_dim(g);

    for (int i = 0; i < 3; i++) {
        any[i] = ready->ports[i].own;
        any[i].format_kind = dnnl_format_kind_any;
    }
    for (int k = 0; k < 3 - first; k++) {
        int i = first + k;
        dnnl_dim_t extent = (dnnl_dim_t) g->dilation[i] * (g->kernel[i] - 1) + 1;
        strides[k] = g->stride[i];
        dilates[k] = g->dilation[i] - 1;
        before[k] = g->before[i];
        after[k] =
            ((dnnl_dim_t) g->out[i] - 1) * strides[k] + extent - (dnnl_dim_t) g->in[i] - before[k];
    }
    dnnl_status_t status =
        op == FORWARD || op == WITH_BIAS
            ? dnnl_dilated_convolution_forward_desc_init(
                  &desc, dnnl_forward_training, dnnl_convolution_direct, &any[BIG], &any[KERNEL],
                  op == WITH_BIAS ? &bias : NULL, &any[SMALL], strides, dilates, before, after)
        : op == DATA
            ? dnnl_dilated_convolution_backward_data_desc_init(&desc, dnnl_convolution_direct,
                                                               &any[BIG], &any[KERNEL], &any[SMALL],
                                                               strides, dilates, before, after)
            : dnnl_dilated_convolution_backward_weights_desc_init(
                  &desc, dnnl_convolution_direct, &any[BIG], &any[KERNEL], NULL, &any[SMALL],
                  strides, dilates, before, after);
    if (status != dnnl_success ||
        dnnl_primitive_desc_create(&pd, &desc, NULL, engine, hint) != dnnl_success)
        return NULL;
    return pd;
}

static gboolean
prepare_port(Port *port, dnnl_primitive_desc_t pd, dnnl_query_t query, int arg, gboolean written,
             dnnl_engine_t engine)
{
    const dnnl_memory_desc_t *wanted = dnnl_primitive_desc_query_md(pd, query, 0);
    dnnl_primitive_desc_t reorder = NULL;

    port->arg = arg;
    port->wanted = *wanted;
    if (dnnl_memory_create(&port->user, &port->own, engine, DNNL_MEMORY_NONE) != dnnl_success)
        return FALSE;
    if (dnnl_memory_desc_equal(&port->own, wanted))
        return TRUE;
    if (dnnl_memory_create(&port->inner, wanted, engine, DNNL_MEMORY_NONE) != dnnl_success ||
        dnnl_reorder_primitive_desc_create(&reorder, written ? wanted : &port->own, engine,
                                           written ? &port->own : wanted, engine,
                                           NULL) != dnnl_success)
        return FALSE;
    dnnl_status_t status = dnnl_primitive_create(&port->reorder, reorder);
    dnnl_primitive_desc_destroy(reorder);
    return status == dnnl_success;
}

static gboolean
prepare(Ready *ready, dnnl_engine_t engine)
{
    static const struct {
        dnnl_query_t query[3];
        int arg[3], written;
    } table[] = {
        [FORWARD] = { { dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md },
                      { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST },
                      SMALL },
        [WITH_BIAS] = { { dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md },
                        { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST },
                        SMALL },
        [DATA] = { { dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md },
                   { DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST },
                   BIG },
        [WEIGHT] = { { dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md },
                     { DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST },
                     KERNEL },
    };
    Op op = ready->key.op;
    gboolean ahead = op == FORWARD || op == WITH_BIAS;
    dnnl_primitive_desc_t pd,
        forward = describe(&ready->key.g, ready, ahead ? op : FORWARD, engine, NULL);

    if (forward == NULL)
        return FALSE;
    pd = ahead ? forward : describe(&ready->key.g, ready, op, engine, forward);
    gboolean ok = pd != NULL;
    ready->written = table[op].written;
    for (int i = 0; i < 3 && ok; i++)
        ok = prepare_port(&ready->ports[i], pd, table[op].query[i], table[op].arg[i],
                          i == ready->written, engine);
    if (ok && op == WITH_BIAS) {
        dnnl_memory_desc_t desc = bias_desc(&ready->key.g);
        ok = dnnl_memory_create(&ready->bias, &desc, engine, DNNL_MEMORY_NONE) == dnnl_success;
    }
    if (ok)
        ok = dnnl_primitive_create(&ready->primitive, pd) == dnnl_success;
    if (pd != NULL && pd != forward)
        dnnl_primitive_desc_destroy(pd);
    dnnl_primitive_desc_destroy(forward);
    return ok;
}

static Ready *
get_ready(const BgNnGeometry *g, Op op)
{
    Key key;
    dnnl_stream_t stream;
    dnnl_engine_t engine = engine_of_worker(&stream);

    memset(&key, 0, sizeof key);
    memcpy(&key.g, g, G_STRUCT_OFFSET(BgNnGeometry, after) + sizeof g->after); // no padding
    key.op = op;
    if (kept == NULL)
        kept = g_hash_table_new_full(hash_key, equal_keys, NULL, ready_free);
    Ready *ready = g_hash_table_lookup(kept, &key);
    if (ready != NULL)
        return ready;
    if (g_hash_table_size(kept) >= MAX_KEPT)
        g_hash_table_remove_all(kept);
    ready = g_new0(Ready, 1);
    ready->key = key;
    own_descs(g, ready);
    if (!prepare(ready, engine) && ready->primitive != NULL) {
        dnnl_primitive_destroy(ready->primitive);
        ready->primitive = NULL;
    }
    g_hash_table_add(kept, ready);
    return ready;
}

// Where the primitive finds its arrays, and where its dense result will be; NULL: no memory for it.
static float *
place(Ready *ready, float *const *arrays, gboolean add)
{
    Port *out = &ready->ports[ready->written];
    float *result =
        add ? get_scratch(3, dnnl_memory_desc_get_size(&out->own)) : arrays[ready->written];

    for (int i = 0; i < 3 && result != NULL; i++) {
        Port *port = &ready->ports[i];
        dnnl_memory_set_data_handle(port->user, i == ready->written ? result : arrays[i]);
        if (port->inner == NULL)
            continue;
        float *inner = get_scratch(i, dnnl_memory_desc_get_size(&port->wanted));
        if (inner == NULL)
            return NULL;
        dnnl_memory_set_data_handle(port->inner, inner);
    }
    return result;
}

// Runs with the arrays of the caller; writes the written one, or adds to what is there.
static gboolean
run(Ready *ready, float *const *arrays, const float *bias, gboolean add)
{
    dnnl_stream_t stream;
    dnnl_exec_arg_t args[4] = { [3] = { DNNL_ARG_BIAS, ready->bias } };
    dnnl_status_t status = dnnl_success;
    const float *from = place(ready, arrays, add);

    if (from == NULL)
        return FALSE;
    engine_of_worker(&stream);
    if (ready->bias != NULL)
        dnnl_memory_set_data_handle(ready->bias, (void *) bias);
    for (int i = 0; i < 3 && status == dnnl_success; i++) {
        Port *port = &ready->ports[i];
        args[i] = (dnnl_exec_arg_t){ port->arg, port->inner != NULL ? port->inner : port->user };
        dnnl_exec_arg_t both[] = { { DNNL_ARG_FROM, port->user }, { DNNL_ARG_TO, port->inner } };
        if (i != ready->written && port->reorder != NULL)
            status = dnnl_primitive_execute(port->reorder, stream, 2, both);
    }
    Port *out = &ready->ports[ready->written];
    dnnl_exec_arg_t both[] = { { DNNL_ARG_FROM, out->inner }, { DNNL_ARG_TO, out->user } };
    if (status == dnnl_success)
        status =
            dnnl_primitive_execute(ready->primitive, stream, ready->bias != NULL ? 4 : 3, args);
    if (status == dnnl_success && out->reorder != NULL)
        status = dnnl_primitive_execute(out->reorder, stream, 2, both);
    if (status != dnnl_success)
        return FALSE;
    if (!add)
        return TRUE;
    gsize count = dnnl_memory_desc_get_size(&out->own) / sizeof(float);
    float *to = arrays[ready->written];
#pragma omp parallel for simd schedule(static)
    for (gsize i = 0; i < count; i++)
        to[i] += from[i];
    return TRUE;
}

void
bg_nn_conv_dnnl(const BgNnGeometry *g, const float *big, const float *weight, const float *bias,
                gboolean add, float *small)
{
    Ready *ready = get_ready(g, bias != NULL ? WITH_BIAS : FORWARD);

    if (ready->primitive == NULL ||
        !run(ready, (float *[]){ (float *) big, (float *) weight, small }, bias, add))
        bg_nn_conv_f32(g, big, weight, bias, add, small);
}

void
bg_nn_conv_data_dnnl(const BgNnGeometry *g, const float *small, const float *weight, gboolean add,
                     float *big)
{
    Ready *ready = get_ready(g, DATA);

    if (ready->primitive == NULL ||
        !run(ready, (float *[]){ big, (float *) weight, (float *) small }, NULL, add))
        bg_nn_conv_data_f32(g, small, weight, add, big);
}

void
bg_nn_conv_weight_dnnl(const BgNnGeometry *g, const float *big, const float *small, float *weight)
{
    Ready *ready = get_ready(g, WEIGHT);

    if (ready->primitive == NULL ||
        !run(ready, (float *[]){ (float *) big, weight, (float *) small }, NULL, TRUE))
        bg_nn_conv_weight_f32(g, big, small, weight);
}
