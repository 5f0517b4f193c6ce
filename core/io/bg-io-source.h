// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BgSourceCoding:
 * @BG_SOURCE_AUTO: gzip when the first bytes say so, else plain
 * @BG_SOURCE_PLAIN: bytes as they are
 * @BG_SOURCE_GZIP: one gzip member after the other
 * @BG_SOURCE_ZLIB: one zlib stream
 */
typedef enum {
    BG_SOURCE_AUTO,
    BG_SOURCE_PLAIN,
    BG_SOURCE_GZIP,
    BG_SOURCE_ZLIB,
} BgSourceCoding;

/**
 * BgSource:
 *
 * The bytes of a file, or of several in a row, unpacked on the way. Reads forward only, no
 * further than it is asked to, and looks at its cancellable at least once a MiB. One thread.
 */
typedef struct _BgSource BgSource;

/**
 * bg_source_open:
 * @offset: where in the file the bytes begin (before unpacking)
 *
 * Returns: (transfer full): or %NULL with %G_IO_ERROR; a folder or a device is refused
 */
BgSource *bg_source_open(const char *path, guint64 offset, BgSourceCoding coding,
                         GCancellable *cancellable, GError **error);

/**
 * bg_source_new_chain:
 * @paths: of char *: the files, in order; each opened when its turn comes
 * @offset: in each of them
 * @each: how many (unpacked) bytes to take of each file
 */
BgSource *bg_source_new_chain(GPtrArray *paths, guint64 offset, guint64 each, BgSourceCoding coding,
                              GCancellable *cancellable, GError **error);

/** bg_source_new_bytes: of memory */
BgSource *bg_source_new_bytes(GBytes *bytes);

/**
 * BgSourceRead:
 * Returns: how many bytes were put at @data, 0 at the end, -1 with @error
 */
typedef gssize (*BgSourceRead)(gpointer user_data, guint8 *data, gsize n_bytes, GError **error);

/** bg_source_new_custom: @limit: the most bytes that can come; @user_data: freed by @destroy */
BgSource *bg_source_new_custom(BgSourceRead read, guint64 limit, gpointer user_data,
                               GDestroyNotify destroy);

void bg_source_free(BgSource *source);

/** bg_source_is_gzipped: whether the bytes come out of a gzip stream */
gboolean bg_source_is_gzipped(const BgSource *source);

/** bg_source_get_position: bytes read or skipped so far, unpacked */
guint64 bg_source_get_position(const BgSource *source);

/**
 * bg_source_get_limit:
 *
 * Returns: the most bytes that it can give altogether: exact for plain files, for packed ones what
 *   deflate can do at best. Whoever allocates compares with this first
 */
guint64 bg_source_get_limit(const BgSource *source);

/** bg_source_read_some: Returns: bytes read, fewer than @n_bytes only at the end; -1 with @error */
gssize bg_source_read_some(BgSource *source, gpointer data, gsize n_bytes, GError **error);

/** bg_source_read: all of @n_bytes, or %FALSE with %BG_ERROR_CORRUPT: cut short, or damaged */
gboolean bg_source_read(BgSource *source, gpointer data, gsize n_bytes, GError **error);

/** bg_source_read_parallel: as bg_source_read(), on all threads where the file is plain */
gboolean bg_source_read_parallel(BgSource *source, gpointer data, gsize n_bytes, GError **error);

/** bg_source_skip: as bg_source_read() without keeping the bytes */
gboolean bg_source_skip(BgSource *source, guint64 n_bytes, GError **error);

/**
 * bg_source_finish:
 * @n_left: (out): bytes that are there beyond, counted up to 4096
 *
 * Reads to the end of the packed stream, at most 4 KiB further, so that its checksum is tested.
 *
 * Returns: %FALSE with %BG_ERROR_CORRUPT when the checksum is wrong or missing
 */
gboolean bg_source_finish(BgSource *source, gsize *n_left, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgSource, bg_source_free)

G_END_DECLS
