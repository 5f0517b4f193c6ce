// SPDX-License-Identifier: Apache-2.0
// Short forms for the layers that several networks are made of.
#pragma once

#include "core/nn/bg-nn-graph.h"

G_BEGIN_DECLS

/** bg_layer_norm: batch norm; @momentum: what share of the running statistics a step replaces */
int bg_layer_norm(BgNnGraph *graph, const char *name, int input, double eps, double momentum,
                  BgNnNorm norm);
int bg_layer_leaky(BgNnGraph *graph, const char *name, int input, double slope);
int bg_layer_linear(BgNnGraph *graph, const char *name, int input, int channels);

/** bg_layer_nearest: by two in every dimension */
int bg_layer_nearest(BgNnGraph *graph, const char *name, int input);

/** bg_layer_halve: max pool of two in every dimension */
int bg_layer_halve(BgNnGraph *graph, const char *name, int input);
int bg_layer_drop(BgNnGraph *graph, const char *name, int input, double rate, gboolean channels);
int bg_layer_flatten(BgNnGraph *graph, const char *name, int input);

/** bg_layer_conv: all of it; the same kernel, stride and border in every dimension */
int bg_layer_conv(BgNnGraph *graph, const char *name, int input, int channels, int kernel,
                  int stride, int border, gboolean no_bias);

/** bg_layer_double: transposed convolution of two with stride two */
int bg_layer_double(BgNnGraph *graph, const char *name, int input, int channels);

/** bg_layer_name: (transfer full): "PREFIX_SUFFIX" */
char *bg_layer_name(const char *prefix, const char *suffix);

G_END_DECLS
