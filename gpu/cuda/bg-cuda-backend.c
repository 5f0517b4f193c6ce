// SPDX-License-Identifier: Apache-2.0
// The CUDA backend: the table's functions, and the one symbol that the module exports.
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/compute/bg-backend-ops.h"
#include "core/volume/bg-resample-plan.h"
#include "gpu/cuda/bg-cuda-cast.h"
#include "gpu/cuda/bg-cuda-check.h"
#include "gpu/cuda/bg-cuda-iso.h"
#include "gpu/cuda/bg-cuda-pool.h"
#include "gpu/kernel/bg-cuda-ops.h"
#include "gpu/nn/bg-cuda-network.h"

#include <gmodule.h>

#define BUDGET_SHARE 0.6 // of the card's memory, for copies of volumes

typedef struct {
    BgBackend parent;
    int device;
    cudaStream_t stream; // owned
    BgCudaPool *pool;    // owned
} CudaBackend;

// A prototype before the definition: the loader knows it by its type alone.
G_MODULE_EXPORT BgBackend *bg_backend_module_init(guint abi, GError **error);

// Into @samples, in host memory.
static gboolean
resample_into(CudaBackend *self, BgVolume *source, const BgCudaResample *params, gpointer samples,
              gsize n_bytes, GError **error)
{
    BgCudaSpan span;
    void *result = NULL; // device memory

    gboolean done =
        bg_cuda_check(cudaSetDevice(self->device), "start-up", error) && // it is per thread
        bg_cuda_pool_get(self->pool, source, &span, error) &&
        bg_cuda_pool_alloc(self->pool, n_bytes, span.samples, &result, error) &&
        bg_cuda_check(bg_cuda_resample(span, params, result, self->stream), "launch", error) &&
        bg_cuda_check(
            cudaMemcpyAsync(samples, result, n_bytes, cudaMemcpyDeviceToHost, self->stream),
            "download", error) &&
        bg_cuda_check(cudaStreamSynchronize(self->stream), "resample", error);

    cudaFree(result);
    return done;
}

static BgVolume *
cuda_resample(BgBackend *backend, BgVolume *source, const BgResampleParams *params,
              const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    CudaBackend *self = (CudaBackend *) backend;
    BgSampleFormat from = bg_volume_get_format(source);
    BgResamplePlan plan;

    if (params->method == BG_RESAMPLE_CUBIC) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("The graphics card does not resample by cubic splines: choose the "
                              "CPU"));
        return NULL;
    }
    if (g_cancellable_set_error_if_cancelled(cancellable, error) ||
        !bg_resample_plan_init(&plan, source, params, error))
        return NULL;

    BgCudaResample on_device = {
        .map = plan.map,
        .nearest = params->method == BG_RESAMPLE_NEAREST,
        .scales = plan.scales,
        .slope = from.slope,
        .intercept = from.intercept,
        .to = plan.to.type,
        .fill = plan.fill,
    };
    bg_resample_range(plan.to.type, &on_device.lowest, &on_device.highest);

    gsize size = bg_sample_type_size(plan.to.type);
    gpointer samples = bg_voxels_alloc(&params->target, size, error);
    if (samples == NULL)
        return NULL;
    gsize n_bytes = bg_geometry_count_voxels(&params->target) * size;
    if (!resample_into(self, source, &on_device, samples, n_bytes, error)) {
        bg_voxels_free(samples);
        return NULL;
    }
    bg_progress_report(progress, 1.0);
    return bg_volume_new_take(&params->target, plan.to, samples, error);
}

static BgCastImage *
cuda_cast(BgBackend *backend, BgVolume *volume, const BgCastParams *params,
          const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    CudaBackend *self = (CudaBackend *) backend;

    if (!bg_cuda_check(cudaSetDevice(self->device), "start-up", error)) // it is per thread
        return NULL;
    BgCastImage *image =
        bg_cuda_cast_image(self->pool, self->stream, volume, params, cancellable, error);
    if (image != NULL)
        bg_progress_report(progress, 1.0);
    return image;
}

static BgMesh *
cuda_isosurface(BgBackend *backend, BgVolume *volume, const BgIsoParams *params,
                const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    CudaBackend *self = (CudaBackend *) backend;

    if (!bg_cuda_check(cudaSetDevice(self->device), "start-up", error)) // it is per thread
        return NULL;
    BgMesh *mesh = bg_cuda_isosurface(self->pool, self->stream, volume, params, cancellable, error);
    if (mesh != NULL)
        bg_progress_report(progress, 1.0);
    return mesh;
}

static BgBackendNetwork *
cuda_network(BgBackend *backend, BgNnGraph *graph, BgNnParams *params,
             const BgBackendNetworkSpec *spec, GError **error)
{
    CudaBackend *self = (CudaBackend *) backend;
    BgCudaPlace place = { self->device, self->stream, self->pool };

    return bg_cuda_network_new(&place, graph, params, spec, error);
}

static void
cuda_free(BgBackend *backend)
{
    CudaBackend *self = (CudaBackend *) backend;

    cudaSetDevice(self->device);
    bg_cuda_pool_free(self->pool);
    cudaStreamDestroy(self->stream);
    g_free(self);
}

static const BgBackendOps cuda_ops = {
    .name = "cuda",
    .free = cuda_free,
    .cast = cuda_cast,
    .isosurface = cuda_isosurface,
    .resample = cuda_resample,
    .network = cuda_network,
};

BgBackend *
bg_backend_module_init(guint abi, GError **error)
{
    struct cudaDeviceProp properties;
    int n_devices = 0;
    gsize n_free = 0, n_total = 0;
    cudaStream_t stream = NULL;

    if (abi != BG_BACKEND_ABI) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("The CUDA part belongs to another version of bregma (%d, not %u): install "
                      "both from the same build"),
                    BG_BACKEND_ABI, abi);
        return NULL;
    }
    if (cudaGetDeviceCount(&n_devices) != cudaSuccess || n_devices == 0) {
        cudaGetLastError();
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("There is no graphics card with CUDA, or its driver is too old: use "
                              "the CPU, or update the driver"));
        return NULL;
    }
    if (!bg_cuda_check(cudaSetDevice(0), "start-up", error) ||
        !bg_cuda_check(cudaGetDeviceProperties(&properties, 0), "start-up", error) ||
        !bg_cuda_check(cudaMemGetInfo(&n_free, &n_total), "start-up", error) ||
        !bg_cuda_check(cudaStreamCreate(&stream), "start-up", error))
        return NULL;

    CudaBackend *self = g_new0(CudaBackend, 1);
    self->parent.ops = &cuda_ops;
    g_snprintf(self->parent.device, sizeof self->parent.device, "%s", properties.name);
    self->stream = stream;
    self->pool = bg_cuda_pool_new((gsize) (BUDGET_SHARE * (double) n_total), stream);
    return &self->parent;
}
