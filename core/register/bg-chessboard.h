// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/image/bg-image.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define BG_CHESSBOARD_MIN 3
#define BG_CHESSBOARD_MAX 64

/**
 * bg_chessboard_find:
 * @columns, @rows: inner corners (where four squares meet) along and across: BG_CHESSBOARD_MIN to
 *   BG_CHESSBOARD_MAX
 * @corners: (out): u, v of @columns x @rows corners, row by row; the board turns clockwise from its
 *   columns to its rows as the picture does. Where a half turn changes nothing the first corner is
 *   the one nearer to the picture's top left
 *
 * Finds a chessboard in a photograph: corners by the response of a ring of samples (Bennett and
 * Lasenby 2014, "ChESS - Quick and robust detection of chess-board features"), at several sizes;
 * joined along the squares' edges, and placed below a pixel by the point that the gradients around
 * it are orthogonal to (Foerstner and Guelch 1987).
 *
 * Returns: %FALSE with %BG_ERROR_INVALID when the size is out of range, or there is no such board
 *   (the message says what was found instead), %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
gboolean bg_chessboard_find(BgImage *image, int columns, int rows, double *corners,
                            GCancellable *cancellable, GError **error);

G_END_DECLS
