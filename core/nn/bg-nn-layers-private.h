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
 * to `d_in` and `d_param`, of which each may be %NULL when nobody wants it; to a `fresh` `d_in`
 * those of bg_nn_backward_sets() write instead: what is there is no number. Norms leave mean and
 * variance of each group in `kept` for the way back, when it is not %NULL.
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
        gboolean fresh; /* d_in[0] */                                                   \
        double *kept;                                                                   \
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

/** bg_nn_backward_sets: whether this layer's backward function heeds `fresh` */
static inline gboolean
bg_nn_backward_sets(const BgNnLayer *layer)
{
    switch (layer->kind) {
    case BG_NN_CONV:
        return layer->pad_mode == BG_NN_PAD_ZERO;
    case BG_NN_DECONV:
    case BG_NN_LINEAR:
    case BG_NN_BATCH_NORM:
    case BG_NN_INSTANCE_NORM:
    case BG_NN_RELU:
    case BG_NN_LEAKY_RELU:
    case BG_NN_PRELU:
        return TRUE;
    default:
        return FALSE;
    }
}

/** bg_nn_backward_f64: errors as bg_nn_forward_f64() */
gboolean bg_nn_backward_f64(BgNnCall64 *call, GError **error);
gboolean bg_nn_backward_f32(BgNnCall32 *call, GError **error);

// Convolution with zeros outside: `big` [n, in_channels, in], `small` [n, out_channels, out], weight
// [out_channels, in_channels / groups, kernel]. With `add` they add to what is there (then no bias);
// the weight's gradient is always added.

void bg_nn_conv_f64(const BgNnGeometry *g, const double *big, const double *weight,
                    const double *bias, gboolean add, double *small);
void bg_nn_conv_data_f64(const BgNnGeometry *g, const double *small, const double *weight,
                         gboolean add, double *big);
void bg_nn_conv_weight_f64(const BgNnGeometry *g, const double *big, const double *small,
                           double *weight);
void bg_nn_conv_f32(const BgNnGeometry *g, const float *big, const float *weight, const float *bias,
                    gboolean add, float *small);
void bg_nn_conv_data_f32(const BgNnGeometry *g, const float *small, const float *weight,
                         gboolean add, float *big);
void bg_nn_conv_weight_f32(const BgNnGeometry *g, const float *big, const float *small,
                           float *weight);

G_END_DECLS
