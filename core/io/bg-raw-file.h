// SPDX-License-Identifier: Apache-2.0
// Files that are nothing but voxels: what they might be, and reading them as what the user says.
#pragma once

#include "bg-io-raw.h"

G_BEGIN_DECLS

/**
 * BgRawDescription:
 * @header_bytes: before the first voxel
 * @dims, @n_frames: of the volume
 * @n_components: values in a voxel, next to each other
 * @spacing_mm: of voxel centres; zeros when unknown: lengths are then in px
 *
 * How the voxels lie in the file: x fastest. A plain value, that the import page edits and that the
 * sidecar of bg_grid_write_raw() keeps.
 */
typedef struct {
    guint64 header_bytes;
    int dims[3];
    int n_frames;
    int n_components;
    BgRawType type;
    gboolean big_endian;
    double spacing_mm[3];
} BgRawDescription;

/**
 * BgRawGuess:
 * @score: the smaller, the smoother the picture that it gives: neighbouring voxels differ by this
 *   share of the spread of all
 */
typedef struct {
    BgRawDescription description;
    double score;
} BgRawGuess;

/**
 * bg_raw_guess:
 * @path: a file, of at least 64 bytes
 * @guesses: (out): the best first
 * @n_most: room at @guesses
 *
 * What the file might hold: types and byte orders by how smooth their values are along a row, the
 * width by how well rows fit below each other, height and slices by what divides the rest and is
 * usual; words of the name ("256x256x128", "uint16", "_be") count first. Reads at most 8 MiB.
 *
 * Returns: how many guesses there are, at least one; -1 with %G_IO_ERROR, or %BG_ERROR_INVALID when
 *   the file is too small
 */
int bg_raw_guess(const char *path, BgRawGuess *guesses, int n_most, GCancellable *cancellable,
                 GError **error);

/**
 * bg_raw_describe_check:
 * @n_file: bytes of the file
 *
 * Returns: %FALSE with %BG_ERROR_INVALID: a value out of its range; %BG_ERROR_CORRUPT: the file has
 *   fewer bytes than that needs
 */
gboolean bg_raw_describe_check(const BgRawDescription *description, guint64 n_file, GError **error);

/**
 * bg_raw_load_file:
 *
 * The voxels of a file as @description says. i to the left, j posterior, k superior, side unknown.
 *
 * Returns: (transfer full): or %NULL with the errors of bg_io_load() and bg_raw_describe_check()
 */
BgLoaded *bg_raw_load_file(const char *path, const BgRawDescription *description,
                           const BgLoadParams *params, const BgProgress *progress,
                           GCancellable *cancellable, GError **error);

G_END_DECLS
