// SPDX-License-Identifier: Apache-2.0
// A document of headings, words, tables and pictures, written as one web page or as A4 pages.
#pragma once

#include "core/image/bg-image.h"

G_BEGIN_DECLS

/** BgPages: filled from the top to the bottom by one thread */
typedef struct _BgPages BgPages;

/**
 * bg_pages_new:
 * @title: of the document
 * @footer: on each page: what no page may lose, also when it is torn from the others
 */
BgPages *bg_pages_new(const char *title, const char *footer);
void bg_pages_free(BgPages *pages);

/**
 * BgPagesStyle:
 * @BG_PAGES_CAUTION: stands out, with a bar beside it
 * @BG_PAGES_CODE: small, as it is: long lines are broken
 */
typedef enum {
    BG_PAGES_HEADING,
    BG_PAGES_WORDS,
    BG_PAGES_CAUTION,
    BG_PAGES_CODE,
} BgPagesStyle;

void bg_pages_add(BgPages *pages, BgPagesStyle style, const char *words);

/**
 * bg_pages_add_row:
 * @cells: ended by %NULL
 * @head: the first row of a table: begins a new one; rows without one go on with the last
 *   table, or begin one without a head
 */
void bg_pages_add_row(BgPages *pages, const char *const *cells, gboolean head);

/** bg_pages_end_table: the next row begins another one */
void bg_pages_end_table(BgPages *pages);

/**
 * bg_pages_add_picture:
 * @image: uint8 RGB
 * @words: below it
 * @share: of the page's width, over 0..1; pictures that follow each other and fit stand side by side
 */
void bg_pages_add_picture(BgPages *pages, BgImage *image, const char *words, double share);

/** bg_pages_to_html: (transfer full): needs no other file; or %NULL with %BG_ERROR_NO_MEMORY */
char *bg_pages_to_html(const BgPages *pages, GError **error);

/** bg_pages_to_pdf: (transfer full): A4, upright, each page with @footer and its number; or %NULL with %BG_ERROR_NO_MEMORY */
GBytes *bg_pages_to_pdf(const BgPages *pages, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgPages, bg_pages_free)

G_END_DECLS
