// SPDX-License-Identifier: Apache-2.0
// The colours that stand for distances between two surfaces.
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BG_DISTANCE_COLOURS 5

/** bg_distance_colours: sRGB 0..1 at -1, -1/2, 0, 1/2 and 1 of the range, linear between them */
extern const float bg_distance_colours[BG_DISTANCE_COLOURS][3];

/**
 * bg_distance_colour:
 * @range_mm: above 0: beyond it on either side colours stay
 * @rgb: (out): sRGB, 0..1
 *
 * Blue inside (negative), white at 0, red outside: ColorBrewer's RdBu, which colour-blind people tell apart.
 */
void bg_distance_colour(double distance_mm, double range_mm, double rgb[3]);

G_END_DECLS
