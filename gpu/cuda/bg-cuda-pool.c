// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda/bg-cuda-pool.h"

#include "gpu/cuda/bg-cuda-check.h"

typedef struct {
    guint64 serial;
    void *samples; // device memory, owned
    gsize n_bytes;
} Copy;

struct _BgCudaPool {
    gsize budget_bytes;
    gsize used_bytes;
    cudaStream_t stream; // borrowed
    GArray *copies;      // of Copy, least recently used first
    guint watch;
    GMutex gone_lock;
    GArray *gone; // of guint64: serials of volumes that were freed; under gone_lock
};

// On whatever thread the volume ends: notes it, nothing more.
static void
on_volume_gone(guint64 serial, gpointer user_data)
{
    BgCudaPool *self = user_data;

    g_mutex_lock(&self->gone_lock);
    g_array_append_val(self->gone, serial);
    g_mutex_unlock(&self->gone_lock);
}

BgCudaPool *
bg_cuda_pool_new(gsize budget_bytes, cudaStream_t stream)
{
    BgCudaPool *self = g_new0(BgCudaPool, 1);

    self->budget_bytes = budget_bytes;
    self->stream = stream;
    self->copies = g_array_new(FALSE, FALSE, sizeof(Copy));
    self->gone = g_array_new(FALSE, FALSE, sizeof(guint64));
    g_mutex_init(&self->gone_lock);
    self->watch = bg_volume_watch(on_volume_gone, self);
    return self;
}

static void
drop(BgCudaPool *self, guint index)
{
    Copy *copy = &g_array_index(self->copies, Copy, index);

    cudaFree(copy->samples);
    self->used_bytes -= copy->n_bytes;
    g_array_remove_index(self->copies, index);
}

void
bg_cuda_pool_free(BgCudaPool *self)
{
    if (self == NULL)
        return;
    bg_volume_unwatch(self->watch);
    while (self->copies->len > 0)
        drop(self, 0);
    g_array_unref(self->copies);
    g_array_unref(self->gone);
    g_mutex_clear(&self->gone_lock);
    g_free(self);
}

static gint
find(const BgCudaPool *self, guint64 serial)
{
    for (guint i = 0; i < self->copies->len; i++) {
        if (g_array_index(self->copies, Copy, i).serial == serial)
            return (gint) i;
    }
    return -1;
}

static void
drop_gone(BgCudaPool *self)
{
    g_mutex_lock(&self->gone_lock);
    for (guint i = 0; i < self->gone->len; i++) {
        gint index = find(self, g_array_index(self->gone, guint64, i));
        if (index >= 0)
            drop(self, (guint) index);
    }
    g_array_set_size(self->gone, 0);
    g_mutex_unlock(&self->gone_lock);
}

gboolean
bg_cuda_pool_alloc(BgCudaPool *self, gsize n_bytes, const void *keep, void **address,
                   GError **error)
{
    guint oldest = 0;
    cudaError_t status = cudaMalloc(address, n_bytes);

    while (status == cudaErrorMemoryAllocation && oldest < self->copies->len) {
        if (g_array_index(self->copies, Copy, oldest).samples == keep) {
            oldest++;
            continue;
        }
        cudaGetLastError(); // it is dealt with
        drop(self, oldest);
        status = cudaMalloc(address, n_bytes);
    }
    return bg_cuda_check(status, "memory", error);
}

static gboolean
upload(BgCudaPool *self, BgVolume *volume, GError **error)
{
    Copy copy = {
        .serial = bg_volume_get_serial(volume),
        .n_bytes = bg_volume_get_n_bytes(volume),
    };

    while (self->copies->len > 0 && self->used_bytes + copy.n_bytes > self->budget_bytes)
        drop(self, 0);
    if (!bg_cuda_pool_alloc(self, copy.n_bytes, NULL, &copy.samples, error))
        return FALSE;
    if (!bg_cuda_check(cudaMemcpyAsync(copy.samples, bg_volume_get_samples(volume), copy.n_bytes,
                                       cudaMemcpyHostToDevice, self->stream),
                       "upload", error)) {
        cudaFree(copy.samples);
        return FALSE;
    }
    self->used_bytes += copy.n_bytes;
    g_array_append_val(self->copies, copy);
    return TRUE;
}

gboolean
bg_cuda_pool_get(BgCudaPool *self, BgVolume *volume, BgCudaSpan *span, GError **error)
{
    drop_gone(self);

    gint index = find(self, bg_volume_get_serial(volume));
    if (index >= 0) { // now the most recently used
        Copy copy = g_array_index(self->copies, Copy, index);
        g_array_remove_index(self->copies, (guint) index);
        g_array_append_val(self->copies, copy);
    } else if (!upload(self, volume, error)) {
        return FALSE;
    }

    const Copy *copy = &g_array_index(self->copies, Copy, self->copies->len - 1);
    *span = (BgCudaSpan){
        .type = bg_volume_get_format(volume).type,
        .samples = copy->samples,
        .n_voxels = bg_geometry_count_voxels(bg_volume_get_geometry(volume)),
    };
    return TRUE;
}
