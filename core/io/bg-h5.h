// SPDX-License-Identifier: Apache-2.0
// The one place that calls the HDF5 library: files as trees of groups, arrays and attributes.
#pragma once

#include "core/base/bg-progress.h"

G_BEGIN_DECLS

#define BG_H5_MAX_RANK 5
#define BG_H5_CASE_FORMAT "bregma-case" // the root's attribute "format" in a .bregma file
#define BG_H5_MAX_TEXT (64u << 20)      // of one text, in bytes

typedef enum {
    BG_H5_UINT8,
    BG_H5_INT8,
    BG_H5_INT16,
    BG_H5_UINT16,
    BG_H5_INT32,
    BG_H5_UINT32,
    BG_H5_INT64,
    BG_H5_UINT64,
    BG_H5_FLOAT32,
    BG_H5_FLOAT64,
} BgH5Type;

/** bg_h5_type_size: in bytes */
gsize bg_h5_type_size(BgH5Type type);

/** bg_h5_type_name: numpy's name */
const char *bg_h5_type_name(BgH5Type type);

/**
 * BgH5Shape:
 * @rank: 1..BG_H5_MAX_RANK
 * @dims: slowest first, as HDF5 and numpy have it; each at least 1
 */
typedef struct {
    BgH5Type type;
    int rank;
    guint64 dims[BG_H5_MAX_RANK];
} BgH5Shape;

/** bg_h5_shape_count: elements; 0 when that does not fit a gsize */
gsize bg_h5_shape_count(const BgH5Shape *shape);

/**
 * BgH5:
 *
 * An HDF5 file that is open for reading, or one that is being made. Objects are named by their
 * path in the file ("/", "/volume", "/layers/0"); groups on the way are made as needed. Any
 * thread, one at a time; calls about different files wait for each other, since the library does
 * one thing at a time. When reading, links to other files, arrays that lie in other files and
 * filters that are not the library's own are refused.
 */
typedef struct _BgH5 BgH5;

/**
 * bg_h5_open:
 *
 * Returns: (transfer full): for reading; or %NULL with %G_IO_ERROR as the system says, or
 *   %BG_ERROR_CORRUPT: no HDF5, or damaged
 */
BgH5 *bg_h5_open(const char *path, GError **error);

/**
 * bg_h5_create:
 * @force: replace a file that is there
 *
 * Returns: (transfer full): for writing, beside its place until bg_h5_commit(); or %NULL with
 *   %G_IO_ERROR
 */
BgH5 *bg_h5_create(const char *path, gboolean force, GError **error);

/** bg_h5_commit: closes the file and puts it in its place. @h5 is then only good to be freed */
gboolean bg_h5_commit(BgH5 *h5, GError **error);

/**
 * bg_h5_commit_sealed:
 *
 * As bg_h5_commit(), with a seal behind what HDF5 has written: a mark, and the SHA-256 of
 * everything before it. Other programs do not see it.
 */
gboolean bg_h5_commit_sealed(BgH5 *h5, GError **error);

/**
 * bg_h5_open_sealed:
 *
 * As bg_h5_open(), but a file whose seal does not fit, or that is shorter or longer than it says,
 * is refused before the library (which can be crashed by damage) sees it. One without a seal was
 * written by another program, and is opened.
 *
 * Returns: as bg_h5_open()
 */
BgH5 *bg_h5_open_sealed(const char *path, GCancellable *cancellable, GError **error);

/** bg_h5_has_seal: a look at both ends of the file; whether the seal fits is not checked */
gboolean bg_h5_has_seal(const char *path);

/** bg_h5_free: what was not committed is removed */
void bg_h5_free(BgH5 *h5);

// Objects. Reading: %BG_ERROR_CORRUPT when it is not there or of another kind; writing:
// %G_IO_ERROR_FAILED with the library's words (a full disk).

gboolean bg_h5_has(BgH5 *h5, const char *path);

