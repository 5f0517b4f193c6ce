// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/**
 * bg_save_text:
 * @text: (transfer full)
 * @failure: what the session tells when it fails: "The measurements are not saved"
 *
 * Writes a small file on the idle worker, whole or not at all; an old one is replaced.
 */
void bg_save_text(BgSession *session, const char *path, char *text, const char *failure);

/** BgSaveFunc: writes @path, on a worker; Returns: %FALSE if and only if @error is set */
typedef gboolean (*BgSaveFunc)(gpointer input, const char *path, const BgProgress *progress,
                               GCancellable *cancellable, GError **error);

/**
 * BgSaveWork:
 * @title: of the job
 * @failure: what the session tells when it fails: "The report is not written"; lives for ever
 * @input: (transfer full): for @func
 * @path: copied
 */
typedef struct {
    const char *title, *failure;
    BgSaveFunc func;
    gpointer input;
    GDestroyNotify free_input;
    const char *path;
} BgSaveWork;

/** bg_save_job: writes a file as a job of the session; a failure is told, a cancel is not */
void bg_save_job(BgSession *session, const BgSaveWork *work);

G_END_DECLS
