// SPDX-License-Identifier: Apache-2.0
#include "bg-io-sink.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-output.h"
#include "core/base/bg-parallel.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#define BLOCK (1u << 20)  // packed by one thread at a time; its own window costs 0.1 % of size
#define BATCH_BLOCKS 16   // packed before they are written: bounds the memory
#define SLACK (16u << 10) // deflate's stored blocks and the flush
#define LEVEL 3

struct _BgSink {
    BgOutput *output;  // owned, nullable: then memory
    GPtrArray *memory; // owned, nullable
    gsize n_memory;
    BgSinkPacking packing;
    guint32 checksum;
    guint64 n_packed; // bytes before packing
};

static BgSink *
sink_new(BgSinkPacking packing)
{
    BgSink *self = g_new0(BgSink, 1);

    self->checksum = packing == BG_SINK_ZLIB ? 1 : 0;
    self->packing = packing;
    return self;
}

static gboolean
emit(BgSink *self, gconstpointer data, gsize n_bytes, GError **error)
{
    if (self->output != NULL)
        return bg_output_write(self->output, data, n_bytes, error);
    g_ptr_array_add(self->memory, g_bytes_new(data, n_bytes));
    self->n_memory += n_bytes;
    return TRUE;
}

static gboolean
emit_packing_header(BgSink *self, GError **error)
{
    // RFC 1952: deflate, no name, no time, so that equal data make equal files; RFC 1950.
    static const guint8 gzip[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };
    static const guint8 zlib[2] = { 0x78, 0x9c };

    if (self->n_packed > 0 || self->packing == BG_SINK_PLAIN)
        return TRUE;
    return self->packing == BG_SINK_GZIP ? emit(self, gzip, sizeof gzip, error)
                                         : emit(self, zlib, sizeof zlib, error);
}

BgSink *
bg_sink_new(const char *path, gboolean force, BgSinkPacking packing, GError **error)
{
    g_autoptr(BgOutput) output = bg_output_new(path, force, error);

    if (output == NULL)
        return NULL;
    BgSink *self = sink_new(packing);
    self->output = g_steal_pointer(&output);
    return self;
}

BgSink *
bg_sink_new_memory(BgSinkPacking packing)
{
    BgSink *self = sink_new(packing);

    self->memory = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    return self;
}

void
bg_sink_free(BgSink *sink)
{
    if (sink == NULL)
        return;
    bg_output_free(sink->output);
    g_clear_pointer(&sink->memory, g_ptr_array_unref);
    g_free(sink);
}

void
bg_sink_start_packing(BgSink *sink, BgSinkPacking packing)
{
    sink->packing = packing;
    sink->checksum = packing == BG_SINK_ZLIB ? 1 : 0;
    sink->n_packed = 0;
}

typedef struct {
    const guint8 *data;
    gsize n_bytes;
    guint8 *packed[BATCH_BLOCKS]; // owned
    gsize n_packed[BATCH_BLOCKS];
    atomic_bool failed;
} Batch;

static gboolean
pack_block(const guint8 *data, gsize n_bytes, guint8 *to, gsize n_room, gsize *n_packed)
{
    g_autofree struct isal_zstream *stream = g_new(struct isal_zstream, 1);
    g_autofree guint8 *level_buffer = g_malloc(ISAL_DEF_LVL3_DEFAULT);

    isal_deflate_stateless_init(stream);
    stream->level = LEVEL;
    stream->level_buf = level_buffer;
    stream->level_buf_size = ISAL_DEF_LVL3_DEFAULT;
    stream->gzip_flag = IGZIP_DEFLATE;
    stream->flush = FULL_FLUSH; // ends on a byte, and forgets: blocks can be put together
    stream->end_of_stream = 0;
    stream->next_in = (guint8 *) data;
    stream->avail_in = (guint32) n_bytes;
    stream->next_out = to;
    stream->avail_out = (guint32) n_room;
    int code = isal_deflate_stateless(stream);
    *n_packed = n_room - stream->avail_out;
    return code == COMP_OK && stream->avail_in == 0;
}

