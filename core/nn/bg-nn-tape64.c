// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-layers-private.h"
#include "bg-nn-tape.h"
#include "bg-nn-worker.h"
#include "core/base/bg-buffer.h"

#include <string.h>

#define REAL double
#define FN(name) name##_f64
#define CALL BgNnCall64
#define TYPE BgNnTape64
#define TYPE_STRUCT _BgNnTape64
#define METHOD(name) bg_nn_tape64_##name

static double *
take_values_f64(BgNnTensor *tensor, GError **error)
{
    gsize count = bg_nn_tensor_count(tensor);
    double *values = bg_buffer_alloc_items(count, sizeof *values, error);

    for (gsize i = 0; values != NULL && i < count; i++)
        values[i] = (double) bg_nn_tensor_peek(tensor)[i];
    return values;
}

static void
give_values_f64(double *values)
{
    bg_buffer_free(values);
}

#include "bg-nn-tape-plain.h"
