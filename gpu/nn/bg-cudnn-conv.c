// SPDX-License-Identifier: Apache-2.0
#include "gpu/nn/bg-cudnn-conv.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "gpu/nn/bg-cudnn-check.h"

#define MAX_WORKSPACE ((gsize) 512 << 20) // what is faster with more is not worth it
#define N_ALGORITHMS 8                    // that are asked for

struct _BgCudnnConv {
    BgCudnnConvSpec spec;
    cudnnTensorDescriptor_t big, small, bias; // owned; big: what a convolution reads
    cudnnFilterDescriptor_t filter;           // owned
    cudnnConvolutionDescriptor_t conv;        // owned
    cudnnActivationDescriptor_t relu;         // owned
    cudnnConvolutionFwdAlgo_t forward;
    cudnnConvolutionBwdDataAlgo_t backward;
    gsize workspace;
    gboolean fuses; // the one call for convolution, bias and rectifier
};

static const float one = 1.0f, zero = 0.0f;

gboolean
bg_cudnn_conv_fits(const BgNnGeometry *g, gboolean transposed)
{
    for (int k = 0; k < 3; k++) {
        gint64 big = (gint64) (transposed ? g->out[k] : g->in[k]);
        gint64 small = (gint64) (transposed ? g->in[k] : g->out[k]);
        gint64 extent = (gint64) g->dilation[k] * (g->kernel[k] - 1) + 1;
        gint64 room = big + 2 * (gint64) g->before[k] - extent;
        if (room < 0 || room / g->stride[k] + 1 != small)
            return FALSE;
    }
    return TRUE;
}

static cudnnDataType_t
type_of(const BgCudnnConvSpec *spec)
{
    return spec->precision == BG_NN_BFLOAT16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

// N x C x space without gaps.
static gboolean
set_tensor(cudnnTensorDescriptor_t *tensor, const BgCudnnConvSpec *spec, gsize n, gsize channels,
           const gsize size[3], GError **error)
{
    int rank = 2 + spec->space, dims[5] = { (int) n, (int) channels }, strides[5], stride = 1;

    for (int k = 0; k < spec->space; k++)
        dims[2 + k] = (int) size[3 - spec->space + k];
    for (int k = rank - 1; k >= 0; k--) {
        strides[k] = stride;
        stride *= dims[k];
    }
    return bg_cudnn_check(cudnnCreateTensorDescriptor(tensor), "tensor", error) &&
           bg_cudnn_check(cudnnSetTensorNdDescriptor(*tensor, type_of(spec), rank, dims, strides),
                          "tensor", error);
}

// Sizes that do not fit an int are beyond cuDNN's descriptors.
static gboolean
check_counts(const BgCudnnConvSpec *spec, GError **error)
{
    const BgNnGeometry *g = &spec->g;
    gsize most = MAX(g->in_channels * g->in_space, g->out_channels * g->out_space);

    if (most <= (gsize) G_MAXINT / g->n)
        return TRUE;
    g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                        _("The graphics card's library cannot do a layer of more than 2^31 "
                          "numbers: choose the CPU, or smaller tiles"));
    return FALSE;
}

static gboolean
set_filter(BgCudnnConv *self, GError **error)
{
    const BgCudnnConvSpec *spec = &self->spec;
    const BgNnGeometry *g = &spec->g;
    gsize rows = spec->transposed ? g->in_channels : g->out_channels;
    gsize columns = (spec->transposed ? g->out_channels : g->in_channels) / g->groups;
    int dims[5] = { (int) rows, (int) columns };

    for (int k = 0; k < spec->space; k++)
        dims[2 + k] = g->kernel[3 - spec->space + k];
    return bg_cudnn_check(cudnnCreateFilterDescriptor(&self->filter), "filter", error) &&
           bg_cudnn_check(cudnnSetFilterNdDescriptor(self->filter, type_of(spec), CUDNN_TENSOR_NCHW,
                                                     2 + spec->space, dims),
                          "filter", error);
}

