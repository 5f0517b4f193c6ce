// SPDX-License-Identifier: Apache-2.0
// Memory of a network on the device: values that are not needed at the same time share it.
#include "core/base/bg-buffer.h"
#include "gpu/cuda/bg-cuda-check.h"
#include "gpu/nn/bg-cuda-network-private.h"

#include <string.h>

gsize
bg_cuda_real_size(const BgCudaNetwork *self)
{
    return self->precision == BG_NN_BFLOAT16 ? sizeof(BgNnBf16) : sizeof(float);
}

BgCudaNnReal
bg_cuda_real(const BgCudaNetwork *self)
{
    return self->precision == BG_NN_BFLOAT16 ? BG_CUDA_NN_BFLOAT16 : BG_CUDA_NN_FLOAT32;
}

BgCudaValue *
bg_cuda_value(const BgCudaNetwork *self, int value)
{
    return &g_array_index(self->values, BgCudaValue, value);
}

int
bg_cuda_plan_value(BgCudaNetwork *self, gsize count)
{
    int step = (int) self->steps->len;
    BgCudaValue value = { count, step, step, -1, -1 };

    g_array_append_val(self->values, value);
    return (int) self->values->len - 1;
}

static int
owner_of(const BgCudaNetwork *self, int value)
{
    while (bg_cuda_value(self, value)->same_as >= 0)
        value = bg_cuda_value(self, value)->same_as;
    return value;
}

int
bg_cuda_plan_view(BgCudaNetwork *self, int value)
{
    int view = bg_cuda_plan_value(self, bg_cuda_value(self, value)->count);

    bg_cuda_value(self, view)->same_as = owner_of(self, value);
    return view;
}

void
bg_cuda_plan_step(BgCudaNetwork *self, const BgCudaStep *step)
{
    int number = (int) self->steps->len;

    for (int k = 0; k < step->n_in; k++) {
        BgCudaValue *value = bg_cuda_value(self, owner_of(self, step->in[k]));
        value->last = MAX(value->last, number);
    }
    BgCudaValue *out = bg_cuda_value(self, owner_of(self, step->out));
    out->last = MAX(out->last, number);
    g_array_append_val(self->steps, *step);
}

static void *
allocate(BgCudaNetwork *self, gsize n_bytes, GError **error)
{
    void *address = NULL;

    return bg_cuda_pool_alloc(self->place.pool, MAX(n_bytes, 1), NULL, &address, error) ? address
                                                                                        : NULL;
}

void *
bg_cuda_constant(BgCudaNetwork *self, const float *data, gsize count, BgCudaNnReal real,
                 GError **error)
{
    gsize n_bytes = count * (real == BG_CUDA_NN_BFLOAT16 ? sizeof(BgNnBf16) : sizeof(float));
    bg_auto_buffer BgNnBf16 *narrow = NULL;
    const void *from = data;

    if (real == BG_CUDA_NN_BFLOAT16) {
        narrow = bg_buffer_alloc_items(MAX(count, 1), sizeof *narrow, error);
        if (narrow == NULL)
            return NULL;
        for (gsize i = 0; i < count; i++)
            narrow[i] = bg_nn_to_bf16(data[i]);
        from = narrow;
    }
    void *address = allocate(self, n_bytes, error);
    if (address == NULL)
        return NULL;
    g_array_append_val(self->constants, address);
    // Pageable memory: it has been read when the call returns or the stream is waited for.
    return bg_cuda_check(
               cudaMemcpyAsync(address, from, n_bytes, cudaMemcpyHostToDevice, self->place.stream),
               "weights", error) &&
                   bg_cuda_check(cudaStreamSynchronize(self->place.stream), "weights", error)
               ? address
               : NULL;
}

// The smallest free slot that is large enough; else the largest free one, which grows; else a new one.
static int
choose_slot(BgCudaNetwork *self, gsize n_bytes)
{
    int best = -1;

    for (int i = 0; i < (int) self->slots->len; i++) {
        const BgCudaSlot *slot = &g_array_index(self->slots, BgCudaSlot, i);
        if (!slot->is_free)
            continue;
        gsize kept = best < 0 ? 0 : g_array_index(self->slots, BgCudaSlot, best).n_bytes;
        gboolean fits = slot->n_bytes >= n_bytes, best_fits = kept >= n_bytes;
        if (best < 0 || (fits && (!best_fits || slot->n_bytes < kept)) ||
            (!fits && !best_fits && slot->n_bytes > kept))
            best = i;
    }
    if (best < 0) {
        BgCudaSlot slot = { n_bytes, NULL, FALSE };
        g_array_append_val(self->slots, slot);
        return (int) self->slots->len - 1;
    }
    BgCudaSlot *slot = &g_array_index(self->slots, BgCudaSlot, best);
    slot->n_bytes = MAX(slot->n_bytes, n_bytes);
    slot->is_free = FALSE;
    return best;
}

gboolean
bg_cuda_plan_memory(BgCudaNetwork *self, GError **error)
{
    for (int step = 0; step <= (int) self->steps->len; step++) {
        for (int i = 0; i < (int) self->values->len; i++) {
            BgCudaValue *value = bg_cuda_value(self, i);
            if (value->same_as < 0 && value->first == step && value->slot < 0)
                value->slot = choose_slot(self, value->count * bg_cuda_real_size(self));
        }
        for (int i = 0; i < (int) self->values->len; i++) {
            const BgCudaValue *value = bg_cuda_value(self, i);
            if (value->slot >= 0 && value->last == step)
                g_array_index(self->slots, BgCudaSlot, value->slot).is_free = TRUE;
        }
    }
    for (guint i = 0; i < self->slots->len; i++) {
        BgCudaSlot *slot = &g_array_index(self->slots, BgCudaSlot, i);
        slot->address = allocate(self, slot->n_bytes, error);
        if (slot->address == NULL)
            return FALSE;
    }
    if (self->workspace_bytes > 0 &&
        (self->workspace = allocate(self, self->workspace_bytes, error)) == NULL)
        return FALSE;
    if (self->precision == BG_NN_BFLOAT16)
        self->staging = allocate(self, self->staging_count * sizeof(float), error);
    return self->precision != BG_NN_BFLOAT16 || self->staging != NULL;
}

void *
bg_cuda_address(const BgCudaNetwork *self, int value)
{
    int slot = bg_cuda_value(self, owner_of(self, value))->slot;

    return g_array_index(self->slots, BgCudaSlot, slot).address;
}
