// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-tensor.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define MAX_COUNT (G_GUINT64_CONSTANT(1) << 48) // elements: far beyond any machine's memory

struct _BgNnTensor {
    gint refs; // atomic
    BgNnShape shape;
    gsize count;
    float *data; // owned
};

BgNnShape
bg_nn_shape(gsize n, gsize channels, int n_space, gsize z, gsize y, gsize x)
{
    const gsize space[3] = { z, y, x };
    BgNnShape shape = { .rank = 2 + n_space, .dims = { n, channels } };

    for (int i = 0; i < n_space; i++)
        shape.dims[2 + i] = space[3 - n_space + i];
    return shape;
}

gsize
bg_nn_shape_count(const BgNnShape *shape)
{
    gsize count = 1;

    if (shape->rank < 1 || shape->rank > BG_NN_MAX_RANK)
        return 0;
    for (int i = 0; i < shape->rank; i++)
        if (!g_size_checked_mul(&count, count, shape->dims[i]) || count > MAX_COUNT)
            return 0;
    return count;
}

gboolean
bg_nn_shape_equal(const BgNnShape *a, const BgNnShape *b)
{
    if (a->rank != b->rank)
        return FALSE;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            return FALSE;
    return TRUE;
}

char *
bg_nn_shape_to_string(const BgNnShape *shape)
{
    GString *text = g_string_new(NULL);

    for (int i = 0; i < shape->rank && i < BG_NN_MAX_RANK; i++)
        g_string_append_printf(text, "%s%" G_GSIZE_FORMAT, i == 0 ? "" : " x ", shape->dims[i]);
    return g_string_free(text, FALSE);
}

BgNnTensor *
bg_nn_tensor_new(const BgNnShape *shape, GError **error)
{
    gsize count = bg_nn_shape_count(shape);

    if (count == 0) {
        g_autofree char *text = bg_nn_shape_to_string(shape);
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("A network cannot work on %s values; check the sizes"), text);
        return NULL;
    }
    float *data = bg_buffer_alloc_items(count, sizeof *data, error);
    if (data == NULL)
        return NULL;
    BgNnTensor *tensor = g_new(BgNnTensor, 1);
    *tensor = (BgNnTensor){ .refs = 1, .shape = *shape, .count = count, .data = data };
    return tensor;
}

BgNnTensor *
bg_nn_tensor_new_copy(const BgNnShape *shape, const float *data, GError **error)
{
    BgNnTensor *tensor = bg_nn_tensor_new(shape, error);

    if (tensor != NULL)
        memcpy(tensor->data, data, tensor->count * sizeof *data);
    return tensor;
}

BgNnTensor *
bg_nn_tensor_ref(BgNnTensor *tensor)
{
    g_return_val_if_fail(tensor != NULL, NULL);

    g_atomic_int_inc(&tensor->refs);
    return tensor;
}

gboolean
bg_nn_tensor_is_shared(const BgNnTensor *tensor)
{
    return g_atomic_int_get(&tensor->refs) > 1;
}

void
bg_nn_tensor_unref(BgNnTensor *tensor)
{
    if (tensor == NULL || !g_atomic_int_dec_and_test(&tensor->refs))
        return;
    bg_buffer_free(tensor->data);
    g_free(tensor);
}

const BgNnShape *
bg_nn_tensor_get_shape(const BgNnTensor *tensor)
{
    return &tensor->shape;
}

gsize
bg_nn_tensor_count(const BgNnTensor *tensor)
{
    return tensor->count;
}

float *
bg_nn_tensor_data(BgNnTensor *tensor)
{
    return tensor->data;
}

const float *
bg_nn_tensor_peek(const BgNnTensor *tensor)
{
    return tensor->data;
}

gboolean
bg_nn_tensor_is_finite(const BgNnTensor *tensor)
{
    for (gsize i = 0; i < tensor->count; i++)
        if (!isfinite(tensor->data[i]))
            return FALSE;
    return TRUE;
}
