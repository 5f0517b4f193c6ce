// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda/bg-cuda-iso.h"

#include "core/base/bg-buffer.h"
#include "core/surface/bg-iso-plan.h"
#include "gpu/cuda/bg-cuda-check.h"
#include "gpu/kernel/bg-cuda-iso.h"

#include <string.h>

/** Extraction: one surface on its way */
typedef struct {
    BgCudaPool *pool;    // borrowed
    cudaStream_t stream; // borrowed
    const BgIsoPlan *plan;
    BgCudaSpan span;
    void *table, *bits, *starts, *positions, *triangles; // owned, on the device
    BgIsoOpStart *sums;                                  // owned, on the host
    BgMeshData data;                                     // owned
} Extraction;

static gboolean
allocate(Extraction *e, gsize n_bytes, void **address, GError **error)
{
    return bg_cuda_pool_alloc(e->pool, MAX(n_bytes, 1), e->span.samples, address, error);
}

static gboolean
copy(Extraction *e, void *to, const void *from, gsize n_bytes, enum cudaMemcpyKind kind,
     GError **error)
{
    return n_bytes == 0 ||
           (bg_cuda_check(cudaMemcpyAsync(to, from, n_bytes, kind, e->stream), "copy", error) &&
            bg_cuda_check(cudaStreamSynchronize(e->stream), "copy", error));
}

static BgCudaIso
arrays_of(const Extraction *e)
{
    return (BgCudaIso){ e->span.samples, e->table, e->bits, e->starts, e->positions, e->triangles };
}

// The sums are made by the host: a row's counts are a thousandth of the volume.
static gboolean
count(Extraction *e, GError **error)
{
    const BgIsoOp *op = &e->plan->op;
    gsize n_rows = bg_iso_plan_count_rows(e->plan), n_words = n_rows * (gsize) op->n_words + 1;
    gsize n_bytes = (n_rows + 1) * sizeof(BgIsoOpStart);

    e->sums = bg_buffer_alloc(n_bytes, error);
    if (e->sums == NULL || !allocate(e, sizeof e->plan->table, &e->table, error) ||
        !allocate(e, n_words * sizeof(guint64), &e->bits, error) ||
        !allocate(e, n_bytes, &e->starts, error) ||
        !copy(e, e->table, e->plan->table, sizeof e->plan->table, cudaMemcpyHostToDevice, error))
        return FALSE;
    static const guint64 none = 0; // the word beyond the last row
    BgCudaIso iso = arrays_of(e);
    return copy(e, iso.bits + n_words - 1, &none, sizeof none, cudaMemcpyHostToDevice, error) &&
           bg_cuda_check(bg_cuda_iso_classify(op, &iso, e->stream), "launch", error) &&
           bg_cuda_check(bg_cuda_iso_count(op, &iso, e->stream), "launch", error) &&
           copy(e, e->sums, e->starts, n_bytes, cudaMemcpyDeviceToHost, error) &&
           bg_iso_sum_counts(e->sums, n_rows, &e->data.n_vertices, &e->data.n_triangles, error) &&
           copy(e, e->starts, e->sums, n_bytes, cudaMemcpyHostToDevice, error);
}

static gboolean
write_surface(Extraction *e, GError **error)
{
    gsize positions = 3 * sizeof(float) * e->data.n_vertices;
    gsize triangles = 3 * sizeof(guint32) * e->data.n_triangles;

    e->data.positions = bg_buffer_alloc(MAX(positions, 1), error);
    e->data.triangles =
        e->data.positions == NULL ? NULL : bg_buffer_alloc(MAX(triangles, 1), error);
    if (e->data.triangles == NULL || !allocate(e, positions, &e->positions, error) ||
        !allocate(e, triangles, &e->triangles, error))
        return FALSE;
    BgCudaIso iso = arrays_of(e);
    return bg_cuda_check(bg_cuda_iso_write(&e->plan->op, &iso, e->stream), "launch", error) &&
           copy(e, e->data.positions, e->positions, positions, cudaMemcpyDeviceToHost, error) &&
           copy(e, e->data.triangles, e->triangles, triangles, cudaMemcpyDeviceToHost, error);
}

BgMesh *
bg_cuda_isosurface(BgCudaPool *pool, cudaStream_t stream, BgVolume *volume,
                   const BgIsoParams *params, GCancellable *cancellable, GError **error)
{
    BgIsoPlan plan;
    Extraction e = { .pool = pool, .stream = stream, .plan = &plan };

    gboolean ok = bg_iso_plan_init(&plan, volume, params, error) &&
                  bg_cuda_pool_get(pool, volume, &e.span, error) && count(&e, error) &&
                  !g_cancellable_set_error_if_cancelled(cancellable, error) &&
                  write_surface(&e, error);
    cudaStreamSynchronize(stream); // what was queued before a failure
    cudaFree(e.table);
    cudaFree(e.bits);
    cudaFree(e.starts);
    cudaFree(e.positions);
    cudaFree(e.triangles);
    bg_buffer_free(e.sums);
    if (ok)
        return bg_iso_plan_finish(&plan, &e.data, error);
    bg_mesh_data_clear(&e.data);
    return NULL;
}
