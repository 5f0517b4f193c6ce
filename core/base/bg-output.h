// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BgOutput:
 *
 * A file that is written beside its place and put there whole: a crash, a full disk or a cancel
 * leaves the old file, or none.
 */
typedef struct _BgOutput BgOutput;

/**
 * bg_output_new:
 * @path: where the file shall be
 * @force: replace a file that is there
 *
 * Returns: (transfer full): or %NULL with %G_IO_ERROR_EXISTS, or what the system says
 */
BgOutput *bg_output_new(const char *path, gboolean force, GError **error);

/** bg_output_get_temporary_path: for libraries that want a name; the file exists and is empty */
const char *bg_output_get_temporary_path(const BgOutput *output);

/** bg_output_write: at the end of the temporary file; retries short writes */
gboolean bg_output_write(BgOutput *output, gconstpointer data, gsize n_bytes, GError **error);

/** bg_output_commit: flushes to the disk and renames. @output is then only good to be freed */
gboolean bg_output_commit(BgOutput *output, GError **error);

/** bg_output_free: removes the temporary file if it was not committed */
void bg_output_free(BgOutput *output);

/** bg_output_replace: all of that in one call */
gboolean bg_output_replace(const char *path, gboolean force, gconstpointer data, gsize n_bytes,
                           GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgOutput, bg_output_free)

G_END_DECLS
