// SPDX-License-Identifier: Apache-2.0
// Convolutions of dense float32 arrays by oneDNN, for training. On the network worker only.
#pragma once

#include "bg-nn-geometry.h"

G_BEGIN_DECLS

// As bg_nn_conv_f32() and its sisters. What oneDNN does not have is done by those.

void bg_nn_conv_dnnl(const BgNnGeometry *g, const float *big, const float *weight,
                     const float *bias, gboolean add, float *small);
void bg_nn_conv_data_dnnl(const BgNnGeometry *g, const float *small, const float *weight,
                          gboolean add, float *big);
void bg_nn_conv_weight_dnnl(const BgNnGeometry *g, const float *big, const float *small,
                            float *weight);

G_END_DECLS
