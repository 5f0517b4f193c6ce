// SPDX-License-Identifier: Apache-2.0
// Layouts, constants, and the arena that all results of a network share.
#include "bg-nn-cpu-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define ALIGNMENT 64 // bytes: a cache line

gboolean
bg_nn_fail_dnnl(dnnl_status_t status, GError **error)
{
    if (status == dnnl_success)
        return TRUE;
    if (status == dnnl_out_of_memory)
        g_set_error_literal(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                            _("The network cannot run: there is not enough memory. Use smaller "
                              "pictures, or fewer at once"));
    else
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("The network cannot run: the library of convolutions refused it (status %d). "
                      "Use another network or size"),
                    (int) status);
    return FALSE;
}

dnnl_memory_desc_t
bg_nn_desc_dense(const BgNnShape *shape)
{
    dnnl_memory_desc_t desc;
    dnnl_dims_t dims = { 0 }, strides = { 0 };
    dnnl_dim_t stride = 1;

    for (int i = shape->rank - 1; i >= 0; i--) {
        dims[i] = (dnnl_dim_t) shape->dims[i];
        strides[i] = stride;
        stride *= dims[i];
    }
    dnnl_status_t status =
        dnnl_memory_desc_init_by_strides(&desc, shape->rank, dims, dnnl_f32, strides);
    g_assert(status == dnnl_success);
    return desc;
}

gboolean
bg_nn_desc_is_dense(const dnnl_memory_desc_t *desc, const BgNnShape *shape)
{
    dnnl_memory_desc_t dense = bg_nn_desc_dense(shape);

    return dnnl_memory_desc_equal(desc, &dense);
}

BgNnValue *
bg_nn_value(const BgNnCpu *cpu, int value)
{
    return &g_array_index(cpu->values, BgNnValue, value);
}

int
bg_nn_plan_value(BgNnCpu *cpu, const dnnl_memory_desc_t *desc)
{
    BgNnValue value = { .desc = *desc,
                        .bytes = dnnl_memory_desc_get_size(desc),
                        .first = (int) cpu->steps->len,
                        .last = (int) cpu->steps->len,
                        .external = -1,
                        .same_as = -1 };

    g_array_append_val(cpu->values, value);
    return (int) cpu->values->len - 1;
}

dnnl_memory_t
bg_nn_plan_constant(BgNnCpu *cpu, const dnnl_memory_desc_t *desc, GError **error)
{
    gsize bytes = dnnl_memory_desc_get_size(desc);
    dnnl_memory_t memory = NULL;
    gpointer buffer = bg_buffer_alloc(MAX(bytes, 1), error);

    if (buffer == NULL)
        return NULL;
    memset(buffer, 0, bytes);
    g_ptr_array_add(cpu->buffers, buffer);
    cpu->constant_bytes += bytes;
    if (!bg_nn_fail_dnnl(dnnl_memory_create(&memory, desc, cpu->engine, buffer), error))
        return NULL;
    g_ptr_array_add(cpu->constants, memory);
    return memory;
}

float *
bg_nn_memory_data(dnnl_memory_t memory)
{
    void *data = NULL;

    dnnl_memory_get_data_handle(memory, &data);
    return data;
}

static gboolean
reorder_now(BgNnCpu *cpu, dnnl_memory_t from, const dnnl_memory_desc_t *from_desc, dnnl_memory_t to,
            const dnnl_memory_desc_t *to_desc, GError **error)
{
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_t primitive = NULL;
    dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } };

    dnnl_status_t status =
        dnnl_reorder_primitive_desc_create(&pd, from_desc, cpu->engine, to_desc, cpu->engine, NULL);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&primitive, pd);
    if (status == dnnl_success)
        status = dnnl_primitive_execute(primitive, cpu->stream, 2, args);
    if (status == dnnl_success)
        status = dnnl_stream_wait(cpu->stream);
    if (primitive != NULL)
        dnnl_primitive_destroy(primitive);
    if (pd != NULL)
        dnnl_primitive_desc_destroy(pd);
    return bg_nn_fail_dnnl(status, error);
}

dnnl_memory_t
bg_nn_plan_weights(BgNnCpu *cpu, const float *data, const dnnl_memory_desc_t *from,
                   const dnnl_memory_desc_t *to, GError **error)
{
    dnnl_memory_t source = NULL, memory = bg_nn_plan_constant(cpu, to, error);

    if (memory == NULL ||
        !bg_nn_fail_dnnl(dnnl_memory_create(&source, from, cpu->engine, (void *) data), error))
        return NULL;
    gboolean ok = reorder_now(cpu, source, from, memory, to, error);
    dnnl_memory_destroy(source);
    return ok ? memory : NULL;
}

void
bg_nn_step_arg(BgNnStep *step, int kind, int value, dnnl_memory_t constant)
{
    g_assert(step->n_args < BG_NN_STEP_ARGS);
    step->kinds[step->n_args] = kind;
    step->values[step->n_args] = value;
    step->constants[step->n_args++] = constant;
}

