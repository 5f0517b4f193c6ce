// SPDX-License-Identifier: Apache-2.0
// What goes over the socket between a program and bregma-decode: JSON texts, each with descriptors.
#pragma once

#include "core/base/bg-json.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define BG_WIRE_MAX_FDS 16
#define BG_WIRE_CONTROL_FD 3 // of bregma-decode: requests come in here

/**
 * BgWireKind:
 * @BG_WIRE_REQUEST: to the child: what to do
 * @BG_WIRE_PROGRESS: from the child: {"fraction": 0.5}
 * @BG_WIRE_ITEM: from the child: one of many results
 * @BG_WIRE_RESULT: from the child, the last: a result, with its memory as descriptors
 * @BG_WIRE_ERROR: from the child, the last: {"domain": "bregma" | "gio", "code": 1, "message": ""}
 */
typedef enum {
    BG_WIRE_REQUEST,
    BG_WIRE_PROGRESS,
    BG_WIRE_ITEM,
    BG_WIRE_RESULT,
    BG_WIRE_ERROR,
} BgWireKind;

/**
 * BgWireMessage:
 * @fds: owned
 */
typedef struct {
    BgWireKind kind;
    BgJson *json;
    int fds[BG_WIRE_MAX_FDS];
    guint n_fds;
} BgWireMessage;

void bg_wire_message_clear(BgWireMessage *message);

/**
 * bg_wire_send:
 * @fds: (array length=n_fds) (nullable): stay the caller's
 *
 * Blocks. Returns: %FALSE with %G_IO_ERROR
 */
gboolean bg_wire_send(int socket, BgWireKind kind, const BgJson *json, const int *fds, guint n_fds,
                      GError **error);

typedef enum {
    BG_WIRE_OK,
    BG_WIRE_END,     // the other side has closed, between two messages or within one
    BG_WIRE_TIMEOUT, // nothing has come for so long
    BG_WIRE_FAILED,  // error is set
} BgWireStatus;

/**
 * bg_wire_receive:
 * @cancel_fd: of g_cancellable_get_fd(), or -1
 * @timeout_ms: how long to wait for the next bytes; -1 for ever
 * @message: (out): to be cleared
 *
 * Believes nothing: sizes, kinds and counts are checked before memory is taken, and the text is
 * parsed by bg_json_parse().
 *
 * Returns: FAILED with %G_IO_ERROR_CANCELLED, %G_IO_ERROR as the system says, or %BG_ERROR_CORRUPT:
 *   this is no message
 */
BgWireStatus bg_wire_receive(int socket, int cancel_fd, int timeout_ms, BgWireMessage *message,
                             GError **error);

G_END_DECLS