/** bg_h5_list: (transfer full): the names in a group, sorted; at most 65536 */
GStrv bg_h5_list(BgH5 *h5, const char *path, GError **error);

gboolean bg_h5_create_group(BgH5 *h5, const char *path, GError **error);

// Attributes of a group or array

gboolean bg_h5_has_attribute(BgH5 *h5, const char *path, const char *name);

gboolean bg_h5_set_string(BgH5 *h5, const char *path, const char *name, const char *value,
                          GError **error);
gboolean bg_h5_set_doubles(BgH5 *h5, const char *path, const char *name, const double *values,
                           gsize n, GError **error);

/** bg_h5_set_matrix: @values: row-major */
gboolean bg_h5_set_matrix(BgH5 *h5, const char *path, const char *name, const double *values,
                          gsize n_rows, gsize n_columns, GError **error);
gboolean bg_h5_set_integer(BgH5 *h5, const char *path, const char *name, gint64 value,
                           GError **error);

/** bg_h5_set_fixed_string: of the text's own length and its NUL, as MINC's library wants it; ASCII */
gboolean bg_h5_set_fixed_string(BgH5 *h5, const char *path, const char *name, const char *value,
                                GError **error);

/** bg_h5_set_int32: a scalar of four bytes */
gboolean bg_h5_set_int32(BgH5 *h5, const char *path, const char *name, gint32 value,
                         GError **error);

/** bg_h5_get_string: (transfer full): valid UTF-8 */
char *bg_h5_get_string(BgH5 *h5, const char *path, const char *name, GError **error);

/** bg_h5_get_doubles: exactly @n numbers of whatever shape and type */
gboolean bg_h5_get_doubles(BgH5 *h5, const char *path, const char *name, double *values, gsize n,
                           GError **error);
gboolean bg_h5_get_integer(BgH5 *h5, const char *path, const char *name, gint64 *value,
                           GError **error);

// Arrays

/**
 * bg_h5_write:
 * @data: in C order
 *
 * Chunked and packed (shuffle, gzip) from 4 KiB on.
 */
gboolean bg_h5_write(BgH5 *h5, const char *path, const BgH5Shape *shape, gconstpointer data,
                     const BgProgress *progress, GCancellable *cancellable, GError **error);

/**
 * bg_h5_inspect:
 * @shape: (out): other types are given as the one that bg_h5_read() turns them into best; an array
 *   without dimensions is given as one of one element
 *
 * Returns: %FALSE with %BG_ERROR_UNSUPPORTED for texts, compounds, more than 5 dimensions; and
 *   %BG_ERROR_CORRUPT when the file is too small for what it promises
 */
gboolean bg_h5_inspect(BgH5 *h5, const char *path, BgH5Shape *shape, GError **error);

/**
 * bg_h5_read:
 * @shape: what is there, but @shape->type may be another: values are converted
 * @first, @count: along the slowest dimension: what part to read
 * @data: (out caller-allocates): @count times the other dimensions
 */
gboolean bg_h5_read(BgH5 *h5, const char *path, const BgH5Shape *shape, guint64 first,
                    guint64 count, gpointer data, const BgProgress *progress,
                    GCancellable *cancellable, GError **error);

/** bg_h5_write_scalar: an array of no dimensions: one number */
gboolean bg_h5_write_scalar(BgH5 *h5, const char *path, BgH5Type type, double value,
                            GError **error);

/** bg_h5_count_chunk_rows: how much of the slowest dimension a chunk has; 1 where there are none */
guint64 bg_h5_count_chunk_rows(BgH5 *h5, const char *path);

/** bg_h5_write_text: any length: an array of bytes, UTF-8 */
gboolean bg_h5_write_text(BgH5 *h5, const char *path, const char *text, GError **error);

/** bg_h5_read_text: (transfer full): what bg_h5_write_text() wrote; at most BG_H5_MAX_TEXT */
char *bg_h5_read_text(BgH5 *h5, const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgH5, bg_h5_free)

G_END_DECLS
