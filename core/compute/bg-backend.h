// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cast/bg-cast.h"
#include "core/nn/bg-nn-cpu.h"
#include "core/surface/bg-isosurface.h"
#include "core/volume/bg-resample.h"

G_BEGIN_DECLS

/**
 * BgBackend:
 *
 * Where heavy work is done: the processor, which can do everything, or a graphics card. What a
 * card does not offer the processor does, and the log (at info) says so. One backend is used by
 * one thread at a time; the CPU's by any number.
 */
typedef struct _BgBackend BgBackend;

/**
 * bg_backend_open:
 * @name: (nullable): "cpu"; "cuda", which is an error when there is none; "auto": CUDA where it
 *   can be had, else the CPU, with the reason at info, once. %NULL: what BREGMA_BACKEND says, else
 *   "auto"
 *
 * May take a second: for a worker.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID for another name,
 *   %BG_ERROR_UNSUPPORTED when there is no CUDA module or card, %BG_ERROR_DEVICE when its driver
 *   fails
 */
BgBackend *bg_backend_open(const char *name, GError **error);
void bg_backend_free(BgBackend *backend);

/** bg_backend_get_cpu: (transfer none): always there; need not be freed */
BgBackend *bg_backend_get_cpu(void);

/** bg_backend_get_name: "cpu", "cuda" */
const char *bg_backend_get_name(const BgBackend *backend);

/** bg_backend_get_device: for people: the card's name, or the processor's features and threads */
const char *bg_backend_get_device(const BgBackend *backend);

/**
 * bg_backend_get_reason:
 *
 * Returns: (transfer none) (nullable): why "auto" took the CPU the last time; %NULL if it did not
 */
const char *bg_backend_get_reason(void);

/** bg_backend_cast: as bg_cast() */
BgCastImage *bg_backend_cast(BgBackend *backend, BgVolume *volume, const BgCastParams *params,
                             const BgProgress *progress, GCancellable *cancellable, GError **error);

/** bg_backend_isosurface: as bg_isosurface() */
BgMesh *bg_backend_isosurface(BgBackend *backend, BgVolume *volume, const BgIsoParams *params,
                              const BgProgress *progress, GCancellable *cancellable,
                              GError **error);

/** bg_backend_resample: as bg_resample() */
BgVolume *bg_backend_resample(BgBackend *backend, BgVolume *source, const BgResampleParams *params,
                              const BgProgress *progress, GCancellable *cancellable,
                              GError **error);

/** bg_backend_gaussian: as bg_gaussian() */
BgVolume *bg_backend_gaussian(BgBackend *backend, BgVolume *volume, BgVec3 sigma_mm,
                              const BgProgress *progress, GCancellable *cancellable,
                              GError **error);

/** bg_backend_median: as bg_median() */
BgVolume *bg_backend_median(BgBackend *backend, BgVolume *volume, int radius_voxels,
                            const BgProgress *progress, GCancellable *cancellable, GError **error);

/**
 * BgBackendNetwork:
 *
 * A network made ready to run on a backend, for one set of input shapes; weights and results between
 * layers stay on its device. Used by one thread at a time; freed before its backend.
 */
typedef struct _BgBackendNetwork BgBackendNetwork;

/** BgBackendNetworkSpec: @inputs: one shape per input, borrowed; @precision: of its products */
typedef struct {
    const BgNnShape *inputs;
    int n_inputs;
    BgNnPrecision precision;
} BgBackendNetworkSpec;

/**
 * bg_backend_network_new:
 *
 * Returns: (transfer full): or %NULL as bg_nn_cpu_new(), or %BG_ERROR_DEVICE
 */
BgBackendNetwork *bg_backend_network_new(BgBackend *backend, BgNnGraph *graph, BgNnParams *params,
                                         const BgBackendNetworkSpec *spec, GError **error);
void bg_backend_network_free(BgBackendNetwork *network);

/** bg_backend_network_run: as bg_nn_cpu_run(); or %BG_ERROR_DEVICE */
gboolean bg_backend_network_run(BgBackendNetwork *network, BgNnTensor *const *inputs,
                                BgNnTensor **outputs, const BgProgress *progress,
                                GCancellable *cancellable, GError **error);

/** bg_backend_network_get_name: "cpu", "cuda": where it really runs */
const char *bg_backend_network_get_name(const BgBackendNetwork *network);

/** bg_backend_network_get_flop: of a run: as bg_nn_graph_count_flop() */
double bg_backend_network_get_flop(const BgBackendNetwork *network);

/**
 * BgEngine: what a pipeline runs its networks on
 * @backend: (nullable): borrowed: %NULL: the CPU's
 * @precision: of products
 */
typedef struct {
    BgBackend *backend;
    BgNnPrecision precision;
} BgEngine;

/** bg_engine_network: one with @n_inputs inputs of @shapes; as bg_backend_network_new() */
BgBackendNetwork *bg_engine_network(const BgEngine *engine, BgNnGraph *graph, BgNnParams *params,
                                    const BgNnShape *shapes, int n_inputs, GError **error);

/** bg_precision_name: "float32", "bf16", "tf32" */
const char *bg_precision_name(BgNnPrecision precision);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgBackend, bg_backend_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgBackendNetwork, bg_backend_network_free)

G_END_DECLS
