// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"

G_BEGIN_DECLS

/**
 * BgJobFunc:
 *
 * A function of core on a worker. Returns: (transfer full): what BgJob's free_result frees; %NULL
 * if and only if @error is set.
 */
typedef gpointer (*BgJobFunc)(gpointer input, const BgProgress *progress, GCancellable *cancellable,
                              GError **error);

/**
 * BgJob:
 *
 * Long work with a title, progress and cancel. Main thread only. Properties, read only:
 * title (string), fraction (double, 0..1), running (boolean).
 */
#define BG_TYPE_JOB (bg_job_get_type())
G_DECLARE_FINAL_TYPE(BgJob, bg_job, BG, JOB, GObject)

BgJob *bg_job_new(const char *title);

/** bg_job_new_of: @what is done to the layer that is called @name: jobs of one kind are told apart by it */
BgJob *bg_job_new_of(const char *what, const char *name);

const char *bg_job_get_title(BgJob *self);
double bg_job_get_fraction(BgJob *self);
gboolean bg_job_get_running(BgJob *self);

/** bg_job_set_aside: before it runs: nothing of it comes into the case, so nothing makes room for it */
void bg_job_set_aside(BgJob *self);
gboolean bg_job_is_aside(BgJob *self);

/** bg_job_get_seconds_left: Returns: by the time taken so far, or -1 when that says nothing yet */
double bg_job_get_seconds_left(BgJob *self);

/** bg_job_cancel: the callback still comes, with %G_IO_ERROR_CANCELLED */
void bg_job_cancel(BgJob *self);

/**
 * BgJobWork:
 * @input: (transfer full)
 * @free_result: for a result that nobody takes
 */
typedef struct {
    BgJobFunc func;
    gpointer input;
    GDestroyNotify free_input;
    GDestroyNotify free_result;
} BgJobWork;

/** bg_job_run_async: once for each job; @callback comes exactly once, on the main thread */
void bg_job_run_async(BgJob *self, const BgJobWork *work, GAsyncReadyCallback callback,
                      gpointer user_data);

/** bg_job_run_finish: (transfer full): what the function gave, or %NULL with its error */
gpointer bg_job_run_finish(BgJob *self, GAsyncResult *result, GError **error);

G_END_DECLS
