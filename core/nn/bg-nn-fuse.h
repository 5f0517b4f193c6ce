// SPDX-License-Identifier: Apache-2.0
// What executors do before they run a convolution: the layers behind it that its step can do as well.
#pragma once

#include "bg-nn-geometry.h"
#include "bg-nn-params.h"

G_BEGIN_DECLS

/**
 * BgNnFuser:
 * @shapes: one a layer
 * @fused_into: one a layer: -1, or the convolution in whose step it is done
 *
 * A graph on its way to be a plan.
 */
typedef struct {
    const BgNnGraph *graph;   // borrowed
    const BgNnParams *params; // borrowed
    const BgNnShape *shapes;  // borrowed
    int *n_readers;           // owned; one a layer: how many layers take it; outputs count twice
    int *fused_into;          // owned
} BgNnFuser;

void bg_nn_fuser_init(BgNnFuser *fuser, const BgNnGraph *graph, const BgNnParams *params,
                      const BgNnShape *shapes);
void bg_nn_fuser_clear(BgNnFuser *fuser);

/**
 * bg_nn_fuser_check:
 *
 * Returns: %FALSE with %BG_ERROR_MISMATCH when a layer's parameters are not there, or of another shape
 */
gboolean bg_nn_fuser_check(const BgNnFuser *fuser, GError **error);

/** bg_nn_fuser_param: (nullable) (transfer none): the numbers of a layer's parameter */
const float *bg_nn_fuser_param(const BgNnFuser *fuser, const BgNnLayer *layer, BgNnRole role);

/**
 * BgNnFused:
 * @last: the layer whose result the step makes
 * @slope: of what is below zero, where @rectify
 * @weight: as the layer's own, with spectral norm and batch norm done
 * @bias: (nullable): one a channel
 */
typedef struct {
    int last;
    gboolean rectify;
    float slope;
    float *weight; // owned
    float *bias;   // owned
} BgNnFused;

/**
 * bg_nn_fuse:
 * @number: of a convolution, transposed one or linear layer
 *
 * Takes in the batch norm (of running statistics) and the rectifier that alone read it, in this
 * order, and notes them in @fuser->fused_into.
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY
 */
gboolean bg_nn_fuse(BgNnFuser *fuser, int number, BgNnFused *fused, GError **error);
void bg_nn_fused_clear(BgNnFused *fused);

/** bg_nn_fuser_norm: a batch norm of running statistics as @scale times x plus @shift: one a channel */
void bg_nn_fuser_norm(const BgNnFuser *fuser, const BgNnLayer *norm, gsize channels, double *scale,
                      double *shift);

/** bg_nn_norm_is_constant: whether it is one of running statistics */
gboolean bg_nn_norm_is_constant(const BgNnLayer *layer);

G_END_DECLS
