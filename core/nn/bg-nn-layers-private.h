// SPDX-License-Identifier: Apache-2.0
// Every layer, forward and backward, in plain loops: made for float64 (the reference) and float32.
#pragma once

#include "bg-nn-geometry.h"
#include "core/base/bg-random.h"

G_BEGIN_DECLS

/**
 * BgNnCall64, BgNnCall32:
 *
 * One layer with everything that it reads and writes; all arrays dense. Backward functions add
 * to `d_in` and `d_param`, of which each may be %NULL when nobody wants it.
 */
#define BG_NN_DEFINE_CALL(Name, real)                                                   \
    typedef struct {                                                                    \
        const BgNnLayer *layer;                                                         \
        BgNnGeometry g;                                                                 \
        int n_inputs;                                                                   \
        gsize channels[BG_NN_MAX_INPUTS]; /* of each input */                           \
        const real *in[BG_NN_MAX_INPUTS];                                               \
        real *d_in[BG_NN_MAX_INPUTS];                                                   \
        real *param[BG_NN_MAX_LAYER_PARAMS]; /* in bg_nn_layer_list_params()'s order */ \
        real *d_param[BG_NN_MAX_LAYER_PARAMS];                                          \
        real *out;                                                                      \
        const real *d_out;                                                              \
        gboolean training;                                                              \
        guint64 seed; /* of dropout: of this layer and step */                          \
    } Name

BG_NN_DEFINE_CALL(BgNnCall64, double);
BG_NN_DEFINE_CALL(BgNnCall32, float);

/**
 * bg_nn_forward_f64:
 *
 * Writes `out`; in training batch norms move their running statistics.
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY, of scratch
 */
gboolean bg_nn_forward_f64(BgNnCall64 *call, GError **error);
gboolean bg_nn_forward_f32(BgNnCall32 *call, GError **error);

/** bg_nn_backward_f64: errors as bg_nn_forward_f64() */
gboolean bg_nn_backward_f64(BgNnCall64 *call, GError **error);
gboolean bg_nn_backward_f32(BgNnCall32 *call, GError **error);

// Convolution with zeros outside: `big` [n, in_channels, in], `small` [n, out_channels, out], weight
// [out_channels, in_channels / groups, kernel]. All of them add to what is there.

void bg_nn_conv_f64(const BgNnGeometry *g, const double *big, const double *weight, double *small);
void bg_nn_conv_data_f64(const BgNnGeometry *g, const double *small, const double *weight,
                         double *big);
void bg_nn_conv_weight_f64(const BgNnGeometry *g, const double *big, const double *small,
                           double *weight);
void bg_nn_conv_f32(const BgNnGeometry *g, const float *big, const float *weight, float *small);
void bg_nn_conv_data_f32(const BgNnGeometry *g, const float *small, const float *weight,
                         float *big);
void bg_nn_conv_weight_f32(const BgNnGeometry *g, const float *big, const float *small,
                           float *weight);

G_END_DECLS
