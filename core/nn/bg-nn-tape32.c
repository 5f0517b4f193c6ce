// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-layers-private.h"
#include "bg-nn-tape.h"
#include "bg-nn-worker.h"
#include "core/base/bg-buffer.h"

#include <string.h>

#define REAL float
#define FN(name) name##_f32
#define CALL BgNnCall32
#define TYPE BgNnTape32
#define TYPE_STRUCT _BgNnTape32
#define METHOD(name) bg_nn_tape32_##name

static float *
take_values_f32(BgNnTensor *tensor, GError **error)
{
    return bg_nn_tensor_data(tensor);
}

static void
give_values_f32(float *values)
{
}

#include "bg-nn-tape-plain.h"
