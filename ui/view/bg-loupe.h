// SPDX-License-Identifier: Apache-2.0
// The magnifier for placing points.
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * bg_loupe_append:
 * @place: where @texture lies in the widget
 * @bounds: of the widget
 * @x, @y: what is magnified: it is in the middle of the circle
 *
 * Draws a circle beside the pointer, on the side where there is room.
 */
void bg_loupe_append(GtkSnapshot *snapshot, GdkTexture *texture, const graphene_rect_t *place,
                     const graphene_rect_t *bounds, double x, double y);

G_END_DECLS
