// SPDX-License-Identifier: Apache-2.0
// Networks over pictures and volumes that do not fit in memory at once: tile by tile, with a halo.
#pragma once

#include "bg-nn-cpu.h"

G_BEGIN_DECLS

/**
 * BgNnReach:
 * @halo: pixels of the input that a pixel of the result depends on, at most, in each direction of
 *   each axis of space, slowest first
 * @multiple: to what tiles must be aligned, so that pools and strides fall as in the whole
 * @global: a norm by the statistics of the picture, a flattened layer, or the like: each pixel
 *   depends on all others
 */
typedef struct {
    gsize halo[3], multiple[3];
    gboolean global;
} BgNnReach;

/**
 * bg_nn_reach:
 * @inputs: one shape per input
 *
 * Over all outputs; an upper bound.
 *
 * Returns: %FALSE as bg_nn_graph_infer()
 */
gboolean bg_nn_reach(const BgNnGraph *graph, const BgNnShape *inputs, int n_inputs,
                     BgNnReach *reach, GError **error);

/**
 * BgNnTileRun:
 * @run: one tile through the network, as bg_nn_cpu_run()
 * @prepare: (nullable): called before the first tile, with the shapes of all of them
 *
 * Who does the work: an executor of any backend.
 */
typedef struct {
    gboolean (*prepare)(gpointer data, const BgNnShape *inputs, int n_inputs, GError **error);
    gboolean (*run)(gpointer data, BgNnTensor *const *inputs, BgNnTensor **outputs,
                    GCancellable *cancellable, GError **error);
    gpointer data;
} BgNnTileRun;

/**
 * bg_nn_run_tiled:
 * @inputs: one per input, all of one size of space and N
 * @tile: pixels along each axis of space, slowest first, that a run gives, without its halo; rounded up to
 *   the network's multiple. 0: all of that axis
 * @run: (nullable): %NULL: a BgNnCpu is made
 * @outputs: (out caller-allocates) (transfer full): one per output; untouched on failure
 *
 * Every window lies inside the picture, so that borders are what they are when the whole is run; the
 * numbers are the same up to rounding. All windows have one shape.
 *
 * Returns: %FALSE as bg_nn_cpu_new() and bg_nn_cpu_run(); %BG_ERROR_UNSUPPORTED when each pixel
 *   depends on all others, or an output's size is not the inputs'
 */
gboolean bg_nn_run_tiled(BgNnGraph *graph, BgNnParams *params, BgNnTensor *const *inputs,
                         const gsize tile[3], const BgNnTileRun *run, BgNnTensor **outputs,
                         const BgProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
