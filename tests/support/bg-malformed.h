// SPDX-License-Identifier: Apache-2.0
// Makes damaged files out of good ones, for every reader's test.
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * BgMalformedSeed:
 * @bytes, @n_bytes: a good file
 * @header_bytes: how much of its beginning is header: damaged most
 * @text: the header is text: numbers and lines in it are changed, too
 * @suffix: of the files that are made, such as ".nii"
 */
typedef struct {
    const char *name;
    const guint8 *bytes;
    gsize n_bytes;
    gsize header_bytes;
    gboolean text;
    const char *suffix;
} BgMalformedSeed;

/**
 * BgMalformedFunc:
 * @path: of the damaged file; it is gone after the call
 * @what: how it was damaged
 */
typedef void (*BgMalformedFunc)(const char *path, const char *what, gpointer user_data);

/**
 * bg_malformed_run:
 * @other: (nullable): a second good file, for splices
 * @n_random: how many of the bit flips, splices and insertions each
 *
 * Calls @func with: the file cut at 64 places; each field of a binary header at 12 extremes, in both
 * byte orders and at 2, 4 and 8 bytes; each number of a text header at 12 extremes; each line left
 * out and doubled; bits flipped; spliced with @other; bytes put in. The same every time for a seed
 * of g_test_rand_int().
 *
 * Returns: how many files that were
 */
gsize bg_malformed_run(const BgMalformedSeed *seed, const BgMalformedSeed *other, gsize n_random,
                       BgMalformedFunc func, gpointer user_data);

/**
 * BgMalformedWatch: what one call cost. Start before, stop after
 * @seconds: of processors: a busy machine makes it no longer
 * @peak_bytes: resident memory above that of the start, at its highest; 0 where the system does not tell
 */
typedef struct {
    double start_s;
    gsize start_bytes;
    double seconds;
    gsize peak_bytes;
} BgMalformedWatch;

void bg_malformed_watch_start(BgMalformedWatch *watch);
void bg_malformed_watch_stop(BgMalformedWatch *watch);

G_END_DECLS
