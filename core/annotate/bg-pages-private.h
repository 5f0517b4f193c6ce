// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-pages.h"

#include <cairo.h>

G_BEGIN_DECLS

typedef enum {
    BG_PIECE_HEADING,
    BG_PIECE_WORDS,
    BG_PIECE_CAUTION,
    BG_PIECE_CODE,
    BG_PIECE_TABLE,
    BG_PIECE_PICTURE,
} BgPieceKind;

/**
 * BgPiece: members owned
 * @words: (nullable): of all but tables; @rows: (nullable): of a table: of GStrv; @has_head: its first
 * @image, @share: of a picture
 */
typedef struct {
    BgPieceKind kind;
    char *words;
    GPtrArray *rows;
    gboolean has_head;
    BgImage *image;
    double share;
} BgPiece;

struct _BgPages {
    char *title, *footer; // owned
    GPtrArray *pieces;    // owned, of BgPiece
    gboolean in_table;
};

/** bg_pages_surface: (transfer full): an RGB24 surface; or %NULL with %BG_ERROR_NO_MEMORY */
cairo_surface_t *bg_pages_surface(BgImage *image, GError **error);

G_END_DECLS
