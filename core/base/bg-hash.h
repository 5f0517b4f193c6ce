// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"

G_BEGIN_DECLS

/**
 * bg_hash_file: (transfer full): SHA-256 in 64 small hex digits, or %NULL with %G_IO_ERROR; of a
 *   folder: bg_hash_folder()
 */
char *bg_hash_file(const char *path, const BgProgress *progress, GCancellable *cancellable,
                   GError **error);

/** bg_hash_file_start: of the first @n_bytes, or all when there are fewer */
char *bg_hash_file_start(const char *path, guint64 n_bytes, const BgProgress *progress,
                         GCancellable *cancellable, GError **error);

/**
 * bg_hash_folder: (transfer full): SHA-256 of the lines "HASH  NAME" of all files below it, sorted
 *   by name as strcmp() does: sha256sum's output. Links are left out
 */
char *bg_hash_folder(const char *path, const BgProgress *progress, GCancellable *cancellable,
                     GError **error);

/** bg_hash_bytes: (transfer full): of memory */
char *bg_hash_bytes(gconstpointer data, gsize n_bytes);

G_END_DECLS
