// SPDX-License-Identifier: Apache-2.0
// A network as data: named layers, of which each knows whose results it takes.
#pragma once

#include "bg-nn-op.h"
#include "bg-nn-tensor.h"
#include "core/base/bg-json.h"

G_BEGIN_DECLS

#define BG_NN_MAX_INPUTS 8    // of one layer
#define BG_NN_MAX_LAYERS 4096 // of one graph
#define BG_NN_MAX_NAME 200    // bytes
#define BG_NN_MAX_LAYER_PARAMS 4

/**
 * BgNnKind:
 *
 * What a layer does. N, C and space are the dimensions of BgNnShape; "per channel" parameters
 * have C elements.
 *
 * @BG_NN_INPUT: what the caller gives; has `channels` and `n_space`
 * @BG_NN_CONV: cross-correlation, as all network libraries call convolution. Parameters `weight`
 *   [channels, C / groups, kernel...] and `bias` [channels]
 * @BG_NN_DECONV: transposed convolution, the gradient of BG_NN_CONV. `weight`
 *   [C, channels / groups, kernel...], `bias`. Size: (in - 1) * stride - before - after +
 *   dilation * (kernel - 1) + 1 + out_pad
 * @BG_NN_LINEAR: `weight` [channels, C], `bias`; on N x C only (see BG_NN_RESHAPE)
 * @BG_NN_BATCH_NORM: weight * (x - mean) / sqrt(variance + eps) + bias, per channel. Parameters
 *   `weight`, `bias`, `mean`, `variance`; the last two are no gradient's. `norm` says whose
 *   statistics are taken
 * @BG_NN_INSTANCE_NORM: the same with the statistics of each picture and channel. `weight`, `bias`
 *   where `affine`
 * @BG_NN_LEAKY_RELU: x for x > 0, else `slope` * x
 * @BG_NN_PRELU: as that, with the parameter `slope` [C], or [1] where `shared`
 * @BG_NN_SOFTMAX: over the channels
 * @BG_NN_MAX_POOL: what lies outside is never the greatest
 * @BG_NN_AVG_POOL: what lies outside counts as zero where `count_outside`, else not at all
 * @BG_NN_UPSAMPLE: by `stride`; `bilinear` takes pixel centres at half integers (PyTorch's
 *   align_corners = False), in 1D linear, in 3D trilinear
 * @BG_NN_CONCAT: of channels
 * @BG_NN_ADD, @BG_NN_MULTIPLY, @BG_NN_MAXIMUM: element by element, of two or more; the sum is
 *   multiplied by `scale` (0 counts as 1)
 * @BG_NN_DIVIDE: first / (second + eps)
 * @BG_NN_TILE: repeats: channels `channels` times (0 counts as 1), space `stride` times
 * @BG_NN_CROP: leaves out `before` and `after` of space, which may be wider than nothing only
 * @BG_NN_PAD: adds `before` and `after`; zeros, or by `pad_mode`
 * @BG_NN_DROPOUT: in training, zero with probability `rate`, else divided by 1 - rate;
 *   whole channels where `shared`
 * @BG_NN_RESHAPE: to `channels` and `size` (`n_space` of them); N stays. channels = 0: everything
 *   flattened into channels
 */
typedef enum {
    BG_NN_INPUT,
    BG_NN_CONV,
    BG_NN_DECONV,
    BG_NN_LINEAR,
    BG_NN_BATCH_NORM,
    BG_NN_INSTANCE_NORM,
    BG_NN_RELU,
    BG_NN_LEAKY_RELU,
    BG_NN_PRELU,
    BG_NN_SIGMOID,
    BG_NN_TANH,
    BG_NN_SOFTMAX,
    BG_NN_MAX_POOL,
    BG_NN_AVG_POOL,
    BG_NN_UPSAMPLE,
    BG_NN_CONCAT,
    BG_NN_ADD,
    BG_NN_MULTIPLY,
    BG_NN_MAXIMUM,
    BG_NN_DIVIDE,
    BG_NN_TILE,
    BG_NN_CROP,
    BG_NN_PAD,
    BG_NN_DROPOUT,
    BG_NN_RESHAPE,
    BG_NN_N_KINDS,
} BgNnKind;

/**
 * BgNnNorm:
 * @BG_NN_NORM_USUAL: the batch's statistics in training (and the running ones move by `momentum`),
 *   the running ones else
 * @BG_NN_NORM_FROZEN: the running ones always
 * @BG_NN_NORM_BATCH: the batch's always (DeepDRR's V-Net)
 */
typedef enum {
    BG_NN_NORM_USUAL,
    BG_NN_NORM_FROZEN,
    BG_NN_NORM_BATCH,
} BgNnNorm;

/**
 * BgNnLayer:
 *
 * Arrays of three are of space, slowest first; a picture uses the first two. A layer that does not
 * use a field leaves it zero; stride, dilation and groups count as 1 when they are 0.
 */
typedef struct {
    BgNnKind kind;
    const char *name; // unique in its graph; no '/'; of parameters "name/weight"
    int inputs[BG_NN_MAX_INPUTS];
    int n_inputs;
    int channels;
    int n_space;
    int kernel[3], stride[3], dilation[3];
    int before[3], after[3]; // padding, crop
    int out_pad[3];
    int size[3];
    int groups;
    BgNnPadMode pad_mode;
    BgNnNorm norm;
    gboolean no_bias;
    gboolean spectral_norm; // conv, deconv, linear: weight / its largest singular value
    gboolean affine, bilinear, count_outside, shared;
    double eps, momentum, slope, rate, scale;
} BgNnLayer;

