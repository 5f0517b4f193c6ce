// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BgParallelFunc:
 * @first, @last: the half-open range to do, first <= i < last
 * @worker: 0..bg_parallel_count_threads()-1, no two at once alike: the index of a scratch buffer
 */
typedef void (*BgParallelFunc)(gsize first, gsize last, guint worker, gpointer user_data);

/**
 * bg_parallel_for:
 * @n: how many items
 * @grain: how many of them @func is handed at most at a time; at least 1. A grain should take
 *   less than 50 ms, which is how often @cancellable is looked at
 * @cancellable: (nullable)
 *
 * Calls @func over 0..n-1 on all of our threads and the calling one, and returns when all is
 * done. Which worker gets which range is not fixed: @func must give the same result either way.
 * A call from inside @func, or while
 * another thread's loop has the workers, runs on its own thread alone.
 *
 * Returns: %FALSE when @cancellable was cancelled and some ranges were left out
 */
gboolean bg_parallel_for(gsize n, gsize grain, BgParallelFunc func, gpointer user_data,
                         GCancellable *cancellable);

/**
 * bg_parallel_set_threads:
 * @n_threads: 1..64, or 0 for the number of processors this process may use
 *
 * For start-up (--threads=N), and tests. Not while bg_parallel_for() runs.
 */
void bg_parallel_set_threads(guint n_threads);
guint bg_parallel_count_threads(void);

/**
 * bg_parallel_set_niceness:
 * @niceness: 0..19: of our threads; the calling one keeps its own
 *
 * For a program with a window, whose own thread then gets a processor when it wants one. At start-up,
 * before the first bg_parallel_for().
 */
void bg_parallel_set_niceness(int niceness);

G_END_DECLS
