// SPDX-License-Identifier: Apache-2.0
// The header of a NRRD file: parsed by bg-io-nrrd-header.c, understood by bg-io-nrrd.c.
#pragma once

#include "bg-io-text.h"

G_BEGIN_DECLS

#define BG_NRRD_MAX_AXES 16 // as teem has it

typedef enum { BG_NRRD_RAW, BG_NRRD_GZIP, BG_NRRD_ASCII, BG_NRRD_HEX } BgNrrdEncoding;

typedef struct {
    gint64 size;
    char *kind;     // owned, nullable; small letters
    double spacing; // NaN: not given
    double min;     // NaN: not given
    gboolean cell;  // min is a border, not a centre
    gboolean has_vector;
    double vector[4]; // space direction; not had: "none"
} BgNrrdAxis;

typedef struct {
    int n_axes;
    BgNrrdAxis axes[BG_NRRD_MAX_AXES];
    gboolean has_type, has_sizes, has_directions;
    BgRawType type;
    BgNrrdEncoding encoding;
    gboolean big_endian, has_endian;
    int space_dimension;
    char *space; // owned, nullable; small letters
    double origin[4];
    double unit_mm[4];
    gint64 line_skip, byte_skip;
    gboolean detached;
    GPtrArray *files; // owned: paths; empty: the data follow the header
    gint64 sub_dimension;
    guint64 header_length;
    gint64 pattern[3];
    char *file_pattern; // owned, nullable
} BgNrrd;

/**
 * bg_nrrd_parse_header:
 * @info: gets what the header says about provenance, modality, kind and content
 *
 * Returns: (transfer full): with all of dimension, type and sizes; or %NULL with %G_IO_ERROR,
 *   %BG_ERROR_CORRUPT (a field that is missing, or makes no sense) or %BG_ERROR_UNSUPPORTED
 *   (blocks, bzip2)
 */
BgNrrd *bg_nrrd_parse_header(const char *path, BgFileInfo *info, GCancellable *cancellable,
                             GError **error);
void bg_nrrd_free(BgNrrd *n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgNrrd, bg_nrrd_free)

G_END_DECLS