static void
mark_read(BgNnCpu *cpu, int value)
{
    for (; value >= 0; value = bg_nn_value(cpu, value)->same_as)
        bg_nn_value(cpu, value)->last = (int) cpu->steps->len;
}

void
bg_nn_step_add(BgNnCpu *cpu, BgNnStep *step)
{
    for (int i = 0; i < step->n_args; i++)
        mark_read(cpu, step->values[i]);
    for (int i = 0; i < step->n_in; i++)
        mark_read(cpu, step->in[i]);
    if (step->primitive == NULL)
        mark_read(cpu, step->out);
    g_array_append_val(cpu->steps, *step);
}

int
bg_nn_plan_reorder(BgNnCpu *cpu, int value, const dnnl_memory_desc_t *desc)
{
    dnnl_memory_desc_t from = bg_nn_value(cpu, value)->desc;
    dnnl_primitive_desc_t pd = NULL;
    BgNnStep step = { .layer = -1 };

    if (dnnl_memory_desc_equal(&from, desc))
        return value;
    dnnl_status_t status =
        dnnl_reorder_primitive_desc_create(&pd, &from, cpu->engine, desc, cpu->engine, NULL);
    g_assert(status == dnnl_success); // float32 to float32: there is always one
    status = dnnl_primitive_create(&step.primitive, pd);
    g_assert(status == dnnl_success);
    dnnl_primitive_desc_destroy(pd);
    int result = bg_nn_plan_value(cpu, desc);
    bg_nn_step_arg(&step, DNNL_ARG_FROM, value, NULL);
    bg_nn_step_arg(&step, DNNL_ARG_TO, result, NULL);
    bg_nn_step_add(cpu, &step);
    return result;
}

int
bg_nn_plan_dense(BgNnCpu *cpu, int layer)
{
    dnnl_memory_desc_t desc = bg_nn_desc_dense(&cpu->shapes[layer]);

    if (cpu->dense[layer] < 0)
        cpu->dense[layer] = bg_nn_plan_reorder(cpu, cpu->native[layer], &desc);
    return cpu->dense[layer];
}

float *
bg_nn_scratch(BgNnCpu *cpu, gsize n_bytes, GError **error)
{
    if (cpu->scratch_bytes < n_bytes) {
        bg_buffer_free(cpu->scratch);
        cpu->scratch = bg_buffer_alloc(n_bytes, error);
        cpu->scratch_bytes = cpu->scratch != NULL ? n_bytes : 0;
    }
    return cpu->scratch;
}

// The lowest place where `value` fits among those that live at the same time.
static gsize
place(const BgNnCpu *cpu, const BgNnValue *value, const GArray *placed)
{
    gsize offset = 0;

    for (guint i = 0; i < placed->len; i++) { // sorted by offset
        const BgNnValue *other = bg_nn_value(cpu, g_array_index(placed, int, i));
        if (other->last < value->first || other->first > value->last)
            continue;
        if (offset + value->bytes <= other->offset)
            return offset;
        offset =
            MAX(offset, (other->offset + other->bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    }
    return offset;
}

static void
insert_sorted(const BgNnCpu *cpu, GArray *placed, int number)
{
    guint at = 0;

    while (at < placed->len && bg_nn_value(cpu, g_array_index(placed, int, at))->offset <=
                                   bg_nn_value(cpu, number)->offset)
        at++;
    g_array_insert_val(placed, at, number);
}

static gboolean
make_memories(BgNnCpu *cpu, GError **error)
{
    for (int i = 0; i < (int) cpu->values->len; i++) {
        BgNnValue *value = bg_nn_value(cpu, i), *owner = value;
        while (owner->same_as >= 0)
            owner = bg_nn_value(cpu, owner->same_as);
        void *data = owner->external >= 0 ? DNNL_MEMORY_NONE : cpu->arena + owner->offset;
        if (!bg_nn_fail_dnnl(dnnl_memory_create(&value->memory, &value->desc, cpu->engine, data),
                             error))
            return FALSE;
    }
    return TRUE;
}

gboolean
bg_nn_plan_arena(BgNnCpu *cpu, GError **error)
{
    g_autoptr(GArray) placed = g_array_new(FALSE, FALSE, sizeof(int));

    for (int i = 0; i < (int) cpu->values->len; i++) {
        BgNnValue *value = bg_nn_value(cpu, i);
        if (value->external >= 0 || value->same_as >= 0)
            continue;
        value->offset = place(cpu, value, placed);
        cpu->arena_bytes = MAX(cpu->arena_bytes, value->offset + value->bytes);
        insert_sorted(cpu, placed, i);
    }
    cpu->arena = bg_buffer_alloc(MAX(cpu->arena_bytes, 1), error);
    return cpu->arena != NULL && make_memories(cpu, error);
}
