// SPDX-License-Identifier: Apache-2.0
#include "core/nn/bg-nn-op.h"

#include <cudnn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RANK 5
#define WORKSPACE 4096 // what the second algorithm asks for

struct BgHostDnn {
    cudaStream_t stream;
};

struct BgHostTensor {
    cudnnDataType_t type;
    int rank, dims[MAX_RANK];
    int is_packed;
};

struct BgHostConv {
    int space, pad[3], stride[3], dilation[3], groups;
    cudnnMathType_t math;
};

struct BgHostActivation {
    int is_set;
};

#define CREATE(Name, Type, type)                                                   \
    cudnnStatus_t cudnnCreate##Name(Type *made)                                    \
    {                                                                              \
        *made = calloc(1, sizeof(struct type));                                    \
        return *made != NULL ? CUDNN_STATUS_SUCCESS                                \
                             : CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED; \
    }                                                                              \
    cudnnStatus_t cudnnDestroy##Name(Type made)                                    \
    {                                                                              \
        free(made);                                                                \
        return CUDNN_STATUS_SUCCESS;                                               \
    }

CREATE(, cudnnHandle_t, BgHostDnn)
CREATE(TensorDescriptor, cudnnTensorDescriptor_t, BgHostTensor)
CREATE(FilterDescriptor, cudnnFilterDescriptor_t, BgHostTensor)
CREATE(ConvolutionDescriptor, cudnnConvolutionDescriptor_t, BgHostConv)
CREATE(ActivationDescriptor, cudnnActivationDescriptor_t, BgHostActivation)

const char *
cudnnGetErrorString(cudnnStatus_t status)
{
    return status == CUDNN_STATUS_SUCCESS     ? "CUDNN_STATUS_SUCCESS"
           : status == CUDNN_STATUS_BAD_PARAM ? "CUDNN_STATUS_BAD_PARAM"
                                              : "CUDNN_STATUS_NOT_SUPPORTED";
}

