// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/** bg_decode_find_program: (transfer full) (nullable): the path of bregma-decode */
char *bg_decode_find_program(void);

/**
 * bg_decode_send_line:
 * @request: one end of a socket, for the request and its answer
 * @watch: one end of another: the child's process number and how it ended come over it, and the
 *   request is killed when the other end is closed
 *
 * Starts the child when it does not run. %BG_ERROR_DECODER
 */
gboolean bg_decode_send_line(int request, int watch, GError **error);

/** bg_decode_map: (transfer full): @fd: sealed memory, stays the caller's; %BG_ERROR_CORRUPT */
GBytes *bg_decode_map(int fd, gsize n_bytes, GError **error);

G_END_DECLS
