// SPDX-License-Identifier: Apache-2.0
// Voxels that are written as text.
#pragma once

#include "bg-io-raw.h"

G_BEGIN_DECLS

/**
 * bg_source_new_ascii:
 * @inner: (transfer full): numbers with blanks or commas between them
 *
 * Returns: (transfer full): the numbers as @type in this machine's byte order; reading fails with
 *   %BG_ERROR_CORRUPT at what is no number, or out of the type's range
 */
BgSource *bg_source_new_ascii(BgSource *inner, BgRawType type);

/** bg_source_new_hex: @inner: (transfer full): two hexadecimal digits a byte, blanks anywhere */
BgSource *bg_source_new_hex(BgSource *inner);

/**
 * bg_io_read_header:
 * @is_end: called with the text so far: the length of the header, or 0 when more is needed
 *
 * Reads a header in text from the start of a file: up to what @is_end says, or the end of the file,
 * or 4 MiB, which is an error.
 *
 * Returns: (transfer full): NUL-terminated; with @length the position where the data begin
 */
char *bg_io_read_header(const char *path, gsize (*is_end)(const char *text, gsize length),
                        gsize *length, GCancellable *cancellable, GError **error);

/** bg_io_parse_doubles: Returns: how many numbers, at most @most, the text has; -1: what is none */
int bg_io_parse_doubles(const char *text, double *values, int most);

/** bg_io_parse_int: one whole number and nothing else; %FALSE otherwise */
gboolean bg_io_parse_int(const char *text, gint64 *value);

/**
 * bg_io_expand_pattern:
 * @pattern: with one %d (or %03d and the like), as printf has it
 *
 * Returns: (transfer full) (nullable): %NULL when the pattern has anything else to fill in
 */
char *bg_io_expand_pattern(const char *pattern, gint64 number);

/** bg_io_show: (transfer full): what a file holds, for a message: valid, printable, 60 bytes at most */
char *bg_io_show(const char *text);

/** bg_io_bad_field: %BG_ERROR_CORRUPT that names field and value; Returns: %FALSE */
gboolean bg_io_bad_field(const char *field, const char *value, GError **error);

/**
 * bg_io_resolve:
 *
 * Returns: (transfer full): the file that a header names, in the header's folder or below. A name that
 *   leads out of it could be any file of the user's: its last part is taken, beside the header
 */
char *bg_io_resolve(const char *header_path, const char *name);

G_END_DECLS