cudnnStatus_t
cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream)
{
    handle->stream = stream;
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t
set_dims(struct BgHostTensor *tensor, cudnnDataType_t type, int rank, const int dims[])
{
    if ((type != CUDNN_DATA_FLOAT && type != CUDNN_DATA_BFLOAT16) || rank < 4 || rank > MAX_RANK)
        return rank < 4 ? CUDNN_STATUS_BAD_PARAM : CUDNN_STATUS_NOT_SUPPORTED;
    tensor->type = type;
    tensor->rank = rank;
    for (int k = 0; k < rank; k++) {
        if (dims[k] < 1)
            return CUDNN_STATUS_BAD_PARAM;
        tensor->dims[k] = dims[k];
    }
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t
cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t tensor, cudnnDataType_t type, int rank,
                           const int dims[], const int strides[])
{
    cudnnStatus_t status = set_dims(tensor, type, rank, dims);
    int wanted = 1;

    tensor->is_packed = 1;
    for (int k = rank - 1; status == CUDNN_STATUS_SUCCESS && k >= 0; k--) {
        tensor->is_packed &= strides[k] == wanted;
        wanted *= dims[k];
    }
    return status;
}

cudnnStatus_t
cudnnSetFilterNdDescriptor(cudnnFilterDescriptor_t filter, cudnnDataType_t type,
                           cudnnTensorFormat_t format, int rank, const int dims[])
{
    filter->is_packed = 1;
    return format == CUDNN_TENSOR_NCHW ? set_dims(filter, type, rank, dims)
                                       : CUDNN_STATUS_NOT_SUPPORTED;
}

cudnnStatus_t
cudnnSetConvolutionNdDescriptor(cudnnConvolutionDescriptor_t conv, int space, const int pad[],
                                const int stride[], const int dilation[],
                                cudnnConvolutionMode_t mode, cudnnDataType_t compute)
{
    if (space < 2 || space > 3 || mode != CUDNN_CROSS_CORRELATION || compute != CUDNN_DATA_FLOAT)
        return CUDNN_STATUS_BAD_PARAM;
    conv->space = space;
    conv->groups = 1;
    for (int k = 0; k < space; k++) {
        if (pad[k] < 0 || stride[k] < 1 || dilation[k] < 1)
            return CUDNN_STATUS_BAD_PARAM;
        conv->pad[k] = pad[k];
        conv->stride[k] = stride[k];
        conv->dilation[k] = dilation[k];
    }
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t
cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t conv, int groups)
{
    conv->groups = groups;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t
cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t conv, cudnnMathType_t math)
{
    conv->math = math;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t
cudnnSetActivationDescriptor(cudnnActivationDescriptor_t activation, cudnnActivationMode_t mode,
                             cudnnNanPropagation_t nan, double coefficient)
{
    (void) nan;
    (void) coefficient;
    activation->is_set = mode == CUDNN_ACTIVATION_RELU;
    return activation->is_set ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
}

// ------------------------------------------------------------------------------------------------

// By the documentation: y = 1 + (x + 2 pad - (dilation (w - 1) + 1)) / stride.
static cudnnStatus_t
check_shapes(const struct BgHostTensor *x, const struct BgHostTensor *w,
             const struct BgHostConv *conv, const struct BgHostTensor *y)
{
    int groups = conv->groups;

    if (x->rank != conv->space + 2 || w->rank != x->rank || y->rank != x->rank || !x->is_packed ||
        !y->is_packed || x->type != w->type || x->type != y->type || x->dims[0] != y->dims[0] ||
        x->dims[1] != w->dims[1] * groups || y->dims[1] != w->dims[0] || w->dims[0] % groups != 0)
        return CUDNN_STATUS_BAD_PARAM;
    for (int k = 0; k < conv->space; k++) {
        int extent = conv->dilation[k] * (w->dims[2 + k] - 1) + 1;
        if (y->dims[2 + k] != 1 + (x->dims[2 + k] + 2 * conv->pad[k] - extent) / conv->stride[k])
            return CUDNN_STATUS_BAD_PARAM;
    }
    return CUDNN_STATUS_SUCCESS;
}

static float
get(const void *data, cudnnDataType_t type, size_t at)
{
    return type == CUDNN_DATA_FLOAT ? ((const float *) data)[at]
                                    : bg_nn_from_bf16(((const BgNnBf16 *) data)[at]);
}

static void
put(void *data, cudnnDataType_t type, size_t at, double value)
{
    if (type == CUDNN_DATA_FLOAT)
        ((float *) data)[at] = (float) value;
    else
        ((BgNnBf16 *) data)[at] = bg_nn_to_bf16((float) value);
}

/** Loop: a convolution's sizes, in three dimensions */
typedef struct {
    size_t n, in_g, out_g, groups, x[3], y[3], w[3];
    long pad[3], stride[3], dilation[3];
} Loop;

static Loop
loop_of(const struct BgHostTensor *x, const struct BgHostTensor *w, const struct BgHostConv *conv,
        const struct BgHostTensor *y)
{
    Loop l = { (size_t) x->dims[0],
               (size_t) w->dims[1],
               (size_t) (w->dims[0] / conv->groups),
               (size_t) conv->groups,
               { 1, 1, 1 },
               { 1, 1, 1 },
               { 1, 1, 1 },
               { 0, 0, 0 },
               { 1, 1, 1 },
               { 1, 1, 1 } };

    for (int k = 0; k < conv->space; k++) {
        int i = 3 - conv->space + k;
        l.x[i] = (size_t) x->dims[2 + k];
        l.y[i] = (size_t) y->dims[2 + k];
        l.w[i] = (size_t) w->dims[2 + k];
        l.pad[i] = conv->pad[k];
        l.stride[i] = conv->stride[k];
        l.dilation[i] = conv->dilation[k];
    }
    return l;
}

// Where tap `t` of output `o` lies in x, or -1 outside.
static long
tap_at(const Loop *l, size_t o, size_t t)
{
    size_t pos[3] = { o / (l->y[1] * l->y[2]), o / l->y[2] % l->y[1], o % l->y[2] };
    size_t tap[3] = { t / (l->w[1] * l->w[2]), t / l->w[2] % l->w[1], t % l->w[2] };
    long at = 0;

    for (int k = 0; k < 3; k++) {
        long i = (long) pos[k] * l->stride[k] - l->pad[k] + (long) tap[k] * l->dilation[k];
        if (i < 0 || i >= (long) l->x[k])
            return -1;
        at = at * (long) l->x[k] + i;
    }
    return at;
}

static double
one_sum(const Loop *l, cudnnDataType_t type, const void *x, const void *w, size_t n, size_t c,
        size_t o)
{
    size_t taps = l->w[0] * l->w[1] * l->w[2], space = l->x[0] * l->x[1] * l->x[2];
    double sum = 0;

    for (size_t i = 0; i < l->in_g; i++) {
        size_t channel = c / l->out_g * l->in_g + i;
        for (size_t t = 0; t < taps; t++) {
            long at = tap_at(l, o, t);
            if (at >= 0)
                sum += (double) get(x, type,
                                    (n * l->in_g * l->groups + channel) * space + (size_t) at) *
                       (double) get(w, type, (c * l->in_g + i) * taps + t);
        }
    }
    return sum;
}

static void
forward(const Loop *l, cudnnDataType_t type, const void *x, const void *w, const void *bias,
        int rectified, void *y)
{
    size_t channels = l->out_g * l->groups, space = l->y[0] * l->y[1] * l->y[2];

    for (size_t n = 0; n < l->n; n++)
        for (size_t c = 0; c < channels; c++)
            for (size_t o = 0; o < space; o++) {
                double sum = one_sum(l, type, x, w, n, c, o);
                if (bias != NULL)
                    sum += (double) get(bias, type, c);
                put(y, type, (n * channels + c) * space + o, rectified && sum < 0 ? 0 : sum);
            }
}

static int
is(const void *factor, float value)
{
    return *(const float *) factor == value;
}

cudnnStatus_t
cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t handle, const cudnnTensorDescriptor_t x_desc,
                                       const cudnnFilterDescriptor_t w_desc,
                                       const cudnnConvolutionDescriptor_t conv,
                                       const cudnnTensorDescriptor_t y_desc, const int wanted,
                                       int *returned, cudnnConvolutionFwdAlgoPerf_t *results)
{
    const cudnnConvolutionFwdAlgoPerf_t found[] = {
        { CUDNN_CONVOLUTION_FWD_ALGO_FFT, CUDNN_STATUS_NOT_SUPPORTED, -1.0f, 0, CUDNN_DETERMINISTIC,
          conv->math },
        { CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, CUDNN_STATUS_SUCCESS, -1.0f, WORKSPACE,
          CUDNN_DETERMINISTIC, conv->math },
        { CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, CUDNN_STATUS_SUCCESS, -1.0f, 0,
          CUDNN_DETERMINISTIC, conv->math },
    };

    (void) handle;
    *returned = wanted < 3 ? wanted : 3;
    memcpy(results, found, (size_t) *returned * sizeof *results);
    return check_shapes(x_desc, w_desc, conv, y_desc);
}

cudnnStatus_t
cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t handle, const cudnnTensorDescriptor_t x_desc,
                                        const cudnnFilterDescriptor_t w_desc,
                                        const cudnnConvolutionDescriptor_t conv,
                                        const cudnnTensorDescriptor_t y_desc,
                                        cudnnConvolutionFwdAlgo_t algo, size_t *n_bytes)
{
    (void) handle;
    *n_bytes = algo == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM ? WORKSPACE : 0;
    return check_shapes(x_desc, w_desc, conv, y_desc);
}

