// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/case/bg-case.h"

G_BEGIN_DECLS

#define BG_PROJECT_SCHEMA 1
#define BG_PROJECT_SUFFIX ".bregma"

/**
 * BgProjectSave:
 *
 * The writing of a .bregma file: what is written is what the case said when it was made. HDF5:
 * the state as text, computed results under /blobs, sources by path and hash, a thumbnail. A
 * crash or a full disk leaves the old file.
 */
typedef struct _BgProjectSave BgProjectSave;

/**
 * bg_project_save_new:
 * @path: a file that is there is replaced
 * @thumbnail: (nullable): 8 bit
 *
 * Main thread. Returns: (transfer full)
 */
BgProjectSave *bg_project_save_new(BgCase *the_case, const char *path, BgImage *thumbnail);
void bg_project_save_free(BgProjectSave *save);

/** bg_project_save_run: blocks; any thread. %FALSE with %G_IO_ERROR: as the system says, CANCELLED */
gboolean bg_project_save_run(BgProjectSave *save, const BgProgress *progress,
                             GCancellable *cancellable, GError **error);

/**
 * bg_project_save_finish:
 *
 * Main thread, after a run that succeeded: the case has this path, and is unmodified if nothing
 * was done meanwhile.
 */
void bg_project_save_finish(BgProjectSave *save, BgCase *the_case);

/** bg_project_save: the three at once, for programs without a window */
gboolean bg_project_save(BgCase *the_case, const char *path, BgImage *thumbnail, GError **error);

/**
 * bg_project_read:
 *
 * Blocks; any thread. Only the state is read: contents are loaded layer by layer (BgLoad).
 *
 * Returns: (transfer full): for bg_project_apply(); or %NULL with %G_IO_ERROR,
 *   %BG_ERROR_CORRUPT: no project, damaged, a field without a possible value;
 *   %BG_ERROR_UNSUPPORTED: written by a newer bregma
 */
GVariant *bg_project_read(const char *path, GError **error);

/** bg_project_apply: main thread: the case becomes what bg_project_read() gave; errors as there */
gboolean bg_project_apply(BgCase *the_case, const char *path, GVariant *state, GError **error);

/** bg_project_open: both at once */
gboolean bg_project_open(BgCase *the_case, const char *path, GError **error);

/** bg_project_is_one: blocks; any thread: whether to open the file as a case */
gboolean bg_project_is_one(const char *path);

/** bg_project_read_thumbnail: (transfer full): %G_IO_ERROR_NOT_FOUND when there is none */
BgImage *bg_project_read_thumbnail(const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgProjectSave, bg_project_save_free)

G_END_DECLS
