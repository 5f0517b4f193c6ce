// SPDX-License-Identifier: Apache-2.0
// One run of a network over a case, between those who know how each kind of network is run.
#pragma once

#include "bg-tumour-data.h"
#include "bg-tumour-segment.h"
#include "core/learn/bg-networks.h"

#include <stdatomic.h>

G_BEGIN_DECLS

struct _BgTumourModel {
    atomic_int n_refs;
    const BgNetwork *network;
    BgNnGraph *graph;
    BgNnParams *params;
    BgNnWeightsInfo info;
};

/**
 * BgTumourRun: one case, slice by slice, in blocks of @block voxels a side, or with a network of patches; a slice lies
 * in the upper left corner of a plane of wide x high
 */
typedef struct {
    const BgTumourCase *tumour_case;
    BgBackendNetwork *network; // owned
    BgNnTensor *input;         // owned
    BgNnTensor *centre; // owned: of the network of patches with their centres beside; else NULL
    gboolean patches;
    int wide, high, block;
    float *weights;                          // owned: of a block's voxels, where there are blocks
    float *sums;                             // owned: of the weights of each voxel of the case
    float *probabilities[BG_TUMOUR_CLASSES]; // owned until taken, on the case's grid
    gboolean mirror;
    double flop; // of the runs until now
    GCancellable *cancellable;
} BgTumourRun;

/** bg_tumour_start_patches: makes @run's network and inputs for slices of its case */
gboolean bg_tumour_start_patches(BgTumourRun *run, const BgTumourModel *model,
                                 const BgEngine *engine, GError **error);

/** bg_tumour_run_patches: fills @run's probabilities; outside of the brain all is background */
gboolean bg_tumour_run_patches(BgTumourRun *run, const BgProgress *progress, GError **error);

G_END_DECLS