#define BG_NN_ALL(v)  \
    {                 \
        (v), (v), (v) \
    }

/** BgNnGraph: layers in an order in which each comes after what it takes; built once, then only read */
typedef struct _BgNnGraph BgNnGraph;

BgNnGraph *bg_nn_graph_new(const char *name);
BgNnGraph *bg_nn_graph_ref(BgNnGraph *graph);
void bg_nn_graph_unref(BgNnGraph *graph);

/**
 * bg_nn_graph_add:
 * @layer: copied
 *
 * Returns: the layer's number, to be another's input. Nothing is checked before
 *   bg_nn_graph_infer(), except that inputs come before (a programmer's mistake)
 */
int bg_nn_graph_add(BgNnGraph *graph, const BgNnLayer *layer);

/** bg_nn_graph_add_output: results come in the order of these calls; an input may be one */
void bg_nn_graph_add_output(BgNnGraph *graph, int layer);

/**
 * bg_nn_graph_select:
 * @outputs: bit k: the @k-th output, 0 to 31, is wanted
 *
 * Returns: (transfer full): all inputs, the wanted outputs in their order, and the layers that these need,
 *   by the same names: the whole graph's parameters will do
 */
BgNnGraph *bg_nn_graph_select(const BgNnGraph *graph, guint outputs);

// Short forms of bg_nn_graph_add() for what networks have most of

int bg_nn_graph_input(BgNnGraph *graph, const char *name, int channels, int n_space);

/** bg_nn_graph_unary: a layer of @kind without parameters that takes @input */
int bg_nn_graph_unary(BgNnGraph *graph, BgNnKind kind, const char *name, int input);

/** bg_nn_graph_conv: stride 1, output as large as the input ("same": an even kernel's odd pixel after) */
int bg_nn_graph_conv(BgNnGraph *graph, const char *name, int input, int channels, int kernel);
int bg_nn_graph_binary(BgNnGraph *graph, BgNnKind kind, const char *name, int a, int b);

const char *bg_nn_graph_get_name(const BgNnGraph *graph);
int bg_nn_graph_count(const BgNnGraph *graph);
const BgNnLayer *bg_nn_graph_get(const BgNnGraph *graph, int layer);
int bg_nn_graph_count_inputs(const BgNnGraph *graph);
int bg_nn_graph_get_input(const BgNnGraph *graph, int index); // a layer's number

/**
 * bg_nn_graph_check_inputs: whether @inputs, one per input layer, are as large as was planned
 * @shapes: of all layers, as bg_nn_graph_infer() found them
 *
 * Returns: %TRUE, or %FALSE with %BG_ERROR_MISMATCH
 */
gboolean bg_nn_graph_check_inputs(const BgNnGraph *graph, const BgNnShape *shapes,
                                  BgNnTensor *const *inputs, GError **error);
int bg_nn_graph_count_outputs(const BgNnGraph *graph);
int bg_nn_graph_get_output(const BgNnGraph *graph, int index);

/** bg_nn_graph_find: a layer's number by its name, or -1 */
int bg_nn_graph_find(const BgNnGraph *graph, const char *name);

/** bg_nn_kind_name: "conv", "batch-norm", ...: as in the file */
const char *bg_nn_kind_name(BgNnKind kind);

/**
 * bg_nn_graph_infer:
 * @inputs: one shape per input layer
 *
 * Checks every layer and finds what shape it gives, before anything is allocated.
 *
 * Returns: (transfer full): one shape a layer, to be freed with g_free(); or %NULL with
 *   %BG_ERROR_INVALID: a layer contradicts itself; %BG_ERROR_MISMATCH: shapes do not fit each
 *   other. The message names the layer
 */
BgNnShape *bg_nn_graph_infer(const BgNnGraph *graph, const BgNnShape *inputs, int n_inputs,
                             GError **error);

/**
 * bg_nn_graph_count_flop: of the convolutions of one run, counted as direct ones: 2 a product
 * @shapes: of bg_nn_graph_infer()
 */
double bg_nn_graph_count_flop(const BgNnGraph *graph, const BgNnShape *shapes);

typedef enum {
    BG_NN_ROLE_WEIGHT,
    BG_NN_ROLE_BIAS,
    BG_NN_ROLE_MEAN,
    BG_NN_ROLE_VARIANCE,
    BG_NN_ROLE_SLOPE,
    BG_NN_ROLE_SINGULAR, // left singular vector of spectral norm, by power iteration
} BgNnRole;

typedef struct {
    BgNnRole role;
    BgNnShape shape;
} BgNnParamInfo;

const char *bg_nn_role_name(BgNnRole role);

/** bg_nn_role_is_trained: whether a gradient moves it */
gboolean bg_nn_role_is_trained(BgNnRole role);

/**
 * bg_nn_layer_list_params:
 * @input: the shape that the layer takes first (nullable only for inputs)
 * @infos: (out caller-allocates)
 *
 * Returns: how many
 */
int bg_nn_layer_list_params(const BgNnLayer *layer, const BgNnShape *input,
                            BgNnParamInfo infos[BG_NN_MAX_LAYER_PARAMS]);

/** bg_nn_graph_to_json: (transfer full): the whole graph; what bg_nn_graph_new_from_json() reads */
BgJson *bg_nn_graph_to_json(const BgNnGraph *graph);

/**
 * bg_nn_graph_new_from_json:
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_CORRUPT: no graph; %BG_ERROR_UNSUPPORTED: a
 *   kind of layer that this build does not have
 */
BgNnGraph *bg_nn_graph_new_from_json(const BgJson *json, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgNnGraph, bg_nn_graph_unref)

G_END_DECLS
