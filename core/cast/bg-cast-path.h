// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-mesh-raster.h"

G_BEGIN_DECLS

float bg_cast_linear_from_srgb(float x);
float bg_cast_srgb_from_linear(float x);

/**
 * bg_cast_path_pixel:
 * @walls, @n_walls: the meshes' along this pixel's ray, by depth
 * @depths: scratch for n_paths numbers
 * @rgba: (out): premultiplied, coded as sRGB
 * @seen_mm: (out): where depth_alpha of the paths have stopped; infinite: further
 */
void bg_cast_path_pixel(const BgCastScene *scene, int u, int v, const BgFragment *walls,
                        guint n_walls, double *depths, float rgba[4], double *seen_mm);

G_END_DECLS