static gboolean
set_conv(BgCudnnConv *self, GError **error)
{
    const BgCudnnConvSpec *spec = &self->spec;
    int first = 3 - spec->space;
    cudnnMathType_t math = spec->precision == BG_NN_FLOAT32 ? CUDNN_FMA_MATH
                           : spec->precision == BG_NN_TF32  ? CUDNN_DEFAULT_MATH
                                                            : CUDNN_TENSOR_OP_MATH;

    return bg_cudnn_check(cudnnCreateConvolutionDescriptor(&self->conv), "convolution", error) &&
           bg_cudnn_check(
               cudnnSetConvolutionNdDescriptor(self->conv, spec->space, spec->g.before + first,
                                               spec->g.stride + first, spec->g.dilation + first,
                                               CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
               "convolution", error) &&
           bg_cudnn_check(cudnnSetConvolutionGroupCount(self->conv, (int) spec->g.groups), "groups",
                          error) &&
           bg_cudnn_check(cudnnSetConvolutionMathType(self->conv, math), "precision", error);
}

static gboolean
set_fused(BgCudnnConv *self, GError **error)
{
    static const gsize ones[3] = { 1, 1, 1 };

    self->fuses = self->spec.rectify && self->spec.bias != NULL && !self->spec.transposed;
    return !self->fuses ||
           (set_tensor(&self->bias, &self->spec, 1, self->spec.g.out_channels, ones, error) &&
            bg_cudnn_check(cudnnCreateActivationDescriptor(&self->relu), "rectifier", error) &&
            bg_cudnn_check(cudnnSetActivationDescriptor(self->relu, CUDNN_ACTIVATION_RELU,
                                                        CUDNN_PROPAGATE_NAN, 0.0),
                           "rectifier", error));
}

static gboolean
no_algorithm(GError **error)
{
    return bg_cudnn_check(CUDNN_STATUS_NOT_SUPPORTED, "choice", error);
}

// What the algorithm was found with; float32 keeps CUDNN_FMA_MATH, for the default may round to TF32.
static gboolean
set_math(BgCudnnConv *self, cudnnMathType_t math, GError **error)
{
    return self->spec.precision == BG_NN_FLOAT32 ||
           bg_cudnn_check(cudnnSetConvolutionMathType(self->conv, math), "precision", error);
}

// The first that works: cuDNN sorts them by the time it expects.
static gboolean
choose_forward(BgCudnnConv *self, cudnnHandle_t handle, GError **error)
{
    cudnnConvolutionFwdAlgoPerf_t found[N_ALGORITHMS];
    int n = 0, i = 0;

    if (!bg_cudnn_check(cudnnGetConvolutionForwardAlgorithm_v7(handle, self->big, self->filter,
                                                               self->conv, self->small,
                                                               N_ALGORITHMS, &n, found),
                        "choice", error))
        return FALSE;
    while (i < n &&
           (found[i].status != CUDNN_STATUS_SUCCESS || found[i].memory > MAX_WORKSPACE ||
            (self->spec.precision == BG_NN_FLOAT32 && found[i].mathType == CUDNN_TENSOR_OP_MATH)))
        i++;
    if (i == n)
        return no_algorithm(error);
    self->forward = found[i].algo;
    return set_math(self, found[i].mathType, error) &&
           bg_cudnn_check(cudnnGetConvolutionForwardWorkspaceSize(handle, self->big, self->filter,
                                                                  self->conv, self->small,
                                                                  self->forward, &self->workspace),
                          "workspace", error);
}

// Only what gives the same numbers each time.
static gboolean
choose_backward(BgCudnnConv *self, cudnnHandle_t handle, GError **error)
{
    cudnnConvolutionBwdDataAlgoPerf_t found[N_ALGORITHMS];
    int n = 0, i = 0;

    if (!bg_cudnn_check(
            cudnnGetConvolutionBackwardDataAlgorithm_v7(
                handle, self->filter, self->small, self->conv, self->big, N_ALGORITHMS, &n, found),
            "choice", error))
        return FALSE;
    while (i < n &&
           (found[i].status != CUDNN_STATUS_SUCCESS || found[i].memory > MAX_WORKSPACE ||
            found[i].determinism != CUDNN_DETERMINISTIC ||
            (self->spec.precision == BG_NN_FLOAT32 && found[i].mathType == CUDNN_TENSOR_OP_MATH)))
        i++;
    if (i == n)
        return no_algorithm(error);
    self->backward = found[i].algo;
    return set_math(self, found[i].mathType, error) &&
           bg_cudnn_check(cudnnGetConvolutionBackwardDataWorkspaceSize(
                              handle, self->filter, self->small, self->conv, self->big,
                              self->backward, &self->workspace),
                          "workspace", error);
}

BgCudnnConv *
bg_cudnn_conv_new(cudnnHandle_t handle, const BgCudnnConvSpec *spec, GError **error)
{
    BgCudnnConv *self = g_new0(BgCudnnConv, 1);
    const BgNnGeometry *g = &spec->g;

    self->spec = *spec;
    cudnnTensorDescriptor_t *in = spec->transposed ? &self->small : &self->big;
    cudnnTensorDescriptor_t *out = spec->transposed ? &self->big : &self->small;
    if (check_counts(spec, error) && set_tensor(in, spec, g->n, g->in_channels, g->in, error) &&
        set_tensor(out, spec, g->n, g->out_channels, g->out, error) && set_filter(self, error) &&
        set_conv(self, error) && set_fused(self, error) &&
        (spec->transposed ? choose_backward(self, handle, error)
                          : choose_forward(self, handle, error)))
        return self;
    bg_cudnn_conv_free(self);
    return NULL;
}

void
bg_cudnn_conv_free(BgCudnnConv *self)
{
    if (self == NULL)
        return;
    if (self->big != NULL)
        cudnnDestroyTensorDescriptor(self->big);
    if (self->small != NULL)
        cudnnDestroyTensorDescriptor(self->small);
    if (self->bias != NULL)
        cudnnDestroyTensorDescriptor(self->bias);
    if (self->filter != NULL)
        cudnnDestroyFilterDescriptor(self->filter);
    if (self->conv != NULL)
        cudnnDestroyConvolutionDescriptor(self->conv);
    if (self->relu != NULL)
        cudnnDestroyActivationDescriptor(self->relu);
    g_free(self);
}

gsize
bg_cudnn_conv_get_workspace(const BgCudnnConv *self)
{
    return self->workspace;
}

gboolean
bg_cudnn_conv_run(BgCudnnConv *self, cudnnHandle_t handle, const void *in, void *out,
                  void *workspace, gboolean *finished, GError **error)
{
    const void *weight = self->spec.weight;

    *finished = FALSE;
    if (self->spec.transposed)
        return bg_cudnn_check(cudnnConvolutionBackwardData(handle, &one, self->filter, weight,
                                                           self->small, in, self->conv,
                                                           self->backward, workspace,
                                                           self->workspace, &zero, self->big, out),
                              "transposed convolution", error);
    if (self->fuses) {
        // With a factor of 0 the third tensor is not read; it may be the result itself.
        cudnnStatus_t status = cudnnConvolutionBiasActivationForward(
            handle, &one, self->big, in, self->filter, weight, self->conv, self->forward, workspace,
            self->workspace, &zero, self->small, out, self->bias, self->spec.bias, self->relu,
            self->small, out);
        *finished = status == CUDNN_STATUS_SUCCESS;
        if (CUDNN_STATUS_CATEGORY(status) != CUDNN_STATUS_NOT_SUPPORTED)
            return bg_cudnn_check(status, "convolution with rectifier", error);
        self->fuses = FALSE; // not with this algorithm: in two passes, from now on
    }
    return bg_cudnn_check(cudnnConvolutionForward(handle, &one, self->big, in, self->filter, weight,
                                                  self->conv, self->forward, workspace,
                                                  self->workspace, &zero, self->small, out),
                          "convolution", error);
}
