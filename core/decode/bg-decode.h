// SPDX-License-Identifier: Apache-2.0
// Asking bregma-decode, the child that reads what needs other people's codecs.
#pragma once

#include "core/base/bg-json.h"
#include "core/base/bg-progress.h"

G_BEGIN_DECLS

/**
 * BgDecodeReply:
 * @json: the child's words. It may have been taken over by a hostile file: believe nothing
 * @parts: of GBytes: memory that the child has filled and can change no more (sealed), mapped
 *   read-only. Stays mapped as long as the GBytes
 */
typedef struct {
    BgJson *json;
    GPtrArray *parts;
} BgDecodeReply;

void bg_decode_reply_free(BgDecodeReply *reply);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgDecodeReply, bg_decode_reply_free)

/**
 * BgDecodeItems:
 * @take: gets each of many results, as it comes; borrowed, and not to be believed
 */
typedef struct {
    void (*take)(const BgJson *item, gpointer user_data);
    gpointer user_data;
} BgDecodeItems;

/**
 * bg_decode_start:
 *
 * Starts the child if it does not run, so that the first request need not wait for it. Any thread.
 *
 * Returns: %FALSE with %BG_ERROR_DECODER
 */
gboolean bg_decode_start(GError **error);

/**
 * bg_decode_ask:
 * @request: an object with "op"; paths in it are absolute
 * @items: (nullable)
 *
 * Blocks; any thread, any number at once. The child works on each request in a process of its own,
 * which is killed when @cancellable is cancelled.
 *
 * Returns: (transfer full): or %NULL with
 *   what the child says: a code of %BG_ERROR or %G_IO_ERROR;
 *   %BG_ERROR_DECODER: the child is not installed, has died (the message says of what), does not
 *     answer, or its answer is damaged. Asking again starts another;
 *   %G_IO_ERROR_CANCELLED
 */
BgDecodeReply *bg_decode_ask(const BgJson *request, const BgDecodeItems *items,
                             const BgProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
