// SPDX-License-Identifier: Apache-2.0
// Batches made ahead of who takes them, on worker threads.
#pragma once

#include "bg-nn-train.h"

G_BEGIN_DECLS

/** BgNnFeed: a queue of batches; one taker */
typedef struct _BgNnFeed BgNnFeed;

/**
 * bg_nn_feed_new:
 * @input_counts, @target_counts: elements of one sample's arrays
 * @batch: samples in one
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_NO_MEMORY
 */
BgNnFeed *bg_nn_feed_new(const BgNnData *data, const gsize *input_counts, int n_inputs,
                         const gsize *target_counts, int n_targets, gsize batch, int n_workers,
                         GError **error);
void bg_nn_feed_free(BgNnFeed *feed);

/** bg_nn_feed_start: @indices: samples in their order; borrowed until the last was taken; @seed: 0: of none */
void bg_nn_feed_start(BgNnFeed *feed, const gsize *indices, gsize n, guint64 seed);

/**
 * bg_nn_feed_take:
 * @inputs, @targets: (out caller-allocates) (transfer none): arrays of a whole batch, until the next call
 *
 * Returns: %FALSE with the error of who makes the samples
 */
gboolean bg_nn_feed_take(BgNnFeed *feed, const float **inputs, const float **targets,
                         GError **error);

G_END_DECLS
