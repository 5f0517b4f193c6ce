// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"

G_BEGIN_DECLS

typedef enum {
    BG_SINK_PLAIN,
    BG_SINK_GZIP, // one member
    BG_SINK_ZLIB,
} BgSinkPacking;

/**
 * BgSink:
 *
 * Bytes on their way into a file or into memory, packed on all threads. A packed stream is one
 * stream, not several in a row, since not every program reads on behind the first.
 */
typedef struct _BgSink BgSink;

/** bg_sink_new: of a file that is put in place by bg_sink_finish(); errors as bg_output_new() */
BgSink *bg_sink_new(const char *path, gboolean force, BgSinkPacking packing, GError **error);

/** bg_sink_new_memory: for streams whose length must be known before they are written */
BgSink *bg_sink_new_memory(BgSinkPacking packing);

void bg_sink_free(BgSink *sink);

/** bg_sink_start_packing: what comes from here on is packed: for a header in plain text */
void bg_sink_start_packing(BgSink *sink, BgSinkPacking packing);

/**
 * bg_sink_write:
 * @cancellable: (nullable): looked at every 16 MiB or so, some 30 ms
 *
 * Returns: %FALSE with %G_IO_ERROR
 */
gboolean bg_sink_write(BgSink *sink, gconstpointer data, gsize n_bytes, const BgProgress *progress,
                       GCancellable *cancellable, GError **error);

/** bg_sink_write_text: as bg_sink_write(), NUL-terminated */
gboolean bg_sink_write_text(BgSink *sink, const char *text, GError **error);

/** bg_sink_finish: ends the packed stream, and puts a file in its place */
gboolean bg_sink_finish(BgSink *sink, GError **error);

/** bg_sink_get_memory: (transfer none): of GBytes: what was written to memory, after the finish */
GPtrArray *bg_sink_get_memory(BgSink *sink, gsize *n_bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgSink, bg_sink_free)

G_END_DECLS
