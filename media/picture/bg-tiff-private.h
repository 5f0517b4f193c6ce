// SPDX-License-Identifier: Apache-2.0
// A TIFF file that is open: its pages that are alike, one after the other.
#pragma once

#include "core/io/bg-io-raw.h"

#include <tiffio.h>

G_BEGIN_DECLS

/**
 * BgTiffPage:
 * @converted: the library makes 8-bit RGBA of it
 * @planar: channels are stored one after the other; bg_tiff_read_page() interleaves them
 */
typedef struct {
    int width, height, n_channels, bits, sample_format, photometric, orientation;
    gboolean planar, converted;
    BgRawType type;
} BgTiffPage;

/**
 * BgTiff:
 * @pages: of guint: numbers of the pages that are like the first, which @page describes
 * @n_others: pages of other sizes or kinds
 * @broken: the chain of pages ended with an error
 * @strict: pixels are being read whose decoder only warns when it leaves some of them unset
 */
typedef struct {
    GBytes *file; // owned
    const guint8 *bytes;
    guint64 size, at;
    GCancellable *cancellable; // owned, nullable
    TIFF *library;             // owned
    GArray *pages;             // owned
    BgTiffPage page;
    guint n_others;
    gboolean broken, strict;
    char message[256];
} BgTiff;

BgTiff *bg_tiff_open(const char *path, GCancellable *cancellable, GError **error);
void bg_tiff_close(BgTiff *tiff);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgTiff, bg_tiff_close)

/** bg_tiff_fail: %BG_ERROR_CORRUPT with the library's words; Returns: %FALSE */
gboolean bg_tiff_fail(const BgTiff *tiff, GError **error);

gsize bg_tiff_count_page_bytes(const BgTiff *tiff);

/**
 * bg_tiff_read_page:
 * @number: in @pages
 * @to: (out): bg_tiff_count_page_bytes(): interleaved, in this machine's byte order, as stored
 */
gboolean bg_tiff_read_page(BgTiff *tiff, guint number, guint8 *to, GError **error);

G_END_DECLS
