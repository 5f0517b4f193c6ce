// SPDX-License-Identifier: Apache-2.0
// Where the surface of a region is, and how much of it.
#pragma once

#include "bg-label-metrics.h"

G_BEGIN_DECLS

#define BG_IN_PRED 1
#define BG_IN_TRUTH 2

/**
 * BgSurfacePoints:
 * @at: @n places in a grid
 * @weights: of each: areas, or %NULL: all 1
 */
typedef struct {
    guint32 *at;     // owned
    double *weights; // owned, nullable
    gsize n;
} BgSurfacePoints;

void bg_surface_points_clear(BgSurfacePoints *points);

/** bg_surface_voxels: of @mask (bits of @bit) of @dims; beyond is outside; @flat: along i and j only */
gboolean bg_surface_voxels(const guint8 *mask, const int dims[3], gboolean flat, guint8 bit,
                           BgSurfacePoints *points, GError **error);

/**
 * bg_surface_surfels:
 *
 * Places are the corners of the voxels: of dims + 1 (@flat: of dims + 1, dims + 1, 1).
 */
gboolean bg_surface_surfels(const guint8 *mask, const int dims[3], gboolean flat,
                            const double spacing_mm[3], guint8 bit, BgSurfacePoints *points,
                            GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BgSurfacePoints, bg_surface_points_clear)

G_END_DECLS
