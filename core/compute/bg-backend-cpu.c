// SPDX-License-Identifier: Apache-2.0
// The reference: every operation, by the algorithm's own function.
#include "bg-backend-ops.h"
#include "core/base/bg-cpu.h"
#include "core/base/bg-parallel.h"
#include "core/filter/bg-gaussian.h"
#include "core/filter/bg-median.h"

static BgCastImage *
cpu_cast(BgBackend *self, BgVolume *volume, const BgCastParams *params, const BgProgress *progress,
         GCancellable *cancellable, GError **error)
{
    return bg_cast(volume, params, progress, cancellable, error);
}

static BgMesh *
cpu_isosurface(BgBackend *self, BgVolume *volume, const BgIsoParams *params,
               const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    return bg_isosurface(volume, params, progress, cancellable, error);
}

static BgVolume *
cpu_resample(BgBackend *self, BgVolume *source, const BgResampleParams *params,
             const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    return bg_resample(source, params, progress, cancellable, error);
}

static BgVolume *
cpu_gaussian(BgBackend *self, BgVolume *volume, BgVec3 sigma_mm, const BgProgress *progress,
             GCancellable *cancellable, GError **error)
{
    return bg_gaussian(volume, sigma_mm, progress, cancellable, error);
}

static BgVolume *
cpu_median(BgBackend *self, BgVolume *volume, int radius_voxels, const BgProgress *progress,
           GCancellable *cancellable, GError **error)
{
    return bg_median(volume, radius_voxels, progress, cancellable, error);
}

static const BgBackendOps cpu_ops = {
    .name = "cpu",
    .cast = cpu_cast,
    .isosurface = cpu_isosurface,
    .resample = cpu_resample,
    .gaussian = cpu_gaussian,
    .median = cpu_median,
};

BgBackend *
bg_backend_get_cpu(void)
{
    static BgBackend cpu = { .ops = &cpu_ops };
    static gsize is_ready;

    if (g_once_init_enter(&is_ready)) {
        g_snprintf(cpu.device, sizeof cpu.device, "CPU, %u threads%s", bg_parallel_count_threads(),
                   bg_cpu_has_avx2() ? ", AVX2" : "");
        g_once_init_leave(&is_ready, 1);
    }
    return &cpu;
}
