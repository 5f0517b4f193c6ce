// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * bg_nn_worker_run:
 *
 * Runs @func on the one thread that all network arithmetic is done on, and returns when it is done;
 * called on that thread, runs it at once. libgomp keeps a team of threads per calling thread, so
 * that a second one would use the processors twice. Blocks: not for the main thread.
 */
void bg_nn_worker_run(void (*func)(gpointer data), gpointer data);

/** bg_nn_worker_set_threads: 0: the number of processors; from the next bg_nn_worker_run() on */
void bg_nn_worker_set_threads(guint n_threads);

/** bg_nn_worker_count_threads: of the loops inside */
guint bg_nn_worker_count_threads(void);

G_END_DECLS
