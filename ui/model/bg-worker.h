// SPDX-License-Identifier: Apache-2.0
// A thread that makes pictures for widgets: the newest request wins.
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BgWork:
 * @owner: for whom; held weakly: @done is not called after it is gone
 * @slot: a newer request of the same owner and slot replaces one that waits
 * @yields: a newer request of the same owner and slot cancels this one while it runs, too. Not for
 *   pictures of a drag: they would never be finished
 * @func: on the worker's thread; Returns: (transfer full): or %NULL with an error
 * @request: (transfer full)
 * @done: on the main thread; @result: (transfer full) (nullable); @error: (nullable), borrowed.
 *   Not called when replaced or cancelled
 */
typedef struct {
    GObject *owner;
    guint slot;
    gboolean yields;
    gpointer (*func)(gpointer request, GCancellable *cancellable, GError **error);
    gpointer request;
    GDestroyNotify free_request;
    void (*done)(gpointer owner, gpointer result, const GError *error);
    GDestroyNotify free_result;
} BgWork;

/**
 * BgWorker:
 *
 * One thread and its queue, first come first served apart from replaced requests. Main thread only,
 * apart from what runs in it.
 */
typedef struct _BgWorker BgWorker;

/** bg_worker_new: @niceness: 0..19: how far the thread stands back behind the main thread */
BgWorker *bg_worker_new(const char *name, int niceness);

/** bg_worker_free: cancels what runs, drops what waits, and waits for the thread */
void bg_worker_free(BgWorker *self);

void bg_worker_post(BgWorker *self, const BgWork *work);

/** bg_worker_cancel: drops what waits and cancels what runs of @owner's @slot */
void bg_worker_cancel(BgWorker *self, GObject *owner, guint slot);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgWorker, bg_worker_free)

G_END_DECLS
