// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda/bg-cuda-cast.h"

#include "core/base/bg-buffer.h"
#include "core/cast/bg-cast-plan.h"
#include "gpu/cuda/bg-cuda-check.h"
#include "gpu/kernel/bg-cuda-cast.h"

/** Device: what one picture has there besides the volume; owned */
typedef struct {
    void *lut, *gradient, *distance, *colour, *depth;
} Device;

static gboolean
allocate(BgCudaPool *pool, gsize n_bytes, const BgCudaSpan *span, void **address, GError **error)
{
    return n_bytes == 0 || bg_cuda_pool_alloc(pool, n_bytes, span->samples, address, error);
}

static gboolean
upload(BgCudaPool *pool, cudaStream_t stream, const BgCastPlanTable *table, const BgCudaSpan *span,
       void **address, GError **error)
{
    return allocate(pool, table->n_bytes, span, address, error) &&
           (table->n_bytes == 0 ||
            bg_cuda_check(cudaMemcpyAsync(*address, table->data, table->n_bytes,
                                          cudaMemcpyHostToDevice, stream),
                          "upload", error));
}

static gboolean
draw(BgCudaPool *pool, cudaStream_t stream, BgVolume *volume, const BgCastPlan *plan,
     Device *device, GError **error)
{
    const BgCastOp *op = bg_cast_plan_get_op(plan);
    gsize n_pixels = (gsize) op->width * (gsize) op->height;
    BgCastPlanTable lut, gradient, distance;
    BgCudaSpan span;

    bg_cast_plan_get_tables(plan, &lut, &gradient, &distance);
    if (!bg_cuda_pool_get(pool, volume, &span, error) ||
        !upload(pool, stream, &lut, &span, &device->lut, error) ||
        !upload(pool, stream, &gradient, &span, &device->gradient, error) ||
        !upload(pool, stream, &distance, &span, &device->distance, error) ||
        !allocate(pool, 4 * n_pixels, &span, &device->colour, error) ||
        !allocate(pool, sizeof(float) * n_pixels, &span, &device->depth, error))
        return FALSE;
    BgCastOpArrays arrays = { span.samples, device->distance, device->lut, device->gradient };
    return bg_cuda_check(bg_cuda_cast(op, &arrays, device->colour, device->depth, stream), "launch",
                         error);
}

static gboolean
download(cudaStream_t stream, const Device *device, gsize n_pixels, guint8 *colour, float *depth,
         GError **error)
{
    return bg_cuda_check(cudaMemcpyAsync(colour, device->colour, 4 * n_pixels,
                                         cudaMemcpyDeviceToHost, stream),
                         "download", error) &&
           bg_cuda_check(cudaMemcpyAsync(depth, device->depth, sizeof(float) * n_pixels,
                                         cudaMemcpyDeviceToHost, stream),
                         "download", error);
}

BgCastImage *
bg_cuda_cast_image(BgCudaPool *pool, cudaStream_t stream, BgVolume *volume,
                   const BgCastParams *params, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgCastPlan) plan = bg_cast_plan_new(volume, params, cancellable, error);
    Device device = { NULL };

    if (plan == NULL)
        return NULL;
    gsize n_pixels = (gsize) params->camera.width * (gsize) params->camera.height;
    guint8 *colour = bg_buffer_alloc(4 * n_pixels, error);
    float *depth = colour == NULL ? NULL : bg_buffer_alloc(sizeof(float) * n_pixels, error);
    gboolean ok = depth != NULL && draw(pool, stream, volume, plan, &device, error) &&
                  download(stream, &device, n_pixels, colour, depth, error);
    // What was queued still reads the plan and writes the picture.
    cudaError_t status = cudaStreamSynchronize(stream);
    ok = ok && bg_cuda_check(status, "ray cast", error);
    cudaFree(device.lut);
    cudaFree(device.gradient);
    cudaFree(device.distance);
    cudaFree(device.colour);
    cudaFree(device.depth);
    if (ok)
        return bg_cast_plan_finish(plan, colour, depth, error);
    bg_buffer_free(colour);
    bg_buffer_free(depth);
    return NULL;
}
