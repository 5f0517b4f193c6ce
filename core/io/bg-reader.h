// SPDX-License-Identifier: Apache-2.0
// What a reader is. Those of this folder are in the table of bg-io.c; those that need other people's
// codecs are in media/, and are added in bregma-decode.
#pragma once

#include "core/io/bg-io.h"
#include "core/io/bg-series.h"

G_BEGIN_DECLS

#define BG_SNIFF_BYTES 1024 // what a sniffer is shown at most

/**
 * BgReader:
 * @name: of the format, for people
 * @sniff: @bytes: the first BG_SNIFF_BYTES of the file, or fewer when it is shorter; of the
 *   unpacked bytes when @gzipped. Must not read beyond @n_bytes. The first in the table that says
 *   %TRUE gets the file
 * @probe, @load: as bg_io_probe() and bg_io_load(); errors need not name the file: the caller
 *   puts its name in front. @params is never %NULL here
 * @is_foreign: uses other people's code on the file's bytes: only the child calls it
 * @reads_folders: is given folders too; %BG_ERROR_UNSUPPORTED when there is nothing for it
 * @probe_series: (nullable): bg_io_probe() of one of several series
 * @scan: (nullable): bg_io_scan()
 * @thumbnail: (nullable): @params: series and token; at most @max_size pixels
 */
typedef struct {
    const char *name;
    gboolean (*sniff)(const guint8 *bytes, gsize n_bytes, gboolean gzipped);
    BgFileInfo *(*probe)(const char *path, GCancellable *cancellable, GError **error);
    BgLoaded *(*load)(const char *path, const BgLoadParams *params, const BgProgress *progress,
                      GCancellable *cancellable, GError **error);
    gboolean is_foreign;
    gboolean reads_folders;
    BgFileInfo *(*probe_series)(const char *path, const BgLoadParams *params,
                                GCancellable *cancellable, GError **error);
    GPtrArray *(*scan)(const char *path, const BgScanWatch *watch, GCancellable *cancellable,
                       GError **error);
    BgImage *(*thumbnail)(const char *path, const BgLoadParams *params, int max_size,
                          GCancellable *cancellable, GError **error);
} BgReader;

/**
 * bg_io_add_readers:
 * @added: for good; come before those of core
 *
 * From now on this process reads foreign files itself, and asks no child: for bregma-decode, and
 * for tests of readers. Before any file is read.
 */
void bg_io_add_readers(const BgReader *const *added, gsize n);

/** bg_io_knows: whether a reader of this process knows a file by its first bytes, unpacked ones */
gboolean bg_io_knows(const guint8 *bytes, gsize n_bytes);

/** bg_loaded_new: @info: (transfer full) */
BgLoaded *bg_loaded_new(BgFileInfo *info);

/** bg_io_guess_kind: labels, with their modality, when the file or a word of its name says so */
void bg_io_guess_kind(BgFileInfo *info);

G_END_DECLS