static void
pack_blocks(gsize first, gsize last, guint worker, gpointer user_data)
{
    Batch *batch = user_data;

    for (gsize i = first; i < last; i++) {
        gsize n = MIN(BLOCK, batch->n_bytes - i * BLOCK);
        if (!pack_block(batch->data + i * BLOCK, n, batch->packed[i], BLOCK + SLACK,
                        &batch->n_packed[i]))
            atomic_store(&batch->failed, true);
    }
}

static gboolean
write_batch(BgSink *self, Batch *batch, GError **error)
{
    gsize n_blocks = (batch->n_bytes + BLOCK - 1) / BLOCK;

    if (!emit_packing_header(self, error))
        return FALSE;
    bg_parallel_for(n_blocks, 1, pack_blocks, batch, NULL);
    if (atomic_load(&batch->failed)) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                            _("The data could not be packed. Save without .gz instead"));
        return FALSE;
    }
    self->checksum = self->packing == BG_SINK_GZIP
                         ? crc32_gzip_refl(self->checksum, batch->data, batch->n_bytes)
                         : isal_adler32(self->checksum, batch->data, batch->n_bytes);
    self->n_packed += batch->n_bytes;
    for (gsize i = 0; i < n_blocks; i++) {
        if (!emit(self, batch->packed[i], batch->n_packed[i], error))
            return FALSE;
    }
    return TRUE;
}

gboolean
bg_sink_write(BgSink *sink, gconstpointer data, gsize n_bytes, const BgProgress *progress,
              GCancellable *cancellable, GError **error)
{
    gsize step = (gsize) BATCH_BLOCKS * BLOCK;
    Batch batch = { 0 };
    gboolean good = TRUE;

    for (gsize i = 0; sink->packing != BG_SINK_PLAIN && i * BLOCK < MIN(n_bytes, step); i++)
        batch.packed[i] = g_malloc(BLOCK + SLACK);

    for (gsize done = 0; good && done < n_bytes; done += batch.n_bytes) {
        batch.data = (const guint8 *) data + done;
        batch.n_bytes = MIN(step, n_bytes - done);
        good = !g_cancellable_set_error_if_cancelled(cancellable, error) &&
               (sink->packing == BG_SINK_PLAIN ? emit(sink, batch.data, batch.n_bytes, error)
                                               : write_batch(sink, &batch, error));
        bg_progress_report(progress, (double) (done + batch.n_bytes) / (double) n_bytes);
    }
    for (gsize i = 0; i < BATCH_BLOCKS; i++)
        g_free(batch.packed[i]);
    return good;
}

gboolean
bg_sink_write_text(BgSink *sink, const char *text, GError **error)
{
    return bg_sink_write(sink, text, strlen(text), NULL, NULL, error);
}

gboolean
bg_sink_finish(BgSink *sink, GError **error)
{
    static const guint8 last_block[2] = { 0x03, 0x00 }; // a final block without content
    guint8 trailer[8];

    if (sink->packing != BG_SINK_PLAIN) {
        guint32 length = (guint32) sink->n_packed; // modulo 2^32, as RFC 1952 says
        if (!emit_packing_header(sink, error) || !emit(sink, last_block, sizeof last_block, error))
            return FALSE;
        for (int i = 0; i < 4; i++) {
            trailer[i] =
                (guint8) (sink->checksum >> 8 * (sink->packing == BG_SINK_GZIP ? i : 3 - i));
            trailer[4 + i] = (guint8) (length >> 8 * i);
        }
        if (!emit(sink, trailer, sink->packing == BG_SINK_GZIP ? 8 : 4, error))
            return FALSE;
    }
    return sink->output == NULL || bg_output_commit(sink->output, error);
}

GPtrArray *
bg_sink_get_memory(BgSink *sink, gsize *n_bytes)
{
    *n_bytes = sink->n_memory;
    return sink->memory;
}
