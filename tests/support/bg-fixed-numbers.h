// SPDX-License-Identifier: Apache-2.0
// Numbers that C and the scripts of tests/reference make alike, so that no weights are stored.
#pragma once

#include "core/nn/bg-nn-params.h"

#include <math.h>

/** fixed_number: 0.02..0.98 */
static inline double
fixed_number(gsize i, guint32 seed)
{
    guint32 x = (guint32) i * 2654435761u + seed * 40503u;

    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    return 0.02 + 0.96 * (double) (x >> 8) / 16777216.0;
}

/** fill_fixed: every parameter, by its index and role */
static inline void
fill_fixed(BgNnParams *params)
{
    for (int p = 0; p < bg_nn_params_count(params); p++) {
        BgNnTensor *tensor = bg_nn_params_get(params, p);
        const BgNnShape *shape = bg_nn_tensor_get_shape(tensor);
        BgNnRole role = bg_nn_params_get_role(params, p);
        double fan_in = 1;
        for (int k = 1; k < shape->rank; k++)
            fan_in *= (double) shape->dims[k];
        for (gsize i = 0; i < bg_nn_tensor_count(tensor); i++) {
            double u = fixed_number(i, (guint32) p + 1), value = u - 0.5;
            if (role == BG_NN_ROLE_WEIGHT)
                value = shape->rank > 1 ? 2 * (u - 0.5) * sqrt(6 / fan_in) : 0.75 + 0.5 * u;
            else if (role == BG_NN_ROLE_VARIANCE)
                value = 0.5 + u;
            else if (role == BG_NN_ROLE_SLOPE)
                value = 0.1 + 0.3 * u;
            else if (role != BG_NN_ROLE_SINGULAR)
                value = 0.2 * (u - 0.5);
            bg_nn_tensor_data(tensor)[i] = (float) value;
        }
    }
}

/** fixed_input: -0.96..0.96 */
static inline BgNnTensor *
fixed_input(const BgNnShape *shape, int index)
{
    BgNnTensor *tensor = bg_nn_tensor_new(shape, NULL);

    for (gsize i = 0; i < bg_nn_tensor_count(tensor); i++)
        bg_nn_tensor_data(tensor)[i] = (float) (2 * fixed_number(i, 1000u + (guint32) index) - 1);
    return tensor;
}