static cudnnStatus_t
check_forward(const struct BgHostTensor *x, const struct BgHostTensor *w,
              const struct BgHostConv *conv, const struct BgHostTensor *y,
              cudnnConvolutionFwdAlgo_t algo, void *workspace, size_t workspace_bytes)
{
    if (algo == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM) {
        if (workspace == NULL || workspace_bytes < WORKSPACE)
            return CUDNN_STATUS_BAD_PARAM;
        memset(workspace, 0x5a, WORKSPACE); // whoever keeps something there finds out
    }
    return check_shapes(x, w, conv, y);
}

cudnnStatus_t
cudnnConvolutionForward(cudnnHandle_t handle, const void *alpha,
                        const cudnnTensorDescriptor_t x_desc, const void *x,
                        const cudnnFilterDescriptor_t w_desc, const void *w,
                        const cudnnConvolutionDescriptor_t conv, cudnnConvolutionFwdAlgo_t algo,
                        void *workspace, size_t workspace_bytes, const void *beta,
                        const cudnnTensorDescriptor_t y_desc, void *y)
{
    cudnnStatus_t status =
        check_forward(x_desc, w_desc, conv, y_desc, algo, workspace, workspace_bytes);
    Loop l;

    (void) handle;
    if (status != CUDNN_STATUS_SUCCESS || !is(alpha, 1) || !is(beta, 0) || x == y)
        return CUDNN_STATUS_BAD_PARAM;
    l = loop_of(x_desc, w_desc, conv, y_desc);
    forward(&l, x_desc->type, x, w, NULL, 0, y);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t
cudnnConvolutionBiasActivationForward(
    cudnnHandle_t handle, const void *alpha1, const cudnnTensorDescriptor_t x_desc, const void *x,
    const cudnnFilterDescriptor_t w_desc, const void *w, const cudnnConvolutionDescriptor_t conv,
    cudnnConvolutionFwdAlgo_t algo, void *workspace, size_t workspace_bytes, const void *alpha2,
    const cudnnTensorDescriptor_t z_desc, const void *z, const cudnnTensorDescriptor_t bias_desc,
    const void *bias, const cudnnActivationDescriptor_t activation,
    const cudnnTensorDescriptor_t y_desc, void *y)
{
    cudnnStatus_t status =
        check_forward(x_desc, w_desc, conv, y_desc, algo, workspace, workspace_bytes);
    Loop l;

    (void) handle;
    if (status != CUDNN_STATUS_SUCCESS || !is(alpha1, 1) || !is(alpha2, 0) || x == y || z == NULL ||
        z_desc->type != y_desc->type || !activation->is_set || bias_desc->type != y_desc->type ||
        bias_desc->dims[0] != 1 || bias_desc->dims[1] != y_desc->dims[1] ||
        bias_desc->dims[2] != 1 || bias_desc->dims[3] != 1)
        return CUDNN_STATUS_BAD_PARAM;
    if (conv->groups > 1) // as some of its kernels: the caller must have another way
        return CUDNN_STATUS_NOT_SUPPORTED;
    l = loop_of(x_desc, w_desc, conv, y_desc);
    forward(&l, x_desc->type, x, w, bias, 1, y);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t
cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnnHandle_t handle,
                                            const cudnnFilterDescriptor_t w_desc,
                                            const cudnnTensorDescriptor_t dy_desc,
                                            const cudnnConvolutionDescriptor_t conv,
                                            const cudnnTensorDescriptor_t dx_desc, const int wanted,
                                            int *returned,
                                            cudnnConvolutionBwdDataAlgoPerf_t *results)
{
    const cudnnConvolutionBwdDataAlgoPerf_t found[] = {
        { CUDNN_CONVOLUTION_BWD_DATA_ALGO_0, CUDNN_STATUS_SUCCESS, -1.0f, 0,
          CUDNN_NON_DETERMINISTIC, conv->math },
        { CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, CUDNN_STATUS_SUCCESS, -1.0f, WORKSPACE,
          CUDNN_DETERMINISTIC, conv->math },
    };

    (void) handle;
    *returned = wanted < 2 ? wanted : 2;
    memcpy(results, found, (size_t) *returned * sizeof *results);
    return check_shapes(dx_desc, w_desc, conv, dy_desc);
}

cudnnStatus_t
cudnnGetConvolutionBackwardDataWorkspaceSize(cudnnHandle_t handle,
                                             const cudnnFilterDescriptor_t w_desc,
                                             const cudnnTensorDescriptor_t dy_desc,
                                             const cudnnConvolutionDescriptor_t conv,
                                             const cudnnTensorDescriptor_t dx_desc,
                                             cudnnConvolutionBwdDataAlgo_t algo, size_t *n_bytes)
{
    (void) handle;
    *n_bytes = algo == CUDNN_CONVOLUTION_BWD_DATA_ALGO_1 ? WORKSPACE : 0;
    return check_shapes(dx_desc, w_desc, conv, dy_desc);
}

// Each input scattered over the outputs, in float64.
static int
backward(const Loop *l, cudnnDataType_t type, const void *dy, const void *w, void *dx)
{
    size_t channels = l->out_g * l->groups, taps = l->w[0] * l->w[1] * l->w[2];
    size_t y_space = l->y[0] * l->y[1] * l->y[2], x_space = l->x[0] * l->x[1] * l->x[2];
    size_t count = l->n * l->in_g * l->groups * x_space;
    double *sums = calloc(count, sizeof *sums);

    for (size_t n = 0; sums != NULL && n < l->n; n++)
        for (size_t c = 0; c < channels; c++)
            for (size_t o = 0; o < y_space; o++) {
                double value = (double) get(dy, type, (n * channels + c) * y_space + o);
                for (size_t i = 0; i < l->in_g; i++)
                    for (size_t t = 0; t < taps; t++) {
                        long at = tap_at(l, o, t);
                        size_t to = n * l->in_g * l->groups + c / l->out_g * l->in_g + i;
                        if (at >= 0)
                            sums[to * x_space + (size_t) at] +=
                                value * (double) get(w, type, (c * l->in_g + i) * taps + t);
                    }
            }
    for (size_t i = 0; sums != NULL && i < count; i++)
        put(dx, type, i, sums[i]);
    free(sums);
    return sums != NULL;
}

cudnnStatus_t
cudnnConvolutionBackwardData(cudnnHandle_t handle, const void *alpha,
                             const cudnnFilterDescriptor_t w_desc, const void *w,
                             const cudnnTensorDescriptor_t dy_desc, const void *dy,
                             const cudnnConvolutionDescriptor_t conv,
                             cudnnConvolutionBwdDataAlgo_t algo, void *workspace,
                             size_t workspace_bytes, const void *beta,
                             const cudnnTensorDescriptor_t dx_desc, void *dx)
{
    Loop l;

    (void) handle;
    if (check_shapes(dx_desc, w_desc, conv, dy_desc) != CUDNN_STATUS_SUCCESS || !is(alpha, 1) ||
        !is(beta, 0) || dy == dx ||
        (algo == CUDNN_CONVOLUTION_BWD_DATA_ALGO_1 &&
         (workspace == NULL || workspace_bytes < WORKSPACE)))
        return CUDNN_STATUS_BAD_PARAM;
    l = loop_of(dx_desc, w_desc, conv, dy_desc);
    return backward(&l, dx_desc->type, dy, w, dx)
               ? CUDNN_STATUS_SUCCESS
               : CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
}

cudnnStatus_t
cudnnBatchNormalizationForwardTraining(cudnnHandle_t handle, cudnnBatchNormMode_t mode,
                                       const void *alpha, const void *beta,
                                       const cudnnTensorDescriptor_t x_desc, const void *x,
                                       const cudnnTensorDescriptor_t y_desc, void *y,
                                       const cudnnTensorDescriptor_t param_desc, const void *scale,
                                       const void *bias, double factor, void *running_mean,
                                       void *running_variance, double epsilon, void *saved_mean,
                                       void *saved_inverse)
{
    size_t n = (size_t) x_desc->dims[0], channels = (size_t) x_desc->dims[1], space = 1;

    (void) handle;
    (void) factor;
    for (int k = 2; k < x_desc->rank; k++)
        space *= (size_t) x_desc->dims[k];
    if (mode != CUDNN_BATCHNORM_SPATIAL || !is(alpha, 1) || !is(beta, 0) || epsilon < 0 ||
        memcmp(x_desc, y_desc, sizeof *x_desc) != 0 || param_desc->type != CUDNN_DATA_FLOAT ||
        param_desc->rank != x_desc->rank || param_desc->dims[0] != 1 ||
        param_desc->dims[1] != x_desc->dims[1] || param_desc->dims[2] != 1 ||
        (running_mean == NULL) != (running_variance == NULL) || saved_mean != NULL ||
        saved_inverse != NULL || running_mean != NULL)
        return CUDNN_STATUS_BAD_PARAM;
    for (size_t c = 0; c < channels; c++) {
        double sum = 0, squares = 0, count = (double) (n * space);
        for (size_t i = 0; i < n * space; i++)
            sum += (double) get(x, x_desc->type, (i / space * channels + c) * space + i % space);
        for (size_t i = 0; i < n * space; i++) {
            double d =
                (double) get(x, x_desc->type, (i / space * channels + c) * space + i % space) -
                sum / count;
            squares += d * d;
        }
        double by = (double) ((const float *) scale)[c] / sqrt(squares / count + epsilon);
        for (size_t i = 0; i < n * space; i++) {
            size_t at = (i / space * channels + c) * space + i % space;
            put(y, y_desc->type, at,
                ((double) get(x, x_desc->type, at) - sum / count) * by +
                    (double) ((const float *) bias)[c]);
        }
    }
    return CUDNN_STATUS_SUCCESS;
}
