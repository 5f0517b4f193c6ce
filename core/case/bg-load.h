// SPDX-License-Identifier: Apache-2.0
// How the contents of layers come in, and how their files are checked: by a worker.
#pragma once

#include "core/case/bg-case.h"

G_BEGIN_DECLS

/**
 * BgLoad:
 *
 * The reading of one layer's content: asked for on the main thread, run on a worker, handed in on
 * the main thread. Knows all places where the content may be: the source file beside the project
 * file or where it was, a computed result in the cache folder or in the project file.
 */
typedef struct _BgLoad BgLoad;

/** bg_load_new: (transfer full) (nullable): main thread; %NULL when there is no such layer */
BgLoad *bg_load_new(BgCase *the_case, const char *layer_id);
void bg_load_free(BgLoad *load);

/** bg_load_get_layer_id: (transfer none) */
const char *bg_load_get_layer_id(const BgLoad *load);

/** bg_load_run: blocks; any thread. What came of it is kept in @load */
void bg_load_run(BgLoad *load, const BgProgress *progress, GCancellable *cancellable);

/**
 * bg_load_finish:
 *
 * Main thread. The layer is OK then; or MISSING or FAILED with the reason as its text; or as it
 * was, when the run was cancelled, or the layer was removed or became another file or frame.
 *
 * Returns: %FALSE with the error of the run (bg_io_load()'s, %G_IO_ERROR_NOT_FOUND,
 *   %G_IO_ERROR_CANCELLED), or of bg_case_set_payload()
 */
gboolean bg_load_finish(BgLoad *load, BgCase *the_case, GError **error);

/**
 * BgSourceCheck:
 * @path: of the file that was found, or where it should be
 * @expected_sha256: what the case remembers, or ""
 * @found_sha256: (nullable): what the file has, once it was looked at
 * @missing: no such file
 *
 * Whether a layer's file is still the one that it was.
 */
typedef struct {
    char *layer_id;
    char *path;
    char *expected_sha256;
    char *found_sha256;
    gboolean missing;
} BgSourceCheck;

void bg_source_check_free(BgSourceCheck *check);

/** bg_case_list_source_checks: (transfer full): of BgSourceCheck: one a layer read from a file */
GPtrArray *bg_case_list_source_checks(BgCase *the_case);

/** bg_source_check_run: blocks; any thread. %FALSE with %G_IO_ERROR (a file that is missing is no error) */
gboolean bg_source_check_run(BgSourceCheck *check, const BgProgress *progress,
                             GCancellable *cancellable, GError **error);

/**
 * bg_source_check_finish:
 *
 * Main thread: a hash that was not known is remembered; another one than remembered makes the
 * layer CHANGED, a missing file MISSING (what is loaded already stays).
 */
void bg_source_check_finish(const BgSourceCheck *check, BgCase *the_case);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgLoad, bg_load_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgSourceCheck, bg_source_check_free)

G_END_DECLS
