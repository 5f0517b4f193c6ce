// SPDX-License-Identifier: Apache-2.0
// Meshes as fragments, for the ray caster: each pixel's walls in order of depth.
#pragma once

#include "bg-cast-private.h"

G_BEGIN_DECLS

#define BG_FRAGMENT_SAMPLES 4 // places in a pixel that are tested against each triangle
#define BG_FRAGMENT_ALL ((1 << BG_FRAGMENT_SAMPLES) - 1)

/**
 * BgFragment:
 * @t_mm: along the pixel's ray
 * @rgb: sRGB, shaded
 * @alpha: 0..1
 * @mask: which of the pixel's sample places it covers
 * @pixel: in the tile, u + BG_CAST_TILE v
 * @order: mesh and triangle: what decides at equal depths
 */
typedef struct {
    double t_mm;
    float rgb[3];
    float alpha;
    guint16 pixel;
    guint16 mask;
    guint64 order;
} BgFragment;

/**
 * BgFragmentTile:
 * @fragments: by pixel, then t_mm
 * @first: index of each pixel's first; one more at the end
 */
typedef struct {
    GArray *fragments;
    guint first[BG_CAST_TILE * BG_CAST_TILE + 1];
} BgFragmentTile;

BgFragmentTile *bg_fragment_tile_new(void);
void bg_fragment_tile_free(BgFragmentTile *tile);

/** BgMeshRaster: the visible meshes, projected and sorted into tiles; read only once built */
typedef struct _BgMeshRaster BgMeshRaster;

/** bg_mesh_raster_new: @scene, @params: borrowed; %BG_ERROR_NO_MEMORY or %G_IO_ERROR_CANCELLED */
BgMeshRaster *bg_mesh_raster_new(const BgCastScene *scene, const BgCastParams *params,
                                 GCancellable *cancellable, GError **error);
void bg_mesh_raster_free(BgMeshRaster *raster);

/** bg_mesh_raster_fill: @tile_u, @tile_v: in tiles; Returns: whether there are any fragments */
gboolean bg_mesh_raster_fill(const BgMeshRaster *raster, int tile_u, int tile_v,
                             BgFragmentTile *tile);

G_END_DECLS
