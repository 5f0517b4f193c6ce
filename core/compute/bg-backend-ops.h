// SPDX-License-Identifier: Apache-2.0
// What a backend implements: for core/compute and for the modules in gpu/.
#pragma once

#include "core/compute/bg-backend.h"

G_BEGIN_DECLS

/**
 * BgBackendOps:
 *
 * A new operation is one member here (and one more in BG_BACKEND_ABI), one dispatcher in
 * bg-backend.c, one entry in bg-backend-cpu.c that calls the algorithm's function (always), and
 * one .cu file.
 *
 * Rules for the functions in it:
 *  - volumes, images and meshes in and out; the arguments have been checked;
 *  - an operation that is %NULL is not offered, and the dispatcher takes the CPU's;
 *  - one that cannot do these very parameters says so by %BG_ERROR_UNSUPPORTED, and the dispatcher
 *    takes the CPU's too;
 *  - a backend may keep a copy of a volume, found by its serial number;
 *  - a failure sets @error and returns %NULL; it never aborts;
 *  - they block, and one backend is used by one worker at a time.
 */
typedef struct {
    const char *name; // "cpu", "cuda": what --backend= and the log show

    void (*free)(BgBackend *self); // (optional): %NULL: lives as long as the program

    BgCastImage *(*cast)(BgBackend *self, BgVolume *volume, const BgCastParams *params,
                         const BgProgress *progress, GCancellable *cancellable, GError **error);
    BgMesh *(*isosurface)(BgBackend *self, BgVolume *volume, const BgIsoParams *params,
                          const BgProgress *progress, GCancellable *cancellable, GError **error);
    BgVolume *(*resample)(BgBackend *self, BgVolume *source, const BgResampleParams *params,
                          const BgProgress *progress, GCancellable *cancellable, GError **error);
    BgVolume *(*gaussian)(BgBackend *self, BgVolume *volume, BgVec3 sigma_mm,
                          const BgProgress *progress, GCancellable *cancellable, GError **error);
    BgVolume *(*median)(BgBackend *self, BgVolume *volume, int radius_voxels,
                        const BgProgress *progress, GCancellable *cancellable, GError **error);
    BgBackendNetwork *(*network)(BgBackend *self, BgNnGraph *graph, BgNnParams *params,
                                 const BgBackendNetworkSpec *spec, GError **error);
} BgBackendOps;

/** BgBackendNetworkOps: of a network; its shapes have been checked by who made it */
typedef struct {
    const char *name;
    void (*free)(BgBackendNetwork *self);
    gboolean (*run)(BgBackendNetwork *self, BgNnTensor *const *inputs, BgNnTensor **outputs,
                    const BgProgress *progress, GCancellable *cancellable, GError **error);
} BgBackendNetworkOps;

struct _BgBackendNetwork {
    const BgBackendNetworkOps *ops; // never NULL; a backend's own data follows
    double flop;                    // of a run; set by the dispatcher
};

#define BG_BACKEND_ABI 3 // goes up with every change to the table or to what it hands over

struct _BgBackend {
    const BgBackendOps *ops; // never NULL; a backend's own data follows
    char device[128];        // for people
};

/** bg_backend_module_init: what a module exports; errors as bg_backend_open() */
typedef BgBackend *(*BgBackendModuleInit)(guint abi, GError **error);

/**
 * bg_backend_module_open:
 * @path: of the module's file
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_UNSUPPORTED when it is none, or of another
 *   version, or what the module itself says
 */
BgBackend *bg_backend_module_open(const char *path, GError **error);

/** bg_backend_module_open_cuda: looks for it in BREGMA_MODULE_DIR, beside core, and where it is installed */
BgBackend *bg_backend_module_open_cuda(GError **error);

/**
 * BgBackendTolerance:
 * @op: the member's name in BgBackendOps
 * @max_share: the largest difference to the CPU, as a share of the result's range of values
 *
 * How far a backend may be off. Not a number and infinity must be in the same places.
 */
typedef struct {
    const char *op;
    double max_share;
} BgBackendTolerance;

/** bg_backend_get_tolerance: (nullable): for @op */
const BgBackendTolerance *bg_backend_get_tolerance(const char *op);

G_END_DECLS
