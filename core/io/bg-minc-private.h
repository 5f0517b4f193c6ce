// SPDX-License-Identifier: Apache-2.0
// What MINC 1 (netCDF) and MINC 2 (HDF5) have in common: dimensions with names, a place in the
// world, and a real range a slice ("MINC 2.0 file format reference", en.wikibooks.org/wiki/MINC).
#pragma once

#include "bg-io-scaled.h"

G_BEGIN_DECLS

#define BG_MINC_MAX_DIMS 5
#define BG_MINC_MAX_SCALES (1u << 20) // slices with a range of their own

/**
 * BgMincDim:
 * @step, @start: mm, or seconds; @cosines: in RAS, of unit length or nearly so
 */
typedef struct {
    char name[32];
    guint64 length;
    double step, start, cosines[3];
    gboolean has_step, has_cosines, irregular;
} BgMincDim;

/**
 * BgMinc:
 * @dims: slowest first, as in the file
 * @low, @high: the valid range; the type's own when the file does not say
 * @scale_dims: how many of the first dimensions have a real range of their own
 * @real_min, @real_max: owned: @n_scales of each, or %NULL when the file has none
 */
typedef struct {
    int n_dims;
    BgMincDim dims[BG_MINC_MAX_DIMS];
    BgRawType type;
    gboolean big_endian;
    double low, high;
    gsize n_scales;
    double *real_min, *real_max;
} BgMinc;

/** bg_minc_dim_init: what counts when the file does not say */
void bg_minc_dim_init(BgMincDim *dim, const char *name, guint64 length);

/** bg_minc_set_default_range: of the type */
void bg_minc_set_default_range(BgMinc *minc);

void bg_minc_clear(BgMinc *minc);

/**
 * bg_minc_describe:
 * @info: (out): dims, frames, components, place
 *
 * Returns: %FALSE with %BG_ERROR_UNSUPPORTED: an order of dimensions or a spacing that no grid has;
 *   %BG_ERROR_CORRUPT: sizes, ranges or directions that make no sense
 */
gboolean bg_minc_describe(const BgMinc *minc, BgFileInfo *info, GError **error);

/** bg_minc_count_frame: values in a frame, all components */
gsize bg_minc_count_frame(const BgMinc *minc, const BgFileInfo *info);

/**
 * bg_minc_load:
 * @source: (transfer full): the stored values of the frame that @params ask for
 * @info: (transfer full)
 */
BgLoaded *bg_minc_load(const BgMinc *minc, BgSource *source, BgFileInfo *info,
                       const BgLoadParams *params, const BgProgress *progress, GError **error);

G_END_DECLS
