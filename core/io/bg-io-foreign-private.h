// SPDX-License-Identifier: Apache-2.0
// Files that the child reads.
#pragma once

#include "bg-io.h"
#include "bg-series.h"

G_BEGIN_DECLS

/**
 * bg_foreign_sniff:
 *
 * Returns: whether these are the first bytes of a format that only the child reads. What no reader
 *   knows at all goes to the child too
 */
gboolean bg_foreign_sniff(const guint8 *bytes, gsize n_bytes);

// As the functions of bg-io.h and bg-series.h, by the child; errors do not name the file.

BgFileInfo *bg_foreign_probe(const char *path, const BgLoadParams *params,
                             GCancellable *cancellable, GError **error);
BgLoaded *bg_foreign_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
                          GCancellable *cancellable, GError **error);
GPtrArray *bg_foreign_scan(const char *path, const BgScanWatch *watch, GCancellable *cancellable,
                           GError **error);
BgImage *bg_foreign_load_thumbnail(const char *path, const BgLoadParams *params, int max_size,
                                   GCancellable *cancellable, GError **error);

G_END_DECLS
