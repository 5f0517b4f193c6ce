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

typedef struct {
    BgBackendNetwork parent;
    BgNnCpu *cpu; // owned
} CpuNetwork;

static void
cpu_network_free(BgBackendNetwork *network)
{
    CpuNetwork *self = (CpuNetwork *) network;

    bg_nn_cpu_free(self->cpu);
    g_free(self);
}

static gboolean
cpu_network_run(BgBackendNetwork *network, BgNnTensor *const *inputs, BgNnTensor **outputs,
                const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    return bg_nn_cpu_run(((CpuNetwork *) network)->cpu, inputs, outputs, progress, cancellable,
                         error);
}

static const BgBackendNetworkOps cpu_network_ops = {
    .name = "cpu",
    .free = cpu_network_free,
    .run = cpu_network_run,
};

static BgBackendNetwork *
cpu_network(BgBackend *self, BgNnGraph *graph, BgNnParams *params, const BgBackendNetworkSpec *spec,
            GError **error)
{
    BgNnCpuOptions options = { .precision = spec->precision };
    BgNnCpu *cpu = bg_nn_cpu_new(graph, params, spec->inputs, spec->n_inputs, &options, error);

    if (cpu == NULL)
        return NULL;
    CpuNetwork *network = g_new0(CpuNetwork, 1);
    network->parent.ops = &cpu_network_ops;
    network->cpu = cpu;
    return &network->parent;
}

static const BgBackendOps cpu_ops = {
    .name = "cpu",
    .cast = cpu_cast,
    .isosurface = cpu_isosurface,
    .resample = cpu_resample,
    .gaussian = cpu_gaussian,
    .median = cpu_median,
    .network = cpu_network,
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
