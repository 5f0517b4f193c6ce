// SPDX-License-Identifier: Apache-2.0
// Archives (ZIP of a portal, tar, gzip, ISO of a CD): members as files that nobody else sees.
#pragma once

#include "core/base/bg-progress.h"

G_BEGIN_DECLS

#define BG_ARCHIVE_MAX_MEMBERS 100000u

/**
 * BgArchiveMember:
 * @name: as the archive has it: for people only; it is never used as a path
 * @index: its place in the archive, from 0
 * @path: of its unpacked bytes; "/proc/self/fd/..."
 * @fd: owned: the memory that @path names
 */
typedef struct {
    char *name;
    guint index;
    char *path;
    int fd;
} BgArchiveMember;

/**
 * BgArchiveWish:
 * @wanted: (nullable): whether a member is worth unpacking, by its first bytes; all when %NULL
 * @indices: (nullable): of guint: only these
 */
typedef struct {
    gboolean (*wanted)(const guint8 *bytes, gsize n_bytes, gpointer user_data);
    gpointer user_data;
    GHashTable *indices;
} BgArchiveWish;

/**
 * bg_archive_sniff:
 * @gzipped: @bytes came from a gzip stream
 */
gboolean bg_archive_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped);

/**
 * bg_archive_unpack:
 * @warnings: (inout) (nullable): of char *: what was left out, and why
 *
 * Nothing is written on disk, and no name of a member is followed: links, devices and folders are
 * left out. What unpacks to more than a plausible multiple of the archive is refused.
 *
 * Returns: (transfer full): of BgArchiveMember, in the archive's order; or %NULL with %G_IO_ERROR,
 *   %BG_ERROR_CORRUPT (no archive, damaged), %BG_ERROR_UNSUPPORTED (encrypted, too many members, too
 *   large), %G_IO_ERROR_CANCELLED
 */
GPtrArray *bg_archive_unpack(const char *path, const BgArchiveWish *wish, GPtrArray *warnings,
                             const BgProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
